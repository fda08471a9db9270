"""``STOP_OVERRUN``: in an approved stop for longer than the stop allows.

The stay begins at the first fix inside and is raised by the first fix at which it has lasted longer than the zone's
``max_stop_min``. Fixes within a margin around the stop say nothing: GNSS noise at the gate does not begin a stay anew.
A seal that is unheard of counts as standing there still.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seal_tracker.model import NO_TIME, iso_ms
from seal_tracker.rules.context import Context
from seal_tracker.rules.evidence import last_fix, place_evidence, zone_evidence
from seal_tracker.rules.keys import PolicyKey, common_keys, zoned
from seal_tracker.rules.rule import Rule
from seal_tracker.rules.runs import RUN, Limits, new_runs
from seal_tracker.rules.stays import Stay, in_zones, leaving_margin_m, of_zones
from seal_tracker.rules.streams import STREAM_NUMBER
from seal_tracker.rules.unheard import NEVER_MS, UNHEARD_KEYS, unheard_ms

__all__ = ["RULE"]

I8 = NDArray[np.int64]

NAME = "STOP_OVERRUN"

LONGER_S = 0.0005
"""A stay must be longer than allowed, not as long: half a millisecond lies between the two."""

KEYS = (
    common_keys("medium", raise_=(1, 0), clear=(1, 0))
    | {
        "raise_s": PolicyKey("number", 0.0, "seconds by which a stay must exceed the stop's max_stop_min"),
        "clear_margin_m": PolicyKey(
            "number", None, "metres outside that end a stay; unset: max(20, a tenth of the radius)"
        ),
    }
    | UNHEARD_KEYS
)


def _judge(ctx: Context) -> None:
    stops = ctx.terrain.limited_stops
    if stops is None and not len(ctx.streams):
        return

    def evidence(stay: Stay) -> dict[str, Any]:
        limit_s = float(ctx.terrain.zone_stop_s[stay.zone])
        return {"stopped_s": (stay.time_ms - stay.began_ms) / 1000, "limit_s": limit_s}

    def closing(stay: Stay) -> dict[str, Any]:
        since = ctx.book.open_of(int(ctx.seal[stay.row]))[NAME, ctx.terrain.zones.ids[stay.zone]]
        return {"stopped_s": (stay.began_ms - since.started_at_ms) / 1000}

    def longer(limits: Limits, zone: NDArray[np.int64]) -> Limits:
        grace_s = np.asarray(limits.raise_s, np.float64)
        return limits._replace(raise_s=ctx.terrain.zone_stop_s[zone] + grace_s + LONGER_S)

    of_zones(
        ctx,
        NAME,
        stops,
        in_zones(ctx, NAME, stops),
        evidence,
        limits=longer,
        margin_m=partial(leaving_margin_m, ctx, NAME),
        closing=closing,
    )


def _overdue(ctx: Context) -> tuple[I8, I8, I8]:
    """Streams of stays that are not told yet, the zone of each, and when time alone shows it to be too long."""
    stops, streams, none = ctx.terrain.limited_stops, ctx.streams, np.zeros(0, np.int64)
    if stops is None or not len(streams):
        return none, none, none
    at = np.flatnonzero((streams["rule"] == STREAM_NUMBER[NAME]) & (streams["on_n"] > 0) & ~streams["open"])
    zone = ctx.terrain.zone_of(streams["key"][at])
    watched = (zone >= 0) & stops[zone]
    watched &= ctx.enabled(NAME, streams["row"][at], zone) & ctx.armed[streams["row"][at]]
    at, zone = at[watched], zone[watched]
    row = streams["row"][at]
    grace = ctx.terrain.policies.value(NAME, "raise_s", ctx.regime[row], ctx.route[row], zone)
    limit_s = ctx.terrain.zone_stop_s[zone] + np.asarray(grace, np.float64) + LONGER_S
    limit_ms = np.ceil(limit_s * 1000).astype(np.int64)
    at_ms = np.maximum(streams["on_ms"][at] + limit_ms, unheard_ms(ctx, NAME)[row])
    return at, zone, np.maximum(at_ms, ctx.version_from_ms)


def _next_due(ctx: Context, until_ms: I8) -> I8:
    due, (at, _, at_ms) = np.full(len(until_ms), NEVER_MS), _overdue(ctx)
    row = ctx.streams["row"][at]
    later = at_ms >= until_ms[row]
    np.minimum.at(due, row[later], at_ms[later] + 1)
    return due


def _unheard(ctx: Context, until_ms: I8) -> I8:
    """Raise the stays that time alone shows to be too long before ``until_ms`` (by row); returns when, ``NO_TIME``: none."""
    raised, streams = np.full(len(until_ms), NO_TIME), ctx.streams
    at, zone, at_ms = _overdue(ctx)
    row = streams["row"][at]
    due = np.flatnonzero((at_ms < until_ms[row]) & ctx.terrain.in_force(zone, at_ms))
    for k in due.tolist():
        _raise_unheard(ctx, int(row[k]), int(zone[k]), streams[at[k]], int(at_ms[k]))
    np.maximum.at(raised, row[due], at_ms[due])
    kept = new_runs(len(due))
    kept["open"] = True
    for name in RUN.names or ():
        streams[name][at[due]] = kept[name]
    return raised


def _raise_unheard(ctx: Context, row: int, zone: int, run: np.void, raised_ms: int) -> None:
    began_ms = int(run["on_ms"])
    first = place_evidence(began_ms, int(run["on_lon"]), int(run["on_lat"]))
    ctx.book.raise_(
        int(ctx.seal[row]),
        ctx.subjects[row],
        NAME,
        ctx.terrain.zones.ids[zone],
        severity=ctx.severity(NAME, row, zone),
        started_at_ms=began_ms,
        raised_at_ms=raised_ms,
        latched=bool(ctx.policy_at(NAME, "latched", row, zone)),
        plan_version=ctx.terrain.version,
        evidence=zone_evidence(ctx, zone)
        | {
            "stopped_s": (raised_ms - began_ms) / 1000,
            "limit_s": float(ctx.terrain.zone_stop_s[zone]),
            "last_ping": iso_ms(int(ctx.state["track"]["last_ms"][row])),
            "n_fixes": int(run["on_n"]),
            "fixes": [first, *(fix for fix in last_fix(ctx, row, raised_ms) if run["on_n"] > 1)],
        },
    )


RULE = Rule(
    NAME,
    zoned(KEYS, *UNHEARD_KEYS),
    _judge,
    stream=STREAM_NUMBER[NAME],
    pass_time=_unheard,
    next_due=_next_due,
    while_suspended=False,
)
