"""``/api/v1/spaces``: exercise spaces, each judged by a plan of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec
import structlog
from aiohttp import web

from seal_tracker.model import LIVE
from seal_tracker.web.accounts import Right
from seal_tracker.web.context import CONTEXT
from seal_tracker.web.errors import Conflict, InvalidBody
from seal_tracker.web.queries import PLAN_BODY_BYTES, NoQuery, SpaceFiles, read_body, read_query, storable
from seal_tracker.web.routes import Route
from seal_tracker.web.wire import Page, SpaceItem, SpaceMade

if TYPE_CHECKING:
    from geofences.catalog import Fault

__all__ = ["MAKING", "ROUTES"]

log = structlog.get_logger(__name__)

MAKING: web.AppKey[asyncio.Lock] = web.AppKey("making", asyncio.Lock)
"""One space is made at a time, so that two requests cannot both find a name free."""

FAULTS_TOLD = 200
"""Faults told in one answer; a file in a wrong format may have one for each of 100,000 features."""


async def list_spaces(request: web.Request) -> web.Response:
    """The spaces there are."""
    read_query(request, NoQuery)
    names = sorted(request.app[CONTEXT].live.spaces(), key=lambda name: (name != LIVE, name))
    body = {"items": [{"space": name, "exercise": name != LIVE} for name in names], "next": None}
    return web.Response(body=msgspec.json.encode(body), content_type="application/json")


async def make_space(request: web.Request) -> web.Response:
    """Make an exercise space; a faulty plan is refused with every fault, in the words of ``check``."""
    read_query(request, NoQuery)
    wanted = await read_body(request, SpaceFiles, PLAN_BODY_BYTES)
    if wanted.space == LIVE:
        raise InvalidBody(f"the space {LIVE!r} is the real one; choose another name", field="space")
    for name, text in wanted.files.items():
        if not storable(text):
            raise InvalidBody(f"{name} has a NUL character; it is not a text file", field=f"files.{name}")
    live = request.app[CONTEXT].live
    async with request.app[MAKING]:
        if wanted.space in live.spaces() and live.plan(wanted.space) is not None:
            raise Conflict(f"there is a space {wanted.space!r} already; choose another name", field="space")
        # Finished even if the client leaves: half a space would be worse than one nobody asked for any more.
        faults = await asyncio.shield(live.create_space(wanted.space, wanted.files))
    told = [fault_of(fault) for fault in faults[:FAULTS_TOLD]]
    if any(fault.level == "error" for fault in faults):
        raise InvalidBody(
            f"the plan has {len(faults)} faults; mend them and send it again",
            field="files",
            members={"faults": told, "fault_count": len(faults)},
        )
    log.info("space_made", space=wanted.space, warnings=len(faults))
    return made(wanted.space, told)


def made(space: str, warnings: Sequence[Mapping[str, str]]) -> web.Response:
    """201 with what is only suspicious about the plan."""
    body = {"space": space, "exercise": True, "warnings": warnings}
    return web.Response(status=201, body=msgspec.json.encode(body), content_type="application/json")


def fault_of(fault: Fault) -> dict[str, str]:
    """A fault as JSON."""
    names = ("file", "feature", "where", "what", "why", "remedy", "level")
    return {name: str(getattr(fault, name)) for name in names}


ROUTES = (
    Route("GET", "/api/v1/spaces", list_spaces, Right.READ, "The spaces there are.", answer=Page[SpaceItem]),
    Route(
        "POST", "/api/v1/spaces", make_space, Right.MAKE_SPACES, "Make an exercise space, judged by a plan of its own.",
        body=SpaceFiles, answer=SpaceMade, status=201, problems=(409,),
        leads={f"/api/v1/{name}": {"space": "/space"} for name in ("journeys", "zones", "plan-versions", "stats")},
    ),
)  # fmt: skip
