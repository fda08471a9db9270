"""UNOBSERVED_GAP: two fixes with time enough between them for a detour that nobody saw.

At the default top speed of 80 km/h a gap of 30 min between places 10 km apart leaves 40 km of driving: half an axis of
sqrt(20² - 5²) = 19.365 km.
"""

from __future__ import annotations

from math import sqrt
from typing import Any

import pytest
from story import Ground, Ping, one, only, ping, span, told

from seal_tracker.model import Episode

RULE = "UNOBSERVED_GAP"


def ground(**more: Any) -> Ground:
    """A journey on no route; the seal may be silent, and stand, as long as it likes."""
    made = Ground().journey(**more)
    for rule in ("SIGNAL_LOST", "STOP_UNPLANNED"):
        made.policy(f"default.{rule}", enabled=False)
    return made


def road(half_width_m: float = 200) -> Ground:
    made = ground(route="R")
    return made.route("R", (0, 0), (200_000, 0), half_width_m=half_width_m)


def pair(gap_s: float, metres: float, **more: Any) -> list[Ping]:
    """Two fixes; ``more`` is what the first says."""
    return [ping(0, 0, **more), ping(gap_s, metres)]


def gaps(made: Ground, story: list[Ping], **more: Any) -> list[Episode]:
    return only(told(made, story, **more), RULE)


def test_a_gap_of_more_than_fifteen_minutes_is_told() -> None:
    """A point: it began at the fix before, is raised at the later one, and over with it."""
    found = one(told(ground(), pair(1800, 10_000)), RULE)
    assert span(found) == (0, 1800, 1800, 1800)
    assert (found.severity, found.journey, found.object, found.inferred) == ("medium", "J-S1", None, False)


def test_a_gap_of_fifteen_minutes_is_none() -> None:
    """> 900 s."""
    assert not gaps(ground(), pair(900, 1000))
    assert gaps(ground(), pair(900.001, 1000))


def test_a_seal_that_reports_seldom_by_order_has_a_gap_after_three_intervals() -> None:
    """Awake, every 30 min: 90 min, whatever the gap is between fixes; what it said last before the later fix counts."""
    seldom = {"mode": "awake", "interval_s": 1800}
    made = ground().policy("default.GPS_LOST", enabled=False)
    assert not gaps(made, [ping(1800 * i, 10_000 * i, **seldom) for i in range(6)])
    assert not gaps(made, pair(5400, 10_000, **seldom))
    assert span(one(told(made, pair(5400.001, 10_000, **seldom)), RULE)) == (0, 5400.001, 5400.001, 5400.001)
    without_fix = [ping(0, 0, **seldom), ping(1800, **seldom), ping(3600, 20_000, **seldom)]
    assert not gaps(made, without_fix)
    oftener = [ping(0, 0, **seldom), ping(1800, mode="awake", interval_s=30), ping(3600, 20_000)]
    assert span(one(told(made, oftener), RULE))[:2] == (0, 3600)


def test_the_shortest_gaps_are_those_of_the_policy_however_often_the_seal_reports() -> None:
    """Every 30 s: 15 min still. Asleep every hour: 3 h. ``intervals`` may be set."""
    assert not gaps(ground(), pair(900, 1000, mode="awake", interval_s=30))
    assert gaps(ground(), pair(901, 1000, mode="awake", interval_s=30))
    hourly = {"mode": "asleep", "interval_s": 3600}
    assert not gaps(ground(), pair(10_800, 10_000, **hourly))
    assert gaps(ground(), pair(10_801, 10_000, **hourly))
    assert gaps(ground().policy(f"default.{RULE}", intervals=1.5), pair(5401, 10_000, **hourly))


def test_a_gap_driven_through_at_top_speed_leaves_no_detour() -> None:
    """What could have been reached off the line must exceed the half-width: 200 m without a route."""
    way = 40_000.0
    straight = sqrt(way * way - 4 * 200 * 200)
    assert not gaps(ground(), pair(1800, straight + 3))
    assert gaps(ground(), pair(1800, straight - 3))
    assert not gaps(ground(), pair(1800, 42_000))


def test_the_half_width_is_that_of_the_corridor_at_the_later_fix() -> None:
    """A corridor of 5 km hides a detour of 4,950 m."""
    straight = sqrt(40_000.0**2 - 4 * 4950**2)
    assert not gaps(road(5000), pair(1800, straight))
    found = one(told(road(4900), pair(1800, straight)), RULE)
    assert found.evidence["limit_m"] == 4900


def test_the_evidence_is_an_ellipse() -> None:
    """Seconds, metres between, metres off the line, and both fixes."""
    story = pair(1800, 10_000, accuracy_m=5)
    evidence = gaps(ground(), story)[0].evidence
    assert (evidence["gap_s"], evidence["n_fixes"]) == (1800, 2)
    assert evidence["distance_m"] == pytest.approx(10_000, abs=5)
    assert evidence["reach_m"] == pytest.approx(19_365, abs=3)
    assert (evidence["limit_m"], evidence["gap_limit_s"]) == (200, 900)
    assert [f["time"] for f in evidence["fixes"]] == [p["time"] for p in story]
    assert (evidence["n_zones"], evidence["zones"]) == (0, [])


def test_pings_without_a_fix_do_not_shorten_the_gap() -> None:
    """The pair is of accepted fixes."""
    story = [ping(0, 0), *[ping(300 * i) for i in range(1, 6)], ping(1800, 10_000)]
    assert [span(e)[:2] for e in gaps(ground(), story)] == [(0, 1800)]


