"""Weeks of pings go when nobody needs them; everything later is judged as if they were there."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, cast
from uuid import UUID

import asyncpg
import pytest
from memory_store import MemoryStore
from story import T0_MS, Ground, Ping, batch, drive, ping

from seal_tracker.clock import clock_ms
from seal_tracker.journey_tracks import read_tracks
from seal_tracker.model import LIVE, Episode
from seal_tracker.pipeline import Pipeline
from seal_tracker.plans.model import Plan
from seal_tracker.retention import Retention, weeks_over
from seal_tracker.space import SpaceJudge
from seal_tracker.store import Store, StoreError
from seal_tracker.store.ping_weeks import PingWeek

DAY_MS = 86_400_000
WEEK_ENDS_S = 553_600
"""The story's first week ends: 2026-09-28, 00:00 UTC."""

SEALS = ("S1", "S2", "S3", "S4")
PLAN = (
    Ground()
    .route("R", (0, 0), (60_000, 0))
    .journey("S1", armed_s=0, disarmed_s=20_000, route="R")
    .journey("S4", armed_s=WEEK_ENDS_S - 4_000, disarmed_s=WEEK_ENDS_S + 9_000, route="R")
    .plan()
)

OLD: list[Ping] = [
    *drive(0, 6_000, 30, y_m=900, of="S1"),
    *drive(0, 240, 30, of="S2"),
    *[ping(60 * n, 100, of="S3", received_s=9e7) for n in range(5)],
    *[ping(WEEK_ENDS_S - 3_000 + 60 * n, 2_000, of="S4") for n in range(50)],
]
"""A deviation; a seal that said little; one of a wrong clock; and one that stands where it should not, into the next week."""

NEXT: list[Ping] = [
    *[ping(WEEK_ENDS_S + 60 * n, 2_000, of="S4") for n in range(60) if not 20 <= n < 30],
    *drive(WEEK_ENDS_S + 3_600, WEEK_ENDS_S + 7_000, 30, y_m=1_500, of="S4"),
    *drive(WEEK_ENDS_S + 100, WEEK_ENDS_S + 400, 30, of="S2"),
]
LATE: list[Ping] = [ping(WEEK_ENDS_S + 60 * n, 2_000, of="S4") for n in range(20, 30)]
TOO_LATE: list[Ping] = [ping(915, 500, y_m=0, of="S1")]


class Service:
    """Judging and committing, as the service does it, without a broker."""

    def __init__(self, store: Any) -> None:
        self.store = store
        self.judging = SpaceJudge(LIVE, store)

    async def start(self, plan: Plan) -> list[Any]:
        """What loading finds to differ from what is stored."""
        prepared = await self.judging.open([(0, plan)])
        sequence = (
            await self.store.last_sequence() + 1
            if isinstance(self.store, Store)
            else len(self.store.events) + 1
        )
        self.pipeline = Pipeline(
            cast("Any", None), self.store, {LIVE: self.judging}, lambda _: None,
            tenant="demo", instance="test", next_sequence=sequence, clock_ms=clock_ms,
        )  # fmt: skip
        await self.pipeline.commit_prepared(LIVE, prepared)
        return list(prepared.changes())

    async def hear(self, told: Sequence[Ping]) -> dict[str, int]:
        """Counts of a batch."""
        await self.judging.know(SEALS)
        prepared = await self.judging.prepare(batch(told, self.judging.numbers))
        await self.pipeline.commit_prepared(LIVE, prepared)
        return dict(prepared.counts)


async def episodes_of(store: Any) -> dict[UUID, Episode]:
    if isinstance(store, MemoryStore):
        return {e.episode: e for e in store.episodes}
    return {e.episode: e async for e in store.stream_episodes(LIVE)}


async def test_what_comes_after_a_week_went_is_judged_as_if_it_were_there(postgres_dsn: str) -> None:
    """Not while an alarm of it is open, nor while somebody reads; the state that it led to stays, for a restart and for late pings."""
    store, whole = await Store.open(postgres_dsn), MemoryStore()
    services = [Service(store), Service(whole)]
    for service in services:
        await service.start(PLAN)
        await service.hear(OLD)
        await service.hear(NEXT)
    before = await episodes_of(store)
    assert before == await episodes_of(whole)
    assert {e.type for e in before.values()} >= {"ROUTE_DEVIATION", "STOP_UNPLANNED"}
    connection = await asyncpg.connect(postgres_dsn)
    later = Retention(store, services[0].pipeline, 400, lambda: clock_ms() + 401 * DAY_MS)
    assert await later.drop_old() == []
    await connection.execute("UPDATE alarms SET state = 'closed' WHERE raised_at < $1", moment(WEEK_ENDS_S))
    async with connection.transaction():
        await connection.execute("SELECT count(*) FROM pings")
        with pytest.raises(StoreError, match="lock timeout"):
            await later.drop_old()
    first, *_ = await store.ping_weeks()
    stats = await store.stats(LIVE)
    assert (first.name, "pings_expired" in stats.discards) == ("pings_20260921", False)
    assert [week.name for week in await later.drop_old()] == ["pings_20260921"]
    stored = await connection.fetchval("SELECT count(*) FROM pings")
    stats = await store.stats(LIVE)
    assert stats.pings_stored == len(OLD) + len(NEXT)
    assert stats.discards["pings_expired"] == stats.pings_stored - stored > 200
    (done,) = await store.actions_of(LIVE, "pings/pings_20260921")
    assert done.action.kind == "pings.dropped"
    assert await episodes_of(store) == before
    numbers = services[0].judging.numbers
    tracks = [track for one in PLAN.journeys for track in await read_tracks(store, numbers, one)]
    first_left = T0_MS + 1000 * WEEK_ENDS_S
    assert [(t.device, len(t.pings)) for t in tracks] == [("S1", 0), ("S4", len(tracks[1].pings))]
    assert tracks[1].pings.time_ms[0] == first_left
    assert all(T0_MS <= (track.gone_ms or 0) < first_left for track in tracks)
    assert [track.gone_ms for track in await read_tracks(whole, numbers, PLAN.journeys[0])] == [None]
    again = Service(store)
    assert await again.start(PLAN) == []
    counts = await again.hear([*LATE, *TOO_LATE])
    await services[1].hear(LATE)
    assert counts["too_late"] == 1
    after = await episodes_of(store)
    assert after == await episodes_of(whole)
    assert after != before
    await connection.execute("UPDATE checkpoints SET state = 'of another release'")
    await Service(store).start(PLAN)
    begun = {e.episode for e in before.values() if e.started_at_ms < T0_MS + 1000 * (WEEK_ENDS_S - 60)}
    assert {before[one].type for one in begun} >= {"ROUTE_DEVIATION", "STOP_UNPLANNED"}
    assert begun <= (await episodes_of(store)).keys()
    await connection.close()
    await store.close()


def moment(seconds: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(T0_MS / 1000 + seconds, dt.UTC)


def test_weeks_go_oldest_first_and_never_what_is_needed() -> None:
    """A week that an exercise brought yesterday is of yesterday, however old its pings are."""
    weeks = [PingWeek(f"w{n}", n * 10, n * 10 + 10, 5 if n != 1 else 99) for n in range(5)]
    assert [w.name for w in weeks_over(weeks, 40, None)] == ["w0", "w2", "w3"]
    assert [w.name for w in weeks_over(weeks, 40, 35)] == ["w0", "w2"]
    assert weeks_over(weeks, 3, None) == []
