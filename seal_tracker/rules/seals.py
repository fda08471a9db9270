"""``SEAL_TAMPER`` and ``BATTERY_LOW``: what the seal says of itself, judged on every ping, with or without a position.

A lock open without leave is tampering. One that was opened within a leave and has not been closed since, though the leave
is over, is an inspection that takes longer: that is tampering once a grace is over as well.

A battery is low by its percentage, or where a seal does not tell that by its warning; then the first ping without clears it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from geofences.masks import some, which
from seal_tracker.model import Fact, Lock, Severity
from seal_tracker.rules.arrays import ends
from seal_tracker.rules.context import Context
from seal_tracker.rules.debounced import of_pings, own_places, run_places
from seal_tracker.rules.keys import PolicyKey, common_keys
from seal_tracker.rules.rule import Rule
from seal_tracker.rules.runs import PEAKED_RUN, RUN, Observations, Transitions, debounce, new_runs, peak_at
from seal_tracker.rules.table import per, whole

__all__ = ["BATTERY_LOW", "SEAL_TAMPER"]

UNKNOWN, OPEN, CUT = (
    int(Lock.UNKNOWN),
    int(Lock.OPEN),
    int(Lock.CUT),
)  # numpy compares with a number ten times as fast as with an enum
TAMPER_FACTS = int(Fact.ROPE_CUT | Fact.SHELL_OPENED | Fact.REMOVED)
LOW_BATTERY = int(Fact.LOW_BATTERY)

TAMPER = "SEAL_TAMPER"
BATTERY = "BATTERY_LOW"

TAMPER_KEYS = common_keys("critical", raise_=(1, 0), clear=(1, 0), latched=True) | {
    "leave_grace_min": PolicyKey(
        "number", 10.0, "minutes that a lock opened within a leave may be open after it"
    )
}
TAMPER_STATE = np.dtype([*RUN.descr, ("leave_ms", "i8")])
"""A run, and when the leave ends within which the lock was opened that has not been closed since, 0: none."""

BATTERY_KEYS = common_keys("low", raise_=(2, 600), clear=(1, 0)) | {
    "low_pct": PolicyKey("number", 30.0, "below this the battery is low", maximum=100),
    "clear_pct": PolicyKey("number", 35.0, "above this it is no longer", maximum=100),
    "critical_pct": PolicyKey(
        "number", 10.0, "below this the episode is as bad as critical_severity", maximum=100
    ),
    "critical_severity": PolicyKey("severity", "high", "how bad it is below critical_pct"),
}


BATTERY_STATE = np.dtype([*PEAKED_RUN.descr, ("by_word", "?")])
"""A run, and whether the seal's last word on its battery was a warning without a percentage."""

UNTOLD_PCT = 100.0
"""Stands for the percentage of a ping that warns without one: no ping that tells it is low at that."""


def _observed(
    ctx: Context, at: NDArray[np.int64], on: NDArray[np.bool_], off: NDArray[np.bool_], **more: Any
) -> Observations:
    pings = ctx.pings
    return Observations(
        stream=ctx.ping_row[at],
        time_ms=pings.time_ms[at],
        lon_e7=own_places(ctx)[at],
        lat_e7=pings.lat_e7[at],
        on=on,
        off=off,
        **more,
    )


def _tamper(ctx: Context) -> None:
    if not ctx.carries(TAMPER) and not ctx.said & TAMPER_FACTS and not ctx.any_unlocked:
        return
    pings = ctx.pings
    tampered = (pings.lock == CUT) | ((pings.facts & TAMPER_FACTS) != 0)
    tampered |= _open_without_leave(ctx)
    state = ctx.state[TAMPER]
    leave_ms = state["leave_ms"].copy()
    of_pings(ctx, TAMPER, tampered, lambda moment: _what_the_seal_says(ctx, moment.i))
    state["leave_ms"] = leave_ms  # a policy that switches the rule off ends its runs, not what was allowed
    ctx.mark(TAMPER, np.arange(len(state)), state["open"] | (state["on_n"] > 0) | (leave_ms > 0))


def _open_without_leave(ctx: Context) -> NDArray[np.bool_]:
    """Which pings say that the lock is open, and are neither within a leave nor within the grace after one; keeps the leaves."""
    lock, time_ms, row = ctx.pings.lock, ctx.pings.time_ms, ctx.ping_row
    opened, i = which(lock == OPEN), np.arange(len(lock))
    leave_ms = np.zeros(len(lock), np.int64)
    leave_ms[opened] = ctx.authorisations.until_ms(row[opened], time_ms[opened])
    kept = ctx.state[TAMPER]["leave_ms"]
    says = (leave_ms > 0) | ((lock != OPEN) & (lock != UNKNOWN))
    newest = np.maximum.accumulate(np.where(says | ctx.ping_start, i, 0))
    since_ms = np.where(says[newest], leave_ms[newest], kept[row])
    kept[row[ends(ctx.ping_start)]] = since_ms[ends(ctx.ping_start)]
    grace_ms = per(whole(ctx.policy(TAMPER, "leave_grace_min"), 60_000), row)
    tampered: NDArray[np.bool_] = (lock == OPEN) & (leave_ms == 0)
    tampered &= (since_ms == 0) | (time_ms >= since_ms + grace_ms)
    return tampered


def _what_the_seal_says(ctx: Context, i: int) -> dict[str, Any]:
    facts = Fact(int(ctx.pings.facts[i]) & TAMPER_FACTS)
    return {
        "facts": [f.name.lower() for f in facts if f.name],
        "lock": Lock(int(ctx.pings.lock[i])).name.lower(),
    }


