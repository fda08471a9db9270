"""``STOP_ON_STRUCTURE`` and ``STRUCTURE_SPEED``: how an oversized vehicle passes the bridges that its permit names.

A structure is a zone; only those of the journey's permit are watched. A truck that reports no speed stands where it has
not moved since the fix before, and is as fast as it came from there if that fix lies on the structure too: the approach
says nothing of the bridge.

Most bridges are shorter than the way between two reports. One that was passed between two fixes was passed too fast where even the
slowest way to do so, at ``top_speed_kmh`` before and behind it, is faster than the permit allows; such an episode is inferred.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geofences.masks import which
from seal_tracker.journey import Journey
from seal_tracker.rules.context import Context, mm_of_m
from seal_tracker.rules.evidence import crossing_evidence, zone_evidence
from seal_tracker.rules.keys import PolicyKey, at_most_high, common_keys, zoned
from seal_tracker.rules.motion import UNKNOWN, said_m_h, speed_m_h
from seal_tracker.rules.rule import Rule
from seal_tracker.rules.stays import Judged, Stay, in_zones, of_zones
from seal_tracker.rules.streams import STREAM_NUMBER
from seal_tracker.rules.table import per

__all__ = ["STOP_ON_STRUCTURE", "STRUCTURE_SPEED"]

STOP, SPEED = "STOP_ON_STRUCTURE", "STRUCTURE_SPEED"

STOP_KEYS = common_keys("high", raise_=(2, 30), clear=(1, 0)) | {
    "standing_kmh": PolicyKey("number", 5.0, "slower than this it stands, by the device's own speed"),
    "standing_m": PolicyKey("number", 20.0, "nearer than this to the fix before, where it gives none"),
}
SPEED_KEYS = common_keys("high", raise_=(1, 0), clear=(1, 0)) | {
    "tolerance_kmh": PolicyKey("number", 0.0, "faster than the permit's speed by more than this"),
    "top_speed_kmh": PolicyKey(
        "number",
        80.0,
        "the fastest it may have been before and behind a structure that it passed between two fixes",
        minimum=1,
    ),
}

NOISE_MM = 20_000
"""What the way between two fixes may seem longer than it was: two errors of the 10 m that are assumed where a device claims none."""

I8 = NDArray[np.int64]
Mask = NDArray[np.bool_]


def _named(journey: Journey) -> Mapping[str, float | None] | None:
    """Structures of a journey's permit, with the speed it allows on each (None: any)."""
    structures = (journey.permit or {}).get("structures") or ()
    return {one["zone"]: one.get("speed_kmh") for one in structures} or None


def _names_any(journey: Journey) -> bool:
    return _named(journey) is not None


def _hits(ctx: Context, name: str) -> tuple[Mask | None, I8]:
    """Structures of the plan, and the hits on those that the journeys' permits name; nothing where no permit names any."""
    zones = ctx.terrain.kinds.get("structure")
    hit = in_zones(ctx, name, zones)
    if not len(hit) or ctx.hits is None:
        return zones, hit
    hit = hit[ctx.of_journey(_names_any, none=False)[ctx.fixes.row[ctx.hits.fix[hit]]]]
    if len(hit):
        hit = hit[~np.isnan(_allowed_kmh(ctx, ctx.fixes.row[ctx.hits.fix[hit]], ctx.hits.zone[hit]))]
    return zones, hit


def _allowed_kmh(ctx: Context, row: I8, zone: I8) -> NDArray[np.float64]:
    """Speed that the permits of rows allow on zones: inf where any, NaN where the permit does not name the zone."""
    named = ctx.of_journey(_named, None)
    pairs, inverse = np.unique(np.stack([row, zone], axis=1), axis=0, return_inverse=True)
    allowed = np.full(len(pairs), np.nan)
    for k, (r, z) in enumerate(pairs.tolist()):
        zone_id = ctx.terrain.zones.ids[z]
        if named[r] is not None and zone_id in named[r]:
            limit = named[r][zone_id]
            allowed[k] = np.inf if limit is None else limit
    return allowed[inverse.reshape(-1)]


def _stop(ctx: Context) -> None:
    zones, hit = _hits(ctx, STOP)

    def standing(row: I8, fix: I8, _zone: I8) -> Mask:
        said = said_m_h(ctx, fix)
        slow = said < np.multiply(per(ctx.policy(STOP, "standing_kmh"), row), 1000)
        near = ctx.fixes.has_prev[fix] & (
            ctx.step_mm[fix] < mm_of_m(per(ctx.policy(STOP, "standing_m"), row))
        )
        return np.where(said == UNKNOWN, near, slow)

    def evidence(stay: Stay) -> dict[str, Any]:
        limit_s = float(ctx.policy_at(STOP, "raise_s", stay.row, stay.zone) or 0)
        return {"stopped_s": (stay.time_ms - stay.began_ms) / 1000, "limit_s": limit_s}

    of_zones(ctx, STOP, zones, hit, evidence, holds=standing)


