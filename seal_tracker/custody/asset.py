"""A seal as an asset: as it stands, each of its movements, and the fold by which the one follows from the others. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, Literal

import msgspec

from seal_tracker.alarms.deadlines import ms_of
from seal_tracker.custody.rows import AssetRow, MovementRow
from seal_tracker.model import iso_ms
from seal_tracker.store.records import Action

__all__ = [
    "AWAITED",
    "STATES",
    "SYSTEM",
    "Asset",
    "Movement",
    "StateName",
    "action_of",
    "asset_in",
    "edited",
    "folded",
    "movement_in",
    "movement_row_of",
    "overdue",
    "row_of",
    "told_overdue",
]

StateName = Literal[
    "in_store", "issued", "on_journey", "taken_off", "in_transit", "in_repair", "in_calibration", "lost", "retired"
]  # fmt: skip

STATES: Final[tuple[StateName, ...]] = (
    "in_store", "issued", "on_journey", "taken_off", "in_transit", "in_repair", "in_calibration", "lost", "retired",
)  # fmt: skip

AWAITED: Final = frozenset({"issued", "taken_off", "in_repair", "in_calibration"})
"""States of a seal that somebody is to bring back. On a journey it is due as before, and cannot be brought."""

SYSTEM: Final = ("system", "service")


class Asset(msgspec.Struct, frozen=True, kw_only=True):
    """A seal as it stands. Times are ISO 8601, days ``YYYY-MM-DD``.

    Attributes
    ----------
    version, number
        count its changes, and its movements.
    serial
        the maker's number.
    unit, other_unit
        which answers for it; which has to do with it besides: to which it is under way, or whose journey it is on, or was last.
    since
        when it came into this state.
    officer, place, journey
        who has it, which workshop, on which journey.
    due
        when it is to be back.
    overdue_told
        the ``due`` that was told to the head of the unit as past.
    """

    seal: str
    version: int = 1
    number: int = 1
    state: StateName = "in_store"
    unit: str
    other_unit: str | None = None
    since: str
    officer: str | None = None
    place: str | None = None
    journey: str | None = None
    due: str | None = None
    model: str | None = None
    serial: str | None = None
    bought_on: str | None = None
    note: str | None = None
    calibrated_on: str | None = None
    calibrate_by: str | None = None
    overdue_told: str | None = None
    registered_by: str
    registered_at: str
    changed_by: str
    changed_at: str


class Movement(msgspec.Struct, frozen=True, kw_only=True):
    """What happened to a seal: when, who recorded it, from where to where, and what was said."""

    seal: str
    number: int
    move: str
    at: str
    recorded_at: str
    by: str
    role: str
    from_state: StateName | None
    from_unit: str | None
    state: StateName
    unit: str
    other_unit: str | None = None
    officer: str | None = None
    journey: str | None = None
    due: str | None = None
    place: str | None = None
    calibrate_by: str | None = None
    reason: str | None = None
    document: str | None = None


def folded(movements: Iterable[Movement]) -> tuple[StateName, str] | None:
    """State and unit that movements, in order, lead to; None: there are none.

    Raises
    ------
    ValueError
        One does not begin where the one before it ended.
    """
    stands: tuple[StateName, str] | None = None
    for movement in movements:
        begins = None if movement.from_state is None else (movement.from_state, movement.from_unit)
        if begins != stands:
            raise ValueError(
                f"movement {movement.number} of {movement.seal} begins at {begins}, not {stands}"
            )
        stands = movement.state, movement.unit
    return stands


def edited(asset: Asset, changes: dict[str, Any], by: str, now_ms: int) -> Asset:
    """What is written of the seal is otherwise; where it is does not change by that."""
    return msgspec.structs.replace(
        asset, version=asset.version + 1, changed_by=by, changed_at=iso_ms(now_ms), **changes
    )


def overdue(asset: Asset, now_ms: int) -> bool:
    """Whether it should be back by now."""
    return asset.state in AWAITED and asset.due is not None and ms_of(asset.due) <= now_ms


def told_overdue(asset: Asset, now_ms: int) -> Asset | None:
    """The seal once it is told that it should be back; None: it should not, or that was told. Once for each due date."""
    if not overdue(asset, now_ms) or asset.overdue_told == asset.due:
        return None
    return msgspec.structs.replace(
        asset,
        version=asset.version + 1,
        overdue_told=asset.due,
        changed_by=SYSTEM[0],
        changed_at=iso_ms(now_ms),
    )


def row_of(asset: Asset) -> AssetRow:
    """The row of a seal."""
    due_ms = ms_of(asset.due) if asset.state in AWAITED and asset.due is not None else None
    return AssetRow(
        asset.seal, asset.version, asset.number, asset.state, asset.unit, asset.other_unit, asset.model, asset.officer,
        asset.journey, due_ms, None if asset.overdue_told == asset.due else due_ms,
        None if asset.state == "retired" else asset.calibrate_by, ms_of(asset.registered_at), msgspec.json.encode(asset),
    )  # fmt: skip


def movement_row_of(movement: Movement) -> MovementRow:
    """The row of a movement."""
    return MovementRow(
        movement.seal, movement.number, movement.move, ms_of(movement.at), ms_of(movement.recorded_at), movement.from_state,
        movement.from_unit, movement.state, movement.unit, movement.journey, msgspec.json.encode(movement),
    )  # fmt: skip


def action_of(asset: Asset, step: str, actor: tuple[str, str], at_ms: int, said: Any) -> Action:
    """A step of a seal for the audit trail and the ledger: a movement, or what else there is to say."""
    body = msgspec.json.encode({"version": asset.version, "state": asset.state} | msgspec.to_builtins(said))
    return Action(
        at_ms, *actor, f"seal_asset.{step}", f"seal_asset/{asset.seal}", asset.journey, asset.unit, body
    )


def asset_in(row: AssetRow) -> Asset:
    """The seal of a row."""
    return _decode(row.body)


def movement_in(row: MovementRow) -> Movement:
    """The movement of a row."""
    return _decode_movement(row.body)


_decode: Final = msgspec.json.Decoder(Asset).decode
_decode_movement: Final = msgspec.json.Decoder(Movement).decode
