"""Pings from an MQTT broker: a durable session in, batches out, acknowledged when told.

::

    broker ──► Wire ──► received() ──► queue ──► batches() ──► pipeline ──► commit
      ▲                    │ drops what is in flight already                   │
      └───── PUBACKs ◄─────┴────────────── acknowledge() ◄────────────────────┘

Back-pressure is by not acknowledging: the broker stops at what it allows to be in flight (NATS ``max_ack_pending``,
Mosquitto ``max_inflight_messages``), and that bounds the queue. Against a broker without such a bound, and against
QoS 0, reading stops at ``max_queued`` messages or ``max_queued_bytes``: what comes then waits in the socket and at
the broker. Nothing is ever discarded here.

State: the queue, and the packet ids in flight on the present connection. Not thread-safe; one task reads batches.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Self

from seal_tracker.sources.framing import RawMessage, puback
from seal_tracker.sources.link import Broker, Link, LinkStatus

__all__ = ["Broker", "MqttSource", "RawMessage", "SourceCounts"]

MAX_QUEUED: Final = 20_000
"""Messages read but not handed on; two seconds of work. The brokers' own bounds lie below."""

MAX_QUEUED_BYTES: Final = 64 * 1024 * 1024
"""Their payloads: keeps the service within its memory when buffers of hundreds of kilobytes are emptied at once."""

MAX_BATCH_BYTES: Final = 4 * 1024 * 1024
"""Payloads handed on at once: some 20,000 pings. Emptied buffers bring thousands in each message."""


@dataclass(slots=True)
class SourceCounts:
    """What happened to messages since the start; only ever grow."""

    received: int = 0
    acknowledged: int = 0
    redelivered_in_flight: int = 0
    """Sent again by the broker while still in work: dropped before decoding."""
    void_on_reconnect: int = 0
    """Queued when the connection was lost: dropped, since the broker sends them again."""
    acknowledgements_void: int = 0
    """Acknowledgements not sent: their connection is gone, or their packet id stands for another message by now."""
    pauses: int = 0
    """Times that reading stopped because the queue was full."""


class MqttSource:
    """Messages of ``filters`` from the durable session ``client_id``. Use as an async context manager.

    Parameters
    ----------
    broker, client_id
        The session is the broker's, by client id: it must stay the same from start to start, and be one process's.
    filters
        Topic filters, subscribed at QoS 1 on each connection.
    clock_ms
        Our clock: UTC epoch ms; stamps ``received_ms``.
    max_queued, max_queued_bytes
        Where reading stops until the queue is half empty.
    """

    def __init__(
        self,
        broker: Broker,
        client_id: str,
        filters: Sequence[str],
        *,
        clock_ms: Callable[[], int],
        max_queued: int = MAX_QUEUED,
        max_queued_bytes: int = MAX_QUEUED_BYTES,
    ) -> None:
        self._filters = tuple(filters)
        self._max_queued = max_queued
        self._max_queued_bytes = max_queued_bytes
        self._link = Link(broker, client_id, self, clock_ms=clock_ms, durable=True)
        self._queue: deque[RawMessage] = deque()
        self._queued_bytes = 0
        self._in_flight: dict[int, RawMessage] = {}
        self._arrived = asyncio.Event()
        self._paused = False
        self._finishing = False
        self.counts = SourceCounts()

    @property
    def status(self) -> LinkStatus:
        """Whether connected, since when, and the last error."""
        return self._link.status

    @property
    def queued(self) -> int:
        """Messages read but not handed on."""
        return len(self._queue)

    async def __aenter__(self) -> Self:
        await self._link.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._link.__aexit__(*error)

    async def batches(self, max_messages: int) -> AsyncIterator[list[RawMessage]]:
        """Yield what is there as soon as something is: one message at a trickle, ``max_messages`` under load.

        Of long messages fewer: at most ``MAX_BATCH_BYTES`` together, but always one.

        Ends after ``finish``, once the queue is empty. While a batch is in work the next gathers.
        """
        while True:
            while not self._queue:
                if self._finishing:
                    return
                self._arrived.clear()
                await self._arrived.wait()
            yield self._take(max_messages)

    def acknowledge(self, batch: Sequence[RawMessage]) -> None:
        """Tell the broker that these are committed; one write for all.

        Messages of a connection that is gone are passed over: the broker sends them again, and will have its
        acknowledgement then. So are messages whose packet id the broker has meanwhile given to another.
        """
        in_flight = self._in_flight
        mids = [message.mid for message in batch if in_flight.get(message.mid) is message]
        for mid in mids:
            del in_flight[mid]
        self.counts.acknowledged += len(mids)
        self.counts.acknowledgements_void += sum(message.mid > 0 for message in batch) - len(mids)
        if mids:
            self._link.send(puback(mids))

    def finish(self) -> None:
        """Read no more; ``batches`` ends after what is queued. Unread messages stay at the broker."""
        self._finishing = True
        self._link.pause_reading()
        self._arrived.set()

    async def connected(self) -> None:
        """Subscribe; a durable session keeps its subscriptions, but not those that configuration added since."""
        await self._link.subscribe(self._filters)

    def disconnected(self) -> None:
        """Drop what the broker will send again; only messages at QoS 0 stay."""
        kept = [message for message in self._queue if not message.mid]
        self.counts.void_on_reconnect += len(self._queue) - len(kept)
        self._queue = deque(kept)
        self._queued_bytes = sum(len(message.payload) for message in kept)
        self._in_flight = {}
        self._resume_if_drained()

    def received(self, messages: list[RawMessage]) -> None:
        """Queue one read's messages, but for those that are in work already."""
        in_flight = self._in_flight
        self.counts.received += len(messages)
        for message in messages:
            if message.mid:
                if message.duplicate and message.mid in in_flight:
                    self.counts.redelivered_in_flight += 1
                    continue
                in_flight[message.mid] = message
            self._queue.append(message)
            self._queued_bytes += len(message.payload)
        if len(self._queue) >= self._max_queued or self._queued_bytes >= self._max_queued_bytes:
            self._pause()
        self._arrived.set()

    def published(self, mid: int) -> None:
        """Nothing: a source publishes nothing."""

    def _take(self, max_messages: int) -> list[RawMessage]:
        queue, batch = self._queue, [self._queue.popleft()]
        size = len(batch[0].payload)
        while queue and len(batch) < max_messages and size + len(queue[0].payload) <= MAX_BATCH_BYTES:
            batch.append(queue.popleft())
            size += len(batch[-1].payload)
        self._queued_bytes -= size
        self._resume_if_drained()
        return batch

    def _pause(self) -> None:
        if not self._paused:
            self._paused = True
            self.counts.pauses += 1
            self._link.pause_reading()

    def _resume_if_drained(self) -> None:
        drained = (
            2 * len(self._queue) <= self._max_queued and 2 * self._queued_bytes <= self._max_queued_bytes
        )
        if self._paused and drained and not self._finishing:
            self._paused = False
            self._link.resume_reading()
