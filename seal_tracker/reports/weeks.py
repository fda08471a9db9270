"""The two weeks of a report, as the API's answers have them, and whose report it is. No behaviour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from seal_tracker.plans.model import Unit
from seal_tracker.reports.model import Names
from seal_tracker.reports.queries import Document, Queries
from seal_tracker.situations.kinds import Kinds

__all__ = ["Frame", "Week"]


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
