"""``SIGNAL_LOST``: a seal says nothing for longer than its mode allows, between two pings or up to now.

The silence begins at the last ping, or at the arming where none has been heard since, and is raised when the limit is over,
whenever that is noticed. What was in force when it began decides, so that the clock and the next ping cannot disagree. A gap that is filled later was none: the next
judgement does not find it, and its episode is retracted.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from geofences.masks import some, which
from seal_tracker.model import NO_TIME, Episode, Mode, iso_ms
from seal_tracker.rules.arrays import before
from seal_tracker.rules.context import Context
from seal_tracker.rules.keys import COUNTED, SEVERITIES, PolicyKey, common_keys
from seal_tracker.rules.rule import Rule
from seal_tracker.rules.table import Values, per
from seal_tracker.rules.unheard import NEVER_MS

__all__ = ["NAME", "RULE", "begin_silence", "close_silence"]

NAME = "SIGNAL_LOST"

KEYS = common_keys("high", raise_=(1, 0), clear=(1, 0), idle=COUNTED) | {
    "intervals": PolicyKey(
        "number", 3.0, "missed reports, of the interval the seal says it keeps", minimum=1
    ),
    "awake_floor_s": PolicyKey(
        "number", 600.0, "shortest silence that counts while awake: cells drop out in tunnels"
    ),
    "asleep_floor_s": PolicyKey("number", 3900.0, "and asleep: such seals report every 30 minutes"),
    "companion_floor_s": PolicyKey(
        "number",
        3900.0,
        "and of a tractor, trailer or escort that no permit asks for: parked, they report seldom unsaid",
    ),
    "companion_severity": PolicyKey(
        "severity", "medium", "how bad the silence of such a one is: the seal is heard"
    ),
}


ASLEEP = int(Mode.ASLEEP)  # numpy compares with a number ten times as fast as with an enum

SILENCE = np.dtype(
    [
        ("limit_ms", "i8"),  # how long the seal may be silent from then on, 0: as long as it likes
        ("severity", "i1"),  # what a silence since then will be: its place in SEVERITIES
        ("latched", "?"),
        ("version", "i4"),
    ]
)
"""What the last ping, or the arming, left in force for the silence after it."""


def _limit_ms(
    ctx: Context, row: NDArray[np.int64], mode: NDArray[np.int8], interval_s: NDArray[np.int32]
) -> NDArray[np.int64]:
    """How long the seals ``row`` may be silent that have said to keep a mode and an interval; 0: the rule does not watch."""
    intervals, asleep_s, awake_s = (
        per(ctx.policy(NAME, key), row) for key in ("intervals", "asleep_floor_s", "awake_floor_s")
    )
    asleep = mode == ASLEEP
    floor_s = np.where(asleep, asleep_s, awake_s) if some(asleep) else awake_s
    if ctx.companions is not None:
        least_s = np.maximum(floor_s, per(ctx.policy(NAME, "companion_floor_s"), row))
        floor_s = np.where(ctx.companions[row], least_s, floor_s)
    limit: NDArray[np.int64] = np.rint(np.maximum(intervals * interval_s, floor_s) * 1000.0).astype(np.int64)
    if ctx.all_armed and ctx.judges_all(NAME):
        return limit
    return np.where(ctx.armed[row] & ctx.enabled(NAME, row), limit, 0)


def _terms(ctx: Context) -> NDArray[np.void]:
    """What is in force in this pass, for each row; the limit, which is a ping's, is left at 0."""
    terms = np.zeros(len(ctx.seal), SILENCE)
    terms["severity"] = _ranked(ctx.policy(NAME, "severity"))
    if ctx.companions is not None:
        of_others = _ranked(ctx.policy(NAME, "companion_severity"))
        terms["severity"] = np.where(ctx.companions, of_others, terms["severity"])
    terms["latched"] = ctx.policy(NAME, "latched")
    terms["version"] = ctx.terrain.version
    return terms


def _ranked(severity: Values) -> list[int]:
    """Severities, one or one a row, by their places in SEVERITIES."""
    found = severity.tolist() if isinstance(severity, np.ndarray) else [severity]
    return [SEVERITIES.index(s) for s in found]


def _judge(ctx: Context) -> None:
    pings, row = ctx.pings, ctx.ping_row
    if not len(row):
        return
    carried, terms = ctx.state.look(NAME), _terms(ctx)
    limit = _limit_ms(ctx, row, pings.mode, pings.interval_s)
    since_ms = before(pings.time_ms, ctx.ping_start, _since_ms(ctx))
    allowed = before(limit, ctx.ping_start, carried["limit_ms"])
    silent = (allowed > 0) & (pings.time_ms > since_ms + allowed)
    if not ctx.all_armed:
        silent &= ctx.armed[row]
    for i in which(silent).tolist():
        r, at, since = int(row[i]), int(pings.time_ms[i]), int(since_ms[i])
        first = bool(ctx.ping_start[i])
        heard = int(ctx.state["track"]["last_ms"][r]) if first else since
        episode = _open(ctx, r, since, heard, int(allowed[i]), carried[r] if first else terms[r])
        if not episode.latched:
            ctx.book.close(
                int(ctx.seal[r]), NAME, None, ended_at_ms=at, cleared_at_ms=at, evidence=_silent(at, since)
            )
    terms["limit_ms"] = limit[ctx.newest]
    if terms.tobytes() != carried.tobytes():
        ctx.state[NAME] = terms
    if ctx.carries(NAME):
        ctx.mark(NAME, row[ctx.ping_start], np.zeros(int(ctx.ping_start.sum()), bool))


