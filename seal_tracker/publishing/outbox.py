"""The transactional outbox's way to MQTT: in order for each subject, many subjects at once.

::

    commit ──► put(rows) ──► a queue a subject ──► one publish in flight a subject ──► PUBACK ──► outbox_done(ids)
                  │ full: left in the table                                                          (in batches)
                  └──────► read back from the table, page by page, when there is room

Rows are in the database before they are here, so memory is only a shortcut: what does not fit is read back later, in
the same order. At least once: whatever was in flight when the connection or the process ended is sent again, and
ahead of its subject's later rows. A publish that the broker does not acknowledge is sent again after
``ACKNOWLEDGE_WITHIN_S`` and holds its subject only; one that can never be sent (too large, no valid topic) holds its
subject until the next start, and ``status`` says so.

Not thread-safe; everything runs on the loop that entered the publisher.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final, Self

import structlog

from seal_tracker.publishing.cloudevents import ServiceState, state_payload
from seal_tracker.publishing.rows import (
    NOT_STORED,
    OutboxRow,
    OutboxStore,
    PublisherStatus,
    StateRow,
    SubjectQueue,
)
from seal_tracker.publishing.topics import service_topic
from seal_tracker.sources.framing import RawMessage
from seal_tracker.sources.link import Broker, Link, Will, pauses_s

__all__ = ["OutboxPublisher", "OutboxRow", "OutboxStore", "PublisherStatus"]

log: Any = structlog.get_logger(__name__)

ACKNOWLEDGE_WITHIN_S: Final = 20.0
"""A broker that is alive acknowledges in milliseconds; beyond this the publish, or its acknowledgement, is lost."""

SWEEP_S: Final = 1.0
"""How often unacknowledged publishes are looked at."""

DELETE_EVERY_S: Final = 0.25
"""How long acknowledged rows gather before they are deleted, since each deletion is a commit that the next alert may have to wait
behind. A process that is killed meanwhile sends that much again."""

MAX_IN_FLIGHT: Final = 1_000
"""Publishes unacknowledged at once, each of another subject; ten times what a broker needs to be kept busy."""

MAX_ROWS: Final = 20_000
"""Rows in memory, some 20 MB; more stay in the table until there is room."""

PAGE_ROWS: Final = 2_000
"""Rows read back at once."""

MAX_PAYLOAD_BYTES: Final = 900_000
"""NATS ends the connection of whoever sends more than its ``max_payload`` of 1 MB; so a larger event is held here."""


class OutboxPublisher:
    """Publishes outbox rows and retained states as ``instance``. Use as an async context manager.

    Parameters
    ----------
    broker, client_id
        A session of its own, clean: nothing is subscribed, and what is unacknowledged is here or in the table.
    store
        Where rows wait.
    tenant, instance, version
        For ``svc/{instance}``: retained ``online`` with the version, and its last will, ``offline``.
    clock_ms
        Our clock, UTC epoch ms.
    """

    def __init__(
        self,
        broker: Broker,
        client_id: str,
        store: OutboxStore,
        *,
        tenant: str,
        instance: str,
        version: str,
        clock_ms: Callable[[], int],
        max_rows: int = MAX_ROWS,
        acknowledge_within_s: float = ACKNOWLEDGE_WITHIN_S,
    ) -> None:
        self._store = store
        self._topic = service_topic(tenant, instance)
        self._version = version
        self._max_rows = max_rows
        self._acknowledge_within_s = acknowledge_within_s
        will = Will(self._topic, self._self_state("offline"), 1, retain=True)
        self._link = Link(broker, client_id, self, clock_ms=clock_ms, durable=False, will=will)
        self._subjects: dict[str, SubjectQueue] = {}
        self._ready: deque[str] = deque()
        self._in_flight: dict[int, str] = {}
        self._held: dict[str, str] = {}
        self._rows = 0
        self._published = 0
        self._newest_put = 0
        self._newest_here = 0
        self._behind = True
        self._room = asyncio.Event()
        self._done: list[int] = []
        self._done_some = asyncio.Event()
        self._settled = asyncio.Event()
        self._pump_planned = False
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def status(self) -> PublisherStatus:
        """The present state."""
        return PublisherStatus(
            self._link.status, self._rows, len(self._in_flight), dict(self._held), self._published
        )

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._room.set()
        await self._link.__aenter__()
        self._tasks = [
            self._loop.create_task(work()) for work in (self._read_back, self._delete_done, self._sweep)
        ]
        return self

    async def __aexit__(self, *error: object) -> None:
        self._link.publish(self._topic, self._self_state("offline"), retain=True)
        for task in self._tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await self._link.__aexit__(*error)
        if self._done:
            await self._store.outbox_done(self._done)

    def put(self, rows: Sequence[OutboxRow]) -> None:
        """Publish rows that have just been committed, in ascending id order from call to call.

        Returns at once. Where memory is full they are left in the table, and read back in their turn.
        """
        if not rows:
            return
        self._newest_put = rows[-1].id
        if self._behind or self._rows + len(rows) > self._max_rows:
            self._behind = True
            self._room_or_not()
            return
        self._newest_here = rows[-1].id
        self._enqueue(rows)
        self._pump()
        self._link.flush()  # before the next batch is judged, which the loop's next turn may have to wait for

    def publish_state(self, topic: str, payload: bytes) -> None:
        """Publish a retained state; an empty payload removes it. Of several that wait, only the newest is sent.

        Not in the outbox: lost with the process, so whoever owns the state publishes it again after a start.
        """
        name = f"state {topic}"
        if subject := self._subjects.get(name):
            in_flight = 0 if subject.mid is None else 1
            while len(subject.rows) > in_flight:
                subject.rows.pop()
                self._rows -= 1
        self._enqueue([StateRow(NOT_STORED, name, topic, payload, retain=True)])

    def publish_transient(self, topic: str, payload: bytes) -> bool:
        """Publish what is worth nothing later: at once or not at all, not retained; False without a connection."""
        return self._link.publish(topic, payload) is not None

    async def drained(self) -> None:
        """Wait until all that was put is acknowledged, or held, and deleted."""
        while self._rows or self._behind or self._done:
            self._settled.clear()
            await self._settled.wait()

    async def connected(self) -> None:
        """Say who we are; then everything that waits goes out."""
        self._link.publish(self._topic, self._self_state("online"), retain=True)
        self._pump()

    def disconnected(self) -> None:
        """Let every subject that was in flight begin again with the same row."""
        self._in_flight.clear()
        for name, subject in self._subjects.items():
            if subject.mid is not None:
                subject.mid = None
                self._ready.append(name)

    def received(self, messages: list[RawMessage]) -> None:
        """Nothing: a publisher subscribes to nothing."""

    def published(self, mid: int) -> None:
        """Go on with the subject whose publish the broker has acknowledged."""
        name = self._in_flight.pop(mid, None)
        if name is None:
            return
        subject = self._subjects[name]
        row = subject.rows.popleft()
        subject.mid = None
        self._rows -= 1
        self._published += 1
        if row.id == NOT_STORED:
            self._settled.set()
        else:
            self._done.append(row.id)
            self._done_some.set()
        if subject.rows:
            self._ready.append(name)
        else:
            del self._subjects[name]
        self._room_or_not()
        self._pump_soon()

    def _enqueue(self, rows: Sequence[OutboxRow]) -> None:
        for row in rows:
            if row.subject in self._held:
                continue
            subject = self._subjects.setdefault(row.subject, SubjectQueue())
            if not subject.rows:
                self._ready.append(row.subject)
            subject.rows.append(row)
            self._rows += 1
        self._pump_soon()

    def _pump_soon(self) -> None:
        if not self._pump_planned:
            self._pump_planned = True
            self._loop.call_soon(self._pump)

    def _pump(self) -> None:
        """Publish for every subject that has a row and none in flight, while the window and the connection allow."""
        self._pump_planned = False
        while self._ready and len(self._in_flight) < MAX_IN_FLIGHT and self._link.status.connected:
            name = self._ready.popleft()
            subject = self._subjects.get(name)
            if subject is None or not subject.rows or subject.mid is not None:
                continue
            row = subject.rows[0]
            try:
                mid = self._publish(row)
            except ValueError as error:
                self._hold(name, str(error))
                continue
            if mid is None:
                self._ready.appendleft(name)
                return
            subject.mid, subject.sent_s = mid, self._loop.time()
            self._in_flight[mid] = name

    def _publish(self, row: OutboxRow) -> int | None:
        if len(row.payload) > MAX_PAYLOAD_BYTES:
            raise ValueError(
                f"payload of {len(row.payload)} bytes: at most {MAX_PAYLOAD_BYTES} can be published"
            )
        return self._link.publish(row.topic, row.payload, retain=row.retain)

    def _hold(self, name: str, reason: str) -> None:
        """Take a subject out of the way; its rows stay in the table, and the next start tries them again."""
        subject = self._subjects.pop(name)
        self._rows -= len(subject.rows)
        self._held[name] = reason
        self._settled.set()
        log.error("publishing.subject_held", subject=name, row=subject.rows[0].id, reason=reason)

    def _room_or_not(self) -> None:
        if self._behind and self._rows <= self._max_rows // 2:
            self._room.set()

    async def _read_back(self) -> None:
        """Bring rows from the table whenever memory is behind it: at the start, and after it was full."""
        pauses = pauses_s()
        while True:
            await self._room.wait()
            self._room.clear()
            while self._behind and self._rows <= self._max_rows // 2:
                expected = self._newest_put
                try:
                    page = await self._store.outbox_pending(self._newest_here, PAGE_ROWS)
                except Exception as error:  # noqa: BLE001  whatever the database raised: it will be back
                    log.warning("publishing.outbox_unreadable", error=str(error))
                    await asyncio.sleep(next(pauses))
                    continue
                pauses = pauses_s()
                if page:
                    self._newest_here = page[-1].id
                    self._enqueue(page)
                elif expected == self._newest_put:
                    self._behind = False
                    self._settled.set()

    async def _delete_done(self) -> None:
        """Delete acknowledged rows, all that gathered in a while."""
        pauses = pauses_s()
        while True:
            await self._done_some.wait()
            await asyncio.sleep(DELETE_EVERY_S)
            ids = self._done[:]
            try:
                await self._store.outbox_done(ids)
            except Exception as error:  # noqa: BLE001  the rows stay, and may be sent again after a start
                log.warning("publishing.outbox_not_cleared", error=str(error))
                await asyncio.sleep(next(pauses))
                continue
            pauses = pauses_s()
            del self._done[: len(ids)]
            if not self._done:
                self._done_some.clear()
                self._settled.set()

    async def _sweep(self) -> None:
        """Send again what has waited too long for its acknowledgement."""
        while True:
            await asyncio.sleep(min(SWEEP_S, self._acknowledge_within_s))
            overdue_s = self._loop.time() - self._acknowledge_within_s
            for mid, name in list(self._in_flight.items()):
                subject = self._subjects[name]
                if subject.sent_s < overdue_s:
                    log.warning("publishing.not_acknowledged", subject=name, row=subject.rows[0].id)
                    del self._in_flight[mid]
                    subject.mid = None
                    self._ready.append(name)
            self._pump()

    def _self_state(self, state: str) -> bytes:
        return state_payload(ServiceState(state=state, version=self._version))