def test_a_fix_between_parts_the_gap() -> None:
    """Two of 15 min each are none; an outlier parts nothing."""
    assert not gaps(ground(), [ping(0, 0), ping(900, 5000), ping(1800, 10_000)])
    outlier = [ping(0, 0), ping(600, 90_000), ping(1800, 10_000)]
    assert [span(e)[:2] for e in gaps(ground(), outlier)] == [(0, 1800)]


def test_a_seal_asleep_may_leave_longer_gaps() -> None:
    """Its reports come every 30 min: 65 min, the silence after which its signal is lost, are none; more are."""
    story = [ping(1800 * i, 10 * i, mode="asleep") for i in range(6)]
    assert not gaps(ground(), story)
    assert not gaps(ground(), pair(3900, 1000, mode="asleep"))
    assert gaps(ground(), pair(3900.001, 1000, mode="asleep"))


def test_a_seal_that_wakes_in_the_gap_is_not_asleep() -> None:
    """Asleep at the fix before and at every ping since; what the later fix says does not count."""
    asleep, awake = {"mode": "asleep"}, {"mode": "awake"}
    assert not gaps(ground(), [ping(0, 0, **asleep), ping(900, **asleep), ping(1800, 0, **awake)])
    assert gaps(ground(), [ping(0, 0, **asleep), ping(900, **awake), ping(1800, 0, **asleep)])
    assert gaps(ground(), [ping(0, 0, **awake), ping(900, **asleep), ping(1800, 0, **asleep)])
    assert gaps(ground(), [ping(0, 0), ping(1800, 0, **asleep)])
    slept = [ping(0, 0, **awake), ping(10, 0, **asleep), ping(900, **asleep), ping(1800, 0, **asleep)]
    assert not gaps(ground(), slept)


def test_the_gap_before_arming_is_not_the_journeys() -> None:
    """Both fixes lie within the journey."""
    assert not gaps(ground(armed_s=100), pair(1800, 10_000))
    assert not gaps(ground(disarmed_s=100), pair(1800, 10_000))


def yards() -> Ground:
    """Zones 19 km north of the middle of the way, where 19.4 km can be reached, and one that cannot."""
    made = (
        ground().zone("near-P", 5000, 19_000, 300, "prohibited").zone("near-B", 5000, -19_000, 300, "bonded")
    )
    return made.zone("far-P", 5000, 21_000, 300, "prohibited").zone("port", 5000, 0, 300, "port")


def test_a_prohibited_zone_in_reach_makes_it_high() -> None:
    """Prohibited and bonded zones in reach are named; no others are, and none beyond it."""
    found = gaps(yards(), pair(1800, 10_000))[0]
    assert found.severity == "high"
    assert (found.evidence["n_zones"], found.evidence["zones"]) == (2, ["near-B", "near-P"])


def test_a_bonded_zone_in_reach_does_not() -> None:
    """It is named only."""
    made = ground().zone("B", 5000, 3000, 300, "bonded")
    found = gaps(made, pair(1800, 10_000))[0]
    assert (found.severity, found.evidence["zones"]) == ("medium", ["B"])


def test_a_zone_counts_where_it_was_in_force_in_the_gap() -> None:
    """[valid_from, valid_to) must touch the gap."""
    for valid, n in (
        ({"valid_to": 0}, 0),
        ({"valid_to": 1}, 1),
        ({"valid_from": 1800}, 1),
        ({"valid_from": 1801}, 0),
    ):
        dated = {k: ping(s)["time"] for k, s in valid.items()}
        made = ground().zone("P", 5000, 3000, 300, "prohibited", **dated)
        assert gaps(made, pair(1800, 10_000))[0].evidence["n_zones"] == n, valid


def test_twenty_zones_are_named_and_all_are_counted() -> None:
    """The first by id."""
    made = ground()
    for i in range(23):
        made.zone(f"Z{i:02}", 5000 + 10 * i, 3000, 5, "prohibited")
    evidence = gaps(made, pair(1800, 10_000))[0].evidence
    assert (evidence["n_zones"], evidence["zones"]) == (23, [f"Z{i:02}" for i in range(20)])


def test_the_policy_sets_gap_speed_width_and_severities() -> None:
    """The route's table wins over the regime's."""
    made = road().policy(f"transit.{RULE}", gap_s=60, severity="low").policy(f"route.R.{RULE}", gap_s=600)
    assert not gaps(made, pair(600, 1000))
    assert gaps(made, pair(601, 1000))[0].severity == "low"
    slow = ground().policy(f"default.{RULE}", top_speed_kmh=20)
    assert not gaps(slow, pair(1800, 10_100))
    assert not gaps(ground().policy(f"default.{RULE}", least_m=20_000), pair(1800, 10_000))
    assert not gaps(ground().policy(f"default.{RULE}", asleep_gap_s=9000), pair(8000, 0, mode="asleep"))
    near = yards().policy(f"default.{RULE}", near_severity="critical")
    assert gaps(near, pair(1800, 10_000))[0].severity == "critical"
    assert not gaps(ground().policy(f"default.{RULE}", enabled=False), pair(1800, 10_000))


def test_the_later_fixes_plan_judges_the_gap() -> None:
    """A policy change applies from a time on."""
    later = ground().policy(f"default.{RULE}", gap_s=3600).plan(version=2)
    assert not gaps(ground(), pair(1800, 10_000), later=[(1000, later)])
    assert gaps(ground(), pair(1800, 10_000), later=[(1801, later)])
