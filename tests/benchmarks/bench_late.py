"""What a late ping costs: a seal with 30 days of pings, one each 30 s, and one more that comes a minute, an hour, a day late.

    python tests/benchmarks/bench_late.py [DAYS]

The service's own judging and committing on an embedded PostgreSQL in a temporary folder, without a broker; pings came in
batches of 64, so that there is a checkpoint for each. Figures are medians of 15 pings, each at another moment. *core* is the
same in memory: from a checkpoint to the first one whose state is equal, without reading or writing. The reference is to
judge all pings from the beginning, timed in the same run. The late ping is on the road or off it; a change that lasts (a
stop's beginning that moves) is judged again for as long as it lasts, and costs so much more.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]

from story import T0_MS, Ground, at

from seal_tracker.decoders.columns import to_batch
from seal_tracker.decoders.native import decode
from seal_tracker.embedded import EmbeddedParts
from seal_tracker.model import LIVE, NO_TIME, PING_DTYPES, PingBatch
from seal_tracker.pipeline import Pipeline
from seal_tracker.plans.model import Plan
from seal_tracker.rejudge import Rejudgement
from seal_tracker.replaying import Replay
from seal_tracker.space import SpaceJudge
from seal_tracker.store import Store
from seal_tracker.tracking.state import SealState

EVERY_S, RUNS, BATCH = 30, 15, 64
ROUTE_M, SPEED_M_S = 60_000.0, 15.0
LATE_S = {"1 minute": 60, "1 hour": 3_600, "1 day": 86_400}


def plan() -> Plan:
    """A road of 60 km that the truck drives up and down for a month, with a zone, a depot and a stop on it."""
    made = Ground().route("R", (0, 0), (ROUTE_M, 0)).policy("default.TRANSIT_LIMIT", limit_h=2000)
    made.zone("I", 20_000, 0, 800, "interest").zone("P", 41_000, 300, 150, "prohibited")
    return made.zone("A", 59_000, 0, 500, "approved_stop", max_stop_min=60).journey(route="R").plan()


def track(n: int) -> PingBatch:
    """``n`` pings of seal 1: up and down the road, a rest of half an hour at the end of each day, 5 m of noise."""
    rng = np.random.default_rng(11)
    moment = np.arange(n) * EVERY_S
    driven = np.cumsum(np.where(moment % 86_400 < 84_600, SPEED_M_S * EVERY_S, 0.0))
    turn = driven % (2 * ROUTE_M)
    x = np.where(turn < ROUTE_M, turn, 2 * ROUTE_M - turn) + rng.normal(0, 5, n)
    return pings(T0_MS + moment * 1000, x, rng.normal(0, 5, n))


def pings(time_ms: NDArray[Any], x_m: NDArray[Any], y_m: NDArray[Any]) -> PingBatch:
    """Pings at places of the story's plane; made from one that was decoded, so that every column is as usual."""
    pattern = to_batch(
        decode(b'{"time":"2026-09-21T14:13:20Z","lon":106.0,"lat":20.0,"interval_s":30}').pings,
        np.array([1], np.int32),
        NO_TIME,
    )
    many = pattern.take(np.zeros(len(time_ms), np.int64))
    (lon0, lat0), (lon1, lat1) = at(0, 0), at(1000, 1000)
    lon = np.rint((lon0 + x_m * (lon1 - lon0) / 1000) * 1e7).astype(PING_DTYPES["lon_e7"])
    lat = np.rint((lat0 + y_m * (lat1 - lat0) / 1000) * 1e7).astype(PING_DTYPES["lat_e7"])
    digest = time_ms * 1_000_003 + lon
    return many.with_columns(time_ms=time_ms, received_ms=time_ms, lon_e7=lon, lat_e7=lat, digest=digest)


