"""OUTSIDE_TIME_WINDOW: an oversized vehicle moves when its permit does not let it.

The story begins on Monday, 21 September 2026, 14:13:20 UTC: 21:13:20 in Viet Nam.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from story import T0_MS, Ground, Ping, iso, one, only, ping, span, told

from seal_tracker.journey import Journey
from seal_tracker.rules.hours import PermitHours

RULE = "OUTSIDE_TIME_WINDOW"

TEN_PM_S = 2800
"""22:00 local time."""

NIGHT = {"from": "22:00", "to": "05:00"}


def ground(**permit: Any) -> Ground:
    made = Ground().journey(regime="oversized", permit={"number": "P-7"} | permit)
    return made.policy("default.SIGNAL_LOST", enabled=False)  # from the arming on until the hour of the story


def moving(*moments_s: float, kmh: float | None = 30) -> list[Ping]:
    """Fixes 300 m apart, with the device's speed, or without."""
    said = {} if kmh is None else {"speed_kmh": kmh}
    return [ping(s, 300 * i, **said) for i, s in enumerate(moments_s)]


def test_two_moving_fixes_over_a_minute_outside_the_window_raise_it() -> None:
    """It began with the first of them."""
    found = one(told(ground(windows=[NIGHT]), moving(0, 30, 60)), RULE)
    assert span(found) == (0, 60, None, None)
    assert (found.severity, found.object, found.journey) == ("high", None, "J-S1")


def test_one_fix_or_a_shorter_run_is_none() -> None:
    """One; two within 59 s; two with one that stands between."""
    assert not told(ground(windows=[NIGHT]), moving(0))
    assert not told(ground(windows=[NIGHT]), moving(0, 59))
    stands = [*moving(0, 40), ping(50, 300, speed_kmh=0), *moving(60, 100)]
    assert not told(ground(windows=[NIGHT]), stands)


def test_within_the_window_it_may_move() -> None:
    """From 22:00:00 on, after midnight too, until 05:00:00."""
    made = ground(windows=[NIGHT])
    assert not told(made, moving(TEN_PM_S, TEN_PM_S + 60, TEN_PM_S + 120))
    five_s = TEN_PM_S + 7 * 3600
    assert not told(made, moving(five_s - 120, five_s - 60, five_s - 1))
    assert span(one(told(made, moving(five_s - 60, five_s, five_s + 60)), RULE))[:2] == (five_s, five_s + 60)


def test_it_ends_when_a_window_opens() -> None:
    """With the first fix within it, known a minute later."""
    story = moving(2680, 2740, TEN_PM_S, TEN_PM_S + 60)
    assert span(one(told(ground(windows=[NIGHT]), story), RULE)) == (2680, 2740, 2800, 2860)


RUSH = {"days": ["mon"], "from": "21:14", "to": "21:16"}


def test_hours_in_which_nothing_moves_close_an_open_window() -> None:
    """Rush hours; the story's first minute is 21:13."""
    made = ground(windows=[{"from": "20:00", "to": "23:00"}], forbidden_windows=[RUSH])
    found = one(told(made, moving(0, 30, 60, 120, 180, 240)), RULE)
    assert span(found) == (60, 120, 180, 240)
    assert found.evidence["reason"] == "forbidden_hours"


def named(**calendar: Any) -> Ground:
    """A permit that names a calendar, and one of another journey that does not."""
    made = ground(calendars=["tet"], windows=[{"from": "20:00", "to": "23:00"}])
    made.journey("S2", regime="oversized", permit={"number": "P-8"})
    made.calendars.append({"id": "tet", **calendar})
    return made


@pytest.mark.parametrize(
    ("calendar", "reason"),
    [
        ({"dates": ["2026-09-21"]}, "forbidden_date"),
        ({"periods": [{"from": "2026-09-20", "to": "2026-09-21", "name": "Tết"}]}, "forbidden_date"),
        ({"windows": [{"from": "21:00", "to": "21:15"}]}, "forbidden_hours"),
    ],
)
def test_a_calendar_that_the_permit_names_closes_the_road(calendar: dict[str, Any], reason: str) -> None:
    """In local time; the evidence names it."""
    found = one(
        told(
            named(**calendar),
            [*moving(0, 30, 60), ping(1, 0, of="S2", speed_kmh=30), ping(99, 9, of="S2", speed_kmh=30)],
        ),
        RULE,
    )
    assert (span(found)[:2], found.journey) == ((0, 60), "J-S1")
    assert (found.evidence["reason"], found.evidence["calendar"]) == (reason, "tet")


