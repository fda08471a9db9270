"""Metres on the WGS 84 ellipsoid for things a few kilometres apart. Pure functions, arrays or scalars alike."""

from __future__ import annotations

from math import cos, radians, sin, sqrt

import numpy as np
from numpy.typing import NDArray

__all__ = ["Floats", "distance_m", "metres_per_degree", "metres_per_degree_at", "to_local_m"]

Floats = NDArray[np.float64]

EQUATOR_M = 6_378_137.0
"""Semi-major axis of WGS 84."""
ECCENTRICITY_2 = 6.694_379_990_14e-3
"""First eccentricity squared of WGS 84."""


def metres_per_degree(lat_deg: Floats | float) -> tuple[Floats, Floats]:
    """Length of one degree of longitude and of latitude at a latitude, in metres."""
    phi = np.radians(lat_deg)
    w = 1.0 - ECCENTRICITY_2 * np.sin(phi) ** 2
    east = np.cos(phi) * EQUATOR_M / np.sqrt(w)
    north = EQUATOR_M * (1.0 - ECCENTRICITY_2) / w**1.5
    return np.asarray(np.radians(east)), np.asarray(np.radians(north))


def metres_per_degree_at(lat_deg: float) -> tuple[float, float]:
    """``metres_per_degree`` of one latitude, thirty times as fast: a seal asks it for every fix."""
    phi = radians(lat_deg)
    w = 1.0 - ECCENTRICITY_2 * sin(phi) ** 2
    east = cos(phi) * EQUATOR_M / sqrt(w)
    return radians(east), radians(EQUATOR_M * (1.0 - ECCENTRICITY_2) / w**1.5)


def distance_m(lon1: Floats, lat1: Floats, lon2: Floats, lat2: Floats) -> Floats:
    """Distance of neighbouring points by mid-latitude radii; better than 0.1 % up to 50 km in Viet Nam."""
    east, north = metres_per_degree((lat1 + lat2) / 2)
    return np.hypot((lon2 - lon1) * east, (lat2 - lat1) * north)


def to_local_m(lon: Floats, lat: Floats, lon0: float, lat0: float) -> tuple[Floats, Floats]:
    """East and north of an origin in metres; for points within some kilometres of it."""
    east, north = metres_per_degree(lat0)
    return (lon - lon0) * east, (lat - lat0) * north
