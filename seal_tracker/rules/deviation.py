"""``ROUTE_DEVIATION``: the track leaves its corridor, by evidence that adds up rather than by a waiting time.

A fix is off the route when its distance to the nearest point of the route exceeds the half-width there and the fix's
own accuracy. It is back when it is inside by a quarter of the half-width.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from seal_tracker.rules.context import Context, mm_of_m
from seal_tracker.rules.evidence import run_evidence
from seal_tracker.rules.keys import common_keys, distance_keys
from seal_tracker.rules.rule import Rule
from seal_tracker.rules.runs import (
    MEASURED_RUN,
    Observations,
    Transitions,
    debounce,
    doublings,
    new_runs,
    peak_at,
)
from seal_tracker.rules.table import per

__all__ = ["RULE"]

NAME = "ROUTE_DEVIATION"

CLEAR_SHARE = 0.25
"""Share of the half-width that a fix must be inside by to count as back (SEMANTICS, catalogue)."""

EXCESS_M_S = 3500.0
"""Metre-seconds beyond the limit that complete a run: a tenth of the false alarms of "3 fixes and 60 s" at half its
delay on car trips with known routes (SEMANTICS, *Evidence for distance rules*)."""

KEYS = distance_keys(common_keys("high", raise_=(3, 0), clear=(2, 0)), raise_excess_m_s=EXCESS_M_S)


def _judge(ctx: Context) -> None:
    where = ctx.located
    if where is None:
        return
    seen = np.flatnonzero(np.isfinite(where.distance_m) & ctx.armed[ctx.fixes.row])
    seen = seen[ctx.enabled(NAME, ctx.fixes.row[seen])]
    if not len(seen):
        return
    row = ctx.fixes.row[seen]
    distance, half_width = mm_of_m(where.distance_m[seen]), mm_of_m(where.half_width_m[seen])
    limit = half_width + mm_of_m(_slack_m(ctx, seen, row))
    margin = _margin_mm(ctx, row, half_width)
    obs = Observations(
        stream=row,
        time_ms=ctx.fixes.time_ms[seen],
        lon_e7=ctx.fixes.lon_e7[seen],
        lat_e7=ctx.fixes.lat_e7[seen],
        on=distance > limit,
        off=(distance <= limit) & (distance <= np.maximum(half_width - margin, 0)),
        beyond_mm=np.maximum(distance - limit, 0),
        value_mm=distance,
    )
    found = debounce(ctx.state[NAME], obs, ctx.limits(NAME))
    for k in range(len(found)):
        _transition(ctx, obs, found, k, seen, limit, half_width)
    _tell_peaks(ctx, obs, found, seen)


def _slack_m(ctx: Context, seen: NDArray[Any], row: NDArray[Any]) -> NDArray[np.float64]:
    """Metres that a fix's accuracy widens the limit by: the claim up to a cap, since claims lie."""
    claimed = ctx.fixes.accuracy_m[seen].astype(np.float64)
    assumed = np.where(np.isnan(claimed), per(ctx.policy(NAME, "accuracy_unknown_m"), row), claimed)
    slack: NDArray[np.float64] = np.clip(
        assumed, 0.0, np.asarray(per(ctx.policy(NAME, "accuracy_cap_m"), row), np.float64)
    )
    return slack


def _margin_mm(ctx: Context, row: NDArray[Any], half_width: NDArray[Any]) -> NDArray[np.int64]:
    share = np.rint(half_width * CLEAR_SHARE).astype(np.int64)
    set_m = per(ctx.policy(NAME, "clear_margin_m"), row)
    if set_m is None:
        return share
    set_m = np.asarray(set_m, np.float64)
    return np.where(np.isnan(set_m), share, mm_of_m(np.nan_to_num(set_m)))


def _transition(
    ctx: Context,
    obs: Observations,
    found: Transitions,
    k: int,
    seen: NDArray[Any],
    limit: NDArray[Any],
    half_width: NDArray[Any],
) -> None:
    i, row = int(found.row[k]), int(found.stream[k])
    fix, seal = int(seen[i]), int(ctx.seal[row])
    peak = peak_at(obs, found, i)
    if not found.raised[k]:
        ctx.book.close(
            seal,
            NAME,
            None,
            ended_at_ms=int(found.began_ms[k]),
            cleared_at_ms=int(obs.time_ms[i]),
            settled_ms=int(ctx.fixes.decided_ms[fix]),
            evidence={"cross_track_m": peak / 1000},
        )
        ctx.state[NAME]["told_mm"][row] = 0
        return
    assert ctx.located is not None
    ctx.state[NAME]["told_mm"][row] = peak
    ctx.book.raise_(
        seal,
        ctx.subjects[row],
        NAME,
        None,
        severity=ctx.severity(NAME, row),
        started_at_ms=int(found.began_ms[k]),
        raised_at_ms=int(obs.time_ms[i]),
        latched=bool(ctx.policy_at(NAME, "latched", row)),
        plan_version=ctx.terrain.version,
        evidence={
            "cross_track_m": peak / 1000,
            "limit_m": int(limit[i]) / 1000,
            "half_width_m": int(half_width[i]) / 1000,
            "chainage_m": round(float(ctx.located.chainage_m[fix]), 1),
            "excess_m_s": int(found.excess[k]) // 1000 / 1000,
            "n_fixes": int(found.n[k]),
            "fixes": run_evidence(found, k, ctx.fixes, fix),
        },
    )


def _tell_peaks(ctx: Context, obs: Observations, found: Transitions, seen: NDArray[Any]) -> None:
    """Update the episodes still open whose peak has doubled since it was last told."""
    carry = ctx.state[NAME]
    streams = np.unique(obs.stream)
    due = streams[
        carry["open"][streams] & (carry["peak_mm"][streams] >= 2 * np.maximum(carry["told_mm"][streams], 1))
    ]
    last_raise = {
        int(s): int(r) for s, r, up in zip(found.stream, found.row, found.raised, strict=True) if up
    }
    for row in due.tolist():
        begin = last_raise.get(row, int(np.searchsorted(obs.stream, row)))
        end = int(np.searchsorted(obs.stream, row, side="right"))
        values = np.where(obs.on[begin:end], obs.value_mm[begin:end], 0)  # type: ignore[index]
        told, at = doublings(int(carry["told_mm"][row]), values)
        if at is None:
            continue
        fix = int(seen[begin + at])
        carry["told_mm"][row] = told
        ctx.book.change(
            int(ctx.seal[row]),
            NAME,
            None,
            changed_ms=int(ctx.fixes.time_ms[fix]),
            evidence={"cross_track_m": told / 1000},
        )


RULE = Rule(NAME, KEYS, _judge, state=MEASURED_RUN, start=new_runs(1, MEASURED_RUN)[0])
