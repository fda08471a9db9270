"""Sets of moments as half-open intervals [from, to) of whole milliseconds. Pure.

A set is a tuple of intervals that ascend, do not touch, and are not empty; `union` makes one of any intervals.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping

__all__ = ["Interval", "Moments", "contains", "ended_by", "intersection", "length_ms", "union", "without"]

Interval = tuple[int, int]
Moments = tuple[Interval, ...]


def union(intervals: Iterable[Interval]) -> Moments:
    """What lies in any of them; empty and reversed ones hold nothing."""
    found: list[Interval] = []
    for begin, end in sorted(one for one in intervals if one[0] < one[1]):
        if found and begin <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], end)
        else:
            found.append((begin, end))
    return tuple(found)


def ended_by(end_ms: int, times: Mapping[str, Iterable[tuple[int, int | None]]]) -> dict[str, list[Interval]]:
    """Intervals by name, those that have no end yet (None) ending at a moment."""
    return {
        name: [(begin, end_ms if end is None else end) for begin, end in each] for name, each in times.items()
    }


def intersection(a: Moments, b: Moments) -> Moments:
    """What lies in both; takes time with the sum of their lengths."""
    return tuple(_common(a, b))


def without(a: Moments, b: Moments) -> Moments:
    """What lies in ``a`` and not in ``b``."""
    if not a:
        return ()
    ends = [a[0][0], *(moment for interval in b for moment in interval), a[-1][1]]
    gaps = tuple((begin, end) for begin, end in zip(ends[::2], ends[1::2], strict=True) if begin < end)
    return intersection(a, gaps)


def length_ms(moments: Moments) -> int:
    """How many milliseconds there are."""
    return sum(end - begin for begin, end in moments)


def contains(moments: Moments, at_ms: int) -> bool:
    """Whether a moment lies in them."""
    i = bisect_right(moments, at_ms, key=lambda interval: interval[0]) - 1
    return i >= 0 and at_ms < moments[i][1]


def _common(a: Moments, b: Moments) -> Iterator[Interval]:
    i = j = 0
    while i < len(a) and j < len(b):
        begin, end = max(a[i][0], b[j][0]), min(a[i][1], b[j][1])
        if begin < end:
            yield begin, end
        if a[i][1] <= b[j][1]:
            i += 1
        else:
            j += 1
