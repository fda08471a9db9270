"""What persons order of a journey under way: diversions, suspensions, resets, leave, also when they are recorded late."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from arrivals import Service
from story import Core, Ground, Ping, batch, drive, iso, one, only, ping, seconds, span, told

from seal_tracker.journey import Authorisation, Diversion
from seal_tracker.model import Episode, Event
from seal_tracker.plans.model import Plan
from seal_tracker.timeline import OF_ROUTE, STOPPED
from seal_tracker.tracking.phases import phases_of

DEVIATION, STOP, TAMPER, STAY = "ROUTE_DEVIATION", "STOP_UNPLANNED", "SEAL_TAMPER", "PROHIBITED_ZONE"

OFF_SOUTH: list[Ping] = [ping(30 * i, 450 * i, -1000) for i in range(20)]
"""Nine minutes along a line 1,000 m south of the route R, on the route Q."""


def two_roads(**journey: Any) -> Ground:
    """R along y = 0 and Q 1,000 m south of it; the journey is on R."""
    made = Ground().route("R", (0, 0), (90_000, 0)).route("Q", (0, -1000), (90_000, -1000))
    made.policy("default.UNOBSERVED_GAP", enabled=False).policy("default.SIGNAL_LOST", enabled=False)
    return made.journey(route="R", **journey)


def to(route: str, at_s: float, **more: Any) -> dict[str, Any]:
    return {"at": iso(at_s), "route": route, "by": "an officer", **more}


def break_of(from_s: float, to_s: float | None = None) -> dict[str, Any]:
    return {"from": iso(from_s), "by": "an officer"} | ({} if to_s is None else {"to": iso(to_s)})


def reset_of(at_s: float, rule: str, **more: Any) -> dict[str, Any]:
    return {"at": iso(at_s), "rule": rule, "by": "an officer", **more}


def test_what_the_old_route_raised_before_a_diversion_stays_and_closes_at_it() -> None:
    """It was true then; from then on it is judged by the new route, on which the truck is."""
    found = one(told(two_roads(diversions=[to("Q", 300)]), OFF_SOUTH), DEVIATION)
    assert (span(found)[0], span(found)[2:]) == (0, (300, 300))
    assert found.evidence["closed_by"] == "plan_changed"


def test_what_only_the_old_route_would_raise_does_not_arise_after_a_diversion() -> None:
    """Fixes before it and fixes after it are no run."""
    south = [ping(30 * i, 450 * i, 0 if i < 10 else -1000) for i in range(20)]
    assert only(told(two_roads(), south), DEVIATION)
    assert not only(told(two_roads(diversions=[to("Q", 300)]), south), DEVIATION)


def test_the_new_route_is_judged_from_the_diversion_on() -> None:
    """A truck that stays on the old road deviates from the new one, from the first fix after the order."""
    found = one(told(two_roads(diversions=[to("Q", 285)]), drive(0, 600, 30)), DEVIATION)
    assert (span(found)[0], span(found)[2:]) == (300, (None, None))


def test_a_diversion_ends_where_the_next_begins() -> None:
    """Back to the old route: the newest order holds."""
    found = only(told(two_roads(diversions=[to("Q", 120), to("R", 300)]), OFF_SOUTH), DEVIATION)
    assert [span(e)[0] for e in found] == [0, 300]
    assert span(found[0])[2:] == (120, 120)


def test_chainage_is_not_carried_onto_another_route() -> None:
    """Two kilometres along the one road are nothing along the other: no jump, no wrong direction."""
    made = Ground().route("R", (0, 0), (90_000, 0)).route("B", (90_000, 0), (0, 0))
    made.policy("default.WRONG_DIRECTION", raise_fixes=2, raise_s=30)
    back = [*drive(0, 600, 30), *(ping(600 + 30 * i, 9000 - 450 * i) for i in range(1, 8))]
    plain = made.journey(route="R")
    assert only(told(plain, back), "WRONG_DIRECTION")
    plain.journeys[0]["diversions"] = [to("B", 615)]
    assert not only(told(plain, back), "WRONG_DIRECTION")


def test_zones_seals_and_signals_do_not_mind_a_diversion() -> None:
    """What is not of the route goes on."""
    made = two_roads(diversions=[to("Q", 45)]).zone("Z", 0, 0, 300, "prohibited")
    found = told(made, [ping(0, 0, lock="cut"), ping(30, 0), ping(60, 0), ping(90, 0)])
    assert [span(one(found, rule)) for rule in (STAY, TAMPER)] == [(0, 0, None, None)] * 2


def test_a_suspension_ends_stops_and_deviations_and_none_arise_in_it() -> None:
    """[from, to): after it runs start empty."""
    parked = [ping(60 * i, 100, -1000) for i in range(60)]
    found = told(two_roads(suspensions=[break_of(1200, 2400)]), parked)
    for rule, began in ((DEVIATION, [0, 2400]), (STOP, [0, 2400])):
        assert [span(e)[0] for e in only(found, rule)] == began
        first, second = only(found, rule)
        assert (span(first)[2:], first.evidence["closed_by"]) == ((1200, 1200), "suspended")
        assert span(second)[2:] == (None, None)
        assert (seconds(second.raised_at_ms) or 0) > 2400


def test_a_suspension_without_an_end_lasts_to_the_disarming() -> None:
    """Until further notice."""
    parked = [ping(60 * i, 100, -1000) for i in range(60)]
    assert not only(told(two_roads(suspensions=[break_of(0)]), parked), DEVIATION)


def test_a_suspension_never_stops_the_seals_own_rules() -> None:
    """A rope cut while the truck is parked by order is as bad as any."""
    found = told(two_roads(suspensions=[break_of(0)]), [ping(0, 0), ping(60, 0, lock="cut")])
    assert span(one(found, TAMPER)) == (60, 60, None, None)


def test_a_suspension_that_nobody_drives_through_ends_things_with_the_clock() -> None:
    """Where no ping brings it, now does, dated to its own moment."""
    found = one(told(two_roads(suspensions=[break_of(1000)]), OFF_SOUTH, now_s=1001), DEVIATION)
    assert span(found)[2:] == (1000, 1000)


def test_a_reset_ends_a_latched_episode_and_what_is_true_later_is_a_new_one() -> None:
    """Only an officer's word or the disarming ends it."""
    cut = [ping(60 * i, 900 * i, lock="cut" if i in (1, 4) else "closed") for i in range(6)]
    found = only(told(two_roads(resets=[reset_of(150, TAMPER)]), cut), TAMPER)
    assert [span(e) for e in found] == [(60, 60, 150, 150), (240, 240, None, None)]
    assert found[0].evidence["closed_by"] == "reset"


