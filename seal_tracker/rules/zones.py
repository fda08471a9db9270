"""``ZONE_ENTERED`` and ``PROHIBITED_ZONE``: the track in zones, at its fixes and between them.

A stay is judged at the fixes (`stays`). A zone that the track crossed between two fixes, neither of them inside, gives an
episode of its own, marked inferred.

Who stands at the fence of a prohibited zone is by GNSS noise now inside, now outside, and each time would be an episode: he
has left when he drives, is clear of the fence, or has been outside for 5 minutes. Who drives away has left at the second fix.
Nor is he inside by a fix that its own accuracy could have thrown over the fence, where he has been standing there already:
then he must seem inside for 5 minutes. Who comes, and whoever is deeper inside, is told by one fix.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from geofences.masks import which
from seal_tracker.rules.context import Context, mm_of_m
from seal_tracker.rules.evidence import crossing_evidence, zone_evidence
from seal_tracker.rules.keys import PolicyKey, at_most_high, common_keys, zoned
from seal_tracker.rules.motion import mean_m_h, said_m_h, speed_m_h
from seal_tracker.rules.rule import Rule
from seal_tracker.rules.stays import Judged, in_zones, leaving_margin_m, of_zones
from seal_tracker.rules.streams import STREAM_NUMBER
from seal_tracker.rules.table import whole

__all__ = ["PROHIBITED_ZONE", "ZONE_ENTERED"]

I8 = NDArray[np.int64]

ENTERED, PROHIBITED = "ZONE_ENTERED", "PROHIBITED_ZONE"

ENTERED_KEYS = common_keys("info", raise_=(2, 30), clear=(2, 0)) | {
    "clear_margin_m": PolicyKey(
        "number", None, "metres outside that end a stay; unset: max(20, a tenth of the radius)"
    )
}
PROHIBITED_KEYS = common_keys("critical", raise_=(1, 0), clear=(2, 0)) | {
    "clear_margin_m": PolicyKey("number", 0.0, "metres outside that end it"),
    "fence_m": PolicyKey(
        "number",
        30.0,
        "standing within this outside, it may be GNSS noise at the fence; or inside by less than twice this and twice"
        " the accuracy",
    ),
    "moving_kmh": PolicyKey("number", 10.0, "faster, it stands no more"),
    "standing_raise_s": PolicyKey("number", 300.0, "seconds that must pass inside where it may be noise"),
    "standing_clear_s": PolicyKey("number", 300.0, "seconds that must pass outside where it may be noise"),
}


CLAIMS = 2.0
"""A fix deeper inside than so many times the accuracy it claims is no noise: about 1 in 40, were he at the fence itself."""

UNKNOWN_M = 10.0
"""Accuracy assumed where a device claims none, as for ``ROUTE_DEVIATION``."""


def _entered(ctx: Context) -> None:
    _judge(ctx, ENTERED, ctx.terrain.kinds.get("interest"))


def _prohibited(ctx: Context) -> None:
    _judge(
        ctx,
        PROHIBITED,
        ctx.terrain.kinds.get("prohibited"),
        partial(_thrown_in_ms, ctx),
        partial(_at_the_fence_ms, ctx),
    )


def _at_the_fence_ms(ctx: Context, row: I8, fix: I8, zone: I8) -> I8:
    """How long the track must have been outside to have left, at some fixes outside: 0 but where noise may have thrown it out."""
    fixes, terrain = ctx.fixes, ctx.terrain
    near_mm = mm_of_m(terrain.zones.boundary_m(fixes.lon_e7[fix], fixes.lat_e7[fix], zone))
    stands = speed_m_h(ctx, fix) <= _thousandths(ctx, "moving_kmh", row, zone)
    stands &= near_mm <= _thousandths(ctx, "fence_m", row, zone)
    stands &= terrain.in_force(zone, fixes.time_ms[fix])
    return np.where(stands, _thousandths(ctx, "standing_clear_s", row, zone), 0)


def _thrown_in_ms(ctx: Context, row: I8, fix: I8, zone: I8) -> I8:
    """How long the track must have been inside to have come in, at some fixes inside: 0 but where noise may have thrown it in.

    That takes a truck that was here before the fix, by what the device says of its speed and by the way from the fix before.
    """
    fixes, out = ctx.fixes, np.zeros(len(fix), np.int64)
    slow = _thousandths(ctx, "moving_kmh", row, zone)
    stays = fixes.has_prev[fix] & (said_m_h(ctx, fix) <= slow) & (mean_m_h(ctx, fix)[0] <= slow)
    at = which(stays)
    if len(at):
        row, fix, zone = row[at], fix[at], zone[at]
        claimed = fixes.accuracy_m[fix].astype(np.float64)
        noise_mm = mm_of_m(CLAIMS * np.where(np.isnan(claimed), UNKNOWN_M, claimed))
        noise_mm = np.minimum(noise_mm, 2 * _thousandths(ctx, "fence_m", row, zone))
        deep_mm = mm_of_m(ctx.terrain.zones.boundary_m(fixes.lon_e7[fix], fixes.lat_e7[fix], zone))
        out[at] = np.where(deep_mm <= noise_mm, _thousandths(ctx, "standing_raise_s", row, zone), 0)
    return out


def _thousandths(ctx: Context, key: str, row: I8, zone: I8) -> I8:
    """A threshold of ``PROHIBITED_ZONE`` for each (row, zone): m/h of km/h, mm of m, ms of s."""
    values = ctx.terrain.policies.value(PROHIBITED, key, ctx.regime[row], ctx.route[row], zone)
    return np.broadcast_to(whole(values, 1000), row.shape)


def _judge(
    ctx: Context,
    name: str,
    zones: NDArray[np.bool_] | None,
    raise_ms: Callable[[I8, I8, I8], I8] | None = None,
    clear_ms: Callable[[I8, I8, I8], I8] | None = None,
) -> None:
    stays = of_zones(
        ctx,
        name,
        zones,
        in_zones(ctx, name, zones),
        margin_m=lambda row, zone: leaving_margin_m(ctx, name, row, zone),
        margin_breaks=True,
        raise_ms=raise_ms,
        clear_ms=clear_ms,
    )
    if ctx.crossings is not None and len(ctx.crossings.zone) and zones is not None:
        for k in which(zones[ctx.crossings.zone]).tolist():
            _crossed(ctx, name, stays, k)


def _crossed(ctx: Context, name: str, stays: Judged | None, k: int) -> None:
    """Tell of crossing ``k``, unless it falls into a stay."""
    crossings = ctx.crossings
    assert crossings is not None
    fix, zone = crossings.fix.item(k), crossings.zone.item(k)
    row = ctx.fixes.row.item(fix)
    judged = ctx.armed[row] and ctx.policy_at(name, "enabled", row, zone)
    if not judged or (stays is not None and stays.open_before(row, zone, fix)):
        return
    ctx.book.point(
        ctx.subjects[row],
        name,
        ctx.terrain.zones.ids[zone],
        severity=at_most_high(ctx.severity(name, row, zone)),
        started_at_ms=crossings.enter_ms.item(k),
        ended_at_ms=crossings.leave_ms.item(k),
        raised_at_ms=ctx.fixes.time_ms.item(fix),
        settled_ms=ctx.fixes.decided_ms.item(fix),
        inferred=True,
        plan_version=ctx.terrain.version,
        evidence=zone_evidence(ctx, zone) | crossing_evidence(ctx, k, fix),
    )


ZONE_ENTERED = Rule(ENTERED, zoned(ENTERED_KEYS), _entered, stream=STREAM_NUMBER[ENTERED])
PROHIBITED_ZONE = Rule(PROHIBITED, zoned(PROHIBITED_KEYS), _prohibited, stream=STREAM_NUMBER[PROHIBITED])
