"""Cost of the geometry kernels per ping, beside plain loops over shapely, on one seeded workload made in process.

    python -m tests.benchmarks.bench_geometry [--zones 5000] [--routes 2000] [--seals 2000] [--pings 20]

Routes of 500 vertices, zones of 8 to 64 corners and 100 m to 5 km, most of them beside routes; seals drive the
routes with 8 m of noise, a tenth of them leave the corridor by about 1 km. Batches are 2,000 pings in time order.
Prints microseconds of processor time a ping (best of the rounds) and how many times as long the plain loop takes.
"""

from __future__ import annotations

import argparse
import math
import resource
import time

import numpy as np
import shapely

from geofences.corridors import CorridorSet, RouteGeometry
from geofences.zones import ZoneGeometry, ZoneSet

M_PER_DEG = 111_195.0
BATCH = 2000
ROUNDS = 5
PLAIN_PINGS = 1000


def main() -> None:
    """Build the workload, time every kernel, print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("zones", 5000), ("routes", 2000), ("seals", 2000), ("pings", 20), ("seed", 7)):
        parser.add_argument(f"--{name}", type=int, default=default)
    args = parser.parse_args()
    rng = np.random.default_rng(args.seed)
    lines = [random_route(rng) for _ in range(args.routes)]
    shapes = [random_zone(rng, lines) for _ in range(args.zones)]
    route, lon, lat = drive(rng, lines, args.seals, args.pings)
    print(
        f"{args.zones} zones, {args.routes} routes x 500 vertices, {len(route)} pings in batches of {BATCH}"
    )
    begun, before = time.process_time(), resident_mb()
    widths = np.full(499, 100.0)
    corridors = CorridorSet.build([RouteGeometry(str(i), *line.T, widths) for i, line in enumerate(lines)])
    print(f"{'build corridors':22}{time.process_time() - begun:8.2f} s {resident_mb() - before:8.0f} MB")
    begun, before = time.process_time(), resident_mb()
    zones = ZoneSet.build([ZoneGeometry(str(i), shape) for i, shape in enumerate(shapes)])
    print(f"{'build zones':22}{time.process_time() - begun:8.2f} s {resident_mb() - before:8.0f} MB")
    time_kernels(corridors, zones, lines, shapes, (route, lon, lat), args.seals)


def time_kernels(corridors, zones, lines, shapes, pings, seals) -> None:
    """Each kernel on batches, then its plain loop on some pings."""
    route, lon, lat = pings
    batches = [slice(i, i + BATCH) for i in range(0, len(route), BATCH)]
    tree, flat = shapely.STRtree(shapes), [shapely.LineString(scaled(line)) for line in lines]
    prior, start, pairs = np.full(BATCH, np.nan), np.ones(BATCH, bool), np.arange(0, 2 * BATCH + 1, 2)
    last = [slice(max(b.start - seals, 0), max(b.stop - seals, 0)) for b in batches]
    paths = [
        (np.stack([lon[a], lon[b]], axis=1).ravel(), np.stack([lat[a], lat[b]], axis=1).ravel())
        for a, b in zip(last, batches, strict=True)
        if lon[a].size == lon[b].size == BATCH
    ]
    deg = np.c_[lon, lat][:PLAIN_PINGS] / 1e7

    def locate(b):
        n = b.stop - b.start if b.stop <= len(route) else len(route) - b.start
        corridors.locate(route[b], lon[b], lat[b], start[:n], prior[:n])

    def plain_locate():
        for (x, y), line in zip(deg.tolist(), route[:PLAIN_PINGS].tolist(), strict=True):
            point = shapely.Point(x * math.cos(math.radians(y)) * M_PER_DEG, y * M_PER_DEG)
            flat[line].distance(point), flat[line].project(point)

    def plain_holding():
        for x, y in deg.tolist():
            point = shapely.Point(x, y)
            [z for z in tree.query(point).tolist() if shapes[z].intersects(point)]

    def plain_crossed():
        for (x, y), (u, v) in zip(deg.tolist(), np.c_[paths[0]][1::2].tolist(), strict=False):
            path = shapely.LineString([(x, y), (u / 1e7, v / 1e7)])
            [shapes[z].intersection(path) for z in tree.query(path).tolist()]

    report("locate", locate, batches, plain_locate, len(route))
    report("holding", lambda b: zones.holding(lon[b], lat[b]), batches, plain_holding, len(route))
    report("crossed", lambda p: zones.crossed(*p, pairs), paths, plain_crossed, BATCH * len(paths))
    near = zones.holding(lon, lat)[1]
    ask = np.resize(near, len(route))
    report(
        "distance to a zone", lambda b: zones.distance_m(lon[b], lat[b], ask[b]), batches, None, len(route)
    )


def report(name, kernel, batches, plain, pings) -> None:
    """One line: microseconds a ping, and the ratio to the plain loop."""
    ours = best_s(lambda: [kernel(batch) for batch in batches]) / pings
    line = f"{name:22}{ours * 1e6:8.2f} us/ping"
    if plain:
        loop = best_s(plain, 2) / PLAIN_PINGS
        line += f"   plain loop {loop * 1e6:8.2f} us/ping, {loop / ours:6.1f} times"
    print(line)


def best_s(work, rounds=ROUNDS) -> float:
    """Least processor seconds of some rounds."""
    least = math.inf
    for _ in range(rounds):
        begun = time.process_time()
        work()
        least = min(least, time.process_time() - begun)
    return least


def resident_mb() -> float:
    """Greatest resident memory so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def scaled(line) -> np.ndarray:
    """A line in metres, every vertex with the scale of its own latitude."""
    return np.c_[line[:, 0] * np.cos(np.radians(line[:, 1])), line[:, 1]] * M_PER_DEG


