"""Lists, retention and ingest on a database of a year: 1 million events, 100,000 journeys, 50 million pings in weeks.

    python -m tests.benchmarks.at_size [--pings 50000000] [--events 1000000] [--journeys 100000] [--folder DIR]

Filled by COPY, seeded, into an embedded PostgreSQL in DIR/data (else a temporary folder, which goes afterwards). Broken off and asked again with
the same DIR it goes on where it was, and a filled one is used as it is.
Then every list, ``--runs`` times with other arguments, through the store as the API asks it: median and p99 in ms, and the p99 of what it
kept a processor busy, here and in the database: on a machine that others use as well, that is what it would take alone but for reading. At the
end the same by groups of lists, as docs/size.md has it. Exit code 1: one took longer than 50 ms.
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
from typing import NamedTuple

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


GROUPS = {
    "events": ("events",),
    "episodes": ("episodes", "open episodes"),
    "alarms, what was done to them, who is late": ("alarms", "open alarms", "actions", "who"),
    "journeys and their versions": ("journeys", "versions"),
    "tracks and pings": ("track", "pings"),
    "ledger, dead letters": ("ledger", "checkpoints", "dead"),
}
"""How the names of lists begin that are told together."""


class Took(NamedTuple):
    """What a list took, in ms."""

    name: str
    median: float
    p99: float
    p99_busy: float


async def time_lists(dsn: str, sizes: Sizes, runs: int, only: str) -> list[Took]:
    """Median and p99 of every list."""
    store = await Store.open(dsn)
    names = await store.seal_names(LIVE)
    asked = Asked(store, sizes, {name: number for number, name in names.items() if name.startswith("S-")})
    await asyncio.gather(*(store.counters(LIVE) for _ in range(4)))  # every connection is there
    print(f"{'list':<40} {'rows':>6} {'median ms':>10} {'p99 ms':>10} {'p99 busy ms':>12}")
    found_out, backends = [], await backends_of(dsn)
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
        took = Took(one.name, statistics.median(times), p99, p99_busy)
        found_out.append(took)
        print(f"{one.name:<40} {rows:>6} {took.median:>10.1f} {p99:>10.1f} {p99_busy:>12.1f}", flush=True)
    await store.close()
    return found_out


def tell_groups(lists: list[Took]) -> None:
    """The same by groups, as a table in Markdown."""
    print(
        "\n| lists | of them | median ms, from the quickest to the slowest | p99 ms, of half of them | of the slowest | p99 busy ms, of the slowest |"
    )
    print("|---|---|---|---|---|---|")
    for group, names in GROUPS.items():
        if of_it := [one for one in lists if one.name.startswith(names)]:
            medians, p99s = sorted(one.median for one in of_it), sorted(one.p99 for one in of_it)
            slowest, busiest = max(of_it, key=lambda one: one.p99), max(one.p99_busy for one in of_it)
            print(
                f"| {group} | {len(of_it)} | {medians[0]:.0f} to {medians[-1]:.0f} | {statistics.median(p99s):.0f} "
                f"| {slowest.p99:.0f} ({slowest.name}) | {busiest:.0f} |"
            )


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
    """Fill it, or what is not there yet of it; and say what is there."""
    begin = time.perf_counter()
    await fill(dsn, sizes, lambda what: print(f"  {time.perf_counter() - begin:6.0f} s  {what}", flush=True))
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


async def main() -> int:
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
            try:
                await filled(parts.postgres_dsn, sizes)
            except ValueError as error:
                sys.exit(str(error))
            lists = await time_lists(parts.postgres_dsn, sizes, given.runs, given.only)
    tell_groups(lists)
    slow = [one.name for one in lists if one.p99 > LIMIT_MS]
    print(f"\n{len(slow)} over {LIMIT_MS} ms: {', '.join(slow)}" if slow else f"\nall within {LIMIT_MS} ms")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
