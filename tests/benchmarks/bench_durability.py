"""What safety costs: QoS 1 messages a second a broker acknowledges, and commits a second, synced and not.

    python -m tests.benchmarks.bench_durability

Each broker keeps the messages for one durable subscriber that is away, as it does while the service restarts. Publishers
speak raw MQTT 3.1.1 over asyncio, 8 connections with 100 messages in flight each, so that they cost little of the two
cores they share with the broker.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import struct
import sys
import tempfile
import time
from pathlib import Path

import asyncpg
import click

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from parts import Broker, ComposeBroker

from seal_tracker.embedded import EmbeddedParts

TURNS = 3

PRODUCTION = {
    "nats": "NATS, production (sync always)",
    "mosquitto": "Mosquitto, production (saved every 5 s)",
}
CONNECTIONS = 8
IN_FLIGHT = 100
PAYLOAD = (
    b'{"time":"2026-11-22T03:00:00Z","lon":106.68123,"lat":20.86456,"valid":true,"speed_kmh":43.5,"course_deg":128,'
    b'"accuracy_m":8,"satellites":11,"battery_pct":82,"seq":1024,"lock":"closed","mode":"awake","interval_s":30}'
)


class Publisher(asyncio.Protocol):
    """One connection that keeps ``IN_FLIGHT`` QoS 1 messages under way and counts what comes back."""

    def __init__(self, account: tuple[str, str], number: int) -> None:
        self.account, self.acknowledged, self.sent, self.running = account, 0, 0, True
        self.topic = f"eseal/v1/demo/dev/S-{number:04}/ping".encode()
        self.connected = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        fields = b"".join(
            struct.pack(">H", len(f)) + f for f in (b"", *(word.encode() for word in self.account))
        )
        transport.write(packet(0x10, b"\x00\x04MQTT\x04\xc2\x00\x3c" + fields))

    def data_received(self, data: bytes) -> None:
        if not self.connected.done():
            assert data[:4] == b"\x20\x02\x00\x00", data
            self.connected.set_result(None)
            self.send(IN_FLIGHT)
        else:
            self.acknowledged += (
                len(data) // 4
            )  # a PUBACK is four bytes; halves of one are too rare to matter
            self.send(len(data) // 4)

    def send(self, count: int) -> None:
        if self.running:
            packets = []
            for _ in range(count):
                self.sent += 1
                packet_id = self.sent % 65535 + 1
                topic = struct.pack(">H", len(self.topic)) + self.topic
                packets.append(packet(0x32, topic + struct.pack(">H", packet_id) + PAYLOAD))
            self.transport.write(b"".join(packets))


def packet(kind: int, body: bytes) -> bytes:
    """An MQTT packet with its length."""
    length, size = bytearray(), len(body)
    while True:
        size, low = divmod(size, 128)
        length.append(low | (0x80 if size else 0))
        if not size:
            return bytes([kind]) + bytes(length) + body


async def messages_per_second(broker: Broker, seconds: float) -> float:
    """Messages acknowledged a second, after a second of running in."""
    with broker.client("service", "away") as away:
        assert away.subscribe("eseal/v1/+/+/+/ping")
    loop = asyncio.get_running_loop()
    pairs = [
        await loop.create_connection(
            lambda n=n: Publisher(broker.accounts["gateway"], n), broker.host, broker.port
        )
        for n in range(CONNECTIONS)
    ]
    publishers = [publisher for _, publisher in pairs]
    await asyncio.gather(*(publisher.connected for publisher in publishers))
    await asyncio.sleep(1)
    before, began = sum(p.acknowledged for p in publishers), time.perf_counter()
    await asyncio.sleep(seconds)
    rate = (sum(p.acknowledged for p in publishers) - before) / (time.perf_counter() - began)
    for transport, publisher in pairs:
        publisher.running = False
        transport.close()
    return rate


async def commits(dsn: str, *, rows: int, count: int = 400) -> float:
    """Median milliseconds of a transaction that COPYs ``rows`` rows of about 100 bytes."""
    connection = await asyncpg.connect(dsn)
    took = []
    try:
        await connection.execute(
            "CREATE TABLE IF NOT EXISTS bench (n int, at timestamptz DEFAULT now(), filler text)"
        )
        records = [(number, "x" * 80) for number in range(rows)]
        for _ in range(count):
            began = time.perf_counter()
            await connection.copy_records_to_table("bench", records=records, columns=["n", "filler"])
            took.append((time.perf_counter() - began) * 1000)
        await connection.execute("TRUNCATE bench")
    finally:
        await connection.close()
    return sorted(took)[len(took) // 2]


async def measure(seconds: float) -> None:
    """Say one line a figure."""
    click.echo(
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; {CONNECTIONS} publishers, {IN_FLIGHT} in flight each"
    )
    with tempfile.TemporaryDirectory() as name:
        async with EmbeddedParts(Path(name) / "embedded") as parts:
            accounts = {n: (n, getattr(parts.credentials, n).password) for n in ("service", "gateway")}
            embedded = Broker("nats", parts.mqtt.host, parts.mqtt.port, "demo", accounts)
            rate = await messages_per_second(embedded, seconds)
            click.echo(f"{'NATS, embedded (synced every 2 min)':40} {rate:8.0f} messages/s")
            for fsync in ("on", "off"):
                await set_fsync(parts.superuser_dsn, fsync)
                one, many = [await commits(parts.postgres_dsn, rows=rows) for rows in (1, 1000)]
                click.echo(
                    f"{f'PostgreSQL, embedded, fsync {fsync}':40} {one:8.2f} ms to commit 1 row, {many:.2f} ms 1,000"
                )
        for kind, what in PRODUCTION.items():
            if ComposeBroker.missing(kind):
                continue
            running = ComposeBroker(kind, Path(name) / kind).start()
            click.echo(f"{what:40} {await messages_per_second(running.broker, seconds):8.0f} messages/s")
            running.stop()
        await mosquitto_debug(Path(name), seconds)


async def mosquitto_debug(folder: Path, seconds: float) -> None:
    """Mosquitto with its debugging lines, among which it tells what it refuses, filtered by awk; by turns with none of both."""
    if ComposeBroker.missing("mosquitto"):
        return
    rates: dict[str, list[float]] = {"with": [], "without": []}
    for turn in range(2 * TURNS):
        which = ("with", "without")[turn % 2]
        broker = ComposeBroker("mosquitto", folder / f"turn-{turn}")
        if which == "without":
            config = broker.folder / "config" / "mosquitto.conf"
            config.write_text(config.read_text().replace("log_type debug\n", ""))
        broker.start()
        rates[which].append(await messages_per_second(broker.broker, seconds))
        broker.stop()
    told, quiet = (statistics.median(rates[which]) for which in ("with", "without"))
    click.echo(
        f"{'Mosquitto, debugging lines filtered':40} {told:8.0f} messages/s, {quiet:.0f} without them, ratio {told / quiet:.2f} "
        f"(medians of {TURNS} by turns)"
    )


async def set_fsync(superuser_dsn: str, value: str) -> None:
    """Switch it in a running server."""
    connection = await asyncpg.connect(superuser_dsn)
    await connection.execute(f"ALTER SYSTEM SET fsync = {value}")
    await connection.execute("SELECT pg_reload_conf()")
    await connection.close()
    await asyncio.sleep(0.5)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--seconds", type=float, default=5.0)
    asyncio.run(measure(arguments.parse_args().seconds))
