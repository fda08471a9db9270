"""``/api/v1/hand-overs``: what shifts left to the next, and who took it."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from seal_tracker.clock import clock_ms
from seal_tracker.store.duty_rows import HandOverRow
from seal_tracker.web.accounts import Right
from seal_tracker.web.acting import acted, checking, paged, path_uuid, place_of
from seal_tracker.web.context import CONTEXT
from seal_tracker.web.duty_answers import hand_over_item, hand_over_line
from seal_tracker.web.duty_bodies import HandOverItem, HandOverLine, HandOversQuery, ShiftId
from seal_tracker.web.duty_requests import desk_of, shifts_asked
from seal_tracker.web.queries import NoQuery, read_query
from seal_tracker.web.refusals import refusals_told
from seal_tracker.web.routes import Route
from seal_tracker.web.versions import versioned
from seal_tracker.web.wire import Page

__all__ = ["ROUTES", "hand_over_answer"]


async def list_hand_overs(request: web.Request) -> web.Response:
    """Hand-overs, newest first."""
    query = read_query(request, HandOversQuery)
    rows, more = await request.app[CONTEXT].store.hand_overs(
        shifts_asked(request, query), waiting=query.waiting, after=place_of(query.after), limit=query.limit
    )
    return paged(rows, hand_over_line, lambda row: row.handed_ms, more=more)


async def show_hand_over(request: web.Request) -> web.Response:
    """One hand-over."""
    read_query(request, NoQuery)
    with refusals_told():
        return hand_over_answer(await desk_of(request).seen(path_uuid(request, "hand_over")))


async def take(request: web.Request) -> web.Response:
    """Take over."""
    read_query(request, NoQuery)
    wanted = path_uuid(request, "hand_over")
    deed = await acted(request, lambda _: desk_of(request).take(wanted, checking(request), clock_ms()))
    return hand_over_answer(deed.hand_overs[0])


def hand_over_answer(row: HandOverRow, status: int = 200) -> web.Response:
    """The hand-over with its version."""
    return versioned(hand_over_item(row), row.version, status=status, location=f"/api/v1/hand-overs/{row.id}")


HAND_OVER: Final = {"hand_over": ShiftId}

ROUTES: Final[tuple[Route, ...]] = (
    Route(
        "GET", "/api/v1/hand-overs", list_hand_overs, Right.READ, "Hand-overs, newest first, without their alarms.",
        query=HandOversQuery, answer=Page[HandOverLine], leads={"/api/v1/hand-overs/{hand_over}": {"hand_over": "/items/0/id"}},
    ),
    Route(
        "GET", "/api/v1/hand-overs/{hand_over}", show_hand_over, Right.READ, "One hand-over, with its version.",
        path_types=HAND_OVER, answer=HandOverItem, problems=(404,), versioned=True,
    ),
    Route(
        "POST", "/api/v1/hand-overs/{hand_over}/take", take, Right.KEEP_DUTY, "Take over.",
        path_types=HAND_OVER, answer=HandOverItem, problems=(404, 409), edits=True,
    ),
)  # fmt: skip
