"""A space's judging on a real database: what it reads, keeps in memory and gives to be committed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
from story import T0_MS, Ground, batch, iso, ping

from seal_tracker.model import LIVE, NO_TIME, Event
from seal_tracker.pipeline import Pipeline
from seal_tracker.planning import changed_journeys, new_diversions
from seal_tracker.plans.model import Plan
from seal_tracker.space import SpaceJudge
from seal_tracker.store import Store, StoreUnavailable

NOWHERE: dict[str, Any] = {
    "application_name": "none", "timeout_s": 1.0, "lock_wait_s": 1.0,
}  # fmt: skip

SILENT_S = 3_600.0
"""Long enough that a seal which has said nothing since is lost."""


@pytest.fixture
async def store(postgres_dsn: str) -> AsyncIterator[Store]:
    opened = await Store.open(postgres_dsn)
    yield opened
    await opened.close()


class Space:
    """The live space's judging and the committing around it, without a broker."""

    def __init__(self, store: Store, sequence: int = 1) -> None:
        self.judging = SpaceJudge(LIVE, store)
        self.events: list[Event] = []
        self.pipeline = Pipeline(
            cast("Any", None), store, {LIVE: self.judging}, lambda done: self.events.extend(done.events),
            tenant="demo", instance="test", next_sequence=sequence, clock_ms=lambda: T0_MS,
        )  # fmt: skip

    async def open(self, plan: Plan | None, before: Plan | None = None) -> None:
        """As a start does, by a plan that may be another than ``before``, by which the last one judged."""
        plans = [(NO_TIME, plan)] if plan else []
        loaded = await self.judging.open([(NO_TIME, before)] if before else plans)
        await self.pipeline.commit_prepared(LIVE, loaded)
        await self.judging.use_plans(plans)
        then, now = (p.journeys if p else () for p in (before, plan))
        again = await self.judging.rejudge_since(changed_journeys(then, now), new_diversions(then, now))
        await self.pipeline.commit_prepared(LIVE, again)

    async def hear(self, seal: str, second: float, north_m: float = 0, **more: Any) -> None:
        await self.judging.know({seal})
        heard = batch([ping(second, 0, north_m, **more)], self.judging.numbers, seal)
        await self.pipeline.commit_prepared(LIVE, await self.judging.prepare(heard))

    async def pass_time(self, second: float) -> None:
        now_ms = T0_MS + round(second * 1000)
        await self.pipeline.commit_prepared(LIVE, await self.judging.pass_time(now_ms))

    def told(self) -> list[tuple[str, str, str]]:
        return [(e.episode.seal, e.episode.type, e.transition) for e in self.events]


