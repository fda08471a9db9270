"""A space as the service judges and commits it, over a store in memory: no broker, no database, no clock but the test's."""

from __future__ import annotations

from typing import Any, cast

from memory_store import MemoryStore
from story import T0_MS, Ping, batch

from seal_tracker.model import LIVE
from seal_tracker.pipeline import Pipeline
from seal_tracker.plans.model import Plan
from seal_tracker.space import SpaceJudge

__all__ = ["Live"]


class Live:
    """A space's judging and committing over a store in memory, started anew at will."""

    def __init__(self, versions: list[tuple[int, Plan]]) -> None:
        self.store = MemoryStore()
        self._versions = versions

    async def start(self) -> None:
        self.judging = SpaceJudge(LIVE, self.store)
        self._pipeline = Pipeline(
            cast("Any", None), self.store, {LIVE: self.judging}, lambda _done: None,
            tenant="demo", instance="test", next_sequence=len(self.store.events) + 1, clock_ms=lambda: T0_MS,
        )  # fmt: skip
        await self._pipeline.commit_prepared(LIVE, await self.judging.open(self._versions))

    async def hear(self, told: list[Ping]) -> None:
        await self.judging.know({p["of"] for p in told})
        prepared = await self.judging.prepare(batch(told, self.judging.numbers))
        await self._pipeline.commit_prepared(LIVE, prepared)

    async def pass_time(self, now_s: float) -> None:
        now_ms = T0_MS + round(now_s * 1000)
        await self._pipeline.commit_prepared(LIVE, await self.judging.pass_time(now_ms))
