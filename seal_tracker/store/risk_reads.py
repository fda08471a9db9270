"""What risk is counted from, draws and inspections, out of the store."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from seal_tracker.model import NO_TIME
from seal_tracker.risk.rows import CarrierRow, DrawRow, InspectionRow, RiskJourneyRow
from seal_tracker.store.connections import END_OF_TIME
from seal_tracker.store.database import Database
from seal_tracker.store.episode_reads import LAST_ID
from seal_tracker.store.filters import FEW_UNITS
from seal_tracker.store.queries import sql

__all__ = ["InspectionFilter", "JourneysAtRisk", "RiskPlace", "RiskReads"]

ByType = Mapping[str, Mapping[str, int]]


class RiskPlace(NamedTuple):
    """Before which a page goes on: when the last draw or inspection of the page before was ordered, and its id."""

    ordered_ms: int = END_OF_TIME
    id: UUID = LAST_ID


@dataclass(frozen=True, slots=True, kw_only=True)
class JourneysAtRisk:
    """Which journeys: armed in [from_ms, to_ms), not over at ``after_ms``; ``units`` None: of all, and of none."""

    from_ms: int = NO_TIME
    to_ms: int
    after_ms: int = NO_TIME
    units: Collection[str] | None = None
    regime: str | None = None
    route: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectionFilter:
    """Which inspections; ``scope``: the units that are seen (None: all, and what is nobody's)."""

    draw: UUID | None = None
    kind: str | None = None
    subject: str | None = None
    due: bool = False
    scope: frozenset[str] | None = None

    @property
    def query(self) -> str:
        """The statement that finds fewest to look through."""
        ways = (
            (self.draw is not None, "inspections_of_draw"),
            (self.kind is not None and self.subject is not None, "inspections_of_subject"),
            (self.due, "inspections_to_make"),
            (self.scope is not None and len(self.scope) <= FEW_UNITS, "inspections_of_units"),
        )
        return next((name for leads, name in ways if leads), "inspections_listed")


class RiskReads(Database):
    """Reads of risk, draws and inspections."""

    async def risk_journeys(self, space: str, which: JourneysAtRisk, limit: int) -> list[RiskJourneyRow]:
        """Journeys in order of their ids, so many at most."""
        units = None if which.units is None else sorted(which.units)
        async with self._reading() as connection:
            rows = await connection.fetch(
                sql("risk_journeys"), space, which.from_ms, which.to_ms, which.after_ms, units, which.regime, which.route, limit
            )  # fmt: skip
        return [journey_of(row) for row in rows]

    async def risk_journeys_named(self, space: str, ids: Iterable[str]) -> list[RiskJourneyRow]:
        """Those of these journeys that were armed."""
        async with self._reading() as connection:
            rows = await connection.fetch(sql("risk_journeys_named"), space, list(ids))
        return [journey_of(row) for row in rows]

    async def risk_carriers(
        self, space: str, asked: Collection[tuple[str, int]], before_ms: int
    ) -> dict[tuple[str, int], CarrierRow]:
        """For (carrier, from): what its journeys that ended in [from, before) came to."""
        columns = [carrier for carrier, _ in asked], [from_ms for _, from_ms in asked]
        async with self._reading() as connection:
            rows = await connection.fetch(sql("risk_carriers"), space, *columns, before_ms)
        return {(row[0], row[1]): CarrierRow._make(row) for row in rows}

    async def risk_seals(
        self, space: str, asked: Collection[tuple[str, int]], before_ms: int, types: Collection[str]
    ) -> Mapping[tuple[str, int], Mapping[str, int]]:
        """For (seal, from): how many episodes of each of these types were raised in [from, before)."""
        columns = [seal for seal, _ in asked], [from_ms for _, from_ms in asked]
        found: dict[tuple[str, int], dict[str, int]] = defaultdict(dict)
        async with self._reading() as connection:
            rows = await connection.fetch(sql("risk_seals"), space, *columns, before_ms, list(types))
        for seal, from_ms, type_, n in rows:
            found[seal, from_ms][type_] = n
        return found

    async def risk_gaps(self, space: str, journeys: Collection[str], types: Collection[str]) -> ByType:
        """How many episodes of each of these types these journeys have."""
        async with self._reading() as connection:
            return by_type(await connection.fetch(sql("risk_gaps"), space, list(journeys), list(types)))

    async def risk_alarms(
        self,
        space: str,
        journeys: Collection[str],
        other_than: Collection[str],
        no_violation: Collection[str],
    ) -> ByType:
        """How many alarms of each type these journeys have: critical or high, of no such type, closed by no such code."""
        others, codes = list(other_than), list(no_violation)
        async with self._reading() as connection:
            return by_type(await connection.fetch(sql("risk_alarms"), space, list(journeys), others, codes))

    async def draw(self, space: str, draw: UUID) -> DrawRow | None:
        """One draw with its frame, None where there is none of that id."""
        async with self._reading() as connection:
            row = await connection.fetchrow(sql("draw_of_id"), space, draw)
        return None if row is None else draw_of(row)

    async def draws(
        self, space: str, scope: frozenset[str] | None, *, before: RiskPlace | None = None, limit: int = 100
    ) -> tuple[list[DrawRow], bool]:
        """A page of draws without their frames, newest first, and whether there are more."""
        units = None if scope is None else sorted(scope)
        async with self._reading() as connection:
            rows = await connection.fetch(
                sql("draws_listed"), space, *(before or RiskPlace()), units, limit + 1
            )
        return [draw_of(row) for row in rows[:limit]], len(rows) > limit

    async def inspection(self, space: str, inspection: UUID) -> InspectionRow | None:
        """One inspection, None where there is none of that id."""
        async with self._reading() as connection:
            row = await connection.fetchrow(sql("inspection_of_id"), space, inspection)
        return None if row is None else inspection_of(row)

    async def inspections(
        self, space: str, which: InspectionFilter, *, before: RiskPlace | None = None, limit: int = 100
    ) -> tuple[list[InspectionRow], bool]:
        """A page of inspections, newest first, and whether there are more."""
        units = None if which.scope is None else sorted(which.scope)
        asked = (which.draw, which.kind, which.subject, units, which.due)
        async with self._reading() as connection:
            rows = await connection.fetch(
                sql(which.query), space, *(before or RiskPlace()), *asked, limit + 1
            )
        return [inspection_of(row) for row in rows[:limit]], len(rows) > limit

    async def inspections_made(
        self, space: str, from_ms: int, to_ms: int, scope: frozenset[str] | None
    ) -> list[str]:
        """Bodies of inspections of journeys that were made in [from, to)."""
        units = None if scope is None else sorted(scope)
        async with self._reading() as connection:
            rows = await connection.fetch(sql("inspections_made"), space, from_ms, to_ms, units)
        return [row["body"] for row in rows]


def by_type(rows: Iterable[Any]) -> ByType:
    """Rows (journey, type, count) as counts by type of each journey."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for journey, type_, n in rows:
        found[journey][type_] = n
    return found


def journey_of(row: Any) -> RiskJourneyRow:
    """A journey from a row that has its columns in their order."""
    return RiskJourneyRow._make((*tuple(row)[:-1], tuple(row["seals"])))


def draw_of(row: Any) -> DrawRow:
    """A draw from a row that has its columns in their order."""
    draw = DrawRow._make(row)
    return draw._replace(body=str(draw.body).encode())


def inspection_of(row: Any) -> InspectionRow:
    """An inspection from a row that has its columns in their order."""
    inspection = InspectionRow._make(row)
    return inspection._replace(body=str(inspection.body).encode())
