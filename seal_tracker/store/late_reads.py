"""Deadlines of alarms that passed and were not kept, out of the store: one by one, counted, and by who answered late."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple
from uuid import UUID

from seal_tracker.model import NO_TIME
from seal_tracker.store.alarm_reads import RateQuery
from seal_tracker.store.database import Database
from seal_tracker.store.duty_reads import SERVICE
from seal_tracker.store.queries import sql

__all__ = ["LateAnswer", "LateOnes", "LatePerson", "LateReads", "LateWhat"]

LateWhat = Literal["acknowledge", "close", "open"]
"""Which deadline: to acknowledge, or to close, that passed within the period; or either, of what was open at its end."""

QUERIES: Final = {"acknowledge": "late_acknowledged", "close": "late_closed", "open": "late_open"}


class LateAnswer(NamedTuple):
    """An alarm whose deadline passed, the unit that answers, and who did what was to be done; None: nobody by now."""

    id: UUID
    type: str
    severity: str
    state: str
    unit: str | None
    opened_ms: int
    due_ms: int
    answered_ms: int | None
    answered_by: str | None


class LatePerson(NamedTuple):
    """How many alarms of a unit somebody (None: nobody) acknowledged and closed late."""

    unit: str | None
    by: str | None
    acknowledged: int
    closed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LateOnes:
    """Which of them; ``until_ms`` is how much of the period is over. ``by`` is a person, ``answered`` anybody or nobody; None: any.

    ``no_unit``: those alone that no unit answers for.
    """

    what: LateWhat
    asked: RateQuery
    until_ms: int
    by: str | None = None
    answered: bool | None = None
    no_unit: bool = False


class LateReads(Database):
    """Reads of what was late."""

    async def late_answers(
        self, space: str, which: LateOnes, *, after: tuple[int, UUID] | None = None, limit: int = 100
    ) -> tuple[list[LateAnswer], bool]:
        """A page of them, the earliest deadline first, those after a place (when due, id), and whether there are more."""
        place = after or (NO_TIME, UUID(int=0))
        async with self._reading() as connection:
            rows = await connection.fetch(
                sql(QUERIES[which.what]), space, *within(which.asked, which.until_ms), SERVICE, *place, which.by,
                which.answered, limit + 1, which.no_unit,
            )  # fmt: skip
        return [LateAnswer(*row) for row in rows[:limit]], len(rows) > limit

    async def late_persons(self, space: str, asked: RateQuery, until_ms: int) -> list[LatePerson]:
        """Who acknowledged and closed late, by unit; nobody last."""
        async with self._counting() as connection:
            rows = await connection.fetch(
                sql("report_late_persons"), space, *within(asked, until_ms), SERVICE
            )
        return [LatePerson(*row) for row in rows]


def within(asked: RateQuery, until_ms: int) -> Sequence[object]:
    """The period as far as it is over, unit and scope, as the statements take them."""
    scope = None if asked.scope is None else sorted(asked.scope)
    return asked.from_ms, max(asked.from_ms, min(asked.to_ms, until_ms)), asked.unit, scope
