"""Shifts, who is on duty and what is late, from rows to outer units."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

import msgspec

from seal_tracker.model import iso_ms, iso_or_none
from seal_tracker.store.duty_rows import AbsenceRow, HandOverRow, LateAlarm, ShiftRow
from seal_tracker.supervision.duty_rules import OnDuty
from seal_tracker.web.alarm_seen import seen_item
from seal_tracker.web.duty_bodies import (
    AbsenceItem,
    DutyItem,
    HandOverItem,
    HandOverLine,
    LateItem,
    ListedAlarm,
    ShiftItem,
)

__all__ = ["absence_item", "duty_item", "hand_over_item", "hand_over_line", "late_item", "shift_item"]


def shift_item(row: ShiftRow, handed: UUID | None) -> ShiftItem:
    """The shift in outer units."""
    return ShiftItem(
        id=str(row.id), unit=row.unit, officer=row.officer, begins_at=iso_ms(row.begins_ms), ends_at=iso_ms(row.ends_ms),
        notes=row.notes, hand_over=None if handed is None else str(handed), made_by=row.made_by, version=row.version,
        changed_at=iso_ms(row.changed_ms), cancelled_at=iso_or_none(row.cancelled_ms),
    )  # fmt: skip


def absence_item(row: AbsenceRow) -> AbsenceItem:
    """The absence in outer units."""
    return AbsenceItem(
        id=str(row.id), unit=row.unit, officer=row.officer, begins_at=iso_ms(row.begins_ms), ends_at=iso_ms(row.ends_ms),
        reason=row.reason, made_by=row.made_by, version=row.version, changed_at=iso_ms(row.changed_ms),
        cancelled_at=iso_or_none(row.cancelled_ms),
    )  # fmt: skip


def hand_over_line(row: HandOverRow) -> HandOverLine:
    """The hand-over in outer units, without its alarms."""
    return HandOverLine(
        id=str(row.id), shift=str(row.shift), to=None if row.to_shift is None else str(row.to_shift), unit=row.unit,
        note=row.note, alarms_open=row.alarms_open, handed_at=iso_ms(row.handed_ms), handed_by=row.handed_by,
        taken_at=iso_or_none(row.taken_ms), taken_by=row.taken_by, version=row.version,
    )  # fmt: skip


def hand_over_item(row: HandOverRow) -> HandOverItem:
    """The same with them."""
    line = {name: getattr(hand_over_line(row), name) for name in HandOverLine.__struct_fields__}
    return HandOverItem(**line, alarms=msgspec.json.decode(row.alarms, type=list[ListedAlarm]))


def duty_item(one: OnDuty, handed: Mapping[UUID, UUID]) -> DutyItem:
    """Who is on duty for a unit, in outer units."""
    officers = [shift.officer for shift in one.shifts]
    acting = one.answers.acting
    return DutyItem(
        unit=one.unit,
        on_duty=officers or ([] if acting is None else [acting]),
        shifts=[shift_item(shift, handed.get(shift.id)) for shift in one.shifts],
        answers_for=one.answers.unit,
        head=one.answers.head,
        deputy=one.answers.deputy,
    )


def late_item(row: LateAlarm) -> LateItem:
    """A late alarm in outer units."""
    return LateItem(
        alarm=str(row.id), type=row.type, severity=row.severity, state=row.state, opened_at=iso_ms(row.opened_ms),
        due_at=iso_ms(row.due_ms), escalations=row.escalations, escalated_to=row.escalated_to,
        seen=[seen_item(one) for one in row.seen],
    )  # fmt: skip
