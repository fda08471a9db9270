"""The aiohttp application: every route with the right it needs, in one table.

request → log_access → problems → authenticate → handler
                                                    └ add_headers as the response starts
"""

from __future__ import annotations

import asyncio
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from seal_tracker.web import health, history, page, reading, signing, spaces, stream
from seal_tracker.web.accounts import Right
from seal_tracker.web.auth import RIGHT, Open, authenticate
from seal_tracker.web.context import CONTEXT, WebContext
from seal_tracker.web.lockout import Lockout
from seal_tracker.web.middlewares import add_headers, log_access, problems

__all__ = ["ROUTES", "create_app"]

ROUTES: Final[tuple[tuple[str, str, Handler, Right | Open], ...]] = (
    ("GET", "/healthz", health.healthz, Open.TO_ALL),
    ("GET", "/readyz", health.readyz, Open.TO_ALL),
    ("GET", "/metrics", health.metrics, Open.TO_ALL),
    ("POST", "/api/v1/session", signing.sign_in, Open.TO_ALL),
    ("GET", "/api/v1/session", signing.show_session, Open.TO_SIGNED_IN),
    ("DELETE", "/api/v1/session", signing.sign_out, Open.TO_SIGNED_IN),
    ("GET", "/api/v1/config", reading.config, Right.READ),
    ("GET", "/api/v1/zones", reading.zones, Right.READ),
    ("GET", "/api/v1/routes", reading.routes, Right.READ),
    ("GET", "/api/v1/units", reading.units, Right.READ),
    ("GET", "/api/v1/journeys", reading.journeys, Right.READ),
    ("GET", "/api/v1/seals", reading.seals, Right.READ),
    ("GET", "/api/v1/events", history.events, Right.READ),
    ("GET", "/api/v1/episodes", history.episodes, Right.READ),
    ("GET", "/api/v1/stats", history.stats, Right.READ),
    ("GET", "/api/v1/stream", stream.stream, Right.READ),
    ("GET", "/api/v1/spaces", spaces.list_spaces, Right.READ),
    ("POST", "/api/v1/spaces", spaces.make_space, Right.MAKE_SPACES),
    ("GET", "/", page.index, Open.TO_ALL),
    ("GET", "/{path:.+}", page.asset, Open.TO_ALL),
)
"""Method, path, handler, right. The last line takes every other path, and finds nothing but files of the page."""

WHOLE_READERS: Final = 2
"""Episodes files sent at once; the third waits."""


def create_app(context: WebContext) -> web.Application:
    """The application over what it was given. It closes the hub at shutdown, nothing else of the context."""
    app = web.Application(middlewares=[log_access, problems, authenticate])
    app[CONTEXT] = context
    rights: dict[object, Right | Open] = {handler: right for _, _, handler, right in ROUTES}
    app[RIGHT] = rights
    app[signing.LOCKOUT] = Lockout(context.config.lockout)
    app[spaces.MAKING] = asyncio.Lock()
    app[history.WHOLE_READERS] = asyncio.Semaphore(WHOLE_READERS)
    app[stream.STREAMS] = set()
    for method, path, handler, _ in ROUTES:
        if method == "GET":
            app.router.add_get(path, handler, allow_head=handler is not stream.stream)
        else:
            app.router.add_route(method, path, handler)
    app.on_response_prepare.append(add_headers)
    app.on_shutdown.append(stream.end_streams)
    return app
