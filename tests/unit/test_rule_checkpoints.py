"""CHECKPOINT_REACHED, CHECKPOINT_LATE and CHECKPOINT_MISSED.

The route runs east along y = 0 for 30 km; checkpoint A lies at 5,000 m, B at 10,000 m, each a square of 300 m half side.
A truck at 15 m/s enters A after 313 s and B after 647 s.
"""

from __future__ import annotations

from typing import Any

import pytest
from story import Core, Ground, Ping, drive, iso, one, only, ping, span, told

from seal_tracker.model import Episode

REACHED, LATE, MISSED = "CHECKPOINT_REACHED", "CHECKPOINT_LATE", "CHECKPOINT_MISSED"


def road(a: dict[str, Any] | None = None, b: dict[str, Any] | None = None, **more: Any) -> Ground:
    """A journey past A and B; ``a`` and ``b`` are what their entries in the route say besides."""
    made = Ground().zone("A", 5000, 0, 300, "checkpoint").zone("B", 10_000, 0, 300, "checkpoint")
    points = [{"zone": "A"} | (a or {}), {"zone": "B"} | (b or {})]
    return made.route("R", (0, 0), (30_000, 0), checkpoints=points).journey(route="R", **more)


def late(ground: Ground, story: list[Ping], **more: Any) -> list[Episode]:
    return only(told(ground, story, **more), LATE)


def missed(ground: Ground, story: list[Ping], **more: Any) -> list[Episode]:
    return only(told(ground, story, **more), MISSED)


def places(*xs: float, every_s: float = 60, y_m: float = 0) -> list[Ping]:
    return [ping(every_s * i, x, y_m) for i, x in enumerate(xs)]


def test_a_checkpoint_is_reached_at_the_first_fix_inside() -> None:
    """A point: it ends as it is raised."""
    found = one(told(road(), places(4600, 4750, 5000, 5500)), REACHED)
    assert span(found) == (60, 60, 60, 60)
    assert (found.severity, found.object, found.inferred) == ("info", "A", False)
    assert (found.evidence["zone"], found.evidence["n_fixes"]) == ("A", 1)


def test_a_checkpoint_is_reached_once_a_journey() -> None:
    """Coming back does not reach it again, but the next journey does."""
    made = road(disarmed_s=300).journey(id="J-again", armed_s=300, route="R")
    story = [ping(30 * i, 5000 if i % 4 < 2 else 6000) for i in range(16)]
    found = only(told(made, story), REACHED)
    assert [(e.journey, span(e)[0]) for e in found] == [("J-S1", 0), ("J-again", 360)]


def test_only_the_checkpoints_of_its_route_are_reached() -> None:
    """C is nobody's checkpoint; a journey on Q, or on no route, has none."""
    story = places(5000, 8000, every_s=200)
    made = road().zone("C", 8000, 0, 300, "checkpoint").route("Q", (0, 0), (9000, 0))
    assert [e.object for e in only(told(made, story), REACHED)] == ["A"]
    for route in ("Q", None):
        made.journeys[0]["route"] = route
        assert not only(told(made, story), REACHED)


def test_a_checkpoint_rule_may_be_switched_off_for_one_zone() -> None:
    """The zone's own policy; it counts as entered all the same."""
    made = road(a={"after_min": 5}).policy(f"zone.A.{REACHED}", enabled=False)
    assert [e.type for e in told(made, drive(0, 700, 60)) if e.object == "A"] == [LATE]
    made = road(a={"after_min": 6}).policy(f"zone.A.{REACHED}", enabled=False)
    assert not [e for e in told(made, drive(0, 900, 60)) if e.object == "A"]


def test_a_checkpoint_not_entered_by_its_deadline_is_late_at_that_moment() -> None:
    """Planned time and tolerance from arming: 4 min + 30 s, however the next ping lies to that."""
    made = road(a={"after_min": 4, "tolerance_min": 0.5})
    found = one(told(made, drive(0, 900, 60)), LATE)
    assert span(found) == (270, 270, 270, 270)
    assert (found.severity, found.object, found.inferred, found.journey) == ("medium", "A", False, "J-S1")


