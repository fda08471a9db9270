"""Which stretches of a journey nobody saw, since a camera or reader beside the way was offline as it passed. Pure.

A piece sees whatever is within a given distance of it. Between two fixes the vehicle went straight and evenly, as for inferred crossings;
where they are farther apart in time than ``GAP_MS`` nobody knows where it was, and nothing is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geofences.projection import metres_per_degree, wrap_e7
from seal_tracker.equipment.availability import Piece
from seal_tracker.equipment.intervals import Interval, Moments, intersection, union, without
from seal_tracker.plans.model import Equipment

__all__ = ["GAP_MS", "Unseen", "Way", "passages", "unseen"]

GAP_MS = 5 * 60 * 1000
"""Fixes farther apart than this are not joined (SEMANTICS, *Inferred crossings*)."""

F8 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Way:
    """The track of a journey: ``time_ms`` int64[N] ascending, ``lon_e7`` and ``lat_e7`` int64[N], and float64[N] ``chainage_m`` along the
    route, NaN where there is none.
    """

    time_ms: NDArray[np.int64]
    lon_e7: NDArray[np.int64]
    lat_e7: NDArray[np.int64]
    chainage_m: F8

    def chainage_at(self, at_ms: int) -> float | None:
        """Metres along the route at a moment between two fixes; None: on no route."""
        found = float(np.interp(at_ms, self.time_ms, self.chainage_m))
        return None if np.isnan(found) else found


@dataclass(frozen=True, slots=True)
class Unseen:
    """The vehicle was within reach of a piece that was offline; ``seen_by`` are others of its kind that saw all of it."""

    piece: Piece
    from_ms: int
    to_ms: int
    seen_by: tuple[str, ...]


def passages(way: Way, place: Equipment, within_m: float) -> Moments:
    """When the track was within a distance of a place; to the millisecond, moments inward."""
    east_m, north_m = metres_per_degree(place.lat_deg)
    x = wrap_e7(way.lon_e7 - round(place.lon_deg * 1e7)) * (float(east_m) / 1e7)
    y = (way.lat_e7 - round(place.lat_deg * 1e7)) * (float(north_m) / 1e7)
    dx, dy, lasts_ms = np.diff(x), np.diff(y), np.diff(way.time_ms)
    square = dx * dx + dy * dy
    half = x[:-1] * dx + y[:-1] * dy
    rest = x[:-1] ** 2 + y[:-1] ** 2 - within_m**2
    under = half * half - square * rest
    moves = square > 0
    root, length = np.sqrt(np.maximum(under, 0)), np.where(moves, square, 1.0)
    begin = np.where(moves, (-half - root) / length, 0.0).clip(0, 1)
    end = np.where(moves, (-half + root) / length, 1.0).clip(0, 1)
    near = np.where(moves, under > 0, rest <= 0) & (begin < end) & (lasts_ms <= GAP_MS)
    at = np.flatnonzero(near)
    begin_ms = way.time_ms[at] + np.ceil(begin[at] * lasts_ms[at]).astype(np.int64)
    end_ms = way.time_ms[at] + np.floor(end[at] * lasts_ms[at]).astype(np.int64)
    return union(zip(begin_ms.tolist(), end_ms.tolist(), strict=True))


def unseen(
    way: Way,
    places: Mapping[Piece, Equipment],
    stays: Mapping[Piece, Moments],
    offline: Mapping[str, Sequence[Interval]],
    within_m: float,
) -> list[Unseen]:
    """Stretches within reach of a piece that was watched and offline then, in order of time; ``offline`` is by the id of equipment."""
    passed = {
        piece: intersection(passages(way, place, within_m), stays[piece]) for piece, place in places.items()
    }
    silent = {piece: union(offline.get(piece.id, ())) for piece, times in passed.items() if times}
    seen = {piece: without(passed[piece], times) for piece, times in silent.items()}
    found = [
        Unseen(piece, begin, end, tuple(_who_saw(piece, (begin, end), seen)))
        for piece, times in silent.items()
        for begin, end in intersection(passed[piece], times)
    ]
    return sorted(found, key=lambda one: (one.from_ms, one.to_ms, one.piece.id))


def _who_saw(piece: Piece, stretch: Interval, seen: Mapping[Piece, Moments]) -> Iterator[str]:
    """Others of the kind that saw a stretch from end to end."""
    names = {
        other.id
        for other, times in seen.items()
        if other.kind == piece.kind and other.id != piece.id and not without((stretch,), times)
    }
    yield from sorted(names)
