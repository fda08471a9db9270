"""Distances good to half a percent, for suspicions; what is judged is measured by ``geofences.projection``."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geofences.projection import to_e7, wrap_e7

__all__ = ["HALF_TURN_DEG", "rough_distance_m", "span_deg", "unwrapped_deg"]

HALF_TURN_DEG = 180.0
"""A step or span of longitude from which its direction cannot be told."""

EARTH_RADIUS_M = 6_371_008.8
"""Mean radius of WGS 84 (IUGG)."""


def rough_distance_m(
    lon1_deg: ArrayLike, lat1_deg: ArrayLike, lon2_deg: ArrayLike, lat2_deg: ArrayLike
) -> NDArray[Any]:
    """Great-circle metres on a sphere, elementwise, at any distance."""
    lon1, lat1, lon2, lat2 = (
        np.radians(np.asarray(v, np.float64)) for v in (lon1_deg, lat1_deg, lon2_deg, lat2_deg)
    )
    half = np.sin((lat2 - lat1) / 2) ** 2 + np.cos(lat1) * np.cos(lat2) * np.sin((lon2 - lon1) / 2) ** 2
    return np.asarray(2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.minimum(half, 1.0))))


def unwrapped_deg(lon_deg: NDArray[np.float64], near_deg: float) -> NDArray[np.float64]:
    """Longitudes of a line without its jumps at the antimeridian, begun within half a turn of ``near_deg``."""
    lon_e7 = to_e7(lon_deg)
    near_e7 = to_e7(np.array([near_deg]))
    begin = near_e7 + wrap_e7(lon_e7[:1] - near_e7)
    return np.asarray(np.concatenate([begin, begin + np.cumsum(wrap_e7(np.diff(lon_e7)))]) / 1e7)


def span_deg(*lines_deg: NDArray[np.float64]) -> float:
    """Degrees of longitude that lines cover together, each step taken the short way round."""
    lon = np.concatenate([unwrapped_deg(line, float(lines_deg[0][0])) for line in lines_deg])
    return float(lon.max() - lon.min())
