"""``/api/v1/alarms/{alarm}/…``: what persons do with alarms. Two who act at once: one is first, the other is told who."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from seal_tracker.alarms.life_cycle import Act, ClosingCode
from seal_tracker.alarms.rows import alarm_in
from seal_tracker.alarms.states import Verb
from seal_tracker.clock import clock_ms
from seal_tracker.deeds import Deed
from seal_tracker.prepared import Prepared
from seal_tracker.publishing.cloudevents import AlarmState
from seal_tracker.space import SpaceJudge
from seal_tracker.store.records import AlarmRow
from seal_tracker.supervision.alarms import AlarmDesk, Outcome
from seal_tracker.supervision.errors import WrongState
from seal_tracker.supervision.journey_orders import Order
from seal_tracker.supervision.journeys import JourneyDesk
from seal_tracker.supervision.life_cycle import Verb as JourneyVerb
from seal_tracker.web.accounts import Right
from seal_tracker.web.acting import path_uuid
from seal_tracker.web.alarms import ALARM_ID, AlarmId, AlarmItem, alarm_answer, moment_ms
from seal_tracker.web.auth import PRINCIPAL, scope_of
from seal_tracker.web.context import CONTEXT
from seal_tracker.web.errors import Conflict, InvalidBody, Outdated
from seal_tracker.web.queries import Id, Moment, Said, SpaceQuery, read_body, read_query
from seal_tracker.web.reading import encoded, known_space
from seal_tracker.web.refusals import refusals_told
from seal_tracker.web.routes import Route
from seal_tracker.web.versions import check_version

__all__ = ["ROUTES"]

"""What a person says: any text that the database can hold."""

Whom = Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*\Z")]

AT_ONCE: Final = 500
"""Alarms acknowledged by one request."""


class AlarmNote(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A note."""

    note: Said


class AlarmNoted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing but, if one likes, a note."""

    note: Said | None = None


class AlarmAssign(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """To whom: an account."""

    to: Whom
    note: Said | None = None


class AlarmDispatch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who is sent."""

    to: Whom
    note: Said | None = None


