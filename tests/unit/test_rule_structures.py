"""STOP_ON_STRUCTURE and STRUCTURE_SPEED: how an oversized vehicle passes the bridges that its permit names.

The bridge is a square of 200 m half side around x = 3,000 m: its edges lie at 2,800 m and 3,200 m.
"""

from __future__ import annotations

from typing import Any

import pytest
from story import Ground, Ping, one, only, ping, span, told

STOP, SPEED = "STOP_ON_STRUCTURE", "STRUCTURE_SPEED"


def ground(*structures: dict[str, Any]) -> Ground:
    made = Ground().zone("B", 3000, 0, 200, "structure").zone("C", 9000, 0, 200, "structure")
    permit = {"number": "P", "structures": list(structures or ({"zone": "B", "speed_kmh": 10},))}
    return made.journey(regime="oversized", permit=permit)


def on_bridge(*places: tuple[float, float, float | None]) -> list[Ping]:
    """Fixes of (seconds, x, the device's speed)."""
    return [ping(s, x, **({} if v is None else {"speed_kmh": v})) for s, x, v in places]


def test_half_a_minute_without_moving_on_the_bridge_raises_a_stop() -> None:
    """It began with the first fix that stood, and ends with the first off the bridge."""
    story = on_bridge(
        (0, 2700, 8), (30, 2900, 8), (60, 3000, 3), (90, 3000, 0), (120, 3150, 8), (150, 3250, 8)
    )
    found = one(told(ground(), story), STOP)
    assert span(found) == (60, 90, 150, 150)
    assert (found.severity, found.object, found.journey) == ("high", "B", "J-S1")
    assert (found.evidence["stopped_s"], found.evidence["limit_s"], found.evidence["zone"]) == (30, 30, "B")


def test_less_than_half_a_minute_or_a_moving_fix_between_is_none() -> None:
    """29 s; 5 km/h is moving."""
    assert not only(told(ground(), on_bridge((0, 3000, 0), (29, 3000, 0), (59, 3100, 8))), STOP)
    assert not only(told(ground(), on_bridge((0, 3000, 0), (20, 3000, 5), (40, 3000, 0))), STOP)


def test_a_device_that_gives_no_speed_stands_where_it_has_not_moved() -> None:
    """Less than 20 m since the fix before."""
    stood = [(30, 3000, None), (60, 3019, None), (90, 3038, None)]
    assert span(one(told(ground(), on_bridge((0, 2700, None), *stood)), STOP))[:2] == (60, 90)
    crept = [(30, 2900, None), (60, 2921, None), (90, 2942, None)]
    assert not only(told(ground(), on_bridge((0, 2700, None), *crept)), STOP)


def test_faster_than_the_permit_allows_is_raised_by_one_fix() -> None:
    """Off the bridge it is over, not by slowing down; before it nothing is said."""
    story = on_bridge((0, 2700, 40), (30, 2900, 10), (60, 3000, 10.01), (90, 3100, 4), (120, 3250, 40))
    found = one(told(ground(), story), SPEED)
    assert span(found) == (60, 60, 120, 120)
    assert (found.severity, found.object) == ("high", "B")
    assert (found.evidence["speed_kmh"], found.evidence["limit_kmh"]) == (10.01, 10)


def test_a_speed_from_two_fixes_needs_both_on_the_bridge() -> None:
    """From the approach to the bridge 12 m/s say nothing of the bridge; on it 6 m/s are 21.6 km/h."""
    approach = on_bridge((0, 2500, None), (30, 2860, None))
    assert not only(told(ground(), approach), SPEED)
    found = one(told(ground(), [*approach, ping(60, 3040)]), SPEED)
    assert span(found)[:2] == (60, 60)
    assert found.evidence["speed_kmh"] == pytest.approx(21.6, abs=0.1)


def test_only_structures_that_the_permit_names_are_watched() -> None:
    """C is not named; a journey without a permit crosses either as it likes; an interest is no structure."""
    assert not told(ground(), on_bridge((0, 9000, 50), (30, 9000, 0), (60, 9000, 0)))
    made = ground().journey("S2")
    story = [p | {"of": "S2"} for p in on_bridge((0, 3000, 50), (30, 3000, 0), (60, 3000, 0))]
    assert not told(made, story)


def test_a_structure_without_a_speed_has_stops_alone() -> None:
    """Nor does the limit of one hold on another."""
    made = ground({"zone": "B"}, {"zone": "C", "speed_kmh": 20})
    story = on_bridge((0, 3000, 70), (60, 3000, 0), (90, 3000, 0), (400, 9000, 19), (430, 9100, 21))
    found = told(made, story)
    assert [(e.type, e.object, span(e)[0]) for e in found] == [(STOP, "B", 60), (SPEED, "C", 430)]


