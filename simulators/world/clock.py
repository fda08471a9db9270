"""The clock of a seal, which need not be right. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from simulators.world.spans import Span

__all__ = ["Clock", "Skew"]


class Skew(NamedTuple):
    """While it lasts the clock is ahead by so much (behind: negative), and drifts on by so much an hour."""

    span: Span
    ahead_s: float
    drift_s_h: float = 0.0


@dataclass(frozen=True, slots=True)
class Clock:
    """A clock that satellites set, except while it is skewed."""

    skews: Sequence[Skew] = ()

    def told_s(self, time_s: float) -> float:
        """What it shows at a moment, in seconds of the same count."""
        return time_s + sum(
            s.ahead_s + s.drift_s_h * (time_s - s.span.from_s) / 3600.0
            for s in self.skews
            if s.span.holds(time_s)
        )
