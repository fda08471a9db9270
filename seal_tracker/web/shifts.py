"""``/api/v1/shifts``: who watches which unit when: planned, changed, cancelled, handed over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID, uuid4

from aiohttp import web

from seal_tracker.clock import clock_ms
from seal_tracker.store.duty_rows import ShiftRow
from seal_tracker.web.accounts import Right, rights_of
from seal_tracker.web.acting import acted, checking, paged, path_uuid, place_of
from seal_tracker.web.alarms import moment_ms
from seal_tracker.web.auth import PRINCIPAL, scope_of, units_of
from seal_tracker.web.context import CONTEXT
from seal_tracker.web.duty_answers import shift_item
from seal_tracker.web.duty_bodies import (
    Cancelled,
    HandOver,
    HandOverItem,
    NewShift,
    ShiftEdit,
    ShiftId,
    ShiftItem,
    ShiftsQuery,
)
from seal_tracker.web.duty_requests import desk_of, given_of, plan_units, shifts_asked
from seal_tracker.web.errors import InvalidBody
from seal_tracker.web.hand_overs import hand_over_answer
from seal_tracker.web.queries import NoQuery, read_body, read_query
from seal_tracker.web.refusals import refusals_told
from seal_tracker.web.routes import Route
from seal_tracker.web.scope import sees, units_below
from seal_tracker.web.versions import versioned
from seal_tracker.web.wire import Page

if TYPE_CHECKING:
    from seal_tracker.deeds import Deed
    from seal_tracker.space import SpaceJudge

__all__ = ["ROUTES"]


async def list_shifts(request: web.Request) -> web.Response:
    """Shifts by when they begin."""
    query = read_query(request, ShiftsQuery)
    store, after = request.app[CONTEXT].store, place_of(query.after)
    rows, more = await store.shifts(shifts_asked(request, query), after=after, limit=query.limit)
    handed = await store.hand_overs_of([row.id for row in rows])
    return paged(rows, lambda row: shift_item(row, handed.get(row.id)), lambda row: row.begins_ms, more=more)


async def plan_shift(request: web.Request) -> web.Response:
    """Plan a shift."""
    read_query(request, NoQuery)
    given = await read_body(request, NewShift)
    begins_ms, ends_ms = moment_ms(given.begins_at, "begins_at"), moment_ms(given.ends_at, "ends_at")
    assert begins_ms is not None and ends_ms is not None  # noqa: PT018 - both are members that must be given
    check_who(request, given.unit, given.officer)
    shift = ShiftRow(
        id=uuid4(), unit=given.unit, officer=given.officer, begins_ms=begins_ms, ends_ms=ends_ms, notes=given.notes,
        version=1, made_by=request[PRINCIPAL].account.username, changed_ms=clock_ms(),
    )  # fmt: skip
    await acted(request, lambda _: desk_of(request).plan(shift))
    return await shift_answer(request, shift.id, status=201)


async def show_shift(request: web.Request) -> web.Response:
    """One shift."""
    read_query(request, NoQuery)
    return await shift_answer(request, path_uuid(request, "shift"))


async def edit_shift(request: web.Request) -> web.Response:
    """Give a shift another officer, times or notes."""
    read_query(request, NoQuery)
    shift = path_uuid(request, "shift")
    given = given_of(await read_body(request, ShiftEdit))
    reason: str | None = given.pop("reason")

    def changes(row: ShiftRow) -> Mapping[str, Any]:
        if given.get("officer", row.officer) != row.officer:
            check_who(request, row.unit, given["officer"])
        return given

    await acted(
        request, lambda _: desk_of(request).edit(shift, changes, checking(request), clock_ms(), reason)
    )
    return await shift_answer(request, shift)


async def cancel_shift(request: web.Request) -> web.Response:
    """Cancel a shift."""
    read_query(request, NoQuery)
    shift = path_uuid(request, "shift")
    given = await read_body(request, Cancelled)
    await acted(
        request, lambda _: desk_of(request).cancel(shift, given.reason, checking(request), clock_ms())
    )
    return await shift_answer(request, shift)


async def hand_over(request: web.Request) -> web.Response:
    """Hand a shift over."""
    read_query(request, NoQuery)
    shift = path_uuid(request, "shift")
    given = await read_body(request, HandOver)
    to = None if given.to is None else UUID(given.to)

    async def work(_: SpaceJudge) -> Deed:
        desk = desk_of(request)
        unit = (await desk.shift(shift)).unit
        units = None if unit is None else units_below(unit, plan_units(request))
        return await desk.hand_over(shift, to, given.note, checking(request), units, clock_ms())

    deed = await acted(request, work)
    return hand_over_answer(deed.hand_overs[0], status=201)


def check_who(request: web.Request, unit: str | None, officer: str) -> None:
    """Refuse a unit that is not there for the asker, and an officer who cannot watch it.

    Raises
    ------
    InvalidBody
        As said.
    """
    scope = scope_of(request)
    known = unit is None or any(one.id == unit for one in plan_units(request))
    if not known or not sees(scope, unit):
        named = "headquarters are not yours" if unit is None else f"there is no unit {unit!r}"
        raise InvalidBody(f"unit: {named}; name one that GET /api/v1/units lists", field="unit")
    account = request.app[CONTEXT].accounts.get(officer)
    keeps = account is not None and not account.disabled and Right.KEEP_DUTY in rights_of(account)
    if account is None or not keeps or not sees(units_of(request.app, account), unit):
        raise InvalidBody(
            f"officer: there is no account {officer!r} that keeps duty and sees that unit", field="officer"
        )


async def shift_answer(request: web.Request, shift: UUID, status: int = 200) -> web.Response:
    """The shift as it stands, with its version."""
    with refusals_told():
        row = await desk_of(request).shift(shift)
    handed = await request.app[CONTEXT].store.hand_overs_of([shift])
    return versioned(
        shift_item(row, handed.get(shift)), row.version, status=status, location=f"/api/v1/shifts/{shift}"
    )


SHIFT: Final = {"shift": ShiftId}

ONE: Final = "/api/v1/shifts/{shift}"

ROUTES: Final[tuple[Route, ...]] = (
    Route(
        "GET", "/api/v1/shifts", list_shifts, Right.READ, "Shifts by when they begin; cancelled ones are left out.",
        query=ShiftsQuery, answer=Page[ShiftItem], leads={ONE: {"shift": "/items/0/id"}},
    ),
    Route(
        "POST", "/api/v1/shifts", plan_shift, Right.KEEP_DUTY, "Plan a shift; nobody is on two at once.",
        body=NewShift, answer=ShiftItem, status=201, problems=(409,), versioned=True, leads={ONE: {"shift": "/id"}},
    ),
    Route(
        "GET", "/api/v1/shifts/{shift}", show_shift, Right.READ, "One shift, with its version.",
        path_types=SHIFT, answer=ShiftItem, problems=(404,), versioned=True,
    ),
    Route(
        "PATCH", "/api/v1/shifts/{shift}", edit_shift, Right.KEEP_DUTY,
        "Give a shift another officer, other times or notes; once it has begun, another end or notes.",
        body=ShiftEdit, path_types=SHIFT, answer=ShiftItem, problems=(404, 409), edits=True,
    ),
    Route(
        "POST", "/api/v1/shifts/{shift}/cancel", cancel_shift, Right.KEEP_DUTY, "Cancel a shift that has not begun.",
        body=Cancelled, path_types=SHIFT, answer=ShiftItem, problems=(404, 409), edits=True,
    ),
    Route(
        "POST", "/api/v1/shifts/{shift}/hand-over", hand_over, Right.KEEP_DUTY,
        "Hand a shift over with a note; the open alarms list themselves.",
        body=HandOver, path_types=SHIFT, answer=HandOverItem, status=201, problems=(404, 409), edits=True,
        leads={"/api/v1/hand-overs/{hand_over}": {"hand_over": "/id"}},
    ),
)  # fmt: skip
