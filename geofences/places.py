"""Where each fix lies on its route: the nearest place, and every pass within reach.

Windows of few legs answer for most fixes (see ``nearby``), wider windows for most others, the tree of boxes for the
rest. All give the same answer to the bit; the first gives it soonest. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geofences.lines import LegHits, LineIndex, Plane
from geofences.masks import ONE, every, which
from geofences.nearby import NearbyLegs
from geofences.passes import Passes, find_passes
from geofences.ragged import group_starts
from geofences.routes import RouteLines
from geofences.windows import compared, first_row, lowest_places, measure_windows, only_row

__all__ = ["REACH_M", "Places", "find_places"]

REACH_M = 50.0
"""Another pass is a candidate up to this much farther than the nearest: GNSS error plus the width of a road."""

REACH = np.array(REACH_M)

MOST_FIXES = 8_192
"""Fixes measured at a time: their matrices stay in a processor's cache, and a million take no more memory than these."""

F8 = NDArray[np.float64]
I8 = NDArray[np.int64]


class Places(NamedTuple):
    """Nearest place of each fix, and the pass in reach where there is just one.

    Attributes
    ----------
    nearest_leg, nearest_along, nearest_m2
        int64[n], float64[n] and float64[n]: the place on the whole route, and how far it is, squared.
    leg, along, square_m2
        Of the one pass in reach; nothing for the fixes of ``others``.
    others
        Legs within reach of the fixes that may have several passes, or None.
    """

    nearest_leg: I8
    nearest_along: F8
    nearest_m2: F8
    leg: I8
    along: F8
    square_m2: F8
    others: LegHits | None = None

    @property
    def columns(self) -> tuple[NDArray[Any], ...]:
        """What has one element a fix."""
        return self.nearest_leg, self.nearest_along, self.nearest_m2, self.leg, self.along, self.square_m2

    def passes(self, index: LineIndex, line: I8, plane: Plane) -> Passes:
        """All passes, sorted by fix, then along the route."""
        if self.others is None:
            return Passes(np.arange(len(line)), self.leg, self.along, np.sqrt(self.square_m2))
        found = find_passes(index, self.others, line, plane)
        single = np.ones(len(line), np.bool_)
        single[found.owner] = False
        rows = which(single)
        owner = np.concatenate([rows, found.owner])
        order = np.argsort(owner, kind="stable")
        return Passes(
            owner[order],
            np.concatenate([self.leg[rows], found.leg])[order],
            np.concatenate([self.along[rows], found.along])[order],
            np.concatenate([np.sqrt(self.square_m2[rows]), found.distance_m])[order],
        )

    def put(self, rows: I8, places: Places) -> Places:
        """These places, but at ``rows`` those others."""
        for mine, theirs in zip(self.columns, places.columns, strict=True):
            mine[rows] = theirs
        parts = [part for part in (self.others, places.others) if part is not None]
        return self._replace(others=_merged(parts) if parts else None)


def find_places(
    lines: RouteLines, index: LineIndex, tiers: Sequence[NearbyLegs], line: I8, plane: Plane
) -> Places:
    """Places of fixes on their routes ``line``; ``plane`` as for ``LineIndex.search``."""
    if len(line) <= MOST_FIXES:
        return _find_places(lines, index, tiers, line, plane)
    parts, others = [], []
    for begin in range(0, len(line), MOST_FIXES):
        rows = np.arange(begin, min(begin + MOST_FIXES, len(line)))
        part = _find_places(lines, index, tiers, line[rows], plane.take(rows))
        parts.append(part.columns)
        if part.others is not None:
            others.append(part.others._replace(owner=part.others.owner + begin))
    nearest_leg, nearest_along, nearest_m2, leg, along, square_m2 = (
        np.concatenate(column) for column in zip(*parts, strict=True)
    )
    all_others = _merged(others) if others else None
    return Places(nearest_leg, nearest_along, nearest_m2, leg, along, square_m2, all_others)


def _find_places(
    lines: RouteLines, index: LineIndex, tiers: Sequence[NearbyLegs], line: I8, plane: Plane
) -> Places:
    """As ``find_places``, all at once."""
    rows, places = np.arange(len(line)), None
    here, seen = line, plane
    for tier in tiers:
        found, unsure = _look_in_windows(lines, index, tier, here, seen, rows)
        places = found if places is None else places.put(rows, found)
        rows = rows[unsure]
        if len(rows) == 0:
            return places
        here, seen = line[rows], plane.take(rows)
    found = _look_everywhere(lines, index, here, seen, rows)
    return found if places is None else places.put(rows, found)


def _look_in_windows(
    lines: RouteLines, index: LineIndex, tier: NearbyLegs, line: I8, plane: Plane, rows: I8
) -> tuple[Places, I8]:
    """Places of the fixes ``rows``, and which of them have no window with all that matters: nothing is said of those."""
    begin, end, first_leg = lines.first[line], lines.first[line + ONE], tier.windows(line, plane)
    known = (first_leg >= begin) & (first_leg < end)
    if not every(known):
        first_leg = np.where(known, first_leg, 0)
    hits = measure_windows(index, first_leg, tier.legs, plane)
    sure = hits.least_m2 <= tier.certain_m2[line]
    sure &= known
    nearest = first_row(compared(np.equal, hits.square_m2, hits.least_m2))
    nearest_leg = first_leg + nearest
    reach_m = np.sqrt(hits.least_m2)
    reach_m += REACH
    np.maximum(reach_m, lines.half_width_m(nearest_leg), out=reach_m)
    reach_m *= reach_m
    within = compared(np.less_equal, hits.square_m2, reach_m)
    row, single = only_row(lowest_places(hits, within, first_leg == begin, end - first_leg == tier.legs + 1))
    others = None
    if not every(single):
        several = which(sure & ~single)
        others = hits.hits(within, several, rows[several]) if len(several) else None
        row = np.where(single, row, 0)
    (nearest_along,) = hits.at(nearest, hits.along)
    along, square_m2 = hits.at(row, hits.along, hits.square_m2)
    found = Places(nearest_leg, nearest_along, hits.least_m2, first_leg + row, along, square_m2, others)
    return found, which(~sure)


def _look_everywhere(lines: RouteLines, index: LineIndex, line: I8, plane: Plane, rows: I8) -> Places:
    """Places of the fixes ``rows`` by a look at every leg of short routes, by a search of long ones."""
    hits = index.near(line, plane, REACH_M, lines.widest_m[line])
    starts = group_starts(hits.owner)
    least_m2 = np.minimum.reduceat(hits.square_m2, starts)
    ties = which(hits.square_m2 == least_m2[hits.owner])
    nearest = hits.take(ties[group_starts(hits.owner[ties])])
    reach_m = np.maximum(np.sqrt(least_m2) + REACH_M, lines.half_width_m(nearest.leg))
    near = hits.take(which(hits.square_m2 <= (reach_m * reach_m)[hits.owner]))
    others = near._replace(owner=rows[near.owner])
    return Places(
        nearest.leg, nearest.along, nearest.square_m2, nearest.leg, nearest.along, nearest.square_m2, others
    )


def _merged(parts: list[LegHits]) -> LegHits:
    """Hits of different fixes, sorted by fix."""
    if len(parts) == 1:
        return parts[0]
    owner, leg, square_m2, along = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.argsort(owner, kind="stable")
    return LegHits(owner[order], leg[order], square_m2[order], along[order])
