"""Polygons with holes as flat rings of integers: exact point-in-polygon and segment crossings, many at once.

Orientation tests are integer products, so a point on the boundary is on the boundary. Each polygon is cut into
horizontal slabs with some four edges each; a test looks at the edges of one slab, whether a polygon has ten vertices
or twenty thousand. Inside is an odd number of edges to the east. Built once, then read-only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import shapely
from numpy.typing import NDArray

from geofences.errors import GeometryError
from geofences.lines import LineIndex
from geofences.masks import NOTHING, ONE, every, some, which
from geofences.projection import DEGREE_E7, EARTH_A_M, EARTH_E2, HALF_TURN_E7, to_e7, wrap_e7
from geofences.ragged import expand, group_starts

__all__ = ["RingIndex", "Touches"]

EDGES_PER_SLAB = 4
"""Vertices of a polygon for each of its slabs: fewer make more slabs, each edge then lies in more of them."""

F8 = NDArray[np.float64]
I8 = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Touches:
    """Segments against shapes: whether they touch, and the parts (0..1) at which they first enter and last leave."""

    touched: Mask
    enter: F8
    leave: F8


@dataclass(frozen=True, slots=True, eq=False)
class RingIndex:
    """Polygons, flat. Longitudes are relative to each polygon's ``origin_e7``; latitudes are absolute.

    Attributes
    ----------
    lines
        Rings of each polygon one after another, closed; for distances.
    boxes
        int32[p, 4]: west, east, south, north of each polygon.
    slab_shift, slab_first, edge_first, edges
        Slab ``s`` of polygon ``p`` has edges ``edges[edge_first[k] : edge_first[k + 1]]`` with
        ``k = slab_first[p] + s`` and ``s = (lat - south) >> slab_shift[p]``. An edge is int32[4]: longitude and
        latitude of its ends, side by side, so that a slab is one stretch of memory.
    area_m2
        On the ellipsoid, holes taken off.
    """

    lines: LineIndex
    origin_e7: I8
    boxes: NDArray[np.int32]
    slab_shift: I8
    slab_first: I8
    edge_first: I8
    edges: NDArray[np.int32]
    area_m2: F8

    @classmethod
    def build(cls, zones: Sequence[tuple[str, shapely.Geometry]]) -> Self:
        """Index named Polygons and MultiPolygons; raises ``GeometryError`` for what is empty, too wide or round a pole."""
        ids = [name for name, _ in zones]
        x, lat, ring, polygon_of_ring, hole = _flat_rings(ids, [polygon for _, polygon in zones])
        owner = polygon_of_ring[ring]
        x = _unwrap(ids, x, ring, owner)
        counts = np.bincount(owner, minlength=len(ids))
        first = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        low, high = _extremes(x, first)
        for i in which(high - low >= HALF_TURN_E7).tolist():
            raise GeometryError(
                ids[i], f"spans {(high[i] - low[i]) / DEGREE_E7:.1f}° of longitude", "cut it in two zones"
            )
        origin = (low + high) // 2
        boxes = np.stack([low - origin, high - origin, *_extremes(lat, first)], axis=1).astype(np.int32)
        gap = np.append(ring[1:] != ring[:-1], np.ones(min(1, len(ring)), np.bool_))
        area_m2 = _areas_m2(x, lat, ring, hole, polygon_of_ring, len(ids))
        lines = LineIndex.build((x - origin[owner]).astype(np.int32), lat.astype(np.int32), first, gap)
        return cls(lines, origin, boxes, *_slabs(lines, owner, counts, boxes), area_m2)

    def relative(self, polygon: I8, lon_e7: I8) -> I8:
        """Longitudes as the polygons see them."""
        return wrap_e7(lon_e7 - self.origin_e7[polygon])

    def holds(self, polygon: I8, lon_e7: I8, lat_e7: I8) -> Mask:
        """Whether polygons hold points, pair by pair; the boundary belongs to the polygon."""
        x = self.relative(polygon, lon_e7)
        west, east, south, north = self.boxes.take(polygon, axis=0).T.astype(np.int64)
        inside: Mask = (x >= west) & (x <= east) & (lat_e7 >= south) & (lat_e7 <= north)
        rows = which(inside)
        inside[rows] = self._odd(polygon[rows], x[rows], lat_e7[rows], south[rows])
        return inside

    def cross(self, polygon: I8, lon_e7: I8, lat_e7: I8, dlon_e7: I8, dlat_e7: I8) -> Touches:
        """Segments from points by differences, against polygons, pair by pair."""
        enter, leave = np.full(len(polygon), np.inf), np.full(len(polygon), -np.inf)
        near = self._near(polygon, lon_e7, lat_e7, dlon_e7, dlat_e7)
        if len(near) == 0:
            return Touches(np.zeros(len(polygon), np.bool_), enter, leave)
        pair, first, last = self._meet(near, polygon, lon_e7, lat_e7, dlon_e7, dlat_e7)
        if len(pair):
            groups = group_starts(pair)
            enter[pair[groups]] = np.minimum.reduceat(first, groups)
            leave[pair[groups]] = np.maximum.reduceat(last, groups)
        polygon, lon_e7, lat_e7 = polygon[near], lon_e7[near], lat_e7[near]
        lon, lat = wrap_e7(lon_e7 + dlon_e7[near]), lat_e7 + dlat_e7[near]
        enter[near[self.holds(polygon, lon_e7, lat_e7)]] = 0.0
        leave[near[self.holds(polygon, lon, lat)]] = 1.0
        return Touches(enter <= leave, enter, leave)

    def through(self, polygon: I8, lon_e7: I8, lat_e7: I8, dlon_e7: I8, dlat_e7: I8) -> tuple[I8, F8, F8]:
        """Segments that go into polygons and out of them again, pair by pair: pair, and where (0..1) they do.

        What ``cross`` says of those with neither end inside; whoever meets no edge is not asked where its ends are.
        """
        near = self._near(polygon, lon_e7, lat_e7, dlon_e7, dlat_e7)
        if len(near) == 0:
            return near, np.empty(0), np.empty(0)
        pair, first, last = self._meet(near, polygon, lon_e7, lat_e7, dlon_e7, dlat_e7)
        real = which(first <= last)
        pair, first, last = pair[real], first[real], last[real]
        starts = group_starts(pair)
        if len(starts) == 0:
            return pair, first, last
        pair = pair[starts]
        enter, leave = np.minimum.reduceat(first, starts), np.maximum.reduceat(last, starts)
        polygon, lon_e7, lat_e7 = polygon[pair], lon_e7[pair], lat_e7[pair]
        inside = self.holds(polygon, lon_e7, lat_e7)
        inside |= self.holds(polygon, wrap_e7(lon_e7 + dlon_e7[pair]), lat_e7 + dlat_e7[pair])
        apart = which(~inside)
        return pair[apart], enter[apart], leave[apart]

    def inside_parts(
        self, polygon: I8, lon_e7: I8, lat_e7: I8, dlon_e7: I8, dlat_e7: I8
    ) -> tuple[I8, F8, F8]:
        """Parts of segments that lie in polygons, pair by pair: pair, first and last part (0..1) of the segment.

        Every meeting with an edge is one, and what lies between two meetings or ends if its middle is inside.
        """
        near = self._near(polygon, lon_e7, lat_e7, dlon_e7, dlat_e7)
        pair, first, last = self._meet(near, polygon, lon_e7, lat_e7, dlon_e7, dlat_e7)
        real = which(first <= last)
        pair, first, last = pair[real], first[real], last[real]
        ends = np.zeros(len(near))
        cut_pair = np.concatenate([near, pair, pair, near])
        cut = np.concatenate([ends, first, last, ends + 1.0])
        order = np.lexsort((cut, cut_pair))
        cut_pair, cut = cut_pair[order], cut[order]
        between = which((cut_pair[1:] == cut_pair[:-1]) & (cut[1:] > cut[:-1]))
        mine, middle = cut_pair[between], (cut[between] + cut[between + 1]) / 2
        lon = lon_e7[mine] + np.floor(middle * dlon_e7[mine] + 0.5).astype(np.int64)
        lat = lat_e7[mine] + np.floor(middle * dlat_e7[mine] + 0.5).astype(np.int64)
        inside = which(self.holds(polygon[mine], wrap_e7(lon), lat))
        return (
            np.concatenate([pair, mine[inside]]),
            np.concatenate([first, cut[between[inside]]]),
            np.concatenate([last, cut[between[inside] + 1]]),
        )

    def _near(self, polygon: I8, lon_e7: I8, lat_e7: I8, dlon_e7: I8, dlat_e7: I8) -> I8:
        """Pairs whose boxes touch."""
        x = self.relative(polygon, lon_e7)
        west, east, south, north = self.boxes.take(polygon, axis=0).T
        near = (np.minimum(dlat_e7, 0) + lat_e7 <= north) & (np.maximum(dlat_e7, 0) + lat_e7 >= south)
        near &= (np.minimum(dlon_e7, 0) + x <= east) & (np.maximum(dlon_e7, 0) + x >= west)
        return which(near)

    def _meet(
        self, near: I8, polygon: I8, lon_e7: I8, lat_e7: I8, dlon_e7: I8, dlat_e7: I8
    ) -> tuple[I8, F8, F8]:
        """Pairs ``near`` with each edge in the slabs that their segments touch; inf and -inf where they do not meet."""
        mine, y, dy = polygon[near], lat_e7[near], dlat_e7[near]
        south, north = self.boxes[mine, 2].astype(np.int64), self.boxes[mine, 3]
        low, high = np.maximum(np.minimum(dy, 0) + y, south), np.minimum(np.maximum(dy, 0) + y, north)
        slab, shift = self.slab_first[mine], self.slab_shift[mine]
        begin = self.edge_first[slab + ((low - south) >> shift)]
        row, at = expand(begin, self.edge_first[slab + ((high - south) >> shift) + 1] - begin)
        x = self.relative(mine, lon_e7[near])
        return near[row], *_meet(self.edges.take(at, axis=0), x[row], y[row], dlon_e7[near[row]], dy[row])

    def _odd(self, polygon: I8, x: I8, y: I8, south: I8) -> Mask:
        """Whether points in boxes from ``south`` on are on an edge, or have an odd number of edges to the east."""
        slab = (y - south) >> self.slab_shift[polygon]
        slab += self.slab_first[polygon]
        first = self.edge_first[slab]
        slab += ONE
        pair, at = expand(first, self.edge_first[slab] - first)
        ax, ay, bx, by = _seen_from(self.edges.take(at, axis=0), x[pair], y[pair])
        turn = ax * by - bx * ay
        east = ((ay > NOTHING) != (by > NOTHING)) & ((turn > NOTHING) == (by > ay))
        held: Mask = (np.bincount(pair[east], minlength=len(polygon)) & ONE).astype(np.bool_)
        on_line = which(turn == NOTHING)
        if len(on_line) == 0:
            return held
        ax, ay, bx, by = ax[on_line], ay[on_line], bx[on_line], by[on_line]
        on_edge = (np.minimum(ax, bx) <= 0) & (np.maximum(ax, bx) >= 0)
        on_edge &= (np.minimum(ay, by) <= 0) & (np.maximum(ay, by) >= 0)
        held[pair[on_line[on_edge]]] = True
        return held


def _seen_from(edge: NDArray[np.int32], px: I8, py: I8) -> tuple[I8, I8, I8, I8]:
    """Both ends of edges, as differences from points."""
    return edge[:, 0] - px, edge[:, 1] - py, edge[:, 2] - px, edge[:, 3] - py


def _meet(edge: NDArray[np.int32], px: I8, py: I8, dx: I8, dy: I8) -> tuple[F8, F8]:
    """First and last part of each segment that lies on its edge; inf and -inf where they do not meet."""
    ax, ay, bx, by = _seen_from(edge, px, py)
    ex, ey = bx - ax, by - ay
    side_a, side_b = dx * ay - dy * ax, dx * by - dy * bx
    side_p = ey * ax - ex * ay
    side_q = side_p + (ex * dy - ey * dx)
    first, last = np.full(len(edge), np.inf), np.full(len(edge), -np.inf)
    meets = (np.sign(side_a) * np.sign(side_b) <= 0) & (np.sign(side_p) * np.sign(side_q) <= 0)
    rows = which(meets & (side_p != side_q))
    first[rows] = last[rows] = side_p[rows] / (side_p[rows] - side_q[rows])
    rows = which(meets & (side_a == 0) & (side_b == 0) & ((dx != 0) | (dy != 0)))
    ux, uy = dx[rows].astype(np.float64), dy[rows].astype(np.float64)
    length = ux * ux + uy * uy
    at_a, at_b = (ax[rows] * ux + ay[rows] * uy) / length, (bx[rows] * ux + by[rows] * uy) / length
    low, high = np.maximum(np.minimum(at_a, at_b), 0.0), np.minimum(np.maximum(at_a, at_b), 1.0)
    overlap = low <= high
    first[rows[overlap]], last[rows[overlap]] = low[overlap], high[overlap]
    return first, last


def _flat_rings(ids: Sequence[str], polygons: Sequence[shapely.Geometry]) -> tuple[I8, I8, I8, I8, Mask]:
    """Coordinates of all rings with their ring; each ring's polygon, and whether it is a hole."""
    for name, polygon in zip(ids, polygons, strict=True):
        if not isinstance(polygon, shapely.Polygon | shapely.MultiPolygon):
            raise GeometryError(
                name, f"a {type(polygon).__name__}", "give a Polygon, a MultiPolygon or a circle"
            )
    parts, polygon_of_part = shapely.get_parts(np.asarray(polygons, object), return_index=True)
    rings, part_of_ring = shapely.get_rings(parts, return_index=True)
    degrees, ring = shapely.get_coordinates(rings, return_index=True)
    polygon_of_ring = polygon_of_part[part_of_ring]
    missing = which(np.bincount(polygon_of_ring, minlength=len(ids)) == 0)
    for i in missing.tolist():
        raise GeometryError(ids[i], "no vertices", "give it an area")
    hole = np.ones(len(rings), np.bool_)
    hole[group_starts(part_of_ring)] = False
    if len(degrees) and not every(np.abs(degrees) <= (180.0, 90.0)):
        row = int(np.flatnonzero(~(np.abs(degrees) <= (180.0, 90.0)).all(axis=1))[0])
        raise GeometryError(
            ids[polygon_of_ring[ring[row]]], f"vertex {degrees[row]}", "give degrees, longitude first"
        )
    return to_e7(degrees[:, 0]), to_e7(degrees[:, 1]), ring, polygon_of_ring, hole