def test_a_checkpoint_entered_by_its_deadline_is_not_late() -> None:
    """By the moment itself is in time; a millisecond later is not."""
    made = road(a={"after_min": 6})
    story = [*places(0, 2000, 4000), ping(360, 4800), ping(500, 7000)]
    assert not late(made, story)
    story[3] = ping(360.001, 4800)
    assert span(late(made, story)[0])[0] == 360


def test_a_checkpoint_without_a_planned_time_is_never_late() -> None:
    """There is no deadline for it."""
    assert not late(road(), places(0, 1000, 2000, every_s=3000), now_s=100_000)


def test_being_late_does_not_end_when_the_checkpoint_is_entered() -> None:
    """It is a point; the entering is told besides."""
    found = told(road(a={"after_min": 3}), drive(0, 900, 60))
    assert [(e.type, span(e)[1]) for e in found if e.object == "A"] == [(LATE, 180), (REACHED, 360)]


def test_a_silent_seal_is_late_by_time_alone() -> None:
    """Dated to the deadline, never to the tick; told once."""
    made = road(a={"after_min": 10})
    for now_s in (600.001, 5000):
        assert span(one(told(made, drive(0, 120, 60), now_s=now_s), LATE)) == (600, 600, 600, 600)
    assert not late(made, drive(0, 120, 60), now_s=600)


def test_time_and_the_next_ping_tell_the_same() -> None:
    """Byte for byte, whichever comes first and however often the clock is heard."""
    made, story = road(a={"after_min": 4}, b={"after_min": 5}), [ping(0, 0), ping(200, 500), ping(2000, 900)]
    by_ping, by_time = Core(made.plan()), Core(made.plan())
    by_ping.tell(story)
    by_time.tell(story[:2])
    for now_s in (210, 241, 250, 301, 1000):
        by_time.pass_time(now_s)
    assert len(only(by_time.episodes.values(), LATE)) == 2
    by_time.tell(story[2:])
    assert by_time.lines() == by_ping.lines()


def test_several_deadlines_in_one_silence_are_each_told_at_their_own_moment() -> None:
    """In the order of the route."""
    made = road(a={"after_min": 4}, b={"after_min": 9, "tolerance_min": 1})
    assert [(e.object, span(e)[0]) for e in late(made, [ping(0, 0), ping(3000, 1000)])] == [
        ("A", 240),
        ("B", 600),
    ]


def test_a_crossing_shown_after_the_deadline_does_not_keep_it() -> None:
    """What a later fix will show was not known at the deadline; the clock could not have waited for it."""
    made = road(a={"after_min": 2})
    story = [ping(0, 4500), ping(130, 5500)]
    found = told(made, story)
    assert [(e.type, e.inferred) for e in found if e.object == "A"] == [(LATE, False), (REACHED, True)]
    assert not late(road(a={"after_min": 2.5}), [*story, ping(200, 6000)])


def test_the_evidence_of_a_late_checkpoint() -> None:
    """Planned time, tolerance, and the last fix known at the deadline."""
    made = road(a={"after_min": 4, "tolerance_min": 1})
    story = drive(0, 900, 50)
    evidence = one(told(made, story), LATE).evidence
    assert (evidence["zone"], evidence["planned_at"], evidence["tolerance_s"]) == ("A", iso(240), 60)
    assert [f["time"] for f in evidence["fixes"]] == [iso(300)]
    story = [ping(0, 0), ping(100, 1500), ping(320), ping(2000, 2000)]
    assert [f["time"] for f in one(told(made, story), LATE).evidence["fixes"]] == [iso(100)]


