"""Paths as segments: cut, boxed for the index, and put together again as parts of a path's length. Pure, no state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geofences.cells import Boxes
from geofences.masks import which
from geofences.projection import plane_distance_m, wrap_e7
from geofences.ragged import expand, group_starts

__all__ = ["Passages", "Segments", "cut_paths"]

PIECE_SHIFT = 18
"""Pieces of a long segment are 2^18 units (3 km) long at most: two cells of the finest grid, not a box over a country."""

MICROMETRES = 1e6
"""Lengths are summed as whole micrometres: integers add up the same however paths are batched."""

ROW_BITS = 32

F8 = NDArray[np.float64]
I8 = NDArray[np.int64]


class Passages(NamedTuple):
    """Zones that paths go into and out of again, neither end inside; sorted by path, then zone.

    ``path`` and ``zone`` int64; ``enter`` and ``leave`` float64, parts (0..1) of the path, in its direction: the first
    entering and the last leaving.
    """

    path: I8
    zone: I8
    enter: F8
    leave: F8


@dataclass(frozen=True, slots=True, eq=False)
class Segments:
    """Straight pieces of paths in order: start, and difference (wrapped)."""

    path: I8
    lon_e7: I8
    lat_e7: I8
    dlon_e7: I8
    dlat_e7: I8

    def columns(self, rows: I8) -> tuple[I8, I8, I8, I8]:
        """Start and difference of some segments."""
        return self.lon_e7[rows], self.lat_e7[rows], self.dlon_e7[rows], self.dlat_e7[rows]

    def boxes(self) -> tuple[I8 | None, Boxes]:
        """Boxes that cover the segments, several for a long one: (segment of each box, None for one each, and boxes)."""
        pieces = (np.maximum(np.abs(self.dlon_e7), np.abs(self.dlat_e7)) >> PIECE_SHIFT) + 1
        if pieces.max(initial=1) == 1:
            return None, _spans(self.lon_e7, self.lat_e7, self.dlon_e7, self.dlat_e7)
        owner, piece = expand(np.zeros(len(pieces), np.int64), pieces)
        count = pieces[owner]
        x0, x1 = (self.dlon_e7[owner] * k // count for k in (piece, piece + 1))
        y0, y1 = (self.dlat_e7[owner] * k // count for k in (piece, piece + 1))
        west, east = np.minimum(x0, x1), np.maximum(x0, x1) + 1
        south, north = np.minimum(y0, y1), np.maximum(y0, y1) + 1
        lon, lat = self.lon_e7[owner], self.lat_e7[owner]
        return owner, Boxes(lon + west, lon + east, lat + south, lat + north)

    def along_paths(
        self, segment: I8, zone: I8, enter: F8, leave: F8
    ) -> tuple[NDArray[np.int32], NDArray[np.int32], F8, F8]:
        """Touches of segments (sorted by segment) joined to touches of paths, as parts of the path's length."""
        pair = (self.path[segment] << ROW_BITS) | zone
        order = np.argsort(pair, kind="stable")
        pair = pair[order]
        before, length, total = (column[order] for column in self._walked_um(segment))
        first, last = (
            np.minimum((before + part[order] * length) / np.maximum(total, 1), 1.0) for part in (enter, leave)
        )
        starts = group_starts(pair)
        ends = np.append(starts[1:], len(pair))[: len(starts)] - 1
        path, zone = pair[starts] >> ROW_BITS, pair[starts] & ((1 << ROW_BITS) - 1)
        return path.astype(np.int32), zone.astype(np.int32), first[starts], last[ends]

    def _walked_um(self, segment: I8) -> tuple[I8, I8, I8]:
        """Whole micrometres: along the path before some segments, of them, and of their whole paths."""
        touched = np.zeros(self.path.max(initial=-1) + 1, np.bool_)
        touched[self.path[segment]] = True
        rows = which(touched[self.path])
        metres = plane_distance_m(self.dlon_e7[rows], self.dlat_e7[rows], self.lat_e7[rows])
        length = np.floor(metres * MICROMETRES + 0.5).astype(np.int64)
        run = np.concatenate([[0], np.cumsum(length)])
        at, path = np.searchsorted(rows, segment), self.path[rows]
        begin = run[np.searchsorted(path, self.path[segment])]
        end = run[np.searchsorted(path, self.path[segment], side="right")]
        return run[at] - begin, length[at], end - begin


def cut_paths(lon_e7: I8, lat_e7: I8, offsets: I8) -> Segments:
    """Segments of ragged polylines; a path of one vertex is one segment that does not move."""
    counts = np.diff(offsets)
    path, start = expand(offsets[:-1], np.where(counts == 1, 1, np.maximum(counts - 1, 0)))
    end = np.minimum(start + 1, offsets[path + 1] - 1)
    lon, lat = lon_e7[start], lat_e7[start]
    return Segments(path, lon, lat, wrap_e7(lon_e7[end] - lon), lat_e7[end] - lat)


def _spans(lon: I8, lat: I8, dlon: I8, dlat: I8) -> Boxes:
    """One box for each segment."""
    return Boxes(
        lon + np.minimum(dlon, 0),
        lon + np.maximum(dlon, 0),
        lat + np.minimum(dlat, 0),
        lat + np.maximum(dlat, 0),
    )
