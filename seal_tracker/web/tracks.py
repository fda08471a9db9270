"""``/api/v1/tracks/{journey}``: where a journey's devices went, in the format the client asks for."""

from __future__ import annotations

import asyncio
from typing import Final, Literal

from aiohttp import web
from msgspec import UNSET, UnsetType

from seal_tracker.tracks import FORMATS, gone_until
from seal_tracker.web.accounts import Right
from seal_tracker.web.auth import scope_of
from seal_tracker.web.context import CONTEXT
from seal_tracker.web.errors import Missing
from seal_tracker.web.queries import SpaceQuery, path_id, read_query
from seal_tracker.web.reading import PACK_IN_THREAD_BYTES, known_space
from seal_tracker.web.routes import Route
from seal_tracker.web.wire import TrackCollection

__all__ = ["ROUTES"]


class TrackQuery(SpaceQuery, frozen=True, forbid_unknown_fields=True):
    """Which space, and the format where the header ``Accept`` is not to say it."""

    format: Literal["geojson", "gpx", "csv", "mf-json"] | UnsetType = UNSET


GONE_UNTIL: Final = "Pings-Gone-Until"
"""CSV has no other place for it, and an empty track needs it in every format."""


async def track(request: web.Request) -> web.Response:
    """The accepted fixes of a journey's devices while it was armed."""
    query = read_query(request, TrackQuery)
    known_space(request, query.space)
    name = path_id(request, "journey")
    live, scope = request.app[CONTEXT].live, scope_of(request)
    journey = await live.journey(query.space, name)
    if journey is None or (scope is not None and journey.unit not in scope):
        raise Missing(f"there is no journey {name!r}; GET /api/v1/journeys lists them", field="journey")
    content_type, write = FORMATS[query.format or accepted_format(request.headers.get("Accept", ""))]
    tracks = await live.tracks(query.space, journey)
    body = await asyncio.to_thread(write, journey.id, tracks)
    response = web.Response(body=body, content_type=content_type, zlib_executor_size=PACK_IN_THREAD_BYTES)
    response.headers["Vary"] = "Accept"
    if gone := gone_until(tracks):
        response.headers[GONE_UNTIL] = gone
    response.enable_compression()
    return response


def accepted_format(accept: str) -> str:
    """The format that ``Accept`` likes best; GeoJSON where it names none of ours."""
    liked = []
    for part in accept.split(","):
        media, *parameters = (word.strip().lower() for word in part.split(";"))
        quality = next((word[2:] for word in parameters if word.startswith("q=")), "1")
        for name, (content_type, _) in FORMATS.items():
            if media == content_type and quality.replace(".", "", 1).isdigit():
                liked.append((float(quality), name))
    return max(liked, key=lambda one: one[0])[1] if liked else "geojson"


ROUTES: Final = (
    Route(
        "GET", "/api/v1/tracks/{journey}", track, Right.READ, "Where a journey's devices went: GeoJSON, GPX, CSV or MF-JSON by `Accept`.",
        query=TrackQuery, answer=TrackCollection, media=tuple(content_type for content_type, _ in FORMATS.values()),
        says={GONE_UNTIL: "The track is not whole: pings up to this moment are no longer kept. Absent where all are."},
    ),
)  # fmt: skip
