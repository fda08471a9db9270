"""Zones crossed between two fixes with neither inside: by the straight line, or along the corridor where both are on it.

The zone is a square of 150 m half side around (1,500 m, 0): its edges lie at x = 1,350 m and 1,650 m.
"""

from __future__ import annotations

from typing import Any

import pytest
from story import Ground, Ping, at, one, only, ping, span, told

PROHIBITED, STAY, CHECKPOINT = "PROHIBITED_ZONE", "ZONE_ENTERED", "CHECKPOINT_REACHED"


def ground(kind: str = "prohibited", **more: Any) -> Ground:
    return Ground().zone("Z", 1500, 0, 150, kind).journey(**more)


def over(start_s: float = 0, end_s: float = 100, y_m: float = 0) -> list[Ping]:
    """Two fixes, at 1,000 m and 2,000 m, so that the zone's edges are 35 % and 65 % of the way."""
    return [ping(start_s, 1000, y_m), ping(end_s, 2000, y_m)]


def test_a_straight_crossing_of_a_prohibited_zone_is_told() -> None:
    """Start and end are interpolated to the ms; it is known, and over, with the second fix; at most high."""
    found = one(told(ground(), over()), PROHIBITED)
    assert span(found) == (pytest.approx(35, abs=0.02), 100, pytest.approx(65, abs=0.02), 100)
    assert (found.severity, found.inferred, found.latched, found.object) == ("high", True, False, "Z")


def test_a_crossing_shows_its_path_and_the_two_fixes() -> None:
    """Where it must have come in and gone out, to centimetres."""
    story = over()
    evidence = one(told(ground(), story), PROHIBITED).evidence
    assert (evidence["zone"], evidence["n_fixes"]) == ("Z", 2)
    assert [f["time"] for f in evidence["fixes"]] == [p["time"] for p in story]
    for shown, x in zip(evidence["path"], (1350, 1650), strict=True):
        assert shown == pytest.approx(at(x, 0), abs=2e-7)


def test_a_crossing_misses_what_the_line_misses() -> None:
    """151 m beside the zone's middle is outside, 149 m is a crossing."""
    assert only(told(ground(), over(y_m=149)), PROHIBITED)
    assert not told(ground(), over(y_m=151))


def test_a_gap_of_more_than_five_minutes_tells_no_crossing() -> None:
    """Five minutes are the most between which a line says where the cargo was."""
    assert only(told(ground(), over(0, 300)), PROHIBITED)
    assert not told(ground(), over(0, 300.001))


def test_a_ping_without_a_fix_between_does_not_part_the_pair() -> None:
    """The pair is of accepted fixes."""
    story = over()
    assert only(told(ground(), [story[0], ping(50), story[1]]), PROHIBITED)


def test_an_outlier_between_does_not_part_the_pair_nor_make_one() -> None:
    """A jump over a zone and back is no crossing."""
    story = [ping(0, 1000), ping(5, 40_000), ping(10, 1050)]
    assert not told(ground(), story)
    assert only(told(ground(), [*story, ping(100, 2000)]), PROHIBITED)


def test_a_jump_that_is_accepted_later_crosses_when_it_is_dated() -> None:
    """A held fix, once let in, has its own pair: the tunnel's far end."""
    story = [ping(0, 1000), ping(10, 2000), ping(20, 2100)]  # 100 m/s, then a truck that goes on
    found = one(told(ground(), story), PROHIBITED)
    assert span(found) == (pytest.approx(3.5, abs=0.01), 10, pytest.approx(6.5, abs=0.01), 10)


def test_where_a_fix_is_inside_there_is_no_crossing() -> None:
    """The stay tells it; into, out of and on the boundary."""
    into = told(ground(), [ping(0, 1000), ping(50, 1500)])
    assert [(e.inferred, span(e)[0]) for e in into] == [(False, 50)]
    out = told(ground(), [ping(0, 1500), ping(50, 2000), ping(60, 2100)])
    assert [(e.inferred, span(e)) for e in out] == [(False, (0, 0, 50, 60))]


def test_a_crossing_within_a_stay_is_part_of_it() -> None:
    """A stay goes on until two fixes outside: over the zone again with the second of them is nothing new."""
    story = [ping(0, 1500), ping(60, 2000), ping(120, 1000), ping(180, 900)]
    assert [(e.inferred, span(e)) for e in told(ground(), story)] == [(False, (0, 0, 60, 120))]


