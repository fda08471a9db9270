"""Tracks of devices that are compared with others: their accepted fixes as columns. Pure.

A device's fixes are accepted by the same rule, from the same state, as in the first stage; so that a device judged by
nobody else, as a trailer's or an escort's, has a track too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from seal_tracker.model import NO_TIME, PingBatch
from seal_tracker.tracking.order import in_order, merge_variants, usable_fix
from seal_tracker.tracking.plausibility import Candidates, accept

__all__ = ["EMPTY", "Track", "Tracks", "accepted", "newest_fix"]

I8 = NDArray[np.int64]

TIME_BITS = 42
"""Bits of a time beside a row in one number: until the year 2109."""

KEPT_FIXES = 32
"""Fixes of a track that are kept whether they are needed or not: 768 bytes."""


@dataclass(frozen=True, slots=True)
class Track:
    """One device's fixes in the order of time: int64[n] each, no time twice."""

    time_ms: I8
    lon_e7: I8
    lat_e7: I8

    def __len__(self) -> int:
        return len(self.time_ms)

    @classmethod
    def empty(cls) -> Self:
        """No fixes."""
        return cls(*(np.zeros(0, np.int64) for _ in range(3)))

    def after(self, at: int) -> Track:
        """Its fixes from position ``at`` on."""
        return Track(self.time_ms[at:], self.lon_e7[at:], self.lat_e7[at:])

    def since(self, time_ms: int) -> Track:
        """The last fix at or before a moment, and all after it: what says where the device was from there on.

        A few fixes before that may stay: cutting them off costs more than keeping them.
        """
        if len(self) <= KEPT_FIXES:
            return self
        return self.after(max(int(np.searchsorted(self.time_ms, time_ms, side="right")) - 1, 0))

    def followed_by(self, other: Track) -> Track:
        """Its fixes before the other's first one, then the other's."""
        if not len(other) or not len(self):
            return other if len(other) else self
        first = other.time_ms[0]
        keep = len(self) if self.time_ms[-1] < first else int(np.searchsorted(self.time_ms, first))
        return Track(
            np.concatenate([self.time_ms[:keep], other.time_ms]),
            np.concatenate([self.lon_e7[:keep], other.lon_e7]),
            np.concatenate([self.lat_e7[:keep], other.lat_e7]),
        )


EMPTY = Track.empty()


@dataclass(frozen=True)
class Tracks:
    """Tracks of some devices (``row``), sorted by (row, time), in one set of columns."""

    row: I8
    time_ms: I8
    lon_e7: I8
    lat_e7: I8

    @classmethod
    def of(cls, tracks: Iterable[Track]) -> Tracks:
        """``row`` is the position among ``tracks``."""
        parts = list(tracks) or [Track.empty()]
        return cls(
            np.repeat(np.arange(len(parts)), [len(t) for t in parts]),
            np.concatenate([t.time_ms for t in parts]),
            np.concatenate([t.lon_e7 for t in parts]),
            np.concatenate([t.lat_e7 for t in parts]),
        )

    @cached_property
    def _key(self) -> I8:
        return (self.row << TIME_BITS) + self.time_ms

    def at(self, row: I8, time_ms: I8) -> I8:
        """Position of the first fix of each row at or after a moment, or where it would be."""
        return np.searchsorted(self._key, (row << TIME_BITS) + np.clip(time_ms, 0, (1 << TIME_BITS) - 1))


def newest_fix(state: np.void) -> Track:
    """The last fix that a state (a record of ``TRACK``) has accepted, as a track of one fix, or none."""
    if state["fix_ms"] == NO_TIME:
        return Track.empty()
    return Track(*(np.array([state[name]], np.int64) for name in ("fix_ms", "fix_lon", "fix_lat")))


def accepted(states: Mapping[int, np.void], pings: PingBatch) -> dict[int, Track]:
    """What pings add to the tracks of their seals.

    ``states`` gives each seal's ``TRACK`` (a record) before them; every ping must be later than what that has seen.
    A fix that the state holds comes out at its own time once it is believed.
    """
    pings = merge_variants(in_order(pings))
    pings = pings.take(np.flatnonzero(usable_fix(pings)))
    seals, row = np.unique(pings.seal, return_inverse=True)
    if not len(seals):
        return {}
    state = np.array([states[s] for s in seals.tolist()])
    held = {name: state[f"held_{name}"].astype(np.int64) for name in ("ms", "lon", "lat")}
    found = Candidates(
        row=row.astype(np.int64),
        time_ms=pings.time_ms,
        lon_e7=pings.lon_e7.astype(np.int64),
        lat_e7=pings.lat_e7.astype(np.int64),
        accuracy_m=pings.accuracy_m,
        speed_kmh=pings.speed_kmh,
    )
    order = accept(state, found).order
    was_held, at = order < 0, np.maximum(order, 0)
    owner = np.where(was_held, -1 - order, found.row[at])
    time_ms = np.where(was_held, held["ms"][owner], found.time_ms[at])
    lon = np.where(was_held, held["lon"][owner], found.lon_e7[at])
    lat = np.where(was_held, held["lat"][owner], found.lat_e7[at])
    cuts = np.searchsorted(owner, np.arange(len(seals) + 1)).tolist()
    return {
        seal: Track(time_ms[a:b], lon[a:b], lat[a:b])
        for seal, a, b in zip(seals.tolist(), cuts[:-1], cuts[1:], strict=True)
        if b > a
    }
