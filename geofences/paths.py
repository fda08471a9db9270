"""Paths as segments: cut, boxed for the index, and put together again as parts of a path's length. Pure, no state."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geofences.cells import Boxes
from geofences.projection import plane_distance_m, wrap_e7
from geofences.ragged import expand, group_starts

__all__ = ["Segments", "cut_paths"]

PIECE_SHIFT = 18
"""Pieces of a long segment are 2^18 units (3 km) long at most: two cells of the finest grid, not a box over a country."""

MICROMETRES = 1e6
"""Lengths are summed as whole micrometres: integers add up the same however paths are batched."""

ROW_BITS = 32

F8 = NDArray[np.float64]
I8 = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Segments:
    """Straight pieces of paths in order: start, difference (wrapped), and where they lie on their path.

    ``before_um`` and ``length_um`` are whole micrometres along the path; ``total_um`` is the path's length.
    """

    path: I8
    lon_e7: I8
    lat_e7: I8
    dlon_e7: I8
    dlat_e7: I8
    before_um: I8
    length_um: I8
    total_um: I8

    def boxes(self) -> tuple[I8, Boxes]:
        """Boxes that cover the segments, several for a long one: (segment of each box, boxes)."""
        reach = np.maximum(np.abs(self.dlon_e7), np.abs(self.dlat_e7))
        pieces = (reach >> PIECE_SHIFT) + 1
        if not (pieces > 1).any():
            return np.arange(len(self.path)), _spans(self.lon_e7, self.lat_e7, self.dlon_e7, self.dlat_e7)
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
        pair, segment = pair[order], segment[order]
        starts = group_starts(pair)
        before, length = self.before_um[segment], self.length_um[segment]
        total = np.maximum(self.total_um[segment], 1)
        first = np.minimum((before + enter[order] * length) / total, 1.0)[starts]
        last = (
            np.minimum((before + leave[order] * length) / total, 1.0)[np.append(starts[1:], len(pair)) - 1]
            if len(pair)
            else first
        )
        pair = pair[starts]
        return (
            (pair >> ROW_BITS).astype(np.int32),
            (pair & ((1 << ROW_BITS) - 1)).astype(np.int32),
            first,
            last,
        )


def cut_paths(lon_e7: I8, lat_e7: I8, offsets: I8) -> Segments:
    """Segments of ragged polylines; a path of one vertex is one segment that does not move."""
    counts = np.diff(offsets)
    path, start = expand(offsets[:-1], np.where(counts == 1, 1, np.maximum(counts - 1, 0)))
    end = np.minimum(start + 1, offsets[path + 1] - 1)
    dlon, dlat = wrap_e7(lon_e7[end] - lon_e7[start]), lat_e7[end] - lat_e7[start]
    length_um = np.floor(plane_distance_m(dlon, dlat, lat_e7[start]) * MICROMETRES + 0.5).astype(np.int64)
    run = np.concatenate([[0], np.cumsum(length_um)])
    begins = group_starts(path)
    ends = np.append(begins[1:], len(path))
    of_path = np.repeat(np.arange(len(begins)), ends - begins)
    before, total = (
        run[:-1] - run[begins][of_path],
        (run[ends] - run[begins])[of_path] if len(begins) else length_um,
    )
    return Segments(path, lon_e7[start], lat_e7[start], dlon, dlat, before, length_um, total)


def _spans(lon: I8, lat: I8, dlon: I8, dlat: I8) -> Boxes:
    """One box for each segment."""
    return Boxes(
        lon + np.minimum(dlon, 0),
        lon + np.maximum(dlon, 0),
        lat + np.minimum(dlat, 0),
        lat + np.maximum(dlat, 0),
    )
