"""WRONG_DIRECTION: on its corridor the cargo goes back.

The route runs east along y = 0 for 30 km, so that x is the chainage to a metre; its half-width is 200 m, a step 50 m.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from story import Core, Ground, Ping, batch, iso, one, only, ping, span, told

RULE = "WRONG_DIRECTION"


def road(**more: Any) -> Ground:
    """A journey along the route, whose stops do not matter here."""
    made = Ground().route("R", (0, 0), (30_000, 0)).journey(route="R", **more)
    return made.policy("default.STOP_UNPLANNED", enabled=False)


def along(*places: float | None, every_s: float = 60, y_m: float = 0, **more: Any) -> list[Ping]:
    """One fix a minute; None: a ping without a place."""
    return [ping(every_s * i, x, y_m, **more) for i, x in enumerate(places)]


def test_falling_by_more_than_500_m_is_the_wrong_direction() -> None:
    """3 fixes and 120 s; it began at the first fix more than 500 m below the highest."""
    found = one(told(road(), along(9000, 10_000, 9600, 9499, 8000, 7000)), RULE)
    assert span(found) == (180, 300, None, None)
    assert (found.severity, found.journey, found.object) == ("medium", "J-S1", None)


@pytest.mark.parametrize(
    "places",
    [
        (9000, 10_000, 9600, 9505, 9502, 9501, 9501),
        (9000, 10_000, 9600, 9499, 8000),
        (10_000, 9900, 9800, 9700, 9600, 9501, 9501, 9501),
    ],
)
def test_less_is_not(places: tuple[float, ...]) -> None:
    """500 m at most, or two fixes only."""
    assert not only(told(road(), along(*places)), RULE)


def test_three_fixes_within_less_than_two_minutes_are_not_enough() -> None:
    """Both numbers and time: 119 s is short of it, 120 s is not."""
    places = (9000, 10_000, 9400, 9000, 8500)
    assert not only(told(road(), along(*places, every_s=59.5)), RULE)
    assert span(one(told(road(), along(*places, every_s=60)), RULE))[:2] == (120, 240)


def test_it_is_over_when_the_track_has_risen_twice() -> None:
    """The second rising fix clears it; it ended at the first."""
    found = one(told(road(), along(10_000, 9000, 8000, 7000, 7500, 8000, 8500)), RULE)
    assert span(found) == (60, 180, 240, 300)


def test_it_ended_at_the_first_of_the_rises_that_clear_it_and_not_before_it_was_raised() -> None:
    """Fixes in the same step between the two rises neither add nor break; a rise may come before the third fix."""
    waits = (10_000, 9000, 8000, 7000, 7510, 7520, 7530, 8000)
    assert span(one(told(road(), along(*waits)), RULE)) == (60, 180, 240, 420)
    early = (10_000, 9000, 8010, 8060, 8070, 9000)
    assert span(one(told(road(), along(*early)), RULE)) == (60, 180, 180, 300)
    before = (10_000, 8010, 8060, 8070, 9000)
    assert span(one(told(road(), along(*before)), RULE)) == (60, 180, 180, 240)


def test_a_policy_may_ask_for_rises_that_last() -> None:
    """``clear_s`` counts from the first rise."""
    made = road().policy(f"default.{RULE}", clear_s=120)
    story = along(10_000, 9000, 8000, 7000, 7500, 8000, 8500)
    assert span(one(told(made, story[:-1]), RULE)) == (60, 180, None, None)
    assert span(one(told(made, story), RULE)) == (60, 180, 240, 360)


def test_one_rise_is_not_the_end_and_a_fall_between_starts_over() -> None:
    """Rising again for 2 fixes, in succession."""
    story = [10_000, 9000, 8000, 7000, 7500, 7000, 7500]
    assert span(one(told(road(), along(*story)), RULE)) == (60, 180, None, None)
    assert span(one(told(road(), along(*story, 8000)), RULE)) == (60, 180, 360, 420)


def test_a_fall_is_measured_from_where_the_track_last_rose() -> None:
    """Down 400 m, up again for two fixes, down 400 m: each is a manoeuvre, together they are not a fall of 800 m."""
    down_up_down = (10_000, 9600, 9700, 9800, 9400, 9380, 9360, 9350, 9340)
    assert not only(told(road(), along(*down_up_down)), RULE)


def test_a_rise_of_one_fix_does_not_lower_where_the_fall_is_measured_from() -> None:
    """Down 400 m, up for one fix, down again: 10,000 m is still the highest."""
    found = one(told(road(), along(10_000, 9600, 9700, 9400, 9300, 9200)), RULE)
    assert (span(found)[0], found.evidence["fallen_m"]) == (180, pytest.approx(800, abs=1))


def test_noise_on_the_way_back_does_not_break_the_fall() -> None:
    """40 m forward, over the edge of a step at 8,000 m and back, is a standing truck."""
    found = one(told(road(), along(10_000, 9000, 7990, 8030, 7990, 8030, 7990, 8030)), RULE)
    assert span(found) == (60, 180, None, None)


def test_a_slow_drive_back_is_seen_however_dense_the_fixes() -> None:
    """5 m a fix, 800 m in all; the way forward again, as slow, ends it."""
    down = [10_000 - 5 * i for i in range(161)]
    up = [9200 + 5 * i for i in range(40)]
    found = one(told(road(), along(*down, *up, every_s=3)), RULE)
    assert span(found)[:2] == (pytest.approx(303, abs=3), pytest.approx(423, abs=3))
    risen = up[round((span(found)[2] - 483) / 3)] - 9200
    assert 50 <= risen <= 105


def test_fixes_off_the_corridor_say_nothing() -> None:
    """They neither fall, nor rise, nor break what is under way."""
    beside = [ping(60 * i, 10_000 - 400 * i, 1500) for i in range(1, 9)]
    assert not only(told(road(), [*along(10_000), *beside]), RULE)
    story = [*along(10_000, 9000, 8000, 7500), ping(90, 9100, 600), ping(150, 8600, 600)]
    assert span(one(told(road(), story), RULE)) == (60, 180, None, None)


def test_a_journey_without_route_has_no_direction() -> None:
    """Nor has one that is not armed."""
    made = road()
    made.journeys[0]["route"] = None
    assert not only(told(made, along(10_000, 9000, 8000, 7000, 6000)), RULE)
    assert not only(told(road(armed_s=5000), along(10_000, 9000, 8000, 7000, 6000)), RULE)


def test_a_new_journey_begins_anew() -> None:
    """The highest chainage of the journey before is not this one's."""
    made = road(disarmed_s=90).journey(id="J-next", armed_s=90, route="R")
    assert not only(told(made, along(10_000, 10_100, 9000, 9000, 9000, 9000)), RULE)


