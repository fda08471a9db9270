"""STOP_UNPLANNED: within 100 m of a run's first fix for 15 minutes, outside approved stops; over when 200 m away."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from story import Core, Ground, Ping, iso, one, only, ping, seconds, span, told

RULE = "STOP_UNPLANNED"


def armed(**more: Any) -> Ground:
    return Ground().journey(**more)


def stand(start_s: float, end_s: float, x_m: float = 0, every_s: float = 60) -> list[Ping]:
    """Pings of a truck that stands at x from one moment to another."""
    n = round((end_s - start_s) / every_s)
    return [ping(start_s + i * every_s, x_m) for i in range(n + 1)]


def test_fifteen_minutes_within_100_m_of_the_first_fix_raise_a_stop() -> None:
    """It began at the run's first fix, and 900 s complete it."""
    found = one(told(armed(), [ping(0, 5000), *stand(300, 1200)]), RULE)
    assert span(found) == (300, 1200, None, None)
    assert (found.severity, found.journey, found.object) == ("medium", "J-S1", None)


def test_less_than_fifteen_minutes_raise_none() -> None:
    """899.999 s are none; nor is one fix, nor a truck that creeps on by 101 m in that time."""
    assert not told(armed(), [*stand(0, 840), ping(899.999, 0)])
    assert not told(armed(), [ping(0, 0), ping(500, 5000), ping(1000, 0)])
    assert not told(armed(), [*stand(0, 840), ping(900, 101), *stand(960, 1740, 101)])


def test_distance_is_from_the_first_fix_of_the_run() -> None:
    """Jitter of 99 m to either side is a stop, though two fixes may lie 198 m apart."""
    story = [ping(60 * i, (-99, 99)[i % 2] if i else 0) for i in range(16)]
    assert span(one(told(armed(), story), RULE)) == (0, 900, None, None)


def test_a_fix_that_is_too_far_begins_the_next_run() -> None:
    """The first fix beyond 100 m ends a run and is the first of the next."""
    assert span(one(told(armed(), [*stand(0, 600), *stand(660, 1560, 150)]), RULE)) == (660, 1560, None, None)


def test_a_ping_without_a_fix_is_not_seen() -> None:
    """It neither adds to a run nor breaks it."""
    story = [ping(0, 0), ping(300), ping(600), ping(900, 0)]
    assert span(one(told(armed(), story), RULE)) == (0, 900, None, None)


def test_moving_more_than_200_m_ends_a_stop() -> None:
    """Between 100 m and 200 m it goes on; beyond, for 2 fixes and 60 s, it ended with the first fix there."""
    stop = stand(0, 900)
    assert span(one(told(armed(), [*stop, ping(960, 150), ping(1020, 199)]), RULE))[2:] == (None, None)
    found = one(told(armed(), [*stop, ping(960, 150), ping(1020, 201), ping(1080, 900)]), RULE)
    assert span(found) == (0, 900, 1020, 1080)
    assert found.evidence["stopped_s"] == 1020


def test_a_spike_does_not_end_a_stop() -> None:
    """250 m off for a fix, or for some within a minute, and back: it stands where it stood, and is long at 90 min."""
    spikes = [ping(1000, 250), ping(1060, 0), ping(1100, 250), ping(1110, 240), ping(1150, 260)]
    story = [*stand(0, 900), *spikes, *stand(1160, 1760), ping(1800, 250), *stand(1860, 5400)]
    found = one(told(armed(), story), RULE)
    assert (span(found), found.severity) == ((0, 900, None, None), "high")


def test_the_policy_says_how_many_fixes_away_end_a_stop() -> None:
    """One, as the next run's first; or three."""
    story = [*stand(0, 900), ping(960, 300), ping(1020, 300), *stand(1080, 1920, 300)]
    at_once = armed().policy(f"default.{RULE}", clear_fixes=1, clear_s=0)
    assert [span(e) for e in only(told(at_once, story), RULE)] == [
        (0, 900, 960, 960),
        (960, 1860, None, None),
    ]
    thrice = armed().policy(f"default.{RULE}", clear_fixes=3)
    assert [span(e) for e in only(told(thrice, story), RULE)] == [
        (0, 900, 960, 1080),
        (1020, 1920, None, None),
    ]


def test_a_fix_away_that_lies_in_an_approved_stop_begins_no_run() -> None:
    """The first of the two that ended a stop is in one: the next run begins at the second."""
    made = armed().zone("A", 1000, 0, 100, "approved_stop")
    story = [*stand(0, 900), ping(960, 1090), *stand(1020, 2400, 1110)]
    assert [span(e)[:2] for e in only(told(made, story), RULE)] == [(0, 900), (1020, 1920)]


