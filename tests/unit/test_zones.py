"""Zones: what they hold, how far points are from them, where paths enter and leave."""

import json
from pathlib import Path

import numpy as np
import pytest
import shapely
from geographiclib.geodesic import Geodesic

from geofences.errors import GeometryError
from geofences.projection import to_e7
from geofences.zones import Circle, ZoneGeometry, ZoneSet

PROVINCES = Path(__file__).parents[3] / "shared/data/geo/vn_provinces"

SQUARE = shapely.box(106.0, 20.0, 106.1, 20.1)
RING = shapely.Polygon(
    [(106, 20), (107, 20), (107, 21), (106, 21)],
    [[(106.4, 20.4), (106.6, 20.4), (106.6, 20.6), (106.4, 20.6)]],
)


def zones(*shapes):
    """Zones named z0, z1, …"""
    return ZoneSet.build([ZoneGeometry(f"z{i}", shape) for i, shape in enumerate(shapes)])


def held(zone_set, *points):
    """Pairs (point, zone) for points in degrees."""
    lon, lat = to_e7([p[0] for p in points]), to_e7([p[1] for p in points])
    return [tuple(pair) for pair in np.stack(zone_set.holding(lon, lat), axis=1).tolist()]


def crossed(zone_set, *paths):
    """Rows (path, zone, enter, leave) for paths in degrees."""
    vertices = np.array([point for path in paths for point in path], float).reshape(-1, 2)
    offsets = np.concatenate([[0], np.cumsum([len(path) for path in paths])]).astype(np.int64)
    return list(zip(*(c.tolist() for c in zone_set.crossed(*to_e7(vertices).T, offsets)), strict=True))


def test_a_zone_holds_what_is_inside_and_on_its_boundary():
    """Corners, edges and the inside belong to the zone; the next 1e-7 degree outside does not."""
    inside = [(106.05, 20.05), (106.0, 20.0), (106.1, 20.1), (106.05, 20.0), (106.1, 20.03), (106.0, 20.07)]
    outside = [(106.0500000, 19.9999999), (106.1000001, 20.05), (105.9999999, 20.0), (106.05, 20.1000001)]
    assert held(zones(SQUARE), *inside, *outside) == [(i, 0) for i in range(len(inside))]


def test_a_slanted_boundary_is_exact():
    """A point on a slanted edge in integers is on it; one unit aside is in or out."""
    triangle = zones(shapely.Polygon([(0, 0), (0.0003, 0.0001), (0, 0.0002)]))
    assert held(triangle, (0.00015, 0.00005), (0.00015, 0.0000499), (0.0001501, 0.00005)) == [(0, 0)]


def test_a_hole_is_not_held_but_its_edge_is():
    """The boundary of a hole is boundary of the zone."""
    assert held(zones(RING), (106.5, 20.5), (106.4, 20.5), (106.3, 20.5)) == [(1, 0), (2, 0)]


def test_pairs_come_sorted_by_point_then_zone():
    """Overlapping zones of all sizes, at several cell sizes, come in order."""
    many = zones(
        shapely.box(90, 0, 120, 30),
        SQUARE,
        Circle(106.05, 20.05, 2000),
        RING,
        shapely.box(106, 20, 106.001, 21),
    )
    assert held(many, (0, 0), (106.05, 20.05), (106.0005, 20.05)) == [
        (1, 0), (1, 1), (1, 2), (1, 3),
        (2, 0), (2, 1), (2, 3), (2, 4),
    ]  # fmt: skip


def test_a_multipolygon_holds_what_any_part_holds():
    """Parts and their holes count together."""
    far = shapely.MultiPolygon(
        [SQUARE, shapely.box(110, 10, 111, 11).difference(shapely.box(110.4, 10.4, 110.6, 10.6))]
    )
    assert held(zones(far), (106.05, 20.05), (110.2, 10.2), (110.5, 10.5), (108, 15)) == [(0, 0), (1, 0)]


@pytest.mark.parametrize(
    "shape",
    [
        shapely.Polygon([(179.9, -1), (-179.9, -1), (-179.9, 1), (179.9, 1)]),
        shapely.MultiPolygon([shapely.box(179.9, -1, 180, 1), shapely.box(-180, -1, -179.9, 1)]),
    ],
    ids=["whole", "cut"],
)
def test_a_zone_over_the_antimeridian_holds_both_sides(shape):
    """Cut as RFC 7946 asks or given as it is, the zone is 0.2° wide, not 359.8°."""
    both = zones(shape)
    assert held(both, (179.95, 0), (-179.95, 0), (180, 0), (-180, 0), (0, 0), (179.8, 0), (-179.8, 0)) == [
        (0, 0), (1, 0), (2, 0), (3, 0),
    ]  # fmt: skip
    assert both.distance_m(to_e7([-179.8]), to_e7([0]), np.array([0]))[0] == pytest.approx(11_132, rel=1e-3)


