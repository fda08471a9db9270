"""Which fixes the track accepts: a jump faster than anything on the road is held until the next fix decides. Pure.

With P accepted, H too far from P, and C next: if C is within reach of P, H was an outlier; else if C is within reach of H,
both are accepted, as after a tunnel; else H was an outlier and C is held in its place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geofences.projection import distance_m
from seal_tracker.model import NO_TIME
from seal_tracker.rules.arrays import begins, ends, previous

__all__ = ["REACH_MM", "TOP_SPEED_MM_PER_MS", "Accepted", "Candidates", "accept"]

TOP_SPEED_MM_PER_MS = 50
"""180 km/h: faster than any lorry, slower than a GNSS jump (SEMANTICS, *The track*)."""

REACH_MM = 100_000
"""100 m of slack for two fixes of one moment: twice the error of a poor urban fix."""


HELD_BEFORE = -1
"""Stands for the fix that a seal held before the batch."""

NOTHING = (NO_TIME, 0, 0)
"""Time and place of no fix."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """Fixes that may move the track, sorted by (row, time); ``row`` indexes the seals' states."""

    row: NDArray[np.int64]
    time_ms: NDArray[np.int64]
    lon_e7: NDArray[np.int64]
    lat_e7: NDArray[np.int64]
    accuracy_m: NDArray[np.float32]
    speed_kmh: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Accepted:
    """The outcome: ``order`` indexes the candidates accepted, in track order; -1 - k stands for the fix that row k held
    before. ``decided_by`` is the candidate that let each in. ``outliers`` counts fixes refused.
    """

    order: NDArray[np.int64]
    decided_by: NDArray[np.int64]
    outliers: int


def _reachable(dt_ms: Any, metres: Any) -> Any:
    return np.rint(np.asarray(metres) * 1000.0) <= dt_ms * TOP_SPEED_MM_PER_MS + REACH_MM


def accept(track: NDArray[np.void], fixes: Candidates) -> Accepted:
    """Choose the fixes that the track accepts, and move ``track`` (rows of `TRACK`, the caller's copy) on.

    Rows whose every fix is within reach of the one before, nearly all, are done at once; the others one by one.
    """
    n = len(fixes.row)
    if not n:
        return Accepted(np.zeros(0, np.int64), np.zeros(0, np.int64), 0)
    start = begins(fixes.row)
    first, last = np.flatnonzero(start), ends(start)
    row = fixes.row[first]
    near = _near(track, fixes, start)
    plain = np.logical_and.reduceat(near, first) & (track["held_ms"][row] == NO_TIME)
    if plain.all():
        _move(track, fixes, row, last)
        return Accepted(np.arange(n), np.arange(n), 0)
    plain_of_fix = np.repeat(plain, last - first + 1)
    _move(track, fixes, row[plain], last[plain])
    order, decided = [np.flatnonzero(plain_of_fix)], [np.flatnonzero(plain_of_fix)]
    outliers = 0
    for a, b in zip(first[~plain].tolist(), last[~plain].tolist(), strict=True):
        taken, by, refused = _one_by_one(track, fixes, near, a, b)
        order.append(taken)
        decided.append(by)
        outliers += refused
    joined, by = np.concatenate(order), np.concatenate(decided)
    rank = np.argsort(
        np.where(joined >= 0, joined * 2 + 1, first[np.searchsorted(row, -1 - joined)] * 2), kind="stable"
    )
    return Accepted(joined[rank], by[rank], outliers)


def _near(track: NDArray[np.void], fixes: Candidates, start: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether each fix is within reach of the candidate before it: of the held or the last accepted one at a start."""
    of = track[fixes.row]
    held = of["held_ms"] != NO_TIME
    known = (of["fix_ms"] != NO_TIME) | held
    before_ms = np.where(start, np.where(held, of["held_ms"], of["fix_ms"]), previous(fixes.time_ms))
    lon = np.where(start, np.where(held, of["held_lon"], of["fix_lon"]), previous(fixes.lon_e7))
    lat = np.where(start, np.where(held, of["held_lat"], of["fix_lat"]), previous(fixes.lat_e7))
    known |= ~start
    metres = distance_m(lon, lat, fixes.lon_e7, fixes.lat_e7)
    near: NDArray[np.bool_] = ~known | _reachable(
        fixes.time_ms - np.where(known, before_ms, fixes.time_ms), metres
    )
    return near


def _move(track: NDArray[np.void], fixes: Candidates, row: NDArray[Any], last: NDArray[Any]) -> None:
    track["fix_ms"][row] = fixes.time_ms[last]
    track["fix_lon"][row] = fixes.lon_e7[last]
    track["fix_lat"][row] = fixes.lat_e7[last]


def _one_by_one(
    track: NDArray[np.void], fixes: Candidates, near: NDArray[np.bool_], a: int, b: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Accept, hold or refuse the fixes a..b of one seal in turn.

    A candidate is named by its index; ``last`` and ``held_before`` stand for what the state held before the batch.
    """
    row = int(fixes.row[a])
    mine = track[row]
    none, last, held_before = -3, -2, HELD_BEFORE
    accepted = last if mine["fix_ms"] != NO_TIME else none
    held = held_before if mine["held_ms"] != NO_TIME else none

    def place(k: int) -> tuple[int, int, int]:
        if k == last:
            return int(mine["fix_ms"]), int(mine["fix_lon"]), int(mine["fix_lat"])
        if k == held_before:
            return int(mine["held_ms"]), int(mine["held_lon"]), int(mine["held_lat"])
        return int(fixes.time_ms[k]), int(fixes.lon_e7[k]), int(fixes.lat_e7[k])

    def reaches(k: int, c: int) -> bool:
        (t0, lon0, lat0), (t1, lon1, lat1) = place(k), place(c)
        metres = distance_m(np.array([lon0]), np.array([lat0]), np.array([lon1]), np.array([lat1]))
        return bool(_reachable(t1 - t0, metres)[0])

    taken: list[int] = []
    by: list[int] = []
    outliers = 0
    for c in range(a, b + 1):
        if held == none:
            if accepted == none or near[c]:
                taken.append(c)
                by.append(c)
                accepted = c
            else:
                held = c
        elif reaches(accepted, c):
            outliers += 1
            held, accepted = none, c
            taken.append(c)
            by.append(c)
        elif near[c]:
            taken += [held if held >= 0 else -1 - row, c]
            by += [c, c]
            held, accepted = none, c
        else:
            outliers += 1
            held = c
    _hold(track, fixes, row, held, NOTHING if held == none else place(held))
    track["fix_ms"][row], track["fix_lon"][row], track["fix_lat"][row] = place(accepted)
    return np.array(taken, np.int64), np.array(by, np.int64), outliers


def _hold(
    track: NDArray[np.void], fixes: Candidates, row: int, held: int, place: tuple[int, int, int]
) -> None:
    """Remember a held fix: one of the batch (``held`` >= 0), the one held before (-1), or none."""
    track["held_ms"][row], track["held_lon"][row], track["held_lat"][row] = place
    if held == HELD_BEFORE:
        return
    for name in ("accuracy_m", "speed_kmh"):
        track[f"held_{name}"][row] = getattr(fixes, name)[held] if held >= 0 else 0