def test_evidence_says_how_far_it_has_fallen_and_where_it_is() -> None:
    """fallen_m, chainage_m, limit_m, and the first and last fix of the run."""
    story = along(9000, 10_000, 9400, 9000, 8500)
    evidence = one(told(road(), story), RULE).evidence
    assert evidence["fallen_m"] == pytest.approx(1500, abs=1)
    assert evidence["chainage_m"] == pytest.approx(8500, abs=5)
    assert (evidence["limit_m"], evidence["n_fixes"]) == (500, 3)
    assert [f["time"] for f in evidence["fixes"]] == [story[2]["time"], story[4]["time"]]


def test_the_policy_sets_the_limits_and_the_nearest_table_wins() -> None:
    """limit_m by route over regime over default; severity, steps and rises likewise."""
    made = road().policy(f"default.{RULE}", limit_m=9000, severity="low")
    made.policy(f"transit.{RULE}", limit_m=5000).policy(
        f"route.R.{RULE}", limit_m=100, raise_s=0, raise_fixes=1
    )
    found = one(told(made, along(10_000, 9910, 9890)), RULE)
    assert (span(found)[:2], found.severity) == ((120, 120), "low")
    coarse = road().policy(f"default.{RULE}", step_m=2000)
    assert span(one(told(coarse, along(10_000, 9000, 8000, 7000, 7500, 7900)), RULE))[2] is None
    thrice = road().policy(f"default.{RULE}", clear_fixes=3)
    story = along(10_000, 9000, 8000, 7000, 7500, 8000, 8500, 9000)
    assert span(one(told(thrice, story), RULE))[2:] == (240, 360)


