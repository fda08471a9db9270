"""How fast pings get into PostgreSQL and out of it, beside the driver's own ways.

    python tests/benchmarks/bench_copy.py [DSN]

Without a DSN an embedded PostgreSQL is started in a temporary folder. Rows are seeded; every figure is the median of
five runs of 20,000 rows, and of 2,000, which is one batch of the service. A third of the optional values is unknown,
at random (the worst case for grouping by NULLs), or always the same ones (what real devices do).
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import numpy as np

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1] / "integration")]

from store_stories import pings

from seal_tracker.embedded import EmbeddedParts
from seal_tracker.model import NO_TIME, PING_DTYPES, PingBatch
from seal_tracker.store import Commit, Store
from seal_tracker.store.binary_copy import encode_copy
from seal_tracker.store.ping_rows import READ_COLUMNS, copy_pings, ping_columns
from seal_tracker.store.queries import sql

RUNS = 5
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def same_unknowns(batch: PingBatch) -> PingBatch:
    """All rows unknown in the same columns: course, battery and signal."""
    n = len(batch)
    full = pings([1], n, unknown=0)
    nothing = np.full(n, np.nan, np.float32)
    return full.with_columns(
        seal=batch.seal, time_ms=batch.time_ms, digest=batch.digest, course_deg=nothing, battery_pct=nothing
    )


def records(batch: PingBatch) -> list[tuple[Any, ...]]:
    """The rows as the driver's own COPY wants them: tuples of Python objects, None where unknown."""
    columns = []
    for column in ping_columns(batch):
        values = column.values.tolist()
        if column.pg_type == "timestamptz":
            values = [None if v == NO_TIME else EPOCH + timedelta(milliseconds=v) for v in values]
        elif column.null is not None:
            values = [None if null else v for v, null in zip(values, column.null.tolist(), strict=True)]
        columns.append(values)
    return list(zip(*columns, strict=True))


async def timed(
    rows: int, work: Callable[[], Awaitable[Any]], after: Callable[[], Awaitable[Any]]
) -> tuple[float, float]:
    """(rows a second, this process's own CPU microseconds a row), medians."""
    taken, used = [], []
    for _ in range(RUNS):
        start, cpu = time.perf_counter(), time.process_time()
        await work()
        taken.append(time.perf_counter() - start)
        used.append(time.process_time() - cpu)
        await after()
    return rows / statistics.median(taken), statistics.median(used) / rows * 1e6


async def measure(dsn: str, rows: int, make: Callable[[PingBatch], PingBatch], label: str) -> None:
    store = await Store.open(dsn)
    plain = await asyncpg.connect(dsn)
    seals = list((await store.intern_seals("live", [f"S-{n}" for n in range(200)])).values())
    batch = make(pings(seals, rows // 200))
    names = [column.name for column in ping_columns(batch)]

    async def empty() -> None:
        await plain.execute("TRUNCATE pings")

    async def stay() -> None: ...

    async def encode() -> None:
        encode_copy(ping_columns(batch))

    async def by_numpy() -> None:
        await copy_pings(plain, batch)

    async def by_records() -> None:
        await plain.copy_records_to_table("pings", records=records(batch), columns=names)

    async def by_fetch() -> None:
        async with store._reading() as connection:
            found = await connection.fetch(sql("pings_after"), seals, [NO_TIME] * len(seals), NO_TIME)
        columns = dict(zip([name for name, _ in READ_COLUMNS], zip(*found, strict=True), strict=True))
        PingBatch(**{name: np.array(columns[name], dtype) for name, dtype in PING_DTYPES.items()})

    await store.commit(Commit(space="live", pings=batch))  # makes its week's table
    await empty()
    figures = {
        "encoding alone": await timed(rows, encode, stay),
        "written, numpy COPY": await timed(rows, by_numpy, empty),
        "written, copy_records_to_table": await timed(rows, by_records, empty),
    }
    await by_numpy()
    figures["read, COPY into arrays"] = await timed(
        rows, lambda: store.pings_after(seals, [NO_TIME] * len(seals)), stay
    )
    figures["read, records into columns"] = await timed(rows, by_fetch, stay)
    figures["asked known_pings"] = await timed(
        rows, lambda: store.known_pings(batch.seal, batch.time_ms), stay
    )
    print(f"{rows} rows, {label}")
    for name, (speed, cpu_us) in figures.items():
        print(f"  {name:32}{speed:12,.0f} rows/s {cpu_us:8.2f} µs of this process's CPU a row")
    await empty()
    await plain.close()
    await store.close()


async def measure_all(dsn: str) -> None:
    for rows in (2_000, 20_000):
        await measure(dsn, rows, lambda batch: batch, "unknown at random")
        await measure(dsn, rows, same_unknowns, "the same unknown in every row")


async def main() -> None:
    if len(sys.argv) > 1:
        await measure_all(sys.argv[1])
        return
    with tempfile.TemporaryDirectory() as folder:
        async with EmbeddedParts(Path(folder)) as parts:
            await measure_all(parts.postgres_dsn)


if __name__ == "__main__":
    asyncio.run(main())
