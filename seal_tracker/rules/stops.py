"""``STOP_UNPLANNED``: the track stays within a circle around the first fix of a run, outside approved stops.

A run begins at a fix (its *anchor*) and ends at the first fix farther than ``radius_m`` from it, or in an approved stop;
that fix, if outside, is the next anchor. Once raised, the anchor stays until the track has moved ``moved_m`` away.
Runs of one fix, as of a truck that drives, are found for all seals at once; only where a seal lingers is it followed run
by run, each run in one sweep over an array.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geofences.projection import distance_m
from seal_tracker.model import NO_TIME, Severity
from seal_tracker.rules.arrays import begins, ends, previous
from seal_tracker.rules.context import Context, mm_of_m
from seal_tracker.rules.evidence import fix_evidence, place_evidence
from seal_tracker.rules.keys import PolicyKey, common_keys
from seal_tracker.rules.rule import Rule

__all__ = ["RULE", "STOP"]

NAME = "STOP_UNPLANNED"

KEYS = common_keys("medium", raise_=(2, 900), clear=(1, 0)) | {
    "radius_m": PolicyKey("number", 100.0, "a fix within this of the run's first has not moved on"),
    "moved_m": PolicyKey("number", 200.0, "this far from the run's first fix the stop is over"),
    "long_s": PolicyKey("number", 5400.0, "from here on the episode is as bad as long_severity"),
    "long_severity": PolicyKey("severity", "high", "how bad a long stop is"),
}

SWEEP = 256
"""Fixes looked at in one sweep of a run: long enough for a night's stop, short enough for a truck that crawls."""

STOP = np.dtype(
    [
        ("n", "i4"),  # fixes of the run, 0: no run
        ("ms", "i8"),  # its anchor: when and where
        ("lon", "i4"),
        ("lat", "i4"),
        ("off_n", "i4"),  # consecutive fixes moved away, while open
        ("off_ms", "i8"),
        ("open", "?"),
        ("long", "?"),
    ]
)


@dataclass(frozen=True, slots=True)
class _Limits:
    raise_fixes: int
    raise_ms: int
    clear_fixes: int
    clear_ms: int
    radius_mm: int
    moved_mm: int
    long_ms: int


def _judge(ctx: Context) -> None:
    fixes = ctx.fixes
    seen = np.flatnonzero(ctx.armed[fixes.row] & ctx.enabled(NAME, fixes.row))
    if not len(seen):
        return
    approved = _in_approved_stop(ctx)
    row = fixes.row[seen]
    start = begins(row)
    first, last = np.flatnonzero(start), ends(start)
    simple = _driving(ctx, seen, first, last, approved)
    for a, b in zip(first[~simple].tolist(), last[~simple].tolist(), strict=True):
        _follow(ctx, int(row[a]), seen[a : b + 1], approved)


def _in_approved_stop(ctx: Context) -> NDArray[np.bool_]:
    assert ctx.hits is not None
    inside = np.zeros(len(ctx.fixes), bool)
    inside[ctx.hits.fix[ctx.terrain.kind("approved_stop")[ctx.hits.zone]]] = True
    return inside


def _driving(
    ctx: Context, seen: NDArray[Any], first: NDArray[Any], last: NDArray[Any], approved: NDArray[Any]
) -> NDArray[np.bool_]:
    """Move on every seal whose fixes are each farther than the radius from the one before; say which those are."""
    fixes, state = ctx.fixes, ctx.state[NAME]
    row = fixes.row[seen[first]]
    is_first = np.zeros(len(seen), bool)
    is_first[first] = True
    of = fixes.row[seen]
    has_anchor = state["n"][of] > 0
    lon = np.where(is_first, state["lon"][of], previous(fixes.lon_e7[seen]))
    lat = np.where(is_first, state["lat"][of], previous(fixes.lat_e7[seen]))
    away = mm_of_m(distance_m(lon, lat, fixes.lon_e7[seen], fixes.lat_e7[seen]))
    radius = mm_of_m(np.broadcast_to(np.asarray(ctx.policy(NAME, "radius_m"), np.float64), len(ctx.seal)))[of]
    drives = ((away > radius) | (is_first & ~has_anchor)) & ~approved[seen]
    simple: NDArray[np.bool_] = np.logical_and.reduceat(drives, first) & ~state["open"][row]
    anchor = seen[last[simple]]
    r = row[simple]
    state["n"][r] = 1
    state["ms"][r] = fixes.time_ms[anchor]
    state["lon"][r], state["lat"][r] = fixes.lon_e7[anchor], fixes.lat_e7[anchor]
    return simple


def _follow(ctx: Context, row: int, at: NDArray[Any], approved: NDArray[Any]) -> None:
    """Follow one seal through its fixes ``at``, run by run."""
    limits = _limits(ctx, row)
    state = ctx.state[NAME][row : row + 1]
    i, n = 0, len(at)
    while i < n:
        if state["n"][0] == 0:
            i = _anchor(ctx, state, at, approved, i)
            continue
        i = (
            _leave(ctx, row, state, at, i, limits)
            if state["open"][0]
            else _linger(ctx, row, state, at, approved, i, limits)
        )


def _limits(ctx: Context, row: int) -> _Limits:
    def of(key: str) -> float:
        return float(ctx.policy_at(NAME, key, row) or 0)

    return _Limits(
        raise_fixes=int(of("raise_fixes")),
        raise_ms=round(of("raise_s") * 1000),
        clear_fixes=int(of("clear_fixes")),
        clear_ms=round(of("clear_s") * 1000),
        radius_mm=round(of("radius_m") * 1000),
        moved_mm=round(of("moved_m") * 1000),
        long_ms=round(of("long_s") * 1000),
    )


