"""What is kept beside journeys, for a filled database: tasks of a year, a tenth as many as journeys, the seals, each with its movements, and
weighings of minerals, as many as journeys, with the lines of their licences.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final
from uuid import UUID

from seal_tracker.custody.asset import Asset, movement_row_of
from seal_tracker.custody.asset import row_of as asset_row_of
from seal_tracker.custody.moves import Change, Wanted, moved, registered
from seal_tracker.model import LIVE, iso_ms
from seal_tracker.tasking.states import Task, row_of

__all__ = ["copy_assets", "copy_tasks", "copy_weighings", "task_of_number"]

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


def changes_of_asset(number: int, of: int, units: Sequence[str], until_ms: int) -> list[Change]:
    """A seal that was issued, armed, taken off and returned again and again, ten times a year; one in twenty is out."""
    by, at_ms = ("an", "operator"), until_ms - 365 * DAY_MS + number * (DAY_MS // of)
    at, unit = iso_ms(at_ms), units[number % len(units)]
    new = Asset(
        seal=f"S-{number}", unit=unit, since=at, model=f"JT70{number % 9}", calibrate_by=f"20{30 + number % 50}-01-01", registered_by="an",
        registered_at=at, changed_by="an", changed_at=at,
    )  # fmt: skip
    changes = [registered(new, by, at_ms)]
    for turn in range(10):
        for step, wanted in enumerate((
            Wanted(move="issue", officer=f"officer {number % 99}", due=iso_ms(at_ms + 30 * DAY_MS)),
            Wanted(move="arm", journey=f"J-{number + turn * of:07}", journey_unit=units[turn % len(units)]),
            Wanted(move="disarm"), Wanted(move="return", unit=unit),
        )):  # fmt: skip
            at_ms += 9 * DAY_MS
            if at_ms > until_ms - DAY_MS or (turn == 9 and number % 20 == step):
                return changes
            changes.append(moved(changes[-1].asset, wanted, by, at_ms))
    return changes


async def copy_assets(copy: Copy, connection: Any, sizes: Any, units: Sequence[str]) -> None:
    """Seals, and their movements."""
    of = max(150, sizes.seals)  # more than a page
    changes = [changes_of_asset(n, of, units, sizes.until_ms) for n in range(of)]
    rows = [asset_row_of(of_seal[-1].asset) for of_seal in changes]
    await copy(
        connection, "seal_assets",
        "space seal version number state unit other_unit model officer journey due_at timer_at calibrate_by registered_at body",
        ((LIVE, *row[:-1], row.body.decode()) for row in rows),
    )  # fmt: skip
    moves = (movement_row_of(change.movement) for of_seal in changes for change in of_seal)
    await copy(
        connection, "seal_movements",
        "space seal number move at recorded_at from_state from_unit state unit journey body",
        ((LIVE, *row[:-1], row.body.decode()) for row in moves),
    )  # fmt: skip


async def copy_weighings(copy: Copy, connection: Any, sizes: Any, units: Sequence[str]) -> None:
    """One of each journey, by a hundred weighbridges, under fifty licences."""
    of = max(1_000, sizes.journeys)
    made = [(n, sizes.until_ms - (of - n) * (365 * DAY_MS // of), units[n % len(units)]) for n in range(of)]
    await copy(
        connection, "equipment_facts",
        "space id kind equipment at journey unit revision void recorded_at body",
        (
            (LIVE, UUID(int=n), "weighing", f"WB-{n % 100}", at_ms, f"J-{n:07}", unit, 1, False, at_ms, '{"id": "T"}')
            for n, at_ms, unit in made
        ),
    )  # fmt: skip
    await copy(
        connection, "licence_lines", "space journey licence unit at declared_kg out_kg in_kg",
        ((LIVE, f"J-{n:07}", f"L-{n % 50}", unit, at_ms, 24_000, 24_010, 24_000) for n, at_ms, unit in made),
    )  # fmt: skip
