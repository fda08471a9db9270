"""Order of pings, and variants of one moment judged as one. Pure."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from seal_tracker.model import NO_TIME, PingBatch

__all__ = ["effective_time_ms", "fresh", "in_order", "merge_variants", "usable_fix"]


def effective_time_ms(pings: PingBatch) -> NDArray[np.int64]:
    """When each ping counts, int64[n]: its fix time, or our receive time where the device's clock is implausible."""
    return np.where(pings.clock_ok | (pings.received_ms == NO_TIME), pings.time_ms, pings.received_ms)


def usable_fix(pings: PingBatch) -> NDArray[np.bool_]:
    """Whether a ping's position may move the track: GNSS valid, in range, not (0, 0), from a plausible clock."""
    somewhere = (pings.lon_e7 != 0) | (pings.lat_e7 != 0)
    usable: NDArray[np.bool_] = pings.valid & pings.has_position & somewhere & pings.clock_ok
    return usable


def in_order(pings: PingBatch) -> PingBatch:
    """Pings by (seal, effective time, sequence, digest), with the effective time as their time."""
    at = effective_time_ms(pings)
    if len(pings) <= 1:
        return pings.with_columns(time_ms=at)
    rows = np.lexsort((pings.digest, pings.seq, at, pings.seal))
    return pings.with_columns(time_ms=at).take(rows)


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


def merge_variants(pings: PingBatch) -> PingBatch:
    """Pings in order, those of equal (seal, time) as one: the better fix, the union of facts, the worst lock.

    The better fix is the valid one, with more satellites, a smaller claimed accuracy, then by digest.
    """
    if not len(pings):
        return pings
    same = (pings.seal[1:] == pings.seal[:-1]) & (pings.time_ms[1:] == pings.time_ms[:-1])
    if not same.any():
        return pings
    accuracy = np.where(np.isnan(pings.accuracy_m), np.inf, pings.accuracy_m)
    rows = np.lexsort(
        (pings.digest, accuracy, -pings.satellites, ~usable_fix(pings), pings.time_ms, pings.seal)
    )
    ranked = pings.take(rows)
    changes = (ranked.seal[1:] != ranked.seal[:-1]) | (ranked.time_ms[1:] != ranked.time_ms[:-1])
    first = np.flatnonzero(np.concatenate([[True], changes]))

    def joined(join: Any, column: NDArray[Any]) -> NDArray[Any]:
        out: NDArray[Any] = join.reduceat(column, first)
        return out

    return ranked.take(first).with_columns(
        facts=joined(np.bitwise_or, ranked.facts), lock=joined(np.maximum, ranked.lock)
    )
