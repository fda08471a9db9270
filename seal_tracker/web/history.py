"""What the database tells: events, episodes, counts."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import msgspec
from aiohttp import web
from msgspec import UNSET

from seal_tracker.episodes_file import episode_line, episode_members
from seal_tracker.model import LIVE
from seal_tracker.publishing.cloudevents import CloudEvent
from seal_tracker.store.filters import EpisodeFilter, EventFilter
from seal_tracker.web.accounts import Right
from seal_tracker.web.auth import scope_of
from seal_tracker.web.beside import beside, comments_on
from seal_tracker.web.context import CONTEXT
from seal_tracker.web.cursors import EpisodeCursor, EventCursor, encode_cursor
from seal_tracker.web.errors import BadParameter
from seal_tracker.web.queries import (
    EpisodesQuery,
    EventsQuery,
    HappenedQuery,
    SpaceQuery,
    cursor_of,
    period_of,
    read_query,
)
from seal_tracker.web.reading import encoded, journeys_asked, known_space
from seal_tracker.web.routes import JSON, Route
from seal_tracker.web.scope import units_asked, units_with_below
from seal_tracker.web.wire import EpisodeItem, Page, StatsAnswer, Tail

__all__ = ["ROUTES", "WHOLE_READERS"]

NDJSON: Final = "application/x-ndjson"

CHUNK_BYTES: Final = 64 * 1024
"""Lines are gathered to about this much before they are written."""

NOT_DISCARDED: Final = ("late", "rejudged_seals", "rejudged_pings")
"""Counters of the store that say what was done, not what was left out."""

TAKEN_S: Final = 60.0
"""A reader of the episodes file that takes nothing for so long is cut off: its place is another's."""

WHOLE_READERS: web.AppKey[asyncio.Semaphore] = web.AppKey("whole_readers", asyncio.Semaphore)
"""Whole episodes files sent at once; more wait, so that they do not take the database from the rest."""


async def events(request: web.Request) -> web.Response:
    """CloudEvents in order of sequence.

    Oldest first, ``next`` is always there, so that who has read all may ask again with it later; newest first, it is null at the end.
    """
    query = read_query(request, EventsQuery)
    known_space(request, query.space)
    store, which = request.app[CONTEXT].store, EventFilter(**await happened(request, query))
    cursor = cursor_of(query.after, EventCursor)
    following: str | None
    if query.order == "asc":
        seen = cursor.sequence if cursor else 0
        rows = await store.events_after(query.space, seen, query.limit, which)
        following = encode_cursor(EventCursor(rows[-1][0] if rows else seen))
    else:
        before = cursor.sequence if cursor else None
        rows = await store.events_before(query.space, before, query.limit, which)
        following = encode_cursor(EventCursor(rows[-1][0])) if len(rows) == query.limit else None
    return encoded({"items": [msgspec.Raw(body) for _, body in rows], "next": following})


async def episodes(request: web.Request) -> web.StreamResponse:
    """Episodes newest first, or the whole episodes file."""
    query = read_query(request, EpisodesQuery)
    known_space(request, query.space)
    which = EpisodeFilter(**await happened(request, query), open_only=query.open or False)
    if query.format == "ndjson":
        for field in ("limit", "after"):
            if getattr(query, field) is not UNSET:
                raise BadParameter(f"{field}: the ndjson form is not paged; leave it out", field=field)
        return await episodes_file(request, query.space, which)
    cursor = cursor_of(query.after, EpisodeCursor)
    page = await request.app[CONTEXT].store.episodes(
        query.space, which, cursor=cursor.place if cursor else None, limit=query.limit or 100
    )
    following = encode_cursor(EpisodeCursor(page.next)) if page.next else None
    comments = await comments_on(request, query.space, (row.episode.journey or "" for row in page.items))
    items = [episode_members(row.episode) for row in page.items]
    for row, item in zip(page.items, items, strict=True):
        if said := beside(row.episode, comments):
            item["comments"] = said
    return encoded({"items": items, "next": following})


async def happened(request: web.Request, query: HappenedQuery) -> dict[str, Any]:
    """What events and episodes are filtered by, as the store takes it; never more than the asker may see."""
    from_ms, to_ms = period_of(query.from_, query.to)
    scope, unit, plan = scope_of(request), query.unit or None, request.app[CONTEXT].live.plan(query.space)
    return {
        "units": units_with_below(scope, unit, plan) if query.below else units_asked(scope, unit),
        "journeys": await journeys_asked(request, query.space, query.journey, query.box),
        "seal": query.seal or None,
        "type": query.type or None,
        "severity": query.severity or None,
        "from_ms": from_ms,
        "to_ms": to_ms,
    }


async def episodes_file(request: web.Request, space: str, which: EpisodeFilter) -> web.StreamResponse:
    """The episodes file, line by line as the database gives it; memory stays small whatever its size."""
    async with request.app[WHOLE_READERS]:
        response = web.StreamResponse(headers={"Content-Type": NDJSON})
        lines = bytearray()
        async for episode in request.app[CONTEXT].store.stream_episodes(space, which):
            if (
                not response.prepared
            ):  # not before, so that a database that is away is still told as a problem
                await response.prepare(request)
            lines += episode_line(episode)
            if len(lines) >= CHUNK_BYTES:
                async with asyncio.timeout(TAKEN_S):
                    await response.write(bytes(lines))
                lines.clear()
        if not response.prepared:
            await response.prepare(request)
        await response.write(bytes(lines))
        await response.write_eof()
        return response


async def stats(request: web.Request) -> web.Response:
    """What the store holds and what was discarded, by name; a unit is told of its own events and seals alone."""
    query = read_query(request, SpaceQuery)
    known_space(request, query.space)
    context, scope = request.app[CONTEXT], scope_of(request)
    if scope is not None:
        seals = sum(row.unit in scope for row in context.live.positions(query.space))
        return encoded({"events": await context.store.event_count(query.space, scope), "seals": seals})
    counts: dict[str, Any] = (await context.store.stats(query.space))._asdict()
    named = dict(counts["discards"])
    counts |= {name: named.pop(name, 0) for name in NOT_DISCARDED} | {"discards": named}
    if query.space == LIVE:
        counts = {**context.live.stats_extra(), **counts}
    return encoded(counts)


ROUTES: Final = (
    Route(
        "GET", "/api/v1/events", events, Right.READ, "Events in order of sequence, as published: CloudEvents.",
        query=EventsQuery, answer=Tail[CloudEvent], problems=(404,),
        leads={"/api/v1/journeys/{id}": {"id": "/items/0/data/properties/journey"}},
    ),
    Route(
        "GET", "/api/v1/episodes", episodes, Right.READ, "Episodes, newest first; or the episodes file.",
        query=EpisodesQuery, answer=Page[EpisodeItem], media=(JSON, NDJSON), problems=(404,),
    ),
    Route("GET", "/api/v1/stats", stats, Right.READ, "What a space holds and what was discarded.", query=SpaceQuery, answer=StatsAnswer, problems=(404,)),
)  # fmt: skip
