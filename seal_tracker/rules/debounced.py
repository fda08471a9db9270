"""From a condition to episodes: what most rules are. A rule says which fixes (or pings) are true; this does the rest.

`of_fixes` judges the accepted fixes of armed journeys, `of_pings` every ping. Both leave at once when nothing is true
and nothing is under way; else they look only at the rows concerned.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geofences.masks import some, which
from seal_tracker.model import NO_TIME, Severity, iso_ms
from seal_tracker.rules.context import Context
from seal_tracker.rules.evidence import place_evidence, run_evidence
from seal_tracker.rules.runs import Limits, Observations, Transitions, debounce, new_runs, peak_at

__all__ = ["NOWHERE_E7", "Moment", "of_fixes", "of_pings", "own_places", "run_places"]

NOWHERE_E7 = np.iinfo(np.int32).min
"""Longitude of a ping that has no position of its own; no place on earth has it."""

I8 = NDArray[np.int64]
Mask = NDArray[np.bool_]


class Moment(NamedTuple):
    """A fix or ping that completed a run, as a rule's ``evidence`` or ``severity`` is asked about it.

    Attributes
    ----------
    i
        its index among the pass's fixes, or pings.
    row
        its seal's row in the pass.
    began_ms, n
        first fix of the run, and how many it has.
    peak
        greatest ``value`` of the run or episode so far, None where the rule keeps none.
    excess
        evidence of the run in mm·ms, 0 where the rule gathers none.
    """

    i: int
    row: int
    began_ms: int
    n: int
    peak: int | None
    excess: int


Evidence = Callable[[Moment], dict[str, Any]]


def _nothing(_moment: Moment) -> dict[str, Any]:
    return {}


class _Telling(NamedTuple):
    """How a rule's transitions become episodes."""

    name: str
    subject: Literal["journey", "seal"]
    evidence: Evidence
    closing: Evidence
    severity: Callable[[Moment], Severity] | None
    off_since_ms: I8 | None = None


class _Columns(NamedTuple):
    """Fixes or pings, one row each, sorted by (row, time). ``lon_e7`` is asked for only where a rule has something to do."""

    row: I8
    time_ms: I8
    lon_e7: Callable[[], NDArray[Any]]
    lat_e7: NDArray[Any]
    decided_ms: I8
    places: Callable[[Transitions, int, int], list[dict[str, Any]]]


def of_fixes(
    ctx: Context,
    name: str,
    on: Mask,
    evidence: Evidence,
    *,
    off: Mask | None = None,
    off_since_ms: I8 | None = None,
    among: Mask | None = None,
    value: I8 | None = None,
    beyond: I8 | None = None,
    away: I8 | None = None,
    limits: Limits | None = None,
    closing: Evidence = _nothing,
    severity: Callable[[Moment], Severity] | None = None,
) -> None:
    """Judge the fixes of armed journeys: raise, clear and carry on the runs of rule ``name``.

    Parameters
    ----------
    on, off
        bool[n fixes], the condition holds, or counts towards clearing; ``off`` unset: wherever ``on`` does not hold.
    off_since_ms
        int64[n fixes], when it began to clear, told at a fix that clears it; it ends no sooner than it was raised.
        Unset: the first fix of the clearing run.
    among
        bool[n fixes], those that say something; the others neither add to a run nor break it. Unset: all.
    value
        int64[n fixes], what a peak is kept of; the rule's state must then be a ``PEAKED_RUN`` at least.
    beyond
        int64[n fixes], what each fix counts as evidence (distance rules); together with ``value``, and in a ``MEASURED_RUN``.
    away
        int64[n fixes], how many mm from its first fix a run must have come for each further fix, to raise.
    limits
        unset: those of the policy, by regime and route.
    evidence, closing
        what is written beside ``n_fixes`` and ``fixes`` when it is raised, and added when it is cleared.
    severity
        unset: the policy's.
    """
    if not some(on) and not ctx.carries(name):
        return
    fixes = ctx.fixes

    def places(found: Transitions, k: int, i: int) -> list[dict[str, Any]]:
        return run_evidence(found, k, fixes, i)

    columns = _Columns(fixes.row, fixes.time_ms, lambda: fixes.lon_e7, fixes.lat_e7, fixes.decided_ms, places)
    if not ctx.all_armed:
        armed = ctx.armed[fixes.row]
        among = armed if among is None else among & armed
    telling = _Telling(name, "journey", evidence, closing, severity, off_since_ms)
    _judge(ctx, columns, telling, on, off, among, value, limits, beyond, away)


