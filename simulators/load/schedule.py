"""When each message is due, whose it is, and which of them must raise an alert. Pure.

The schedule is open: message ``k`` is due at ``k / rate`` seconds, whatever became of those before it. A broker or a publisher that
stalls makes messages late, never fewer, and how late they were is part of what is measured (no coordinated omission).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Alerting", "Schedule"]

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Schedule:
    """``seals`` seals take turns in ``order``, int64[seals], each once in ``seals / rate`` seconds.

    Attributes
    ----------
    rate
        messages a second.
    total
        how many there are in all; None: no end.
    """

    order: Ints
    rate: float
    total: int | None

    @classmethod
    def of(cls, seals: int, rate: float, for_s: float | None, seed: int) -> Schedule:
        """A schedule of so many seconds; the order of the seals follows from the seed."""
        order = np.random.default_rng((seed, 1)).permutation(seals).astype(np.int64)
        return cls(order, rate, None if for_s is None else max(1, round(rate * for_s)))

    def due(self, elapsed_s: float) -> int:
        """How many messages are due by then."""
        n = int(elapsed_s * self.rate) + 1 if elapsed_s >= 0 else 0
        return n if self.total is None else min(n, self.total)

    def due_s(self, message: Ints) -> NDArray[np.float64]:
        """When each is due, seconds after the start."""
        return message / self.rate

    def seal(self, message: Ints) -> Ints:
        """Whose each is."""
        return self.order[message % len(self.order)]


class Alerting:
    """Which messages say that a lock was cut: every ``1 / share``-th, but each seal only once, for that is all a seal can say.

    State: which seals have, and where the next is looked for. Messages are asked for once and in their order.
    """

    def __init__(self, schedule: Schedule, share: float) -> None:
        self._schedule = schedule
        self._every = 1.0 / share if share > 0 else np.inf
        self._asked = 0
        self._next = 0
        self.cut_from = np.full(len(schedule.order), np.iinfo(np.int64).max)
        """int64[seals]: the message from which on each seal says that it is cut."""

    def among(self, first: int, stop: int) -> list[int]:
        """Those of the messages ``first`` to ``stop`` (not included) that must raise an alert."""
        found: list[int] = []
        seals = len(self._schedule.order)
        while self._every < np.inf and self._asked < seals:
            at = max(self._next, int(np.ceil(self._asked * self._every)))
            while at < stop and self.cut_from[self._seal(at)] < at:
                at += 1
            self._next = at
            if at >= stop:
                break
            self.cut_from[self._seal(at)] = at
            self._asked += 1
            self._next = at + 1
            if at >= first:
                found.append(at)
        return found

    def _seal(self, message: int) -> int:
        return int(self._schedule.order[message % len(self._schedule.order)])
