"""What the routes of duty, of orders, of commands and of tickets must be given."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol
from uuid import UUID

from seal_tracker.custody.rows import AssetRow, BookEntry, Health, MovementRow, Stock
from seal_tracker.downlink.rows import CommandRow
from seal_tracker.repairs.figures import TicketTimes
from seal_tracker.repairs.rows import TicketRow
from seal_tracker.store.alarm_reads import RateQuery
from seal_tracker.store.asset_reads import AssetFilter, BookFilter
from seal_tracker.store.command_reads import CommandFilter, CommandPlace
from seal_tracker.store.duty_reads import LateQuery, ShiftFilter
from seal_tracker.store.duty_rows import AbsenceRow, HandOverRow, LateAlarm, LateUnit, Seen, ShiftRow
from seal_tracker.store.records import AlarmRow, SuppressionRow
from seal_tracker.store.suppression_reads import SuppressionPlace
from seal_tracker.store.task_reads import TaskFilter, TaskPlace
from seal_tracker.store.ticket_reads import TicketFilter, TicketPlace
from seal_tracker.tasking.rows import AttachmentText, TaskFigures, TaskRow

__all__ = [
    "CommandReading",
    "DutyReading",
    "SealReading",
    "SuppressionReading",
    "TaskReading",
    "TicketReading",
]


class DutyReading(Protocol):
    """What is read from the store."""

    async def shift(self, shift: UUID) -> ShiftRow | None:
        """One shift, None where there is none."""

    async def shifts(
        self, which: ShiftFilter, *, after: tuple[int, UUID] | None = None, limit: int = 100
    ) -> tuple[list[ShiftRow], bool]:
        """A page of shifts by when they begin, and whether there are more."""

    async def shifts_of_officer(self, officer: str, from_ms: int, to_ms: int) -> Sequence[ShiftRow]:
        """An officer's shifts that touch a time."""

    async def hand_overs(
        self,
        which: ShiftFilter,
        *,
        waiting: bool = False,
        after: tuple[int, UUID] | None = None,
        limit: int = 100,
    ) -> tuple[list[HandOverRow], bool]:
        """A page of hand-overs, newest first, and whether there are more."""

    async def hand_over_waiting_for(self, shift: UUID) -> UUID | None:
        """The hand-over that the officer of a shift has not taken yet."""

    async def absence(self, absence: UUID) -> AbsenceRow | None:
        """One absence, None where there is none."""

    async def absences(
        self, which: ShiftFilter, *, after: tuple[int, UUID] | None = None, limit: int = 100
    ) -> tuple[list[AbsenceRow], bool]:
        """A page of absences by when they begin, and whether there are more."""

    async def absent_officers(self, at_ms: int) -> frozenset[str]:
        """Who is absent at a moment, by name."""

    async def hand_over(self, hand_over: UUID) -> HandOverRow | None:
        """One hand-over, None where there is none."""

    async def hand_overs_of(self, shifts: Iterable[UUID]) -> dict[UUID, UUID]:
        """The hand-over of each shift that has one."""

    async def alarms_open_count(self, space: str, units: Collection[str] | None) -> int:
        """How many alarms of these units are open."""

    async def alarm_seen(self, space: str, alarm: UUID) -> Sequence[Seen]:
        """Who has seen an alarm, in the order in which they did."""

    async def late(
        self, space: str, asked: LateQuery, *, after: tuple[int, UUID] | None, limit: int
    ) -> tuple[Sequence[LateUnit], Sequence[LateAlarm], bool]:
        """Alarms past what was to be done by now: all by unit, a page of them one by one, and whether there are more."""


class SuppressionReading(Protocol):
    """What is read of orders that suppress alarms."""

    async def suppression(self, space: str, order: UUID) -> SuppressionRow | None:
        """One order, None where there is none."""

    async def suppressions(
        self,
        space: str,
        *,
        standing_at_ms: int | None = None,
        scope: frozenset[str] | None = None,
        before: SuppressionPlace | None = None,
        limit: int = 100,
    ) -> tuple[list[SuppressionRow], bool]:
        """A page of orders, those that begin last first, and whether there are more."""

    async def alarms_suppressed_by(self, space: str, order: UUID) -> Sequence[AlarmRow]:
        """Alarms that an order has suppressed."""


class CommandReading(Protocol):
    """What is read of commands to seals."""

    async def command(self, space: str, command: UUID) -> CommandRow | None:
        """One command, None where there is none."""

    async def command_under_way(self, space: str, seal: str, kind: str) -> UUID | None:
        """The command of a kind that a seal has not come to an end with."""

    async def commands(
        self, space: str, which: CommandFilter, *, before: CommandPlace | None = None, limit: int = 100
    ) -> tuple[list[CommandRow], bool]:
        """A page of commands, newest first, and whether there are more."""


class TicketReading(Protocol):
    """What is read of tickets about faults of equipment."""

    async def ticket(self, space: str, ticket: UUID) -> TicketRow | None:
        """One ticket, None where there is none."""

    async def tickets(
        self, space: str, which: TicketFilter, *, before: TicketPlace | None = None, limit: int = 100
    ) -> tuple[list[TicketRow], bool]:
        """A page of tickets, newest first, and whether there are more."""

    async def ticket_times(
        self, space: str, from_ms: int, to_ms: int, units: Sequence[str] | None, kind: str | None
    ) -> list[TicketTimes]:
        """What is summed of tickets that were opened, acknowledged or repaired in [from, to)."""


class TaskReading(Protocol):
    """What is read of tasks."""

    async def task(self, space: str, task: UUID) -> TaskRow | None:
        """One task, None where there is none."""

    async def attachment(self, space: str, attachment: UUID) -> AttachmentText | None:
        """A file with its task, None where there is none."""

    async def keep_content(self, sha256: bytes, content: bytes) -> None:
        """Keeps what a file has in it, before it is attached."""

    async def tasks(
        self, space: str, which: TaskFilter, *, before: TaskPlace | None = None, limit: int = 100
    ) -> tuple[list[TaskRow], bool]:
        """A page of tasks, newest first, and whether there are more."""

    async def task_figures(self, space: str, asked: RateQuery) -> TaskFigures:
        """Tasks of a period, counted."""


class SealReading(Protocol):
    """What is read of seals as assets."""

    async def seal_assets_named(self, space: str, seals: Iterable[str]) -> Mapping[str, AssetRow]:
        """Those of these seals that are registered, by name."""

    async def seal_assets(
        self, space: str, which: AssetFilter, *, after: str = "", limit: int = 100
    ) -> tuple[list[AssetRow], bool]:
        """A page of seals by name, and whether there are more."""

    async def seal_movements(
        self, space: str, seal: str, *, before: int | None = None, limit: int = 100
    ) -> tuple[list[MovementRow], bool]:
        """A page of a custody chain, newest first, and whether there are more."""

    async def seal_book(
        self, space: str, which: BookFilter, *, before: int | None = None, limit: int = 100
    ) -> tuple[list[BookEntry], bool]:
        """A page of the movements of all seals, newest first, and whether there are more."""

    async def seal_stock(
        self,
        space: str,
        at_ms: int | None = None,
        *,
        model: str | None = None,
        scope: frozenset[str] | None = None,
    ) -> Stock:
        """How many seals there were at a moment (None: now)."""

    async def seal_health(
        self, space: str, seal: str, from_ms: int, to_ms: int, scope: frozenset[str] | None = None
    ) -> Health:
        """What a seal said of its battery, and what was raised of it, in [from, to)."""
