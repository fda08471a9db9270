"""``/api/v1/ledger``: links, checkpoints, and the evidence of a journey as a bundle that proves itself.

Only the live space has a ledger. Hashes and times of links tell nothing, so they are everybody's who may audit; an entry is shown to
whose unit it names, and by its hash to others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any, Final
from uuid import uuid4

import msgspec
from aiohttp import web
from msgspec import UNSET, UnsetType

from seal_tracker.clock import clock_ms
from seal_tracker.deeds import Deed
from seal_tracker.episodes_file import episode_line
from seal_tracker.ledger.bundle import Run, make_bundle, runs_to_checkpoints
from seal_tracker.ledger.chain import Link, entry_hash, unpack
from seal_tracker.ledger.checkpoints import StoredCheckpoint, fingerprint
from seal_tracker.ledger.entries import EXPORTED, about, is_restricted
from seal_tracker.ledger.keys import public_pem
from seal_tracker.model import LIVE, iso_ms
from seal_tracker.prepared import Prepared
from seal_tracker.space import SpaceJudge
from seal_tracker.store.filters import EpisodeFilter
from seal_tracker.store.records import Action
from seal_tracker.tracks import FORMATS
from seal_tracker.web.accounts import Right
from seal_tracker.web.auth import PRINCIPAL, scope_of, sees_restricted
from seal_tracker.web.context import CONTEXT
from seal_tracker.web.cursors import EventCursor, encode_cursor
from seal_tracker.web.errors import Missing
from seal_tracker.web.queries import Cursor, Id, Limit, NoQuery, cursor_of, path_id, read_query
from seal_tracker.web.reading import encoded
from seal_tracker.web.routes import Route
from seal_tracker.web.wire import Page

__all__ = ["BUNDLES", "ROUTES"]

MAX_NUMBER: Final = 2**63 - 1
DIGITS: Final = len(str(MAX_NUMBER))
EPISODES_AT_ONCE: Final = 1_000

BUNDLES: web.AppKey[asyncio.Semaphore] = web.AppKey("bundles", asyncio.Semaphore)
"""Bundles made at once; each holds a journey's track and entries in memory."""

LinkNumber = Annotated[int, msgspec.Meta(ge=1, le=MAX_NUMBER)]


class LinksQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Links newest first; of one journey where named."""

    limit: Limit = 100
    after: Cursor | UnsetType = UNSET
    journey: Id | UnsetType = UNSET


class CheckpointsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Checkpoints newest first."""

    limit: Limit = 100
    after: Cursor | UnsetType = UNSET


class LinkItem(msgspec.Struct, frozen=True, kw_only=True):
    """A link without its entries; hashes in hex."""

    number: int
    recorded_at: str
    recorded_ms: int
    previous: str
    entries_hash: str
    hash: str


class LedgerPage(msgspec.Struct, frozen=True, kw_only=True):
    """Links, and by which key checkpoints are signed: ``public_key`` in PEM, ``fingerprint`` its SHA-256 in hex."""

    ledger: str
    public_key: str
    fingerprint: str
    items: Sequence[LinkItem]
    next: str | None


class EntryItem(msgspec.Struct, frozen=True, kw_only=True):
    """An entry: its SHA-256 in hex, and its text, whose bytes are what was hashed; null where it is not for the asker."""

    sha256: str
    text: str | None


class WholeLink(LinkItem, frozen=True, kw_only=True):
    """A link with its entries."""

    entries: Sequence[EntryItem]


class CheckpointItem(msgspec.Struct, frozen=True, kw_only=True):
    """A checkpoint: the JWS says all the rest says."""

    number: int
    signed_at: str
    jws: str


async def links(request: web.Request) -> web.Response:
    """Links, newest first."""
    query = read_query(request, LinksQuery)
    cursor, context = cursor_of(query.after, EventCursor), request.app[CONTEXT]
    journey = query.journey or None
    if journey is not None:
        await hold_to_scope(request, journey)
    rows = await context.store.links(cursor.sequence if cursor else None, query.limit, journey)
    following = encode_cursor(EventCursor(rows[-1].number)) if len(rows) == query.limit else None
    signer = context.ledger
    return encoded(
        LedgerPage(
            ledger=signer.ledger,
            public_key=public_pem(signer.key),
            fingerprint=fingerprint(signer.key),
            items=[LinkItem(**members_of(link)) for link in rows],
            next=following,
        )
    )


async def link(request: web.Request) -> web.Response:
    """One link with its entries."""
    read_query(request, NoQuery)
    text = request.match_info["number"]
    found: Sequence[Link] = ()
    if text.isascii() and text.isdigit() and len(text) <= DIGITS and int(text) <= MAX_NUMBER:
        number = int(text)
        found = await request.app[CONTEXT].store.link_run(number, number, [number])
    if not found:
        raise Missing(f"there is no link {text[:DIGITS]}; GET /api/v1/ledger lists them", field="number")
    scope, restricted = scope_of(request), sees_restricted(request)

    def shown(entry: bytes) -> bool:
        return (scope is None or about(entry).unit in scope) and (restricted or not is_restricted(entry))

    entries = await asyncio.to_thread(unpack, found[0].body)
    items = [
        EntryItem(
            sha256=entry_hash(entry).hex(),
            text=entry.decode() if shown(entry) else None,
        )
        for entry in entries
    ]
    return encoded(WholeLink(**members_of(found[0]), entries=items))


