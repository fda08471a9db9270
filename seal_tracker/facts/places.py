"""Where a device was at a moment, from its fixes around it. Pure."""

from __future__ import annotations

from typing import Final

import numpy as np

from geofences.projection import wrap_e7
from seal_tracker.companions.tracks import Track
from seal_tracker.facts.rules import Place

__all__ = ["AROUND_MS", "place_at"]

AROUND_MS: Final = 5 * 60_000
"""Fixes farther apart than this are not joined (SEMANTICS, *Inferred crossings*), and one that is farther away says nothing."""


def place_at(track: Track, at_ms: int) -> Place | None:
    """Where a device was: on the straight line between the fixes on both sides, else at the nearer one; None: nobody knows."""
    after = int(np.searchsorted(track.time_ms, at_ms))
    if after < len(track) and track.time_ms[after] == at_ms:
        return _fix(track, after, 0)
    sides = [i for i in (after - 1, after) if 0 <= i < len(track)]
    if len(sides) == 2 and track.time_ms[after] - track.time_ms[after - 1] <= AROUND_MS:  # noqa: PLR2004 - both
        return _between(track, after, at_ms)
    near = min(((abs(int(track.time_ms[i]) - at_ms), i) for i in sides), default=(AROUND_MS + 1, -1))
    return _fix(track, near[1], near[0]) if near[0] <= AROUND_MS else None


def _fix(track: Track, i: int, gap_ms: int) -> Place:
    return Place(int(track.lon_e7[i]), int(track.lat_e7[i]), gap_ms)


def _between(track: Track, after: int, at_ms: int) -> Place:
    """Shares of whole numbers, halves upwards: the same from whichever batch."""
    begin_ms, end_ms = int(track.time_ms[after - 1]), int(track.time_ms[after])
    part, of = at_ms - begin_ms, end_ms - begin_ms
    lon, lat = int(track.lon_e7[after - 1]), int(track.lat_e7[after - 1])
    east = int(wrap_e7(track.lon_e7[after : after + 1] - lon)[0])
    north = int(track.lat_e7[after]) - lat
    lon += (2 * east * part + of) // (2 * of)
    lat += (2 * north * part + of) // (2 * of)
    return Place(int(wrap_e7(np.array([lon], np.int64))[0]), lat, of)
