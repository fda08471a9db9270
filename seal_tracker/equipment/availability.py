"""How available equipment was over a period, to the millisecond: from when it was watched, offline, and planned to be out of use. Pure.

Counted is the time in which a piece was watched and not in planned maintenance; down is what of that lies in an episode of
``EQUIPMENT_OFFLINE``. Whole milliseconds are summed, so that parts add up to their whole exactly, whatever they are grouped by.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from seal_tracker.equipment.intervals import (
    Interval,
    Moments,
    contains,
    intersection,
    length_ms,
    union,
    without,
)
from seal_tracker.model import NO_TIME
from seal_tracker.plans.model import Plan

__all__ = ["NOTHING", "OFFLINE", "Available", "Piece", "Tally", "availability", "stays_of", "sum_of", "tally"]

OFFLINE = "EQUIPMENT_OFFLINE"
FOREVER_MS = 2**62
"""An end that is not known yet."""

OF_NO_JOURNEY = (-1, -1)
"""Regime and route of what is judged on no journey."""


@dataclass(frozen=True, slots=True, order=True)
class Piece:
    """A piece of equipment as it belonged to a unit; one that changes hands is two."""

    id: str
    kind: str
    unit: str | None


class Tally(NamedTuple):
    """Milliseconds of a period, and how many failures began in it.

    Attributes
    ----------
    watched_ms
        in which it was in the plan, and judged.
    maintenance_ms
        of these, in planned maintenance.
    down_ms
        of the rest, offline.
    excused_ms
        of ``maintenance_ms``, offline.
    failures
        how often it went offline while it was watched and not in maintenance.
    """

    watched_ms: int = 0
    maintenance_ms: int = 0
    down_ms: int = 0
    excused_ms: int = 0
    failures: int = 0

    @property
    def counted_ms(self) -> int:
        """What availability is a share of."""
        return self.watched_ms - self.maintenance_ms

    @property
    def availability(self) -> float | None:
        """The share of the counted time in which it was heard, 0 to 1; None where nothing counts."""
        return (self.counted_ms - self.down_ms) / self.counted_ms if self.counted_ms else None


NOTHING = Tally()


class Available(NamedTuple):
    """A piece over a period."""

    piece: Piece
    tally: Tally


def tally(
    period: Interval,
    watched: Iterable[Interval],
    offline: Sequence[Interval],
    maintenance: Iterable[Interval] = (),
) -> Tally:
    """What a period [from, to) holds of each; ``offline`` are episodes, the others may overlap one another."""
    seen = intersection(union([period]), union(watched))
    planned = intersection(seen, union(maintenance))
    counted, silent = without(seen, planned), union(offline)
    return Tally(
        watched_ms=length_ms(seen),
        maintenance_ms=length_ms(planned),
        down_ms=length_ms(intersection(counted, silent)),
        excused_ms=length_ms(intersection(planned, silent)),
        failures=sum(contains(counted, begin) for begin, _ in offline),
    )


def availability(
    period: Interval,
    stays: Mapping[Piece, Moments],
    offline: Mapping[str, Sequence[Interval]],
    maintenance: Mapping[str, Sequence[Interval]],
) -> list[Available]:
    """Each piece that was watched in the period, by id; ``offline`` and ``maintenance`` are by the id of equipment."""
    found = (
        Available(piece, tally(period, watched, offline.get(piece.id, ()), maintenance.get(piece.id, ())))
        for piece, watched in stays.items()
    )
    return sorted(
        (one for one in found if one.tally.watched_ms),
        key=lambda one: (one.piece.id, one.piece.kind, one.piece.unit or ""),
    )


def sum_of(tallies: Iterable[Tally]) -> Tally:
    """All of them together."""
    columns = list(zip(*tallies, strict=True))
    return Tally(*map(sum, columns)) if columns else NOTHING


def stays_of(versions: Sequence[tuple[int, Plan]], is_live: bool) -> dict[Piece, Moments]:
    """When each piece was watched, by the plan's versions, (in force from, plan) ascending.

    A first version that always held is watched from when it was recorded; in an exercise, whose clock is another, always. A piece
    whose rule a version switches off is not watched then.
    """
    found: dict[Piece, list[Interval]] = {}
    ends = [*(begin for begin, _ in versions), FOREVER_MS]
    for (_, plan), (begin, end) in zip(versions, pairwise(ends), strict=True):
        if not plan.policies.at(OFFLINE, "enabled", *OF_NO_JOURNEY):
            continue
        recorded_ms = plan.recorded_ms if begin == NO_TIME and is_live else None
        stay = begin if recorded_ms is None else recorded_ms, end
        for one in plan.equipment:
            found.setdefault(Piece(one.id, one.kind, one.unit), []).append(stay)
    return {piece: union(stays) for piece, stays in found.items()}
