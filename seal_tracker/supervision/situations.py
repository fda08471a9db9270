"""The desk at which special situations are registered, corrected, followed up, closed and reopened.

Every method is run by `Pipeline.act`, between two batches; what it refuses it raises, and nothing was changed. Whoever is on duty may
register any kind; a restricted one is afterwards there for those alone who have the right, so who registers one may not find it again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol
from uuid import UUID, uuid4

from seal_tracker.alarms.deadlines import ms_of
from seal_tracker.deeds import Deed
from seal_tracker.model import Severity, iso_ms
from seal_tracker.plans.model import Plan
from seal_tracker.situations.kinds import Kinds
from seal_tracker.situations.rows import SituationRow
from seal_tracker.situations.states import (
    Situation,
    Verb,
    action_of,
    change_of,
    closed,
    corrected,
    followed_up,
    reopened,
    situation_in,
)
from seal_tracker.space import SpaceJudge
from seal_tracker.store.journey_rows import JourneyRow
from seal_tracker.store.records import AlarmRow
from seal_tracker.supervision.alarms import may_see
from seal_tracker.supervision.clocks import space_now_ms
from seal_tracker.supervision.errors import Unfit, Unknown
from seal_tracker.supervision.journey_changes import Actor

__all__ = ["SituationDesk", "SituationKeeping", "Told", "shown_to"]

AHEAD_MS: Final = 60_000
"""Clocks differ a little; what is to come has not occurred."""


class SituationKeeping(Protocol):
    """What is read."""

    async def situation(self, space: str, situation: UUID) -> SituationRow | None: ...  # noqa: D102
    async def journeys_named(self, space: str, ids: Iterable[str]) -> Mapping[str, JourneyRow]: ...  # noqa: D102
    async def alarm(self, space: str, alarm: UUID) -> AlarmRow | None: ...  # noqa: D102


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What is registered."""

    id: UUID
    kind: str
    severity: Severity
    unit: str | None
    occurred_ms: int
    narrative: str
    journeys: Sequence[str] = ()
    alarms: Sequence[str] = ()


def shown_to(row: SituationRow, scope: Collection[str] | None, *, restricted: bool) -> bool:
    """Whether a situation is there for who sees these units (None: all), and ``restricted`` ones or not."""
    return restricted if row.restricted else scope is None or row.unit in scope


