"""The demo's plan read and measured by the tests' own plain arithmetic, so that no fault is shared with what is tested."""

from __future__ import annotations

import itertools
import json
from math import cos, hypot, radians, sin, sqrt
from pathlib import Path

import numpy as np

PLAN = Path(__file__).resolve().parents[2] / "simulators" / "plans" / "viet_nam"

Point = tuple[float, float]


def features(name: str) -> dict[str, dict]:
    """Features of a GeoJSON file of the plan by id."""
    return {f["id"]: f for f in json.loads((PLAN / name).read_text())["features"]}


def kinds(zone: dict) -> set[str]:
    kind = zone["properties"]["kind"]
    return {kind} if isinstance(kind, str) else set(kind)


def scale(lat: float) -> Point:
    """Metres of one degree of longitude and of latitude on WGS 84."""
    w = 1 - 0.00669437999014 * sin(radians(lat)) ** 2
    return radians(cos(radians(lat)) * 6378137 / sqrt(w)), radians(6378137 * (1 - 0.00669437999014) / w**1.5)


def apart_m(a: Point, b: Point) -> float:
    east, north = scale((a[1] + b[1]) / 2)
    return hypot((b[0] - a[0]) * east, (b[1] - a[1]) * north)


def to_line(line: list[Point] | np.ndarray, point: Point) -> tuple[float, int, float]:
    """Metres to the nearest point of a line, the leg it is on, and the metres along the line to it."""
    east, north = scale(point[1])
    x, y = ((np.asarray(line, float) - point) * (east, north)).T
    bx, by = np.diff(x), np.diff(y)
    length = np.hypot(bx, by)
    t = np.clip(-(x[:-1] * bx + y[:-1] * by) / length**2, 0.0, 1.0)
    away = np.hypot(x[:-1] + t * bx, y[:-1] + t * by)
    leg = int(away.argmin())
    return float(away[leg]), leg, float(length[:leg].sum() + t[leg] * length[leg])


def inside(zone: dict, point: Point) -> bool:
    """In the circle, or an odd number of ring edges to the east."""
    geometry = zone["geometry"]
    if geometry["type"] == "Point":
        return apart_m(tuple(geometry["coordinates"]), point) <= zone["properties"]["radius_m"]
    return in_ring(geometry["coordinates"][0], point)


def in_ring(ring: list, point: Point) -> bool:
    x, y = point
    odd = False
    for (x1, y1), (x2, y2) in itertools.pairwise(ring):
        if (y1 > y) != (y2 > y) and x < x1 + (y - y1) / (y2 - y1) * (x2 - x1):
            odd = not odd
    return odd


def crosses(zone: dict, a: Point, b: Point) -> bool:
    """Whether the straight segment cuts an edge of the zone's ring."""

    def turn(p: Point, q: Point, r: Point) -> float:
        return (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])

    ring = zone["geometry"]["coordinates"][0]
    return any(
        turn(a, b, c) * turn(a, b, d) < 0 and turn(c, d, a) * turn(c, d, b) < 0
        for c, d in itertools.pairwise(ring)
    )


def middle(zone: dict) -> Point:
    geometry = zone["geometry"]
    if geometry["type"] == "Point":
        return tuple(geometry["coordinates"])
    ring = geometry["coordinates"][0][:-1]
    return sum(p[0] for p in ring) / len(ring), sum(p[1] for p in ring) / len(ring)
