"""Values by key in two looks, whatever the number of keys: cuckoo hashing (Pagh and Rodler, 2001), for arrays.

Each key has two homes and lies in one of them, so a lookup needs no loop and costs the same for a thousand keys and
for ten million. Built once, then read-only: safe to share between threads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

__all__ = ["KeyTable"]

SLOTS_A_KEY = 2.3
"""Every key finds a home in one of two while less than half the slots are taken; the nearer to that, the longer."""

MIXES = (0x9E3779B97F4A7C15 - (1 << 64), 0xC2B2AE3D27D4EB4F - (1 << 64))
"""2^64 over the golden ratio (Knuth), and a prime of xxHash (Collet), as int64: two hashes that disagree."""

EMPTY = -1
"""No key: keys are 0 or greater."""

MOST_ROUNDS = 1_000
"""Evictions in a row before the table is made larger; some thirty do."""

I8 = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class KeyTable:
    """``keys[s]`` is the key in slot ``s`` or ``EMPTY``, ``values[s]`` (int32) its value or -1."""

    keys: I8
    values: NDArray[np.int32]

    @classmethod
    def build(cls, keys: I8, values: I8) -> Self:
        """Enter keys, each once and not negative, with their values."""
        slots = int(len(keys) * SLOTS_A_KEY) + 2
        while (row := _placed(keys, slots)) is None:
            slots += slots // 4
        return cls(np.append(keys, EMPTY)[row], np.append(values, -1).astype(np.int32)[row])

    def find(self, key: I8) -> I8:
        """Value of each key, -1 where it is not in the table."""
        slot = _home(key, 0, len(self.keys))
        slot = np.where(self.keys[slot] == key, slot, _home(key, 1, len(self.keys)))
        return np.where(self.keys[slot] == key, self.values[slot].astype(np.int64), -1)


def _home(key: I8, choice: int, slots: int) -> I8:
    """Slot of each key: the upper half of its hash, from 32 bits scaled to so many slots (Lemire, 2019)."""
    return (((key * MIXES[choice]) >> 32 & 0xFFFFFFFF) * slots) >> 32


def _placed(keys: I8, slots: int) -> I8 | None:
    """Row in each slot or -1, for the last: who is put out of its slot goes to its other home, all at a time; None where it fails."""
    held = np.full(slots, EMPTY, np.int64)
    homes = np.stack([_home(keys, 0, slots), _home(keys, 1, slots)])
    homeless, choice = np.arange(len(keys)), np.zeros(len(keys), np.int8)
    for _ in range(MOST_ROUNDS):
        if len(homeless) == 0:
            return held
        slot = homes[choice[homeless], homeless]
        before = held[slot]
        held[slot] = homeless
        settled = held[slot] == homeless
        out = np.concatenate([homeless[~settled], before[settled & (before >= 0)]])
        choice[out] ^= 1
        homeless = out
    return None
