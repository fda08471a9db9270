"""The device on the truck: when it takes a fix, what its receiver, battery, lock and modem make of it.

``Seal.reports`` is a generator with the seal's state inside; two generators of one seal give the same reports. Nothing reads
a clock: times are UTC epoch milliseconds that follow from the journey's start.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from simulators.drive import Drive
from simulators.roads import Road
from simulators.wire import Ping, instant
from simulators.world.gnss import CorrelatedError
from simulators.world.lock import LockChange, lock_at
from simulators.world.modem import Outage, through_outages
from simulators.world.reporting import ASLEEP_INTERVAL_S
from simulators.world.spans import Span

__all__ = ["Report", "Seal"]

LIVE_FASTER = 6
"""Followed live, a seal reports six times as often: every 5 to 10 s instead of 30 to 60 s."""
PARKED_INTERVAL_S = 60
PARKED_AFTER_S = 900.0


class Report(NamedTuple):
    """A ping, its fix time, and the time it left the seal where there was coverage: later than the fix if buffered."""

    time_ms: int
    sent_ms: int
    ping: Ping


@dataclass(slots=True)
class Seal:
    """One seal on one journey. Filled while a journey is planned, then only read."""

    id: str
    road: Road
    drive: Drive
    start_ms: int
    noise_seed: tuple[int, ...]
    interval_s: int
    sigma_m: float
    battery_pct: float
    drain_pct_h: float
    lock_changes: list[LockChange] = field(default_factory=list)
    outages: list[Outage] = field(default_factory=list)
    sleeps: list[Span] = field(default_factory=list)
    jammed: list[Span] = field(default_factory=list)
    """Somebody drowns the satellites; the receiver notices, and the modem goes on."""
    unseen: list[Span] = field(default_factory=list)
    """Spans in which, as it happens, no fix is taken: the one before comes a little earlier, the next right after."""

    def reports(self, live_from_ms: int) -> Iterator[Report]:
        """Reports in the order in which they leave the seal, without end; fixes come faster from ``live_from_ms`` on."""
        for sent_s, report, _kept in through_outages(self._taken(live_from_ms), self.outages):
            yield report._replace(sent_ms=self.start_ms + round(sent_s) * 1000)

    def _taken(self, live_from_ms: int) -> Iterator[tuple[float, Report]]:
        """Reports in the order in which they are made."""
        rng = np.random.default_rng(self.noise_seed)
        error = CorrelatedError(rng, self.sigma_m)
        for seq, (time_s, facts) in enumerate(self._fixes(rng, live_from_ms)):
            time_ms = self.start_ms + round(time_s) * 1000
            ping = self._ping(round(time_s), seq, facts, error, rng, self._interval_s(time_s, live_from_ms))
            yield time_s, Report(time_ms, time_ms, ping)

    def battery_at(self, time_s: float) -> int:
        """Charge as the device tells it: whole per cent, rounded down."""
        return max(1, int(self.battery_pct - self.drain_pct_h * time_s / 3600.0))

    def lock_at(self, time_s: float) -> str:
        """State of the lock, closed at arming."""
        return lock_at(self.lock_changes, time_s)

    def _interval_s(self, time_s: float, live_from_ms: int) -> int:
        if any(s.holds(time_s) for s in self.sleeps):
            return ASLEEP_INTERVAL_S
        if time_s > self.drive.duration_s + PARKED_AFTER_S:
            return PARKED_INTERVAL_S
        if self.start_ms + time_s * 1000.0 >= live_from_ms:
            return self._live_interval_s
        return self.interval_s

    @property
    def _live_interval_s(self) -> int:
        return max(5, self.interval_s // LIVE_FASTER)

    def _fixes(self, rng: np.random.Generator, live_from_ms: int) -> Iterator[tuple[float, tuple[str, ...]]]:
        """Times of fixes with the facts told at each: on schedule, and at once when the lock changes or the seal wakes or dozes."""
        alarms = sorted((c.at_s, c.facts) for c in self.lock_changes)
        turns = sorted(t for s in self.sleeps for t in s)
        time_s = float(rng.integers(0, self.interval_s))
        while True:
            time_s = round(next((s.to_s + 1.0 for s in self.unseen if s.holds(time_s)), time_s))
            now_told: tuple[str, ...] = ()
            while alarms and alarms[0][0] <= time_s:
                at_s, facts = alarms.pop(0)
                if at_s < time_s:
                    yield at_s, facts
                else:
                    now_told += facts
            yield time_s, now_told
            following = time_s + self._interval_s(time_s, live_from_ms) + int(rng.integers(-1, 2))
            live_s = (live_from_ms - self.start_ms) / 1000.0
            if time_s < live_s < following:  # being followed live begins at once, not with the next slow fix
                following = max(time_s + self._live_interval_s, round(live_s) + int(rng.integers(0, 5)))
            time_s = next((float(round(t)) for t in turns if time_s < round(t) < following), following)

    def _ping(
        self,
        time_s: int,
        seq: int,
        facts: tuple[str, ...],
        error: CorrelatedError,
        rng: np.random.Generator,
        interval_s: int,
    ) -> Ping:
        spot = self.drive.at(time_s)
        lon, lat = error.applied(spot, time_s)
        jammed = any(s.holds(time_s) for s in self.jammed)
        seen = not jammed and not any(t.holds(spot.chainage_m) for t in self.road.tunnels)
        jitter, claimed, sky, signal = rng.random(4).tolist()
        speed = max(0.0, spot.speed_kmh + 2.4 * (jitter - 0.5)) if spot.speed_kmh > 0 else 0.0
        return Ping(
            time=instant(self.start_ms + time_s * 1000),
            lon=lon if seen else None,
            lat=lat if seen else None,
            valid=seen,
            speed_kmh=round(speed, 1) if seen else None,
            course_deg=round(spot.course_deg) % 360 if seen else None,
            accuracy_m=round(self.sigma_m * (1.0 + 0.7 * claimed)) if seen else None,
            satellites=8 + int(7 * sky) if seen else 0,
            battery_pct=self.battery_at(time_s),
            seq=seq,
            lock=self.lock_at(time_s),
            facts=(*facts, "jamming") if jammed else facts,
            mode="asleep" if interval_s == ASLEEP_INTERVAL_S else "awake",
            interval_s=interval_s,
            cell={"rssi_dbm": -97 + int(35 * signal)},
        )
