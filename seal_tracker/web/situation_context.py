"""What the routes of special situations and of reports must be given."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Protocol
from uuid import UUID

from seal_tracker.reports.rows import KeptReport, ScheduleRow
from seal_tracker.situations.rows import SituationRow
from seal_tracker.store.alarm_reads import RateQuery
from seal_tracker.store.hook_reads import MailRow
from seal_tracker.store.kept_report_reads import KeptPlace
from seal_tracker.store.late_reads import LateAnswer, LateOnes, LatePerson
from seal_tracker.store.situation_reads import SituationFilter, SituationPlace, VersionRow

__all__ = ["ReportReading", "SituationReading"]


class SituationReading(Protocol):
    """What is read of special situations."""

    async def situation(self, space: str, situation: UUID) -> SituationRow | None:
        """One situation, None where there is none."""

    async def situations(
        self, space: str, which: SituationFilter, *, before: SituationPlace | None = None, limit: int = 100
    ) -> tuple[list[SituationRow], bool]:
        """A page of situations, newest first, and whether there are more."""

    async def situation_versions(
        self, space: str, situation: UUID, *, before: int | None = None, limit: int = 100
    ) -> tuple[list[VersionRow], bool]:
        """A page of a situation's versions, newest first, and whether there are more."""


class ReportReading(Protocol):
    """What is read for reports."""

    async def late_answers(
        self, space: str, which: LateOnes, *, after: tuple[int, UUID] | None = None, limit: int = 100
    ) -> tuple[list[LateAnswer], bool]:
        """A page of alarms that were answered late, and whether there are more."""

    async def late_persons(self, space: str, asked: RateQuery, until_ms: int) -> list[LatePerson]:
        """Who acknowledged and closed late, by unit."""

    async def kept_report(self, report: UUID) -> KeptReport | None:
        """One kept report, None where there is none."""

    async def kept_reports_known(self, reports: Iterable[UUID]) -> set[UUID]:
        """Which of these there are."""

    async def kept_reports(
        self,
        unit: str | None,
        scope: Collection[str] | None,
        *,
        before: KeptPlace | None = None,
        limit: int = 100,
    ) -> tuple[list[KeptReport], bool]:
        """A page of kept reports without their bodies, newest first, and whether there are more."""

    async def mails_of_events(self, events: Iterable[UUID]) -> list[MailRow]:
        """Mail about these events, by recipient."""

    async def report_schedule(self) -> ScheduleRow | None:
        """When reports are made, None before anybody said so."""
