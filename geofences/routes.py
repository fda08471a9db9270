"""Routes laid out for indexing: checked, unwrapped at the antimeridian, measured, long legs cut into pieces.

Building only; everything here may use trigonometry. What it returns is read-only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from geofences.errors import GeometryError
from geofences.masks import ONE, every, some, which
from geofences.projection import DEGREE_E7, HALF_TURN_E7, metres_per_degree, to_e7, wrap_e7
from geofences.ragged import chunks, expand

__all__ = ["RouteGeometry", "RouteLines", "lay_routes"]

PIECE_M = 5_000.0
"""Longest piece of a leg: within one, metres along and degrees along agree to 0.1 m below 45°, 3 m at 85°."""

CHUNK_VERTICES = 50_000
"""Vertices laid out at a time: building a million takes little more memory than keeping them."""

LEAST_LEG_M = 1e-9
"""Shorter legs (a route that nowhere moves, a leg along a pole) count as this long: it only keeps 0 / 0 out."""

FEW = 16
"""Places looked up route by route: of more, a search over all of them at once is sooner done."""

FEWEST_VERTICES = 2
MOST_LON_DEG, MOST_LAT_DEG = 180.0, 90.0

GAUSS_AT, GAUSS_WEIGHT = np.polynomial.legendre.leggauss(5)
"""Five-point quadrature: a straight lon/lat line of 1,000 km at 70° is measured to a metre."""

F8 = NDArray[np.float64]
I8 = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class RouteGeometry:
    """A directed line, straight in lon/lat between vertices, with a half-width for each of its ``v - 1`` legs."""

    id: str
    lon_deg: F8
    lat_deg: F8
    half_width_m: F8


@dataclass(frozen=True, slots=True, eq=False)
class RouteLines:
    """All routes' vertices, flat; route ``i`` has ``first[i] : first[i + 1]``.

    Attributes
    ----------
    x_e7, y_e7
        int32: longitude from the route's ``origin_e7``, and latitude.
    chainage_m
        float64: metres from the route's start.
    widths_m, width
        The half-widths that occur, and which of them the leg has that begins at the vertex; a route's last vertex
        repeats its last leg's.
    given_leg
        int32: which leg of the route as it was given that is a piece of, counted from 0; likewise. None: every leg is whole.
    widest_m
        Greatest half-width of each route.
    """

    x_e7: NDArray[np.int32]
    y_e7: NDArray[np.int32]
    first: I8
    origin_e7: I8
    chainage_m: F8
    widths_m: F8
    width: NDArray[Any]
    given_leg: NDArray[np.int32] | None
    widest_m: F8

    def degrees_e7(self, route: I8, x_e7: NDArray[Any], y_e7: NDArray[Any]) -> tuple[I8, I8]:
        """Route coordinates back to longitude in [-180°, 180°) and latitude."""
        return wrap_e7(x_e7 + self.origin_e7[route]), np.asarray(y_e7, np.int64)

    def half_width_m(self, leg: I8) -> F8:
        """Half-widths of legs."""
        width_m: F8 = self.widths_m[self.width[leg]]
        return width_m

    def chainage_at(self, leg: I8, along: F8) -> F8:
        """Metres along the route at a part (0..1) of a leg."""
        begin_m = self.chainage_m[leg]
        at_m: F8 = begin_m + along * (self.chainage_m[leg + ONE] - begin_m)
        return at_m

    def given_leg_at(self, route: I8, chainage_m: F8) -> NDArray[np.int32]:
        """Which leg of the route as given lies at chainages, a vertex counting to the leg that begins there."""
        vertex = np.maximum(self.vertex_after(route, chainage_m) - 1, self.first[route])
        if self.given_leg is None:
            return (np.minimum(vertex, self.first[route + 1] - 2) - self.first[route]).astype(np.int32)
        return self.given_leg[vertex]

    def place_e7(self, route: I8, chainage_m: F8) -> tuple[F8, F8]:
        """Places at chainages in route coordinates, not rounded; beyond the ends of the route its ends."""
        leg = np.minimum(
            np.maximum(self.vertex_after(route, chainage_m) - 1, self.first[route]), self.first[route + 1] - 2
        )
        begin_m, end_m = self.chainage_m[leg], self.chainage_m[leg + 1]
        along = (chainage_m - begin_m) / np.maximum(end_m - begin_m, LEAST_LEG_M)
        along = np.minimum(np.maximum(along, 0.0), 1.0)
        x, y = self.x_e7[leg].astype(np.int64), self.y_e7[leg].astype(np.int64)
        return along * (self.x_e7[leg + 1] - x) + x, along * (self.y_e7[leg + 1] - y) + y

    def vertex_after(self, route: I8, chainage_m: F8) -> I8:
        """First vertex whose chainage is greater; one past the route's last where none is."""
        return self._bisect(route, chainage_m, "right")

    def vertex_before(self, route: I8, chainage_m: F8) -> I8:
        """Last vertex whose chainage is smaller; one before the route's first where none is."""
        return self._bisect(route, chainage_m, "left") - 1

    def _bisect(self, route: I8, chainage_m: F8, side: Literal["left", "right"]) -> I8:
        """As ``searchsorted`` among the vertices of each route."""
        low, high = self.first[route], self.first[route + 1]
        if len(route) <= FEW:
            spans = zip(low.tolist(), high.tolist(), chainage_m.tolist(), strict=True)
            return np.array([a + self.chainage_m[a:b].searchsorted(m, side) for a, b, m in spans], np.int64)
        before = np.less_equal if side == "right" else np.less
        while some(low < high):
            middle = (low + high) // 2
            right = before(self.chainage_m[np.minimum(middle, len(self.chainage_m) - 1)], chainage_m) & (
                low < high
            )
            low, high = np.where(right, middle + 1, low), np.where(right, high, np.minimum(middle, high))
        return low


