"""Moves seals along with their journeys: arming puts a registered seal on, disarming takes it off, in the same commit.

A seal that is not registered is nobody's asset, and moves nothing; whether one may be armed is a setting.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import structlog

from seal_tracker.custody.along import Put, puts_of
from seal_tracker.custody.asset import action_of, asset_in, movement_row_of, row_of
from seal_tracker.custody.moves import Change, Wanted, moved
from seal_tracker.custody.rows import AssetRow
from seal_tracker.deeds import Deed
from seal_tracker.journey import Journey
from seal_tracker.model import LIVE
from seal_tracker.store.records import Action
from seal_tracker.supervision.errors import Clash, Refused

__all__ = ["CustodyKeeping", "deed_of_moves", "moved_along", "with_moves"]

log: Any = structlog.get_logger(__name__)

Pairs = Iterable[tuple[Journey | None, Journey | None]]


class CustodyKeeping(Protocol):
    """What is read."""

    async def seal_assets_named(self, space: str, seals: Iterable[str]) -> Mapping[str, AssetRow]: ...  # noqa: D102


async def moved_along(
    store: CustodyKeeping,
    pairs: Pairs,
    actor: tuple[str, str],
    now_ms: int,
    *,
    registered_only: bool = False,
    strict: bool = True,
) -> Deed:
    """What changes of live journeys, (as judged before, as from now on), move.

    Parameters
    ----------
    registered_only
        refuse a seal that is not registered.
    strict
        False: what cannot be is logged, not refused; a plan folder at a start asks nobody.

    Raises
    ------
    Clash
        A seal is not where it could be armed: it is retired, lost, in a workshop, or under way to another unit.
    """
    puts = puts_of(pairs)
    rows = await store.seal_assets_named(LIVE, {put.seal for put in puts}) if puts else {}
    assets = {seal: asset_in(row) for seal, row in rows.items()}
    changes = []
    for put in puts:
        asset = assets.get(put.seal)
        try:
            if asset is None:
                _check_registered(put, registered_only=registered_only)
            elif put.on or asset.journey == put.journey:
                change = moved(asset, _wanted(put), actor, now_ms)
                assets[put.seal] = change.asset
                changes.append(change)
        except Refused as refused:
            if strict:
                raise Clash(str(refused), field="devices") from refused
            log.warning("custody.not_moved", seal=put.seal, journey=put.journey, why=str(refused))
    return deed_of_moves(changes, actor, now_ms)


def deed_of_moves(changes: Sequence[Change], actor: tuple[str, str], now_ms: int) -> Deed:
    """Movements, the seals as they then stand, and their steps."""
    actions: list[Action] = []
    for asset, movement in ((change.asset, change.movement) for change in changes):
        action = action_of(asset, movement.move, actor, now_ms, movement)
        actions.append(action._replace(journey=movement.journey))
    return Deed(
        seal_assets=[row_of(change.asset) for change in changes],
        seal_movements=[movement_row_of(change.movement) for change in changes],
        actions=actions,
    )


def with_moves(deed: Deed, moves: Deed) -> Deed:
    """A deed with movements beside it, after what made them."""
    return replace(
        deed,
        actions=[*deed.actions, *moves.actions],
        seal_assets=moves.seal_assets,
        seal_movements=moves.seal_movements,
    )


def _wanted(put: Put) -> Wanted:
    if not put.on:
        return Wanted(move="disarm", at_ms=put.at_ms)
    return Wanted(move="arm", at_ms=put.at_ms, journey=put.journey, journey_unit=put.unit)


def _check_registered(put: Put, *, registered_only: bool) -> None:
    if registered_only and put.on and put.is_seal:
        raise Clash(
            f"seal {put.seal} is not registered, and only registered ones are armed here: register it "
            "(POST /api/v1/seal-assets), or set SEAL_TRACKER_SEALS_REGISTERED_ONLY=false"
        )
