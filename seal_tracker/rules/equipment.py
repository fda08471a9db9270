"""``EQUIPMENT_OFFLINE``: a camera, scanner or reader has missed its heartbeats, or was said to be offline.

The episode begins with the last heartbeat, or where there was none with the plan version that began to watch it, and is
raised when the missed ones are due, whenever that is noticed; an explicit ``offline`` (as a broker publishes for one that
is gone) begins and raises it at once. What was in force when the silence began decides, so that the clock and the next
heartbeat cannot disagree. What is offline again and again for a short while is flapping (`flaps`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from geofences.masks import some, which
from seal_tracker.model import NO_TIME, Episode, Fact, iso_ms
from seal_tracker.rules import flaps
from seal_tracker.rules.arrays import ends, previous
from seal_tracker.rules.context import Context
from seal_tracker.rules.evidence import place_evidence
from seal_tracker.rules.keys import COUNTED, SEVERITIES, PolicyKey, common_keys
from seal_tracker.rules.rule import Rule
from seal_tracker.rules.unheard import NEVER_MS

__all__ = ["RULE"]

NAME = "EQUIPMENT_OFFLINE"

KEYS = common_keys("medium", raise_=(1, 0), clear=(1, 0), idle=COUNTED) | {
    "intervals": PolicyKey("number", 3.0, "missed heartbeats before it counts as offline", minimum=1),
    **flaps.KEYS,
}

HEARD = np.dtype(
    [
        ("limit_ms", "i8"),  # how long it may be silent from then on, 0: as long as it likes
        ("since_ms", "i8"),  # the last heartbeat, or when it began to be watched
        ("version", "i4"),
        ("severity", "i1"),  # what a silence since then will be: its place in SEVERITIES
        ("latched", "?"),
        ("offline", "?"),  # the last that was heard is that it is offline
        ("open", "?"),
        *flaps.COLUMNS,
    ]
)
"""What the last heartbeat, or the version that began to watch it, left in force for the silence after it."""

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
    if not _concerns(ctx):
        return
    limit = _limit_ms(ctx)
    _come_to_version(ctx, limit)
    pings, row, carried = ctx.pings, ctx.ping_row, ctx.state[NAME]
    terms = _terms(ctx, limit)
    said_offline = (pings.facts & Fact.OFFLINE) != 0
    since_ms = np.where(ctx.ping_start, carried["since_ms"][row], previous(pings.time_ms))
    was_offline = np.where(ctx.ping_start, carried["offline"][row], previous(said_offline))
    allowed = np.where(ctx.ping_start, carried["limit_ms"][row], limit[row])
    silent = (allowed > 0) & ~was_offline & (pings.time_ms > since_ms + allowed)
    for name in ("open", *(name for name, _ in flaps.COLUMNS)):
        terms[name] = carried[name]
    told = silent | said_offline | was_offline | (ctx.ping_start & carried["open"][row])
    if some(told) or some(carried["flaps"] > 0):  # what comes after an offline may show that it is calm
        told |= (carried["flaps"] > 0)[row] | np.isin(row, row[told])
    for i in which((limit[row] > 0) & told).tolist():
        r = int(row[i])
        before = carried[r] if ctx.ping_start[i] else terms[r]
        terms["open"][r] = _hear(ctx, i, int(since_ms[i]) if silent[i] else None, before, terms[r])
    last = ends(ctx.ping_start)
    heard = row[last][limit[row[last]] > 0]
    terms["offline"][row[last]], terms["since_ms"][row[last]] = said_offline[last], pings.time_ms[last]
    carried[heard] = terms[heard]
    ctx.mark(NAME, heard, np.ones(len(heard), bool))


def _concerns(ctx: Context) -> bool:
    """Whether a row is equipment of this version, or was of one before."""
    return ctx.carries(NAME) or (ctx.heartbeat_ms is not None and some(ctx.heartbeat_ms != 0))


def _come_to_version(ctx: Context, limit_ms: I8) -> None:
    """End and forget what the version in force does not watch; what no version before did is silent from its beginning."""
    carried = ctx.state[NAME]
    for row in which(carried["open"] & (limit_ms == 0)).tolist():
        episode = ctx.book.open_of(int(ctx.seal[row]))[NAME, None]
        at = max(ctx.version_from_ms, episode.raised_at_ms)
        _close(ctx, row, episode, at, closed_by="plan_changed")
    for row in which((carried["flaps"] > 0) & (limit_ms == 0)).tolist():
        at = max(ctx.version_from_ms, int(carried["flap_until_ms"][row]))
        flaps.stop(
            ctx, NAME, row, carried[row], int(carried["flap_until_ms"][row]), at, closed_by="plan_changed"
        )
    watched = carried["limit_ms"] > 0
    gone = watched & (limit_ms == 0)
    new = ~watched & (limit_ms > 0) & (ctx.watched_from_ms != NO_TIME)
    if some(gone) or some(new):
        carried[gone] = np.zeros((), HEARD)
        terms = _terms(ctx, limit_ms)
        terms["since_ms"] = ctx.watched_from_ms
        carried[new] = terms[new]
        rows = which(gone | new)
        ctx.mark(NAME, rows, new[rows])


def _hear(ctx: Context, i: int, silent_since: int | None, before: np.void, now: np.void) -> bool:
    """One heartbeat after which something changes; whether an episode is open then.

    ``silent_since`` is there where too long a silence ends with it, ``before`` what was in force in that silence.
    """
    row, at = int(ctx.ping_row[i]), int(ctx.pings.time_ms[i])
    offline = bool(ctx.pings.facts[i] & Fact.OFFLINE)
    if silent_since is not None:
        _open(ctx, row, silent_since, before, heard=not ctx.ping_start[i] or _was_heard(ctx, row))
    episode = ctx.book.open_of(int(ctx.seal[row])).get((NAME, None))
    if episode is None:
        if offline:
            _open(ctx, row, at, now, status="offline")
        else:
            flaps.go_calm(ctx, NAME, row, now, at)
        return offline
    if offline or episode.latched:
        return True
    _fall_down(ctx, row, episode, now, at)
    episode = ctx.book.open_of(int(ctx.seal[row]))[NAME, None]
    _close(ctx, row, episode, at)
    flaps.count(ctx, NAME, row, episode, now, at)
    return False


def _fall_down(ctx: Context, row: int, episode: Episode, chain: np.void, until_ms: int) -> int:
    """Tell what has been offline too long to flap; when that was, `NO_TIME` where it was not."""
    down_ms = flaps.down_ms(episode)
    if down_ms is None or until_ms <= down_ms:
        return NO_TIME
    flaps.fall_down(ctx, NAME, row, episode, chain, down_ms)
    return down_ms


def _was_heard(ctx: Context, row: int) -> bool:
    """Whether the silence before the pass began with a heartbeat, not with a version."""
    return bool(ctx.state["track"]["last_ms"][row] == ctx.state[NAME]["since_ms"][row])


def _open(
    ctx: Context, row: int, since_ms: int, terms: np.void, *, heard: bool = True, **said: Any
) -> Episode:
    """Raise the silence since ``since_ms``, or that it is said to be offline then, unless it is open already."""
    found = ctx.book.open_of(int(ctx.seal[row])).get((NAME, None))
    if found is not None:
        return found
    stands = ctx.stands_e7(row, int(terms["version"]))
    begun = {"last_ping" if heard else "watched_at": iso_ms(since_ms)}
    usual = SEVERITIES[terms["severity"]]
    severity, flap = flaps.as_flap(ctx, NAME, row, usual)
    return ctx.book.raise_(
        int(ctx.seal[row]),
        ctx.seal_subjects[row],
        NAME,
        None,
        severity=severity,
        started_at_ms=since_ms,
        raised_at_ms=since_ms if said else since_ms + int(terms["limit_ms"]),
        latched=bool(terms["latched"]),
        plan_version=int(terms["version"]),
        evidence=said
        | {"limit_s": int(terms["limit_ms"]) / 1000}
        | begun
        | flap
        | {"fixes": [] if stands is None else [place_evidence(since_ms, *stands)]},
    )


def _close(ctx: Context, row: int, episode: Episode, at_ms: int, **said: Any) -> None:
    evidence = said | {"silent_s": (at_ms - episode.started_at_ms) / 1000}
    ctx.book.close(int(ctx.seal[row]), NAME, None, ended_at_ms=at_ms, cleared_at_ms=at_ms, evidence=evidence)


def _pass_time(ctx: Context, until_ms: I8) -> I8:
    """Raise what has been silent too long at ``until_ms`` (by row); end what the plan has taken out since."""
    raised_ms = np.full(len(until_ms), NO_TIME)
    if not _concerns(ctx):
        return raised_ms
    _come_to_version(ctx, _limit_ms(ctx))
    terms = ctx.state[NAME]
    watched = (terms["limit_ms"] > 0) & ~terms["offline"] & ~terms["open"]
    for row in which(watched & (until_ms > terms["since_ms"] + terms["limit_ms"])).tolist():
        since, heard = int(terms["since_ms"][row]), _was_heard(ctx, row)
        raised_ms[row] = _open(ctx, row, since, terms[row], heard=heard).raised_at_ms
        terms["open"][row] = True
    for row in which(terms["open"] & (terms["flaps"] > 0)).tolist():
        episode = ctx.book.open_of(int(ctx.seal[row]))[NAME, None]
        down_ms = _fall_down(ctx, row, episode, terms[row], int(until_ms[row]))
        raised_ms[row] = max(int(raised_ms[row]), down_ms)
    return raised_ms


def _never_due(ctx: Context, _until_ms: I8) -> I8:
    """No seal is ever due; equipment is few, and looked at whenever there is a now."""
    return np.full(len(ctx.seal), NEVER_MS)


RULE = Rule(NAME, KEYS, _judge, state=HEARD, per_journey=False, pass_time=_pass_time, next_due=_never_due)
