"""``/api/v1/situations``: what officers report that no seal sensed; registered, corrected by new versions, followed up, closed.

A restricted one is there for headquarters' accounts with the right alone: for all others no list, count or answer knows of it, but the
answer to who registers it, which says what they have just said.
"""

from __future__ import annotations

from typing import Any, Final
from uuid import uuid4

import msgspec
from aiohttp import web
from msgspec import UNSET

from seal_tracker.clock import clock_ms
from seal_tracker.model import iso_ms
from seal_tracker.situations.rows import SituationRow
from seal_tracker.situations.states import Situation, situation_in
from seal_tracker.store.situation_reads import SituationFilter, SituationPlace, VersionRow
from seal_tracker.supervision.situations import SituationDesk, Told, shown_to
from seal_tracker.web.accounts import Right
from seal_tracker.web.acting import acted, actor_of, checking, paged, path_uuid, place_of
from seal_tracker.web.alarms import moment_ms
from seal_tracker.web.auth import scope_of, sees_restricted
from seal_tracker.web.context import CONTEXT
from seal_tracker.web.cursors import EventCursor, encode_cursor
from seal_tracker.web.errors import Missing
from seal_tracker.web.queries import NoQuery, SpaceQuery, cursor_of, period_of, read_body, read_query
from seal_tracker.web.reading import encoded, known_space
from seal_tracker.web.routes import Route
from seal_tracker.web.scope import units_asked, units_with_below
from seal_tracker.web.situation_bodies import (
    PATH,
    FollowUpBody,
    KindItem,
    NewSituation,
    SituationChange,
    SituationClose,
    SituationReopen,
    SituationsQuery,
    SituationVersion,
    VersionsQuery,
)
from seal_tracker.web.versions import versioned
from seal_tracker.web.wire import Page

__all__ = ["ROUTES"]


async def list_situations(request: web.Request) -> web.Response:
    """Situations, newest first."""
    query = read_query(request, SituationsQuery)
    known_space(request, query.space)
    sees, wanted = sees_restricted(request), None if query.restricted is UNSET else query.restricted
    if wanted and not sees:
        return encoded(Page[Situation]([], None))
    scope, unit = scope_of(request), query.unit or None
    plan = request.app[CONTEXT].live.plan(query.space)
    from_ms, to_ms = period_of(query.from_, query.to)
    which = SituationFilter(
        kind=query.kind or None, severity=query.severity or None, state=query.state or None, journey=query.journey or None,
        units=units_with_below(scope, unit, plan) if query.below else units_asked(scope, unit),
        from_ms=from_ms, to_ms=to_ms, open_at_ms=moment_ms(query.open_at, "open_at"), restricted=wanted if sees else False,
    )  # fmt: skip
    place = place_of(query.after)
    rows, more = await request.app[CONTEXT].store.situations(
        query.space, which, before=SituationPlace(*place) if place else None, limit=query.limit
    )
    return paged(rows, situation_in, lambda row: row.occurred_ms, more=more)


async def list_kinds(request: web.Request) -> web.Response:
    """Which kinds there are."""
    read_query(request, NoQuery)
    kinds = request.app[CONTEXT].config.situation_kinds
    items = [KindItem(kind=name, vi=k.vi, en=k.en, restricted=k.restricted) for name, k in kinds.items()]
    return encoded(Page(items, None))


async def show_situation(request: web.Request) -> web.Response:
    """One situation."""
    query = read_query(request, SpaceQuery)
    known_space(request, query.space)
    return answer_of(await asked_for(request, query.space))


async def list_versions(request: web.Request) -> web.Response:
    """Its versions, newest first."""
    query = read_query(request, VersionsQuery)
    known_space(request, query.space)
    row, cursor = await asked_for(request, query.space), cursor_of(query.after, EventCursor)
    rows, more = await request.app[CONTEXT].store.situation_versions(
        query.space, row.id, before=cursor.sequence if cursor else None, limit=query.limit
    )
    following = encode_cursor(EventCursor(rows[-1].version)) if more else None
    return encoded(Page([version_item(one) for one in rows], following))


async def register_situation(request: web.Request) -> web.Response:
    """Register what happened."""
    query = read_query(request, SpaceQuery)
    known_space(request, query.space)
    given, situation = await read_body(request, NewSituation), uuid4()
    occurred_ms = moment_ms(given.occurred_at, "occurred_at")
    assert occurred_ms is not None
    told = Told(
        id=situation, kind=given.kind, severity=given.severity, unit=given.unit, occurred_ms=occurred_ms,
        narrative=given.narrative, journeys=unique(given.journeys), alarms=unique(given.alarms),
    )  # fmt: skip
    desk = desk_of(request)
    deed = await acted(request, lambda judging: desk.register(judging, told), query.space)
    return answer_of(deed.situations[0].row, status=201)


async def correct_situation(request: web.Request) -> web.Response:
    """Say something else, and why."""
    query = read_query(request, SpaceQuery)
    known_space(request, query.space)
    given, situation = await read_body(request, SituationChange), path_uuid(request, "situation")
    changes: dict[str, Any] = {
        name: value for name, value in msgspec.structs.asdict(given).items() if value is not UNSET
    }
    reason = changes.pop("reason")
    if (occurred_ms := moment_ms(given.occurred_at, "occurred_at")) is not None:
        changes["occurred_at"] = iso_ms(occurred_ms)
    for links in {"journeys", "alarms"} & changes.keys():
        changes[links] = unique(changes[links])
    desk = desk_of(request)
    deed = await acted(
        request,
        lambda judging: desk.correct(judging, situation, changes, reason, checking(request)),
        query.space,
    )
    return answer_of(deed.situations[0].row)


