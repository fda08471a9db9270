"""Shifts and hand-overs as rows. No behaviour."""

from __future__ import annotations

from typing import Final, NamedTuple
from uuid import UUID

__all__ = ["AbsenceRow", "HandOverRow", "LateAlarm", "LateUnit", "Seen", "ShiftRow"]


LONGEST_SHIFT_MS: Final = 48 * 3_600_000
"""No shift is longer: a look for those at a moment need not go further back."""

LONGEST_ABSENCE_MS: Final = 366 * 86_400_000
"""Nobody who is away for longer is still the head."""


class ShiftRow(NamedTuple):
    """Who watches a unit (None: headquarters) in [begins, ends), as it stands; ``cancelled_ms``: nobody does."""

    id: UUID
    unit: str | None
    officer: str
    begins_ms: int
    ends_ms: int
    notes: str
    version: int
    made_by: str
    changed_ms: int
    cancelled_ms: int | None = None


class AbsenceRow(NamedTuple):
    """A head or deputy of a unit is away in [begins, ends), as it stands; ``cancelled_ms``: is not after all."""

    id: UUID
    unit: str
    officer: str
    begins_ms: int
    ends_ms: int
    reason: str
    version: int
    made_by: str
    changed_ms: int
    cancelled_ms: int | None = None


class HandOverRow(NamedTuple):
    """What a shift leaves to the next; ``to_shift`` None: to whoever takes it. ``alarms`` is JSON, ``alarms_open`` counts all."""

    id: UUID
    shift: UUID
    to_shift: UUID | None
    unit: str | None
    note: str
    alarms: str
    alarms_open: int
    handed_ms: int
    handed_by: str
    taken_ms: int | None
    taken_by: str | None
    version: int


class LateUnit(NamedTuple):
    """How many alarms that a unit answers for are past what was to be done, the longest so since ``oldest_ms``."""

    unit: str | None
    late: int
    not_acknowledged: int
    not_closed: int
    oldest_ms: int
    escalations: int


class Seen(NamedTuple):
    """Who has seen an alarm, and when they first did: opened it, or did anything with it."""

    by: str
    at_ms: int


class LateAlarm(NamedTuple):
    """An alarm past ``due_ms``, and the persons who have seen it, in the order in which they did."""

    id: UUID
    type: str
    severity: str
    state: str
    unit: str | None
    opened_ms: int
    due_ms: int
    escalations: int
    escalated_to: str | None
    seen: tuple[Seen, ...]