def of_pings(
    ctx: Context,
    name: str,
    on: Mask,
    evidence: Evidence,
    *,
    subject: Literal["journey", "seal"] = "journey",
    off: Mask | None = None,
    among: Mask | None = None,
    value: I8 | None = None,
    closing: Evidence = _nothing,
    severity: Callable[[Moment], Severity] | None = None,
) -> None:
    """Judge pings, with or without a position; see `of_fixes`. A ``subject`` of "seal" needs no armed journey."""
    if not some(on) and not ctx.carries(name):
        return
    pings = ctx.pings

    def places(found: Transitions, k: int, i: int) -> list[dict[str, Any]]:
        return run_places(ctx, found, k, i)

    columns = _Columns(
        ctx.ping_row, pings.time_ms, lambda: own_places(ctx), pings.lat_e7, pings.time_ms, places
    )
    if subject == "journey" and not ctx.all_armed:
        armed = ctx.armed[ctx.ping_row]
        among = armed if among is None else among & armed
    _judge(ctx, columns, _Telling(name, subject, evidence, closing, severity), on, off, among, value, None)


def own_places(ctx: Context) -> NDArray[np.int32]:
    """Longitude of each ping as a run of pings keeps it: ``NOWHERE_E7`` where the ping says no place."""
    pings = ctx.pings
    return np.where(pings.has_position & pings.valid, pings.lon_e7, np.int32(NOWHERE_E7))


def run_places(ctx: Context, found: Transitions, k: int, i: int) -> list[dict[str, Any]]:
    """The first ping of the run that raised, where it said its place, and ping ``i`` that completed it."""
    first, last = int(found.began_lon[k]), _place(ctx, i)
    if found.n[k] <= 1 or first == NOWHERE_E7:
        return [last]
    return [place_evidence(int(found.began_ms[k]), first, int(found.began_lat[k])), last]


def _place(ctx: Context, i: int) -> dict[str, Any]:
    """Where ping ``i`` was: its own position, else that of the last fix accepted by then, and when it was, else only when."""
    pings, at, row = ctx.pings, int(ctx.pings.time_ms[i]), int(ctx.ping_row[i])
    if pings.has_position[i] and pings.valid[i]:
        return place_evidence(at, int(pings.lon_e7[i]), int(pings.lat_e7[i]))
    before = which((ctx.fixes.row == row) & (ctx.fixes.decided_ms <= at))
    if len(before):
        fix = int(before[-1])
        since, lon, lat = ctx.fixes.time_ms[fix], ctx.fixes.lon_e7[fix], ctx.fixes.lat_e7[fix]
        return place_evidence(at, lon, lat) | {"fix_time": iso_ms(int(since))}
    track = ctx.state["track"][row]
    if track["fix_ms"] != NO_TIME:
        known = place_evidence(at, track["fix_lon"], track["fix_lat"])
        return known | {"fix_time": iso_ms(int(track["fix_ms"]))}
    return {"time": iso_ms(at)}


