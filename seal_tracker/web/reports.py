"""``/api/v1/reports``: which reports there are, and the summary of a period, by default of the last whole week."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, Literal, Protocol

import msgspec
from aiohttp import web
from msgspec import UNSET, UnsetType

from seal_tracker.clock import clock_ms
from seal_tracker.reports.schedule import last_week
from seal_tracker.store.alarm_reads import RateQuery
from seal_tracker.web.accounts import Right
from seal_tracker.web.alarms import moment_ms
from seal_tracker.web.auth import scope_of
from seal_tracker.web.context import CONTEXT
from seal_tracker.web.errors import BadParameter
from seal_tracker.web.queries import (
    NO_YEAR,
    Id,
    Moment,
    NoQuery,
    SpaceQuery,
    read_query,
    within_a_year,
)
from seal_tracker.web.reading import encoded, known_space
from seal_tracker.web.report_answers import SummaryAnswer, as_csv, summary_answer
from seal_tracker.web.routes import JSON, Route
from seal_tracker.web.scope import units_with_below
from seal_tracker.web.wire import Page

__all__ = ["CSV", "MEDIA", "ROUTES", "Format", "period_ms", "rates_asked"]

LATEST_MS: Final = 253_402_300_800_000
"""The year 10000."""

CSV: Final = "text/csv"
Format = Literal["json", "html", "pdf", "xlsx", "csv"]
MEDIA: Final[Mapping[Format, str]] = {
    "json": JSON,
    "html": "text/html",
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": CSV,
}
"""Content types of the weekly report by its forms."""


class OfPeriod(Protocol):
    """A query that names a period, or an end of it, or none."""

    @property
    def from_(self) -> datetime | UnsetType: ...
    @property
    def to(self) -> datetime | UnsetType: ...


class OfUnits(Protocol):
    """A query that names a unit, or none, with those below it or without."""

    @property
    def space(self) -> str: ...
    @property
    def unit(self) -> str | UnsetType: ...
    @property
    def below(self) -> bool: ...


class SummaryQuery(SpaceQuery, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """Over which time, and of which unit. Without ``from`` and ``to``: the last whole week, Monday to Monday in Viet Nam; with one of
    them the week that begins or ends there. With ``below`` those of the units below ``unit``, too.
    """

    from_: Moment | UnsetType = UNSET
    to: Moment | UnsetType = UNSET
    unit: Id | UnsetType = UNSET
    below: bool = False
    format: Literal["json", "csv"] = "json"


class ReportItem(msgspec.Struct, frozen=True, kw_only=True):
    """A report: what it tells, where it is, its query parameters and the formats it comes in."""

    report: str
    title: Mapping[str, str]
    path: str
    parameters: Mapping[str, str]
    formats: Sequence[str]


REPORTS: Final = (
    ReportItem(
        report="weekly",
        title={"vi": "Báo cáo tuần", "en": "Weekly report"},
        path="/api/v1/reports/weekly",
        parameters={
            "from": "begin, RFC 3339; a week before `to` where only that is given",
            "to": "end, RFC 3339; a week after `from` where only that is given",
            "unit": "of this unit and those below it",
            "space": "of this space; the live one unless named",
            "format": "json, html, pdf, xlsx or csv",
            "lang": "vi or en",
            "alone": "true: HTML that needs nothing else",
            "restricted": "true: with restricted situations, for who may see them",
        },
        formats=tuple(MEDIA.values()),
    ),
    ReportItem(
        report="summary",
        title={"vi": "Tổng hợp theo tuần", "en": "Weekly summary"},
        path="/api/v1/reports/summary",
        parameters={
            "from": "begin, RFC 3339; a week before `to` where only that is given",
            "to": "end, RFC 3339; a week after `from` where only that is given",
            "unit": "of this unit alone",
            "below": "with the units below it",
            "space": "of this space; the live one unless named",
            "format": "json or csv",
        },
        formats=(JSON, CSV),
    ),
)


async def list_reports(request: web.Request) -> web.Response:
    """Which reports there are."""
    read_query(request, NoQuery)
    return encoded(Page(REPORTS, None))


async def show_summary(request: web.Request) -> web.Response:
    """A period in figures, as JSON or CSV."""
    query = read_query(request, SummaryQuery)
    known_space(request, query.space)
    now_ms = clock_ms()
    from_ms, to_ms = period_ms(query, now_ms)
    asked = rates_asked(request, query, from_ms, to_ms)
    found = await request.app[CONTEXT].store.report_summary(query.space, asked, min(now_ms, to_ms))
    answer = summary_answer(query.space, asked, found)
    if query.format == "json":
        return encoded(answer)
    name = f"summary-{answer.from_[:10]}-{answer.to[:10]}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return web.Response(body=as_csv(answer), content_type=CSV, charset="utf-8", headers=headers)


def rates_asked(request: web.Request, query: OfUnits, from_ms: int, to_ms: int) -> RateQuery:
    """The period, of a unit alone, of it and those below it, or of all that the asker sees."""
    scope, unit = scope_of(request), query.unit or None
    if not query.below or unit is None:
        return RateQuery(from_ms=from_ms, to_ms=to_ms, unit=unit, scope=scope)
    units = units_with_below(scope, unit, request.app[CONTEXT].live.plan(query.space))
    return RateQuery(from_ms=from_ms, to_ms=to_ms, scope=units)


def period_ms(query: OfPeriod, now_ms: int) -> tuple[int, int]:
    """The period that is asked for.

    Raises
    ------
    BadParameter
        It is empty, longer than a year, or goes beyond any calendar that is kept here.
    """
    from_ms, to_ms = moment_ms(query.from_, "from"), moment_ms(query.to, "to")
    if from_ms is None and to_ms is None:
        return last_week(now_ms)
    begin_ms, end_ms = within_a_year(from_ms, to_ms)
    if end_ms >= LATEST_MS:
        raise BadParameter(NO_YEAR, field="from")
    return begin_ms, end_ms


ROUTES: Final[tuple[Route, ...]] = (
    Route("GET", "/api/v1/reports", list_reports, Right.READ, "Which reports there are, with their parameters.", answer=Page[ReportItem]),
    Route(
        "GET", "/api/v1/reports/summary", show_summary, Right.READ,
        "A period in figures, in all and for each unit: journeys, alarms and how they were answered, episodes, silent seals.",
        query=SummaryQuery, answer=SummaryAnswer, media=(JSON, CSV), problems=(404,),
    ),
)  # fmt: skip
