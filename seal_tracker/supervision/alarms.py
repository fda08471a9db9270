"""The desk at which persons handle alarms: it looks at the store, decides, and gives what is to be committed.

    work(judging) ── read ── decide (alarms.life_cycle) ── (Prepared, Deed)

Every method is run by `Pipeline.act`, between two batches: of two who act at once the second finds what the first has left.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
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
from seal_tracker.space import SpaceJudge
from seal_tracker.store.records import AlarmRow
from seal_tracker.supervision.errors import Refused, Unknown

__all__ = ["AlarmDesk", "AlarmKeeping", "Outcome", "may_see"]

Work = tuple[Prepared, Deed]


class AlarmKeeping(Protocol):
    """What is read."""

    async def alarm(self, space: str, alarm: UUID) -> AlarmRow | None: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one alarm: how it stands now, or why nothing was done. ``row`` is None where there is no such alarm."""

    alarm: UUID
    row: AlarmRow | None
    refused: Refused | None = None


@dataclass(frozen=True)
class AlarmDesk:
    """Works with a store; ``clock_ms`` is our clock, ``terms`` say by when alarms must be dealt with."""

    store: AlarmKeeping
    terms: Terms
    clock_ms: Callable[[], int]
    outcomes: list[Outcome] = field(default_factory=list)

    async def one(
        self,
        judging: SpaceJudge,
        alarm: UUID,
        act: Callable[[int], Act],
        scope: Collection[str] | None,
        check: Callable[[AlarmRow], None],
    ) -> Work:
        """Do something to one alarm; ``act`` is given the space's now, ``check`` refuses a version that is outdated.

        Raises
        ------
        Unknown
            There is no such alarm, or it is not the asker's to see.
        WrongState, Unfit
            As their names say.
        """
        row = await self._seen(judging.space, alarm, scope)
        self.outcomes.append(Outcome(alarm, row))
        check(row)
        return Prepared(), self._done(row, act(self._now_ms(judging)))

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
