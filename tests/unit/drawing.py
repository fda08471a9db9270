"""Zones and routes drawn in code, and what tests ask of the faults found in them."""

from __future__ import annotations

import json
from typing import Any

from geofences.catalog import Fault, read_routes, read_zones

SQUARE = [[106.0, 20.0], [106.1, 20.0], [106.1, 20.1], [106.0, 20.1], [106.0, 20.0]]
BOW_TIE = [[106.0, 20.0], [106.1, 20.1], [106.1, 20.0], [106.0, 20.1], [106.0, 20.0]]
ROAD = [[106.0, 20.0], [106.1, 20.05], [106.2, 20.1]]


def collection(*features: Any) -> str:
    return json.dumps({"type": "FeatureCollection", "features": list(features)})


def zone(id_: object = "Z", geometry: Any = None, **properties: Any) -> dict[str, Any]:
    geometry = geometry or {"type": "Polygon", "coordinates": [SQUARE]}
    return {
        "type": "Feature",
        "id": id_,
        "geometry": geometry,
        "properties": {"kind": "interest"} | properties,
    }


def polygon(*rings: Any) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": list(rings)}


def circle(lon: Any = 106.0, lat: Any = 20.0, **properties: Any) -> dict[str, Any]:
    return zone("C", {"type": "Point", "coordinates": [lon, lat]}, **properties)


def square(lon: float, lat: float, side: float = 0.1) -> dict[str, Any]:
    west, east, south, north = lon, lon + side, lat, lat + side
    return polygon([[west, south], [east, south], [east, north], [west, north], [west, south]])


def route(coordinates: Any = ROAD, id_: object = "R", **properties: Any) -> dict[str, Any]:
    geometry = {"type": "LineString", "coordinates": coordinates}
    return {
        "type": "Feature",
        "id": id_,
        "geometry": geometry,
        "properties": {"half_width_m": 200} | properties,
    }


def zone_faults(*features: Any) -> list[Fault]:
    return read_zones(collection(*features), "zones.geojson")[1]


def route_faults(*features: Any) -> list[Fault]:
    return read_routes(collection(*features), "routes.geojson")[1]


def assert_fault(
    faults: list[Fault], says: str, *, feature: str, where: str = "", level: str = "error"
) -> Fault:
    """Just one fault says so, at that feature and place; whatever else is wrong does not matter."""
    matching = [f for f in faults if says in f"{f.what}; {f.why}; {f.remedy}" and f.feature == feature]
    assert len(matching) == 1, f"{says!r} at {feature!r} not once in:\n" + "\n".join(map(str, faults))
    (fault,) = matching
    assert where in fault.where
    assert fault.level == level
    assert fault.what
    assert fault.why
    assert fault.remedy
    return fault
