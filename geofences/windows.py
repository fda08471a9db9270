"""Fixes against the windows of legs near them, as matrices of one row a leg and one column a fix.

What these kernels say of a fix is what a look at every leg of its route would say, to the bit, where the window has
every leg within reach of the fix: who calls them makes sure of that. Pure, no state.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geofences.lines import TINY, LegHits, LineIndex, Plane
from geofences.masks import END, START, every, some

__all__ = ["WindowHits", "compared", "first_row", "lowest_places", "measure_windows", "only_row"]

STEPS = np.arange(64)[:, None]
"""More than the vertices of any window."""

FEW = 256
"""Columns of which ``argmax`` finds the row sooner: it looks at each by itself, and needs no other call."""

F8 = NDArray[np.float64]
I8 = NDArray[np.int64]
Mask = NDArray[np.bool_]


class WindowHits(NamedTuple):
    """Windows, measured.

    Attributes
    ----------
    first_leg
        int64[n], of each fix's window.
    square_m2, along
        float64[legs, n], as in ``LegHits``.
    least_m2
        float64[n], least of ``square_m2``.
    column
        int64[n], the number of each fix.
    """

    first_leg: I8
    square_m2: F8
    along: F8
    least_m2: F8
    column: I8

    def at(self, row: I8, *values: F8) -> list[F8]:
        """Of ``square_m2`` and ``along``, one leg of each fix by its row."""
        place = row * len(row)
        place += self.column
        return [of.take(place) for of in values]

    def hits(self, within: Mask, columns: I8, owner: I8) -> LegHits:
        """The legs that ``within`` (bool[legs, n]) marks in some columns, whose fixes are rows ``owner`` elsewhere."""
        which, row = np.nonzero(within[:, columns].T)
        column = columns[which]
        return LegHits(
            owner[which], self.first_leg[column] + row, self.square_m2[row, column], self.along[row, column]
        )


def measure_windows(index: LineIndex, first_leg: I8, legs: int, plane: Plane) -> WindowHits:
    """Measure ``legs`` legs from ``first_leg`` on, for each fix; the arithmetic is that of ``LineIndex.measure``."""
    vertex = row_by_row(np.add, STEPS[: legs + 1], first_leg, np.empty((legs + 1, len(first_leg)), np.int64))
    x_m, y_m = index.x_e7.take(vertex).astype(np.float64), index.y_e7.take(vertex).astype(np.float64)
    row_by_row(np.subtract, x_m, plane.x_e7.astype(np.float64), x_m)  # mixed it would go through a buffer
    row_by_row(np.multiply, x_m, plane.per_x_m, x_m)
    row_by_row(np.subtract, y_m, plane.y_e7.astype(np.float64), y_m)
    row_by_row(np.multiply, y_m, plane.per_y_m, y_m)
    ax, ay = x_m[:-1], y_m[:-1]
    ex, ey = x_m[1:] - ax, y_m[1:] - ay
    length_m2 = ex * ex
    length_m2 += ey * ey
    along = ax * ex
    along += ay * ey
    np.negative(along, out=along)
    along /= np.maximum(length_m2, TINY, out=length_m2)
    np.minimum(np.maximum(along, START, out=along), END, out=along)
    ex *= along
    ey *= along
    ex += ax
    ey += ay
    ex *= ex
    ey *= ey
    ex += ey
    return WindowHits(first_leg, ex, along, np.minimum.reduce(ex, axis=0), np.arange(len(first_leg)))


def row_by_row(
    operation: np.ufunc, matrix: NDArray[Any], row: NDArray[Any], out: NDArray[Any]
) -> NDArray[Any]:
    """``operation(matrix, row)`` into ``out``. A row that it repeats numpy takes through a buffer: of long ones that is most of the work."""
    if len(row) <= FEW:
        operation(matrix, row, out=out)
    else:
        for mine, into in zip(matrix, out, strict=True):
            operation(mine, row, out=into)
    return out


def compared(operation: np.ufunc, matrix: F8, row: F8) -> Mask:
    """Which elements of a matrix compare so with the ``row``: bool, of the matrix's shape."""
    return row_by_row(operation, matrix, row, np.empty(matrix.shape, np.bool_))


def only_row(marked: Mask) -> tuple[I8, Mask]:
    """Row of the one mark of each column, and whether there is just one; else that row is any."""
    legs, fixes = marked.shape
    if fixes <= FEW:
        return marked.argmax(axis=0), np.add.reduce(marked, axis=0, dtype=np.uint8) == 1
    weight = np.arange(2 * legs, 3 * legs, dtype=np.uint16)[:, None]
    row = np.add.reduce(marked * weight, axis=0, dtype=np.uint16) - np.int64(2 * legs)
    return row, (row >= 0) & (row < legs)


def first_row(marked: Mask) -> I8:
    """First marked row of each column, of which each has one."""
    if marked.shape[1] <= FEW:
        return np.asarray(marked.argmax(axis=0), np.int64)
    row, single = only_row(marked)
    return row if every(single) else np.asarray(marked.argmax(axis=0), np.int64)


def lowest_places(hits: WindowHits, within: Mask, starts_route: Mask, ends_route: Mask) -> Mask:
    """Turning places as ``find_passes`` defines them: feet inside legs, convex corners, the two ends of the route.

    ``within`` is bool[legs, n]; ``starts_route`` and ``ends_route`` say whether the window begins or ends with it.
    """
    at_start, at_end = hits.along == START, hits.along == END
    lowest: Mask = ~(at_start | at_end)
    corner = at_start[1:] & at_end[:-1]
    corner &= within[:-1]
    lowest[1:] |= corner
    if some(starts_route):
        lowest[0] |= at_start[0] & starts_route
    if some(ends_route):
        lowest[-1] |= at_end[-1] & ends_route
    lowest &= within
    return lowest
