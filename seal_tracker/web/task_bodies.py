"""What crosses the routes of tasks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

from seal_tracker.tasking.states import Priority, StateName, Task
from seal_tracker.web.alarms import AlarmId, AlarmStep
from seal_tracker.web.queries import Id, ListQuery, Moment, Said

__all__ = [
    "AttachmentQuery",
    "NewTask",
    "TaskAccept",
    "TaskCancel",
    "TaskChange",
    "TaskConfirm",
    "TaskCountsItem",
    "TaskDone",
    "TaskFiguresAnswer",
    "TaskFiguresQuery",
    "TaskId",
    "TaskItem",
    "TaskLine",
    "TaskProgress",
    "TaskReturn",
    "TaskUnitItem",
    "TasksGiven",
    "TasksQuery",
]

TaskId = AlarmId
"""A UUID; so are those of attachments and of what was given together."""

Title = Annotated[str, msgspec.Meta(min_length=1, max_length=300, pattern=r"^[^\x00-\x1f\x7f]*\Z")]
Text = Annotated[str, msgspec.Meta(max_length=8000, pattern=r"^[^\x00]*\Z")]
Number = Annotated[str, msgspec.Meta(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]*\Z")]
Searched = Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=r"^[^\x00]*\Z")]
FileName = Annotated[str, msgspec.Meta(min_length=1, max_length=150, pattern=r"^[^\x00-\x1f\x7f/\\]*\Z")]


class TasksQuery(ListQuery, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """Tasks, newest first: those that ``unit`` has to do, in a state, of a source document (its whole number), given together, with words
    that begin so (accents and capitals do not matter), open, past their time, given in [from, to).
    """

    unit: Id | UnsetType = UNSET
    state: StateName | UnsetType = UNSET
    document: Number | UnsetType = UNSET
    giving: TaskId | UnsetType = UNSET
    text: Searched | UnsetType = UNSET
    open: bool = False
    overdue: bool = False
    from_: Moment | UnsetType = UNSET
    to: Moment | UnsetType = UNSET


class TaskFiguresQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """Over [from, to), a year at most, the week before now where nothing is said; of one unit, with ``below`` and those below it."""

    from_: Moment | UnsetType = UNSET
    to: Moment | UnsetType = UNSET
    unit: Id | UnsetType = UNSET
    below: bool = False


class AttachmentQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the file is called."""

    name: FileName


class NewTask(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be done, by when, after which document; given to each of ``units`` as a task of its own. ``supporting`` units help, and see
    it. ``by_unit`` gives it: the asker's own where nothing is said.
    """

    title: Title
    due: Moment
    units: Annotated[Sequence[Id], msgspec.Meta(min_length=1, max_length=100)]
    text: Text = ""
    priority: Priority = "normal"
    document: Number | None = None
    document_date: date | None = None
    supporting: Annotated[Sequence[Id], msgspec.Meta(max_length=20)] = ()
    by_unit: Id | UnsetType = UNSET


class TaskChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is otherwise than it was given, and why; what is not named stays."""

    reason: Said
    title: Title | UnsetType = UNSET
    text: Text | UnsetType = UNSET
    due: Moment | UnsetType = UNSET
    priority: Priority | UnsetType = UNSET
    document: Number | UnsetType | None = UNSET
    document_date: date | UnsetType | None = UNSET


class TaskAccept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing need be said."""


class TaskProgress(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far it is, and what was done."""

    percent: Annotated[int, msgspec.Meta(ge=0, le=99)]
    note: Said


class TaskDone(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was done."""

    note: Said


class TaskConfirm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What there is to say of it."""

    note: Said | None = None


class TaskReturn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is missing."""

    reason: Said


class TaskCancel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why it need not be done."""

    reason: Said


class TaskLine(Task, frozen=True, kw_only=True):
    """A task in a list, and whether it is open past its time."""

    overdue: bool


class TaskItem(TaskLine, frozen=True, kw_only=True):
    """A task with its newest steps, newest first."""

    history: Sequence[AlarmStep]


class TasksGiven(msgspec.Struct, frozen=True):
    """What was given together, a task for each unit."""

    giving: str
    items: Sequence[TaskLine]


class TaskCountsItem(msgspec.Struct, frozen=True, kw_only=True):
    """Tasks given in the period; done in it, by when they were due and after; cancelled in it; open at its end, and of those overdue."""

    given: int
    done_in_time: int
    done_late: int
    cancelled: int
    open: int
    overdue: int


class TaskUnitItem(TaskCountsItem, frozen=True, kw_only=True):
    """The same of one unit."""

    unit: str


class TaskFiguresAnswer(msgspec.Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """Tasks of a period as they stand now, in all and by the unit that has to do them."""

    from_: str
    to: str
    total: TaskCountsItem
    units: Sequence[TaskUnitItem]
