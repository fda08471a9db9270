"""The desk at which units are instructed: who gives a task, who takes it on and reports of it, who confirms it.

Every method is run by `Pipeline.act`, between two batches; what it refuses it raises, and nothing was changed. A unit that a task was
given to works on it, those that help too; the unit that gave it, and those above that, confirm it or send it back.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, NamedTuple, Protocol
from uuid import UUID, uuid4

from seal_tracker.alarms.deadlines import ms_of
from seal_tracker.deeds import Deed
from seal_tracker.model import LIVE, iso_ms
from seal_tracker.plans.model import Unit
from seal_tracker.store.records import Action
from seal_tracker.supervision.errors import Clash, Unfit, Unknown
from seal_tracker.tasking.attached import why_not
from seal_tracker.tasking.rows import AttachmentRow, TaskRow
from seal_tracker.tasking.states import (
    Actor,
    Attachment,
    Priority,
    Task,
    accepted,
    action_of,
    amended,
    attached,
    cancelled,
    confirmed,
    done,
    progressed,
    returned,
    row_of,
    task_in,
)

__all__ = ["AHEAD_MS", "Content", "Instruction", "TaskDesk", "TaskKeeping", "looked_at", "sees_task"]

AHEAD_MS: Final = 3 * 366 * 86_400_000
"""What is due later than that is a wrong year."""

Check = Callable[[int], None]
"""Refuses another version than the one that the asker has read."""


class TaskKeeping(Protocol):
    """What is read."""

    async def task(self, space: str, task: UUID) -> TaskRow | None: ...  # noqa: D102


class Content(NamedTuple):
    """What a file has in it, looked at: its size and hash."""

    size: int
    sha256: bytes


def looked_at(kind: str, content: bytes) -> Content:
    """A content that may be attached. Of ten megabytes it takes some tens of milliseconds: do it in a thread.

    Raises
    ------
    Unfit
        It is not what it is said to be.
    """
    why = why_not(kind, content)
    if why is not None:
        raise Unfit(f"body: {why}", field="body")
    return Content(len(content), sha256(content).digest())


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """What is given to each of some units, together."""

    giving: UUID
    units: Sequence[str]
    by_unit: str | None
    supporting: Sequence[str] = ()
    title: str
    text: str
    due_ms: int
    priority: Priority = "normal"
    document: str | None = None
    document_date: str | None = None


@dataclass(frozen=True)
class TaskDesk:
    """Works with a store; ``scope`` are the units whose tasks the actor may give and work on (None: all), ``units`` all there are."""

    store: TaskKeeping
    clock_ms: Callable[[], int]
    actor: Actor
    scope: Collection[str] | None
    units: Iterable[Unit]

    def give(self, wanted: Instruction) -> Deed:
        """Give a task to each of some units.

        Raises
        ------
        Unfit
            There is no such unit, or none of the actor's; it is due when it cannot be.
        """
        now_ms = self.clock_ms()
        self._check_units("units", wanted.units)
        self._check_units("supporting", wanted.supporting)
        if wanted.by_unit is not None or self.scope is not None:
            self._check_units("by_unit", [wanted.by_unit or ""])
        _check_due(wanted.due_ms, now_ms)
        return self._deed([(self._new(wanted, unit, now_ms), "given", None) for unit in wanted.units], now_ms)

    async def accept(self, task: UUID, check: Check) -> Deed:
        """Take it on."""
        return await self._worked(
            task, check, "accepted", {}, lambda found, at: accepted(found, self.actor[0], at)
        )

    async def progress(self, task: UUID, percent: int, note: str, check: Check) -> Deed:
        """Say how far it is."""
        told = {"percent": percent, "note": note}
        return await self._worked(
            task, check, "progress", told, lambda found, at: progressed(found, percent, self.actor[0], at)
        )

    async def report_done(self, task: UUID, note: str, check: Check) -> Deed:
        """Report it done."""
        return await self._worked(
            task, check, "done", {"note": note}, lambda found, at: done(found, self.actor[0], at)
        )

    async def confirm(self, task: UUID, note: str | None, check: Check) -> Deed:
        """It is done as it was asked for."""
        return await self._answered(
            task, check, "confirmed", {"note": note}, lambda found, at: confirmed(found, self.actor[0], at)
        )

    async def send_back(self, task: UUID, reason: str, check: Check) -> Deed:
        """It is not done as it was asked for."""
        return await self._answered(
            task, check, "returned", {"reason": reason},
            lambda found, at: returned(found, self.actor[0], reason, at),
        )  # fmt: skip

    async def cancel(self, task: UUID, reason: str, check: Check) -> Deed:
        """It need not be done any more."""
        return await self._answered(
            task, check, "cancelled", {"reason": reason},
            lambda found, at: cancelled(found, self.actor[0], reason, at),
        )  # fmt: skip

    async def amend(self, task: UUID, changes: Mapping[str, Any], reason: str, check: Check) -> Deed:
        """It was given otherwise: other words, another date."""

        def change(found: Task, at_ms: int) -> Task:
            if "due" in changes:
                _check_due(ms_of(changes["due"]), at_ms)
            return amended(found, changes, self.actor[0], at_ms)

        return await self._answered(task, check, "amended", {"reason": reason, "changes": changes}, change)

    async def attach(
        self, task: UUID, attachment: UUID, name: str, kind: str, content: Content, check: Check
    ) -> Deed:
        """Attach a file whose content is kept: who works on it, and who gave it."""
        found, now_ms = await self._found(task, check), self.clock_ms()
        file = Attachment(
            id=str(attachment), name=name, type=kind, bytes=content.size, sha256=content.sha256.hex(), by=self.actor[0],
            at=iso_ms(now_ms),
        )  # fmt: skip
        after = attached(found, file, now_ms)
        deed = self._deed([(after, "attached", {"attachment": file})], now_ms)
        row = AttachmentRow(attachment, task, content.sha256, now_ms)
        return Deed(tasks=deed.tasks, actions=deed.actions, attachments=[row])

    async def visible(self, task: UUID) -> TaskRow:
        """The task, where the actor may see it.

        Raises
        ------
        Unknown
            There is none, or it concerns none of their units.
        """
        row = await self.store.task(LIVE, task)
        if row is None or not sees_task(self.scope, row):
            raise Unknown(f"there is no task {str(task)!r}", field="task")
        return row

    async def _found(self, task: UUID, check: Check) -> Task:
        row = await self.visible(task)
        check(row.version)
        return task_in(row)

    async def _worked(
        self,
        task: UUID,
        check: Check,
        step: str,
        told: Mapping[str, Any],
        change: Callable[[Task, int], Task],
    ) -> Deed:
        """What who has to do it, or helps, does."""
        found, now_ms = await self._found(task, check), self.clock_ms()
        if self.scope is not None and not {found.unit, *found.supporting} & set(self.scope):
            raise Clash(f"it is {found.unit}'s to do, and to report of; it was given to none of your units")
        return self._deed([(change(found, now_ms), step, told)], now_ms)

    async def _answered(
        self,
        task: UUID,
        check: Check,
        step: str,
        told: Mapping[str, Any],
        change: Callable[[Task, int], Task],
    ) -> Deed:
        """What who gave it does."""
        found, now_ms = await self._found(task, check), self.clock_ms()
        if self.scope is not None and found.by_unit not in self.scope:
            raise Clash(f"{found.by_unit or 'headquarters'} gave it: only there, or above, it can be {step}")
        return self._deed([(change(found, now_ms), step, told)], now_ms)

    def _new(self, wanted: Instruction, unit: str, now_ms: int) -> Task:
        by, at = self.actor[0], iso_ms(now_ms)
        return Task(
            id=str(uuid4()), giving=str(wanted.giving), title=wanted.title, text=wanted.text, priority=wanted.priority,
            document=wanted.document, document_date=wanted.document_date, by_unit=wanted.by_unit, unit=unit,
            supporting=tuple(sorted(set(wanted.supporting) - {unit})), due=iso_ms(wanted.due_ms), given_by=by, given_at=at,
            changed_by=by, changed_at=at,
        )  # fmt: skip

    def _check_units(self, field: str, names: Iterable[str]) -> None:
        known = {unit.id for unit in self.units}
        for name in names:
            if name not in known or (self.scope is not None and name not in self.scope):
                raise Unfit(
                    f"{field}: {name or 'none'} is no unit of the plan in force that is yours", field=field
                )

    def _deed(self, steps: Sequence[tuple[Task, str, Mapping[str, Any] | None]], now_ms: int) -> Deed:
        actions: list[Action] = [
            action_of(task, step, self.actor, now_ms, told) for task, step, told in steps
        ]
        return Deed(tasks=[row_of(task) for task, _, _ in steps], actions=actions)


def sees_task(scope: Collection[str] | None, row: TaskRow) -> bool:
    """Whether it concerns a unit of the scope (None: all)."""
    return scope is None or any(unit in scope for unit in row.seen_by)


def _check_due(due_ms: int, now_ms: int) -> None:
    if not now_ms < due_ms <= now_ms + AHEAD_MS:
        raise Unfit(
            f"due: must be after now ({iso_ms(now_ms)}) and within three years, not {iso_ms(due_ms)}",
            field="due",
        )