def test_a_reset_of_what_is_not_latched_or_not_open_does_nothing() -> None:
    """What ends by itself is not an officer's to end."""
    told_with = [span(e) for e in told(two_roads(resets=[reset_of(450, DEVIATION)]), OFF_SOUTH)]
    assert told_with == [span(e) for e in told(two_roads(), OFF_SOUTH)]
    early = two_roads(resets=[reset_of(30, TAMPER)])
    assert span(one(told(early, [ping(0, 0), ping(60, 0, lock="cut")]), TAMPER)) == (60, 60, None, None)


def test_a_reset_of_one_zone_leaves_the_other() -> None:
    """The object says which of two stays is dealt with."""
    made = two_roads(resets=[reset_of(45, STAY, object="Y")]).policy(f"default.{STAY}", latched=True)
    made.zone("Y", 0, 0, 300, "prohibited").zone("Z", 0, 0, 300, "prohibited")
    found = told(made, [ping(s, 0) for s in (0, 30, 60)])
    assert {(e.object, *span(e)) for e in only(found, STAY)} == {
        ("Y", 0, 0, 45, 45),
        ("Y", 60, 60, None, None),
        ("Z", 0, 0, None, None),
    }


def test_a_version_that_moves_the_route_is_a_diversion_to_it() -> None:
    """What the old line raised closes where the new one begins to hold; a version that leaves it as it is changes nothing."""
    moved = Ground().route("R", (0, -1000), (90_000, -1000)).journey(route="R").plan(2)
    found = one(told(two_roads(), OFF_SOUTH, later=[(300, moved)]), DEVIATION)
    assert span(found)[2:] == (300, 300)
    found = one(told(two_roads(), OFF_SOUTH, later=[(300, two_roads().plan(2))]), DEVIATION)
    assert span(found)[2:] == (None, None)


