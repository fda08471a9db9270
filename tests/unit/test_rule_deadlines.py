"""ARRIVAL_LATE and TRANSIT_LIMIT.

The route runs east along y = 0 for 40 km, an hour at the default mean speed of 40 km/h, so that x km of it are x · 90 s.
"""

from __future__ import annotations

from typing import Any

import pytest
from arrivals import Service
from story import Core, Ground, Ping, batch, iso, only, ping, span, told

from seal_tracker.model import Episode
from seal_tracker.plans.model import Plan

ARRIVAL, LIMIT = "ARRIVAL_LATE", "TRANSIT_LIMIT"

H = 3600.0


def road(due_s: float | None = None, **more: Any) -> Ground:
    """A journey along the route, due at a moment."""
    made = Ground().route("R", (0, 0), (40_000, 0))
    due = {} if due_s is None else {"due_at": iso(due_s)}
    return made.journey(**{"route": "R"} | due | more)


def late(ground: Ground, story: list[Ping], **more: Any) -> list[Episode]:
    return only(told(ground, story, **more), ARRIVAL)


def limit(ground: Ground, story: list[Ping], **more: Any) -> list[Episode]:
    return only(told(ground, story, **more), LIMIT)


def standing(*moments: float, x_m: float = 20_000) -> list[Ping]:
    return [ping(s, x_m) for s in moments]


def test_an_arrival_later_than_due_and_tolerance_for_five_minutes_is_late() -> None:
    """At 20 km the rest takes 30 min; due after 2 h, tolerance 30 min: late from 2 h on, told 300 s later."""
    story = standing(7140, 7205, 7300, 7500, 7506, 7800)
    found = late(road(2 * H), story)[0]
    assert span(found) == (7205, 7506, None, None)
    assert (found.severity, found.journey, found.object) == ("medium", "J-S1", None)


def test_an_arrival_within_the_tolerance_is_not_late() -> None:
    """Exactly 30 min late is tolerated; so is what lasts 299 s."""
    assert not late(road(2 * H), [*standing(0, 7100), ping(7210, 20_200), ping(7600, 24_600)])
    assert not late(road(2 * H), standing(7190, 7210, 7509))
    assert late(road(2 * H), standing(7190, 7210, 7510))


def test_it_is_over_when_the_expected_arrival_recovers() -> None:
    """One fix that has made up the time."""
    story = [*standing(7500, 7900), ping(8200, 27_000), ping(8500, 34_800)]
    assert span(late(road(2 * H), story[:3])[0]) == (7500, 7900, None, None)
    assert span(late(road(2 * H), story)[0]) == (7500, 7900, 8500, 8500)


def test_who_has_arrived_in_time_is_not_late_however_long_he_waits() -> None:
    """On time at the end of the route, then half a day in the yard; 600 m before the end is not there yet."""
    in_time, waiting = ping(2 * H, 39_800), [ping(s, 39_900) for s in (9000, 9400, 9800, 50_000)]
    assert not late(road(2 * H), [ping(6900, 37_000), in_time, *waiting])
    short_of_it = [ping(s, 39_400) for s in (7200, 9000, 9400)]
    assert span(late(road(2 * H), short_of_it)[0]) == (9000, 9400, None, None)


def test_who_arrives_late_stays_as_late_as_he_came() -> None:
    """45 min late at the end; the wait adds nothing."""
    story = [ping(7000, 37_000), ping(9900, 39_900), ping(10_000, 39_950), ping(10_300, 40_000)]
    found = late(road(2 * H), story)[0]
    assert span(found) == (9900, 10_300, None, None)
    assert (found.evidence["expected_at"], found.evidence["late_s"]) == (iso(9900), 2700)


def test_who_leaves_the_end_again_has_not_arrived() -> None:
    """The way back to it is counted anew, and so is the time."""
    story = [ping(7000, 39_900), ping(8000, 30_000), ping(9300, 39_400), ping(9700, 39_450)]
    assert span(late(road(2 * H), story)[0]) == (9300, 9700, None, None)


def test_the_policy_says_how_near_is_arrived() -> None:
    """600 m before the end, where 700 will do."""
    made = road(2 * H).policy(f"route.R.{ARRIVAL}", arrived_m=700)
    assert not late(made, [ping(s, 39_400) for s in (7200, 9000, 9400)])


def test_a_journey_without_route_is_late_when_its_time_is_past() -> None:
    """Nothing is known of the rest of its way."""
    found = late(road(H, route=None), [ping(s, 0) for s in (5399, 5401, 5600, 5701)])[0]
    assert span(found) == (5401, 5701, None, None)
    assert found.evidence["remaining_m"] == 0


