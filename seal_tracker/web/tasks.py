"""``/api/v1/tasks``: what units are instructed to do, how far they are, what is overdue. Live alone."""

from __future__ import annotations

from datetime import date
from functools import partial
from typing import Any, Final
from uuid import UUID, uuid4

import msgspec
from aiohttp import web
from msgspec import UNSET

from seal_tracker.clock import clock_ms
from seal_tracker.model import LIVE, iso_ms
from seal_tracker.store.alarm_reads import RateQuery
from seal_tracker.store.task_reads import TaskFilter, TaskPlace
from seal_tracker.supervision.tasks import Instruction, TaskDesk, sees_task
from seal_tracker.tasking.rows import TaskCounts, TaskFigures, TaskRow
from seal_tracker.tasking.states import overdue, task_in
from seal_tracker.tasking.words import searched
from seal_tracker.web.accounts import Right
from seal_tracker.web.acting import acted, checking, paged, path_uuid, place_of
from seal_tracker.web.alarms import moment_ms, step_item
from seal_tracker.web.auth import PRINCIPAL, scope_of
from seal_tracker.web.context import CONTEXT
from seal_tracker.web.duty_requests import plan_units
from seal_tracker.web.errors import Missing
from seal_tracker.web.queries import (
    WEEK_MS,
    NoQuery,
    period_of,
    read_body,
    read_query,
    within_a_year,
)
from seal_tracker.web.reading import encoded
from seal_tracker.web.routes import Route
from seal_tracker.web.scope import units_with_below
from seal_tracker.web.task_bodies import (
    NewTask,
    TaskAccept,
    TaskCancel,
    TaskChange,
    TaskConfirm,
    TaskCountsItem,
    TaskDone,
    TaskFiguresAnswer,
    TaskFiguresQuery,
    TaskId,
    TaskItem,
    TaskLine,
    TaskProgress,
    TaskReturn,
    TasksGiven,
    TasksQuery,
    TaskUnitItem,
)
from seal_tracker.web.versions import versioned
from seal_tracker.web.wire import Page

__all__ = ["ROUTES", "task_answer", "task_desk", "task_figures_answer"]

HISTORY_TOLD: Final = 200
"""Steps of a task that are shown, the newest; of more there is no end in sight but a task that never ends."""

PATH: Final = {"task": TaskId}


async def list_tasks(request: web.Request) -> web.Response:
    """Tasks, newest first."""
    query = read_query(request, TasksQuery)
    place, now_ms = place_of(query.after), clock_ms()
    from_ms, to_ms = period_of(query.from_, query.to)
    which = TaskFilter(
        scope=scope_of(request),
        unit=query.unit or None,
        state=query.state or None,
        document=query.document.upper() if query.document else None,
        giving=None if query.giving is UNSET else UUID(query.giving),
        words=None if query.text is UNSET else searched(query.text),
        open_only=query.open,
        overdue_at_ms=now_ms if query.overdue else None,
        from_ms=from_ms,
        to_ms=to_ms,
    )
    rows, more = await request.app[CONTEXT].store.tasks(
        LIVE, which, before=TaskPlace(*place) if place else None, limit=query.limit
    )
    return paged(rows, partial(line_of, now_ms=now_ms), lambda row: row.given_ms, more=more)


async def show_task(request: web.Request) -> web.Response:
    """One task."""
    read_query(request, NoQuery)
    return await task_answer(request, path_uuid(request, "task"))


async def give_tasks(request: web.Request) -> web.Response:
    """Give a task to each of some units."""
    read_query(request, NoQuery)
    given = await read_body(request, NewTask, max_bytes=64 * 1024)
    due_ms = moment_ms(given.due, "due")
    assert due_ms is not None, "it is given"
    by_unit = request[PRINCIPAL].account.unit if given.by_unit is UNSET else given.by_unit
    wanted = Instruction(
        giving=uuid4(), units=list(dict.fromkeys(given.units)), by_unit=by_unit, supporting=given.supporting,
        title=given.title, text=given.text, due_ms=due_ms, priority=given.priority, document=given.document,
        document_date=None if given.document_date is None else given.document_date.isoformat(),
    )  # fmt: skip
    desk = task_desk(request)

    async def giving(_: object) -> Any:
        return desk.give(wanted)

    deed = await acted(request, giving)
    now_ms = clock_ms()
    return encoded(TasksGiven(str(wanted.giving), [line_of(row, now_ms) for row in deed.tasks]), status=201)