def test_phases_are_cut_where_something_changes_and_nowhere_else() -> None:
    """A reset parts no stretch, a diversion to where one already is parts nothing."""
    orders = {
        "diversions": [to("R", 10), to("Q", 20)],
        "suspensions": [break_of(30, 50), break_of(40, 60)],
        "resets": [reset_of(70, TAMPER), reset_of(5000, TAMPER)],
    }
    (journey,) = two_roads(disarmed_s=100, **orders).plan().journeys
    found = [
        (seconds(p.from_ms), seconds(p.to_ms), seconds(p.stretch_ms), p.route, p.suspended, p.resets)
        for p in phases_of(journey, journey.served[0])
    ]
    assert found == [
        (0, 20, 0, "R", False, ()),
        (20, 30, 20, "Q", False, ()),
        (30, 60, 30, "Q", True, ()),
        (60, 70, 60, "Q", False, ()),
        (70, 100, 60, "Q", False, ((TAMPER, None),)),
    ]


def test_no_rule_that_a_suspension_stops_keeps_a_record_in_streams() -> None:
    """What a pass does not judge it does not carry on: such a rule would lose its record."""
    assert not [rule.name for rule in STOPPED if rule.stream and rule.is_record]
    assert {DEVIATION, "WRONG_DIRECTION", "CHECKPOINT_LATE"} <= {rule.name for rule in OF_ROUTE}


def events_of(plan: Plan, pings: list[Ping], late: Plan) -> tuple[Service, list[Event]]:
    """What is told when a service that has judged ``pings`` by one plan learns the journeys of another."""
    service = Service(Core(plan))
    for ping_ in pings:
        service.feed(batch([ping_], service.core.numbers))
    before = len(service.events)
    service.learn(late.journeys, service.core.versions)
    return service, service.events[before:]


def test_a_diversion_recorded_late_takes_back_what_the_old_route_raised_after_it() -> None:
    """The retraction names the diversion; what was raised before closes at it, and the zone is none of its business."""
    made = two_roads().zone("Z", 450, -1000, 500, "prohibited")
    late = replace(made.plan().journeys[0], diversions=(Diversion(_at(15), "Q", "Officer A", "flood"),))
    service, events = events_of(made.plan(), OFF_SOUTH, replace(made.plan(), journeys=(late,)))
    (taken_back,) = events
    assert (taken_back.transition, taken_back.episode.type) == ("retracted", DEVIATION)
    assert taken_back.episode.evidence["diversion"] == {
        "at": iso(15), "route": "Q", "by": "Officer A", "reason": "flood",
    }  # fmt: skip
    assert [e.type for e in service.store.episodes] == [STAY]
    assert service.folded()


def test_leave_recorded_late_takes_back_the_tampering() -> None:
    """The seal was open, but somebody had allowed it."""
    plan = two_roads().policy("default.SEAL_OPENED_OUTSIDE_ZONE", enabled=False).plan()
    leave = Authorisation(_at(0), _at(90), None, "Officer A")
    late = replace(plan, journeys=(replace(plan.journeys[0], authorisations=(leave,)),))
    opened = [ping(60, 0, lock="open"), ping(120, 0, lock="closed"), *drive(180, 900, 60)]
    service, events = events_of(plan, opened, late)
    assert [(e.transition, e.episode.type) for e in events] == [("retracted", TAMPER)]
    assert "diversion" not in events[0].episode.evidence
    assert not only(service.store.episodes, TAMPER)


def test_a_disarming_recorded_late_ends_things_at_its_own_time() -> None:
    """Not when somebody wrote it down."""
    plan = two_roads().plan()
    late = replace(plan, journeys=(replace(plan.journeys[0], disarmed_at_ms=_at(200)),))
    _, events = events_of(plan, OFF_SOUTH, late)
    (closed,) = events
    assert (closed.transition, span(closed.episode)[2:]) == ("cleared", (200, 200))


def test_a_version_is_not_asked_of_what_was_before_it() -> None:
    """A policy that would have raised something earlier raises it from its own beginning on."""
    strict = two_roads().policy(f"default.{STOP}", raise_s=60).plan(2)
    parked = [ping(30 * i, 100) for i in range(12)]
    found: list[Episode] = told(two_roads(), parked, later=[(200, strict)])
    assert span(one(found, STOP))[:2] == (0, 210)


def _at(moment_s: float) -> int:
    return 1_790_000_000_000 + round(moment_s * 1000)