def random_route(rng) -> np.ndarray:
    """A wandering road of 500 vertices, 150 to 450 m apart."""
    lon, lat = rng.uniform(103, 109), rng.uniform(10, 22)
    heading = rng.uniform(0, 2 * math.pi) + np.cumsum(rng.normal(0, 0.12, 500))
    step = rng.uniform(150, 450, 500)
    east, north = np.cumsum(step * np.sin(heading)), np.cumsum(step * np.cos(heading))
    return np.c_[lon + east / (M_PER_DEG * math.cos(math.radians(lat))), lat + north / M_PER_DEG].round(6)


def random_zone(rng, lines) -> shapely.Polygon:
    """A star of 8 to 64 corners, three in five beside a route."""
    centre = np.array([rng.uniform(103, 109), rng.uniform(10, 22)])
    if rng.random() < 0.6:
        line = lines[rng.integers(len(lines))]
        centre = line[rng.integers(len(line))] + rng.normal(0, 0.01, 2)
    corners = int(rng.integers(8, 65))
    radius = math.exp(rng.uniform(math.log(100), math.log(5000))) * rng.uniform(0.6, 1, corners)
    angle = np.sort(rng.uniform(0, 2 * math.pi, corners))
    east, north = radius * np.sin(angle), radius * np.cos(angle)
    ring = centre + np.c_[east / math.cos(math.radians(centre[1])), north] / M_PER_DEG
    shape = shapely.Polygon(ring.round(6))
    return shape if shape.is_valid else shape.convex_hull


def drive(rng, lines, seals, pings):
    """Route, longitude and latitude (1e-7 degree) of all pings, in time order."""
    route = rng.integers(0, len(lines), seals)
    lon, lat = np.empty((pings, seals)), np.empty((pings, seals))
    for seal, number in enumerate(route):
        line = lines[number]
        flat = scaled(line)
        run = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(flat, axis=0).T))])
        at = rng.uniform(0, run[-1] * 0.8) + rng.uniform(8, 20) * 30 * np.arange(pings)
        lon[:, seal], lat[:, seal] = np.interp(at, run, line[:, 0]), np.interp(at, run, line[:, 1])
    away = np.where(rng.random(seals) < 0.1, 1000.0, 0.0) * np.sin(np.linspace(0, math.pi, pings))[:, None]
    lon += (rng.normal(0, 8, lon.shape) + away) / M_PER_DEG
    lat += (rng.normal(0, 8, lat.shape) + 0.7 * away) / M_PER_DEG
    to_e7 = lambda degrees: np.rint(degrees * 1e7).astype(np.int64).ravel()  # noqa: E731
    return np.tile(route, pings), to_e7(lon), to_e7(lat)


if __name__ == "__main__":
    main()
