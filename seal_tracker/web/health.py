"""``/healthz``, ``/readyz`` and ``/metrics``: for machines that watch the service. Open to all; they tell no data."""

from __future__ import annotations

import asyncio
from typing import Final

import msgspec
import structlog
from aiohttp import web
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from seal_tracker.web.auth import Open
from seal_tracker.web.context import CONTEXT, Check
from seal_tracker.web.page import page_built
from seal_tracker.web.routes import Route
from seal_tracker.web.wire import HealthAnswer, ReadyAnswer

__all__ = ["ROUTES"]

log = structlog.get_logger(__name__)

DATABASE_TIMEOUT_S: Final = 2.0
"""A database that answers slower than this is not one to send people to."""


async def healthz(_request: web.Request) -> web.Response:
    """The process is alive and its loop turns; nothing else is looked at, so that a restart is not asked for in vain."""
    return web.Response(body=b'{"status":"alive"}', content_type="application/json")


async def readyz(request: web.Request) -> web.Response:
    """200 when every part is ready, else 503; either way with each part and what to know of it."""
    context = request.app[CONTEXT]
    built = page_built(context.config.page)
    checks: list[Check] = [
        await database_check(request),
        *context.live.ready(),
        ("page", built, "built" if built else "not built; see the README"),
    ]
    ready = all(ok for _, ok, _ in checks)
    body = {
        "ready": ready,
        "checks": [{"name": name, "ok": ok, "detail": detail} for name, ok, detail in checks],
    }
    return web.Response(
        status=200 if ready else 503, body=msgspec.json.encode(body), content_type="application/json"
    )


async def database_check(request: web.Request) -> Check:
    """Whether the database answers.

    The question is left behind, not waited for, when its time is up: to take it back asks the database once more.
    """
    question = asyncio.ensure_future(request.app[CONTEXT].store.last_sequence())
    await asyncio.wait({question}, timeout=DATABASE_TIMEOUT_S)
    if question.cancel():
        log.warning("database_not_ready", error="timeout")
        return ("database", False, f"does not answer within {DATABASE_TIMEOUT_S:.0f} s")
    try:
        await question
    except Exception as error:  # noqa: BLE001 - whatever it is, the database does not answer
        log.warning("database_not_ready", error=repr(error))
        return ("database", False, f"does not answer: {type(error).__name__}")
    return ("database", True, "answers")


async def metrics(request: web.Request) -> web.Response:
    """The registry's collectors in Prometheus' text format."""
    body = generate_latest(request.app[CONTEXT].registry)
    return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})


ROUTES: Final = (
    Route("GET", "/healthz", healthz, Open.TO_ALL, "The process is alive.", answer=HealthAnswer),
    Route(
        "GET",
        "/readyz",
        readyz,
        Open.TO_ALL,
        "Whether pings can come in and alerts go out; 503 where not.",
        answer=ReadyAnswer,
    ),
    Route("GET", "/metrics", metrics, Open.TO_ALL, "Figures for Prometheus.", media=("text/plain",)),
)
