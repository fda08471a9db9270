"""``WRONG_DIRECTION``: on its corridor, the cargo goes back towards where it came from.

A fix has *fallen* by what its chainage lacks to the highest since the track last rose for ``clear_fixes`` fixes in
succession. To tell driving from standing in GNSS noise the route is divided into steps of ``step_m``: a fix *rises* or
*sinks* where it lies in another step than the fix before. Noise of less than a step touches two neighbouring steps at
most, so it never rises twice without sinking between, and what does rise twice has gone a step forward for certain.
Fixes off the corridor say nothing.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geofences.masks import all_true, every, which
from seal_tracker.rules.arrays import before, begins, ends
from seal_tracker.rules.context import Context, mm_of_m
from seal_tracker.rules.debounced import Moment, of_fixes
from seal_tracker.rules.keys import PolicyKey, common_keys
from seal_tracker.rules.rule import Rule
from seal_tracker.rules.runs import RUN, Limits, new_runs
from seal_tracker.rules.table import per, whole

__all__ = ["RULE"]

NAME = "WRONG_DIRECTION"

I8 = NDArray[np.int64]
Mask = NDArray[np.bool_]

KEYS = common_keys("medium", raise_=(3, 120), clear=(2, 0)) | {
    "limit_m": PolicyKey("number", 500.0, "metres that the chainage falls by"),
    "step_m": PolicyKey(
        "number",
        50.0,
        "less along the route is noise: GNSS error of a poor fix, standing or on a bend",
        minimum=1,
    ),
}

SEGMENT = 1 << 40
"""More than the millimetres of any route (1,000,000 km): keeps the running maximum of one stretch out of the next."""

DIRECTION = np.dtype(
    [
        *RUN.descr,
        ("seen", "?"),  # a fix on the corridor
        ("last_mm", "i8"),  # chainage of the newest one
        ("high_mm", "i8"),  # the highest since the track last rose
        ("rises", "i2"),  # rising fixes in succession, up to as many as matter
        ("rise_ms", "i8"),  # the first of them, 0: none
    ]
)

MEMORY = ("seen", "last_mm", "high_mm", "rises", "rise_ms")


class _Along(NamedTuple):
    """Fixes on their corridors: ``at`` indexes the pass's fixes; ``seals`` are their rows, ``start`` the first fix of each."""

    at: I8
    row: I8
    chainage_mm: I8
    start: Mask
    seals: I8


def _judge(ctx: Context) -> None:
    if ctx.located is None or ctx.on_corridor is None:
        on_corridor, chainage_m = np.zeros(0, bool), np.zeros(0)
    else:
        on_corridor, chainage_m = ctx.on_corridor, ctx.located.chainage_m
    at = which(on_corridor)
    if not len(at) and not ctx.carries(NAME):
        return
    row = ctx.fixes.row[at]
    start = all_true(len(row)) if ctx.one_fix_each else begins(row)
    along = _Along(at, row, mm_of_m(chainage_m[at]), start, row if ctx.one_fix_each else row[start])
    state = ctx.state[NAME]
    seen, last_mm, high_mm = (state[name].take(along.seals) for name in ("seen", "last_mm", "high_mm"))
    first_mm = along.chainage_mm if ctx.one_fix_each else along.chainage_mm[start]
    before_mm = before(along.chainage_mm, start, np.where(seen, last_mm, first_mm))
    goes_on = every(along.chainage_mm >= before_mm) and every((high_mm == last_mm) | ~seen)
    if goes_on and not ctx.carries(NAME):
        _remember(ctx, along, along.chainage_mm)
        if not every(seen):
            state["seen"][along.seals] = True
        return
    high_mm = np.where(seen, np.maximum(high_mm, first_mm), first_mm)
    _look_back(ctx, on_corridor, along, before_mm, high_mm)


