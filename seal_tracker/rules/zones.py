"""``ZONE_ENTERED`` and ``PROHIBITED_ZONE``: the track in zones, at its fixes and between them.

Each (seal, zone) that a rule is watching is a stream; streams are kept only while they run or are open. A zone that the
track crossed between two fixes, neither of them inside, gives an episode of its own, marked inferred.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from seal_tracker.rules.arrays import begins, previous
from seal_tracker.rules.context import Context
from seal_tracker.rules.evidence import crossing_evidence, run_evidence, zone_evidence
from seal_tracker.rules.keys import PolicyKey, at_most_high, common_keys
from seal_tracker.rules.rule import Rule
from seal_tracker.rules.runs import Limits, Observations, Transitions, debounce
from seal_tracker.rules.streams import STREAM_NUMBER, Watch, drop_unwatched, watch

__all__ = ["PROHIBITED_ZONE", "ZONE_ENTERED"]

MARGIN_M = 20.0
"""A stay ends this far outside at least: less is GNSS noise at the edge (SEMANTICS, catalogue)."""

MARGIN_SHARE = 0.1
"""Or this share of the zone's radius, whichever is more."""

ENTERED, PROHIBITED = "ZONE_ENTERED", "PROHIBITED_ZONE"

ENTERED_KEYS = common_keys("info", raise_=(2, 30), clear=(2, 0)) | {
    "clear_margin_m": PolicyKey(
        "number", None, "metres outside that end a stay; unset: max(20, a tenth of the radius)"
    )
}
PROHIBITED_KEYS = common_keys("critical", raise_=(1, 0), clear=(2, 0)) | {
    "clear_margin_m": PolicyKey("number", 0.0, "metres outside that end it")
}


def _stays(ctx: Context, name: str, zones: NDArray[np.bool_]) -> None:
    """Judge one rule whose episodes are stays in zones of one kind."""
    number = STREAM_NUMBER[name]
    drop_unwatched(ctx, name, number, zones)
    wanted = _wanted(ctx, name, zones)
    if not len(wanted) and not (ctx.streams["rule"] == number).any():
        _crossings(ctx, name, zones, {})
        return
    seen = watch(ctx, number, wanted)
    open_before: dict[tuple[int, int], NDArray[Any]] = {}
    if len(seen.fix):
        obs, found = _debounced(ctx, name, seen)
        for k in range(len(found)):
            _transition(ctx, name, seen, obs, found, k)
        open_before = _open_before(seen, obs, found)
    seen.survive(ctx, keep=seen.run["open"] | (seen.run["on_n"] > 0))
    _crossings(ctx, name, zones, open_before)


