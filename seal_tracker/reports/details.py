"""What a report tells one by one: situations, who was late, equipment that was down, seals that were silent. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from seal_tracker.reports.model import EquipmentLine, Figure, Form, PersonLine, SilenceLine, SituationLine
from seal_tracker.reports.queries import Document, Queries
from seal_tracker.reports.weeks import Week
from seal_tracker.situations.states import Situation
from seal_tracker.store.late_reads import LatePerson

__all__ = ["SITUATIONS_TOLD", "equipment_lines", "person_line", "silence_lines", "situation_line"]

SITUATIONS_TOLD: Final = 200
"""Of the week; the figure says how many there were."""

PIECES_TOLD: Final = 20
"""Pieces of equipment that were down longest."""

MOST_ITEMS: Final = 1000
"""On a page of the API."""


def situation_line(one: Situation) -> SituationLine:
    """A situation, with what was said of it last."""
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