def test_deadlines_of_a_journey_that_has_ended_are_not_asked_for() -> None:
    """Disarmed before the deadline: nothing; after it: late, though no ping ever came between."""
    assert not late(road(a={"after_min": 10}, disarmed_s=600), places(0, 100), now_s=5000)
    made = road(a={"after_min": 10}, disarmed_s=601)
    assert span(late(made, places(0, 100), now_s=5000)[0])[0] == 600


def test_a_deadline_belongs_to_the_plan_in_force_at_it() -> None:
    """A new plan moves the deadlines to come; one it puts into the past is due when it begins to hold."""
    story = [ping(0, 0), ping(100, 500), ping(3000, 900)]
    first = road(a={"after_min": 10})
    later = road(a={"after_min": 20}).plan(version=2)
    sooner = road(a={"after_min": 2}).plan(version=2)
    for now_s in (None, 3100):
        found = late(first, story, later=[(500, later)], now_s=now_s)
        assert [(span(e)[0], e.plan_version) for e in found] == [(1200, 2)]
        found = late(first, story, later=[(500, sooner)], now_s=now_s)
        assert [(span(e)[0], e.plan_version) for e in found] == [(500, 2)]
        found = late(first, story, later=[(700, later)], now_s=now_s)
        assert [(span(e)[0], e.plan_version) for e in found] == [(600, 1)]


def test_a_route_is_not_asked_for_what_it_planned_before_it_held() -> None:
    """A plan with another line for the route: its deadlines before then cannot have been kept, nor broken."""
    other = Ground().zone("A", 5000, 0, 300, "checkpoint").zone("B", 10_000, 0, 300, "checkpoint")
    points = [{"zone": "A", "after_min": 2}, {"zone": "B", "after_min": 20}]
    other.route("R", (0, 0), (30_000, 10), checkpoints=points).journey(route="R")
    story = [ping(0, 0), ping(100, 500), ping(3000, 900)]
    found = late(road(a={"after_min": 30}), story, later=[(500, other.plan(version=2))])
    assert [(e.object, span(e)[0]) for e in found] == [("B", 1200)]


def test_the_policy_of_the_zone_is_the_nearest_to_a_late_checkpoint() -> None:
    """Severity and switch by zone."""
    made = road(a={"after_min": 1}, b={"after_min": 2}).policy(f"zone.A.{LATE}", severity="critical")
    story = places(0, 100, 200, 300)
    assert [(e.object, e.severity) for e in late(made, story)] == [("A", "critical"), ("B", "medium")]
    assert [e.object for e in late(made.policy(f"zone.B.{LATE}", enabled=False), story)] == ["A"]
    off = road(a={"after_min": 1}).policy(f"transit.{LATE}", enabled=False)
    assert not late(off, story, now_s=5000)


def test_a_checkpoint_zone_not_in_force_is_not_asked_for() -> None:
    """Neither late nor missed: nobody could have entered it."""
    made = Ground().zone("A", 5000, 0, 300, "checkpoint", valid_to=iso(100))
    made.route("R", (0, 0), (30_000, 0), checkpoints=[{"zone": "A", "after_min": 2}]).journey(route="R")
    found = told(made, drive(0, 900, 60))
    assert not [e for e in found if e.type in (LATE, MISSED)]


def test_a_checkpoint_passed_by_two_kilometres_and_never_entered_is_missed() -> None:
    """At the first fix more than 2 km past it, off the road around it or by a gap too long to tell a crossing."""
    aside = [ping(90, 4500, 400), ping(150, 5500, 400), ping(250, 6500, 400)]
    story = [*places(3000, 4000), *aside, ping(300, 6999), ping(400, 7002)]
    found = one(told(road(), story), MISSED)
    assert span(found) == (400, 400, 400, 400)
    assert (found.severity, found.object, found.journey) == ("high", "A", "J-S1")
    assert span(one(told(road(), [ping(0, 3000), ping(400, 9000)]), MISSED))[0] == 400


