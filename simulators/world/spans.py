"""Stretches of time, in seconds from a common start. Immutable."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

__all__ = ["Span", "is_in_any"]


class Span(NamedTuple):
    """From one moment to another; the end does not belong to it."""

    from_s: float
    to_s: float

    def holds(self, time_s: float) -> bool:
        """Whether a time lies in it; the end does not."""
        return self.from_s <= time_s < self.to_s

    def meets(self, other: Span) -> bool:
        """Whether the two have a moment in common."""
        return self.from_s < other.to_s and other.from_s < self.to_s


def is_in_any(spans: Iterable[Span], time_s: float) -> bool:
    """Whether a time lies in one of them."""
    return any(span.holds(time_s) for span in spans)
