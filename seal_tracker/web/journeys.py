"""``/api/v1/journeys``: declared, imported, listed, and what persons order of them. Translation alone; see ``supervision``."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from seal_tracker.clock import clock_ms
from seal_tracker.deeds import Deed
from seal_tracker.journey_record import read_record
from seal_tracker.prepared import Prepared
from seal_tracker.space import SpaceJudge
from seal_tracker.store.filters import JourneyFilter
from seal_tracker.store.journey_rows import JourneyRow
from seal_tracker.supervision.journey_changes import Actor
from seal_tracker.supervision.journey_reading import (
    CSV,
    JSON_LINES,
    read_declaration,
    read_declarations,
    references_of,
)
from seal_tracker.supervision.journeys import JourneyDesk, seen_by
from seal_tracker.supervision.life_cycle import Verb
from seal_tracker.web.accounts import Right
from seal_tracker.web.auth import PRINCIPAL, scope_of
from seal_tracker.web.context import CONTEXT
from seal_tracker.web.cursors import NameCursor, encode_cursor
from seal_tracker.web.errors import InvalidBody, WrongContentType
from seal_tracker.web.journey_amending import amending
from seal_tracker.web.journey_answers import journey_answer, journey_items
from seal_tracker.web.journey_bodies import (
    BODIES,
    AmendBody,
    Declaration,
    ImportAnswer,
    JourneyDetail,
    JourneyItem,
    JourneysQuery,
    order_of,
)
from seal_tracker.web.queries import (
    SpaceQuery,
    cursor_of,
    path_id,
    period_of,
    read_body,
    read_content,
    read_query,
)
from seal_tracker.web.reading import encoded, known_space
from seal_tracker.web.refusals import faulty, refusals_told
from seal_tracker.web.routes import Route
from seal_tracker.web.scope import sees, units_asked
from seal_tracker.web.versions import check_version
from seal_tracker.web.wire import Page

__all__ = ["ROUTES"]

IMPORT_BYTES: Final = 16 * 1024 * 1024
"""A file of journeys: 10,000 lines are 3 MB."""

KINDS: Final = {
    "text/csv": CSV,
    "application/x-ndjson": JSON_LINES,
    "application/jsonl": JSON_LINES,
    "application/json-lines": JSON_LINES,
}

RIGHTS: Final = {
    Verb.ASSIGN: Right.KEEP_JOURNEYS,
    Verb.ARM: Right.KEEP_JOURNEYS,
    Verb.DISARM: Right.KEEP_JOURNEYS,
    Verb.TRANSFER: Right.KEEP_JOURNEYS,
    Verb.CLOSE: Right.KEEP_JOURNEYS,
    Verb.SUSPEND: Right.ORDER,
    Verb.RESUME: Right.ORDER,
    Verb.DIVERT: Right.ORDER,
    Verb.AUTHORISE: Right.ORDER,
    Verb.CANCEL: Right.ORDER,
    Verb.RESET: Right.HANDLE_ALARMS,
    Verb.AMEND: Right.KEEP_JOURNEYS,
    Verb.CORRECT: Right.ORDER,
}

SUMMARIES: Final = {
    Verb.ASSIGN: "Assign seal and devices, before arming.",
    Verb.ARM: "The seal was locked: judging begins.",
    Verb.DISARM: "The seal was opened at the end: judging ends.",
    Verb.TRANSFER: "Another seal, device or vehicle takes over on the way.",
    Verb.CLOSE: "Close a journey that was disarmed, with a reason code and a note.",
    Verb.SUSPEND: "Stop judging route, stops and times; never what the seal says of itself.",
    Verb.RESUME: "Judge a suspended journey again.",
    Verb.DIVERT: "Another route from a time on.",
    Verb.AUTHORISE: "Leave to unlock, at a place, for a time.",
    Verb.CANCEL: "Call a journey off; under way only with a reason.",
    Verb.RESET: "A latched episode is dealt with.",
    Verb.AMEND: "What was declared is otherwise: cargo, container, vehicle, carrier, consignee, expected arrival.",
    Verb.CORRECT: "An order was recorded wrongly: it took effect at another time, or never.",
}


async def list_journeys(request: web.Request) -> web.Response:
    """Journeys by id, each with where its lead device was last seen."""
    query = read_query(request, JourneysQuery)
    known_space(request, query.space)
    cursor = cursor_of(query.after, NameCursor)
    from_ms, to_ms = period_of(query.from_, query.to)
    which = JourneyFilter(
        units=units_asked(scope_of(request), query.unit or None),
        state=query.state or None,
        regime=query.regime or None,
        route=query.route or None,
        seal=query.seal or None,
        box=query.box or None,
        text=query.text or None,
        from_ms=from_ms,
        to_ms=to_ms,
    )
    store = request.app[CONTEXT].store
    rows, more = await store.journeys(
        query.space, which, after=cursor.name if cursor else "", limit=query.limit
    )
    items = await journey_items(request, query.space, rows)
    following = encode_cursor(NameCursor(rows[-1].id)) if more else None
    return encoded({"items": items, "next": following})


async def show_journey(request: web.Request) -> web.Response:
    """One journey with its history."""
    query = read_query(request, SpaceQuery)
    known_space(request, query.space)
    name = path_id(request, "id")
    with refusals_told():
        row = seen_by(await request.app[CONTEXT].store.journey(query.space, name), name, scope_of(request))
    return await journey_answer(request, query.space, row)


async def declare_journey(request: web.Request) -> web.Response:
    """Take in one journey."""
    query = read_query(request, SpaceQuery)
    known_space(request, query.space)
    body = await read_body(request, Declaration)
    values: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(body))
    record, faults = read_declaration(
        values, references_of(request.app[CONTEXT].live.plan(query.space)), clock_ms()
    )
    if record is None:
        raise faulty(faults, "the journey cannot be declared so", faults[0].where if faults else None)
    if not sees(scope_of(request), record.unit):
        wrong = f"{record.unit!r} is not yours to declare for" if record.unit else "is missing"
        raise InvalidBody(f"unit: {wrong}; name a unit of yours", field="unit")
    desk, actor = _desk(request), _actor(request)
    with refusals_told():
        await request.app[CONTEXT].live.act(query.space, lambda judging: desk.declare(judging, record, actor))
    row = await request.app[CONTEXT].store.journey(query.space, record.id)
    assert row is not None, "it was just committed"
    answer = await journey_answer(request, query.space, row, status=201)
    answer.headers["Location"] = f"{PATH}/{row.id}"
    return answer


async def import_journeys(request: web.Request) -> web.Response:
    """Take in a file of journeys, or nothing of it."""
    query = read_query(request, SpaceQuery)
    known_space(request, query.space)
    kind = KINDS.get(request.content_type)
    if kind is None:
        raise WrongContentType(
            f"send text/csv or application/x-ndjson, not {request.content_type}", field="Content-Type"
        )
    content = await read_content(request, IMPORT_BYTES)
    references = references_of(request.app[CONTEXT].live.plan(query.space))
    scope = scope_of(request)
    read = await asyncio.to_thread(read_declarations, content, kind, references, clock_ms(), scope)
    desk, actor = _desk(request), _actor(request)
    with refusals_told():
        await request.app[CONTEXT].live.act(
            query.space, lambda judging: desk.import_all(judging, read, actor)
        )
    return encoded(ImportAnswer(imported=len(read.records)), status=201)


def ordering(verb: Verb) -> Handler:
    """The handler of one verb."""

    async def order_journey(request: web.Request) -> web.Response:
        query = read_query(request, SpaceQuery)
        known_space(request, query.space)
        name, scope = path_id(request, "id"), scope_of(request)
        body = await read_body(request, BODIES[verb])
        desk, actor, store = _desk(request), _actor(request), request.app[CONTEXT].store
        done: list[JourneyRow] = []

        async def work(judging: SpaceJudge) -> tuple[Prepared, Deed]:
            row = seen_by(await store.journey(query.space, name), name, scope)
            check_version(request, row.version)
            order = (
                amending(request, query.space, read_record(row.body), body, clock_ms())
                if isinstance(body, AmendBody)
                else order_of(verb, body, actor.name, clock_ms())
            )
            change, found = await desk.order(judging, row, order, actor)
            done.append(change.row)
            return found

        with refusals_told():
            await request.app[CONTEXT].live.act(query.space, work)
        return await journey_answer(request, query.space, done[-1])

    return order_journey


def _desk(request: web.Request) -> JourneyDesk:
    context = request.app[CONTEXT]
    only = context.config.seals_registered_only
    return JourneyDesk(
        context.store, context.config.tenant, clock_ms, scope_of(request), registered_only=only
    )


def _actor(request: web.Request) -> Actor:
    account = request[PRINCIPAL].account
    return Actor(account.username, account.role)


PATH: Final = "/api/v1/journeys"
ONE: Final = f"{PATH}/{{id}}"

ROUTES: Final[tuple[Route, ...]] = (
    Route(
        "GET", PATH, list_journeys, Right.READ, "Journeys by id, each with where it was last seen.",
        query=JourneysQuery, answer=Page[JourneyItem], problems=(404,),
        leads={
            ONE: {"id": "/items/0/id"},
            "/api/v1/tracks/{journey}": {"journey": "/items/0/id"},
            "/api/v1/ledger/bundles/{journey}": {"journey": "/items/0/id"},
            "/api/v1/episodes": {"journey": "/items/0/id"},
            "/api/v1/events": {"journey": "/items/0/id"},
            "/api/v1/alarms": {"journey": "/items/0/id"},
        },
    ),
    Route(
        "POST", PATH, declare_journey, Right.KEEP_JOURNEYS, "Declare a journey.",
        query=SpaceQuery, body=Declaration, answer=JourneyDetail, status=201, problems=(404, 409),
        versioned=True, leads={ONE: {"id": "/id"}},
    ),
    Route(
        "POST", f"{PATH}/import", import_journeys, Right.KEEP_JOURNEYS, "Declare many journeys, CSV or JSON Lines, or none.",
        query=SpaceQuery, body=str, takes=("text/csv", "application/x-ndjson"), answer=ImportAnswer, status=201, problems=(404,),
    ),
    Route(
        "GET", f"{PATH}/{{id:(?!import$)[^/]+}}", show_journey, Right.READ, "One journey with its history.",
        query=SpaceQuery, answer=JourneyDetail, problems=(404,), versioned=True,
    ),
    *(
        Route(
            "POST", f"{PATH}/{{id}}/{verb}", ordering(verb), RIGHTS[verb], SUMMARIES[verb],
            query=SpaceQuery, body=BODIES[verb], answer=JourneyDetail, edits=True, problems=(404, 409),
        )
        for verb in Verb
    ),
)  # fmt: skip
