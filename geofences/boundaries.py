"""How far points are from the boundaries of polygons: in metres, or only whether far enough, which is known sooner. Pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geofences.lines import LegHits, Plane
from geofences.masks import every, which
from geofences.projection import DEGREE_E7, plane_distance_m, scale_m
from geofences.ragged import group_starts
from geofences.rings import RingIndex

__all__ = ["beyond", "distance_m"]

ROUGHLY = 1.1
"""Metres by the scale at the point are within this factor of those by the scale half way to the boundary, up to
``MOST_M`` away and ``MOST_LAT_E7`` north or south: there the half of 110 km changes the scale by 5 %."""

MOST_M, MOST_LAT_E7 = 100_000.0, 80 * DEGREE_E7

F8 = NDArray[np.float64]
I8 = NDArray[np.int64]
Mask = NDArray[np.bool_]


def distance_m(rings: RingIndex, polygon: I8, lon_e7: I8, lat_e7: I8) -> F8:
    """Metres from point ``i`` to the nearest place of the boundary of ``polygon[i]``."""
    plane = Plane(rings.relative(polygon, lon_e7), lat_e7, *scale_m(lat_e7))
    return _metres(rings, rings.lines.near(polygon, plane), plane)


def beyond(rings: RingIndex, polygon: I8, lon_e7: I8, lat_e7: I8, least_m: F8) -> Mask:
    """Whether point ``i``, outside ``polygon[i]``, is at least ``least_m[i]`` from its boundary: just as ``distance_m`` says.

    Most are told by the polygon's box or by rough metres.
    """
    plane = Plane(rings.relative(polygon, lon_e7), lat_e7, *scale_m(lat_e7))
    if not every((least_m < MOST_M) & (np.abs(lat_e7) < MOST_LAT_E7)):
        return _metres(rings, rings.lines.near(polygon, plane), plane) >= least_m
    surely_m = least_m * ROUGHLY
    found: Mask = _beside_box_m(rings, polygon, plane) > surely_m
    near = which(~found)
    if not len(near):
        return found
    if len(near) < len(found):
        polygon, plane, least_m, surely_m = polygon[near], plane.take(near), least_m[near], surely_m[near]
    hits = rings.lines.near(polygon, plane)
    roughly_m = np.sqrt(np.minimum.reduceat(hits.square_m2, group_starts(hits.owner)))
    far = roughly_m > surely_m
    if not every(far | (roughly_m * ROUGHLY < least_m)):
        far = _metres(rings, hits, plane) >= least_m
    found[near] = far
    return found


def _beside_box_m(rings: RingIndex, polygon: I8, plane: Plane) -> F8:
    """Metres, by the scale at each point, that it lies beside the polygon's box at least; negative within."""
    west, east, south, north = rings.boxes.take(polygon, axis=0).T
    aside = np.maximum(west - plane.x_e7, plane.x_e7 - east) * plane.per_x_m
    beyond_m: F8 = np.maximum(south - plane.y_e7, plane.y_e7 - north) * plane.per_y_m
    return np.asarray(np.maximum(aside, beyond_m))


def _metres(rings: RingIndex, hits: LegHits, plane: Plane) -> F8:
    """Metres to the nearest of the legs of each point, with the scale half way there."""
    least_m2 = np.minimum.reduceat(hits.square_m2, group_starts(hits.owner))
    ties = which(hits.square_m2 == least_m2[hits.owner])
    nearest = hits.take(ties[group_starts(hits.owner[ties])])
    dx, dy = rings.lines.foot_e7(nearest, plane)
    return plane_distance_m(dx, dy, plane.y_e7)