def test_a_journey_without_due_time_is_never_late() -> None:
    """There is nothing to be late for; nor is another's due time its own."""
    made = road().journey("S2", due_at=iso(10))
    assert not late(made, standing(0, 50_000, 90_000, 200_000))


def test_pings_without_a_fix_say_nothing_of_the_arrival() -> None:
    """They neither raise, nor break the run."""
    assert not late(road(2 * H), [ping(s) for s in (9000, 9300, 9600)])
    assert span(late(road(2 * H), [ping(9000, 20_000), ping(9200), ping(9300, 20_000)])[0])[:2] == (
        9000,
        9300,
    )


def test_the_evidence_of_a_late_arrival() -> None:
    """When it is expected and when it was planned, as moments; by how much, and the way that is left."""
    evidence = late(road(2 * H), standing(8000, 8300))[0].evidence
    assert evidence["planned_at"] == iso(2 * H)
    assert evidence["late_s"] == pytest.approx(8300 + 1800 - 7200, abs=2)
    assert evidence["expected_at"] == iso(2 * H + evidence["late_s"])
    assert evidence["remaining_m"] == pytest.approx(20_000, abs=20)
    assert (evidence["tolerance_s"], evidence["n_fixes"], len(evidence["fixes"])) == (1800, 2, 2)


def to_the_second(episode: Episode) -> tuple[Any, ...]:
    """Its times; the route is 40 km to a few centimetres."""
    return tuple(None if s is None else round(s) for s in span(episode))


def test_a_seal_that_is_not_heard_of_is_late_by_time_alone() -> None:
    """Last seen at 20 km, 30 min before the end: standing there it is late from 7,200 s on, and that for 5 min."""
    story = standing(3000)
    assert not late(road(2 * H), story, now_s=7499)
    for now_s in (7501, 50_000):
        found = late(road(2 * H), story, now_s=now_s)[0]
        assert to_the_second(found) == (7200, 7500, None, None)
    evidence = found.evidence
    assert (evidence["expected_at"], evidence["late_s"], evidence["last_ping"]) == (
        iso(9300),
        2100,
        iso(3000),
    )
    assert (evidence["remaining_m"], [f["time"] for f in evidence["fixes"]]) == (
        pytest.approx(20_000, abs=20),
        [iso(3000)],
    )


def test_between_two_reports_nobody_is_late_for_not_having_been_heard() -> None:
    """65 min of silence, or three of the intervals that the seal keeps, come before it counts as standing."""
    assert not late(road(2 * H), standing(6000), now_s=9899)
    assert to_the_second(late(road(2 * H), standing(6000), now_s=9901)[0]) == (7200, 9900, None, None)
    seldom = [ping(6000, 20_000, mode="asleep", interval_s=3600)]
    assert not late(road(2 * H), seldom, now_s=16_800)
    assert to_the_second(late(road(2 * H), seldom, now_s=16_801)[0]) == (7200, 16_800, None, None)
    assert not late(road(2 * H), [ping(6000, 20_000), ping(8900, 39_900)], now_s=50_000)


def test_the_next_ping_tells_the_same_lateness_as_the_clock() -> None:
    """Byte for byte; who has arrived in time, though silent, is over it when he says so."""
    made, story = road(2 * H), [*standing(3000), ping(8000, 39_900), ping(8100, 39_900)]
    by_ping, by_time = Core(made.plan()), Core(made.plan())
    by_ping.tell(story)
    by_time.tell(story[:1])
    for now_s in (6900, 7400, 7501, 7700):
        by_time.pass_time(now_s)
    assert len(only(by_time.episodes.values(), ARRIVAL)) == 1
    by_time.tell(story[1:])
    assert by_time.lines() == by_ping.lines()
    assert [to_the_second(e) for e in only(by_ping.episodes.values(), ARRIVAL)] == [(7200, 7500, 8000, 8000)]


def test_a_late_ping_takes_back_or_moves_what_the_clock_has_raised() -> None:
    """From the buffer: at 30 km he was on time, so late from 8,100 s only; with another he had arrived."""
    core = Core(road(2 * H).plan())
    service = Service(core)

    def told_now(*pings: Ping) -> list[tuple[Any, ...]]:
        service.feed(batch(pings, core.numbers))
        service.tick(20_000)
        return [to_the_second(e) for e in service.store.episodes if e.type == ARRIVAL]

    assert told_now(*standing(3000)) == [(7200, 7500, None, None)]
    assert told_now(ping(6000, 30_000)) == [(8100, 9900, None, None)]
    assert told_now(ping(7000, 39_900)) == []
    assert [e.transition for e in service.events if e.episode.type == ARRIVAL][-1] == "retracted"
    assert service.folded()


