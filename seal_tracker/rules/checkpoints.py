"""``CHECKPOINT_REACHED``, ``CHECKPOINT_LATE`` and ``CHECKPOINT_MISSED``: the checkpoints of a route, each once a journey.

One that a route lists more than once, as one out and back may, is to be visited so often in that order (`legs`).

What was entered is kept as a stream of each visit of a zone, so that it outlasts a new plan and a diversion. What the other two
have settled is a bit for each checkpoint of the route, by its place in the order of the route.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from geofences.masks import some, which
from seal_tracker.model import NO_TIME, Severity, iso_ms
from seal_tracker.rules.arrays import begins
from seal_tracker.rules.context import Context, mm_of_m
from seal_tracker.rules.entries import NUMBER, Entries, entered, was_entered
from seal_tracker.rules.evidence import crossing_evidence, fix_evidence, last_fix, zone_evidence
from seal_tracker.rules.keys import PolicyKey, at_most, at_most_high, common_keys, zoned
from seal_tracker.rules.legs import visit_key
from seal_tracker.rules.passing import (
    SILENCE,
    Stretch,
    bits,
    keep_silences,
    passed_at,
    silence_at,
    silence_evidence,
    stretch_of,
)
from seal_tracker.rules.records import picked
from seal_tracker.rules.rule import Rule
from seal_tracker.rules.streams import STREAM
from seal_tracker.rules.table import per, whole
from seal_tracker.rules.unheard import NEVER_MS
from seal_tracker.rules.waypoints import NOWHERE_MM

__all__ = ["CHECKPOINT_LATE", "CHECKPOINT_MISSED", "CHECKPOINT_REACHED"]

I8 = NDArray[np.int64]

REACHED, LATE, MISSED = "CHECKPOINT_REACHED", "CHECKPOINT_LATE", "CHECKPOINT_MISSED"

MISSED_KEYS = common_keys("high", raise_=(1, 0), clear=None) | {
    "past_m": PolicyKey(
        "number", 2000.0, "metres along the route past a checkpoint, never entered, that miss it"
    ),
    "unobserved_gap_s": PolicyKey(
        "number", 300.0, "fixes further apart do not show whether what lay between was entered"
    ),
    "unobserved_severity": PolicyKey(
        "severity", "medium", "how bad it is at most where it was passed between such fixes"
    ),
}

LATE_STATE = np.dtype(
    [
        (
            "since_ms",
            "i8",
        ),  # since when the deadlines of this route are asked for, NO_TIME: not looked at yet
        ("settled", "u8"),  # checkpoints whose deadline has passed, told or kept
        (
            "found_ms",
            "i8",
        ),  # of a seal that took over: when it was first found along the route, NO_TIME: not yet
        ("found_mm", "i8"),  # and at which chainage; what lies behind was its predecessor's
    ]
)
MISSED_STATE = np.dtype(
    [
        ("seen", "?"),  # where along the route the track was
        ("lowest_mm", "i8"),  # the lowest chainage so far
        ("settled", "u8"),  # checkpoints passed, told or entered
        ("silence", SILENCE),  # the newest with a checkpoint in it
    ]
)


def _reached(ctx: Context) -> None:
    """Each checkpoint of the route is reached once a journey, at a fix inside or by a crossing between two fixes."""
    mine = ctx.streams["rule"] == NUMBER
    if some(mine):
        ctx.survivors.append(picked(ctx.streams, mine))
    if not len(ctx.fixes) or not ctx.terrain.waypoints.zone.shape[1]:
        return
    kept, found = picked(ctx.streams, mine), entered(ctx)
    if not len(found.fix):
        return
    row, key = ctx.fixes.row[found.fix], visit_key(ctx.terrain.zone_key[found.zone], found.visit)
    n_kept = len(kept)
    names, named = np.unique(np.concatenate([kept["key"], key]), return_inverse=True)
    pair = np.concatenate([kept["row"], row]) * len(names) + named
    pairs, first = np.unique(pair[n_kept:], return_index=True)
    first = np.sort(first[~np.isin(pairs, pair[:n_kept])])
    if not len(first):
        return
    for k in first.tolist():
        _tell_reached(ctx, int(row[k]), found, k)
    new = np.zeros(len(first), STREAM)
    new["row"], new["key"], new["rule"] = row[first], key[first], NUMBER
    ctx.survivors.append(picked(new, np.lexsort((new["key"], new["row"]))))


def _tell_reached(ctx: Context, row: int, found: Entries, k: int) -> None:
    fix, zone, crossing = int(found.fix[k]), int(found.zone[k]), int(found.crossing[k])
    if not ctx.policy_at(REACHED, "enabled", row, zone):
        return
    at = int(ctx.fixes.time_ms[fix])
    severity = ctx.severity(REACHED, row, zone)
    started, detail = at, {"n_fixes": 1, "fixes": [fix_evidence(ctx.fixes, fix)]}
    if crossing >= 0 and ctx.crossings is not None:
        started, detail = int(ctx.crossings.enter_ms[crossing]), crossing_evidence(ctx, crossing, fix)
        severity = at_most_high(severity)
    ctx.book.point(
        ctx.subjects[row],
        REACHED,
        ctx.terrain.zones.ids[zone],
        severity=severity,
        started_at_ms=started,
        raised_at_ms=at,
        settled_ms=int(ctx.fixes.decided_ms[fix]),
        inferred=crossing >= 0,
        nth=int(found.visit[k]),
        plan_version=ctx.terrain.version,
        evidence=zone_evidence(ctx, zone) | _visit(int(found.visit[k])) | detail,
    )


def _visit(visit: int) -> dict[str, int]:
    """What is said of a visit but the first, of a checkpoint that a route is to reach more than once."""
    return {"visit": visit + 1} if visit else {}


def _visit_of(ctx: Context, row: int, place: int) -> int:
    return int(ctx.terrain.planned_legs.visit[ctx.route[row], place])


def _unsettled(passed: NDArray[np.bool_], settled: NDArray[np.uint64]) -> tuple[I8, I8]:
    """(row, place in the order of the route) of what has been passed and is not settled; ``passed`` is bool[rows, places]."""
    row, place = np.nonzero(passed)
    fresh = which((settled[row] & bits(place)) == 0)
    return row[fresh], place[fresh]


def _late(ctx: Context) -> None:
    if ctx.terrain.waypoints.due_ms.shape[1] and len(ctx.ping_row):
        _find_successors(ctx)
        _fall_due(ctx, ctx.newest_ms)


def _find_successors(ctx: Context) -> None:
    """Note where along its route each seal that took over on the way is found first."""
    state = ctx.state[LATE]
    sought = _took_over(ctx) & (state["found_ms"] == NO_TIME)
    if ctx.located is None or not some(sought):
        return
    at = which(sought[ctx.fixes.row] & np.isfinite(ctx.located.chainage_m))
    at = at[begins(ctx.fixes.row[at])]
    row = ctx.fixes.row[at]
    state["found_ms"][row] = ctx.fixes.decided_ms[at]
    state["found_mm"][row] = mm_of_m(ctx.located.chainage_m[at])


def _took_over(ctx: Context) -> NDArray[np.bool_]:
    """bool[rows]: seals that came on their journey after its arming."""
    later: NDArray[np.bool_] = ctx.armed & (ctx.journey_armed_ms < ctx.epoch_start_ms)
    return later


def _fall_due(ctx: Context, until_ms: I8) -> I8:
    """Settle the deadlines before ``until_ms`` (by row); returns the last of them, ``NO_TIME`` where there was none.

    A deadline passes at its own moment, or when the suspension in which it lies ends. What a diversion, or a plan with
    another route, asks for before it holds is not asked at all. A seal that took over on the way answers for the deadlines of
    its own time, and for what lies ahead of where it is first found: what lies behind was its predecessor's to reach.
    """
    table, moved = ctx.terrain.waypoints, np.full(len(until_ms), NO_TIME)
    if not table.due_ms.shape[1]:
        return moved
    state = ctx.state[LATE]
    asked, at = _deadlines(ctx)
    row, place = _unsettled(asked & (at < until_ms[:, None]), state["settled"])
    if not len(row):
        return moved
    enabled = ctx.enabled(LATE, row, table.zone[ctx.route[row], place])
    entries = entered(ctx)
    for r, p in zip(row[enabled].tolist(), place[enabled].tolist(), strict=True):
        at_ms = int(at[r, p])
        state["settled"][r] |= np.uint64(1 << p)
        moved[r] = max(int(moved[r]), at_ms)
        _settle_deadline(ctx, entries, r, p, at_ms)
    return moved


def _deadlines(ctx: Context) -> tuple[NDArray[np.bool_], I8]:
    """Which deadlines (row, place in the order of the route) are asked for, settled or not, and when they pass."""
    table, state = ctx.terrain.waypoints, ctx.state[LATE]
    armed, later = ctx.armed, _took_over(ctx)
    begin = np.maximum(ctx.stretch_ms, ctx.version_from_ms)
    fresh = armed & (state["since_ms"] == NO_TIME)
    since = state["since_ms"] = np.where(fresh, begin, state["since_ms"])
    begin = np.where(later, np.maximum(begin, state["found_ms"]), begin)
    due = np.where(armed, ctx.journey_armed_ms, 0)[:, None] + table.due_ms[ctx.route]
    asked = (armed & ~(later & (state["found_ms"] == NO_TIME)))[:, None] & (due >= since[:, None])
    asked &= ~later[:, None] | (table.chainage_mm[ctx.route] > state["found_mm"][:, None])
    return asked, np.maximum(due, begin[:, None])


def _next_due(ctx: Context, until_ms: I8) -> I8:
    """When the next deadline passes; of a seal that took over and was found nowhere yet, any may pass with its first fix."""
    if not ctx.terrain.waypoints.due_ms.shape[1]:
        return np.full(len(until_ms), NEVER_MS)
    asked, at = _deadlines(ctx)
    settled = (ctx.state[LATE]["settled"][:, None] & bits(np.arange(at.shape[1]))) != 0
    waits = asked & ~settled & (at >= until_ms[:, None])
    due: I8 = np.where(waits, at + 1, NEVER_MS).min(axis=1)
    return np.where(_took_over(ctx) & (ctx.state[LATE]["found_ms"] == NO_TIME), until_ms, due)


def _settle_deadline(ctx: Context, entries: Entries, row: int, place: int, at_ms: int) -> None:
    """Tell a checkpoint late, unless it was entered by its deadline, or its zone is not in force then.

    Only an entering known by then keeps a deadline: a fix still held, or a crossing that the next fix will show, is not.
    Nor is one late that was passed by: what has been missed is not still expected.
    """
    waypoint, visit = ctx.terrain.checkpoints[int(ctx.route[row])][place], _visit_of(ctx, row, place)
    known = entries.of(ctx, row, waypoint.zone, visit)
    if was_entered(ctx, row, waypoint.zone, visit) or some(ctx.fixes.decided_ms[known] <= at_ms):
        return
    if _was_passed(ctx, row, place, at_ms):
        return
    if not ctx.terrain.in_force(np.array([waypoint.zone]), np.array([at_ms]))[0]:
        return
    planned_ms = int(ctx.journey_armed_ms[row]) + (waypoint.after_ms or 0)
    ctx.book.point(
        ctx.subjects[row],
        LATE,
        ctx.terrain.zones.ids[waypoint.zone],
        severity=ctx.severity(LATE, row, waypoint.zone),
        started_at_ms=at_ms,
        raised_at_ms=at_ms,
        settled_ms=at_ms + 1,  # an entering at the deadline itself is in time
        nth=visit,
        plan_version=ctx.terrain.version,
        evidence=zone_evidence(ctx, waypoint.zone)
        | _visit(visit)
        | {
            "planned_at": iso_ms(planned_ms),
            "late_s": (at_ms - planned_ms) / 1000,
            "tolerance_s": waypoint.tolerance_ms / 1000,
            "fixes": last_fix(ctx, row, at_ms),
        },
    )


def _was_passed(ctx: Context, row: int, place: int, at_ms: int) -> bool:
    """Whether a checkpoint was known by then to have been passed by: before this pass, or in it, which goes before."""
    passed = bool(int(ctx.state[MISSED]["settled"][row]) >> place & 1)
    return passed and ctx.passed_ms.get((row, place), at_ms) <= at_ms


def _missed(ctx: Context) -> None:
    """What the track has passed by along the route, having been before it once."""
    table = ctx.terrain.waypoints
    if not table.chainage_mm.shape[1] or ctx.located is None:
        return
    at = which(np.isfinite(ctx.located.chainage_m))
    if not len(at):
        return
    row, chainage = ctx.fixes.row[at], mm_of_m(ctx.located.chainage_m[at])
    first = which(begins(row))
    mine, state = row[first], ctx.state[MISSED]
    before = np.where(state["seen"][mine], state["lowest_mm"][mine], NOWHERE_MM)
    lowest = np.minimum(before, np.minimum.reduceat(chainage, first))
    highest = np.maximum.reduceat(chainage, first)
    of_route = table.chainage_mm[ctx.route[mine]]
    k, place = _unsettled(
        (of_route < highest[:, None]) & (of_route > lowest[:, None]), state["settled"][mine]
    )
    limit_ms = per(whole(ctx.policy(MISSED, "unobserved_gap_s"), 1000), row)
    stretch = stretch_of(ctx, at, chainage, before, limit_ms)
    if len(k):
        _pass_by(ctx, stretch, k, place)
    if len(stretch.silent):
        keep_silences(stretch, state["silence"])
    state["seen"][mine], state["lowest_mm"][mine] = True, lowest


def _pass_by(ctx: Context, stretch: Stretch, k: I8, place: I8) -> None:
    """Settle the checkpoints (row ``mine[k]``, place) that have been passed far enough."""
    table, mine = ctx.terrain.waypoints, stretch.mine
    row, zone = mine[k], table.zone[ctx.route[mine[k]], place]
    past: Any = ctx.terrain.policies.value(MISSED, "past_m", ctx.regime[row], ctx.route[row], zone)
    past_mm = np.broadcast_to(mm_of_m(past), k.shape)
    asked = ctx.enabled(MISSED, row, zone)
    entries = entered(ctx)
    for one in which(asked).tolist():
        r, p = int(row[one]), int(place[one])
        of, checkpoint_mm = int(k[one]), int(table.chainage_mm[ctx.route[r], p])
        passed = passed_at(stretch, of, checkpoint_mm, int(past_mm[one]))
        if passed is None:
            continue
        fix, state = int(stretch.at[passed]), ctx.state[MISSED]
        silence = silence_at(stretch, of, state["silence"][r], passed, p)
        state["settled"][r] |= np.uint64(1 << p)
        ctx.passed_ms[r, p] = int(ctx.fixes.decided_ms[fix])
        _settle_passing(ctx, entries, r, p, fix, int(past_mm[one]), silence)


def _settle_passing(
    ctx: Context, entries: Entries, row: int, place: int, fix: int, past_mm: int, silence: np.void | None
) -> None:
    """Tell a checkpoint missed at a fix, unless it was entered before, or its zone is not in force then.

    In a ``silence`` it may have been entered, and nobody could have seen it: that is told, and is less bad.
    """
    assert ctx.located is not None
    waypoint, visit = ctx.terrain.checkpoints[int(ctx.route[row])][place], _visit_of(ctx, row, place)
    entered_at = entries.of(ctx, row, waypoint.zone, visit)
    if was_entered(ctx, row, waypoint.zone, visit) or some(entered_at <= fix):
        return
    at_ms = int(ctx.fixes.time_ms[fix])
    if not ctx.terrain.in_force(np.array([waypoint.zone]), np.array([at_ms]))[0]:
        return
    chainage_m = float(ctx.located.chainage_m[fix])
    severity, seen = ctx.severity(MISSED, row, waypoint.zone), {}
    if silence is not None:
        most = cast("Severity", ctx.policy_at(MISSED, "unobserved_severity", row, waypoint.zone))
        severity, seen = at_most(most, severity), silence_evidence(silence)
    ctx.book.point(
        ctx.subjects[row],
        MISSED,
        ctx.terrain.zones.ids[waypoint.zone],
        severity=severity,
        started_at_ms=at_ms,
        raised_at_ms=at_ms,
        settled_ms=int(ctx.fixes.decided_ms[fix]),
        nth=visit,
        plan_version=ctx.terrain.version,
        evidence=zone_evidence(ctx, waypoint.zone)
        | _visit(visit)
        | {
            "past_m": round(chainage_m - waypoint.chainage_m, 1),
            "chainage_m": round(chainage_m, 1),
            "limit_m": past_mm / 1000,
            "n_fixes": 1,
            "fixes": [fix_evidence(ctx.fixes, fix)],
        }
        | seen,
    )


CHECKPOINT_REACHED = Rule(
    REACHED,
    zoned(common_keys("info", raise_=(1, 0), clear=None)),
    _reached,
    is_record=True,
    stream=NUMBER,
)
CHECKPOINT_LATE = Rule(
    LATE,
    zoned(common_keys("medium", raise_=(1, 0), clear=None)),
    _late,
    state=LATE_STATE,
    start=np.array([(NO_TIME, 0, NO_TIME, 0)], LATE_STATE)[0],
    pass_time=_fall_due,
    next_due=_next_due,
    of_route=True,
    while_suspended=False,
    is_record=True,
)
CHECKPOINT_MISSED = Rule(
    MISSED,
    zoned(MISSED_KEYS, "unobserved_gap_s"),
    _missed,
    state=MISSED_STATE,
    of_route=True,
    while_suspended=False,
    is_record=True,
)
