"""One journey of the demo carries minerals under a licence, and is weighed as more than it declares. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulators.wire import instant

__all__ = ["LICENCE", "WEIGHBRIDGE", "as_minerals", "licence_at", "weighbridge_at", "weighing_of"]

LICENCE, WEIGHBRIDGE = "GP-APATIT-07", "CAN-MO-01"
VEHICLE = "24C-318.75"
LOADED_KG, WEIGHED_KG, TARE_KG = 24_000, 27_600, 15_400
"""A loaded lorry of four axles, and 3.6 t more than it says."""

QUOTA_T = 120_000
SELDOM_S = 86_400
"""It says nothing of itself in the demo, and nobody is to miss it."""

WEIGHED_BEFORE_MS = 9 * 60_000
"""The lorry is weighed, then sealed."""


def as_minerals(journey: Mapping[str, Any]) -> dict[str, Any]:
    """A journey as that of a lorry with minerals."""
    minerals = {"licence": LICENCE, "loaded_kg": LOADED_KG, "weighbridge_out": WEIGHBRIDGE}
    return {
        **journey,
        "regime": "minerals",
        "cargo": "Quặng apatit",
        "vehicle": VEHICLE,
        "minerals": minerals,
    }


def licence_at(zone: str, unit: str | None) -> dict[str, Any]:
    """A line of ``licences.jsonl``: what is dug may be loaded in that zone."""
    licence = {
        "id": LICENCE,
        "number": "07/GP-BTNMT",
        "holder": "Công ty Khoáng sản Lào Cai",
        "mineral": "apatit",
        "mines": [zone],
        "quota": QUOTA_T,
        "quota_unit": "t",
        "unit": unit,
    }
    return {name: value for name, value in licence.items() if value is not None}


def weighbridge_at(lon: float, lat: float, unit: str | None) -> dict[str, Any]:
    """A line of ``equipment.jsonl``."""
    one = {"id": WEIGHBRIDGE, "kind": "weighbridge", "lon": round(lon, 6), "lat": round(lat, 6), "unit": unit}
    return {name: value for name, value in one.items() if value is not None} | {"heartbeat_s": SELDOM_S}


def weighing_of(armed_ms: int) -> dict[str, Any]:
    """What the weighbridge says of the lorry, which it knows by its plate."""
    return {
        "id": "PC-0117",
        "time": instant(armed_ms - WEIGHED_BEFORE_MS),
        "direction": "out",
        "plate": VEHICLE,
        "gross_kg": TARE_KG + WEIGHED_KG,
        "tare_kg": TARE_KG,
    }
