"""Streams of all seals in one array: each seal's are a chain of slots, so that a batch costs what its own seals have.

Owned by `SealStates`; as safe as that. A slot given back is used again before the array grows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geofences.masks import which
from seal_tracker.rules.arrays import begins
from seal_tracker.rules.records import joined, picked, put
from seal_tracker.rules.streams import STREAM

__all__ = ["NO_STREAM", "StreamPool"]

NO_STREAM = -1
"""The head of a seal without streams, and the end of every chain."""

I8 = NDArray[np.int64]


class StreamPool:
    """Chains of streams. A chain is named by its first slot, its *head*."""

    def __init__(self) -> None:
        self._slots = np.zeros(0, STREAM)
        self._next = np.zeros(0, np.int64)
        self._free = np.zeros(0, np.int64)
        self._n_free = 0

    def __len__(self) -> int:
        """Slots there are, used or free."""
        return len(self._slots)

    def take(self, head: I8) -> NDArray[np.void]:
        """Copies of the streams of some heads, their ``row`` the head's position, each chain in its order."""
        row, slot = self._chains(head)
        out = picked(self._slots, slot)
        out["row"] = row
        return out

    def replace(self, head: I8, streams: NDArray[np.void]) -> I8:
        """Give back the chains of ``head`` and make new ones of ``streams``, sorted by ``row``; returns their heads."""
        self._give_back(self._chains(head)[1])
        slot = self._allot(len(streams))
        row = streams["row"]
        put(self._slots, slot, streams)
        self._slots["row"][slot] = 0
        first = begins(row)
        self._next[slot] = NO_STREAM
        follows = which(~first)
        self._next[slot[follows - 1]] = slot[follows]
        heads = np.full(len(head), NO_STREAM)
        heads[row[first]] = slot[first]
        return heads

    def _chains(self, head: I8) -> tuple[I8, I8]:
        """(position of the head, slot) of every stream, by position and then along the chain."""
        row = which(head != NO_STREAM)
        slot = head[row]
        rows, slots = [row], [slot]
        while len(slot):
            slot = self._next[slot]
            goes_on = which(slot != NO_STREAM)
            row, slot = row[goes_on], slot[goes_on]
            if len(slot):
                rows.append(row)
                slots.append(slot)
        if len(rows) == 1:
            return rows[0], slots[0]
        every = np.concatenate(rows)
        order = every.argsort(kind="stable")
        return every[order], np.concatenate(slots)[order]

    def _give_back(self, slot: I8) -> None:
        end = self._n_free + len(slot)
        if end > len(self._free):
            self._free = np.concatenate([self._free[: self._n_free], slot])
        else:
            self._free[self._n_free : end] = slot
        self._n_free = end

    def _allot(self, n: int) -> I8:
        if n > self._n_free:
            self._grow(n - self._n_free)
        self._n_free -= n
        return self._free[self._n_free : self._n_free + n].copy()

    def _grow(self, missing: int) -> None:
        before = len(self._slots)
        more = max(missing, before, 64)
        self._slots = joined([self._slots, np.zeros(more, STREAM)])
        self._next = np.concatenate([self._next, np.full(more, NO_STREAM)])
        self._give_back(np.arange(before, before + more))
