"""The modem of a seal: what reaches the service, when and in which order. Pure but for its generator.

A seal without coverage keeps its pings; back in coverage it sends the newest first and then the past, oldest first. Networks deliver twice what
they took once, and overtake themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import msgspec
import numpy as np

from simulators.wire import FLUSH_PINGS, Ping
from simulators.world.spans import Span

__all__ = ["Arrival", "Disorder", "Modem", "Outage", "through_outages"]

LATENCY_S = (0.2, 1.6)
"""From the modem to the broker over a mobile network that is well."""
FLUSH_EVERY_S = 1.5
"""Between two messages of a buffer that is being emptied."""
AGAIN_AFTER_S = (2.0, 25.0)
"""When a modem that missed an acknowledgement sends once more."""

T = TypeVar("T")


class Outage(NamedTuple):
    """The modem reaches nobody; what was not buffered is gone."""

    span: Span
    buffered: bool


class Disorder(NamedTuple):
    """A network that is not well: the share of messages sent twice, that of those overtaken, and by how much these are late."""

    span: Span
    doubled: float = 0.0
    overtaken: float = 0.0
    late_s: float = 0.0


class Arrival(NamedTuple):
    """A message when it arrives: pings in their order in it."""

    at_s: float
    pings: tuple[Ping, ...]


def through_outages(
    reports: Iterable[tuple[float, T]], outages: Sequence[Outage], capacity: int | None = None
) -> Iterator[tuple[float, T, bool]]:
    """(time sent, report, whether it was kept back) of (time, report) in order of time; after an outage the newest first.

    ``capacity`` is what the buffer holds; where it overflows the oldest are lost. None: everything.
    """
    held: list[T] = []
    for time_s, report in reports:
        outage = next((o for o in outages if o.span.holds(time_s)), None)
        if outage is None:
            yield time_s, report, False
            yield from ((time_s, kept, True) for kept in held)
            held.clear()
        elif outage.buffered:
            held.append(report)
            if capacity is not None and len(held) > capacity:
                del held[0]


@dataclass(frozen=True, slots=True)
class Modem:
    """One modem."""

    outages: Sequence[Outage] = ()
    disorders: Sequence[Disorder] = ()
    capacity: int | None = None

    def arrivals(self, reports: Iterable[tuple[float, Ping]], rng: np.random.Generator) -> list[Arrival]:
        """What arrives of pings and the times they were taken at, in order of arrival."""
        arrivals: list[Arrival] = []
        held: list[Ping] = []
        for time_s, ping, kept in through_outages(reports, self.outages, self.capacity):
            if kept:
                held.append(msgspec.structs.replace(ping, buffered=True))
                continue
            self._flush(arrivals, held)
            arrivals += self._sent(time_s, ping, rng)
        self._flush(arrivals, held)
        return sorted(arrivals, key=_at_s)

    def _sent(self, time_s: float, ping: Ping, rng: np.random.Generator) -> Iterator[Arrival]:
        latency, doubled, overtaken, late, again = rng.random(5).tolist()
        at_s = time_s + _between(LATENCY_S, latency)
        disorder = next((d for d in self.disorders if d.span.holds(time_s)), None)
        if disorder is not None and overtaken < disorder.overtaken:
            at_s += disorder.late_s * late
        yield Arrival(at_s, (ping,))
        if disorder is not None and doubled < disorder.doubled:
            yield Arrival(at_s + _between(AGAIN_AFTER_S, again), (ping,))

    @staticmethod
    def _flush(arrivals: list[Arrival], held: list[Ping]) -> None:
        """What was kept back follows the ping that found the network again."""
        if not held:
            return
        at_s = arrivals[-1].at_s
        for k, begin in enumerate(range(0, len(held), FLUSH_PINGS), 1):
            arrivals.append(Arrival(at_s + k * FLUSH_EVERY_S, tuple(held[begin : begin + FLUSH_PINGS])))
        held.clear()


def _between(ends: tuple[float, float], share: float) -> float:
    return ends[0] + share * (ends[1] - ends[0])


def _at_s(arrival: Arrival) -> float:
    return arrival.at_s
