"""Orders that suppress alarms, out of the store."""

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import UUID

from seal_tracker.store.alarm_reads import alarm_of
from seal_tracker.store.connections import END_OF_TIME
from seal_tracker.store.database import Database
from seal_tracker.store.episode_reads import LAST_ID
from seal_tracker.store.queries import sql
from seal_tracker.store.records import AlarmRow, SuppressionRow

__all__ = ["SuppressionPlace", "SuppressionReads"]


class SuppressionPlace(NamedTuple):
    """Before which a page goes on: when the last order of the page before begins, and its id."""

    from_ms: int = END_OF_TIME
    id: UUID = LAST_ID


class SuppressionReads(Database):
    """Reads of orders.

    When the last order of a space ends is kept in memory until an order is written, which only this writer does: most of what is
    raised comes after it, and needs no look.
    """

    def __init__(self, dsn: str, **options: Any) -> None:
        super().__init__(dsn, **options)
        self._orders_end: dict[str, int] = {}

    async def suppression(self, space: str, order: UUID) -> SuppressionRow | None:
        """One order, None where there is none of that id."""
        async with self._reading() as connection:
            row = await connection.fetchrow(sql("suppression_of_id"), space, order)
        return None if row is None else suppression_of(row)

    async def suppressions(
        self,
        space: str,
        *,
        standing_at_ms: int | None = None,
        scope: frozenset[str] | None = None,
        before: SuppressionPlace | None = None,
        limit: int = 100,
    ) -> tuple[list[SuppressionRow], bool]:
        """A page of orders, those that begin last first, and whether there are more; of those that stand at a moment where given."""
        units = None if scope is None else sorted(scope)
        place = before or SuppressionPlace()
        async with self._reading() as connection:
            rows = await connection.fetch(
                sql("suppressions_listed"), space, *place, standing_at_ms, units, limit + 1
            )
        return [suppression_of(row) for row in rows[:limit]], len(rows) > limit

    async def suppressions_standing(self, space: str, from_ms: int, to_ms: int) -> list[SuppressionRow]:
        """Orders that stood at any moment of [from_ms, to_ms]."""
        if self._orders_end.get(space, END_OF_TIME) <= from_ms:
            return []
        async with self._reading() as connection:
            if space not in self._orders_end:
                self._orders_end[space] = await connection.fetchval(sql("suppressions_end"), space)
            rows = await connection.fetch(sql("suppressions_standing"), space, from_ms, to_ms)
        return [suppression_of(row) for row in rows]

    async def alarms_suppressed_by(self, space: str, order: UUID) -> list[AlarmRow]:
        """Alarms that an order has suppressed."""
        async with self._reading() as connection:
            rows = await connection.fetch(sql("alarms_suppressed_by"), space, str(order))
        return [alarm_of(row) for row in rows]


def suppression_of(row: Any) -> SuppressionRow:
    """An order from a row that has its columns in their order."""
    order = SuppressionRow._make(row)
    return order._replace(body=str(order.body).encode())
