"""Publishes at QoS 1 over one MQTT connection and counts honestly: sent is not acknowledged.

State: the messages the broker has not acknowledged, in the order of sending, at most ``window``. ``send`` waits while the window is full;
nothing is dropped. After a lost connection they are all sent again in that order before anything new (at least once, as QoS 1 is). One
event loop, one publisher; not thread-safe.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import aiomqtt
import structlog

from simulators.errors import BrokerRefusedError
from simulators.wire import Message

__all__ = ["Account", "Publisher", "Tally"]

WINDOW = 64
"""Messages in flight; 64 full flushes are under 1 MB, and a broker on the same machine answers within a millisecond or two."""
KEEPALIVE_S = 30
ACKNOWLEDGE_S = 30.0
"""Whoever has not answered by then has lost the message: it is sent again on a new connection."""
RETRY_S = (0.2, 0.5, 1.0, 2.0, 5.0)
"""Waits between attempts to connect; the last one for ever."""
REFUSALS = frozenset({4, 5, 134, 135})
"""CONNACK codes of MQTT 3.1.1 and 5 that mean: bad user name or password, not authorised."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Account:
    """Where to publish, and as whom."""

    host: str
    port: int
    username: str | None = None
    password: str | None = None


@dataclass(slots=True)
class Tally:
    """What was sent, and what the broker said it has. ``resent`` counts repetitions, which are not in ``messages``."""

    messages: int = 0
    pings: int = 0
    acknowledged_messages: int = 0
    acknowledged_pings: int = 0
    resent: int = 0
    reconnects: int = 0

    @property
    def in_flight(self) -> int:
        """Messages sent and not yet acknowledged."""
        return self.messages - self.acknowledged_messages


class Publisher:
    """An asynchronous context manager: connected on entry, drained by ``drain``, disconnected on exit."""

    def __init__(self, account: Account, *, window: int = WINDOW) -> None:
        self.tally = Tally()
        self._account = account
        self._window = window
        self._room = asyncio.Semaphore(window)
        self._pending: dict[int, Message] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._client: aiomqtt.Client | None = None
        self._reconnecting: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self._connect()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in (*self._tasks, *((self._reconnecting,) if self._reconnecting else ())):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, BrokerRefusedError):
                await task
        await self._disconnect()

    async def send(self, message: Message) -> None:
        """Hand a message over; returns when there is room for it, not when it is acknowledged.

        Raises
        ------
        BrokerRefusedError
            The broker no longer accepts the account.
        """
        await self._room.acquire()
        if self._reconnecting is not None:
            await asyncio.shield(self._reconnecting)
        number = self.tally.messages
        self.tally.messages += 1
        self.tally.pings += message.pings
        self._pending[number] = message
        self._start(number, message)

    async def drain(self, timeout_s: float) -> bool:
        """Wait until all is acknowledged, and send nothing after; False if it was not within the time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                for _ in range(self._window):  # all of the room is free: nothing is in flight
                    await self._room.acquire()
        return not self._pending

    def _start(self, number: int, message: Message) -> None:
        """Tasks begin in the order of their making, so messages leave in order."""
        task = asyncio.create_task(self._publish(number, message))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _publish(self, number: int, message: Message) -> None:
        client = self._client
        if client is None:
            return  # lost since: the reconnection sends it
        try:
            await client.publish(message.topic, message.payload, qos=1, timeout=ACKNOWLEDGE_S)
        except aiomqtt.MqttError as error:
            if self._reconnecting is None:
                log.warning("connection to the broker lost", reason=str(error), in_flight=len(self._pending))
                self._reconnecting = asyncio.create_task(self._reconnect())
            return
        del self._pending[number]
        self.tally.acknowledged_messages += 1
        self.tally.acknowledged_pings += message.pings
        self._room.release()

    async def _reconnect(self) -> None:
        """A new connection, and what is unacknowledged once more, oldest first."""
        await self._disconnect()
        while (
            self._tasks
        ):  # their connection is gone; one that waits for its acknowledgement would wait for long
            for task in self._tasks:
                task.cancel()
            await asyncio.wait(self._tasks)
        try:
            await self._connect()
        except BrokerRefusedError:
            self._room.release()  # wakes a sender that waits for room, to be told
            raise
        self.tally.reconnects += 1
        self.tally.resent += len(self._pending)
        self._reconnecting = None
        for number, message in list(self._pending.items()):
            self._start(number, message)

    async def _connect(self) -> None:
        for attempt in range(1_000_000):
            a = self._account
            client = aiomqtt.Client(
                a.host,
                a.port,
                username=a.username,
                password=a.password,
                keepalive=KEEPALIVE_S,
                max_inflight_messages=self._window,
                socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
            )
            client.pending_calls_threshold = self._window  # it warns above: the window is the bound here
            try:
                await client.__aenter__()
            except aiomqtt.MqttError as error:
                self._refuse(error)
                wait_s = RETRY_S[min(attempt, len(RETRY_S) - 1)]
                log.warning(
                    "broker not reached", host=a.host, port=a.port, reason=str(error), again_in_s=wait_s
                )
                await asyncio.sleep(wait_s)
            else:
                self._client = client
                return

    def _refuse(self, error: aiomqtt.MqttError) -> None:
        code = getattr(getattr(error, "rc", None), "value", getattr(error, "rc", None))
        if code in REFUSALS:
            raise BrokerRefusedError(
                f"{self._account.host}:{self._account.port} refuses the account {self._account.username!r} ({error}): "
                "give --username and the password of an account that may publish for seals"
            ) from error

    async def _disconnect(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            with contextlib.suppress(aiomqtt.MqttError):
                await client.__aexit__(None, None, None)
