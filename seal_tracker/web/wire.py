"""What HTTP says, as msgspec structs, and how inner units become outer ones. Pure.

Inside: UTC epoch ms, 1e-7 degree integers. Outside: ISO 8601 with ms and Z, degrees with at most 7 decimals.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import msgspec

from seal_tracker.model import Lock, iso_ms

__all__ = [
    "JourneyItem",
    "PositionRow",
    "SealItem",
    "degrees",
    "seal_item",
]


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


class JourneyItem(msgspec.Struct, frozen=True, kw_only=True):
    """A row of ``/api/v1/journeys``: the journey as planned, and where it is."""

    id: str
    seal: str
    devices: Sequence[Mapping[str, str]]
    route: str | None
    regime: str | None
    unit: str | None
    armed_at: str
    disarmed_at: str | None
    due_at: str | None
    declaration: str | None
    cargo: str | None
    origin_zone: str | None
    destination_zone: str | None
    progress_pct: float | None
    off_route_m: float | None
    time: str | None


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
