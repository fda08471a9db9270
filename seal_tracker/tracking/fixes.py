"""From a stretch of pings to its accepted fixes, and to what of its pings contradicts itself. Pure."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from geofences.masks import every, which
from geofences.projection import distance_m
from seal_tracker.model import NO_TIME
from seal_tracker.rules.arrays import begins, previous
from seal_tracker.rules.context import Context, Doubts, Fixes
from seal_tracker.tracking.discards import candidates
from seal_tracker.tracking.order import OrderedPings, usable_fix
from seal_tracker.tracking.plausibility import Accepted, Before, Candidates, accept

__all__ = ["no_fixes", "track_of"]

I8 = NDArray[np.int64]
Column = NDArray[np.generic]


def no_fixes() -> Fixes:
    """A pass before its fixes are known."""
    none = np.zeros(0, np.int64)
    flags = np.zeros(0, bool)
    unknown = np.zeros(0, np.float32)
    return Fixes(none, none, none, none, unknown, unknown, flags, flags, none, none, none, np.zeros(0), none)


def track_of(ctx: Context, track: NDArray[np.void]) -> None:
    """Put the accepted fixes of the pass into the context; move ``track``, the caller's copy of the state, on."""
    pings = ctx.pings
    ctx.has_fix = usable_fix(pings)
    usable = which(ctx.has_fix)
    beats = 0 if ctx.heartbeat_ms is None else int(np.count_nonzero(ctx.heartbeat_ms[ctx.ping_row]))
    _count(ctx, "fix_unusable", len(pings) - len(usable) - beats)
    _count(ctx, "clock_implausible", len(pings) - int(np.count_nonzero(pings.clock_ok)))
    assert isinstance(pings, OrderedPings), "pings are put in order before they are judged"
    found = candidates(pings, ctx.ping_row, usable)
    taken = accept(track, found)
    _count(ctx, "fix_outlier", taken.outliers)
    ctx.doubts = _doubts(pings, usable, taken)
    fixes, before = _in_track_order(ctx, found, taken), taken.before
    inside = fixes["time_ms"] >= ctx.stretch_ms[fixes["row"]]
    if not every(inside):
        fixes, before = {name: column[inside] for name, column in fixes.items()}, None
    ctx.fixes = _with_previous(ctx, fixes, before)


def _doubts(pings: OrderedPings, usable: I8, taken: Accepted) -> Doubts:
    """What contradicts itself, told by pings instead of candidates."""
    thrown = taken.thrown
    if len(thrown):
        thrown["by"] = usable[thrown["by"]]
    return Doubts(usable[taken.held], thrown, pings.apart_mm, pings.claimed_ms)


def _in_track_order(ctx: Context, found: Candidates, taken: Accepted) -> dict[str, Any]:
    """Columns of the fixes accepted, in the order of the track: candidates, and fixes held since before."""
    columns: dict[str, Any] = {
        "row": found.row,
        "time_ms": found.time_ms,
        "lon_e7": found.lon_e7,
        "lat_e7": found.lat_e7,
        "accuracy_m": found.accuracy_m,
        "speed_kmh": found.speed_kmh,
        "decided_ms": found.time_ms,
    }
    if not len(taken.held) and not len(taken.thrown):
        return columns  # every candidate was let in by itself
    at, since_before = np.maximum(taken.order, 0), which(taken.order < 0)
    row = -1 - taken.order[since_before]
    out = {name: column[at] for name, column in columns.items()}
    out["decided_ms"] = found.time_ms[taken.decided_by]
    out["row"][since_before] = row
    before = ctx.state["track"]
    for name, held in (
        ("time_ms", "held_ms"),
        ("lon_e7", "held_lon"),
        ("lat_e7", "held_lat"),
        ("accuracy_m", "held_accuracy_m"),
        ("speed_kmh", "held_speed_kmh"),
    ):
        out[name][since_before] = before[held][row]
    return out


def _with_previous(ctx: Context, fix: dict[str, Any], before: Before | None) -> Fixes:
    """Fixes in the order of the track; ``before`` where it is known what is before each."""
    start = ctx.ping_start if fix["row"] is ctx.ping_row else begins(fix["row"])
    first = which(start)
    row = fix["row"][first]
    if before is None:
        before = _found_before(ctx, fix, first, row)
    if len(first) == len(ctx.seal) == len(start):
        has_prev = (before.time_ms != NO_TIME) & (before.time_ms >= ctx.epoch_start_ms)
    else:
        first_ms = before.time_ms[first]
        has_prev = np.ones(len(start), bool)
        has_prev[first] = (first_ms != NO_TIME) & (first_ms >= ctx.epoch_start_ms[row])
    return Fixes(
        **fix,
        start=start,
        has_prev=has_prev,
        prev_ms=before.time_ms,
        prev_lon_e7=before.lon_e7,
        prev_lat_e7=before.lat_e7,
        step_m=before.metres,
    )


def _found_before(ctx: Context, fix: dict[str, Any], first: I8, row: I8) -> Before:
    """What is before each fix: before the ``first`` of a row the one accepted last."""
    track = ctx.state["track"]

    def before(name: str, carried: str) -> I8:
        out = previous(fix[name])
        out[first] = track[carried][row]
        return out

    lon, lat = before("lon_e7", "fix_lon"), before("lat_e7", "fix_lat")
    metres = distance_m(lon, lat, fix["lon_e7"], fix["lat_e7"])
    return Before(before("time_ms", "fix_ms"), lon, lat, metres)


def _count(ctx: Context, name: str, n: int) -> None:
    if n:
        ctx.counts[name] = ctx.counts.get(name, 0) + n