def _wanted(ctx: Context, name: str, zones: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Hits (as indexes) that this rule looks at: its zones, armed seals, policy says so."""
    assert ctx.hits is not None
    row = ctx.fixes.row[ctx.hits.fix]
    return np.flatnonzero(zones[ctx.hits.zone] & ctx.armed[row] & ctx.enabled(name, row, ctx.hits.zone))


def _debounced(ctx: Context, name: str, seen: Watch) -> tuple[Observations, Transitions]:
    fixes, obs_fix = ctx.fixes, seen.fix
    margin_m = _margin_m(ctx, name, seen)
    off = ~seen.inside
    near = np.flatnonzero(off & (margin_m[seen.stream] > 0))
    if len(near):
        at = obs_fix[near]
        zone = seen.zone[seen.stream[near]]
        away = ctx.terrain.zones.distance_m(fixes.lon_e7[at], fixes.lat_e7[at], zone)
        over = ~ctx.terrain.in_force(zone, fixes.time_ms[at])
        off[near] = over | (away >= margin_m[seen.stream[near]])
    obs = Observations(
        stream=seen.stream,
        time_ms=fixes.time_ms[obs_fix],
        lon_e7=fixes.lon_e7[obs_fix],
        lat_e7=fixes.lat_e7[obs_fix],
        on=seen.inside,
        off=off,
    )
    return obs, debounce(seen.run, obs, _limits(ctx, name, seen))


def _limits(ctx: Context, name: str, seen: Watch) -> Limits:
    def of(key: str) -> Any:
        return ctx.terrain.policies.value(name, key, ctx.regime[seen.row], ctx.route[seen.row], seen.zone)

    return Limits(*(of(key) for key in ("raise_fixes", "raise_s", "clear_fixes", "clear_s", "latched")))


def _margin_m(ctx: Context, name: str, seen: Watch) -> NDArray[np.float64]:
    usual = np.maximum(MARGIN_M, MARGIN_SHARE * ctx.terrain.zones.radius_m[seen.zone])
    set_m = ctx.terrain.policies.value(
        name, "clear_margin_m", ctx.regime[seen.row], ctx.route[seen.row], seen.zone
    )
    if set_m is None:
        return usual
    full = np.broadcast_to(np.asarray(set_m, np.float64), usual.shape)
    return np.where(np.isnan(full), usual, full)


def _transition(ctx: Context, name: str, seen: Watch, obs: Observations, found: Transitions, k: int) -> None:
    i, stream = int(found.row[k]), int(found.stream[k])
    fix, row, zone = int(seen.fix[i]), int(seen.row[stream]), int(seen.zone[stream])
    seal, zone_id = int(ctx.seal[row]), ctx.terrain.zones.ids[zone]
    if not found.raised[k]:
        ctx.book.close(
            seal,
            name,
            zone_id,
            ended_at_ms=int(found.began_ms[k]),
            cleared_at_ms=int(obs.time_ms[i]),
            settled_ms=int(ctx.fixes.decided_ms[fix]),
        )
        return
    ctx.book.raise_(
        seal,
        ctx.subjects[row],
        name,
        zone_id,
        severity=ctx.severity(name, row, zone),
        started_at_ms=int(found.began_ms[k]),
        raised_at_ms=int(obs.time_ms[i]),
        latched=bool(ctx.policy_at(name, "latched", row, zone)),
        plan_version=ctx.terrain.version,
        evidence=zone_evidence(ctx, zone)
        | {"n_fixes": int(found.n[k]), "fixes": run_evidence(found, k, ctx.fixes, fix)},
    )


def _open_before(seen: Watch, obs: Observations, found: Transitions) -> dict[tuple[int, int], NDArray[Any]]:
    """For each (row, zone): the fixes at whose arrival a stay was open, so that no crossing is told within a stay."""
    start = begins(obs.stream)
    carried = seen.was_open[obs.stream]
    before = np.where(start, carried, previous(found.open_after))
    streams = np.unique(obs.stream[before])
    return {
        (int(seen.row[s]), int(seen.zone[s])): seen.fix[(obs.stream == s) & before] for s in streams.tolist()
    }


def _crossings(
    ctx: Context,
    name: str,
    zones: NDArray[np.bool_],
    open_before: dict[tuple[int, int], NDArray[Any]],
) -> None:
    if ctx.crossings is None:
        return
    for k in np.flatnonzero(zones[ctx.crossings.zone]).tolist():
        fix, zone = int(ctx.crossings.fix[k]), int(ctx.crossings.zone[k])
        row = int(ctx.fixes.row[fix])
        if not ctx.armed[row] or not ctx.enabled(name, np.array([row]), np.array([zone]))[0]:
            continue
        if fix in open_before.get((row, zone), ()):
            continue
        ctx.book.point(
            ctx.subjects[row],
            name,
            ctx.terrain.zones.ids[zone],
            severity=at_most_high(ctx.severity(name, row, zone)),
            started_at_ms=int(ctx.crossings.enter_ms[k]),
            ended_at_ms=int(ctx.crossings.leave_ms[k]),
            raised_at_ms=int(ctx.fixes.time_ms[fix]),
            settled_ms=int(ctx.fixes.decided_ms[fix]),
            inferred=True,
            plan_version=ctx.terrain.version,
            evidence=zone_evidence(ctx, zone) | crossing_evidence(ctx, k, fix),
        )


def _entered(ctx: Context) -> None:
    _stays(ctx, ENTERED, ctx.terrain.kind("interest"))


def _prohibited(ctx: Context) -> None:
    _stays(ctx, PROHIBITED, ctx.terrain.kind("prohibited"))


ZONE_ENTERED = Rule(ENTERED, ENTERED_KEYS, _entered, stream=STREAM_NUMBER[ENTERED])
PROHIBITED_ZONE = Rule(PROHIBITED, PROHIBITED_KEYS, _prohibited, stream=STREAM_NUMBER[PROHIBITED])
