"""The figures of all units together, section by section: each of both weeks, with its query. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from seal_tracker.model import LIVE
from seal_tracker.reports.groups import group_of
from seal_tracker.reports.model import Figure, Form, Line, Section
from seal_tracker.reports.queries import at_pointer
from seal_tracker.reports.weeks import Week

__all__ = ["OF_EQUIPMENT", "OF_SUMMARY", "TASKS", "sections"]

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


def sections(now: Week, before: Week, restricted: int | None) -> Iterator[Section]:
    """All of them; ``restricted`` is how many restricted situations there were, None: nobody asked for them."""
    yield situations_section(now, before, restricted)
    for group in ("deviations", "tampering", "others"):
        yield Section(key=group, lines=list(episode_lines(group, now, before)))
    yield of_summary("alarms", now, before)
    yield Section(key="late", lines=late_lines(now, before))
    yield of_summary("workload", now, before)
    yield of_summary("journeys", now, before)
    lines = [
        Line(key=name, now=of_equipment(now, member, form), before=of_equipment(before, member, form))
        for name, member, form in OF_EQUIPMENT
    ]
    yield Section(key="equipment", lines=lines)
    if now.queries.space == LIVE:
        yield Section(key="tasks", lines=task_lines(now, before))


def of_summary(key: str, now: Week, before: Week) -> Section:
    """A section that the summary has."""
    lines = [
        Line(key=name, now=of_all(now, pointer, form), before=of_all(before, pointer, form))
        for name, pointer, form in OF_SUMMARY[key]
    ]
    return Section(key=key, lines=lines)


def situations_section(now: Week, before: Week, restricted: int | None) -> Section:
    """Special situations: all, by kind, open at the end; restricted ones alone, where they are asked for."""
    lines = [
        Line(key="occurred", now=situations_of(now, None), before=situations_of(before, None)),
        *(
            Line(key="of_kind", of=kind, now=situations_of(now, kind), before=situations_of(before, kind))
            for kind in told_in(now, before, "/total/situations/kinds")
        ),
        Line(key="still_open", now=situations_open(now), before=situations_open(before)),
    ]
    if restricted is not None:
        found = now.queries.listed(restricted, "/api/v1/situations", restricted="true")
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


def task_lines(now: Week, before: Week) -> list[Line]:
    """What units were instructed to do."""
    return [
        Line(key=f"tasks_{member}", now=of_tasks(now, member), before=of_tasks(before, member))
        for member in TASKS
    ]


def of_tasks(week: Week, member: str) -> Figure:
    return week.queries.of_tasks(at_pointer(week.tasks, f"/total/{member}"), member)