async def accept_task(request: web.Request) -> web.Response:
    """Take a task on."""
    read_query(request, NoQuery)
    await read_body(request, TaskAccept)
    task, desk = path_uuid(request, "task"), task_desk(request)
    await acted(request, lambda _: desk.accept(task, checking(request)))
    return await task_answer(request, task)


async def progress_task(request: web.Request) -> web.Response:
    """Say how far a task is."""
    read_query(request, NoQuery)
    given = await read_body(request, TaskProgress)
    task, desk = path_uuid(request, "task"), task_desk(request)
    await acted(request, lambda _: desk.progress(task, given.percent, given.note, checking(request)))
    return await task_answer(request, task)


async def finish_task(request: web.Request) -> web.Response:
    """Report a task done."""
    read_query(request, NoQuery)
    given = await read_body(request, TaskDone)
    task, desk = path_uuid(request, "task"), task_desk(request)
    await acted(request, lambda _: desk.report_done(task, given.note, checking(request)))
    return await task_answer(request, task)


async def confirm_task(request: web.Request) -> web.Response:
    """A task is done as it was asked for."""
    read_query(request, NoQuery)
    given = await read_body(request, TaskConfirm)
    task, desk = path_uuid(request, "task"), task_desk(request)
    await acted(request, lambda _: desk.confirm(task, given.note, checking(request)))
    return await task_answer(request, task)


async def return_task(request: web.Request) -> web.Response:
    """A task is not done as it was asked for."""
    read_query(request, NoQuery)
    given = await read_body(request, TaskReturn)
    task, desk = path_uuid(request, "task"), task_desk(request)
    await acted(request, lambda _: desk.send_back(task, given.reason, checking(request)))
    return await task_answer(request, task)


async def cancel_task(request: web.Request) -> web.Response:
    """A task need not be done any more."""
    read_query(request, NoQuery)
    given = await read_body(request, TaskCancel)
    task, desk = path_uuid(request, "task"), task_desk(request)
    await acted(request, lambda _: desk.cancel(task, given.reason, checking(request)))
    return await task_answer(request, task)


async def change_task(request: web.Request) -> web.Response:
    """A task is given otherwise."""
    read_query(request, NoQuery)
    given = await read_body(request, TaskChange, max_bytes=64 * 1024)
    changes = {
        name: _written(value)
        for name, value in msgspec.structs.asdict(given).items()
        if name != "reason" and value is not UNSET
    }
    due_ms = moment_ms(given.due, "due")
    if due_ms is not None:
        changes["due"] = iso_ms(due_ms)
    task, desk = path_uuid(request, "task"), task_desk(request)
    await acted(request, lambda _: desk.amend(task, changes, given.reason, checking(request)))
    return await task_answer(request, task)


async def show_figures(request: web.Request) -> web.Response:
    """Tasks of a period, counted."""
    query = read_query(request, TaskFiguresQuery)
    now_ms = clock_ms()
    from_ms, to_ms = moment_ms(query.from_, "from"), moment_ms(query.to, "to")
    if from_ms is None and to_ms is None:
        from_ms, to_ms = now_ms - WEEK_MS, now_ms
    from_ms, to_ms = within_a_year(from_ms, to_ms)
    scope, unit = scope_of(request), query.unit or None
    if query.below:
        scope, unit = units_with_below(scope, unit, request.app[CONTEXT].live.plan(LIVE)), None
    asked = RateQuery(from_ms=from_ms, to_ms=to_ms, unit=unit, scope=scope, now_ms=now_ms)
    return encoded(task_figures_answer(asked, await request.app[CONTEXT].store.task_figures(LIVE, asked)))