def _close(ctx: Context, name: str, found: Transitions, k: int, ping: int) -> None:
    at = int(ctx.pings.time_ms[ping])
    seal = int(ctx.seal[found.stream[k]])
    ctx.book.close(seal, name, None, ended_at_ms=int(found.began_ms[k]), cleared_at_ms=at)


def _battery(ctx: Context) -> None:
    known, warned = ~np.isnan(ctx.pings.battery_pct), None
    if ctx.said & LOW_BATTERY or some(ctx.state[BATTERY]["by_word"]):
        warned = ~known & ((ctx.pings.facts & LOW_BATTERY) != 0)
    at = which(known if warned is None else known | _by_word(ctx, known, warned))
    if len(at):
        at = at[ctx.enabled(BATTERY, ctx.ping_row[at])]
    if not len(at):
        return
    row, pct = ctx.ping_row[at], ctx.pings.battery_pct[at].astype(np.float64)
    low, clear = (
        np.asarray(per(ctx.policy(BATTERY, key), row), np.float64) for key in ("low_pct", "clear_pct")
    )
    empty = np.rint((100.0 - np.where(known[at], pct, 100.0)) * 1000).astype(np.int64)
    on, off = pct < low, (pct >= low) & (pct > clear)
    if warned is not None:
        on, off = on | warned[at], off | ~(known | warned)[at]
    obs = _observed(ctx, at, on, off, value_mm=empty)
    was_open = which(ctx.state[BATTERY]["open"])
    told = ctx.state[BATTERY]["told_mm"].copy()
    found = debounce(ctx.state[BATTERY], obs, ctx.limits(BATTERY))
    ctx.state[BATTERY]["told_mm"] = told
    begin = dict(zip(was_open.tolist(), np.searchsorted(obs.stream, was_open).tolist(), strict=True))
    for k in range(len(found)):
        r, i = int(found.stream[k]), int(found.row[k])
        if found.raised[k]:
            _raise_battery(ctx, obs, found, k, at)
            begin[r] = i
        else:
            _worsen(ctx, obs, r, begin.pop(r), i)
            _close(ctx, BATTERY, found, k, int(at[i]))
            ctx.state[BATTERY]["told_mm"][r] = 0
    for r, first in begin.items():
        _worsen(ctx, obs, r, first, int(np.searchsorted(obs.stream, r, side="right")))


def _by_word(ctx: Context, known: NDArray[np.bool_], warned: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which pings say by a warning, or by none, how a battery is whose percentage they do not know: those since the last ping of the
    seal that said either, where that was a warning; keeps which it was.
    """
    row, kept, i = ctx.ping_row, ctx.state[BATTERY]["by_word"], np.arange(len(known))
    says = known | warned
    newest = np.maximum.accumulate(np.where(says | ctx.ping_start, i, 0))
    found: NDArray[np.bool_] = np.where(says[newest], warned[newest], kept[row])
    kept[row[ends(ctx.ping_start)]] = found[ends(ctx.ping_start)]
    return found & ~known


def _raise_battery(ctx: Context, obs: Observations, found: Transitions, k: int, at: NDArray[Any]) -> None:
    i, r = int(found.row[k]), int(found.stream[k])
    ping, lowest = int(at[i]), 100 - peak_at(obs, found, i) / 1000
    critical = lowest < _number(ctx, "critical_pct", r)
    ctx.state[BATTERY]["told_mm"][r] = int(critical)
    ctx.book.raise_(
        int(ctx.seal[r]),
        ctx.seal_subjects[r],
        BATTERY,
        None,
        severity=_critical_severity(ctx, r) if critical else ctx.severity(BATTERY, r),
        started_at_ms=int(found.began_ms[k]),
        raised_at_ms=int(obs.time_ms[i]),
        latched=bool(ctx.policy_at(BATTERY, "latched", r)),
        plan_version=ctx.terrain.version,
        evidence={
            **({"facts": ["low_battery"]} if lowest == UNTOLD_PCT else {"battery_pct": round(lowest, 2)}),
            "limit_pct": _number(ctx, "low_pct", r),
            "n_fixes": int(found.n[k]),
            "fixes": run_places(ctx, found, k, ping),
        },
    )


def _worsen(ctx: Context, obs: Observations, row: int, begin: int, end: int) -> None:
    """An episode open over the observations [begin, end) becomes worse at the first below the critical level."""
    carry = ctx.state[BATTERY]
    assert obs.value_mm is not None
    pct = 100 - obs.value_mm[begin:end] / 1000
    below = which(obs.on[begin:end] & (pct < _number(ctx, "critical_pct", row)))
    if carry["told_mm"][row] or not len(below):
        return
    i = int(below[0])
    carry["told_mm"][row] = 1
    ctx.book.change(
        int(ctx.seal[row]),
        BATTERY,
        None,
        changed_ms=int(obs.time_ms[begin + i]),
        severity=_critical_severity(ctx, row),
        evidence={"battery_pct": round(float(pct[i]), 2)},
    )


def _number(ctx: Context, key: str, row: int) -> float:
    return float(ctx.policy_at(BATTERY, key, row) or 0.0)


def _critical_severity(ctx: Context, row: int) -> Severity:
    value: Any = ctx.policy_at(BATTERY, "critical_severity", row)
    severity: Severity = value
    return severity


SEAL_TAMPER = Rule(
    TAMPER,
    TAMPER_KEYS,
    _tamper,
    state=TAMPER_STATE,
    start=new_runs(1, TAMPER_STATE)[0],
)
BATTERY_LOW = Rule(
    BATTERY,
    BATTERY_KEYS,
    _battery,
    state=BATTERY_STATE,
    start=new_runs(1, BATTERY_STATE)[0],
    per_journey=False,
)