@pytest.mark.parametrize("table", ["default", "oversized", "zone.B"])
def test_policy_may_set_the_debounce(table: str) -> None:
    """Two minutes of standing; two fixes too fast."""
    made = ground().policy(f"{table}.{STOP}", raise_s=120, severity="critical")
    made.policy(f"{table}.{SPEED}", raise_fixes=2, severity="low")
    story = on_bridge((0, 2900, 12), (30, 2950, 12), (60, 3000, 0), (120, 3000, 0), (180, 3000, 0))
    found = told(made, story)
    assert [(e.type, e.severity, span(e)[:2]) for e in found] == [
        (STOP, "critical", (60, 180)),
        (SPEED, "low", (0, 30)),
    ]


def test_policy_may_set_what_standing_and_too_fast_are() -> None:
    """Below 1 km/h; 5 km/h more than the permit's."""
    made = ground().policy(f"default.{STOP}", standing_kmh=1).policy(f"default.{SPEED}", tolerance_kmh=5)
    assert not told(made, on_bridge((0, 3000, 1), (60, 3000, 1), (90, 3000, 15)))
    assert len(told(made, on_bridge((0, 3000, 0.9), (60, 3000, 0.9), (90, 3000, 15.1)))) == 2


def test_a_policy_that_switches_them_off_ends_what_they_raised() -> None:
    """Where it begins to hold."""
    off = ground().policy(f"default.{STOP}", enabled=False).policy(f"default.{SPEED}", enabled=False).plan(2)
    story = on_bridge((0, 3000, 30), (30, 3000, 0), (60, 3000, 0), (90, 3000, 30))
    found = told(ground(), story, later=[(70, off)])
    assert [(e.type, span(e)[2:], e.evidence["closed_by"]) for e in found] == [
        (STOP, (70, 70), "plan_changed"),
        (SPEED, (70, 70), "plan_changed"),
    ]


def test_a_bridge_that_is_passed_between_two_fixes_is_passed_too_fast_where_no_slower_way_was_left() -> None:
    """580 m in 60 s (600 m less the noise of two fixes): at 80 km/h on the 193 m elsewhere, 387 m of it took 51.3 s at most."""
    limited = ground({"zone": "B", "speed_kmh": 20})
    found = one(told(limited, on_bridge((0, 2700, None), (60, 3300, None))), SPEED)
    assert (found.inferred, found.severity, span(found)) == (True, "high", (10, 60, 50, 60))
    assert found.evidence["speed_kmh"] == pytest.approx(0.38667 / (60 - 0.19333 / 80 * 3600) * 3600, abs=0.02)
    assert (found.evidence["limit_kmh"], len(found.evidence["path"]), len(found.evidence["fixes"])) == (
        20,
        2,
        2,
    )


def test_a_bridge_that_may_have_been_passed_slowly_is_none() -> None:
    """600 m in 90 s may have been 20 km/h on it and 80 km/h elsewhere; what the permit does not limit may be crossed at any speed."""
    limited = ground({"zone": "B", "speed_kmh": 20})
    assert not told(limited, on_bridge((0, 2700, None), (90, 3300, None)))
    assert one(
        told(
            limited.policy(f"default.{SPEED}", top_speed_kmh=24), on_bridge((0, 2700, None), (90, 3300, None))
        ),
        SPEED,
    )
    assert not told(ground({"zone": "B"}), on_bridge((0, 2700, None), (30, 3300, None)))
    assert not told(ground({"zone": "C", "speed_kmh": 20}), on_bridge((0, 2700, None), (30, 3300, None)))


def test_a_bridge_passed_after_more_than_five_minutes_or_seen_on_it_is_judged_by_its_fixes() -> None:
    """Such a gap says nothing of the way; and one fix on the bridge says itself how fast it was."""
    limited = ground({"zone": "B", "speed_kmh": 20})
    assert not only(told(limited, on_bridge((0, 0, None), (301, 9000, None))), SPEED)
    assert not told(limited, on_bridge((0, 2700, 60), (30, 3000, 15), (60, 3300, 60)))


def test_even_who_is_faster_than_the_top_speed_is_told() -> None:
    """As fast on the bridge as on the whole: 1,980 m in 60 s."""
    found = one(told(ground(), on_bridge((0, 2000, None), (60, 4000, None))), SPEED)
    assert found.evidence["speed_kmh"] == pytest.approx(118.8, abs=0.1)
