"""Shifts, who is on duty and what is late, from rows to outer units."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from seal_tracker.model import iso_ms
from seal_tracker.store.duty_rows import LateAlarm, ShiftRow
from seal_tracker.supervision.duty_rules import OnDuty
from seal_tracker.web.alarm_seen import seen_item
from seal_tracker.web.duty_bodies import DutyItem, LateItem, ShiftItem

__all__ = ["duty_item", "late_item", "shift_item"]


def shift_item(row: ShiftRow, handed: UUID | None) -> ShiftItem:
    """The shift in outer units."""
    return ShiftItem(
        id=str(row.id), unit=row.unit, officer=row.officer, begins_at=iso_ms(row.begins_ms), ends_at=iso_ms(row.ends_ms),
        notes=row.notes, hand_over=None if handed is None else str(handed), made_by=row.made_by, version=row.version,
        changed_at=iso_ms(row.changed_ms),
    )  # fmt: skip


def duty_item(one: OnDuty, handed: Mapping[UUID, UUID]) -> DutyItem:
    """Who is on duty for a unit, in outer units."""
    officers = [shift.officer for shift in one.shifts]
    head = one.answers.head
    return DutyItem(
        unit=one.unit,
        on_duty=officers or ([] if head is None else [head]),
        shifts=[shift_item(shift, handed.get(shift.id)) for shift in one.shifts],
        answers_for=one.answers.unit,
        head=head,
    )


def late_item(row: LateAlarm) -> LateItem:
    """A late alarm in outer units."""
    return LateItem(
        alarm=str(row.id), type=row.type, severity=row.severity, state=row.state, opened_at=iso_ms(row.opened_ms),
        due_at=iso_ms(row.due_ms), escalations=row.escalations, escalated_to=row.escalated_to,
        seen=[seen_item(one) for one in row.seen],
    )  # fmt: skip
