"""What every request passes, outermost first: ``log_access`` (request id, one log line), ``problems`` (errors become RFC 9457),
then ``auth.authenticate``. Security headers are put on by ``add_headers`` as each response starts, streams included.
"""

from __future__ import annotations

import re
import time
from typing import Final
from urllib.parse import urlsplit
from uuid import uuid4

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from seal_tracker.store.errors import StoreUnavailable
from seal_tracker.web.context import CONTEXT, WebConfig
from seal_tracker.web.errors import Problem, Unavailable, encode_problem

__all__ = ["add_headers", "content_security_policy", "cut", "log_access", "problems"]

log = structlog.get_logger(__name__)

REQUEST_ID: web.RequestKey[str] = web.RequestKey("request_id", str)
PROBLEM_JSON: Final = "application/problem+json"
QUIET_PATHS: Final = frozenset({"/healthz", "/readyz", "/metrics"})
"""Asked every few seconds by machines; logged at debug level."""

UNREACHABLE: Final = (StoreUnavailable, OSError, TimeoutError)
"""The database, or whatever else the answer needs, is away, starting, stopping or full: the client should try again."""


@web.middleware
async def log_access(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give the request an id (its own, where it brings a fit one) and log one line when it is done."""
    given = request.headers.get("X-Request-ID", "")
    request[REQUEST_ID] = given if re.fullmatch(r"[A-Za-z0-9_.:-]{1,64}", given) else uuid4().hex
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=request[REQUEST_ID])
    began_s = time.perf_counter()
    status, size = 0, 0
    try:
        response = await handler(request)
        status, size = response.status, response.body_length or response.content_length or 0
        return response
    finally:
        write = log.debug if request.path in QUIET_PATHS else log.info
        write(
            "http_request",
            method=request.method,
            path=request.path,
            status=status,
            bytes=size,
            duration_ms=round((time.perf_counter() - began_s) * 1000, 1),
            remote=request.remote,
        )


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn whatever is raised into problem+json; what nobody foresaw is logged whole and told as 500 without detail.

    An answer that had begun cannot be taken back: its connection is cut, so that no client takes half for the whole.
    """
    try:
        return await handler(request)
    except Problem as problem:
        cut_if_begun(request, problem)
        return problem_response(request, problem)
    except web.HTTPException as answer:
        if answer.status < 400:  # noqa: PLR2004 - a redirect is no error
            raise
        return http_error_response(request, answer)
    except UNREACHABLE as error:
        cut_if_begun(request, error)
        log.warning("http_unavailable", error=repr(error), path=request.path)
        return problem_response(
            request, Unavailable("the database does not answer now; try again", headers={"Retry-After": "5"})
        )
    except Exception as error:
        log.exception("http_failed", path=request.path)
        cut_if_begun(request, error)
        body = encode_problem(500, "this is our fault; the log has it under the request id", request.path)
        return web.Response(status=500, body=body, content_type=PROBLEM_JSON)


def cut_if_begun(request: web.Request, error: Exception) -> None:
    """When the response's head has gone out already, cut the connection.

    Raises
    ------
    ConnectionResetError
        It had: nothing more can be said to this client.
    """
    if request.writer.output_size == 0:
        return
    if not isinstance(error, ConnectionError):
        log.warning("http_cut_short", error=repr(error), path=request.path)
    cut(request)
    raise ConnectionResetError("the answer was cut short") from error


def cut(request: web.Request) -> None:
    """End the connection at once, whatever is still to be sent on it."""
    if request.transport is not None:
        request.transport.abort()


def problem_response(request: web.Request, problem: Problem) -> web.Response:
    """The response that says the problem."""
    body = encode_problem(
        problem.status,
        problem.detail,
        request.path,
        kind=problem.kind,
        field=problem.field,
        members=problem.members,
    )
    return web.Response(status=problem.status, body=body, content_type=PROBLEM_JSON, headers=problem.headers)


def http_error_response(request: web.Request, answer: web.HTTPException) -> web.Response:
    """Refusals of aiohttp itself (no such path, no such method) in the same form."""
    body = encode_problem(answer.status, answer.reason or "refused", request.path)
    headers = {name: answer.headers[name] for name in ("Allow",) if name in answer.headers}
    return web.Response(status=answer.status, body=body, content_type=PROBLEM_JSON, headers=headers)


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Security headers and the request's id, on every response as it starts. There are no CORS headers, on purpose."""
    config = request.app[CONTEXT].config
    headers = response.headers
    headers["Server"] = "seal-tracker"
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "no-referrer"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=(), payment=()"
    headers["Content-Security-Policy"] = content_security_policy(config)
    headers.setdefault("Cache-Control", "no-store")
    if config.tls:
        headers["Strict-Transport-Security"] = "max-age=31536000"
    if REQUEST_ID in request:
        headers["X-Request-ID"] = request[REQUEST_ID]


def content_security_policy(config: WebConfig) -> str:
    """Everything from here alone, but tiles from where the configuration says; no inline script or style."""
    tiles = ""
    if config.tile_url:
        parts = urlsplit(config.tile_url)
        tiles = f" {parts.scheme}://{parts.netloc}" if parts.netloc else ""
    return "; ".join(
        (
            "default-src 'self'",
            f"img-src 'self' data: blob:{tiles}",
            f"connect-src 'self'{tiles}",
            "worker-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )
