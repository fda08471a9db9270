"""Tickets about faults of equipment, out of the store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from seal_tracker.repairs.figures import TicketTimes
from seal_tracker.repairs.rows import HeardAgain, Silent, TicketRow
from seal_tracker.store.connections import END_OF_TIME
from seal_tracker.store.database import Database
from seal_tracker.store.episode_reads import LAST_ID
from seal_tracker.store.filters import FEW_UNITS
from seal_tracker.store.queries import sql

__all__ = ["TicketFilter", "TicketPlace", "TicketReads"]

COLUMNS = len(TicketRow._fields)


class TicketPlace(NamedTuple):
    """Before which a page goes on: when the last ticket of the page before was opened, and its id."""

    opened_ms: int = END_OF_TIME
    id: UUID = LAST_ID


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketFilter:
    """Which tickets; ``units``: those that are seen, or the one asked for (None: all, and what is nobody's)."""

    equipment: str | None = None
    units: Sequence[str] | None = None
    state: str | None = None
    under_way: bool = False

    @property
    def query(self) -> str:
        """The statement that finds fewest to look through."""
        ways = (
            (self.equipment is not None, "tickets_of_piece"),
            (self.under_way, "tickets_under_way"),
            (self.units is not None and len(self.units) <= FEW_UNITS, "tickets_of_units"),
        )
        return next((name for leads, name in ways if leads), "tickets_listed")


class TicketReads(Database):
    """Reads of tickets."""

    async def ticket(self, space: str, ticket: UUID) -> TicketRow | None:
        """One ticket, None where there is none of that id."""
        async with self._reading() as connection:
            row = await connection.fetchrow(sql("ticket_of_id"), space, ticket)
        return None if row is None else _ticket_of(row)

    async def tickets(
        self, space: str, which: TicketFilter, *, before: TicketPlace | None = None, limit: int = 100
    ) -> tuple[list[TicketRow], bool]:
        """A page of tickets, newest first, and whether there are more."""
        place = before or TicketPlace()
        asked = (which.equipment, which.units, which.state, which.under_way)
        async with self._reading() as connection:
            rows = await connection.fetch(sql(which.query), space, *place, *asked, limit + 1)
        return [_ticket_of(row) for row in rows[:limit]], len(rows) > limit

    async def ticket_times(
        self, space: str, from_ms: int, to_ms: int, units: Sequence[str] | None, kind: str | None
    ) -> list[TicketTimes]:
        """What is summed of tickets that were opened, acknowledged or repaired in [from, to)."""
        async with self._counting() as connection:
            rows = await connection.fetch(sql("ticket_times"), space, from_ms, to_ms, units, kind)
        return [TicketTimes._make(row) for row in rows]

    async def equipment_silent(self, space: str, before_ms: int, now_ms: int, limit: int) -> list[Silent]:
        """What is down since before a moment, has no ticket, and is not in planned maintenance now; the longest silent first."""
        async with self._reading() as connection:
            rows = await connection.fetch(sql("equipment_silent"), space, before_ms, now_ms, limit)
        return [Silent._make(row) for row in rows]

    async def tickets_behind(self, space: str, limit: int) -> list[HeardAgain]:
        """Tickets under way whose episode is another than they say."""
        async with self._reading() as connection:
            rows = await connection.fetch(sql("tickets_behind"), space, limit)
        return [HeardAgain(_ticket_of(row[:COLUMNS]), *row[COLUMNS:]) for row in rows]


def _ticket_of(row: Any) -> TicketRow:
    ticket = TicketRow._make(row)
    return ticket._replace(body=str(ticket.body).encode())
