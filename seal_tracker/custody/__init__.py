"""Seals as assets: who has which, since when, and until when; each movement recorded, the present state their fold. Pure.

::

                    ┌──────────────────────── return ────────────────────────┐
                    ▼                                                        │
    register ─► in_store ── issue ─► issued ── arm ─► on_journey ── disarm ─► taken_off
                 │  ▲  │                ▲                                    │
                 │  │  └── send ─► in_transit ── receive ─► in_store         └── arm
                 │  └── take_back ── in_repair, in_calibration
                 └── lose ─► lost ── find ─► in_store          retire ─► retired

    moves       which movement follows which state, and what it makes of a seal
    asset       a seal as it stands, its rows, and the fold
    along       what journeys' arming and disarming moves
    registry    seals out of a CSV
    letters     the mail to who answers for what is not brought back
    rows        rows and counts
"""
