"""Where on a route to look for a fix, by two looks in a table: the quick way for fixes on or beside their route.

Each route has a grid of its own. A cell knows a *window*: a run of so many legs of the route that holds every leg
within the route's guaranteed reach of any place in the cell. So when the nearest leg in the window lies well within
that reach, the window has all that matters and the tree of boxes need not be asked. Cells near more legs than a
window has, such as where a route comes by twice, know none. Built once, then read-only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from geofences.keys import KeyTable
from geofences.lines import Plane
from geofences.masks import which
from geofences.projection import DEGREE_E7, HALF_TURN_E7, metres_per_degree
from geofences.ragged import chunks, expand, group_starts
from geofences.routes import RouteLines

__all__ = ["NearbyLegs", "lay_windows"]

BESIDE_M = 100.0
"""How far off the corridor the narrow windows serve."""

FAR_LEGS = 6.0
"""Mean legs off the route up to which the wide windows serve: deviations, and roads drawn in short legs."""

NARROW, WIDE = 8, 32
"""Legs in a window. Each costs a fix the same, so most fixes look at few."""

LEGS_PER_CELL = 2.0
"""Mean legs along a cell: fewer make more cells, more leave no room for the reach in a window."""

SAFETY = 1.01
"""Widens a leg's box by more than any difference between the metres of building and those of a fix."""

LEAST_SHIFT, MOST_SHIFT = 12, 28
"""Cells from 46 m to 3,000 km at the equator."""

CELL_BITS = 16
"""What a key keeps of a column and of a row. Cells 3,000 km apart share a key, and so a window that serves them all."""

BITS, MOST, HALF_TURN = np.array(CELL_BITS), np.array((1 << CELL_BITS) - 1), np.array(HALF_TURN_E7)
"""As arrays (see ``masks``)."""

LEAST_M_PER_LAT_DEG = 110_574.0
"""A degree of latitude at the equator, where it is shortest."""

CHUNK_LEGS = 50_000
"""Legs entered at a time: building a million takes little more memory than keeping them."""

F8 = NDArray[np.float64]
I8 = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class NearbyLegs:
    """Windows of ``legs`` legs each.

    Attributes
    ----------
    reach_m
        float64, per route: the distance from a fix within which its window has every leg.
    certain_m2
        float64, per route: the square of how near the nearest leg in a window must be, for the window to have all that
        matters.
    shift_x, shift_y
        int64, per route: sizes of its cells as powers of two of 1e-7 degree.
    first_leg
        First leg of a cell's window, by the cell's key.
    """

    legs: int
    reach_m: F8
    certain_m2: F8
    shift_x: I8
    shift_y: I8
    first_leg: KeyTable

    @classmethod
    def build(cls, lines: RouteLines, legs: int, reach_m: F8, slack_m: float) -> Self:
        """Cells around all routes that have so many legs, and room in a window for the reach."""
        count = np.diff(lines.first) - 1
        mean_m = _mean_leg_m(lines)
        cell_m = np.maximum(LEGS_PER_CELL * mean_m, reach_m)
        middle = (lines.first[:-1] + lines.first[1:]) // 2
        per_lon, per_lat = metres_per_degree(lines.y_e7[middle] / DEGREE_E7)
        shift_x, shift_y = _shift(cell_m / per_lon), _shift(cell_m / per_lat)
        fits = which((count >= legs) & (2 * reach_m + cell_m <= legs * np.maximum(mean_m, 1e-9)))
        none = np.empty(0, np.int64)
        keys, first_leg = [none], [none]
        for begin, end in chunks(count[fits], CHUNK_LEGS):
            key, leg = _windows(lines, fits[begin:end], legs, reach_m, shift_x, shift_y)
            keys.append(key)
            first_leg.append(leg)
        table = KeyTable.build(np.concatenate(keys), np.concatenate(first_leg))
        certain_m2 = (reach_m - slack_m) * (reach_m - slack_m)
        return cls(legs, reach_m, certain_m2, shift_x, shift_y, table)

    def windows(self, line: I8, plane: Plane) -> I8:
        """First leg of each fix's window; less than 0, or of another route, where its cell knows none."""
        column, row = plane.x_e7 + HALF_TURN, plane.y_e7 + HALF_TURN
        column >>= self.shift_x[line]
        row >>= self.shift_y[line]
        return self.first_leg.find(_key(line, column, row))


