"""The journeys of a space that may still be judged, in memory; the rest are read when a late ping or fact concerns them.

A journey that has ended is judged again only by what comes late. So memory holds those that end after a horizon; of a device
that is judged from before it, also those that end after its own time. Vehicles with a permit are compared with one another:
their journeys are all held. State: the journeys, the horizon, and how far back the journeys of which device reach.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from seal_tracker.journey import Journey
from seal_tracker.journey_record import as_judged, read_record
from seal_tracker.model import NO_TIME
from seal_tracker.tracking.epochs import JourneyTable

__all__ = ["HELD_MS", "InForce", "JourneyStore", "journeys_held"]

HELD_MS = 2 * 86_400_000
"""How long a journey that has ended is held: buffers that seals empty on the way home are seldom older."""


class JourneyStore(Protocol):
    """Where the others are read."""

    async def journeys_ending_after(self, space: str, after_ms: int) -> list[str]: ...  # noqa: D102
    async def journeys_of_devices(self, space: str, after_ms: Mapping[str, int]) -> list[str]: ...  # noqa: D102


async def journeys_held(store: JourneyStore, space: str, after_ms: int) -> list[Journey]:
    """The journeys to begin with: those that end after a time."""
    return judged_of(await store.journeys_ending_after(space, after_ms))


def judged_of(bodies: Iterable[str]) -> list[Journey]:
    """What is judged of some records, as JSON."""
    found = (as_judged(read_record(body)) for body in bodies)
    return [journey for journey in found if journey is not None]


class InForce:
    """Journeys by id; ``held_from_ms``: of every device, those that end after it are here (NO_TIME: all there are)."""

    def __init__(self, journeys: Sequence[Journey] = (), held_from_ms: int = NO_TIME) -> None:
        self.journeys = {journey.id: journey for journey in journeys}
        self.held_from_ms = held_from_ms
        self.table = JourneyTable.build((), {})
        self._reach_ms: dict[str, int] = {}
        self._of_device: dict[str, tuple[str, ...]] = {}
        self._is_built = False
        self._changed: set[str] = set()
        for journey in self.journeys.values():
            self._put(journey)

    def build(self, numbers: Mapping[str, int]) -> None:
        """Make the table, or once it is made bring it up to what has changed since."""
        if not self._is_built:
            self.table = JourneyTable.build(tuple(self.journeys.values()), numbers)
        elif self._changed:
            mine = {device: self._of_device.get(device, ()) for device in self._changed}
            of = {device: [self.journeys[name] for name in names] for device, names in mine.items()}
            self.table = self.table.with_devices(of, numbers)
        self._is_built, self._changed = True, set()

    def _put(self, journey: Journey) -> set[str]:
        """Remember whose it is; gives its devices."""
        devices = {served.device for served in journey.watched}
        for device in devices:
            self._of_device[device] = (*self._of_device.get(device, ()), journey.id)
        return devices

    def _take(self, journey: Journey) -> set[str]:
        devices = {served.device for served in journey.watched}
        for device in devices:
            self._of_device[device] = tuple(n for n in self._of_device[device] if n != journey.id)
        return devices

    def short_of(self, from_ms: Mapping[str, int]) -> dict[str, int]:
        """Devices, of those to be judged from a time on, whose journeys do not reach so far back."""
        return {
            device: at
            for device, at in from_ms.items()
            if at < self.held_from_ms and at < self._reach_ms.get(device, self.held_from_ms)
        }

    def extend(self, journeys: Iterable[Journey], reach_ms: Mapping[str, int]) -> None:
        """Take in what was read of some devices; what is here already stands."""
        for journey in journeys:
            if journey.id not in self.journeys:
                self.journeys[journey.id] = journey
                self._changed |= self._put(journey)
        self._reach_ms |= reach_ms

    def changed(self, changes: Mapping[str, Journey | None]) -> InForce:
        """A copy in which these journeys are as given; None: not judged any more."""
        after = InForce((), self.held_from_ms)
        after.journeys, after._of_device = dict(self.journeys), dict(self._of_device)
        for name, journey in changes.items():
            before = after.journeys.pop(name, None)
            after._changed |= set() if before is None else after._take(before)
            if journey is not None:
                after.journeys[name] = journey
                after._changed |= after._put(journey)
        after._reach_ms = dict(self._reach_ms)
        after.table, after._is_built = self.table, self._is_built
        after._changed |= self._changed
        return after

    def over_by(self, horizon_ms: int) -> set[str]:
        """Journeys without a permit that ended before a time."""
        return {
            name
            for name, j in self.journeys.items()
            if j.disarmed_at_ms is not None and j.disarmed_at_ms <= horizon_ms and j.permit is None
        }
