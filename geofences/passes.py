"""Which passes of a route are in reach of a fix, where the route comes by the same place more than once.

Obligation of the caller: give the legs within reach of each fix, in order along the route. Kept are the places where
the route comes nearest: one on a plain road, two on an out-and-back. Each fix is looked at by itself, so batching
cannot change what it finds. Pure.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geofences.lines import LegHits, LineIndex, Plane
from geofences.masks import some, which
from geofences.ragged import group_starts

__all__ = ["Passes", "find_passes"]

PROMINENCE_M = 10.0
"""Two nearest places are two passes only if the route goes this much farther away in between; less is the wiggle of
a digitised line (GNSS traces wander 5 m), and a wiggle must not hold the chainage back."""

F8 = NDArray[np.float64]
I8 = NDArray[np.int64]


class Passes(NamedTuple):
    """Nearest places per fix, sorted by fix, then along the route; every fix has at least one.

    ``owner`` the fix's row, ``leg`` and ``along`` the place, ``distance_m`` from the fix.
    """

    owner: I8
    leg: I8
    along: F8
    distance_m: F8

    def take(self, rows: NDArray[np.bool_]) -> Passes:
        """The rows chosen by a mask."""
        return Passes(self.owner[rows], self.leg[rows], self.along[rows], self.distance_m[rows])


def find_passes(index: LineIndex, near: LegHits, line: I8, plane: Plane) -> Passes:
    """Places where the route comes nearest within reach.

    Parameters
    ----------
    near
        All legs within reach of each fix, and no others.
    line, plane
        Per fix, as given to the search.
    """
    lowest = _turning_places(index, near, line)
    found = near.take(lowest)
    owner = found.owner
    several = np.zeros(len(line), np.bool_)
    several[owner[1:][owner[1:] == owner[:-1]]] = True
    passes = Passes(owner, found.leg, found.along, np.sqrt(found.square_m2))
    if not some(several):
        return passes
    keep = ~several[owner]
    mixed = near.take(several[near.owner])
    keep[~keep] = _prominent(index, mixed, lowest[several[near.owner]], plane)
    return passes.take(keep)


def _turning_places(index: LineIndex, near: LegHits, line: I8) -> NDArray[np.bool_]:
    """Rows at which the distance along the route stops falling: feet inside legs, convex corners, the two ends."""
    owner, leg, _, along = near
    at_start, at_end = along == 0.0, along == 1.0
    lowest: NDArray[np.bool_] = ~(at_start | at_end)
    lines = line[owner]
    corner = np.zeros(len(leg), np.bool_)
    corner[1:] = at_end[:-1] & (leg[1:] == leg[:-1] + 1) & (owner[1:] == owner[:-1])
    lowest |= at_start & (corner | (leg == index.first[lines]))
    lowest = lowest | (at_end & (leg == index.first[lines + 1] - 2))
    missing = np.ones(len(line), np.bool_)
    missing[owner[lowest]] = False
    if some(missing[owner]):  # rounding at a corner seen from afar: the nearest leg stands
        lowest |= missing[owner] & _is_nearest(near)
    return lowest


def _is_nearest(near: LegHits) -> NDArray[np.bool_]:
    """The first of the nearest legs of each fix."""
    starts = group_starts(near.owner)
    least = np.repeat(
        np.minimum.reduceat(near.square_m2, starts), np.diff(np.append(starts, len(near.owner)))
    )
    rows = which(near.square_m2 == least)
    nearest = np.zeros(len(least), np.bool_)
    nearest[rows[group_starts(near.owner[rows])]] = True
    return nearest


def _prominent(index: LineIndex, near: LegHits, lowest: NDArray[np.bool_], plane: Plane) -> NDArray[np.bool_]:
    """Among the lowest places, those that the route really leaves in between; as a mask over the lowest ones."""
    owner, leg = near.owner, near.leg
    x_m = (index.x_e7[leg] - plane.x_e7[owner]) * plane.per_x_m[owner]
    y_m = (index.y_e7[leg] - plane.y_e7[owner]) * plane.per_y_m[owner]
    corner_m = np.sqrt(x_m * x_m + y_m * y_m)
    corner_m[0] = np.inf
    corner_m[1:][(leg[1:] != leg[:-1] + 1) | (owner[1:] != owner[:-1])] = np.inf
    rows = which(lowest)
    begins = np.concatenate([[0], rows[:-1] + 1])
    barrier_m = np.maximum.reduceat(corner_m[: rows[-1] + 1], begins).tolist()
    distance_m = np.sqrt(near.square_m2[rows]).tolist()
    new_owner = np.zeros(len(rows), np.bool_)
    new_owner[group_starts(owner[rows])] = True
    return _hysteresis(distance_m, barrier_m, new_owner.tolist())


def _hysteresis(distance_m: list[float], barrier_m: list[float], new_owner: list[bool]) -> NDArray[np.bool_]:
    """Keep a minimum only when the way rises by ``PROMINENCE_M`` before it and after it."""
    keep = np.zeros(len(distance_m), np.bool_)
    low_m, low_row, top_m, falling = math.inf, -1, math.inf, True
    for row, (distance, barrier, new) in enumerate(zip(distance_m, barrier_m, new_owner, strict=True)):
        if new and falling and low_row >= 0:
            keep[low_row] = True
        if new:
            low_m, low_row, falling = distance, row, True
            continue
        if falling and barrier >= low_m + PROMINENCE_M:
            keep[low_row] = True
            top_m, falling = barrier, False
        if not falling:
            top_m = max(top_m, barrier)
            if distance > top_m - PROMINENCE_M:
                continue
            low_m, low_row, falling = distance, row, True
        elif distance < low_m:
            low_m, low_row = distance, row
    if falling and low_row >= 0:
        keep[low_row] = True
    return keep