def test_a_circle_holds_what_is_within_its_radius():
    """On the ellipsoid, in all directions, at any latitude and over the antimeridian."""
    for lon, lat in ((106.0, 21.0), (-180.0, -60.0), (179.9999, 80.0), (10.0, 0.0)):
        circle = zones(Circle(lon, lat, 1000.0))
        for azimuth in range(0, 360, 15):
            ends = [Geodesic.WGS84.Direct(lat, lon, azimuth, m) for m in (998.5, 1001.5)]
            points = [((end["lon2"] + 180) % 360 - 180, end["lat2"]) for end in ends]
            assert held(circle, *points) == [(0, 0)]
            away = circle.distance_m(to_e7([points[1][0]]), to_e7([points[1][1]]), np.array([0]))
            assert away[0] == pytest.approx(1.5, abs=0.2)


def test_a_circle_round_a_pole_is_found_from_every_longitude():
    """Nobody seals cargo there, but nothing breaks."""
    polar = zones(Circle(0.0, 89.99, 5000.0))
    assert held(polar, (0.0, 89.99), (170.0, 89.999)) == [(0, 0), (1, 0)]


def test_distance_is_zero_inside_and_geodesic_outside():
    """Metres to the nearest point of the boundary; 0 inside and on the boundary; a hole is outside."""
    square = zones(SQUARE, RING)
    lon, lat = to_e7([106.05, 106.1, 106.2, 106.2, 106.5]), to_e7([20.05, 20.05, 20.05, 20.2, 20.5])
    found = square.distance_m(lon, lat, np.array([0, 0, 0, 0, 1]))
    beside = Geodesic.WGS84.Inverse(20.05, 106.2, 20.05, 106.1)["s12"]
    corner = Geodesic.WGS84.Inverse(20.2, 106.2, 20.1, 106.1)["s12"]
    in_hole = Geodesic.WGS84.Inverse(20.5, 106.5, 20.5, 106.6)["s12"]
    assert found == pytest.approx([0, 0, beside, corner, in_hole], rel=1e-3)


def test_radius_of_a_polygon_is_that_of_a_circle_of_its_area():
    """A box of 0.1° at 20°: 10.4 km by 11.1 km; a hole takes its area off; a circle has its own."""
    geodesic = Geodesic.WGS84.Polygon()
    for x, y in SQUARE.exterior.coords[:-1]:
        geodesic.AddPoint(y, x)
    area = abs(geodesic.Compute()[2])
    found = zones(SQUARE, Circle(0, 0, 77.0), RING).radius_m
    assert found[0] == pytest.approx(np.sqrt(area / np.pi), rel=1e-4)
    assert found[1] == 77.0
    whole = zones(shapely.Polygon(RING.exterior)).radius_m[0]
    assert found[2] == pytest.approx(whole * np.sqrt(0.96), rel=1e-3)


def test_a_polygon_of_twenty_thousand_vertices_is_exact():
    """Slabs keep it quick; the answer is shapely's."""
    rng = np.random.default_rng(3)
    angle = np.linspace(0, 2 * np.pi, 20_000, endpoint=False)
    radius = 1 + 0.2 * np.sin(9 * angle) + rng.uniform(0, 0.0003, len(angle))
    star = shapely.Polygon(
        (np.c_[106 + radius * np.cos(angle), 20 + radius * np.sin(angle)] * 1e7).round() / 1e7
    )
    lon, lat = rng.integers(1_045_000_000, 1_075_000_000, 4000), rng.integers(185_000_000, 215_000_000, 4000)
    point, _ = zones(star).holding(lon, lat)
    inside = shapely.intersects_xy(star, lon / 1e7, lat / 1e7)
    assert point.tolist() == np.flatnonzero(inside).tolist()


