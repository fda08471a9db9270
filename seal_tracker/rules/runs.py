"""One debounce for every rule: consecutive true fixes raise, consecutive false fixes clear, carried across batches.

A *stream* is what one rule watches for one subject and object; an *observation* is one fix seen by one stream. All
streams of a batch are worked through at once as segmented run lengths over arrays: no loop over pings.
Pure; `debounce` writes only to the ``carry`` it is given, which must be the caller's own copy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geofences.masks import NOTHING, ONE, every, some, which
from geofences.projection import distance_m
from geofences.ragged import group_starts
from seal_tracker.model import NO_TIME
from seal_tracker.rules.arrays import begins, ends, previous
from seal_tracker.rules.table import Values, per

__all__ = [
    "EVIDENCE_PAIR_CAP_MS",
    "MEASURED_RUN",
    "PEAKED_RUN",
    "RUN",
    "Limits",
    "Observations",
    "Transitions",
    "debounce",
    "doublings",
    "new_runs",
    "peak_at",
]

I8 = NDArray[np.int64]
Mask = NDArray[np.bool_]

ALL = slice(None)
"""Every stream, each with one observation: as in most live batches."""

EVIDENCE_PAIR_CAP_MS = 60_000
"""The longest that one pair of fixes may count as evidence: a longer silence says nothing of what was between."""

EXCESS_CAP_MM = 100_000_000
"""Metres beyond the limit count up to 100 km, so that sums of mm·ms stay within int64."""

RUN = np.dtype(
    [
        ("on_n", "i4"),  # consecutive true fixes so far, 0: none
        ("on_ms", "i8"),  # when the first of them was
        ("on_lon", "i4"),  # and where
        ("on_lat", "i4"),
        ("off_n", "i4"),  # consecutive false fixes since it is open
        ("off_ms", "i8"),
        ("open", "?"),
    ]
)
"""State of one stream between batches; that of a stream which neither runs nor is open equals `new_runs`."""

PEAKED_RUN = np.dtype(
    [
        *RUN.descr,
        ("peak_mm", "i8"),  # greatest measured value since the run began
        ("told_mm", "i8"),  # the peak as last told in an event
    ]
)
"""State of one stream of a rule that keeps a peak of what it measures."""

MEASURED_RUN = np.dtype(
    [
        *PEAKED_RUN.descr,
        ("last_ms", "i8"),  # the newest true fix
        ("last_mm", "i8"),  # and its millimetres beyond the limit
        ("excess", "i8"),  # gathered evidence, mm·ms
    ]
)
"""State of one stream of a rule that keeps a peak and gathers evidence."""


def new_runs(n: int, dtype: np.dtype[np.void] = RUN) -> NDArray[np.void]:
    """``n`` streams that have seen nothing."""
    return NEW.repeat(n) if dtype is RUN else _new_runs(n, dtype)


def _new_runs(n: int, dtype: np.dtype[np.void]) -> NDArray[np.void]:
    runs = np.zeros(n, dtype)
    for name in ("on_ms", "off_ms", "last_ms"):
        if name in runs.dtype.fields:  # type: ignore[operator]
            runs[name] = NO_TIME
    return runs


NEW = _new_runs(1, RUN)


@dataclass(slots=True)
class Observations:
    """Fixes as streams see them: ``n`` rows sorted by (stream, time). ``on`` and ``off`` are never both true.

    ``stream`` int64 index into the carry; ``beyond_mm`` metres beyond the limit in mm as a distance rule weighs them,
    ``value_mm`` what a peak is kept of, ``raise_ms`` and ``clear_ms`` how long a run must have been true, or false, at each row,
    beside the limits, to raise or clear, ``away_mm`` how far from its first fix a run must have come at each row for each further fix, to raise; each may be
    None.
    """

    stream: I8
    time_ms: I8
    lon_e7: NDArray[Any]
    lat_e7: NDArray[Any]
    on: Mask
    off: Mask
    beyond_mm: I8 | None = None
    value_mm: I8 | None = None
    raise_ms: I8 | None = None
    clear_ms: I8 | None = None
    away_mm: I8 | None = None

    def __len__(self) -> int:
        return len(self.stream)


class Limits(NamedTuple):
    """Thresholds, each a scalar or one value a stream. ``raise_excess_m_s`` None: the rule gathers no evidence.

    A run of evidence that spans ``missing_fix_s`` for each of ``raise_fixes`` above two needs two.
    """

    raise_fixes: Values
    raise_s: Values
    clear_fixes: Values
    clear_s: Values
    latched: Values
    raise_excess_m_s: Values = None
    missing_fix_s: Values = 0.0


@dataclass(slots=True)
class Transitions:
    """What changed, in the order of observations. ``raised`` false is a clearing.

    ``row`` indexes the observations, ``stream`` the carry; ``began_*`` is the first fix of the completing run, ``n``
    its fixes, ``excess`` its evidence in mm·ms. Where a peak is kept, ``group`` gives each observation the first row its peak
    counts from, ``group_carries`` whether that peak continues the carried one in ``peak_before``.
    """

    row: I8
    stream: I8
    raised: Mask
    began_ms: I8
    began_lon: NDArray[Any]
    began_lat: NDArray[Any]
    n: I8
    excess: I8
    open_after: Mask
    group: I8
    group_carries: Mask
    peak_before: I8

    def __len__(self) -> int:
        return len(self.row)


class _Runs(NamedTuple):
    """Of the run that ends at each row: its length, when and at which row it began, and whether it began before them all."""

    n: I8
    began_ms: I8
    begin: I8
    continues: Mask


def _runs(flag: Mask, time_ms: I8, i: I8, first: I8, carried_n: I8, carried_ms: I8) -> _Runs:
    """Runs of true flags; of length 0 where the flag is false. ``i`` numbers the rows, ``first`` is the first of each stream."""
    if first is i:  # one row a stream: it has nothing before it but what is carried
        continues = flag & (carried_n > NOTHING)
        if not some(continues):
            return _Runs(flag.astype(np.int64), time_ms, i, continues)
        return _Runs((carried_n + ONE) * flag, np.where(continues, carried_ms, time_ms), i, continues)
    last_break = np.maximum.accumulate(np.where(flag, -1, i))
    begin = np.maximum(last_break + 1, first)
    continues = flag & (last_break < first) & (carried_n > 0)
    n = np.where(flag, i - begin + 1 + np.where(continues, carried_n, 0), 0)
    began_ms = np.where(continues, carried_ms, time_ms[np.minimum(begin, i)])
    return _Runs(n, began_ms, begin, continues)


def _evidence(obs: Observations, on: _Runs, i: I8, first: I8, carry: NDArray[np.void]) -> I8:
    """Metres beyond the limit times time, gathered over the run so far: mm·ms, integer, so that sums never drift."""
    assert obs.beyond_mm is not None
    beyond = np.minimum(obs.beyond_mm, EXCESS_CAP_MM)
    before_mm, before_ms = carry["last_mm"][obs.stream], carry["last_ms"][obs.stream]
    if first is not i:
        at_first = i == first
        before_mm = np.where(at_first, before_mm, previous(beyond))
        before_ms = np.where(at_first, before_ms, previous(obs.time_ms))
    paired = obs.on & (on.n > 1)
    dt = np.minimum(obs.time_ms - np.where(paired, before_ms, obs.time_ms), EVIDENCE_PAIR_CAP_MS)
    pair = gathered = np.where(paired, (beyond + before_mm) * dt // 2, 0)
    if first is not i:
        total = np.cumsum(pair)
        begin = np.minimum(on.begin, i)
        gathered = total - total[begin] + pair[begin]
    return np.where(obs.on, gathered + np.where(on.continues, carry["excess"][obs.stream], 0), 0)


def _completes(obs: Observations, on: _Runs, excess: I8 | None, limits: Limits) -> Mask:
    span = obs.time_ms - on.began_ms
    fixes = per(limits.raise_fixes, obs.stream)
    enough = on.n >= fixes
    if excess is not None:
        missing_ms = np.multiply(per(limits.missing_fix_s, obs.stream), 1000)
        enough |= (on.n >= 2) & (span >= (fixes - 2) * missing_ms)  # noqa: PLR2004 - two, by the rule's own words
        enough &= excess >= np.multiply(per(limits.raise_excess_m_s, obs.stream), 1e6)
    done: Mask = obs.on & enough & (span >= _ms(limits.raise_s, obs.stream))
    if obs.raise_ms is not None:
        done &= span >= obs.raise_ms
    return done


def _keep_those_that_went(done: Mask, obs: Observations, on: _Runs, carry: NDArray[np.void]) -> None:
    """Of the runs that are ``done`` leave those that have come far enough from where they began."""
    assert obs.away_mm is not None
    row = which(done & (on.n > 1) & (obs.away_mm > 0))
    if len(row):
        lon, lat = (
            _began(carry[f"on_{name}"], getattr(obs, f"{name}_e7"), on, row, obs.stream)
            for name in ("lon", "lat")
        )
        metres = distance_m(lon.astype(np.int64), lat.astype(np.int64), obs.lon_e7[row], obs.lat_e7[row])
        done[row] = np.rint(metres * 1000.0) > obs.away_mm[row] * (on.n[row] - 1)


def _ends(obs: Observations, off: _Runs, limits: Limits) -> Mask:
    lasts_ms = obs.time_ms - off.began_ms
    done: Mask = obs.off & (off.n >= per(limits.clear_fixes, obs.stream))
    done &= lasts_ms >= _ms(limits.clear_s, obs.stream)
    if limits.latched is not False:
        done &= ~np.asarray(per(limits.latched, obs.stream), bool)
    if obs.clear_ms is not None:
        done &= lasts_ms >= obs.clear_ms
    return done


def _ms(seconds: Values, index: I8) -> Any:
    picked = per(seconds, index)
    return picked * 1000 if isinstance(picked, float | int) else np.multiply(picked, 1000)


def debounce(carry: NDArray[np.void], obs: Observations, limits: Limits) -> Transitions:
    """Find where streams are raised and cleared, and move ``carry`` on to the last observation of each stream.

    A raising completes at the first fix where the run of true fixes is long enough in number, in time and in
    evidence; a clearing likewise with false fixes. As ``on`` and ``off`` exclude each other, whether a stream is open
    follows from the last completed run alone. Where nothing is open, nobody asks for runs of false fixes.
    """
    stream, i = obs.stream, np.arange(len(obs))
    start = begins(stream)
    one_each = every(start)
    first = i if one_each else np.maximum.accumulate(np.where(start, i, 0))
    own = ALL if one_each and len(stream) == len(carry) else stream
    was_open = carry["open"][own]
    on = _runs(obs.on, obs.time_ms, i, first, carry["on_n"][own], carry["on_ms"][own])
    excess = None if obs.beyond_mm is None else _evidence(obs, on, i, first, carry)
    raises = _completes(obs, on, excess, limits)
    if obs.away_mm is not None:
        _keep_those_that_went(raises, obs, on, carry)
    off, open_before, open_after = None, was_open, was_open | raises
    if some(open_after):
        off = _runs(obs.off, obs.time_ms, i, first, carry["off_n"][own], carry["off_ms"][own])
        clears = _ends(obs, off, limits)
        if one_each:
            open_after = open_after & ~clears
        else:
            last_mark = np.maximum.accumulate(np.where(raises | clears, i, -1))
            open_after = np.where(last_mark >= first, raises[last_mark], was_open)
            open_before = np.where(start, was_open, previous(open_after))
    row = which(open_after != open_before)
    group, anew = i, start
    if obs.value_mm is not None:
        anew = obs.on & ~open_before & (on.begin == i) & ~on.continues
        group = i if one_each else np.maximum.accumulate(np.where(anew | start, i, 0))
    out = Transitions(
        row=row,
        stream=stream[row],
        raised=open_after[row],
        began_ms=_changed_ms(on, off, open_after, row),
        began_lon=_began(carry["on_lon"], obs.lon_e7, on, row, stream),
        began_lat=_began(carry["on_lat"], obs.lat_e7, on, row, stream),
        n=on.n[row],
        excess=np.zeros(len(row), np.int64) if excess is None else excess[row],
        open_after=open_after,
        group=group,
        group_carries=~anew if one_each else (group == first) & ~anew[group],
        peak_before=carry["peak_mm"][stream] if obs.value_mm is not None else on.n,
    )
    _carry_on(carry, obs, on, off, excess, out, ALL if one_each else ends(start), own)
    return out


def _changed_ms(on: _Runs, off: _Runs | None, open_after: Mask, row: I8) -> I8:
    """When the runs began that raised or cleared at some rows."""
    if off is None or not len(row):
        return on.began_ms[row]
    return np.where(open_after[row], on.began_ms[row], off.began_ms[row])


def _began(carried: NDArray[Any], column: NDArray[Any], runs: _Runs, row: I8, stream: I8) -> NDArray[Any]:
    if not len(row):
        return column[:0]
    begin = np.minimum(runs.begin[row], row)
    return np.where(runs.continues[row], carried[stream[row]], column[begin])


def _carry_on(
    carry: NDArray[np.void],
    obs: Observations,
    on: _Runs,
    off: _Runs | None,
    excess: I8 | None,
    out: Transitions,
    last: I8 | slice,
    own: I8 | slice,
) -> None:
    """Write each stream's state after its ``last`` observation into ``carry``; ``off`` None: none is open or was.

    ``own`` is which streams these are, where each has one observation.
    """
    s = own if last is ALL else obs.stream[last]
    is_open = out.open_after[last]
    running = obs.on[last]
    counted = running & ~is_open  # a run of true fixes tells nothing while there is an episode
    if obs.value_mm is not None:
        carry["peak_mm"][s] = np.where(is_open | running, _peaks(carry, obs, out, last), 0)
        carry["told_mm"][s] = np.where(is_open, carry["told_mm"][s], 0)
    if obs.beyond_mm is not None and excess is not None:
        carry["last_ms"][s] = np.where(counted, obs.time_ms[last], NO_TIME)
        carry["last_mm"][s] = np.where(counted, np.minimum(obs.beyond_mm[last], EXCESS_CAP_MM), 0)
        carry["excess"][s] = np.where(counted, excess[last], 0)
    runs = which(counted) if isinstance(last, slice) else last[counted]
    lon, lat = (
        _began(carry["on_lon"], obs.lon_e7, on, runs, obs.stream),
        _began(carry["on_lat"], obs.lat_e7, on, runs, obs.stream),
    )
    carry["on_n"][s], carry["on_ms"][s], carry["on_lon"][s], carry["on_lat"][s] = 0, NO_TIME, 0, 0
    if len(runs):
        of = obs.stream[runs]
        carry["on_n"][of], carry["on_ms"][of] = on.n[runs], on.began_ms[runs]
        carry["on_lon"][of], carry["on_lat"][of] = lon, lat
    if off is not None:
        leaving = is_open & (
            off.n[last] > NOTHING
        )  # a run of false fixes tells nothing while nothing is open
        carry["off_n"][s], carry["off_ms"][s], carry["open"][s] = 0, NO_TIME, is_open
        if some(leaving):
            carry["off_n"][s] = np.where(leaving, off.n[last], 0)
            carry["off_ms"][s] = np.where(leaving, off.began_ms[last], NO_TIME)


def _peaks(carry: NDArray[np.void], obs: Observations, out: Transitions, last: I8 | slice) -> I8:
    """Greatest value since the last run began, for each stream's last observation."""
    assert obs.value_mm is not None
    here = value = np.where(obs.on, obs.value_mm, 0)
    if last is not ALL and len(obs):
        groups = group_starts(out.group)
        here = np.maximum.reduceat(value, groups)[groups.searchsorted(out.group[last])]
    carried = np.where(out.group_carries[last], carry["peak_mm"][obs.stream[last]], 0)
    return np.maximum(here, carried)


def peak_at(obs: Observations, transitions: Transitions, row: int) -> int:
    """Greatest value of the run or episode that the observation at ``row`` belongs to, up to and with it."""
    assert obs.value_mm is not None
    begin = int(transitions.group[row])
    span = slice(begin, row + 1)
    here = int(np.where(obs.on[span], obs.value_mm[span], 0).max())
    return max(here, int(transitions.peak_before[row])) if transitions.group_carries[row] else here


def doublings(told_mm: int, values: I8) -> tuple[int, int | None]:
    """Follow a peak through ``values``: it is told anew whenever it has at least doubled.

    Returns the peak told last and the position at which, None where it was never told anew.
    """
    greatest = np.maximum.accumulate(values)
    at: int | None = None
    while (i := int(np.searchsorted(greatest, 2 * told_mm))) < len(values):
        told_mm, at = int(greatest[i]), i
    return told_mm, at
