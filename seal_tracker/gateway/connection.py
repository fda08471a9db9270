"""One connection of a device, or of one that relays several: cut, let in, publish, answer.

One task reads and another answers, so that frames are published without waiting for one another, and answered in their order.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import math
from collections import Counter, OrderedDict
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final

from seal_tracker.decoders.frame import Format, Link
from seal_tracker.gateway.admission import Door, names_in
from seal_tracker.gateway.stream import Delivery, FrameStream
from seal_tracker.model import ID_PATTERN

__all__ = ["READ_BYTES", "Connection", "Counts", "Limits"]

Counts = Counter[str]
"""What happened since the start, by name; only ever grow but ``connections``, which are open now."""

WINDOW: Final = 32
"""Frames of one connection that are published and not yet answered."""

READ_BYTES: Final = 16 * 1024

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


class Connection:
    """Serves one connection to its end.

    State: what it has received and not yet published or answered; ``devices``, for which it speaks, are the door's.
    """

    def __init__(
        self,
        deliver: Callable[[Format, str | None, Delivery], Coroutine[Any, Any, None]],
        door: Door,
        found: Format,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        address: str,
        limits: Limits,
        counts: Counts,
        now: Callable[[], dt.datetime],
    ) -> None:
        assert found.link is not None
        self._deliver = deliver
        self._door = door
        self.address = address
        self.certified = names_in(writer.get_extra_info("peercert"))
        self.devices: OrderedDict[tuple[str, str], None] = OrderedDict()
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
                    if await self._send_on(delivery):
                        self._last_frame_s = self._began_s = None
                    elif delivery.is_frame and not self.devices:
                        return
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

    async def _send_on(self, delivery: Delivery) -> bool:
        """Begin to publish what may come; wait where the window is full. Whether it was a frame that may."""
        device = self._link.device(delivery.payload) if delivery.is_frame else None
        if device is not None and not ID_PATTERN.fullmatch(device):
            device = None
        if not delivery.is_frame and self._door.asks and not self.devices:
            self._counts["refused_no_frame"] += 1
            return False
        if delivery.is_frame and not self._door.admits(self._format.name, device, self):
            return False
        task = asyncio.create_task(self._deliver(self._format, device, delivery), name="gateway publishes")
        self._delivering.add(task)
        task.add_done_callback(self._delivering.discard)
        self._any_frame = self._any_frame or delivery.is_frame
        await self._window.put((delivery, task))
        return delivery.is_frame

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
