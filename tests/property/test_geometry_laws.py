"""Laws of the geometry kernels: they equal plain oracles, and no batch changes anybody's answer."""

import itertools
from dataclasses import replace
from unittest import mock

import numpy as np
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapes import random_zones

from geofences.corridors import NEAR_M, CorridorSet, RouteGeometry
from geofences.projection import HALF_TURN_E7, TURN_E7, plane_distance_m, scale_m, wrap_e7
from geofences.zones import Circle, ZoneGeometry, ZoneSet

LAWS = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
SEEDS = st.integers(0, 2**32 - 1)
M_PER_DEG = 111_195.0
LOCATED = ("distance_m", "chainage_m", "half_width_m", "side")


def points_near(rng, shapes, count):
    """Points anywhere, on vertices, and a few units beside them."""
    corners = shapely.get_coordinates(shapes)
    near = corners[rng.integers(0, len(corners), count)] * 1e7
    near = near.round().astype(np.int64) + rng.integers(-3, 4, (count, 2)) * rng.integers(0, 2, (count, 1))
    anywhere = rng.integers((1_040_000_000, 180_000_000), (1_080_000_000, 220_000_000), (count, 2))
    both = np.where(rng.random((count, 1)) < 0.6, near, anywhere)
    return both[:, 0], both[:, 1]


def integer_holds(shape, x, y):
    """Plain even-odd rule with Python's whole numbers, boundary included: nothing rounds."""
    odd = False
    for part in shapely.get_parts(shape):
        for ring in shapely.get_rings(part):
            corners = [(round(a * 1e7), round(b * 1e7)) for a, b in shapely.get_coordinates(ring)]
            for (ax, ay), (bx, by) in itertools.pairwise(corners):
                turn = (bx - ax) * (y - ay) - (by - ay) * (x - ax)
                if turn == 0 and min(ax, bx) <= x <= max(ax, bx) and min(ay, by) <= y <= max(ay, by):
                    return True
                if (ay > y) != (by > y) and (turn > 0) == (by > ay):
                    odd = not odd
    return odd


@LAWS
@given(SEEDS)
def test_who_is_beyond_a_distance_is_as_far_as_that(seed):
    """Sooner known than the distance, and the same to the bit: beside boundaries, far away, near the poles, just so far."""
    rng = np.random.default_rng(seed)
    shapes = random_zones(rng, 12)
    if rng.random() < 0.3:
        north = np.array([0.0, 60.0 + 8 * rng.random()])
        shapes = [shapely.transform(s, lambda at: at + north) for s in shapes]
    lon, lat = points_near(rng, shapes, 60)
    zones = ZoneSet.build(
        [ZoneGeometry(str(i), s) for i, s in enumerate(shapes)]
        + [ZoneGeometry("c", Circle(105.5, 20.5, 700.0))]
    )
    zone = rng.integers(0, len(zones), len(lon))
    outside = ~zones.holds(lon, lat, zone)
    lon, lat, zone = lon[outside], lat[outside], zone[outside]
    away_m = zones.boundary_m(lon, lat, zone)
    for least_m in (
        away_m,
        np.nextafter(away_m, np.inf),
        away_m * rng.uniform(0.5, 2, len(zone)),
        away_m * 0 + 200,
    ):
        assert (zones.beyond(lon, lat, zone, least_m) == (away_m >= least_m)).all()


@LAWS
@given(SEEDS)
def test_holding_equals_the_even_odd_rule_in_whole_numbers(seed):
    """Every pair, on and beside boundaries, at every cell size."""
    rng = np.random.default_rng(seed)
    shapes = random_zones(rng, 12)
    lon, lat = points_near(rng, shapes, 40)
    point, zone = ZoneSet.build([ZoneGeometry(str(i), s) for i, s in enumerate(shapes)]).holding(lon, lat)
    expected = [
        (i, j)
        for i, (x, y) in enumerate(zip(lon.tolist(), lat.tolist(), strict=True))
        for j, shape in enumerate(shapes)
        if integer_holds(shape, x, y)
    ]
    assert list(zip(point.tolist(), zone.tolist(), strict=True)) == expected


