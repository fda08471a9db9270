"""What crosses the routes of duty."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

from seal_tracker.web.alarm_seen import SeenItem
from seal_tracker.web.alarms import AlarmId
from seal_tracker.web.queries import Id, ListQuery, Moment

__all__ = [
    "AbsenceEdit",
    "AbsenceItem",
    "AbsencesQuery",
    "Cancelled",
    "DutyItem",
    "HandOver",
    "HandOverItem",
    "HandOverLine",
    "HandOversQuery",
    "LateAnswer",
    "LateItem",
    "LateUnitItem",
    "LateWanted",
    "ListedAlarm",
    "NewAbsence",
    "NewShift",
    "ShiftEdit",
    "ShiftId",
    "ShiftItem",
    "ShiftsQuery",
]

ShiftId = AlarmId
"""A UUID; so are those of hand-overs."""

Words = Annotated[str, msgspec.Meta(max_length=4000, pattern=r"^[^\x00]*\Z")]
Why = Annotated[str, msgspec.Meta(min_length=1, max_length=500, pattern=r"^[^\x00]*\Z")]
Officer = Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*\Z")]


class ShiftsQuery(ListQuery, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """Shifts that touch [from, to), by when they begin; all where nothing is said."""

    from_: Moment | UnsetType = UNSET
    to: Moment | UnsetType = UNSET
    unit: Id | UnsetType = UNSET


class LateWanted(ShiftsQuery, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """When the alarms were opened, and which unit answers; all where nothing is said. A page is of so many alarms."""


class NewShift(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who watches which unit (null: headquarters) when, for 48 h at most."""

    officer: Officer
    begins_at: Moment
    ends_at: Moment
    unit: Id | None = None
    notes: Words = ""


class ShiftEdit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Another officer, other times or notes; what is left out stays. Once a shift has begun its officer and begin are settled."""

    officer: Officer | UnsetType = UNSET
    begins_at: Moment | UnsetType = UNSET
    ends_at: Moment | UnsetType = UNSET
    notes: Words | UnsetType = UNSET
    reason: Words | None = None


class Cancelled(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why."""

    reason: Why


class HandOversQuery(ShiftsQuery, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """Hand-overs of [from, to), newest first; ``waiting``: those alone that nobody has taken."""

    waiting: bool = False


class AbsencesQuery(ShiftsQuery, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """Absences that touch [from, to), by when they begin; all where nothing is said."""


class NewAbsence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which head or deputy of a unit, by the name that the unit has, is away, from when to when and why."""

    unit: Id
    officer: Officer
    begins_at: Moment
    ends_at: Moment
    reason: Why


class AbsenceEdit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Other times or another reason; what is left out stays."""

    begins_at: Moment | UnsetType = UNSET
    ends_at: Moment | UnsetType = UNSET
    reason: Why | UnsetType = UNSET


class AbsenceItem(msgspec.Struct, frozen=True, kw_only=True):
    """An absence; ``cancelled_at``: they were not away after all."""

    id: str
    unit: str
    officer: str
    begins_at: str
    ends_at: str
    reason: str
    made_by: str
    version: int
    changed_at: str
    cancelled_at: str | None


class HandOver(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """To which shift (null: to whoever takes it), and what to know."""

    note: Words
    to: ShiftId | None = None


class ShiftItem(msgspec.Struct, frozen=True, kw_only=True):
    """A shift; ``hand_over`` is that by which it was handed over; ``cancelled_at``: nobody watches."""

    id: str
    unit: str | None
    officer: str
    begins_at: str
    ends_at: str
    notes: str
    hand_over: str | None
    made_by: str
    version: int
    changed_at: str
    cancelled_at: str | None


class ListedAlarm(msgspec.Struct, frozen=True, kw_only=True):
    """An alarm as it stood when it was handed over."""

    alarm: str
    type: str
    severity: str
    state: str
    due_at: str | None


class HandOverLine(msgspec.Struct, frozen=True, kw_only=True):
    """A hand-over in a list; ``alarms_open`` were those of the unit and those below it."""

    id: str
    shift: str
    to: str | None
    unit: str | None
    note: str
    alarms_open: int
    handed_at: str
    handed_by: str
    taken_at: str | None
    taken_by: str | None
    version: int


class HandOverItem(HandOverLine, frozen=True, kw_only=True):
    """A hand-over; ``alarms`` are the first thousand, by priority, of the ``alarms_open``."""

    alarms: Sequence[ListedAlarm]


class DutyItem(msgspec.Struct, frozen=True, kw_only=True):
    """Who is on duty for a unit (null: headquarters): the officers of its shifts; where ``shifts`` is empty the head of the unit
    that ``answers_for`` it: itself, or the nearest above that has one. While the head is absent the ``deputy`` acts.
    """

    unit: str | None
    on_duty: Sequence[str]
    shifts: Sequence[ShiftItem]
    answers_for: str | None
    head: str | None
    deputy: str | None


class LateItem(msgspec.Struct, frozen=True, kw_only=True):
    """An alarm past its deadline; ``seen`` in the order in which they did."""

    alarm: str
    type: str
    severity: str
    state: str
    opened_at: str
    due_at: str
    escalations: int
    escalated_to: str | None
    seen: Sequence[SeenItem]


class LateUnitItem(msgspec.Struct, frozen=True, kw_only=True):
    """What a unit and its head (now absent, where a ``deputy`` acts) have let pass: ``late`` alarms are open past a deadline; ``oldest_due_at`` is that which passed
    first; ``escalations`` are since each was last dealt with. These count all; ``alarms`` are those of this page, the longest overdue first.
    """

    unit: str | None
    head: str | None
    deputy: str | None
    late: int
    not_acknowledged: int
    not_closed: int
    oldest_due_at: str
    escalations: int
    alarms: Sequence[LateItem]


class LateAnswer(msgspec.Struct, frozen=True):
    """What is open past its deadline at a moment, by the unit that answers; units with nothing late are left out. ``next`` is the
    cursor of the next page of alarms; every page counts all.
    """

    at: str
    items: Sequence[LateUnitItem]
    next: str | None