def test_a_checkpoint_passed_unseen_is_less_bad_and_says_so() -> None:
    """Between two fixes more than 5 min apart it may have been entered: medium, with the ends of the gap."""
    found = one(told(road(), [ping(0, 3000), ping(301, 8000)]), MISSED)
    assert (found.severity, found.evidence["unobserved"]) == ("medium", True)
    gap = found.evidence["gap"]
    assert (gap["from"], gap["to"], gap["gap_s"]) == (iso(0), iso(301), 301)
    seen = one(told(road(), [ping(0, 3000, 400), ping(300, 8000, 400)]), MISSED)
    assert (seen.severity, "unobserved" in seen.evidence) == ("high", False)


def test_a_silence_counts_where_the_checkpoint_lies_in_it_though_it_is_missed_later() -> None:
    """Another silence, before or after it, says nothing of A; nor does one in which no checkpoint lies."""
    aside = {"y_m": 400}
    before, after = places(0, 3000, every_s=400, **aside), [ping(1500, 6000, 400), ping(1560, 7100, 400)]
    unseen = one(told(road(), [*before, *after]), MISSED)
    assert (unseen.severity, unseen.evidence["gap"]["from"]) == ("medium", iso(400))
    assert [f["time"] for f in unseen.evidence["fixes"]] == [iso(1560)]
    around = [ping(460, 4500, 400), ping(520, 5400, 400)]
    seen = one(told(road(), [*before, *around, *after]), MISSED)
    assert (seen.severity, "gap" in seen.evidence) == ("high", False)
    later = [*before, ping(1500, 6000, 400), ping(2500, 6500, 400), ping(2560, 7100, 400)]
    assert one(told(road(), later), MISSED).evidence["gap"]["to"] == iso(1500)


def test_each_checkpoint_has_the_silence_it_was_passed_in() -> None:
    """Reports every 30 min: A in the first gap, B in the second, whose end shows that both were passed."""
    found = missed(road(), [ping(0, 3000), ping(1800, 6000), ping(3600, 15_000)])
    assert [(e.object, span(e)[0], e.severity, e.evidence["gap"]["from"]) for e in found] == [
        ("A", 3600, "medium", iso(0)),
        ("B", 3600, "medium", iso(1800)),
    ]


def test_the_policy_says_what_is_unseen_and_how_bad() -> None:
    """By route, the severity by zone; it is never worse than where it was seen."""
    made = road().policy(f"route.R.{MISSED}", unobserved_gap_s=600)
    made.policy(f"zone.A.{MISSED}", unobserved_severity="low")
    assert one(told(made, [ping(0, 3000), ping(600, 8000)]), MISSED).severity == "high"
    assert one(told(made, [ping(0, 3000), ping(601, 8000)]), MISSED).severity == "low"
    mild = road().policy(f"route.R.{MISSED}", severity="info")
    assert one(told(mild, [ping(0, 3000), ping(601, 8000)]), MISSED).severity == "info"


def test_a_checkpoint_passed_by_less_is_not_missed_yet() -> None:
    """> 2,000 m: at 6,999 m it may still turn round."""
    assert not missed(road(), [ping(0, 3000), ping(400, 6999)])
    assert missed(road(), [ping(0, 3000), ping(400, 7002)])


def test_a_checkpoint_that_was_entered_is_not_missed() -> None:
    """At a fix, or by a crossing between two."""
    assert not missed(road(), drive(0, 900, 60))
    assert not missed(road(), [ping(0, 4000), ping(120, 5900), ping(300, 8000)])


def test_a_checkpoint_that_the_track_was_never_before_is_not_missed() -> None:
    """A seal armed beyond it has not missed it; one that goes back before it and passes it again has."""
    assert not missed(road(), places(5400, 7500, 8000, every_s=200))
    story = places(5400, 4600, 8000, every_s=400)
    assert [span(e)[0] for e in missed(road(), story)] == [800]