@LAWS
@given(SEEDS)
def test_holding_agrees_with_shapely_away_from_the_boundary(seed):
    """Shapely rounds on boundaries; a unit away from them it says the same."""
    rng = np.random.default_rng(seed)
    shapes = random_zones(rng, 20)
    lon, lat = points_near(rng, shapes, 100)
    point, zone = ZoneSet.build([ZoneGeometry(str(i), s) for i, s in enumerate(shapes)]).holding(lon, lat)
    ours = np.zeros((100, 20), bool)
    ours[point, zone] = True
    where = shapely.points(lon / 1e7, lat / 1e7)[:, None]
    clear = shapely.distance(where, shapely.boundary(shapes)[None, :]) > 1.5e-7
    assert (ours == shapely.intersects(where, np.array(shapes, object)[None, :]))[clear].all()


@LAWS
@given(SEEDS)
def test_a_point_alone_gets_the_answer_it_gets_in_a_batch(seed):
    """Holding and distance to the bit."""
    rng = np.random.default_rng(seed)
    shapes = [
        *random_zones(rng, 10),
        Circle(106.0, 20.0, 10 ** rng.uniform(2, 5)),
        Circle(106.1, 20.1, 900.0),
    ]
    zones = ZoneSet.build([ZoneGeometry(str(i), s) for i, s in enumerate(shapes)])
    lon, lat = points_near(rng, shapes[:10], 30)
    ask = rng.integers(0, len(shapes), 30)
    point, zone = zones.holding(lon, lat)
    away_m = zones.distance_m(lon, lat, ask)
    for i in range(30):
        alone = zones.holding(lon[i : i + 1], lat[i : i + 1])[1]
        assert alone.tolist() == zone[point == i].tolist()
        assert zones.distance_m(lon[i : i + 1], lat[i : i + 1], ask[i : i + 1])[0] == away_m[i]
    pairs = {(int(p), int(z)) for p, z in zip(point, zone, strict=True)}
    assert all((away_m[i] == 0) == ((i, int(ask[i])) in pairs) for i in range(30))


@LAWS
@given(SEEDS)
def test_distance_to_a_zone_agrees_with_shapely_in_the_points_own_plane(seed):
    """Nearest boundary over all rings, near and far, small and large."""
    rng = np.random.default_rng(seed)
    shapes = random_zones(rng, 8)
    lon, lat = points_near(rng, shapes, 24)
    ask = rng.integers(0, 8, 24)
    found = ZoneSet.build([ZoneGeometry(str(i), s) for i, s in enumerate(shapes)]).distance_m(lon, lat, ask)
    for i in range(24):
        scale = np.concatenate(scale_m(lat[i : i + 1])) * 1e7
        flat = shapely.transform(shapes[ask[i]], lambda c, s=scale: c * s)
        exact = shapely.distance(flat, shapely.Point(lon[i] / 1e7 * scale[0], lat[i] / 1e7 * scale[1]))
        assert abs(found[i] - exact) <= 0.02 + exact * 0.002 + exact**2 * 1e-7


@LAWS
@given(SEEDS)
def test_crossed_agrees_with_shapely(seed):
    """Every zone a path touches, entered where shapely says; none that stays clear."""
    rng = np.random.default_rng(seed)
    shapes = random_zones(rng, 15)
    counts = rng.integers(2, 6, 20)
    offsets = np.concatenate([[0], np.cumsum(counts)])
    lon, lat = points_near(rng, shapes, offsets[-1])
    zones = ZoneSet.build([ZoneGeometry(str(i), s) for i, s in enumerate(shapes)])
    path, zone, enter, leave = zones.crossed(lon, lat, offsets)
    lines = [shapely.LineString(np.c_[lon, lat][a:b] / 1e7) for a, b in itertools.pairwise(offsets)]
    ours = np.zeros((20, 15), bool)
    ours[path, zone] = True
    apart = shapely.distance(np.array(lines)[:, None], np.array(shapes, object)[None, :])
    assert ours[apart == 0].mean() > 0.98 if (apart == 0).any() else True
    assert not ours[apart > 1e-7].any()
    deep = shapely.intersects(np.array(lines)[:, None], shapely.buffer(shapes, -2e-7)[None, :])
    assert ours[deep].all()
    assert ((enter >= 0) & (enter <= leave) & (leave <= 1)).all()
    for p, z, first, last in zip(path, zone, enter, leave, strict=True):
        a, b = offsets[p], offsets[p + 1]
        for part in (first, last):
            place = along_e7(lon[a:b], lat[a:b], part)
            assert shapely.distance(shapely.Point(place / 1e7), shapes[z]) <= 3e-7


