"""Fixes on routes: distance to the whole route, and a chainage that continues where the track was."""

import itertools
import json
import re
from pathlib import Path

import numpy as np
import pytest
from geographiclib.geodesic import Geodesic

from geofences.corridors import CorridorSet, RouteGeometry
from geofences.errors import GeometryError
from geofences.projection import distance_m, to_e7

M_PER_DEG = 111_195.0
DRIVE = Path(__file__).parents[3] / "shared/data/traces/munich_drive_1s.json"


def route(points_m, *, width=100.0, at=(106.0, 21.0), name="r"):
    """A route from metres east and north of a place."""
    xy = np.asarray(points_m, float)
    lon = at[0] + xy[:, 0] / (M_PER_DEG * np.cos(np.radians(at[1])))
    widths = np.broadcast_to(np.asarray(width, float), len(xy) - 1).copy()
    return RouteGeometry(name, lon, at[1] + xy[:, 1] / M_PER_DEG, widths)


def drive(corridors, points_m, *, at=(106.0, 21.0), prior=np.nan, number=0, every_s=None):
    """Locate one track of fixes given in metres, ``every_s`` seconds apart (None: nobody knows)."""
    xy = np.asarray(points_m, float).reshape(-1, 2)
    lon = to_e7(at[0] + xy[:, 0] / (M_PER_DEG * np.cos(np.radians(at[1]))))
    lat = to_e7(at[1] + xy[:, 1] / M_PER_DEG)
    start = np.zeros(len(xy), bool)
    start[0] = True
    elapsed_s = None if every_s is None else np.where(start, np.nan, float(every_s))
    return corridors.locate(np.full(len(xy), number), lon, lat, start, np.array([prior]), elapsed_s)


def assert_never_jumps(chainage_m, travelled_m):
    """Chainage moves at most as far as the cargo did, and a GNSS error more."""
    assert np.abs(np.diff(chainage_m)).max() <= travelled_m + 60


def test_distance_is_geodesic_on_a_straight_road():
    """A fix 250 m beside a leg is 250 m away, on the side it is on, at the chainage of its foot."""
    corridors = CorridorSet.build(
        [RouteGeometry("r", np.array([106.0, 106.0]), np.array([21.0, 21.1]), np.array([80.0]))]
    )
    foot = Geodesic.WGS84.Inverse(21.0, 106.0, 21.04, 106.0)["s12"]
    for azimuth, side in ((90, -1), (270, 1)):
        end = Geodesic.WGS84.Direct(21.04, 106.0, azimuth, 250)
        found = corridors.locate(
            np.array([0]), to_e7([end["lon2"]]), to_e7([end["lat2"]]), np.array([True]), np.array([np.nan])
        )
        assert found.distance_m[0] == pytest.approx(250, abs=0.02)
        assert found.chainage_m[0] == pytest.approx(foot, abs=0.1)
        assert (found.side[0], found.half_width_m[0]) == (side, 80)
    assert corridors.length_m[0] == pytest.approx(
        Geodesic.WGS84.Inverse(21.0, 106.0, 21.1, 106.0)["s12"], abs=0.01
    )


