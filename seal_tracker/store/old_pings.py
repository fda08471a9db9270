"""Old pings: which seals have some, how many they are, and from when on live ones are needed still."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from seal_tracker.model import LIVE
from seal_tracker.store.database import Database
from seal_tracker.store.ping_rows import ints
from seal_tracker.store.queries import sql

__all__ = ["OldPingsReads"]

COUNT_TIMEOUT_S: Final = 600.0
"""A week may be one that an upgrade made of all there were."""

NOT_CLOSED: Final = ("ARMED", "SUSPENDED", "DIVERTED", "TRANSFERRED", "DISARMED")
"""States of journeys that somebody still has to look at."""


class OldPingsReads(Database):
    """What is asked before a week of pings goes: those of [begins_ms, ends_ms), and those of a wrong clock that came before."""

    async def seals_with_pings(self, begins_ms: int, ends_ms: int) -> dict[str, list[int]]:
        """Seals that have any, by space."""
        async with self._reading() as connection:
            rows = await connection.fetch(sql("seals_with_pings"), begins_ms, ends_ms)
        return {row["space"]: list(row["seals"]) for row in rows}

    async def pings_counted(self, begins_ms: int, ends_ms: int) -> dict[str, int]:
        """How many each space has."""
        async with self._counting() as connection:
            rows = await connection.fetch(sql("pings_counted"), begins_ms, ends_ms, timeout=COUNT_TIMEOUT_S)
        return dict(map(tuple, rows))

    async def pings_needed_from(self) -> int | None:
        """When the oldest live journey began that nobody has closed, or what the oldest open alarm is about; None: nothing is open."""
        async with self._reading() as connection:
            needed: int | None = await connection.fetchval(sql("pings_needed_from"), LIVE, list(NOT_CLOSED))
            return needed

    async def pings_gone(self, seals: Sequence[int]) -> dict[int, int]:
        """Up to when the pings of these seals are gone; seals that have all are left out."""
        async with self._reading() as connection:
            return dict(map(tuple, await connection.fetch(sql("pings_gone"), ints(seals))))