def along_e7(lon, lat, part):
    """The place at a part of a path's length."""
    steps = plane_distance_m(np.diff(lon), np.diff(lat), lat[:-1])
    run = np.concatenate([[0], np.cumsum(steps)])
    return np.array([np.interp(part * run[-1], run, lon), np.interp(part * run[-1], run, lat)])


@LAWS
@given(SEEDS)
def test_a_line_passes_what_it_crosses_with_neither_end_inside(seed):
    """The two kernels agree: the same zones, circles among them, at the same parts of the way."""
    rng = np.random.default_rng(seed)
    places = rng.uniform((105, 19), (107, 21), (5, 2))
    shapes = [*random_zones(rng, 15), *(Circle(*place, 10 ** rng.uniform(1, 5)) for place in places)]
    zones = ZoneSet.build([ZoneGeometry(str(i), s) for i, s in enumerate(shapes)])
    lon, lat = points_near(rng, shapes[:15], 80)
    path, zone, enter, leave = zones.crossed(lon, lat, np.arange(0, 81, 2))
    wanted = rng.random(20) < 0.8
    through = (enter > 0) & (leave < 1) & wanted[zone]
    found = zones.passed((lon[::2], lat[::2], lon[1::2], lat[1::2]), wanted)
    assert found.path.tolist() == path[through].tolist()
    assert found.zone.tolist() == zone[through].tolist()
    np.testing.assert_allclose(found.enter, enter[through], rtol=1e-12)
    np.testing.assert_allclose(found.leave, leave[through], rtol=1e-12)


@LAWS
@given(SEEDS, st.sampled_from([0, 300_000_000, -1_060_000_000, 739_999_999]))
def test_turning_the_earth_changes_nothing(seed, turn):
    """Zones and points moved along the parallel, over the antimeridian too: the same pairs, the same metres."""
    rng = np.random.default_rng(seed)
    shapes = random_zones(rng, 8)
    moved = [shapely.transform(s, lambda c: wrapped_deg(c, turn)) for s in shapes]
    lon, lat = points_near(rng, shapes, 30)
    here, there = (ZoneSet.build([ZoneGeometry(str(i), s) for i, s in enumerate(z)]) for z in (shapes, moved))
    away = wrap_e7(lon + turn)
    assert [c.tolist() for c in here.holding(lon, lat)] == [c.tolist() for c in there.holding(away, lat)]
    ask = rng.integers(0, 8, 30)
    assert here.distance_m(lon, lat, ask).tolist() == there.distance_m(away, lat, ask).tolist()
    offsets = np.arange(0, 31, 3)
    for a, b in zip(here.crossed(lon, lat, offsets), there.crossed(away, lat, offsets), strict=True):
        assert a.tolist() == b.tolist()


def wrapped_deg(coordinates, turn_e7):
    """Coordinates moved along the parallel, in [-180, 180)."""
    lon = (coordinates[:, 0] * 1e7).round().astype(np.int64) + turn_e7
    return np.c_[((lon + HALF_TURN_E7) % TURN_E7 - HALF_TURN_E7) / 1e7, coordinates[:, 1]]


