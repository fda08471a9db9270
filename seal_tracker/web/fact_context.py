"""What routes read of equipment's facts and of licences' balances."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol
from uuid import UUID

from seal_tracker.facts.balance import Line
from seal_tracker.facts.model import EquipmentFact
from seal_tracker.model import NO_TIME
from seal_tracker.store.connections import END_OF_TIME
from seal_tracker.store.fact_reads import FactFilter, FactPlace, LineSums

__all__ = ["FactReading"]


class FactReading(Protocol):
    """What is read of facts."""

    async def facts_of(
        self, space: str, journeys: Iterable[str], keys: Sequence[tuple[str, int, int]]
    ) -> list[EquipmentFact]:
        """Facts that name some journeys, and those that name none, of some keys (with from and to when, epoch ms)."""

    async def journeys_of_devices(self, space: str, after_ms: Mapping[str, int]) -> list[str]:
        """Armed journeys, as their records, that had a device or a key after a time of its own."""

    async def facts_named(self, space: str, ids: Iterable[UUID]) -> list[EquipmentFact]:
        """Those of these facts that there are."""

    async def facts(
        self, space: str, which: FactFilter, *, before: FactPlace | None = None, limit: int = 100
    ) -> tuple[list[EquipmentFact], bool]:
        """A page of facts of a kind, newest first, and whether there are more."""

    async def lines(
        self,
        space: str,
        licence: str,
        *,
        period: tuple[int, int] = (NO_TIME, END_OF_TIME),
        after: tuple[int, str] = (NO_TIME, ""),
        limit: int = 100,
    ) -> tuple[list[Line], bool]:
        """A page of a licence's journeys, and whether there are more."""

    async def lines_summed(
        self, space: str, licence: str, period: tuple[int, int] = (NO_TIME, END_OF_TIME)
    ) -> LineSums:
        """What a licence's journeys of a period come to."""
