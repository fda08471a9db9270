"""How long a ledger takes to verify, and what it costs a commit.

    python tests/benchmarks/bench_ledger.py [--links 1000000] [--entries 1] [--commits 400]

An embedded PostgreSQL in a temporary folder. The chain is seeded by COPY: every link holds ``--entries`` events of 1.7 kB with six fixes
of evidence, recorded a second apart, a checkpoint a minute; the log holds the same; all are of one episode and journey. Verifying is beside reading the same rows by the same pages and checking
nothing. Commits are of 2,000 pings and 20 events (with their episodes and outbox rows), of 20 events, and of one, by turns in the live
space and in an exercise space, which has no ledger. Medians.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
from msgspec.structs import replace

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1] / "integration")]

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from service import open_folder
from store_stories import START_MS, episode, event, pings

from seal_tracker.commands.ledger import verified_ledger
from seal_tracker.embedded import EmbeddedParts
from seal_tracker.ledger.chain import GENESIS, Head, link_after
from seal_tracker.ledger.checkpoints import sign_checkpoint
from seal_tracker.ledger.entries import Index, index_entry
from seal_tracker.publishing.cloudevents import cloud_event
from seal_tracker.store import Commit, OutboxMessage, Store
from seal_tracker.store.connections import connect
from seal_tracker.store.ledger_reads import all_links

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
FIXES = [
    {"time": f"2026-11-22T03:0{i}:00.000Z", "lon": 106.68123 + i / 1000, "lat": 20.86456 - i / 1400, "speed_kmh": 43.5 + i, "cross_track_m": 212.3 + 17 * i}
    for i in range(6)
]  # fmt: skip


def told(number: int) -> tuple[Any, Any, bytes]:
    """An episode, its event, and the event's body."""
    one = episode(number, evidence={"cross_track_m": 412.3, "limit_m": 200, "fixes": FIXES})
    raised = event(one, number + 1)
    return one, raised, cloud_event(raised, "demo")


def chain(links: int, entries: int) -> Iterator[tuple[tuple[Any, ...], list[tuple[Any, ...]]]]:
    """A row of ``ledger.links`` with its rows of ``events``; the events differ by their sequence and id."""
    one, raised, body = told(0)
    start, rest = body.split(str(raised.id).encode())
    before, after = rest.split(b"%020d" % raised.sequence)
    head, sequence = Head(0, GENESIS), 0
    for number in range(1, links + 1):
        numbers = range(sequence + 1, sequence + entries + 1)
        sequence += entries
        held = [start + str(UUID(int=n)).encode() + before + b"%020d" % n + after for n in numbers]
        held.append(index_entry(Index(one.journey or "", number - 1, entries)))
        link = link_after(head, START_MS + 1000 * number, held)
        head = Head(number, link.hash)
        yield link, [
            (n, UUID(int=n), "live", one.episode, "journey", one.subject, one.journey, one.seal, one.type, "raised", one.severity, 1,
             raised.time_ms, raised.recorded_ms, False, entry, one.unit)
            for n, entry in zip(numbers, held, strict=False)
        ]  # fmt: skip


EVENT_COLUMNS = (
    "sequence", "id", "space", "episode", "subject_kind", "subject", "journey", "seal", "type", "transition", "severity", "revision", "time",
    "recorded_at", "late", "body", "unit",
)  # fmt: skip


