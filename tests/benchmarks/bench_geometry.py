"""Cost of the geometry kernels per ping, each as a ratio to a plain loop over shapely that answers the same.

    python -m tests.benchmarks.bench_geometry [--zones 5000] [--routes 500] [--seals 2000] [--pings 50] [--load 100000]

Routes of 500 vertices, zones of 8 to 64 corners and 100 m to 5 km, three in five beside routes; seals drive the routes,
a fix every 30 s, with 8 m of noise, and a tenth of them leave the corridor by about 1 km for six minutes. Kernels are
called as judging calls them: batches in time order, the last chainage of each seal carried on, pairs of fixes on the
corridor tested along it and others straight. Everything is processor time, the best of some rounds; loop and kernel share a run.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import time
from typing import NamedTuple

import numpy as np
import shapely

from geofences.alongside import ZonesAlong
from geofences.catalog import read_zones
from geofences.corridors import CorridorSet, RouteGeometry
from geofences.projection import distance_m
from geofences.reach import in_reach
from geofences.zones import ZoneGeometry, ZoneSet
from tests.benchmarks.roads import EVERY_S, M_PER_DEG, drive, random_route, random_zone, scaled

ROUNDS = 7
PLAIN_PINGS = 1000
SPREAD = (1_000, 10_000, 100_000)
"""Zones all over the country, in which the cost must not grow; those beside the routes stay as they are."""


class Drive(NamedTuple):
    """Pings in time order, each with what is known of its seal's fix before."""

    route: np.ndarray
    lon: np.ndarray
    lat: np.ndarray
    before_lon: np.ndarray
    before_lat: np.ndarray
    before_m: np.ndarray
    now_m: np.ndarray
    along: np.ndarray

    def cut(self, size: int) -> list[Drive]:
        """Batches of ``size``."""
        return [Drive(*(c[i : i + size] for c in self)) for i in range(0, len(self.route), size)]


