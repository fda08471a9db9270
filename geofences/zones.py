"""Zones: which hold which points, how far points are from them, where paths enter and leave them.

A zone is a polygon or multipolygon, straight in lon/lat between vertices (RFC 7946), with holes, or a circle. Its
boundary belongs to it. Vertices are rounded to 1e-7 degree; from there on polygons are exact integers. A zone that
crosses the antimeridian may be cut there or not; an edge goes the short way.

A set is built once and then read-only: safe to share between threads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import shapely
from numpy.typing import NDArray

from geofences import boundaries
from geofences.cells import Boxes, CellIndex
from geofences.circles import Circle, CircleIndex
from geofences.masks import some, which
from geofences.paths import Passages, Segments, cut_paths
from geofences.projection import wrap_e7
from geofences.ragged import distinct
from geofences.rings import RingIndex, Touches

__all__ = ["Circle", "ZoneGeometry", "ZoneSet"]

ROW_BITS = 32

F8 = NDArray[np.float64]
I8 = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class ZoneGeometry:
    """A zone's shape in lon/lat degrees: Polygon, MultiPolygon or ``Circle``."""

    id: str
    geometry: shapely.Polygon | shapely.MultiPolygon | Circle


@dataclass(frozen=True, slots=True, eq=False)
class ZoneSet:
    """Zones, indexed. Make one with ``build``; a row of ``ids`` is the zone number used everywhere else."""

    ids: tuple[str, ...]
    radius_m: F8
    is_round: Mask
    shape: I8
    rings: RingIndex
    circles: CircleIndex
    boxes: Boxes
    cells: CellIndex

    @classmethod
    def build(cls, zones: Sequence[ZoneGeometry]) -> Self:
        """Index zones.

        Raises
        ------
        GeometryError
            A zone that is empty, out of range, 180° wide or wider, round a pole, or a circle without radius.
        """
        ids = tuple(zone.id for zone in zones)
        is_round = np.array([isinstance(zone.geometry, Circle) for zone in zones], np.bool_)
        shape = np.where(is_round, np.cumsum(is_round), np.cumsum(~is_round)) - 1
        rings = RingIndex.build([(z.id, z.geometry) for z in zones if not isinstance(z.geometry, Circle)])
        circles = CircleIndex.build([(z.id, z.geometry) for z in zones if isinstance(z.geometry, Circle)])
        radius_m = np.empty(len(zones))
        radius_m[~is_round], radius_m[is_round] = np.sqrt(rings.area_m2 / np.pi), circles.radius_m
        boxes = _boxes(is_round, rings, circles)
        return cls(ids, radius_m, is_round, shape, rings, circles, boxes, CellIndex.build(boxes))

    def __len__(self) -> int:
        return len(self.ids)

    def holding(self, lon_e7: NDArray[Any], lat_e7: NDArray[Any]) -> tuple[I8, I8]:
        """Pairs (point, zone) of each point and every zone that holds it.

        Returns
        -------
        point, zone
            int64[k], sorted by point, then zone; a point in no zone does not occur.
        """
        lon, lat = wrap_e7(lon_e7), np.asarray(lat_e7, np.int64)
        point, zone = self.cells.at(lon, lat)
        held = which(self._holds(zone, lon[point], lat[point]))
        point, zone = point[held], zone[held]
        if len(self.cells.tables) > 1:
            pair = np.sort((point << ROW_BITS) | zone)
            point, zone = pair >> ROW_BITS, pair & ((1 << ROW_BITS) - 1)
        return point, zone

    def middle_e7(self, zone: NDArray[Any]) -> tuple[I8, I8]:
        """Longitude and latitude (1e-7 degree) of the middles of the boxes around some zones."""
        box = self.boxes
        return wrap_e7((box.west[zone] + box.east[zone]) // 2), (box.south[zone] + box.north[zone]) // 2

    def holds(self, lon_e7: NDArray[Any], lat_e7: NDArray[Any], zone: NDArray[Any]) -> Mask:
        """Whether ``zone[i]`` holds point ``i``; its boundary belongs to it."""
        return self._holds(
            np.asarray(zone, np.int64), np.asarray(lon_e7, np.int64), np.asarray(lat_e7, np.int64)
        )

    def distance_m(self, lon_e7: NDArray[Any], lat_e7: NDArray[Any], zone: NDArray[Any]) -> F8:
        """Metres from point ``i`` to ``zone[i]``; 0 inside and on the boundary."""
        out = np.zeros(len(zone))
        rows = which(~self.holds(lon_e7, lat_e7, zone))
        out[rows] = self.boundary_m(lon_e7[rows], lat_e7[rows], zone[rows])
        return out

    def boundary_m(self, lon_e7: NDArray[Any], lat_e7: NDArray[Any], zone: NDArray[Any]) -> F8:
        """Metres from point ``i`` to the boundary of ``zone[i]``, from either side."""
        lon, lat, zone = wrap_e7(lon_e7), np.asarray(lat_e7, np.int64), np.asarray(zone, np.int64)
        out = np.zeros(len(zone))
        is_round = self.is_round[zone]
        if some(is_round):
            rows = which(is_round)
            out[rows] = self.circles.boundary_m(self.shape[zone[rows]], lon[rows], lat[rows])
        rows = which(~is_round)
        if len(rows):
            out[rows] = boundaries.distance_m(self.rings, self.shape[zone[rows]], lon[rows], lat[rows])
        return out

    def beyond(self, lon_e7: NDArray[Any], lat_e7: NDArray[Any], zone: NDArray[Any], least_m: F8) -> Mask:
        """Whether point ``i``, outside ``zone[i]``, is ``least_m[i]`` or more from its boundary, as by ``boundary_m``."""
        lon, lat, zone = (
            np.asarray(lon_e7, np.int64),
            np.asarray(lat_e7, np.int64),
            np.asarray(zone, np.int64),
        )
        if len(self.circles.lon_e7) == 0:
            return boundaries.beyond(self.rings, self.shape[zone], lon, lat, least_m)
        out = np.zeros(len(zone), np.bool_)
        rows = which(self.is_round[zone])
        out[rows] = self.circles.distance_m(self.shape[zone[rows]], lon[rows], lat[rows]) >= least_m[rows]
        rows = which(~self.is_round[zone])
        if len(rows):
            out[rows] = boundaries.beyond(
                self.rings, self.shape[zone[rows]], lon[rows], lat[rows], least_m[rows]
            )
        return out

    def crossed(
        self, lon_e7: NDArray[Any], lat_e7: NDArray[Any], offsets: NDArray[Any]
    ) -> tuple[NDArray[np.int32], NDArray[np.int32], F8, F8]:
        """Every zone that paths touch, and where.

        Parameters
        ----------
        lon_e7, lat_e7
            int[v], 1e-7 degree; a path goes straight in lon/lat from vertex to vertex, the short way.
        offsets
            int[p + 1]; path ``i`` has vertices ``offsets[i] : offsets[i + 1]``.

        Returns
        -------
        path, zone
            int32[k], sorted by path, then zone.
        enter, leave
            float64[k], parts (0..1) of the path's length at which it first enters and last leaves the zone; 0 and 1
            where it begins or ends inside. A path that does not move has both 0.
        """
        segments = cut_paths(wrap_e7(lon_e7), np.asarray(lat_e7, np.int64), np.asarray(offsets, np.int64))
        segment, zone = self._near(segments)
        touches = self._cross(zone, segments, segment)
        hit = which(touches.touched)
        return segments.along_paths(segment[hit], zone[hit], touches.enter[hit], touches.leave[hit])

    def passed(self, ends_e7: Sequence[NDArray[Any]], wanted: Mask) -> Passages:
        """Zones that straight lines go into and out of again, neither end inside.

        Parameters
        ----------
        ends_e7
            Longitude and latitude of the lines' starts, then of their ends: int[n] each, 1e-7 degree; a line goes
            straight in lon/lat, the short way.
        wanted
            bool[z], zones to tell of.
        """
        lon, lat = wrap_e7(ends_e7[0]), np.asarray(ends_e7[1], np.int64)
        moved = wrap_e7(ends_e7[2] - lon), ends_e7[3] - lat
        segments = Segments(np.arange(len(lon)), lon, lat, *moved)
        line, zone = self._near(segments)
        rows = which(wanted[zone])
        line, zone = line[rows], zone[rows]
        if len(zone) == 0:
            return Passages(line, zone, np.empty(0), np.empty(0))
        straight = which(~self.is_round[zone])
        pair, enter, leave = self.rings.through(self.shape[zone[straight]], *segments.columns(line[straight]))
        pair = straight[pair]
        if len(straight) < len(zone):
            rounds = which(self.is_round[zone])
            found = self.circles.cross(self.shape[zone[rounds]], *segments.columns(line[rounds]))
            apart = which(found.touched & (found.enter > 0.0) & (found.leave < 1.0))
            pair, order = _sorted(np.concatenate([pair, rounds[apart]]))
            enter = np.concatenate([enter, found.enter[apart]])[order]
            leave = np.concatenate([leave, found.leave[apart]])[order]
        return Passages(line[pair], zone[pair], enter, leave)

    def inside_parts(self, segments: Segments, wanted: Mask) -> tuple[I8, I8, F8, F8]:
        """Every part of segments that lies in zones that are ``wanted`` (bool[z]): segment, zone, first and last part.

        Parts (0..1 of the segment) in no order, touches as parts without length; parts that meet may come apart.
        """
        segment, zone = self._near(segments)
        rows = which(wanted[zone])
        segment, zone = segment[rows], zone[rows]
        rounds, straights = which(self.is_round[zone]), which(~self.is_round[zone])
        touches = self._cross(zone[rounds], segments, segment[rounds])
        pair, enter, leave = self.rings.inside_parts(
            self.shape[zone[straights]], *segments.columns(segment[straights])
        )
        rows = np.concatenate([rounds[touches.touched], straights[pair]])
        first = np.concatenate([touches.enter[touches.touched], enter])
        last = np.concatenate([touches.leave[touches.touched], leave])
        return segment[rows], zone[rows], first, last

    def _near(self, segments: Segments) -> tuple[I8, I8]:
        """Candidate (segment, zone) pairs, sorted, each once."""
        piece, boxes = segments.boxes()
        row, zone = self.cells.touching(boxes)
        if piece is None or len(row) == 0:
            return row, zone
        pair = distinct((piece[row] << ROW_BITS) | zone)
        return pair >> ROW_BITS, pair & ((1 << ROW_BITS) - 1)

    def _holds(self, zone: I8, lon: I8, lat: I8) -> Mask:
        """Whether zones hold points, pair by pair."""
        if len(self.circles.lon_e7) == 0:
            return self.rings.holds(self.shape[zone], lon, lat)
        held = np.zeros(len(zone), np.bool_)
        is_round = self.is_round[zone]
        for index, rows in (
            (self.circles, which(is_round)),
            (self.rings, which(~is_round)),
        ):
            held[rows] = index.holds(self.shape[zone[rows]], lon[rows], lat[rows])
        return held

    def _cross(self, zone: I8, segments: Segments, segment: I8) -> Touches:
        """Segments against zones, pair by pair."""
        touches = Touches(np.zeros(len(zone), np.bool_), np.zeros(len(zone)), np.zeros(len(zone)))
        is_round = self.is_round[zone]
        for index, rows in (
            (self.circles, which(is_round)),
            (self.rings, which(~is_round)),
        ):
            if len(rows) == 0:
                continue
            found = index.cross(self.shape[zone[rows]], *segments.columns(segment[rows]))
            touches.touched[rows], touches.enter[rows], touches.leave[rows] = (
                found.touched,
                found.enter,
                found.leave,
            )
        return touches


def _sorted(values: I8) -> tuple[I8, I8]:
    """Values in order, and the order."""
    order = np.argsort(values, kind="stable")
    return values[order], order


def _boxes(is_round: Mask, rings: RingIndex, circles: CircleIndex) -> Boxes:
    """Every zone's box, in the order of the zones."""
    sides = np.empty((len(is_round), 4), np.int64)
    sides[~is_round] = rings.boxes
    sides[~is_round, :2] += rings.origin_e7[:, None]
    sides[is_round] = circles.boxes
    return Boxes(*sides.T)
