"""What episodes ought to be, worked out the plain way: geodesics on WGS 84, one fix at a time, no code of the product.

Distances to a line or an edge are taken in an azimuthal equidistant plane around the fix itself, in which the
distances from the fix are exact.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from geographiclib.geodesic import Geodesic

EARTH = Geodesic.WGS84
Place = tuple[float, float]
"""Longitude and latitude in degrees."""

PAIR_CAP_S = 60
TWO_FIX_SPAN_S = 20


@dataclass(frozen=True)
class Fix:
    """Where, and when (epoch seconds)."""

    at_s: float
    lon: float
    lat: float

    @property
    def place(self) -> Place:
        return self.lon, self.lat


@dataclass(frozen=True)
class Expected:
    """An episode's four times, epoch seconds."""

    started_s: float
    raised_s: float
    ended_s: float | None
    cleared_s: float | None


def distance_m(a: Place, b: Place) -> float:
    return float(EARTH.Inverse(a[1], a[0], b[1], b[0], Geodesic.DISTANCE)["s12"])


def around(centre: Place, place: Place) -> tuple[float, float]:
    """The place in metres east and north of the centre, by geodesic distance and azimuth."""
    found = EARTH.Inverse(centre[1], centre[0], place[1], place[0], Geodesic.DISTANCE | Geodesic.AZIMUTH)
    azimuth = math.radians(found["azi1"])
    return found["s12"] * math.sin(azimuth), found["s12"] * math.cos(azimuth)


def distance_to_line_m(place: Place, line: Sequence[Place]) -> float:
    """Metres to the nearest point of a line."""
    flat = [around(place, vertex) for vertex in line]
    return min(_to_segment(a, b) for a, b in itertools.pairwise(flat))


def _to_segment(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Metres from the origin to a segment."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    length = dx * dx + dy * dy
    share = 0.0 if length == 0 else max(0.0, min(1.0, -(a[0] * dx + a[1] * dy) / length))
    return math.hypot(a[0] + share * dx, a[1] + share * dy)


def inside(place: Place, ring: Sequence[Place]) -> bool:
    """Ray casting, to the east."""
    x, y = place
    crossings = 0
    for (x1, y1), (x2, y2) in itertools.pairwise(ring):
        if (y1 > y) != (y2 > y) and x < x1 + (y - y1) / (y2 - y1) * (x2 - x1):
            crossings += 1
    return crossings % 2 == 1


def radius_m(ring: Sequence[Place]) -> float:
    """Of the circle of equal area."""
    polygon = EARTH.Polygon()
    for lon, lat in ring[:-1]:
        polygon.AddPoint(lat, lon)
    return math.sqrt(abs(polygon.Compute()[2]) / math.pi)


def beyond_polygon_m(place: Place, ring: Sequence[Place]) -> float:
    """Metres outside a polygon; negative within it."""
    edge = distance_to_line_m(place, ring)
    return -edge if inside(place, ring) else edge


def beyond_circle_m(place: Place, centre: Place, radius: float) -> float:
    """Metres outside a circle; negative within it."""
    return distance_m(place, centre) - radius


def excess_m_s(run: Sequence[tuple[Fix, float]], limit_m: float) -> float:
    """The evidence of a run of (fix, metres beyond the limit): weighed once at 100 m, twice from 200 m on.

    Where the limit lies between those two, being beyond it at all counts 20 m more.
    """
    total = 0.0
    edge = 20 if 100 <= limit_m < 200 else 0
    counted = [(fix, beyond * min(beyond / 2 + limit_m, 200) / 100 + edge) for fix, beyond in run]
    for (a, counted_a), (b, counted_b) in itertools.pairwise(counted):
        total += (counted_a + counted_b) / 2 * min(b.at_s - a.at_s, PAIR_CAP_S)
    return total


def deviation_complete(run: Sequence[tuple[Fix, float]], limit_m: float) -> bool:
    """3,500 m·s with three fixes, or with two that are 20 s apart.

    They must be passed by 0.1 %, which distances may err by (docs of the geometry): on this trace a fix brings 3,502.
    """
    apart = run[-1][0].at_s - run[0][0].at_s
    enough = excess_m_s(run, limit_m) >= 3500 * 1.001
    return enough and (len(run) >= 3 or (len(run) == 2 and apart >= TWO_FIX_SPAN_S))


def stay_complete(run: Sequence[tuple[Fix, float]]) -> bool:
    """Two fixes and 30 s."""
    return len(run) >= 2 and run[-1][0].at_s - run[0][0].at_s >= 30


def told(
    fixes: Sequence[Fix],
    beyond_m: Callable[[Fix], float],
    *,
    on: Callable[[float], bool],
    off: Callable[[float], bool],
    complete: Callable[[Sequence[tuple[Fix, float]]], bool],
) -> list[Expected]:
    """Episodes of a rule that is raised by a complete run of ``on`` and cleared by two consecutive ``off``."""
    found: list[Expected] = []
    run: list[tuple[Fix, float]] = []
    away: list[Fix] = []
    open_ = False
    for fix in fixes:
        beyond = beyond_m(fix)
        run = [*run, (fix, beyond)] if on(beyond) else []
        away = [*away, fix] if off(beyond) else []
        if not open_ and run and complete(run):
            found.append(Expected(run[0][0].at_s, fix.at_s, None, None))
            open_ = True
        elif open_ and len(away) == 2:
            last = found.pop()
            found.append(Expected(last.started_s, last.raised_s, away[0].at_s, fix.at_s))
            open_ = False
    return found