def test_a_calendar_is_of_the_version_of_the_plan_in_force() -> None:
    """What is announced later holds from then on."""
    assert not told(named(dates=["2026-09-22"]), moving(0, 30, 60))
    later = [(90.0, named(dates=["2026-09-21"]).plan(2))]
    assert span(one(told(named(dates=["2026-09-22"]), moving(0, 60, 120, 180), later=later), RULE))[:2] == (
        120,
        180,
    )


def test_it_ends_when_the_vehicle_stops_for_a_minute() -> None:
    """A red light is none."""
    made = ground(windows=[NIGHT])
    light = [
        *moving(0, 60),
        ping(70, 300, speed_kmh=0),
        ping(100, 300, speed_kmh=0),
        ping(130, 400, speed_kmh=30),
    ]
    assert span(one(told(made, light), RULE)) == (0, 60, None, None)
    stop = [*light, ping(140, 400, speed_kmh=0), ping(200, 400, speed_kmh=0)]
    assert span(one(told(made, stop), RULE)) == (0, 60, 140, 200)


def test_moving_is_more_than_five_km_h() -> None:
    """5 is not, 5.01 is."""
    assert not told(ground(windows=[NIGHT]), moving(0, 60, 120, kmh=5))
    assert (
        one(told(ground(windows=[NIGHT]), moving(0, 60, 120, kmh=5.01)), RULE).evidence["speed_kmh"] == 5.01
    )


def test_a_device_that_gives_no_speed_moves_when_it_has_moved() -> None:
    """More than 200 m since the fix before; the first fix tells nothing."""
    made = ground(windows=[NIGHT])
    found = one(told(made, moving(0, 60, 120, kmh=None)), RULE)
    assert span(found)[:2] == (60, 120)
    assert found.evidence["moved_m"] == pytest.approx(300, abs=1)
    assert not told(made, [ping(60 * i, 199 * i) for i in range(4)])


def test_a_device_that_gives_no_speed_and_is_thrown_hither_and_thither_stands() -> None:
    """Steps of 300 m that lead nowhere are reflections; by the device's own speed it moves all the same."""
    made = ground(windows=[NIGHT])
    thrown = [ping(30 * i, 300 * (i % 2)) for i in range(12)]
    assert not told(made, thrown)
    assert told(made, [p | {"speed_kmh": 36} for p in thrown])
    bend = [
        ping(30 * i, *place) for i, place in enumerate([(0, 0), (300, 0), (550, 100), (700, 350), (720, 650)])
    ]
    assert span(one(told(made, bend), RULE))[:2] == (30, 90)


def test_days_are_those_on_which_a_window_begins() -> None:
    """Monday's night lasts into Tuesday; Tuesday has none, and Sunday's lasts into Monday."""
    made = ground(windows=[NIGHT | {"days": ["mon", "sun"]}])
    tuesday_4_s = TEN_PM_S + 6 * 3600
    assert not told(made, moving(tuesday_4_s, tuesday_4_s + 60))
    tuesday_23_s = TEN_PM_S + 25 * 3600
    assert only(told(made, moving(tuesday_23_s, tuesday_23_s + 60)), RULE)
    monday_4_s = tuesday_4_s + 6 * 86_400
    assert not told(made, moving(monday_4_s, monday_4_s + 60))


def test_nothing_moves_on_a_forbidden_date() -> None:
    """By the local calendar: 22 September begins at 17:00 UTC on the 21st."""
    made = ground(forbidden_dates=["2026-09-22", "2026-12-24"])
    midnight_s = TEN_PM_S + 2 * 3600
    found = one(told(made, moving(midnight_s - 60, midnight_s, midnight_s + 60)), RULE)
    assert span(found)[:2] == (midnight_s, midnight_s + 60)
    assert found.evidence["reason"] == "forbidden_date"
    assert not told(made, moving(midnight_s + 86_400, midnight_s + 86_460))


def test_nothing_moves_before_or_after_the_permit() -> None:
    """[valid_from, valid_to), whatever the hour."""
    made = ground(valid_from=iso(600), valid_to=iso(1200))
    found = only(told(made, [*moving(480, 540, 600, 660, 720), *moving(1140, 1200, 1260)]), RULE)
    assert [span(e)[:2] for e in found] == [(480, 540), (1200, 1260)]
    assert {e.evidence["reason"] for e in found} == {"permit_not_valid"}


