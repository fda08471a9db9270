"""What a lorry truly carries at a moment of a scenario. Pure."""

from __future__ import annotations

from simulators.lab import acts
from simulators.lab.language import Scenario

__all__ = ["carried_kg"]


def carried_kg(scenario: Scenario, journey: str, at_min: float) -> int:
    """Kilograms on a journey's lorry: what it set out with, and what was put on or taken off since."""
    begun = next(j.cargo_kg for j in scenario.journey if j.id == journey)
    its = (a for a in scenario.script if isinstance(a, acts.Load) and a.who == journey)
    return begun + sum(a.kg for a in its if a.at_min <= at_min)
