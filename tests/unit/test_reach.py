"""What cargo may have visited while nobody saw it."""

import itertools

import numpy as np
import pytest
import shapely
from geographiclib.geodesic import Geodesic

from geofences.projection import distance_m, to_e7
from geofences.reach import TOLERANCE_M, half_axis_m, in_reach
from geofences.zones import Circle, ZoneGeometry, ZoneSet

M_PER_DEG = 111_195.0


def zones(*shapes):
    """Zones named by their numbers."""
    return ZoneSet.build([ZoneGeometry(str(i), shape) for i, shape in enumerate(shapes)])


def reached(zone_set, *gaps, wanted=None):
    """(pair, zone) for gaps ``(lon0, lat0, lon1, lat1, reach_m)`` in degrees and metres."""
    columns = np.array(gaps, float).reshape(-1, 5).T
    wanted = np.ones(len(zone_set), bool) if wanted is None else np.array(wanted)
    pair, zone = in_reach(zone_set, *to_e7(columns[:4]), columns[4], wanted)
    assert pair.dtype == zone.dtype == np.int64
    return list(zip(pair.tolist(), zone.tolist(), strict=True))


def box(east_m, north_m, half_m, at=(106.0, 21.0)):
    """A square zone, given in metres from a place."""
    x, dx = (m / (M_PER_DEG * np.cos(np.radians(at[1]))) for m in (east_m, half_m))
    y, dy = north_m / M_PER_DEG, half_m / M_PER_DEG
    return shapely.box(at[0] + x - dx, at[1] + y - dy, at[0] + x + dx, at[1] + y + dy)


def test_the_half_axis_is_how_far_off_the_line_a_detour_could_lead():
    """Out and back in half the time each: a right triangle; none where the cargo could not even arrive."""
    assert half_axis_m(np.array([0.0, 6_000.0, 10_000.0, 11_000.0]), np.full(4, 10_000.0)).tolist() == [
        5_000.0,
        4_000.0,
        0.0,
        0.0,
    ]


def test_a_zone_beside_the_line_is_in_reach_up_to_the_half_axis():
    """Places 8 km apart, reach 10 km: 3 km aside in the middle, 1 km beyond either end."""
    end = 106.0 + 8_000 / (M_PER_DEG * np.cos(np.radians(21.0)))
    beside = zones(
        box(4_000, 3_050, 100),
        box(4_000, 3_150, 100),
        box(9_050, 0, 100),
        box(9_150, 0, 100),
        box(-1_050, 0, 100),
    )
    assert reached(beside, (106.0, 21.0, end, 21.0, 10_000.0)) == [(0, 0), (0, 2), (0, 4)]


def test_a_zone_on_the_line_is_in_reach_of_cargo_that_was_too_quick():
    """Farther apart than the assumed speed allows: the straight line and its ends are left."""
    on_way = zones(box(4_000, 50, 100), box(4_000, 150, 100), box(0, 0, 10), Circle(106.0, 21.0, 5.0))
    end = 106.0 + 8_000 / (M_PER_DEG * np.cos(np.radians(21.0)))
    assert reached(on_way, (106.0, 21.0, end, 21.0, 100.0)) == [(0, 0), (0, 2), (0, 3)]


def test_a_zone_around_the_whole_reach_and_one_within_it_are_in_reach():
    """No edge need be crossed: the province around it all, the yard inside; a hole around it all is not."""
    wide = shapely.box(105.0, 20.0, 107.0, 22.0)
    ring = wide.difference(shapely.box(105.5, 20.5, 106.5, 21.5))
    assert reached(zones(wide, box(2_000, 2_000, 1), ring), (106.0, 21.0, 106.0, 21.0, 8_000.0)) == [
        (0, 0),
        (0, 1),
    ]


def test_only_wanted_zones_are_told_sorted_by_pair_then_zone():
    """Pairs with nothing in reach do not occur."""
    four = zones(box(0, 0, 100), box(500, 0, 100), Circle(106.0, 21.0, 50.0), box(0, 300, 50))
    gaps = [(106.0, 21.0, 106.0, 21.0, 2_000.0), (100.0, 10.0, 100.0, 10.0, 2_000.0)]
    assert reached(four, *gaps, gaps[0], wanted=[True, False, True, True]) == [
        (0, 0), (0, 2), (0, 3), (2, 0), (2, 2), (2, 3),
    ]  # fmt: skip
    assert reached(four, *gaps, wanted=[False] * 4) == []
    assert reached(four) == []
    assert reached(zones(), *gaps) == []


@pytest.mark.parametrize("at", [(179.999, 5.0), (-180.0, -40.0), (179.99, 85.0), (106.0, 21.0)])
def test_circles_and_boxes_are_reached_over_the_antimeridian_and_at_85_degrees(at):
    """2,000 m of reach from one place: a shape whose nearest place is 990 m away is in it, 1,010 m is not."""
    for azimuth in range(0, 360, 30):
        shapes = []
        for away_m in (990.0, 1_010.0):
            end = Geodesic.WGS84.Direct(*at[::-1], azimuth, away_m + 500.0)
            shapes.append(Circle(end["lon2"], end["lat2"], 500.0))
        edge = [
            [
                Geodesic.WGS84.Direct(*at[::-1], azimuth + turn, m)
                for turn, m in ((0, m), (1, m + 9), (-1, m + 9))
            ]
            for m in (990.0, 1_010.0)
        ]
        shapes += [shapely.Polygon([(p["lon2"], p["lat2"]) for p in corners]) for corners in edge]
        assert reached(zones(*shapes), (*at, *at, 2_000.0)) == [(0, 0), (0, 2)]


