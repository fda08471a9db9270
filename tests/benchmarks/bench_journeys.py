"""What journeys cost at size: an order, a batch of pings, a canary, a page of a list and an import, beside N journeys kept.

    python tests/benchmarks/bench_journeys.py [JOURNEYS]

The service's own judging and committing on an embedded PostgreSQL in a temporary folder, without a broker. 1 % of the journeys
are armed, each of a seal of its own that has sent 70 pings; the others ended in the year before. The reference is the same
with those 1 % alone.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

import psutil

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]

from story import T0_MS, Ground, batch, ping

from seal_tracker.embedded import EmbeddedParts
from seal_tracker.journey_record import JourneyRecord, read_record, state_of, written
from seal_tracker.model import LIVE
from seal_tracker.pipeline import Pipeline
from seal_tracker.space import SpaceJudge
from seal_tracker.store import Commit, Store
from seal_tracker.store.connections import connect
from seal_tracker.store.filters import JourneyFilter
from seal_tracker.supervision.journey_changes import Actor, change_of
from seal_tracker.supervision.journey_orders import Order
from seal_tracker.supervision.journey_plan import kept_journeys
from seal_tracker.supervision.journey_reading import JSON_LINES, read_declarations, references_of
from seal_tracker.supervision.journeys import JourneyDesk
from seal_tracker.supervision.life_cycle import Verb

DAY_MS = 86_400_000
OFFICER = Actor("an", "supervisor")
RUNS, IMPORTED, AT_ONCE = 30, 10_000, 5_000
NOW_MS = T0_MS + 3_600_000
PLAN = Ground().route("R", (0, 0), (60_000, 0)).route("Q", (0, 5000), (60_000, 5000)).plan()


def record(number: int, armed: int) -> JourneyRecord:
    """The first ``armed`` are under way; the others ended in the year before."""
    seal = f"S{number if number < armed else number % armed}"
    begin = T0_MS if number < armed else T0_MS - 3 * DAY_MS - number * 300_000
    end = None if number < armed else begin + 200_000
    return JourneyRecord(
        id=f"J-{number:07}",
        regime="transit",
        devices=((seal, "seal"),),
        route="R",
        unit=f"U{number % 40}",
        declaration=f"10{number:08}/HQ",
        box=f"MSKU{number:07}",
        cargo="rice in bags, 25 t",
        armed_at_ms=begin,
        disarmed_at_ms=end,
    )


async def fill(store: Store, journeys: int, armed: int) -> None:
    for start in range(0, journeys, AT_ONCE):
        records = [record(n, armed) for n in range(start, min(start + AT_ONCE, journeys))]
        changes = [change_of(r, None, OFFICER, "import", at_ms=NOW_MS, now_ms=NOW_MS) for r in records]
        await store.commit(Commit(space=LIVE, journeys=changes))


async def say_something(store: Store, seals: int) -> None:
    """70 pings of each seal, the day before: a checkpoint is kept of each 64."""
    judging = SpaceJudge(LIVE, store)
    pipeline = pipeline_of(store, judging, 1)
    await pipeline.commit_prepared(LIVE, await judging.open([(0, PLAN)]))
    await judging.know({f"S{n}" for n in range(seals)})
    for second in range(70):
        told = [ping(30 * second - 86_400, 100, of=f"S{n}") for n in range(seals)]
        await pipeline.commit_prepared(LIVE, await judging.prepare(batch(told, judging.numbers)))


def pipeline_of(store: Store, judging: SpaceJudge, sequence: int) -> Pipeline:
    return Pipeline(
        cast("Any", None), store, {LIVE: judging}, lambda _: None,
        tenant="demo", instance="bench", next_sequence=sequence, clock_ms=lambda: NOW_MS,
    )  # fmt: skip


async def timed(work: Callable[[], Awaitable[Any]]) -> float:
    begin = time.perf_counter()
    await work()
    return 1000 * (time.perf_counter() - begin)


def said(name: str, times_ms: list[float]) -> None:
    worst = sorted(times_ms)[max(0, round(0.99 * len(times_ms)) - 1)]
    print(f"  {name:<34} median {statistics.median(times_ms):8.1f} ms   p99 {worst:8.1f} ms")


async def measure(dsn: str, journeys: int, armed: int) -> None:
    store = await Store.open(dsn)
    await say_something(store, armed)
    filling = await timed(lambda: fill(store, journeys, armed))
    admin = await connect(dsn, "bench", 600)
    await admin.execute("ANALYZE")
    await admin.close()
    print(f"{journeys} journeys, {armed} of them under way (filled in {filling / 1000:.0f} s)")
    before_mb = psutil.Process().memory_info().rss / 1e6
    judging = SpaceJudge(LIVE, store)
    pipeline = pipeline_of(store, judging, await store.last_sequence() + 1)

    async def start() -> None:
        kept = await kept_journeys(store, LIVE, (), NOW_MS)
        await pipeline.commit_prepared(LIVE, await judging.open([(0, PLAN)], kept))

    print(
        f"  {'start':<34} {await timed(start):8.0f} ms, "
        f"{psutil.Process().memory_info().rss / 1e6 - before_mb:.0f} MB more, {len(judging.journeys.key)} held"
    )
    desk = JourneyDesk(store, "demo", lambda: NOW_MS)

    async def hear(second: float) -> None:
        told = [ping(second, 10 * second, of=f"S{n}") for n in range(min(armed, 2000))]
        await pipeline.commit_prepared(LIVE, await judging.prepare(batch(told, judging.numbers)))

    await judging.know({f"S{n}" for n in range(armed)})
    await hear(0)
    said("batch of 2,000 pings", [await timed(lambda s=s: hear(s)) for s in range(30, 330, 30)])

    async def canary(second: float) -> None:
        found = await judging.pass_time(T0_MS + round(1000 * second))
        await pipeline.commit_prepared(LIVE, found)

    said("canary", [await timed(lambda s=s: canary(s)) for s in range(400, 400 + RUNS)])

    async def order(number: int, verb: Verb, minute: float, **more: Any) -> None:
        async def work(judging: SpaceJudge) -> Any:
            row = await store.journey(LIVE, f"J-{number:07}")
            assert row is not None
            given = Order(verb=verb, at_ms=T0_MS + round(60_000 * minute), by="an", **more)
            return (await desk.order(judging, row, given, OFFICER))[1]

        await pipeline.act(LIVE, work)

    said("divert", [await timed(lambda n=n: order(n, Verb.DIVERT, 3, route="Q")) for n in range(RUNS)])
    said("disarm", [await timed(lambda n=n: order(n, Verb.DISARM, 5)) for n in range(RUNS)])
    for name, which in (
        ("list", JourneyFilter()),
        ("list of a state", JourneyFilter(state="ARMED")),
        ("list of 5 units", JourneyFilter(units=[f"U{n}" for n in range(5)])),
        ("list of a unit and state", JourneyFilter(units=["U7"], state="ARMED")),
        (
            "list of 40 units, a month",
            JourneyFilter(
                units=[f"U{n}" for n in range(40)], from_ms=T0_MS - 90 * DAY_MS, to_ms=T0_MS - 60 * DAY_MS
            ),
        ),
        ("list of a route, none found", JourneyFilter(route="R", regime="minerals")),
        ("list by box", JourneyFilter(text="msku00012")),
        ("list by seal", JourneyFilter(seal="S7")),
    ):
        said(
            name,
            [
                await timed(lambda w=which: store.journeys(LIVE, w, after="J-", limit=100))
                for _ in range(RUNS)
            ],
        )
    lines = "\n".join(
        f'{{"id":"K{n}","regime":"transit","seal":"K{n}","route":"R","unit":null,"cargo":"rice"}}'
        for n in range(IMPORTED)
    )
    begin = time.perf_counter()
    read = read_declarations(lines, JSON_LINES, references_of(PLAN), NOW_MS)
    read_ms = 1000 * (time.perf_counter() - begin)
    assert not read.faults
    taken = await timed(lambda: pipeline.act(LIVE, lambda j: desk.import_all(j, read, OFFICER)))
    print(f"  {f'import of {IMPORTED} lines':<34} read {read_ms:.0f} ms, taken in {taken:.0f} ms")
    assert state_of(read_record(written(read.records[0]))) == "ASSIGNED"
    await store.close()


async def main(journeys: int) -> None:
    armed = journeys // 100
    for count in (armed, journeys):
        with tempfile.TemporaryDirectory() as folder:
            async with EmbeddedParts(Path(folder) / "data", tenant="demo") as parts:
                await measure(parts.postgres_dsn, count, armed)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000))