@pytest.mark.parametrize("lat_deg", [-85.0, -60.0, 0.0, 10.8, 21.0, 45.0, 70.0, 85.0])
@pytest.mark.parametrize("lon_deg", [106.0, 179.99, -180.0])
def test_distance_error_is_below_a_thousandth_over_a_corridors_width_anywhere(lat_deg, lon_deg):
    """Legs of 20 km in all directions, antimeridian and high latitudes; fixes up to 1 km beside them."""
    rng = np.random.default_rng(int(lat_deg * 10 + lon_deg) + 2_000)
    for azimuth in rng.uniform(0, 360, 3):
        end = Geodesic.WGS84.Direct(lat_deg, lon_deg, azimuth, 20_000)
        ends_lon, ends_lat = np.array([lon_deg, end["lon2"]]), np.array([lat_deg, end["lat2"]])
        corridors = CorridorSet.build([RouteGeometry("r", ends_lon, ends_lat, np.array([500.0]))])
        line = corridors.legs(0)
        fixes = [
            Geodesic.WGS84.Direct(*line[len(line) // 2][::-1], rng.uniform(0, 360), m)
            for m in (30, 200, 1000)
        ]
        lon, lat = to_e7([(f["lon2"] + 180) % 360 - 180 for f in fixes]), to_e7([f["lat2"] for f in fixes])
        found = corridors.locate(np.zeros(3, int), lon, lat, np.ones(3, bool), np.full(3, np.nan))
        for i in range(3):
            exact = nearest_geodesic(line, lon[i] / 1e7, lat[i] / 1e7)
            assert found.distance_m[i] == pytest.approx(exact, rel=1e-3, abs=0.02)


@pytest.mark.parametrize("lat_deg", [-85.0, -60.0, 0.0, 21.0, 45.0, 70.0, 84.9])
@pytest.mark.parametrize("lon_deg", [106.0, 179.9])
def test_chainage_is_metres_on_the_earth_anywhere(lat_deg, lon_deg):
    """A line of 100 km in any direction, over the antimeridian too, is as long as its geodesics of 100 m; sides hold."""
    rng = np.random.default_rng(int(lat_deg + lon_deg))
    for azimuth in rng.uniform(0, 360, 3):
        end = Geodesic.WGS84.Direct(lat_deg, lon_deg, azimuth, 100_000)
        ends_lon = np.array([lon_deg, lon_deg + (end["lon2"] - lon_deg + 180) % 360 - 180])
        part = np.linspace(0, 1, 1001)
        lon, lat = ends_lon[0] + part * np.diff(ends_lon), lat_deg + part * (end["lat2"] - lat_deg)
        steps = [
            Geodesic.WGS84.Inverse(a, b, c, d)["s12"]
            for (a, b), (c, d) in itertools.pairwise(zip(lat, lon, strict=True))
        ]
        wrapped = (ends_lon + 180) % 360 - 180
        corridors = CorridorSet.build([RouteGeometry("r", wrapped, lat[[0, -1]].round(7), np.array([100.0]))])
        assert corridors.length_m[0] == pytest.approx(sum(steps), rel=1e-6, abs=0.1)
        at = np.arange(100, 1000, 100)
        fixes = to_e7((lon[at] + 180) % 360 - 180), to_e7(lat[at])
        found = corridors.locate(np.zeros(9, int), *fixes, np.ones(9, bool), np.full(9, np.nan))
        assert found.chainage_m == pytest.approx(np.cumsum(steps)[at - 1], abs=4.0)
        assert found.distance_m.max() < 0.02
        for turn, side in ((-90, 1), (90, -1)):
            there = Geodesic.WGS84.Inverse(lat[500], lon[500], lat[501], lon[501])["azi1"] + turn
            beside = Geodesic.WGS84.Direct(lat[500], lon[500], there, 300)
            fix = to_e7([(beside["lon2"] + 180) % 360 - 180]), to_e7([beside["lat2"]])
            seen = corridors.locate(np.array([0]), *fix, np.array([True]), np.array([np.nan]))
            assert (seen.side[0], seen.distance_m[0]) == (side, pytest.approx(300, rel=1e-3))


def nearest_geodesic(line, lon, lat):
    """Least geodesic distance to a line straight in lon/lat, by golden section on each leg."""
    best = np.inf
    for (lon1, lat1), (lon2, lat2) in itertools.pairwise(line):
        low, high = 0.0, 1.0

        def away(t, a=(lon1, lat1), b=(lon2, lat2)):
            return Geodesic.WGS84.Inverse(lat, lon, a[1] + t * (b[1] - a[1]), a[0] + t * (b[0] - a[0]))["s12"]

        if min(away(0), away(1)) > best + 6000:
            continue
        for _ in range(40):
            third = (high - low) * 0.381966
            if away(low + third) < away(high - third):
                high -= third
            else:
                low += third
        best = min(best, away((low + high) / 2))
    return best


def test_any_part_of_the_route_counts_for_the_distance():
    """A track far back on its route may stand on a later part of it and is on the route."""
    corridors = CorridorSet.build([route([(0, 0), (5000, 0), (5000, 300), (0, 300)])])
    found = drive(corridors, [(1000, 0), (1000, 300)], prior=900.0)
    assert found.distance_m == pytest.approx([0, 0], abs=0.5)


def test_half_width_is_that_of_the_nearest_leg():
    """Half-widths belong to legs; the nearest leg's decides."""
    corridors = CorridorSet.build([route([(0, 0), (1000, 0), (2000, 0)], width=[50, 300])])
    assert drive(corridors, [(500, 20), (1500, 20)]).half_width_m.tolist() == [50, 300]


def test_half_width_survives_repeated_vertices_and_cut_legs():
    """A vertex given twice makes no leg, a leg cut into pieces stays one leg."""
    corridors = CorridorSet.build(
        [route([(0, 0), (0, 0), (30_000, 0), (30_000, 0), (31_000, 0)], width=[1, 50, 2, 300])]
    )
    assert drive(corridors, [(500, 20), (29_000, 20), (30_500, 20)]).half_width_m.tolist() == [50, 50, 300]


def test_a_leg_keeps_the_number_it_was_given() -> None:
    """Repeated vertices and legs that are cut into pieces do not shift the legs after them."""
    points = [(0, 0), (100, 0), (100, 0), (20_100, 0), (20_100, 500)]
    corridors = CorridorSet.build([route([(0, 9), (9, 9)]), route(points)])
    chainage_m = np.array([-5.0, 0, 99, 101, 9_000, 20_000, 20_300, 20_500, 30_000])
    found = corridors.lines.given_leg_at(np.ones(len(chainage_m), np.int64), chainage_m)
    assert found.tolist() == [0, 0, 0, 2, 2, 2, 3, 3, 3]


@pytest.mark.parametrize("noise_m", [0.0, 8.0])
@pytest.mark.parametrize("step_m", [12.0, 150.0, 480.0])
def test_out_and_back_on_one_road_runs_through_without_a_jump(noise_m, step_m):
    """Out, turn, and back on the same line: chainage goes on, at a fix a second or one in 30 s.

    Beside the turning point a fix tells nothing of the way it goes; one step may be made up for by the next.
    """
    corridors = CorridorSet.build([route([(0, 0), (3000, 0), (6000, 500), (3000, 0), (0, 0)])])
    length = corridors.length_m[0]
    at_m = np.arange(0, length, step_m)
    x_m = np.interp(at_m, [0, 3000, length / 2, length - 3000, length], [0, 3000, 6000, 3000, 0])
    y_m = np.interp(at_m, [0, 3000, length / 2, length - 3000, length], [0, 0, 500, 0, 0])
    noise = np.random.default_rng(4).normal(0, noise_m, (len(at_m), 2))
    found = drive(corridors, np.c_[x_m, y_m] + noise)
    assert_never_jumps(found.chainage_m, 2 * (step_m + 4 * noise_m))
    assert found.chainage_m[-1] == pytest.approx(at_m[-1], abs=60)


def test_parallel_carriageways_are_told_apart_by_where_the_track_was():
    """Out on one carriageway, back on the other 15 m away: GNSS noise across them does not move the chainage over."""
    corridors = CorridorSet.build([route([(0, 0), (8000, 0), (8000, 15), (0, 15)])])
    rng = np.random.default_rng(2)
    out_m = np.c_[np.arange(0, 8000, 200.0), np.zeros(40)] + rng.normal(0, 10, (40, 2))
    back_m = np.c_[np.arange(7900, 0, -200.0), np.full(40, 15.0)] + rng.normal(0, 10, (40, 2))
    found = drive(corridors, np.r_[out_m, back_m])
    assert_never_jumps(found.chainage_m, 2 * 200)
    assert found.chainage_m[-1] > 15_500


def turning(radius_m, turns):
    """A spiral outwards, its arms 1.3 km apart."""
    angle = np.linspace(0, turns * 2 * np.pi, 200 * turns)
    return np.c_[np.cos(angle), np.sin(angle)] * (radius_m + 200 * angle)[:, None]


WINDING_ROADS = {
    "loop": [(0, 0), (8_000, 0), (8_000, 8_000), (0, 8_000), (0, 0)],
    "out and back": [(0, 0), (15_000, 0), (30_000, 3_000), (15_000, 0), (0, 0)],
    "carriageways": [(0, 0), (40_000, 0), (40_000, 15), (0, 15)],
    "eight": [(8_000 * np.sin(2 * t), 8_000 * np.sin(t)) for t in np.linspace(0, 2 * np.pi, 300)],
    "spiral": turning(3_000, 3).tolist(),
    "hairpins": [(x, 90 * k) for k in range(40) for x in ((0, 600) if k % 2 == 0 else (600, 0))],
}


@pytest.mark.parametrize("every_s", [30, 120, 1800])
@pytest.mark.parametrize("road", WINDING_ROADS)
def test_chainage_stays_with_the_cargo_however_seldom_it_reports(road, every_s):
    """At 54 km/h (hairpins: 18), with 8 m of noise: within the noise of where the cargo is, all the way to the end.

    The one exception is the turn of a road that comes back on itself: the fix after it may lie on either pass, up to
    where a fix every two minutes was last seen, and the next one makes up for it.
    """
    xy = np.array(WINDING_ROADS[road], float)
    run_m = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(xy, axis=0).T))])
    corridors = CorridorSet.build([route(xy, width=40.0)])
    speed_ms = 5.0 if road == "hairpins" else 15.0
    for trial in range(4):
        rng = np.random.default_rng(trial)
        at_m = np.arange(rng.uniform(0, 10), run_m[-1], speed_ms * every_s)
        fixes = np.c_[np.interp(at_m, run_m, xy[:, 0]), np.interp(at_m, run_m, xy[:, 1])]
        found = drive(corridors, fixes + rng.normal(0, 8, fixes.shape), every_s=every_s)
        off_m = np.abs(found.chainage_m - at_m * corridors.length_m[0] / run_m[-1])
        astray = off_m > 60
        assert not astray[-1]
        assert astray.sum() <= (1 if road in ("out and back", "carriageways") else 0)
        assert off_m.max() <= 60 + speed_ms * min(every_s, 120)