def test_a_checkpoint_is_missed_once_a_journey() -> None:
    """Not again at each fix, nor after going back; the next journey can miss it anew."""
    story = places(3000, 8000, 8500, 3000, 8000, 9000, every_s=400)
    assert [span(e)[0] for e in missed(road(), story)] == [400]
    made = road(disarmed_s=1000).journey(id="J-next", armed_s=1000, route="R")
    assert [(e.journey, span(e)[0]) for e in missed(made, story)] == [("J-S1", 400), ("J-next", 1600)]


def test_checkpoints_are_missed_each_by_itself() -> None:
    """A entered, B not; or both by one long gap."""
    story = [ping(0, 3000), ping(200, 5000), ping(1000, 12_500)]
    assert [e.object for e in missed(road(), story)] == ["B"]
    assert [e.object for e in missed(road(), [ping(0, 3000), ping(1000, 12_500)])] == ["A", "B"]


def test_a_checkpoint_entered_after_it_was_missed_stays_missed() -> None:
    """It is a point: the truck was told to have passed, and it had."""
    found = told(road(), places(3000, 8000, 5000, every_s=400))
    assert [(e.type, span(e)[0]) for e in found if e.object == "A"] == [(MISSED, 400), (REACHED, 800)]


def test_a_checkpoint_that_was_missed_is_not_late_besides() -> None:
    """Nobody waits for what has gone by; one passed by after its deadline, or by less than it takes, is late."""
    made, early = road(a={"after_min": 10}), [ping(0, 3000), ping(400, 8000), ping(500, 8500)]
    for now_s in (None, 5000):
        found = told(made, [*early, ping(900, 9500)], now_s=now_s)
        assert [(e.type, span(e)[0]) for e in found if e.object == "A"] == [(MISSED, 400)]
    found = told(made, [ping(0, 3000), ping(700, 8000), ping(800, 8500)])
    assert sorted((e.type, span(e)[0]) for e in found if e.object == "A") == [(LATE, 600), (MISSED, 700)]
    assert late(made, [ping(0, 3000), ping(400, 6900), ping(900, 6950)])


def test_time_knows_what_was_missed_before_the_deadline() -> None:
    """By the clock alone, after the last ping, as by the next one."""
    made, story = road(a={"after_min": 10}), [ping(0, 3000), ping(400, 8000)]
    core = Core(made.plan())
    core.tell(story)
    core.pass_time(5000)
    assert [e.object for e in only(core.episodes.values(), MISSED)] == ["A"]
    assert not only(core.episodes.values(), LATE)


def test_a_missing_that_nobody_asks_for_leaves_the_checkpoint_late() -> None:
    """Switched off by policy, it says nothing."""
    made = road(a={"after_min": 10}).policy(f"transit.{MISSED}", enabled=False)
    assert late(made, [ping(0, 3000), ping(400, 8000), ping(900, 9500)])


def test_a_passing_known_only_after_the_deadline_does_not_keep_it() -> None:
    """A fix still held at the deadline (too far to be believed before the next one) says nothing yet."""
    made = road(a={"after_min": 10})
    aside = [(590, 60), (595, 8000), (660, 9000), (720, 9500)]
    story = [ping(0, 3000), *(ping(t, x, 400) for t, x in aside)]
    found = told(made, story)
    assert sorted((e.type, span(e)[0]) for e in found if e.object == "A") == [(LATE, 600), (MISSED, 595)]


def test_the_evidence_of_a_missed_checkpoint() -> None:
    """How far past it, where along the route, and the fix that shows it."""
    evidence = one(told(road(), [ping(0, 3000), ping(400, 8000)]), MISSED).evidence
    assert evidence["zone"] == "A"
    assert evidence["past_m"] == pytest.approx(3000, abs=5)
    assert evidence["chainage_m"] == pytest.approx(8000, abs=5)
    assert (evidence["limit_m"], evidence["n_fixes"]) == (2000, 1)
    assert [f["time"] for f in evidence["fixes"]] == [iso(400)]


