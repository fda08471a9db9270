"""``ARRIVAL_LATE`` and ``TRANSIT_LIMIT``: a journey will come too late, or has been under way for longer than the law lets it.

The expected arrival is a fix's time and the rest of its route at the policy's mean speed. At the end of its route the cargo
has arrived, and is as late as it was then, however long it waits there. A seal that is unheard of counts as standing where
it was last seen, and where nobody has seen it as having arrived: it is late when it would be even so. The transit limit needs none: it falls due at its own moment, whether a ping or the clock shows that this has come.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geofences.masks import every, some, which
from seal_tracker.journey import Journey
from seal_tracker.model import NO_TIME, iso_ms
from seal_tracker.rules.arrays import begins, ends, previous
from seal_tracker.rules.context import Context
from seal_tracker.rules.debounced import Moment, of_fixes
from seal_tracker.rules.evidence import last_fix
from seal_tracker.rules.keys import PolicyKey, common_keys
from seal_tracker.rules.rule import Rule
from seal_tracker.rules.runs import RUN, new_runs
from seal_tracker.rules.table import per, whole
from seal_tracker.rules.unheard import NEVER_MS, UNHEARD_KEYS, unheard_ms

__all__ = ["ARRIVAL_LATE", "TRANSIT_LIMIT"]

I8 = NDArray[np.int64]

ARRIVAL, LIMIT = "ARRIVAL_LATE", "TRANSIT_LIMIT"

UNPLANNED_MS = 1 << 62
"""When a journey without a due time is due; far enough from the end of int64 that times can be taken from it."""

UNPLANNED = np.array(UNPLANNED_MS)
NEVER = np.array([NO_TIME])

TRANSIT_H = 720.0
"""The longest transit through Viet Nam is 30 days from the end of the formalities at the gate of entry, where a seal is
armed (Law on Foreign Trade Management 05/2017/QH14, article 47.1)."""

MEAN_SPEED_KMH = 40.0
"""A loaded lorry over a whole day on Vietnamese national roads, its stops included: an assumption, to be set by route."""

ARRIVAL_KEYS = (
    common_keys("medium", raise_=(1, 300), clear=(1, 0))
    | {
        "mean_speed_kmh": PolicyKey(
            "number", MEAN_SPEED_KMH, "what the rest of the route is driven at, stops included", minimum=1
        ),
        "tolerance_min": PolicyKey("number", 30.0, "minutes that an arrival may be late"),
        "arrived_m": PolicyKey(
            "number",
            500.0,
            "this near to the end of its route the cargo has arrived: the yard of a port or gate",
        ),
    }
    | UNHEARD_KEYS
)

ARRIVAL_STATE = np.dtype([*RUN.descr, ("arrived_ms", "i8"), ("remaining_dm", "i4")])
"""A run, since which fix the cargo has been at the end of its route, 0: it is not, and how far it had to go when last seen."""

IDLE = ("raise_fixes", "clear_fixes", "clear_s")
"""The transit limit falls due at a moment, and ends with a plan that gives more time."""

LIMIT_KEYS = common_keys("high", raise_=(1, 300), clear=(1, 0), latched=True, idle=IDLE) | {
    "limit_h": PolicyKey(
        "number",
        TRANSIT_H,
        "hours from arming that the cargo may be under way; 720: the 30 days of transit through Viet Nam",
    ),
}

LIMIT_STATE = np.dtype(
    [
        ("since_ms", "i8"),  # since when the time has been used up, NO_TIME: it is not
        ("open", "?"),
    ]
)


def _due_ms(journey: Journey) -> int:
    return UNPLANNED_MS if journey.due_at_ms is None else journey.due_at_ms


def _arrival(ctx: Context) -> None:
    due = ctx.of_journey(_due_ms, UNPLANNED_MS)
    if not ctx.carries(ARRIVAL) and every(due == UNPLANNED):
        if some(ctx.state.look(ARRIVAL)["arrived_ms"] > 0):
            ctx.state[ARRIVAL]["arrived_ms"][ctx.fixes.row] = 0
        return
    row, planned = ctx.fixes.row, due[ctx.fixes.row]
    remaining = _remaining_m(ctx)
    known = np.isfinite(remaining) & (planned != UNPLANNED_MS)
    hours = np.where(known, remaining, 0.0) / per(ctx.policy(ARRIVAL, "mean_speed_kmh"), row) / 1000.0
    expected = ctx.fixes.time_ms + np.rint(hours * 3_600_000.0).astype(np.int64)
    since = _arrived_ms(ctx, known & _at_the_end(ctx, remaining))
    expected = np.where(since > 0, since, expected)
    late = expected - planned
    tolerance = per(whole(ctx.policy(ARRIVAL, "tolerance_min"), 60_000), row)

    def evidence(moment: Moment) -> dict[str, Any]:
        return {
            "expected_at": iso_ms(int(expected[moment.i])),
            "planned_at": iso_ms(int(planned[moment.i])),
            "late_s": int(late[moment.i]) / 1000,
            "tolerance_s": _tolerance_s(ctx, moment.row),
            "remaining_m": round(float(remaining[moment.i]), 1),
        }

    of_fixes(ctx, ARRIVAL, late > tolerance, evidence, among=known)
    last = ends(begins(row))
    state = ctx.state[ARRIVAL]
    state["arrived_ms"][row[last]] = since[last]
    seen = which(known)
    state["remaining_dm"][row[seen]] = np.rint(remaining[seen] * 10)  # of several of one row the last is kept


class _Expected(NamedTuple):
    """By row: whether time alone may make it late, when, since when it then is, how long the rest of the way takes."""

    waits: NDArray[np.bool_]
    at_ms: I8
    began_ms: I8
    rest_ms: I8


def _expected(ctx: Context, due: I8) -> _Expected:
    """When journeys due at ``due`` are late if they are not heard of."""
    state, rows = ctx.state[ARRIVAL], np.arange(len(due))
    speed_kmh = np.asarray(ctx.policy(ARRIVAL, "mean_speed_kmh"), np.float64)
    rest_ms = np.rint(state["remaining_dm"] / speed_kmh * 360.0).astype(np.int64)
    late_from = due + whole(ctx.policy(ARRIVAL, "tolerance_min"), 60_000) - rest_ms
    late_from = np.maximum(late_from, np.maximum(ctx.stretch_ms, ctx.version_from_ms))
    began = np.where(state["on_n"] > 0, state["on_ms"], late_from)
    at_ms = np.maximum(began + whole(ctx.policy(ARRIVAL, "raise_s"), 1000), unheard_ms(ctx, ARRIVAL))
    at_ms = np.maximum(at_ms, ctx.version_from_ms)
    waits = ctx.armed & ctx.enabled(ARRIVAL, rows) & ~state["open"] & (state["arrived_ms"] == 0)
    return _Expected(waits & (due != UNPLANNED_MS), at_ms, began, rest_ms)


def _late_next(ctx: Context, until_ms: I8) -> I8:
    due = ctx.of_journey(_due_ms, UNPLANNED_MS)
    if int(due.min(initial=UNPLANNED_MS)) == UNPLANNED_MS:
        return np.full(len(until_ms), NEVER_MS)
    one = _expected(ctx, due)
    return np.where(one.waits & (one.at_ms >= until_ms), one.at_ms + 1, NEVER_MS)


def _unheard(ctx: Context, until_ms: I8) -> I8:
    """Raise what time alone shows to be late before ``until_ms`` (by row); returns when, ``NO_TIME`` where nothing is."""
    raised = np.full(len(until_ms), NO_TIME)
    due = ctx.of_journey(_due_ms, UNPLANNED_MS)
    if int(due.min(initial=UNPLANNED_MS)) == UNPLANNED_MS:
        return raised
    one, state = _expected(ctx, due), ctx.state[ARRIVAL]
    found = which(one.waits & (one.at_ms < until_ms))
    for r in found.tolist():
        _raise_unheard(ctx, r, int(one.began_ms[r]), int(one.at_ms[r]), int(one.rest_ms[r]), int(due[r]))
    raised[found] = one.at_ms[found]
    new = new_runs(len(found), RUN)
    for name in RUN.names or ():
        state[name][found] = new[name]
    state["open"][found] = True
    ctx.mark(ARRIVAL, found, np.ones(len(found), bool))
    return raised


def _raise_unheard(ctx: Context, row: int, began_ms: int, raised_ms: int, rest_ms: int, due_ms: int) -> None:
    last_ms = int(ctx.state["track"]["last_ms"][row])
    ctx.book.raise_(
        int(ctx.seal[row]),
        ctx.subjects[row],
        ARRIVAL,
        None,
        severity=ctx.severity(ARRIVAL, row),
        started_at_ms=began_ms,
        raised_at_ms=raised_ms,
        latched=bool(ctx.policy_at(ARRIVAL, "latched", row)),
        plan_version=ctx.terrain.version,
        evidence={
            "expected_at": iso_ms(raised_ms + rest_ms),
            "planned_at": iso_ms(due_ms),
            "late_s": (raised_ms + rest_ms - due_ms) / 1000,
            "tolerance_s": _tolerance_s(ctx, row),
            "remaining_m": int(ctx.state[ARRIVAL]["remaining_dm"][row]) / 10,
            "fixes": last_fix(ctx, row, raised_ms),
        }
        | ({} if last_ms == NO_TIME else {"last_ping": iso_ms(last_ms)}),
    )


def _tolerance_s(ctx: Context, row: int) -> float:
    return round(float(ctx.policy_at(ARRIVAL, "tolerance_min", row) or 0) * 60, 3)


def _at_the_end(ctx: Context, remaining: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which fixes are where their route ends; never without a route."""
    if ctx.located is None:
        return np.zeros(len(remaining), bool)
    near = per(ctx.policy(ARRIVAL, "arrived_m"), ctx.fixes.row)
    on_route = ctx.route[ctx.fixes.row] >= 0
    found: NDArray[np.bool_] = on_route & (remaining <= near) & (ctx.located.distance_m <= near)
    return found


