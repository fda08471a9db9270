"""Sends webhooks: each from its own cursor in the log of events, in order, one at a time; many of them beside each other.

    hooks due ─ events after the cursor ─ wanted? ─ POST, signed ─┬─ 2xx: on to the next
                                                                 └─ else: later, after a pause that doubles; given up in the end

State: none but a client session; how far a webhook has come stands in the database, so a restart sends at most one event again.
A slow receiver holds up itself alone. Everything runs on the event loop.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final, Protocol

import aiohttp
import msgspec
import structlog
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import DefaultResolver

from seal_tracker.hooks.rows import HookRow, Progress
from seal_tracker.hooks.rules import after_failure, after_success, is_public, narrowed, refusal_of, wanted
from seal_tracker.hooks.signing import headers_of
from seal_tracker.metrics import HOOK_DELIVERIES
from seal_tracker.store.errors import StoreError

__all__ = ["HookSender", "PrivateAddressError", "deliver", "open_session"]

log = structlog.get_logger(__name__)

LOOK_EVERY_S: Final = 0.5
"""How often the log is looked at for something to send."""

ANSWER_S: Final = 10.0
"""A receiver that takes longer is taken to be away."""

AT_ONCE: Final = 16
"""Webhooks sent to beside each other."""

EVENTS_AT_ONCE: Final = 200
"""Events read for a webhook at once; it then makes room for others."""

MOST_ANSWER_BYTES: Final = 2_000
"""Of an answer that refuses, so much is read to say why."""

OK: Final = range(200, 300)


AddrInfo = tuple[int, int, int, str, tuple[Any, ...]]
"""As ``socket.getaddrinfo`` gives it: family, kind, protocol, name, address."""


class PrivateAddressError(OSError):
    """A name or address that leads where webhooks may not go."""

    def __init__(self, host: str) -> None:
        super().__init__(errno.EACCES, f"{host} leads to a private address, where webhooks may not go")


class HookStore(Protocol):
    """What is read and noted."""

    async def hooks_due(self, now_ms: int) -> Sequence[tuple[HookRow, Progress]]: ...
    async def set_progress(self, progress: Progress) -> None: ...
    async def events_after(self, space: str, sequence: int, limit: int) -> Sequence[tuple[int, bytes]]: ...


class PublicResolver(AbstractResolver):
    """Resolves names and leaves out private addresses, so that what was looked at is what is connected to."""

    def __init__(self) -> None:
        self._inner = DefaultResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The public addresses of a host."""
        found = await self._inner.resolve(host, port, family)
        public = [one for one in found if is_public(one["host"])]
        if not public:
            raise PrivateAddressError(host)
        return public

    async def close(self) -> None:
        """Close what it works with."""
        await self._inner.close()


def public_socket(address: AddrInfo) -> socket.socket:
    """A socket for a connection to a public address: the last door, through which every connection goes, that to a literal too.

    Raises
    ------
    PrivateAddressError
        The address is not public.
    """
    family, kind, protocol, _, where = address
    if not is_public(str(where[0])):
        raise PrivateAddressError(str(where[0]))
    return socket.socket(family, kind, protocol)


def open_session(*, private: bool) -> aiohttp.ClientSession:
    """A client that goes to public addresses alone, unless ``private``. It keeps no cookies, takes no proxy and unpacks nothing: of an
    answer little is read, and a little that is packed can be much.
    """
    connector = aiohttp.TCPConnector(
        resolver=None if private else PublicResolver(),
        socket_factory=None if private else public_socket,
        limit=AT_ONCE,
    )
    return aiohttp.ClientSession(
        connector=connector,
        timeout=aiohttp.ClientTimeout(total=ANSWER_S),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        headers={"User-Agent": "seal-tracker"},
    )


