"""Where tracks pass the checkpoints of their routes, and whether anybody could have seen it. Pure."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from seal_tracker.model import iso_ms
from seal_tracker.rules.arrays import begins, previous
from seal_tracker.rules.context import Context, mm_of_m

__all__ = [
    "SILENCE",
    "Stretch",
    "bits",
    "keep_silences",
    "passed_at",
    "silence_at",
    "silence_evidence",
    "stretch_of",
]

I8 = NDArray[np.int64]

SILENCE = np.dtype([("from_ms", "i8"), ("lasts_ms", "u4"), ("passed", "u8")])
"""A pair of fixes too far apart in time to show what lay between: when the first was, how much later the second (up to 49
days), and a bit for each checkpoint of the route that was passed; zeros: none."""

MOST_MS = np.iinfo(np.uint32).max


class Stretch(NamedTuple):
    """Fixes along their routes: row ``mine[k]`` of the pass has ``at[begin[k] : begin[k + 1]]``.

    ``lowest_mm`` is the lowest chainage of each row before the pass. ``silent`` are the fixes (as places in ``at``) before
    each of which lies a silence with a checkpoint in it; ``silences`` are these.
    """

    at: I8
    chainage_mm: I8
    begin: I8
    mine: I8
    lowest_mm: I8
    silent: I8
    silences: NDArray[np.void]


def stretch_of(ctx: Context, at: I8, chainage_mm: I8, lowest_mm: I8, limit_ms: Any) -> Stretch:
    """The fixes ``at`` along their routes; ``limit_ms``, by fix or one for all, is the longest pair that shows what lay between."""
    row, fixes = ctx.fixes.row[at], ctx.fixes
    start = begins(row)
    first = np.flatnonzero(start)
    long = np.flatnonzero(fixes.has_prev[at] & (fixes.time_ms[at] - fixes.prev_ms[at] > limit_ms))
    silences = np.zeros(len(long), SILENCE)
    if len(long):
        carried_m = ctx.state["track"]["chainage_m"][row[long]]
        known = ~start[long] | np.isfinite(carried_m)
        before = np.where(start[long], mm_of_m(np.nan_to_num(carried_m)), previous(chainage_mm)[long])
        of_route = ctx.terrain.waypoints.chainage_mm[ctx.route[row[long]]]
        passed = (before[:, None] < of_route) & (of_route <= chainage_mm[long][:, None])
        from_ms = silences["from_ms"] = fixes.prev_ms[at[long]]
        silences["lasts_ms"] = np.minimum(fixes.time_ms[at[long]] - from_ms, MOST_MS)
        silences["passed"] = (passed * bits(np.arange(of_route.shape[1]))).sum(axis=1, dtype=np.uint64)
        some = known & passed.any(axis=1)
        long, silences = long[some], silences[some]
    return Stretch(at, chainage_mm, np.append(first, len(at)), row[first], lowest_mm, long, silences)


def passed_at(stretch: Stretch, k: int, checkpoint_mm: int, past_mm: int) -> int | None:
    """The first fix (place in ``at``) that lies far enough past a checkpoint which the track was before once."""
    begin, end = int(stretch.begin[k]), int(stretch.begin[k + 1])
    along = stretch.chainage_mm[begin:end]
    lowest = np.minimum(np.minimum.accumulate(along), stretch.lowest_mm[k])
    passed = np.flatnonzero((along > checkpoint_mm + past_mm) & (lowest < checkpoint_mm))
    return begin + int(passed[0]) if len(passed) else None


def silence_at(stretch: Stretch, k: int, carried: np.void, at: int, place: int) -> np.void | None:
    """The silence in which row ``mine[k]`` passed a checkpoint, by its place in the order of the route, as known at a fix
    (``at``, as in `passed_at`); None: it was not in one.

    It is the one that this fix ended, or the newest before: who reports seldom ends one with every fix.
    """
    mine = slice(*np.searchsorted(stretch.silent, [stretch.begin[k], at + 1]))
    silences = [carried, *stretch.silences[mine]]
    ended_here = len(silences) > 1 and stretch.silent[mine][-1] == at
    for silence in reversed(silences[-2:] if ended_here else silences[-1:]):
        if int(silence["passed"]) >> place & 1:
            found: np.void = silence
            return found
    return None


def keep_silences(stretch: Stretch, carried: NDArray[np.void]) -> None:
    """Let the newest silence of each row be the one that is carried on (``carried`` by row of the pass)."""
    k = np.searchsorted(stretch.begin, stretch.silent, side="right") - 1
    carried[stretch.mine[k]] = stretch.silences


def silence_evidence(silence: np.void) -> dict[str, Any]:
    """What is said of a passing that nobody could have seen."""
    from_ms, lasts_ms = int(silence["from_ms"]), int(silence["lasts_ms"])
    gap = {"from": iso_ms(from_ms), "to": iso_ms(from_ms + lasts_ms), "gap_s": lasts_ms / 1000}
    return {"unobserved": True, "gap": gap}


def bits(places: I8) -> NDArray[np.uint64]:
    """The bit of each checkpoint by its place in the order of the route."""
    return np.left_shift(np.uint64(1), places.astype(np.uint64))
