"""The desk at which weighings are recorded by hand, corrected, and taken back."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final

from seal_tracker.facts.model import WEIGHING, EquipmentFact
from seal_tracker.facts.weighing import Weighing, checked, weighing_fact, weighing_in
from seal_tracker.plans.model import Equipment
from seal_tracker.supervision.equipment_facts import FactDesk, FactForm, FactKeeping
from seal_tracker.supervision.journey_changes import Actor

__all__ = ["WeighingDesk", "WeighingKeeping"]

WeighingKeeping = FactKeeping


def _fact(weighing: Weighing, one: Equipment, received_ms: int, check_clock: bool) -> EquipmentFact:
    return weighing_fact(weighing, one, received_ms, check_clock=check_clock)


FORM: Final = FactForm(WEIGHING, "weighbridge", "weighbridge", checked, _fact, weighing_in)


class WeighingDesk(FactDesk[Weighing]):
    """`FactDesk` of weighings."""

    def __init__(
        self, store: FactKeeping, clock_ms: Callable[[], int], actor: Actor, scope: Collection[str] | None
    ) -> None:
        super().__init__(FORM, store, clock_ms, actor, scope)
