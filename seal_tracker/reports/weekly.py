"""What the weekly report says, out of the answers that the API gives for its two weeks. Pure.

Every figure is taken from such an answer, and carries the query that gives it; a test follows each of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from seal_tracker.model import LIVE, iso_ms
from seal_tracker.plans.model import Unit
from seal_tracker.reports.groups import group_of
from seal_tracker.reports.model import (
    EquipmentLine,
    Figure,
    Form,
    Line,
    Names,
    PersonLine,
    Report,
    Section,
    SilenceLine,
    SituationLine,
    UnitLine,
)
from seal_tracker.reports.queries import Document, Queries, at_pointer
from seal_tracker.situations.kinds import Kinds
from seal_tracker.situations.states import Situation
from seal_tracker.store.late_reads import LatePerson

__all__ = ["COLUMNS", "PIECES_TOLD", "SITUATIONS_TOLD", "Frame", "Lists", "Week", "weekly"]

SITUATIONS_TOLD: Final = 200
"""Of the week; the figure says how many there were."""

PIECES_TOLD: Final = 20
"""Pieces of equipment that were down longest."""

MOST_ITEMS: Final = 1000
"""On a page of the API."""

COLUMNS: Final = (
    "situations", "deviations", "tampering", "raised", "late_acknowledge", "late_close", "late_open", "availability",
    "per_operator_hour", "tasks_overdue",
)  # fmt: skip
"""What is told of each unit: keys of the texts."""


@dataclass(frozen=True, slots=True)
class Week:
    """One of the two weeks: the summary's answer, that of equipment, in all and by unit, and that of tasks, which an exercise has none of."""

    queries: Queries
    summary: Document
    equipment: Document
    equipment_of: Mapping[str | None, Document]
    tasks: Document


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Whose report it is and when it is made: of ``unit`` and those below it, or of all that are seen. ``known_ms``: how far was judged."""

    unit: str | None
    units: Sequence[Unit]
    kinds: Kinds
    organisation: Names
    made_ms: int
    known_ms: int
    restricted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Lists:
    """What is told one by one: situations of the week, restricted ones if they are asked for, who was late, each piece of equipment."""

    situations: Sequence[Situation]
    situations_more: bool
    restricted: Sequence[Situation] = ()
    late: Sequence[LatePerson] = ()
    equipment: Sequence[Document] = ()


def weekly(frame: Frame, now: Week, before: Week, lists: Lists) -> Report:
    """The report of a week, beside the week before."""
    queries = now.queries
    columns = [column for column in COLUMNS if queries.space == LIVE or not column.startswith("tasks")]
    return Report(
        space=queries.space, unit=frame.unit, from_=iso_ms(queries.from_ms), to=iso_ms(queries.to_ms),
        before_from=iso_ms(before.queries.from_ms), made_at=iso_ms(frame.made_ms), known_until=iso_ms(frame.known_ms),
        restricted=frame.restricted, organisation=frame.organisation, names={unit.id: dict(unit.name) for unit in frame.units},
        kinds={name: {"vi": kind.vi, "en": kind.en} for name, kind in frame.kinds.items()},
        sections=list(sections(frame, now, before, lists)), columns=columns, units=list(unit_lines(frame, now)),
        situations=[situation_line(one) for one in lists.situations], situations_more=lists.situations_more,
        restricted_situations=[situation_line(one) for one in lists.restricted],
        late=[person_line(queries, one) for one in lists.late],
        equipment=equipment_lines(queries, lists.equipment), silent=list(silence_lines(now)),
    )  # fmt: skip


def sections(frame: Frame, now: Week, before: Week, lists: Lists) -> Iterator[Section]:
    """The figures of all units together."""
    yield situations_section(frame, now, before, lists)
    for group in ("deviations", "tampering", "others"):
        yield Section(key=group, lines=list(episode_lines(group, now, before)))
    for key, members in OF_SUMMARY.items():
        lines = [
            Line(key=name, now=of_all(now, pointer, form), before=of_all(before, pointer, form))
            for name, pointer, form in members
        ]
        if key == "late":
            lines = late_lines(now, before)
        yield Section(key=key, lines=lines)
    yield Section(
        key="equipment",
        lines=[
            Line(key=name, now=of_equipment(now, member, form), before=of_equipment(before, member, form))
            for name, member, form in OF_EQUIPMENT
        ],
    )
    if now.queries.space == LIVE:
        yield Section(
            key="tasks",
            lines=[
                Line(key=f"tasks_{member}", now=of_tasks(now, member), before=of_tasks(before, member))
                for member in TASKS
            ],
        )


TASKS: Final = ("given", "done_in_time", "done_late", "open", "overdue")
"""What is counted of them."""

OF_SUMMARY: Final[Mapping[str, Sequence[tuple[str, str, Form]]]] = {
    "alarms": (
        ("raised", "sums/raised", "count"),
        ("escalated", "sums/escalated", "count"),
        ("closed", "sums/closed", "count"),
        ("left_open", "sums/open", "count"),
        ("acknowledge_median", "acknowledge/median_s", "seconds"),
        ("acknowledge_p90", "acknowledge/p90_s", "seconds"),
        ("close_median", "close/median_s", "seconds"),
        ("false_share", "false_share", "share"),
    ),
    "late": (),
    "workload": (
        ("operator_hours", "workload/operator_hours", "hours"),
        ("per_operator_hour", "workload/per_operator_hour", "rate"),
    ),
    "journeys": (
        ("armed", "journeys/armed", "count"),
        ("ended", "journeys/ended", "count"),
        ("under_way", "journeys/under_way", "count"),
    ),
}
"""Sections that the summary has: (key of the text, where, form) of each line."""

OF_EQUIPMENT: Final[Sequence[tuple[str, str, Form]]] = (
    ("availability", "availability", "share"),
    ("down", "down_s", "seconds"),
    ("failures", "failures", "count"),
    ("maintenance", "maintenance_s", "seconds"),
)


def situations_section(frame: Frame, now: Week, before: Week, lists: Lists) -> Section:
    """Special situations: all, by kind, open at the end; restricted ones alone, where they are asked for."""
    lines = [
        Line(key="occurred", now=situations_of(now, None), before=situations_of(before, None)),
        *(
            Line(key="of_kind", of=kind, now=situations_of(now, kind), before=situations_of(before, kind))
            for kind in told_in(now, before, "/total/situations/kinds")
        ),
        Line(key="still_open", now=situations_open(now), before=situations_open(before)),
    ]
    if frame.restricted:
        found = now.queries.listed(len(lists.restricted), "/api/v1/situations", restricted="true")
        lines.append(Line(key="restricted", now=found, before=Figure(value=None)))
    return Section(key="situations", lines=lines)


def situations_of(week: Week, kind: str | None) -> Figure:
    pointer = "/total/situations/occurred" if kind is None else f"/total/situations/kinds/{kind}"
    return week.queries.of_situations(at_pointer(week.summary, pointer) or 0, kind=kind)


def situations_open(week: Week) -> Figure:
    return week.queries.open_situations(at_pointer(week.summary, "/total/situations/open"))


def episode_lines(group: str, now: Week, before: Week) -> Iterator[Line]:
    """The types of a group together, but of the others, and each that either week has."""
    if group != "others":
        yield Line(key=group, now=of_all(now, group), before=of_all(before, group))
    for type_ in told_in(now, before, "/total/episodes"):
        if group_of(type_) == group:
            yield Line(
                key="of_type", of=type_, now=episodes_of(now, type_), before=episodes_of(before, type_)
            )


def episodes_of(week: Week, type_: str) -> Figure:
    value = at_pointer(week.summary, f"/total/episodes/{type_}") or 0
    return week.queries.listed(value, "/api/v1/episodes", type=type_)


def late_lines(now: Week, before: Week) -> list[Line]:
    """Each is a list of alarms."""
    return [
        Line(
            key=f"late_{what}",
            now=now.queries.of_late(at_pointer(now.summary, f"/total/late/{what}"), what),
            before=before.queries.of_late(at_pointer(before.summary, f"/total/late/{what}"), what),
        )
        for what in ("open", "acknowledge", "close")
    ]


def told_in(now: Week, before: Week, pointer: str) -> Iterable[str]:
    """The names that either week has there, in order."""
    return sorted({*at_pointer(now.summary, pointer), *at_pointer(before.summary, pointer)})


def of_all(week: Week, pointer: str, form: Form = "count") -> Figure:
    return week.queries.of_summary(week.summary, f"/total/{pointer}", form)


def of_equipment(week: Week, member: str, form: Form) -> Figure:
    return week.queries.of_availability(week.equipment, member, form)


def of_tasks(week: Week, member: str) -> Figure:
    return week.queries.of_tasks(at_pointer(week.tasks, f"/total/{member}"), member)


def unit_lines(frame: Frame, week: Week) -> Iterator[UnitLine]:
    """Each unit alone, in the order of the tree; then units that the plan no longer has, and what is no unit's, where these have figures."""
    held = {part["unit"]: n for n, part in enumerate(week.summary["units"])}
    known = set()
    for unit, depth in in_tree(frame):
        known.add(unit)
        yield UnitLine(unit=unit, depth=depth, cells=cells_of(week, unit, held.get(unit)))
    for unit in [unit for unit in held if unit is not None and unit not in known]:
        yield UnitLine(unit=unit, depth=0, cells=cells_of(week, unit, held[unit]))
    if None in held:
        yield UnitLine(unit=None, depth=0, cells=cells_of_nobody(week, held[None]))


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


