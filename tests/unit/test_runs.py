"""The debounce over arrays, against one that takes an observation at a time and is written as the contract is worded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seal_tracker.rules.runs import (
    EVIDENCE_PAIR_CAP_MS,
    EXCESS_CAP_MM,
    MEASURED_RUN,
    Limits,
    Observations,
    debounce,
    doublings,
    new_runs,
    peak_at,
)

Seen: TypeAlias = tuple[int, str, int]
"""One observation: milliseconds, ``on``, ``off`` or ``between``, millimetres beyond the limit."""


class Told(NamedTuple):
    """One transition, as both sides tell it. ``place`` stands for where the run began."""

    raised: bool
    at_ms: int
    began_ms: int
    place: int
    n: int
    excess: int
    peak_mm: int


class Wanted(NamedTuple):
    """Limits of one stream."""

    raise_fixes: int
    raise_s: float
    clear_fixes: int
    clear_s: float
    latched: bool
    raise_excess_m_s: float | None


MISSING_FIX_S = 20.0


@dataclass
class Slow:
    """One stream, one observation at a time."""

    wanted: Wanted
    is_open: bool = False
    on: list[Seen] = field(default_factory=list)
    off: list[Seen] = field(default_factory=list)
    peak_mm: int = 0
    told: list[Told] = field(default_factory=list)

    def see(self, seen: Seen) -> None:
        _, kind, beyond_mm = seen
        self.off = [*self.off, seen] if kind == "off" else []
        self.on = [*self.on, seen] if kind == "on" else []
        if kind == "on":
            self.peak_mm = (
                beyond_mm if len(self.on) == 1 and not self.is_open else max(self.peak_mm, beyond_mm)
            )
        if not self.is_open and self.on and self.completes():
            self.is_open = True
            self.tell(raised=True, run=self.on)
        elif self.is_open and self.clears():
            self.is_open = False
            self.tell(raised=False, run=self.off)

    def completes(self) -> bool:
        """Whether the run of true observations is long enough in number, time and evidence."""
        wanted, n = self.wanted, len(self.on)
        span_ms = self.on[-1][0] - self.on[0][0]
        if span_ms < wanted.raise_s * 1000:
            return False
        if wanted.raise_excess_m_s is None:
            return n >= wanted.raise_fixes
        far_apart = n >= 2 and span_ms >= 1000 * MISSING_FIX_S * (wanted.raise_fixes - 2)
        return (n >= wanted.raise_fixes or far_apart) and self.excess() >= wanted.raise_excess_m_s * 1e6

    def clears(self) -> bool:
        """Whether the run of false observations is."""
        wanted = self.wanted
        return (
            not wanted.latched
            and len(self.off) >= wanted.clear_fixes
            and self.off[-1][0] - self.off[0][0] >= wanted.clear_s * 1000
        )

    def excess(self) -> int:
        """Per pair of true observations: the mean of their millimetres beyond the limit, times at most a minute."""
        if self.wanted.raise_excess_m_s is None:
            return 0
        pairs = zip(self.on, self.on[1:], strict=False)
        return sum((a[2] + b[2]) * min(b[0] - a[0], 60_000) // 2 for a, b in pairs)

    def tell(self, *, raised: bool, run: list[Seen]) -> None:
        at_ms, began_ms = run[-1][0], run[0][0]
        on = (began_ms % 997, len(run), self.excess()) if raised else (0, 0, 0)
        self.told.append(Told(raised, at_ms, began_ms, *on, self.peak_mm))


def fast(
    streams: Sequence[Sequence[Seen]], wanted: Sequence[Wanted], cuts: Sequence[int]
) -> list[list[Told]]:
    """All streams at once, a batch at a time, the cuts being moments."""
    carry = new_runs(len(streams), MEASURED_RUN)
    told: list[list[Told]] = [[] for _ in streams]
    limits = limits_of(wanted)
    for begin, end in zip([-1, *cuts], [*cuts, 10**12], strict=True):
        rows = [(s, seen) for s, track in enumerate(streams) for seen in track if begin < seen[0] <= end]
        if not rows:
            continue
        obs = observations(rows, evidence=wanted[0].raise_excess_m_s is not None)
        found = debounce(carry, obs, limits)
        for k in range(len(found)):
            i, raised = int(found.row[k]), bool(found.raised[k])
            on = (int(found.began_lon[k]), int(found.n[k]), int(found.excess[k])) if raised else (0, 0, 0)
            told[int(found.stream[k])].append(
                Told(raised, int(obs.time_ms[i]), int(found.began_ms[k]), *on, peak_at(obs, found, i))
            )
    return told


def limits_of(wanted: Sequence[Wanted]) -> Limits:
    *columns, excess = (np.array(column) for column in zip(*wanted, strict=True))
    fixes, raise_s, clear_fixes, clear_s, latched = columns
    evidence = None if wanted[0].raise_excess_m_s is None else excess.astype(float)
    return Limits(fixes, raise_s, clear_fixes, clear_s, latched, evidence, MISSING_FIX_S)


def observations(rows: Sequence[tuple[int, Seen]], *, evidence: bool) -> Observations:
    time_ms = np.array([seen[0] for _, seen in rows], np.int64)
    beyond = np.array([seen[2] for _, seen in rows], np.int64)
    return Observations(
        stream=np.array([s for s, _ in rows], np.int64),
        time_ms=time_ms,
        lon_e7=time_ms % 997,
        lat_e7=time_ms % 997,
        on=np.array([seen[1] == "on" for _, seen in rows]),
        off=np.array([seen[1] == "off" for _, seen in rows]),
        beyond_mm=beyond if evidence else None,
        value_mm=beyond,
    )


@st.composite
def stories(draw: st.DrawFn) -> tuple[list[list[Seen]], list[Wanted], list[int]]:
    """Up to four streams with limits of their own, and the moments at which batches end."""
    n, evidence = draw(st.integers(1, 4)), draw(st.booleans())
    streams, wanted = [], []
    for _ in range(n):
        t, track = 0, []
        for _ in range(draw(st.integers(0, 14))):
            t += draw(st.sampled_from([1, 5_000, 19_999, 20_000, 61_000, 300_000]))
            kind = draw(st.sampled_from(["on", "on", "on", "off", "off", "between"]))
            track.append((t, kind, draw(st.sampled_from([1, 999, 40_001, 250_000])) if kind == "on" else 0))
        streams.append(track)
        wanted.append(
            Wanted(
                draw(st.integers(1, 4)),
                draw(st.sampled_from([0, 0, 30, 65])),
                draw(st.integers(1, 3)),
                draw(st.sampled_from([0, 0, 30])),
                draw(st.sampled_from([False, False, False, True])),
                draw(st.sampled_from([0.0, 100.0, 3500.0])) if evidence else None,
            )
        )
    return streams, wanted, sorted(draw(st.sets(st.integers(0, 2_000_000), max_size=5)))


@settings(max_examples=600, deadline=None)
@given(stories())
def test_arrays_tell_what_one_observation_at_a_time_tells(
    case: tuple[list[list[Seen]], list[Wanted], list[int]],
) -> None:
    """Raised, cleared, when the run began and where, its fixes, its evidence and its peak, for any cut into batches."""
    streams, wanted, cuts = case
    slow = [Slow(w) for w in wanted]
    for one, track in zip(slow, streams, strict=True):
        for seen in track:
            one.see(seen)
    assert fast(streams, wanted, cuts) == [one.told for one in slow]
    assert fast(streams, wanted, []) == [one.told for one in slow]
    each = sorted({seen[0] for track in streams for seen in track})
    assert fast(streams, wanted, each) == [one.told for one in slow]


@settings(max_examples=200, deadline=None)
@given(stories())
def test_what_is_carried_does_not_depend_on_the_cuts(
    case: tuple[list[list[Seen]], list[Wanted], list[int]],
) -> None:
    """After the last observation the state is the same to the byte."""
    streams, wanted, cuts = case
    states = []
    for ends in (cuts, []):
        carry = new_runs(len(streams), MEASURED_RUN)
        for begin, end in zip([-1, *ends], [*ends, 10**12], strict=True):
            rows = [(s, seen) for s, track in enumerate(streams) for seen in track if begin < seen[0] <= end]
            if rows:
                obs = observations(rows, evidence=wanted[0].raise_excess_m_s is not None)
                debounce(carry, obs, limits_of(wanted))
        states.append(carry.tobytes())
    assert states[0] == states[1]


def test_nothing_seen_changes_nothing() -> None:
    """An empty batch leaves the state alone."""
    carry = new_runs(2)
    none = np.zeros(0, np.int64)
    seen = Observations(none, none, none, none, none.astype(bool), none.astype(bool))
    found = debounce(carry, seen, Limits(1, 0, 1, 0, latched=False))
    assert len(found) == 0
    assert carry.tobytes() == new_runs(2).tobytes()


def test_evidence_of_a_long_and_far_run_does_not_overflow() -> None:
    """Half the earth away for a year of pings a minute apart: capped at 100 km, the sum stays exact."""
    n = 500_000
    time_ms = np.arange(n, dtype=np.int64) * EVIDENCE_PAIR_CAP_MS
    far = np.full(n, 20_000_000_000, np.int64)
    yes, no = np.ones(n, bool), np.zeros(n, bool)
    seen = Observations(
        np.zeros(n, np.int64), time_ms, time_ms, time_ms, yes, no, beyond_mm=far, value_mm=far
    )
    carry = new_runs(1, MEASURED_RUN)
    debounce(carry, seen, Limits(3, 0, 2, 0, latched=False, raise_excess_m_s=1e13))
    assert carry["excess"][0] == (n - 1) * EXCESS_CAP_MM * EVIDENCE_PAIR_CAP_MS


@pytest.mark.parametrize(
    ("told", "values", "expected"),
    [
        (100, [100, 199], (100, None)),
        (100, [150, 200, 250], (200, 1)),
        (100, [450, 800, 900], (900, 2)),
        (100, [50, 250, 10, 499, 500], (500, 4)),
        (100, [], (100, None)),
    ],
)
def test_a_peak_is_told_anew_whenever_it_has_doubled(
    told: int, values: list[int], expected: tuple[int, int | None]
) -> None:
    """The value told is the one that reached twice the one told before."""
    assert doublings(told, np.array(values, np.int64)) == expected