def random_routes(rng, count):
    """Walks from almost straight to tangled, with legs of 10 m to 20 km, at any latitude, at the antimeridian too."""
    routes = []
    for i in range(count):
        vertices = int(rng.integers(2, 300))
        heading = rng.uniform(0, 6.28) + np.cumsum(rng.normal(0, 10 ** rng.uniform(-2, 0.3), vertices))
        step = rng.uniform(0.3, 1, vertices) * 10 ** rng.uniform(1, 3.7)
        lon, lat = rng.choice([106.0, 179.99, -60.0]), rng.uniform(-80, 80)
        x = lon + np.cumsum(step * np.sin(heading)) / (M_PER_DEG * np.cos(np.radians(lat)))
        y = np.clip(lat + np.cumsum(step * np.cos(heading)) / M_PER_DEG, -89, 89)
        if rng.random() < 0.3:
            x, y = np.concatenate([x, x[::-1]]), np.concatenate([y, y[::-1]])
        width = rng.uniform(20, 500, len(x) - 1) if rng.random() < 0.3 else np.full(len(x) - 1, 100.0)
        routes.append(RouteGeometry(str(i), (x + 180) % 360 - 180, y, width))
    return routes


def random_fixes(rng, corridors, route, spread_exponent=5.5):
    """Fixes from on the route to some 1,000 km off it."""
    lon, lat = corridors.point_at(route, rng.uniform(0, 1, len(route)) * corridors.length_m[route])
    off = (
        rng.normal(0, 1, (2, len(route)))
        * 10 ** rng.uniform(0, spread_exponent, len(route))
        / M_PER_DEG
        * 1e7
    )
    near_pole = np.maximum(np.cos(np.radians(lat / 1e7)), 0.05)
    lat = np.clip(lat + off[1].astype(np.int64), -900_000_000, 900_000_000)
    return wrap_e7(lon + np.clip(off[0] / near_pole, -1.7e9, 1.7e9).astype(np.int64)), lat


@LAWS
@given(SEEDS)
def test_distance_to_a_route_is_what_a_look_at_every_leg_gives(seed):
    """Neither grid nor tree ever loses the nearest leg, however far the fix."""
    rng = np.random.default_rng(seed)
    corridors = CorridorSet.build(random_routes(rng, 6))
    route = rng.integers(0, 6, 60)
    lon, lat = random_fixes(rng, corridors, route)
    found = corridors.locate(route, lon, lat, np.ones(60, bool), np.full(60, np.nan))
    for i in range(60):
        assert found.distance_m[i] == every_leg_m(corridors.legs(route[i]), lon[i], lat[i])


def every_leg_m(line, lon_e7, lat_e7):
    """Plain search in the fix's plane, with the metres of the middle latitude where they are many."""
    x, y = (np.rint(column * 1e7).astype(np.int64) for column in line.T)
    middle = (int(x.min()) + int(x.max())) // 2
    px = middle + int(wrap_e7(np.array([wrap_e7(np.array([lon_e7]))[0] - middle]))[0])
    (kx,), (ky,) = scale_m(np.array([lat_e7]))
    ax, ay = (x - px) * kx, (y - lat_e7) * ky
    ex, ey = ax[1:] - ax[:-1], ay[1:] - ay[:-1]
    along = -(ax[:-1] * ex + ay[:-1] * ey) / np.maximum(ex * ex + ey * ey, 1e-12)
    along = np.clip(along, 0, 1)
    fx, fy = ax[:-1] + along * ex, ay[:-1] + along * ey
    square_m2 = fx * fx + fy * fy
    leg = int(square_m2.argmin())
    if (near_m := np.sqrt(square_m2[leg])) <= NEAR_M:
        return near_m
    dx = along[leg] * (x[leg + 1] - x[leg]) + (x[leg] - px)
    dy = along[leg] * (y[leg + 1] - y[leg]) + (y[leg] - lat_e7)
    return plane_distance_m(np.array([dx]), np.array([dy]), np.array([lat_e7]))[0]


@LAWS
@given(SEEDS)
def test_windows_and_tree_say_what_a_look_at_every_leg_says(seed):
    """The quick ways are no other ways, nor is a few fixes at a time: all columns are the same to the bit."""
    rng = np.random.default_rng(seed)
    corridors = CorridorSet.build(random_routes(rng, 5))
    route = np.repeat(rng.integers(0, 5, 10), 12)
    lon, lat = random_fixes(rng, corridors, route, rng.choice([1.5, 2.5, 4.0]))
    start = np.arange(120) % 12 == 0
    ways = (route, lon, lat, start, rng.uniform(0, 1e5, 10))
    quick = corridors.locate(*ways)
    for most_legs, most_fixes, tiers in ((0, 8192, ()), (1 << 30, 8192, ()), (16_384, 7, corridors.nearby)):
        with (
            mock.patch("geofences.lines.MOST_LEGS", most_legs),
            mock.patch("geofences.places.MOST_FIXES", most_fixes),
        ):
            plain = replace(corridors, nearby=tiers).locate(*ways)
        for name in LOCATED:
            np.testing.assert_array_equal(getattr(quick, name), getattr(plain, name))


