"""``STOP_UNPLANNED``: the track stays within a circle around the first fix of a run, outside approved stops.

A run begins at a fix (its *anchor*) and ends at the first fix farther than ``radius_m`` from it, or in an approved stop;
that fix, if outside, is the next anchor. Once raised, the anchor stays until the track has moved ``moved_m`` away.

A truck that drives has runs of one fix, whose anchor is the fix before: nothing need be remembered of it, and a batch of
trucks that drive is left at once. Seals that linger are followed together, all of them by one run in each round.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from geofences.projection import distance_m
from geofences.ragged import expand
from seal_tracker.model import NO_TIME, Severity
from seal_tracker.rules.context import Context, mm_of_m
from seal_tracker.rules.evidence import fix_evidence, place_evidence
from seal_tracker.rules.keys import PolicyKey, common_keys
from seal_tracker.rules.rule import Rule
from seal_tracker.rules.table import per

__all__ = ["RULE", "STOP"]

NAME = "STOP_UNPLANNED"

KEYS = common_keys("medium", raise_=(2, 900), clear=(1, 0)) | {
    "radius_m": PolicyKey("number", 100.0, "a fix within this of the run's first has not moved on"),
    "moved_m": PolicyKey("number", 200.0, "this far from the run's first fix the stop is over"),
    "long_s": PolicyKey("number", 5400.0, "from here on the episode is as bad as long_severity"),
    "long_severity": PolicyKey("severity", "high", "how bad a long stop is"),
}

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

_START = np.zeros(1, STOP)
_START["off_ms"] = NO_TIME
_START["ms"] = NO_TIME

I8 = NDArray[np.int64]
Mask = NDArray[np.bool_]


def _judge(ctx: Context) -> None:
    carries, enabled = ctx.carries(NAME), ctx.switch(NAME)
    if carries and enabled is not True:
        _switched_off(ctx, enabled)
    fixes = ctx.fixes
    notable = fixes.has_prev & (ctx.step_mm <= mm_of_m(per(ctx.policy(NAME, "radius_m"), fixes.row)))
    outside = _outside(ctx, enabled)
    if outside is not None:
        notable |= ~outside
    if not carries and not notable.any():
        return
    busy = (ctx.active & ctx.bits[NAME]) != 0
    busy[fixes.row[notable]] = True
    rows = np.flatnonzero(busy & ctx.armed)
    first, end = np.searchsorted(fixes.row, rows), np.searchsorted(fixes.row, rows, side="right")
    has = end > first
    if has.any():
        outside = np.ones(len(fixes), bool) if outside is None else outside
        _follow(ctx, _Lingering.begin(ctx, rows[has], first[has], end[has]), np.flatnonzero(notable), outside)


def _outside(ctx: Context, enabled: Literal[True] | Mask) -> Mask | None:
    """Fixes of which a run may consist: not in an approved stop, nor where the rule is off. None: all."""
    stops = ctx.terrain.kinds.get("approved_stop")
    outside = None if enabled is True else enabled[ctx.fixes.row]
    if stops is None or ctx.hits is None or not len(ctx.hits.fix):
        return outside
    outside = np.ones(len(ctx.fixes), bool) if outside is None else outside
    outside[ctx.hits.fix[stops[ctx.hits.zone]]] = False
    return outside


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
        fixes, state = ctx.fixes, ctx.state[NAME][row]
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


def _follow(ctx: Context, seals: _Lingering, notable: I8, outside: Mask) -> None:
    """Follow some seals to the last of their fixes, and write down where that leaves them."""
    free = np.flatnonzero(outside)
    going = np.arange(len(seals.row))
    while len(going):
        _begin_runs(ctx, seals, going[seals.state["n"][going] == NO_ANCHOR], free)
        _drive(ctx, seals, going[(seals.state["n"][going] == 1) & ~seals.state["open"][going]], notable)
        going = going[seals.at[going] < seals.end[going]]
        is_open = seals.state["open"][going]
        _linger(ctx, seals, going[~is_open & (seals.state["n"][going] > 0)], outside)
        _stand(ctx, seals, going[is_open])
        going = going[seals.at[going] < seals.end[going]]
    alone = ~seals.state["open"] & (seals.state["n"] <= 1)
    n = seals.state["n"].copy()
    seals.state[alone] = _START
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


def _linger(ctx: Context, seals: _Lingering, of: I8, outside: Mask) -> None:
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
        _raise(ctx, int(seals.row[k]), state[k], int(seals.at[k]))
    over = np.flatnonzero(~raised & (end < at + count))
    fresh = outside[end[over]]
    seals.anchor(ctx, of[over[fresh]], end[over[fresh]])
    seals.at[of[over[fresh]]] += 1
    state["n"][of[over[~fresh]]] = NO_ANCHOR


def _stand(ctx: Context, seals: _Lingering, of: I8) -> None:
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
    for j in np.flatnonzero(changes).tolist():
        mine = slice(first[j], first[j] + int(seals.end[of[j]] - at[j]))
        over = _leave(ctx, int(row[j]), state[of[j]], fix[mine], moved[mine])
        if over is not None:
            state[of[j]] = _START[0]  # the next run must not inherit how long this one was
            state["n"][of[j]], seals.at[of[j]] = NO_ANCHOR, over


def _leave(ctx: Context, row: int, state: np.void, fix: I8, moved: Mask) -> int | None:
    """A raised stop at its fixes: worsen it when it is long; end it, and say at which fix, when the track has moved on."""
    times, k = ctx.fixes.time_ms[fix], np.arange(len(fix))
    begin = np.maximum.accumulate(np.where(moved, -1, k)) + 1
    carried = (begin == 0) & (state["off_n"] > 0)
    n = np.where(moved, k - begin + 1 + np.where(carried, state["off_n"], 0), 0)
    since = np.where(carried, state["off_ms"], times[np.minimum(begin, k)])
    enough = (n >= ctx.policy_at(NAME, "clear_fixes", row)) & (
        times - since >= 1000 * _number(ctx, "clear_s", row)
    )
    ends = np.flatnonzero(moved & enough & (not ctx.policy_at(NAME, "latched", row)))
    stands = slice(0, int(ends[0]) if len(ends) else len(fix))
    long = np.flatnonzero(
        (times[stands] - state["ms"] >= 1000 * _number(ctx, "long_s", row)) & ~moved[stands]
    )
    if len(long) and not state["long"]:
        state["long"] = True
        _worsen(ctx, row, state, int(times[long[0]]))
    if not len(ends):
        state["off_n"], state["off_ms"] = n[-1], since[-1] if n[-1] else NO_TIME
        return None
    last = int(ends[0])
    ctx.book.close(
        int(ctx.seal[row]),
        NAME,
        None,
        ended_at_ms=int(since[last]),
        cleared_at_ms=int(times[last]),
        settled_ms=int(ctx.fixes.decided_ms[fix[last]]),
        evidence={"stopped_s": int(since[last] - state["ms"]) / 1000},
    )
    return int(fix[last])


def _number(ctx: Context, key: str, row: int) -> float:
    return float(ctx.policy_at(NAME, key, row) or 0)


def _raise(ctx: Context, row: int, state: np.void, fix: int) -> None:
    anchor_ms, raised = int(state["ms"]), int(ctx.fixes.time_ms[fix])
    first = place_evidence(anchor_ms, int(state["lon"]), int(state["lat"]))
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
            "limit_s": _number(ctx, "raise_s", row),
            "radius_m": _number(ctx, "radius_m", row),
            "n_fixes": int(state["n"]),
            "fixes": [first, fix_evidence(ctx.fixes, fix)],
        },
    )


def _worsen(ctx: Context, row: int, state: np.void, at_ms: int) -> None:
    value: Any = ctx.policy_at(NAME, "long_severity", row)
    severity: Severity = value
    ctx.book.change(
        int(ctx.seal[row]),
        NAME,
        None,
        changed_ms=at_ms,
        severity=severity,
        evidence={"stopped_s": (at_ms - int(state["ms"])) / 1000},
    )


def _switched_off(ctx: Context, enabled: Mask) -> None:
    """A policy that switches the rule off ends what it has under way, where that policy begins to hold."""
    state = ctx.state[NAME]
    rows = np.flatnonzero(((ctx.active & ctx.bits[NAME]) != 0) & ~enabled)
    for row in rows[state["open"][rows]].tolist():
        since = int(state["ms"][row])
        at = max(ctx.version_from_ms, int(ctx.epoch_start_ms[row]), since)
        ctx.book.close(
            int(ctx.seal[row]), NAME, None, ended_at_ms=at, cleared_at_ms=at,
            evidence={"closed_by": "plan_changed", "stopped_s": (at - since) / 1000},
        )  # fmt: skip
    state[rows] = _START[0]
    state["n"][rows] = NO_ANCHOR


RULE = Rule(NAME, KEYS, _judge, state=STOP, start=_START[0], while_suspended=False)
