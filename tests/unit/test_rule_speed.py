"""OVERSPEED: faster than the lowest limit where the fix is, by more than 5 km/h, at two fixes over half a minute."""

from __future__ import annotations

from typing import Any

import pytest
from story import Ground, Ping, one, only, ping, span, told

RULE = "OVERSPEED"


def ground(limit_kmh: float | None = 60, **more: Any) -> Ground:
    limits = {} if limit_kmh is None else {"speed_limit_kmh": limit_kmh}
    return Ground().route("R", (0, 0), (5000, 0), (20_000, 0), **limits).journey(route="R", **more)


def at_speed(*speeds_kmh: float | None, every_s: float = 30, from_s: float = 0) -> list[Ping]:
    """Fixes 100 m apart, each with the device's speed, or without."""
    return [
        ping(from_s + i * every_s, 100 * i, **({} if v is None else {"speed_kmh": v}))
        for i, v in enumerate(speeds_kmh)
    ]


def test_two_fixes_over_half_a_minute_raise_it_and_two_clear_it() -> None:
    """It began with the first of them, and ended with the first of two that are no longer too fast."""
    found = one(told(ground(), at_speed(50, 66, 70, 80, 64, 70, 65, 60)), RULE)
    assert span(found) == (30, 60, 180, 210)
    assert (found.severity, found.object, found.journey) == ("medium", None, "J-S1")


def test_the_limit_and_five_more_are_allowed() -> None:
    """65 km/h is not, 65.01 is too fast for a limit of 60."""
    assert not only(told(ground(), at_speed(65, 65, 65)), RULE)
    assert one(told(ground(), at_speed(65.01, 65.01)), RULE)


def test_one_fix_or_a_shorter_run_is_none() -> None:
    """One, two within 29 s, and two with a slower one between."""
    assert not only(told(ground(), at_speed(50, 90, 50)), RULE)
    assert not only(told(ground(), at_speed(90, 90, every_s=29)), RULE)
    assert not only(told(ground(), at_speed(90, 60, 90, 60)), RULE)


def test_without_a_limit_it_says_nothing() -> None:
    """However fast."""
    assert not only(told(ground(None), at_speed(150, 150, 150)), RULE)
    assert not only(told(Ground().journey(), at_speed(150, 150, 150)), RULE)


def test_a_device_that_gives_no_speed_is_as_fast_as_it_came_from_the_fix_before() -> None:
    """600 m in 30 s are 72 km/h; the first fix has none before."""
    story = [ping(30 * i, 600 * i) for i in range(4)]
    found = one(told(ground(), story), RULE)
    assert span(found)[:2] == (30, 60)
    assert found.evidence["speed_kmh"] == pytest.approx(72, abs=0.1)
    assert not only(told(ground(), [ping(30 * i, 540 * i) for i in range(4)]), RULE)


def test_a_pair_more_than_five_minutes_apart_tells_no_speed() -> None:
    """Too fast on the whole, it neither adds to a run nor ends one: nobody knows where it was driven."""
    story = [ping(0, 0), ping(301, 8000), ping(602, 16_000)]
    assert not only(told(ground(), story), RULE)
    assert only(told(ground(), [ping(0, 0), ping(300, 8000), ping(600, 16_000)]), RULE)
    fast = [
        ping(500, 10_000),
        ping(530, 10_400, speed_kmh=50),
        ping(900, 19_000),
        ping(930, 19_400, speed_kmh=50),
    ]
    assert span(one(told(ground(), [*at_speed(90, 90), *fast]), RULE)) == (0, 30, 530, 930)


def test_a_gap_that_was_not_too_fast_on_the_whole_ends_a_run() -> None:
    """Two moments of noise before and after half an hour's silence are no speeding that lasted half an hour."""
    story = [ping(0, 0), ping(1, 25), ping(1800, 700), ping(1801, 725), ping(1802, 730)]
    assert not only(told(ground(), story), RULE)
    slow = [ping(500, 5000), ping(530, 5400, speed_kmh=50)]
    assert span(one(told(ground(), [*at_speed(90, 90), *slow]), RULE)) == (0, 30, 500, 530)


def test_a_jump_of_the_position_is_no_speed() -> None:
    """More than 180 km/h between two fixes says that one of them is wrong, not how fast the truck was."""
    story = [ping(0, 0), ping(1, 100), ping(30, 600), ping(31, 700), ping(32, 714)]
    assert not only(told(ground(), story), RULE)
    found = one(
        told(ground(), [ping(0, 0), ping(30, 600), ping(60, 1200), ping(61, 1320), ping(90, 1800)]), RULE
    )
    assert found.evidence["speed_kmh"] < 80


