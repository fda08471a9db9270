"""``/api/v1/vehicles`` and ``/api/v1/calendars``: what a plan registers for oversized vehicles, edited object by object.

Each edit is the plan's next version, as one of a zone is; so what a permit refers to has a history with who and why.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal, get_args

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from seal_tracker.plans.edits import edited, feature_tag, objects_in
from seal_tracker.plans.vehicles import VEHICLE_KINDS
from seal_tracker.web.accounts import Right
from seal_tracker.web.auth import headquarters_only
from seal_tracker.web.context import CONTEXT
from seal_tracker.web.errors import Missing, Outdated
from seal_tracker.web.plans import EditAnswer, EditQuery, edit
from seal_tracker.web.queries import Id, PageQuery, SpaceQuery, path_id, read_body, read_query
from seal_tracker.web.reading import encoded, known_space, page_of
from seal_tracker.web.routes import Route
from seal_tracker.web.versions import check_version, etag, versioned
from seal_tracker.web.wire import Page

__all__ = ["ROUTES"]

VehicleKind = Literal["tractor", "truck", "trailer", "special"]
assert get_args(VehicleKind) == VEHICLE_KINDS

Above0 = Annotated[float, msgspec.Meta(gt=0)]
Text = Annotated[str, msgspec.Meta(pattern=r"^[^\x00]{1,500}\Z")]
Day = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d{2}-\d{2}\Z")]
Hour = Annotated[str, msgspec.Meta(pattern=r"^\d{2}:\d{2}(:\d{2})?\Z")]
DayName = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class VehicleBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """A vehicle as it is registered; what it may weigh and measure is with its load. What is left out is not limited.

    ``max_mass_kg`` is its own mass with what it carries, ``max_combination_kg`` that of the vehicle with what it draws.
    """

    kind: VehicleKind
    owner: Text | None = None
    max_mass_kg: Above0 | None = None
    max_combination_kg: Above0 | None = None
    max_axle_kg: Above0 | None = None
    axles: Annotated[int, msgspec.Meta(ge=1, le=100)] | None = None
    max_length_m: Above0 | None = None
    max_width_m: Above0 | None = None
    max_height_m: Above0 | None = None
    valid_to: str | None = None


class VehicleItem(VehicleBody, frozen=True, kw_only=True, omit_defaults=True):
    """A registered vehicle; ``id`` is its registration number."""

    id: Id


class ClosedHours(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """Hours in local time, past midnight where ``to`` is not after ``from``; of every day, where ``days`` are not given."""

    from_: Hour = msgspec.field(name="from")
    to: Hour
    days: list[DayName] | None = None


class ClosedPeriod(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """Days, the last one among them."""

    from_: Day = msgspec.field(name="from")
    to: Day
    name: Text | None = None


class CalendarBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """Local dates and hours in which a vehicle stands still whose permit names the calendar; ``name`` is a text, or one by language."""

    name: Text | dict[Literal["vi", "en"], Text] | None = None
    dates: list[Day] | None = None
    periods: list[ClosedPeriod] | None = None
    windows: list[ClosedHours] | None = None


class CalendarItem(CalendarBody, frozen=True, kw_only=True, omit_defaults=True):
    """A calendar and its id, by which permits name it."""

    id: Id


async def _objects(request: web.Request, space: str, collection: str) -> dict[str, dict[str, Any]]:
    plan = request.app[CONTEXT].live.plan(space)
    return await asyncio.to_thread(objects_in, plan.files, collection) if plan else {}


async def _one(request: web.Request, space: str, collection: str) -> dict[str, Any]:
    name = path_id(request, "id")
    found = (await _objects(request, space, collection)).get(name)
    if found is None:
        raise Missing(f"there is no {collection[:-1]} {name!r}", field="id")
    return found


def listing(collection: str) -> Handler:
    """The handler that lists a collection by id."""

    async def list_objects(request: web.Request) -> web.Response:
        query = read_query(request, PageQuery)
        known_space(request, query.space)
        objects = await _objects(request, query.space, collection)
        page, following = page_of(objects, lambda name: name, query)
        return encoded(Page([objects[name] for name in page], following))

    return list_objects


def showing(collection: str) -> Handler:
    """The handler that shows one object."""

    async def show_object(request: web.Request) -> web.Response:
        query = read_query(request, SpaceQuery)
        known_space(request, query.space)
        found = await _one(request, query.space, collection)
        return versioned(found, feature_tag(found))

    return show_object


def putting(collection: str, body_type: type[msgspec.Struct]) -> Handler:
    """The handler that makes an object or replaces it."""

    async def put_object(request: web.Request) -> web.Response:
        headquarters_only(request, "the plan")
        query = read_query(request, EditQuery)
        known_space(request, query.space)
        name = path_id(request, "id")
        given = msgspec.to_builtins(await read_body(request, body_type))
        there = (await _objects(request, query.space, collection)).get(name)
        if there is not None:
            check_version(request, feature_tag(there))
        elif request.if_match:
            raise Outdated(
                f"there is no {name!r} any more; put it without If-Match to make it anew", field="If-Match"
            )
        one = {"id": name, **given}
        plan = request.app[CONTEXT].live.plan(query.space)
        made = await edit(request, query, lambda files: edited(files, collection, [one]), plan)
        made.set_status(201 if there is None else 200)
        made.headers["ETag"] = etag(feature_tag(one))  # of what the address shows from now on
        return made

    return put_object


def removing(collection: str) -> Handler:
    """The handler that removes an object."""

    async def remove_object(request: web.Request) -> web.Response:
        headquarters_only(request, "the plan")
        query = read_query(request, EditQuery)
        known_space(request, query.space)
        found = await _one(request, query.space, collection)
        check_version(request, feature_tag(found))
        plan = request.app[CONTEXT].live.plan(query.space)
        return await edit(request, query, lambda files: edited(files, collection, [], [found["id"]]), plan)

    return remove_object


def _routes(collection: str, what: str, body: type[msgspec.Struct], item: Any, page: Any) -> Sequence[Route]:
    path = f"/api/v1/{collection}"
    one = f"{path}/{{id}}"
    return (
        Route(
            "GET", path, listing(collection), Right.READ, f"{what}, by id.",
            query=PageQuery, answer=page, problems=(404,), leads={one: {"id": "/items/0/id"}},
        ),
        Route(
            "GET", one, showing(collection), Right.READ, "One of them.",
            query=SpaceQuery, answer=item, problems=(404,), versioned=True,
        ),
        Route(
            "PUT", one, putting(collection, body), Right.EDIT_PLANS,
            "Make one, or replace it (with `If-Match`); the next version of the plan.",
            query=EditQuery, body=body, answer=EditAnswer, may_make=True, versioned=True, problems=(404, 409),
        ),
        Route(
            "DELETE", one, removing(collection), Right.EDIT_PLANS, "Remove one; the next version of the plan.",
            query=EditQuery, answer=EditAnswer, edits=True, problems=(404, 409, 422),
        ),
    )  # fmt: skip


ROUTES: Final = (
    *_routes("vehicles", "The registry of vehicles", VehicleBody, VehicleItem, Page[VehicleItem]),
    *_routes(
        "calendars", "Dates and hours that permits name", CalendarBody, CalendarItem, Page[CalendarItem]
    ),
)
