"""What the service says of itself: its API (OpenAPI), its MQTT topics (AsyncAPI), and a page to try the first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from aiohttp import web

from seal_tracker.web.asyncapi import describe_topics
from seal_tracker.web.auth import Open
from seal_tracker.web.context import CONTEXT
from seal_tracker.web.errors import Unavailable
from seal_tracker.web.openapi import describe
from seal_tracker.web.page import file_response
from seal_tracker.web.queries import NoQuery, read_query
from seal_tracker.web.routes import JSON, Route

__all__ = ["DESCRIBED", "ROUTES"]

DESCRIBED: web.AppKey[Sequence[Route]] = web.AppKey("described", Sequence)
"""The routes of the application, which ``app`` knows."""

API_PAGE: Final = "api.html"


async def openapi(request: web.Request) -> web.Response:
    """The OpenAPI document."""
    read_query(request, NoQuery)
    routes = request.app[DESCRIBED]
    return _told(describe(routes, version=request.app[CONTEXT].config.version))


async def asyncapi(request: web.Request) -> web.Response:
    """The AsyncAPI document."""
    read_query(request, NoQuery)
    config = request.app[CONTEXT].config
    return _told(describe_topics(tenant=config.tenant, version=config.version))


async def try_it(request: web.Request) -> web.StreamResponse:
    """The page on which the API can be read and tried."""
    read_query(request, NoQuery)
    page = request.app[CONTEXT].config.page / API_PAGE
    if not page.is_file():
        raise Unavailable(
            "the page has not been built; install the package anew, then start the service again"
        )
    return file_response(page, "no-cache")


def _told(document: dict[str, Any]) -> web.Response:
    response = web.Response(body=msgspec.json.encode(document), content_type=JSON)
    response.enable_compression()
    return response


ROUTES: Final = (
    Route("GET", "/api/v1/openapi.json", openapi, Open.TO_ALL, "This description.", answer=dict[str, Any], tag="service"),
    Route(
        "GET", "/api/v1/asyncapi.json", asyncapi, Open.TO_ALL, "The MQTT topics and their messages, as AsyncAPI 3.",
        answer=dict[str, Any], tag="service",
    ),
    Route("GET", "/api/v1/docs", try_it, Open.TO_ALL, "A page to read and try the API.", media=("text/html",), tag="service", cached=True),
)  # fmt: skip
