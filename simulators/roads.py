"""The routes of a plan folder as a truck meets them: a line with chainage, how fast one drives, where one may leave it.

Reads ``routes.geojson`` and, where there is one, ``driving.toml``. Immutable once loaded.
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from simulators.earth import Floats, distance_m, metres_per_degree, to_local_m

__all__ = ["DEMO_PLAN", "Road", "Stretch", "load_roads", "road_of"]

DEMO_PLAN = Path(__file__).parent / "plans" / "viet_nam"
"""The corridors that the demo and the scenarios are driven on; shipped with the package."""
DEFAULT_SPEED_KMH = 50.0
"""What a truck drives where ``driving.toml`` says nothing."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a road, metres of chainage, with the speed driven there or the side a detour takes."""

    from_m: float
    to_m: float
    speed_kmh: float = DEFAULT_SPEED_KMH
    side: str = "left"
    name: str = ""

    def holds(self, chainage_m: float) -> bool:
        """Whether a chainage lies in it, both ends included."""
        return self.from_m <= chainage_m <= self.to_m


@dataclass(frozen=True, slots=True)
class Road:
    """One route: ``v`` vertices in degrees, ``v - 1`` half-widths in metres, chainage of each vertex in metres."""

    id: str
    name: str
    lon: Floats
    lat: Floats
    half_width_m: Floats
    chainage_m: Floats
    checkpoints: tuple[str, ...]
    sections: tuple[Stretch, ...] = ()
    tunnels: tuple[Stretch, ...] = ()
    detours: tuple[Stretch, ...] = ()

    @property
    def length_m(self) -> float:
        """Chainage of the last vertex."""
        return float(self.chainage_m[-1])

    def point_at(self, chainage_m: Floats) -> tuple[Floats, Floats]:
        """Longitude and latitude on the line at each chainage."""
        lon = np.interp(chainage_m, self.chainage_m, self.lon)
        return lon, np.interp(chainage_m, self.chainage_m, self.lat)

    def leg_at(self, chainage_m: Floats) -> Any:
        """Index of the leg that holds each chainage."""
        return np.clip(np.searchsorted(self.chainage_m, chainage_m, "right") - 1, 0, len(self.lon) - 2)

    def half_width_at(self, chainage_m: Floats) -> Floats:
        """Half-width of the corridor at each chainage."""
        return np.asarray(self.half_width_m[self.leg_at(chainage_m)])

    def speed_kmh_at(self, chainage_m: Floats) -> Floats:
        """Speed usually driven at each chainage."""
        speed = np.full(len(chainage_m), DEFAULT_SPEED_KMH)
        for s in self.sections:
            speed[(chainage_m >= s.from_m) & (chainage_m <= s.to_m)] = s.speed_kmh
        return speed

    def left_normal_at(self, chainage_m: Floats) -> tuple[Floats, Floats]:
        """Unit vector (east, north) pointing left of travel at each chainage."""
        leg = self.leg_at(chainage_m)
        east, north = metres_per_degree(self.lat[leg])
        dx, dy = (self.lon[leg + 1] - self.lon[leg]) * east, (self.lat[leg + 1] - self.lat[leg]) * north
        length = np.hypot(dx, dy)
        return -dy / length, dx / length

    def nearest(self, lon: float, lat: float) -> tuple[float, float]:
        """Chainage of the nearest point of the line, and how far left of it the place lies (right: negative)."""
        x, y = to_local_m(self.lon, self.lat, lon, lat)
        dx, dy = np.diff(x), np.diff(y)
        along = np.clip(-(x[:-1] * dx + y[:-1] * dy) / (dx * dx + dy * dy), 0.0, 1.0)
        px, py = x[:-1] + along * dx, y[:-1] + along * dy
        leg = int(np.argmin(px * px + py * py))
        left = -np.sign(dx[leg] * py[leg] - dy[leg] * px[leg]) * np.hypot(px[leg], py[leg])
        length = self.chainage_m[leg + 1] - self.chainage_m[leg]
        return float(self.chainage_m[leg] + along[leg] * length), float(left)


def load_roads(folder: Path) -> dict[str, Road]:
    """All routes of a plan folder by id, in the file's order."""
    features = json.loads((folder / "routes.geojson").read_text())["features"]
    driving = folder / "driving.toml"
    habits = tomllib.loads(driving.read_text())["route"] if driving.exists() else {}
    return {f["id"]: road_of(f, habits.get(f["id"], {})) for f in features}


def road_of(feature: dict[str, Any], habits: dict[str, Any]) -> Road:
    """A road out of its GeoJSON feature and its table of ``driving.toml``."""
    lon, lat = np.array(feature["geometry"]["coordinates"], float).T[:2]
    properties = feature["properties"]
    chainage = np.concatenate(([0.0], np.cumsum(distance_m(lon[:-1], lat[:-1], lon[1:], lat[1:]))))
    return Road(
        id=feature["id"],
        name=properties["name"],
        lon=lon,
        lat=lat,
        half_width_m=np.broadcast_to(np.array(properties["half_width_m"], float), len(lon) - 1),
        chainage_m=chainage,
        checkpoints=tuple(c["zone"] for c in properties.get("checkpoints", [])),
        sections=_stretches(habits.get("sections", [])),
        tunnels=_stretches(habits.get("tunnels", [])),
        detours=_stretches(habits.get("detours", [])),
    )


def _stretches(tables: list[dict[str, Any]]) -> tuple[Stretch, ...]:
    return tuple(
        Stretch(
            from_m=t["from_km"] * 1000.0,
            to_m=t["to_km"] * 1000.0,
            speed_kmh=t.get("speed_kmh", DEFAULT_SPEED_KMH),
            side=t.get("side", "left"),
            name=t.get("name", ""),
        )
        for t in tables
    )
