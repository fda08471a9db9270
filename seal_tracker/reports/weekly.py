"""What the weekly report says, out of the answers that the API gives for its two weeks. Pure.

Every figure is taken from such an answer, and carries the query that gives it; a test follows each of them.

    weeks (the answers) ─┬─ sections  all units together
                         ├─ units     each alone
                         └─ details   one by one
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from seal_tracker.model import iso_ms
from seal_tracker.reports.details import equipment_lines, person_line, silence_lines, situation_line
from seal_tracker.reports.model import Report
from seal_tracker.reports.queries import Document
from seal_tracker.reports.sections import sections
from seal_tracker.reports.units import columns_of, unit_lines
from seal_tracker.reports.weeks import Frame, Week
from seal_tracker.situations.states import Situation
from seal_tracker.store.late_reads import LatePerson

__all__ = ["Lists", "weekly"]


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
    restricted = len(lists.restricted) if frame.restricted else None
    return Report(
        space=queries.space, unit=frame.unit, from_=iso_ms(queries.from_ms), to=iso_ms(queries.to_ms),
        before_from=iso_ms(before.queries.from_ms), made_at=iso_ms(frame.made_ms), known_until=iso_ms(frame.known_ms),
        restricted=frame.restricted, organisation=frame.organisation, names={unit.id: dict(unit.name) for unit in frame.units},
        kinds={name: {"vi": kind.vi, "en": kind.en} for name, kind in frame.kinds.items()},
        sections=list(sections(now, before, restricted)), columns=columns_of(queries.space), units=list(unit_lines(frame, now)),
        situations=[situation_line(one) for one in lists.situations], situations_more=lists.situations_more,
        restricted_situations=[situation_line(one) for one in lists.restricted],
        late=[person_line(queries, one) for one in lists.late],
        equipment=equipment_lines(queries, lists.equipment), silent=list(silence_lines(now)),
    )  # fmt: skip
