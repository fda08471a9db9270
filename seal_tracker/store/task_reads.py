"""Tasks and their files out of the store, and the figures of a period."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, NamedTuple
from uuid import UUID

from seal_tracker.store.alarm_reads import RateQuery
from seal_tracker.store.connections import END_OF_TIME
from seal_tracker.store.database import Database
from seal_tracker.store.episode_reads import LAST_ID
from seal_tracker.store.filters import FEW_UNITS
from seal_tracker.store.queries import sql
from seal_tracker.tasking.rows import AttachmentText, TaskCounts, TaskFigures, TaskRow

__all__ = ["TaskFilter", "TaskPlace", "TaskReads"]


class TaskPlace(NamedTuple):
    """Before which a page goes on: when the last task of the page before was given, and its id."""

    given_ms: int = END_OF_TIME
    id: UUID = LAST_ID


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFilter:
    """Which tasks; None: any.

    ``unit`` has to do them, ``scope`` are the units that are seen (None: all). ``words`` is a ``tsquery``. ``overdue_at_ms``: those that
    were to be done by then and are open. The period is when they were given.
    """

    scope: frozenset[str] | None = None
    unit: str | None = None
    state: str | None = None
    document: str | None = None
    giving: UUID | None = None
    words: str | None = None
    open_only: bool = False
    overdue_at_ms: int | None = None
    from_ms: int | None = None
    to_ms: int | None = None

    @property
    def query(self) -> str:
        """The statement that finds fewest to look through."""
        ways = (
            (self.giving is not None, "tasks_of_giving"),
            (self.document is not None, "tasks_of_document"),
            (self.words is not None, "tasks_with_words"),
            (self.open_only or self.overdue_at_ms is not None, "tasks_open"),
            (self.unit is not None, "tasks_of_unit"),
            (self.scope is not None and len(self.scope) <= FEW_UNITS, "tasks_of_units"),
        )
        return next((name for leads, name in ways if leads), "tasks_listed")


ALL_TASKS: Final = TaskFilter()


class TaskReads(Database):
    """Reads of tasks."""

    async def task(self, space: str, task: UUID) -> TaskRow | None:
        """One task, None where there is none of that id."""
        async with self._reading() as connection:
            row = await connection.fetchrow(sql("task"), space, task)
        return None if row is None else task_of(row)

    async def attachment(self, space: str, attachment: UUID) -> AttachmentText | None:
        """A file with its task, None where there is none of that id."""
        async with self._reading() as connection:
            row = await connection.fetchrow(sql("task_of_attachment"), space, attachment)
        return None if row is None else AttachmentText(task_of(tuple(row)[:-1]), bytes(row["content"]))

    async def keep_content(self, sha256: bytes, content: bytes) -> None:
        """Keeps what a file has in it, beside the writer: it is nobody's until a commit attaches it."""
        async with self._reading() as connection:
            await connection.execute(sql("keep_content"), sha256, content)

    async def tasks_due(self, space: str, now_ms: int, limit: int) -> list[TaskRow]:
        """What the clock has to look at by now, longest due first."""
        async with self._reading() as connection:
            rows = await connection.fetch(sql("tasks_due"), space, now_ms, limit)
        return [task_of(row) for row in rows]

    async def tasks(
        self, space: str, which: TaskFilter, *, before: TaskPlace | None = None, limit: int = 100
    ) -> tuple[list[TaskRow], bool]:
        """A page of tasks, newest first, and whether there are more."""
        if which == ALL_TASKS:
            async with self._reading() as connection:
                rows = await connection.fetch(sql("tasks_newest"), space, *(before or TaskPlace()), limit + 1)
            return [task_of(row) for row in rows[:limit]], len(rows) > limit
        scope = None if which.scope is None else sorted(which.scope)
        async with self._reading() as connection:
            rows = await connection.fetch(
                sql(which.query), space, *(before or TaskPlace()), scope, which.unit, which.state, which.document,
                which.giving, which.words, which.open_only, which.overdue_at_ms, which.from_ms, which.to_ms, limit + 1,
            )  # fmt: skip
        return [task_of(row) for row in rows[:limit]], len(rows) > limit

    async def task_figures(self, space: str, asked: RateQuery) -> TaskFigures:
        """Tasks of a period: given, done in time, done late, cancelled, and open and overdue at its end, as they stand now.

        By the unit that has to do them. Where ``now_ms`` is given nothing is overdue that is due after it.
        """
        scope = None if asked.scope is None else sorted(asked.scope)
        by_ms = asked.to_ms if asked.now_ms is None else min(asked.to_ms, asked.now_ms)
        async with self._counting() as connection:
            rows = await connection.fetch(
                sql("task_figures"), space, asked.from_ms, asked.to_ms, asked.unit, scope, by_ms
            )
        units = {row[0]: TaskCounts(*tuple(row)[1:]) for row in rows}
        return TaskFigures(TaskCounts(*map(sum, zip(*units.values(), strict=True))), units)


def task_of(row: Any) -> TaskRow:
    """A task from a row that has its columns in their order."""
    task = TaskRow._make(row)
    return task._replace(seen_by=tuple(task.seen_by), body=str(task.body).encode())
