"""The battery of a seal. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from simulators.world.spans import Span, is_in_any

__all__ = ["Battery"]

CHARGE_PCT_H = 40.0
"""A seal on its charger in a depot is full in two to three hours."""


@dataclass(frozen=True, slots=True)
class Battery:
    """Charge over time: it drains evenly, drops where a cell fails, and rises on a charger.

    Attributes
    ----------
    start_pct, drain_pct_h
        charge at second 0, and what it loses an hour.
    drops
        (second, per cent): from then on it has that charge, and drains on; in order of time.
    charging
        when it hangs on a charger.
    """

    start_pct: float = 90.0
    drain_pct_h: float = 0.6
    drops: Sequence[tuple[float, float]] = ()
    charging: Sequence[Span] = ()

    def level_pct(self, time_s: float) -> float:
        """Charge, 0 to 100; at 0 the seal is dead until it is charged."""
        since_s, level = 0.0, self.start_pct
        for at_s, pct in self.drops:
            if at_s <= time_s:
                since_s, level = at_s, pct
        plugged_s = sum(max(0.0, min(time_s, c.to_s) - max(since_s, c.from_s)) for c in self.charging)
        gained = CHARGE_PCT_H * plugged_s / 3600.0
        lost = self.drain_pct_h * (time_s - since_s - plugged_s) / 3600.0
        return min(100.0, max(0.0, level + gained - lost))

    def told_pct(self, time_s: float) -> int:
        """What the seal says: whole per cent, rounded down."""
        return int(self.level_pct(time_s))

    def is_charging(self, time_s: float) -> bool:
        """Whether it hangs on a charger."""
        return is_in_any(self.charging, time_s)
