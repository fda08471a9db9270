"""``EQUIPMENT_OFFLINE``: a camera, scanner or reader has missed its heartbeats, or was said to be offline.

The episode begins with the last heartbeat and is raised when the missed ones are due, whenever that is noticed; an
explicit ``offline`` (as a broker publishes for one that is gone) begins and raises it at once. What was in force at the
last heartbeat decides, so that the clock and the next heartbeat cannot disagree.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from seal_tracker.model import NO_TIME, Episode, Fact, iso_ms
from seal_tracker.rules.arrays import ends, previous
from seal_tracker.rules.context import Context
from seal_tracker.rules.keys import COUNTED, SEVERITIES, PolicyKey, common_keys
from seal_tracker.rules.rule import Rule

__all__ = ["RULE"]

NAME = "EQUIPMENT_OFFLINE"

KEYS = common_keys("medium", raise_=(1, 0), clear=(1, 0), idle=COUNTED) | {
    "intervals": PolicyKey("number", 3.0, "missed heartbeats before it counts as offline", minimum=1),
}

HEARD = np.dtype(
    [
        ("limit_ms", "i8"),  # how long it may be silent after its last heartbeat, 0: as long as it likes
        ("version", "i8"),
        ("severity", "i1"),  # what a silence since then will be: its place in SEVERITIES
        ("latched", "?"),
        ("offline", "?"),  # the last that was heard is that it is offline
        ("open", "?"),
    ]
)
"""What the last heartbeat left in force for the silence after it."""

I8 = NDArray[np.int64]


def _limit_ms(ctx: Context) -> I8:
    """How long each row may be silent by what is in force now; 0 for what is no equipment or not judged."""
    if ctx.heartbeat_ms is None:
        return np.zeros(len(ctx.seal), np.int64)
    intervals = np.asarray(ctx.policy(NAME, "intervals"), np.float64)
    limit = np.rint(intervals * ctx.heartbeat_ms).astype(np.int64)
    enabled = ctx.switch(NAME)
    return limit if enabled is True else np.where(enabled, limit, 0)


def _terms(ctx: Context, limit_ms: I8) -> NDArray[np.void]:
    """What is in force in this pass, for each row."""
    terms = np.zeros(len(ctx.seal), HEARD)
    severity = ctx.policy(NAME, "severity")
    found = severity.tolist() if isinstance(severity, np.ndarray) else [severity]
    terms["severity"] = [SEVERITIES.index(s) for s in found]
    terms["latched"] = ctx.policy(NAME, "latched")
    terms["version"] = ctx.terrain.version
    terms["limit_ms"] = limit_ms
    return terms


def _judge(ctx: Context) -> None:
    if not ctx.carries(NAME) and (ctx.heartbeat_ms is None or not ctx.heartbeat_ms.any()):
        return
    pings, row, carried = ctx.pings, ctx.ping_row, ctx.state[NAME]
    limit = _limit_ms(ctx)
    terms = _terms(ctx, limit)
    said_offline = (pings.facts & Fact.OFFLINE) != 0
    last_ms = np.where(ctx.ping_start, ctx.state["track"]["last_ms"][row], previous(pings.time_ms))
    was_offline = np.where(ctx.ping_start, carried["offline"][row], previous(said_offline))
    allowed = np.where(ctx.ping_start, carried["limit_ms"][row], limit[row])
    watched = (allowed > 0) & ~was_offline & (last_ms != NO_TIME)
    silent = watched & (pings.time_ms - np.where(watched, last_ms, pings.time_ms) > allowed)
    here = np.maximum(allowed, limit[row]) > 0
    terms["open"] = carried["open"]
    told = silent | said_offline | was_offline | (ctx.ping_start & carried["open"][row])
    for i in np.flatnonzero(here & told).tolist():
        r = int(row[i])
        before = carried[r] if ctx.ping_start[i] else terms[r]
        terms["open"][r] = _hear(ctx, i, int(last_ms[i]) if silent[i] else None, before, terms[r])
    heard = (np.bincount(row, minlength=len(limit)) > 0) & (np.maximum(limit, carried["limit_ms"]) > 0)
    terms["offline"] = said_offline[ends(ctx.ping_start)]
    terms[limit == 0] = np.zeros((), HEARD)
    carried[heard] = terms[heard]
    ctx.mark(NAME, np.flatnonzero(heard), limit[heard] > 0)


def _hear(ctx: Context, i: int, silent_since: int | None, before: np.void, now: np.void) -> bool:
    """One heartbeat after which something changes; whether an episode is open then.

    ``silent_since`` is there where too long a silence ends with it, ``before`` what was in force in that silence.
    """
    row, at, limit_ms = int(ctx.ping_row[i]), int(ctx.pings.time_ms[i]), int(now["limit_ms"])
    offline = bool(ctx.pings.facts[i] & Fact.OFFLINE)
    if silent_since is not None:
        raised = silent_since + int(before["limit_ms"])
        if limit_ms or raised < ctx.version_from_ms:
            _open(ctx, row, silent_since, raised, before)
    episode = ctx.book.open_of(int(ctx.seal[row])).get((NAME, None))
    if episode is None:
        if offline and limit_ms:
            _open(ctx, row, at, at, now, status="offline")
        return offline and limit_ms > 0
    if not limit_ms:
        _take_out(ctx, row, episode)
    elif offline or episode.latched:
        return True
    else:
        _close(ctx, row, episode, at)
    return False


def _open(ctx: Context, row: int, since_ms: int, raised_ms: int, terms: np.void, **said: Any) -> Episode:
    """Raise the silence since ``since_ms``, unless it is open already."""
    found = ctx.book.open_of(int(ctx.seal[row])).get((NAME, None))
    if found is not None:
        return found
    return ctx.book.raise_(
        int(ctx.seal[row]),
        ctx.seal_subjects[row],
        NAME,
        None,
        severity=SEVERITIES[terms["severity"]],
        started_at_ms=since_ms,
        raised_at_ms=raised_ms,
        latched=bool(terms["latched"]),
        plan_version=int(terms["version"]),
        evidence=said | {"limit_s": int(terms["limit_ms"]) / 1000, "last_ping": iso_ms(since_ms)},
    )


def _take_out(ctx: Context, row: int, episode: Episode) -> None:
    """End what is open of equipment that the plan version no longer has, or no longer watches."""
    at = max(ctx.version_from_ms, episode.raised_at_ms)
    _close(ctx, row, episode, at, closed_by="plan_changed")


def _close(ctx: Context, row: int, episode: Episode, at_ms: int, **said: Any) -> None:
    evidence = said | {"silent_s": (at_ms - episode.started_at_ms) / 1000}
    ctx.book.close(int(ctx.seal[row]), NAME, None, ended_at_ms=at_ms, cleared_at_ms=at_ms, evidence=evidence)


def _pass_time(ctx: Context, until_ms: I8) -> I8:
    """Raise what has been silent too long at ``until_ms`` (by row); end what the plan has taken out since."""
    raised_ms = np.full(len(until_ms), NO_TIME)
    if not ctx.carries(NAME):
        return raised_ms
    last, terms, limit = ctx.state["track"]["last_ms"], ctx.state[NAME], _limit_ms(ctx)
    watched = (terms["limit_ms"] > 0) & ~terms["offline"] & (last != NO_TIME)
    silent = watched & (until_ms - np.where(watched, last, until_ms) > terms["limit_ms"])
    for row in np.flatnonzero(silent & (limit > 0)).tolist():
        since = int(last[row])
        raised_ms[row] = _open(ctx, row, since, since + int(terms["limit_ms"][row]), terms[row]).raised_at_ms
        terms["open"][row] = True
    for row in np.flatnonzero(terms["open"] & (limit == 0)).tolist():
        _take_out(ctx, row, ctx.book.open_of(int(ctx.seal[row]))[NAME, None])
        terms["open"][row] = False
    return raised_ms


RULE = Rule(NAME, KEYS, _judge, state=HEARD, per_journey=False, pass_time=_pass_time)
