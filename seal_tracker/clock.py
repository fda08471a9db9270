"""The one clock. Everything that judges takes time as an argument."""

from __future__ import annotations

import time

__all__ = ["clock_ms"]


def clock_ms() -> int:
    """UTC epoch milliseconds, now."""
    return time.time_ns() // 1_000_000
