"""Metres between places at any range, by the chord through the ellipsoid: anywhere on earth, poles included.

``plane_distance_m`` is finer up to 50 km and much quicker; this one is for gaps of hours. The arc over a chord depends
on the radius only from the third order on, so one radius serves everywhere. Against geodesics the error is below 2e-5
of the distance up to 1,000 km and 5e-4 up to 5,000 km; beyond 10,000 km distances read short.

Only + - * / and square roots: the same bits for a place alone and in any batch. Pure, no state.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geofences.projection import EARTH_A_M, EARTH_E2, HALF_TURN_E7, RADIANS_PER_E7, TURN_E7

__all__ = ["Place", "arc_m", "direction", "place_m"]

TERMS = 11
"""Of the Taylor series of sine and cosine; the first one left out is below 1e-17 at a right angle."""

SINE_TERMS = tuple((-1) ** k / math.factorial(2 * k + 1) for k in range(TERMS))
COSINE_TERMS = tuple((-1) ** k / math.factorial(2 * k) for k in range(TERMS))

ARC_TERMS = (1.0, 1 / 6, 3 / 40, 15 / 336, 105 / 3456, 945 / 42_240, 10_395 / 599_040)
"""Taylor terms of asin(x) / x in the square of x; all positive, so that leaving out the rest makes an arc short."""

RADIUS_M = 6_371_008.8
"""Mean radius of WGS 84, for the share of an arc that its chord lacks: 0.1 % at 1,000 km."""

F8 = NDArray[np.float64]

Place = tuple[F8, F8, F8]
"""Metres from the earth's centre, along three axes."""


def place_m(lon_e7: NDArray[Any], lat_e7: NDArray[Any]) -> Place:
    """Places on the ellipsoid; longitudes (1e-7 degree, fractions allowed) within ±540°."""
    sine, cosine = _sine_cosine(lat_e7 * RADIANS_PER_E7)
    east, north = direction(lon_e7)
    normal_m = EARTH_A_M / np.sqrt(1.0 - EARTH_E2 * (sine * sine))
    out_m = normal_m * cosine
    return out_m * north, out_m * east, normal_m * (1.0 - EARTH_E2) * sine


def arc_m(a: Place, b: Place) -> F8:
    """Metres over ground between places."""
    x, y, z = a[0] - b[0], a[1] - b[1], a[2] - b[2]
    chord_m2 = x * x + y * y + z * z
    square = chord_m2 / (4.0 * RADIUS_M * RADIUS_M)
    return np.sqrt(chord_m2) * _polynomial(ARC_TERMS, square)


def direction(angle_e7: NDArray[Any]) -> tuple[F8, F8]:
    """Sine and cosine of angles (1e-7 degree) within ±540°, by half the angle."""
    past = (angle_e7 >= HALF_TURN_E7).astype(np.int64) - (angle_e7 < -HALF_TURN_E7)
    sine, cosine = _sine_cosine((angle_e7 - TURN_E7 * past) * (RADIANS_PER_E7 / 2))
    return 2.0 * sine * cosine, cosine * cosine - sine * sine


def _sine_cosine(radians: NDArray[Any]) -> tuple[F8, F8]:
    """Within a right angle."""
    square = radians * radians
    return radians * _polynomial(SINE_TERMS, square), _polynomial(COSINE_TERMS, square)


def _polynomial(terms: tuple[float, ...], at: F8) -> F8:
    total = np.full_like(at, terms[-1])
    for term in terms[-2::-1]:
        total *= at
        total += term
    return total
