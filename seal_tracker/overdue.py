"""Tells heads of units, once, what is past its time: the clock's part of tasks, and of seals that are to be brought back.

State: none but the store's. Who is told, the note that they were, and the mail are one commit, so a crash neither loses nor repeats
one; what became overdue while the service was down is told at its start.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, Final, Protocol

import structlog

from seal_tracker.alarms.responsibility import answering
from seal_tracker.custody.asset import action_of as asset_action_of
from seal_tracker.custody.asset import asset_in, told_overdue
from seal_tracker.custody.asset import row_of as asset_row_of
from seal_tracker.custody.letters import not_back_mail
from seal_tracker.custody.rows import AssetRow
from seal_tracker.deeds import Deed
from seal_tracker.hooks.rows import Mail
from seal_tracker.model import LIVE
from seal_tracker.plans.model import Unit
from seal_tracker.prepared import Prepared
from seal_tracker.space import SpaceJudge
from seal_tracker.store import StoreError
from seal_tracker.store.records import Action
from seal_tracker.tasking.letters import overdue_mail
from seal_tracker.tasking.rows import TaskRow
from seal_tracker.tasking.states import SYSTEM, action_of, escalated, row_of, task_in

__all__ = ["OverdueClock"]

log: Any = structlog.get_logger(__name__)

LOOK_EVERY_S: Final = 5.0
"""What is due in days need not be told within seconds; a look is a read of an index that is nearly always empty."""

AT_ONCE: Final = 200
"""What one look tells; the rest is the next look's."""

Act = Callable[[str, Callable[[SpaceJudge], Awaitable[tuple[Prepared, Deed]]]], Awaitable[None]]
"""``Pipeline.act``."""


class OverdueStore(Protocol):
    """What is read."""

    async def tasks_due(self, space: str, now_ms: int, limit: int) -> Sequence[TaskRow]: ...
    async def seal_assets_due(self, space: str, now_ms: int, limit: int) -> Sequence[AssetRow]: ...
    async def absent_officers(self, at_ms: int) -> frozenset[str]: ...


class OverdueClock:
    """Keep `run` running."""

    def __init__(self, store: OverdueStore, act: Act, *, clock_ms: Callable[[], int]) -> None:
        self._store = store
        self._act = act
        self._clock_ms = clock_ms

    async def run(self) -> None:
        """Look, for ever. Ends by cancellation."""
        while True:
            try:
                await self.look()
            except StoreError as error:
                log.warning("overdue.database_away", reason=str(error))
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """Tell what has come to be overdue; most often there is nothing, and nobody waits for a turn."""
        now_ms = self._clock_ms()
        if await self._store.tasks_due(LIVE, now_ms, 1) or await self._store.seal_assets_due(LIVE, now_ms, 1):
            await self._act(LIVE, self._told)

    async def _told(self, judging: SpaceJudge) -> tuple[Prepared, Deed]:
        """Read anew, since somebody may have done one meanwhile."""
        now_ms = self._clock_ms()
        tasks = await self._store.tasks_due(LIVE, now_ms, AT_ONCE)
        seals = await self._store.seal_assets_due(LIVE, now_ms, AT_ONCE)
        absent = await self._store.absent_officers(now_ms)
        units = judging.plan.units if judging.plan else ()
        told, also = tasks_told(tasks, units, absent, now_ms), seals_told(seals, units, absent, now_ms)
        return Prepared(), replace(
            told,
            seal_assets=also.seal_assets,
            actions=[*told.actions, *also.actions],
            mails=[*told.mails, *also.mails],
        )


def tasks_told(rows: Sequence[TaskRow], units: Sequence[Unit], absent: frozenset[str], now_ms: int) -> Deed:
    """What it makes of tasks that they are overdue now: each is told to the head of its unit, or who stands in."""
    contacts = {unit.id: unit.contact for unit in units}
    told: list[TaskRow] = []
    actions: list[Action] = []
    mails: list[Mail | None] = []
    for row in rows:
        to = answering(units, row.unit, absent)[0]
        task = escalated(task_in(row), to.acting or to.unit, now_ms)
        if task is None:
            continue
        detail = {"to": to.acting, "unit": to.unit, "was_due": task.due}
        told.append(row_of(task))
        actions.append(action_of(task, "escalated", SYSTEM, now_ms, detail))
        mails.append(overdue_mail(task, to, contacts.get(to.unit or ""), now_ms))
    return Deed(tasks=told, actions=actions, mails=[mail for mail in mails if mail is not None])


def seals_told(rows: Sequence[AssetRow], units: Sequence[Unit], absent: frozenset[str], now_ms: int) -> Deed:
    """What it makes of seals that they should be back by now: each is told to the head of its unit, or who stands in."""
    contacts = {unit.id: unit.contact for unit in units}
    told: list[AssetRow] = []
    actions: list[Action] = []
    mails: list[Mail | None] = []
    for row in rows:
        asset = told_overdue(asset_in(row), now_ms)
        if asset is None:
            continue
        to = answering(units, asset.unit, absent)[0]
        detail = {"to": to.acting, "unit": to.unit, "was_due": asset.due}
        told.append(asset_row_of(asset))
        actions.append(asset_action_of(asset, "overdue", SYSTEM, now_ms, detail))
        mails.append(not_back_mail(asset, to, contacts.get(to.unit or ""), now_ms))
    return Deed(seal_assets=told, actions=actions, mails=[mail for mail in mails if mail is not None])
