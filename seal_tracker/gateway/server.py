"""Connections of devices: read, publish, and only then acknowledge.

::

    device ──► StreamReader ──► FrameStream ──► window ──► Uplink.publish ──► broker
      ▲                                                          │
      └────────── acknowledgement ◄──── PUBACK ◄─────────────────┘

One task reads and another answers for each connection, so that a device's frames are published without waiting for one
another, and answered in their order. At most ``WINDOW`` of them are on their way: a device that sends faster than the
broker takes feels it in TCP. While the broker is away nothing is answered, and devices keep what they have.

Who is dropped, by name in ``Counts``: one connection too many, in all or from one address; who sends nothing for long, or
a frame too slowly; who does not take its answers; who speaks another protocol. What it sent is published all the same.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import math
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final, Protocol, Self

import structlog

from seal_tracker.decoders.frame import Format, Link
from seal_tracker.gateway.stream import Delivery, FrameStream
from seal_tracker.model import ID_PATTERN

__all__ = ["UNIDENTIFIED", "Counts", "Gateway", "Limits", "Publisher"]

log: Any = structlog.get_logger(__name__)

Counts = Counter[str]
"""What happened since the start, by name; only ever grow but ``connections``, which are open now."""

UNIDENTIFIED: Final = "unidentified"
"""The device in the topic of bytes that do not say whose they are."""

WINDOW: Final = 32
"""Frames of one connection that are published and not yet answered."""

STOP_S: Final = 5.0
"""For what was read to be published and answered when the gateway ends; the rest was never acknowledged."""

READ_BYTES: Final = 16 * 1024

BACKLOG: Final = 1024
"""Connections that wait to be accepted: after an outage all devices come at once."""

ANSWER_BYTES: Final = 64 * 1024
"""Answers that a device has not taken; then writing waits for it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a device may do.

    Attributes
    ----------
    connections, per_address
        Open at once, in all and from one address: thousands of devices of one mobile operator may come from one.
    idle_s
        Without a whole frame. A lock that is awake says something every 80 s; one that sleeps ends its connection.
    frame_s
        From a frame's first byte to its last, and from the beginning of a connection to its first frame: a minute is
        plenty for a kilobyte over the slowest modem, and too little to hold many connections open for nothing.
    answer_s
        For a device to take its answers.
    linger_s
        For the broker to take what a device has sent that is gone. What is left after it was never acknowledged.
    """

    connections: int = 10_000
    per_address: int = 2_000
    idle_s: float = 900.0
    frame_s: float = 60.0
    answer_s: float = 30.0
    linger_s: float = 60.0


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
        self._open: set[_Connection] = set()
        self._addresses: Counter[str] = Counter()
        self.counts = Counts()

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

    async def listen(self, found: Format, host: str, port: int) -> int:
        """Take devices of a format; return the port, which port 0 leaves to the system."""
        server = await asyncio.start_server(
            lambda reader, writer: self._accept(found, reader, writer),
            host,
            port,
            limit=READ_BYTES,
            backlog=BACKLOG,
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
                await self._serve(found, reader, writer)
        finally:
            self._tasks.discard(task)
            self.counts["connections"] -= 1
            self._addresses[address] -= 1
            if not self._addresses[address]:
                del self._addresses[address]
            writer.close()

    async def _serve(self, found: Format, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = _Connection(self._deliver, found, reader, writer, self._limits, self.counts, self._now)
        self._open.add(connection)
        try:
            await connection.serve()
        finally:
            self._open.discard(connection)

    async def _deliver(self, found: Format, delivery: Delivery) -> None:
        assert found.link is not None
        device = found.link.device(delivery.payload) if delivery.is_frame else None
        if device is None or not ID_PATTERN.fullmatch(device):
            device = UNIDENTIFIED
        await self._publisher.publish(self._topic(found.name, device), delivery.payload)
        self.counts["published"] += 1
        if not delivery.is_frame:
            self.counts["published_no_frame"] += 1


class _Connection:
    """One device, or one that relays several."""

    def __init__(
        self,
        deliver: Callable[[Format, Delivery], Coroutine[Any, Any, None]],
        found: Format,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        limits: Limits,
        counts: Counts,
        now: Callable[[], dt.datetime],
    ) -> None:
        assert found.link is not None
        self._deliver = deliver
        self._format = found
        self._link: Link = found.link
        self._reader = reader
        self._writer = writer
        self._limits = limits
        self._counts = counts
        self._now = now
        self._stream = FrameStream(found)
        self._window: asyncio.Queue[tuple[Delivery, asyncio.Task[None]] | None] = asyncio.Queue(WINDOW)
        self._delivering: set[asyncio.Task[None]] = set()
        self._reading: asyncio.Task[None] | None = None
        self._began_s: float | None = None
        self._last_frame_s: float | None = None
        self._gone = self._any_frame = False

    def stop(self) -> None:
        """Read no more."""
        if self._reading is not None:
            self._reading.cancel()

    async def serve(self) -> None:
        """Read until the device or a limit ends it; then publish and answer what was read."""
        self._writer.transport.set_write_buffer_limits(high=ANSWER_BYTES)
        answering = asyncio.create_task(self._answer(), name="gateway answers")
        self._reading = asyncio.create_task(self._read(), name="gateway reads")
        ending: asyncio.Task[None] | None = None
        try:
            await asyncio.wait((answering, self._reading), return_when=asyncio.FIRST_COMPLETED)
            ending = asyncio.create_task(self._window.put(None), name="gateway ends")
            await asyncio.wait((answering,), timeout=self._limits.linger_s)
            if answering.done():
                answering.result()
            else:
                self._counts["not_published"] += len(self._delivering)
        finally:
            tasks = [
                task for task in (answering, self._reading, ending, *self._delivering) if task is not None
            ]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _read(self) -> None:
        try:
            while data := await self._receive():
                for delivery in self._stream.receive_data(data):
                    await self._send_on(delivery)
                    if delivery.is_frame:
                        self._last_frame_s = self._began_s = None
                if self._stream.hopeless:
                    self._counts["dropped_other_protocol"] += 1
                    break
        except ConnectionError:
            self._counts["broken"] += 1
        for delivery in self._stream.end():
            await self._send_on(delivery)

    async def _receive(self) -> bytes:
        """The next bytes; none where the device has ended, or took too long.

        Time is counted only while we wait for the device, never while it waits for us.
        """
        now = asyncio.get_running_loop().time()
        self._last_frame_s = self._last_frame_s or now
        self._began_s = (self._began_s or now) if self._stream.incomplete or not self._any_frame else None
        slow = self._began_s + self._limits.frame_s if self._began_s is not None else math.inf
        idle = self._last_frame_s + self._limits.idle_s
        try:
            async with asyncio.timeout_at(min(slow, idle)):
                return await self._reader.read(READ_BYTES)
        except TimeoutError:
            self._counts["dropped_slow" if slow < idle else "dropped_idle"] += 1
            return b""

    async def _send_on(self, delivery: Delivery) -> None:
        """Begin to publish; wait where the window is full."""
        task = asyncio.create_task(self._deliver(self._format, delivery), name="gateway publishes")
        self._delivering.add(task)
        task.add_done_callback(self._delivering.discard)
        self._any_frame = self._any_frame or delivery.is_frame
        await self._window.put((delivery, task))

    async def _answer(self) -> None:
        """Answer in the order of arrival what the broker has acknowledged."""
        while (waiting := await self._window.get()) is not None:
            delivery, publishing = waiting
            await publishing
            answer = self._link.acknowledgement(delivery.payload, self._now()) if delivery.is_frame else None
            if answer and not self._gone:
                await self._write(answer)

    async def _write(self, answer: bytes) -> None:
        """Write, and wait for a device that is slow to take it; one that does not is given up, what it sent is not."""
        try:
            self._writer.write(answer)
            async with asyncio.timeout(self._limits.answer_s):
                await self._writer.drain()
            self._counts["answered"] += 1
        except ConnectionError:
            self._gone = True
        except TimeoutError:
            self._counts["dropped_deaf"] += 1
            self._gone = True
            self._writer.transport.abort()
