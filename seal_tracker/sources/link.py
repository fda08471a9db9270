"""One MQTT connection, kept up for ever: the source and the publisher each own one.

aiomqtt and paho connect, sign in, subscribe and keep alive; ``Wire`` moves the messages. A connection that is lost
is made anew with growing pauses, without end: a broker may be away for a night. What was in flight on the former
connection is the owner's affair, who is told of each beginning and end.

State: the present connection, if any. Everything runs on the loop that entered the link.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol, Self

import aiomqtt
import paho.mqtt.client as paho
import structlog

from seal_tracker.sources.errors import SourceError, SubscriptionRefusedError
from seal_tracker.sources.framing import RawMessage, publish_packet
from seal_tracker.sources.wire import Wire

__all__ = ["Broker", "Link", "LinkEnd", "LinkStatus", "Will", "pauses_s"]

log: Any = structlog.get_logger(__name__)

PAUSE_FIRST_S: Final = 0.1
"""A broker that restarts is back within a second; the first attempts are cheap."""

PAUSE_MAX_S: Final = 5.0
"""Longest pause: who waits for an alarm after an outage should not wait for us, too."""

FIRST_MID, LAST_MID = 1_000, 65_535
"""Packet ids of our publishes; paho takes its own, for the few subscriptions of a connection, from 1 upwards."""

REFUSED: Final = 0x80
"""MQTT 3.1.1, 3.9.3: the return code of a refused subscription."""

Will = aiomqtt.Will


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the broker is, and as whom to speak to it."""

    host: str
    port: int
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: ssl.SSLContext | None = None
    keepalive_s: int = 30


@dataclass(frozen=True, slots=True)
class LinkStatus:
    """What can be seen of a link from outside; ``since_ms`` is the last change of ``connected``.

    ``ready`` is later than ``connected``: its owner has subscribed, or said who it is. Before a source was ready
    for the first time, what is published is kept for nobody.
    """

    connected: bool = False
    ready: bool = False
    since_ms: int = 0
    connections: int = 0
    last_error: str | None = None


class LinkEnd(Protocol):
    """Who owns a link. All but ``connected`` are called between two awaits and must not block."""

    async def connected(self) -> None:
        """Subscribe, or say who we are; an error ends the connection, which is then made anew."""

    def disconnected(self) -> None:
        """Forget what was in flight: its packet ids mean nothing on the next connection."""

    def received(self, messages: list[RawMessage]) -> None:
        """Take the messages of one read."""

    def published(self, mid: int) -> None:
        """Learn that the broker has acknowledged a publish."""


def pauses_s() -> Iterator[float]:
    """Pauses before each further attempt: doubling, ±25 % so that many clients do not come back in step."""
    for attempt in itertools.count():
        longest = min(PAUSE_MAX_S, PAUSE_FIRST_S * 2.0 ** min(attempt, 16))
        yield longest * random.uniform(0.75, 1.25)  # noqa: S311  spreads load, guards nothing