def situation_line(one: Situation) -> SituationLine:
    last = one.follow_ups[-1].text if one.follow_ups else None
    return SituationLine(
        id=one.id, kind=one.kind, severity=one.severity, unit=one.unit, state=one.state, occurred_at=one.occurred_at,
        narrative=one.narrative, last_follow_up=last, outcome=one.outcome,
    )  # fmt: skip


def person_line(queries: Queries, one: LatePerson) -> PersonLine:
    """A person's alarms of one unit, or of none."""
    asked = queries if one.unit is None else queries.of_unit(one.unit)
    which = {
        "by": one.by,
        "answered": "false" if one.by is None else None,
        "no_unit": "true" if one.unit is None else None,
    }

    def figure(value: int, what: str) -> Figure:
        return asked.of_late(value, what, **which)

    return PersonLine(
        unit=one.unit, by=one.by, acknowledged=figure(one.acknowledged, "acknowledge"), closed=figure(one.closed, "close")
    )  # fmt: skip


def equipment_lines(queries: Queries, pieces: Sequence[Document]) -> list[EquipmentLine]:
    """Pieces that were down, the longest first; ``pieces`` are all, in the order of the answer's items."""
    down = [(n, piece) for n, piece in enumerate(pieces) if piece["down_s"]]
    address = queries.address("/api/v1/equipment/availability", limit="1000")

    def figure(n: int, member: str, form: Form) -> Figure:
        query, pointer = (address, f"/items/{n}/{member}") if n < MOST_ITEMS else (None, None)
        return Figure(value=pieces[n][member], form=form, query=query, pointer=pointer)

    return [
        EquipmentLine(
            id=piece["id"], kind=piece["kind"], unit=piece["unit"], down=figure(n, "down_s", "seconds"),
            failures=figure(n, "failures", "count"), availability=figure(n, "availability", "share"),
        )
        for n, piece in sorted(down, key=lambda found: (-found[1]["down_s"], found[0]))[:PIECES_TOLD]
    ]  # fmt: skip


def silence_lines(week: Week) -> Iterator[SilenceLine]:
    """Seals that were silent longest, as the summary has them."""
    for n, one in enumerate(week.summary["silent"]):
        yield SilenceLine(
            seal=one["seal"], journey=one["journey"], unit=one["unit"], is_over=one["is_over"],
            silent=week.queries.of_summary(week.summary, f"/silent/{n}/silent_s", "seconds"),
        )  # fmt: skip