def test_the_rule_may_be_switched_off() -> None:
    """`enabled` false: nothing; a later plan that says so ends what is open where it begins to hold."""
    story = along(10_000, 9000, 8000, 7000, 6000, 5000)
    assert not only(told(road().policy(f"default.{RULE}", enabled=False), story), RULE)
    off = road().policy(f"default.{RULE}", enabled=False).plan(version=2)
    found = one(told(road(), story, later=[(200, off)]), RULE)
    assert (span(found), found.evidence["closed_by"]) == ((60, 180, 200, 200), "plan_changed")


def test_a_plan_that_switches_the_rule_off_needs_no_fix_on_the_corridor() -> None:
    """What is open ends where that plan begins to hold, whatever the seal says after it."""
    off = road().policy(f"default.{RULE}", enabled=False).plan(version=2)
    for last in (ping(300), ping(300, 7000, 1500)):
        found = one(told(road(), [*along(10_000, 9000, 8000, 7000), last], later=[(200, off)]), RULE)
        assert (span(found)[2], found.evidence["closed_by"]) == (200, "plan_changed")


def test_the_fall_goes_on_through_a_new_plan_with_the_same_route() -> None:
    """A run survives a policy change; the fall is of the journey."""
    story = along(10_000, 9600, 9400, 9300, 9200)
    found = one(told(road(), story, later=[(90, road().plan(version=2))]), RULE)
    assert (span(found)[:2], found.plan_version) == ((120, 240), 2)


def test_seals_are_judged_each_by_itself() -> None:
    """One goes back, one goes on, in one batch."""
    made = road().journey("S2", route="R")
    back = along(10_000, 9000, 8000, 7000)
    on = along(10_000, 11_000, 12_000, 13_000, of="S2")
    core = Core(made.plan())
    core.feed(batch([*back, *on], core.numbers))
    assert [e.journey for e in only(core.episodes.values(), RULE)] == ["J-S1"]


def read_plainly(places: list[tuple[float, bool]]) -> list[tuple[float, float, float | None]]:
    """The rule as its words say it, fix by fix, one a minute: (started, raised, ended) of each episode."""
    found: list[tuple[float, float, float | None]] = []
    high = last = rises = first = 0.0
    run: list[float] = []
    known = is_open = False
    for i, (x, on_corridor) in enumerate(places):
        if not on_corridor:
            continue
        rose, sank = known and x // 50 > last // 50, known and x // 50 < last // 50
        rises = 0 if sank else rises + rose
        first = 60.0 * i if rose and rises == 1 else first
        high = x if not known or (rose and rises >= 2) else max(high, x)
        known, last = True, x
        run = [*run, 60.0 * i] if high - x > 500 else []
        if not is_open and len(run) >= 3 and run[-1] - run[0] >= 120:
            found.append((run[0], run[-1], None))
            is_open = True
        elif is_open and not run and rises >= 2:
            found[-1] = (*found[-1][:2], max(first, found[-1][1]))
            is_open = False
    return found


STEPS = st.sampled_from([-900.0, -400.0, -180.0, -60.0, -15.0, 15.0, 60.0, 180.0, 500.0, 1300.0])


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(STEPS, st.integers(0, 4)), min_size=3, max_size=40))
def test_the_columns_find_what_the_words_say(moves: list[tuple[float, int]]) -> None:
    """Any way along the route, off the corridor for one fix in five, judged in one batch and fix by fix."""
    x, places = 15_007.0, []
    for step, aside in moves:
        x = min(max(x + step, 17.0), 29_987.0)
        places.append((x, aside > 0))
    story = [ping(60 * i, x, 0 if on else 600) for i, (x, on) in enumerate(places)]
    found = [span(e)[:3] for e in only(told(road(), story), RULE)]
    assert found == read_plainly(places)


def test_a_diversion_begins_another_track() -> None:
    """What fell on the old route ends there; chainages of one route say nothing of another."""
    order = [{"at": iso(200), "route": "Q", "by": "an officer"}]
    made = road(diversions=order).route("Q", (5000, 0), (30_000, 0))
    found = one(told(made, along(10_000, 9000, 8000, 7000, 7000, 7000, 7000)), RULE)
    assert (span(found), found.evidence["closed_by"]) == ((60, 180, 200, 200), "plan_changed")
