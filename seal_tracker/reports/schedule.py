"""When the weekly report is made by itself, and who gets it. Pure; time is an argument, and Viet Nam's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, Literal
from uuid import UUID, uuid5

import msgspec

from seal_tracker.alarms.deadlines import ms_of
from seal_tracker.model import iso_ms
from seal_tracker.reports.numbers import VIET_NAM
from seal_tracker.reports.rows import ScheduleRow
from seal_tracker.reports.texts import Language

__all__ = [
    "NO_SCHEDULE",
    "Recipient",
    "Schedule",
    "Weekday",
    "due_ms",
    "kept_id",
    "last_week",
    "schedule_in",
    "units_of",
]

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS: Final[tuple[str, ...]] = Weekday.__args__  # type: ignore[attr-defined]
WEEK: Final = timedelta(days=7)

NAMESPACE: Final = UUID("0d8a3a1e-6a55-5bb0-9a4d-7d1f3c1a5e02")
"""Root of the ids of reports that the schedule makes: of one week and unit there is one."""

Address = Annotated[
    str, msgspec.Meta(max_length=254, pattern=r"^[^@\s<>,;\x00-\x1f\x7f]+@[^@\s<>,;]+\.[^@\s<>,;]+\Z")
]
Clock = Annotated[str, msgspec.Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]\Z")]


class Recipient(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is mailed which report: of ``unit`` and those below it; null: of all."""

    address: Address
    unit: str | None = None
    language: Language = "vi"


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """When reports are made: on a weekday, at a time of Viet Nam, of the week that ended last by then.

    ``since`` is when somebody last said when: what was due before that is not made. ``version`` 0: nobody has said anything.
    """

    version: int = 0
    enabled: bool = False
    weekday: Weekday = "monday"
    time: Clock = "07:00"
    recipients: Sequence[Recipient] = ()
    since: str = "1970-01-01T00:00:00.000Z"
    changed_by: str | None = None
    changed_at: str | None = None


NO_SCHEDULE: Final = Schedule()


def schedule_in(row: ScheduleRow | None) -> Schedule:
    """The schedule of a row; the one that makes nothing where there is none."""
    return NO_SCHEDULE if row is None else msgspec.json.decode(row.body, type=Schedule)


def due_ms(schedule: Schedule, now_ms: int) -> int | None:
    """The last moment by now at which a report was due; None: none ever was."""
    now = datetime.fromtimestamp(now_ms / 1000, VIET_NAM)
    hour, minute = map(int, schedule.time.split(":"))
    today = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
    due = today - timedelta(days=(now.weekday() - WEEKDAYS.index(schedule.weekday)) % 7)
    if due > now:
        due -= WEEK
    found_ms = round(due.timestamp() * 1000)
    return found_ms if schedule.enabled and found_ms >= ms_of(schedule.since) else None


def last_week(now_ms: int) -> tuple[int, int]:
    """The last whole week before ``now_ms``, Monday to Monday in Viet Nam; epoch ms."""
    now = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(VIET_NAM)
    monday = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=now.weekday())
    return round((monday - WEEK).timestamp() * 1000), round(monday.timestamp() * 1000)


def units_of(schedule: Schedule) -> list[str | None]:
    """Whose reports are made: the whole, and that of each unit that somebody gets."""
    return [None, *sorted({one.unit for one in schedule.recipients if one.unit is not None})]


def kept_id(from_ms: int, to_ms: int, unit: str | None) -> UUID:
    """The id of the report of a period and unit: made again it is the same."""
    return uuid5(NAMESPACE, f"{iso_ms(from_ms)} {iso_ms(to_ms)} {unit or ''}")
