"""Longitude and latitude to metres, nearby, on WGS 84.

Scales and distances of fixes use only + - * /, square roots and comparisons, whose results IEEE 754 fixes to the
bit: a fix gives the same metres alone, in any batch and on any machine. ``metres_per_degree`` may use trigonometry:
it is for building indexes. No state; safe to call from anywhere.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geofences.masks import every

__all__ = [
    "DEGREE_E7",
    "EARTH_A_M",
    "EARTH_E2",
    "HALF_TURN_E7",
    "RADIANS_PER_E7",
    "TURN_E7",
    "distance_m",
    "metres_per_degree",
    "plane_distance_m",
    "scale_m",
    "to_e7",
    "wrap_e7",
]

DEGREE_E7 = 10_000_000
"""Units of 1e-7 degree in a degree: 11 mm at the equator, a tenth of the best fix a seal reports."""

TURN_E7 = 360 * DEGREE_E7
HALF_TURN_E7 = 180 * DEGREE_E7

EARTH_A_M = 6_378_137.0
"""Semi-major axis of WGS 84, metres (NGA.STND.0036)."""

EARTH_E2 = 6.694_379_990_141_3e-3
"""First eccentricity of WGS 84, squared: f (2 - f) with f = 1 / 298.257223563."""

RADIANS_PER_E7 = math.pi / (180 * DEGREE_E7)
EQUATOR_M_PER_E7 = EARTH_A_M * RADIANS_PER_E7

COSINE_TERMS = 11
"""Taylor terms of the cosine in the square of the angle; the first one left out is below 2e-17 at a right angle."""

CELL_E7 = 200_000
"""Latitudes told by one parabola: over 0.02° a cosine is one to 3e-13. Both poles lie at an edge of a cell."""

CELLS_TO_POLE = 90 * DEGREE_E7 // CELL_E7

NODES = (0.5 - 0.75**0.5 / 2, 0.5, 0.5 + 0.75**0.5 / 2)
"""Parts of a cell at which its parabola is right; at these (Chebyshev's) the error is least."""

F8 = NDArray[np.float64]
I8 = NDArray[np.int64]

HALF_TURN, TURN, HALF = np.array(HALF_TURN_E7), np.array(TURN_E7, np.uint64), np.array(0.5)
CELL, TO_POLE = np.array(CELL_E7), np.array(float(CELLS_TO_POLE))
"""As arrays (see ``masks``)."""


def to_e7(degrees: ArrayLike) -> I8:
    """Degrees to the nearest integers of 1e-7 degree, halves upwards."""
    return np.floor(np.asarray(degrees, np.float64) * DEGREE_E7 + 0.5).astype(np.int64)


def wrap_e7(lon_e7: NDArray[Any]) -> I8:
    """Longitudes or differences of longitude brought into [-180°, 180°), for values within ±540°.

    What needs no wrapping comes back as it is, not as a copy.
    """
    lon = np.asarray(lon_e7, np.int64)
    if every((lon + HALF_TURN).view(np.uint64) < TURN):  # a negative number is a great unsigned one
        return lon
    return lon - TURN_E7 * ((lon >= HALF_TURN_E7).astype(np.int64) - (lon < -HALF_TURN_E7))


def scale_m(lat_e7: NDArray[Any]) -> F8:
    """Metres per 1e-7 degree of longitude and of latitude, at latitudes within ±90°: float64[2, n].

    The relative error against the ellipsoid's radii is below 1e-9 up to 89.9°. By a table, for a series takes thrice as
    many calls of numpy, which are what a small batch costs.
    """
    at = lat_e7 / CELL
    at += TO_POLE
    cell, within = np.floor(at), np.empty((2, *at.shape))
    np.subtract(at, cell, out=within)  # once for each axis: a product of unequal shapes goes through a buffer
    least, middle, scale = SCALES.take(cell.astype(np.intp), axis=2, mode="clip")
    scale *= within
    scale += middle
    scale *= within
    scale += least
    return np.asarray(scale)


def _scale_m(lat_e7: F8) -> F8:
    """As ``scale_m``, by a series."""
    angle = lat_e7 * RADIANS_PER_E7
    square, cosine = angle * angle, np.zeros(len(lat_e7))
    for k in range(COSINE_TERMS - 1, -1, -1):
        cosine = cosine * square + (-1) ** k / math.factorial(2 * k)
    w2 = 1.0 - EARTH_E2 * (1.0 - cosine * cosine)
    m_per_e7 = EQUATOR_M_PER_E7 / np.sqrt(w2)
    return np.stack([m_per_e7 * cosine, m_per_e7 * ((1.0 - EARTH_E2) / w2)])


def _scales() -> F8:
    """Parabolas through the scale at three latitudes of each cell: float64[3, 2, cells + 1], by power, axis and cell."""
    first = (np.arange(2 * CELLS_TO_POLE) - CELLS_TO_POLE) * float(CELL_E7)
    a, b, c = NODES
    at_a, at_b, at_c = (_scale_m(first + node * CELL_E7) for node in NODES)
    slope, further = (at_b - at_a) / (b - a), (at_c - at_b) / (c - b)
    bend = (further - slope) / (c - a)
    powers = np.stack([at_a - a * slope + a * b * bend, slope - (a + b) * bend, bend])
    pole = np.zeros((3, 2, 1))
    pole[0, 1] = powers[0, 1, :1]
    powers[0, 0, 0] = 0.0
    return np.concatenate([powers, pole], axis=2)


SCALES = _scales()


def plane_distance_m(dlon_e7: NDArray[Any], dlat_e7: NDArray[Any], lat_e7: NDArray[Any]) -> F8:
    """Metres spanned by differences (already wrapped) from latitudes ``lat_e7``, scaled at the middle latitude.

    Differences may be fractions. Against geodesics the error is below 0.1 % up to 50 km and 85°, below 1e-5 up to
    5 km and 70°; it grows with the square of the distance.
    """
    per_lon, per_lat = scale_m(lat_e7 + dlat_e7 * HALF)
    east, north = dlon_e7 * per_lon, dlat_e7 * per_lat
    east *= east
    north *= north
    east += north
    return np.asarray(np.sqrt(east))


def distance_m(
    lon1_e7: NDArray[Any], lat1_e7: NDArray[Any], lon2_e7: NDArray[Any], lat2_e7: NDArray[Any]
) -> F8:
    """Metres between points, elementwise, the short way across the antimeridian.

    Meant for short range: see ``plane_distance_m`` for the error. Farther apart it is still a usable figure,
    within a few per cent over a thousand kilometres below 60°.
    """
    lat1 = np.asarray(lat1_e7, np.int64)
    dlon = wrap_e7(np.asarray(lon2_e7, np.int64) - np.asarray(lon1_e7, np.int64))
    return plane_distance_m(dlon, np.asarray(lat2_e7, np.int64) - lat1, lat1)


def metres_per_degree(lat_deg: ArrayLike) -> tuple[F8, F8]:
    """Metres per degree of longitude and of latitude by the exact WGS 84 radii; for building only (trigonometry)."""
    angle = np.radians(np.asarray(lat_deg, np.float64))
    w2 = 1.0 - EARTH_E2 * np.sin(angle) ** 2
    normal_m = EARTH_A_M / np.sqrt(w2)
    return np.radians(normal_m * np.cos(angle)), np.radians(normal_m * (1.0 - EARTH_E2) / w2)