def _speed(ctx: Context) -> None:
    zones, hit = _hits(ctx, SPEED)

    def fast(row: I8, fix: I8, zone: I8) -> Mask:
        allowed = _allowed_kmh(ctx, row, zone) + per(ctx.policy(SPEED, "tolerance_kmh"), row)
        faster: Mask = _on_it_m_h(ctx, fix, zone) > allowed * 1000
        return faster

    def evidence(stay: Stay) -> dict[str, Any]:
        fix, row, zone = (np.array([v]) for v in (stay.i, stay.row, stay.zone))
        speed, limit = _on_it_m_h(ctx, fix, zone), _allowed_kmh(ctx, row, zone)
        return {"speed_kmh": int(speed[0]) / 1000, "limit_kmh": float(limit[0])}

    stays = of_zones(ctx, SPEED, zones, hit, evidence, holds=fast)
    if ctx.crossings is not None and len(ctx.crossings.zone) and zones is not None:
        _passed(ctx, zones, stays)


def _passed(ctx: Context, zones: Mask, stays: Judged | None) -> None:
    """Tell of structures that were passed between two fixes, and too fast however it was done."""
    crossings = ctx.crossings
    assert crossings is not None
    at = which(zones[crossings.zone])
    row, zone = ctx.fixes.row[crossings.fix[at]], crossings.zone[at]
    judged = ctx.armed[row] & ctx.enabled(SPEED, row, zone) & ctx.of_journey(_names_any, none=False)[row]
    at, row, zone = at[judged], row[judged], zone[judged]
    if not len(at):
        return
    allowed, slowest = _allowed_kmh(ctx, row, zone), _slowest_kmh(ctx, at, row)
    for k in which(slowest > allowed + per(ctx.policy(SPEED, "tolerance_kmh"), row)).tolist():
        if stays is None or not stays.open_before(int(row[k]), int(zone[k]), int(crossings.fix[at[k]])):
            said = {"speed_kmh": round(float(slowest[k]), 2), "limit_kmh": float(allowed[k])}
            _tell_passed(ctx, int(at[k]), said)


def _slowest_kmh(ctx: Context, crossing: I8, row: I8) -> NDArray[np.float64]:
    """The least speed that structures can have been passed at, mean over each: no faster than the policy's top speed elsewhere."""
    assert ctx.crossings is not None
    fix = ctx.crossings.fix[crossing]
    dt_h = (ctx.fixes.time_ms[fix] - ctx.fixes.prev_ms[fix]) / 3_600_000
    on_it = (ctx.crossings.leave_ms[crossing] - ctx.crossings.enter_ms[crossing]) / 3_600_000 / dt_h
    way_km = np.maximum(ctx.step_mm[fix] - NOISE_MM, 0) / 1_000_000
    elsewhere_h = way_km * (1 - on_it) / np.asarray(per(ctx.policy(SPEED, "top_speed_kmh"), row), np.float64)
    left_h = np.maximum(
        dt_h - elsewhere_h, dt_h * on_it
    )  # faster than that elsewhere, it was so on the whole
    found: NDArray[np.float64] = way_km * on_it / np.where(left_h > 0, left_h, np.inf)
    return found


def _tell_passed(ctx: Context, crossing: int, said: dict[str, Any]) -> None:
    crossings = ctx.crossings
    assert crossings is not None
    fix, zone = crossings.fix.item(crossing), crossings.zone.item(crossing)
    row = ctx.fixes.row.item(fix)
    ctx.book.point(
        ctx.subjects[row],
        SPEED,
        ctx.terrain.zones.ids[zone],
        severity=at_most_high(ctx.severity(SPEED, row, zone)),
        started_at_ms=crossings.enter_ms.item(crossing),
        ended_at_ms=crossings.leave_ms.item(crossing),
        raised_at_ms=ctx.fixes.time_ms.item(fix),
        settled_ms=ctx.fixes.decided_ms.item(fix),
        inferred=True,
        plan_version=ctx.terrain.version,
        evidence=zone_evidence(ctx, zone) | said | crossing_evidence(ctx, crossing, fix),
    )


def _on_it_m_h(ctx: Context, fix: I8, zone: I8) -> I8:
    """Speed of fixes within zones; that from the fix before only where it lies in the zone too."""
    fixes, speed = ctx.fixes, speed_m_h(ctx, fix)
    paired = which((said_m_h(ctx, fix) == UNKNOWN) & (speed != UNKNOWN))
    before = fix[paired]
    inside = ctx.terrain.zones.holds(fixes.prev_lon_e7[before], fixes.prev_lat_e7[before], zone[paired])
    speed[paired[~inside]] = UNKNOWN
    return speed


STOP_ON_STRUCTURE = Rule(
    STOP,
    zoned(STOP_KEYS, "standing_kmh", "standing_m"),
    _stop,
    stream=STREAM_NUMBER[STOP],
    while_suspended=False,
)
STRUCTURE_SPEED = Rule(
    SPEED, zoned(SPEED_KEYS, "tolerance_kmh", "top_speed_kmh"), _speed, stream=STREAM_NUMBER[SPEED]
)
