"""How often ``ROUTE_DEVIATION`` is wrong, and how soon it is right, on labelled trips; beside rules that people use.

    python -m tests.benchmarks.bench_detection [--trips 800] [--seed 7] [--hard]

Trips simulated on random roads and drives recorded on real ones (docs/detection.md says how both are made and labelled):
cars that report about every 5 s, trucks that report every 30 s, 2 min and 30 min; each set once on its own true route,
once with true excursions. The last rule of each block is the product itself, `judge` with its default policy.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from detection_cases import TRUCK_EVERY_S, Case, car_detours, cars, harder, truck_detours, trucks
from detection_rules import RIVALS, Told, mark
from detection_traces import TRACES, recorded

from seal_tracker.decoders.columns import digest
from seal_tracker.journey import Journey
from seal_tracker.judge import judge
from seal_tracker.model import NO_TIME, PING_DTYPES, PingBatch
from seal_tracker.plans.folder import load_files
from seal_tracker.tracking.epochs import Facts, JourneyTable, Version
from seal_tracker.tracking.state import SealStates
from seal_tracker.tracking.terrains import terrain_of

T0_MS = 1_767_225_600_000
LON0 = 106.0
M_PER_DEG_LON, M_PER_DEG_LAT = 111_319.49, 110_574.3
"""At the equator, where a plane 800 km wide fits within 0.3 %."""
HALF_WIDTHS_M = (25, 50, 100)
LEAST_S = 75.0
"""Excursions shorter than this, or than 2.5 reports, need not be found."""


def main() -> None:
    """Make the trips, judge them by every rule, print a line for each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trips", type=int, default=800)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument(
        "--hard", action="store_true", help="cars alone: every second, and carelessly recorded"
    )
    args = parser.parse_args()
    begun, n = time.perf_counter(), args.trips
    real = recorded()
    if not real:
        print(f"{TRACES} is absent: simulated trips only")
    if args.hard:
        for title, own, away in hard_cases(args.seed, n):
            report(title, own, away)
        return
    report("cars, every 5 s", cars(args.seed, n, real, 3), car_detours(args.seed, n * 3 // 8, real, 3))
    for every in TRUCK_EVERY_S:
        title = f"trucks, every {every:g} s"
        report(title, trucks(args.seed, n // 20, every), truck_detours(args.seed, n // 20, every))
    print(f"{time.perf_counter() - begun:.0f} s")


def hard_cases(seed: int, n: int) -> Iterator[tuple[str, list[Case], list[Case]]]:
    """Simulated cars that report every second, and such that report every 5 s as careless hands record them."""
    few = n // 3
    yield "cars, every second", cars(seed, few, [], 0, 1.0), car_detours(seed, few * 3 // 8, [], 0, 1.0)
    own, away = cars(seed, n, [], 0), car_detours(seed, n * 3 // 8, [], 0)
    yield "cars, carelessly recorded", harder(own, seed), harder(away, seed + 1)


def report(title: str, own: list[Case], away: list[Case]) -> None:
    """One block: every half-width by every rule."""
    least_s = max(LEAST_S, 2.5 * own[0].every_s)
    print(f"\n{title}: {len(own)} trips on their own route, {len(away)} with an excursion")
    print(
        f"{'half-width':>10}  {'rule':24}{'km':>8}{'false':>7}{'per 1,000 km':>14}"
        f"{'found':>8}{'missed':>8}{'median s':>10}{'p90 s':>8}"
    )
    for half_width in HALF_WIDTHS_M:
        told = {
            name: [[rule(c, half_width) for c in cases] for cases in (own, away)]
            for name, rule in RIVALS.items()
        }
        both = judged(own + away, half_width)
        told["default policy"] = [both[: len(own)], both[len(own) :]]
        for name, (on_own, on_away) in told.items():
            a = mark(own, half_width, on_own, least_s)
            b = mark(away, half_width, on_away, least_s)
            median, late = np.percentile(b.delays_s, [50, 90]) if b.delays_s else (np.nan, np.nan)
            print(
                f"{half_width:>8} m  {name:24}{a.km:8.0f}{a.false:7}{1000 * a.false / a.km:14.2f}"
                f"{len(b.delays_s):8}{b.missed:8}{median:10.0f}{late:8.0f}",
                flush=True,
            )


def judged(cases: list[Case], half_width_m: float) -> list[list[Told]]:
    """What the product says of trips, each a seal with a journey and a route of its own."""
    names = {f"S{i + 1}": i + 1 for i in range(len(cases))}
    journeys = [
        Journey(f"J{i}", seal, ((seal, "seal"),), f"R{i}", "transit", T0_MS - 60_000)
        for i, seal in enumerate(names)
    ]
    nothing = {"type": "FeatureCollection", "features": []}
    files = {"routes.geojson": collection(cases, half_width_m), "zones.geojson": nothing}
    plan, faults = load_files({name: json.dumps(content) for name, content in files.items()})
    assert plan is not None, faults[:3]
    version = Version(NO_TIME, plan, terrain_of(plan))
    facts = Facts("live", (version,), JourneyTable.build(journeys, names), {n: s for s, n in names.items()})
    verdict = judge(SealStates(), pings_of(cases), facts)
    told: list[list[Told]] = [[] for _ in cases]
    for e in sorted(verdict.touched.values(), key=lambda e: e.started_at_ms):
        if e.type == "ROUTE_DEVIATION":
            ended = np.inf if e.ended_at_ms is None else (e.ended_at_ms - T0_MS) / 1000
            started, raised = (e.started_at_ms - T0_MS) / 1000, (e.raised_at_ms - T0_MS) / 1000
            told[int(e.seal[1:]) - 1].append(Told(started, raised, ended))
    return told


def degrees(xy: np.ndarray) -> np.ndarray:
    """The plane's metres as lon, lat."""
    return np.column_stack([LON0 + xy[:, 0] / M_PER_DEG_LON, xy[:, 1] / M_PER_DEG_LAT])


def collection(cases: list[Case], half_width_m: float) -> dict[str, object]:
    """The routes of trips as GeoJSON."""
    features = [
        {
            "type": "Feature",
            "id": f"R{i}",
            "geometry": {"type": "LineString", "coordinates": degrees(case.route).round(7).tolist()},
            "properties": {"name": f"R{i}", "half_width_m": half_width_m},
        }
        for i, case in enumerate(cases)
    ]
    return {"type": "FeatureCollection", "features": features}


def pings_of(cases: list[Case]) -> PingBatch:
    """All fixes of all trips in one batch."""
    sizes = [len(c.fixes.t_s) for c in cases]
    n = sum(sizes)
    lon, lat = np.vstack([degrees(c.fixes.xy) for c in cases]).T
    columns = {name: np.zeros(n, dtype) for name, dtype in PING_DTYPES.items()}
    columns |= {
        "seal": np.repeat(np.arange(1, len(cases) + 1), sizes).astype(np.int32),
        "time_ms": T0_MS + np.rint(np.concatenate([c.fixes.t_s for c in cases]) * 1000).astype(np.int64),
        "lon_e7": np.rint(lon * 1e7).astype(np.int32),
        "lat_e7": np.rint(lat * 1e7).astype(np.int32),
        "accuracy_m": np.concatenate([c.fixes.accuracy_m for c in cases]).astype(np.float32),
        "received_ms": np.full(n, NO_TIME),
        "seq": np.full(n, -1),
    }
    for name in ("has_position", "valid", "clock_ok"):
        columns[name][:] = True
    for name in ("course_deg", "battery_pct", "speed_kmh"):
        columns[name][:] = np.nan
    for name in ("lock", "mode"):
        columns[name][:] = 1
    pings = PingBatch(**columns)
    return pings.with_columns(digest=digest({name: getattr(pings, name) for name in PING_DTYPES}))


if __name__ == "__main__":
    main()