def main() -> None:
    """Build the workload, time every kernel, print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options = (
        ("zones", 5000),
        ("routes", 500),
        ("seals", 2000),
        ("pings", 50),
        ("load", 100_000),
        ("seed", 7),
    )
    for name, default in options:
        parser.add_argument(f"--{name}", type=int, default=default)
    args = parser.parse_args()
    rng = np.random.default_rng(args.seed)
    lines = [random_route(rng) for _ in range(args.routes)]
    shapes = [random_zone(rng, lines) for _ in range(args.zones)]
    widths = np.full(499, 100.0)
    corridors = timed(
        "build corridors",
        lambda: CorridorSet.build([RouteGeometry(str(i), *line.T, widths) for i, line in enumerate(lines)]),
    )
    zones = timed("build zones", lambda: zone_set(shapes))
    parts = timed("build zones along", lambda: ZonesAlong.build(corridors, zones, np.ones(len(zones), bool)))
    pings = driven(rng, lines, corridors, args.seals, args.pings)
    print(f"{args.zones} zones, {args.routes} routes x 500 vertices, {len(pings.route)} pings")
    time_kernels(corridors, zones, parts, pings, plain_loops(lines, shapes, pings))
    time_reach(zones, shapes, pings)
    time_spread(rng, lines, shapes[:1000], pings)
    if args.load:
        time_load(rng, args.load, pings)


def time_kernels(corridors, zones, parts, pings, plain) -> None:
    """Each kernel at three sizes of batch, and all of them together."""

    def locate(b):
        start = np.ones(len(b.route), bool)
        corridors.locate(b.route, b.lon, b.lat, start, b.before_m, np.full(len(b.route), EVERY_S))

    def holding(b):
        zones.holding(b.lon, b.lat)

    def crossing(b):
        on, off = np.flatnonzero(b.along), np.flatnonzero(~b.along)
        if len(on):
            parts.crossed(b.route[on], b.before_m[on], b.now_m[on])
        if len(off):
            straight(Drive(*(column[off] for column in b)))

    def straight(b):
        zones.passed((b.before_lon, b.before_lat, b.lon, b.lat), wanted)

    wanted = np.ones(len(zones), bool)
    kernels = {"locate": locate, "holding": holding, "crossing": crossing}
    for size, most in ((2000, len(pings.route)), (50, 10_000), (1, 300)):
        batches = Drive(*(c[-most:] for c in pings)).cut(size)
        took = {name: per_ping_s(kernel, batches) for name, kernel in kernels.items()}
        for name, ours in (took | {"all straight": per_ping_s(straight, batches)}).items():
            report(f"{name}, batches of {size}", ours, plain["crossing" if "straight" in name else name])
        report(f"geometry, batches of {size}", sum(took.values()), sum(plain[name] for name in took))


def plain_loops(lines, shapes, pings) -> dict[str, float]:
    """Seconds a ping of loops that ask shapely the same, one ping at a time."""
    tree, flat = shapely.STRtree(shapes), [shapely.LineString(scaled(line)) for line in lines]
    some = Drive(*(c[-PLAIN_PINGS:] for c in pings))
    here = (np.c_[some.lon, some.lat] / 1e7).tolist()
    there = (np.c_[some.before_lon, some.before_lat] / 1e7).tolist()

    def locate():
        for (x, y), line in zip(here, some.route.tolist(), strict=True):
            point = shapely.Point(x * math.cos(math.radians(y)) * M_PER_DEG, y * M_PER_DEG)
            flat[line].distance(point), flat[line].project(point)

    def holding():
        for x, y in here:
            point = shapely.Point(x, y)
            [z for z in tree.query(point).tolist() if shapes[z].intersects(point)]

    def crossing():
        for begin, end in zip(there, here, strict=True):
            path = shapely.LineString([begin, end])
            [shapes[z].intersection(path) for z in tree.query(path).tolist()]

    loops = {"locate": locate, "holding": holding, "crossing": crossing}
    return {name: best_s(loop, 2) / PLAIN_PINGS for name, loop in loops.items()}


def time_reach(zones, shapes, pings) -> None:
    """Zones in reach over gaps of half an hour at 80 km/h, one zone in ten of interest."""
    gap = Drive(*(c[-200:] for c in pings))
    apart_m = distance_m(gap.before_lon, gap.before_lat, gap.lon, gap.lat)
    reach_m, wanted = np.maximum(apart_m, 40_000.0), np.arange(len(zones)) % 10 == 0
    ends = (gap.before_lon, gap.before_lat, gap.lon, gap.lat)
    some = np.flatnonzero(wanted).tolist()

    def plain():
        for x0, y0, x1, y1 in (np.c_[ends] / 1e7).tolist()[:10]:
            scale = math.cos(math.radians(y0))
            foci = [shapely.Point(x * scale, y) for x, y in ((x0, y0), (x1, y1))]
            for z in some:
                ring = shapely.segmentize(shapely.transform(shapes[z], lambda c, k=scale: c * [k, 1]), 0.0005)
                corners = shapely.points(shapely.get_coordinates(ring))
                (shapely.distance(corners, foci[0]) + shapely.distance(corners, foci[1])).min()

    ours = best_s(lambda: in_reach(zones, *ends, reach_m, wanted), 3) / 200
    report("zones in reach, a gap", ours, best_s(plain, 1) / 10)


def time_spread(rng, lines, near, pings) -> None:
    """The same zones beside the routes, among more and more others elsewhere: the cost of ``holding`` and straight lines."""
    away = [random_zone(rng, None) for _ in range(SPREAD[-1] - len(near))]
    batches = Drive(*(c[-20_000:] for c in pings)).cut(2000)
    for count in SPREAD:
        zones = zone_set([*near, *away[: count - len(near)]])
        held = per_ping_s(lambda b, z=zones: z.holding(b.lon, b.lat), batches)
        wanted = np.ones(count, bool)
        passed = per_ping_s(
            lambda b, z=zones, w=wanted: z.passed((b.before_lon, b.before_lat, b.lon, b.lat), w), batches
        )
        print(
            f"{count:>7} zones: holding {held * 1e6:.3f} us/ping, straight lines {passed * 1e6:.3f} us/ping"
        )


def time_load(rng, count, pings) -> None:
    """Zones from GeoJSON, one in a hundred of them invalid, beside a loop that only makes shapes."""
    features = []
    for i in range(count):
        ring = shapely.get_coordinates(random_zone(rng, None)).round(7).tolist()
        ring = ring[:2] if i % 100 == 0 else ring
        geometry = {"type": "Polygon", "coordinates": [ring]}
        properties = {"kind": "interest", "name": f"Zone {i}"}
        features.append({"type": "Feature", "id": f"z{i}", "properties": properties, "geometry": geometry})
    text = json.dumps({"type": "FeatureCollection", "features": features})

    def plain():
        for feature in json.loads(text)["features"]:
            if len(feature["geometry"]["coordinates"][0]) > 3:
                shapely.geometry.shape(feature["geometry"]).is_valid  # noqa: B018

    begun, before = time.process_time(), resident_mb()
    found, faults = read_zones(text, "zones.geojson")
    read_s = time.process_time() - begun
    zones = ZoneSet.build([zone.geometry for zone in found])
    took_s, grown = time.process_time() - begun, resident_mb() - before
    loop_s = best_s(plain, 1)
    batches = Drive(*(c[-20_000:] for c in pings)).cut(2000)
    held = per_ping_s(lambda b: zones.holding(b.lon, b.lat), batches)
    print(
        f"load {count} zones, {len(text) / 1e6:.0f} MB: read {read_s:.1f} s, index {took_s - read_s:.1f} s, "
        f"{grown:.0f} MB, {len(faults)} invalid named, plain loop {loop_s:.1f} s ({took_s / loop_s:.2f} of it); "
        f"holding {held * 1e6:.3f} us/ping"
    )


def report(name, ours_s, plain_s) -> None:
    """One line: microseconds a ping, and the ratio to the plain loop."""
    print(
        f"{name:32}{ours_s * 1e6:9.3f} us   plain loop {plain_s * 1e6:9.2f} us, {plain_s / ours_s:7.1f} times"
    )


def per_ping_s(kernel, batches) -> float:
    """Processor seconds a ping: the least of some rounds for each batch."""
    least = np.full(len(batches), math.inf)
    for _ in range(ROUNDS):
        for i, batch in enumerate(batches):
            begun = time.thread_time()
            kernel(batch)
            least[i] = min(least[i], time.thread_time() - begun)
    return float(least.sum()) / sum(len(batch.route) for batch in batches)


def best_s(work, rounds) -> float:
    """Least processor seconds of some rounds."""
    least = math.inf
    for _ in range(rounds):
        begun = time.process_time()
        work()
        least = min(least, time.process_time() - begun)
    return least


def timed(name, work):
    """What ``work`` gives; a line with its processor seconds and memory."""
    begun, before = time.process_time(), resident_mb()
    made = work()
    print(f"{name:22}{time.process_time() - begun:8.2f} s {resident_mb() - before:8.0f} MB")
    return made


def resident_mb() -> float:
    """Greatest resident memory so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def zone_set(shapes) -> ZoneSet:
    """Zones named by their numbers."""
    return ZoneSet.build([ZoneGeometry(str(i), shape) for i, shape in enumerate(shapes)])


def driven(rng, lines, corridors, seals, pings) -> Drive:
    """Fixes of all seals; the first of each seal is only where the second comes from."""
    route, lon, lat = (column.reshape(pings + 1, seals) for column in drive(rng, lines, seals, pings + 1))
    start = np.tile(np.arange(pings + 1) == 0, seals)
    tracks = (column.T.ravel() for column in (route, lon, lat))
    found = corridors.locate(*tracks, start, np.full(seals, np.nan), np.where(start, np.nan, EVERY_S))
    chainage_m = found.chainage_m.reshape(seals, -1).T
    on = (found.distance_m <= found.half_width_m).reshape(seals, -1).T
    columns = (
        route[1:], lon[1:], lat[1:], lon[:-1], lat[:-1], chainage_m[:-1], chainage_m[1:], on[:-1] & on[1:],
    )  # fmt: skip
    return Drive(*(column.ravel() for column in columns))


if __name__ == "__main__":
    main()
