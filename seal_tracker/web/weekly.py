"""``/api/v1/reports/weekly``: the report for the weekly meeting, as HTML, PDF, XLSX, CSV or JSON, in Vietnamese or English."""

from __future__ import annotations

import asyncio
from typing import Final

from aiohttp import web
from msgspec import UNSET, UnsetType

from seal_tracker.clock import clock_ms
from seal_tracker.reports.as_csv import as_csv
from seal_tracker.reports.as_html import as_html, stylesheet
from seal_tracker.reports.as_pdf import as_pdf
from seal_tracker.reports.as_xlsx import as_xlsx
from seal_tracker.reports.model import Report
from seal_tracker.reports.sheets import document
from seal_tracker.reports.texts import Language
from seal_tracker.web.accounts import Right
from seal_tracker.web.auth import PRINCIPAL, scope_of, sees_restricted
from seal_tracker.web.context import CONTEXT
from seal_tracker.web.errors import Forbidden, Missing
from seal_tracker.web.queries import Id, Moment, NoQuery, SpaceQuery, read_query
from seal_tracker.web.reading import encoded, known_space
from seal_tracker.web.reports import MEDIA, Format, period_ms
from seal_tracker.web.routes import Route
from seal_tracker.web.scope import units_with_below
from seal_tracker.web.weekly_data import Wanted, weekly_report

__all__ = ["ROUTES", "rendered", "rendered_bytes"]

STYLE: Final = "/api/v1/reports/style.css"


class WeeklyQuery(SpaceQuery, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """Which week (as of the summary), and of which unit and those below it; in which form and language. ``alone``: HTML that needs nothing
    else, for a file. ``restricted``: with restricted situations, for who may see them.
    """

    from_: Moment | UnsetType = UNSET
    to: Moment | UnsetType = UNSET
    unit: Id | UnsetType = UNSET
    format: Format = "json"
    lang: Language = "vi"
    alone: bool = False
    restricted: bool = False


async def show_weekly(request: web.Request) -> web.Response:
    """The report as it is now."""
    query = read_query(request, WeeklyQuery)
    known_space(request, query.space)
    if query.restricted and not sees_restricted(request):
        raise Forbidden(
            "restricted: is for those who may see restricted situations; leave it out", field="restricted"
        )
    context, now_ms = request.app[CONTEXT], clock_ms()
    from_ms, to_ms = period_ms(query, now_ms)
    unit, plan = query.unit or request[PRINCIPAL].account.unit, context.live.plan(query.space)
    scope = units_with_below(scope_of(request), unit, plan)
    if query.unit is not UNSET and not (
        plan and scope and any(one.id == unit for one in plan.units if one.id in scope)
    ):
        raise Missing(f"there is no unit {unit!r}; GET /api/v1/units lists them", field="unit")
    wanted = Wanted(
        space=query.space, from_ms=from_ms, to_ms=to_ms, unit=unit, scope=scope, now_ms=now_ms,
        organisation=context.config.organisation, kinds=context.config.situation_kinds, restricted=query.restricted,
    )  # fmt: skip
    report = await weekly_report(context.store, context.live, wanted)
    return await rendered(request, report, query.format, query.lang, alone=query.alone)


async def rendered(
    request: web.Request, report: Report, form: Format, language: Language, *, alone: bool = False
) -> web.Response:
    """The report in a form and language; all but JSON and a page that is looked at here come as a file."""
    if form == "json":
        return encoded(report)
    opened_here = form == "html" and not alone
    base = "" if opened_here else origin(request)
    body = await asyncio.to_thread(
        rendered_bytes, report, form, language, base, STYLE if opened_here else None
    )
    whose = f"-{report.unit.replace(':', '_')}" if report.unit else ""
    name = f"weekly{whose}-{report.from_[:10]}-{language}.{form}"
    headers = {} if opened_here else {"Content-Disposition": f'attachment; filename="{name}"'}
    charset = "utf-8" if form in {"html", "csv"} else None
    return web.Response(body=body, content_type=MEDIA[form], charset=charset, headers=headers)


def rendered_bytes(report: Report, form: Format, language: Language, base: str, style: str | None) -> bytes:
    """The file; takes up to a second of a processor."""
    if form == "csv":
        return as_csv(report, language)
    words = document(report, language, base)
    if form == "html":
        return as_html(words, style)
    return as_pdf(words) if form == "pdf" else as_xlsx(words)


def origin(request: web.Request) -> str:
    """Where the asker has found us, for links that must be whole."""
    return f"{'https' if request.app[CONTEXT].config.tls else 'http'}://{request.host}"


async def show_style(request: web.Request) -> web.Response:
    """How the page looks."""
    read_query(request, NoQuery)
    return web.Response(text=stylesheet(), content_type="text/css", headers={"Cache-Control": "no-cache"})


ROUTES: Final = (
    Route(
        "GET", "/api/v1/reports/weekly", show_weekly, Right.READ,
        "The report for the weekly meeting, beside the week before; each figure with the query that gives it.",
        query=WeeklyQuery, answer=Report, media=tuple(MEDIA.values()), problems=(404,),
    ),
    Route("GET", STYLE, show_style, Right.READ, "How a report's page looks.", query=NoQuery, media=("text/css",)),
)  # fmt: skip
