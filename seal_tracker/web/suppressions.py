"""``/api/v1/suppressions``: orders by which alarms are suppressed by design before there are any, listed, changed and cancelled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Final
from uuid import UUID, uuid4

import msgspec
from aiohttp import web
from msgspec import UNSET, UnsetType

from seal_tracker.alarms.suppressions import Circle, StateName, Suppression, order_in, state_at
from seal_tracker.clock import clock_ms
from seal_tracker.model import iso_ms
from seal_tracker.store.suppression_reads import SuppressionPlace
from seal_tracker.supervision.suppressions import SuppressionDesk
from seal_tracker.web.accounts import Right
from seal_tracker.web.acting import acted, actor_of, checking, now_of, paged, path_uuid, place_of
from seal_tracker.web.alarms import AlarmId, AlarmStep, moment_ms, step_item
from seal_tracker.web.auth import PRINCIPAL, scope_of
from seal_tracker.web.context import CONTEXT
from seal_tracker.web.errors import Missing
from seal_tracker.web.queries import (
    EventType,
    Id,
    Moment,
    PageQuery,
    Said,
    SpaceQuery,
    read_body,
    read_query,
)
from seal_tracker.web.reading import known_space
from seal_tracker.web.routes import Route
from seal_tracker.web.versions import versioned
from seal_tracker.web.wire import Page

if TYPE_CHECKING:
    from seal_tracker.store.records import SuppressionRow

__all__ = ["ROUTES"]

SuppressionId = AlarmId
PATH: Final = {"suppression": SuppressionId}
HISTORY_TOLD: Final = 200

Types = Annotated[list[EventType], msgspec.Meta(max_length=100)]


class SuppressionsQuery(PageQuery, frozen=True, forbid_unknown_fields=True):
    """Orders, those that begin last first; ``standing``: those alone by which alarms are suppressed now."""

    standing: bool = False


class SuppressionCircle(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A place, in degrees, and how far around it."""

    lon: Annotated[float, msgspec.Meta(ge=-180, le=180)]
    lat: Annotated[float, msgspec.Meta(ge=-90, le=90)]
    radius_m: Annotated[float, msgspec.Meta(gt=0, le=1_000_000)]


class NewSuppression(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"from_": "from"}
):
    """Which alarms, of what is raised in [from, until): all that is named must hold. ``from`` is now where nothing is said; ``unit``
    includes those below it. ``equipment``, of which neither seal nor journey nor place is named, is in planned maintenance then.
    """

    until: Moment
    reason: Said
    from_: Moment | UnsetType = UNSET
    types: Types = []
    seal: Id | None = None
    journey: Id | None = None
    unit: Id | None = None
    zone: Id | None = None
    circle: SuppressionCircle | None = None
    equipment: Id | None = None


class SuppressionChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When it is to end, and why."""

    until: Moment
    reason: Said


class SuppressionCancel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why it is taken back."""

    reason: Said


class SuppressionLine(Suppression, frozen=True, kw_only=True):
    """An order in a list, and where it is in its life."""

    state: StateName


class SuppressionItem(SuppressionLine, frozen=True, kw_only=True):
    """An order, how many alarms it suppresses now, and its versions, newest first."""

    alarms: int
    history: Sequence[AlarmStep]


async def list_suppressions(request: web.Request) -> web.Response:
    """Orders, those that begin last first."""
    query = read_query(request, SuppressionsQuery)
    known_space(request, query.space)
    place, now_ms = place_of(query.after), now_of(request, query.space)
    rows, more = await request.app[CONTEXT].store.suppressions(
        query.space,
        standing_at_ms=now_ms if query.standing else None,
        scope=scope_of(request),
        before=SuppressionPlace(*place) if place else None,
        limit=query.limit,
    )
    return paged(rows, lambda row: line_of(row, now_ms), lambda row: row.from_ms, more=more)


async def show_suppression(request: web.Request) -> web.Response:
    """One order."""
    query = read_query(request, SpaceQuery)
    known_space(request, query.space)
    return await suppression_answer(request, query.space, path_uuid(request, "suppression"))