def test_the_fix_that_ends_a_stop_may_begin_the_next() -> None:
    """Two stops 300 m apart, the second counted from the fix at which the first ended."""
    found = only(told(armed(), [*stand(0, 900), *stand(960, 1860, 300)]), RULE)
    assert [span(e) for e in found] == [(0, 900, 960, 1020), (960, 1860, None, None)]


def test_ninety_minutes_make_a_stop_high() -> None:
    """Medium at 5,399 s, high at 5,400 s since its first fix."""
    stop = [*stand(0, 5340), ping(5399, 0)]
    assert one(told(armed(), stop), RULE).severity == "medium"
    found = one(told(armed(), [*stop, ping(5400, 0), ping(5500, 0)]), RULE)
    assert (found.severity, found.evidence["stopped_s"]) == ("high", 5400)
    assert seconds(found.changed_ms) == 5400


def test_a_stop_that_is_seen_late_is_high_at_once() -> None:
    """Two fixes 90 min apart at one place."""
    assert one(told(armed(), [ping(0, 0), ping(5400, 0)]), RULE).severity == "high"


def test_a_fix_that_ends_a_stop_does_not_make_it_long() -> None:
    """It was seen to stand for 1,000 s; that it had left by 6,000 s is no proof of more."""
    assert one(told(armed(), [*stand(0, 960), ping(6000, 5000), ping(6060, 5100)]), RULE).severity == "medium"


def test_the_next_stop_begins_as_medium() -> None:
    """A stop knows nothing of the one before, wherever that ended."""
    long = stand(0, 5400)
    again = [ping(5600, 5000), *stand(6000, 6900, 9000), *stand(6960, 11_340, 9000), ping(11_400, 9000)]
    assert [e.severity for e in only(told(armed(), [*long, *again]), RULE)] == ["high", "high"]
    assert [e.severity for e in only(told(armed(), [*long, *again[:20]]), RULE)] == ["high", "medium"]


def test_a_long_stop_that_ended_in_an_approved_one_leaves_nothing_to_the_next() -> None:
    """The state after it is that of a truck that never stood: its next long stop becomes high too."""
    made = armed().zone("A", 5000, 0, 300, "approved_stop")
    story = [*stand(0, 5400), ping(5600, 5000), ping(5800, 9000), *stand(6000, 11_400, 9000)]
    assert [e.severity for e in only(told(made, story), RULE)] == ["high", "high"]


def approved() -> Ground:
    return armed().zone("A", 0, 0, 150, "approved_stop")


def test_standing_in_an_approved_stop_is_none() -> None:
    """However long."""
    assert not told(approved(), stand(0, 9000))


def test_an_approved_stop_ends_a_run() -> None:
    """14 min before the gate and 14 min behind it are no stop of 28."""
    made = armed().zone("A", 0, 0, 40, "approved_stop")
    assert not told(made, [*stand(0, 840, -90), ping(900, 0), *stand(960, 1800, -60)])


def test_a_run_begins_where_the_approved_stop_is_left() -> None:
    """Its first fix is the first outside."""
    assert span(one(told(approved(), [*stand(0, 900), *stand(960, 1860, 190)]), RULE)) == (
        960,
        1860,
        None,
        None,
    )


def test_the_first_fix_of_a_journey_counts() -> None:
    """Runs start empty at arming: what it stood before is not counted."""
    assert span(one(told(armed(armed_s=600), stand(0, 1500)), RULE)) == (600, 1500, None, None)
    assert not told(armed(armed_s=601), stand(0, 1500))
    assert not told(Ground(), stand(0, 9000))


def test_disarming_ends_a_stop() -> None:
    """At its time, and the next journey counts anew."""
    made = armed(disarmed_s=1000).journey(id="J-2", armed_s=1000)
    found = only(told(made, stand(0, 2000, every_s=50)), RULE)
    assert [(e.journey, span(e)) for e in found] == [
        ("J-2", (1000, 1900, None, None)),
        ("J-S1", (0, 900, 1000, 1000)),
    ]


def test_an_outlier_does_not_end_a_stop() -> None:
    """A jump that the next fix refutes moves no rule."""
    story = [*stand(0, 900), ping(960, 30_000), ping(1020, 0)]
    assert span(one(told(armed(), story), RULE)) == (0, 900, None, None)