def task_figures_answer(asked: RateQuery, found: TaskFigures) -> TaskFiguresAnswer:
    """The figures in outer units."""
    return TaskFiguresAnswer(
        from_=iso_ms(asked.from_ms),
        to=iso_ms(asked.to_ms),
        total=TaskCountsItem(**found.total._asdict()),
        units=[_of_unit(unit, counts) for unit, counts in found.units.items()],
    )


def _of_unit(unit: str, counts: TaskCounts) -> TaskUnitItem:
    return TaskUnitItem(unit=unit, **counts._asdict())


def _written(value: Any) -> Any:
    """A date as a task has it."""
    return value.isoformat() if isinstance(value, date) else value


def task_desk(request: web.Request) -> TaskDesk:
    """A desk for one request."""
    account = request[PRINCIPAL].account
    return TaskDesk(
        request.app[CONTEXT].store, clock_ms, (account.username, account.role), scope_of(request), plan_units(request)
    )  # fmt: skip


async def task_answer(request: web.Request, task: UUID, status: int = 200) -> web.Response:
    """A task as it stands, with its version."""
    store, scope = request.app[CONTEXT].store, scope_of(request)
    row = await store.task(LIVE, task)
    if row is None or not sees_task(scope, row):
        raise Missing(f"there is no task {str(task)!r}", field="task")
    steps = await store.actions_of(LIVE, f"task/{task}", limit=HISTORY_TOLD)
    line = line_of(row, clock_ms())
    item = TaskItem(**msgspec.structs.asdict(line), history=[step_item(step) for step in steps])
    return versioned(item, row.version, status=status, location=f"/api/v1/tasks/{task}")


def line_of(row: TaskRow, now_ms: int) -> TaskLine:
    """A task of a list."""
    task = task_in(row)
    return TaskLine(**msgspec.structs.asdict(task), overdue=overdue(task, now_ms))


ALL: Final = "/api/v1/tasks"
ONE: Final = f"{ALL}/{{task}}"

ROUTES: Final[tuple[Route, ...]] = (
    Route(
        "GET", ALL, list_tasks, Right.READ, "Tasks that concern units of the asker's, newest first.",
        query=TasksQuery, answer=Page[TaskLine], leads={ONE: {"task": "/items/0/id"}},
    ),
    Route(
        "POST", ALL, give_tasks, Right.ORDER, "Give a task to each of some units.",
        body=NewTask, answer=TasksGiven, status=201, leads={ONE: {"task": "/items/0/id"}},
    ),
    Route(
        "GET", f"{ALL}/figures", show_figures, Right.READ,
        "Tasks of a period, counted: given, done in time and late, cancelled, open and overdue at its end.",
        query=TaskFiguresQuery, answer=TaskFiguresAnswer,
    ),
    Route(
        "GET", f"{ALL}/{{task:(?!figures$)[^/]+}}", show_task, Right.READ, "One task, with its steps.",
        path_types=PATH, answer=TaskItem, problems=(404,), versioned=True,
    ),
    *(
        Route(
            "POST", f"{ONE}/{verb}", handler, right, summary,
            body=body, path_types=PATH, answer=TaskItem, edits=True, problems=(404, 409),
        )
        for verb, handler, right, summary, body in (
            ("accept", accept_task, Right.KEEP_DUTY, "The unit takes it on.", TaskAccept),
            ("progress", progress_task, Right.KEEP_DUTY, "Say how far it is.", TaskProgress),
            ("done", finish_task, Right.KEEP_DUTY, "Report it done.", TaskDone),
            ("confirm", confirm_task, Right.ORDER, "It is done as it was asked for; not by who reported it so.", TaskConfirm),
            ("return", return_task, Right.ORDER, "It is not done as it was asked for: it goes on.", TaskReturn),
            ("cancel", cancel_task, Right.ORDER, "It need not be done any more.", TaskCancel),
            ("change", change_task, Right.ORDER, "It is given otherwise: words, priority, document, or another date.", TaskChange),
        )
    ),
)  # fmt: skip
