"""``/api/v1/seal-moves``: the storekeeper's book, movements of all seals; many seals moved at once are recorded here, too."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from seal_tracker.clock import clock_ms
from seal_tracker.custody.asset import Movement, movement_in
from seal_tracker.custody.rows import BookEntry
from seal_tracker.model import LIVE, iso_ms
from seal_tracker.store.asset_reads import BookFilter
from seal_tracker.web.accounts import Right
from seal_tracker.web.acting import acted
from seal_tracker.web.alarms import moment_ms
from seal_tracker.web.auth import scope_of
from seal_tracker.web.context import CONTEXT
from seal_tracker.web.cursors import EventCursor, encode_cursor
from seal_tracker.web.queries import WEEK_MS, NoQuery, cursor_of, read_body, read_query, within_a_year
from seal_tracker.web.reading import encoded
from seal_tracker.web.routes import JSON, Route
from seal_tracker.web.scope import units_asked
from seal_tracker.web.seal_assets import desk_of, wanted_of
from seal_tracker.web.seal_bodies import BookQuery, Moved, NewMoves
from seal_tracker.web.seal_files import book_csv
from seal_tracker.web.wire import Page

__all__ = ["ROUTES"]

CSV: Final = "text/csv"
MOVES_BYTES: Final = 128 * 1024
AT_ONCE: Final = 1_000
"""Movements read together for a CSV of all."""


async def list_moves(request: web.Request) -> web.Response:
    """Movements of all seals, the last recorded first."""
    query = read_query(request, BookQuery)
    from_ms, to_ms = moment_ms(query.from_, "from"), moment_ms(query.to, "to")
    if query.format == "csv":
        from_ms, to_ms = within_a_year(from_ms, to_ms) if (from_ms, to_ms) != (None, None) else last_week()
    units = units_asked(scope_of(request), query.unit or None)
    which = BookFilter(units=units, move=query.move or None, from_ms=from_ms, to_ms=to_ms)
    if query.format == "csv":
        return await all_as_csv(request, which)
    cursor = cursor_of(query.after, EventCursor)
    found, more = await request.app[CONTEXT].store.seal_book(
        LIVE, which, before=None if cursor is None else cursor.sequence, limit=query.limit
    )
    following = encode_cursor(EventCursor(found[-1].entry)) if more else None
    return encoded(Page([movement_in(one.movement) for one in found], following))


def last_week() -> tuple[int, int]:
    """The seven days before now; epoch ms."""
    now_ms = clock_ms()
    return now_ms - WEEK_MS, now_ms


async def all_as_csv(request: web.Request, which: BookFilter) -> web.Response:
    """All that is asked for, page by page."""
    store, found = request.app[CONTEXT].store, list[BookEntry]()
    more = True
    while more:
        page, more = await store.seal_book(
            LIVE, which, before=found[-1].entry if found else None, limit=AT_ONCE
        )
        found += page
    assert which.from_ms is not None, "a period is asked for"
    name = f"seal-moves-{iso_ms(which.from_ms)[:10]}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    body = book_csv(movement_in(one.movement) for one in found)
    return web.Response(body=body, content_type=CSV, charset="utf-8", headers=headers)


async def move_assets(request: web.Request) -> web.Response:
    """Record that something happened to many seals."""
    read_query(request, NoQuery)
    given, desk = await read_body(request, NewMoves, max_bytes=MOVES_BYTES), desk_of(request)
    wanted, seals = wanted_of(request, given), list(dict.fromkeys(given.seals))
    await acted(request, lambda _: desk.move(seals, wanted, None))
    return encoded(Moved(len(seals)))


ROUTES: Final[tuple[Route, ...]] = (
    Route(
        "GET", "/api/v1/seal-moves", list_moves, Right.READ, "Movements of all seals, the last recorded first.",
        query=BookQuery, answer=Page[Movement], media=(JSON, CSV), tag="seal-assets",
        leads={"/api/v1/seal-assets/{seal}": {"seal": "/items/0/seal"}},
    ),
    Route(
        "POST", "/api/v1/seal-moves", move_assets, Right.KEEP_SEALS, "Something happened to many seals: to all of them, or to none.",
        body=NewMoves, answer=Moved, problems=(404, 409), tag="seal-assets",
    ),
)  # fmt: skip
