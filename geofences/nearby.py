"""Legs near a place on a route, by one look in a hash: the quick way for fixes that are on or beside their route.

Each route has a grid of its own, with cells as long as a few of its legs. A cell lists every leg within the route's
guaranteed reach of any place in the cell. So when the nearest leg listed lies well within that reach, the list is
complete and the tree of boxes need not be asked. Built once, then read-only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from geofences.cells import CellTable, group_cells, place_cells
from geofences.lines import Plane
from geofences.projection import DEGREE_E7, HALF_TURN_E7, metres_per_degree
from geofences.ragged import chunks, expand
from geofences.routes import RouteLines

__all__ = ["NearbyLegs"]

LEGS_PER_CELL = 4.0
"""Mean legs along a cell: half as many make twice as many cells, twice as many are measured in vain."""

BESIDE_M = 100.0
"""How far off the corridor the quick way still serves; farther out the tree answers."""

SAFETY = 1.01
"""Widens a leg's box by more than any difference between the metres of building and those of a fix."""

LEAST_SHIFT, MOST_SHIFT = 12, 28
"""Cells from 46 m to 3,000 km at the equator; a cell number then fits 20 bits."""

CELL_BITS = 20

LEAST_M_PER_LAT_DEG = 110_574.0
"""A degree of latitude at the equator, where it is shortest."""

CHUNK_LEGS = 50_000
"""Legs entered at a time: building a million takes little more memory than keeping them."""

NONE = np.empty(0, np.int64)

F8 = NDArray[np.float64]
I8 = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class NearbyLegs:
    """``reach_m``: per route, the distance from a fix within which its cell lists every leg."""

    reach_m: F8
    shift_x: NDArray[np.int8]
    shift_y: NDArray[np.int8]
    table: CellTable

    @classmethod
    def build(cls, lines: RouteLines, slack_m: float) -> Self:
        """Index the legs of routes so that fixes up to ``BESIDE_M`` off their corridor are served."""
        reach_m = lines.widest_m + slack_m + BESIDE_M
        legs = np.diff(lines.first) - 1
        length_m = lines.chainage_m[lines.first[1:] - 1] if len(legs) else np.empty(0)
        cell_m = np.maximum(LEGS_PER_CELL * length_m / legs, reach_m)
        middle = (lines.first[:-1] + lines.first[1:]) // 2
        per_lon, per_lat = metres_per_degree(lines.y_e7[middle] / DEGREE_E7)
        shift_x, shift_y = _shift(cell_m / per_lon), _shift(cell_m / per_lat)
        parts = [
            _entries(lines, np.arange(begin, end), reach_m, shift_x, shift_y)
            for begin, end in chunks(legs, CHUNK_LEGS)
        ]
        keys, counts, items = (
            zip(*parts, strict=True) if parts else ((NONE,), (NONE,), (NONE.astype(np.int32),))
        )
        table = place_cells(np.concatenate(keys), np.concatenate(counts), np.concatenate(items))
        return cls(reach_m, shift_x, shift_y, table)

    def around(self, line: I8, plane: Plane) -> tuple[I8, I8]:
        """(row of the fix, leg) pairs, sorted; a fix whose cell is empty does not occur."""
        column, row = _cell(plane.x_e7, self.shift_x[line]), _cell(plane.y_e7, self.shift_y[line])
        return self.table.items_at(_key(line, column, row))


def _entries(
    lines: RouteLines, routes: I8, reach_m: F8, shift_x: NDArray[np.int8], shift_y: NDArray[np.int8]
) -> tuple[I8, I8, NDArray[np.int32]]:
    """Cells of some routes with their legs: keys, counts, legs."""
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
    return group_cells(leg[mine], _key(route[mine], column, row))


def _key(route: I8, column: I8, row: I8) -> I8:
    return (((route << CELL_BITS) | column) << CELL_BITS) | row


def _cell(units_e7: I8, shift: NDArray[np.int8]) -> I8:
    """Cell number of a coordinate, beyond the half turn the outermost."""
    inside = np.minimum(np.maximum(units_e7, -HALF_TURN_E7), HALF_TURN_E7)
    return (inside + HALF_TURN_E7) >> shift


def _shift(degrees: F8) -> NDArray[np.int8]:
    """Power of two nearest to a cell size."""
    exponent = np.floor(np.log2(degrees * DEGREE_E7) + 0.5)
    return np.clip(exponent, LEAST_SHIFT, MOST_SHIFT).astype(np.int8)


def _ordered(a: NDArray[np.int32], b: NDArray[np.int32]) -> tuple[I8, I8]:
    """The lesser and the greater, as int64."""
    return np.minimum(a, b).astype(np.int64), np.maximum(a, b).astype(np.int64)
