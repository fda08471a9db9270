"""When and where two devices are compared: each fix of either, the other's place interpolated. Pure.

Everything is a function of the two tracks alone: a meeting is judged once both tracks have passed it, and the place
between two fixes is worked out in whole numbers, so that no cut of either track's arrival can change it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geofences.projection import distance_m, wrap_e7
from geofences.ragged import expand
from seal_tracker.companions.tracks import TIME_BITS, Tracks
from seal_tracker.rules.context import mm_of_m

__all__ = ["NEVER_MS", "Compared", "Met", "meet"]

I8 = NDArray[np.int64]

NEVER_MS = 1 << 50
"""Longer than any gap: where a track does not say at all where the device was."""


@dataclass(frozen=True, slots=True)
class Compared:
    """Pairs to be compared, one row each: rows of both tracks, the time they are compared in, and how far that is done.

    ``through_ms`` is the last instant judged already.
    """

    lead: I8
    other: I8
    from_ms: I8
    to_ms: I8
    through_ms: I8


@dataclass(frozen=True, slots=True)
class Met:
    """Meetings sorted by (pair, time); see ``rules.pairs.Meetings`` for the columns.

    ``passed_ms`` int64 by pair: the instant that both tracks have passed now, ``through_ms`` where that is no further.
    """

    pair: I8
    time_ms: I8
    lon_e7: I8
    lat_e7: I8
    other_lon_e7: I8
    other_lat_e7: I8
    gap_ms: I8
    distance_mm: I8
    step_mm: I8
    step_ms: I8
    other_step_mm: I8
    other_step_ms: I8
    passed_ms: I8


def meet(compared: Compared, tracks: Tracks) -> Met:
    """Every meeting of pairs after ``through_ms`` and up to what both tracks have passed."""
    mine, theirs = (_Span.of(compared, row, tracks) for row in (compared.lead, compared.other))
    passed = np.minimum(mine.newest_ms, theirs.newest_ms)
    passed = np.maximum(passed, compared.through_ms)
    packed = np.concatenate([_instants(span, compared.through_ms, passed, tracks) for span in (mine, theirs)])
    packed = np.unique(packed)
    pair, time_ms = packed >> TIME_BITS, packed & ((1 << TIME_BITS) - 1)
    lon, lat, gap = _place(mine, pair, time_ms, tracks)
    other_lon, other_lat, other_gap = _place(theirs, pair, time_ms, tracks)
    gap = np.maximum(gap, other_gap)
    apart = mm_of_m(distance_m(lon, lat, other_lon, other_lat))
    steps = (*_step(mine, pair, time_ms, tracks), *_step(theirs, pair, time_ms, tracks))
    return Met(pair, time_ms, lon, lat, other_lon, other_lat, gap, apart, *steps, passed)


@dataclass(frozen=True, slots=True)
class _Span:
    """By pair, the fixes of one of its devices within the time of comparing: positions [first, end), the newest's time."""

    row: I8
    first: I8
    end: I8
    newest_ms: I8

    @classmethod
    def of(cls, compared: Compared, row: I8, tracks: Tracks) -> _Span:
        first, end = tracks.at(row, compared.from_ms), tracks.at(row, compared.to_ms)
        some = end > first
        newest = np.full(len(row), -1)
        newest[some] = tracks.time_ms[end[some] - 1]
        return cls(row, first, end, newest)


def _instants(span: _Span, through_ms: I8, passed_ms: I8, tracks: Tracks) -> I8:
    """(pair, time) packed of one device's fixes in (through, passed]."""
    begin = np.clip(tracks.at(span.row, through_ms + 1), span.first, span.end)
    stop = np.clip(tracks.at(span.row, passed_ms + 1), begin, span.end)
    pair, at = expand(begin, stop - begin)
    return (pair << TIME_BITS) + tracks.time_ms[at]


def _place(span: _Span, pair: I8, time_ms: I8, tracks: Tracks) -> tuple[I8, I8, I8]:
    """Where one device was at some instants, and the time between the fixes that say so."""
    if not len(tracks.time_ms):
        none = np.zeros(len(pair), np.int64)
        return none, none, none
    after = np.minimum(tracks.at(span.row[pair], time_ms), span.end[pair] - 1)
    exact = tracks.time_ms[after] == time_ms
    before = np.where(exact, after, after - 1)
    known = exact | ((before >= span.first[pair]) & (tracks.time_ms[after] > time_ms))
    before = np.where(known, before, after)
    gap = tracks.time_ms[after] - tracks.time_ms[before]
    step = time_ms - tracks.time_ms[before]
    lon = tracks.lon_e7[before]
    east = wrap_e7(tracks.lon_e7[after] - lon)
    north = tracks.lat_e7[after] - tracks.lat_e7[before]
    lon = wrap_e7(lon + _share(east, step, gap))
    lat = tracks.lat_e7[before] + _share(north, step, gap)
    return lon, lat, np.where(known, gap, NEVER_MS)


def _step(span: _Span, pair: I8, time_ms: I8, tracks: Tracks) -> tuple[I8, I8]:
    """How far, and in what time, one device came between the fix before some instants and the one at or after them; 0 where there is none."""
    if not len(tracks.time_ms):
        return np.zeros(len(pair), np.int64), np.zeros(len(pair), np.int64)
    after = np.minimum(tracks.at(span.row[pair], time_ms), span.end[pair] - 1)
    before = np.maximum(after - 1, np.minimum(span.first[pair], after))
    places = (tracks.lon_e7[before], tracks.lat_e7[before], tracks.lon_e7[after], tracks.lat_e7[after])
    return mm_of_m(distance_m(*places)), tracks.time_ms[after] - tracks.time_ms[before]


def _share(whole: I8, part: I8, of: I8) -> I8:
    """``whole * part / of`` to the nearest integer, halves upwards; 0 where ``of`` is. Up to 180° over 9 days fit."""
    of = np.maximum(of, 1)
    part = np.clip(part, 0, of)
    return (2 * whole * part + of) // (2 * of)