def test_a_short_way_back_in_half_an_hour_is_the_way_home():
    """An out-and-back of 40 km each way: 1 km back after 30 min is the return carriageway, after 30 s a truck turned."""
    corridors = CorridorSet.build([route([(0, 0), (40_000, 0), (40_000, 15), (0, 15)])])
    for every_s, expected in ((1800, 54_015), (30, 26_000)):
        found = drive(corridors, [(27_000, 0), (26_000, 15)], prior=26_500.0, every_s=every_s)
        assert found.chainage_m[1] == pytest.approx(expected, rel=3e-3)
    standing = drive(corridors, [(27_000, 0), (26_985, 9)], prior=26_500.0, every_s=1800)
    assert standing.chainage_m[1] == pytest.approx(26_985, rel=3e-3)


def test_figure_of_eight_keeps_its_pass_at_the_crossing():
    """Where the route crosses itself the track goes straight on, both times."""
    turn = np.linspace(0, 2 * np.pi, 200)
    xy = np.c_[2000 * np.sin(2 * turn), 2000 * np.sin(turn)]
    corridors = CorridorSet.build([route(xy)])
    dense = np.c_[2000 * np.sin(2 * (t := np.linspace(0, 2 * np.pi, 160))), 2000 * np.sin(t)]
    found = drive(corridors, dense)
    assert_never_jumps(found.chainage_m, 160)
    assert found.chainage_m[0] < 50
    assert found.chainage_m[-1] > corridors.length_m[0] - 50


