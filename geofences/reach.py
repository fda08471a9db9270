"""Which zones cargo may have visited while nobody saw it: those that its reachable area touches.

Between two places, in a time in which it can go ``reach_m``, cargo can have been wherever the distances to the two
places add up to ``reach_m`` at most: an ellipse with the places as foci. Walking a metre changes that sum by two at
most. So where it is S in the middle of a piece of a zone's boundary, h metres from its ends, it is between S - 2h and
S + 2h all along it; pieces that this leaves open are halved. Nothing need be convex, and what is not told is out of
reach for certain.

Pure, no state. Only + - * / and square roots: a pair gets the same answer alone and in any batch.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geofences.arcs import Place, arc_m, direction, place_m
from geofences.masks import which
from geofences.projection import HALF_TURN_E7, TURN_E7, scale_m, wrap_e7
from geofences.ragged import chunks, expand
from geofences.zones import ZoneSet

__all__ = ["TOLERANCE_M", "half_axis_m", "in_reach"]

TOLERANCE_M = 1.0
"""A zone is told although the two distances add up to this much more than the reach; never the other way round."""

DISTANCE_ERROR = 2e-5
"""Widens the reach by more than the error of the distances up to 1,000 km (see ``arcs``)."""

WALK_MARGIN = 1.001
"""Widens the length of a piece by more than the error of the metres it is measured in."""

LEAST_PER_LAT_M, MOST_PER_LAT_M = 110_574e-7, 111_694.1e-7
"""Metres per 1e-7 degree of latitude, at the equator and at the pole."""

CIRCLE_CORNERS, CIRCLE_MARGIN = 256, 1.0001
"""A circle is searched as a polygon just around it: one of 256 corners needs 7.5e-5 of the radius for that."""

ROUNDS = 3
"""Corrections of a circle's corner for the scale half way to it: enough for 1e-6 of the radius up to 100 km at 85°."""

POLE_E7, NEAR_POLE_E7 = HALF_TURN_E7 // 2, 89_0000000
"""What comes nearer to a pole than the second is looked for at every longitude."""

CHUNK = 500_000
"""Boxes compared, or pieces of boundaries looked at, at a time: some 50 MB."""

F8 = NDArray[np.float64]
I8 = NDArray[np.int64]
Mask = NDArray[np.bool_]


class _Gaps(NamedTuple):
    """The two places of each pair, and its reach."""

    first: Place
    second: Place
    reach_m: F8

    def take(self, rows: I8) -> _Gaps:
        """The rows chosen by an index."""
        (a, b, c), (d, e, f) = self.first, self.second
        return _Gaps((a[rows], b[rows], c[rows]), (d[rows], e[rows], f[rows]), self.reach_m[rows])


class _Pieces(NamedTuple):
    """Straight pieces of boundaries of ``owner``: start and difference in 1e-7 degree, fractions allowed."""

    owner: I8
    lon: NDArray[Any]
    lat: NDArray[Any]
    dlon: NDArray[Any]
    dlat: NDArray[Any]

    def halves(self, rows: Mask) -> _Pieces:
        """Both halves of the rows chosen by a mask."""
        owner, lon, lat, dlon, dlat = (column[rows] for column in self)
        dlon, dlat = dlon / 2, dlat / 2
        pairs = ((owner, owner), (lon, lon + dlon), (lat, lat + dlat), (dlon, dlon), (dlat, dlat))
        return _Pieces(*(np.concatenate(pair) for pair in pairs))


def half_axis_m(distance_m: NDArray[Any], reach_m: NDArray[Any]) -> F8:
    """Metres that cargo may have been off the straight line between two places (SEMANTICS, *Longer gaps*).

    Parameters
    ----------
    distance_m, reach_m
        float64[n]: between the places; what the cargo can go in the time between, top speed times time.

    Returns
    -------
    float64[n]
        ``sqrt((reach / 2)² - (distance / 2)²)``; 0 where the places are farther apart than the reach.
    """
    distance, reach = np.asarray(distance_m, np.float64), np.asarray(reach_m, np.float64)
    return 0.5 * np.sqrt(np.maximum((reach - distance) * (reach + distance), 0.0))


