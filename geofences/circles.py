"""Circles on the ground: a centre and a radius in metres. A point belongs when its distance is at most the radius."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from geofences.errors import GeometryError
from geofences.projection import HALF_TURN_E7, distance_m, metres_per_degree, plane_distance_m, to_e7, wrap_e7
from geofences.rings import Touches

__all__ = ["Circle", "CircleIndex"]

MARGIN = 1.01
"""A circle's box is this much wider than the circle: ten times the error of the metres used to make it."""

POLE_E7 = 89_0000000
"""A circle that reaches beyond this latitude is looked for at every longitude."""

F8 = NDArray[np.float64]
I8 = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Circle:
    """Centre in degrees and radius in metres."""

    lon_deg: float
    lat_deg: float
    radius_m: float


@dataclass(frozen=True, slots=True, eq=False)
class CircleIndex:
    """Circles as columns. ``boxes`` is int64[c, 4]: west, east, south, north; west and east may lie beyond ±180°."""

    lon_e7: I8
    lat_e7: I8
    radius_m: F8
    per_lon_m: F8
    per_lat_m: F8
    boxes: I8

    @classmethod
    def build(cls, circles: Sequence[tuple[str, Circle]]) -> Self:
        """Columns of named circles; raises ``GeometryError``."""
        for name, circle in circles:
            if not (abs(circle.lon_deg) <= 180.0 and abs(circle.lat_deg) <= 90.0):  # noqa: PLR2004
                raise GeometryError(
                    name, f"centre ({circle.lon_deg}, {circle.lat_deg})", "give degrees, longitude first"
                )
            if not (0.0 < circle.radius_m < np.inf):
                raise GeometryError(name, f"radius {circle.radius_m}", "give metres greater than 0")
        lon = wrap_e7(to_e7([circle.lon_deg for _, circle in circles]))
        lat = to_e7([circle.lat_deg for _, circle in circles])
        radius_m = np.array([circle.radius_m for _, circle in circles], np.float64)
        per_lon, per_lat = (per_degree / 1e7 for per_degree in metres_per_degree(lat / 1e7))
        return cls(lon, lat, radius_m, per_lon, per_lat, _boxes(lon, lat, radius_m))

    def holds(self, circle: I8, lon_e7: I8, lat_e7: I8) -> NDArray[np.bool_]:
        """Whether circles hold points, pair by pair."""
        return distance_m(self.lon_e7[circle], self.lat_e7[circle], lon_e7, lat_e7) <= self.radius_m[circle]

    def distance_m(self, circle: I8, lon_e7: I8, lat_e7: I8) -> F8:
        """Metres from points to circles, 0 inside."""
        return np.maximum(self._outside_m(circle, lon_e7, lat_e7), 0.0)

    def boundary_m(self, circle: I8, lon_e7: I8, lat_e7: I8) -> F8:
        """Metres from points to the boundaries of circles, from either side."""
        return np.abs(self._outside_m(circle, lon_e7, lat_e7))

    def _outside_m(self, circle: I8, lon_e7: I8, lat_e7: I8) -> F8:
        """How far outside their circles points are, negative inside."""
        away_m: F8 = distance_m(self.lon_e7[circle], self.lat_e7[circle], lon_e7, lat_e7)
        return away_m - self.radius_m[circle]

    def cross(self, circle: I8, lon_e7: I8, lat_e7: I8, dlon_e7: I8, dlat_e7: I8) -> Touches:
        """Segments from points by differences, against circles, pair by pair."""
        starts_in = self.holds(circle, lon_e7, lat_e7)
        ends_in = self.holds(circle, wrap_e7(lon_e7 + dlon_e7), lat_e7 + dlat_e7)
        x, y = wrap_e7(lon_e7 - self.lon_e7[circle]), lat_e7 - self.lat_e7[circle]
        per_lon, per_lat = self.per_lon_m[circle], self.per_lat_m[circle]
        px, py, dx, dy = x * per_lon, y * per_lat, dlon_e7 * per_lon, dlat_e7 * per_lat
        length_m2 = np.maximum(dx * dx + dy * dy, 1e-12)
        middle = -(px * dx + py * dy) / length_m2
        nearest = np.minimum(np.maximum(middle, 0.0), 1.0)
        foot_x, foot_y = x + nearest * dlon_e7, y + nearest * dlat_e7
        nearest_m = plane_distance_m(foot_x, foot_y, self.lat_e7[circle])
        aside = px * dy - py * dx
        half = np.sqrt(np.maximum(self.radius_m[circle] ** 2 - aside * aside / length_m2, 0.0) / length_m2)
        enter = np.where(starts_in, 0.0, np.minimum(np.maximum(middle - half, 0.0), nearest))
        leave = np.where(ends_in, 1.0, np.maximum(np.minimum(middle + half, 1.0), nearest))
        return Touches(starts_in | ends_in | (nearest_m <= self.radius_m[circle]), enter, leave)


def _boxes(lon: I8, lat: I8, radius_m: F8) -> I8:
    """Boxes that surely hold the circles."""
    _, per_lat = metres_per_degree(np.zeros(len(lat)))
    up = np.ceil(radius_m * MARGIN / per_lat * 1e7).astype(np.int64)
    south, north = lat - up, lat + up
    polar = (np.maximum(-south, north) >= POLE_E7) | (up >= POLE_E7)
    farthest = np.where(polar, 0, np.maximum(-south, north))
    per_lon, _ = metres_per_degree(farthest / 1e7)
    aside = np.minimum(np.ceil(radius_m * MARGIN / per_lon * 1e7), HALF_TURN_E7 - 1).astype(np.int64)
    west, east = np.where(polar, -HALF_TURN_E7, lon - aside), np.where(polar, HALF_TURN_E7 - 1, lon + aside)
    pole = HALF_TURN_E7 // 2
    return np.stack([west, east, np.maximum(south, -pole), np.minimum(north, pole)], axis=1)
