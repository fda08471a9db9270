"""Order of pings, and variants of one moment judged as one. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geofences.masks import every, some, which
from geofences.projection import distance_m
from seal_tracker.model import NO_TIME, PING_DTYPES, PingBatch
from seal_tracker.rules.context import mm_of_m

__all__ = ["OrderedPings", "effective_time_ms", "fresh", "in_order", "merge_variants", "usable_fix"]


columns_of = attrgetter(*PING_DTYPES)


@dataclass(frozen=True, slots=True)
class OrderedPings(PingBatch):
    """Pings in the order in which they are judged, ``time_ms`` being when they count. Never stored.

    Attributes
    ----------
    claimed_ms
        int64, the fix time as the device gave it.
    apart_mm
        int64, how far the fixes of other variants of the moment lie from the one taken; 0 where there are none.
    """

    claimed_ms: NDArray[np.int64]
    apart_mm: NDArray[np.int64]


def effective_time_ms(pings: PingBatch) -> NDArray[np.int64]:
    """When each ping counts, int64[n]: its fix time, or our receive time where the device's clock is implausible."""
    if every(pings.clock_ok):
        return pings.time_ms
    return np.where(pings.clock_ok | (pings.received_ms == NO_TIME), pings.time_ms, pings.received_ms)


def usable_fix(pings: PingBatch) -> NDArray[np.bool_]:
    """Whether a ping's position may move the track: GNSS valid, in range, not (0, 0), from a plausible clock."""
    somewhere = (pings.lon_e7 | pings.lat_e7).astype(np.bool_)
    usable: NDArray[np.bool_] = pings.valid & pings.has_position & somewhere & pings.clock_ok
    return usable


def in_order(pings: PingBatch) -> OrderedPings:
    """Pings by (seal, effective time, sequence, digest), with the effective time as their time."""
    at, apart_mm = effective_time_ms(pings), np.zeros(len(pings), np.int64)
    ordered = OrderedPings(*(*columns_of(pings), pings.time_ms, apart_mm))
    if at is not pings.time_ms:
        ordered = ordered.with_columns(time_ms=at)
    if every(pings.seal[1:] > pings.seal[:-1]):
        return ordered
    rows = np.lexsort((at, pings.seal))
    if some(_neighbours_equal(pings.seal[rows], at[rows])):
        rows = np.lexsort((pings.digest, pings.seq, at, pings.seal))
    return ordered.take(rows)


def _neighbours_equal(one: NDArray[Any], other: NDArray[Any]) -> NDArray[np.bool_]:
    """Which rows equal the one before in both columns, from the second on."""
    same: NDArray[np.bool_] = (one[1:] == one[:-1]) & (other[1:] == other[:-1])
    return same


def fresh(pings: PingBatch) -> NDArray[np.bool_]:
    """Which pings of a batch are the first of their identity (seal, fix time, digest) in it; bool[n]."""
    first = np.ones(len(pings), bool)
    if len(pings) <= 1:
        return first
    rows = np.lexsort((pings.digest, pings.time_ms, pings.seal))
    a, b = rows[1:], rows[:-1]
    same = (
        (pings.digest[a] == pings.digest[b])
        & (pings.time_ms[a] == pings.time_ms[b])
        & (pings.seal[a] == pings.seal[b])
    )
    first[a[same]] = False  # lexsort is stable: of equals, the one that arrived first stays
    return first


def merge_variants(pings: OrderedPings) -> OrderedPings:
    """Pings in order, those of equal (seal, time) as one: the better fix, the union of facts, the worst lock.

    The better fix is the valid one, with more satellites, a smaller claimed accuracy, then by digest.
    """
    if not len(pings):
        return pings
    repeated = pings.seal[1:] == pings.seal[:-1]
    if not some(repeated) or not some(repeated & (pings.time_ms[1:] == pings.time_ms[:-1])):
        return pings
    accuracy = np.where(np.isnan(pings.accuracy_m), np.inf, pings.accuracy_m)
    rows = np.lexsort(
        (pings.digest, accuracy, -pings.satellites, ~usable_fix(pings), pings.time_ms, pings.seal)
    )
    ranked = pings.take(rows)
    changes = (ranked.seal[1:] != ranked.seal[:-1]) | (ranked.time_ms[1:] != ranked.time_ms[:-1])
    starts = np.concatenate([[True], changes])
    first = which(starts)

    def joined(join: Any, column: NDArray[Any]) -> NDArray[Any]:
        out: NDArray[Any] = join.reduceat(column, first)
        return out

    return ranked.take(first).with_columns(
        facts=joined(np.bitwise_or, ranked.facts),
        lock=joined(np.maximum, ranked.lock),
        apart_mm=joined(np.maximum, _apart_mm(ranked, first[np.cumsum(starts) - 1])),
    )


def _apart_mm(ranked: PingBatch, best: NDArray[np.int64]) -> NDArray[np.int64]:
    """Millimetres from each variant's fix to that of row ``best[i]``, the one taken; 0 where either has none."""
    out = np.zeros(len(ranked), np.int64)
    other = which(usable_fix(ranked) & (best != np.arange(len(ranked))))
    taken = best[other]  # ranks first: usable wherever a variant of its moment is
    out[other] = mm_of_m(
        distance_m(ranked.lon_e7[taken], ranked.lat_e7[taken], ranked.lon_e7[other], ranked.lat_e7[other])
    )
    return out
