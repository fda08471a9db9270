"""A task in its life: who gave it to whom, how far it is, what became of it; which step follows which. Pure.

Every function gives the task one version on, or refuses in words (`WrongState`) and changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal
from uuid import UUID

import msgspec

from seal_tracker.alarms.deadlines import ms_of
from seal_tracker.model import iso_ms
from seal_tracker.store.records import Action
from seal_tracker.supervision.errors import WrongState
from seal_tracker.tasking.attached import MAX_FILES
from seal_tracker.tasking.rows import TaskRow
from seal_tracker.tasking.words import words_of

__all__ = [
    "OPEN",
    "SYSTEM",
    "Actor",
    "Attachment",
    "Priority",
    "StateName",
    "Task",
    "accepted",
    "action_of",
    "amended",
    "attached",
    "cancelled",
    "confirmed",
    "done",
    "escalated",
    "overdue",
    "progressed",
    "returned",
    "row_of",
    "task_in",
]

StateName = Literal["given", "accepted", "in_progress", "done", "returned", "confirmed", "cancelled"]

Priority = Literal["urgent", "high", "normal"]

NEXT: Final[Mapping[StateName, frozenset[StateName]]] = {
    "given": frozenset({"accepted", "cancelled"}),
    "accepted": frozenset({"in_progress", "done", "cancelled"}),
    "in_progress": frozenset({"in_progress", "done", "cancelled"}),
    "done": frozenset({"confirmed", "returned", "cancelled"}),
    "returned": frozenset({"in_progress", "done", "cancelled"}),
}
"""What may follow a state; from any other nothing does."""

OPEN: Final = frozenset({"given", "accepted", "in_progress", "returned"})
"""States of a task that somebody has yet to do."""

WHOLE_PCT: Final = 100

Actor = tuple[str, str]
"""Who acts, in which role."""

SYSTEM: Final[Actor] = ("system", "service")


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """A file that is attached; ``sha256`` in hex, of its content."""

    id: str
    name: str
    type: str
    bytes: int
    sha256: str
    by: str
    at: str


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """A task as it stands. Times are ISO 8601 by our clock.

    Attributes
    ----------
    giving
        what was given together, to a unit each, has it in common.
    document, document_date
        number and date (YYYY-MM-DD) of the document that it comes from.
    by_unit
        whose head or supervisor gave it; None: headquarters.
    unit, supporting
        who has to do it, and who helps.
    done_by, done_at
        who has reported it done, and when; None again where it was returned.
    ended_at, why
        when it was confirmed or cancelled, and what was said then; of a return, why.
    escalated_at, escalated_to, escalated_due
        when it was told to the head of the unit (the last of it), to whom, and that it had been due then.
    """

    id: str
    version: int = 1
    giving: str
    state: StateName = "given"
    title: str
    text: str
    priority: Priority = "normal"
    document: str | None = None
    document_date: str | None = None
    by_unit: str | None
    unit: str
    supporting: tuple[str, ...] = ()
    due: str
    percent: int = 0
    given_by: str
    given_at: str
    accepted_by: str | None = None
    accepted_at: str | None = None
    done_by: str | None = None
    done_at: str | None = None
    ended_at: str | None = None
    why: str | None = None
    escalated_at: str | None = None
    escalated_to: str | None = None
    escalated_due: str | None = None
    attachments: tuple[Attachment, ...] = ()
    changed_by: str
    changed_at: str


def accepted(task: Task, by: str, at_ms: int) -> Task:
    """The unit has taken it on."""
    return _moved(task, "accepted", by, at_ms, accepted_by=by, accepted_at=iso_ms(at_ms))


def progressed(task: Task, percent: int, by: str, at_ms: int) -> Task:
    """So far it is: 0 to 99 %; what is whole is `done`."""
    return _moved(task, "in_progress", by, at_ms, percent=percent, why=None)


def done(task: Task, by: str, at_ms: int) -> Task:
    """The unit reports it done."""
    return _moved(task, "done", by, at_ms, percent=WHOLE_PCT, done_by=by, done_at=iso_ms(at_ms), why=None)


def confirmed(task: Task, by: str, at_ms: int) -> Task:
    """Who gave it has looked, and it is so.

    Raises
    ------
    WrongState
        It is not reported done; or by the same person.
    """
    if task.state == "done" and by == task.done_by:
        raise WrongState(f"{by} reported it done: another must confirm it, nobody confirms their own")
    return _moved(task, "confirmed", by, at_ms, ended_at=iso_ms(at_ms))


def returned(task: Task, by: str, reason: str, at_ms: int) -> Task:
    """It is not as it was asked for: it goes on, due when it was due."""
    return _moved(task, "returned", by, at_ms, done_by=None, done_at=None, why=reason)


def cancelled(task: Task, by: str, reason: str, at_ms: int) -> Task:
    """It need not be done any more."""
    return _moved(task, "cancelled", by, at_ms, ended_at=iso_ms(at_ms), why=reason)


def amended(task: Task, changes: Mapping[str, Any], by: str, at_ms: int) -> Task:
    """What was given is otherwise: text, priority, document, or due at another time; before it is over."""
    _check_going_on(task)
    return _stamped(task, by, at_ms, **changes)


def attached(task: Task, attachment: Attachment, at_ms: int) -> Task:
    """With one file more; before it is over."""
    _check_going_on(task)
    if len(task.attachments) >= MAX_FILES:
        raise WrongState(
            f"it has {MAX_FILES} attachments, and no task has more; send further ones with another"
        )
    return _stamped(task, attachment.by, at_ms, attachments=(*task.attachments, attachment))


def overdue(task: Task, now_ms: int) -> bool:
    """Whether it is open past its time."""
    return task.state in OPEN and ms_of(task.due) <= now_ms


def escalated(task: Task, to: str | None, now_ms: int) -> Task | None:
    """The task once the head of the unit is told that it is overdue; None: it is not, or that was told. Once for each time that it is due."""
    if not overdue(task, now_ms) or task.escalated_due == task.due:
        return None
    at = iso_ms(now_ms)
    return _stamped(task, SYSTEM[0], now_ms, escalated_at=at, escalated_to=to, escalated_due=task.due)


def action_of(
    task: Task, step: str, actor: Actor, at_ms: int, detail: Mapping[str, Any] | None = None
) -> Action:
    """A step of a task for the audit trail and the ledger: what is new in it; ``detail`` None: the task, whole."""
    body = task if detail is None else {"version": task.version, "state": task.state, **detail}
    return Action(
        at_ms, *actor, f"task.{step}", f"task/{task.id}", None, task.unit, msgspec.json.encode(body)
    )


def row_of(task: Task) -> TaskRow:
    """The row of a task."""
    is_open = task.state in OPEN
    settled = task.ended_at if task.state == "cancelled" else task.done_at
    waits = is_open and task.escalated_due != task.due
    seen_by = sorted({task.unit, *task.supporting, *([] if task.by_unit is None else [task.by_unit])})
    return TaskRow(
        UUID(task.id), task.version, task.state, UUID(task.giving), task.unit, tuple(seen_by),
        None if task.document is None else task.document.upper(), ms_of(task.given_at), ms_of(task.due),
        None if is_open or settled is None else ms_of(settled), ms_of(task.due) if waits else None,
        " ".join(words_of(task.title, task.document, task.text)), msgspec.json.encode(task),
    )  # fmt: skip


def task_in(row: TaskRow) -> Task:
    """The task of a row."""
    return _decode(row.body)


_decode: Final = msgspec.json.Decoder(Task).decode


def _moved(task: Task, to: StateName, by: str, at_ms: int, **changes: Any) -> Task:
    if to not in NEXT.get(task.state, frozenset()):
        first = "; it is accepted first" if task.state == "given" else ""
        raise WrongState(f"it is {task.state} since {task.changed_at}, and cannot be {to} next{first}")
    return _stamped(task, by, at_ms, state=to, **changes)


def _stamped(task: Task, by: str, at_ms: int, **changes: Any) -> Task:
    stamp = {"version": task.version + 1, "changed_by": by, "changed_at": iso_ms(at_ms)}
    return msgspec.structs.replace(task, **stamp, **changes)


def _check_going_on(task: Task) -> None:
    if task.state not in NEXT:
        raise WrongState(f"it is {task.state} since {task.ended_at}: nothing of it changes any more")