def least_sum_m(shape, gap):
    """Least of the two geodesics added up over a boundary: walked in 60 steps an edge, then 60 around the best."""

    def at(edge, t):
        (x0, y0), (x1, y1) = edge
        here = y0 + t * (y1 - y0), x0 + t * (x1 - x0)
        return sum(Geodesic.WGS84.Inverse(*here, gap[i + 1], gap[i])["s12"] for i in (0, 2))

    steps = np.linspace(0, 1, 61)
    edges = list(itertools.pairwise(shape.exterior.coords))
    _, best, edge = min((at(edge, t), t, edge) for edge in edges for t in steps)
    return min(at(edge, t) for t in np.clip(best + (steps - 0.5) / 30, 0, 1))


@pytest.mark.parametrize(
    ("centre", "spread_deg"), [((106.0, 21.0), 0.2), ((179.9, 60.0), 3.0), ((20.0, -85.0), 1.0)]
)
def test_reach_agrees_with_geodesics_to_a_boundary_walked_step_by_step(centre, spread_deg):
    """Random triangles and gaps of 10 to 300 km; the reach is laid just around the least sum that walking finds."""
    rng = np.random.default_rng(5)
    for _ in range(12):
        corners = rng.uniform(-spread_deg, spread_deg, (5, 2)) + centre
        wrapped = np.c_[(corners[:, 0] + 180) % 360 - 180, corners[:, 1]].round(7)
        shape, gap = shapely.Polygon(corners[:3].round(7)), (*wrapped[3], *wrapped[4])
        zone = zones(shapely.Polygon(wrapped[:3]))
        if reached(zone, (*gap, 0.0)):
            continue  # the straight line meets it: in reach whatever the speed
        walked_m = least_sum_m(shape, gap)
        assert reached(zone, (*gap, walked_m)) == [(0, 0)]
        assert reached(zone, (*gap, walked_m * (1 - 5e-5) - TOLERANCE_M - 0.2)) == []


def test_a_pair_alone_is_told_what_it_is_told_in_a_batch():
    """Gaps of all lengths among many zones, in one call or one by one."""
    rng = np.random.default_rng(8)
    many = zones(
        *(box(*rng.uniform(-60_000, 60_000, 2), 10 ** rng.uniform(1, 4)) for _ in range(120)),
        *(Circle(*(rng.normal((106, 21), 0.25)), 10 ** rng.uniform(1, 4)) for _ in range(60)),
    )
    ends = rng.normal((106, 21, 106, 21), 0.2, (40, 4))
    gaps = np.c_[ends, 10 ** rng.uniform(2, 5, 40)]
    together = reached(many, *gaps)
    assert len(together) > 150
    assert together == [(i, zone) for i, gap in enumerate(gaps) for _, zone in reached(many, gap)]


def test_every_zone_whose_distance_leaves_time_is_told_and_no_other():
    """From a place back to it, a zone is in reach when twice its distance is: another kernel's figure."""
    rng = np.random.default_rng(9)
    shapes = [box(*rng.uniform(-9_000, 9_000, 2), 10 ** rng.uniform(1, 3)) for _ in range(200)]
    shapes += [Circle(*(rng.normal((106, 21), 0.05)), 10 ** rng.uniform(1, 3)) for _ in range(200)]
    many = zones(*shapes)
    here = to_e7([106.0]), to_e7([21.0])
    away_m = many.distance_m(np.repeat(here[0], 400), np.repeat(here[1], 400), np.arange(400))
    told = np.zeros(400, bool)
    told[[zone for _, zone in reached(many, (106.0, 21.0, 106.0, 21.0, 8_000.0))]] = True
    clear = np.abs(2 * away_m - 8_000.0) > 2.0
    assert (told == (2 * away_m <= 8_000.0))[clear].all()
    assert clear.sum() > 390


def test_the_half_axis_and_the_zones_in_reach_tell_the_same_story():
    """A point of a zone at the half-axis beside the middle is in reach; 1 % farther it is not."""
    lon, lat = to_e7([106.0, 106.3]), to_e7([21.0, 21.2])
    apart_m = distance_m(lon[:1], lat[:1], lon[1:], lat[1:])
    half_m = half_axis_m(apart_m, np.array([60_000.0]))[0]
    middle = Geodesic.WGS84.InverseLine(21.0, 106.0, 21.2, 106.3).Position(apart_m[0] / 2)
    for part, told in ((0.999, [(0, 0)]), (1.01, [])):
        end = Geodesic.WGS84.Direct(middle["lat2"], middle["lon2"], middle["azi2"] + 90, half_m * part)
        corner = (end["lon2"], end["lat2"])
        tip = [Geodesic.WGS84.Direct(corner[1], corner[0], middle["azi2"] + a, 50) for a in (80, 100)]
        shape = shapely.Polygon([corner, *((p["lon2"], p["lat2"]) for p in tip)])
        assert reached(zones(shape), (106.0, 21.0, 106.3, 21.2, 60_000.0)) == told