async def test_a_seal_that_talks_is_not_lost_because_the_database_was_away(
    store: Store, postgres_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It empties a buffer of old pings. What time changes is judged again when the database is back, of the same seals."""
    space = Space(store)
    await space.open(Ground().journey("S1").journey("S2").plan())
    await space.hear("S2", 0)
    await space.pass_time(1)
    await space.hear("S1", 0)
    with monkeypatch.context() as patch:
        patch.setattr(space.judging, "_store", Store("postgresql://127.0.0.1:1/gone", **NOWHERE))
        with pytest.raises(StoreUnavailable):
            await space.judging.pass_time(T0_MS + round(SILENT_S * 1000))
    await space.pass_time(SILENT_S)
    assert space.told() == [("S2", "SIGNAL_LOST", "raised")]


async def test_a_ping_whose_clock_is_wrong_is_stored_once_however_often_it_comes(store: Store) -> None:
    """It counts at its arrival, another each time; by then its clock may even be believed, or the service be a new one."""
    space = Space(store)
    await space.open(Ground().journey("S1").plan())
    await space.hear("S1", 0)
    for received_s in (-3_600, -3_500, 3_601):
        await space.hear("S1", 3_600, received_s=received_s)
    again = Space(store, await store.last_sequence() + 1)
    await again.open(Ground().journey("S1").plan())
    await again.hear("S1", 3_600, received_s=4_000)
    counts = await store.counters(LIVE)
    assert (counts["pings_stored"], counts["duplicates"]) == (2, 3)


async def test_a_silence_outlives_a_start_on_which_its_journey_was_edited(store: Store) -> None:
    """Nothing of the judgement depends on what the cargo is called: no alarm is taken back and raised anew."""
    before, edited = (Ground().journey("S1", cargo=cargo).plan() for cargo in ("rice", "maize"))
    space = Space(store)
    await space.open(before)
    await space.hear("S1", 0)
    await space.pass_time(10)
    await space.pass_time(SILENT_S)
    assert space.told() == [("S1", "SIGNAL_LOST", "raised")]
    again = Space(store, await store.last_sequence() + 1)
    await again.open(edited, before)
    await again.pass_time(SILENT_S + 5)
    assert again.told() == []


async def test_pings_that_came_before_the_first_plan_are_judged_by_it_once_it_is_there(store: Store) -> None:
    """A service may run before anybody has drawn a plan; its pings are kept, and what they broke is told then."""
    space = Space(store)
    await space.open(None)
    await space.hear("S1", 0)
    await space.hear("S1", 30)
    await space.pass_time(SILENT_S)
    assert space.judging.plan is None
    assert space.told() == []
    again = Space(store, await store.last_sequence() + 1)
    await again.open(Ground().zone("depot", 0, 0, 100, "prohibited").journey("S1").plan())
    assert again.told() == [("S1", "PROHIBITED_ZONE", "raised")]
    again.events.clear()
    await again.pass_time(SILENT_S + 5)
    assert again.told() == [("S1", "SIGNAL_LOST", "raised")]


async def test_a_seal_that_was_forgotten_is_called_silent_all_the_same(store: Store) -> None:
    """On doubt about a seal's state it is loaded anew; it need not say anything more for that."""
    space = Space(store)
    await space.open(Ground().journey("S1").plan())
    await space.hear("S1", 0)
    await space.pass_time(10)
    space.judging.forget([space.judging.numbers["S1"]])
    await space.pass_time(SILENT_S)
    assert space.told() == [("S1", "SIGNAL_LOST", "raised")]


async def test_what_was_discarded_is_counted_in_the_store_and_no_start_forgets_or_counts_it_again(
    store: Store,
) -> None:
    """By name, in the commit of the pings themselves, whether they come in time or late."""
    plan = Ground().equipment("CAM-1").plan()
    space = Space(store)
    await space.open(plan)
    for second, north_m in ((0, 0), (30, 50_000), (60, 0), (90, 0)):
        await space.hear("S1", second, north_m)
    await space.hear("S1", 120, valid=False)
    await space.hear("S1", 120, valid=False)
    await space.hear("S1", 100, valid=False)
    for second in (600, 540):
        await space.hear("equip/CAM-1", second, valid=False)
    counted = await store.counters(LIVE)
    assert {name: counted[name] for name in ("fix_outlier", "fix_unusable", "duplicates", "late")} == {
        "fix_outlier": 1, "fix_unusable": 2, "duplicates": 1, "late": 2,
    }  # fmt: skip
    again = Space(store, await store.last_sequence() + 1)
    await again.open(plan)
    assert await store.counters(LIVE) == counted
    await again.hear("S1", 150, valid=False)
    assert (await store.counters(LIVE))["fix_unusable"] == 3


async def test_a_diversion_written_into_the_plan_late_is_judged_from_its_own_time(store: Store) -> None:
    """At the next start: what the old route raised after it is taken back, naming it; a start after that finds nothing."""
    made = Ground().route("R", (0, 5000), (9000, 5000)).route("Q", (0, 0), (9000, 0))
    made.policy("default.STOP_UNPLANNED", enabled=False)
    before = made.journey(route="R").plan()
    made.journeys[0]["diversions"] = [{"at": iso(15), "route": "Q", "by": "Officer A"}]
    diverted = made.plan()
    space = Space(store)
    await space.open(before)
    for second in (0, 30, 60, 90):
        await space.hear("S1", second)
    assert space.told() == [("S1", "ROUTE_DEVIATION", "raised")]
    again = Space(store, await store.last_sequence() + 1)
    await again.open(diverted, before)
    assert again.told() == [("S1", "ROUTE_DEVIATION", "retracted")]
    (event,) = again.events
    assert event.episode.evidence["diversion"]["by"] == "Officer A"
    third = Space(store, await store.last_sequence() + 1)
    await third.open(diverted, diverted)
    assert third.told() == []
