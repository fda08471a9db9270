"""What crosses the routes of seals as assets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, UnsetType

from seal_tracker.custody.asset import Asset, Movement, StateName
from seal_tracker.web.queries import Id, ListQuery, Moment

__all__ = [
    "AssetChange",
    "AssetItem",
    "AssetLine",
    "AssetsQuery",
    "BookQuery",
    "ChainQuery",
    "HealthQuery",
    "Moved",
    "NewAsset",
    "NewMove",
    "NewMoves",
    "RegistryTaken",
    "SealBatteryItem",
    "SealFaultItem",
    "SealHealthAnswer",
    "StockAnswer",
    "StockQuery",
    "StockUnitItem",
]

AnyMove = Literal[
    "register", "issue", "arm", "disarm", "return", "send", "receive", "repair", "calibrate", "take_back", "lose", "find", "retire",
]  # fmt: skip

Said = Annotated[str, msgspec.Meta(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f]*\Z")]


class AssetsQuery(ListQuery, frozen=True, forbid_unknown_fields=True):
    """Seals by name: of a unit, in a state, of a model, that an officer has, on a journey; ``overdue``: that should be back by now;
    ``calibrate_by``: that are to be calibrated by that day. As CSV all of them come at once.
    """

    unit: Id | UnsetType = UNSET
    state: StateName | UnsetType = UNSET
    model: Said | UnsetType = UNSET
    officer: Said | UnsetType = UNSET
    journey: Id | UnsetType = UNSET
    overdue: bool = False
    calibrate_by: date | UnsetType = UNSET
    format: Literal["json", "csv"] = "json"


class ChainQuery(ListQuery, frozen=True, forbid_unknown_fields=True):
    """A page of a custody chain, newest first."""


class BookQuery(ListQuery, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """Movements of all seals, the last recorded first: into or out of the hands of a unit, of one kind, that happened in [from, to).
    As CSV all of them come at once; it needs a period, of a year at most.
    """

    unit: Id | UnsetType = UNSET
    move: AnyMove | UnsetType = UNSET
    from_: Moment | UnsetType = UNSET
    to: Moment | UnsetType = UNSET
    format: Literal["json", "csv"] = "json"


class HealthQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """Over [from, to), 31 days at most; the last seven where nothing is said."""

    from_: Moment | UnsetType = UNSET
    to: Moment | UnsetType = UNSET


class StockQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """At which moment (now where nothing is said), and of which model."""

    at: Moment | UnsetType = UNSET
    model: Said | UnsetType = UNSET
    format: Literal["json", "csv"] = "json"


class NewAsset(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A seal that is received into the store of its unit; ``seal`` is the id under which it reports, ``serial`` the maker's number."""

    seal: Id
    unit: Id
    model: Said | None = None
    serial: Said | None = None
    bought_on: date | None = None
    calibrated_on: date | None = None
    calibrate_by: date | None = None
    note: Said | None = None


class AssetChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is written of a seal otherwise; what is not named stays. Where it is changes by movements alone."""

    model: Said | UnsetType | None = UNSET
    serial: Said | UnsetType | None = UNSET
    bought_on: date | UnsetType | None = UNSET
    calibrated_on: date | UnsetType | None = UNSET
    calibrate_by: date | UnsetType | None = UNSET
    note: Said | UnsetType | None = UNSET


class NewMove(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What happened to a seal, and when (now where nothing is said). ``issue`` needs ``officer`` and takes ``due``; ``send`` needs
    ``to_unit``; ``repair`` and ``calibrate`` need ``place`` and take ``due``; ``take_back`` takes ``calibrated_on`` and ``calibrate_by``;
    ``return``, ``receive`` and ``find`` take ``unit``, into whose store it comes; ``lose`` and ``retire`` need ``reason``.
    """

    move: Literal[
        "issue", "return", "send", "receive", "repair", "calibrate", "take_back", "lose", "find", "retire"
    ]  # fmt: skip
    at: Moment | UnsetType = UNSET
    officer: Said | None = None
    due: Moment | UnsetType = UNSET
    unit: Id | None = None
    to_unit: Id | None = None
    place: Said | None = None
    calibrated_on: date | None = None
    calibrate_by: date | None = None
    reason: Said | None = None
    document: Said | None = None


class NewMoves(NewMove, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The same of many seals: of all of them, or of none."""

    seals: Annotated[Sequence[Id], msgspec.Meta(min_length=1, max_length=1000)]


class Moved(msgspec.Struct, frozen=True):
    """How many seals were moved."""

    moved: int


class RegistryTaken(msgspec.Struct, frozen=True):
    """How many seals were registered."""

    registered: int


class AssetLine(Asset, frozen=True, kw_only=True):
    """A seal in a list, and whether it should be back by now."""

    overdue: bool


class AssetItem(AssetLine, frozen=True, kw_only=True):
    """A seal with its newest movements, newest first."""

    movements: Sequence[Movement]


class SealBatteryItem(msgspec.Struct, frozen=True, kw_only=True):
    """What a seal said of its battery on a day (UTC), in per cent."""

    day: str
    least_pct: float
    most_pct: float
    last_pct: float
    readings: int


class SealFaultItem(msgspec.Struct, frozen=True, kw_only=True):
    """How often something was raised of a seal, and when last; ``GET /api/v1/episodes?seal=`` has each."""

    type: str
    times: int
    last_at: str


class SealHealthAnswer(msgspec.Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """Battery and faults of a seal in a period."""

    seal: str
    from_: str
    to: str
    battery: Sequence[SealBatteryItem]
    faults: Sequence[SealFaultItem]


class StockUnitItem(msgspec.Struct, frozen=True, kw_only=True):
    """Seals that a unit answers for, by state; ``total`` is their sum, without those that are retired."""

    unit: str
    in_store: int
    issued: int
    on_journey: int
    taken_off: int
    in_transit: int
    in_repair: int
    in_calibration: int
    lost: int
    total: int
    retired: int


class StockAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Stock at a moment: all that were registered by then less those retired by then are the sum over units and states."""

    at: str
    registered: int
    retired: int
    total: int
    units: Sequence[StockUnitItem]
