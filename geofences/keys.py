"""Values by key in three looks, whatever the number of keys: cuckoo hashing (Pagh and Rodler, 2001), for arrays.

Each key has three homes and lies in one of them, so a lookup needs no loop and costs the same for a thousand keys and
for ten million. A key is a *group* (upper 32 bits) and a place in it (lower 32); a slot keeps but 32 bits of it. So what
is found for a key not in the table is no value, or, rarely, that of a key of another group, never of the same: who asks
sees from the value whose it is.
Built once, then read-only: safe to share between threads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

__all__ = ["KeyTable"]

SLOTS_A_KEY = 1.15
"""Every key finds one of three homes while less than 0.91 of the slots are taken (Fotakis et al., 2005)."""

MIXES = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0xD6E8FEB86659FD93], np.uint64).view(np.int64)
"""2^64 over the golden ratio (Knuth), a prime of xxHash (Collet) and a multiplier of rrmxmx (Evensen): three hashes."""

TAG_MIX = np.array(0x9E3779B1)
"""Sets apart the tags of groups: a prime near 2^32 over the golden ratio."""

MOST_ROUNDS = 1_000
"""Evictions in a row before the table is made larger; some fifty do."""

NO_VALUE = 0xFFFFFFFF
"""In an empty slot; every value is less."""

HALF_BITS, LOWER_HALF = np.array(32), np.array(0xFFFFFFFF)

I8 = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class KeyTable:
    """``slots`` is int64: the tag of the key in the slot (upper 32 bits) and its value (lower 32)."""

    slots: I8

    @classmethod
    def build(cls, keys: I8, values: I8) -> Self:
        """Enter keys, each once and not negative, with their values, of 0 to 2^32 - 2."""
        slots = int(len(keys) * SLOTS_A_KEY) + 3
        while True:
            row = _placed(keys, slots)
            if row is not None:
                table = cls(np.append(_tag(keys) | values, NO_VALUE)[row])
                if np.array_equal(table.find(keys), values):
                    return table
            slots += slots // 8 + 1  # no room, or a key of another group with the same tag in an earlier home

    def find(self, key: I8) -> I8:
        """Value of each key that is in the table; of others less than 0, more than all values or, rarely, that of a key of another group."""
        found = self.slots.take(_homes(key, len(self.slots)))
        found ^= _tag(
            key
        )  # leaves the value of a slot whose tag agrees, of any other a number of more than 32 bits
        least: I8 = np.minimum.reduce(found.view(np.uint64), axis=0).view(np.int64)
        return least

    def __len__(self) -> int:
        """Keys in the table."""
        return int(np.count_nonzero(self.slots & LOWER_HALF != NO_VALUE))


def _tag(key: I8) -> I8:
    """32 bits that differ for all places of a group, and hardly agree between groups; in the upper half."""
    tag: I8 = key >> HALF_BITS
    tag *= TAG_MIX
    tag += key
    tag <<= HALF_BITS
    return tag


def _homes(key: I8, slots: int) -> I8:
    """The three slots of each key, [3, n]: the upper half of a hash, from 32 bits scaled to so many slots (Lemire, 2019)."""
    return _scaled(key * MIXES[:, None], slots)


def _home(key: I8, choice: int, slots: int) -> I8:
    """One of the three slots of each key."""
    return _scaled(key * MIXES[choice], slots)


def _scaled(product: I8, slots: int) -> I8:
    product >>= HALF_BITS
    product &= LOWER_HALF
    product *= slots
    product >>= HALF_BITS
    return product


def _placed(keys: I8, slots: int) -> NDArray[np.int32] | None:
    """Row in each slot or -1, for the last: who is put out of its slot goes to its next home, all at a time; None where it fails."""
    held = np.full(slots, -1, np.int32)
    homeless, choice = np.arange(len(keys), dtype=np.int32), np.zeros(len(keys), np.int8)
    for _ in range(MOST_ROUNDS):
        if len(homeless) == 0:
            return held
        slot, turn = np.empty(len(homeless), np.int64), choice[homeless]
        for home in range(len(MIXES)):
            mine = turn == home
            slot[mine] = _home(keys[homeless[mine]], home, slots)
        before = held[slot]
        held[slot] = homeless
        settled = held[slot] == homeless
        out = np.concatenate([homeless[~settled], before[settled & (before >= 0)]])
        choice[out] = (choice[out] + 1) % len(MIXES)
        homeless = out
    return None