async def checkpoints(request: web.Request) -> web.Response:
    """Checkpoints, newest first."""
    query = read_query(request, CheckpointsQuery)
    cursor = cursor_of(query.after, EventCursor)
    rows = await request.app[CONTEXT].store.ledger_checkpoints(
        cursor.sequence if cursor else None, query.limit
    )
    following = encode_cursor(EventCursor(rows[-1].number)) if len(rows) == query.limit else None
    items = [CheckpointItem(number=c.number, signed_at=iso_ms(c.signed_ms), jws=c.jws) for c in rows]
    return encoded(Page(items, following))


async def bundle(request: web.Request) -> web.Response:
    """The evidence of a journey as a zip; what was recorded until now is in it and signed."""
    read_query(request, NoQuery)
    name, context = path_id(request, "journey"), request.app[CONTEXT]
    await hold_to_scope(request, name)
    async with request.app[BUNDLES]:
        if not await context.store.link_numbers(name):
            raise Missing(f"the ledger tells nothing of journey {name!r}", field="journey")
        journey = await context.live.journey(LIVE, name)
        numbers = await _exported(request, name, journey.unit if journey else None)
        await context.ledger.sign_now()
        runs = await _runs(request, numbers)
        along = {"episodes.ndjson": await _episodes(request, name)}
        if journey is not None:
            tracks = await context.live.tracks(LIVE, journey)
            along["track.geojson"] = await asyncio.to_thread(FORMATS["geojson"][1], name, tracks)
        signer = context.ledger
        body = await asyncio.to_thread(
            lambda: make_bundle(name, runs, along, sign=signer.sign, now_ms=clock_ms())
        )
    disposition = {"Content-Disposition": f'attachment; filename="{name.replace(":", "_")}.zip"'}
    return web.Response(body=body, content_type="application/zip", headers=disposition)


async def _exported(request: web.Request, name: str, unit: str | None) -> list[int]:
    """Record that the journey's evidence is handed out, by which the bundle ends; its links up to that one.

    The entry stands in the chain, and its index names the journey's link before it: so the bundle's end cannot be cut off unseen.
    """
    mark, account = uuid4().hex, request[PRINCIPAL].account
    said = msgspec.json.encode({"bundle": mark})
    action = Action(
        clock_ms(), account.username, str(account.role), EXPORTED, f"journey/{name}", name, unit, said
    )

    async def work(_: SpaceJudge) -> tuple[Prepared, Deed]:
        return Prepared(), Deed(actions=[action])

    context = request.app[CONTEXT]
    await context.live.act(LIVE, work)
    numbers = list(await context.store.link_numbers(name))
    while numbers:  # what was recorded since is not part of what was asked for
        [newest] = await context.store.link_run(numbers[-1], numbers[-1], numbers[-1:])
        if any(mark.encode() in entry for entry in unpack(newest.body)):
            break
        numbers.pop()
    return numbers


async def _runs(request: web.Request, numbers: Sequence[int]) -> list[Run]:
    """The way from each link to the checkpoint after it."""
    store = request.app[CONTEXT].store
    covering: dict[int, StoredCheckpoint] = await store.checkpoints_covering(numbers)
    ends = {number: found.number for number, found in covering.items()}
    jws = {found.number: found.jws for found in covering.values()}
    return [
        Run(await store.link_run(first, last, shown), jws[last])
        for first, last, shown in runs_to_checkpoints(ends)
    ]


async def _episodes(request: web.Request, journey: str) -> bytes:
    """The journey's episodes as they now stand, newest first, a line each."""
    lines, cursor = [], None
    while True:
        page = await request.app[CONTEXT].store.episodes(
            LIVE, EpisodeFilter(journeys=[journey]), cursor=cursor, limit=EPISODES_AT_ONCE
        )
        lines += [episode_line(row.episode) for row in page.items]
        cursor = page.next
        if cursor is None:
            return b"".join(lines)


async def hold_to_scope(request: web.Request, name: str) -> None:
    """Refuse a journey that is not of the asker's units.

    Raises
    ------
    Missing
        It is another unit's, or nobody's that is known.
    """
    scope = scope_of(request)
    if scope is None:
        return
    journey = await request.app[CONTEXT].live.journey(LIVE, name)
    if journey is None or journey.unit not in scope:
        raise Missing(f"there is no journey {name!r}; GET /api/v1/journeys lists them", field="journey")


def members_of(row: Link) -> dict[str, Any]:
    """What every answer says of a link."""
    return {
        "number": row.number,
        "recorded_at": iso_ms(row.recorded_ms),
        "recorded_ms": row.recorded_ms,
        "previous": row.previous.hex(),
        "entries_hash": row.entries_hash.hex(),
        "hash": row.hash.hex(),
    }


ROUTES: Final = (
    Route("GET", "/api/v1/ledger", links, Right.AUDIT, "The ledger's links, newest first, and the key that signs it.", query=LinksQuery, answer=LedgerPage, problems=(404,), leads={"/api/v1/ledger/links/{number}": {"number": "/items/0/number"}}),
    Route(
        "GET", "/api/v1/ledger/links/{number}", link, Right.AUDIT, "One link with its entries: events as published, and what persons did.",
        query=NoQuery, path_types={"number": LinkNumber}, answer=WholeLink, problems=(404,),
    ),
    Route("GET", "/api/v1/ledger/checkpoints", checkpoints, Right.AUDIT, "What was signed, newest first.", query=CheckpointsQuery, answer=Page[CheckpointItem]),
    Route(
        "GET", "/api/v1/ledger/bundles/{journey}", bundle, Right.AUDIT, "The evidence of a journey, as a zip that proves itself.",
        query=NoQuery, path_types={"journey": Id}, media=("application/zip",), problems=(404,),
    ),
)  # fmt: skip
