"""Where routes run through zones: what a stretch goes into and out of again."""

import numpy as np
import pytest
import shapely

from geofences.alongside import ZonesAlong
from geofences.corridors import CorridorSet, RouteGeometry
from geofences.zones import Circle, ZoneGeometry, ZoneSet

M_PER_DEG = 110_574.0
"""At the equator, north and south; routes here run along the equator and beside it."""

EAST_M_PER_DEG = 111_319.49


def deg(points_m):
    """Metres east and north of (10°, 0°) as degrees."""
    return np.asarray(points_m, float) / (EAST_M_PER_DEG, M_PER_DEG) + (10.0, 0.0)


def along(zones, *routes, wanted=None):
    """Zones and routes given in metres, the zones named by their numbers."""
    corridors = CorridorSet.build(
        [RouteGeometry(str(i), *deg(r).T, np.full(len(r) - 1, 50.0)) for i, r in enumerate(routes)]
    )
    shapes = [z if isinstance(z, Circle) else shapely.Polygon(deg(z)) for z in zones]
    zone_set = ZoneSet.build([ZoneGeometry(str(i), shape) for i, shape in enumerate(shapes)])
    wanted = np.ones(len(shapes), bool) if wanted is None else np.array(wanted)
    return ZonesAlong.build(corridors, zone_set, wanted)


def crossed(parts, *stretches):
    """(stretch, zone, enter, leave) for stretches ``(route, from_m, to_m)``."""
    route, from_m, to_m = np.array(stretches, float).reshape(-1, 3).T
    found = parts.crossed(route.astype(np.int64), from_m, to_m)
    return [
        (s, z, pytest.approx(a, abs=1e-3), pytest.approx(b, abs=1e-3))
        for s, z, a, b in zip(*(column.tolist() for column in found), strict=True)
    ]


def yard(west, east, south=-50, north=50):
    """A rectangle in metres."""
    return [(west, south), (east, south), (east, north), (west, north)]


ROAD = [(0, 0), (1000, 0), (2000, 0), (10_000, 0)]


def test_a_stretch_through_a_zone_enters_and_leaves_it():
    """In at 400 m, out at 600 m; driven back the other way round."""
    parts = along([yard(400, 600)], ROAD)
    assert crossed(parts, (0, 0, 1000), (0, 1000, 0), (0, 300, 800)) == [
        (0, 0, 0.4, 0.6),
        (1, 0, 0.4, 0.6),
        (2, 0, 0.2, 0.6),
    ]
    assert crossed(parts, (0, 800, 300)) == [(0, 0, 0.4, 0.8)]


def test_a_stretch_that_begins_or_ends_inside_crosses_nothing():
    """Nor one beside the zone, nor one that stands still in it."""
    parts = along([yard(400, 600)], ROAD)
    assert crossed(parts, (0, 500, 1000), (0, 0, 500), (0, 401, 1000), (0, 700, 1000), (0, 500, 500)) == []


def test_parts_that_meet_at_a_vertex_or_over_a_cut_leg_are_one():
    """A zone across two vertices, one across the pieces of a leg of 8 km, and one that begins at a vertex."""
    parts = along([yard(900, 2100), yard(3000, 9000), yard(1000, 1200)], ROAD)
    assert crossed(parts, (0, 800, 2800)) == [(0, 0, 0.05, 0.65), (0, 2, 0.1, 0.2)]
    assert crossed(parts, (0, 950, 1950)) == [(0, 2, 0.05, 0.25)]
    assert crossed(parts, (0, 2500, 9500)) == [
        (0, 1, pytest.approx(0.5 / 7, abs=1e-3), pytest.approx(6.5 / 7, abs=1e-3))
    ]
    assert crossed(parts, (0, 4000, 5000)) == []


def test_a_hole_is_outside_and_first_in_to_last_out_is_told():
    """From outside through the zone, its hole and the zone again; out of the hole and back is another matter."""
    ring = shapely.Polygon(deg(yard(1000, 5000, -2000, 2000)), [deg(yard(2000, 4000, -1000, 1000))])
    corridors = CorridorSet.build([RouteGeometry("r", *deg(ROAD).T, np.full(3, 50.0))])
    parts = ZonesAlong.build(corridors, ZoneSet.build([ZoneGeometry("z", ring)]), np.ones(1, bool))
    assert crossed(parts, (0, 0, 10_000)) == [(0, 0, 0.1, 0.5)]
    assert crossed(parts, (0, 2500, 6500)) == [(0, 0, 0.375, 0.625)]
    assert crossed(parts, (0, 2500, 3500)) == []


