"""Metres between far places: the stated error holds against geodesics, anywhere."""

import numpy as np
import pytest
from geographiclib.geodesic import Geodesic

from geofences.arcs import arc_m, direction, place_m
from geofences.projection import to_e7


@pytest.mark.parametrize(
    ("distance_m", "error"), [(10.0, 2e-5), (1e4, 2e-5), (1e6, 2e-5), (5e6, 5e-4), (1e7, 2e-2)]
)
@pytest.mark.parametrize("lat_deg", [-85.0, -60.0, 0.0, 21.0, 45.0, 70.0, 85.0, 89.9])
def test_an_arc_is_a_geodesic_up_to_the_stated_error(lat_deg, distance_m, error):
    """In all directions, over pole and antimeridian; 1.5 cm is the grid of 1e-7 degree."""
    rng = np.random.default_rng(int(lat_deg + 100 + distance_m))
    ends = [
        (lon, Geodesic.WGS84.Direct(lat_deg, lon, azimuth, distance_m))
        for lon, azimuth in zip(rng.uniform(-180, 180, 60), rng.uniform(0, 360, 60), strict=True)
    ]
    first = place_m(to_e7([lon for lon, _ in ends]), to_e7(np.full(60, lat_deg)))
    second = place_m(to_e7([end["lon2"] for _, end in ends]), to_e7([end["lat2"] for _, end in ends]))
    assert np.abs(arc_m(first, second) - distance_m).max() <= distance_m * error + 0.015


def test_an_arc_beyond_ten_thousand_kilometres_reads_short():
    """From pole to pole it must not read long: who uses it for reach would leave zones out."""
    poles = arc_m(place_m(np.zeros(1), np.array([9e8])), place_m(np.zeros(1), np.array([-9e8])))
    assert 14e6 < poles[0] < 20_003_931


def test_a_direction_is_sine_and_cosine_over_three_turns():
    """Longitudes may have been moved by a turn."""
    angle = np.linspace(-540, 539.9, 2001)
    sine, cosine = direction(angle * 1e7)
    np.testing.assert_allclose(sine, np.sin(np.radians(angle)), atol=3e-15)
    np.testing.assert_allclose(cosine, np.cos(np.radians(angle)), atol=3e-15)
