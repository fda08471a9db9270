"""``/api/v1/absences``: when heads and deputies of units are away, so that who acts for them is called."""

from __future__ import annotations

from typing import Final
from uuid import uuid4

from aiohttp import web

from seal_tracker.clock import clock_ms
from seal_tracker.store.duty_rows import AbsenceRow
from seal_tracker.supervision.absences import AbsenceDesk
from seal_tracker.web.accounts import Right
from seal_tracker.web.acting import acted, actor_of, checking, paged, path_uuid, place_of
from seal_tracker.web.alarms import moment_ms
from seal_tracker.web.auth import scope_of
from seal_tracker.web.context import CONTEXT
from seal_tracker.web.duty_answers import absence_item
from seal_tracker.web.duty_bodies import (
    AbsenceEdit,
    AbsenceItem,
    AbsencesQuery,
    Cancelled,
    NewAbsence,
    ShiftId,
)
from seal_tracker.web.duty_requests import given_of, plan_units, shifts_asked
from seal_tracker.web.queries import NoQuery, read_body, read_query
from seal_tracker.web.refusals import refusals_told
from seal_tracker.web.routes import Route
from seal_tracker.web.versions import versioned
from seal_tracker.web.wire import Page

__all__ = ["ROUTES"]


async def list_absences(request: web.Request) -> web.Response:
    """Absences by when they begin."""
    query = read_query(request, AbsencesQuery)
    rows, more = await request.app[CONTEXT].store.absences(
        shifts_asked(request, query), after=place_of(query.after), limit=query.limit
    )
    return paged(rows, absence_item, lambda row: row.begins_ms, more=more)


async def add_absence(request: web.Request) -> web.Response:
    """Note that a head or deputy is away."""
    read_query(request, NoQuery)
    given = await read_body(request, NewAbsence)
    begins_ms, ends_ms = moment_ms(given.begins_at, "begins_at"), moment_ms(given.ends_at, "ends_at")
    assert begins_ms is not None and ends_ms is not None  # noqa: PT018 - both are members that must be given
    row = AbsenceRow(
        id=uuid4(), unit=given.unit, officer=given.officer, begins_ms=begins_ms, ends_ms=ends_ms, reason=given.reason,
        version=1, made_by=actor_of(request).name, changed_ms=clock_ms(),
    )  # fmt: skip
    deed = await acted(request, lambda _: desk_of(request).add(row))
    return answer_of(deed.absences[0], status=201)


async def show_absence(request: web.Request) -> web.Response:
    """One absence."""
    read_query(request, NoQuery)
    with refusals_told():
        return answer_of(await desk_of(request).seen(path_uuid(request, "absence")))


async def edit_absence(request: web.Request) -> web.Response:
    """Give an absence other times or another reason."""
    read_query(request, NoQuery)
    wanted, given = path_uuid(request, "absence"), given_of(await read_body(request, AbsenceEdit))
    deed = await acted(request, lambda _: desk_of(request).edit(wanted, given, checking(request), clock_ms()))
    return answer_of(deed.absences[0])


async def cancel_absence(request: web.Request) -> web.Response:
    """Whoever was to be away is there."""
    read_query(request, NoQuery)
    wanted, given = path_uuid(request, "absence"), await read_body(request, Cancelled)
    deed = await acted(
        request, lambda _: desk_of(request).cancel(wanted, given.reason, checking(request), clock_ms())
    )
    return answer_of(deed.absences[0])


def desk_of(request: web.Request) -> AbsenceDesk:
    """A desk for one request."""
    return AbsenceDesk(request.app[CONTEXT].store, actor_of(request), scope_of(request), plan_units(request))


def answer_of(row: AbsenceRow, status: int = 200) -> web.Response:
    """The absence as it stands, with its version."""
    return versioned(absence_item(row), row.version, status=status, location=f"/api/v1/absences/{row.id}")


ABSENCE: Final = {"absence": ShiftId}

ONE: Final = "/api/v1/absences/{absence}"

ROUTES: Final[tuple[Route, ...]] = (
    Route(
        "GET", "/api/v1/absences", list_absences, Right.READ, "Absences of heads and deputies by when they begin.",
        query=AbsencesQuery, answer=Page[AbsenceItem], leads={ONE: {"absence": "/items/0/id"}},
    ),
    Route(
        "POST", "/api/v1/absences", add_absence, Right.ORDER,
        "A head or deputy is away: escalations go to who acts for them.",
        body=NewAbsence, answer=AbsenceItem, status=201, versioned=True, leads={ONE: {"absence": "/id"}},
    ),
    Route(
        "GET", "/api/v1/absences/{absence}", show_absence, Right.READ, "One absence, with its version.",
        path_types=ABSENCE, answer=AbsenceItem, problems=(404,), versioned=True,
    ),
    Route(
        "PATCH", "/api/v1/absences/{absence}", edit_absence, Right.ORDER, "Give an absence other times or another reason.",
        body=AbsenceEdit, path_types=ABSENCE, answer=AbsenceItem, problems=(404, 409), edits=True,
    ),
    Route(
        "POST", "/api/v1/absences/{absence}/cancel", cancel_absence, Right.ORDER,
        "They are not away after all; where they have been, it ends now.",
        body=Cancelled, path_types=ABSENCE, answer=AbsenceItem, problems=(404, 409), edits=True,
    ),
)  # fmt: skip
