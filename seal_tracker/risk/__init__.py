"""How much a journey is worth an unscheduled inspection, who is drawn for one, and what inspections found. Pure.

    facts ── score.assess ──> points, line by line ──> draw: strata, tickets ──> inspections ──> hits: what each indicator is worth

Nothing here judges pings, and no event comes of it: a score is an answer to a question that somebody asks.
"""
