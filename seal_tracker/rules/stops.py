"""``STOP_UNPLANNED``: the track stays within a circle around the first fix of a run, outside approved stops. Such are the zones, too,
where its journey begins and ends.

How runs are followed is in `lingering`; here stands what becomes of them. One fix far away is no move: a reflection throws
a truck that stands 250 m off, and the next fix brings it back. A truck that drives has runs of one fix, whose
anchor is the fix before: nothing need be remembered of it, and a batch of trucks that drive is left at once.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from geofences.masks import some, which
from seal_tracker.journey import Journey
from seal_tracker.model import Severity, key_of
from seal_tracker.rules.context import Context, Hits
from seal_tracker.rules.evidence import fix_evidence, place_evidence
from seal_tracker.rules.keys import PolicyKey, common_keys
from seal_tracker.rules.lingering import NAME, NO_ANCHOR, START, STOP, Telling, follow
from seal_tracker.rules.rule import Rule
from seal_tracker.rules.table import per, whole

__all__ = ["RULE"]

KEYS = common_keys("medium", raise_=(2, 900), clear=(2, 60)) | {
    "radius_m": PolicyKey("number", 100.0, "a fix within this of the run's first has not moved on"),
    "moved_m": PolicyKey("number", 200.0, "fixes this far from the run's first have moved away"),
    "long_s": PolicyKey("number", 5400.0, "from here on the episode is as bad as long_severity"),
    "long_severity": PolicyKey("severity", "high", "how bad a long stop is"),
    "at_ends": PolicyKey(
        "flag", default=False, doc="whether a stop where the journey begins or ends is unplanned"
    ),
}

Mask = NDArray[np.bool_]

NOWHERE = np.int64(0)
"""No zone's key."""


def _judge(ctx: Context) -> None:
    carries, enabled = ctx.carries(NAME), ctx.switch(NAME)
    if carries and enabled is not True:
        _switched_off(ctx, enabled)
    fixes = ctx.fixes
    notable = fixes.has_prev & (ctx.step_mm <= per(whole(ctx.policy(NAME, "radius_m"), 1000), fixes.row))
    outside = _outside(ctx, enabled)
    if outside is not None:
        notable |= ~outside
    if not carries and not some(notable):
        return
    busy = (ctx.active & ctx.bits[NAME]) != 0
    busy[fixes.row[notable]] = True
    rows = which(busy & ctx.armed)
    rows = rows[np.searchsorted(fixes.row, rows, side="right") > np.searchsorted(fixes.row, rows)]
    if len(rows):
        outside = np.ones(len(fixes), bool) if outside is None else outside
        follow(ctx, rows, which(notable), outside, TELLING)


def _outside(ctx: Context, enabled: Literal[True] | Mask) -> Mask | None:
    """Fixes of which a run may consist: not in an approved stop, nor where the rule is off. None: all."""
    stops = ctx.terrain.kinds.get("approved_stop")
    outside = None if enabled is True else enabled[ctx.fixes.row]
    if ctx.hits is None or not len(ctx.hits.fix):
        return outside
    approved = None if stops is None else stops[ctx.hits.zone]
    ends = _at_ends(ctx, ctx.hits)
    if ends is not None:
        approved = ends if approved is None else approved | ends
    if approved is None:
        return outside
    outside = np.ones(len(ctx.fixes), bool) if outside is None else outside
    outside[ctx.hits.fix[approved]] = False
    return outside


def _at_ends(ctx: Context, hits: Hits) -> Mask | None:
    """Which hits are of the zones where the journey begins and ends, and waits to be sealed, or to be opened. None: no journey names any."""
    origin, destination = ctx.of_journey(_origin, NOWHERE), ctx.of_journey(_destination, NOWHERE)
    if not some(origin != NOWHERE) and not some(destination != NOWHERE):
        return None
    row, key = ctx.fixes.row[hits.fix], ctx.terrain.zone_key[hits.zone]
    found: Mask = (origin[row] == key) | (destination[row] == key)
    found &= ~np.asarray(per(ctx.policy(NAME, "at_ends"), row), bool)
    return found


def _origin(journey: Journey) -> int:
    return 0 if journey.origin_zone is None else key_of(journey.origin_zone)


def _destination(journey: Journey) -> int:
    return 0 if journey.destination_zone is None else key_of(journey.destination_zone)


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


def _close(ctx: Context, row: int, state: np.void, fix: int, since_ms: int) -> None:
    ctx.book.close(
        int(ctx.seal[row]),
        NAME,
        None,
        ended_at_ms=since_ms,
        cleared_at_ms=int(ctx.fixes.time_ms[fix]),
        settled_ms=int(ctx.fixes.decided_ms[fix]),
        evidence={"stopped_s": (since_ms - int(state["ms"])) / 1000},
    )


def _switched_off(ctx: Context, enabled: Mask) -> None:
    """A policy that switches the rule off ends what it has under way, where that policy begins to hold."""
    state = ctx.state[NAME]
    rows = which(((ctx.active & ctx.bits[NAME]) != 0) & ~enabled)
    for row in rows[state["open"][rows]].tolist():
        since = int(state["ms"][row])
        at = max(ctx.version_from_ms, int(ctx.epoch_start_ms[row]), since)
        ctx.book.close(
            int(ctx.seal[row]), NAME, None, ended_at_ms=at, cleared_at_ms=at,
            evidence={"closed_by": "plan_changed", "stopped_s": (at - since) / 1000},
        )  # fmt: skip
    state[rows] = START[0]
    state["n"][rows] = NO_ANCHOR


TELLING = Telling(_raise, _worsen, _close)

RULE = Rule(NAME, KEYS, _judge, state=STOP, start=START[0], while_suspended=False)
