"""What HTTP says, as msgspec structs, and how inner units become outer ones. Pure.

Inside: UTC epoch ms, 1e-7 degree integers. Outside: ISO 8601 with ms and Z, degrees with at most 7 decimals.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Generic, Literal, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from seal_tracker.comments import Comment
from seal_tracker.model import Lock, iso_ms
from seal_tracker.plans.model import Equipment
from seal_tracker.probing.prober import Probed
from seal_tracker.rules.keys import PolicyValue

__all__ = [
    "ConfigAnswer",
    "EpisodeItem",
    "EquipmentItem",
    "EquipmentRow",
    "EquipmentState",
    "FeatureCollection",
    "HealthAnswer",
    "Page",
    "PolicyItem",
    "PositionRow",
    "ReadyAnswer",
    "SealItem",
    "SessionAnswer",
    "SpaceItem",
    "SpaceMade",
    "StatsAnswer",
    "Tail",
    "TrackCollection",
    "UnderWay",
    "UnitItem",
    "degrees",
    "seal_item",
]


ItemT = TypeVar("ItemT")


class Page(msgspec.Struct, Generic[ItemT], frozen=True):
    """One page of a list; ``next`` is the cursor of the page after it, null where there is none."""

    items: Sequence[ItemT]
    next: str | None


class Tail(msgspec.Struct, Generic[ItemT], frozen=True):
    """One page of a log that grows; ``next`` is where to ask on, also when all there is has been read."""

    items: Sequence[ItemT]
    next: str | None


class FeatureCollection(msgspec.Struct, frozen=True):
    """GeoJSON (RFC 7946)."""

    type: str
    features: Sequence[Mapping[str, Any]]


class TrackCollection(FeatureCollection, frozen=True):
    """A track as GeoJSON, or as Moving Features JSON, which alone has ``crs`` and ``trs``. What came up to ``gone_until`` is no longer kept;
    null: the track is whole.
    """

    gone_until: str | None = None
    crs: Mapping[str, Any] | UnsetType = UNSET
    trs: Mapping[str, Any] | UnsetType = UNSET


class HealthAnswer(msgspec.Struct, frozen=True):
    """The process is alive."""

    status: str


class PartCheck(msgspec.Struct, frozen=True):
    """One part, whether it is ready, and what to know of it."""

    name: str
    ok: bool
    detail: str


class ReadyAnswer(msgspec.Struct, frozen=True):
    """Whether pings can come in and alerts go out."""

    ready: bool
    checks: Sequence[PartCheck]


class SessionAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Who is signed in, of which unit (null: all are theirs to see), and what they may do now.

    ``csrf`` goes into the header ``X-CSRF-Token`` of unsafe requests; null where a token is used.
    """

    username: str
    role: str
    unit: str | None
    rights: Sequence[str]
    must_change_password: bool
    csrf: str | None


class ConfigAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What the page needs before it draws anything."""

    tenant: str
    tile_url: str | None
    basemap: Mapping[str, Any]
    labels: Sequence[Any]
    centre: Sequence[float]
    zoom: float
    version: str


class SpaceItem(msgspec.Struct, frozen=True):
    """A space, and whether it is an exercise."""

    space: str
    exercise: bool


class SpaceMade(msgspec.Struct, frozen=True):
    """A space that was made, and what is suspicious about its plan."""

    space: str
    exercise: bool
    warnings: Sequence[Mapping[str, str]]


class UnitItem(msgspec.Struct, frozen=True, kw_only=True):
    """A unit that answers for journeys; ``name`` by language."""

    id: str
    name: Mapping[str, str]
    parent: str | None
    head: str | None
    deputies: Sequence[str]
    contact: str | None
    jurisdiction_zone: str | None


class Feature(msgspec.Struct, frozen=True, kw_only=True):
    """A GeoJSON feature; links where it is one of a collection of OGC API - Features."""

    type: str
    id: str | UnsetType = UNSET
    links: Sequence[Mapping[str, str]] | UnsetType = UNSET
    geometry: Mapping[str, Any] | None
    properties: Mapping[str, Any]


class EpisodeItem(msgspec.Struct, frozen=True, kw_only=True):
    """An episode as it stands; times are ISO 8601, those of an open one's end null.

    ``comments``: what the driver declared of it, where they did; not in the file of all episodes.
    """

    episode: str
    type: str
    severity: str
    journey: str | None
    seal: str
    object: str | None
    started_at: str
    raised_at: str
    ended_at: str | None
    cleared_at: str | None
    inferred: bool
    latched: bool
    evidence: Mapping[str, Any]
    comments: Sequence[Comment] | UnsetType = UNSET


StatsAnswer = dict[str, int | float | dict[str, int]]
"""Counts by name; ``discards`` are by name in turn."""


class PositionRow(msgspec.Struct, frozen=True, kw_only=True):
    """Where a seal is and how it does, in inner units; unknown is None or NaN.

    ``off_route_m`` is the distance to the route's line, ``progress_pct`` the chainage as a share of its length.
    """

    seal: str
    time_ms: int
    journey: str | None = None
    route: str | None = None
    regime: str | None = None
    unit: str | None = None
    lon_e7: int | None = None
    lat_e7: int | None = None
    speed_kmh: float | None = None
    course_deg: float | None = None
    lock: Lock = Lock.UNKNOWN
    battery_pct: float | None = None
    progress_pct: float | None = None
    off_route_m: float | None = None


class UnderWay(msgspec.Struct, frozen=True, kw_only=True):
    """What the track of an armed journey tells; ``derived`` is IN_TRANSIT, AT_STOP or ARRIVED, ``time`` ISO 8601."""

    seal: str
    derived: str
    progress_pct: float | None
    off_route_m: float | None
    time: str


EquipmentState = Literal["heard", "flapping", "down", "never_heard"]


class EquipmentRow(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of equipment, when it was last heard (None: never), since when it is missed and since when it flaps (None: it does not)."""

    equipment: Equipment
    last_ms: int | None
    offline_since_ms: int | None
    flapping_since_ms: int | None = None
    probed: Probed | None = None


