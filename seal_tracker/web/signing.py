"""``/api/v1/session``: sign in, who am I, sign out."""

from __future__ import annotations

import asyncio
import math

import msgspec
import structlog
from aiohttp import web

from seal_tracker.web.accounts import RIGHTS
from seal_tracker.web.auth import PRINCIPAL, Open, cookie_name
from seal_tracker.web.context import CONTEXT
from seal_tracker.web.errors import Forbidden, NotSignedIn, Problem, TooManyAttempts
from seal_tracker.web.lockout import Lockout
from seal_tracker.web.queries import NoQuery, SignIn, read_body, read_query
from seal_tracker.web.routes import Route
from seal_tracker.web.wire import SessionAnswer

__all__ = ["LOCKOUT", "ROUTES", "show_session", "sign_in", "sign_out"]

log = structlog.get_logger(__name__)

LOCKOUT: web.AppKey[Lockout] = web.AppKey("lockout", Lockout)


async def sign_in(request: web.Request) -> web.Response:
    """Check name and password, make a session, set its cookie."""
    read_query(request, NoQuery)
    given = await read_body(request, SignIn)
    context = request.app[CONTEXT]
    if request.headers.get("Sec-Fetch-Site") == "cross-site":
        raise refused(request, given, Forbidden("another site may not sign you in here"))
    address = request.remote or "unknown"
    lockout = request.app[LOCKOUT]
    wait_s = lockout.begin(given.username, address, asyncio.get_running_loop().time())
    if wait_s > 0:
        seconds = str(math.ceil(wait_s))
        raise refused(
            request,
            given,
            TooManyAttempts(
                f"too many failed sign-ins; wait {seconds} s and try again", headers={"Retry-After": seconds}
            ),
        )
    account = await context.accounts.verify(given.username, given.password)
    if account is None:
        raise refused(request, given, NotSignedIn("name or password is wrong", field="password"))
    lockout.succeeded(given.username, address)
    if not RIGHTS[account.role]:
        raise refused(request, given, Forbidden(f"the role {account.role} is for MQTT, not for people"))
    session = await context.sessions.add(account, context.config.session_s)
    log.info("signed_in", account=account.username, role=account.role, remote=address)
    response = said(account.username, account.role, session.csrf)
    response.set_cookie(
        cookie_name(context.config.tls),
        session.secret,
        max_age=context.config.session_s,
        path="/",
        httponly=True,
        secure=context.config.tls,
        samesite="Strict",
    )
    return response


async def show_session(request: web.Request) -> web.Response:
    """Who is signed in; a page that was reloaded gets its csrf token back here. By token there is none."""
    read_query(request, NoQuery)
    principal = request[PRINCIPAL]
    csrf = principal.session.csrf if principal.session else None
    return said(principal.account.username, principal.account.role, csrf)


async def sign_out(request: web.Request) -> web.Response:
    """End the session; its streams end at their next heartbeat."""
    read_query(request, NoQuery)
    context = request.app[CONTEXT]
    principal = request[PRINCIPAL]
    if principal.session:
        await context.sessions.drop(principal.session.id_hash)
        log.info("signed_out", account=principal.account.username)
    response = web.Response(status=204)
    tls = context.config.tls
    response.del_cookie(cookie_name(tls), path="/", secure=tls, httponly=True, samesite="Strict")
    return response


def said(username: str, role: str, csrf: str | None) -> web.Response:
    """The session as the page gets it."""
    body = msgspec.json.encode({"username": username, "role": role, "csrf": csrf})
    return web.Response(body=body, content_type="application/json")


def refused(request: web.Request, given: SignIn, problem: Problem) -> Problem:
    """The problem, logged: with the name that was tried, never the password."""
    username = given.username[:64].encode("ascii", "backslashreplace").decode()
    log.warning("sign_in_refused", username=username, reason=problem.detail, remote=request.remote)
    return problem


ROUTES = (
    Route(
        "POST",
        "/api/v1/session",
        sign_in,
        Open.TO_ALL,
        "Sign in.",
        body=SignIn,
        answer=SessionAnswer,
        problems=(401, 403, 429),
    ),
    Route(
        "GET", "/api/v1/session", show_session, Open.TO_SIGNED_IN, "Who is signed in.", answer=SessionAnswer
    ),
    Route("DELETE", "/api/v1/session", sign_out, Open.TO_SIGNED_IN, "Sign out.", status=204),
)
