"""What is known of equipment, out of the store."""

from __future__ import annotations

from collections.abc import Collection

from seal_tracker.store.database import Database
from seal_tracker.store.queries import sql

__all__ = ["EquipmentReads"]


class EquipmentReads(Database):
    """Reads of what happened to cameras, scanners and readers."""

    async def offline_times(
        self, space: str, from_ms: int, to_ms: int, equipment: Collection[str]
    ) -> dict[str, list[tuple[int, int | None]]]:
        """When equipment was offline, as far as that touches [from, to), by its id, ascending; an end of None: it still is."""
        async with self._counting() as connection:
            rows = await connection.fetch(sql("offline_times"), space, from_ms, to_ms, sorted(equipment))
        found: dict[str, list[tuple[int, int | None]]] = {}
        for subject, started_ms, ended_ms in rows:
            found.setdefault(subject, []).append((started_ms, ended_ms))
        return found

    async def maintenance_times(
        self, space: str, from_ms: int, to_ms: int, equipment: Collection[str]
    ) -> dict[str, list[tuple[int, int]]]:
        """When equipment was in planned maintenance, as far as that touches [from, to), by its id; from when that was ordered at the
        earliest, so that what has failed is not excused afterwards.
        """
        async with self._counting() as connection:
            rows = await connection.fetch(sql("maintenance_times"), space, from_ms, to_ms, sorted(equipment))
        found: dict[str, list[tuple[int, int]]] = {}
        for name, begin_ms, end_ms in rows:
            found.setdefault(name, []).append((begin_ms, end_ms))
        return found
