"""One journey of the demo is an oversized vehicle's: with a permit, what is declared of it, and the structures on its way. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from simulators.draft import Track
from simulators.drive import Drive

__all__ = ["as_oversized", "has_ahead"]

VEHICLE, TRAILER = "29H-712.34", "29R-118.50"
"""In the plan's registry of vehicles."""

LOAD = {
    "length_m": 26.5,
    "width_m": 3.6,
    "height_m": 4.6,
    "mass_kg": 92_000,
    "axle_loads_kg": [7_500, 10_500, 10_500, 12_700, 12_700, 12_700, 12_700, 12_700],
}

PERMIT_LIMITS = {
    "length_m": 28,
    "width_m": 3.75,
    "height_m": 4.7,
    "mass_kg": 95_000,
    "axle_loads_kg": [8_000, 11_000, 11_000, 13_000, 13_000, 13_000, 13_000, 13_000],
}

WITHIN_S = 3600.0

VALID = timedelta(days=-10), timedelta(days=50)
FORBIDDEN = timedelta(days=30)


def has_ahead(track: Track, drive: Drive, elapsed_s: float) -> bool:
    """Whether a truck which has driven for so long comes to a bridge within the hour."""
    ahead_s = [drive.time_at(s.chainage_m) - elapsed_s for s in track.structures]
    return any(0 < s < WITHIN_S for s in ahead_s)


def as_oversized(journey: Mapping[str, Any], structures: Sequence[str], now_s: float) -> dict[str, Any]:
    """A journey as that of a vehicle that must be alone on each of some structures, at any hour but on one day next month."""
    today = datetime.fromtimestamp(int(now_s), UTC).replace(hour=0, minute=0, second=0)
    begins, ends = ((today + days).isoformat().replace("+00:00", "Z") for days in VALID)
    permit = {
        "number": f"GP-{today:%Y}-0471",
        "issuer": "Cục Đường bộ Việt Nam",
        "valid_from": begins,
        "valid_to": ends,
        "registrations": [VEHICLE, TRAILER],
        "corridor": journey["route"],
        **PERMIT_LIMITS,
        "forbidden_dates": [f"{today + FORBIDDEN:%Y-%m-%d}"],
        "structures": [{"zone": zone, "alone": True} for zone in structures],
    }
    declared = {"cargo": "Máy biến áp 220 kV", "vehicle": VEHICLE, "trailer": TRAILER, "load": LOAD}
    return {**journey, "regime": "oversized", **declared, "permit": permit}