def test_ring_road_begins_at_its_beginning():
    """At a yard where a ring road begins and ends, the first fix is at the beginning, whatever the noise says."""
    square = [(0, 0), (4000, 0), (4000, 4000), (0, 4000), (0, 0)]
    corridors = CorridorSet.build([route(square)])
    assert drive(corridors, [(-3, 12)]).chainage_m[0] < 50
    assert drive(corridors, [(-3, 12)], prior=15_900.0).chainage_m[0] > 15_900


def test_hairpins_forty_metres_apart_do_not_catch_each_other():
    """Mountain switchbacks: standing with noise on one arm does not carry the chainage to the next."""
    arms = [((0, 40 * k), (400, 40 * k)) if k % 2 == 0 else ((400, 40 * k), (0, 40 * k)) for k in range(8)]
    corridors = CorridorSet.build([route([point for arm in arms for point in arm])])
    rng = np.random.default_rng(8)
    standing = np.array([(200.0, 40.0)] * 50) + rng.normal(0, 7, (50, 2))
    found = drive(corridors, standing, prior=630.0)
    assert np.abs(found.chainage_m - 640).max() < 60


def test_hairpins_forty_metres_apart_are_followed_by_a_fix_every_half_minute():
    """At 54 km/h there is a fix on every arm, and those beside it are nearer along the route than the way that was driven.

    Noise of 8 m misleads one in fifteen, never by more than the arms beside it; half of them were astray once.
    """
    xy = np.array([(x, 40 * k) for k in range(20) for x in ((0, 400) if k % 2 == 0 else (400, 0))], float)
    run_m = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(xy, axis=0).T))])
    corridors = CorridorSet.build([route(xy, width=40.0)])
    off_m = []
    for trial in range(6):
        rng = np.random.default_rng(trial)
        at_m = np.arange(rng.uniform(0, 450), run_m[-1], 450)
        fixes = np.c_[np.interp(at_m, run_m, xy[:, 0]), np.interp(at_m, run_m, xy[:, 1])]
        found = drive(corridors, fixes + rng.normal(0, 8, fixes.shape), every_s=30)
        off_m += np.abs(found.chainage_m - at_m * corridors.length_m[0] / run_m[-1]).tolist()
    assert np.mean(np.array(off_m) > 60) < 0.1
    assert max(off_m) < 600


