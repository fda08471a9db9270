"""SIGNAL_LOST: a gap between pings, or from the last ping to now or to disarming, longer than the seal's mode allows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from arrivals import Service
from story import T0_MS, Core, Ground, Ping, batch, iso, one, only, ping, span, told

RULE = "SIGNAL_LOST"


def armed(**more: Any) -> Ground:
    """A journey of a seal that may stand wherever it likes, and drive where it likes while it is silent."""
    made = Ground().journey(**more).policy("default.UNOBSERVED_GAP", enabled=False)
    return made.policy("default.STOP_UNPLANNED", enabled=False)


def talk(*moments: float, **more: Any) -> list[Ping]:
    return [ping(s, 0, **more) for s in moments]


def test_a_gap_of_more_than_ten_minutes_is_a_lost_signal() -> None:
    """It begins at the last ping, is raised at the limit, and ends with the next ping."""
    found = one(told(armed(), talk(0, 30, 630.001)), RULE)
    assert span(found) == (30, 630, 630.001, 630.001)
    assert (found.severity, found.journey, found.object) == ("high", "J-S1", None)


def test_a_gap_of_ten_minutes_is_none() -> None:
    """> the limit, not at it."""
    assert not told(armed(), talk(0, 600, 1200))


@pytest.mark.parametrize(
    ("says", "limit_s"),
    [
        ({"interval_s": 30}, 600),
        ({"interval_s": 200}, 600),
        ({"interval_s": 201}, 603),
        ({"interval_s": 900, "mode": "awake"}, 2700),
        ({"mode": "asleep"}, 3900),
        ({"mode": "asleep", "interval_s": 1200}, 3900),
        ({"mode": "asleep", "interval_s": 1800}, 5400),
        ({"mode": "dozing"}, 600),
    ],
)
def test_the_earlier_pings_mode_and_interval_set_the_limit(says: dict[str, Any], limit_s: float) -> None:
    """> 3 times the interval, at least 10 min awake and 65 min asleep; what the later ping says does not count."""
    later: dict[str, Any] = {"mode": "awake", "interval_s": 7200}
    assert not told(armed(), [ping(0, 0, **says), ping(limit_s, 0, **later)])
    found = one(told(armed(), [ping(0, 0, **says), ping(limit_s + 0.001, 0, **later)]), RULE)
    assert span(found)[1] == limit_s
    assert found.evidence["limit_s"] == limit_s


def test_pings_without_a_fix_are_talking() -> None:
    """A seal in a cellar is heard."""
    assert not only(told(armed(), [ping(s) for s in (0, 500, 1000, 1500)]), RULE)


def test_a_ping_with_a_wrong_clock_is_heard_when_it_came() -> None:
    """It counts at its arrival."""
    story = [*talk(0, 900), ping(99_999, 0, received_s=450)]
    assert not told(armed(), story)


def test_silence_up_to_now_is_dated_to_the_last_ping_plus_the_limit() -> None:
    """Never to the tick; it stays open."""
    for now_s in (630.001, 5000):
        found = one(told(armed(), talk(0, 30), now_s=now_s), RULE)
        assert span(found) == (30, 630, None, None)
    assert not told(armed(), talk(0, 30), now_s=630)


def test_a_ping_ends_the_silence_that_now_has_raised() -> None:
    """The same episode as if the gap had been seen between two pings."""
    core = Core(armed().plan())
    core.tell(talk(0, 30), now_s=3000)
    assert span(one(core.tell(talk(3600)), RULE)) == (30, 630, 3600, 3600)
    assert core.lines() == _lines(told_core(talk(0, 30, 3600)))


def test_looking_often_changes_nothing() -> None:
    """A second look at a silence does not raise it again."""
    core = Core(armed().plan())
    core.tell(talk(0), now_s=700)
    for now_s in (705, 710, 1e5):
        core.pass_time(now_s)
    assert span(one(core.episodes.values(), RULE)) == (0, 600, None, None)


def test_evidence_says_since_when_where_and_how_long() -> None:
    """The last ping, the last fix, the limit; how long it was silent once that is known."""
    story = [ping(0, 700), ping(30)]
    evidence = one(told(armed(), story, now_s=5000), RULE).evidence
    assert (evidence["limit_s"], evidence["last_ping"]) == (600, iso(30))
    assert evidence["fixes"] == [{"time": iso(0), "lon": story[0]["lon"], "lat": story[0]["lat"]}]
    assert "silent_s" not in evidence
    assert one(told(armed(), [*story, ping(1030)]), RULE).evidence["silent_s"] == 1000
    assert one(told(armed(), [ping(0), ping(1000)]), RULE).evidence["fixes"] == []


def test_a_fix_that_was_still_held_is_not_where_the_silence_began() -> None:
    """The gap is told the same whether now saw it, when the fix was held, or the ping that let the fix in."""
    story = [ping(0, 0), ping(30, 30_000), ping(1000, 30_100)]
    by_now = Core(armed().plan())
    by_now.tell(story[:2], now_s=800)
    by_now.tell(story[2:])
    assert by_now.lines() == _lines(told_core(story))
    assert one(by_now.episodes.values(), RULE).evidence["fixes"][0]["time"] == iso(0)


def test_silence_ends_with_disarming() -> None:
    """Raised before the end, closed at it; a silence that was not long enough by then is none."""
    found = one(told(armed(disarmed_s=700), talk(0), now_s=5000), RULE)
    assert span(found) == (0, 600, 700, 700)
    assert (found.evidence["silent_s"], found.evidence["closed_by"]) == (700, "disarmed")
    assert one(told(armed(disarmed_s=700), talk(0, 2000)), RULE) == found
    assert not told(armed(disarmed_s=600), talk(0, 2000), now_s=5000)


def test_what_is_before_arming_is_no_silence() -> None:
    """Only pings of the journey count; the first may be the one at arming."""
    assert not told(armed(armed_s=2000), talk(0, 2500))
    assert span(one(told(armed(armed_s=2000), talk(0, 2000, 2601)), RULE)) == (2000, 2600, 2601, 2601)
    assert not told(Ground(), talk(0, 5000), now_s=9000)


def test_silence_over_two_journeys_is_counted_in_each_by_itself() -> None:
    """The first ends at its end; that of the next begins with its arming."""
    made = armed(disarmed_s=1000).journey(id="J-2", armed_s=1000)
    found = told(made, talk(0, 3000), now_s=3001)
    assert [(e.journey, span(e)) for e in only(found, RULE)] == [
        ("J-2", (1000, 1600, 3000, 3000)),
        ("J-S1", (0, 600, 1000, 1000)),
    ]


def test_a_seal_never_heard_is_silent_from_its_arming_on() -> None:
    """Raised by the clock alone at the limit, once, and never before; whether the seal was ever heard of or not."""
    for heard in ([], talk(-500)):
        core = Core(armed().plan())
        core.tell(heard, now_s=600)
        assert not core.episodes
        for now_s in (600.001, 700, 1e5):
            core.pass_time(now_s)
        found = one(core.episodes.values(), RULE)
        assert (span(found), found.journey) == ((0, 600, None, None), "J-S1")
        assert (found.evidence["armed_at"], found.evidence.get("last_ping")) == (
            iso(0),
            iso(-500) if heard else None,
        )
        assert one(core.tell(talk(2000)), RULE).evidence["silent_s"] == 2000
        assert core.lines() == _lines(told_core([*heard, *talk(2000)]))


@pytest.mark.parametrize(
    ("says", "limit_s"), [({}, 600), ({"mode": "asleep"}, 3900), ({"interval_s": 900}, 2700)]
)
def test_how_it_reported_before_it_was_armed_sets_the_limit(says: dict[str, Any], limit_s: float) -> None:
    """Awake where it said nothing, or was never heard."""
    assert not told(armed(armed_s=1000), talk(0, **says), now_s=1000 + limit_s)
    found = one(told(armed(armed_s=1000), talk(0, **says), now_s=1e5), RULE)
    assert span(found) == (1000, 1000 + limit_s, None, None)


def test_where_it_was_before_its_arming_is_told() -> None:
    """The last fix says where a seal is that has said nothing since."""
    (fix,) = one(told(armed(armed_s=1000), talk(0), now_s=1e5), RULE).evidence["fixes"]
    assert fix["time"] == iso(0)


def test_every_journey_is_passed_whoever_comes_by_first() -> None:
    """Two journeys in which nothing was heard, told by the clock or by the first ping after both."""
    made = armed(disarmed_s=1000).journey(id="J-2", armed_s=1500, disarmed_s=4000)
    expected = [("J-2", (1500, 2100, 4000, 4000)), ("J-S1", (0, 600, 1000, 1000))]
    for story, looks_s in (([], (9000.0,)), ([], (700, 1200, 1700, 2200, 9000)), (talk(8000), ())):
        core = Core(made.plan())
        for now_s in looks_s:
            core.pass_time(now_s)
        core.tell(story)
        assert sorted((e.journey, span(e)) for e in core.episodes.values()) == expected
        assert all(e.evidence["silent_s"] in (1000, 2500) for e in core.episodes.values())


def test_what_was_in_force_at_the_arming_decides() -> None:
    """A version that begins before the limit is over changes nothing of it."""
    later = [(300, armed().policy(f"default.{RULE}", awake_floor_s=7200, severity="low").plan(2))]
    found = one(told(armed(), [], now_s=1e5, later=later), RULE)
    assert (span(found)[1], found.severity, found.plan_version) == (600, "high", 1)


def test_silence_since_arming_that_is_filled_late_was_none() -> None:
    """The seal was sending into its buffer; the pings before its arming are no more than that."""
    service = Service(Core(armed().plan()))
    service.tick(700)
    assert [e.transition for e in service.events] == ["raised"]
    service.feed(batch(talk(-30, 300, 690), service.core.numbers))
    service.tick(705)
    assert not service.store.episodes
    assert [e.transition for e in service.events] == ["raised", "retracted"]


def test_a_start_tells_nothing_of_a_silence_that_it_finds() -> None:
    """A seal that was never heard has no pings and no checkpoint, only what is stored of it."""
    service = Service(Core(armed(disarmed_s=5000).plan()))
    for now_s in (700, 6000):
        service.tick(now_s)
        stored, told_before = service.lines(), len(service.events)
        service.restart()
        service.tick(now_s)
        assert (service.lines(), len(service.events)) == (stored, told_before)
    assert [e.transition for e in service.events] == ["raised", "cleared"]


def test_a_seal_that_empties_its_buffer_is_not_told_to_be_silent() -> None:
    """The pings it sends are of before its arming, but it talks."""
    service = Service(Core(armed(armed_s=1000).plan()))
    service.feed(batch(talk(500), service.core.numbers))
    service.tick(2000, all_seals=False)
    assert not service.events
    service.tick(2005, all_seals=False)
    assert [e.transition for e in service.events] == ["raised"]


def test_a_journey_that_is_armed_or_ended_late_moves_the_silence() -> None:
    """Facts told late of a seal never heard count from when they took effect."""
    plan = armed().plan()
    service = Service(Core(plan))
    service.tick(2000)
    (journey,) = plan.journeys
    service.learn([replace(journey, disarmed_at_ms=T0_MS + 500_000)], service.core.versions)
    assert not service.store.episodes
    service.learn([replace(journey, armed_at_ms=T0_MS + 500_000)], service.core.versions)
    service.tick(2005)
    assert [span(e) for e in service.store.episodes] == [(500, 1100, None, None)]
    service.learn([], service.core.versions)
    assert not service.store.episodes
    assert service.folded()


def test_a_gap_that_is_filled_later_was_none() -> None:
    """Filled late → retracted, and the events say so."""
    service = Service(Core(armed().plan()))
    for story in (talk(0), talk(1000), talk(500)):
        service.feed(batch(story, service.core.numbers))
    assert not service.store.episodes
    assert [e.transition for e in service.events] == ["raised", "cleared", "retracted"]
    assert service.folded()


def test_a_gap_that_is_filled_in_part_is_shorter() -> None:
    """A late ping in the gap ends one silence and begins another; the first keeps its id, the rest follows from it."""
    service = Service(Core(armed().plan()))
    for story in (talk(0), talk(3000), talk(1000)):
        service.feed(batch(story, service.core.numbers))
    assert sorted(span(e) for e in service.store.episodes) == [
        (0, 600, 1000, 1000),
        (1000, 1600, 3000, 3000),
    ]
    assert service.folded()


def test_silence_that_now_raised_is_retracted_when_the_buffer_comes() -> None:
    """The seal was sending into its buffer: what arrives late shows that nothing was lost."""
    service = Service(Core(armed().plan()))
    service.feed(batch(talk(0), service.core.numbers))
    service.tick(900)
    assert [e.transition for e in service.events] == ["raised"]
    service.feed(batch(talk(300, 600, 890), service.core.numbers))
    service.tick(905)
    assert not service.store.episodes
    assert [e.transition for e in service.events] == ["raised", "retracted"]


def test_policy_may_set_its_limits() -> None:
    """Missed intervals, floors awake and asleep, severity, by regime and route."""
    made = armed().policy(
        f"transit.{RULE}", intervals=2, awake_floor_s=60, asleep_floor_s=120, severity="medium"
    )
    assert not told(made, talk(0, 60))
    assert one(told(made, talk(0, 61)), RULE).severity == "medium"
    assert not told(made, talk(0, 100, interval_s=50))
    assert only(told(made, talk(0, 101, interval_s=50)), RULE)
    assert not told(made, talk(0, 120, mode="asleep"))
    assert not told(armed().policy(f"default.{RULE}", enabled=False), talk(0, 5000), now_s=20_000)


def test_a_latched_silence_is_not_ended_by_a_ping() -> None:
    """`latched`: an officer or disarming ends it; other silences meanwhile are part of it."""
    made = armed(disarmed_s=9000).policy(f"default.{RULE}", latched=True)
    found = one(told(made, talk(0, 1000, 1500, 3000, 3100)), RULE)
    assert (span(found), found.latched) == ((0, 600, None, None), True)
    closed = one(told(made, talk(0, 1000, 1500, 3000, 3100), now_s=9500), RULE)
    assert (span(closed), closed.evidence["closed_by"]) == ((0, 600, 9000, 9000), "disarmed")


def test_a_silence_across_a_change_of_policy_is_told_the_same_by_now_and_by_the_next_ping() -> None:
    """What a look at the clock raised, a ping that came into the same silence must not leave open for ever."""
    shorter = armed().policy(f"default.{RULE}", awake_floor_s=300).plan(2)
    later = [(420, shorter)]
    story = [*talk(0), *talk(400), *talk(460, 500)]
    whole = Core(armed().plan(), later)
    whole.tell(story, now_s=520)
    service = Service(Core(armed().plan(), later))
    service.feed(batch(story[:1], service.core.numbers))
    service.tick(450)
    for one_ping in story[1:]:
        service.feed(batch([one_ping], service.core.numbers))
    service.tick(520)
    assert service.lines().decode() == whole.lines().decode()


def told_core(story: list[Ping]) -> Core:
    core = Core(armed().plan())
    core.tell(story)
    return core


def _lines(core: Core) -> bytes:
    return core.lines()