class Link:
    """The connection of ``end`` under ``client_id``. Use as an async context manager; leaving it disconnects."""

    def __init__(
        self,
        broker: Broker,
        client_id: str,
        end: LinkEnd,
        *,
        clock_ms: Callable[[], int],
        durable: bool,
        will: Will | None = None,
    ) -> None:
        self._broker = broker
        self._client_id = client_id
        self._end = end
        self._clock_ms = clock_ms
        self._durable = durable
        self._will = will
        self._loop: asyncio.AbstractEventLoop
        self._thread = 0
        self._task: asyncio.Task[None] | None = None
        self._client: aiomqtt.Client | None = None
        self._wire: Wire | None = None
        self._reading = True
        self._leaving = False
        self._stood = False
        self._mids = itertools.cycle(range(FIRST_MID, LAST_MID + 1))
        self._unacknowledged: set[int] = set()
        self.status = LinkStatus()

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._task = self._loop.create_task(self._run(), name=f"mqtt {self._client_id}")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._leaving = True
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def subscribe(self, filters: Sequence[str]) -> None:
        """Subscribe at QoS 1.

        Raises
        ------
        SubscriptionRefusedError
            Where the broker refuses one of them.
        """
        assert self._client is not None
        answers = await self._client.subscribe([(topic, 1) for topic in filters])
        codes = [answer if isinstance(answer, int) else answer.value for answer in answers]
        if refused := [topic for topic, code in zip(filters, codes, strict=True) if code >= REFUSED]:
            raise SubscriptionRefusedError(refused)

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> int | None:
        """Publish at QoS 1 and return the packet id, or None while there is no connection, or none is free.

        Beside paho, which makes a lock and a dozen objects for each publish, and as many for its acknowledgement.

        Raises
        ------
        ValueError
            Where the topic or payload can never be published.
        """
        if (
            self._wire is None
            or not self.status.connected
            or len(self._unacknowledged) >= LAST_MID - FIRST_MID
        ):
            return None
        mid = next(mid for mid in self._mids if mid not in self._unacknowledged)
        self._wire.send(publish_packet(topic, payload, mid, retain=retain))
        self._unacknowledged.add(mid)
        return mid

    def flush(self) -> None:
        """Send what has been published now, rather than in one of the loop's next turns."""
        if self._client is not None and self._wire is not None:
            _inner(self._client).loop_write()
            self._wire.flush()

    def send(self, packets: bytes) -> None:
        """Write whole MQTT packets beside paho's; without a connection they are dropped."""
        if self._wire is not None:
            self._wire.send(packets)
            self._wire.flush()

    def pause_reading(self) -> None:
        """Leave what comes in the socket, so that the broker feels it."""
        self._reading = False
        if self._wire is not None and self._wire.fileno() >= 0:
            self._loop.remove_reader(self._wire.fileno())

    def resume_reading(self) -> None:
        """Read again."""
        self._reading = True
        if self._wire is not None and self._wire.fileno() >= 0:
            self._attach(self._wire)

    async def _run(self) -> None:
        pauses = pauses_s()
        while not self._leaving:  # aiomqtt's own farewell may fail, and then hides that we were cancelled
            self._stood = False
            try:
                await self._connection()
            except (aiomqtt.MqttError, OSError, SourceError) as error:
                self._set_status(connected=False, last_error=str(error))
                log.warning("mqtt connection ended", client=self._client_id, error=str(error))
            if (
                self._stood
            ):  # one whose subscriptions are refused never did, and would be made ten times a second
                pauses = pauses_s()
            await asyncio.sleep(next(pauses))

    async def _connection(self) -> None:
        client = self._new_client()
        try:
            async with client:
                self._client = client
                self._set_status(connected=True, connections=self.status.connections + 1)
                await self._end.connected()
                if (
                    self._leaving
                ):  # asyncio.wait_for before Python 3.12 swallows a cancellation that comes with its result
                    return
                self._stood = True
                self._set_status(ready=True)
                log.info("mqtt connected", client=self._client_id)
                async for (
                    _
                ) in client.messages:  # never one: the wire keeps them. It ends with the connection.
                    pass
        finally:
            if self._wire is not None:
                self._drop(self._wire, _inner(client))
            self._client = self._wire = None
            self._unacknowledged.clear()
            self._set_status(connected=False, ready=False)
            self._end.disconnected()

    def _new_client(self) -> aiomqtt.Client:
        """Build a client for one connection: nothing of a former one is in it."""
        client = aiomqtt.Client(
            self._broker.host,
            self._broker.port,
            username=self._broker.username,
            password=self._broker.password,
            identifier=self._client_id,
            clean_session=not self._durable,
            will=self._will,
            tls_context=self._broker.tls,
            keepalive=self._broker.keepalive_s,
            max_inflight_messages=0,  # the owner bounds what is in flight
        )
        inner = _inner(client)
        inner.manual_ack_set(True)
        opened_by_aiomqtt, ended_by_aiomqtt = inner.on_socket_open, inner.on_disconnect

        def ended(*why: Any) -> None:
            if not client._connected.done():  # noqa: SLF001  aiomqtt would wait its 10 s for an answer that cannot come
                client._connected.set_exception(aiomqtt.MqttError("the broker ended the connection unasked"))  # noqa: SLF001
            elif ended_by_aiomqtt is not None:
                ended_by_aiomqtt(*why)

        def opened(_client: paho.Client, data: Any, sock: Any) -> None:
            wire = Wire(sock, self._loop, self._clock_ms, self._end.received, self._acknowledged)
            inner._sock = wire  # noqa: SLF001  paho has no public way to give it a socket
            if opened_by_aiomqtt is not None:
                opened_by_aiomqtt(inner, data, wire)
            self._loop.call_soon_threadsafe(self._opened, client, wire)

        inner.on_socket_open = opened
        inner.on_disconnect = ended
        inner.on_socket_register_write = lambda _client, _data, _sock: self._write_soon(inner)
        inner.on_socket_unregister_write = lambda _client, _data, _sock: None
        return client

    def _acknowledged(self, mids: list[int]) -> None:
        for mid in mids:
            if mid in self._unacknowledged:
                self._unacknowledged.remove(mid)
                self._end.published(mid)

    def _opened(self, client: aiomqtt.Client, wire: Wire) -> None:
        self._inner = _inner(client)
        if self._leaving or wire.fileno() < 0:
            self._drop(wire, self._inner)
            return
        self._wire = wire
        if self._reading:
            self._attach(wire)
        else:
            self._loop.remove_reader(wire.fileno())

    def _attach(self, wire: Wire) -> None:
        """Replace aiomqtt's reader by ours, which can be taken away and put back."""
        self._loop.add_reader(wire.fileno(), self._readable, wire, self._inner)
        if wire.pending():
            self._loop.call_soon(self._readable, wire, self._inner)

    def _readable(self, wire: Wire, inner: paho.Client) -> None:
        """Read until nothing is left that the event loop would not announce again."""
        try:
            inner.loop_read()
            while wire.fileno() >= 0 and wire.pending() and self._reading:
                inner.loop_read()
        except Exception as error:  # whatever a callback raised: the connection is in doubt
            log.exception("mqtt connection given up", client=self._client_id, error=str(error))
            wire.give_up()
            inner.loop_read()

    def _drop(self, wire: Wire, inner: paho.Client) -> None:
        """End a connection without a farewell, where it is not ended already."""
        if wire.fileno() >= 0:
            wire.give_up()
            inner.loop_read()

    def _write_soon(self, inner: paho.Client) -> None:
        """Let paho write in the next loop turn: the wire takes all it has, and sends it in one piece."""
        soon = (
            self._loop.call_soon if threading.get_ident() == self._thread else self._loop.call_soon_threadsafe
        )
        soon(inner.loop_write)

    def _set_status(self, **changes: Any) -> None:
        changed = replace(self.status, **changes)
        if changed.connected != self.status.connected:
            changed = replace(changed, since_ms=self._clock_ms())
        self.status = changed


def _inner(client: aiomqtt.Client) -> paho.Client:
    """Reach the paho client; aiomqtt itself offers neither manual acknowledgement nor a publish without a task."""
    return client._client  # noqa: SLF001
