"""Connections of devices: read, publish, and only then acknowledge.

::

    device ──► StreamReader ──► FrameStream ──► window ──► Uplink.publish ──► broker
      ▲                                                          │
      └────────── acknowledgement ◄──── PUBACK ◄─────────────────┘

One task reads and another answers for each connection, so that a device's frames are published without waiting for one
another, and answered in their order. At most ``WINDOW`` of them are on their way: a device that sends faster than the
broker takes feels it in TCP. While the broker is away nothing is answered, and devices keep what they have.

Who is dropped, by name in ``Counts``: one connection too many, in all or from one address; who sends nothing for long, or
a frame too slowly; who does not take its answers; who speaks another protocol; who is heard by a newer connection. What it
sent is published all the same. Of devices that are not on the list, where there is one, nothing is published or answered: see
``admission``.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import ssl
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, Final, Protocol, Self

from seal_tracker.decoders.frame import Format
from seal_tracker.gateway.admission import Door
from seal_tracker.gateway.connection import READ_BYTES, Connection, Counts, Limits
from seal_tracker.gateway.stream import Delivery

__all__ = ["UNIDENTIFIED", "Gateway", "Publisher"]

UNIDENTIFIED: Final = "unidentified"
"""The device in the topic of bytes that do not say whose they are."""

STOP_S: Final = 5.0
"""For what was read to be published and answered when the gateway ends; the rest was never acknowledged."""

BACKLOG: Final = 1024
"""Connections that wait to be accepted: after an outage all devices come at once."""


class Publisher(Protocol):
    """Where frames go."""

    async def publish(self, topic: str, payload: bytes) -> None:
        """Return once they are kept."""


class Gateway:
    """Listens for devices. Use as an async context manager; leaving it reads no more, answers what it can, and ends.

    Parameters
    ----------
    publisher
        Where frames go.
    topic
        The topic of a protocol's device, by the names of both.
    now
        Our clock, for devices that ask for the time.
    limits
        What devices may do.
    """

    def __init__(
        self,
        publisher: Publisher,
        topic: Callable[[str, str], str],
        *,
        now: Callable[[], dt.datetime],
        limits: Limits | None = None,
    ) -> None:
        self._publisher = publisher
        self._topic = topic
        self._now = now
        self._limits = limits or Limits()
        self._servers: list[asyncio.Server] = []
        self._tasks: set[asyncio.Task[Any]] = set()
        self._open: set[Connection] = set()
        self._addresses: Counter[str] = Counter()
        self.counts = Counts()
        self.door = Door(self.counts, time.monotonic)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        for server in self._servers:
            server.close()
        for connection in self._open:
            connection.stop()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=STOP_S)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def listen(self, found: Format, host: str, port: int, tls: ssl.SSLContext | None = None) -> int:
        """Take devices of a format, with TLS where it is given; return the port, which port 0 leaves to the system."""
        server = await asyncio.start_server(
            lambda reader, writer: self._accept(found, reader, writer),
            host,
            port,
            limit=READ_BYTES,
            backlog=BACKLOG,
            ssl=tls,
            ssl_handshake_timeout=self._limits.frame_s if tls else None,
        )
        self._servers.append(server)
        return int(server.sockets[0].getsockname()[1])

    async def _accept(
        self, found: Format, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        task = asyncio.current_task()
        assert task is not None
        address = str((writer.get_extra_info("peername") or ("unknown",))[0])
        self._tasks.add(task)
        self._addresses[address] += 1
        self.counts["connections"] += 1
        try:
            if self.counts["connections"] > self._limits.connections:
                self.counts["refused_connections"] += 1
            elif self._addresses[address] > self._limits.per_address:
                self.counts["refused_per_address"] += 1
            else:
                await self._serve(found, reader, writer, address)
        finally:
            self._tasks.discard(task)
            self.counts["connections"] -= 1
            self._addresses[address] -= 1
            if not self._addresses[address]:
                del self._addresses[address]
            writer.close()

    async def _serve(
        self, found: Format, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, address: str
    ) -> None:
        connection = Connection(
            self._deliver, self.door, found, reader, writer, address, self._limits, self.counts, self._now
        )
        self._open.add(connection)
        try:
            await connection.serve()
        finally:
            self._open.discard(connection)
            self.door.leave(connection)

    async def _deliver(self, found: Format, device: str | None, delivery: Delivery) -> None:
        await self._publisher.publish(self._topic(found.name, device or UNIDENTIFIED), delivery.payload)
        self.counts["published"] += 1
        if not delivery.is_frame:
            self.counts["published_no_frame"] += 1