async def order_suppression(request: web.Request) -> web.Response:
    """Give an order."""
    query = read_query(request, SpaceQuery)
    known_space(request, query.space)
    given = await read_body(request, NewSuppression)
    order, by = uuid4(), request[PRINCIPAL].account.username
    from_ms, until_ms = moment_ms(given.from_, "from"), moment_ms(given.until, "until")
    assert until_ms is not None

    def wanted(now_ms: int) -> Suppression:
        now = iso_ms(now_ms)
        return Suppression(
            id=str(order), types=tuple(sorted(set(given.types))), seal=given.seal, journey=given.journey, unit=given.unit,
            zone=given.zone, circle=None if given.circle is None else Circle(**msgspec.structs.asdict(given.circle)), equipment=given.equipment,
            from_at=iso_ms(now_ms if from_ms is None else from_ms), until=iso_ms(until_ms), reason=given.reason,
            made_by=by, made_at=now, changed_by=by, changed_at=now,
        )  # fmt: skip

    await acted(request, lambda judging: desk_of(request).order(judging, wanted), query.space)
    return await suppression_answer(request, query.space, order, status=201)


async def change_suppression(request: web.Request) -> web.Response:
    """Let an order end at another time."""
    query = read_query(request, SpaceQuery)
    known_space(request, query.space)
    given, order = await read_body(request, SuppressionChange), path_uuid(request, "suppression")
    until_ms = moment_ms(given.until, "until")
    assert until_ms is not None
    desk = desk_of(request)
    await acted(
        request,
        lambda judging: desk.change(judging, order, until_ms, given.reason, checking(request)),
        query.space,
    )
    return await suppression_answer(request, query.space, order)


async def cancel_suppression(request: web.Request) -> web.Response:
    """Take an order back."""
    query = read_query(request, SpaceQuery)
    known_space(request, query.space)
    given, order = await read_body(request, SuppressionCancel), path_uuid(request, "suppression")
    desk = desk_of(request)
    await acted(
        request, lambda judging: desk.cancel(judging, order, given.reason, checking(request)), query.space
    )
    return await suppression_answer(request, query.space, order)


def desk_of(request: web.Request) -> SuppressionDesk:
    """A desk for one request."""
    context = request.app[CONTEXT]
    return SuppressionDesk(
        context.store, context.config.alarm_terms, clock_ms, actor_of(request), scope_of(request)
    )


async def suppression_answer(
    request: web.Request, space: str, order: UUID, status: int = 200
) -> web.Response:
    """An order as it stands, with its version."""
    store, scope = request.app[CONTEXT].store, scope_of(request)
    row = await store.suppression(space, order)
    if row is None or not (scope is None or row.unit in scope):
        raise Missing(f"there is no suppression {str(order)!r}", field="suppression")
    steps = await store.actions_of(space, f"suppression/{order}", limit=HISTORY_TOLD)
    item = SuppressionItem(
        **msgspec.structs.asdict(line_of(row, now_of(request, space))),
        alarms=len(await store.alarms_suppressed_by(space, order)),
        history=[step_item(step) for step in steps],
    )
    return versioned(item, row.version, status=status, location=f"/api/v1/suppressions/{order}")


def line_of(row: SuppressionRow, now_ms: int) -> SuppressionLine:
    """An order of a list."""
    order = order_in(row)
    return SuppressionLine(**msgspec.structs.asdict(order), state=state_at(order, now_ms))


ONE: Final = "/api/v1/suppressions/{suppression}"

ROUTES: Final[tuple[Route, ...]] = (
    Route(
        "GET", "/api/v1/suppressions", list_suppressions, Right.READ,
        "Orders that suppress alarms by design, those that begin last first.",
        query=SuppressionsQuery, answer=Page[SuppressionLine], problems=(404,), leads={ONE: {"suppression": "/items/0/id"}},
    ),
    Route(
        "POST", "/api/v1/suppressions", order_suppression, Right.ORDER,
        "Suppress alarms by design before there are any: by type, seal, journey, equipment, unit, place and time.",
        query=SpaceQuery, body=NewSuppression, answer=SuppressionItem, status=201, problems=(404,), versioned=True,
        leads={ONE: {"suppression": "/id"}},
    ),
    Route(
        "GET", "/api/v1/suppressions/{suppression}", show_suppression, Right.READ, "One order, with its versions.",
        query=SpaceQuery, path_types=PATH, answer=SuppressionItem, problems=(404,), versioned=True,
    ),
    Route(
        "POST", "/api/v1/suppressions/{suppression}/change", change_suppression, Right.ORDER,
        "Let it end at another time; what it has suppressed comes back then.",
        query=SpaceQuery, body=SuppressionChange, path_types=PATH, answer=SuppressionItem, edits=True, problems=(404, 409),
    ),
    Route(
        "POST", "/api/v1/suppressions/{suppression}/cancel", cancel_suppression, Right.ORDER,
        "Take it back; what it has suppressed calls again.",
        query=SpaceQuery, body=SuppressionCancel, path_types=PATH, answer=SuppressionItem, edits=True, problems=(404, 409),
    ),
)  # fmt: skip
