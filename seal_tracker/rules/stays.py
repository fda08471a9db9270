"""From a condition inside zones to episodes: what rules about a stay are. One stream for each (seal, zone).

As `debounced`, for rules whose episodes have a zone for their object: `of_zones` leaves at once when no fix lies in a zone
the rule asks for and nothing is under way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geofences.masks import some, which
from seal_tracker.rules.context import DEBOUNCE, Context
from seal_tracker.rules.evidence import run_evidence, zone_evidence
from seal_tracker.rules.runs import Limits, Observations, Transitions, debounce
from seal_tracker.rules.streams import STREAM_NUMBER, Watch, still_watched, watch
from seal_tracker.rules.table import Values

__all__ = ["MARGIN_M", "MARGIN_SHARE", "Judged", "Stay", "in_zones", "leaving_margin_m", "of_zones"]

I8 = NDArray[np.int64]
Mask = NDArray[np.bool_]

MARGIN_M = 20.0
"""A stay ends this far outside at least: less is GNSS noise at the edge (SEMANTICS, catalogue, ``ZONE_ENTERED``)."""

MARGIN_SHARE = 0.1
"""Or this share of the zone's radius, whichever is more."""


class Stay(NamedTuple):
    """A fix that completed a run in a zone, or out of it, as a rule's ``evidence`` or ``closing`` is asked about it.

    ``i`` is its index among the pass's fixes, ``row`` its seal's, ``zone`` the zone's index; ``began_ms`` the first fix of
    the run.
    """

    i: int
    row: int
    zone: int
    time_ms: int
    began_ms: int


Evidence = Callable[[Stay], dict[str, Any]]


class _Lasting(NamedTuple):
    """See `of_zones`."""

    raise_ms: Callable[[I8, I8, I8], I8] | None
    clear_ms: Callable[[I8, I8, I8], I8] | None


@dataclass(frozen=True, slots=True)
class Judged:
    """The stays of one rule in a pass, once judged; ``fix`` is by observation."""

    seen: Watch
    obs: Observations
    fix: I8
    found: Transitions

    def open_before(self, row: int, zone: int, fix: int) -> bool:
        """Whether a stay was open when a fix of a seal came."""
        stream = which((self.seen.row == row) & (self.seen.zone == zone))
        at = which((self.fix == fix) & np.isin(self.obs.stream, stream))
        if not len(at):
            return False
        i = int(at[0])
        begins = i == 0 or self.obs.stream[i - 1] != self.obs.stream[i]
        return bool(self.seen.was_open[stream[0]] if begins else self.found.open_after[i - 1])


def _nothing(_stay: Stay) -> dict[str, Any]:
    return {}


def in_zones(ctx: Context, name: str, zones: Mask | None) -> I8:
    """Hits (as indexes) of armed seals in these zones, where the policy lets ``name`` judge; None: no zone."""
    if zones is None or ctx.hits is None or not len(ctx.hits.fix):
        return np.zeros(0, np.int64)
    hit = which(zones[ctx.hits.zone])
    if not len(hit):
        return hit
    if ctx.all_armed and ctx.judges_all(name):
        return hit
    row = ctx.fixes.row[ctx.hits.fix[hit]]
    return hit[ctx.armed[row] & ctx.enabled(name, row, ctx.hits.zone[hit])]


def of_zones(
    ctx: Context,
    name: str,
    zones: Mask | None,
    hit: I8,
    evidence: Evidence = _nothing,
    *,
    holds: Callable[[I8, I8, I8], Mask] | None = None,
    limits: Callable[[Limits, I8], Limits] | None = None,
    margin_m: Callable[[I8, I8], NDArray[np.float64]] | None = None,
    margin_breaks: bool = False,
    raise_ms: Callable[[I8, I8, I8], I8] | None = None,
    clear_ms: Callable[[I8, I8, I8], I8] | None = None,
    closing: Evidence = _nothing,
) -> Judged | None:
    """Judge the stays of one rule: raise, clear and carry on the streams of ``name``. None: there was nothing to judge.

    Parameters
    ----------
    zones
        bool[Z], the zones that the rule watches; a stream in any other ends where the plan version begins. None: none.
    hit
        hits, as indexes, that begin or go on with a stay.
    holds
        of (row, fix, zone) columns, all inside: which count towards raising. Unset: all.
    limits
        changes the policy's debounce, given each stream's zone. Unset: as it is.
    margin_m
        of (row, zone) by stream: metres outside that end a stay. Unset: 0.
    margin_breaks
        a fix outside by less breaks a run either way; else it says nothing.
    raise_ms, clear_ms
        of (row, fix, zone) columns, all inside, or all outside: how long the track must have been, to begin or end a stay.
        Unset: the policy's.
    evidence, closing
        what is written beside the zone, ``n_fixes`` and ``fixes`` when it is raised, and added when it is cleared.
    """
    number = STREAM_NUMBER[name]
    if not len(hit) and not ctx.watches(number):
        return None
    mine = which(ctx.streams["rule"] == number)
    watched = np.zeros(len(ctx.terrain.zone_key), bool) if zones is None else zones
    seen = watch(ctx, number, still_watched(ctx, name, mine, watched), hit)
    judged = None
    if len(seen.fix):
        lasting = _Lasting(raise_ms, clear_ms)
        obs, fix = _observed(ctx, seen, holds, margin_m, breaks=margin_breaks, lasting=lasting)
        usual = _policy_limits(ctx, name, seen)  # by stream
        found = debounce(seen.run, obs, usual if limits is None else limits(usual, seen.zone))
        judged = Judged(seen, obs, fix, found)
        for k in range(len(found)):
            _tell(ctx, name, judged, k, evidence, closing)
    seen.survive(ctx, keep=seen.run["open"] | (seen.run["on_n"] > 0))
    return judged