def lay_windows(lines: RouteLines, slack_m: float) -> tuple[NearbyLegs, ...]:
    """Narrow and wide windows for routes, those of which there are any; both reach ``slack_m`` beyond the nearest leg of the fixes they serve."""
    beside_m = lines.widest_m + slack_m + BESIDE_M
    far_m = np.maximum(beside_m, FAR_LEGS * _mean_leg_m(lines))
    tiers = (
        NearbyLegs.build(lines, NARROW, beside_m, slack_m),
        NearbyLegs.build(lines, WIDE, far_m, slack_m),
    )
    return tuple(tier for tier in tiers if len(tier.first_leg))


def _mean_leg_m(lines: RouteLines) -> F8:
    """Mean length of each route's legs."""
    length_m = lines.chainage_m[lines.first[1:] - 1] if len(lines.first) > 1 else np.empty(0)
    mean_m: F8 = length_m / np.maximum(np.diff(lines.first) - 1, 1)
    return mean_m


def _windows(
    lines: RouteLines, routes: I8, legs: int, reach_m: F8, shift_x: I8, shift_y: I8
) -> tuple[I8, I8]:
    """Cells of some routes and their windows: keys, first legs."""
    leg, key = _entries(lines, routes, reach_m, shift_x, shift_y)
    order = np.argsort(key, kind="stable")
    leg, key = leg[order], key[order]
    starts = group_starts(key)
    low, high = np.minimum.reduceat(leg, starts), np.maximum.reduceat(leg, starts)
    key = key[starts]
    last = lines.first[(key >> 2 * CELL_BITS) + 1] - 1 - legs
    fits = high - low < legs
    return key[fits], np.minimum(low, last)[fits]


def _entries(lines: RouteLines, routes: I8, reach_m: F8, shift_x: I8, shift_y: I8) -> tuple[I8, I8]:
    """(leg, cell key) for every cell that a leg's box, grown by the reach, touches."""
    owner, leg = expand(lines.first[routes], lines.first[routes + 1] - 1 - lines.first[routes])
    route = routes[owner]
    south, north = _ordered(lines.y_e7[leg], lines.y_e7[leg + 1])
    west, east = _ordered(lines.x_e7[leg], lines.x_e7[leg + 1])
    farthest_deg = np.minimum(np.maximum(-south, north) / DEGREE_E7 + reach_m[route] / 1e5, 89.99)
    per_lon, _ = metres_per_degree(farthest_deg)
    aside = np.ceil(SAFETY * DEGREE_E7 * reach_m[route] / per_lon).astype(np.int64)
    up = np.ceil(SAFETY * DEGREE_E7 * reach_m[route] / LEAST_M_PER_LAT_DEG).astype(np.int64)
    left, right = _cell(west - aside, shift_x[route]), _cell(east + aside, shift_x[route])
    low, high = _cell(south - up, shift_y[route]), _cell(north + up, shift_y[route])
    rows = high - low + 1
    mine, number = expand(np.zeros(len(leg), np.int64), (right - left + 1) * rows)
    column, row = left[mine] + number // rows[mine], low[mine] + number % rows[mine]
    return leg[mine], _key(route[mine], column, row)


def _key(route: I8, column: I8, row: I8) -> I8:
    """A key of ``KeyTable``, the route being its group."""
    key: I8 = route << BITS
    key |= column & MOST
    key <<= BITS
    key |= row & MOST
    return key


def _cell(units_e7: I8, shift: I8) -> I8:
    """Cell number of a coordinate, beyond the half turn the outermost."""
    cell: I8 = np.minimum(np.maximum(units_e7 + HALF_TURN_E7, 0), 2 * HALF_TURN_E7) >> shift
    return cell


def _shift(degrees: F8) -> I8:
    """Power of two nearest to a cell size."""
    exponent = np.floor(np.log2(np.maximum(degrees, 1e-9) * DEGREE_E7) + 0.5)
    return np.asarray(np.clip(exponent, LEAST_SHIFT, MOST_SHIFT), np.int64)


def _ordered(a: NDArray[np.int32], b: NDArray[np.int32]) -> tuple[I8, I8]:
    """The lesser and the greater, as int64."""
    return np.minimum(a, b).astype(np.int64), np.maximum(a, b).astype(np.int64)
