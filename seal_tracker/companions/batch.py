"""What a batch asks of the pairs of a space, and what it makes of them. Pure, immutable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from seal_tracker.companions.stage import Progress
from seal_tracker.companions.table import PairTable
from seal_tracker.companions.tracks import Track
from seal_tracker.model import NO_TIME, Episode

__all__ = [
    "LEAD", "LIVE", "NOTHING_JUDGED", "OTHER", "PARKED", "PARK_AFTER_MS", "UNREAD",
    "Heard", "Judged", "Need", "standing",
]  # fmt: skip

I8 = NDArray[np.int64]
I1 = NDArray[np.int8]

PARK_AFTER_MS = 3_600_000
"""How far one device may fall behind before the other's track is no longer kept: 120 fixes of 30 s, 3 KB."""

UNREAD, LIVE, PARKED = 0, 1, 2

NOBODY, LEAD, OTHER = 0, 1, 2
"""Whom a parked pair waits for; nobody where its time is over."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One device in a batch: when its new pings count, first and last; ``late``: some before what was known."""

    first_ms: int
    last_ms: int
    late: bool


@dataclass(frozen=True)
class Need:
    """What judging a batch needs.

    Attributes
    ----------
    which, anew
        int64[n] pairs to be judged, and bool[n], which of them from nothing.
    tracks_since
        device to the moment since which its track must be read: with the last fix accepted before it.
    journeys
        those whose stored episodes are not in memory, with the number of their lead and when comparing begins.
    """

    which: I8
    anew: NDArray[np.bool_]
    tracks_since: dict[int, int]
    journeys: dict[str, tuple[int, int]]


@dataclass(frozen=True)
class Judged:
    """What judging found: the episodes of the journeys concerned that differ, before and after, by id."""

    which: I8
    progress: Progress
    status: I1
    waits_for: I1
    tails: dict[int, Track]
    before: dict[UUID, Episode] = field(default_factory=dict)
    after: dict[UUID, Episode] = field(default_factory=dict)
    told: dict[str, dict[UUID, Episode]] = field(default_factory=dict)


NOTHING_JUDGED = Judged(
    np.zeros(0, np.int64), Progress.blank(0), np.zeros(0, np.int8), np.zeros(0, np.int8), {}
)


def standing(table: PairTable, which: I8, through_ms: I8, tracks: Mapping[int, Track]) -> tuple[I1, I1]:
    """Whether pairs stay live, and whom those wait for that do not."""
    lead, other = (
        np.array([_newest_ms(tracks.get(d)) for d in column[which].tolist()], np.int64)
        for column in (table.lead, table.other)
    )
    to_ms = table.to_ms[which]
    over = (lead >= to_ms) & (other >= to_ms)
    ahead = np.minimum(np.maximum(lead, other), to_ms)
    behind = ahead - np.maximum(through_ms, table.from_ms[which]) > PARK_AFTER_MS
    status = np.where(over | behind, PARKED, LIVE).astype(np.int8)
    waits_for = np.where(over, NOBODY, np.where(lead < other, LEAD, OTHER)).astype(np.int8)
    return status, waits_for


def _newest_ms(track: Track | None) -> int:
    return int(track.time_ms[-1]) if track is not None and len(track) else NO_TIME
