"""EQUIPMENT_OFFLINE: a camera, scanner or reader has missed three heartbeats, or was said to be offline."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from arrivals import Service
from story import T0_MS, Core, Ground, Ping, at, batch, iso, one, only, ping, span, told

RULE = "EQUIPMENT_OFFLINE"
CAMERA = "equip/CAM-1"


def ground(heartbeat_s: float = 60, **more: Any) -> Ground:
    return Ground().equipment("CAM-1", heartbeat_s, **more)


def beats(*moments_s: float, **more: Any) -> list[Ping]:
    return [ping(s, of=CAMERA, **more) for s in moments_s]


def offline(second: float) -> list[Ping]:
    return beats(second, facts=["offline"])


def test_three_missed_heartbeats_raise_it_and_the_next_one_clears_it() -> None:
    """It began with the last heartbeat and is dated to when the third was due."""
    found = one(told(ground(), beats(0, 60, 300, 360)), RULE)
    assert span(found) == (60, 240, 300, 300)
    assert (found.severity, found.subject_kind, found.subject) == ("medium", "equipment", "CAM-1")
    assert (found.journey, found.object) == (None, None)


def test_three_intervals_to_the_millisecond_are_none() -> None:
    """180 s after a heartbeat of 60 s the fourth is still in time."""
    assert not told(ground(), beats(0, 180, 360))
    assert span(one(told(ground(), beats(0, 180.001)), RULE)) == (0, 180, 180.001, 180.001)


def test_the_clock_raises_what_no_heartbeat_tells() -> None:
    """At the same time as the next heartbeat would; neither too early, nor twice."""
    assert not told(ground(), beats(0, 60), now_s=240)
    found = one(told(ground(), beats(0, 60), now_s=5000), RULE)
    assert span(found) == (60, 240, None, None)
    core = Core(ground().plan())
    core.feed(batch(beats(0, 60), core.numbers))
    for now_s in (200, 241, 300, 400):
        core.pass_time(now_s)
    core.feed(batch(beats(500, 560), core.numbers))
    whole = one(told(ground(), beats(0, 60, 500, 560)), RULE)
    assert list(core.episodes.values()) == [whole]
    assert span(whole) == (60, 240, 500, 500)


def test_said_to_be_offline_it_is_raised_at_once() -> None:
    """A last will: the episode begins then, and ends with the next heartbeat, however long that takes."""
    found = one(
        told(ground(), [*beats(0, 60), *offline(70), *offline(100), *beats(5000, 5060)], now_s=5070), RULE
    )
    assert span(found) == (70, 70, 5000, 5000)
    assert (found.evidence["status"], found.evidence["silent_s"]) == ("offline", 4930)


def test_said_to_be_offline_after_it_fell_silent_it_stays_so() -> None:
    """The broker's word is no heartbeat: one episode, from the last heartbeat to the next."""
    found = one(told(ground(), [*beats(0), *offline(400), *beats(500)]), RULE)
    assert span(found) == (0, 180, 500, 500)


def test_the_first_word_may_be_that_it_is_offline() -> None:
    """Nothing need have been heard before."""
    assert span(one(told(ground(), offline(10)), RULE)) == (10, 10, None, None)


def test_only_equipment_of_the_plan_is_watched() -> None:
    """Not what is silent without having been heard, nor a seal."""
    assert not told(ground(), [ping(0, of="S1"), ping(5000, of="S1")], now_s=90_000)


def test_each_has_its_own_interval() -> None:
    """A reader of an hour beside a camera of a minute."""
    made = ground().equipment("RD-1", 3600, kind="reader")
    story = [p | {"of": of} for p in beats(0, 4000) for of in (CAMERA, "equip/RD-1")]
    assert [e.subject for e in only(told(made, story), RULE)] == ["CAM-1"]


def test_evidence_says_since_when_and_how_long() -> None:
    """Last heartbeat, limit, where it stands, and in the end the whole silence."""
    evidence = one(told(ground(unit=None), beats(0, 60, 300)), RULE).evidence
    assert evidence == {
        "limit_s": 180, "last_ping": iso(60), "fixes": [stands(60)], "silent_s": 240,
    }  # fmt: skip


def stands(second: float) -> dict[str, Any]:
    """Where the camera was then."""
    lon, lat = at(0, 0)
    return {"time": iso(second), "lon": lon, "lat": lat}


def test_equipment_that_the_plan_has_moved_is_told_where_its_last_heartbeat_left_it() -> None:
    """By the clock or by the next heartbeat: the version in force at the last one decides."""
    moved = Ground().equipment("CAM-1", 60, lon=107.0, lat=21.0).plan(2)
    for pings, now_s in ((beats(0), 500), (beats(0, 500), None)):
        found = one(told(ground(), pings, now_s=now_s, later=[(100, moved)]), RULE)
        assert (span(found)[:2], found.evidence["fixes"]) == ((0, 180), [stands(0)])
    again = one(told(ground(), beats(0, 120), now_s=500, later=[(100, moved)]), RULE)
    assert again.evidence["fixes"] == [{"time": iso(120), "lon": 107.0, "lat": 21.0}]


@pytest.mark.parametrize("heartbeat_s", [0.5, 60, 86_400])
def test_the_limit_is_of_its_own_heartbeat(heartbeat_s: float) -> None:
    """Half a second or a day."""
    found = one(told(ground(heartbeat_s), beats(0, 3 * heartbeat_s + 1)), RULE)
    assert span(found)[:2] == (0, 3 * heartbeat_s)