class Bench:
    """A space on a database, filled with a track; what arrives late is timed from its arrival to its commit."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.judging = SpaceJudge(LIVE, store)
        self.pipeline = Pipeline(
            cast("Any", None), store, {LIVE: self.judging}, lambda _done: None,
            tenant="demo", instance="bench", next_sequence=1, clock_ms=lambda: T0_MS,
        )  # fmt: skip

    async def fill(self, history: PingBatch) -> float:
        """Judge and commit a track as it comes; seconds."""
        await self.pipeline.commit_prepared(LIVE, await self.judging.open([(NO_TIME, plan())]))
        began = time.perf_counter()
        for first in range(0, len(history), BATCH):
            await self.arrive(history.take(slice(first, first + BATCH)))
        return time.perf_counter() - began

    async def arrive(self, arrived: PingBatch) -> int:
        """Judge and commit; pings judged again."""
        prepared = await self.judging.prepare(arrived)
        await self.pipeline.commit_prepared(LIVE, prepared)
        return prepared.counts["rejudged_pings"]

    async def core(self, arrived: PingBatch) -> tuple[float, int]:
        """Seconds of judging alone from the newest checkpoint to the first with an equal state, and pings judged."""
        seal = int(arrived.seal[0])
        replay = await Replay(self.store, [seal]).start([int(arrived.time_ms[0])])
        after, spent, n = replay.after_ms[seal], 0.0, 0
        again = Rejudgement(replay.states, self.judging.facts(), [seal])
        newest = int(self.judging.states.take(np.array([seal]))["track"]["last_ms"][0])
        while after < newest:
            ahead = await self.store.checkpoints_ahead([seal], [after], 1)
            until = ahead[seal][0] if ahead else newest
            found = (await self.store.pings_portion([seal], [after], [until], 1_000_000)).pings
            extra = arrived.take((arrived.time_ms > after) & (arrived.time_ms <= until))
            n += len(found) + len(extra)
            began = time.perf_counter()
            stored = {seal: SealState.load(data) for seal, (_, data) in ahead.items()}
            settled = again.portion(PingBatch.concat([found, extra]), stored)
            spent += time.perf_counter() - began
            if settled:
                break
            after = until
        return spent, n

    async def from_the_beginning(self) -> float:
        """Seconds to read all pings of the seal and judge them again, in portions."""
        replay = Replay(self.store, [1], {1: NO_TIME})
        began = time.perf_counter()
        await replay.run(self.judging.facts(), PingBatch.empty(), still={}, may_stop_ms={})
        return time.perf_counter() - began


def late_pings(history: PingBatch, late_s: int, *, beside_m: float) -> list[PingBatch]:
    """Pings between two stored ones, about ``late_s`` before the newest, that were where the truck was, or beside it."""
    place = [len(history) - 1 - late_s // EVERY_S - 7 * k for k in range(RUNS)]
    found = []
    for i in place:
        one = history.take(slice(i, i + 1))
        shift = np.int32(round(beside_m * 1e7 / 110_704.0))
        found.append(
            one.with_columns(
                time_ms=one.time_ms + 15_000,
                received_ms=one.time_ms + 15_000,
                lat_e7=one.lat_e7 + shift,
                digest=one.digest + 1 + round(beside_m),
            )
        )
    return found


async def measure(bench: Bench, history: PingBatch) -> None:
    began = time.perf_counter()
    spent = await bench.fill(history)
    print(f"{len(history):,} pings judged and committed in {spent:.1f} s, in batches of {BATCH}")
    beginning = statistics.median([await bench.from_the_beginning() for _ in range(3)])
    print(f"reference: all of them read and judged again in {beginning * 1000:,.0f} ms\n")
    print("late by      what it is         ms     pings again   part of reference     core ms   pings")
    for what, beside_m in (("on the road", 0.0), ("off the road", 600.0)):
        for name, late_s in LATE_S.items():
            wall, again, core, core_n = [], [], [], []
            for one in late_pings(history, late_s, beside_m=beside_m):
                seconds, n = await bench.core(one)
                core.append(seconds)
                core_n.append(n)
                began = time.perf_counter()
                again.append(await bench.arrive(one))
                wall.append(time.perf_counter() - began)
            ms = statistics.median(wall) * 1000
            print(
                f"{name:12} {what:14} {ms:8.1f} {statistics.median(again):12,.0f} "
                f"{ms / 1000 / beginning:18.1%} {statistics.median(core) * 1000:13.1f} {statistics.median(core_n):8,.0f}"
            )


async def main() -> None:
    days = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    with tempfile.TemporaryDirectory() as folder:
        async with EmbeddedParts(Path(folder)) as parts:
            store = await Store.open(parts.postgres_dsn)
            bench = Bench(store)
            await measure(bench, track(days * 86_400 // EVERY_S))
            await store.close()


if __name__ == "__main__":
    asyncio.run(main())
