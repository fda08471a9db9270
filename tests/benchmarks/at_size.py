"""Lists, retention and ingest on a database of a year: 1 million events, 100,000 journeys, 50 million pings in weeks.

    python -m tests.benchmarks.at_size [--pings 50000000] [--events 1000000] [--journeys 100000] [--folder DIR]

Filled by COPY, seeded, into an embedded PostgreSQL in DIR/data (used again where it is filled; else a temporary folder, which goes afterwards).
Then every list, ``--runs`` times with other arguments, through the store as the API asks it: median and p99 in ms, and the p99 of what it
kept a processor busy, here and in the database: on a machine that others use as well, that is what it would take alone but for reading.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]

from filling import Sizes, fill
from listed import LISTS, Asked

from seal_tracker.embedded import EmbeddedParts
from seal_tracker.model import LIVE
from seal_tracker.store import Store
from seal_tracker.store.connections import connect

LIMIT_MS = 50

UNTIL_MS = 1_764_115_200_000
"""2025-11-26: the year before it."""


async def time_lists(dsn: str, sizes: Sizes, runs: int, only: str) -> None:
    """Median and p99 of every list."""
    store = await Store.open(dsn)
    names = await store.seal_names(LIVE)
    asked = Asked(store, sizes, {name: number for number, name in names.items() if name.startswith("S-")})
    await asyncio.gather(*(store.counters(LIVE) for _ in range(4)))  # every connection is there
    print(f"{'list':<40} {'rows':>6} {'median ms':>10} {'p99 ms':>10} {'p99 busy ms':>12}")
    slow, backends = [], await backends_of(dsn)
    for one in LISTS:
        if only not in one.name:
            continue
        times, busy, rows = [], [], 0
        for _ in range(runs):
            begin, used = time.perf_counter(), busy_ms(backends)
            found = await one.ask(asked)
            times.append(1000 * (time.perf_counter() - begin))
            busy.append(busy_ms(backends) - used)
            rows = max(rows, size_of(found))
        p99, p99_busy = (sorted(values)[max(0, round(0.99 * runs) - 1)] for values in (times, busy))
        slow += [one.name] if p99 > LIMIT_MS else []
        print(
            f"{one.name:<40} {rows:>6} {statistics.median(times):>10.1f} {p99:>10.1f} {p99_busy:>12.1f}",
            flush=True,
        )
    await store.close()
    print(f"{len(slow)} over {LIMIT_MS} ms: {', '.join(slow)}" if slow else f"all within {LIMIT_MS} ms")


async def backends_of(dsn: str) -> list[int]:
    """The database's processes that answer."""
    connection = await connect(dsn, "look", 60)
    rows = await connection.fetch("SELECT pid FROM pg_stat_activity WHERE application_name = 'seal-tracker'")
    await connection.close()
    return [row["pid"] for row in rows]


def busy_ms(backends: list[int]) -> float:
    """How long this process and the database's have kept a processor busy."""
    theirs = sum(int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) for pid in backends)
    return 1000 * time.process_time() + theirs / 1e6


def size_of(found: object) -> int:
    """How many rows an answer has."""
    page = getattr(found, "items", None) or getattr(found, "pings", None) or found
    page = page[0] if isinstance(page, tuple) and page and isinstance(page[0], list) else page
    return len(page) if hasattr(page, "__len__") else 0


async def filled(dsn: str, sizes: Sizes) -> None:
    """Fill it, unless that was done."""
    connection = await connect(dsn, "look", 60)
    known = await connection.fetchval("SELECT to_regclass('journeys') IS NOT NULL")
    known = known and await connection.fetchval("SELECT count(*) FROM journeys")
    await connection.close()
    if known:
        return
    begin = time.perf_counter()
    await fill(dsn, sizes)
    connection = await connect(dsn, "look", 60)
    tables = await connection.fetch(
        "SELECT split_part(c.relname, '_2', 1) AS name, sum(c.reltuples)::bigint, sum(pg_total_relation_size(c.oid)) / 1e6 "
        "FROM pg_class AS c WHERE relkind = 'r' AND relnamespace::regnamespace::text IN ('public', 'ledger') "
        "GROUP BY 1 HAVING sum(c.reltuples) > 0 ORDER BY 3 DESC LIMIT 12"
    )
    print(f"filled in {time.perf_counter() - begin:.0f} s")
    for name, rows, megabytes in tables:
        print(f"  {name:<24} {rows:>12,} rows {float(megabytes):>10,.0f} MB")
    await connection.close()


async def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name, default in (("pings", 50_000_000), ("events", 1_000_000), ("journeys", 100_000), ("runs", 200)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--only", default="", help="only lists whose name has this")
    given = parser.parse_args()
    sizes = Sizes(given.pings, given.events, given.journeys, UNTIL_MS)
    with ExitStack() as stack:
        folder = given.folder or Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="seal-tracker-size-"))
        )
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)  # the database may run as another user
        async with EmbeddedParts(folder / "data", tenant="demo") as parts:
            await filled(parts.postgres_dsn, sizes)
            await time_lists(parts.postgres_dsn, sizes, given.runs, given.only)


if __name__ == "__main__":
    asyncio.run(main())
