"""Cameras, scanners and readers: they say that they are there, until they do not. Pure but for its generator."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from simulators.world.spans import Span, is_in_any

__all__ = ["Beat", "Equipment"]


class Beat(NamedTuple):
    """A status as it is published: when, and the word."""

    time_s: float
    status: str


@dataclass(frozen=True, slots=True)
class Equipment:
    """One piece. ``failures``: when it is silent; ``told``: those of them that its broker announces by the last will."""

    id: str
    heartbeat_s: int
    failures: Sequence[Span] = ()
    told: Sequence[Span] = ()

    def beats(self, rng: np.random.Generator, until_s: float) -> Iterator[Beat]:
        """Heartbeats, some tenths of a second off their time, and last wills, in order of time."""
        wills = sorted(s.from_s + 1.5 * self.heartbeat_s for s in self.told)
        time_s = float(rng.uniform(0.0, self.heartbeat_s))
        while time_s < until_s:
            while wills and wills[0] <= time_s:
                yield Beat(wills.pop(0), "offline")
            if not is_in_any(self.failures, time_s):
                yield Beat(time_s, "online")
            time_s += self.heartbeat_s + float(rng.uniform(-0.3, 0.3))