def _unwrap(ids: Sequence[str], lon: I8, ring: I8, owner: I8) -> I8:
    """Longitudes without a jump at the antimeridian, all rings of a polygon on its first vertex's side."""
    if len(lon) == 0:
        return lon
    step = np.zeros_like(lon)
    step[1:] = np.where(ring[1:] == ring[:-1], wrap_e7(np.diff(lon)), 0)
    run = np.cumsum(step)
    begins, polygon_begins = group_starts(ring), group_starts(owner)
    anchor = lon[polygon_begins][owner[begins]]
    start = anchor + wrap_e7(lon[begins] - anchor)
    ends = np.append(begins[1:], len(lon)) - 1
    for i in which(run[ends] != run[begins]).tolist():
        raise GeometryError(
            ids[owner[begins[i]]], "a ring that goes round a pole", "end it short of the pole"
        )
    return run + (start - run[begins])[ring]


def _extremes(values: I8, first: I8) -> tuple[I8, I8]:
    """Least and greatest of each polygon's values."""
    if len(values) == 0:
        return values, values
    return np.minimum.reduceat(values, first[:-1]), np.maximum.reduceat(values, first[:-1])


def _slabs(
    lines: LineIndex, owner: I8, counts: NDArray[np.intp], boxes: NDArray[np.int32]
) -> tuple[I8, I8, I8, NDArray[np.int32]]:
    """Cut each polygon into slabs of a power of two and enter every edge in each slab it touches."""
    south = boxes[:, 2].astype(np.int64)
    height = boxes[:, 3] - south
    wanted = np.maximum(counts // EDGES_PER_SLAB, 1)
    shift = np.zeros(len(counts), np.int64)
    while some(wide := (height >> shift) >= wanted):
        shift += wide
    first = np.concatenate([[0], np.cumsum((height >> shift) + 1)]).astype(np.int64)
    x, lat = lines.x_e7, lines.y_e7.astype(np.int64)
    edge = which(~lines.gap) if lines.gap is not None else np.arange(len(x) - 1)
    mine = owner[edge]
    low, high = np.minimum(lat[edge], lat[edge + 1]), np.maximum(lat[edge], lat[edge + 1])
    low, high = (low - south[mine]) >> shift[mine], (high - south[mine]) >> shift[mine]
    row, slab = expand(first[mine] + low, high - low + 1)
    order = np.argsort(slab, kind="stable")
    edge_first = np.concatenate([[0], np.cumsum(np.bincount(slab, minlength=first[-1]))]).astype(np.int64)
    edge = edge[row[order]]
    ends = np.stack([x[edge], lines.y_e7[edge], x[edge + 1], lines.y_e7[edge + 1]], axis=1)
    return shift, first, edge_first, ends


def _areas_m2(x: I8, lat: I8, ring: I8, hole: Mask, polygon_of_ring: I8, polygons: int) -> F8:
    """Area of each polygon, by the equal-area latitude of the ellipsoid."""
    if len(x) == 0:
        return np.zeros(polygons)
    sine, root = np.sin(np.radians(lat / DEGREE_E7)), np.sqrt(EARTH_E2)
    zonal = sine / (1 - EARTH_E2 * sine**2) + np.log((1 + root * sine) / (1 - root * sine)) / (2 * root)
    begins = group_starts(ring)
    zonal -= zonal[begins][ring]
    slices = np.zeros(len(x))
    slices[:-1] = np.radians(np.diff(x) / DEGREE_E7) * (zonal[1:] + zonal[:-1]) / 2
    slices[:-1][ring[1:] != ring[:-1]] = 0.0
    area = np.abs(np.add.reduceat(slices, begins)) * (EARTH_A_M**2 * (1 - EARTH_E2) / 2)
    return np.maximum(np.bincount(polygon_of_ring, np.where(hole, -area, area), polygons), 0.0)
