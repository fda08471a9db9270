"""Rules across devices in a space's judging on a real database: starts, late pings, changed facts, the end of a journey."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, cast

import numpy as np
import pytest
from story import T0_MS, Ground, Ping, batch, ping, span

from seal_tracker.model import LIVE, NO_TIME, Episode, Event
from seal_tracker.pipeline import Pipeline
from seal_tracker.planning import changed_journeys
from seal_tracker.plans.model import Plan
from seal_tracker.space import SpaceJudge
from seal_tracker.store import Store

DETACHMENT = "DETACHMENT"
TRAILER = [{"id": "T1", "role": "trailer"}]
ALONE = {"number": "P-1", "structures": [{"zone": "bridge", "alone": True}]}


@pytest.fixture
async def store(postgres_dsn: str) -> AsyncIterator[Store]:
    opened = await Store.open(postgres_dsn)
    yield opened
    await opened.close()


class Space:
    """The live space's judging and the committing around it, without a broker; it may be started again."""

    def __init__(self, store: Store, plan: Plan) -> None:
        self.store = store
        self.plan = plan
        self.events: list[Event] = []

    async def start(self, plan: Plan | None = None) -> None:
        """As the service does, by a plan that may be another than before."""
        before, self.plan = self.plan, plan or self.plan
        self.judging = SpaceJudge(LIVE, self.store)
        self.pipeline = Pipeline(
            cast("Any", None), self.store, {LIVE: self.judging}, lambda done: self.events.extend(done.events),
            tenant="demo", instance="test", next_sequence=await self.store.last_sequence() + 1,
            clock_ms=lambda: T0_MS,
        )  # fmt: skip
        await self.pipeline.commit_prepared(LIVE, await self.judging.open([(NO_TIME, before)]))
        await self.judging.use_plans([(NO_TIME, self.plan)])
        changed = changed_journeys(before.journeys, self.plan.journeys)
        await self.pipeline.commit_prepared(LIVE, await self.judging.rejudge_since(changed))

    async def hear(self, *pings: Ping) -> None:
        """One batch."""
        await self.judging.know({p.get("of", "S1") for p in pings})
        prepared = await self.judging.prepare(batch(pings, self.judging.numbers))
        await self.pipeline.commit_prepared(LIVE, prepared)

    async def pass_time(self, second: float) -> None:
        now_ms = T0_MS + round(second * 1000)
        await self.pipeline.commit_prepared(LIVE, await self.judging.pass_time(now_ms))

    def told(self) -> list[tuple[str, str | None, str]]:
        """(type, object, transition) of what was told since the last call, of rules across devices."""
        events, self.events = self.events, []
        mine = ("DETACHMENT", "CONVOY_SEPARATION", "STRUCTURE_SHARED")
        return [(e.episode.type, e.episode.object, e.transition) for e in events if e.episode.type in mine]

    async def stored(self, rule: str = DETACHMENT) -> list[Episode]:
        """What the database has, retracted episodes left out."""
        return [e async for e in self.store.stream_episodes(LIVE) if e.type == rule]


def lorry(**more: Any) -> Plan:
    return Ground().journey("S1", devices=TRAILER, **more).plan()


def of(device: str, pings: Sequence[Ping]) -> list[Ping]:
    return [{**p, "of": device} for p in pings]


def detour(start_s: float, end_s: float) -> list[Ping]:
    """The lorry goes round by a road 1,000 m away between 60 s and 240 s."""
    times = np.arange(start_s, end_s + 1, 30).tolist()
    return [ping(t, 0, 1000 if 60 <= t <= 240 else 0) for t in times]


async def test_a_detachment_goes_on_over_a_start_and_late_pings_of_the_trailer_take_it_back(
    store: Store,
) -> None:
    """Between two fixes of the trailer a straight line said where it was, till those that it had kept were heard."""
    space = Space(store, lorry())
    await space.start()
    await space.hear(*detour(0, 120), *of("T1", [ping(0, 0)]))
    assert space.told() == []
    await space.hear(*of("T1", [ping(300, 0)]))
    assert space.told() == []
    await space.hear(*detour(150, 240))
    assert space.told() == [(DETACHMENT, "T1", "raised")]
    (found,) = await space.stored()
    assert span(found) == (60, 180, None, None)
    await space.start()
    assert space.told() == []
    await space.hear(*detour(270, 330))
    assert space.told() == [(DETACHMENT, "T1", "cleared")]
    (found,) = await space.stored()
    assert span(found) == (60, 180, 270, 300)
    await space.hear(*of("T1", detour(30, 270)))
    assert space.told() == [(DETACHMENT, "T1", "retracted")]
    assert await space.stored() == []


async def test_late_pings_of_the_lead_move_a_detachment_that_stands(store: Store) -> None:
    """It began earlier than was known: the same alarm, told anew."""
    space = Space(store, lorry())
    await space.start()
    trailer = of("T1", [ping(t, 0) for t in range(0, 601, 30)])
    await space.hear(*[ping(t, 0, 1000 if t >= 300 else 0) for t in range(0, 601, 60)], *trailer)
    (found,) = await space.stored()
    assert span(found) == (270, 390, None, None)
    space.told()
    await space.hear(ping(250, 0, 500))
    assert [e.transition for e in space.events if e.episode.type == DETACHMENT] == ["updated"]
    event = next(e for e in space.events if e.episode.type == DETACHMENT)
    assert event.references == (found.episode,)
    assert event.late
    (moved,) = await space.stored()
    assert span(moved) == (250, 390, None, None)


