"""Which (seal, zone) pairs a rule is watching in a pass: those carried from before, and those first seen now. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geofences.masks import every, which
from geofences.ragged import expand
from seal_tracker.rules.arrays import begins
from seal_tracker.rules.context import Context
from seal_tracker.rules.records import picked, put
from seal_tracker.rules.runs import RUN, new_runs

__all__ = ["STREAM", "STREAM_NUMBER", "Carried", "Watch", "still_watched", "watch"]

STREAM = np.dtype([("row", "i8"), ("rule", "i2"), ("key", "i8"), *RUN.descr])
"""State of one watched zone: the seal's row in the pass (its number at rest), the rule's number, the zone's key, and its run."""

NEW = new_runs(1, STREAM)

STREAM_NUMBER = {
    "ZONE_ENTERED": 1,
    "PROHIBITED_ZONE": 2,
    "CHECKPOINT_REACHED": 3,
    "STOP_OVERRUN": 4,
    "STOP_ON_STRUCTURE": 5,
    "STRUCTURE_SPEED": 6,
}
"""Whose a watched zone is; checkpoints of states hold these numbers, so they are never given anew."""


@dataclass(slots=True)
class Watch:
    """Streams of one rule in one pass, and what they observe.

    ``row``, ``zone``, ``run`` (of `STREAM`), ``was_open`` are by stream, sorted by (row, zone key); ``fix``, ``stream``,
    ``inside`` are by observation, sorted by (stream, time). A new stream observes from its first fix inside on, a carried one
    from the first fix of its seal; both to the last.
    """

    row: NDArray[np.int64]
    zone: NDArray[np.int64]
    run: NDArray[np.void]
    was_open: NDArray[np.bool_]
    fix: NDArray[np.int64]
    stream: NDArray[np.int64]
    inside: NDArray[np.bool_]

    def survive(self, ctx: Context, keep: NDArray[np.bool_]) -> None:
        """Hand the streams worth keeping back to the pass."""
        at = which(keep)
        if len(at):
            ctx.survivors.append(self.run if len(at) == len(keep) else picked(self.run, at))


class Carried(NamedTuple):
    """Streams of one rule from before the pass, and the index of the zone of each."""

    streams: NDArray[np.void]
    zone: NDArray[np.int64]


def still_watched(ctx: Context, name: str, mine: NDArray[np.int64], zones: NDArray[np.bool_]) -> Carried:
    """The streams ``mine`` of a rule, but for zones that this plan version no longer has, no longer counts among ``zones``, or
    switches off: those end, and what they raised closes where the version begins.
    """
    carried = ctx.streams if len(mine) == len(ctx.streams) else picked(ctx.streams, mine)
    row, zone = carried["row"], ctx.terrain.zone_of(carried["key"])
    watched = zone >= 0
    if len(zones):
        watched &= zones[zone]
    if not ctx.judges_all(name):
        watched[watched] = ctx.enabled(name, row[watched], zone[watched])
    if every(watched):
        return Carried(carried, zone)
    for r in np.unique(row[~watched & carried["open"]]).tolist():
        _close_unwatched(ctx, name, r, set(zone[watched & (row == r)].tolist()))
    ctx.streams = np.delete(ctx.streams, mine[~watched])
    return Carried(picked(carried, watched), zone[watched])


def _close_unwatched(ctx: Context, name: str, row: int, watched: set[int]) -> None:
    seal, at = int(ctx.seal[row]), ctx.version_from_ms
    objects = [o for rule, o in ctx.book.open_of(seal) if rule == name and o is not None]
    for obj in objects:
        if ctx.terrain.zone_index.get(obj) not in watched:
            ctx.book.close(
                seal, name, obj, ended_at_ms=at, cleared_at_ms=at, evidence={"closed_by": "plan_changed"}
            )


def watch(ctx: Context, number: int, before: Carried, hit: NDArray[np.int64]) -> Watch:
    """Streams of rule ``number``, given those from before and the indexes of the hits it looks at."""
    assert ctx.hits is not None
    fix, zone = ctx.hits.fix[hit], ctx.hits.zone[hit]
    carried, n_zones = before.streams, max(len(ctx.terrain.zone_key), 1)
    by_key, place = ctx.terrain.zones_by_key
    rows = np.concatenate([carried["row"], ctx.fixes.row[fix]])
    rows *= n_zones
    rows += place[np.concatenate([before.zone, zone])]
    pairs, where = _distinct(rows)
    n, n_carried = len(pairs), len(carried)
    stream_row, stream_place = np.divmod(pairs, n_zones)
    stream_zone, run = by_key[stream_place], NEW.repeat(n)
    if n_carried:
        put(run, where[:n_carried], carried)
    run["row"], run["rule"], run["key"] = stream_row, number, ctx.terrain.zone_key[stream_zone]
    if ctx.one_fix_each:
        stream, obs_fix, inside = np.arange(n), stream_row, np.zeros(n, bool)
        inside[where[n_carried:]] = True
    else:
        begin, end = _spans(ctx, stream_row, where, n_carried, fix)
        stream, obs_fix = expand(begin, np.maximum(end - begin, 0))
        inside = _among(obs_fix * n_zones + stream_zone[stream], fix * n_zones + zone)
    return Watch(
        row=stream_row,
        zone=stream_zone,
        run=run,
        was_open=run["open"].copy(),
        fix=obs_fix,
        stream=stream,
        inside=inside,
    )


def _distinct(values: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The values ascending, each once, and where each value is among those; ``np.unique`` takes thrice as long for a few."""
    order = values.argsort(kind="stable")
    ordered = values[order]
    first = begins(ordered)
    where = np.empty(len(values), np.int64)
    where[order] = first.cumsum() - 1
    return ordered[first], where


def _spans(
    ctx: Context, stream_row: NDArray[Any], where: NDArray[Any], n_carried: int, hit_fix: NDArray[Any]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First and past-the-last fix that each stream observes."""
    begin = np.full(len(stream_row), np.iinfo(np.int64).max)
    np.minimum.at(begin, where[n_carried:], hit_fix)
    first = np.searchsorted(ctx.fixes.row, stream_row)
    begin[where[:n_carried]] = first[where[:n_carried]]
    return begin, np.searchsorted(ctx.fixes.row, stream_row, side="right")


def _among(asked: NDArray[np.int64], known: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which of ``asked`` are among ``known``, which ascends."""
    if not len(known):
        return np.zeros(len(asked), bool)
    at = np.minimum(np.searchsorted(known, asked), len(known) - 1)
    found: NDArray[np.bool_] = known[at] == asked
    return found
