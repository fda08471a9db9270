"""``/api/v1/reports/kept``: the reports that the schedule has made, with the figures of then, in any form and language."""

from __future__ import annotations

from typing import Final

import msgspec
from aiohttp import web
from msgspec import UNSET, UnsetType

from seal_tracker.model import LIVE, iso_ms, iso_or_none
from seal_tracker.reports.letters import letter_id
from seal_tracker.reports.model import Report
from seal_tracker.reports.rows import KeptReport
from seal_tracker.reports.texts import Language
from seal_tracker.store.hook_reads import MailRow
from seal_tracker.store.kept_report_reads import KeptPlace
from seal_tracker.web.accounts import Right
from seal_tracker.web.acting import paged, path_uuid, place_of
from seal_tracker.web.alarms import AlarmId
from seal_tracker.web.auth import scope_of
from seal_tracker.web.context import CONTEXT
from seal_tracker.web.errors import Missing
from seal_tracker.web.queries import Id, ListQuery, NoQuery, read_query
from seal_tracker.web.reading import encoded
from seal_tracker.web.reports import MEDIA, Format
from seal_tracker.web.routes import Route
from seal_tracker.web.scope import sees
from seal_tracker.web.weekly import rendered
from seal_tracker.web.wire import Page

__all__ = ["ROUTES"]


class KeptQuery(ListQuery, frozen=True, forbid_unknown_fields=True):
    """Reports by the end of their week, newest first; of one unit's."""

    unit: Id | UnsetType = UNSET


class KeptFormQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """In which form and language."""

    format: Format = "json"
    lang: Language = "vi"
    alone: bool = False


class KeptItem(msgspec.Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """A report that was kept: of which week and unit (null: of all), and when it was made."""

    id: str
    unit: str | None
    from_: str
    to: str
    made_at: str


class ReportMail(msgspec.Struct, frozen=True, kw_only=True):
    """A mail that brings a report: sent when the server took it, with what that said; not sent and given up after many failures; else it waits."""

    recipient: str
    subject: str
    created_at: str
    sent_at: str | None
    given_up_at: str | None
    failures: int
    receipt: str | None


class Made(msgspec.Struct):
    """What the audit trail has of a report that was made."""

    recipients: list[str]


async def list_kept(request: web.Request) -> web.Response:
    """Reports that were kept, newest first."""
    query = read_query(request, KeptQuery)
    place = place_of(query.after)
    rows, more = await request.app[CONTEXT].store.kept_reports(
        query.unit or None, scope_of(request), before=KeptPlace(*place) if place else None, limit=query.limit
    )
    return paged(rows, kept_item, lambda row: row.to_ms, more=more)


async def show_kept(request: web.Request) -> web.Response:
    """One report, as it was made."""
    query = read_query(request, KeptFormQuery)
    kept = msgspec.json.decode((await asked_for(request)).body, type=Report)
    return await rendered(request, kept, query.format, query.lang, alone=query.alone)


async def list_mails(request: web.Request) -> web.Response:
    """To whom it was mailed, and what became of that."""
    read_query(request, NoQuery)
    row, store = await asked_for(request), request.app[CONTEXT].store
    (made, *_) = await store.actions_of(LIVE, f"report/{row.id}", limit=1)
    said = msgspec.json.decode(made.action.body, type=Made)
    mails = await store.mails_of_events(letter_id(row.id, address) for address in said.recipients)
    return encoded(Page([mail_item(mail) for mail in mails], None))


async def asked_for(request: web.Request) -> KeptReport:
    """The report of the path.

    Raises
    ------
    Missing
        There is none, or none for who asks.
    """
    report = path_uuid(request, "report")
    row = await request.app[CONTEXT].store.kept_report(report)
    if row is None or not sees(scope_of(request), row.unit):
        raise Missing(f"there is no kept report {str(report)!r}", field="report")
    return row


def mail_item(row: MailRow) -> ReportMail:
    """A mail in outer units."""
    return ReportMail(
        recipient=row.recipient, subject=row.subject, created_at=iso_ms(row.created_ms), sent_at=iso_or_none(row.sent_ms),
        given_up_at=iso_or_none(row.given_up_ms), failures=row.failures, receipt=row.receipt,
    )  # fmt: skip


def kept_item(row: KeptReport) -> KeptItem:
    """A report in a list."""
    return KeptItem(
        id=str(row.id),
        unit=row.unit,
        from_=iso_ms(row.from_ms),
        to=iso_ms(row.to_ms),
        made_at=iso_ms(row.made_ms),
    )


ROUTES: Final = (
    Route(
        "GET", "/api/v1/reports/kept", list_kept, Right.READ, "Reports that the schedule has made, newest first.",
        query=KeptQuery, answer=Page[KeptItem], leads={"/api/v1/reports/kept/{report}": {"report": "/items/0/id"}},
    ),
    Route(
        "GET", "/api/v1/reports/kept/{report}", show_kept, Right.READ, "One of them, with the figures of when it was made.",
        query=KeptFormQuery, path_types={"report": AlarmId}, answer=Report, media=tuple(MEDIA.values()), problems=(404,),
    ),
    Route(
        "GET", "/api/v1/reports/kept/{report}/mails", list_mails, Right.ORDER, "To whom it was mailed, and what became of that.",
        path_types={"report": AlarmId}, answer=Page[ReportMail], problems=(404,),
    ),
)  # fmt: skip