class AlarmSetAside(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Until when, and why."""

    until: Moment
    reason: Said
    note: Said | None = None


class AlarmDivert(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The route that the alarm's journey follows from now on (null: none), and why."""

    route: Id | None
    reason: Said
    note: Said | None = None


class AlarmClose(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why it is closed; ``reset`` also ends its episode, where that is latched."""

    code: ClosingCode
    note: Said | None = None
    reset: bool = False


MANY_BYTES: Final = 64 * 1024
"""Ids of ``AT_ONCE`` alarms are 20 KB."""


class AlarmsAck(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which alarms are acknowledged."""

    ids: Annotated[list[AlarmId], msgspec.Meta(min_length=1, max_length=AT_ONCE)]
    note: Said | None = None


class AckedItem(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one alarm: as it stands now, and why nothing was done to it where ``done`` is false."""

    alarm: str
    done: bool
    state: str | None
    version: int | None
    acked_by: str | None
    acked_at: str | None
    detail: str | None


class AckedAnswer(msgspec.Struct, frozen=True):
    """What became of each alarm."""

    items: Sequence[AckedItem]


Body = AlarmNote | AlarmNoted | AlarmAssign | AlarmDispatch | AlarmDivert | AlarmSetAside | AlarmClose


async def acted(request: web.Request, verb: Verb, kind: type[Any], *, edits: bool) -> web.Response:
    """Do something to one alarm, and tell how it stands then. ``edits``: only to the version that ``If-Match`` names."""
    query = read_query(request, SpaceQuery)
    known_space(request, query.space)
    body = await read_body(request, kind)
    alarm, said, order = path_uuid(request, "alarm"), said_of(request, body), order_of(request, body)
    desk, scope = desk_of(request), scope_of(request)

    def check(row: AlarmRow) -> None:
        if edits or request.if_match:
            checked(request, row)

    async def work(judging: SpaceJudge) -> tuple[Prepared, Deed]:
        return await desk.one(judging, alarm, act_of(request, verb, said), scope, check, order)

    with refusals_told():
        try:
            await request.app[CONTEXT].live.act(query.space, work)
        except WrongState as refused:
            raise Conflict(str(refused), members=standing(desk.outcomes[-1].row)) from refused
    row = desk.outcomes[-1].row
    assert row is not None
    return await alarm_answer(request, query.space, row)


async def ack_many(request: web.Request) -> web.Response:
    """Acknowledge alarms, each whatever becomes of the others, and tell what became of each."""
    query = read_query(request, SpaceQuery)
    known_space(request, query.space)
    body = await read_body(request, AlarmsAck, MANY_BYTES)
    desk, scope, said = desk_of(request), scope_of(request), {"note": body.note}

    async def work(judging: SpaceJudge) -> tuple[Prepared, Deed]:
        return await desk.many(judging, map(UUID, body.ids), act_of(request, "ack", said), scope)

    await request.app[CONTEXT].live.act(query.space, work)
    became = {outcome.alarm: acked_item(outcome) for outcome in desk.outcomes}
    return encoded(AckedAnswer([became[UUID(alarm)] for alarm in dict.fromkeys(body.ids)]))


def desk_of(request: web.Request) -> AlarmDesk:
    """A desk for one request."""
    context = request.app[CONTEXT]
    journeys = JourneyDesk(context.store, context.config.tenant, clock_ms, scope_of(request))
    return AlarmDesk(context.store, context.config.alarm_terms, clock_ms, journeys)


def act_of(request: web.Request, verb: Verb, said: Mapping[str, Any]) -> Callable[[int], Act]:
    """What the asker does, at a moment."""
    account = request[PRINCIPAL].account
    return lambda at_ms: Act(verb=verb, by=account.username, role=str(account.role), at_ms=at_ms, **said)


def said_of(request: web.Request, body: Body) -> dict[str, Any]:
    """What a body says, as an act has it.

    Raises
    ------
    InvalidBody
        There is no such account, or the time is none.
    """
    said: dict[str, Any] = msgspec.structs.asdict(body)
    if isinstance(body, AlarmAssign) and request.app[CONTEXT].accounts.get(body.to) is None:
        raise InvalidBody(f"to: there is no account {body.to!r}", field="to")
    said.pop("reset", None)
    if "route" in said:
        said["to"] = said.pop("route")
    until: datetime | None = said.pop("until", None)
    return said if until is None else {**said, "until_ms": moment_ms(until, "until")}


def order_of(request: web.Request, body: Body) -> Callable[[AlarmState, int], Order] | None:
    """What a body orders of the alarm's journey, given the alarm and the time."""
    by = request[PRINCIPAL].account.username
    if isinstance(body, AlarmDivert):
        route, reason = body.route, body.reason
        return lambda _alarm, at_ms: Order(
            verb=JourneyVerb.DIVERT, at_ms=at_ms, by=by, route=route, reason=reason
        )
    if isinstance(body, AlarmClose) and body.reset:
        return lambda alarm, at_ms: Order(
            verb=JourneyVerb.RESET, at_ms=at_ms, by=by, rule=alarm.type, object=alarm.object
        )
    return None


def checked(request: web.Request, row: AlarmRow) -> None:
    """Refuse who has not seen the newest version, and tell who has made it.

    Raises
    ------
    NoVersion, Outdated
        As their names say.
    """
    try:
        check_version(request, row.version)
    except Outdated as outdated:
        alarm = alarm_in(row)
        who = f"{alarm.changed_by} changed it at {alarm.changed_at}" if alarm.changed_by else "it has changed"
        raise Outdated(
            f"{who}: it is {alarm.state.replace('_', ' ')} now; read it again",
            field=outdated.field,
            members=standing(row),
        ) from outdated


def standing(row: AlarmRow | None) -> dict[str, Any]:
    """How an alarm stands, for who was too late: what it is now, and by whom."""
    if row is None:
        return {}
    names = ("state", "version", "acked_by", "acked_at", "changed_by", "changed_at")
    alarm = alarm_in(row)
    return {name: getattr(alarm, name) for name in names}


def acked_item(outcome: Outcome) -> AckedItem:
    """What became of an alarm in outer units."""
    alarm = None if outcome.row is None else alarm_in(outcome.row)
    return AckedItem(
        alarm=str(outcome.alarm),
        done=outcome.refused is None,
        state=alarm.state if alarm else None,
        version=alarm.version if alarm else None,
        acked_by=alarm.acked_by if alarm else None,
        acked_at=alarm.acked_at if alarm else None,
        detail=None if outcome.refused is None else str(outcome.refused),
    )


def _handler(verb: Verb, kind: type[Any], *, edits: bool) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        return await acted(request, verb, kind, edits=edits)

    handle.__name__ = f"{verb}_alarm"
    return handle


def _route(verb: Verb, kind: type[Any], right: Right, summary: str, *, edits: bool) -> Route:
    return Route(
        "POST", f"/api/v1/alarms/{{alarm}}/{verb}", _handler(verb, kind, edits=edits), right, summary,
        query=SpaceQuery, body=kind, path_types=ALARM_ID, answer=AlarmItem, edits=edits, may_match=not edits,
        versioned=True, problems=(404, 409),
    )  # fmt: skip


ROUTES: Final[tuple[Route, ...]] = (
    Route(
        "POST", "/api/v1/alarms/ack", ack_many, Right.HANDLE_ALARMS,
        "Acknowledge several alarms, and tell what became of each.",
        query=SpaceQuery, body=AlarmsAck, answer=AckedAnswer, problems=(404,),
    ),
    _route("ack", AlarmNoted, Right.HANDLE_ALARMS, "Acknowledge it: somebody has seen it.", edits=False),
    _route("note", AlarmNote, Right.HANDLE_ALARMS, "Write a note on it.", edits=False),
    _route("assign", AlarmAssign, Right.HANDLE_ALARMS, "Give it to somebody.", edits=True),
    _route("dispatch", AlarmDispatch, Right.HANDLE_ALARMS, "Send somebody there.", edits=True),
    _route("divert", AlarmDivert, Right.ORDER, "Order its journey to follow another route.", edits=True),
    _route("shelve", AlarmSetAside, Right.HANDLE_ALARMS, "Set it aside, for a day at most.", edits=True),
    _route("unshelve", AlarmNoted, Right.HANDLE_ALARMS, "Take it off the shelf.", edits=True),
    _route("suppress", AlarmSetAside, Right.ORDER, "Suppress it by design: for works that are planned.", edits=True),
    _route("unsuppress", AlarmNoted, Right.ORDER, "Suppress it no more.", edits=True),
    _route("close", AlarmClose, Right.HANDLE_ALARMS, "Close it, with the reason.", edits=True),
)  # fmt: skip