def test_digitised_wiggle_does_not_hold_the_chainage_back():
    """A line traced by GNSS has a hundred nearest places within reach; the nearest of them all is meant."""
    rng = np.random.default_rng(5)
    xy = np.c_[np.arange(0, 5000, 10.0), rng.normal(0, 3, 500)]
    corridors = CorridorSet.build([route(xy, width=300.0)])
    found = drive(corridors, np.c_[np.arange(0, 5000, 400.0), np.zeros(13)])
    scale = corridors.length_m[0] / 4990
    assert found.chainage_m == pytest.approx(np.arange(0, 5000, 400.0) * scale, abs=60)


def test_a_track_that_turns_round_in_the_middle_goes_back():
    """Reversing far from the far end of an out-and-back is going back, not being on the way home."""
    corridors = CorridorSet.build([route([(0, 0), (20_000, 0), (0, 0)])])
    found = drive(corridors, [(8000, 0), (7600, 0), (7200, 0)], prior=7900.0)
    assert found.chainage_m == pytest.approx([8000, 7600, 7200], abs=20)


def test_a_gap_in_the_track_does_not_reset_its_chainage():
    """A fix far off the route keeps to the pass the track was on."""
    corridors = CorridorSet.build([route([(0, 0), (9000, 0), (9000, 60), (0, 60)])])
    found = drive(corridors, [(2000, 60), (1500, 2500), (1000, 60)], prior=15_900.0)
    assert (np.diff(found.chainage_m) > 0).all()


LOOP = [(0, 0), (20_000, 0), (20_000, 20_000), (10_000, 20_000), (10_000, -20_000)]
"""Passes (10 km, 0) at chainage 10 km and again at 70 km."""


def test_a_detour_over_a_later_part_of_the_route_is_not_a_leap():
    """900 m beside its pass the cargo happens to stand on the other one: it has not gone 60 km."""
    corridors = CorridorSet.build([route(LOOP)])
    found = drive(corridors, [(9_000, 0), (9_500, 700), (10_000, 900), (10_500, 700), (11_000, 0)])
    assert found.chainage_m == pytest.approx([9_000, 9_500, 10_000, 10_500, 11_000], abs=60)
    assert found.distance_m[2] < 5


def test_a_real_short_cut_is_believed():
    """Where the cargo goes on along the later part, the chainage follows it there, and stays."""
    corridors = CorridorSet.build([route(LOOP)])
    found = drive(corridors, [(9_900, 0)] + [(10_000, -500.0 * k) for k in range(1, 20)])
    assert found.chainage_m[0] < 10_000
    assert found.chainage_m[-1] == pytest.approx(70_000 + 9_500, rel=5e-3)
    assert np.count_nonzero(np.abs(np.diff(found.chainage_m)) > 5_000) == 1


def test_a_gap_of_an_hour_is_not_a_leap():
    """Far ahead in a straight line and along the route alike: the cargo drove there."""
    corridors = CorridorSet.build([route(LOOP)])
    found = drive(corridors, [(1_000, 0), (20_000, 15_000), (10_000, 10_000)])
    assert found.chainage_m == pytest.approx([1_000, 35_000, 60_000], abs=200)


