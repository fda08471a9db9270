"""``/api/v1/journeys/{id}/unseen``: which stretches of a journey no camera or reader saw, since it was offline."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
import numpy as np
from aiohttp import web

from seal_tracker.equipment.availability import Piece, stays_of
from seal_tracker.equipment.coverage import Unseen, Way, unseen
from seal_tracker.equipment.intervals import ended_by
from seal_tracker.model import LIVE, PingBatch, iso_ms
from seal_tracker.web.accounts import Right
from seal_tracker.web.auth import scope_of
from seal_tracker.web.context import CONTEXT
from seal_tracker.web.errors import Missing
from seal_tracker.web.queries import SpaceQuery, path_id, read_query
from seal_tracker.web.reading import encoded, known_space
from seal_tracker.web.routes import Route

if TYPE_CHECKING:
    from seal_tracker.plans import Journey, Plan
    from seal_tracker.plans.model import Equipment

__all__ = ["ROUTES"]


class UnseenQuery(SpaceQuery, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How far a piece sees, metres."""

    within_m: Annotated[float, msgspec.Meta(gt=0, le=10_000)] = 200.0


class UnseenItem(msgspec.Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """A stretch within reach of equipment that was offline then: times, metres along the route (null: on none), and others of that kind
    that saw all of it.
    """

    equipment: str
    kind: str
    unit: str | None
    from_: str
    to: str
    from_m: float | None
    to_m: float | None
    seen_by: Sequence[str]


class UnseenAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The stretches of a journey, in order of time."""

    journey: str
    within_m: float
    items: Sequence[UnseenItem]


async def show_unseen(request: web.Request) -> web.Response:
    """Stretches of a journey that equipment beside it did not see."""
    query = read_query(request, UnseenQuery)
    known_space(request, query.space)
    name, context, scope = path_id(request, "id"), request.app[CONTEXT], scope_of(request)
    journey = await context.live.journey(query.space, name)
    if journey is None or (scope is not None and journey.unit not in scope):
        raise Missing(
            f"there is no journey {name!r} that was armed; GET /api/v1/journeys lists them", field="journey"
        )
    versions = context.live.plan_versions(query.space)
    tracks = await context.live.tracks(query.space, journey)
    leads = {served.device for served in journey.served if served.leads}
    pings = [track.pings for track in tracks if track.device in leads and len(track.pings)]
    items: list[UnseenItem] = []
    if pings:
        way = await asyncio.to_thread(way_of, PingBatch.concat(pings), journey, versions[-1][1])
        items = [item_of(one, way) for one in await missed(request, query, way, places_of(versions, scope))]
    return encoded(UnseenAnswer(journey=journey.id, within_m=query.within_m, items=items))


async def missed(
    request: web.Request, query: UnseenQuery, way: Way, places: Mapping[Piece, Equipment]
) -> Sequence[Unseen]:
    """The stretches of a way that equipment at some places did not see."""
    live, end_ms = request.app[CONTEXT].live, int(way.time_ms[-1]) + 1
    times = await request.app[CONTEXT].store.offline_times(
        query.space, int(way.time_ms[0]), end_ms, {piece.id for piece in places}
    )
    stays = stays_of(live.plan_versions(query.space), is_live=query.space == LIVE)
    return await asyncio.to_thread(unseen, way, places, stays, ended_by(end_ms, times), query.within_m)


def way_of(pings: PingBatch, journey: Journey, plan: Plan) -> Way:
    """A journey's track along the routes that it followed; by the newest plan, as far as that has them."""
    turns = [(journey.armed_at_ms, journey.route), *((d.at_ms, d.route) for d in journey.diversions)]
    numbers = np.array([-1 if name is None else plan.route_index.get(name, -1) for _, name in turns])
    at = np.searchsorted([at_ms for at_ms, _ in turns], pings.time_ms, side="right") - 1
    lon_e7, lat_e7 = pings.lon_e7.astype(np.int64), pings.lat_e7.astype(np.int64)
    start = np.arange(len(pings)) == 0
    located = plan.corridors.locate(numbers[at.clip(0)], lon_e7, lat_e7, start, np.array([np.nan]))
    return Way(pings.time_ms, lon_e7, lat_e7, located.chainage_m)


def places_of(versions: Sequence[tuple[int, Plan]], scope: frozenset[str] | None) -> dict[Piece, Equipment]:
    """Where each piece that the asker may see stands, by the newest version that has it."""
    return {
        Piece(one.id, one.kind, one.unit): one
        for _, plan in versions
        for one in plan.equipment
        if scope is None or one.unit in scope
    }


def item_of(one: Unseen, way: Way) -> UnseenItem:
    """A stretch in outer units."""
    from_m, to_m = (way.chainage_at(at_ms) for at_ms in (one.from_ms, one.to_ms))
    return UnseenItem(
        equipment=one.piece.id,
        kind=one.piece.kind,
        unit=one.piece.unit,
        from_=iso_ms(one.from_ms),
        to=iso_ms(one.to_ms),
        from_m=None if from_m is None else round(from_m, 1),
        to_m=None if to_m is None else round(to_m, 1),
        seen_by=one.seen_by,
    )


ROUTES: Final = (
    Route(
        "GET", "/api/v1/journeys/{id}/unseen", show_unseen, Right.READ,
        "Which stretches of a journey no camera or reader beside the way saw, since it was offline.",
        query=UnseenQuery, answer=UnseenAnswer, problems=(404,),
    ),
)  # fmt: skip
