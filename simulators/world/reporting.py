"""When a seal reports: on its schedule, at once when somebody touches it, rarely asleep, not at all while it is off. Pure but for its generator."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from simulators.world.lock import LockChange
from simulators.world.spans import Span, is_in_any

__all__ = ["ASLEEP_INTERVAL_S", "Due", "Schedule"]

ASLEEP_INTERVAL_S = 1800
"""A sleeping lock reports every half hour."""


class Due(NamedTuple):
    """A report that is due: when, what is told once with it, the interval until the next, whether it is the first since a restart."""

    time_s: float
    facts: tuple[str, ...]
    interval_s: int
    restarted: bool


@dataclass(frozen=True, slots=True)
class Schedule:
    """A seal's habit. ``off``: spans in which it is off, by a reboot or an empty battery; ``sleeps``: in which it dozes."""

    interval_s: int
    sleeps: Sequence[Span] = ()
    off: Sequence[Span] = ()
    lock_changes: Sequence[LockChange] = ()

    def due(self, rng: np.random.Generator, from_s: float, until_s: float) -> Iterator[Due]:
        """Reports in order of time; a change of the lock is told at once, or when the seal is on again."""
        changes = sorted((c.at_s, c.facts) for c in self.lock_changes)
        # Its end up, as below: a seal that looks half a second too soon sleeps another half hour.
        turns = sorted({float(t) for s in self.sleeps for t in (round(s.from_s), math.ceil(s.to_s))})
        time_s = from_s + float(rng.integers(0, self.interval_s))
        was_off = False
        while time_s < until_s:
            back_s = next((o.to_s for o in self.off if o.holds(time_s)), None)
            if back_s is not None:
                # Up, never down: the whole second before its end still lies in the span.
                time_s, was_off = float(math.ceil(back_s)), True
                continue
            told: tuple[str, ...] = ()
            while changes and changes[0][0] <= time_s:
                told += changes.pop(0)[1]
            yield Due(time_s, (*told, "restarted") if was_off else told, self._interval_s(time_s), was_off)
            was_off = False
            time_s = self._next_s(rng, time_s, turns, changes)

    def _next_s(
        self,
        rng: np.random.Generator,
        time_s: float,
        turns: list[float],
        changes: list[tuple[float, tuple[str, ...]]],
    ) -> float:
        following = time_s + self._interval_s(time_s) + int(rng.integers(-1, 2))
        sooner = [t for t in (*turns, *(c[0] for c in changes[:1])) if time_s < t < following]
        return min([*sooner, following])

    def _interval_s(self, time_s: float) -> int:
        return ASLEEP_INTERVAL_S if is_in_any(self.sleeps, time_s) else self.interval_s