def test_two_lobes_of_a_zone_are_crossed_each_for_itself():
    """A horseshoe astride the road: into one arm and out again is a crossing, ending in the other arm is none."""
    shoe = [
        (1000, -50),
        (1200, -50),
        (1200, 200),
        (1400, 200),
        (1400, -50),
        (1600, -50),
        (1600, 300),
        (1000, 300),
    ]
    parts = along([shoe], [(0, 0), (10_000, 0)])
    assert crossed(parts, (0, 900, 1300)) == [(0, 0, 0.25, 0.75)]
    assert crossed(parts, (0, 900, 1500)) == []
    assert crossed(parts, (0, 900, 1900)) == [(0, 0, 0.1, 0.7)]


def test_a_touch_is_a_crossing_without_length_and_a_wall_along_the_road_one_with():
    """The boundary belongs to the zone: a corner on the road, and an edge that runs along it."""
    corner = [(500, 0), (600, 100), (400, 100)]
    parts = along([corner, yard(700, 800, 0, 50)], ROAD)
    assert crossed(parts, (0, 0, 1000)) == [(0, 0, 0.5, 0.5), (0, 1, 0.7, 0.8)]


def test_circles_are_crossed_too_and_only_wanted_zones_are():
    """A circle of 100 m on the road; its neighbour is not asked for."""
    circle, other = (Circle(10 + m / EAST_M_PER_DEG, 0.0, 100.0) for m in (500, 1500))
    parts = along([circle, other], ROAD, wanted=[True, False])
    assert crossed(parts, (0, 0, 2000)) == [(0, 0, 0.2, 0.3)]


def test_a_route_that_passes_a_zone_twice_is_asked_for_the_pass_it_is_on():
    """Out and back through one zone: each pass is a crossing of its own, both together one."""
    parts = along([yard(400, 600)], [(0, 0), (2000, 0), (0, 0)])
    assert crossed(parts, (0, 0, 1000), (0, 3000, 4000), (0, 0, 4000)) == [
        (0, 0, 0.4, 0.6),
        (1, 0, 0.4, 0.6),
        (2, 0, 0.1, 0.9),
    ]


def test_no_zones_no_routes_and_no_stretches_give_nothing():
    """Empty in, empty out; chainages beyond the route are harmless."""
    none = np.empty(0)
    for parts in (along([], ROAD), along([yard(400, 600)]), along([], *[])):
        assert [len(column) for column in parts.crossed(none.astype(np.int64), none, none)] == [0, 0, 0, 0]
    assert crossed(along([], ROAD), (0, 0, 1000)) == []
    assert crossed(along([yard(400, 600)], ROAD), (0, -500, 1e9)) != []


@pytest.mark.parametrize("seed", range(6))
def test_stretches_cross_what_their_polylines_cross(seed):
    """Random roads among random zones: the kernel for any path says the same, to a few centimetres."""
    rng = np.random.default_rng(seed)
    roads = [np.cumsum(rng.normal((200, 0), 300, (60, 2)), axis=0) + rng.normal(0, 2000, 2) for _ in range(4)]
    zones = [
        yard(x, x + w, y, y + h)
        for x, y, w, h in rng.uniform((0, -4000, 20, 20), (12_000, 4000, 3000, 3000), (40, 4))
    ]
    zones += [
        Circle(*deg(p), r)
        for p, r in zip(
            rng.uniform((0, -4000), (12_000, 4000), (20, 2)), rng.uniform(20, 900, 20), strict=True
        )
    ]
    corridors = CorridorSet.build(
        [RouteGeometry(str(i), *deg(r).T, np.full(59, 50.0)) for i, r in enumerate(roads)]
    )
    shapes = [z if isinstance(z, Circle) else shapely.Polygon(deg(z)) for z in zones]
    zone_set = ZoneSet.build([ZoneGeometry(str(i), s) for i, s in enumerate(shapes)])
    route = rng.integers(0, 4, 2000)
    ends = rng.uniform(0, 1, 2000) * corridors.length_m[route]
    to_m = np.clip(ends + rng.normal(0, 1500, 2000), 0, corridors.length_m[route])
    path, zone, enter, leave = zone_set.crossed(*corridors.stretch(route, ends, to_m))
    through = (enter > 0) & (leave < 1)
    found = ZonesAlong.build(corridors, zone_set, np.ones(60, bool)).crossed(route, ends, to_m)
    assert len(found.zone) > 200
    assert found.path.tolist() == path[through].tolist()
    assert found.zone.tolist() == zone[through].tolist()
    length_m = np.abs(to_m - ends)[found.path]
    for ours, theirs in ((found.enter, enter[through]), (found.leave, leave[through])):
        assert (np.abs(ours - theirs) * length_m).max() < 0.1
