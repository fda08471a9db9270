"""Reports that were kept, and when they are made, out of the store."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, NamedTuple
from uuid import UUID

from seal_tracker.reports.rows import KeptReport, ScheduleRow
from seal_tracker.store.connections import END_OF_TIME
from seal_tracker.store.database import Database
from seal_tracker.store.episode_reads import LAST_ID
from seal_tracker.store.queries import sql

__all__ = ["KeptPlace", "KeptReportReads"]


class KeptPlace(NamedTuple):
    """Before which a page goes on: when the period of the last report of the page before ended, and its id."""

    to_ms: int = END_OF_TIME
    id: UUID = LAST_ID


class KeptReportReads(Database):
    """Reads of kept reports and their schedule."""

    async def kept_report(self, report: UUID) -> KeptReport | None:
        """One report, None where there is none of that id."""
        async with self._reading() as connection:
            row = await connection.fetchrow(sql("kept_report"), report)
        return None if row is None else kept_of(row)

    async def kept_reports_known(self, reports: Iterable[UUID]) -> set[UUID]:
        """Which of these there are."""
        async with self._reading() as connection:
            rows = await connection.fetch(sql("kept_reports_known"), list(reports))
        return {row["id"] for row in rows}

    async def kept_reports(
        self,
        unit: str | None,
        scope: Collection[str] | None,
        *,
        before: KeptPlace | None = None,
        limit: int = 100,
    ) -> tuple[list[KeptReport], bool]:
        """A page of reports without their bodies, newest first, and whether there are more."""
        units = None if scope is None else sorted(scope)
        async with self._reading() as connection:
            rows = await connection.fetch(
                sql("kept_reports_listed"), *(before or KeptPlace()), unit, units, limit + 1
            )
        return [kept_of(row) for row in rows[:limit]], len(rows) > limit

    async def report_schedule(self) -> ScheduleRow | None:
        """When reports are made, None before anybody said so."""
        async with self._reading() as connection:
            row = await connection.fetchrow(sql("report_schedule"))
        return None if row is None else ScheduleRow(row["version"], str(row["body"]).encode())


def kept_of(row: Any) -> KeptReport:
    """A report from a row that has its columns in their order."""
    kept = KeptReport._make(row)
    return kept._replace(body=str(kept.body).encode())
