"""``GET /api/v1/stream``: one client's Server-Sent Events, from its own task, so that no client waits for another.

    subscribe → read from the database what was missed → live
        ↑ fell behind: again, from the last sequence sent ↓

The subscription starts before the database is read, and what it queued meanwhile is sent only if its sequence is above the last
one sent: no gap, no duplicate.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Any, Final

import structlog
from aiohttp import web

from seal_tracker.store.filters import EventFilter
from seal_tracker.web.accounts import Right
from seal_tracker.web.auth import scope_of, still_signed_in
from seal_tracker.web.context import CONTEXT, Reading
from seal_tracker.web.cursors import EventCursor, encode_cursor
from seal_tracker.web.errors import BadParameter
from seal_tracker.web.middlewares import cut
from seal_tracker.web.queries import StreamQuery, cursor_of, read_query
from seal_tracker.web.reading import known_space
from seal_tracker.web.routes import Route
from seal_tracker.web.sse import Subscription, event_frame

__all__ = ["ROUTES", "STREAMS", "end_streams", "stream"]

log = structlog.get_logger(__name__)

HEARTBEAT_S: Final = 15.0
"""A comment at least this often: proxies close what is silent for 30 to 60 s, and a dead peer is found by writing."""

WRITE_TIMEOUT_S: Final = 30.0
"""A client that takes nothing for so long is cut off; it comes back with its last id and loses nothing."""

RETRY_MS: Final = 2000
"""What browsers are told to wait before they come back."""

CATCH_UP_PAGE: Final = 500
"""Events read from the database at once."""

CLOSING_S: Final = 1.0
"""How long streams may take to end at shutdown before they are cut."""

Streams = set[asyncio.Task[Any]]
STREAMS: web.AppKey[Streams] = web.AppKey("streams", set)


async def stream(request: web.Request) -> web.StreamResponse:
    """The stream of one space, until the client leaves, may no longer see it, or the service stops."""
    query = read_query(request, StreamQuery)
    known_space(request, query.space)
    context = request.app[CONTEXT]
    sequence = await first_sequence(request, query, context.store)
    task = asyncio.current_task()
    assert task is not None
    request.app[STREAMS].add(task)
    try:
        with context.hub.subscribe(query.space, scope_of(request)) as subscription:
            response = await begin(request, sequence)
            client = Client(response, context.store, subscription, query.space, sequence)
            await send(client, request)
    finally:
        request.app[STREAMS].discard(task)
    return response


async def send(client: Client, request: web.Request) -> None:
    """Send until the end; a client that left or takes nothing is cut, since an orderly end would wait for it too."""
    try:
        await client.run(request)
    except (ConnectionError, TimeoutError):
        cut(request)
    except asyncio.CancelledError:
        cut(request)
        raise


class Client:
    """One client: its subscription, and the last sequence it was sent."""

    def __init__(
        self,
        response: web.StreamResponse,
        store: Reading,
        subscription: Subscription,
        space: str,
        sequence: int,
    ) -> None:
        self._response = response
        self._store = store
        self._subscription = subscription
        self._space = space
        self._sequence = sequence

    async def run(self, request: web.Request) -> None:
        """Send until the end."""
        subscription, clock = self._subscription, asyncio.get_running_loop().time
        asked_at_s = clock()
        await self._catch_up()
        while not subscription.closed:
            if subscription.behind:
                await self._catch_up()
            await self._send_events(subscription.take_events())
            if not subscription.behind:
                for frame in subscription.take_states():
                    await self._write(frame)
            quiet = not await subscription.wait(max(0.0, asked_at_s + HEARTBEAT_S - clock()))
            if clock() - asked_at_s >= HEARTBEAT_S:
                if not await still_signed_in(request):
                    return
                asked_at_s = clock()
            if quiet:
                await self._write(b": alive\n\n")

    async def _catch_up(self) -> None:
        """Send everything the database has after the last sequence sent."""
        self._subscription.caught_up_from_here()
        while not self._subscription.closed:
            page = await self._store.events_after(
                self._space, self._sequence, CATCH_UP_PAGE, EventFilter(units=self._subscription.scope)
            )
            await self._send_events([(sequence, event_frame(sequence, body)) for sequence, body in page])
            if len(page) < CATCH_UP_PAGE:
                return

    async def _send_events(self, events: list[tuple[int, bytes]]) -> None:
        """Send those not sent yet, as one write."""
        fresh = [(sequence, frame) for sequence, frame in events if sequence > self._sequence]
        if fresh:
            await self._write(b"".join(frame for _, frame in fresh))
            self._sequence = fresh[-1][0]

    async def _write(self, frame: bytes) -> None:
        async with asyncio.timeout(WRITE_TIMEOUT_S):
            await self._response.write(frame)


async def first_sequence(request: web.Request, query: StreamQuery, store: Reading) -> int:
    """The last sequence the client has; without an id, the newest there is: a stream begins with now.

    Raises
    ------
    BadParameter
        Not a cursor, or one ahead of the database, as after a restore: what it has seen is not what is here.
    """
    newest = await store.last_sequence()
    given, field = query.last_event_id, "last_event_id"
    if header := request.headers.get("Last-Event-ID"):
        given, field = header, "Last-Event-ID"
    cursor = cursor_of(given, EventCursor, field)
    if cursor is None:
        return newest
    if cursor.sequence > newest:
        raise BadParameter(f"{field}: ahead of the newest event; start again without it", field=field)
    return cursor.sequence


async def begin(request: web.Request, sequence: int) -> web.StreamResponse:
    """Send the head, the retry time and the cursor this stream starts from, so that a client cut off early resumes there."""
    headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    response = web.StreamResponse(headers=headers)
    await response.prepare(request)
    connection = request.transport.get_extra_info("socket") if request.transport else None
    if connection is not None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    cursor = encode_cursor(EventCursor(sequence))
    await response.write(f"retry: {RETRY_MS}\nid: {cursor}\n\n".encode())
    return response


async def end_streams(app: web.Application) -> None:
    """At shutdown: ask every stream to end; cut those whose client does not take even that."""
    app[CONTEXT].hub.close()
    running: list[asyncio.Task[Any]] = [*app[STREAMS]]
    if not running:
        return
    _, late = await asyncio.wait(running, timeout=CLOSING_S)
    for task in late:
        task.cancel()
    if late:
        log.info("streams_cut", count=len(late))


ROUTES: Final = (
    Route(
        "GET", "/api/v1/stream", stream, Right.READ, "Events, alarms, journeys, positions and commands to seals as they come: Server-Sent Events.",
        query=StreamQuery, media=("text/event-stream",), problems=(404,),
    ),
)  # fmt: skip
