"""How this process asks the system for memory, and gives it back. No state of our own; glibc's, for the whole process.

glibc keeps what is freed for the next call: a large block's threshold rises to what was freed last, and every thread has a pool
of its own. A plan read once, or a few passwords hashed at 19 MiB each, then stay resident as holes for as long as we run.
Elsewhere (musl, macOS) nothing is done.
"""

from __future__ import annotations

import asyncio
import ctypes
from typing import Final

__all__ = ["LARGE_BYTES", "give_back", "keep_giving_back", "keep_little"]

LARGE_BYTES: Final = 256 * 1024
"""Blocks from here on come from the system and go back when freed. Arrays of a usual batch (2,000 pings of 8 bytes) stay below,
so that judging pays no page faults for it."""

GIVE_BACK_EVERY_S: Final = 10.0
"""A burst of a thousand alarms leaves 15 MB of holes; to give them back takes a few ms, with nothing to give back less than one."""

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
"""Names of mallopt(3); the numbers are glibc's."""


def keep_little() -> None:
    """Give large blocks and the heap's free end back as they are freed, and pool for all threads together. Call it first."""
    if (mallopt := getattr(ctypes.CDLL(None), "mallopt", None)) is not None:
        for option, value in (
            (M_MMAP_THRESHOLD, LARGE_BYTES),
            (M_TRIM_THRESHOLD, LARGE_BYTES),
            (M_ARENA_MAX, 1),
        ):
            mallopt(option, value)


async def keep_giving_back() -> None:
    """Give back every now and then. Ends by cancellation."""
    while True:
        give_back()
        await asyncio.sleep(GIVE_BACK_EVERY_S)


def give_back() -> None:
    """Give free pages within the heap back."""
    if (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)) is not None:
        trim(0)