def test_evidence_says_where_how_long_and_by_which_limits() -> None:
    """First and completing fix, seconds, radius, fixes."""
    story = [ping(0, 0), ping(400, 60), ping(1000, 20, accuracy_m=4)]
    evidence = one(told(armed(), story), RULE).evidence
    assert (evidence["stopped_s"], evidence["limit_s"], evidence["radius_m"]) == (1000, 900, 100)
    assert evidence["n_fixes"] == 3
    first, last = evidence["fixes"]
    assert (first["time"], last["time"], last["accuracy_m"]) == (story[0]["time"], story[2]["time"], 4)


@pytest.mark.parametrize("table", ["default", "transit", "route.R"])
def test_policy_may_set_its_limits(table: str) -> None:
    """Radius, leaving distance, durations and both severities."""
    made = Ground().route("R", (-9000, 0), (9000, 0), half_width_m=500).journey(route="R")
    made.policy(
        f"{table}.{RULE}", radius_m=30, moved_m=60, raise_s=120, raise_fixes=3, long_s=300, severity="low",
        long_severity="critical",
    )  # fmt: skip
    assert not told(made, [ping(0, 0), ping(120, 0), ping(130, 31), ping(140, 31)])
    story = [ping(0, 0), ping(120, 0), ping(130, 29), ping(140, 59)]
    assert one(told(made, story), RULE).severity == "low"
    assert span(one(told(made, [*story, ping(150, 61), ping(210, 61)]), RULE)) == (0, 130, 150, 210)
    assert one(told(made, [*story, ping(300, 0)]), RULE).severity == "critical"


def test_policy_may_ask_for_more_before_a_stop_is_over() -> None:
    """Three fixes over two minutes; a fix nearer than 200 m begins the count anew."""
    made = armed().policy(f"default.{RULE}", clear_fixes=3, clear_s=120)
    away = [ping(960, 500), ping(1020, 500), ping(1080, 0), ping(1140, 500), ping(1200, 500)]
    assert span(one(told(made, [*stand(0, 900), *away]), RULE))[2:] == (None, None)
    assert span(one(told(made, [*stand(0, 900), *away, ping(1260, 500)]), RULE)) == (0, 900, 1140, 1260)


def test_a_latched_stop_is_not_over_by_moving() -> None:
    """Disarming ends it; only fixes at its place make it long, however the pings come."""
    made = armed(disarmed_s=9000).policy(f"default.{RULE}", latched=True)
    gone = [*stand(0, 900), ping(960, 1000), ping(6000, 9000), ping(6060, 9000)]
    found = one(told(made, gone), RULE)
    assert (span(found), found.severity, found.latched) == ((0, 900, None, None), "medium", True)
    back = [*gone, ping(6600, 0), ping(6660, 50)]
    assert one(told(made, back), RULE).severity == "high"
    assert span(one(told(made, [*back, ping(9000, 50)]), RULE)) == (0, 900, 9000, 9000)


def test_a_whole_night_is_followed_however_it_is_cut() -> None:
    """700 fixes of one stop, more than one sweep looks at, then away: one episode."""
    story = [*stand(0, 7000, every_s=10), ping(7010, 400), ping(7070, 900)]
    found = one(told(armed().policy(f"default.{RULE}", raise_s=4000), story), RULE)
    assert span(found) == (0, 4000, 7010, 7070)


def test_two_seals_that_stand_are_two_stops() -> None:
    """Each is followed by itself, one standing, one driving, one that begins to."""
    core = Core(Ground().journey("S1").journey("S2").journey("S3").plan())
    story = [p | {"of": "S2"} for p in stand(0, 900)] + [ping(60 * i, 900 * i, of="S1") for i in range(16)]
    story += [ping(60 * i, 900 * min(i, 5), of="S3") for i in range(16)]
    found = core.tell(story)
    assert [(e.seal, span(e)[:2]) for e in found] == [("S2", (0, 900))]
    assert [e.seal for e in only(core.tell([ping(1200, 4500, of="S3")]), RULE)] == ["S2", "S3"]


def test_a_policy_that_switches_the_rule_off_ends_the_stop() -> None:
    """Where it begins to hold; what stood under it is not counted when a later one switches it on again."""
    off = armed().policy(f"default.{RULE}", enabled=False).plan(2)
    story = [*stand(0, 2000, every_s=50), *stand(4000, 4850, every_s=50)]
    found = only(told(armed(), story, later=[(1010, off)]), RULE)
    assert [span(e) for e in found] == [(0, 900, 1010, 1010)]
    assert (found[0].evidence["closed_by"], found[0].evidence["stopped_s"]) == ("plan_changed", 1010)
    again = told(armed(), [*story, ping(4900, 0)], later=[(1010, off), (3990, armed().plan(3))])
    assert [span(e)[:2] for e in only(again, RULE)] == [(0, 900), (4000, 4900)]


