"""Editing zones and routes by plain GeoJSON, and the versions that come of it: each with who made it, why, and what it changed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Final

import msgspec
from aiohttp import web
from msgspec import UNSET, UnsetType

from seal_tracker.model import iso_ms, iso_or_none
from seal_tracker.plans.edits import COLLECTIONS, edited, feature_tag, features_of, id_of
from seal_tracker.plans.model import Plan
from seal_tracker.store.records import PlanEntry
from seal_tracker.supervision.plan_editing import Editor, InUseError, PlanMovedError
from seal_tracker.web.accounts import Right
from seal_tracker.web.auth import PRINCIPAL, headquarters_only, scope_of
from seal_tracker.web.context import CONTEXT
from seal_tracker.web.cursors import EventCursor, encode_cursor
from seal_tracker.web.errors import BadParameter, Conflict, InvalidBody, Missing, Outdated
from seal_tracker.web.queries import (
    PLAN_BODY_BYTES,
    PageQuery,
    SpaceQuery,
    cursor_of,
    path_id,
    read_body,
    read_query,
)
from seal_tracker.web.reading import GEO_JSON, encoded, known_space, plan_file
from seal_tracker.web.routes import Route
from seal_tracker.web.spaces import FAULTS_TOLD, fault_of
from seal_tracker.web.versions import check_version, etag
from seal_tracker.web.wire import Feature, FeatureCollection, Page

__all__ = ["ROUTES"]

Note = Annotated[str, msgspec.Meta(max_length=500, pattern=r"^[^\x00]*\Z")]
Json = dict[str, Any]
Pieces = Mapping[str, frozenset[str]]
"""Ids that are seen, by collection."""

MOST_VERSION: Final = 2**31 - 1
GEO_TYPES: Final = (GEO_JSON, "application/json")


class EditQuery(SpaceQuery, frozen=True, forbid_unknown_fields=True):
    """Which space, and why it is edited, for the history."""

    note: Note | UnsetType = UNSET


class FeatureBody(msgspec.Struct, frozen=True):
    """A GeoJSON feature."""

    type: str
    geometry: Json | None
    properties: Json | None = None
    id: str | int | None = None


class CollectionBody(msgspec.Struct, frozen=True):
    """A GeoJSON feature collection."""

    type: str
    features: list[Json]


class Changes(msgspec.Struct, frozen=True):
    """Ids that a version added, changed and removed."""

    added: list[str]
    changed: list[str]
    removed: list[str]


class VersionItem(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a plan. ``author`` null: the plan folder; ``valid_from`` null: from the beginning."""

    version: int
    valid_from: str | None
    recorded_at: str
    digest: str
    author: str | None
    note: str | None
    imported: bool
    changes: dict[str, Changes]


class EditAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What an edit made: the plan's version afterwards, what it changed, and what is suspicious about it."""

    version: int
    changes: dict[str, Changes]
    warnings: Sequence[Mapping[str, str]]


async def zones(request: web.Request) -> web.Response:
    """The plan's zones, as they are edited and exported."""
    return plan_file(request, COLLECTIONS["zones"])


async def routes(request: web.Request) -> web.Response:
    """The plan's routes, as they are edited and exported."""
    return plan_file(request, COLLECTIONS["routes"])


def show_feature(collection: str) -> Callable[[web.Request], Any]:
    """The handler that shows one feature of a collection."""

    async def show(request: web.Request) -> web.Response:
        query = read_query(request, SpaceQuery)
        known_space(request, query.space)
        feature = await found(request, collection, request.app[CONTEXT].live.plan(query.space))
        body = msgspec.json.encode(feature)
        return web.Response(body=body, content_type=GEO_JSON, headers={"ETag": etag(feature_tag(feature))})

    return show


def put_feature(collection: str) -> Callable[[web.Request], Any]:
    """The handler that makes or replaces one feature of a collection."""

    async def put(request: web.Request) -> web.Response:
        headquarters_only(request, "the plan")
        query = read_query(request, EditQuery)
        known_space(request, query.space)
        name = path_id(request, "id")
        body = await read_body(request, FeatureBody, PLAN_BODY_BYTES, GEO_TYPES)
        if body.id is not None and str(body.id) != name:
            raise InvalidBody(
                f"id: is {str(body.id)[:80]!r}, and the address says {name!r}; they must agree", field="id"
            )
        plan = request.app[CONTEXT].live.plan(query.space)
        there = (await features_of_plan(plan, collection)).get(name)
        if there is not None:
            check_version(request, feature_tag(there))
        elif request.if_match:
            raise Outdated(
                f"there is no {name!r} any more; put it without If-Match to make it anew", field="If-Match"
            )
        feature: Json = {
            "type": body.type,
            "id": name,
            "geometry": body.geometry,
            "properties": body.properties or {},
        }
        made = await edit(request, query, lambda files: edited(files, collection, [feature]), plan)
        made.set_status(201 if there is None else 200)
        made.headers["ETag"] = etag(feature_tag(feature))  # of what the address shows from now on
        return made

    return put


