"""Whether reports slow ingest: pings a second judged and committed, by turns with and without reports running.

    python tests/benchmarks/bench_reports.py --folder DIR [--rounds 8] [--batches 15]

DIR is what ``python -m tests.benchmarks.at_size --folder DIR`` has filled. The service's own judging and committing, without a broker: batches of
2,000 pings of 1,000 seals of their own, in rounds of equal size; in every other one two readers ask the same store for the figures of a year and
of a week without a pause.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import time
from pathlib import Path
from typing import Any, cast

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]

from at_size import UNTIL_MS
from story import batch, ping

from seal_tracker.clock import clock_ms
from seal_tracker.embedded import EmbeddedParts
from seal_tracker.model import LIVE
from seal_tracker.pipeline import Pipeline
from seal_tracker.space import SpaceJudge
from seal_tracker.store import Store
from seal_tracker.store.alarm_reads import RateQuery

DAY_MS = 86_400_000
SEALS = 1_000


async def report(store: Store, took_s: dict[int, list[float]]) -> None:
    """Ask for reports until cancelled; how long each took, by its days."""
    while True:
        for days in (365, 7):
            began = time.perf_counter()
            await store.report_summary(
                LIVE, RateQuery(from_ms=UNTIL_MS - days * DAY_MS, to_ms=UNTIL_MS), UNTIL_MS
            )
            took_s[days].append(time.perf_counter() - began)


async def measure(dsn: str, rounds: int, batches: int) -> None:
    store = await Store.open(dsn)
    judging = SpaceJudge(LIVE, store)
    prepared = await judging.open([])
    pipeline = Pipeline(
        cast("Any", None), store, {LIVE: judging}, lambda _: None,
        tenant="demo", instance="bench", next_sequence=await store.last_sequence() + 1, clock_ms=clock_ms,
    )  # fmt: skip
    await pipeline.commit_prepared(LIVE, prepared)
    names = [f"B-{time.time_ns()}-{n}" for n in range(SEALS)]
    await judging.know(names)
    rates: dict[bool, list[float]] = {False: [], True: []}
    took_s: dict[int, list[float]] = {365: [], 7: []}
    for number in range(rounds):
        told = [
            batch(
                [
                    ping(60 * (number * batches + i) + 30 * half, 15 * i, of=name)
                    for half in (0, 1)
                    for name in names
                ],
                judging.numbers,
            )
            for i in range(batches)
        ]
        reports = number % 2 == 1
        readers = [asyncio.create_task(report(store, took_s)) for _ in range(2 * reports)]
        began = time.perf_counter()
        for pings in told:
            await pipeline.commit_prepared(LIVE, await judging.prepare(pings))
        rates[reports].append(sum(map(len, told)) / (time.perf_counter() - began))
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
        print(
            f"  round {number}, reports {'running' if reports else 'not running'}: {rates[reports][-1]:,.0f} pings/s",
            flush=True,
        )
    alone, beside = statistics.median(rates[False]), statistics.median(rates[True])
    print(f"{alone:,.0f} pings/s alone, {beside:,.0f}/s while reports run: ratio {beside / alone:.2f}")
    for days, times in took_s.items():
        if times:
            print(f"  the figures of {days} days: median {statistics.median(times):.2f} s of {len(times)}")
    await store.close()


async def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--batches", type=int, default=15)
    given = parser.parse_args()
    async with EmbeddedParts(given.folder / "data", tenant="demo") as parts:
        await measure(parts.postgres_dsn, given.rounds, given.batches)


if __name__ == "__main__":
    asyncio.run(main())
