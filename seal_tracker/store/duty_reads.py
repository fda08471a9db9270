"""Duty out of the store: shifts, hand-overs, and what is open past its deadline."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from seal_tracker.model import NO_TIME
from seal_tracker.store.database import Database
from seal_tracker.store.duty_rows import (
    LONGEST_ABSENCE_MS,
    LONGEST_SHIFT_MS,
    AbsenceRow,
    HandOverRow,
    LateAlarm,
    LateUnit,
    Seen,
    ShiftRow,
)
from seal_tracker.store.queries import sql

__all__ = ["LONGEST_ABSENCE", "DutyReads", "LateQuery", "ShiftFilter"]

LONGEST: Final = timedelta(milliseconds=LONGEST_SHIFT_MS)

LONGEST_ABSENCE: Final = timedelta(milliseconds=LONGEST_ABSENCE_MS)

FIRST: Final = (0, UUID(int=0))
"""The place before all shifts and absences."""

SERVICE: Final = "service"
"""The role of what the service does itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftFilter:
    """Shifts that touch [from_ms, to_ms), of which unit; ``scope`` are the units that the asker may see."""

    from_ms: int
    to_ms: int
    unit: str | None = None
    scope: Collection[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LateQuery:
    """What is late now, of the alarms opened in [from_ms, to_ms)."""

    now_ms: int
    from_ms: int
    to_ms: int
    unit: str | None = None
    scope: Collection[str] | None = None


class DutyReads(Database):
    """Reads of duty."""

    async def shift(self, shift: UUID) -> ShiftRow | None:
        """One shift, None where there is none of that id."""
        async with self._reading() as connection:
            row = await connection.fetchrow(sql("shift_of_id"), shift)
        return None if row is None else ShiftRow(*row)

    async def shifts(
        self, which: ShiftFilter, *, after: tuple[int, UUID] | None = None, limit: int = 100
    ) -> tuple[list[ShiftRow], bool]:
        """A page of shifts by when they begin, those after a place (begin, id), and whether there are more."""
        scope = None if which.scope is None else sorted(which.scope)
        window = which.from_ms, which.to_ms, LONGEST
        async with self._reading() as connection:
            rows = await connection.fetch(
                sql("shifts_listed"), *window, *(after or FIRST), which.unit, scope, limit + 1
            )
        return [ShiftRow(*row) for row in rows[:limit]], len(rows) > limit

    async def shifts_of_officer(self, officer: str, from_ms: int, to_ms: int) -> list[ShiftRow]:
        """An officer's shifts that touch [from_ms, to_ms), by when they begin."""
        async with self._reading() as connection:
            rows = await connection.fetch(sql("shifts_of_officer"), officer, from_ms, to_ms, LONGEST)
        return [ShiftRow(*row) for row in rows]

    async def hand_over(self, hand_over: UUID) -> HandOverRow | None:
        """One hand-over, None where there is none of that id."""
        async with self._reading() as connection:
            row = await connection.fetchrow(sql("hand_over_of_id"), hand_over)
        return None if row is None else HandOverRow(*row)

    async def hand_overs_of(self, shifts: Iterable[UUID]) -> dict[UUID, UUID]:
        """The hand-over of each shift that has one."""
        async with self._reading() as connection:
            rows = await connection.fetch(sql("hand_overs_of_shifts"), list(shifts))
        return dict(map(tuple, rows))

    async def hand_overs(
        self,
        which: ShiftFilter,
        *,
        waiting: bool = False,
        after: tuple[int, UUID] | None = None,
        limit: int = 100,
    ) -> tuple[list[HandOverRow], bool]:
        """A page of hand-overs of a time, newest first, those after a place (time, id), and whether there are more.

        ``waiting``: those alone that nobody has taken. Their alarms are left out.
        """
        scope = None if which.scope is None else sorted(which.scope)
        place = after or (which.to_ms, UUID(int=0))
        window = which.from_ms, which.to_ms, *place, which.unit, scope, waiting, limit + 1
        async with self._reading() as connection:
            rows = await connection.fetch(sql("hand_overs_listed"), *window)
        return [HandOverRow(*row) for row in rows[:limit]], len(rows) > limit

    async def hand_over_waiting_for(self, shift: UUID) -> UUID | None:
        """The hand-over that the officer of a shift has not taken yet."""
        async with self._reading() as connection:
            found: UUID | None = await connection.fetchval(sql("hand_over_waiting_for"), shift)
        return found

    async def absence(self, absence: UUID) -> AbsenceRow | None:
        """One absence, None where there is none of that id."""
        async with self._reading() as connection:
            row = await connection.fetchrow(sql("absence_of_id"), absence)
        return None if row is None else AbsenceRow(*row)

    async def absences(
        self, which: ShiftFilter, *, after: tuple[int, UUID] | None = None, limit: int = 100
    ) -> tuple[list[AbsenceRow], bool]:
        """A page of absences by when they begin, those after a place (begin, id), and whether there are more."""
        scope = None if which.scope is None else sorted(which.scope)
        window = which.from_ms, which.to_ms, LONGEST_ABSENCE
        async with self._reading() as connection:
            rows = await connection.fetch(
                sql("absences_listed"), *window, *(after or FIRST), which.unit, scope, limit + 1
            )
        return [AbsenceRow(*row) for row in rows[:limit]], len(rows) > limit

    async def absent_officers(self, at_ms: int) -> frozenset[str]:
        """Who is absent at a moment, by name."""
        async with self._reading() as connection:
            rows = await connection.fetch(sql("absent_officers"), at_ms, LONGEST_ABSENCE)
        return frozenset(row["officer"] for row in rows)

    async def alarms_open_count(self, space: str, units: Collection[str] | None) -> int:
        """How many alarms of these units (None: of all) are open."""
        wanted = None if units is None else sorted(units)
        async with self._reading() as connection:
            return int(await connection.fetchval(sql("alarms_open_count"), space, wanted))

    async def late(
        self, space: str, asked: LateQuery, *, after: tuple[int, UUID] | None = None, limit: int = 100
    ) -> tuple[list[LateUnit], list[LateAlarm], bool]:
        """Alarms past what was to be done by now: all counted by the unit that answers; and a page of them, the longest overdue first,
        those after a place (when due, id), and whether there are more.
        """
        scope = None if asked.scope is None else sorted(asked.scope)
        which = space, asked.now_ms, asked.from_ms, asked.to_ms, asked.unit, scope
        place = after or (NO_TIME, UUID(int=0))
        async with self._reading() as connection:
            units = await connection.fetch(sql("overdue_by_unit"), *which)
            alarms = await connection.fetch(sql("overdue_alarms"), *which, *place, limit + 1, SERVICE)
        found = [late_alarm(*row) for row in alarms[:limit]]
        return [LateUnit(*row) for row in units], found, len(alarms) > limit

    async def alarm_seen(self, space: str, alarm: UUID) -> list[Seen]:
        """Who has seen an alarm, in the order in which they did."""
        async with self._reading() as connection:
            rows = await connection.fetch(sql("alarm_seen"), space, f"alarm/{alarm}", SERVICE)
        return [Seen(*row) for row in rows]


def late_alarm(*columns: Any) -> LateAlarm:
    """A row whose last two columns are who saw it and when."""
    *about, by, at_ms = columns
    return LateAlarm._make((*about, tuple(map(Seen, by or (), at_ms or ()))))