def _anchor(ctx: Context, state: NDArray[np.void], at: NDArray[Any], approved: NDArray[Any], i: int) -> int:
    """Begin a run at the first fix from ``i`` on that is outside approved stops; return the position after it."""
    outside = np.flatnonzero(~approved[at[i:]])
    if not len(outside):
        return len(at)
    i += int(outside[0])
    fix = at[i]
    state["n"], state["ms"] = 1, ctx.fixes.time_ms[fix]
    state["lon"], state["lat"] = ctx.fixes.lon_e7[fix], ctx.fixes.lat_e7[fix]
    state["off_n"], state["off_ms"], state["long"] = 0, NO_TIME, False
    return i + 1


def _away_mm(ctx: Context, state: NDArray[np.void], at: NDArray[Any]) -> NDArray[np.int64]:
    lon, lat = np.broadcast_to(state["lon"], len(at)), np.broadcast_to(state["lat"], len(at))
    return mm_of_m(distance_m(lon, lat, ctx.fixes.lon_e7[at], ctx.fixes.lat_e7[at]))


def _linger(
    ctx: Context,
    row: int,
    state: NDArray[np.void],
    at: NDArray[Any],
    approved: NDArray[Any],
    i: int,
    limits: _Limits,
) -> int:
    """A run not yet raised: find its end or the fix that completes it; return the position to go on from."""
    rest = at[i : i + SWEEP]
    ends = np.flatnonzero((_away_mm(ctx, state, rest) > limits.radius_mm) | approved[rest])
    end = int(ends[0]) if len(ends) else len(rest)
    times = ctx.fixes.time_ms[rest[:end]]
    n = int(state["n"][0]) + 1 + np.arange(end)
    done = np.flatnonzero((n >= limits.raise_fixes) & (times - state["ms"][0] >= limits.raise_ms))
    if len(done):
        k = int(done[0])
        state["n"], state["open"] = n[k], True
        _raise(ctx, row, state, int(rest[k]))
        return i + k  # judged once more as the open episode's own fix: it may already be a long stop
    state["n"] = n[-1] if end else state["n"]
    if len(ends):
        state["n"] = 0
    return i + end


def _leave(ctx: Context, row: int, state: NDArray[np.void], at: NDArray[Any], i: int, limits: _Limits) -> int:
    """A raised stop: worsen it when it is long, end it when the track has moved away."""
    rest = at[i:]
    times = ctx.fixes.time_ms[rest]
    moved = _away_mm(ctx, state, rest) > limits.moved_mm
    latched = bool(ctx.policy_at(NAME, "latched", row))
    off_n, off_ms, end = int(state["off_n"][0]), int(state["off_ms"][0]), None
    first = int(np.argmax(moved)) if moved.any() else len(rest)
    if first:
        off_n, off_ms = 0, NO_TIME
    for k in range(first, len(rest)):
        off_n, off_ms = (off_n + 1, off_ms if off_n else int(times[k])) if moved[k] else (0, NO_TIME)
        if off_n >= limits.clear_fixes and off_n and times[k] - off_ms >= limits.clear_ms and not latched:
            end = k
            break
    stands = slice(0, len(rest) if end is None else end)
    long = np.flatnonzero((times[stands] - state["ms"][0] >= limits.long_ms) & ~moved[stands])
    if len(long) and not state["long"][0]:
        state["long"] = True
        _worsen(ctx, row, state, int(rest[int(long[0])]))
    state["off_n"], state["off_ms"] = off_n, off_ms
    if end is None:
        return len(at)
    fix = int(rest[end])
    ctx.book.close(
        int(ctx.seal[row]),
        NAME,
        None,
        ended_at_ms=off_ms,
        cleared_at_ms=int(ctx.fixes.time_ms[fix]),
        settled_ms=int(ctx.fixes.decided_ms[fix]),
        evidence={"stopped_s": (off_ms - int(state["ms"][0])) / 1000},
    )
    state[:] = _START  # the next run must not inherit how long this one was
    return i + end


def _raise(ctx: Context, row: int, state: NDArray[np.void], fix: int) -> None:
    anchor_ms, raised = int(state["ms"][0]), int(ctx.fixes.time_ms[fix])
    first = place_evidence(anchor_ms, int(state["lon"][0]), int(state["lat"][0]))
    ctx.book.raise_(
        int(ctx.seal[row]),
        ctx.subjects[row],
        NAME,
        None,
        severity=ctx.severity(NAME, row),
        started_at_ms=anchor_ms,
        raised_at_ms=raised,
        latched=bool(ctx.policy_at(NAME, "latched", row)),
        plan_version=ctx.terrain.version,
        evidence={
            "stopped_s": (raised - anchor_ms) / 1000,
            "limit_s": float(ctx.policy_at(NAME, "raise_s", row) or 0),
            "radius_m": float(ctx.policy_at(NAME, "radius_m", row) or 0),
            "n_fixes": int(state["n"][0]),
            "fixes": [first, fix_evidence(ctx.fixes, fix)],
        },
    )


def _worsen(ctx: Context, row: int, state: NDArray[np.void], fix: int) -> None:
    value: Any = ctx.policy_at(NAME, "long_severity", row)
    severity: Severity = value
    at = int(ctx.fixes.time_ms[fix])
    ctx.book.change(
        int(ctx.seal[row]),
        NAME,
        None,
        changed_ms=at,
        severity=severity,
        evidence={"stopped_s": (at - int(state["ms"][0])) / 1000},
    )


_START = np.zeros(1, STOP)
_START["off_ms"] = NO_TIME
_START["ms"] = NO_TIME

RULE = Rule(NAME, KEYS, _judge, state=STOP, start=_START[0])