def lay_routes(routes: Sequence[RouteGeometry]) -> RouteLines:
    """Check, unwrap, cut and measure routes; raises ``GeometryError`` naming the first bad one."""
    for route in routes:
        _check(route)
    counts = np.array([len(route.lon_deg) for route in routes], np.int64)
    parts = [_lay(routes[begin:end], counts[begin:end]) for begin, end in chunks(counts, CHUNK_VERTICES)]
    if not parts:
        none = np.empty(0)
        return RouteLines(
            none.astype("i4"), none.astype("i4"), np.zeros(1, "i8"), none.astype("i8"), none, none,
            none.astype("u1"), None, none,
        )  # fmt: skip
    x, lat, length, origin, chainage_m, width_m, given_leg, widest_m = (
        np.concatenate(column) for column in zip(*parts, strict=True)
    )
    first = np.concatenate([[0], np.cumsum(length)]).astype(np.int64)
    widths_m, width = np.unique(width_m, return_inverse=True)
    which = width.astype(np.min_scalar_type(len(widths_m)))
    whole = np.arange(len(x)) - np.repeat(first[:-1], length)
    whole[first[1:] - 1] -= 1
    cut = None if np.array_equal(given_leg, whole) else given_leg
    return RouteLines(x, lat, first, origin, chainage_m, widths_m, which, cut, widest_m)


def _lay(routes: Sequence[RouteGeometry], counts: I8) -> tuple[NDArray[Any], ...]:
    """Some routes' columns: x, latitude, vertices a route, origins, chainages, half-widths, given legs, widest."""
    lon = to_e7(_flat([route.lon_deg for route in routes]))
    lat = to_e7(_flat([route.lat_deg for route in routes]))
    width_m = _flat([np.append(route.half_width_m, route.half_width_m[-1]) for route in routes])
    given_leg = _flat([np.minimum(np.arange(n), n - 2) for n in counts.tolist()])
    owner: I8 = np.repeat(np.arange(len(routes)), counts)
    x = _unwrap(lon, owner)
    kept = which(_without_repeats(x, lat, owner))
    x, lat, whole, chainage_m = _cut(x[kept], lat[kept], owner[kept])
    at = kept[whole]
    width_m, given_leg, owner = width_m[at], given_leg[at], owner[at]
    length = np.bincount(owner, minlength=len(routes))
    first = np.cumsum(length) - length
    low, high = np.minimum.reduceat(x, first), np.maximum.reduceat(x, first)
    for i in which(high - low >= HALF_TURN_E7).tolist():
        found = f"spans {(high[i] - low[i]) / DEGREE_E7:.1f}° of longitude"
        raise GeometryError(routes[i].id, found, "cut it in two")
    origin = (low + high) // 2
    widest_m = np.maximum.reduceat(width_m, first)
    x = (x - origin[owner]).astype(np.int32)
    return (
        x, lat.astype(np.int32), length, origin, chainage_m, width_m, given_leg.astype(np.int32), widest_m,
    )  # fmt: skip


