"""Seals as assets out of the store: the registry, custody chains, stock at any moment, and what a seal said of itself."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from seal_tracker.custody.rows import AssetRow, BatteryDay, BookEntry, FaultCount, Health, MovementRow, Stock
from seal_tracker.store.connections import END_OF_TIME
from seal_tracker.store.database import Database
from seal_tracker.store.filters import FEW_UNITS, is_short
from seal_tracker.store.queries import sql

__all__ = ["AssetFilter", "AssetReads", "BookFilter"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetFilter:
    """Which seals; None: any.

    ``scope`` are the units that are seen (None: all): those that answer for a seal, and those that have to do with it besides.
    ``awaited_ms``: those that should be back by then. ``calibrate_by``: those that are to be calibrated by that day.
    """

    scope: frozenset[str] | None = None
    unit: str | None = None
    state: str | None = None
    model: str | None = None
    officer: str | None = None
    journey: str | None = None
    awaited_ms: int | None = None
    calibrate_by: str | None = None

    @property
    def query(self) -> str:
        """The statement that finds fewest to look through."""
        ways = (
            (self.journey is not None, "assets_on_journey"),
            (self.officer is not None, "assets_of_officer"),
            (self.awaited_ms is not None, "assets_awaited"),
            (self.calibrate_by is not None, "assets_to_calibrate"),
            (self.unit is not None, "assets_of_unit"),
            (self.scope is not None and len(self.scope) <= FEW_UNITS, "assets_of_units"),
            (self.state is not None, "assets_in_state"),
            (self.model is not None, "assets_of_model"),
        )
        return next((name for leads, name in ways if leads), "assets_listed")


@dataclass(frozen=True, slots=True, kw_only=True)
class BookFilter:
    """Which movements; None: any. ``units``: into or out of whose hands; the period is when they happened."""

    units: Collection[str] | None = None
    move: str | None = None
    from_ms: int | None = None
    to_ms: int | None = None

    @property
    def query(self) -> str:
        """The statement that finds fewest to look through."""
        if is_short(self.from_ms, self.to_ms):
            return "movements_in_time"
        few = self.units is not None and len(self.units) <= FEW_UNITS
        return "movements_of_units" if few else "movements_listed"


class AssetReads(Database):
    """Reads of seals as assets."""

    async def seal_assets_named(self, space: str, seals: Iterable[str]) -> dict[str, AssetRow]:
        """Those of these seals that are registered, by name."""
        names = list(seals)
        if not names:
            return {}
        async with self._reading() as connection:
            rows = await connection.fetch(sql("assets_named"), space, names)
        return {row["seal"]: asset_of(row) for row in rows}

    async def seal_assets_due(self, space: str, now_ms: int, limit: int) -> list[AssetRow]:
        """What the clock has to look at by now, longest due first."""
        async with self._reading() as connection:
            rows = await connection.fetch(sql("assets_due"), space, now_ms, limit)
        return [asset_of(row) for row in rows]

    async def seal_assets(
        self, space: str, which: AssetFilter, *, after: str = "", limit: int = 100
    ) -> tuple[list[AssetRow], bool]:
        """A page of seals by name, and whether there are more."""
        scope = None if which.scope is None else sorted(which.scope)
        async with self._reading() as connection:
            rows = await connection.fetch(
                sql(which.query), space, after, scope, which.unit, which.state, which.model, which.officer, which.journey,
                which.awaited_ms, which.calibrate_by, limit + 1,
            )  # fmt: skip
        return [asset_of(row) for row in rows[:limit]], len(rows) > limit

    async def seal_movements(
        self, space: str, seal: str, *, before: int | None = None, limit: int = 100
    ) -> tuple[list[MovementRow], bool]:
        """A page of a custody chain before a movement (None: from the last), newest first, and whether there are more."""
        top = 2**31 - 1 if before is None else before
        async with self._reading() as connection:
            rows = await connection.fetch(sql("movements_of_seal"), space, seal, top, limit + 1)
        return [movement_of(row) for row in rows[:limit]], len(rows) > limit

    async def seal_book(
        self, space: str, which: BookFilter, *, before: int | None = None, limit: int = 100
    ) -> tuple[list[BookEntry], bool]:
        """A page of the movements of all seals recorded before an entry (None: from the last), newest first, and whether there are more."""
        units = None if which.units is None else sorted(which.units)
        top = END_OF_TIME if before is None else before
        async with self._reading() as connection:
            rows = await connection.fetch(
                sql(which.query), space, top, units, which.move, which.from_ms, which.to_ms, limit + 1
            )
        found = [BookEntry(row["entry"], movement_of(tuple(row)[1:])) for row in rows[:limit]]
        return found, len(rows) > limit

    async def seal_stock(
        self,
        space: str,
        at_ms: int | None = None,
        *,
        model: str | None = None,
        scope: frozenset[str] | None = None,
    ) -> Stock:
        """How many seals there were at a moment (None: now, with what has just been recorded), by unit and state."""
        units = None if scope is None else sorted(scope)
        async with self._counting() as connection:
            rows = await connection.fetch(
                sql("seal_stock"), space, END_OF_TIME if at_ms is None else at_ms, model, units
            )
        return Stock({(row[0], row[1]): row[2] for row in rows})

    async def seal_health(
        self, space: str, seal: str, from_ms: int, to_ms: int, scope: frozenset[str] | None = None
    ) -> Health:
        """What a seal said of its battery, by day, and what was raised of it, by type, in [from, to)."""
        units = None if scope is None else sorted(scope)
        async with self._counting() as connection:
            battery = await connection.fetch(sql("battery_of_seal"), space, seal, from_ms, to_ms)
            faults = await connection.fetch(sql("faults_of_seal"), space, seal, from_ms, to_ms, units)
        return Health([BatteryDay(*row) for row in battery], [FaultCount(*row) for row in faults])


def asset_of(row: Any) -> AssetRow:
    """A seal from a row that has its columns in their order."""
    asset = AssetRow._make(row)
    return asset._replace(body=str(asset.body).encode())


def movement_of(row: Any) -> MovementRow:
    """A movement from a row that has its columns in their order."""
    movement = MovementRow._make(row)
    return movement._replace(body=str(movement.body).encode())