def test_a_permit_that_says_nothing_of_time_lets_it_move() -> None:
    """Nor is a journey without one judged."""
    assert not told(ground(), moving(0, 60, 120))
    assert not told(Ground().journey(), moving(0, 60, 120))


def test_permits_are_each_their_own() -> None:
    """By day S1, by night S2, any time S3."""
    made = ground(windows=[NIGHT]).journey(
        "S2", permit={"number": "D", "windows": [{"from": "05:00", "to": "22:00"}]}
    )
    made.journey("S3")
    story = [p | {"of": s} for p in moving(0, 60) for s in ("S1", "S2", "S3")]
    assert [e.seal for e in only(told(made, story), RULE)] == ["S1"]


def test_evidence_says_why_and_the_local_time() -> None:
    """And which permit."""
    evidence = one(told(ground(windows=[NIGHT]), moving(0, 60)), RULE).evidence
    assert (evidence["reason"], evidence["permit"]) == ("outside_hours", "P-7")
    assert evidence["local_time"] == "2026-09-21T21:14:20+07:00"
    assert evidence["n_fixes"] == 2


def test_policy_may_set_the_zone_of_time_and_what_moving_is() -> None:
    """In UTC the window of the night opens seven hours later; at 20 km/h nobody minds."""
    made = ground(windows=[NIGHT]).policy(
        f"oversized.{RULE}", utc_offset_min=0, moving_kmh=20, severity="medium"
    )
    assert not told(made, moving(0, 60, kmh=20))
    found = one(told(made, moving(TEN_PM_S, TEN_PM_S + 60, kmh=21)), RULE)
    assert (found.severity, found.evidence["local_time"]) == ("medium", "2026-09-21T15:01:00+00:00")
    assert not told(made, moving(TEN_PM_S + 7 * 3600, TEN_PM_S + 7 * 3600 + 60))


def test_a_policy_that_switches_the_rule_off_ends_what_it_raised() -> None:
    """Where it begins to hold."""
    off = ground(windows=[NIGHT]).policy(f"default.{RULE}", enabled=False).plan(2)
    found = one(told(ground(windows=[NIGHT]), moving(0, 60, 120), later=[(70, off)]), RULE)
    assert (span(found), found.evidence["closed_by"]) == ((0, 60, 70, 70), "plan_changed")


def journey(**permit: Any) -> Journey:
    return Journey("J", "S", (("S", "seal"),), None, "oversized", 0, permit=permit)


@pytest.mark.parametrize("seed", range(5))
def test_windows_of_any_shape_are_those_of_the_calendar(seed: int) -> None:
    """Overlapping, touching, past midnight and past Sunday, at every quarter of an hour of a week, for all permits at once."""
    rng = np.random.default_rng(seed)
    days = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    hours = [f"{h:02}:{m:02}" for h in range(24) for m in (0, 30)]

    def window() -> dict[str, Any]:
        begin, end = rng.choice(hours, 2).tolist()
        some = sorted(rng.choice(days, rng.integers(1, 6), replace=False).tolist())
        return {"from": begin, "to": end} | ({"days": some} if rng.random() < 0.8 else {})

    permits = [[window() for _ in range(rng.integers(1, 4))] for _ in range(6)]
    table = PermitHours.of([journey(), *(journey(windows=w) for w in permits)])
    quarters = 900_000 * np.arange(7 * 96)

    def open_at(moment: datetime, windows: list[dict[str, Any]]) -> bool:
        for w in windows:
            for back in (0, 1):
                day = (moment - timedelta(days=back)).replace(hour=0, minute=0, second=0)
                begin, end = (
                    day + timedelta(hours=int(w[k][:2]), minutes=int(w[k][3:])) for k in ("from", "to")
                )
                end += timedelta(days=1) * (end <= begin)
                if days[day.weekday()] in w.get("days", days) and begin <= moment < end:
                    return True
        return False

    start = datetime.fromtimestamp(T0_MS / 1000, UTC).replace(hour=0, minute=0, second=0)
    local_ms = round(start.timestamp() * 1000) + quarters
    for at, windows in enumerate(permits, start=1):
        fault = table.fault(np.full(len(quarters), at), local_ms, local_ms)
        expected = [open_at(start + timedelta(milliseconds=int(q)), windows) for q in quarters]
        assert [f is None for f in fault] == expected