async def follow_up(request: web.Request) -> web.Response:
    """Add what came after."""
    query = read_query(request, SpaceQuery)
    known_space(request, query.space)
    given, situation = await read_body(request, FollowUpBody), path_uuid(request, "situation")
    desk = desk_of(request)
    deed = await acted(request, lambda judging: desk.follow_up(judging, situation, given.text), query.space)
    return answer_of(deed.situations[0].row)


async def close_situation(request: web.Request) -> web.Response:
    """Say that it is over."""
    query = read_query(request, SpaceQuery)
    known_space(request, query.space)
    given, situation = await read_body(request, SituationClose), path_uuid(request, "situation")
    desk = desk_of(request)
    deed = await acted(
        request,
        lambda judging: desk.close(judging, situation, given.outcome, checking(request)),
        query.space,
    )
    return answer_of(deed.situations[0].row)


async def reopen_situation(request: web.Request) -> web.Response:
    """Say that it is not over after all."""
    query = read_query(request, SpaceQuery)
    known_space(request, query.space)
    given, situation = await read_body(request, SituationReopen), path_uuid(request, "situation")
    desk = desk_of(request)
    deed = await acted(
        request,
        lambda judging: desk.reopen(judging, situation, given.reason, checking(request)),
        query.space,
    )
    return answer_of(deed.situations[0].row)


def desk_of(request: web.Request) -> SituationDesk:
    """A desk for one request."""
    context = request.app[CONTEXT]
    return SituationDesk(
        context.store, context.config.situation_kinds, clock_ms, actor_of(request), scope_of(request), sees_restricted(request)
    )  # fmt: skip


async def asked_for(request: web.Request, space: str) -> SituationRow:
    """The situation of the path.

    Raises
    ------
    Missing
        There is none, or none for who asks.
    """
    situation = path_uuid(request, "situation")
    row = await request.app[CONTEXT].store.situation(space, situation)
    if row is None or not shown_to(row, scope_of(request), restricted=sees_restricted(request)):
        raise Missing(f"there is no situation {str(situation)!r}", field="situation")
    return row


def answer_of(row: SituationRow, status: int = 200) -> web.Response:
    """A situation as it stands, with its version."""
    location = f"/api/v1/situations/{row.id}"
    return versioned(situation_in(row), row.version, status=status, location=location)


def version_item(row: VersionRow) -> SituationVersion:
    """A version in outer units."""
    verb: Any = row.verb
    return SituationVersion(
        version=row.version, step=verb, at=iso_ms(row.at_ms), by=row.actor, role=row.role,
        situation=msgspec.json.decode(row.body, type=Situation),
    )  # fmt: skip


def unique(links: list[str]) -> tuple[str, ...]:
    """Each once, as they came."""
    return tuple(dict.fromkeys(links))


ONE: Final = "/api/v1/situations/{situation}"

ROUTES: Final[tuple[Route, ...]] = (
    Route(
        "GET", "/api/v1/situations", list_situations, Right.READ, "Special situations by when they occurred, newest first.",
        query=SituationsQuery, answer=Page[Situation], problems=(404,), leads={ONE: {"situation": "/items/0/id"}},
    ),
    Route(
        "POST", "/api/v1/situations", register_situation, Right.KEEP_DUTY,
        "Register what happened and no seal sensed. Of a restricted kind it is there from then on for few alone.",
        query=SpaceQuery, body=NewSituation, answer=Situation, status=201, problems=(404,), versioned=True,
        leads={ONE: {"situation": "/id"}},
    ),
    Route("GET", "/api/v1/situations/kinds", list_kinds, Right.READ, "Which kinds of situations there are.", answer=Page[KindItem]),
    Route(
        "GET", ONE, show_situation, Right.READ, "One situation, with its follow-ups.",
        query=SpaceQuery, path_types=PATH, answer=Situation, problems=(404,), versioned=True,
    ),
    Route(
        "GET", f"{ONE}/versions", list_versions, Right.READ, "Everything that it ever said, newest first: who, when, and why.",
        query=VersionsQuery, path_types=PATH, answer=Page[SituationVersion], problems=(404,),
    ),
    Route(
        "POST", f"{ONE}/correct", correct_situation, Right.KEEP_DUTY, "Make a version that says something else, with the reason.",
        query=SpaceQuery, body=SituationChange, path_types=PATH, answer=Situation, edits=True, problems=(404,),
    ),
    Route(
        "POST", f"{ONE}/follow-ups", follow_up, Right.KEEP_DUTY, "Add what came after; what is there stays.",
        query=SpaceQuery, body=FollowUpBody, path_types=PATH, answer=Situation, problems=(404, 409), versioned=True,
    ),
    Route(
        "POST", f"{ONE}/close", close_situation, Right.KEEP_DUTY, "Say that it is over, and what came of it.",
        query=SpaceQuery, body=SituationClose, path_types=PATH, answer=Situation, edits=True, problems=(404, 409),
    ),
    Route(
        "POST", f"{ONE}/reopen", reopen_situation, Right.KEEP_DUTY, "Say that it is not over after all, and why.",
        query=SpaceQuery, body=SituationReopen, path_types=PATH, answer=Situation, edits=True, problems=(404, 409),
    ),
)  # fmt: skip