def _since_ms(ctx: Context) -> NDArray[np.int64]:
    """Since when each armed seal has said nothing, before the pass: its last ping, or its arming."""
    since_ms: NDArray[np.int64] = np.maximum(ctx.state["track"]["last_ms"], ctx.epoch_start_ms)
    return since_ms


def _open(ctx: Context, row: int, since_ms: int, heard_ms: int, limit_ms: int, terms: np.void) -> Episode:
    """Raise the silence since ``since_ms``, unless the clock has already done so; the last ping may be older, or none."""
    found = ctx.book.open_of(int(ctx.seal[row])).get((NAME, None))
    if found is not None:
        return found
    return ctx.book.raise_(
        int(ctx.seal[row]),
        ctx.subjects[row],
        NAME,
        None,
        severity=SEVERITIES[terms["severity"]],
        started_at_ms=since_ms,
        raised_at_ms=since_ms + limit_ms,
        latched=bool(terms["latched"]),
        plan_version=int(terms["version"]),
        evidence={
            "limit_s": limit_ms / 1000,
            **({"armed_at": iso_ms(since_ms)} if heard_ms < since_ms else {}),
            **({} if heard_ms == NO_TIME else {"last_ping": iso_ms(heard_ms)}),
            "fixes": _last_fix(ctx, row, since_ms),
        },
    )


def _last_fix(ctx: Context, row: int, since_ms: int) -> list[dict[str, Any]]:
    """The last fix accepted when the silence began, where there is one: a fix still held then is not known yet."""
    fixes, track = ctx.fixes, ctx.state["track"][row]
    known = which((fixes.row == row) & (fixes.decided_ms <= since_ms))
    if len(known):
        i = int(known[-1])
        at, lon, lat = int(fixes.time_ms[i]), int(fixes.lon_e7[i]), int(fixes.lat_e7[i])
    elif track["fix_ms"] != NO_TIME and track["fix_ms"] <= since_ms:
        at, lon, lat = int(track["fix_ms"]), int(track["fix_lon"]), int(track["fix_lat"])
    else:
        return []
    return [{"time": iso_ms(at), "lon": lon / 1e7, "lat": lat / 1e7}]


def _silent(until_ms: int, since_ms: int) -> dict[str, Any]:
    return {"silent_s": (until_ms - since_ms) / 1000}


def _pass_time(ctx: Context, until_ms: NDArray[np.int64]) -> NDArray[np.int64]:
    """Raise what has been silent too long at ``until_ms`` (by row): time has passed without a ping.

    Seals of which that is told already are marked as active, and not looked at again.
    """
    since_ms, terms = _since_ms(ctx), ctx.state[NAME]
    silent = ctx.armed & (terms["limit_ms"] > 0) & (until_ms > since_ms + terms["limit_ms"])
    silent &= (ctx.active & ctx.bits[NAME]) == 0
    raised_ms = np.full(len(until_ms), NO_TIME)
    for row in which(silent).tolist():
        heard = int(ctx.state["track"]["last_ms"][row])
        episode = _open(ctx, row, int(since_ms[row]), heard, int(terms["limit_ms"][row]), terms[row])
        raised_ms[row] = episode.raised_at_ms
    ctx.mark(NAME, np.flatnonzero(silent), np.ones(int(silent.sum()), bool))
    return raised_ms


def _next_due(ctx: Context, _until_ms: NDArray[np.int64]) -> NDArray[np.int64]:
    """When seals that are talking will have been silent too long."""
    limit_ms = ctx.state[NAME]["limit_ms"]
    waits = ctx.armed & (limit_ms > 0) & ((ctx.active & ctx.bits[NAME]) == 0)
    return np.where(waits, _since_ms(ctx) + limit_ms + 1, NEVER_MS)


def begin_silence(ctx: Context) -> None:
    """Arm seals, whose state and nothing else the context has: what is in force now, and how each said last to report."""
    track, every = ctx.state["track"], np.arange(len(ctx.seal))
    terms = _terms(ctx)
    terms["limit_ms"] = _limit_ms(ctx, every, track["last_mode"], track["last_interval_s"])
    ctx.state[NAME] = terms


def close_silence(ctx: Context, row: int, at_ms: int, why: str) -> None:
    """End a silence at a disarming, where one is open and no ping has been heard since; ``why`` is ``closed_by``."""
    seal, since = int(ctx.seal[row]), int(_since_ms(ctx)[row])
    found = ctx.book.open_of(seal).get((NAME, None))
    if found is not None and found.started_at_ms == since:
        evidence = _silent(at_ms, since) | {"closed_by": why}
        ctx.book.close(seal, NAME, None, ended_at_ms=at_ms, cleared_at_ms=at_ms, evidence=evidence)


RULE = Rule(NAME, KEYS, _judge, state=SILENCE, pass_time=_pass_time, next_due=_next_due)
