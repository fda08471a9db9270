"""Which fixes the track accepts: a jump faster than anything on the road is held until the next fix decides. Pure.

With P accepted, H too far from P, and C next: if C is within reach of P, H was an outlier; else if C is within reach of H,
both are accepted, as after a tunnel; else H was an outlier and C is held in its place.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geofences.masks import every, some, which
from geofences.projection import distance_m
from seal_tracker.model import NO_TIME
from seal_tracker.rules.arrays import begins, ends, previous

__all__ = ["REACH_MM", "THROWN", "TOP_SPEED_MM_PER_MS", "Accepted", "Candidates", "accept"]

TOP_SPEED_MM_PER_MS = 50
"""180 km/h: faster than any lorry, slower than a GNSS jump (SEMANTICS, *The track*)."""

REACH_MM = 100_000
"""100 m of slack for two fixes of one moment: twice the error of a poor urban fix."""


MM_OF_M, TOP_SPEED, REACH = np.array(1000.0), np.array(TOP_SPEED_MM_PER_MS), np.array(REACH_MM)
"""As arrays (see ``geofences.masks``)."""

NONE, LAST, HELD_BEFORE = -3, -2, -1
"""Stand for no fix, for the last one accepted before the batch, and for the one held before it."""

NOTHING = (NO_TIME, 0, 0)
"""Time and place of no fix."""

THROWN = np.dtype(
    [
        ("by", "i8"),  # the candidate that decided it
        ("believed", "?"),  # let in as a jump; else refused as an outlier
        ("time_ms", "i8"),  # the fix itself
        ("lon", "i4"),
        ("lat", "i4"),
        ("from_ms", "i8"),  # the accepted fix from which it could not be reached
        ("from_lon", "i4"),
        ("from_lat", "i4"),
    ]
)
"""A fix thrown off the track, once another has decided about it."""


NOTHING_THROWN = np.zeros(0, THROWN)

ALL = slice(None)
"""Every row, or the fix of every row where each has one."""

Rows = NDArray[np.int64] | slice


class Candidates(NamedTuple):
    """Fixes that may move the track, sorted by (row, time); ``row`` indexes the seals' states."""

    row: NDArray[np.int64]
    time_ms: NDArray[np.int64]
    lon_e7: NDArray[np.int64]
    lat_e7: NDArray[np.int64]
    accuracy_m: NDArray[np.float32]
    speed_kmh: NDArray[np.float32]


class Before(NamedTuple):
    """The fix before each, where there is one (``time_ms`` is else `NO_TIME`), and how many metres it is from there."""

    time_ms: NDArray[np.int64]
    lon_e7: NDArray[np.int64]
    lat_e7: NDArray[np.int64]
    metres: NDArray[np.float64]


class Accepted(NamedTuple):
    """The outcome.

    Attributes
    ----------
    order
        int64, the candidates accepted, in track order; -1 - k stands for the fix that row k held before.
    decided_by
        int64, the candidate that let each in.
    held
        int64, candidates that were held when they came; what has become of them since does not matter.
    thrown
        of `THROWN`, the fixes decided about after having been held, sorted by the candidate that decided.
    before
        where every candidate was accepted when it came, as most often: the fix before each.
    """

    order: NDArray[np.int64]
    decided_by: NDArray[np.int64]
    held: NDArray[np.int64]
    thrown: NDArray[np.void]
    before: Before | None = None

    @property
    def outliers(self) -> int:
        """How many fixes were refused."""
        return int((~self.thrown["believed"]).sum()) if len(self.thrown) else 0


def _reachable(dt_ms: Any, metres: Any) -> Any:
    return np.rint(metres * MM_OF_M) <= dt_ms * TOP_SPEED + REACH


def accept(track: NDArray[np.void], fixes: Candidates) -> Accepted:
    """Choose the fixes that the track accepts, and move ``track`` (rows of `TRACK`, the caller's copy) on.

    Rows whose every fix is within reach of the one before, nearly all, are done at once; the others one by one.
    """
    n = len(fixes.row)
    none = np.zeros(0, np.int64)
    if not n:
        return Accepted(none, none, none, NOTHING_THROWN)
    start = begins(fixes.row)
    if n == len(track) and every(start):  # one of each row, as in live batches
        before = _before(track, fixes, ALL, ALL)
        near = _near(before, fixes)
        if every(near & (track["held_ms"] == NO_TIME)):
            _move(track, fixes, ALL, ALL)
            at = np.arange(n)
            return Accepted(at, at, none, NOTHING_THROWN, before)
    first, last = which(start), ends(start)
    row = fixes.row[first]
    before = _before(track, fixes, first, row)
    near = _near(before, fixes)
    plain = np.logical_and.reduceat(near, first) & (track["held_ms"][row] == NO_TIME)
    if every(plain):
        _move(track, fixes, row, last)
        return Accepted(np.arange(n), np.arange(n), none, NOTHING_THROWN, before)
    _move(track, fixes, row[plain], last[plain])
    at_once = which(np.repeat(plain, last - first + 1))
    doubtful = _Doubtful(track, fixes, near)
    for a, b in zip(first[~plain].tolist(), last[~plain].tolist(), strict=True):
        doubtful.decide(a, b)
    order = np.concatenate([at_once, *doubtful.taken])
    decided_by = np.concatenate([at_once, *doubtful.taken_by])
    rank = np.argsort(
        np.where(order >= 0, order * 2 + 1, first[np.searchsorted(row, -1 - order)] * 2), kind="stable"
    )
    held, thrown = np.array(doubtful.held, np.int64), np.array(doubtful.thrown, THROWN)
    return Accepted(order[rank], decided_by[rank], held, thrown)


