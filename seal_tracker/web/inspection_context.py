"""What the routes of risk, draws and inspections must be given."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from seal_tracker.risk.rows import DrawRow, InspectionRow, RiskJourneyRow
from seal_tracker.store.risk_reads import InspectionFilter, JourneysAtRisk, RiskPlace
from seal_tracker.supervision.inspections import InspectionKeeping
from seal_tracker.supervision.risk import RiskReading

__all__ = ["InspectionReading"]


class InspectionReading(RiskReading, InspectionKeeping, Protocol):
    """What is read from the store, besides what the desks read."""

    async def risk_journeys(self, space: str, which: JourneysAtRisk, limit: int) -> list[RiskJourneyRow]:
        """Journeys in order of their ids, so many at most."""

    async def risk_journeys_named(self, space: str, ids: Iterable[str]) -> list[RiskJourneyRow]:
        """Those of these journeys that were armed."""

    async def draws(
        self, space: str, scope: frozenset[str] | None, *, before: RiskPlace | None = None, limit: int = 100
    ) -> tuple[list[DrawRow], bool]:
        """A page of draws, newest first, and whether there are more."""

    async def inspections(
        self, space: str, which: InspectionFilter, *, before: RiskPlace | None = None, limit: int = 100
    ) -> tuple[list[InspectionRow], bool]:
        """A page of inspections, newest first, and whether there are more."""

    async def inspections_made(
        self, space: str, from_ms: int, to_ms: int, scope: frozenset[str] | None
    ) -> list[str]:
        """Bodies of inspections of journeys that were made in [from, to)."""
