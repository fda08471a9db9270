"""Many connections, what waits for each and what is in flight on it. Every seal has its connection, so that its pings stay in order.

State: of each lane the messages due and unsent, those in flight by packet id, and those whose connection was lost, which go first once it
is back. A message is its number and nothing more; its bytes are made when it leaves. A lane whose window or socket is full waits, and its messages
with it: they are late, and counted as what they are. One event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from simulators.errors import BrokerAwayError, BrokerRefusedError
from simulators.load import packets
from simulators.load.connection import Connection, VersionRefusedError, opened
from simulators.load.latency import Latency
from simulators.load.pings import Pings
from simulators.load.tally import Tally
from simulators.publisher import Account

__all__ = ["VERSIONS", "Lane", "Lanes", "Left"]

RETRY_S = (0.2, 0.5, 1.0, 2.0, 5.0)
"""Waits between attempts to connect again; the last one for ever."""

AT_ONCE = 64
"""Connections that are being opened at a time; brokers answer some thousands a second."""
AT_A_TIME = 2_000
"""Messages written before the loop reads again: some 10 ms of work."""
VERSIONS = {3: "3.1.1", 5: "5"}

Clock = Callable[[], float]


class Left(NamedTuple):
    """A message in flight: its number, and when it was last written, seconds after the start."""

    message: int
    at_s: float


class Lane:
    """One connection's queue; the owner of that connection."""

    def __init__(self, lanes: Lanes, client_id: str, connection: Connection) -> None:
        self.client_id = client_id
        self.waiting: deque[int] = deque()
        self.again: deque[int] = deque()
        self.in_flight: dict[int, Left] = {}
        self.connection: Connection | None = connection
        self._lanes = lanes
        self._next_id = 0
        connection.owner = self

    @property
    def room(self) -> int:
        """How many messages may leave now."""
        if self.connection is None or not self.connection.writable:
            return 0
        return min(self._lanes.window, self.connection.limit) - len(self.in_flight)

    @property
    def backlog(self) -> int:
        """How many wait."""
        return len(self.again) + len(self.waiting)

    def take(self, n: int) -> list[int]:
        """The next n messages, those sent before first."""
        return [self.again.popleft() if self.again else self.waiting.popleft() for _ in range(n)]

    def ids(self, messages: Iterable[int], at_s: float) -> list[int]:
        """Packet ids for messages that leave now, none of them in use; there are more ids than room."""
        found = []
        for message in messages:
            while True:
                self._next_id = self._next_id % packets.MAX_IN_FLIGHT + 1
                if self._next_id not in self.in_flight:
                    break
            self.in_flight[self._next_id] = Left(message, at_s)
            found.append(self._next_id)
        return found

    def acknowledged(self, ids: Sequence[int], codes: Sequence[int] | None) -> None:
        """See `Owner`."""
        left = [found for i in ids if (found := self.in_flight.pop(i, None)) is not None]
        self._lanes.answered(left, codes if codes is not None and len(left) == len(ids) else None)

    def lost(self, reason: str) -> None:
        """See `Owner`: what was in flight is sent again, first, when there is a connection."""
        self.connection = None
        self.again = deque([left.message for left in self.in_flight.values()] + [*self.again])
        self.in_flight = {}
        self._lanes.lost(self, reason)


