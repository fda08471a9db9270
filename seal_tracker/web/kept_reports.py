"""``/api/v1/reports/kept``: the reports that the schedule has made, with the figures of then, in any form and language."""

from __future__ import annotations

from typing import Final

import msgspec
from aiohttp import web
from msgspec import UNSET, UnsetType

from seal_tracker.model import iso_ms
from seal_tracker.reports.model import Report
from seal_tracker.reports.rows import KeptReport
from seal_tracker.reports.texts import Language
from seal_tracker.store.kept_report_reads import KeptPlace
from seal_tracker.web.accounts import Right
from seal_tracker.web.acting import paged, path_uuid, place_of
from seal_tracker.web.alarms import AlarmId
from seal_tracker.web.auth import scope_of
from seal_tracker.web.context import CONTEXT
from seal_tracker.web.errors import Missing
from seal_tracker.web.queries import Id, ListQuery, read_query
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
    report = path_uuid(request, "report")
    row = await request.app[CONTEXT].store.kept_report(report)
    if row is None or not sees(scope_of(request), row.unit):
        raise Missing(f"there is no kept report {str(report)!r}", field="report")
    kept = msgspec.json.decode(row.body, type=Report)
    return await rendered(request, kept, query.format, query.lang, alone=query.alone)


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
        query=KeptFormQuery, path_types={"report": AlarmId}, answer=Report, media=tuple(MEDIA.values()), problems=(404, 501),
    ),
)  # fmt: skip