def test_the_devices_speed_is_believed_before_the_distance() -> None:
    """It measures by Doppler, to a km/h."""
    assert not only(told(ground(), [ping(30 * i, 900 * i, speed_kmh=50) for i in range(4)]), RULE)


def test_the_lowest_limit_holds() -> None:
    """A zone of 30 on a route of 60; leaving it ends the episode, though the truck is as fast as before."""
    made = ground().zone("Z", 3000, 0, 500, "interest", speed_limit_kmh=30)
    story = [ping(30 * i, 400 * i, speed_kmh=48) for i in range(14)]
    found = one(told(made, story), RULE)
    assert span(found) == (210, 240, 270, 300)
    evidence = found.evidence
    assert (evidence["limit_kmh"], evidence["source"], evidence["zone"]) == (30, "zone", "Z")


def test_a_zone_may_limit_where_nothing_else_does() -> None:
    """Two zones over each other: the slower."""
    made = Ground().zone("A", 0, 0, 9000, "port", speed_limit_kmh=40).zone("B", 0, 0, 9000, "interest")
    made.zone("C", 0, 0, 9000, "interest", speed_limit_kmh=20).journey()
    evidence = one(told(made, at_speed(30, 30)), RULE).evidence
    assert (evidence["limit_kmh"], evidence["zone"]) == (20, "C")


PERMIT = {"number": "P-1", "speed_limits_kmh": [20, 40]}


def test_the_permit_limits_each_leg_of_the_route() -> None:
    """20 on the leg to 5 km, 40 beyond: 30 km/h is too fast on the first alone."""
    made = ground(regime="oversized", permit=PERMIT)
    story = [ping(60 * i, 4400 + 500 * i, speed_kmh=30) for i in range(6)]
    found = one(told(made, story), RULE)
    assert span(found) == (0, 60, 120, 180)
    assert (found.evidence["limit_kmh"], found.evidence["source"]) == (20, "permit")
    faster = [p | {"speed_kmh": 46} for p in story[2:]]
    assert one(told(made, faster), RULE).evidence["limit_kmh"] == 40


def test_a_permit_limits_its_own_journey_only() -> None:
    """S2 drives the same road without one."""
    made = ground(permit=PERMIT).journey("S2", route="R")
    story = [p | {"of": s} for p in at_speed(30, 30) for s in ("S1", "S2")]
    assert [e.seal for e in only(told(made, story), RULE)] == ["S1"]


@pytest.mark.parametrize("table", ["default", "transit", "route.R"])
def test_policy_may_limit_and_set_the_tolerance(table: str) -> None:
    """A limit of its own where none is drawn, another tolerance, severity and debounce."""
    made = ground(None).policy(
        f"{table}.{RULE}", limit_kmh=80, tolerance_kmh=0, raise_fixes=3, severity="low"
    )
    assert not only(told(made, at_speed(80, 80, 80, 80)), RULE)
    assert not only(told(made, at_speed(81, 81)), RULE)
    found = one(told(made, at_speed(81, 81, 81)), RULE)
    assert (found.severity, found.evidence["limit_kmh"], found.evidence["source"]) == ("low", 80, "policy")


def test_evidence_keeps_the_fastest() -> None:
    """At the raising of the run so far, at the end of the whole episode."""
    story = at_speed(70, 90, 80, 110, 75, 40, 40)
    assert one(told(ground(), story[:2]), RULE).evidence["speed_kmh"] == 90
    evidence = one(told(ground(), story), RULE).evidence
    assert (evidence["speed_kmh"], evidence["limit_kmh"], evidence["source"]) == (110, 60, "route")
    assert [f["time"] for f in evidence["fixes"]] == [story[0]["time"], story[1]["time"]]


def test_a_plan_without_the_limit_ends_the_episode() -> None:
    """Two fixes under it, as any end."""
    story = at_speed(90, 90, 90, 90, 90, 90)
    found = one(told(ground(), story, later=[(70, ground(None).plan(2))]), RULE)
    assert span(found) == (0, 30, 90, 120)


def test_a_policy_that_switches_the_rule_off_ends_what_it_raised() -> None:
    """Where it begins to hold."""
    off = ground().policy(f"default.{RULE}", enabled=False).plan(2)
    found = one(told(ground(), at_speed(90, 90, 90, 90), later=[(70, off)]), RULE)
    assert (span(found), found.evidence["closed_by"]) == ((0, 30, 70, 70), "plan_changed")