def test_a_rule_switched_off_on_one_route_watches_the_others() -> None:
    """S1 stands on a route where nobody minds."""
    made = Ground().route("R", (-9000, 0), (9000, 0), half_width_m=500).journey("S1", route="R").journey("S2")
    made.policy(f"route.R.{RULE}", enabled=False)
    found = told(made, [p | {"of": s} for p in stand(0, 900) for s in ("S1", "S2")])
    assert [(e.seal, e.type) for e in found] == [("S2", RULE)]


def test_what_stood_while_suspended_is_not_counted() -> None:
    """A suspension ends a stop; the next one begins with the first fix after it."""
    pause = {"from": iso(1000), "to": iso(2000), "by": "an officer"}
    found = only(told(armed(suspensions=[pause]), stand(0, 3000, every_s=50)), RULE)
    assert [span(e) for e in found] == [(0, 900, 1000, 1000), (2000, 2900, None, None)]
    assert found[0].evidence["closed_by"] == "suspended"


def by_definition(xs_m: list[float], every_s: int) -> list[tuple[float, float, float | None, float | None]]:
    """Stops along a line as the module's words define them: fix by fix, with the default policy."""
    found: list[tuple[float, float, float | None, float | None]] = []
    anchor, moved, is_open = 0, 0, False
    for i, x in enumerate(xs_m):
        moved = moved + 1 if is_open and abs(x - xs_m[anchor]) > 200 else 0
        if moved == 2:  # a minute apart
            found[-1] = (*found[-1][:2], (i - 1) * every_s, i * every_s)
            anchor, is_open = i - 1, False
        if not is_open and abs(x - xs_m[anchor]) > 100:
            anchor = i
        elif not is_open and (i - anchor) * every_s >= 900:
            found.append((anchor * every_s, i * every_s, None, None))
            is_open = True
    return found


@pytest.mark.parametrize("seed", range(4))
def test_stops_are_those_of_the_definition(seed: int) -> None:
    """A truck that drives, crawls, jitters and stands, as chance has it; places are 3 m apart, so clear of the limits."""
    rng = np.random.default_rng(seed)
    pace_m = np.repeat(rng.choice([0, 0, 6, 27, 45, 129, 900], 25), rng.integers(1, 40, 25))
    xs_m = np.cumsum(3 * np.round(pace_m * rng.uniform(-0.5, 1, len(pace_m)) / 3)).tolist()
    story = [ping(60 * i, x) for i, x in enumerate(xs_m)]
    found = only(told(armed(), story), RULE)
    assert [span(e) for e in found] == by_definition(xs_m, 60)
    assert len(found) > 1


@pytest.mark.parametrize("end", ["origin_zone", "destination_zone"])
def test_where_a_journey_begins_and_ends_it_may_stand(end: str) -> None:
    """A truck waits there to be sealed, and to be opened; and nowhere else, be it as long."""
    made = armed(**{end: "yard"}).zone("yard", 0, 0, 300, "gate").zone("other", 5000, 0, 300, "gate")
    assert not told(made, [*stand(0, 3600), *stand(3700, 4000, 5000)])
    found = one(told(made, [*stand(0, 3600), *stand(3700, 5000, 5000)]), RULE)
    assert span(found) == (3700, 4600, None, None)


def test_a_stop_outside_ends_where_the_destination_begins() -> None:
    """As it does at an approved stop; and whoever does not want that says so in the policy."""
    made = armed(destination_zone="yard").zone("yard", 1000, 0, 300, "gate")
    story = [*stand(0, 900), *stand(960, 3000, 1000)]
    assert span(one(told(made, story), RULE)) == (0, 900, 960, 1020)
    assert len(told(made.policy(f"transit.{RULE}", at_ends=True), story)) == 2


def test_the_end_of_another_journey_is_no_place_to_stand() -> None:
    made = armed(destination_zone="yard").zone("yard", 0, 0, 300, "gate").journey("S2")
    found = told(made, [p | {"of": seal} for seal in ("S1", "S2") for p in stand(0, 900)])
    assert [e.journey for e in found] == ["J-S2"]