class Lanes:
    """All lanes. ``open`` first; then ``due`` hands messages over and ``flush`` sends what may leave; both often, from one task.

    ``response`` and ``service`` are how long acknowledgements took from when a message was due, and from when it was last written;
    ``departure`` how late messages left.
    """

    def __init__(self, account: Account, pings: Pings, tally: Tally, clock: Clock, *, window: int) -> None:
        self.window = window
        self.tally = tally
        self.version = 5
        self.response, self.service, self.departure = Latency(), Latency(), Latency()
        self.awaited: dict[int, float | None] = {}
        """Messages that must raise an alert: when each was first written, seconds after the start; None: not yet."""
        self.answered_s = 0.0
        """When the broker last answered, seconds after the start."""
        self._account = account
        self._pings = pings
        self._clock = clock
        self._lanes: list[Lane] = []
        self._busy: dict[Lane, None] = {}
        self._returning: set[asyncio.Task[None]] = set()
        self._samples: tuple[list[float], list[float], list[float]] = ([], [], [])

    async def open(self, count: int, version: int | None, stop: asyncio.Event) -> None:
        """Connect ``count`` times, until told to stop; those refused are counted by their reason, and the rest share their seals.

        Raises
        ------
        BrokerAwayError
            No broker is there.
        BrokerRefusedError
            It let nobody in: why, and what to do.
        """
        name = f"seal-sim-load-{secrets.token_hex(4)}"
        if version is not None:
            self.version = version
        try:
            first = await self._opened(f"{name}-0", fall_back=version is None)
        except BrokerRefusedError as error:
            a = self._account
            raise BrokerRefusedError(
                f"{a.host}:{a.port} refuses the account {a.username!r} ({error}): "
                "give --username and the password of an account that may publish for seals"
            ) from error
        self._lanes = [Lane(self, f"{name}-0", first)]
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(number: int) -> None:
            async with gate:
                if stop.is_set():
                    return
                try:
                    connection = await self._opened(f"{name}-{number}", fall_back=False)
                except (BrokerRefusedError, BrokerAwayError) as error:
                    self._refused(error)
                else:
                    self._lanes.append(Lane(self, f"{name}-{number}", connection))

        await asyncio.gather(*(one(number) for number in range(1, count)))
        self.tally.connections = len(self._lanes)

    def due(self, first: int, stop: int) -> None:
        """Messages ``first`` to ``stop`` (not included) are due: each waits in its seal's lane."""
        lanes, busy = self._lanes, self._busy
        messages = np.arange(first, stop)
        seals = self._pings.schedule.seal(messages)
        for message, lane in zip(messages.tolist(), (seals % len(lanes)).tolist(), strict=True):
            lanes[lane].waiting.append(message)
            busy[lanes[lane]] = None
        self.tally.due = stop

    def flush(self) -> None:
        """Write what there is room for, at most ``AT_A_TIME`` messages: the acknowledgements must be read meanwhile."""
        now_s, left_over = self._clock(), AT_A_TIME
        taken: list[tuple[Lane, int]] = []
        messages: list[int] = []
        ids: list[int] = []
        for lane in list(self._busy):
            n = min(lane.room, lane.backlog, left_over)
            if n > 0:
                left_over -= n
                again = min(n, len(lane.again))
                some = lane.take(n)
                self._leaves(some[again:], now_s)
                self.tally.resent += again
                taken.append((lane, n))
                messages += some
                ids += lane.ids(some, now_s)
            if not lane.backlog:
                del self._busy[lane]
        packed = self._pings.packets(messages, ids, self.version) if messages else []
        at = 0
        for lane, n in taken:
            assert lane.connection is not None
            lane.connection.write(b"".join(packed[at : at + n]))
            at += n

    @property
    def backlog(self) -> bool:
        """Whether anything that is due has not left."""
        return bool(self._busy)

    def answered(self, left: Sequence[Left], codes: Sequence[int] | None) -> None:
        """Count answers of the broker; ``codes`` None: all are success."""
        if codes is not None:
            left = self._accepted(left, codes)
        self.tally.acknowledged += len(left)
        now_s, rate = self._clock(), self._pings.schedule.rate
        self.answered_s = now_s
        response, service, _ = self._samples
        response += [now_s - message / rate for message, _ in left]
        service += [now_s - at_s for _, at_s in left]

    def lost(self, lane: Lane, reason: str) -> None:
        """Count a lost connection, and make another."""
        self.tally.connections_lost[reason] += 1
        if lane.backlog:
            self._busy[lane] = None
        task = asyncio.create_task(self._return(lane))
        self._returning.add(task)
        task.add_done_callback(self._returning.discard)

    def keep_alive(self) -> None:
        """Let the broker know that we are there; well within each keep-alive time."""
        for lane in self._lanes:
            if lane.connection is not None:
                lane.connection.write(packets.PING)

    def settle(self) -> None:
        """Put what was measured since the last time into the histograms."""
        for latency, samples in zip(
            (self.response, self.service, self.departure), self._samples, strict=True
        ):
            if samples:
                latency.record(samples)
                samples.clear()

    async def close(self) -> None:
        """Disconnect; what is in flight stays what it is."""
        for task in [*self._returning]:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        for lane in self._lanes:
            if lane.connection is not None:
                lane.connection.close()
                lane.connection = None

    def _leaves(self, messages: Sequence[int], now_s: float) -> None:
        """Note messages that leave for the first time."""
        self.tally.sent += len(messages)
        rate = self._pings.schedule.rate
        self._samples[2].extend([now_s - message / rate for message in messages])
        for message in messages:
            if message in self.awaited:
                self.awaited[message] = now_s

    def _accepted(self, left: Sequence[Left], codes: Sequence[int]) -> list[Left]:
        accepted = []
        for one, code in zip(left, codes, strict=True):
            if code >= packets.REFUSED_FROM:
                self.tally.refused[packets.name_of_puback(code)] += 1
                continue
            self.tally.without_subscriber += code == packets.NO_SUBSCRIBER
            accepted.append(one)
        return accepted

    def _refused(self, error: BrokerRefusedError | BrokerAwayError) -> None:
        reason = error.reason if isinstance(error, BrokerAwayError) else str(error)
        self.tally.connections_refused[reason] += 1

    async def _opened(self, client_id: str, *, fall_back: bool) -> Connection:
        try:
            return await opened(self._account, client_id, self.version)
        except VersionRefusedError as error:
            if not fall_back:
                raise BrokerRefusedError(f"it does not speak MQTT {VERSIONS[self.version]}") from error
        self.version = 3
        return await self._opened(client_id, fall_back=False)

    async def _return(self, lane: Lane) -> None:
        """Connect a lane again, however often it takes."""
        for attempt in range(1_000_000):
            wait_s = RETRY_S[min(attempt, len(RETRY_S) - 1)]
            await asyncio.sleep(wait_s * random.uniform(0.75, 1.25))
            try:
                connection = await self._opened(lane.client_id, fall_back=False)
            except (BrokerRefusedError, BrokerAwayError) as error:
                self._refused(error)
            else:
                lane.connection, connection.owner = connection, lane
                return
