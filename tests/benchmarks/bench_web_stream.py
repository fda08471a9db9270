"""What the live stream costs: watchers, seals, and the time from the hub to the last watcher.

    python -m tests.benchmarks.bench_web_stream [--watchers 100] [--seals 2000] [--seconds 10]

Server and watchers are two processes over loopback. Every second all seals move, ten times a second an event is told. Printed
beside each other: the server's CPU, its memory, the event's delay at the watchers, and the same frames written to plain sockets
by a bare asyncio server: what no server could do without.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import click
import psutil
import uvloop

from seal_tracker.model import LIVE
from seal_tracker.store.accounts import FailureRow
from seal_tracker.web.account_files import FILE, KeptAccounts, read_credentials
from seal_tracker.web.account_import import import_accounts
from seal_tracker.web.context import WebConfig, WebContext
from seal_tracker.web.keeper import AccountKeeper
from seal_tracker.web.runner import start_web
from seal_tracker.web.sessions import Sessions
from seal_tracker.web.sse import Hub, Item, StateTopic, event_frame
from seal_tracker.web.wire import PositionRow

CREDENTIALS = {"operator": {"username": "o", "password": "p", "token": "t"}}
EVENT_EVERY_S = 0.1


class NoEvents:
    """A store without events: the stream reads it once, at its start."""

    async def last_sequence(self) -> int:
        return 0

    async def events_after(self, *_asked: object) -> Sequence[tuple[int, bytes]]:
        return []

    async def sign_in_failures(self, _after_ms: int) -> Sequence[FailureRow]:
        return []

    async def token_used(self, _token: UUID, _at_ms: int) -> None: ...

    async def act(self, *_deed: object) -> None: ...


def body(sequence: int) -> bytes:
    return json.dumps({"sent_ns": time.monotonic_ns(), "sequence": sequence, "pad": "x" * 1000}).encode()


def rows(seals: int, round_: int) -> list[PositionRow]:
    return [
        PositionRow(seal=f"S-{n}", journey=f"J-{n}", route="R-1", regime="transit", time_ms=round_ * 1000, lon_e7=1060000000 + n,
                    lat_e7=200000000 + round_, speed_kmh=43.5, course_deg=128.0, battery_pct=82.0, progress_pct=12.5, off_route_m=7.0)
        for n in range(seals)
    ]  # fmt: skip


@asynccontextmanager
async def product(_seals: int) -> AsyncIterator[tuple[int, Any, Any]]:
    """The stream as served; (port, how to tell positions, how to tell an event)."""
    hub = Hub()
    parts: Any = NoEvents()
    keeper = AccountKeeper(parts, parts.act)
    kept = KeptAccounts(FILE, read_credentials(json.dumps(CREDENTIALS).encode()))
    made = import_accounts(keeper.accounts, kept, {}, 0).change
    keeper.accounts.install(made.accounts, made.tokens)
    config = WebConfig(tenant="bench", version="0", page=Path("/nonexistent"))
    server = await start_web(
        WebContext(config, parts, Sessions(parts), keeper, parts, hub, parts), "127.0.0.1", 0
    )
    yield (
        int(server.url.rsplit(":", 1)[1]),
        lambda moved: hub.publish_positions(LIVE, moved),
        lambda number: hub.publish_events(LIVE, [(number, body(number))]),
    )
    await server.close()
    keeper.accounts.close()


@asynccontextmanager
async def bare(_seals: int) -> AsyncIterator[tuple[int, Any, Any]]:
    """The same bytes, encoded once, to plain sockets."""
    writers: list[asyncio.StreamWriter] = []

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        writers.append(writer)

    def tell(frame: bytes) -> None:
        for writer in writers:
            writer.write(frame)

    def positions(moved: list[PositionRow]) -> None:
        topic = StateTopic("position", 0)
        topic.put((row.seal, Item(row)) for row in moved)
        topic.flush(0)
        tell(topic.frame_after(0))

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    yield port, positions, lambda number: tell(event_frame(number, body(number)))
    for writer in writers:
        writer.close()
    server.close()


def watch(port: int, watchers: int, results: Any) -> None:
    """Read streams until they end; delays of events in ms."""
    delays: list[float] = []

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**24)
        writer.write(b"GET /api/v1/stream HTTP/1.0\r\nHost: x\r\nAuthorization: Bearer t\r\n\r\n")
        try:
            while True:
                frame = await reader.readuntil(b"\n\n")
                if b"sent_ns" in frame:
                    sent_ns = json.loads(frame.split(b"data: ", 1)[1])["sent_ns"]
                    delays.append((time.monotonic_ns() - sent_ns) / 1e6)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def all_() -> None:
        await asyncio.gather(*(one() for _ in range(watchers)))

    uvloop.run(all_())
    results.put(delays)


async def measure(kind: Any, watchers: int, seals: int, seconds: int) -> dict[str, Any]:
    """One run: CPU of the server in per cent of a core, memory, delays."""
    results = multiprocessing.get_context("spawn").Queue()
    me = psutil.Process()
    async with kind(seals) as (port, positions, event):
        watching = multiprocessing.get_context("spawn").Process(target=watch, args=(port, watchers, results))
        watching.start()
        await asyncio.sleep(3)
        began, busy = time.monotonic(), sum(me.cpu_times()[:2])
        per_second = round(1 / EVENT_EVERY_S)
        for number in range(1, seconds * per_second + 1):
            if number % per_second == 1:
                positions(rows(seals, number))
            event(number)
            await asyncio.sleep(max(0.0, began + number * EVENT_EVERY_S - time.monotonic()))
        cpu = (sum(me.cpu_times()[:2]) - busy) / (time.monotonic() - began)
        memory = me.memory_info().rss
    delays = sorted(await asyncio.to_thread(results.get))
    await asyncio.to_thread(watching.join)
    return {
        "events_told": len(delays),
        "server_cpu_pct": round(cpu * 100, 1),
        "server_rss_mb": round(memory / 2**20),
        "delay_p50_ms": round(delays[len(delays) // 2], 2),
        "delay_p99_ms": round(delays[len(delays) * 99 // 100], 2),
    }


def main() -> None:
    """Measure both and print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--watchers", type=int, default=100)
    parser.add_argument("--seals", type=int, default=2000)
    parser.add_argument("--seconds", type=int, default=10)
    given = parser.parse_args()
    for kind in (bare, product):
        figures = uvloop.run(measure(kind, given.watchers, given.seals, given.seconds))
        click.echo(f"{kind.__name__} {json.dumps(figures)}")


if __name__ == "__main__":
    main()