def remove_feature(collection: str) -> Callable[[web.Request], Any]:
    """The handler that removes one feature of a collection."""

    async def remove(request: web.Request) -> web.Response:
        headquarters_only(request, "the plan")
        query = read_query(request, EditQuery)
        known_space(request, query.space)
        plan = request.app[CONTEXT].live.plan(query.space)
        feature = await found(request, collection, plan)
        check_version(request, feature_tag(feature))
        return await edit(request, query, lambda files: edited(files, collection, [], [id_of(feature)]), plan)

    return remove


def put_collection(collection: str) -> Callable[[web.Request], Any]:
    """The handler that replaces a whole collection: an import."""

    async def put(request: web.Request) -> web.Response:
        headquarters_only(request, "the plan")
        query = read_query(request, EditQuery)
        known_space(request, query.space)
        body = await read_body(request, CollectionBody, PLAN_BODY_BYTES, GEO_TYPES)
        plan = request.app[CONTEXT].live.plan(query.space)
        check_version(request, plan.digest if plan else "none")
        text = msgspec.json.encode({"type": body.type, "features": body.features}).decode()
        return await edit(request, query, lambda files: {**files, COLLECTIONS[collection]: text}, plan)

    return put


async def edit(
    request: web.Request,
    query: EditQuery,
    change: Callable[[Mapping[str, str]], dict[str, str]],
    seen: Plan | None,
) -> web.Response:
    """Make a change of the plan ``seen`` the next version, or refuse it with every fault; ``ETag`` is the collection's."""
    account = request[PRINCIPAL].account
    live = request.app[CONTEXT].live
    editor = Editor(account.username, account.role, query.note or None, seen.digest if seen else None)
    try:
        done = await live.edit_plan(query.space, change, editor)
    except (PlanMovedError, InUseError) as error:
        raise Conflict(str(error)) from error
    told = [fault_of(fault) for fault in done.faults[:FAULTS_TOLD]]
    if any(fault.level == "error" for fault in done.faults):
        first = next(fault for fault in done.faults if fault.level == "error")
        raise InvalidBody(
            f"{first.feature or first.file}: {first.where} {first.what}: {first.why}; {first.remedy}",
            field=first.where or None,
            members={"faults": told, "fault_count": len(done.faults)},
        )
    plan = live.plan(query.space)
    changes = msgspec.json.decode(done.row.changes or b"{}", type=dict[str, Changes]) if done.row else {}
    answer = EditAnswer(version=plan.version if plan else 0, changes=changes, warnings=told)
    return web.Response(
        body=msgspec.json.encode(answer), content_type="application/json",
        headers={"ETag": etag(plan.digest if plan else "none")},
    )  # fmt: skip


async def versions(request: web.Request) -> web.Response:
    """The versions of the plan, newest first."""
    query = read_query(request, PageQuery)
    known_space(request, query.space)
    cursor = cursor_of(query.after, EventCursor)
    before = min(cursor.sequence, MOST_VERSION) if cursor else None
    rows = await request.app[CONTEXT].store.plan_history(query.space, before, query.limit + 1)
    page = rows[: query.limit]
    following = encode_cursor(EventCursor(page[-1].version)) if len(rows) > len(page) else None
    pieces = pieces_seen(request, query.space)
    return encoded(Page([version_item(row, pieces) for row in page], following))


async def version_file(request: web.Request) -> web.Response:
    """The zones or routes of one version, as GeoJSON."""
    query = read_query(request, SpaceQuery)
    known_space(request, query.space)
    name, number = path_id(request, "collection"), path_id(request, "version")
    if name not in COLLECTIONS:
        raise Missing(
            f"there is no collection {name!r}; there are {', '.join(COLLECTIONS)}", field="collection"
        )
    if not number.isascii() or not number.isdecimal() or int(number) > MOST_VERSION:
        raise BadParameter("version: is a number", field="version")
    files = await request.app[CONTEXT].store.plan_files(query.space, int(number))
    if files is None:
        raise Missing(f"there is no version {number}; GET /api/v1/plan-versions lists them", field="version")
    response = web.Response(text=files[COLLECTIONS[name]], content_type=GEO_JSON)
    response.enable_compression()
    return response


