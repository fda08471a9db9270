"""A seal on a vehicle, joined of its parts: what it says, and what of it arrives. Pure but for its generators."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from simulators.wire import Ping, instant
from simulators.world.battery import Battery
from simulators.world.clock import Clock
from simulators.world.gnss import Receiver
from simulators.world.lock import lock_at
from simulators.world.modem import Arrival, Modem
from simulators.world.reporting import ASLEEP_INTERVAL_S, Schedule
from simulators.world.vehicle import Ride

__all__ = ["Device", "Said"]


class Said(NamedTuple):
    """A report as the seal made it: the true time, the ping, and whether it has a position."""

    time_s: float
    ping: Ping


@dataclass(slots=True)
class Device:
    """One seal. ``generator`` gives, for a name, a generator of that name's own, so that one part's chance leaves the others as they were.

    ``cell_dbm`` is the weakest signal it reports, ``omits`` what its make does not say (speed, course, accuracy), ``start_ms`` UTC epoch milliseconds of second 0.
    """

    id: str
    start_ms: int
    ride: Ride
    schedule: Schedule
    receiver: Receiver
    generator: Callable[[str], np.random.Generator]
    battery: Battery = field(default_factory=Battery)
    clock: Clock = field(default_factory=Clock)
    modem: Modem = field(default_factory=Modem)
    cell_dbm: int = -97
    omits: frozenset[str] = frozenset()

    def says(self, from_s: float, until_s: float) -> Iterator[Said]:
        """Reports in order of time, whether they arrive or not. Once only: the receiver goes with time."""
        rng = self.generator("signal")
        seq = 0
        for due in self.schedule.due(self.generator("schedule"), from_s, until_s):
            if self.battery.level_pct(due.time_s) <= 0.0:
                continue
            seq = 0 if due.restarted else seq
            yield Said(due.time_s, self._ping(due.time_s, seq, due.facts, due.interval_s, rng))
            seq += 1

    def arrivals(self, said: list[Said]) -> list[Arrival]:
        """What of its reports arrives, in order of arrival."""
        return self.modem.arrivals(said, self.generator("modem"))

    def _ping(
        self, time_s: float, seq: int, facts: tuple[str, ...], interval_s: int, rng: np.random.Generator
    ) -> Ping:
        fix = self.receiver.fix(self.ride.at(time_s), time_s)
        extra: tuple[str, ...] = ("jamming",) if fix.jammed else ()
        extra += ("charging",) if self.battery.is_charging(time_s) else ()
        return Ping(
            time=instant(self.start_ms + round(self.clock.told_s(time_s)) * 1000),
            lon=fix.lon,
            lat=fix.lat,
            valid=fix.valid,
            speed_kmh=None if "speed_kmh" in self.omits else fix.speed_kmh,
            course_deg=None if "course_deg" in self.omits else fix.course_deg,
            accuracy_m=None if "accuracy_m" in self.omits else fix.accuracy_m,
            satellites=fix.satellites,
            battery_pct=max(1, self.battery.told_pct(time_s)),
            seq=seq,
            lock=lock_at(self.schedule.lock_changes, time_s),
            facts=(*facts, *extra),
            mode="asleep" if interval_s == ASLEEP_INTERVAL_S else "awake",
            interval_s=interval_s,
            cell={"rssi_dbm": self.cell_dbm + int(35 * rng.random())},
        )