@pytest.mark.parametrize("prior", [-1e6, 1e7])
def test_a_prior_chainage_beyond_the_route_does_no_harm(prior):
    """After a change of plan the chainage may be another route's: the fix still lands on this one."""
    corridors = CorridorSet.build([route(LOOP)])
    found = drive(corridors, [(5_000, 10)], prior=prior)
    assert 0 <= found.chainage_m[0] <= corridors.length_m[0]


def test_no_route_is_no_number():
    """Route -1: NaN, side 0, and no previous chainage for the fix after it."""
    corridors = CorridorSet.build([route([(0, 0), (1000, 0)])])
    lon, lat = to_e7([106.0, 106.0]), to_e7([21.0, 21.0])
    found = corridors.locate(np.array([-1, 0]), lon, lat, np.array([True, False]), np.array([np.nan]))
    assert np.isnan([found.distance_m[0], found.chainage_m[0], found.half_width_m[0]]).all()
    assert found.side[0] == 0
    assert found.distance_m[1] == 0


def test_an_empty_batch_and_an_empty_set_answer_with_nothing():
    """Empty in, empty out."""
    none = np.empty(0, np.int64)
    for corridors in (CorridorSet.build([]), CorridorSet.build([route([(0, 0), (1000, 0)])])):
        found = corridors.locate(none, none, none, np.empty(0, bool), np.empty(0))
        columns = found.distance_m, found.chainage_m, found.half_width_m, found.side
        assert [len(column) for column in columns] == [0, 0, 0, 0]
    assert len(CorridorSet.build([])) == 0
    assert CorridorSet.build([]).length_m.tolist() == []


def test_a_missing_prior_chainage_is_refused():
    """One prior chainage a track, or the rows would be another track's."""
    corridors = CorridorSet.build([route([(0, 0), (1000, 0)])])
    with pytest.raises(ValueError, match="prior chainages"):
        corridors.locate(np.zeros(2, int), np.zeros(2, int), np.zeros(2, int), np.ones(2, bool), np.empty(1))


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (RouteGeometry("x", np.array([1.0]), np.array([1.0]), np.empty(0)), "two vertices"),
        (RouteGeometry("x", np.array([1.0, 2]), np.array([1.0, 2]), np.array([0.0])), "half-width 0"),
        (RouteGeometry("x", np.array([1.0, 2]), np.array([1.0, 2]), np.array([1.0, 2])), "one for each leg"),
        (
            RouteGeometry("x", np.array([21.0, 22]), np.array([106.0, 107]), np.array([1.0])),
            "longitude first",
        ),
        (RouteGeometry("x", np.array([np.nan, 22]), np.array([1.0, 2]), np.array([1.0])), "longitude first"),
        (
            RouteGeometry("x", np.array([-100.0, 0, 100]), np.array([1.0, 2, 3]), np.array([1.0, 1])),
            "longitude",
        ),
    ],
)
def test_a_route_without_meaning_is_refused_by_name(bad, says):
    """The error names the route, what was found and what to do."""
    with pytest.raises(GeometryError, match=f"^x: .*{says}"):
        CorridorSet.build([bad])


def test_a_route_that_nowhere_moves_is_a_point():
    """Two equal vertices: a point with a half-width; the distance is to it."""
    corridors = CorridorSet.build([route([(0, 0), (0, 0)])])
    found = drive(corridors, [(30, 40)])
    assert found.distance_m[0] == pytest.approx(50, rel=5e-3)
    assert found.chainage_m[0] == 0


def test_point_at_inverts_chainage():
    """A place on the route, located, gives its chainage back; beyond the ends are the ends."""
    corridors = CorridorSet.build([route([(0, 0), (3000, 0), (3000, 4000)])])
    at_m = np.array([0.0, 1.0, 2999.0, 3000.0, 5000.0, -5.0, 1e9])
    lon, lat = corridors.point_at(np.zeros(7, int), at_m)
    found = corridors.locate(np.zeros(7, int), lon, lat, np.ones(7, bool), np.full(7, np.nan))
    assert found.chainage_m == pytest.approx(np.clip(at_m, 0, corridors.length_m[0]), abs=0.02)


