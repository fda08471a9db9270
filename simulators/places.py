"""The zones of a plan folder as a truck meets them: what kind they are, and when a path is inside. Immutable once loaded."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulators.earth import Floats, distance_m, metres_per_degree_at

__all__ = ["Place", "load_places", "place_of"]


@dataclass(frozen=True, slots=True)
class Place:
    """A zone: a ring of vertices in degrees (closing vertex left out), or a centre with a radius in metres."""

    id: str
    name: str
    kinds: frozenset[str]
    unit: str | None
    lon: Floats
    lat: Floats
    radius_m: float | None

    @property
    def centre(self) -> tuple[float, float]:
        """Mean of its vertices, degrees: near enough to the middle for plump shapes."""
        return float(self.lon.mean()), float(self.lat.mean())

    def holds(self, lon: Floats, lat: Floats) -> NDArray[np.bool_]:
        """Which points are inside."""
        east, north = metres_per_degree_at(float(self.lat[0]))
        radius_m = self.radius_m or 0.0
        inside: NDArray[np.bool_] = (
            np.abs(lon - (self.lon.min() + self.lon.max()) / 2)
            <= np.ptp(self.lon) / 2 + 1.01 * radius_m / east
        )
        inside &= (
            np.abs(lat - (self.lat.min() + self.lat.max()) / 2)
            <= np.ptp(self.lat) / 2 + 1.01 * radius_m / north
        )
        if self.radius_m is None:
            inside[inside] = self._ring_holds(lon[inside], lat[inside])
        else:
            inside[inside] = distance_m(lon[inside], lat[inside], self.lon, self.lat) <= self.radius_m
        return inside

    def _ring_holds(self, lon: Floats, lat: Floats) -> NDArray[np.bool_]:
        """Even-odd rule: a ray to the east crosses the ring an odd number of times."""
        x1, y1, x2, y2 = self.lon, self.lat, np.roll(self.lon, -1), np.roll(self.lat, -1)
        spans = (y1 > lat[:, None]) != (y2 > lat[:, None])
        with np.errstate(divide="ignore", invalid="ignore"):
            crossing = x1 + (lat[:, None] - y1) / (y2 - y1) * (x2 - x1)
        return np.asarray((spans & (lon[:, None] < crossing)).sum(axis=1) % 2 == 1)


def load_places(folder: Path) -> dict[str, Place]:
    """All zones of a plan folder by id, in the file's order; of a multipolygon only the first outer ring."""
    features = json.loads((folder / "zones.geojson").read_text())["features"]
    return {f["id"]: place_of(f) for f in features}


def place_of(feature: dict[str, Any]) -> Place:
    """A zone out of its GeoJSON feature."""
    geometry, properties = feature["geometry"], feature["properties"]
    coordinates = geometry["coordinates"]
    if geometry["type"] == "Point":
        ring = [coordinates]
    else:
        ring = (coordinates[0] if geometry["type"] == "Polygon" else coordinates[0][0])[:-1]
    lon, lat = np.array(ring, float).T[:2]
    kind = properties["kind"]
    return Place(
        id=feature["id"],
        name=properties["name"],
        kinds=frozenset([kind] if isinstance(kind, str) else kind),
        unit=properties.get("unit"),
        lon=lon,
        lat=lat,
        radius_m=properties.get("radius_m"),
    )
