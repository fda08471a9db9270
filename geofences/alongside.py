"""Where routes run through zones, worked out once: a stretch of a route asks what it crosses without any geometry.

A route and its zones stand still while cargo moves, so the parts of each route inside each zone are found when the
plan is read. Chainages are those of ``CorridorSet``; a part is closed, as zones are, and may be a single touch. Built
once, then read-only: safe to share between threads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from geofences.corridors import CorridorSet
from geofences.masks import ONE, START, which
from geofences.paths import Passages, Segments
from geofences.projection import wrap_e7
from geofences.ragged import chunks, expand, group_starts
from geofences.zones import ZoneSet

__all__ = ["ZonesAlong", "parts_on_route"]

BIN_M = 250.0
"""Where a stretch begins is rounded down to this before the look at what may follow: finer costs memory, coarser time."""

BIN = np.array(BIN_M)

JOIN_M = 0.01
"""Parts this near each other are one: 1e-7 degree is 11 mm, and legs meet at whole ones."""

CHUNK_LEGS = 50_000
"""Legs taken at a time: building a million takes little more memory than keeping them."""

F8 = NDArray[np.float64]
I8 = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class ZonesAlong:
    """Parts of routes inside zones.

    Attributes
    ----------
    zone, enter_m, leave_m
        The parts of route ``i`` are ``first[i] : first[i + 1]``; those of one zone are apart from each other.
    bin_first, least_leave_m
        Bin ``b`` of route ``i`` is ``bin_first[i] + b``; ``least_leave_m`` of a bin is the least end of the parts that
        begin in it or later on the route, rounded down, inf where none does.
    """

    zone: I8
    enter_m: F8
    leave_m: F8
    first: I8
    bin_first: I8
    least_leave_m: NDArray[np.float32]

    @classmethod
    def build(cls, corridors: CorridorSet, zones: ZoneSet, wanted: Mask) -> Self:
        """Parts of all routes in the zones that are ``wanted`` (bool[z])."""
        route, zone, enter_m, leave_m = _joined(*_parts(corridors, zones, wanted))
        bins = (corridors.length_m // BIN_M).astype(np.int64) + 1
        bin_first = np.concatenate([[0], np.cumsum(bins)])
        least_m = np.full(bin_first[-1] + 1, np.inf)
        np.minimum.at(least_m, bin_first[route] + _bin(enter_m, bins[route]), leave_m)
        for i in np.unique(route).tolist():
            of_route = least_m[bin_first[i] : bin_first[i + 1]]
            np.minimum.accumulate(of_route[::-1], out=of_route[::-1])
        first = np.searchsorted(route, np.arange(len(bins) + 1))
        return cls(zone, enter_m, leave_m, first, bin_first, _rounded_down(least_m))

    def crossed(self, route: I8, from_m: F8, to_m: F8) -> Passages:
        """Zones that stretches of routes go into and out of again, neither end inside.

        Parameters
        ----------
        route
            int64[n].
        from_m, to_m
            float64[n], chainages; against the route's direction where ``to_m < from_m``.
        """
        low_m, high_m = np.minimum(from_m, to_m), np.maximum(from_m, to_m)
        first = self.bin_first[route]
        least_m = self.least_leave_m[first + _bin(low_m, self.bin_first[route + ONE] - first)]
        rows = which(least_m < high_m)
        if len(rows) == 0:
            none = np.empty(0)
            return Passages(rows, rows, none, none)
        return self._passages(rows, route[rows], low_m[rows], high_m[rows], (to_m < from_m)[rows])

    def _passages(self, stretch: I8, route: I8, low_m: F8, high_m: F8, back: Mask) -> Passages:
        """All parts of the routes of some stretches, looked at one by one."""
        mine, part = expand(self.first[route], self.first[route + 1] - self.first[route])
        low_m, high_m = low_m[mine], high_m[mine]
        enter_m, leave_m = self.enter_m[part], self.leave_m[part]
        touched = which((enter_m <= high_m) & (leave_m >= low_m))
        low_m, high_m, enter_m, leave_m = low_m[touched], high_m[touched], enter_m[touched], leave_m[touched]
        mine, zone = mine[touched], self.zone[part[touched]]
        order = np.lexsort((zone, mine))
        mine, zone, low_m, high_m = mine[order], zone[order], low_m[order], high_m[order]
        starts = group_starts(mine * (zone.max(initial=0) + 1) + zone)
        if len(starts) == 0:
            return Passages(starts, starts, low_m, high_m)
        first_m = np.minimum.reduceat(enter_m[order], starts)
        last_m = np.maximum.reduceat(leave_m[order], starts)
        mine, zone, low_m, high_m = mine[starts], zone[starts], low_m[starts], high_m[starts]
        apart = which((first_m > low_m) & (last_m < high_m))
        mine, low_m, length_m = mine[apart], low_m[apart], (high_m - low_m)[apart]
        near, far = (first_m[apart] - low_m) / length_m, (last_m[apart] - low_m) / length_m
        turned = back[mine]
        enter, leave = np.where(turned, 1.0 - far, near), np.where(turned, 1.0 - near, far)
        return Passages(stretch[mine], zone[apart], enter, leave)


def parts_on_route(corridors: CorridorSet, zones: ZoneSet, wanted: Mask, route: int) -> tuple[I8, F8, F8]:
    """Where one route runs through the zones that are ``wanted`` (bool[z]): zone, first and last chainage, along the route.

    For what is asked now and then: it looks at the route's legs anew each time.
    """
    if not wanted.any():
        return np.empty(0, np.int64), np.empty(0), np.empty(0)
    _, zone, enter_m, leave_m = _joined(*_parts_of(corridors, zones, wanted, np.array([route])))
    order = np.argsort(enter_m, kind="stable")
    return zone[order], enter_m[order], leave_m[order]


def _bin(chainage_m: F8, bins: I8) -> I8:
    """Bin of chainages; before the route the first, after it the last."""
    found: I8 = np.minimum((np.maximum(chainage_m, START) / BIN).astype(np.int64), bins - ONE)
    return found


def _rounded_down(metres: F8) -> NDArray[np.float32]:
    """The nearest that half as many bytes can say, not above."""
    rounded = metres.astype(np.float32)
    return np.where(rounded > metres, np.nextafter(rounded, np.float32(-np.inf)), rounded)


def _parts(corridors: CorridorSet, zones: ZoneSet, wanted: Mask) -> tuple[I8, I8, F8, F8]:
    """Parts of single legs inside zones, unsorted and perhaps repeated: route, zone, first and last chainage."""
    none = np.empty(0, np.int64)
    found = [(none, none, np.empty(0), np.empty(0))]
    for begin, end in chunks(np.diff(corridors.lines.first), CHUNK_LEGS):
        found.append(_parts_of(corridors, zones, wanted, np.arange(begin, end)))
    route, zone, enter_m, leave_m = (np.concatenate(column) for column in zip(*found, strict=True))
    return route, zone, enter_m, leave_m


def _parts_of(corridors: CorridorSet, zones: ZoneSet, wanted: Mask, some: I8) -> tuple[I8, I8, F8, F8]:
    """Those of some routes."""
    lines = corridors.lines
    owner, leg = expand(lines.first[some], lines.first[some + 1] - 1 - lines.first[some])
    segments = _segments(corridors, some[owner], leg)
    segment, zone, enter, leave = zones.inside_parts(segments, wanted)
    begin_m = lines.chainage_m[leg[segment]]
    length_m = lines.chainage_m[leg[segment] + 1] - begin_m
    return segments.path[segment], zone, begin_m + enter * length_m, begin_m + leave * length_m


def _segments(corridors: CorridorSet, route: I8, leg: I8) -> Segments:
    """Legs as segments of their routes; lengths are not asked for."""
    lines = corridors.lines
    lon, lat = lines.degrees_e7(route, lines.x_e7[leg], lines.y_e7[leg])
    dlon = lines.x_e7[leg + 1].astype(np.int64) - lines.x_e7[leg]
    dlat = lines.y_e7[leg + 1].astype(np.int64) - lines.y_e7[leg]
    return Segments(route, wrap_e7(lon), lat, dlon, dlat)


def _joined(route: I8, zone: I8, enter_m: F8, leave_m: F8) -> tuple[I8, I8, F8, F8]:
    """Parts of the same route and zone that meet become one; sorted by route, zone, chainage."""
    order = np.lexsort((enter_m, zone, route))
    route, zone, enter_m, leave_m = route[order], zone[order], enter_m[order], leave_m[order]
    fresh = np.ones(len(route), np.bool_)
    fresh[1:] = (route[1:] != route[:-1]) | (zone[1:] != zone[:-1])
    group = np.cumsum(fresh)
    span_m = (leave_m.max(initial=0.0) + 1.0) * 2
    reached_m = np.maximum.accumulate(leave_m + group * span_m) - group * span_m
    fresh[1:] |= enter_m[1:] > reached_m[:-1] + JOIN_M
    starts = which(fresh)
    if len(starts) == 0:
        return route, zone, enter_m, leave_m
    return route[starts], zone[starts], enter_m[starts], np.maximum.reduceat(leave_m, starts)
