"""``UNOBSERVED_GAP``: between two fixes there was time enough for a detour that nobody saw.

In a gap of Δt between places a distance d apart the cargo may, at top speed v, have been up to
``sqrt((v Δt / 2)² - (d / 2)²)`` off the straight line (SEMANTICS, *Longer gaps*): the half-axis of the ellipse whose foci
are the two places. It is told where that is more than the corridor's half-width at the later fix.

The catalogue knows one limit, 15 minutes. A seal asleep reports every 30 minutes by design, so each of its reports would
be a gap, and what matters is the report it owes and does not send: for it the limit is ``asleep_gap_s``, the silence after
which its signal counts as lost. It counts as asleep where it said so at the fix before the gap and never otherwise in it.
Likewise a seal that was told to report seldom while awake: what it last said of its interval, ``intervals`` times, is
the least that a gap must exceed.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from geofences.masks import some, which
from geofences.reach import half_axis_m, in_reach
from seal_tracker.model import NO_TIME, Mode, Severity
from seal_tracker.rules.context import Context, mm_of_m
from seal_tracker.rules.evidence import pair_evidence
from seal_tracker.rules.keys import PolicyKey, common_keys
from seal_tracker.rules.rule import Rule
from seal_tracker.rules.table import per, whole

__all__ = ["RULE"]

NAME = "UNOBSERVED_GAP"

I8 = NDArray[np.int64]

TRACK_SPEED_KMH = 180.0
"""What the track believes at most: faster, a pair of fixes would not both have been accepted."""

TIME_BITS = 42
"""Times to the year 2109 fit beside a row."""

ZONES_TOLD = 20
"""Ids of zones in reach that are written down; their number is, however many."""

KEYS = common_keys("medium", raise_=(1, 0), clear=None) | {
    "gap_s": PolicyKey("number", 900.0, "longest time between two fixes that says nothing"),
    "asleep_gap_s": PolicyKey("number", 3900.0, "and of a seal asleep: such seals report every 30 minutes"),
    "intervals": PolicyKey(
        "number", 3.0, "and of any seal, in reports of the interval it says it keeps", minimum=1
    ),
    "top_speed_kmh": PolicyKey(
        "number", 80.0, "fastest that the cargo is driven off its route", minimum=1, maximum=TRACK_SPEED_KMH
    ),
    "least_m": PolicyKey("number", 200.0, "detour that says nothing where there is no route"),
    "near_severity": PolicyKey("severity", "high", "how bad it is with a prohibited zone in reach"),
}

ASLEEP = int(Mode.ASLEEP)

GAP = np.dtype([("awake_ms", "i8")])
"""Of a seal asleep the newest ping that did not say so, NO_TIME: none. One awake has said so with its newest ping."""


def _judge(ctx: Context) -> None:
    if not len(ctx.ping_row):
        return
    asleep, track = ctx.pings.mode == ASLEEP, ctx.state["track"]
    slept_before = track["last_mode"] == ASLEEP
    sleeps = some(asleep) or some(slept_before)
    before_ms = (
        np.where(slept_before, ctx.state[NAME]["awake_ms"], track["last_ms"]) if sleeps else track["last_ms"]
    )
    awake_ms = _newest_awake(ctx, asleep, before_ms) if sleeps else ctx.pings.time_ms
    gap_ms = ctx.fixes.time_ms - ctx.fixes.prev_ms
    least_s = ctx.terrain.policies.everywhere(NAME, ("gap_s", "asleep_gap_s"))
    long = ctx.fixes.has_prev
    if least_s is not None:
        long = long & (gap_ms > min(whole(least_s[0], 1000), whole(least_s[1], 1000)))
    at = which(long)
    if len(at):
        limit, asleep_limit = (whole(ctx.policy(NAME, key), 1000) for key in ("gap_s", "asleep_gap_s"))
        row, before = ctx.fixes.row[at], _ping_before(ctx, at)
        slept = np.where(before < 0, before_ms[row], awake_ms[before]) < ctx.fixes.prev_ms[at]
        interval_s = np.where(before < 0, track["last_interval_s"][row], ctx.pings.interval_s[before])
        rhythm_ms = per(whole(ctx.policy(NAME, "intervals"), 1000), row) * interval_s.astype(np.int64)
        least_ms = np.maximum(np.where(slept, per(asleep_limit, row), per(limit, row)), rhythm_ms)
        counts = which((gap_ms[at] > least_ms) & ctx.armed[row] & ctx.enabled(NAME, row))
        _measure(ctx, at[counts], least_ms[counts])
    if sleeps:
        ctx.state[NAME]["awake_ms"] = np.where(asleep[ctx.newest], awake_ms[ctx.newest], NO_TIME)


def _newest_awake(ctx: Context, asleep: NDArray[np.bool_], before_ms: I8) -> I8:
    """For each ping the time of the newest of its seal, up to and with it, that did not say asleep; ``before_ms`` is by row."""
    i = np.arange(len(asleep))
    newest = np.maximum.accumulate(np.where(ctx.ping_start | ~asleep, i, 0))
    return np.where(asleep[newest], before_ms[ctx.ping_row], ctx.pings.time_ms[newest])


def _ping_before(ctx: Context, at: I8) -> I8:
    """For some fixes the newest ping of the pass before each, -1 where that came before the pass."""
    row = ctx.fixes.row[at]
    packed = (ctx.ping_row << TIME_BITS) + ctx.pings.time_ms
    before = np.searchsorted(packed, (row << TIME_BITS) + ctx.fixes.time_ms[at]) - 1
    return np.where((before >= 0) & (ctx.ping_row[before] == row), before, -1)


def _measure(ctx: Context, at: I8, least_ms: I8) -> None:
    """Tell the gaps before the fixes ``at``, longer than ``least_ms``, in which the cargo may have left its corridor."""
    fixes, row = ctx.fixes, ctx.fixes.row[at]
    distance_m = ctx.step_mm[at] / 1000
    speed = np.asarray(per(ctx.policy(NAME, "top_speed_kmh"), row), np.float64)
    way_m = speed * (fixes.time_ms[at] - fixes.prev_ms[at]) / 3600.0
    reach_mm = mm_of_m(half_axis_m(distance_m, way_m))
    least_m = np.asarray(per(ctx.policy(NAME, "least_m"), row), np.float64)
    width_m = np.full(len(at), np.nan) if ctx.located is None else ctx.located.half_width_m[at]
    limit_mm = mm_of_m(np.where(np.isnan(width_m), least_m, width_m))
    told = which(reach_mm > limit_mm)
    if not len(told):
        return
    near, zone = _zones_in_reach(ctx, at[told], way_m[told])
    for k, i in enumerate(told.tolist()):
        fix = int(at[i])
        measured = {
            "gap_s": int(fixes.time_ms[fix] - fixes.prev_ms[fix]) / 1000,
            "gap_limit_s": int(least_ms[i]) / 1000,
            "distance_m": int(ctx.step_mm[fix]) / 1000,
            "reach_m": int(reach_mm[i]) / 1000,
            "limit_m": int(limit_mm[i]) / 1000,
        }
        _tell(ctx, fix, measured, zone[near == k])


def _zones_in_reach(ctx: Context, at: I8, way_m: NDArray[np.float64]) -> tuple[I8, I8]:
    """(position in ``at``, zone) of the prohibited and bonded zones in reach that were in force at some time of the gap."""
    fixes, terrain = ctx.fixes, ctx.terrain
    near, zone = in_reach(
        terrain.zones,
        fixes.prev_lon_e7[at],
        fixes.prev_lat_e7[at],
        fixes.lon_e7[at],
        fixes.lat_e7[at],
        way_m,
        terrain.kind("prohibited") | terrain.kind("bonded"),
    )
    fix = at[near]
    held = (terrain.zone_from_ms[zone] <= fixes.time_ms[fix]) & (
        fixes.prev_ms[fix] < terrain.zone_to_ms[zone]
    )
    return near[held], zone[held]


def _tell(ctx: Context, fix: int, measured: dict[str, Any], zone: I8) -> None:
    fixes, row = ctx.fixes, int(ctx.fixes.row[fix])
    near = bool(some(ctx.terrain.kind("prohibited")[zone]))
    severity = cast("Severity", ctx.policy_at(NAME, "near_severity" if near else "severity", row))
    ids = sorted(ctx.terrain.zones.ids[z] for z in zone.tolist())
    ctx.book.point(
        ctx.subjects[row],
        NAME,
        None,
        severity=severity,
        started_at_ms=int(fixes.prev_ms[fix]),
        raised_at_ms=int(fixes.time_ms[fix]),
        settled_ms=int(fixes.decided_ms[fix]),
        plan_version=ctx.terrain.version,
        evidence=measured
        | {
            "n_zones": len(ids),
            "zones": ids[:ZONES_TOLD],
            "n_fixes": 2,
            "fixes": pair_evidence(fixes, fix),
        },
    )


RULE = Rule(NAME, KEYS, _judge, state=GAP, start=np.array([(NO_TIME,)], GAP)[0])