def test_who_was_late_when_last_heard_is_late_since_then() -> None:
    """The run of the fixes goes on in the silence; and it is told no sooner than that is one."""
    story = standing(7000, 7300)
    assert to_the_second(late(road(2 * H), story, now_s=50_000)[0]) == (7300, 11_200, None, None)


def test_who_was_never_seen_and_is_past_the_due_time_is_late() -> None:
    """Nothing is known of the rest of his way; nobody who has arrived is late for being silent."""
    assert to_the_second(late(road(2 * H), [ping(0)], now_s=50_000)[0]) == (9000, 9300, None, None)
    assert to_the_second(late(road(2 * H), [], now_s=50_000)[0]) == (9000, 9300, None, None)
    assert not late(road(2 * H), [ping(5000, 39_900)], now_s=50_000)


def test_a_plan_that_tolerates_less_makes_late_from_when_it_holds() -> None:
    """Never before; what was raised under the one before stays."""
    story = standing(3000)

    def strict(due_s: float) -> Plan:
        return road(due_s).policy(f"default.{ARRIVAL}", tolerance_min=0).plan(2)

    found = late(road(3 * H), story, now_s=50_000, later=[(10_000, strict(3 * H))])
    assert to_the_second(found[0]) == (10_000, 10_300, None, None)
    found = late(road(2 * H), story, now_s=50_000, later=[(10_000, strict(2 * H))])
    assert to_the_second(found[0]) == (7200, 7500, None, None)


def test_the_policy_sets_speed_and_tolerance_by_route() -> None:
    """At 80 km/h the 20 km take 15 min; no tolerance."""
    made = road(2 * H).policy(f"default.{ARRIVAL}", mean_speed_kmh=20, tolerance_min=0, severity="low")
    made.policy(f"route.R.{ARRIVAL}", mean_speed_kmh=80)
    story = standing(6290, 6310, 6610)
    found = late(made, story)[0]
    assert (span(found)[:2], found.severity) == ((6310, 6610), "low")
    assert not late(road(2 * H).policy(f"transit.{ARRIVAL}", enabled=False), standing(9000, 9300))


def test_the_next_journey_is_late_for_its_own_due_time() -> None:
    """The episode of the first ends with it."""
    made = road(H, disarmed_s=9000).journey(id="J-next", armed_s=9000, route="R", due_at=iso(50_000))
    found = late(made, standing(3000, 6000, 6300, 9100, 9400))
    assert [(e.journey, span(e)) for e in found] == [("J-S1", (6000, 6300, 9000, 9000))]


def short(hours: float = 2, **more: Any) -> Ground:
    """A journey that may be under way for a few hours only."""
    return road(**more).policy(f"default.{LIMIT}", limit_h=hours)


def test_the_transit_limit_is_thirty_days() -> None:
    """True from arming + 720 h, raised 5 min after, whatever the pings say."""
    days = 30 * 24 * H
    found = limit(road(), standing(0, days - 1, days + 299.999))
    assert not found
    found = limit(road(), standing(0, days - 1, days + 300))
    assert span(found[0]) == (days, days + 300, None, None)
    assert (found[0].severity, found[0].latched, found[0].object) == ("high", True, None)


def test_a_silent_seal_uses_up_its_time() -> None:
    """By the clock, dated to the deadline, never to the tick; a ping without a fix will do as well."""
    expected = (2 * H, 2 * H + 300, None, None)
    assert not limit(short(), standing(0, 600), now_s=2 * H + 299)
    for now_s in (2 * H + 300, 50_000):
        assert span(limit(short(), standing(0, 600), now_s=now_s)[0]) == expected
    assert span(limit(short(), [*standing(0), ping(9000)])[0]) == expected


def test_the_clock_and_the_next_ping_tell_the_same_limit() -> None:
    """Byte for byte, however often the clock is heard, before, between and after."""
    made, story = short(), [*standing(0, 600), ping(20_000, 21_000)]
    by_ping, by_time = Core(made.plan()), Core(made.plan())
    by_ping.tell(story)
    by_time.tell(story[:2])
    for now_s in (7000, 7201, 7300, 7501, 9000):
        by_time.pass_time(now_s)
    assert len(only(by_time.episodes.values(), LIMIT)) == 1
    by_time.tell(story[2:])
    assert by_time.lines() == by_ping.lines()


