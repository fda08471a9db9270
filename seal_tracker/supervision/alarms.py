"""The desk at which persons handle alarms: it looks at the store, decides, and gives what is to be committed.

    work(judging) ── read ── decide (alarms.life_cycle) ── (Prepared, Deed)

Every method is run by `Pipeline.act`, between two batches: of two who act at once the second finds what the first has left.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol
from uuid import UUID

import msgspec

from seal_tracker.alarming import action_of
from seal_tracker.alarms.deadlines import Terms
from seal_tracker.alarms.life_cycle import Act, detail_of, taken
from seal_tracker.alarms.rows import alarm_in, row_of
from seal_tracker.alarms.states import STEPS
from seal_tracker.deeds import Deed, Step
from seal_tracker.model import LIVE
from seal_tracker.prepared import Prepared
from seal_tracker.publishing.cloudevents import AlarmState
from seal_tracker.space import SpaceJudge
from seal_tracker.store.journey_rows import JourneyRow
from seal_tracker.store.records import AlarmRow
from seal_tracker.supervision.errors import Refused, Unfit, Unknown
from seal_tracker.supervision.journey_changes import Actor
from seal_tracker.supervision.journey_orders import Order
from seal_tracker.supervision.journeys import JourneyDesk, seen_by

__all__ = ["AlarmDesk", "AlarmKeeping", "Outcome", "may_see"]

Work = tuple[Prepared, Deed]


class AlarmKeeping(Protocol):
    """What is read."""

    async def alarm(self, space: str, alarm: UUID) -> AlarmRow | None: ...  # noqa: D102
    async def journey(self, space: str, journey: str) -> JourneyRow | None: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one alarm: how it stands now, or why nothing was done. ``row`` is None where there is no such alarm."""

    alarm: UUID
    row: AlarmRow | None
    refused: Refused | None = None


@dataclass(frozen=True)
class AlarmDesk:
    """Works with a store; ``clock_ms`` is our clock, ``terms`` say by when alarms must be dealt with; ``journeys`` is the desk next
    door.
    """

    store: AlarmKeeping
    terms: Terms
    clock_ms: Callable[[], int]
    journeys: JourneyDesk
    outcomes: list[Outcome] = field(default_factory=list)

    async def one(
        self,
        judging: SpaceJudge,
        alarm: UUID,
        act: Callable[[int], Act],
        scope: Collection[str] | None,
        check: Callable[[AlarmRow], None],
        order: Callable[[AlarmState, int], Order] | None = None,
    ) -> Work:
        """Do something to one alarm; ``act`` is given the space's now, ``check`` refuses a version that is outdated.

        With an ``order`` for the alarm's journey both are done, or neither.

        Raises
        ------
        Unknown
            There is no such alarm, or it, or its journey, is not the asker's to see.
        WrongState, Unfit, Clash
            As their names say.
        """
        row = await self._seen(judging.space, alarm, scope)
        self.outcomes.append(Outcome(alarm, row))
        check(row)
        now_ms = self._now_ms(judging)
        doing = act(now_ms)
        deed = self._done(row, doing)
        if order is None:
            return Prepared(), deed
        return await self._with_order(judging, deed, order(alarm_in(row), now_ms), doing, scope)

    async def _with_order(
        self, judging: SpaceJudge, deed: Deed, order: Order, act: Act, scope: Collection[str] | None
    ) -> Work:
        journey = deed.alarms[0].journey
        if journey is None:
            raise Unfit("the alarm is of no journey; there is nothing to order", field="alarm")
        row = seen_by(await self.store.journey(judging.space, journey), journey, scope)
        _, (prepared, ordered) = await self.journeys.order(judging, row, order, Actor(act.by, act.role))
        return prepared, replace(
            ordered, alarms=deed.alarms, steps=deed.steps, actions=[*deed.actions, *ordered.actions]
        )

    async def many(
        self,
        judging: SpaceJudge,
        alarms: Iterable[UUID],
        act: Callable[[int], Act],
        scope: Collection[str] | None,
    ) -> Work:
        """Do something to several alarms, to each whatever becomes of the others; ``outcomes`` says what became of each."""
        deeds = []
        for alarm in dict.fromkeys(alarms):
            row = None
            try:
                row = await self._seen(judging.space, alarm, scope)
                deeds.append(self._done(row, act(self._now_ms(judging))))
            except Refused as refused:
                self.outcomes.append(Outcome(alarm, row, refused))
        return Prepared(), together(deeds)

    async def _seen(self, space: str, alarm: UUID, scope: Collection[str] | None) -> AlarmRow:
        row = await self.store.alarm(space, alarm)
        if row is None or not may_see(scope, row):
            raise Unknown(f"there is no alarm {str(alarm)!r}", field="alarm")
        return row

    def _done(self, row: AlarmRow, act: Act) -> Deed:
        after = row_of(taken(alarm_in(row), act, self.terms), row.episodes)
        step, detail = STEPS[act.verb], detail_of(act)
        self.outcomes.append(Outcome(row.id, after))
        return Deed(
            alarms=[after],
            steps=[Step(after, after.version, step, act.at_ms, act.by, msgspec.json.encode(detail))],
            actions=[action_of(after, step, act.by, act.role, self.clock_ms(), detail)],
        )

    def _now_ms(self, judging: SpaceJudge) -> int:
        """An exercise's clock is its own."""
        own = judging.now_ms if judging.space != LIVE else None
        return self.clock_ms() if own is None else own


def may_see(scope: Collection[str] | None, row: AlarmRow) -> bool:
    """Whether an alarm is of a unit of the scope (None: all), or has to be answered for by one."""
    return scope is None or row.unit in scope or row.responsible in scope


def together(deeds: Sequence[Deed]) -> Deed:
    """Deeds of several alarms as one."""
    return Deed(
        alarms=[row for deed in deeds for row in deed.alarms],
        steps=[step for deed in deeds for step in deed.steps],
        actions=[action for deed in deeds for action in deed.actions],
    )
