"""Degrees to metres: the stated error holds against geodesics, and arithmetic does not depend on company."""

import numpy as np
import pytest
from geographiclib.geodesic import Geodesic

from geofences.projection import distance_m, metres_per_degree, scale_m, to_e7, wrap_e7


def geodesic_pairs(lat_deg, distance, seed=1, n=200):
    """Pairs of points a geodesic distance apart, in all directions, near a latitude; and that distance."""
    rng = np.random.default_rng(seed)
    pairs = []
    for azimuth, lon in zip(rng.uniform(0, 360, n), rng.uniform(-180, 180, n), strict=True):
        end = Geodesic.WGS84.Direct(lat_deg, lon, azimuth, distance)
        pairs.append((lon, lat_deg, end["lon2"], end["lat2"]))
    lon1, lat1, lon2, lat2 = (to_e7(column) for column in np.array(pairs).T)
    exact = [
        Geodesic.WGS84.Inverse(a / 1e7, b / 1e7, c / 1e7, d / 1e7)["s12"]
        for b, a, d, c in zip(lon1, lat1, lon2, lat2, strict=True)
    ]
    return lon1, lat1, lon2, lat2, np.array(exact)


@pytest.mark.parametrize("lat_deg", [-85, -60, -20, 0, 10.7, 21, 45, 70, 84.5])
@pytest.mark.parametrize("distance", [20, 300, 5_000, 50_000])
def test_distance_is_within_a_thousandth_of_the_geodesic_up_to_50_km(lat_deg, distance):
    """The error stated in ``plane_distance_m``: below 0.1 % up to 50 km and 85°."""
    *points, exact = geodesic_pairs(lat_deg, distance)
    assert np.abs(distance_m(*points) / exact - 1).max() < 1e-3


@pytest.mark.parametrize("lat_deg", [-70, 0, 21, 69])
def test_distance_is_within_a_hundred_thousandth_up_to_5_km_below_70_degrees(lat_deg):
    """The finer error stated there, beyond the 1.1 cm of the integers themselves."""
    *points, exact = geodesic_pairs(lat_deg, 5_000)
    assert np.abs(distance_m(*points) / exact - 1).max() < 1e-5


def test_scale_equals_the_exact_radii():
    """The polynomial used for fixes gives the ellipsoid's radii to 1e-9, without trigonometry."""
    lat = np.linspace(-89.9, 89.9, 3001)
    per_lon, per_lat = scale_m(to_e7(lat))
    exact_lon, exact_lat = metres_per_degree(to_e7(lat) / 1e7)
    np.testing.assert_allclose(per_lon * 1e7, exact_lon, rtol=1e-9)
    np.testing.assert_allclose(per_lat * 1e7, exact_lat, rtol=1e-9)


def test_metres_per_degree_agrees_with_geodesics():
    """A degree of latitude at the equator is 110.574 km, of longitude 111.320 km."""
    per_lon, per_lat = metres_per_degree([0.0, 60.0])
    assert per_lon == pytest.approx([111_319.49, 55_800.0], rel=1e-5)
    assert per_lat == pytest.approx([110_574.3, 111_412.3], rel=1e-5)


def test_distance_goes_the_short_way_over_the_antimeridian():
    """179.9999 and -179.9999 are 22 m apart at the equator, not a world."""
    there = distance_m(np.array([1_799_999_000]), np.array([0]), np.array([-1_799_999_000]), np.array([0]))
    assert there[0] == pytest.approx(22.264, abs=0.001)


def test_wrap_brings_longitudes_into_one_turn():
    """180° is -180°; a turn more or less is the same place."""
    assert wrap_e7(np.array([1_800_000_000, -1_800_000_000, 1_900_000_000, -1_900_000_000, 5])).tolist() == [
        -1_800_000_000,
        -1_800_000_000,
        -1_700_000_000,
        1_700_000_000,
        5,
    ]


def test_distance_of_one_pair_has_the_bits_it_has_in_a_batch():
    """Judged quantities must not depend on how pings are batched."""
    *points, _ = geodesic_pairs(21, 700, n=61)
    together = distance_m(*points)
    for i in range(61):
        assert distance_m(*(column[i : i + 1] for column in points))[0] == together[i]


def test_distance_at_the_pole_is_a_number():
    """A pole is no corridor's place, but must not break a batch."""
    there = distance_m(
        np.array([0]), np.array([900_000_000]), np.array([900_000_000]), np.array([899_000_000])
    )
    assert np.isfinite(there).all()