def test_each_crossing_is_an_episode() -> None:
    """Over and back: two."""
    found = told(ground(), [*over(), ping(200, 1000)])
    assert [(e.inferred, span(e)[1]) for e in only(found, PROHIBITED)] == [(True, 100), (True, 200)]


def test_a_zone_of_interest_is_crossed_too() -> None:
    """As info; nothing inferred is more than high, nothing becomes more by being inferred."""
    found = one(told(ground("interest"), over()), STAY)
    assert (found.severity, found.inferred) == ("info", True)


def test_before_arming_nothing_is_crossed() -> None:
    """Both fixes must be of the journey."""
    assert not told(ground(armed_s=50), over())
    assert not told(ground(disarmed_s=100), over())
    assert only(told(ground(armed_s=0, disarmed_s=100.001), over()), PROHIBITED)


def test_policy_of_the_zone_holds_for_its_crossings() -> None:
    """Severity up to high, and enabled."""
    for severity in ("medium", "high"):
        made = ground().policy(f"zone.Z.{PROHIBITED}", severity=severity)
        assert one(told(made, over()), PROHIBITED).severity == severity
    assert not told(ground().policy(f"zone.Z.{PROHIBITED}", enabled=False), over())


def test_a_checkpoint_may_be_reached_by_a_crossing() -> None:
    """It began where the line came in; a severity above high is high."""
    made = ground("checkpoint").route("R", (0, 0), (5000, 0), checkpoints=[{"zone": "Z"}])
    made.journeys[0]["route"] = "R"
    made.policy(f"default.{CHECKPOINT}", severity="critical")
    found = one(told(made, [*over(), ping(150, 1500)]), CHECKPOINT)
    assert span(found) == (pytest.approx(35, abs=0.02), 100, 100, 100)
    assert (found.inferred, found.severity) == (True, "high")


def hairpin(**zone: float) -> Ground:
    """A road 3,000 m east, 1,000 m north and back west, half-width 100 m."""
    made = Ground().route("R", (0, 0), (3000, 0), (3000, 1000), (0, 1000), half_width_m=100)
    return made.zone("Z", zone["x"], zone["y"], 150, "prohibited").journey(route="R")


def around(y0_m: float = 0, y1_m: float = 1000) -> list[Ping]:
    """From 2,500 m on the way out to 2,500 m on the way back: 2,000 m along the road, 1,000 m across the field."""
    return [ping(0, 2500, y0_m), ping(200, 2500, y1_m)]


def test_on_the_corridor_the_crossing_follows_the_road() -> None:
    """Both fixes on the hairpin: the zone at its bend is crossed between 42.5 % and 57.5 % of the 2,000 m."""
    found = one(told(hairpin(x=3000, y=500), around()), PROHIBITED)
    assert span(found) == (pytest.approx(85, abs=0.1), 200, pytest.approx(115, abs=0.1), 200)
    assert found.inferred
    for shown, y in zip(found.evidence["path"], (350, 650), strict=True):
        assert shown == pytest.approx(at(3000, y), abs=2e-6)


def test_on_the_corridor_the_straight_line_counts_for_nothing() -> None:
    """A zone in the field within the hairpin was not crossed by who kept to the road."""
    assert not told(hairpin(x=2500, y=500), around())


def test_off_the_corridor_the_straight_line_counts() -> None:
    """One fix 101 m beside the road: no road to follow."""
    found = told(hairpin(x=2500, y=500), around(101, 1000))
    assert [e.inferred for e in only(found, PROHIBITED)] == [True]
    assert not told(hairpin(x=3000, y=500), around(101, 1000))
    assert not told(hairpin(x=2500, y=500), around(99, 1000))


def test_back_along_the_road_is_crossed_the_other_way() -> None:
    """The stretch is walked as the truck went: against the route's direction it comes in from the far side."""
    story = [ping(0, 2500, 1000), ping(200, 2500, 0)]
    found = one(told(hairpin(x=3000, y=400), story), PROHIBITED)
    assert span(found) == (pytest.approx(95, abs=0.1), 200, pytest.approx(125, abs=0.1), 200)
