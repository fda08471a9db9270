"""Journeys of the demo that are oversized vehicles': with a permit, what is declared of them, and the structures on their way. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

__all__ = ["as_oversized"]

VEHICLES = (("29H-712.34", "29R-118.50"), ("15H-093.71", "15R-046.22"))
"""Tractors and trailers, in the plan's registry of vehicles."""

CARGOES = ("Máy biến áp 220 kV", "Cánh quạt điện gió")

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

VALID = timedelta(days=-10), timedelta(days=50)
FORBIDDEN = timedelta(days=30)


def as_oversized(
    journey: Mapping[str, Any], structures: Sequence[str], now_s: float, which: int
) -> dict[str, Any]:
    """A journey as that of a vehicle that must be alone on each of some structures, at any hour but on one day next month."""
    vehicle, trailer = VEHICLES[which]
    today = datetime.fromtimestamp(int(now_s), UTC).replace(hour=0, minute=0, second=0)
    begins, ends = ((today + days).isoformat().replace("+00:00", "Z") for days in VALID)
    permit = {
        "number": f"GP-{today:%Y}-{471 + which:04d}",
        "issuer": "Cục Đường bộ Việt Nam",
        "valid_from": begins,
        "valid_to": ends,
        "registrations": [vehicle, trailer],
        "corridor": journey["route"],
        **PERMIT_LIMITS,
        "forbidden_dates": [f"{today + FORBIDDEN:%Y-%m-%d}"],
        "structures": [{"zone": zone, "alone": True} for zone in structures],
    }
    declared = {"cargo": CARGOES[which], "vehicle": vehicle, "trailer": trailer, "load": LOAD}
    return {**journey, "regime": "oversized", **declared, "permit": permit}