def pieces_seen(request: web.Request, space: str) -> Pieces | None:
    """Ids of the equipment and the licences that who is of a unit may be told of; None: all."""
    scope, plan = scope_of(request), request.app[CONTEXT].live.plan(space)
    if scope is None:
        return None
    of_units = {
        "equipment": plan.equipment if plan else (),
        "licences": plan.licences.values() if plan else (),
    }
    return {name: frozenset(one.id for one in its if one.unit in scope) for name, its in of_units.items()}


def changes_seen(row: PlanEntry, pieces: Pieces | None) -> dict[str, Changes]:
    """What a version changed; of equipment and licences no more than is seen, for each piece is some unit's."""
    changes = msgspec.json.decode(row.changes, type=dict[str, Changes]) if row.changes else {}
    for collection in (pieces or {}).keys() & changes.keys():
        seen, all_ = (pieces or {})[collection], msgspec.structs.astuple(changes[collection])
        changes[collection] = Changes(*([name for name in names if name in seen] for names in all_))
    return changes


def version_item(row: PlanEntry, pieces: Pieces | None) -> VersionItem:
    """The version in outer units; ``pieces``: what the asker sees of equipment and licences."""
    return VersionItem(
        version=row.version,
        valid_from=iso_or_none(row.valid_from_ms),
        recorded_at=iso_ms(row.recorded_ms),
        digest=row.digest,
        author=row.author,
        note=row.note,
        imported=row.import_digest is not None,
        changes=changes_seen(row, pieces),
    )


async def features_of_plan(plan: Plan | None, collection: str) -> dict[str, Json]:
    """The features of a plan, by id; none where there is no plan."""
    return await asyncio.to_thread(lambda: features_of(plan.files[COLLECTIONS[collection]])) if plan else {}


async def found(request: web.Request, collection: str, plan: Plan | None) -> Json:
    """The feature in the path, as the plan has it."""
    name = path_id(request, "id")
    feature = (await features_of_plan(plan, collection)).get(name)
    if feature is None:
        raise Missing(f"there is no {collection[:-1]} {name!r}", field="id")
    return feature


def _routes() -> list[Route]:
    right, made = Right.EDIT_PLANS, []
    for collection, show in (("zones", zones), ("routes", routes)):
        path = f"/api/v1/{collection}"
        one = f"{path}/{{id}}"
        made += [
            Route(
                "GET", path, show, Right.READ, f"The plan's {collection}.",
                query=SpaceQuery, answer=FeatureCollection, media=(GEO_JSON,), cached=True, problems=(404,), leads={one: {"id": "/features/0/id"}},
            ),
            Route(
                "PUT", path, put_collection(collection), right, f"Replace all {collection}: an import; the next version of the plan.",
                query=EditQuery, body=CollectionBody, takes=GEO_TYPES, answer=EditAnswer, edits=True, problems=(404, 409),
            ),
            Route("GET", one, show_feature(collection), Right.READ, "One of them.", query=SpaceQuery, answer=Feature, media=(GEO_JSON,), versioned=True),
            Route(
                "PUT", one, put_feature(collection), right, "Make one, or replace it (with `If-Match`); the next version of the plan.",
                query=EditQuery, body=FeatureBody, takes=GEO_TYPES, answer=EditAnswer, may_make=True, versioned=True, problems=(409,),
            ),
            Route(
                "DELETE", one, remove_feature(collection), right, "Remove one; the next version of the plan.",
                query=EditQuery, answer=EditAnswer, edits=True, problems=(409, 422),
            ),
        ]  # fmt: skip
    made += [
        Route(
            "GET", "/api/v1/plan-versions", versions, Right.READ, "Versions of the plan, newest first: who, why, and what changed.",
            query=PageQuery, answer=Page[VersionItem], problems=(404,),
            leads={"/api/v1/plan-versions/{version}/{collection}": {"version": "/items/0/version"}},
        ),
        Route(
            "GET", "/api/v1/plan-versions/{version}/{collection}", version_file, Right.READ, "Zones or routes of one version.",
            query=SpaceQuery, answer=FeatureCollection, media=(GEO_JSON,),
        ),
    ]  # fmt: skip
    return made


ROUTES: Final = tuple(_routes())