async def test_a_journey_ends_what_was_open_though_nothing_was_heard_since_the_start(store: Store) -> None:
    """By now alone, once; a second start does not undo it, and what the trailer had kept may yet tell otherwise."""
    space = Space(store, lorry(disarmed_s=600))
    await space.start()
    await space.hear(*[ping(t, 0, 1000) for t in range(0, 601, 30)], *of("T1", detour(0, 30)))
    await space.hear(*of("T1", [ping(t, 0) for t in range(60, 301, 30)]))
    assert space.told() == [(DETACHMENT, "T1", "raised")]
    await space.start()
    await space.pass_time(599)
    assert space.told() == []
    await space.pass_time(600)
    await space.pass_time(605)
    assert space.told() == [(DETACHMENT, "T1", "cleared")]
    (found,) = await space.stored()
    assert (span(found)[2:], found.evidence["closed_by"]) == ((600, 600), "disarmed")
    await space.start()
    await space.hear(*of("T1", [ping(330, 0, 0)]))
    assert space.told() == []
    await space.hear(*of("T1", [ping(t, 0, 1000) for t in range(390, 481, 30)]))
    assert space.told() == [(DETACHMENT, "T1", "updated")]
    (found,) = await space.stored()
    assert span(found)[2:] == (390, 420)


async def test_what_is_compared_follows_the_journeys_facts(store: Store) -> None:
    """A trailer that is found to be an escort was never detached; its gap is judged instead, from arming on."""
    space = Space(store, lorry())
    await space.start()
    await space.hear(*[ping(t, 0, 1000) for t in range(0, 301, 30)])
    await space.hear(*of("T1", [ping(t, 0) for t in range(0, 301, 30)]))
    assert space.told() == [(DETACHMENT, "T1", "raised")]
    await space.start(Ground().journey("S1", devices=[{"id": "T1", "role": "escort"}]).plan(2))
    assert sorted(space.told()) == [("CONVOY_SEPARATION", "T1", "raised"), (DETACHMENT, "T1", "retracted")]
    await space.start(Ground().journey("S1").plan(3))
    assert space.told() == [("CONVOY_SEPARATION", "T1", "retracted")]


async def test_a_journey_that_is_struck_out_shared_no_bridge_with_any_other(store: Store) -> None:
    """Both episodes go, also that of the journey whose own facts are as before."""

    def bridge() -> Ground:
        return Ground().zone("bridge", 0, 0, 200, "structure").journey("S1", permit=ALONE)

    space = Space(store, bridge().journey("S2", permit=ALONE).plan())
    await space.start()
    await space.hear(
        *[ping(t, 0) for t in range(0, 91, 30)], *of("S2", [ping(t, 0) for t in range(0, 91, 30)])
    )
    assert space.told() == [("STRUCTURE_SHARED", "bridge", "raised")] * 2
    await space.start(bridge().plan(2))
    assert space.told() == [("STRUCTURE_SHARED", "bridge", "retracted")] * 2
    assert await space.stored("STRUCTURE_SHARED") == []


async def test_a_pair_that_is_in_doubt_is_read_anew_and_tells_the_same(store: Store) -> None:
    """Whatever part of what is known is forgotten: the next batch tells only what is new."""
    space = Space(store, lorry())
    await space.start()
    await space.hear(*detour(0, 210), *of("T1", [ping(t, 0) for t in range(0, 211, 30)]))
    assert space.told() == [(DETACHMENT, "T1", "raised")]
    space.judging.forget([space.judging.numbers["T1"]])
    await space.pass_time(220)
    await space.hear(*detour(240, 300))
    space.judging.forget([space.judging.numbers["S1"]])
    await space.hear(*of("T1", [ping(t, 0) for t in range(240, 301, 30)]))
    assert space.told() == [(DETACHMENT, "T1", "cleared")]


async def test_what_a_seal_alone_has_raised_is_left_to_the_first_stage(store: Store) -> None:
    """Both stages' episodes are of one journey: neither takes back what the other has told."""
    ground = Ground().zone("depot", 0, 1000, 200, "prohibited").journey("S1", devices=TRAILER)
    space = Space(store, ground.plan())
    await space.start()
    await space.hear(*detour(0, 210), *of("T1", [ping(t, 0) for t in range(0, 211, 30)]))
    raised = {(e.episode.type, e.transition) for e in space.events}
    assert raised == {(DETACHMENT, "raised"), ("PROHIBITED_ZONE", "raised")}
    await space.start()
    await space.hear(*detour(240, 240), *of("T1", [ping(240, 0)]))
    await space.hear(*of("T1", [ping(75, 0)]), ping(75, 0, 1000))
    assert not [e for e in space.events if e.transition == "retracted"]
    (inside,) = await space.stored("PROHIBITED_ZONE")
    assert span(inside) == (60, 60, None, None)
