"""What persons keep beside journeys, for a filled database: tasks of a year, a tenth as many as journeys."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final
from uuid import UUID

from seal_tracker.model import LIVE, iso_ms
from seal_tracker.tasking.states import Task, row_of

__all__ = ["copy_tasks", "task_of_number"]

DAY_MS: Final = 86_400_000
Copy = Callable[..., Awaitable[None]]


def task_of_number(number: int, of: int, units: Sequence[str], until_ms: int) -> Task:
    """One in fifty is open, half of these past their time."""
    given_ms = until_ms - (of - number) * (365 * DAY_MS // of)
    is_open, by = number % 50 == 0, "an"
    due_ms = until_ms + (DAY_MS if number % 100 else -DAY_MS) if is_open else given_ms + 7 * DAY_MS
    ended = None if is_open else iso_ms(min(given_ms + number % 9 * DAY_MS, until_ms))
    return Task(
        id=str(UUID(bytes=hashlib.md5(b"task %d" % number, usedforsecurity=False).digest())), giving=str(UUID(int=number // 4)),
        state="in_progress" if is_open else "confirmed", title=f"Kiểm tra niêm phong đợt {number}", text="theo văn bản kèm theo",
        document=f"{number // 4}/TCHQ-GSQL", by_unit=None, unit=units[number % len(units)], due=iso_ms(due_ms), given_by=by,
        given_at=iso_ms(given_ms), done_by=None if is_open else by, done_at=ended, ended_at=ended, changed_by=by,
        changed_at=ended or iso_ms(given_ms),
    )  # fmt: skip


async def copy_tasks(copy: Copy, connection: Any, sizes: Any, units: Sequence[str]) -> None:
    """Tasks, and whose they are to see."""
    of = max(1_000, sizes.journeys // 10)  # of fewer the words are read through, whatever index there is
    rows = [row_of(task_of_number(n, of, units, sizes.until_ms)) for n in range(of)]
    await copy(
        connection, "tasks",
        "space id version state giving unit document given_at due_at settled_at timer_at words body",
        ((LIVE, *row[:5], *row[6:-1], row.body.decode()) for row in rows),
    )  # fmt: skip
    seen = ((LIVE, row.id, unit, row.given_ms) for row in rows for unit in row.seen_by)
    await copy(connection, "task_units", "space task unit given_at", seen)
