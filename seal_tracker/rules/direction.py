"""``WRONG_DIRECTION``: on its corridor, the cargo goes back towards where it came from.

A fix has *fallen* by what its chainage lacks to the highest since the track last rose for ``clear_fixes`` fixes in
succession. To tell driving from standing in GNSS noise the route is divided into steps of ``step_m``: a fix *rises* or
*sinks* where it lies in another step than the fix before. Noise of less than a step touches two neighbouring steps at
most, so it never rises twice without sinking between, and what does rise twice has gone a step forward for certain.
Fixes off the corridor say nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seal_tracker.rules.arrays import begins, ends, previous
from seal_tracker.rules.context import Context, mm_of_m
from seal_tracker.rules.debounced import Moment, of_fixes
from seal_tracker.rules.keys import PolicyKey, common_keys
from seal_tracker.rules.rule import Rule
from seal_tracker.rules.runs import RUN, Limits, new_runs
from seal_tracker.rules.table import per

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
    ]
)


@dataclass(frozen=True, slots=True)
class _Course:
    """Fixes on their corridors: ``at`` indexes the pass's fixes, the others are by element of it."""

    at: I8
    row: I8
    start: Mask
    chainage_mm: I8
    high_mm: I8
    rises: I8


def _judge(ctx: Context) -> None:
    if ctx.located is None:
        return
    on_corridor = ctx.located.distance_m <= ctx.located.half_width_m
    at = np.flatnonzero(on_corridor)
    if not len(at):
        return
    limits = ctx.limits(NAME)
    course = _course(ctx, at, limits)
    n = len(ctx.fixes)
    fallen_mm, off = np.zeros(n, np.int64), np.zeros(n, bool)
    fallen_mm[at] = course.high_mm - course.chainage_mm
    off[at] = course.rises >= per(limits.clear_fixes, course.row)
    on = fallen_mm > mm_of_m(per(ctx.policy(NAME, "limit_m"), ctx.fixes.row))

    def evidence(moment: Moment) -> dict[str, Any]:
        assert ctx.located is not None
        return {
            "fallen_m": int(fallen_mm[moment.i]) / 1000,
            "chainage_m": round(float(ctx.located.chainage_m[moment.i]), 1),
            "limit_m": float(ctx.policy_at(NAME, "limit_m", moment.row) or 0),
        }

    of_fixes(ctx, NAME, on, evidence, off=off, among=on_corridor, limits=_at_the_last_rise(limits))
    _remember(ctx, course, limits)


def _at_the_last_rise(limits: Limits) -> Limits:
    """The rise that completes the succession clears by itself: the others are counted here, between them lie neutral fixes."""
    return Limits(limits.raise_fixes, limits.raise_s, 1, limits.clear_s, limits.latched)


def _course(ctx: Context, at: I8, limits: Limits) -> _Course:
    """How high each fix lies, and how high the track has been."""
    state, row = ctx.state[NAME], ctx.fixes.row[at]
    chainage = mm_of_m(ctx.located.chainage_m[at])  # type: ignore[union-attr]
    start = begins(row)
    first = row[start]
    seen, last_mm, high_mm = (state[name][first] for name in ("seen", "last_mm", "high_mm"))
    before = previous(chainage)
    before[start] = np.where(seen, last_mm, chainage[start])
    carried_high = np.where(seen, high_mm, chainage[start])
    if not ctx.carries(NAME) and (carried_high == before[start]).all() and (chainage >= before).all():
        return _Course(at, row, start, chainage, chainage, np.zeros(len(at), np.int64))
    rose, rises = _rises(ctx, row, start, before, chainage, state["rises"][first])
    anew = rose & (rises >= per(limits.clear_fixes, row))
    level = chainage.copy()
    level[start] = np.where(anew[start], chainage[start], np.maximum(chainage[start], carried_high))
    segment = np.cumsum(anew | start) * SEGMENT
    high = np.maximum.accumulate(segment + level) - segment
    return _Course(at, row, start, chainage, high, rises)


def _rises(ctx: Context, row: I8, start: Mask, before: I8, chainage: I8, carried: I8) -> tuple[Mask, I8]:
    """Which fixes rise, and how many have in succession with each; a fix in the same step as the one before adds none."""
    step = mm_of_m(per(ctx.policy(NAME, "step_m"), row))
    up = chainage // step - before // step
    rose = up > 0
    total: I8 = np.cumsum(rose)
    i = np.arange(len(row))
    since = np.maximum.accumulate(np.where(start | (up < 0), i, 0))
    from_before = np.zeros(len(row), np.int64)
    from_before[start] = carried
    rises: I8 = total - total[since] + rose[since] + np.where(up[since] < 0, 0, from_before[since])
    return rose, rises


def _remember(ctx: Context, course: _Course, limits: Limits) -> None:
    """Carry on. Rises count only where the track has sunk or an episode is open: else 0, so that one track has one state."""
    last = ends(course.start)
    row = course.row[last]
    state, chainage, high = ctx.state[NAME], course.chainage_mm[last], course.high_mm[last]
    state["seen"][row] = True
    state["last_mm"][row], state["high_mm"][row] = chainage, high
    step = mm_of_m(per(ctx.policy(NAME, "step_m"), row))
    matters = (high // step > chainage // step) | state["open"][row]
    rises = np.minimum(course.rises[last], per(limits.clear_fixes, row))
    state["rises"][row] = np.where(matters, rises, 0)


RULE = Rule(
    NAME,
    KEYS,
    _judge,
    state=DIRECTION,
    start=new_runs(1, DIRECTION)[0],
    of_route=True,
    while_suspended=False,
)
