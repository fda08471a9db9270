"""``/api/v1/seal-assets``: the registry of seals, who has which, and its custody chain. Live alone."""

from __future__ import annotations

import asyncio
from datetime import date
from http import HTTPStatus
from typing import Any, Final

import msgspec
from aiohttp import web
from msgspec import UNSET

from seal_tracker.clock import clock_ms
from seal_tracker.custody.asset import Movement, asset_in, movement_in, overdue
from seal_tracker.custody.moves import Wanted
from seal_tracker.custody.registry import NewSeal, read_registry
from seal_tracker.custody.rows import AssetRow
from seal_tracker.model import LIVE, iso_ms
from seal_tracker.store.asset_reads import AssetFilter
from seal_tracker.supervision.seal_stock import SealDesk, sees_asset
from seal_tracker.web.accounts import Right
from seal_tracker.web.acting import acted, actor_of, checking
from seal_tracker.web.alarms import moment_ms
from seal_tracker.web.auth import PRINCIPAL, scope_of
from seal_tracker.web.context import CONTEXT
from seal_tracker.web.cursors import EventCursor, NameCursor, encode_cursor
from seal_tracker.web.duty_requests import plan_units
from seal_tracker.web.errors import Forbidden, Missing, WrongContentType
from seal_tracker.web.queries import NoQuery, cursor_of, path_id, read_body, read_content, read_query
from seal_tracker.web.reading import encoded
from seal_tracker.web.refusals import faulty
from seal_tracker.web.routes import JSON, Route
from seal_tracker.web.seal_bodies import (
    AssetChange,
    AssetItem,
    AssetLine,
    AssetsQuery,
    ChainQuery,
    NewAsset,
    NewMove,
    RegistryTaken,
)
from seal_tracker.web.seal_files import assets_csv
from seal_tracker.web.versions import versioned
from seal_tracker.web.wire import Page

__all__ = ["ROUTES", "desk_of", "visible_asset", "wanted_of"]

CSV: Final = "text/csv"
IMPORT_BYTES: Final = 4 * 1024 * 1024
CHAIN_TOLD: Final = 20
AT_ONCE: Final = 1_000
"""Seals read together for a CSV of all."""


async def list_assets(request: web.Request) -> web.Response:
    """Seals by name."""
    query = read_query(request, AssetsQuery)
    now_ms, store = clock_ms(), request.app[CONTEXT].store
    which = AssetFilter(
        scope=scope_of(request),
        unit=query.unit or None,
        state=query.state or None,
        model=query.model or None,
        officer=query.officer or None,
        journey=query.journey or None,
        awaited_ms=now_ms if query.overdue else None,
        calibrate_by=query.calibrate_by.isoformat() if query.calibrate_by else None,
    )
    cursor = cursor_of(query.after, NameCursor)
    if query.format == "csv":
        return await all_as_csv(request, which, now_ms)
    rows, more = await store.seal_assets(LIVE, which, after=cursor.name if cursor else "", limit=query.limit)
    following = encode_cursor(NameCursor(rows[-1].seal)) if more else None
    return encoded(Page([line_of(row, now_ms) for row in rows], following))


async def all_as_csv(request: web.Request, which: AssetFilter, now_ms: int) -> web.Response:
    """All that is asked for, page by page."""
    store, found = request.app[CONTEXT].store, []
    after, more = "", True
    while more:
        rows, more = await store.seal_assets(LIVE, which, after=after, limit=AT_ONCE)
        found += [line_of(row, now_ms) for row in rows]
        after = rows[-1].seal if rows else after
    headers = {"Content-Disposition": f'attachment; filename="seals-{iso_ms(now_ms)[:10]}.csv"'}
    return web.Response(body=assets_csv(found), content_type=CSV, charset="utf-8", headers=headers)


async def show_asset(request: web.Request) -> web.Response:
    """One seal."""
    read_query(request, NoQuery)
    return await asset_answer(request, path_id(request, "seal"))


async def register_asset(request: web.Request) -> web.Response:
    """Register a seal."""
    read_query(request, NoQuery)
    given = await read_body(request, NewAsset)
    seal, desk = NewSeal(**written(given)), desk_of(request)
    await acted(request, lambda _: desk.register([seal]))
    return await asset_answer(request, given.seal, status=201)


async def import_assets(request: web.Request) -> web.Response:
    """Register the seals of a file, or none of them."""
    read_query(request, NoQuery)
    if request.content_type != CSV:
        raise WrongContentType(f"send {CSV}, not {request.content_type}", field="Content-Type")
    desk = desk_of(request)
    content = await read_content(request, IMPORT_BYTES)
    seals, faults = await asyncio.to_thread(read_registry, content, desk.keeps)
    if faults:
        raise faulty(faults, f"{len(faults)} faults; nothing was taken in", "body")
    await acted(request, lambda _: desk.register(seals))
    return encoded(RegistryTaken(len(seals)), status=HTTPStatus.CREATED)


async def change_asset(request: web.Request) -> web.Response:
    """Write otherwise what is written of a seal."""
    read_query(request, NoQuery)
    given, seal, desk = await read_body(request, AssetChange), path_id(request, "seal"), desk_of(request)
    await acted(request, lambda _: desk.edit(seal, written(given), checking(request)))
    return await asset_answer(request, seal)


