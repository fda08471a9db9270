"""Seals that linger: runs of fixes within a circle around their first one, followed for all seals together.

A run begins at a fix (its *anchor*) and ends at the first fix farther than ``radius_m`` from it, or in an approved stop;
that fix, if outside, is the next anchor. Once raised, the anchor stays until the track has moved ``moved_m`` away for as
many fixes as the policy asks; the next anchor is then the first of the two last of these.

Each round takes every seal one run further, with as many fixes at once as the run has needed so far. Before the rounds
stand the seals of a live batch: one fix each, which changes nothing but that the run is one fix longer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geofences.masks import some, which
from geofences.projection import distance_m
from geofences.ragged import expand
from seal_tracker.model import NO_TIME
from seal_tracker.rules.context import Context, mm_of_m
from seal_tracker.rules.table import per

__all__ = ["NAME", "NO_ANCHOR", "START", "STOP", "Telling", "follow"]

NAME = "STOP_UNPLANNED"

FIRST_LOOK = 8
"""Fixes of a run looked at in its first round, four times as many in each further one: most runs are short."""

NO_ANCHOR = -1
"""Value of ``n`` where the newest fix lies in an approved stop: the next run cannot begin there."""

NEVER = np.iinfo(np.int64).max

STOP = np.dtype(
    [
        ("n", "i4"),  # fixes of the run; 0: only the newest, or none yet
        ("ms", "i8"),  # its anchor: when and where
        ("lon", "i4"),
        ("lat", "i4"),
        ("off_n", "i4"),  # consecutive fixes moved away, while open
        ("off_ms", "i8"),
        ("open", "?"),
        ("long", "?"),
    ]
)

START = np.zeros(1, STOP)
START["off_ms"] = NO_TIME
START["ms"] = NO_TIME

I8 = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Telling:
    """What becomes of a run that is long enough, each with the row and its state.

    ``raise_`` also takes the fix that completes it, ``worsen`` when it became long, ``close`` the fix that ends it and
    since when the track had been away.
    """

    raise_: Callable[[Context, int, np.void, int], None]
    worsen: Callable[[Context, int, np.void, int], None]
    close: Callable[[Context, int, np.void, int, int], None]


def follow(ctx: Context, rows: I8, notable: I8, outside: Mask, tell: Telling) -> None:
    """Follow some seals (``rows`` of the pass, each with a fix at least) to the last of their fixes.

    ``notable`` are the fixes within the radius of the one before, or not ``outside`` approved stops: at all others a run
    of one fix is followed by the next.
    """
    row = ctx.fixes.row
    first, end = np.searchsorted(row, rows), np.searchsorted(row, rows, side="right")
    changes = (end - first > 1) | ~_goes_on(ctx, rows, first, outside)
    if some(changes):
        _follow(
            ctx, _Lingering.begin(ctx, rows[changes], first[changes], end[changes]), notable, outside, tell
        )


def _goes_on(ctx: Context, rows: I8, fix: I8, outside: Mask) -> Mask:
    """Seals for which their first fix changes nothing but the length of their run; it is written down where it is their only one."""
    fixes, state = ctx.fixes, ctx.state[NAME].take(rows)
    n, is_open = state["n"], state["open"]
    alone = (n == 0) & fixes.has_prev[fix] & (fixes.prev_ms[fix] >= ctx.stretch_ms[rows])
    began = np.where(alone, fixes.prev_ms[fix], state["ms"])
    lon = np.where(alone, fixes.prev_lon_e7[fix], state["lon"])
    lat = np.where(alone, fixes.prev_lat_e7[fix], state["lat"])
    known = n + alone > 0
    away_mm = mm_of_m(distance_m(lon, lat, fixes.lon_e7[fix], fixes.lat_e7[fix]))
    lasts_ms = np.where(known, fixes.time_ms[fix] - np.where(known, began, 0), 0)
    length = n + alone + 1
    done = (length >= per(ctx.policy(NAME, "raise_fixes"), rows)) & (lasts_ms >= _ms(ctx, "raise_s", rows))
    within = away_mm <= mm_of_m(per(ctx.policy(NAME, "radius_m"), rows))
    runs = known & ~is_open & within & outside[fix] & ~done
    calm = state["long"] | (lasts_ms < _ms(ctx, "long_s", rows))
    stands = is_open & calm & (state["off_n"] == 0)
    stands &= away_mm <= mm_of_m(per(ctx.policy(NAME, "moved_m"), rows))
    only = runs & (np.searchsorted(fixes.row, rows, side="right") - fix == 1)
    at = rows[only]
    now = ctx.state[NAME]
    now["n"][at], now["ms"][at] = length[only], began[only]
    now["lon"][at], now["lat"][at] = lon[only], lat[only]
    ctx.mark(NAME, at, np.ones(len(at), bool))
    goes_on: Mask = runs | stands | ((n == NO_ANCHOR) & ~outside[fix])
    return goes_on


@dataclass(frozen=True, slots=True)
class _Lingering:
    """Seals that are followed through their fixes ``at : end`` of the pass; ``state`` is a copy of theirs."""

    row: I8
    at: I8
    end: I8
    state: NDArray[np.void]
    look: I8

    @classmethod
    def begin(cls, ctx: Context, row: I8, first: I8, end: I8) -> _Lingering:
        """The run of one fix that was not written down begins at the fix before, unless a suspension lies between."""
        fixes, state = ctx.fixes, ctx.state[NAME].take(row)
        fresh = state["n"] == 0
        counts = fixes.has_prev[first] & (fixes.prev_ms[first] >= ctx.stretch_ms[row])
        state["n"] = np.where(fresh, np.where(counts, 1, NO_ANCHOR), state["n"])
        state["ms"] = np.where(fresh, fixes.prev_ms[first], state["ms"])
        state["lon"] = np.where(fresh, fixes.prev_lon_e7[first], state["lon"])
        state["lat"] = np.where(fresh, fixes.prev_lat_e7[first], state["lat"])
        return cls(row, first.copy(), end, state, np.full(len(row), FIRST_LOOK))

    def anchor(self, ctx: Context, of: I8, fix: I8) -> None:
        """Begin a run of seals ``of`` at a fix each."""
        state = self.state
        state["n"][of] = 1
        state["ms"][of] = ctx.fixes.time_ms[fix]
        state["lon"][of], state["lat"][of] = ctx.fixes.lon_e7[fix], ctx.fixes.lat_e7[fix]
        self.look[of] = FIRST_LOOK


def _follow(ctx: Context, seals: _Lingering, notable: I8, outside: Mask, tell: Telling) -> None:
    """Follow some seals to the last of their fixes, and write down where that leaves them."""
    free = which(outside)
    going = np.arange(len(seals.row))
    while len(going):
        _begin_runs(ctx, seals, going[seals.state["n"][going] == NO_ANCHOR], free)
        _drive(ctx, seals, going[(seals.state["n"][going] == 1) & ~seals.state["open"][going]], notable)
        going = going[seals.at[going] < seals.end[going]]
        is_open = seals.state["open"][going]
        _linger(ctx, seals, going[~is_open & (seals.state["n"][going] > 0)], outside, tell)
        _stand(ctx, seals, going[is_open], outside, tell)
        going = going[seals.at[going] < seals.end[going]]
    alone = ~seals.state["open"] & (seals.state["n"] <= 1)
    n = seals.state["n"].copy()
    seals.state[alone] = START
    seals.state["n"][alone & (n == NO_ANCHOR)] = NO_ANCHOR
    ctx.state[NAME][seals.row] = seals.state
    ctx.mark(NAME, seals.row, seals.state["n"] != 0)


def _next_of(candidates: I8, at: I8, end: I8) -> I8:
    """For each seal the first of the candidates that is not before ``at``; ``end`` where there is none."""
    found: I8 = np.minimum(np.append(candidates, NEVER)[np.searchsorted(candidates, at)], end)
    return found


def _begin_runs(ctx: Context, seals: _Lingering, of: I8, free: I8) -> None:
    """Seals without an anchor: the next fix outside approved stops is one."""
    if not len(of):
        return
    fix = _next_of(free, seals.at[of], seals.end[of])
    found = fix < seals.end[of]
    seals.anchor(ctx, of[found], fix[found])
    seals.at[of] = fix + found


def _drive(ctx: Context, seals: _Lingering, of: I8, notable: I8) -> None:
    """Seals whose anchor is the fix before: pass over the fixes that each are farther than the radius from theirs."""
    if not len(of):
        return
    fix = _next_of(notable, seals.at[of], seals.end[of])
    moved = fix > seals.at[of]
    seals.anchor(ctx, of[moved], fix[moved] - 1)
    seals.at[of] = fix


def _away_mm(ctx: Context, seals: _Lingering, of: I8, fix: I8) -> I8:
    lon, lat = seals.state["lon"][of], seals.state["lat"][of]
    return mm_of_m(distance_m(lon, lat, ctx.fixes.lon_e7[fix], ctx.fixes.lat_e7[fix]))


def _ms(ctx: Context, key: str, row: I8) -> Any:
    return np.multiply(per(ctx.policy(NAME, key), row), 1000)


def _linger(ctx: Context, seals: _Lingering, of: I8, outside: Mask, tell: Telling) -> None:
    """Runs not raised yet: go on to the fix that completes them, else to their end, else as far as this look reaches."""
    if not len(of):
        return
    at, state = seals.at[of], seals.state
    count = np.minimum(seals.look[of], seals.end[of] - at)
    owner, fix = expand(at, count)
    seal, row = of[owner], seals.row[of][owner]
    first = np.cumsum(count) - count
    radius_mm = mm_of_m(per(ctx.policy(NAME, "radius_m"), row))
    ends = (_away_mm(ctx, seals, seal, fix) > radius_mm) | ~outside[fix]
    end = np.minimum(np.minimum.reduceat(np.where(ends, fix, NEVER), first), at + count)
    n = state["n"][seal] + fix - at[owner] + 1
    lasts = ctx.fixes.time_ms[fix] - state["ms"][seal] >= _ms(ctx, "raise_s", row)
    done = lasts & (n >= per(ctx.policy(NAME, "raise_fixes"), row)) & (fix < end[owner])
    completes = np.minimum.reduceat(np.where(done, fix, NEVER), first)
    raised = completes < NEVER
    state["n"][of] += np.where(raised, completes + 1, end) - at
    # A fix that raises is judged once more, as the open stop's own: it may be long already.
    seals.at[of] = np.where(raised, completes, end)
    seals.look[of] *= 4
    for k in of[raised].tolist():
        state["open"][k] = True
        tell.raise_(ctx, int(seals.row[k]), state[k], int(seals.at[k]))
    over = which(~raised & (end < at + count))
    fresh = outside[end[over]]
    seals.anchor(ctx, of[over[fresh]], end[over[fresh]])
    seals.at[of[over[fresh]]] += 1
    state["n"][of[over[~fresh]]] = NO_ANCHOR


def _stand(ctx: Context, seals: _Lingering, of: I8, outside: Mask, tell: Telling) -> None:
    """Raised stops: those that go on as they are need nothing, the others are looked at one by one."""
    if not len(of):
        return
    at, state = seals.at[of], seals.state
    owner, fix = expand(at, seals.end[of] - at)
    row = seals.row[of]
    moved = _away_mm(ctx, seals, of[owner], fix) > mm_of_m(per(ctx.policy(NAME, "moved_m"), row[owner]))
    first = np.searchsorted(owner, np.arange(len(of)))
    last_ms = ctx.fixes.time_ms[seals.end[of] - 1]
    worsens = ~state["long"][of] & (last_ms - state["ms"][of] >= _ms(ctx, "long_s", row))
    changes = np.logical_or.reduceat(moved, first) | (state["off_n"][of] > 0) | worsens
    seals.at[of] = seals.end[of]
    for j in which(changes).tolist():
        mine = slice(first[j], first[j] + int(seals.end[of[j]] - at[j]))
        over = _leave(ctx, int(row[j]), state[of[j]], fix[mine], moved[mine], tell)
        if over is not None:
            _begin_anew(ctx, seals, int(of[j]), over, outside)


def _begin_anew(ctx: Context, seals: _Lingering, k: int, fix: int, outside: Mask) -> None:
    """After a stop that ended at ``fix``: the next run begins there, or at the fix before where that was away as well."""
    state, fixes, row = seals.state, ctx.fixes, int(seals.row[k])
    state[k] = START[0]  # the next run must not inherit how long this one was
    state["n"][k], seals.at[k] = NO_ANCHOR, fix
    if ctx.policy_at(NAME, "clear_fixes", row) == 1 or not _was_outside(ctx, fix, outside):
        return
    state["n"][k], state["ms"][k] = 1, fixes.prev_ms[fix]
    state["lon"][k], state["lat"][k] = fixes.prev_lon_e7[fix], fixes.prev_lat_e7[fix]
    seals.look[k] = FIRST_LOOK


def _was_outside(ctx: Context, fix: int, outside: Mask) -> bool:
    """Whether the fix before ``fix`` was outside approved stops, though it belong to the pass before."""
    fixes, stops = ctx.fixes, ctx.terrain.kinds.get("approved_stop")
    if not fixes.start[fix]:
        return bool(outside[fix - 1])
    if stops is None:
        return True
    before = fixes.prev_lon_e7[fix : fix + 1], fixes.prev_lat_e7[fix : fix + 1]
    zone = ctx.terrain.zones.holding(*before)[1]
    held = stops[zone] & ctx.terrain.in_force(zone, np.full(len(zone), fixes.prev_ms[fix]))
    return not held.any()


def _leave(ctx: Context, row: int, state: np.void, fix: I8, moved: Mask, tell: Telling) -> int | None:
    """A raised stop at its fixes: worsen it when it is long; end it, and say at which fix, when the track has moved on."""
    times, k = ctx.fixes.time_ms[fix], np.arange(len(fix))
    begin = np.maximum.accumulate(np.where(moved, -1, k)) + 1
    carried = (begin == 0) & (state["off_n"] > 0)
    n = np.where(moved, k - begin + 1 + np.where(carried, state["off_n"], 0), 0)
    since = np.where(carried, state["off_ms"], times[np.minimum(begin, k)])
    enough = (n >= ctx.policy_at(NAME, "clear_fixes", row)) & (
        times - since >= 1000 * float(ctx.policy_at(NAME, "clear_s", row) or 0)
    )
    ends = which(moved & enough & (not ctx.policy_at(NAME, "latched", row)))
    stands = slice(0, int(ends[0]) if len(ends) else len(fix))
    long = which(
        (times[stands] - state["ms"] >= 1000 * float(ctx.policy_at(NAME, "long_s", row) or 0))
        & ~moved[stands]
    )
    if len(long) and not state["long"]:
        state["long"] = True
        tell.worsen(ctx, row, state, int(times[long[0]]))
    if not len(ends):
        state["off_n"], state["off_ms"] = n[-1], since[-1] if n[-1] else NO_TIME
        return None
    last = int(ends[0])
    tell.close(ctx, row, state, int(fix[last]), int(since[last]))
    return int(fix[last])