def _judge(
    ctx: Context,
    columns: _Columns,
    telling: _Telling,
    on: Mask,
    off: Mask | None,
    among: Mask | None,
    value: I8 | None,
    limits: Limits | None,
    beyond: I8 | None = None,
    away: I8 | None = None,
) -> None:
    name, row = telling.name, columns.row
    carries = ctx.carries(name)
    enabled = ctx.switch(name)
    if enabled is not True:
        if carries:
            _switched_off(ctx, telling, enabled)
        among = enabled[row] if among is None else among & enabled[row]
    if among is not None:
        on = on & among
    if not carries and not some(on):
        return
    busy = (ctx.active & ctx.bits[name]) != 0
    busy[row[on]] = True
    seen = which(busy[row] if among is None else busy[row] & among)
    if not len(seen):
        return
    holds = on[seen]
    obs = Observations(
        stream=row[seen],
        time_ms=columns.time_ms[seen],
        lon_e7=columns.lon_e7()[seen],
        lat_e7=columns.lat_e7[seen],
        on=holds,
        off=~holds if off is None else off[seen] & ~holds,
        beyond_mm=None if beyond is None else beyond[seen],
        value_mm=None if value is None else value[seen],
        away_mm=None if away is None else away[seen],
    )
    carry = ctx.state[name]
    found = debounce(carry, obs, ctx.limits(name) if limits is None else limits)
    for k in range(len(found)):
        _tell(ctx, telling, columns, seen, obs, found, k)
    rows = which(busy)
    ctx.mark(name, rows, carry["open"][rows] | (carry["on_n"][rows] > 0))


def _tell(
    ctx: Context,
    telling: _Telling,
    columns: _Columns,
    seen: I8,
    obs: Observations,
    found: Transitions,
    k: int,
) -> None:
    name, at, row = telling.name, int(found.row[k]), int(found.stream[k])
    i = int(seen[at])
    moment = Moment(
        i=i,
        row=row,
        began_ms=int(found.began_ms[k]),
        n=int(found.n[k]),
        peak=None if obs.value_mm is None else peak_at(obs, found, at),
        excess=int(found.excess[k]),
    )
    if not found.raised[k]:
        seal, ended_ms = int(ctx.seal[row]), moment.began_ms
        if telling.off_since_ms is not None:
            raised_ms = ctx.book.open_of(seal)[name, None].raised_at_ms
            ended_ms = max(int(telling.off_since_ms[i]), raised_ms)
        ctx.book.close(
            seal,
            name,
            None,
            ended_at_ms=ended_ms,
            cleared_at_ms=int(obs.time_ms[at]),
            settled_ms=int(columns.decided_ms[i]),
            evidence=telling.closing(moment),
        )
        return
    subjects = ctx.subjects if telling.subject == "journey" else ctx.seal_subjects
    ctx.book.raise_(
        int(ctx.seal[row]),
        subjects[row],
        name,
        None,
        severity=ctx.severity(name, row) if telling.severity is None else telling.severity(moment),
        started_at_ms=moment.began_ms,
        raised_at_ms=int(obs.time_ms[at]),
        latched=bool(ctx.policy_at(name, "latched", row)),
        plan_version=ctx.terrain.version,
        evidence=telling.evidence(moment) | {"n_fixes": moment.n, "fixes": columns.places(found, k, i)},
    )


def _switched_off(ctx: Context, telling: _Telling, enabled: Mask) -> None:
    """A policy that switches a rule off ends what it has under way, where that policy begins to hold."""
    name, carry = telling.name, ctx.state[telling.name]
    rows = which(((ctx.active & ctx.bits[name]) != 0) & ~enabled)
    for row in rows[carry["open"][rows]].tolist():
        seal = int(ctx.seal[row])
        since = ctx.book.open_of(seal)[name, None].started_at_ms
        at = max(ctx.version_from_ms, int(ctx.epoch_start_ms[row]), since)
        ctx.book.close(
            seal, name, None, ended_at_ms=at, cleared_at_ms=at, evidence={"closed_by": "plan_changed"}
        )
    carry[rows] = new_runs(1, carry.dtype)[0]
    ctx.mark(name, rows, np.zeros(len(rows), bool))