def in_reach(
    zones: ZoneSet,
    lon0_e7: NDArray[Any],
    lat0_e7: NDArray[Any],
    lon1_e7: NDArray[Any],
    lat1_e7: NDArray[Any],
    reach_m: NDArray[Any],
    wanted: Mask,
) -> tuple[I8, I8]:
    """Zones that cargo may have visited between two places.

    A zone is in reach if it holds one of the places, if the straight line (in lon/lat) between them touches it, or if
    the distances from some place of it to both add up to ``reach_m`` at most. None such is left out; told besides are
    zones for which they add up to at most ``TOLERANCE_M`` and 4e-5 of the reach more (up to 1,000 km; for a circle,
    also 2e-4 of its radius).

    Parameters
    ----------
    lon0_e7, lat0_e7, lon1_e7, lat1_e7
        int[n], 1e-7 degree: the two places of each pair.
    reach_m
        float64[n], metres; less than the distance between the places leaves only the straight line.
    wanted
        bool[z], zones to tell of.

    Returns
    -------
    pair, zone
        int64[k], sorted by pair, then zone.
    """
    lon0, lat0 = wrap_e7(lon0_e7), np.asarray(lat0_e7, np.int64)
    lon1, lat1 = wrap_e7(lon1_e7), np.asarray(lat1_e7, np.int64)
    asked = which(wanted)
    if len(lon0) == 0 or len(asked) == 0:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    lon, lat = np.stack([lon0, lon1], axis=1).ravel(), np.stack([lat0, lat1], axis=1).ravel()
    path, on_way, _, _ = zones.crossed(lon, lat, 2 * np.arange(len(lon0) + 1))
    told = wanted[on_way]
    gaps = _Gaps(
        place_m(lon0, lat0), place_m(lon1, lat1), np.asarray(reach_m, np.float64) * (1.0 + DISTANCE_ERROR)
    )
    wide = which(arc_m(gaps.first, gaps.second) <= gaps.reach_m)
    row, zone = _near(
        zones, asked, (lon0[wide], lat0[wide], lon1[wide], lat1[wide]), gaps.reach_m[wide] / 2 * WALK_MARGIN
    )
    pair = wide[row]
    touched = _touched(zones, gaps.take(pair), zone)
    both = np.concatenate([path[told], pair[touched]]) * len(zones)
    key = np.unique(both + np.concatenate([on_way[told], zone[touched]]))
    return key // len(zones), key % len(zones)


