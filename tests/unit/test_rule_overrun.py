"""STOP_OVERRUN: in an approved stop for longer than it allows.

The stop is a square of 300 m half side around x = 0 that allows 30 minutes; its margin is 33.9 m (see test_rule_zones).
"""

from __future__ import annotations

from typing import Any

import pytest
from arrivals import Service
from hypothesis import given, settings
from hypothesis import strategies as st
from story import Core, Ground, Ping, batch, iso, one, only, ping, span, told

RULE = "STOP_OVERRUN"


def ground(**more: Any) -> Ground:
    allowed = {"max_stop_min": 30} | more
    return Ground().zone("A", 0, 0, 300, "approved_stop", **allowed).journey()


def stay(start_s: float, end_s: float, x_m: float = 0, every_s: float = 300) -> list[Ping]:
    n = round((end_s - start_s) / every_s)
    return [ping(start_s + i * every_s, x_m) for i in range(n + 1)]


def test_a_stay_longer_than_allowed_is_raised_at_the_first_fix_that_shows_it() -> None:
    """It began with the first fix inside, and is over with the first outside."""
    found = one(told(ground(), [ping(0, 5000), *stay(300, 2400), ping(2700, 0), ping(3000, 400)]), RULE)
    assert span(found) == (300, 2400, 3000, 3000)
    assert (found.severity, found.object, found.journey) == ("medium", "A", "J-S1")


def test_a_stay_as_long_as_allowed_is_none() -> None:
    """1,800 s to the millisecond is none, a millisecond more is one."""
    assert not only(told(ground(), stay(0, 1800)), RULE)
    assert span(one(told(ground(), [*stay(0, 1800), ping(1800.001, 0)]), RULE))[:2] == (0, 1800.001)


def test_a_stop_that_allows_any_time_is_not_watched() -> None:
    """Nor is a zone of another kind that says how long."""
    assert not told(Ground().zone("A", 0, 0, 300, "approved_stop").journey(), stay(0, 9000))
    made = Ground().zone("A", 0, 0, 300, "unlock_allowed", max_stop_min=30).journey()
    assert not only(told(made, stay(0, 9000)), RULE)


def test_a_seal_that_is_not_heard_of_overstays_by_time_alone() -> None:
    """30 min are over at 1,800 s; it is unheard of from 3,900 s after its last ping on, and dated to that."""
    assert not only(told(ground(), stay(0, 600), now_s=4500), RULE)
    for now_s in (4500.001, 50_000):
        found = one(told(ground(), stay(0, 600), now_s=now_s), RULE)
        assert span(found) == (0, 4500, None, None)
    evidence = found.evidence
    assert (evidence["stopped_s"], evidence["limit_s"], evidence["last_ping"]) == (4500, 1800, iso(600))
    assert [f["time"] for f in evidence["fixes"]] == [iso(0), iso(600)]
    long = ground(max_stop_min=120)
    assert span(one(told(long, stay(0, 600), now_s=50_000), RULE))[:2] == (0, 7200.001)


def test_the_next_ping_ends_what_time_alone_has_raised() -> None:
    """Outside, it is over; inside, it goes on; clock or ping, byte for byte."""
    for x, over in ((5000, 6000), (0, None)):
        story = [*stay(0, 600), ping(6000, x), ping(6100, x)]
        by_ping, by_time = Core(ground().plan()), Core(ground().plan())
        by_ping.tell(story)
        by_time.tell(story[:3])
        for now_s in (1000, 4501, 5000):
            by_time.pass_time(now_s)
        assert len(only(by_time.episodes.values(), RULE)) == 1
        by_time.tell(story[3:])
        assert by_time.lines() == by_ping.lines()
        assert [span(e) for e in only(told(ground(), story), RULE)] == [(0, 4500, over, over)]


def test_a_late_ping_takes_back_what_the_clock_has_raised() -> None:
    """From the buffer: he had left after 20 minutes."""
    core = Core(ground().plan())
    service = Service(core)
    service.feed(batch(stay(0, 600), core.numbers))
    service.tick(5000)
    assert [span(e) for e in service.store.episodes if e.type == RULE] == [(0, 4500, None, None)]
    service.feed(batch([ping(1200, 5000)], core.numbers))
    assert not [e for e in service.store.episodes if e.type == RULE]
    assert service.folded()


def test_a_seal_that_reports_seldom_does_not_overstay_between_two_reports() -> None:
    """Asleep every 30 min: 35 min in a stop that allows 30 are told when a report shows them, not before."""
    asleep = {"mode": "asleep", "interval_s": 1800}
    assert not only(
        told(ground(), [ping(0, 0, **asleep), ping(1790, 0, **asleep), ping(3590, 9000, **asleep)]), RULE
    )
    found = one(told(ground(), [ping(0, 0, **asleep), ping(1810, 0, **asleep)]), RULE)
    assert span(found) == (0, 1810, None, None)


