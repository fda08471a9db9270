"""STRUCTURE_MEETING: two vehicles that must each be alone on a bridge are due on it at once, and that is told before.

The bridge is at x = 20 km of a road of 40 km. Both drive at 40 km/h, 11.1 m/s: what the policy takes for the mean speed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from story import Ground, Ping, drive, iso, one, ping, span
from test_companions_stories import of, told

from seal_tracker.model import Episode

MEETING, SHARED = "STRUCTURE_MEETING", "STRUCTURE_SHARED"

ALONE = {"number": "P-1", "structures": [{"zone": "bridge", "alone": True}]}

M_S = 40 / 3.6


def ground(**more: Any) -> Ground:
    """Two journeys that meet: one there, one back on the other side of the road."""
    made = Ground().zone("bridge", 20_000, 0, 200, "structure", **more)
    made.route("there", (0, 0), (20_000, 20), (40_000, 0)).route("back", (40_000, 0), (20_000, 20), (0, 0))
    made.journey("S1", permit=ALONE, route="there", regime="oversized")
    return made.journey("S2", permit=ALONE, route="back", regime="oversized")


def back(start_s: float, end_s: float) -> list[Ping]:
    """S2, from the other end."""
    return of("S2", [ping(t, 40_000 - M_S * t) for t in np.arange(start_s, end_s + 1, 60).tolist()])


def there(start_s: float, end_s: float) -> list[Ping]:
    return drive(start_s, end_s, 60, speed_m_s=M_S)


def told_meeting(made: Ground, pings: Sequence[Ping], **more: Any) -> list[Episode]:
    return [episode for episode in told(made, pings, **more) if episode.type == MEETING]


def test_it_is_told_half_an_hour_before_to_both_journeys() -> None:
    """With when each is due; it ends when both are on it, which is another event."""
    episodes = told(ground(), [*there(0, 2400), *back(0, 2400)])
    found = [e for e in episodes if e.type == MEETING]
    assert [(e.journey, e.object, e.severity, e.raised_at_ms - e.started_at_ms) for e in found] == [
        ("J-S1", "bridge", "medium", 60_000),
        ("J-S2", "bridge", "medium", 60_000),
    ]
    shared = one([e for e in episodes if e.journey == "J-S1"], SHARED)
    before_s = (shared.started_at_ms - found[0].raised_at_ms) / 1000
    assert 1600 < before_s < 1800
    assert found[0].ended_at_ms == shared.started_at_ms
    said = found[0].evidence
    assert said["journeys"] == ["J-S2"]
    assert said["due_from"] < iso(1800) < said["due_to"]
    assert said["other_due_from"] < iso(1800) < said["other_due_to"]


@pytest.mark.parametrize(("ahead_s", "is_told"), [(0, True), (400, True), (700, False)])
def test_who_is_due_long_after_the_other_is_not_told_of(ahead_s: float, *, is_told: bool) -> None:
    """Three minutes, and what a tenth faster or slower makes on ten kilometres and on twenty."""
    ahead = [ping(t, M_S * (t + ahead_s)) for t in range(0, 1001, 60)]
    assert (told_meeting(ground(), [*ahead, *back(0, 1000)]) != []) is is_told


def test_it_ends_when_one_of_them_is_held_back() -> None:
    """S2 waits ten kilometres before the bridge."""
    waiting = of("S2", [ping(t, 30_000) for t in range(960, 2401, 60)])
    found = told_meeting(ground(), [*there(0, 2400), *back(0, 900), *waiting])
    assert len(found) == 2
    (_, _, ended_s, cleared_s) = span(found[0])
    assert 900 < ended_s < 1800
    assert cleared_s >= ended_s + 60


def test_who_waits_just_before_the_structure_may_drive_on_any_moment() -> None:
    """It is told until the other is past it; and nobody is told of who has not set out."""
    waiting = of("S2", [ping(t, 20_500) for t in range(1740, 2401, 60)])
    found = told_meeting(ground(), [*there(0, 2400), *back(0, 1739), *waiting])
    assert span(found[0])[2] == 1860
    parked = of("S2", [ping(t, 30_000) for t in range(0, 2401, 60)])
    assert told_meeting(ground(), [*there(0, 2400), *parked]) == []


def test_who_is_off_their_route_is_not_on_their_way_there() -> None:
    away = of("S2", [ping(t, 40_000 - M_S * t, 3000) for t in range(0, 1801, 60)])
    assert told_meeting(ground(), [*there(0, 1800), *away]) == []


def test_who_has_passed_the_structure_is_due_no_more() -> None:
    """S1 is a minute beyond it when S2 comes near."""
    made = ground()
    beyond = [ping(t, 20_700 + M_S * t) for t in range(0, 1201, 60)]
    assert (
        told_meeting(made, [*beyond, *of("S2", [ping(t, 26_000 - M_S * t) for t in range(0, 1201, 60)])])
        == []
    )


def test_a_diversion_ends_it() -> None:
    """S2 goes another way from then on."""
    made = ground().route("round", (40_000, 0), (20_000, 5000), (0, 0))
    made.journeys[1]["diversions"] = [{"at": iso(900), "route": "round", "by": "an officer"}]
    found = told_meeting(made, [*there(0, 1500), *back(0, 1500)], now_s=1500)
    assert [span(e)[2:] for e in found] == [(900, 900)] * 2
    assert {e.evidence["closed_by"] for e in found} == {"plan_changed"}


def test_speed_distance_in_time_and_severity_are_policy() -> None:
    """Twice as fast they are due in half the time; told a quarter of an hour before at most."""
    made = ground().policy(f"zone.bridge.{MEETING}", ahead_min=15, severity="high")
    found = told_meeting(made, [*there(0, 1500), *back(0, 1500)])
    assert {e.severity for e in found} == {"high"}
    assert span(found[0])[0] > 700
    fast = ground().policy(f"oversized.{MEETING}", mean_speed_kmh=80, ahead_min=15)
    assert span(told_meeting(fast, [*there(0, 1500), *back(0, 1500)])[0])[0] < 120


def test_only_both_permits_together_foresee_it() -> None:
    made = ground()
    made.journeys[1]["permit"] = {"number": "P-2", "structures": [{"zone": "bridge"}]}
    assert told_meeting(made, [*there(0, 1500), *back(0, 1500)]) == []