@dataclass(frozen=True)
class SituationDesk:
    """Works with a store; ``scope`` are the actor's units (None: all), ``restricted`` whether restricted situations are there for them."""

    store: SituationKeeping
    kinds: Kinds
    clock_ms: Callable[[], int]
    actor: Actor
    scope: Collection[str] | None
    restricted: bool

    async def register(self, judging: SpaceJudge, told: Told) -> Deed:
        """Register what is told.

        Raises
        ------
        Unfit
            There is no such kind, unit, journey or alarm, or it has not occurred yet.
        """
        now_ms = self.now_ms(judging)
        now, by = iso_ms(now_ms), self.actor.name
        situation = Situation(
            id=str(told.id), kind=told.kind, severity=told.severity, unit=told.unit, restricted=self._restricts(told.kind),
            occurred_at=iso_ms(told.occurred_ms), narrative=told.narrative, journeys=told.journeys, alarms=told.alarms,
            registered_by=by, registered_at=now, changed_by=by, changed_at=now,
        )  # fmt: skip
        self._check_moment(situation, now_ms)
        self._check_unit(situation, judging.plan)
        await self._check_links(judging.space, situation.journeys, situation.alarms)
        return self._deed(situation, "registered", uuid4().hex if situation.restricted else None)

    async def correct(
        self,
        judging: SpaceJudge,
        situation: UUID,
        changes: Mapping[str, Any],
        reason: str,
        check: Callable[[int], None],
    ) -> Deed:
        """Make a version that says other things, and why.

        Raises
        ------
        Unknown, Unfit
            There is no such situation to see; what it would say cannot be.
        """
        (row, found), now_ms = await self._found(judging, situation, check), self.now_ms(judging)
        after = corrected(found, changes, reason, self.actor, now_ms)
        if after.kind != found.kind and self._restricts(after.kind) != found.restricted:
            raise Unfit(
                f"kind: {after.kind} and {found.kind} are not seen by the same people, and this one has been; register another, and close it",
                field="kind",
            )
        self._check_moment(after, now_ms)
        if after.unit != found.unit:
            self._check_unit(after, judging.plan)
        added = [[link for link in new if link not in old] for new, old in
                 ((after.journeys, found.journeys), (after.alarms, found.alarms))]  # fmt: skip
        await self._check_links(judging.space, *added)
        return self._deed(after, "corrected", row.salt)

    async def follow_up(self, judging: SpaceJudge, situation: UUID, text: str) -> Deed:
        """Add what came after; whoever else adds something stands in nobody's way.

        Raises
        ------
        Unknown, WrongState
            There is no such situation to see; it is closed, or full.
        """
        row, found = await self._found(judging, situation)
        return self._deed(followed_up(found, text, self.actor, self.now_ms(judging)), "followed_up", row.salt)

    async def close(
        self, judging: SpaceJudge, situation: UUID, outcome: str, check: Callable[[int], None]
    ) -> Deed:
        """Say that it is over, and what came of it.

        Raises
        ------
        Unknown, WrongState
            There is no such situation to see; it is closed.
        """
        row, found = await self._found(judging, situation, check)
        return self._deed(closed(found, outcome, self.actor, self.now_ms(judging)), "closed", row.salt)

    async def reopen(
        self, judging: SpaceJudge, situation: UUID, reason: str, check: Callable[[int], None]
    ) -> Deed:
        """Say that it is not over after all, and why.

        Raises
        ------
        Unknown, WrongState
            There is no such situation to see; it is open.
        """
        row, found = await self._found(judging, situation, check)
        return self._deed(reopened(found, reason, self.actor, self.now_ms(judging)), "reopened", row.salt)

    def now_ms(self, judging: SpaceJudge) -> int:
        """An exercise's clock is its own."""
        return space_now_ms(judging, self.clock_ms)

    async def _found(
        self, judging: SpaceJudge, situation: UUID, check: Callable[[int], None] | None = None
    ) -> tuple[SituationRow, Situation]:
        row = await self.store.situation(judging.space, situation)
        if row is None or not shown_to(row, self.scope, restricted=self.restricted):
            raise Unknown(f"there is no situation {str(situation)!r}", field="situation")
        if check is not None:
            check(row.version)
        return row, situation_in(row)

    def _restricts(self, kind: str) -> bool:
        """Whether a kind is restricted."""
        if kind not in self.kinds:
            raise Unfit(f"kind: there is no kind {kind!r}; known: {', '.join(self.kinds)}", field="kind")
        return self.kinds[kind].restricted

    @staticmethod
    def _check_moment(situation: Situation, now_ms: int) -> None:
        if ms_of(situation.occurred_at) > now_ms + AHEAD_MS:
            raise Unfit(f"occurred_at: {situation.occurred_at} is still to come", field="occurred_at")

    def _check_unit(self, situation: Situation, plan: Plan | None) -> None:
        """One's own; of a restricted one any: who reports an officer of another unit must be heard too."""
        unit = situation.unit
        if unit is not None and plan is not None and unit not in {one.id for one in plan.units}:
            raise Unfit(f"unit: the plan in force has no unit {unit!r}", field="unit")
        if not (situation.restricted or self.scope is None or unit in self.scope):
            raise Unfit("unit: name a unit of yours; others register their own", field="unit")

    async def _check_links(self, space: str, journeys: Sequence[str], alarms: Sequence[str]) -> None:
        known = await self.store.journeys_named(space, journeys)
        for journey in journeys:
            if journey not in known or not (self.scope is None or known[journey].unit in self.scope):
                raise Unfit(f"journeys: there is no journey {journey!r}", field="journeys")
        for alarm in alarms:
            row = await self.store.alarm(space, UUID(alarm))
            if row is None or not may_see(self.scope, row):
                raise Unfit(f"alarms: there is no alarm {alarm!r}", field="alarms")

    def _deed(self, after: Situation, verb: Verb, salt: str | None) -> Deed:
        change = change_of(after, verb, self.actor, salt)
        return Deed(situations=[change], actions=[action_of(change)])