def _look_back(ctx: Context, on_corridor: Mask, along: _Along, before_mm: I8, first_high_mm: I8) -> None:
    """Judge fixes some of which lie behind where their track has been."""
    limits, row = ctx.limits(NAME), along.row
    rose, rises, since_ms = _rises(ctx, along, before_mm)
    enough = rises >= per(limits.clear_fixes, row)
    lasts_ms = ctx.fixes.time_ms[along.at] - since_ms
    high_mm = _high_mm(along, rose & enough, first_high_mm)
    n = len(ctx.fixes)
    fallen_mm, risen_ms, off = np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(n, bool)
    fallen_mm[along.at], risen_ms[along.at] = high_mm - along.chainage_mm, since_ms
    off[along.at] = enough & (lasts_ms >= np.multiply(per(limits.clear_s, row), 1000))

    def evidence(moment: Moment) -> dict[str, Any]:
        assert ctx.located is not None
        return {
            "fallen_m": int(fallen_mm[moment.i]) / 1000,
            "chainage_m": round(float(ctx.located.chainage_m[moment.i]), 1),
            "limit_m": float(ctx.policy_at(NAME, "limit_m", moment.row) or 0),
        }

    on = fallen_mm > per(whole(ctx.policy(NAME, "limit_m"), 1000), ctx.fixes.row)
    state = ctx.state[NAME]
    memory = {name: state[name].copy() for name in MEMORY}
    of_fixes(
        ctx,
        NAME,
        on,
        evidence,
        off=off,
        off_since_ms=risen_ms,
        among=on_corridor,
        limits=_at_the_last_rise(limits),
    )
    for (
        name,
        column,
    ) in memory.items():  # a policy that switches the rule off ends its runs, not what the track has done
        state[name] = column
    last = ends(along.start)
    seals, step = along.seals, per(whole(ctx.policy(NAME, "step_m"), 1000), along.seals)
    sunk = high_mm[last] // step > along.chainage_mm[last] // step
    counted = np.minimum(rises[last], per(limits.clear_fixes, seals))
    _remember(ctx, along, high_mm)
    # Kept only where they matter, so that one track has one state: where it goes on they are 0, and stay so.
    kept = np.where(sunk | state["open"][seals], counted, 0)
    state["rises"][seals], state["rise_ms"][seals] = kept, np.where(kept > 0, since_ms[last], 0)
    state["seen"][seals] = True


def _at_the_last_rise(limits: Limits) -> Limits:
    """The rise that completes the succession clears by itself: they are counted here, for there are neutral fixes between."""
    return Limits(limits.raise_fixes, limits.raise_s, 1, 0, limits.latched)


def _high_mm(along: _Along, anew: Mask, first_high_mm: I8) -> I8:
    """The highest chainage up to each fix since one that began ``anew``; ``first_high_mm`` is that of each row's first fix."""
    level = along.chainage_mm.copy()
    level[along.start] = np.where(anew[along.start], level[along.start], first_high_mm)
    segment = np.cumsum(anew | along.start) * SEGMENT
    high: I8 = np.maximum.accumulate(segment + level) - segment
    return high


def _rises(ctx: Context, along: _Along, before_mm: I8) -> tuple[Mask, I8, I8]:
    """Which fixes rise, how many have in succession with each, and when the first of these was (0: none has).

    A fix in the same step as the one before adds none.
    """
    step = per(whole(ctx.policy(NAME, "step_m"), 1000), along.row)
    up = along.chainage_mm // step - before_mm // step
    rose = up > 0
    total: I8 = np.cumsum(rose)
    i = np.arange(len(up))
    since = np.maximum.accumulate(np.where(along.start | (up < 0), i, 0))
    carried, carried_ms = np.zeros((2, len(up)), np.int64)
    state = ctx.state[NAME]
    carried[along.start], carried_ms[along.start] = state["rises"][along.seals], state["rise_ms"][along.seals]
    fresh = up[since] < 0
    rises: I8 = total - total[since] + rose[since] + np.where(fresh, 0, carried[since])
    first = np.maximum.accumulate(np.where(rose & (rises == 1), i, -1))
    first_ms = np.where(first >= since, ctx.fixes.time_ms[along.at[first]], carried_ms[since])
    return rose, rises, np.where(rises > 0, first_ms, 0)


def _remember(ctx: Context, along: _Along, high_mm: I8) -> None:
    state, last = ctx.state[NAME], slice(None) if len(along.seals) == len(along.at) else ends(along.start)
    state["last_mm"][along.seals], state["high_mm"][along.seals] = along.chainage_mm[last], high_mm[last]


RULE = Rule(
    NAME,
    KEYS,
    _judge,
    state=DIRECTION,
    start=new_runs(1, DIRECTION)[0],
    of_route=True,
    while_suspended=False,
)