def _check(route: RouteGeometry) -> None:
    """Refuse what has no meaning as a corridor."""
    vertices, legs = len(route.lon_deg), len(route.half_width_m)
    if vertices < FEWEST_VERTICES or len(route.lat_deg) != vertices:
        raise GeometryError(
            route.id, f"{vertices} longitudes, {len(route.lat_deg)} latitudes", "give two vertices or more"
        )
    if legs != vertices - 1:
        raise GeometryError(route.id, f"{legs} half-widths for {vertices - 1} legs", "give one for each leg")
    if not every((np.abs(route.lon_deg) <= MOST_LON_DEG) & (np.abs(route.lat_deg) <= MOST_LAT_DEG)):
        raise GeometryError(route.id, "a vertex outside ±180° and ±90°", "give degrees, longitude first")
    if not every((route.half_width_m > 0) & np.isfinite(route.half_width_m)):
        raise GeometryError(
            route.id, f"half-width {np.min(route.half_width_m)}", "give metres greater than 0"
        )


def _flat(parts: list[F8]) -> F8:
    return np.concatenate([np.empty(0), *parts])


def _unwrap(lon: I8, owner: I8) -> I8:
    """Longitudes that never jump: each vertex the short way from the one before; the first of a route as given."""
    if len(lon) == 0:
        return lon
    step = np.zeros_like(lon)
    step[1:] = np.where(owner[1:] == owner[:-1], wrap_e7(np.diff(lon)), 0)
    run = np.cumsum(step)
    starts = np.searchsorted(owner, np.arange(owner[-1] + 1))
    return run - run[starts][owner] + lon[starts][owner]


def _without_repeats(x: I8, lat: I8, owner: I8) -> NDArray[np.bool_]:
    """Vertices that the next one moves on from, and last ones; a route that nowhere moves keeps first and last."""
    kept = np.ones(len(x), np.bool_)
    kept[:-1] = (x[1:] != x[:-1]) | (lat[1:] != lat[:-1]) | (owner[1:] != owner[:-1])
    lines = owner[-1] + 1 if len(owner) else 0
    alone = np.bincount(owner[kept], minlength=lines) == 1
    kept[np.searchsorted(owner, which(alone))] = True
    return kept


def _cut(x: I8, lat: I8, owner: I8) -> tuple[I8, I8, I8, F8]:
    """Cut legs longer than ``PIECE_M`` into equal pieces; returns places again, the leg each is of, and chainages."""
    same = np.append(owner[1:] == owner[:-1], np.zeros(min(1, len(owner)), np.bool_))
    ends = np.minimum(np.arange(len(x)) + 1, max(len(x) - 1, 0))
    length_m = np.where(same, _length_m(x, lat, x[ends], lat[ends]), 0.0)
    pieces = np.maximum(np.ceil(length_m / PIECE_M), 1).astype(np.int64)
    leg, piece = expand(np.zeros(len(x), np.int64), pieces)
    part = piece / pieces[leg]
    new_x = x[leg] + np.floor(part * (x[ends] - x)[leg] + 0.5).astype(np.int64)
    new_lat = lat[leg] + np.floor(part * (lat[ends] - lat)[leg] + 0.5).astype(np.int64)
    new_owner = owner[leg]
    step_m = np.zeros(len(leg))
    if len(leg):
        step_m[1:] = _length_m(new_x[:-1], new_lat[:-1], new_x[1:], new_lat[1:])
        step_m[1:][new_owner[1:] != new_owner[:-1]] = 0.0
    chainage_m = np.empty(len(leg))
    for span in np.split(np.arange(len(leg)), which(np.diff(new_owner)) + 1):
        chainage_m[span] = np.cumsum(step_m[span])
    return new_x, new_lat, leg, chainage_m


def _length_m(x1: I8, lat1: I8, x2: I8, lat2: I8) -> F8:
    """Metres along straight lon/lat lines, integrated with the exact radii."""
    total = np.zeros(len(x1))
    dx, dy = (x2 - x1) / DEGREE_E7, (lat2 - lat1) / DEGREE_E7
    for at, weight in zip(GAUSS_AT, GAUSS_WEIGHT, strict=True):
        per_lon, per_lat = metres_per_degree(lat1 / DEGREE_E7 + dy * (0.5 + at / 2))
        total += weight / 2 * np.sqrt((dx * per_lon) ** 2 + (dy * per_lat) ** 2)
    return total
