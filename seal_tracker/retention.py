"""Makes the tables of the weeks to come, and drops those of weeks that nobody needs any more, where that was asked for.

    week over, KEEP days ago ─ no open journey or alarm from then ─ what each seal's pings led to is kept ─ dropped, told, counted

A week goes whole. Before it does, the state that its pings led to becomes each seal's first checkpoint, so that whatever comes later is
judged as if they were there; only what comes late for that week itself no longer is. Evidence is in the ledger and in the episodes, which
stay. The drop is an action in the audit trail and the ledger, like what persons do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, Protocol

import msgspec
import structlog

from seal_tracker.deeds import Deed
from seal_tracker.model import LIVE, iso_ms
from seal_tracker.pipeline import Pipeline
from seal_tracker.prepared import Prepared
from seal_tracker.space import SpaceJudge
from seal_tracker.store import StoreError
from seal_tracker.store.ping_weeks import PingWeek
from seal_tracker.store.records import Action, OldPings

__all__ = ["Retention", "weeks_over"]

DAY_MS: Final = 86_400_000

EVERY_S: Final = 3600.0
"""There is a week for it; but a backup or a long look at a track may be in the way for a while."""

SEALS_AT_ONCE: Final = 100
"""Judged up to a week's end together, between two batches: some tens of milliseconds."""

EXPIRED: Final = "pings_expired"
"""The counter: ``pings_stored`` less this is what there is."""

log: Any = structlog.get_logger(__name__)


class WeeksStore(Protocol):
    """What is asked of the store."""

    async def make_weeks_ahead(self) -> None: ...
    async def ping_weeks(self) -> list[PingWeek]: ...
    async def pings_needed_from(self) -> int | None: ...
    async def seals_with_pings(self, begins_ms: int, ends_ms: int) -> dict[str, list[int]]: ...
    async def pings_counted(self, begins_ms: int, ends_ms: int) -> dict[str, int]: ...


def weeks_over(weeks: Sequence[PingWeek], before_ms: int, needed_from_ms: int | None) -> list[PingWeek]:
    """Weeks that ended before a moment, were there by then, and end before what is needed still; oldest first."""
    limit = before_ms if needed_from_ms is None else min(before_ms, needed_from_ms)
    return [week for week in weeks if week.ends_ms <= limit and week.made_ms <= before_ms]


class Retention:
    """Keep `run` running. ``keep_days`` None: pings are kept for good."""

    def __init__(
        self, store: WeeksStore, pipeline: Pipeline, keep_days: int | None, clock_ms: Callable[[], int]
    ) -> None:
        self._store = store
        self._pipeline = pipeline
        self._keep_days = keep_days
        self._clock_ms = clock_ms

    async def run(self) -> None:
        """Look now and then. Ends by cancellation; what fails is told and tried again at the next look."""
        while True:
            try:
                await self._store.make_weeks_ahead()
                await self.drop_old()
            except StoreError as error:
                log.warning("retention.waits", error=str(error))
            await asyncio.sleep(EVERY_S)

    async def drop_old(self) -> list[PingWeek]:
        """Drop what may go; the weeks dropped.

        Raises
        ------
        StoreError
            The database is away, or somebody reads a week; those before it are dropped.
        """
        if self._keep_days is None:
            return []
        before_ms = self._clock_ms() - self._keep_days * DAY_MS
        needed_from_ms = await self._store.pings_needed_from()
        weeks = await self._store.ping_weeks()
        over = weeks_over(weeks, before_ms, needed_from_ms)
        if needed_from_ms is not None and (kept := len(weeks_over(weeks, before_ms, None)) - len(over)):
            log.info(
                "retention.weeks_needed",
                weeks=kept,
                from_=iso_ms(needed_from_ms),
                by="an open journey or alarm",
            )
        for week in over:
            await self._drop(week)
        return over

    async def _drop(self, week: PingWeek) -> None:
        for space, seals in (await self._store.seals_with_pings(week.begins_ms, week.ends_ms)).items():
            for i in range(0, len(seals), SEALS_AT_ONCE):
                some = seals[i : i + SEALS_AT_ONCE]
                await self._pipeline.act(space, partial(_kept, seals=some, until_ms=week.ends_ms))
        counts = await self._store.pings_counted(week.begins_ms, week.ends_ms)
        for space in counts.keys() - {LIVE}:
            await self._pipeline.act(space, partial(_counted, pings=counts[space]))
        await self._pipeline.act(LIVE, partial(_dropped, week=week, counts=counts, now_ms=self._clock_ms()))
        log.info("retention.week_dropped", table=week.name, pings=counts)


async def _kept(judging: SpaceJudge, seals: Sequence[int], until_ms: int) -> tuple[Prepared, Deed]:
    return Prepared(), Deed(first_checkpoints=await judging.states_before(seals, until_ms))


async def _counted(_judging: SpaceJudge, pings: int) -> tuple[Prepared, Deed]:
    prepared = Prepared()
    prepared.counts[EXPIRED] += pings
    return prepared, Deed()


async def _dropped(
    judging: SpaceJudge, week: PingWeek, counts: Mapping[str, int], now_ms: int
) -> tuple[Prepared, Deed]:
    prepared, _ = await _counted(judging, counts.get(LIVE, 0))
    told = {"from": iso_ms(week.begins_ms), "to": iso_ms(week.ends_ms), "pings": dict(counts)}
    action = Action(
        now_ms,
        "system",
        "service",
        "pings.dropped",
        f"pings/{week.name}",
        None,
        None,
        msgspec.json.encode(told),
    )
    return prepared, Deed(actions=[action], old_pings=[OldPings(week.name, week.ends_ms)])
