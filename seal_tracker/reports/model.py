"""The weekly report as data: figures, each with the query that reproduces it, and lists. Names and numbers are put into words later.

No behaviour. Times are ISO 8601 in UTC. The same report is rendered in any language and format.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

__all__ = [
    "EquipmentLine",
    "Figure",
    "Form",
    "Line",
    "Names",
    "PersonLine",
    "Report",
    "Section",
    "SilenceLine",
    "SituationLine",
    "UnitLine",
]

Form = Literal["count", "share", "seconds", "hours", "rate"]
Names = Mapping[str, str]
"""A name by language: ``vi``, ``en``."""


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """A figure and what reproduces it; ``value`` null: there is nothing to tell, such as a median of nothing.

    ``query`` is a path of the API with its parameters. ``pointer`` is where in its answer the value stands (RFC 6901); null: it is the
    number of the list's items, on all of its pages. Both are null where no query of the API gives it.
    """

    value: float | None
    form: Form = "count"
    query: str | None = None
    pointer: str | None = None


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """What a figure is of: a key of the texts, and ``of`` the type or kind that it counts; this week and the week before."""

    key: str
    of: str | None = None
    now: Figure
    before: Figure


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """Figures that belong together."""

    key: str
    lines: Sequence[Line]


class UnitLine(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of one unit alone, by column; ``depth`` is how far it is below the report's own. Null: no unit's."""

    unit: str | None
    depth: int
    cells: Mapping[str, Figure]


class SituationLine(msgspec.Struct, frozen=True, kw_only=True):
    """A special situation as it stood when the report was made."""

    id: str
    kind: str
    severity: str
    unit: str | None
    state: str
    occurred_at: str
    narrative: str
    last_follow_up: str | None
    outcome: str | None


class PersonLine(msgspec.Struct, frozen=True, kw_only=True):
    """Who answered late, or (null) that nobody has: how many alarms."""

    unit: str | None
    by: str | None
    acknowledged: Figure
    closed: Figure


class EquipmentLine(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of equipment that was down."""

    id: str
    kind: str
    unit: str | None
    down: Figure
    failures: Figure
    availability: Figure


class SilenceLine(msgspec.Struct, frozen=True, kw_only=True):
    """A seal that was silent for long."""

    seal: str
    journey: str | None
    unit: str | None
    silent: Figure
    is_over: bool


class Report(msgspec.Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """The weekly report of all units that are seen, or of one and those below it.

    Attributes
    ----------
    id
        of a report that was kept; null: it was made for who asked.
    known_until
        how far the period had been judged.
    restricted
        whether restricted situations are in it.
    organisation, names, kinds
        names by language: of the organisation, of units and of kinds of situations.
    columns
        keys of the texts, in the order of the units' cells.
    situations_more, late_more
        whether there are more than are told.
    """

    id: str | None = None
    space: str
    unit: str | None
    from_: str
    to: str
    before_from: str
    made_at: str
    known_until: str
    restricted: bool
    organisation: Names
    names: Mapping[str, Names]
    kinds: Mapping[str, Names]
    sections: Sequence[Section]
    columns: Sequence[str]
    units: Sequence[UnitLine]
    situations: Sequence[SituationLine]
    situations_more: bool
    restricted_situations: Sequence[SituationLine] = ()
    late: Sequence[PersonLine]
    equipment: Sequence[EquipmentLine]
    silent: Sequence[SilenceLine]
