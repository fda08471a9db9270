"""The desk at which facts of equipment (weighings, readings) are recorded, corrected and taken back by persons and systems; what equipment
sends by itself comes over MQTT.

Every method is run by `Pipeline.act`, between two batches; what it refuses it raises, and nothing was changed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

import msgspec

from seal_tracker.deeds import Deed
from seal_tracker.fact_actions import action_of
from seal_tracker.facts.model import EquipmentFact
from seal_tracker.facts.reading import FactError
from seal_tracker.facts.settling import Noted
from seal_tracker.model import LIVE, PingBatch
from seal_tracker.plans.model import Equipment
from seal_tracker.prepared import Prepared
from seal_tracker.space import SpaceJudge
from seal_tracker.supervision.errors import Clash, Unfit, Unknown, WrongState
from seal_tracker.supervision.journey_changes import Actor

__all__ = ["FactDesk", "FactForm", "FactKeeping"]

Check = Callable[[int], None]


class FactKeeping(Protocol):
    """What is read."""

    async def facts_named(self, space: str, ids: Collection[UUID]) -> list[EquipmentFact]: ...  # noqa: D102


SaidT = TypeVar("SaidT", bound=msgspec.Struct)
"""What a person or a system says: it has ``id``, ``revision`` and ``void``."""


@dataclass(frozen=True)
class FactForm(Generic[SaidT]):
    """What facts of one kind are.

    Attributes
    ----------
    kind, by, equipment_kind
        What they are called, what makes them, as it is called where one is recorded, and of which kind that is where the plan has it no longer.
    checked
        what a person says, if its members fit together; raises `FactError`.
    fact, said
        to the fact of a piece of equipment (when it was received; whether its clock must fit that), and back.
    """

    kind: str
    by: str
    equipment_kind: str
    checked: Callable[[SaidT], SaidT]
    fact: Callable[[SaidT, Equipment, int, bool], EquipmentFact]
    said: Callable[[EquipmentFact], SaidT]


@dataclass(frozen=True)
class FactDesk(Generic[SaidT]):
    """Works with a store; ``scope``: the units whose equipment the actor may speak for (None: all)."""

    form: FactForm[SaidT]
    store: FactKeeping
    clock_ms: Callable[[], int]
    actor: Actor
    scope: Collection[str] | None

    async def record(
        self, judging: SpaceJudge, equipment: str, said: SaidT
    ) -> tuple[Prepared, Deed, EquipmentFact]:
        """Record a fact; the same again changes nothing.

        Raises
        ------
        Unknown, Unfit, Clash
            There is no such equipment to see; it says what cannot be; another of that id says otherwise.
        """
        kind = self.form.kind
        fact = self._fact(judging, self._equipment(judging, equipment), said)
        settled = await judging.settle([Noted(fact, kind)])
        if settled.beaten or (not settled.facts and fact.id in settled.outdated):
            raise Clash(
                f"{self.form.by} {equipment} has a {kind} {msgspec.structs.asdict(said)['id']!r} that says otherwise: correct that one "
                f"(POST /api/v1/{kind}s/{fact.id}/correct), or give this one an id of its own",
                field="id",
            )
        if not settled.facts:
            return Prepared(), Deed(), fact
        return *await self._done(judging, settled.facts[0], "record", None), fact

    async def correct(
        self, judging: SpaceJudge, fact: UUID, changes: Mapping[str, Any], reason: str, check: Check
    ) -> tuple[Prepared, Deed]:
        """Say otherwise what a fact says.

        Raises
        ------
        Unknown, WrongState, Unfit
            There is none to see; it was taken back, or says that already; it says what cannot be.
        """
        found, one = await self._found(judging, fact, check)
        before = self.form.said(found)
        try:
            after = self.form.checked(msgspec.structs.replace(before, **changes))
        except FactError as fault:
            raise Unfit(str(fault)) from fault
        if after == before:
            raise WrongState(
                "it says that already: nothing of it would change; name a member and its new value"
            )
        next_ = self._fact(judging, one, msgspec.structs.replace(after, revision=found.revision + 1))
        return await self._done(judging, next_._replace(recorded_ms=found.recorded_ms), "correct", reason)

    async def void(self, judging: SpaceJudge, fact: UUID, reason: str, check: Check) -> tuple[Prepared, Deed]:
        """Take a fact back: it was a mistake, and stands for nothing.

        Raises
        ------
        Unknown, WrongState
            There is none to see; it was taken back before.
        """
        found, one = await self._found(judging, fact, check)
        before = self.form.said(found)
        after = msgspec.structs.replace(before, revision=found.revision + 1, void=True)
        gone = self._fact(judging, one, after)
        return await self._done(judging, gone._replace(recorded_ms=found.recorded_ms), "void", reason)

    async def _done(
        self, judging: SpaceJudge, fact: EquipmentFact, verb: str, reason: str | None
    ) -> tuple[Prepared, Deed]:
        prepared = await judging.prepare(PingBatch.empty(), [fact])
        action = action_of(fact, self.actor.name, self.actor.role, verb, self.clock_ms(), reason)
        return prepared, Deed(actions=[action])

    async def _found(self, judging: SpaceJudge, fact: UUID, check: Check) -> tuple[EquipmentFact, Equipment]:
        kind = self.form.kind
        found = next(iter(await self.store.facts_named(judging.space, [fact])), None)
        if found is None or found.kind != kind or not self._sees(found.unit):
            raise Unknown(f"there is no {kind} {str(fact)!r}", field=kind)
        check(found.revision)
        if found.void:
            raise WrongState(f"{kind} {fact} was taken back: record another one")
        # What the plan has no longer still recorded what it did.
        one = judging.equipment.get(found.equipment)
        return found, one or Equipment(found.equipment, self.form.equipment_kind, 0.0, 0.0, 60.0, found.unit)

    def _equipment(self, judging: SpaceJudge, name: str) -> Equipment:
        one = judging.equipment.get(name)
        if one is None or not self._sees(one.unit):
            raise Unknown(
                f"there is no {self.form.by} {name!r}; GET /api/v1/equipment lists them", field=self.form.by
            )
        return one

    def _fact(self, judging: SpaceJudge, one: Equipment, said: SaidT) -> EquipmentFact:
        try:
            return self.form.fact(said, one, self.clock_ms(), judging.space == LIVE)
        except FactError as fault:
            raise Unfit(str(fault)) from fault

    def _sees(self, unit: str | None) -> bool:
        return self.scope is None or unit in self.scope