async def move_asset(request: web.Request) -> web.Response:
    """Record that something happened to a seal."""
    read_query(request, NoQuery)
    given, seal, desk = await read_body(request, NewMove), path_id(request, "seal"), desk_of(request)
    wanted = wanted_of(request, given)
    await acted(request, lambda _: desk.move([seal], wanted, checking(request)))
    return await asset_answer(request, seal)


async def show_chain(request: web.Request) -> web.Response:
    """A custody chain, newest first."""
    query, seal = read_query(request, ChainQuery), path_id(request, "seal")
    await visible_asset(request, seal)
    cursor = cursor_of(query.after, EventCursor)
    before = None if cursor is None else min(cursor.sequence, 2**31 - 1)
    rows, more = await request.app[CONTEXT].store.seal_movements(LIVE, seal, before=before, limit=query.limit)
    following = encode_cursor(EventCursor(rows[-1].number)) if more else None
    return encoded(Page([movement_in(row) for row in rows], following))


def wanted_of(request: web.Request, given: NewMove) -> Wanted:
    """The movement that is asked for; writing a seal off is for who may order.

    Raises
    ------
    Forbidden
        It is to be retired, by who may not.
    """
    if given.move == "retire" and Right.ORDER not in request[PRINCIPAL].rights:
        raise Forbidden(f"a seal is retired by who has the right `{Right.ORDER}`")
    due_ms = moment_ms(given.due, "due")
    members = {n: v for n, v in written(given).items() if n not in {"at", "due", "seals"}}
    return Wanted(**members, at_ms=moment_ms(given.at, "at"), due=None if due_ms is None else iso_ms(due_ms))


def written(given: msgspec.Struct) -> dict[str, Any]:
    """The members that are given, days as texts."""
    return {
        name: value.isoformat() if type(value) is date else value
        for name, value in msgspec.structs.asdict(given).items()
        if value is not UNSET
    }


def desk_of(request: web.Request) -> SealDesk:
    """A desk for one request."""
    return SealDesk(
        request.app[CONTEXT].store, clock_ms, actor_of(request), scope_of(request), plan_units(request)
    )


async def visible_asset(request: web.Request, seal: str) -> AssetRow:
    """A registered seal that the asker may see.

    Raises
    ------
    Missing
        There is none.
    """
    row = (await request.app[CONTEXT].store.seal_assets_named(LIVE, [seal])).get(seal)
    if row is None or not sees_asset(scope_of(request), row):
        raise Missing(f"there is no registered seal {seal!r}", field="seal")
    return row


async def asset_answer(request: web.Request, seal: str, status: int = 200) -> web.Response:
    """A seal as it stands, with its version."""
    row = await visible_asset(request, seal)
    moves, _ = await request.app[CONTEXT].store.seal_movements(LIVE, seal, limit=CHAIN_TOLD)
    line = msgspec.structs.asdict(line_of(row, clock_ms()))
    item = AssetItem(**line, movements=[movement_in(one) for one in moves])
    return versioned(item, row.version, status=status, location=f"{ALL}/{seal}")


def line_of(row: AssetRow, now_ms: int) -> AssetLine:
    """A seal of a list."""
    asset = asset_in(row)
    return AssetLine(**msgspec.structs.asdict(asset), overdue=overdue(asset, now_ms))


ALL: Final = "/api/v1/seal-assets"
ONE: Final = f"{ALL}/{{seal}}"
NOT_IMPORT: Final = f"{ALL}/{{seal:(?!import$)[^/]+}}"

ROUTES: Final[tuple[Route, ...]] = (
    Route(
        "GET", ALL, list_assets, Right.READ, "Registered seals by name: where each is, and who has it.",
        query=AssetsQuery, answer=Page[AssetLine], media=(JSON, CSV),
        leads={ONE: {"seal": "/items/0/seal"}, f"{ONE}/moves": {"seal": "/items/0/seal"}, f"{ONE}/health": {"seal": "/items/0/seal"}},
    ),
    Route(
        "POST", ALL, register_asset, Right.KEEP_SEALS, "Register a seal: it is received into the store of its unit.",
        body=NewAsset, answer=AssetItem, status=201, problems=(409,), versioned=True, leads={ONE: {"seal": "/seal"}},
    ),
    Route(
        "POST", f"{ALL}/import", import_assets, Right.KEEP_SEALS, "Register the seals of a CSV, or none of them.",
        body=str, takes=(CSV,), answer=RegistryTaken, status=201, problems=(409,),
    ),
    Route(
        "GET", NOT_IMPORT, show_asset, Right.READ, "One registered seal, with its newest movements.",
        answer=AssetItem, problems=(404,), versioned=True,
    ),
    Route(
        "PATCH", NOT_IMPORT, change_asset, Right.KEEP_SEALS, "What is written of a seal is otherwise: model, numbers, days, note.",
        body=AssetChange, answer=AssetItem, edits=True, problems=(404, 409),
    ),
    Route(
        "GET", f"{ONE}/moves", show_chain, Right.READ, "The custody chain of a seal, newest first.",
        query=ChainQuery, answer=Page[Movement], problems=(404,),
    ),
    Route(
        "POST", f"{ONE}/moves", move_asset, Right.KEEP_SEALS,
        "Something happened to a seal: it was issued, returned, sent, received, repaired, calibrated, lost, found or retired.",
        body=NewMove, answer=AssetItem, edits=True, problems=(404, 409),
    ),
)  # fmt: skip
