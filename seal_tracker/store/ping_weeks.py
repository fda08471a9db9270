"""The weeks that pings lie in, one table each: which there are, and making those that are missing.

State: the weeks that have a table. They are made ahead, and before a commit whose pings have none; while something holds the lock
that this needs (a backup), pings go to ``pings_other_weeks`` for the time being, and are moved when their week is made.

A week is numbered from the one that began on Monday 1970-01-05, 00:00 UTC.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import asyncpg  # type: ignore[import-untyped]
import numpy as np
import structlog

from seal_tracker.clock import clock_ms
from seal_tracker.model import PingBatch
from seal_tracker.store.connections import END_OF_TIME
from seal_tracker.store.database import Database
from seal_tracker.store.queries import sql

__all__ = ["WEEK_MS", "PingWeek", "PingWeeks", "first_moment", "week_of", "weeks_needed"]

WEEK_MS: Final = 7 * 86_400_000
FIRST_MONDAY_MS: Final = 4 * 86_400_000

FIRST_MS: Final = 1_577_664_000_000
"""2019-12-30, the Monday before the first time that a clock is believed; what exercises bring from before it shares a table."""

WEEKS_AHEAD: Final = 4
"""So many are made before they begin; later ones are not: only an exercise has such times, and it may have any."""

LOCK_TIMEOUT: Final = "500ms"
"""Readers queue up behind us while we wait for a table's lock; a reader gives it back sooner, a backup much later."""

TRY_AGAIN_S: Final = 10.0
"""After the lock was not to be had: a batch must not wait for it each time."""

log: Any = structlog.get_logger(__name__)


class PingWeek(NamedTuple):
    """A table of pings whose event time is in [begins_ms, ends_ms), and when it was made."""

    name: str
    begins_ms: int
    ends_ms: int
    made_ms: int


def week_of(time_ms: int) -> int:
    """The week of an event time."""
    return (time_ms - FIRST_MONDAY_MS) // WEEK_MS


def first_moment(week: int) -> int:
    """When a week begins."""
    return week * WEEK_MS + FIRST_MONDAY_MS


def weeks_needed(pings: PingBatch, now_ms: int) -> set[int]:
    """Weeks of a batch that have a table of their own, or are to have one."""
    weeks = np.unique(week_of(pings.time_ms[pings.clock_ok]))  # type: ignore[arg-type] # holds for arrays too
    return {w for w in weeks.tolist() if week_of(FIRST_MS) <= w <= week_of(now_ms) + WEEKS_AHEAD}


class PingWeeks(Database):
    """See the module."""

    def __init__(self, dsn: str, **options: Any) -> None:
        super().__init__(dsn, **options)
        self._weeks: set[int] | None = None
        self._try_again_at = 0.0

    async def ping_weeks(self) -> list[PingWeek]:
        """Every table of pings by time, oldest first; the one that an upgrade made covers many weeks."""
        async with self._reading() as connection:
            return [PingWeek(*row) for row in await connection.fetch(sql("ping_weeks"))]

    async def make_weeks_ahead(self) -> None:
        """Make this week's table and those of the next ones, so that no batch has to wait for that.

        Raises
        ------
        StoreUnavailable, WriterBusy, WriterSuperseded
            As ``commit``.
        """
        this = week_of(clock_ms())
        async with self._turn:
            await self._make_weeks(range(this, this + WEEKS_AHEAD + 1))

    async def _known_weeks(self) -> set[int]:
        """Weeks that have a table."""
        if self._weeks is None:
            self._weeks = {
                week
                for one in await self.ping_weeks()
                for week in range(week_of(one.begins_ms), week_of(one.ends_ms))
            }
        return self._weeks

    async def _stretch(self, from_ms: int, to_ms: int) -> tuple[int, int]:
        """What of a time lies between the first week that has a table and the last; empty where none has."""
        weeks = await self._known_weeks()
        if not weeks:
            return 0, 0
        begin = max(from_ms, first_moment(min(weeks)))
        return begin, max(
            begin, min(to_ms + 1 if to_ms < END_OF_TIME else to_ms, first_moment(max(weeks) + 1))
        )

    async def _make_weeks(self, wanted: Iterable[int]) -> None:
        """Make those that are missing, or leave it for now. The caller holds ``_turn``."""
        known = await self._known_weeks()
        missing = sorted(set(wanted) - known)
        if not missing or time.monotonic() < self._try_again_at:
            return
        try:
            async with self._transaction() as connection:
                await connection.execute(sql("wait_little"), LOCK_TIMEOUT)
                await connection.execute(sql("add_ping_weeks"), [first_moment(week) for week in missing])
        except asyncpg.LockNotAvailableError:
            self._try_again_at = time.monotonic() + TRY_AGAIN_S
            log.warning("store.ping_weeks_wait", weeks=len(missing), why="a table is locked, as by a backup")
            return
        known.update(missing)
