"""Special situations, out of the store."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from seal_tracker.situations.rows import SituationRow
from seal_tracker.store.connections import END_OF_TIME
from seal_tracker.store.database import Database
from seal_tracker.store.episode_reads import LAST_ID
from seal_tracker.store.filters import FEW_UNITS
from seal_tracker.store.queries import sql

__all__ = [
    "SituationFilter",
    "SituationPlace",
    "SituationReads",
    "VersionRow",
    "situation_of",
]

NO_VERSION = 2**31 - 1
"""Above every version there is."""


class SituationPlace(NamedTuple):
    """Before which a page goes on: when the last situation of the page before occurred, and its id."""

    occurred_ms: int = END_OF_TIME
    id: UUID = LAST_ID


class VersionRow(NamedTuple):
    """A version of a situation: the step that led to it, and the situation as JSON."""

    version: int
    verb: str
    at_ms: int
    actor: str
    role: str
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SituationFilter:
    """Which situations; ``units``: those that are asked for and may be seen (None: all, and what is nobody's).

    ``restricted`` None: both what is and what is not. ``open_at_ms``: that were registered before and not closed by then.
    """

    kind: str | None = None
    severity: str | None = None
    state: str | None = None
    units: Collection[str] | None = None
    journey: str | None = None
    from_ms: int | None = None
    to_ms: int | None = None
    open_at_ms: int | None = None
    restricted: bool | None = False

    @property
    def query(self) -> str:
        """The statement that finds fewest to look through."""
        ways = (
            (self.journey is not None, "situations_of_journey"),
            (self.state == "open", "situations_open"),
            (self.units is not None and len(self.units) <= FEW_UNITS, "situations_of_units"),
            (self.kind is not None, "situations_of_kind"),
        )
        return next((name for leads, name in ways if leads), "situations_listed")

    @property
    def arguments(self) -> tuple[Any, ...]:
        """The filters, in the order in which the statements take them."""
        units = None if self.units is None else sorted(self.units)
        return (
            self.kind, self.severity, self.state, units, self.journey, self.from_ms, self.to_ms, self.open_at_ms,
            self.restricted,
        )  # fmt: skip


class SituationReads(Database):
    """Reads of situations."""

    async def situation(self, space: str, situation: UUID) -> SituationRow | None:
        """One situation, None where there is none of that id."""
        async with self._reading() as connection:
            row = await connection.fetchrow(sql("situation_of_id"), space, situation)
        return None if row is None else situation_of(row)

    async def situations(
        self, space: str, which: SituationFilter, *, before: SituationPlace | None = None, limit: int = 100
    ) -> tuple[list[SituationRow], bool]:
        """A page of situations, newest first, and whether there are more."""
        place = before or SituationPlace()
        async with self._reading() as connection:
            rows = await connection.fetch(sql(which.query), space, *place, *which.arguments, limit + 1)
        return [situation_of(row) for row in rows[:limit]], len(rows) > limit

    async def situation_versions(
        self, space: str, situation: UUID, *, before: int | None = None, limit: int = 100
    ) -> tuple[list[VersionRow], bool]:
        """A page of a situation's versions, newest first, and whether there are more."""
        top = NO_VERSION if before is None else before
        async with self._reading() as connection:
            rows = await connection.fetch(sql("situation_versions"), space, situation, top, limit + 1)
        found = [VersionRow._make((*tuple(row)[:-1], str(row["body"]).encode())) for row in rows[:limit]]
        return found, len(rows) > limit


def situation_of(row: Any) -> SituationRow:
    """A situation from a row that has its columns in their order."""
    found = SituationRow._make(row)
    return found._replace(body=str(found.body).encode(), journeys=tuple(found.journeys))
