"""Rules that `bench_detection` compares with the product's own, written plainly, and how any of them is marked.

A rule sees one trip: when its fixes are, how far from the route, and what accuracy they claim. It answers with episodes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from detection_cases import Case
from detection_roads import chainages

__all__ = ["RIVALS", "Mark", "Told", "mark"]

PAIR_CAP_S = 60.0


@dataclass(frozen=True)
class Told:
    """One episode in seconds; ``ended_s`` is infinite where it did not end."""

    started_s: float
    raised_s: float
    ended_s: float


@dataclass(frozen=True)
class Rival:
    """A debounce: ``completes`` gives the position in a run of fixes beyond the limit that raises, None for none."""

    completes: Callable[[np.ndarray, np.ndarray], int | None]
    slack: bool
    clear_share: float
    clear_fixes: int

    def __call__(self, case: Case, half_width_m: float) -> list[Told]:
        """Episodes of one trip."""
        claims = np.where(np.isnan(case.fixes.accuracy_m), 10.0, np.minimum(case.fixes.accuracy_m, 30.0))
        beyond = case.off_m - half_width_m - (claims if self.slack else 0.0)
        inside = (beyond <= 0) & (case.off_m <= half_width_m * (1 - self.clear_share))
        edges = np.flatnonzero(np.diff(np.r_[False, beyond > 0, False]))
        told, free = [], 0
        for a, b in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            at = self.completes(case.fixes.t_s[a:b], beyond[a:b]) if a >= free else None
            if at is None:
                continue
            back = _first_run(inside, a + at + 1, self.clear_fixes)
            ended = case.fixes.t_s[back] if back is not None else np.inf
            told.append(Told(float(case.fixes.t_s[a]), float(case.fixes.t_s[a + at]), float(ended)))
            free = len(inside) if back is None else back + self.clear_fixes
        return told


def _first_run(flags, begin, n):
    """Position at which the first ``n`` true flags in a row begin, None where there are none."""
    enough = flags[begin:].copy()
    for k in range(1, n):
        enough[:-k] &= flags[begin + k :]
        enough[-k:] = False
    hits = np.flatnonzero(enough)
    return begin + int(hits[0]) if len(hits) else None


def _first(flags):
    hits = np.flatnonzero(flags)
    return int(hits[0]) if len(hits) else None


def _at_once(_t, _beyond):
    return 0


def _three_fixes_and_60_s(t, _beyond):
    return _first((np.arange(len(t)) >= 2) & (t - t[0] >= 60))


def _metres_alike(t, beyond):
    """3,500 m·s, every metre counting the same, with 3 fixes or 2 that are 5 min apart."""
    pairs = (beyond[1:] + beyond[:-1]) / 2 * np.minimum(np.diff(t), PAIR_CAP_S)
    gathered = np.r_[0, np.cumsum(pairs)]
    fixes = np.arange(1, len(t) + 1)
    return _first((gathered >= 3500) & ((fixes >= 3) | ((fixes >= 2) & (t - t[0] >= 300))))


RIVALS = {
    "point in corridor": Rival(_at_once, slack=False, clear_share=0.0, clear_fixes=1),
    "3 fixes and 60 s": Rival(_three_fixes_and_60_s, slack=False, clear_share=0.0, clear_fixes=1),
    "metres that count alike": Rival(_metres_alike, slack=True, clear_share=0.25, clear_fixes=2),
}


@dataclass
class Mark:
    """What became of some trips: ``false`` episodes, ``km`` driven, excursions found (their delays) and missed."""

    km: float = 0.0
    false: int = 0
    missed: int = 0
    delays_s: list[float] = field(default_factory=list)


def mark(cases: list[Case], half_width_m: float, told: list[list[Told]], least_s: float) -> Mark:
    """Hold episodes against the truth.

    An episode is false unless the vehicle truly was beyond the half-width while it gathered (or a report's interval
    before or after). An excursion of ``least_s`` or more is found by an episode raised before it ended, or by the first
    report after; its delay runs from the first instant beyond the half-width.
    """
    out = Mark()
    for case, episodes in zip(cases, told, strict=True):
        out.km += chainages(case.route)[-1] / 1000
        spans, slack = case.excursions(half_width_m), case.every_s
        for e in episodes:
            out.false += not any(a <= e.raised_s + slack and e.started_s - slack <= b for a, b in spans)
        for a, b in spans:
            if b - a < least_s:
                continue
            hits = [
                e for e in episodes if e.started_s - slack <= b and e.ended_s >= a and e.raised_s <= b + slack
            ]
            if hits:
                out.delays_s.append(max(hits[0].raised_s - a, 0.0))
            out.missed += not hits
    return out