def _arrived_ms(ctx: Context, at_end: NDArray[np.bool_]) -> I8:
    """For each fix the first of those in succession with it that are ``at_end``, the carried ones too; 0 where it is not."""
    fixes = ctx.fixes
    start = begins(fixes.row)
    fresh = start | ~previous(at_end)
    first = np.maximum.accumulate(np.where(fresh, np.arange(len(fixes)), 0))
    carried = ctx.state[ARRIVAL]["arrived_ms"][fixes.row]
    since = np.where(start[first] & (carried > 0), carried, fixes.time_ms[first])
    return np.where(at_end, since, 0)


def _remaining_m(ctx: Context) -> NDArray[np.float64]:
    """Metres of its route before each fix: 0 where it has none, NaN where it is not known how far along the fix is."""
    fixes = ctx.fixes
    if ctx.located is None:
        return np.zeros(len(fixes))
    route = ctx.route[fixes.row]
    length = np.append(ctx.terrain.corridors.length_m, 0.0)
    return np.where(route >= 0, length[route] - ctx.located.chainage_m, 0.0)


def _limit(ctx: Context) -> None:
    if len(ctx.ping_row):
        _use_up(ctx, ctx.newest_ms)


def _use_up(ctx: Context, until_ms: I8) -> I8:
    """Let each row's time come to ``until_ms``; returns when that last changed anything, ``NO_TIME`` where it did not.

    A plan version that shortens the time uses it up when it begins to hold, never before. Once used up in one version
    it stays so through the next ones until one gives more.
    """
    moved = NEVER.repeat(len(until_ms))
    due = ctx.journey_armed_ms + whole(ctx.policy(LIMIT, "limit_h"), 3_600_000)
    if not ctx.carries(LIMIT) and not some(ctx.armed & (due <= until_ms)):
        return moved
    state = ctx.state[LIMIT]
    begin = np.maximum(ctx.state["track"]["phase_ms"], ctx.version_from_ms)
    open_, was = state["open"], state["since_ms"]
    since = np.where((was != NO_TIME) & (due <= begin), was, np.maximum(due, begin))
    watched = ctx.armed & ctx.enabled(LIMIT, np.arange(len(until_ms)))
    used_up = watched & (since <= until_ms)
    raised_ms = np.maximum(since + whole(ctx.policy(LIMIT, "raise_s"), 1000), begin)
    rises = used_up & ~open_ & (raised_ms <= until_ms)
    latched = np.broadcast_to(np.asarray(ctx.policy(LIMIT, "latched"), bool), open_.shape)
    over = open_ & (~watched | (~used_up & ~latched))
    for r in which(rises).tolist():
        _raise(ctx, r, int(since[r]), int(raised_ms[r]), int(due[r]))
    for r in which(over).tolist():
        _end(ctx, r, int(begin[r]))
    since = np.where(used_up, since, NO_TIME)
    changed = since != was
    moved[changed] = np.where(used_up, since, begin)[changed]
    moved[over], moved[rises] = begin[over], raised_ms[rises]
    state["open"], state["since_ms"] = (open_ | rises) & ~over, since
    ctx.mark(LIMIT, np.arange(len(until_ms)), used_up | state["open"])
    return moved


