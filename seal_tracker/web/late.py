"""``/api/v1/reports/late``: alarms whose deadline passed within a period and was not kept, and who answered them when."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from aiohttp import web
from msgspec import UNSET, UnsetType

from seal_tracker.clock import clock_ms
from seal_tracker.model import iso_ms, iso_or_none
from seal_tracker.store.late_reads import LateAnswer, LateOnes, LateWhat
from seal_tracker.web.accounts import Right
from seal_tracker.web.acting import paged, place_of
from seal_tracker.web.context import CONTEXT
from seal_tracker.web.queries import Id, Moment, PageQuery, read_query
from seal_tracker.web.reading import known_space
from seal_tracker.web.reports import period_ms, rates_asked
from seal_tracker.web.routes import Route
from seal_tracker.web.wire import Page

__all__ = ["ROUTES"]

Person = Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=r"^[^\x00]*\Z")]


class LateQuery(PageQuery, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which deadlines: to ``acknowledge`` or to ``close``, that passed within the period; or either, of what was ``open`` at its end. The period
    and unit as of the summary. ``by`` is who answered, ``answered`` whether anybody has; ``no_unit``: those alone that no unit answers for.
    """

    what: LateWhat = "acknowledge"
    from_: Moment | UnsetType = msgspec.field(default=UNSET, name="from")
    to: Moment | UnsetType = UNSET
    unit: Id | UnsetType = UNSET
    below: bool = False
    by: Person | UnsetType = UNSET
    answered: bool | UnsetType = UNSET
    no_unit: bool = False


class LateAnswerItem(msgspec.Struct, frozen=True, kw_only=True):
    """A late alarm: the unit that answers for it, its deadline, and who acknowledged (or closed) it when; null: nobody by now."""

    alarm: str
    type: str
    severity: str
    state: str
    unit: str | None
    opened_at: str
    due_at: str
    answered_at: str | None
    answered_by: str | None


async def list_late(request: web.Request) -> web.Response:
    """Deadlines that were not kept, the earliest first."""
    query = read_query(request, LateQuery)
    known_space(request, query.space)
    now_ms = clock_ms()
    from_ms, to_ms = period_ms(query, now_ms)
    which = LateOnes(
        what=query.what, asked=rates_asked(request, query, from_ms, to_ms), until_ms=now_ms, by=query.by or None,
        answered=None if query.answered is UNSET else query.answered, no_unit=query.no_unit,
    )  # fmt: skip
    rows, more = await request.app[CONTEXT].store.late_answers(
        query.space, which, after=place_of(query.after), limit=query.limit
    )
    return paged(rows, late_item, lambda row: row.due_ms, more=more)


def late_item(row: LateAnswer) -> LateAnswerItem:
    """A late alarm in outer units."""
    return LateAnswerItem(
        alarm=str(row.id), type=row.type, severity=row.severity, state=row.state, unit=row.unit, opened_at=iso_ms(row.opened_ms),
        due_at=iso_ms(row.due_ms), answered_at=iso_or_none(row.answered_ms), answered_by=row.answered_by,
    )  # fmt: skip


ROUTES: Final = (
    Route(
        "GET", "/api/v1/reports/late", list_late, Right.READ,
        "Alarms whose deadline passed within a period and was not kept, the earliest first, and who answered them when.",
        query=LateQuery, answer=Page[LateAnswerItem], problems=(404,),
        leads={"/api/v1/alarms/{alarm}": {"alarm": "/items/0/alarm"}},
    ),
)  # fmt: skip