async def seed(dsn: str, links: int, entries: int) -> None:
    connection = await connect(dsn, "seed", 600)
    columns = ["number", "recorded_at", "previous", "entries_hash", "hash", "body"]
    rows = chain(links, entries)
    while page := list(itertools.islice(rows, 20_000 // entries)):
        held = [link for link, _ in page]
        await connection.copy_records_to_table("links", schema_name="ledger", records=held, columns=columns)
        logged = [row for _, several in page for row in several]
        await connection.copy_records_to_table("events", records=logged, columns=EVENT_COLUMNS)
        signed = [
            sign_checkpoint(KEY, "/seal-tracker/demo", Head(row[0], row[4]), row[1])
            for row in held
            if row[0] % 60 == 0
        ]
        await connection.copy_records_to_table("checkpoints", schema_name="ledger", records=signed)
        listed = [(told(0)[0].journey, link[0]) for link in held]
        await connection.copy_records_to_table("journeys", schema_name="ledger", records=listed)
    await connection.close()


async def measure_verify(dsn: str, links: int, entries: int) -> None:
    began = time.perf_counter()
    await seed(dsn, links, entries)
    print(f"seeded {links:,} links of {entries} entries in {time.perf_counter() - began:.0f} s")
    connection = await connect(dsn, "read", 600)
    size = await connection.fetchval("SELECT pg_total_relation_size('ledger.links')")
    for _ in range(2):
        began = time.perf_counter()
        async for _page in all_links(connection):
            pass
        read_s, busy = time.perf_counter() - began, time.process_time()
        found = await verified_ledger(connection, [], [])
        print(
            f"verified {found.links:,} links, {found.entries:,} entries, {len(found.faulty_checkpoints)} faults, whole: {found.whole}, "
            f"in {found.seconds:.1f} s, {time.process_time() - busy:.1f} s of this process's CPU ({found.links / found.seconds:,.0f} links/s); "
            f"read alone {read_s:.1f} s, ratio {found.seconds / read_s:.1f}; {size / links:,.0f} bytes a link on disk"
        )
    await connection.close()


async def measure_commits(dsn: str, commits: int, pings_each: int, events: int) -> None:
    """Commits in the live space, by turns with the same ones in an exercise space."""
    store = await Store.open(dsn)
    await store.add_space("drill")
    names = [f"S-{n}" for n in range(min(200, pings_each))]
    seals = {space: sorted((await store.intern_seals(space, names)).values()) for space in ("live", "drill")}
    taken: dict[str, list[float]] = {"live": [], "drill": []}
    cpu: dict[str, list[float]] = {"live": [], "drill": []}
    number = first = await store.last_sequence() + 1_000_000
    for turn in range(2 * commits):
        space = ("live", "drill")[turn % 2]
        several = [told(number + i) for i in range(events)]
        batch = pings(
            seals[space], pings_each // max(1, len(names)), start_ms=START_MS + (first + turn) * 1_000_000
        )
        number += events + 1
        commit = Commit(
            space=space,
            pings=batch if pings_each else None,
            episodes=[(one, 1, False) for one, _, _ in several],
            events=[replace(raised, space=space) for _, raised, _ in several],
            event_bodies=[body for _, _, body in several],
            outbox=[OutboxMessage(f"{space} s", "topic", body, False, None) for _, _, body in several],
        )
        began, busy = time.perf_counter(), time.process_time()
        await store.commit(commit)
        taken[space].append(time.perf_counter() - began)
        cpu[space].append(time.process_time() - busy)
    with_ledger, without = (1e3 * statistics.median(taken[space]) for space in ("live", "drill"))
    own, bare = (1e3 * statistics.median(cpu[space]) for space in ("live", "drill"))
    print(
        f"commit of {pings_each:,} pings and {events} events: {with_ledger:.2f} ms with the ledger, {without:.2f} ms without, "
        f"ratio {with_ledger / without:.2f}; of this process's CPU {own:.2f} and {bare:.2f} ms"
    )
    await store.close()


async def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name, default in (("links", 1_000_000), ("entries", 1), ("commits", 400)):
        parser.add_argument(f"--{name}", type=int, default=default)
    asked = parser.parse_args()
    with open_folder() as folder:
        async with EmbeddedParts(folder / "data") as parts:
            store = await Store.open(parts.postgres_dsn)
            await store.close()
            for pings_each, events in ((2_000, 20), (0, 20), (0, 1)):
                await measure_commits(parts.postgres_dsn, asked.commits, pings_each, events)
            superuser = await asyncpg.connect(parts.superuser_dsn.rpartition("/")[0] + "/seal_tracker")
            await superuser.execute(
                "SET session_replication_role = replica; TRUNCATE ledger.links, ledger.journeys, ledger.checkpoints, events, episodes, actions"
            )
            await superuser.close()
            store = await Store.open(parts.postgres_dsn)
            await store.add_space("drill")
            await store.commit(Commit(space="live", episodes=[(told(0)[0], 1, False)]))
            await store.close()
            await measure_verify(parts.postgres_dsn, asked.links, asked.entries)


if __name__ == "__main__":
    asyncio.run(main())