def test_the_limit_is_latched_until_disarming() -> None:
    """It is not over by anything the truck does; disarming before it prevents it."""
    found = limit(short(disarmed_s=30_000), standing(0, 9000, 20_000, 31_000))
    assert [(span(e), e.evidence["closed_by"]) for e in found] == [((7200, 7500, 30_000, 30_000), "disarmed")]
    assert not limit(short(disarmed_s=7400), standing(0, 9000), now_s=50_000)


def test_the_evidence_of_the_limit() -> None:
    """When the time was used up, how long it was, and the last fix known when it was told."""
    evidence = limit(short(), standing(0, 600, 7400, 9000))[0].evidence
    assert (evidence["planned_at"], evidence["limit_h"]) == (iso(2 * H), 2)
    assert [f["time"] for f in evidence["fixes"]] == [iso(7400)]


def test_a_plan_that_gives_less_time_uses_it_up_when_it_begins_to_hold() -> None:
    """Never before."""
    story = standing(0, 600, 20_000)
    for now_s in (None, 20_100):
        found = limit(short(100), story, later=[(10_000, short(2).plan(version=2))], now_s=now_s)
        assert [(span(e), e.plan_version) for e in found] == [((10_000, 10_300, None, None), 2)]


def test_what_was_used_up_in_one_version_stays_so_in_the_next() -> None:
    """The plan changes in the five minutes between: the completing version tells it, from the first one's deadline."""
    for now_s in (None, 7600):
        found = limit(short(2), standing(0, 8000), later=[(7300, short(1.9).plan(version=2))], now_s=now_s)
        assert [(span(e)[:2], e.plan_version) for e in found] == [((7200, 7500), 2)]


def test_a_plan_that_gives_more_time_in_those_minutes_prevents_it() -> None:
    """And its own deadline comes later."""
    story = standing(0, 8000, 20_000)
    found = limit(short(2), story, later=[(7300, short(3).plan(version=2))])
    assert [span(e)[:2] for e in found] == [(3 * H, 3 * H + 300)]


def test_more_time_ends_the_limit_only_where_it_is_not_latched() -> None:
    """`latched` is policy like any other."""
    later = [(9000.0, short(100).policy(f"transit.{LIMIT}", latched=False).plan(version=2))]
    story = standing(0, 8000, 20_000)
    found = limit(short(2).policy(f"transit.{LIMIT}", latched=False), story, later=later)
    assert [(span(e), e.evidence["closed_by"]) for e in found] == [((7200, 7500, 9000, 9000), "plan_changed")]
    stays = limit(short(2), story, later=[(9000, short(100).plan(version=2))])
    assert [span(e) for e in stays] == [(7200, 7500, None, None)]


def test_the_limit_may_be_switched_off() -> None:
    """For a regime that knows none; a later plan that does so ends what is open."""
    off = short(2).policy(f"transit.{LIMIT}", enabled=False)
    assert not limit(off, standing(0, 9000), now_s=50_000)
    found = limit(short(2), standing(0, 8000, 20_000), later=[(9000, off.plan(version=2))])
    assert [span(e) for e in found] == [(7200, 7500, 9000, 9000)]


def test_the_limit_is_set_by_regime_and_route() -> None:
    """The nearest wins; so for the severity and the minutes before it is told."""
    made = short(1).policy(f"transit.{LIMIT}", limit_h=3, raise_s=0, severity="critical")
    made.policy(f"route.R.{LIMIT}", limit_h=2)
    found = limit(made, standing(0, 50_000))
    assert [(span(e)[:2], e.severity) for e in found] == [((7200, 7200), "critical")]


def test_an_officers_reset_ends_the_limit_and_what_is_true_after_it_is_a_new_one() -> None:
    """The time is still used up: told again, from the reset on."""
    reset = [{"at": iso(10_000), "rule": LIMIT, "by": "an officer"}]
    for now_s in (None, 20_100):
        found = limit(short(resets=reset), standing(0, 9000, 20_000), now_s=now_s)
        assert [span(e) for e in found] == [(7200, 7500, 10_000, 10_000), (10_000, 10_300, None, None)]


def test_a_suspension_stops_the_rules_of_time() -> None:
    """Used up in it, the time is told after it; a late arrival under way ends with its beginning."""
    pause = [{"from": iso(7000), "to": iso(9000), "by": "an officer"}]
    found = limit(short(suspensions=pause), standing(0, 8000, 20_000))
    assert [span(e) for e in found] == [(9000, 9300, None, None)]
    made = road(5000, suspensions=pause)
    found = late(made, standing(4000, 6000, 6300, 8000, 9100, 9400))
    assert [span(e) for e in found] == [(6000, 6300, 7000, 7000), (9100, 9400, None, None)]