class ProbeItem(msgspec.Struct, frozen=True, kw_only=True):
    """Where it is asked, but for what stands in the address' query, and what came of the last time: null where nobody asked yet, or
    probing is off.
    """

    url: str
    every_s: float
    timeout_s: float
    asked_at: str | None
    answers: bool | None
    why: str | None
    took_ms: int | None
    failing_since: str | None


class EquipmentItem(msgspec.Struct, frozen=True, kw_only=True):
    """A row of ``/api/v1/equipment``. One that flaps is offline now and then, for a short while each; else one that is missed is down."""

    id: str
    kind: str
    unit: str | None
    lon: float
    lat: float
    heartbeat_s: float
    zone: str | None
    reads: Sequence[str]
    probe: ProbeItem | None
    last_heard_at: str | None
    offline_since: str | None
    flapping_since: str | None
    state: EquipmentState


class PolicyItem(msgspec.Struct, frozen=True, kw_only=True):
    """A key that a policy may set for a rule: its bounds, its default, and what this plan says of it.

    ``set`` has the value of each table that sets it: ``default``, a regime, ``route.ID`` or ``zone.ID``; the nearest wins.
    """

    rule: str
    key: str
    kind: str
    default: PolicyValue
    minimum: float
    maximum: float
    doc: str
    set: Mapping[str, PolicyValue]


class SealItem(msgspec.Struct, frozen=True, kw_only=True):
    """A row of ``/api/v1/seals`` and of the stream's ``position``."""

    seal: str
    journey: str | None
    route: str | None
    regime: str | None
    unit: str | None
    lon: float | None
    lat: float | None
    time: str
    speed_kmh: float | None
    course_deg: float | None
    lock: str
    battery_pct: float | None
    progress_pct: float | None
    off_route_m: float | None


def degrees(value_e7: int) -> float:
    """Degrees of a 1e-7 degree integer, printing with at most 7 decimals."""
    return round(int(value_e7) / 10_000_000, 7)


def seal_item(row: PositionRow) -> SealItem:
    """The row in outer units."""
    known = row.lon_e7 is not None and row.lat_e7 is not None
    return SealItem(
        seal=row.seal,
        journey=row.journey,
        route=row.route,
        regime=row.regime,
        unit=row.unit,
        lon=degrees(row.lon_e7) if known and row.lon_e7 is not None else None,
        lat=degrees(row.lat_e7) if known and row.lat_e7 is not None else None,
        time=iso_ms(row.time_ms),
        speed_kmh=rounded(row.speed_kmh, 1),
        course_deg=rounded(row.course_deg, 1),
        lock=Lock(row.lock).name.lower(),
        battery_pct=rounded(row.battery_pct, 1),
        progress_pct=rounded(row.progress_pct, 2),
        off_route_m=rounded(row.off_route_m, 1),
    )


def rounded(value: float | None, digits: int) -> float | None:
    """A plain float rounded, None for None, NaN and infinities (JSON has neither)."""
    if value is None or not math.isfinite(value):
        return None
    return round(float(value), digits)