def test_the_policy_sets_how_far_past_is_missed() -> None:
    """By zone over route over default; severity and switch likewise."""
    made = (
        road().policy(f"route.R.{MISSED}", past_m=500, severity="low").policy(f"zone.A.{MISSED}", past_m=4000)
    )
    story = [ping(0, 3000), ping(800, 8900), ping(1600, 10_700)]
    assert [(e.object, span(e)[0], e.severity) for e in missed(made, story)] == [
        ("A", 1600, "low"),
        ("B", 1600, "low"),
    ]
    assert [e.object for e in missed(made.policy(f"zone.B.{MISSED}", enabled=False), story)] == ["A"]


def test_entering_before_a_new_plan_counts_after_it() -> None:
    """What was reached is remembered by zone, whatever the plan."""
    story = [ping(0, 4000), ping(100, 5000), ping(400, 8000), ping(900, 9000)]
    later = road(a={"after_min": 10}).plan(version=2)
    found = told(road(), story, later=[(200, later)])
    assert [e.type for e in found if e.object == "A"] == [REACHED]


def test_a_deadline_within_a_suspension_is_due_when_that_ends() -> None:
    """Suspended, nobody asks for it; it is told at the end, unless the checkpoint has been entered by then."""
    pause = [{"from": iso(200), "to": iso(800), "by": "an officer"}]
    made = road(a={"after_min": 5}, suspensions=pause)
    for now_s in (None, 3100):
        found = late(made, [ping(0, 0), ping(100, 500), ping(3000, 900)], now_s=now_s)
        assert [span(e)[0] for e in found] == [800]
    assert not late(made, drive(0, 1200, 60))


def test_a_deadline_told_before_a_suspension_is_not_told_after_it() -> None:
    """Once."""
    pause = [{"from": iso(500), "to": iso(800), "by": "an officer"}]
    found = late(road(a={"after_min": 5}, suspensions=pause), places(0, 100, 200, every_s=600))
    assert [span(e)[0] for e in found] == [300]


def test_a_diversion_asks_for_the_checkpoints_of_its_route_to_come() -> None:
    """Not for those that its route planned for before it, nor for those of the route left."""
    order = [{"at": iso(500), "route": "Q", "by": "an officer"}]
    made = road(b={"after_min": 20}, diversions=order).zone("D", 20_000, 0, 300, "checkpoint")
    points = [{"zone": "A", "after_min": 5}, {"zone": "D", "after_min": 30}]
    made.route("Q", (0, 0), (30_000, 0), checkpoints=points)
    for now_s in (None, 5100):
        found = late(made, [ping(0, 0), ping(100, 500), ping(5000, 900)], now_s=now_s)
        assert [(e.object, span(e)[0]) for e in found] == [("D", 1800)]


def test_a_checkpoint_passed_before_a_diversion_is_not_missed_after_it() -> None:
    """The track of the new route begins at the diversion."""
    order = [{"at": iso(300), "route": "Q", "by": "an officer"}]
    made = road(diversions=order).route("Q", (0, 0), (30_000, 0), checkpoints=[{"zone": "A"}])
    assert not missed(made, [ping(0, 3000), ping(200, 6500, 400), ping(400, 9000)])
    assert [span(e)[0] for e in missed(made, [ping(0, 3000), ping(310, 4000), ping(700, 9000)])] == [700]


def out_and_back(*order: str, **a: Any) -> Ground:
    """20 km east to F and back 60 m beside, past A at 5 km on either way; checkpoints in the order given."""
    made = Ground().zone("A", 5000, 0, 300, "checkpoint").zone("F", 20_000, 0, 300, "checkpoint")
    points = [{"zone": zone} | (a if zone == "A" else {}) for zone in order]
    return made.route("R", (0, 0), (20_000, 0), (20_000, 60), (0, 60), checkpoints=points).journey(route="R")