def test_stretch_is_the_route_between_two_chainages():
    """The vertices in between and two ends; reversed when driven back; never empty."""
    corridors = CorridorSet.build([route([(0, 0), (1000, 0), (2000, 0), (2000, 1000)])])
    lon, lat, offsets = corridors.stretch(
        np.zeros(4, int), np.array([500.0, 2500.0, 700.0, 100.0]), np.array([2500.0, 500.0, 700.0, 200.0])
    )
    assert np.diff(offsets).tolist() == [4, 4, 2, 2]
    assert lon[0:4].tolist() == lon[4:8][::-1].tolist()
    assert lat[0:4].tolist() == lat[4:8][::-1].tolist()
    assert (lon[8], lat[8]) == (lon[9], lat[9])
    line = corridors.legs(0)
    assert lon[1:3].tolist() == to_e7(line[1:3, 0]).tolist()


def test_a_route_over_the_antimeridian_is_one_line():
    """Vertices at 179.9 and -179.9 are 22 km apart at the equator; positions come back within ±180."""
    corridors = CorridorSet.build(
        [RouteGeometry("r", np.array([179.9, -179.9]), np.array([0.0, 0.0]), np.array([50.0]))]
    )
    assert corridors.length_m[0] == pytest.approx(22_263.9, abs=0.1)
    lon, lat = to_e7([179.95, -179.95, 180.0, -180.0]), np.zeros(4, np.int64)
    found = corridors.locate(np.zeros(4, int), lon, lat, np.ones(4, bool), np.full(4, np.nan))
    assert found.distance_m == pytest.approx([0] * 4, abs=0.01)
    assert found.chainage_m == pytest.approx([5566, 16_698, 11_132, 11_132], abs=1)
    back, _, _ = corridors.stretch(np.array([0]), np.array([0.0]), np.array([22_000.0]))
    assert np.abs(back).max() <= 1_800_000_000


def test_a_long_route_of_many_vertices_is_located_exactly():
    """20,000 vertices go through every level of the tree; near and far answers equal a look at every leg."""
    rng = np.random.default_rng(11)
    heading = np.cumsum(rng.normal(0, 0.1, 20_000))
    xy = np.c_[np.cumsum(40 * np.sin(heading)), np.cumsum(40 * np.cos(heading))]
    corridors = CorridorSet.build([route(xy)])
    fixes = xy[rng.integers(0, len(xy), 60)] + rng.normal(0, 1, (60, 2)) * 10 ** rng.uniform(0, 5, (60, 1))
    found = drive(corridors, fixes)
    line = corridors.legs(0)
    for i, fix in enumerate(fixes):
        lon, lat = 106.0 + fix[0] / (M_PER_DEG * np.cos(np.radians(21.0))), 21.0 + fix[1] / M_PER_DEG
        assert (
            found.distance_m[i]
            <= Geodesic.WGS84.Inverse(lat, lon, *vertex_near(line, lon, lat))["s12"] * 1.001 + 0.1
        )


def vertex_near(line, lon, lat):
    """Latitude and longitude of the vertex nearest in a flat plane."""
    flat = (line[:, 0] - lon) ** 2 * np.cos(np.radians(lat)) ** 2 + (line[:, 1] - lat) ** 2
    return line[flat.argmin()][::-1]


@pytest.mark.skipif(not DRIVE.exists(), reason="the folder of real traces is not beside the project")
@pytest.mark.parametrize(("every", "least_m"), [(1, 100), (30, 400)])
def test_a_real_drive_out_and_back_keeps_its_pass(every, least_m):
    """One recorded drive of 13 km there and back over itself, with 8 m of noise: no jump, and the end is the end."""
    trace = [
        [float(v) for v in re.findall(r"[-\d.]+", row["point"])] for row in json.loads(DRIVE.read_text())
    ]
    there = np.array(trace)
    both = np.concatenate([there, there[::-1]])
    line = both[::15]
    corridors = CorridorSet.build([RouteGeometry("r", *line.T, np.full(len(line) - 1, 100.0))])
    driven = both[::every] + np.random.default_rng(1).normal(0, 8e-5, (len(both[::every]), 2))
    lon, lat = to_e7(driven.T)
    start = np.arange(len(driven)) == 0
    found = corridors.locate(np.zeros(len(driven), int), lon, lat, start, np.array([np.nan]))
    travelled_m = distance_m(lon[:-1], lat[:-1], lon[1:], lat[1:])
    assert (np.abs(np.diff(found.chainage_m)) - travelled_m).max() < least_m
    assert found.chainage_m[-1] == pytest.approx(corridors.length_m[0], abs=600)
