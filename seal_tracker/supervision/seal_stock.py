"""The storekeeper's desk: seals are registered, handed over, sent, repaired, calibrated, lost, found and retired.

Every method is run by `Pipeline.act`, between two batches, so that no two persons move one seal at once; what it refuses it raises, and
nothing was changed. Arming and disarming move seals by themselves: see ``custody``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Protocol

from geofences.catalog import Fault
from seal_tracker.custody.asset import Asset, action_of, asset_in, edited, row_of
from seal_tracker.custody.moves import Change, Wanted, moved, registered
from seal_tracker.custody.registry import NewSeal
from seal_tracker.custody.rows import AssetRow
from seal_tracker.deeds import Deed
from seal_tracker.model import LIVE, iso_ms
from seal_tracker.plans.model import Unit
from seal_tracker.store.journey_reads import Overlap
from seal_tracker.store.journey_rows import JourneyRow
from seal_tracker.supervision.custody import deed_of_moves
from seal_tracker.supervision.errors import Clash, Refused, Unfit, Unknown

__all__ = ["SealDesk", "SealKeeping", "sees_asset"]


class SealKeeping(Protocol):
    """What is read."""

    async def seal_assets_named(self, space: str, seals: Iterable[str]) -> Mapping[str, AssetRow]: ...  # noqa: D102
    async def journeys_overlapping(  # noqa: D102
        self, space: str, wanted: Sequence[tuple[str, str, int, int | None]]
    ) -> list[Overlap]: ...
    async def journeys_named(self, space: str, ids: Iterable[str]) -> Mapping[str, JourneyRow]: ...  # noqa: D102


@dataclass(frozen=True)
class SealDesk:
    """Works with a store; ``scope`` are the units whose seals the actor keeps (None: all), ``units`` all there are."""

    store: SealKeeping
    clock_ms: Callable[[], int]
    actor: tuple[str, str]
    scope: Collection[str] | None
    units: Iterable[Unit]

    def keeps(self, unit: str) -> bool:
        """Whether there is such a unit, of the actor's."""
        return unit in {one.id for one in self.units} and (self.scope is None or unit in self.scope)

    async def register(self, seals: Sequence[NewSeal]) -> Deed:
        """Receive seals into the stores of their units, all or none; those that are armed now are on their journeys at once.

        Raises
        ------
        Unfit, Clash
            A unit is none of the actor's; a seal is registered already.
        """
        now_ms = self.clock_ms()
        for unit in {seal.unit for seal in seals}:
            self._check_unit("unit", unit)
        known = await self.store.seal_assets_named(LIVE, [seal.seal for seal in seals])
        if known:
            first = min(known)
            more = f", and {len(known) - 1} more of these are" if len(known) > 1 else ""
            faults = [
                Fault("", seal, "seal", "is registered already", "a seal is registered once", "leave it out")
                for seal in sorted(known)
            ]
            raise Clash(
                f"seal {first} is registered already{more}; nothing was taken in", field="seal", faults=faults
            )
        on = await self._on_journeys([seal.seal for seal in seals], now_ms)
        return await asyncio.to_thread(self._registered, seals, on, now_ms)

    def _registered(self, seals: Sequence[NewSeal], on: Mapping[str, Wanted], now_ms: int) -> Deed:
        """In a thread: 5,000 take a third of a second, in which others are answered."""
        changes: list[Change] = []
        for seal in seals:
            changes.append(registered(self._new(seal, now_ms), self.actor, now_ms))
            if seal.seal in on:
                changes.append(moved(changes[-1].asset, on[seal.seal], self.actor, now_ms))
        return deed_of_moves(changes, self.actor, now_ms)

    async def move(self, seals: Sequence[str], wanted: Wanted, check: Callable[[int], None] | None) -> Deed:
        """Record that something happened to seals: to all of them, or to none.

        Raises
        ------
        Unknown
            One is none of the actor's to see.
        WrongState, Unfit, Clash
            As `moves.moved`; of many all are named that it cannot have happened to.
        """
        now_ms = self.clock_ms()
        rows = await self.store.seal_assets_named(LIVE, seals)
        assets = [self._visible(seal, rows.get(seal)) for seal in seals]
        if check is not None:
            check(assets[0].version)
        self._check_units(wanted)
        changes: list[Change] = []
        refused: list[tuple[str, Refused]] = []
        for asset in assets:
            try:
                changes.append(moved(asset, self._placed(asset, wanted), self.actor, now_ms))
            except Refused as why:
                refused.append((asset.seal, why))
        if refused:
            raise _together(refused)
        return deed_of_moves(changes, self.actor, now_ms)

    async def edit(self, seal: str, changes: Mapping[str, Any], check: Callable[[int], None]) -> Deed:
        """Write otherwise what is written of a seal."""
        now_ms = self.clock_ms()
        before = self._visible(seal, (await self.store.seal_assets_named(LIVE, [seal])).get(seal))
        check(before.version)
        self._check_own(before)
        after = edited(before, dict(changes), self.actor[0], now_ms)
        action = action_of(after, "edited", self.actor, now_ms, {"changes": changes})
        return Deed(seal_assets=[row_of(after)], actions=[action])

    def _visible(self, seal: str, row: AssetRow | None) -> Asset:
        if row is None or not sees_asset(self.scope, row):
            raise Unknown(f"there is no registered seal {seal!r}", field="seal")
        return asset_in(row)

    def _placed(self, asset: Asset, wanted: Wanted) -> Wanted:
        """The movement with the store that it leads to, which must be the actor's; else only who answers for the seal moves it."""
        if wanted.move in {"return", "receive", "find"}:
            usual = asset.unit if wanted.move != "receive" else asset.other_unit or asset.unit
            mine = [
                u
                for u in (wanted.unit, usual, asset.unit, asset.other_unit)
                if u is not None and self.keeps(u)
            ]
            if not mine:
                raise Unfit("unit: name the unit whose store it comes to; it must be yours", field="unit")
            return replace(wanted, unit=mine[0])
        self._check_own(asset)
        return wanted

    def _check_own(self, asset: Asset) -> None:
        if self.scope is not None and asset.unit not in self.scope:
            raise Clash(f"{asset.unit} answers for seal {asset.seal}, and it alone can do that")

    def _check_units(self, wanted: Wanted) -> None:
        if wanted.unit is not None:
            self._check_unit("unit", wanted.unit)
        if wanted.to_unit is not None and wanted.to_unit not in {one.id for one in self.units}:
            raise Unfit(f"to_unit: the plan in force has no unit {wanted.to_unit!r}", field="to_unit")

    def _check_unit(self, field: str, unit: str) -> None:
        if not self.keeps(unit):
            raise Unfit(f"{field}: {unit} is no unit of the plan in force that is yours", field=field)

    async def _on_journeys(self, seals: Sequence[str], now_ms: int) -> dict[str, Wanted]:
        """The journeys that seals are armed on until further notice."""
        found = await self.store.journeys_overlapping(LIVE, [("", seal, now_ms, None) for seal in seals])
        rows = await self.store.journeys_named(LIVE, {one.other for one in found}) if found else {}
        return {
            one.seal: Wanted(move="arm", journey=one.other, journey_unit=rows[one.other].unit)
            for one in found
            if one.other in rows and one.to_ms is None
        }

    def _new(self, seal: NewSeal, now_ms: int) -> Asset:
        at, by = iso_ms(now_ms), self.actor[0]
        return Asset(
            **asdict(seal), since=at, registered_by=by, registered_at=at, changed_by=by, changed_at=at
        )


def sees_asset(scope: Collection[str] | None, row: AssetRow) -> bool:
    """Whether a unit of the scope (None: all) answers for it, or has to do with it."""
    return scope is None or row.unit in scope or (row.other_unit is not None and row.other_unit in scope)


def _together(refused: Sequence[tuple[str, Refused]]) -> Refused:
    """One refusal for all: the first, with every seal that it is about."""
    _, first = refused[0]
    if len(refused) == 1:
        return first
    faults = [
        Fault("", seal, "seals", str(why), "", "leave it out, or record what is missing")
        for seal, why in refused
    ]
    kind = type(first)
    return kind(
        f"{first}; and {len(refused) - 1} more of these seals: nothing was moved",
        field=first.field,
        faults=faults,
    )