def test_a_multipolygon_of_twenty_thousand_vertices_holds_its_whole_boundary():
    """40 islands of 400 corners, each with a lake of 100: every vertex, every edge where it meets the grid, no unit more."""
    islands = []
    for k in range(40):
        turn = np.linspace(0, 2 * np.pi, 400, endpoint=False)
        shore = np.c_[np.cos(turn), np.sin(turn)] * (0.2 + 0.01 * np.sin(7 * turn + k))[:, None]
        place = np.array([106 + k % 8, 15 + k // 8])
        islands.append(shapely.Polygon((place + shore).round(7), [(place + shore[::4] * 0.4).round(7)]))
    many = zones(shapely.MultiPolygon(islands))
    rings = [np.rint(shapely.get_coordinates(r) * 1e7).astype(np.int64) for r in shapely.get_rings(islands)]
    assert sum(len(ring) for ring in rings) > 20_000
    corners = np.concatenate(rings)
    middles = np.concatenate(
        [(ring[1:] + ring[:-1])[((ring[1:] + ring[:-1]) % 2 == 0).all(axis=1)] // 2 for ring in rings]
    )
    assert len(middles) > 3_000
    for on in (corners, middles):
        assert many.holding(*on.T)[0].tolist() == list(range(len(on)))
        assert (many.distance_m(*on.T, np.zeros(len(on), int)) == 0).all()
    shores = np.concatenate([ring for ring in rings if len(ring) == 401])
    centre = np.repeat(np.array([(106 + k % 8, 15 + k // 8) for k in range(40)]) * 10_000_000, 401, axis=0)
    assert len(many.holding(*(shores + np.sign(shores - centre)).T)[0]) == 0


def test_a_path_through_a_zone_says_where_it_enters_and_leaves():
    """A path 0.4° long through a square 0.1° wide: in at a quarter, out at half."""
    [(path, zone, enter, leave)] = crossed(zones(SQUARE), [(105.9, 20.05), (106.3, 20.05)])
    assert (path, zone) == (0, 0)
    assert (enter, leave) == pytest.approx((0.25, 0.5), abs=1e-7)


def test_a_path_that_begins_or_ends_inside_enters_at_0_and_leaves_at_1():
    """Inside at the start is entered at once; inside at the end has not left."""
    inward, outward, within, still, point = crossed(
        zones(SQUARE),
        [(105.9, 20.05), (106.1, 20.05)],
        [(106.05, 20.05), (106.15, 20.05)],
        [(106.01, 20.01), (106.02, 20.02)],
        [(106.05, 20.05), (106.05, 20.05)],
        [(106.05, 20.05)],
    )
    assert inward == (0, 0, pytest.approx(0.5, abs=1e-6), 1.0)
    assert outward == (1, 0, 0.0, pytest.approx(0.5, abs=1e-6))
    assert within == (2, 0, 0.0, 1.0)
    assert still == (3, 0, 0.0, 0.0)
    assert point == (4, 0, 0.0, 0.0)


def test_a_path_over_a_hole_or_twice_through_is_first_in_and_last_out():
    """What lies between is not told; the first entering and the last leaving are."""
    [hole] = crossed(zones(RING), [(105.5, 20.5), (107.5, 20.5)])
    assert hole == (0, 0, pytest.approx(0.25, abs=1e-6), pytest.approx(0.75, abs=1e-6))
    [bent] = crossed(
        zones(SQUARE), [(106.05, 19.9), (106.05, 20.2), (106.2, 20.2), (106.2, 20.05), (106.0, 20.05)]
    )
    assert bent[2] < 0.15
    assert bent[3] == 1.0


def test_a_path_that_only_touches_a_corner_or_runs_along_an_edge_touches():
    """The boundary belongs to the zone."""
    square = zones(SQUARE)
    [corner] = crossed(
        square, [(105.9, 20.0), (106.1, 19.8), (105.9, 20.0)], [(105.95, 20.05), (106.05, 20.15)]
    )
    assert corner[:2] == (1, 0)
    assert corner[2:] == pytest.approx((0.5, 0.5), abs=1e-6)
    [edge] = crossed(square, [(105.9, 20.0), (106.3, 20.0)])
    assert edge[2:] == pytest.approx((0.25, 0.5), abs=1e-6)
    assert crossed(square, [(105.9, 19.9999999), (106.3, 19.9999999)]) == []


def test_a_path_through_a_circle_is_found_between_two_fixes_outside():
    """A chord, its two ends, and a path that passes by at 1001 m of 1000."""
    metre = 1 / 111_319.49
    circle = zones(Circle(10.0, 0.0, 1000.0))
    [chord] = crossed(circle, [(10 - 2000 * metre, 0), (10 + 2000 * metre, 0)])
    assert chord[2:] == pytest.approx((0.25, 0.75), abs=1e-4)
    beside = 1001 / 110_574.3
    assert crossed(circle, [(10 - 2000 * metre, beside), (10 + 2000 * metre, beside)]) == []
    [inward] = crossed(circle, [(10 - 2000 * metre, 0), (10, 0)])
    assert inward[2:] == (pytest.approx(0.5, abs=1e-4), 1.0)


def test_a_path_over_the_antimeridian_does_not_sweep_the_world():
    """From 179.9 to -179.9 is 22 km; zones at Greenwich are not touched, one at the antimeridian is."""
    found = crossed(
        zones(shapely.box(-10, -1, 10, 1), shapely.box(179.95, -1, 180, 1), Circle(-179.95, 0.0, 500.0)),
        [(179.9, 0.0), (-179.9, 0.0)],
        [(-179.9, 0.0), (179.9, 0.0)],
    )
    assert [row[:2] for row in found] == [(0, 1), (0, 2), (1, 1), (1, 2)]
    assert found[0][2:] == pytest.approx((0.25, 0.5), abs=1e-6)


def test_a_path_across_the_country_finds_every_zone_on_it():
    """A pair of fixes 1,000 km apart is cut into pieces to be looked up, and nothing is missed."""
    rng = np.random.default_rng(9)
    shapes = [
        shapely.box(x, y, x + 0.02, y + 0.02)
        for x, y in rng.uniform((103, 10), (109, 22), (3000, 2)).round(7)
    ]
    path = [(103.5, 11.0), (108.5, 21.0), (104.0, 21.5)]
    found = [row[1] for row in crossed(zones(*shapes), path)]
    assert found == np.flatnonzero(shapely.intersects(shapely.LineString(path), shapes)).tolist()


def test_no_zones_no_points_and_no_paths_give_nothing():
    """Empty in, empty out, with the right types."""
    none = np.empty(0, np.int64)
    for zone_set in (zones(), zones(SQUARE), zones(Circle(0, 0, 1))):
        assert [len(column) for column in zone_set.holding(none, none)] == [0, 0]
        assert [len(column) for column in zone_set.crossed(none, none, np.array([0]))] == [0, 0, 0, 0]
        assert len(zone_set.distance_m(none, none, none)) == 0
    assert held(zones(), (106, 20)) == []
    assert crossed(zones(), [(106, 20), (107, 21)]) == []
    assert zones().radius_m.tolist() == []


@pytest.mark.parametrize(
    ("shape", "says"),
    [
        (shapely.Polygon(), "no vertices"),
        (shapely.LineString([(0, 0), (1, 1)]), "a LineString"),
        (shapely.Polygon([(20, 106), (21, 106), (21, 107)]), "longitude first"),
        (Circle(20, 106, 10.0), "longitude first"),
        (Circle(106, 20, 0.0), "radius 0"),
        (Circle(106, 20, float("nan")), "radius nan"),
        (
            shapely.Polygon([(-100, 0), (0, 0), (100, 0), (100, 10), (0, 10), (-100, 10)]),
            "200.0° of longitude",
        ),
        (shapely.Polygon([(0, 80), (120, 80), (-120, 80)]), "round a pole"),
    ],
)
def test_a_shape_that_cannot_be_indexed_is_refused_by_name(shape, says):
    """The error names the zone and what was found."""
    with pytest.raises(GeometryError, match=f"^z1: .*{says}"):
        zones(SQUARE, shape)


@pytest.mark.skipif(not PROVINCES.exists(), reason="the folder of real boundaries is not beside the project")
def test_real_provinces_hold_what_shapely_says():
    """Viet Nam's provinces, up to 23,000 vertices in one multipolygon with islands: the same pairs."""
    shapes = [
        shapely.geometry.shape(feature["geometry"])
        for path in sorted(PROVINCES.glob("*.geojson"))
        for feature in features_of(json.loads(path.read_text()))
    ]
    rng = np.random.default_rng(1)
    lon, lat = rng.integers(1_020_000_000, 1_100_000_000, 5000), rng.integers(80_000_000, 240_000_000, 5000)
    point, zone = zones(*shapes).holding(lon, lat)
    pairs = shapely.STRtree(shapes).query(shapely.points(lon / 1e7, lat / 1e7), predicate="intersects")
    assert len(point) > 500
    assert sorted(zip(*pairs.tolist(), strict=True)) == list(zip(point.tolist(), zone.tolist(), strict=True))


def features_of(document):
    """Features of a collection, or the one feature."""
    return document.get("features", [document])
