"""The figures of each unit alone, in the order of the tree. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from seal_tracker.model import LIVE
from seal_tracker.reports.model import Figure, Form, UnitLine
from seal_tracker.reports.weeks import Frame, Week

__all__ = ["COLUMNS", "columns_of", "unit_lines"]

COLUMNS: Final = (
    "situations", "deviations", "tampering", "raised", "late_acknowledge", "late_close", "late_open", "availability",
    "per_operator_hour", "tasks_overdue",
)  # fmt: skip
"""What is told of each unit: keys of the texts."""


def columns_of(space: str) -> list[str]:
    """The columns of a space's report: an exercise has no tasks."""
    return [column for column in COLUMNS if space == LIVE or not column.startswith("tasks")]


def unit_lines(frame: Frame, week: Week) -> Iterator[UnitLine]:
    """Each unit alone, in the order of the tree; then units that the plan no longer has, and what is no unit's, where these have figures."""
    held = {part["unit"]: n for n, part in enumerate(week.summary["units"])}
    columns = columns_of(week.queries.space)

    def line(unit: str | None, depth: int) -> UnitLine:
        cells = cells_of_nobody(week, held[None]) if unit is None else cells_of(week, unit, held.get(unit))
        return UnitLine(unit=unit, depth=depth, cells={column: cells[column] for column in columns})

    known = dict(in_tree(frame))
    yield from (line(unit, depth) for unit, depth in known.items())
    yield from (line(unit, 0) for unit in held if unit is not None and unit not in known)
    if None in held:
        yield line(None, 0)


def in_tree(frame: Frame) -> Iterator[tuple[str, int]]:
    """The report's units, each before those below it, and how deep it is; ``frame.units`` are those alone."""
    seen = {unit.id for unit in frame.units}

    def below(parent: str | None, depth: int) -> Iterator[tuple[str, int]]:
        for unit in frame.units:
            above = unit.parent if unit.parent in seen and unit.id != frame.unit else None
            if above == parent:
                yield unit.id, depth
                yield from below(unit.id, depth + 1)

    yield from below(None, 0)


def cells_of(week: Week, unit: str, index: int | None) -> dict[str, Figure]:
    """The figures of one unit; ``index`` is its place in the summary, None where it has none there."""
    queries = week.queries.of_unit(unit)

    def held(pointer: str, form: Form = "count") -> Figure:
        at = "/nowhere" if index is None else f"/units/{index}/{pointer}"
        return queries.of_summary(week.summary, f"/total/{pointer}", form, held_at=at)

    late = {what: held(f"late/{what}").value for what in ("acknowledge", "close", "open")}
    return {
        "situations": queries.of_situations(held("situations/occurred").value or 0),
        "deviations": held("deviations"),
        "tampering": held("tampering"),
        "raised": held("sums/raised"),
        **{f"late_{what}": queries.of_late(value, what) for what, value in late.items()},
        "availability": queries.of_availability(week.equipment_of.get(unit), "availability", "share"),
        "per_operator_hour": held("workload/per_operator_hour", "rate"),
        "tasks_overdue": queries.of_tasks(overdue_of(week, unit), "overdue"),
    }


def overdue_of(week: Week, unit: str) -> int:
    """How many of a unit's tasks were overdue."""
    return next((of_unit["overdue"] for of_unit in week.tasks["units"] if of_unit["unit"] == unit), 0)


def cells_of_nobody(week: Week, index: int) -> dict[str, Figure]:
    """What is no unit's: no filter asks for that, but the whole summary tells it."""
    members: Sequence[tuple[str, str, Form]] = (
        ("situations", "situations/occurred", "count"),
        ("deviations", "deviations", "count"),
        ("tampering", "tampering", "count"),
        ("raised", "sums/raised", "count"),
        ("late_acknowledge", "late/acknowledge", "count"),
        ("late_close", "late/close", "count"),
        ("late_open", "late/open", "count"),
        ("per_operator_hour", "workload/per_operator_hour", "rate"),
    )
    cells = {
        key: week.queries.of_summary(week.summary, f"/units/{index}/{pointer}", form)
        for key, pointer, form in members
    }
    asked = week.queries
    whole = week.equipment_of.get(None)
    return cells | {
        "availability": asked.of_availability(whole, "availability", "share", no_unit="true"),
        "tasks_overdue": Figure(value=None),
    }
