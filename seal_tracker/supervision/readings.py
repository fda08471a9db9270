"""The desk at which readings of gates are recorded by who collects them, corrected by who looks at the picture, and taken back."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final

from seal_tracker.facts.model import READING, EquipmentFact
from seal_tracker.facts.readings import Reading, reading_fact, reading_in
from seal_tracker.plans.model import Equipment
from seal_tracker.supervision.equipment_facts import FactDesk, FactForm, FactKeeping
from seal_tracker.supervision.journey_changes import Actor

__all__ = ["ReadingDesk"]


def _fact(reading: Reading, one: Equipment, received_ms: int, check_clock: bool) -> EquipmentFact:
    return reading_fact(reading, one, received_ms, check_clock=check_clock)


FORM: Final = FactForm(READING, "equipment", "camera", lambda reading: reading, _fact, reading_in)


class ReadingDesk(FactDesk[Reading]):
    """`FactDesk` of readings."""

    def __init__(
        self, store: FactKeeping, clock_ms: Callable[[], int], actor: Actor, scope: Collection[str] | None
    ) -> None:
        super().__init__(FORM, store, clock_ms, actor, scope)