async def deliver(
    session: aiohttp.ClientSession, hook: HookRow, message_id: str, body: bytes, now_ms: int, *, private: bool
) -> tuple[int | None, str]:
    """Send one event.

    Returns
    -------
    status, why
        of the answer, None where there was none; what to tell of a failure, in one line.
    """
    refusal = refusal_of(hook.url, private=private)
    if refusal is not None:
        return None, f"{hook.url} {refusal}"
    headers = headers_of(hook.secret, message_id, now_ms // 1000, body)
    try:
        # A redirect could lead anywhere, and a receiver that has moved can be told so.
        async with session.post(hook.url, data=body, headers=headers, allow_redirects=False) as answer:
            said = b"" if answer.status in OK else await answer.content.read(MOST_ANSWER_BYTES)
            text = " ".join(said.decode("utf-8", "replace").split())
            return answer.status, f"answered {answer.status}: {text}".rstrip(": ")
    except TimeoutError:
        return None, f"did not answer within {ANSWER_S:.0f} s"
    except (aiohttp.ClientError, OSError, ValueError) as error:
        return None, f"{type(error).__name__}: {error}"


class HookSender:
    """Keep ``run`` running. See the module."""

    def __init__(
        self,
        store: HookStore,
        *,
        private: bool,
        clock_ms: Callable[[], int],
        sees: Callable[[str], Collection[str] | None] = lambda _: None,
    ) -> None:
        """``sees`` gives the units that an account sees now, None for all: an owner is sent no more than that."""
        self._store = store
        self._sees = sees
        self._private = private
        self._clock_ms = clock_ms

    async def run(self) -> None:
        """Send what is due, for ever. Ends by cancellation; what is under way is sent again after a start."""
        places = asyncio.Semaphore(AT_ONCE)
        async with open_session(private=self._private) as session:
            busy: dict[object, asyncio.Task[None]] = {}
            try:
                while True:
                    with suppress(
                        StoreError
                    ):  # the database is away: the pipeline says so, and its time comes again
                        for hook, progress in await self._store.hooks_due(self._clock_ms()):
                            if hook.id not in busy:
                                task = asyncio.create_task(self._work(session, places, hook, progress))
                                busy[hook.id] = task
                                task.add_done_callback(partial(_ended, busy, hook.id))
                    await asyncio.sleep(LOOK_EVERY_S)
            finally:
                for task in busy.values():
                    task.cancel()
                await asyncio.gather(*busy.values(), return_exceptions=True)

    async def _work(
        self, session: aiohttp.ClientSession, places: asyncio.Semaphore, hook: HookRow, progress: Progress
    ) -> None:
        """Send a webhook its next events, up to one that is not taken."""
        async with places:
            begun = progress.sequence
            hook = hook._replace(units=narrowed(hook.units, self._sees(hook.owner)))
            for sequence, body in await self._store.events_after(hook.space, begun, EVENTS_AT_ONCE):
                event = msgspec.json.decode(body)
                if not wanted(hook, event):
                    progress = progress._replace(sequence=sequence)
                    continue
                now_ms = self._clock_ms()
                status, why = await deliver(session, hook, event["id"], body, now_ms, private=self._private)
                if status is not None and status in OK:
                    HOOK_DELIVERIES.labels("delivered").inc()
                    progress = after_success(progress, sequence, self._clock_ms())
                    await self._store.set_progress(progress)
                    continue
                HOOK_DELIVERIES.labels("failed").inc()
                progress = after_failure(progress, status, why, self._clock_ms())
                await self._store.set_progress(progress)
                given_up = progress.gave_up_ms is not None
                log.warning("hook.not_delivered", hook=str(hook.id), url=hook.url, why=why, given_up=given_up)
                return
            if progress.sequence != begun:
                await self._store.set_progress(progress)


def _ended(busy: dict[object, asyncio.Task[None]], key: object, task: asyncio.Task[None]) -> None:
    busy.pop(key, None)
    if not task.cancelled() and (fault := task.exception()) is not None:
        log.warning("hook.interrupted", hook=str(key), error=repr(fault))
