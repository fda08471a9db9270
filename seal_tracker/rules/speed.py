"""``OVERSPEED``: faster than the lowest of the limits where the fix is: the route's, a zone's, the permit's, the policy's.

The speed is the device's, else that from the fix before. Where nothing limits it the rule has nothing to say. Nor does a
mean over more than five minutes that is too high, for nobody knows where it was driven; one that is not ends a run, so
that two moments on either side of a gap are none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geofences.masks import some, which
from seal_tracker.journey import Journey
from seal_tracker.rules.context import Context
from seal_tracker.rules.debounced import Moment, of_fixes
from seal_tracker.rules.keys import PolicyKey, common_keys
from seal_tracker.rules.motion import PAIR_MS, UNKNOWN, mean_m_h, speed_m_h
from seal_tracker.rules.rule import Rule
from seal_tracker.rules.runs import RUN, new_runs
from seal_tracker.rules.table import per

__all__ = ["RULE"]

NAME = "OVERSPEED"

KEYS = common_keys("medium", raise_=(2, 30), clear=(2, 0)) | {
    "limit_kmh": PolicyKey("number", None, "a limit wherever the policy holds; unset: none of its own"),
    "tolerance_kmh": PolicyKey(
        "number", 5.0, "faster than the limit by more than this: what speedometers allow"
    ),
}

NO_LIMIT = np.iinfo(np.int64).max // 2
"""Of metres an hour; half of what an integer holds, so that a tolerance may be added."""

PEAK_RUN = np.dtype([*RUN.descr, ("peak_mm", "i8"), ("told_mm", "i8")])
"""A run that keeps a peak, here of metres an hour, and gathers no evidence."""

I8 = NDArray[np.int64]


def _judge(ctx: Context) -> None:
    limits = _limits_m_h(ctx)
    if not limits and not ctx.carries(NAME):
        return
    speed = speed_m_h(ctx)
    limit = np.full(len(speed), NO_LIMIT)
    for one in limits.values():
        np.minimum(limit, one, out=limit)
    highest = limit + _m_h(per(ctx.policy(NAME, "tolerance_kmh"), ctx.fixes.row))

    def evidence(moment: Moment) -> dict[str, Any]:
        source = next(name for name, one in limits.items() if one[moment.i] == limit[moment.i])
        tolerance = float(ctx.policy_at(NAME, "tolerance_kmh", moment.row) or 0)
        said = {"limit_kmh": int(limit[moment.i]) / 1000, "tolerance_kmh": tolerance, "source": source}
        return _fastest(moment) | said | _where(ctx, moment, source)

    of_fixes(
        ctx,
        NAME,
        speed > highest,
        evidence,
        among=(speed != UNKNOWN) | _slow_over_a_gap(ctx, speed, highest),
        value=speed,
        closing=_fastest,
    )


def _slow_over_a_gap(ctx: Context, speed: I8, highest: I8) -> NDArray[np.bool_]:
    """Which fixes without a speed came after a gap that was, on the whole, not driven too fast."""
    slow: NDArray[np.bool_] = speed == UNKNOWN
    if some(slow):
        mean, dt_ms = mean_m_h(ctx)
        slow &= (dt_ms > PAIR_MS) & (mean <= highest)
    return slow


def _fastest(moment: Moment) -> dict[str, Any]:
    return {"speed_kmh": (moment.peak or 0) / 1000}


def _where(ctx: Context, moment: Moment, source: str) -> dict[str, Any]:
    """Which zone's limit, or which leg's, was exceeded."""
    if source == "permit" and ctx.located is not None:
        return {"chainage_m": round(float(ctx.located.chainage_m[moment.i]), 1)}
    if source != "zone" or ctx.hits is None:
        return {}
    zones = ctx.hits.zone[ctx.hits.fix == moment.i]
    slowest = zones[np.nanargmin(ctx.terrain.zone_limit_kmh[zones])]
    return {"zone": ctx.terrain.zones.ids[slowest]}


def _m_h(kmh: Any) -> I8:
    """km/h to whole m/h; what is no number limits nothing."""
    values = np.asarray(kmh, np.float64)
    return np.where(np.isnan(values), NO_LIMIT, np.rint(values * 1000)).astype(np.int64)


def _limits_m_h(ctx: Context) -> dict[str, I8]:
    """By source, the limit at each fix in m/h; sources that limit nobody in this pass are left out."""
    by_route, by_zone = ctx.terrain.limits_speed
    found: dict[str, I8] = {}
    if by_route:
        found["route"] = _m_h(ctx.terrain.route_limit_kmh[ctx.route])[ctx.fixes.row]
    if by_zone:
        found |= _in_zones(ctx)
    found |= _on_legs(ctx)
    of_policy = ctx.policy(NAME, "limit_kmh")
    if of_policy is not None:
        found["policy"] = np.broadcast_to(_m_h(per(of_policy, ctx.fixes.row)), len(ctx.fixes))
    return found


def _in_zones(ctx: Context) -> dict[str, I8]:
    if ctx.hits is None or not len(ctx.hits.fix):
        return {}
    limit_kmh = ctx.terrain.zone_limit_kmh[ctx.hits.zone]
    limited = which(np.isfinite(limit_kmh))
    if not len(limited):
        return {}
    limit = np.full(len(ctx.fixes), NO_LIMIT)
    np.minimum.at(limit, ctx.hits.fix[limited], _m_h(limit_kmh[limited]))
    return {"zone": limit}


@dataclass(frozen=True, slots=True)
class _LegLimits:
    """Limits that permits give for each leg of their journeys' routes: one flat column, and each journey's span in it.

    ``first`` and ``count`` are by journey, and one more for none; ``route`` are the own routes of journeys that have limits.
    """

    first: I8
    count: I8
    limit_m_h: I8
    route: NDArray[np.object_]
    any: bool

    @classmethod
    def of(cls, journeys: Sequence[Journey]) -> _LegLimits:
        given = {
            i: limits
            for i, j in enumerate(journeys)
            if j.permit and (limits := j.permit.get("speed_limits_kmh"))
        }
        count, route = np.zeros(len(journeys) + 1, np.int64), np.full(len(journeys) + 1, None, object)
        for i, limits in given.items():
            count[i], route[i] = len(limits), journeys[i].route
        flat = np.array([kmh for limits in given.values() for kmh in limits], np.float64)
        return cls(np.cumsum(count) - count, count, _m_h(flat), route, bool(len(flat)))


def _on_legs(ctx: Context) -> dict[str, I8]:
    """The permit's limit on the leg that each fix is on; a diversion leads off the legs that the permit speaks of."""
    legs = ctx.of_journeys(_LegLimits.of)
    if not legs.any or ctx.located is None:
        return {}
    corridors = ctx.terrain.corridors
    rows = which((legs.count[ctx.journey_at] > 0) & (ctx.route >= 0))
    rows = rows[np.array(corridors.ids, object)[ctx.route[rows]] == legs.route[ctx.journey_at[rows]]]
    limited = np.zeros(len(ctx.seal), bool)
    limited[rows] = True
    fix = which(limited[ctx.fixes.row] & np.isfinite(ctx.located.chainage_m))
    if not len(fix):
        return {}
    row = ctx.fixes.row[fix]
    at = ctx.journey_at[row]
    leg = corridors.lines.given_leg_at(ctx.route[row], ctx.located.chainage_m[fix])
    limit = np.full(len(ctx.fixes), NO_LIMIT)
    limit[fix] = legs.limit_m_h[legs.first[at] + np.minimum(leg, legs.count[at] - 1)]
    return {"permit": limit}


RULE = Rule(NAME, KEYS, _judge, state=PEAK_RUN, start=new_runs(1, PEAK_RUN)[0])