def there_and_back(aside_m: float = 0) -> list[Ping]:
    """At 15 m/s, turning after 1,320 s; on the way back A is passed ``aside_m`` beside the road, after 2,300 s."""
    out = [ping(60 * i, 900 * i) for i in range(23)]
    back = [(60 * i, 900 * (44 - i)) for i in range(22, 45)]
    return [*out, *(ping(s + 30, x, 60 + aside_m * (3000 < x < 7000)) for s, x in back)]


def test_a_checkpoint_planned_for_the_way_back_is_not_reached_on_the_way_out() -> None:
    """F first, then A: A is reached when it is passed for the second time."""
    found = told(out_and_back("F", "A"), there_and_back())
    reached = {e.object: span(e)[0] for e in only(found, REACHED)}
    assert reached == {"F": 1320, "A": pytest.approx(2310, abs=30)}
    assert not only(found, MISSED)
    first = told(out_and_back("A", "F"), there_and_back())
    assert [(e.object, span(e)[0] < 400) for e in only(first, REACHED)] == [("A", True), ("F", False)]


def test_a_checkpoint_passed_on_the_way_out_may_be_missed_or_late_on_the_way_back() -> None:
    """Around A on the way back; or not there in time."""
    story = there_and_back(aside_m=900)
    missing = one(told(out_and_back("F", "A"), story), MISSED)
    assert (missing.object, missing.severity) == ("A", "high")
    assert not missed(out_and_back("A", "F"), story)
    assert span(one(told(out_and_back("F", "A", after_min=30), there_and_back()), LATE))[0] == 1800
    assert not late(out_and_back("A", "F", after_min=30), there_and_back())


def test_a_checkpoint_listed_for_either_way_is_reached_on_either() -> None:
    """Each way counts for itself: the second is told as such, and is missed or late by itself."""
    twice = out_and_back("A", "F", "A")
    found = only(told(twice, there_and_back()), REACHED)
    assert [(e.object, e.evidence.get("visit")) for e in sorted(found, key=lambda e: e.raised_at_ms)] == [
        ("A", None), ("F", None), ("A", 2),
    ]  # fmt: skip
    around = told(twice, there_and_back(aside_m=900))
    assert [e.object for e in only(around, REACHED)] == ["A", "F"]
    assert one(around, MISSED).evidence["visit"] == 2
    twice.routes[0]["properties"]["checkpoints"] = [
        {"zone": "A", "after_min": 6}, {"zone": "F"}, {"zone": "A", "after_min": 30},
    ]  # fmt: skip
    overdue = one(told(twice, there_and_back()), LATE)
    assert (span(overdue)[0], overdue.evidence["visit"]) == (1800, 2)


def test_two_visits_of_one_checkpoint_that_are_missed_at_one_moment_are_told_each() -> None:
    """Silent from before A on the way out until after it on the way back; and both were due at one moment."""
    twice = out_and_back("A", "F", "A", after_min=6)
    found = told(twice, [*there_and_back()[:5], ping(4000, 2100, 60)])
    for rule, moment in ((LATE, 360), (MISSED, 4000)):
        mine = [e for e in only(found, rule) if e.object == "A"]
        assert sorted((span(e)[1], e.evidence.get("visit", 1)) for e in mine) == [(moment, 1), (moment, 2)]
        assert len({e.episode for e in mine}) == 2


def test_a_checkpoint_listed_twice_beside_its_road_is_reached_once_on_each_half_between() -> None:
    """The road runs through it nowhere: halfway between where the road is nearest on either way, one visit ends."""
    made = out_and_back("B", "F", "B").zone("B", 5000, 100, 35, "checkpoint")
    inside = [ping(333, 5000, 100), ping(2340, 4980, 100)]
    found = only(told(made, [*there_and_back(), *inside]), REACHED)
    visits = [e.evidence.get("visit", 1) for e in found if e.object == "B"]
    assert sorted(visits) == [1, 2]