def _limit_next(ctx: Context, until_ms: I8) -> I8:
    """When the time of journeys is used up, or has been for long enough."""
    state, limit_ms = ctx.state[LIMIT], whole(ctx.policy(LIMIT, "limit_h"), 3_600_000)
    begin = np.maximum(ctx.state["track"]["phase_ms"], ctx.version_from_ms)
    used_up = state["since_ms"] != NO_TIME
    raised_ms = np.maximum(state["since_ms"] + whole(ctx.policy(LIMIT, "raise_s"), 1000), begin)
    next_ms = np.where(used_up, raised_ms, np.maximum(ctx.journey_armed_ms + limit_ms, begin))
    watched = ctx.armed & ctx.enabled(LIMIT, np.arange(len(until_ms))) & ~state["open"]
    return np.where(watched & (next_ms > until_ms), next_ms, NEVER_MS)


def _raise(ctx: Context, row: int, since_ms: int, raised_ms: int, due_ms: int) -> None:
    ctx.book.raise_(
        int(ctx.seal[row]),
        ctx.subjects[row],
        LIMIT,
        None,
        severity=ctx.severity(LIMIT, row),
        started_at_ms=since_ms,
        raised_at_ms=raised_ms,
        latched=bool(ctx.policy_at(LIMIT, "latched", row)),
        plan_version=ctx.terrain.version,
        evidence={
            "planned_at": iso_ms(due_ms),
            "under_way_h": round((raised_ms - int(ctx.journey_armed_ms[row])) / 3_600_000, 3),
            "limit_h": float(ctx.policy_at(LIMIT, "limit_h", row) or 0),
            "fixes": last_fix(ctx, row, raised_ms),
        },
    )


def _end(ctx: Context, row: int, at_ms: int) -> None:
    """The plan version now in force gives more time, or does not ask."""
    ctx.book.close(
        int(ctx.seal[row]),
        LIMIT,
        None,
        ended_at_ms=at_ms,
        cleared_at_ms=at_ms,
        evidence={"closed_by": "plan_changed"},
    )


ARRIVAL_LATE = Rule(
    ARRIVAL,
    ARRIVAL_KEYS,
    _arrival,
    state=ARRIVAL_STATE,
    start=new_runs(1, ARRIVAL_STATE)[0],
    pass_time=_unheard,
    next_due=_late_next,
    of_route=True,
    while_suspended=False,
)

TRANSIT_LIMIT = Rule(
    LIMIT,
    LIMIT_KEYS,
    _limit,
    state=LIMIT_STATE,
    start=np.array([(NO_TIME, False)], LIMIT_STATE)[0],
    pass_time=_use_up,
    next_due=_limit_next,
    while_suspended=False,
)