@LAWS
@given(SEEDS)
def test_locating_does_not_depend_on_batching(seed):
    """Tracks cut anywhere, given their last chainage, go on as if they had not been cut, to the bit."""
    rng = np.random.default_rng(seed)
    corridors = CorridorSet.build(random_routes(rng, 5))
    tracks, length = 6, 25
    route = np.repeat(rng.integers(-1, 5, tracks), length)
    lon, lat = random_fixes(rng, corridors, np.maximum(route, 0), 3.5)
    start = np.arange(tracks * length) % length == 0
    whole = corridors.locate(route, lon, lat, start, np.full(tracks, np.nan))
    cut = np.sort(rng.integers(0, length, tracks))
    first = np.arange(tracks * length) % length < np.repeat(cut, length)
    begun = corridors.locate(
        route[first], lon[first], lat[first], start[first], np.full((cut > 0).sum(), np.nan)
    )
    rest = ~first
    start_rest = rest & (start | np.roll(first, 1))
    before = np.flatnonzero(start_rest) - 1
    prior = np.where(cut > 0, whole.chainage_m[before], np.nan)
    ended = corridors.locate(route[rest], lon[rest], lat[rest], start_rest[rest], prior)
    for name in LOCATED:
        np.testing.assert_array_equal(getattr(whole, name)[first], getattr(begun, name))
        np.testing.assert_array_equal(getattr(whole, name)[rest], getattr(ended, name))


@LAWS
@given(SEEDS)
def test_chainage_is_a_place_in_reach_of_the_fix(seed):
    """The place at the chainage lies within the half-width, or 50 m beyond the nearest place.

    The one exception is a detour: then the chainage stays on a leg (5 km at most) within 5 km of where it was.
    """
    rng = np.random.default_rng(seed)
    corridors = CorridorSet.build(random_routes(rng, 5))
    route = rng.integers(0, 5, 50)
    lon, lat = random_fixes(rng, corridors, route, 4.0)
    prior = rng.uniform(0, 1, 50) * corridors.length_m[route]
    found = corridors.locate(route, lon, lat, np.ones(50, bool), prior)
    at_lon, at_lat = corridors.point_at(route, found.chainage_m)
    away_m = plane_distance_m(wrap_e7(at_lon - lon), at_lat - lat, lat)
    reach_m = np.maximum(found.distance_m + 50, found.half_width_m)
    detour = np.abs(found.chainage_m - prior) <= 10_001
    assert ((away_m <= reach_m * 1.01 + 0.1) | detour).all()


@LAWS
@given(SEEDS)
def test_a_stretch_is_as_long_as_the_chainages_say(seed):
    """Its ends are the points at the chainages, its length their difference."""
    rng = np.random.default_rng(seed)
    corridors = CorridorSet.build(random_routes(rng, 5))
    route = rng.integers(0, 5, 30)
    from_m, to_m = rng.uniform(0, 1, (2, 30)) * corridors.length_m[route]
    lon, lat, offsets = corridors.stretch(route, from_m, to_m)
    for end, where in ((offsets[:-1], from_m), (offsets[1:] - 1, to_m)):
        x, y = corridors.point_at(route, where)
        assert (lon[end].tolist(), lat[end].tolist()) == (x.tolist(), y.tolist())
    for i in range(30):
        span = slice(offsets[i], offsets[i + 1])
        steps = plane_distance_m(wrap_e7(np.diff(lon[span])), np.diff(lat[span]), lat[span][:-1])
        assert abs(steps.sum() - abs(to_m[i] - from_m[i])) <= 0.05 * len(steps) + 2e-4 * steps.sum() + 3