def leaving_margin_m(ctx: Context, name: str, row: I8, zone: I8) -> NDArray[np.float64]:
    """Metres outside a zone that end a stay: the policy's ``clear_margin_m``, else by the zone's size."""
    usual: NDArray[np.float64] = np.maximum(MARGIN_M, MARGIN_SHARE * ctx.terrain.zones.radius_m[zone])
    given = ctx.terrain.policies.value(name, "clear_margin_m", ctx.regime[row], ctx.route[row], zone)
    if given is None:
        return usual
    full = np.broadcast_to(np.asarray(given, np.float64), usual.shape)
    return np.where(np.isnan(full), usual, full)


def _observed(
    ctx: Context,
    seen: Watch,
    holds: Callable[[I8, I8, I8], Mask] | None,
    margin_m: Callable[[I8, I8], NDArray[np.float64]] | None,
    *,
    breaks: bool,
    lasting: _Lasting,
) -> tuple[Observations, I8]:
    """What the streams see, and by which fix each time."""
    fixes, fix, stream, on, off = ctx.fixes, seen.fix, seen.stream, seen.inside, ~seen.inside
    if holds is not None:
        at = which(on)
        on = on.copy()
        on[at] = holds(seen.row[stream[at]], fix[at], seen.zone[stream[at]])
    if margin_m is not None and some(off):
        _keep_those_away(ctx, seen, off, margin_m(seen.row, seen.zone))
        if not breaks:
            says = which(off | seen.inside)
            fix, stream, on, off = fix[says], stream[says], on[says], off[says]

    def lasts_ms(of: Callable[[I8, I8, I8], I8] | None, where: Mask) -> I8 | None:
        if of is None or not some(where):
            return None
        at, out = which(where), np.zeros(len(where), np.int64)
        out[at] = of(seen.row[stream[at]], fix[at], seen.zone[stream[at]])
        return out

    obs = Observations(
        stream=stream,
        time_ms=fixes.time_ms[fix],
        lon_e7=fixes.lon_e7[fix],
        lat_e7=fixes.lat_e7[fix],
        on=on,
        off=off,
        raise_ms=lasts_ms(lasting.raise_ms, on),
        clear_ms=lasts_ms(lasting.clear_ms, off),
    )
    return obs, fix


def _keep_those_away(ctx: Context, seen: Watch, off: Mask, margin_m: NDArray[np.float64]) -> None:
    """Of the observations ``off``, outside their zones, leave those that are by the zone's margin, or after its time."""
    margin_m = margin_m[seen.stream]
    near = which(off & (margin_m > 0))
    if not len(near):
        return
    fixes, fix, zone = ctx.fixes, seen.fix[near], seen.zone[seen.stream[near]]
    away = ctx.terrain.zones.beyond(fixes.lon_e7[fix], fixes.lat_e7[fix], zone, margin_m[near])
    off[near] = away | ~ctx.terrain.in_force(zone, fixes.time_ms[fix])


def _policy_limits(ctx: Context, name: str, seen: Watch) -> Limits:
    usual = ctx.terrain.policies.everywhere(name, DEBOUNCE)
    if usual is not None:
        return Limits(*usual)

    def of(key: str) -> Values:
        return ctx.terrain.policies.value(name, key, ctx.regime[seen.row], ctx.route[seen.row], seen.zone)

    return Limits(*(of(key) for key in DEBOUNCE))


def _tell(ctx: Context, name: str, judged: Judged, k: int, evidence: Evidence, closing: Evidence) -> None:
    seen, found = judged.seen, judged.found
    at, stream = found.row.item(k), found.stream.item(k)
    row, zone, fix = seen.row.item(stream), seen.zone.item(stream), judged.fix.item(at)
    stay = Stay(fix, row, zone, judged.obs.time_ms.item(at), found.began_ms.item(k))
    zone_id = ctx.terrain.zones.ids[zone]
    if not found.raised.item(k):
        ctx.book.close(
            ctx.seal.item(row),
            name,
            zone_id,
            ended_at_ms=stay.began_ms,
            cleared_at_ms=stay.time_ms,
            settled_ms=ctx.fixes.decided_ms.item(fix),
            evidence=closing(stay),
        )
        return
    ctx.book.raise_(
        ctx.seal.item(row),
        ctx.subjects[row],
        name,
        zone_id,
        severity=ctx.severity(name, row, zone),
        started_at_ms=stay.began_ms,
        raised_at_ms=stay.time_ms,
        latched=bool(ctx.policy_at(name, "latched", row, zone)),
        plan_version=ctx.terrain.version,
        evidence=zone_evidence(ctx, zone)
        | evidence(stay)
        | {"n_fixes": found.n.item(k), "fixes": run_evidence(found, k, ctx.fixes, fix)},
    )
