"""How long repairs took, over a period, to the millisecond. Pure.

A ticket counts in the period in which it was said to be repaired, for the unit that it was opened for; what was cancelled counts in
none. Whole milliseconds are summed, so that days add up to a week and units to all, exactly.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

__all__ = ["GroupKey", "RepairFigures", "TicketTimes", "figures_of"]

GroupKey = tuple[str | None, str]
"""Unit and kind."""


class TicketTimes(NamedTuple):
    """What is summed of a ticket; times are epoch ms."""

    unit: str | None
    kind: str
    opened_ms: int
    failed_ms: int
    acknowledged_ms: int | None
    repaired_ms: int | None
    cause: str | None


@dataclass(slots=True)
class RepairFigures:
    """Of tickets together.

    Attributes
    ----------
    opened
        opened in the period.
    acknowledged, to_acknowledge_ms
        those acknowledged in the period; from their opening to that, together.
    repaired, to_repair_ms, longest_ms
        those repaired in the period; from their failure to that, together and of the longest.
    causes
        of those repaired.
    """

    opened: int = 0
    acknowledged: int = 0
    to_acknowledge_ms: int = 0
    repaired: int = 0
    to_repair_ms: int = 0
    longest_ms: int = 0
    causes: Counter[str] = field(default_factory=Counter)

    def count(self, one: TicketTimes, from_ms: int, to_ms: int) -> None:
        """Add a ticket, as far as it falls into [from, to)."""
        self.opened += from_ms <= one.opened_ms < to_ms
        if one.acknowledged_ms is not None and from_ms <= one.acknowledged_ms < to_ms:
            self.acknowledged += 1
            self.to_acknowledge_ms += one.acknowledged_ms - one.opened_ms
        if one.repaired_ms is not None and from_ms <= one.repaired_ms < to_ms:
            took_ms = one.repaired_ms - one.failed_ms
            self.repaired += 1
            self.to_repair_ms += took_ms
            self.longest_ms = max(self.longest_ms, took_ms)
            self.causes[one.cause or "other"] += 1


def figures_of(
    tickets: Iterable[TicketTimes], from_ms: int, to_ms: int
) -> tuple[RepairFigures, Mapping[GroupKey, RepairFigures]]:
    """All together, and by unit and kind; groups that nothing falls into are left out."""
    total = RepairFigures()
    groups: dict[GroupKey, RepairFigures] = {}
    for one in tickets:
        total.count(one, from_ms, to_ms)
        groups.setdefault((one.unit, one.kind), RepairFigures()).count(one, from_ms, to_ms)
    nothing = RepairFigures()
    return total, {key: found for key, found in groups.items() if found != nothing}
