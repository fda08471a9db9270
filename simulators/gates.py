"""One journey of the demo passes a camera that reads another container on its lorry than it declares. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from simulators.wire import instant

__all__ = ["CAMERA", "Seen", "as_declared", "camera_at", "reading_of"]

CAMERA = "CAM-CONG-02"
VEHICLE, BOX = "15C-204.16", "CSQU3054383"
OTHER_BOX = "MSCU6639870"
"""Both are sound numbers: neither was misread."""

SELDOM_S = 86_400
"""It says nothing of itself in the demo, and nobody is to miss it."""


class Seen(NamedTuple):
    """Where a lorry was as the camera saw it, in degrees, and when, epoch ms."""

    lon: float
    lat: float
    at_ms: int


def as_declared(journey: Mapping[str, Any]) -> dict[str, Any]:
    """A journey that declares its lorry and its container."""
    return {**journey, "vehicle": VEHICLE, "box": BOX}


def camera_at(seen: Seen, unit: str | None) -> dict[str, Any]:
    """A line of ``equipment.jsonl``."""
    one = {"id": CAMERA, "kind": "camera", "lon": round(seen.lon, 6), "lat": round(seen.lat, 6), "unit": unit}
    return {name: value for name, value in one.items() if value is not None} | {"heartbeat_s": SELDOM_S}


def reading_of(seen: Seen) -> dict[str, Any]:
    """What the camera says of the lorry, which it knows by its plate."""
    return {
        "id": "CONG-02-000117",
        "time": instant(seen.at_ms),
        "plate": VEHICLE,
        "containers": [OTHER_BOX],
        "confidence": 0.97,
        "image": "cong-02/000117.jpg",
    }
