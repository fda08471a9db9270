"""Tasks as rows, and what is counted of them. No behaviour; times are epoch ms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from uuid import UUID

__all__ = ["AttachmentRow", "AttachmentText", "TaskCounts", "TaskFigures", "TaskRow"]


class TaskRow(NamedTuple):
    """A task as it stands; ``body`` is the task as JSON.

    Attributes
    ----------
    giving
        what was given together to several units has it in common.
    seen_by
        the units that it concerns, by name: who does it, who helps, who gave it. Never changes.
    document
        number of the source document, in upper case.
    settled_ms
        when it was reported done, or cancelled; None: it is open.
    timer_ms
        when the clock looks at it; None: never.
    words
        what it is found by, joined by spaces.
    """

    id: UUID
    version: int
    state: str
    giving: UUID
    unit: str
    seen_by: tuple[str, ...]
    document: str | None
    given_ms: int
    due_ms: int
    settled_ms: int | None
    timer_ms: int | None
    words: str
    body: bytes


class AttachmentRow(NamedTuple):
    """A file of a task; its name, type, size and hash stand in the task, too. Its content is kept before. Never changes."""

    id: UUID
    task: UUID
    sha256: bytes
    attached_ms: int


class AttachmentText(NamedTuple):
    """A file's content, and the task that it belongs to as it stands."""

    task: TaskRow
    content: bytes


class TaskCounts(NamedTuple):
    """Tasks of a period.

    Attributes
    ----------
    given
        in the period.
    done_in_time, done_late
        reported done in the period, by when they were due and after it; what was returned since is open again and not among them.
    cancelled
        in the period.
    open
        given before the period's end, and neither done nor cancelled by then.
    overdue
        those of ``open`` that were due by then.
    """

    given: int = 0
    done_in_time: int = 0
    done_late: int = 0
    cancelled: int = 0
    open: int = 0
    overdue: int = 0


class TaskFigures(NamedTuple):
    """Tasks of a period in all, and of each unit that has to do them and has any."""

    total: TaskCounts
    units: Mapping[str, TaskCounts]
