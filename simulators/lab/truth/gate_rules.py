"""The truth of gates: a lorry that shows another container or plate than its journey declares. Pure.

By what the lorry truly shows as it comes by, whatever the camera makes of it. The container is held against the plate by which the lorry is
known, the plate against the container; of a lorry that shows neither the seal alone is left, which passes where its lorry is not read.
"""

from __future__ import annotations

from collections.abc import Iterator

from simulators.lab import acts
from simulators.lab.gates import read_s, shown
from simulators.lab.language import Journey
from simulators.lab.staging import Stage
from simulators.lab.truth.found import Found
from simulators.world.spans import Span

__all__ = ["of_gates"]

PASSING_S = 60.0
"""A lorry takes half a minute through a gate, and its clock and the camera's are two."""


def of_gates(stage: Stage) -> Iterator[tuple[str, Found]]:
    """What each journey's lorry shows at gates and should not."""
    journeys = {j.id: j for j in stage.scenario.journey}
    seen: set[tuple[str, str]] = set()
    for act in stage.scenario.script:
        if isinstance(act, acts.Read) and (act.who, act.journey) not in seen:
            seen.add((act.who, act.journey))
            found = _passed(stage, act, journeys[act.journey])
            if found is not None:
                yield act.journey, found


def _passed(stage: Stage, act: acts.Read, journey: Journey) -> Found | None:
    at_s = read_s(stage, act)
    plate, box = shown(stage.scenario, journey.id, at_s)
    reads = next(e for e in stage.scenario.equipment if e.id == act.who).reads
    other_plate = "plate" in reads and plate != journey.vehicle
    other_box = "container" in reads and box != journey.box
    is_known = ("plate" in reads and not other_plate) or ("container" in reads and not other_box)
    if not (other_plate or other_box):
        return None
    what = "no_plate" if not is_known else "plate" if other_plate else "container"
    around = Span(at_s - PASSING_S, at_s + PASSING_S)
    return Found("GATE_MISMATCH", around, "must", f"shows {plate}, {box}", what)