def test_policy_may_set_intervals_and_severity() -> None:
    """Five missed ones, and high."""
    made = ground().policy(f"default.{RULE}", intervals=5, severity="high")
    assert not told(made, beats(0, 300))
    assert one(told(made, beats(0, 301)), RULE).severity == "high"


def test_latched_it_outlasts_the_heartbeat() -> None:
    """Until somebody has looked."""
    made = ground().policy(f"default.{RULE}", latched=True)
    found = one(told(made, beats(0, 300, 360, 420)), RULE)
    assert (span(found), found.latched) == ((0, 180, None, None), True)


def test_what_was_in_force_at_the_last_heartbeat_decides() -> None:
    """A longer interval from 100 s on does not excuse the silence since 60 s."""
    later = [(100, ground(600).plan(2))]
    found = one(told(ground(), beats(0, 60, 300, 360, 1500), later=later), RULE)
    assert (span(found), found.plan_version) == ((60, 240, 300, 300), 1)


def test_equipment_never_heard_is_offline_from_the_version_on_that_began_to_watch_it() -> None:
    """By the clock alone, once; a plan that always held and is recorded nowhere says not since when."""
    assert not told(ground(), [], now_s=90_000)
    core = Core(Ground().plan(), later=[(100, ground().plan(2)), (150, ground(3600).plan(3))])
    core.pass_time(280)
    assert not core.episodes
    for now_s in (280.001, 300, 400):
        core.pass_time(now_s)
    (found,) = core.episodes.values()
    assert (span(found), found.plan_version) == ((100, 280, None, None), 2)
    assert found.evidence == {"limit_s": 180, "watched_at": iso(100), "fixes": [stands(100)]}
    core.feed(batch(beats(500, 560), core.numbers))
    by_beats = one(
        told(Ground(), beats(500, 560), later=[(100, ground().plan(2)), (150, ground(3600).plan(3))]), RULE
    )
    assert list(core.episodes.values()) == [by_beats]
    assert span(by_beats) == (100, 280, 500, 500)


def test_in_a_plan_that_always_held_it_is_watched_from_when_that_was_recorded() -> None:
    """By our clock; what was heard before that counts as always."""
    plan = replace(ground().plan(), recorded_ms=T0_MS + 50_000)
    core = Core(plan)
    core.pass_time(231)
    assert [span(e) for e in core.episodes.values()] == [(50, 230, None, None)]
    heard = Core(plan)
    heard.feed(batch(beats(0), heard.numbers))
    heard.pass_time(231)
    assert [span(e) for e in heard.episodes.values()] == [(0, 180, None, None)]


def test_heard_late_it_was_never_offline() -> None:
    """Its heartbeats were on their way; whatever was raised meanwhile is taken back, also over a start."""
    plans = Ground().plan(), [(100, ground().plan(2)), (1000, Ground().plan(3))]
    service = Service(Core(*plans))
    service.tick(400)
    service.restart()
    assert [e.transition for e in service.events] == ["raised"]
    service.feed(batch(beats(*range(60, 1000, 60)), service.core.numbers))
    service.tick(405)
    assert not service.store.episodes
    assert service.folded()


def test_watched_again_it_is_silent_anew() -> None:
    """Taken out it is forgotten; put back it has not been heard since; a start finds all of it as it was."""
    later = [(1000, Ground().plan(2)), (2000, ground().plan(3))]
    expected = [(0, 180, 1000, 1000), (2000, 2180, None, None)]
    for looks_s in ((9000,), (500, 1500, 2100, 2500, 9000)):
        service = Service(Core(ground().plan(), later))
        service.feed(batch(beats(0), service.core.numbers))
        for now_s in looks_s:
            service.tick(now_s)
        assert sorted(span(e) for e in service.store.episodes) == expected
        n_told = len(service.events)
        service.restart()
        service.tick(9000)
        assert len(service.events) == n_told


@pytest.mark.parametrize("how", ["taken out", "switched off"])
def test_what_the_plan_no_longer_watches_is_not_offline(how: str) -> None:
    """What was raised ends where that version begins; nothing more is raised, by the clock either."""
    off = Ground() if how == "taken out" else ground().policy(f"default.{RULE}", enabled=False)
    found = one(told(ground(), beats(0, 60), later=[(1000, off.plan(2))], now_s=900), RULE)
    assert span(found) == (60, 240, None, None)
    core = Core(ground().plan(), later=[(1000, off.plan(2))])
    core.feed(batch(beats(0, 60), core.numbers))
    for now_s in (500, 1500, 9000):
        core.pass_time(now_s)
    (found,) = core.episodes.values()
    assert (span(found), found.evidence["closed_by"]) == ((60, 240, 1000, 1000), "plan_changed")
    early = Core(ground().plan(), later=[(200, off.plan(2))])
    early.feed(batch(beats(0, 60), early.numbers))
    early.pass_time(9000)
    assert not early.episodes


def test_it_belongs_to_its_unit() -> None:
    """Who must look after it."""
    plan = ground().plan()
    core = Core(replace(plan, equipment=(replace(plan.equipment[0], unit="GATE-7"),)))
    (found,) = core.tell(beats(0, 300))
    assert (found.unit, found.subject, found.seal) == ("GATE-7", "CAM-1", CAMERA)
