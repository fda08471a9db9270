"""Frames to the broker at QoS 1, published again until it has acknowledged them.

State: the publishes in flight on the present connection. One connection, kept up for ever by ``sources.link``; when it is
lost, what was in flight is published anew on the next. The broker may so get a frame twice, never none: the service finds
pings that come twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, Self

from seal_tracker.sources.framing import RawMessage
from seal_tracker.sources.link import Broker, Link, LinkStatus

__all__ = ["MAX_IN_FLIGHT", "Uplink"]

MAX_IN_FLIGHT: Final = 2_000
"""Publishes without an acknowledgement; who comes later waits, and so does its device."""


class _LostError(Exception):
    """The connection went while a publish was in flight."""


class Uplink:
    """Publishes under ``client_id``. Use as an async context manager; not thread-safe."""

    def __init__(
        self,
        broker: Broker,
        client_id: str,
        *,
        clock_ms: Callable[[], int],
        max_in_flight: int = MAX_IN_FLIGHT,
    ) -> None:
        self._link = Link(broker, client_id, self, clock_ms=clock_ms, durable=False)
        self._room = asyncio.Semaphore(max_in_flight)
        self._up = asyncio.Event()
        self._in_flight: dict[int, asyncio.Future[None]] = {}
        self.published_again = 0

    @property
    def status(self) -> LinkStatus:
        """Whether connected, since when, and the last error."""
        return self._link.status

    @property
    def in_flight(self) -> int:
        """Publishes that the broker has not acknowledged."""
        return len(self._in_flight)

    async def __aenter__(self) -> Self:
        await self._link.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._link.__aexit__(*error)

    async def publish(self, topic: str, payload: bytes) -> None:
        """Publish, and return once the broker has acknowledged it, however long that takes.

        Raises
        ------
        ValueError
            The topic or payload can never be published.
        """
        async with self._room:
            while True:
                await self._up.wait()
                mid = self._link.publish(topic, payload)
                if mid is None:  # the link knows before we are told
                    self._up.clear()
                    continue
                acknowledged = self._in_flight[mid] = asyncio.get_running_loop().create_future()
                try:
                    await acknowledged
                except _LostError:
                    self.published_again += 1
                else:
                    return
                finally:
                    self._in_flight.pop(mid, None)

    async def connected(self) -> None:
        """Let publishes go."""
        self._up.set()

    def disconnected(self) -> None:
        """Send back to the start what was in flight."""
        self._up.clear()
        lost, self._in_flight = self._in_flight, {}
        for future in lost.values():
            if not future.done():
                future.set_exception(_LostError())

    def received(self, messages: list[RawMessage]) -> None:
        """Nothing is subscribed to."""

    def published(self, mid: int) -> None:
        """Wake who waits for it."""
        future = self._in_flight.get(mid)
        if future is not None and not future.done():
            future.set_result(None)
