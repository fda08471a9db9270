"""The truth of minerals: cargo that was put on or taken off on the way, or was never what was declared. Pure.

By what the lorry truly carried as it was weighed, whatever the weighbridge said of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

from simulators.lab import acts
from simulators.lab.language import Journey
from simulators.lab.masses import carried_kg
from simulators.lab.staging import Stage
from simulators.lab.truth.found import Found, graded
from simulators.world.spans import Span

__all__ = ["of_masses"]

TOLERANCE_KG, TOLERANCE_SHARE = 100.0, 0.005


def of_masses(stage: Stage) -> Iterator[tuple[str, Found]]:
    """What of each journey's cargo does not add up."""
    for journey in stage.scenario.journey:
        if journey.minerals is not None:
            for found in _of_journey(stage, journey):
                yield journey.id, found


def _of_journey(stage: Stage, journey: Journey) -> Iterator[Found]:
    out, into = (_weighed(stage, journey.id, direction) for direction in ("out", "in"))
    first, declared = out or into, (journey.minerals or {}).get("loaded_kg")
    if first is not None and declared is not None:
        yield from _apart("declared", first[0], float(declared), first[1])
    if out is not None and into is not None:
        yield from _apart("weighed", into[0], out[1], into[1])


def _weighed(stage: Stage, journey: str, direction: str) -> tuple[float, float] | None:
    """When the lorry was weighed last, in seconds, and what it carried then."""
    its = [
        a
        for a in stage.scenario.script
        if isinstance(a, acts.Weigh) and (a.journey, a.direction) == (journey, direction)
    ]
    last = max(its, key=lambda a: a.at_min, default=None)
    return (
        None
        if last is None
        else (last.at_min * 60.0, float(carried_kg(stage.scenario, journey, last.at_min)))
    )


def _apart(obj: str, at_s: float, a_kg: float, b_kg: float) -> Iterator[Found]:
    limit_kg = max(TOLERANCE_KG, TOLERANCE_SHARE * max(a_kg, b_kg))
    grade = graded(abs(b_kg - a_kg) / limit_kg, 1.2, 0.8)
    if grade:
        yield Found("MASS_BALANCE", Span(at_s, inf), grade, f"{b_kg - a_kg:+.0f} kg", obj)
