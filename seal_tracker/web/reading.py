"""What can be looked up without the database: configuration, the plan's zones, routes and units, seals."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec
from aiohttp import web
from msgspec import UNSET, UnsetType

from seal_tracker.model import LIVE
from seal_tracker.web.accounts import Right
from seal_tracker.web.auth import scope_of
from seal_tracker.web.context import CONTEXT
from seal_tracker.web.cursors import NameCursor, encode_cursor
from seal_tracker.web.errors import Missing, Unavailable
from seal_tracker.web.queries import (
    ListQuery,
    NoQuery,
    PageQuery,
    SpaceQuery,
    cursor_of,
    read_query,
)
from seal_tracker.web.routes import Route
from seal_tracker.web.scope import sees
from seal_tracker.web.wire import (
    ConfigAnswer,
    Page,
    SealItem,
    UnitItem,
    seal_item,
)

if TYPE_CHECKING:
    from seal_tracker.plans import Unit

__all__ = ["GEO_JSON", "ROUTES", "encoded", "journeys_asked", "known_space", "page_of", "plan_file"]

JSON: Final = "application/json"
GEO_JSON: Final = "application/geo+json"
PACK_IN_THREAD_BYTES: Final = 64 * 1024
"""Packing more than this takes over 2 ms: done in a thread, so that nobody waits for it."""

NOTHING_DRAWN: Final = '{"type":"FeatureCollection","features":[]}'

ItemT = TypeVar("ItemT")


def encoded(value: Any, content_type: str = JSON, status: int = 200) -> web.Response:
    """A JSON response."""
    return web.Response(status=status, body=msgspec.json.encode(value), content_type=content_type)


def known_space(request: web.Request, space: str) -> None:
    """Refuse a space that does not exist.

    Raises
    ------
    Missing
        No such space.
    """
    if space != LIVE and space not in request.app[CONTEXT].live.spaces():
        raise Missing(f"there is no space {space!r}; GET /api/v1/spaces lists them", field="space")


async def journeys_asked(
    request: web.Request, space: str, journey: str | UnsetType, box: str | UnsetType
) -> Sequence[str] | None:
    """The journeys of a list: the one asked for, or those of a box, or what is both; None: any."""
    if box is UNSET:
        return None if journey is UNSET else [journey]
    of_box = await request.app[CONTEXT].store.journeys_with_box(space, box)
    return of_box if journey is UNSET else [name for name in of_box if name == journey]


async def config(request: web.Request) -> web.Response:
    """What the page needs before it draws anything."""
    read_query(request, NoQuery)
    settings = request.app[CONTEXT].config
    try:
        content = await asyncio.to_thread(settings.basemap.read_bytes)
    except FileNotFoundError as error:
        raise Unavailable(f"the basemap configuration {settings.basemap.name} is missing") from error
    basemap = msgspec.json.decode(content, type=dict[str, Any])
    outside = {name: basemap.pop(name, None) for name in ("labels", "centre", "zoom")}
    return encoded(
        {
            "tenant": settings.tenant,
            "tile_url": settings.tile_url,
            "basemap": basemap,
            "labels": outside["labels"] or [],
            "centre": outside["centre"] or [0, 0],
            "zoom": outside["zoom"] or 2,
            "version": settings.version,
        }
    )


def plan_file(request: web.Request, name: str) -> web.Response:
    """A GeoJSON file of the plan in force; 304 when the client has it already."""
    query = read_query(request, SpaceQuery)
    known_space(request, query.space)
    plan = request.app[CONTEXT].live.plan(query.space)
    tag = plan.digest if plan else "none"
    headers = {"ETag": f'"{tag}"', "Cache-Control": "private, no-cache"}
    if any(known.value == tag for known in request.if_none_match or ()):
        return web.Response(status=304, headers=headers)
    text = plan.files.get(name, NOTHING_DRAWN) if plan else NOTHING_DRAWN
    response = web.Response(
        text=text, content_type=GEO_JSON, headers=headers, zlib_executor_size=PACK_IN_THREAD_BYTES
    )
    response.enable_compression()
    return response


async def units(request: web.Request) -> web.Response:
    """The units that answer for journeys, as the plan has them."""
    query = read_query(request, SpaceQuery)
    known_space(request, query.space)
    plan = request.app[CONTEXT].live.plan(query.space)
    return encoded({"items": [unit_item(unit) for unit in plan.units] if plan else [], "next": None})


def unit_item(unit: Unit) -> UnitItem:
    """The unit in outer units; its name by language."""
    return UnitItem(
        id=unit.id,
        name=dict(unit.name),
        parent=unit.parent,
        head=unit.head,
        deputies=unit.deputies,
        contact=unit.contact,
        jurisdiction_zone=unit.jurisdiction_zone,
    )


async def seals(request: web.Request) -> web.Response:
    """Where each seal was last seen, by name."""
    query = read_query(request, PageQuery)
    known_space(request, query.space)
    scope = scope_of(request)
    rows = (row for row in request.app[CONTEXT].live.positions(query.space) if sees(scope, row.unit))
    page, following = page_of(rows, lambda row: row.seal, query)
    return encoded({"items": [seal_item(row) for row in page], "next": following})


def page_of(
    items: Iterable[ItemT], name: Callable[[ItemT], str], query: PageQuery | ListQuery
) -> tuple[Sequence[ItemT], str | None]:
    """The items after the query's cursor in order of their name, and the cursor of the next page, None at the end."""
    cursor = cursor_of(query.after, NameCursor)
    rest = sorted((item for item in items if cursor is None or name(item) > cursor.name), key=name)
    page = rest[: query.limit]
    return page, encode_cursor(NameCursor(name(page[-1]))) if len(rest) > len(page) else None


ROUTES: Final = (
    Route("GET", "/api/v1/config", config, Right.READ, "What the page needs before it draws anything.", answer=ConfigAnswer),
    Route("GET", "/api/v1/units", units, Right.READ, "The plan's units.", query=SpaceQuery, answer=Page[UnitItem], problems=(404,), leads={"/api/v1/journeys": {"unit": "/items/0/id"}, "/api/v1/alarms": {"unit": "/items/0/id"}}),
    Route("GET", "/api/v1/seals", seals, Right.READ, "Where each seal was last seen.", query=PageQuery, answer=Page[SealItem], problems=(404,), leads={"/api/v1/seals/{seal}/account": {"seal": "/items/0/seal"}, "/api/v1/journeys": {"seal": "/items/0/seal"}}),
)  # fmt: skip