def _near(zones: ZoneSet, asked: I8, ends: tuple[I8, I8, I8, I8], half_m: F8) -> tuple[I8, I8]:
    """Candidate (pair, zone) by boxes: wherever cargo was, one end was at most half the reach away."""
    lon0, lat0, lon1, lat1 = ends
    up = np.ceil(np.minimum(half_m / LEAST_PER_LAT_M, HALF_TURN_E7)).astype(np.int64)
    south, north = np.minimum(lat0, lat1) - up, np.maximum(lat0, lat1) + up
    farthest = np.maximum(-south, north)
    per_lon_m, _ = scale_m(np.minimum(farthest, NEAR_POLE_E7))
    aside = np.ceil(np.minimum(half_m / per_lon_m, HALF_TURN_E7)).astype(np.int64)
    dlon = wrap_e7(lon1 - lon0)
    middle = wrap_e7(lon0 + dlon // 2)
    half_lon = np.where(farthest >= NEAR_POLE_E7, TURN_E7, np.abs(dlon) // 2 + 1 + aside)
    west, east = zones.boxes.west[asked], zones.boxes.east[asked]
    low, high = zones.boxes.south[asked], zones.boxes.north[asked]
    centre, half_zone = wrap_e7((west + east) // 2), (east - west) // 2 + 1
    rows, items = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    step = max(CHUNK // len(asked), 1)
    for begin in range(0, len(lon0), step):
        some = slice(begin, begin + step)
        row, item = np.nonzero((south[some, None] <= high) & (north[some, None] >= low))
        row += begin
        close = np.abs(wrap_e7(centre[item] - middle[row])) <= half_lon[row] + half_zone[item]
        rows.append(row[close])
        items.append(asked[item[close]])
    return np.concatenate(rows), np.concatenate(items)


def _touched(zones: ZoneSet, gaps: _Gaps, zone: I8) -> Mask:
    """Whether some place of a zone's boundary is in reach, row by row."""
    west, east = zones.boxes.west[zone], zones.boxes.east[zone]
    south, north = zones.boxes.south[zone], zones.boxes.north[zone]
    around = _Pieces(np.arange(len(zone)), wrap_e7(west), south, east - west, north - south)
    sum_m, change_m = _sums_m(gaps, around)
    found = sum_m + change_m <= gaps.reach_m
    rows = which((sum_m - change_m <= gaps.reach_m) & ~found)
    for begin, end in chunks(_corners(zones, zone[rows]), CHUNK):
        some = rows[begin:end]
        found[some] = _search(gaps.take(some), _boundaries(zones, zone[some]))
    return found


def _search(gaps: _Gaps, pieces: _Pieces) -> Mask:
    """Halve pieces until each is told in reach or out of it; one in reach settles its owner."""
    found = np.zeros(len(gaps.reach_m), np.bool_)
    while len(pieces.owner):
        mine = gaps.take(pieces.owner)
        sum_m, change_m = _sums_m(mine, pieces)
        possible = sum_m - change_m <= mine.reach_m
        found[pieces.owner[possible & ((sum_m <= mine.reach_m) | (change_m <= TOLERANCE_M))]] = True
        pieces = pieces.halves(possible & ~found[pieces.owner])
    return found


def _sums_m(gaps: _Gaps, pieces: _Pieces) -> tuple[F8, F8]:
    """The two distances added up in the middle of each piece, and by how much that may differ elsewhere on it.

    The same for boxes, whose diagonals the pieces are.
    """
    lon, lat = pieces.lon + pieces.dlon / 2, pieces.lat + pieces.dlat / 2
    there = place_m(lon, lat)
    sum_m = arc_m(gaps.first, there) + arc_m(gaps.second, there)
    per_lon_m, _ = scale_m(np.maximum(np.abs(lat) - np.abs(pieces.dlat / 2), 0.0))
    east_m, north_m = pieces.dlon * per_lon_m, pieces.dlat * MOST_PER_LAT_M
    return sum_m, WALK_MARGIN * np.sqrt(east_m * east_m + north_m * north_m)


def _corners(zones: ZoneSet, zone: I8) -> I8:
    """Pieces of each zone's boundary."""
    counts = np.full(len(zone), CIRCLE_CORNERS)
    rows = which(~zones.is_round[zone])
    counts[rows] = np.diff(zones.rings.lines.first)[zones.shape[zone[rows]]]
    return counts


def _boundaries(zones: ZoneSet, zone: I8) -> _Pieces:
    """Edges of polygons and of polygons around circles; ``owner`` is the row of ``zone``."""
    is_round = zones.is_round[zone]
    rows = which(~is_round)
    polygon, lines = zones.shape[zone[rows]], zones.rings.lines
    mine, leg = expand(lines.first[polygon], lines.first[polygon + 1] - 1 - lines.first[polygon])
    if lines.gap is not None:
        real = ~lines.gap[leg]
        mine, leg = mine[real], leg[real]
    x, y = lines.x_e7[leg].astype(np.int64), lines.y_e7[leg]
    edges = _Pieces(
        rows[mine],
        wrap_e7(x + zones.rings.origin_e7[polygon[mine]]),
        y,
        lines.x_e7[leg + 1] - x,
        lines.y_e7[leg + 1] - y,
    )
    rounds = _around_circles(zones, which(is_round), zone)
    return _Pieces(*(np.concatenate(pair) for pair in zip(edges, rounds, strict=True)))


def _around_circles(zones: ZoneSet, rows: I8, zone: I8) -> _Pieces:
    """Edges of polygons that hold the circles of some rows."""
    circles, circle = zones.circles, zones.shape[zone[rows]][:, None]
    sine, cosine = direction(np.arange(CIRCLE_CORNERS + 1) * (TURN_E7 / CIRCLE_CORNERS) - HALF_TURN_E7)
    radius_m, lat = circles.radius_m[circle] * CIRCLE_MARGIN, circles.lat_e7[circle]
    dlat = np.zeros((len(rows), CIRCLE_CORNERS + 1))
    for _ in range(ROUNDS):
        per_lon_m, per_lat_m = scale_m(lat + dlat / 2)
        dlat = np.clip(radius_m * sine / per_lat_m, -POLE_E7 - lat, POLE_E7 - lat)
    per_lon_m, _ = scale_m(lat + dlat / 2)
    dlon = np.clip(radius_m * cosine / np.maximum(per_lon_m, 1e-9), -HALF_TURN_E7, HALF_TURN_E7)
    starts = (circles.lon_e7[circle] + dlon)[:, :-1], (lat + dlat)[:, :-1]
    columns = (*starts, np.diff(dlon), np.diff(dlat))
    return _Pieces(np.repeat(rows, CIRCLE_CORNERS), *(column.ravel() for column in columns))