def test_a_stop_that_is_asked_for_no_more_is_not_overstayed_by_time() -> None:
    """Switched off, or no longer in force."""
    off = ground().policy(f"zone.A.{RULE}", enabled=False)
    assert not only(told(off, stay(0, 600), now_s=50_000), RULE)
    for later in (off.plan(2), ground(valid_to=iso(4400)).plan(2)):
        assert not only(told(ground(), stay(0, 600), now_s=50_000, later=[(1000, later)]), RULE)


def test_a_fix_in_the_margin_says_nothing() -> None:
    """33.9 m outside: noise at the gate does not begin the stay anew; beyond, it is over."""
    noisy = [*stay(0, 900), ping(1000, 333), *stay(1200, 1800), ping(2000, 0)]
    assert span(one(told(ground(), noisy), RULE))[:2] == (0, 2000)
    left = [*stay(0, 900), ping(1000, 335), *stay(1200, 2400)]
    assert not only(told(ground(), left), RULE)


def test_driving_about_inside_is_staying() -> None:
    """A yard is large; what counts is being there."""
    story = [ping(300 * i, (-250, 250)[i % 2]) for i in range(8)]
    assert span(one(told(ground(), story), RULE))[:2] == (0, 2100)


def test_each_stop_has_its_own_limit() -> None:
    """Two overlapping stops, one of 30 and one of 60 minutes."""
    made = ground().zone("B", 100, 0, 300, "approved_stop", max_stop_min=60)
    found = only(told(made, stay(0, 4200)), RULE)
    assert [(e.object, span(e)[:2]) for e in found] == [("A", (0, 2100)), ("B", (0, 3900))]


def test_evidence_says_how_long_and_how_long_was_allowed() -> None:
    """Seconds at the raising, then of the whole stay; first and completing fix."""
    made = ground(reason="rest")
    story = [*stay(0, 2100), *stay(2400, 3000), ping(3300, 900)]
    evidence = one(told(made, story[:8]), RULE).evidence
    assert (evidence["zone"], evidence["reason"], evidence["n_fixes"]) == ("A", "rest", 8)
    assert (evidence["stopped_s"], evidence["limit_s"]) == (2100, 1800)
    assert [f["time"] for f in evidence["fixes"]] == [story[0]["time"], story[7]["time"]]
    assert one(told(made, story), RULE).evidence["stopped_s"] == 3300


@pytest.mark.parametrize("table", ["default", "transit", "zone.A"])
def test_policy_may_give_grace_and_margin(table: str) -> None:
    """Ten minutes more than the stop allows, no margin, two fixes to leave."""
    made = ground().policy(f"{table}.{RULE}", raise_s=600, clear_margin_m=0, clear_fixes=2, severity="low")
    assert not only(told(made, stay(0, 2400)), RULE)
    found = one(told(made, [*stay(0, 2700), ping(3000, 305), ping(3300, 305)]), RULE)
    assert (span(found), found.severity) == ((0, 2700, 3000, 3300), "low")


def test_a_policy_that_switches_the_rule_off_ends_what_it_raised() -> None:
    """Where it begins to hold."""
    off = ground().policy(f"default.{RULE}", enabled=False).plan(2)
    found = one(told(ground(), stay(0, 3600), later=[(2500, off)]), RULE)
    assert (span(found), found.evidence["closed_by"]) == ((0, 2100, 2500, 2500), "plan_changed")


def test_only_an_armed_journey_can_overstay() -> None:
    """The stay counts from arming; disarming ends it."""
    made = (
        Ground().zone("A", 0, 0, 300, "approved_stop", max_stop_min=30).journey(armed_s=600, disarmed_s=3000)
    )
    assert span(one(told(made, stay(0, 3600)), RULE)) == (600, 2700, 3000, 3000)


REPORT = st.tuples(
    st.sampled_from([300, 1500, 3500, 4200, 9000]), st.sampled_from([0, 0, 400, 19_900]), st.booleans()
)


@settings(max_examples=60, deadline=None)
@given(st.lists(REPORT, min_size=2, max_size=8))
def test_clock_and_pings_tell_the_same_however_long_the_silences(
    reports: list[tuple[int, int, bool]],
) -> None:
    """Overstaying or arriving late: with the clock heard before some of the pings, or after them all."""
    made = ground().route("R", (-20_000, 0), (20_000, 0), half_width_m=500)
    made.journeys[0] |= {"route": "R", "due_at": iso(7200)}
    plan, at_s = made.plan(), 0
    by_ping, by_time, story = Core(plan), Core(plan), []
    for after_s, x, heard in reports:
        at_s += after_s
        if heard:
            by_time.pass_time(at_s - 1)
        story.append(ping(at_s, x))
        by_time.tell(story[-1:])
    by_ping.tell(story)
    assert by_time.lines().decode() == by_ping.lines().decode()
