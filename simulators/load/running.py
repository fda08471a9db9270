"""A load from its first connection to its report: what is due is handed over, what may leave is sent, and at the end what came is waited for."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass

from simulators.errors import SimulatorError
from simulators.load.alerts import Alerts
from simulators.load.lanes import Lanes
from simulators.load.pings import Pings
from simulators.load.plan import Senders
from simulators.load.schedule import Alerting, Schedule
from simulators.load.tally import Tally
from simulators.load.vehicles import Vehicles
from simulators.publisher import Account

__all__ = ["Done", "Load", "Progress", "Stops", "run"]

TICK_S = 0.002
"""Between two looks at what is due, at least; so much later than due a message may leave of itself."""
REST_S = 0.02
"""Between two looks when nothing is left to send."""
LOOK_S = 1.0
"""Between two lines of progress."""
KEEP_ALIVE_S = 20.0
LEAD_S = 0.2
"""From the last connection to the first message."""


@dataclass(frozen=True, slots=True)
class Load:
    """What is to be done. ``version`` None: MQTT 5, else 3.1.1. ``listener`` None: nobody listens for alerts, and none are raised."""

    account: Account
    root: str
    senders: Senders
    rate: float
    for_s: float | None
    connections: int
    window: int
    alerts: float
    seed: int
    wait_s: float
    version: int | None = None
    listener: Account | None = None


@dataclass(slots=True)
class Done:
    """What was done: ``sending_s`` is how long messages were due for, ``processor_s`` what that and the waiting cost us, ``complete``
    False if somebody stopped it.
    """

    load: Load
    tally: Tally
    lanes: Lanes
    alerts: Alerts
    asked_alerts: int
    sending_s: float
    processor_s: float
    complete: bool
    trouble: str | None = None
    """Why alerts could not be heard to the end."""


@dataclass(slots=True)
class Stops:
    """``sending`` ends the sending, ``waiting`` the waiting after it too."""

    sending: asyncio.Event
    waiting: asyncio.Event


Progress = Callable[[float, Tally, Alerts], None]
"""Told once a second: seconds since the start, and the counts."""


async def run(load: Load, stops: Stops, progress: Progress) -> Done:
    """Run a load to its end, or until it is stopped.

    Raises
    ------
    BrokerAwayError, BrokerRefusedError
        Nothing could be sent at all, or alerts cannot be heard: where, why, and what to do.
    """
    began = _Beginning()

    clock = began.clock
    schedule = Schedule.of(len(load.senders.names), load.rate, load.for_s, load.seed)
    alerting = Alerting(schedule, load.alerts if load.listener else 0.0)
    vehicles = Vehicles.of(load.senders, load.seed)
    pings = Pings.of(schedule, alerting, vehicles, load.senders.names, load.root)
    tally, alerts = Tally(), Alerts(clock)
    lanes = Lanes(load.account, pings, tally, clock, window=load.window)
    lanes.awaited = alerts.left_s
    listening = await _listening(load, alerts) if load.listener else None
    try:
        await lanes.open(load.connections, load.version, stops.sending)
        processor_s = time.process_time()
        began.monotonic_s = time.monotonic() + LEAD_S
        pings.start(round((time.time() + LEAD_S) * 1000))
        sender = _Sender(pings, alerting, lanes, alerts, clock, progress)
        await sender.send(stops.sending)
        sending_s = min(clock(), load.for_s or clock())
        await sender.wait(load.wait_s, stops.waiting)
        complete = not stops.sending.is_set()
        trouble = _trouble(listening)
        return Done(
            load,
            tally,
            lanes,
            alerts,
            sender.asked_alerts,
            sending_s,
            time.process_time() - processor_s,
            complete,
            trouble,
        )
    finally:
        await lanes.close()
        if listening is not None:
            listening.cancel()
            with contextlib.suppress(asyncio.CancelledError, SimulatorError):
                await listening


@dataclass(slots=True)
class _Beginning:
    """The clock of a load; negative before its first message is due."""

    monotonic_s: float = float("inf")

    def clock(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.monotonic_s


async def _listening(load: Load, alerts: Alerts) -> asyncio.Task[None]:
    assert load.listener is not None
    ready = asyncio.Event()
    task = asyncio.create_task(alerts.listen(load.listener, load.root, ready.set))
    waiting = asyncio.create_task(ready.wait())
    await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if task.done():
        await task
    return task


def _trouble(listening: asyncio.Task[None] | None) -> str | None:
    if listening is None or not listening.done() or listening.cancelled():
        return None
    return str(listening.exception())


@dataclass(slots=True)
class _Sender:
    """Hands over what is due, and looks after what is measured once a second."""

    pings: Pings
    alerting: Alerting
    lanes: Lanes
    alerts: Alerts
    clock: Callable[[], float]
    progress: Progress
    asked_alerts: int = 0
    _handed: int = 0
    _looked_s: float = 0.0
    _kept_s: float = 0.0

    async def send(self, stop: asyncio.Event) -> None:
        """Until all is due, or told to stop."""
        schedule = self.pings.schedule
        while not stop.is_set() and self._handed != schedule.total:
            self._hand_over(schedule.due(self.clock()))
            self._turn()
            ahead_s = self._handed / schedule.rate - self.clock()
            await asyncio.sleep(max(TICK_S, min(ahead_s, LOOK_S)) if not self.lanes.backlog else TICK_S)

    async def wait(self, wait_s: float, stop: asyncio.Event) -> None:
        """Until everything was sent and answered and every alert came, but no longer than that, and not when told to stop."""
        end_s = self.clock() + wait_s
        while self.clock() < end_s and not stop.is_set():
            tally = self.lanes.tally
            if not (self.lanes.backlog or tally.in_flight or self.alerts.missing):
                break
            self._turn()
            await asyncio.sleep(TICK_S if self.lanes.backlog else REST_S)
        self.alerts.forget_unsent()
        self._settle()

    def _hand_over(self, stop: int) -> None:
        if stop > self._handed:
            for message in self.alerting.among(self._handed, stop):
                key = self.pings.alert_of(message)
                self.alerts.expect(key, message, message / self.pings.schedule.rate)
                self.asked_alerts += 1
            self.lanes.due(self._handed, stop)
            self._handed = stop

    def _turn(self) -> None:
        self.lanes.flush()
        now_s = self.clock()
        if now_s - self._looked_s >= LOOK_S:
            self._looked_s = now_s
            self._settle()
            self.progress(now_s, self.lanes.tally, self.alerts)
        if now_s - self._kept_s >= KEEP_ALIVE_S:
            self._kept_s = now_s
            self.lanes.keep_alive()

    def _settle(self) -> None:
        self.lanes.settle()
        self.alerts.settle()