def _before(track: NDArray[np.void], fixes: Candidates, first: Rows, row: Rows) -> Before:
    """The candidate before each; before the ``first`` of a row what is held, else what was accepted last."""
    held = track["held_ms"][row] != NO_TIME
    holds = some(held)

    def before(column: NDArray[np.int64], of: str) -> NDArray[np.int64]:
        carried = track[f"fix_{of}"][row]
        if holds:
            carried = np.where(held, track[f"held_{of}"][row], carried)
        if first is ALL:
            return carried.astype(np.int64)
        out = previous(column)
        out[first] = carried
        return out

    lon, lat = before(fixes.lon_e7, "lon"), before(fixes.lat_e7, "lat")
    metres = distance_m(lon, lat, fixes.lon_e7, fixes.lat_e7)
    return Before(before(fixes.time_ms, "ms"), lon, lat, metres)


def _near(before: Before, fixes: Candidates) -> NDArray[np.bool_]:
    """Whether each fix is within reach of the candidate before it.

    The first fix of a seal that has neither is within reach of nothing, and near.
    """
    unknown = before.time_ms == NO_TIME
    since_ms = np.where(unknown, fixes.time_ms, before.time_ms) if some(unknown) else before.time_ms
    near: NDArray[np.bool_] = unknown | _reachable(fixes.time_ms - since_ms, before.metres)
    return near


def _move(track: NDArray[np.void], fixes: Candidates, row: Rows, last: Rows) -> None:
    track["fix_ms"][row] = fixes.time_ms[last]
    track["fix_lon"][row] = fixes.lon_e7[last]
    track["fix_lat"][row] = fixes.lat_e7[last]


class _Doubtful:
    """Seals with a fix out of reach: what they hold is decided step by step, what lies between is taken at once.

    A candidate is named by its index; `NONE`, `LAST` and `HELD_BEFORE` stand for what the state has.
    """

    def __init__(self, track: NDArray[np.void], fixes: Candidates, near: NDArray[np.bool_]) -> None:
        self._track = track
        self._fixes = fixes
        self._near = near
        self.taken = [np.zeros(0, np.int64)]
        self.taken_by = [np.zeros(0, np.int64)]
        self.held: list[int] = []
        self.thrown: list[tuple[Any, ...]] = []

    def decide(self, a: int, b: int) -> None:
        """Take the fixes a..b of one seal in turn, and move its state on."""
        row = int(self._fixes.row[a])
        state = self._track[row]
        accepted = LAST if state["fix_ms"] != NO_TIME else NONE
        held = HELD_BEFORE if state["held_ms"] != NO_TIME else NONE
        far = (a + which(~self._near[a : b + 1])).tolist()
        c = a
        while c <= b:
            if held == NONE:
                k = bisect_left(far, c)
                held = far[k] if k < len(far) else NONE
                end = held if held != NONE else b + 1
                accepted = self._take_near(c, end) if end > c else accepted
                c = end
            else:
                held, accepted = self._settle(row, accepted, held, c)
            if held >= 0:
                self.held.append(held)
            c += 1
        self._remember(row, accepted, held)

    def _take_near(self, begin: int, end: int) -> int:
        """Accept the fixes [begin, end), each within reach of the one before; returns the last of them."""
        self.taken.append(np.arange(begin, end))
        self.taken_by.append(np.arange(begin, end))
        return end - 1

    def _settle(self, row: int, accepted: int, held: int, c: int) -> tuple[int, int]:
        """Let ``c`` decide about the fix held; returns what is held and what is accepted last after it."""
        back = self._reaches(row, accepted, c)
        believed = not back and bool(self._near[c])
        self.thrown.append((c, believed, *self._place(row, held), *self._place(row, accepted)))
        if not back and not believed:
            return c, accepted
        found = [held if held >= 0 else -1 - row, c] if believed else [c]
        self.taken.append(np.array(found))
        self.taken_by.append(np.full(len(found), c))
        return NONE, c

    def _reaches(self, row: int, accepted: int, c: int) -> bool:
        (t0, lon0, lat0), (t1, lon1, lat1) = self._place(row, accepted), self._place(row, c)
        metres = distance_m(np.array([lon0]), np.array([lat0]), np.array([lon1]), np.array([lat1]))
        return bool(_reachable(t1 - t0, metres)[0])

    def _place(self, row: int, fix: int) -> tuple[int, int, int]:
        """Time and place of a candidate, or of what the state has."""
        if fix == NONE:
            return NOTHING
        if fix < 0:
            state, name = self._track[row], "fix" if fix == LAST else "held"
            return int(state[f"{name}_ms"]), int(state[f"{name}_lon"]), int(state[f"{name}_lat"])
        return int(self._fixes.time_ms[fix]), int(self._fixes.lon_e7[fix]), int(self._fixes.lat_e7[fix])

    def _remember(self, row: int, accepted: int, held: int) -> None:
        """Write into the state what is accepted last, and what is held: a candidate, or nothing."""
        mine = self._track[row]
        held_at, accepted_at = self._place(row, held), self._place(row, accepted)
        mine["held_ms"], mine["held_lon"], mine["held_lat"] = held_at
        mine["fix_ms"], mine["fix_lon"], mine["fix_lat"] = accepted_at
        for name in ("accuracy_m", "speed_kmh"):
            mine[f"held_{name}"] = getattr(self._fixes, name)[held] if held >= 0 else 0
