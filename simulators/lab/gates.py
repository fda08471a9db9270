"""What a lorry shows at a gate, and when it comes by. Pure."""

from __future__ import annotations

from simulators.drive import Drive
from simulators.lab import acts
from simulators.lab.language import Scenario
from simulators.lab.staging import Stage

__all__ = ["read_s", "shown"]


def shown(scenario: Scenario, journey: str, at_s: float) -> tuple[str | None, str | None]:
    """The plate and the container of a journey's lorry at a moment: those declared, until others take their place."""
    one = next(j for j in scenario.journey if j.id == journey)
    plate, box = one.vehicle, one.box
    its = (a for a in scenario.script if isinstance(a, acts.Swap) and a.who == journey)
    for act in sorted(its, key=lambda a: a.at_min):
        if act.at_min * 60.0 <= at_s:
            plate, box = act.plate or plate, act.box or box
    return plate, box


def read_s(stage: Stage, act: acts.Read) -> float:
    """When a lorry is read: as the vehicle of its first device comes by the equipment, seconds from the start."""
    if act.at_min is not None:
        return act.at_min * 60.0
    scenario = stage.scenario
    lead = next(j for j in scenario.journey if j.id == act.journey).devices[0].id
    ride = stage.rides[next(d for d in scenario.device if d.id == lead).on]
    at_m = next(e for e in scenario.equipment if e.id == act.who).at_km * 1000.0
    assert isinstance(ride, Drive), "who follows another is read at_min"
    return ride.first_at(at_m)
