"""``/api/v1/equipment/{id}``: one piece of equipment as it stands, registered, changed and taken out; each edit is the plan's next version."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Final, Literal

import msgspec
from aiohttp import web
from msgspec import UNSET, UnsetType

from seal_tracker.plans.edits import edited, feature_tag, objects_in
from seal_tracker.plans.model import Plan
from seal_tracker.web.accounts import Right, Role
from seal_tracker.web.auth import PRINCIPAL, headquarters_only, scope_of
from seal_tracker.web.availability import Kind
from seal_tracker.web.context import CONTEXT
from seal_tracker.web.errors import Forbidden, Missing, Outdated
from seal_tracker.web.plans import EditAnswer, EditQuery, edit
from seal_tracker.web.queries import Id, SpaceQuery, path_id, read_body, read_query
from seal_tracker.web.reading import known_space
from seal_tracker.web.registry import equipment_item
from seal_tracker.web.routes import Route
from seal_tracker.web.scope import sees
from seal_tracker.web.versions import check_version, etag, versioned
from seal_tracker.web.wire import EquipmentItem

__all__ = ["ROUTES"]

Json = dict[str, Any]
Url = Annotated[str, msgspec.Meta(min_length=1, max_length=500, pattern=r"^[^\x00-\x20]*\Z")]


class ProbeBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where it is asked, as often as it is to be heard unless said, and how long an answer may take."""

    url: Url
    every_s: Annotated[float, msgspec.Meta(ge=1, le=86_400)] | None = None
    timeout_s: Annotated[float, msgspec.Meta(ge=0.1, le=60)] = 5.0
    insecure: bool = False


class EquipmentBody(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """A camera, scanner, weighbridge or reader: whose, where, how often it is to be heard; at which zone it stands,
    what it reads of every lorry there, and where it is asked,
    which administrators alone say:
    left out it stays as it is, null ends it.
    """

    kind: Kind
    lon: Annotated[float, msgspec.Meta(ge=-180, le=180)]
    lat: Annotated[float, msgspec.Meta(ge=-90, le=90)]
    heartbeat_s: Annotated[float, msgspec.Meta(gt=0, le=31_536_000)]
    unit: Id | None = None
    zone: Id | None = None
    reads: tuple[Literal["plate", "container", "seal"], ...] = ()
    probe: ProbeBody | UnsetType | None = UNSET


async def show_equipment(request: web.Request) -> web.Response:
    """One piece of equipment."""
    query = read_query(request, SpaceQuery)
    known_space(request, query.space)
    name, live = path_id(request, "id"), request.app[CONTEXT].live
    rows = (row for row in live.equipment(query.space) if row.equipment.id == name)
    row = next(rows, None)
    registered = (await _pieces(live.plan(query.space))).get(name)
    if row is None or registered is None or not sees(scope_of(request), row.equipment.unit):
        raise Missing(f"there is no equipment {name!r}", field="id")
    return versioned(equipment_item(row), feature_tag(registered))


async def put_equipment(request: web.Request) -> web.Response:
    """Register a piece of equipment, or change it."""
    headquarters_only(request, "the plan")
    query = read_query(request, EditQuery)
    known_space(request, query.space)
    name, body = path_id(request, "id"), await read_body(request, EquipmentBody)
    said = msgspec.to_builtins(body)
    piece: Json = {"id": name, **{key: value for key, value in said.items() if value is not None}}
    plan = request.app[CONTEXT].live.plan(query.space)
    there = (await _pieces(plan)).get(name)
    if there is not None:
        check_version(request, feature_tag(there))
        if body.probe is UNSET and "probe" in there:
            piece["probe"] = there["probe"]
    elif request.if_match:
        raise Outdated(f"there is no {name!r} any more; put it without If-Match to make it anew", field="If-Match")  # fmt: skip
    _check_asker(request, there, piece)
    made = await edit(request, query, lambda files: edited(files, "equipment", [piece]), plan)
    made.set_status(201 if there is None else 200)
    made.headers["ETag"] = etag(feature_tag(piece))
    return made


async def remove_equipment(request: web.Request) -> web.Response:
    """Take a piece of equipment out of the plan."""
    headquarters_only(request, "the plan")
    query = read_query(request, EditQuery)
    known_space(request, query.space)
    name, plan = path_id(request, "id"), request.app[CONTEXT].live.plan(query.space)
    there = (await _pieces(plan)).get(name)
    if there is None:
        raise Missing(f"there is no equipment {name!r}", field="id")
    check_version(request, feature_tag(there))
    return await edit(request, query, lambda files: edited(files, "equipment", [], [name]), plan)


def _check_asker(request: web.Request, there: Json | None, piece: Json) -> None:
    """Let administrators alone say where the service connects to.

    Raises
    ------
    Forbidden
        Somebody else does.
    """
    before = there.get("probe") if there is not None else None
    if piece.get("probe") not in (None, before) and request[PRINCIPAL].account.role != Role.ADMINISTRATOR:
        raise Forbidden("probe: administrators alone say where equipment is asked; leave it as it is", field="probe")  # fmt: skip


async def _pieces(plan: Plan | None) -> dict[str, Json]:
    return await asyncio.to_thread(objects_in, plan.files, "equipment") if plan else {}


ONE: Final = "/api/v1/equipment/{id:(?!(?:availability|repairs)$)[^/]+}"
"""Lists of its figures are no pieces of equipment."""

ROUTES: Final = (
    Route(
        "GET", ONE, show_equipment, Right.READ, "One piece of equipment, as the list has it.",
        query=SpaceQuery, path_types={"id": Id}, answer=EquipmentItem, problems=(404,), versioned=True,
    ),
    Route(
        "PUT", ONE, put_equipment, Right.EDIT_PLANS, "Register one, or change it (with `If-Match`); the next version of the plan.",
        query=EditQuery, body=EquipmentBody, path_types={"id": Id}, answer=EditAnswer, may_make=True, versioned=True, problems=(404, 409),
    ),
    Route(
        "DELETE", ONE, remove_equipment, Right.EDIT_PLANS, "Take one out; the next version of the plan.",
        query=EditQuery, path_types={"id": Id}, answer=EditAnswer, edits=True, problems=(404, 409, 422),
    ),
)  # fmt: skip
