"""What each indicator is worth: how often inspections found something where it gave points, and where it gave none. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import sqrt
from typing import Final, NamedTuple

import msgspec

from seal_tracker.risk.draw import LEVELS
from seal_tracker.risk.score import INDICATORS

__all__ = ["HitRate", "Inspected", "Worth", "hit_rate", "worths_of"]

Z: Final = 1.959963984540054
"""Of 95 % of a normal distribution."""


class Inspected(NamedTuple):
    """One inspection that was made: its level, the indicators that gave points, whether it found something, and for how many of its
    stratum it stands (1 where it was not drawn).
    """

    level: str
    indicators: frozenset[str]
    found: bool
    stands_for: float = 1.0


class HitRate(msgspec.Struct, frozen=True, kw_only=True):
    """Of so many inspections so many found something.

    ``rate`` is null where there was none; ``low`` and ``high`` bound it at 95 % (Wilson 1927, JASA 22:209). ``weighted`` counts each
    inspection for as many as were not drawn beside it (Horvitz and Thompson 1952, JASA 47:663): what a look at all would
    have found.
    """

    inspected: int
    found: int
    rate: float | None
    low: float | None
    high: float | None
    weighted: float | None


class Worth(msgspec.Struct, frozen=True, kw_only=True):
    """An indicator (or a level): what was found where it held, and where not."""

    name: str
    where: HitRate
    elsewhere: HitRate


def hit_rate(inspections: Iterable[Inspected]) -> HitRate:
    """The share of inspections that found something."""
    all_ = list(inspections)
    n, found = len(all_), sum(one.found for one in all_)
    if not n:
        return HitRate(inspected=0, found=0, rate=None, low=None, high=None, weighted=None)
    share = found / n
    middle, spread = share + Z * Z / (2 * n), Z * sqrt(share * (1 - share) / n + Z * Z / (4 * n * n))
    scale = 1 + Z * Z / n
    total = sum(one.stands_for for one in all_)
    return HitRate(
        inspected=n,
        found=found,
        rate=share,
        low=max(0.0, (middle - spread) / scale),
        high=min(1.0, (middle + spread) / scale),
        weighted=sum(one.stands_for for one in all_ if one.found) / total,
    )


def worths_of(inspections: Sequence[Inspected]) -> tuple[list[Worth], list[Worth]]:
    """Of each indicator, and of each level, in their orders."""
    indicators = [
        Worth(
            name=name,
            where=hit_rate(one for one in inspections if name in one.indicators),
            elsewhere=hit_rate(one for one in inspections if name not in one.indicators),
        )
        for name in INDICATORS
    ]
    levels = [
        Worth(
            name=level,
            where=hit_rate(one for one in inspections if one.level == level),
            elsewhere=hit_rate(one for one in inspections if one.level != level),
        )
        for level in LEVELS
    ]
    return indicators, levels
