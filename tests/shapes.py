"""Zones drawn at random, for laws and oracles."""

from __future__ import annotations

import numpy as np
import shapely


def random_star(rng, lon, lat, radius_deg, corners):
    """A polygon around a place, at times with a hole or a second part, on the 1e-7 grid."""
    angle = np.sort(rng.uniform(0, 2 * np.pi, corners))
    reach = radius_deg * rng.uniform(0.3, 1, corners)
    shape = shapely.Polygon(np.c_[lon + reach * np.cos(angle), lat + reach * np.sin(angle)].round(7))
    shape = shape.buffer(0)
    kind = rng.integers(0, 4)
    if kind == 0:
        shape = shape.difference(shape.centroid.buffer(radius_deg / 5))
    if kind == 1:
        shape = shape.union(shapely.box(lon + radius_deg, lat, lon + radius_deg * 1.5, lat + radius_deg / 2))
    shape = shapely.set_precision(shape, 1e-7)
    if shape.is_empty or not isinstance(shape, shapely.Polygon | shapely.MultiPolygon):
        return shapely.box(lon, lat, lon + radius_deg, lat + radius_deg)
    return shape


def random_zones(rng, count):
    """Polygons from 10 m to 300 km, crowded enough to overlap."""
    return [
        random_star(
            rng, *rng.uniform((105, 19), (107, 21)), 10 ** rng.uniform(-4, 0.5), int(rng.integers(3, 40))
        )
        for _ in range(count)
    ]
