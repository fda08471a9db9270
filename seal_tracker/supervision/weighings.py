"""The desk at which weighings are recorded by hand, corrected, and taken back; what weighbridges send by themselves comes over MQTT.

Every method is run by `Pipeline.act`, between two batches; what it refuses it raises, and nothing was changed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

import msgspec

from seal_tracker.deeds import Deed
from seal_tracker.fact_actions import action_of
from seal_tracker.facts.model import WEIGHING, EquipmentFact
from seal_tracker.facts.reading import FactError
from seal_tracker.facts.settling import Noted
from seal_tracker.facts.weighing import Weighing, checked, weighing_fact, weighing_in
from seal_tracker.model import LIVE, PingBatch
from seal_tracker.plans.model import Equipment
from seal_tracker.prepared import Prepared
from seal_tracker.space import SpaceJudge
from seal_tracker.supervision.errors import Clash, Unfit, Unknown, WrongState
from seal_tracker.supervision.journey_changes import Actor

__all__ = ["WeighingDesk", "WeighingKeeping"]

Check = Callable[[int], None]


class WeighingKeeping(Protocol):
    """What is read."""

    async def facts_named(self, space: str, ids: Collection[UUID]) -> list[EquipmentFact]: ...  # noqa: D102


@dataclass(frozen=True)
class WeighingDesk:
    """Works with a store; ``scope``: the units whose weighbridges the actor may speak for (None: all)."""

    store: WeighingKeeping
    clock_ms: Callable[[], int]
    actor: Actor
    scope: Collection[str] | None

    async def record(
        self, judging: SpaceJudge, weighbridge: str, weighing: Weighing
    ) -> tuple[Prepared, Deed, EquipmentFact]:
        """Record a weighing; the same again changes nothing.

        Raises
        ------
        Unknown, Unfit, Clash
            There is no such weighbridge to see; it says what cannot be; another of that id says otherwise.
        """
        fact = self._fact(judging, self._weighbridge(judging, weighbridge), weighing)
        settled = await judging.settle([Noted(fact, WEIGHING)])
        if settled.beaten or (not settled.facts and fact.id in settled.outdated):
            raise Clash(
                f"weighbridge {weighbridge} has a weighing {weighing.id!r} that says otherwise: correct that one "
                f"(POST /api/v1/weighings/{fact.id}/correct), or give this one an id of its own",
                field="id",
            )
        if not settled.facts:
            return Prepared(), Deed(), fact
        return *await self._done(judging, settled.facts[0], "record", None), fact

    async def correct(
        self, judging: SpaceJudge, weighing: UUID, changes: Mapping[str, Any], reason: str, check: Check
    ) -> tuple[Prepared, Deed]:
        """Say otherwise what a weighing says.

        Raises
        ------
        Unknown, WrongState, Unfit
            There is none to see; it was taken back; it says what cannot be, or nothing would change.
        """
        found, one = await self._found(judging, weighing, check)
        before = weighing_in(found)
        try:
            after = checked(msgspec.structs.replace(before, **changes))
        except FactError as fault:
            raise Unfit(str(fault)) from fault
        if after == before:
            raise Unfit("nothing of it would change; name a member and its new value", field="body")
        fact = self._fact(judging, one, msgspec.structs.replace(after, revision=before.revision + 1))
        return await self._done(judging, fact._replace(recorded_ms=found.recorded_ms), "correct", reason)

    async def void(
        self, judging: SpaceJudge, weighing: UUID, reason: str, check: Check
    ) -> tuple[Prepared, Deed]:
        """Take a weighing back: it was a mistake, and stands for nothing.

        Raises
        ------
        Unknown, WrongState
            There is none to see; it was taken back before.
        """
        found, one = await self._found(judging, weighing, check)
        before = weighing_in(found)
        fact = self._fact(
            judging, one, msgspec.structs.replace(before, revision=before.revision + 1, void=True)
        )
        return await self._done(judging, fact._replace(recorded_ms=found.recorded_ms), "void", reason)

    async def _done(
        self, judging: SpaceJudge, fact: EquipmentFact, verb: str, reason: str | None
    ) -> tuple[Prepared, Deed]:
        prepared = await judging.prepare(PingBatch.empty(), [fact])
        action = action_of(fact, self.actor.name, self.actor.role, verb, self.clock_ms(), reason)
        return prepared, Deed(actions=[action])

    async def _found(
        self, judging: SpaceJudge, weighing: UUID, check: Check
    ) -> tuple[EquipmentFact, Equipment]:
        found = next(iter(await self.store.facts_named(judging.space, [weighing])), None)
        if found is None or found.kind != WEIGHING or not self._sees(found.unit):
            raise Unknown(f"there is no weighing {str(weighing)!r}", field="weighing")
        check(found.revision)
        if found.void:
            raise WrongState(f"weighing {weighing} was taken back: record another one")
        # A weighbridge that the plan has no longer still weighed what it did.
        one = judging.equipment.get(found.equipment)
        return found, one or Equipment(found.equipment, "weighbridge", 0.0, 0.0, 60.0, found.unit)

    def _weighbridge(self, judging: SpaceJudge, name: str) -> Equipment:
        one = judging.equipment.get(name)
        if one is None or not self._sees(one.unit):
            raise Unknown(
                f"there is no weighbridge {name!r}; GET /api/v1/equipment lists them", field="weighbridge"
            )
        return one

    def _fact(self, judging: SpaceJudge, one: Equipment, weighing: Weighing) -> EquipmentFact:
        try:
            return weighing_fact(weighing, one, self.clock_ms(), check_clock=judging.space == LIVE)
        except FactError as fault:
            raise Unfit(str(fault)) from fault

    def _sees(self, unit: str | None) -> bool:
        return self.scope is None or unit in self.scope
