"""Makes the weekly reports that the schedule asks for: each once, kept with its mail in one commit.

    due by now? ─ not kept yet ─ figures gathered ─ report, its mails and an action: one commit

State: none. Whether a report was made stands in the database, under an id that follows from its week and unit: a crash before the commit loses
nothing, and after it nothing is made twice. What was missed while the service was down is made at its start, of the last week alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import msgspec
import structlog

from seal_tracker.deeds import Deed
from seal_tracker.hooks.mailer import Attachment
from seal_tracker.model import LIVE
from seal_tracker.prepared import Prepared
from seal_tracker.reports.as_html import as_html
from seal_tracker.reports.as_pdf import as_pdf
from seal_tracker.reports.letters import report_mail
from seal_tracker.reports.model import Names, Report
from seal_tracker.reports.rows import KeptReport
from seal_tracker.reports.schedule import Schedule, due_ms, kept_id, last_week, schedule_in, units_of
from seal_tracker.reports.sheets import document
from seal_tracker.reports.texts import Language
from seal_tracker.situations.kinds import Kinds
from seal_tracker.store import StoreError
from seal_tracker.store.records import Action
from seal_tracker.web.scope import units_with_below
from seal_tracker.web.weekly_data import Wanted, weekly_report

if TYPE_CHECKING:
    from seal_tracker.space import SpaceJudge
    from seal_tracker.web.context import Live, Reading

__all__ = ["ReportMaker", "attached"]

log: Any = structlog.get_logger(__name__)

EVERY_S: Final = 20.0
"""A report is there within half a minute of its time."""

Act = Callable[[str, Callable[["SpaceJudge"], Awaitable[tuple[Prepared, Deed]]]], Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class ReportMaker:
    """Keep `run` running. ``base`` is where people reach the service, for links in mail; None: none is whole."""

    store: Reading
    live: Live
    act: Act
    organisation: Names
    kinds: Kinds
    base: str | None
    clock_ms: Callable[[], int]

    async def run(self) -> None:
        """Look now and then. Ends by cancellation; what fails is told and tried again at the next look."""
        while True:
            try:
                await self.make_due()
            except (StoreError, OSError, TimeoutError) as error:
                log.warning("reports.wait", error=str(error))
            await asyncio.sleep(EVERY_S)

    async def make_due(self) -> list[UUID]:
        """Make what is due by now and not kept yet; the ids of what was made.

        Raises
        ------
        StoreError
            The database is away; what was made before is kept.
        """
        schedule, now_ms = schedule_in(await self.store.report_schedule()), self.clock_ms()
        at_ms = due_ms(schedule, now_ms)
        if at_ms is None:
            return []
        period = last_week(at_ms)
        wanted = {kept_id(*period, unit): unit for unit in units_of(schedule)}
        known = await self.store.kept_reports_known(wanted)
        missing = {report: unit for report, unit in wanted.items() if report not in known}
        for report, unit in missing.items():
            await self._make(schedule, report, period, unit)
            log.info("reports.made", report=str(report), unit=unit)
        return list(missing)

    async def _make(
        self, schedule: Schedule, report: UUID, period: tuple[int, int], unit: str | None
    ) -> None:
        wanted = Wanted(
            space=LIVE, from_ms=period[0], to_ms=period[1], unit=unit, scope=units_with_below(None, unit, self.live.plan(LIVE)),
            now_ms=self.clock_ms(), organisation=self.organisation, kinds=self.kinds,
        )  # fmt: skip
        made = msgspec.structs.replace(await weekly_report(self.store, self.live, wanted), id=str(report))
        kept = KeptReport(report, unit, *period, wanted.now_ms, msgspec.json.encode(made))
        deed = await asyncio.to_thread(self._deed, schedule, made, kept)
        await self.act(LIVE, partial(decided, deed))

    def _deed(self, schedule: Schedule, made: Report, kept: KeptReport) -> Deed:
        """The report, its mail to each who gets it, and what the ledger has of it: its hash."""
        recipients = [one for one in schedule.recipients if one.unit == kept.unit]
        said = {
            "from": made.from_, "to": made.to, "sha256": sha256(kept.body).hexdigest(),
            "recipients": [one.address for one in recipients],
        }  # fmt: skip
        action = Action(
            kept.made_ms, "system", "service", "report.made", f"report/{kept.id}", None, kept.unit, msgspec.json.encode(said)
        )  # fmt: skip
        mails = [report_mail(made, kept, one, self.base) for one in recipients]
        return Deed(kept_reports=[kept], mails=mails, actions=[action])


async def decided(deed: Deed, _: SpaceJudge) -> tuple[Prepared, Deed]:
    """What was worked out before its turn: nothing that others do changes it."""
    return Prepared(), deed


async def attached(store: Reading, base: str | None, report: UUID, language: Language) -> Attachment | None:
    """The file that a mail brings: PDF, or a page that stands alone where PDF cannot be made here; None: there is no such report.

    Raises
    ------
    StoreError
        The database is away.
    """
    kept = await store.kept_report(report)
    if kept is None:
        return None
    return await asyncio.to_thread(drawn, msgspec.json.decode(kept.body, type=Report), language, base)


def drawn(report: Report, language: Language, base: str | None) -> Attachment:
    """A report as a file; what PDF cannot be made of is no reason to hold up mail."""
    words, name = document(report, language, base), f"weekly-{report.from_[:10]}-{language}"
    try:
        return Attachment(f"{name}.pdf", "application", "pdf", as_pdf(words))
    except Exception as error:  # noqa: BLE001 - whatever the library cannot lay out
        log.warning("reports.no_pdf", report=report.id, error=repr(error))
    return Attachment(f"{name}.html", "text", "html", as_html(words, None))
