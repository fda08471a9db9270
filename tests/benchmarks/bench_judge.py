"""Cost of the whole judgement per ping: order, plausibility, corridors, zones, every rule, debounce, state.

    python -m tests.benchmarks.bench_judge [--pings 200000] [--big 1000000] [--zones 100000] [--only NAME,…]

One seeded workload made in process: 2,000 seals on 500 routes of 500 vertices among 5,000 zones, a ping every 30 s, a
tenth of the seals off their corridor by about 1 km for a while, default policy. Each line is microseconds of processor
time a ping, the least of some rounds, and how many times as long a plain loop takes that was timed in the same run: for
each ping, the zones and the route asked with shapely (prepared, from an index), and a debounce in dictionaries. At the end
stands how the lines compare with each other, and what is aimed at.

Batches of 50 and of 1 are 400 each, of seals that have sent ten pings before: their first pings, at which journeys begin,
are one in a hundred of the whole, and would be one in ten of these, or all.

`--only batches,seals,zones,state` chooses what is measured; `seals` with a million seals takes 3 GB and minutes. On a machine
that others use at the same time the ratios hold better than the microseconds, and more rounds (`--rounds`) better than few.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable

import numpy as np
import shapely

from seal_tracker.decoders.columns import digest
from seal_tracker.journey import Journey
from seal_tracker.judge import judge
from seal_tracker.model import NO_TIME, PING_DTYPES, PingBatch
from seal_tracker.plans.folder import load_files
from seal_tracker.plans.model import Plan
from seal_tracker.tracking.epochs import Facts, JourneyTable, Version
from seal_tracker.tracking.state import ROW, SealStates
from seal_tracker.tracking.terrains import terrain_of
from tests.benchmarks.roads import drive, random_route, random_zone, scaled

T0_MS = 1_767_225_600_000
EVERY_MS = 30_000
SEALS, ROUTES, ZONES = 2000, 500, 5000
PLAIN_PINGS = 4000
SECTIONS = ("batches", "seals", "zones", "state")


def main() -> None:
    """Build the workload and print what was asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    counts = {"pings": 200_000, "big": 1_000_000, "zones": 100_000, "rounds": 3, "seed": 7}
    for name, default in counts.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--only", default=",".join(SECTIONS))
    args = parser.parse_args()
    wanted = set(args.only.split(","))
    rng = np.random.default_rng(args.seed)
    lines = [random_route(rng) for _ in range(ROUTES)]
    shapes = [random_zone(rng, lines) for _ in range(ZONES)]
    plan = plan_of(lines, shapes)
    route, lon, lat = drive(rng, lines, SEALS, max(args.pings // SEALS, 1))
    pings = pings_of(np.tile(np.arange(1, SEALS + 1), len(route) // SEALS), lon, lat)
    facts = facts_of(plan, route[:SEALS])
    report = Report(plain_us(lines, shapes, route, lon, lat))
    print(
        f"{len(pings):,} pings, {SEALS:,} seals, {ROUTES} routes x 500 vertices, {ZONES:,} zones, default policy"
    )
    print(f"{'plain loop over shapely':44}{report.loop_us:9.2f} us/ping")

    if "batches" in wanted:
        for size in (2000, 500, 50, 1):
            known, some = (pings.take(slice(0, 0)), pings) if size > 50 else some_of(pings, size * 400)
            report.line(f"batches of {size:,}", cost_us(facts, some, size, rounds=args.rounds, known=known))
    if "zones" in wanted:
        near = [random_zone(rng, lines) for _ in range(1000)]
        for n in (
            1000,
            args.zones,
        ):  # the others lie where nobody drives: more to search, nothing more to tell
            more = near + [random_zone(rng, None) for _ in range(n - len(near))]
            there = facts_of(plan_of(lines, more), route[:SEALS])
            report.line(f"among {n:,} zones", cost_us(there, pings, 2000, rounds=args.rounds))
        crowded = [random_zone(rng, lines) for _ in range(args.zones)]
        there = facts_of(plan_of(lines, crowded), route[:SEALS])
        pairs = len(there.versions[0].terrain.zones.holding(lon, lat)[0]) / len(lon)
        us = cost_us(there, pings, 2000, rounds=1)
        report.line(f"in {pairs:.1f} zones each of {args.zones:,}", us)
    if "seals" in wanted:
        report.line("among 2,000 seals", cost_us(facts, pings, 2000, rounds=args.rounds))
        many_seals(plan, lines, args.big, pings, report)
    if "state" in wanted:
        state_size(facts, pings)
    report.ratios(
        ("batches of 50", "batches of 2,000", 6),
        (f"among {args.zones:,} zones", "among 1,000 zones", 1.3),
        (f"among {args.big:,} seals", "among 2,000 seals", 2),
        (f"one seal with {args.big:,} pings", f"{args.big:,} seals with one ping", 3),
        (f"{args.big:,} seals with one ping", f"one seal with {args.big:,} pings", 3),
    )


class Report:
    """Lines of figures, and what they are to each other; ``loop_us`` is the plain loop's microseconds a ping."""

    def __init__(self, loop_us: float) -> None:
        self.loop_us = loop_us
        self._us: dict[str, float] = {}

    def line(self, name: str, us: float) -> None:
        """One line: microseconds a ping, and how many times as long the plain loop takes."""
        self._us[name] = us
        print(f"{name:44}{us:9.2f} us/ping   plain loop {self.loop_us / us:7.1f} times", flush=True)

    def ratios(self, *wanted: tuple[str, str, float]) -> None:
        """How many times as much one line costs as another, and at most should; of lines that were measured."""
        for one, other, most in wanted:
            if one in self._us and other in self._us:
                print(
                    f"{one} : {other}".ljust(64)
                    + f"{self._us[one] / self._us[other]:7.2f} times, at most {most:g} wanted"
                )


def many_seals(plan: Plan, lines, big: int, pings: PingBatch, report: Report) -> None:
    """One seal with very many pings, very many seals with one ping, and batches among very many seals known."""
    rng = np.random.default_rng(1)
    route, lon, lat = drive(rng, lines[:1], 1, big)
    lone = pings_of(np.ones(len(lon), np.int64), lon, lat)
    report.line(f"one seal with {big:,} pings", cost_us(facts_of(plan, route[:1]), lone, 50_000, rounds=2))
    del lone
    route, lon, lat = drive(rng, lines, big, 1)
    crowd = facts_of(plan, route)
    once = pings_of(np.arange(1, big + 1), lon, lat)
    run(
        crowd, once.take(slice(0, 1)), 1, SealStates()
    )  # columns of journeys are made once for a plan, not for a ping
    report.line(f"{big:,} seals with one ping", cost_us(crowd, once, 50_000, rounds=2))
    states = SealStates()
    run(crowd, once, 50_000, states)
    later = once.take(rng.permutation(big)[: len(pings) // 2])
    later = later.with_columns(time_ms=later.time_ms + EVERY_MS)
    report.line(f"among {big:,} seals", cost_us(crowd, later, 2000, rounds=1, states=states))


def state_size(facts: Facts, pings: PingBatch) -> None:
    """Bytes a seal of live state: its row, its streams, and the tables that find them."""
    states = SealStates()
    run(facts, pings, 2000, states)
    streams = len(states.streams(states.seals()))
    row = ROW.itemsize
    stream = states.streams(states.seals()).dtype.itemsize + 8
    per_seal = row + 3 * 8 + stream * streams / len(states)
    print(
        f"{'live state':44}{per_seal:9.0f} bytes a seal ({row} in columns, {streams / len(states):.2f} streams of {stream})"
    )


def some_of(pings: PingBatch, n: int) -> tuple[PingBatch, PingBatch]:
    """The first ten pings of every seal (or half of all pings), and ``n`` of those after them."""
    known = min(10 * SEALS, len(pings) // 2)
    return pings.take(slice(0, known)), pings.take(slice(known, known + n))


def cost_us(
    facts: Facts,
    pings: PingBatch,
    size: int,
    *,
    rounds: int = 3,
    states: SealStates | None = None,
    known: PingBatch | None = None,
) -> float:
    """Processor microseconds a ping, the least of some rounds; each begins with nothing known but ``states``, or the pings ``known``."""
    least = math.inf
    for _ in range(rounds):
        before = SealStates() if states is None else states
        if known is not None:
            run(facts, known, 2000, before)
        begun = time.process_time()
        run(facts, pings, size, before)
        least = min(least, time.process_time() - begun)
    return least / len(pings) * 1e6


def run(facts: Facts, pings: PingBatch, size: int, states: SealStates) -> None:
    """Judge in batches, as they would arrive."""
    for i in range(0, len(pings), size):
        judge(states, pings.take(slice(i, i + size)), facts).install(states)


def pings_of(seal, lon, lat) -> PingBatch:
    """Pings in time order: the n-th of every seal 30 s after the one before."""
    n = len(seal)
    columns = {name: np.zeros(n, dtype) for name, dtype in PING_DTYPES.items()}
    nth = np.arange(n) if len(set(seal[:2])) == 1 else np.arange(n) // len(np.unique(seal))
    stagger = (seal * 7919 % EVERY_MS).astype(np.int64)
    columns |= {
        "seal": seal.astype(np.int32),
        "time_ms": T0_MS + nth * EVERY_MS + stagger,
        "lon_e7": lon.astype(np.int32),
        "lat_e7": lat.astype(np.int32),
        "received_ms": np.full(n, NO_TIME),
        "seq": np.full(n, -1),
    }
    for name in ("has_position", "valid", "clock_ok"):
        columns[name][:] = True
    for name in ("course_deg", "accuracy_m", "battery_pct"):
        columns[name][:] = np.nan
    columns["speed_kmh"][:] = 50
    columns["lock"][:] = 1
    columns["mode"][:] = 1
    pings = PingBatch(**columns)
    return pings.with_columns(digest=digest({name: getattr(pings, name) for name in PING_DTYPES}))


def plan_of(lines, shapes) -> Plan:
    """Routes 100 m wide to each side, and zones of interest."""

    def feature(i, geometry, **p):
        return {
            "type": "Feature",
            "id": i,
            "geometry": geometry,
            "properties": {"name": i, **p},
        }

    zones = [feature(f"z{i}", shapely.geometry.mapping(s), kind="interest") for i, s in enumerate(shapes)]
    routes = [
        feature(f"r{i}", {"type": "LineString", "coordinates": line.tolist()}, half_width_m=100)
        for i, line in enumerate(lines)
    ]
    files = {
        "zones.geojson": json.dumps({"type": "FeatureCollection", "features": zones}),
        "routes.geojson": json.dumps({"type": "FeatureCollection", "features": routes}),
    }
    plan, faults = load_files(files)
    assert plan is not None, faults[:3]
    return plan


def facts_of(plan: Plan, route) -> Facts:
    """Seal i + 1 is armed for route[i] from before its first ping."""
    numbers = {f"s{i + 1}": i + 1 for i in range(len(route))}
    journeys = [
        Journey(f"J{i}", f"s{i + 1}", ((f"s{i + 1}", "seal"),), f"r{r}", "transit", T0_MS - 60_000)
        for i, r in enumerate(route.tolist())
    ]
    table = JourneyTable.build(journeys, numbers)
    names = {n: name for name, n in numbers.items()}
    return Facts("live", (Version(NO_TIME, plan, terrain_of(plan)),), table, names)


def plain_us(lines, shapes, route, lon, lat) -> float:
    """The reference: a loop over pings as one would write it first, corridor, zones and debounce."""
    tree = shapely.STRtree(shapes)
    shapely.prepare(shapes)
    flat = [shapely.LineString(scaled(line)) for line in lines]
    runs: dict[tuple[int, int], int] = {}

    def loop() -> None:
        runs.clear()
        for i in range(PLAIN_PINGS):
            x, y = lon[i] / 1e7, lat[i] / 1e7
            seal, point = i % SEALS, shapely.Point(x, y)
            for zone in tree.query(point).tolist():
                key = (seal, zone)
                runs[key] = runs.get(key, 0) + 1 if shapes[zone].intersects(point) else 0
            away = flat[route[i]].distance(
                shapely.Point(x * math.cos(math.radians(y)) * 111_195.0, y * 111_195.0)
            )
            runs[seal, -1] = runs.get((seal, -1), 0) + 1 if away > 100 else 0

    return best_us(loop, PLAIN_PINGS)


def best_us(work: Callable[[], None], n: int, rounds: int = 3) -> float:
    """Least processor microseconds of some rounds, for each of ``n``."""
    least = math.inf
    for _ in range(rounds):
        begun = time.process_time()
        work()
        least = min(least, time.process_time() - begun)
    return least / n * 1e6


if __name__ == "__main__":
    main()
