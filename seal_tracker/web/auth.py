"""Who is asking, and whether they may. A route states the right it needs in the table of ``app``; nothing is open by omission."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from enum import Enum
from typing import Final

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from seal_tracker.store.records import Session
from seal_tracker.web.accounts import Account, Right
from seal_tracker.web.context import CONTEXT
from seal_tracker.web.errors import Forbidden, NotSignedIn, Problem

__all__ = [
    "PRINCIPAL",
    "RIGHT",
    "Open",
    "Principal",
    "authenticate",
    "cookie_name",
    "scope_of",
    "still_signed_in",
]

log = structlog.get_logger(__name__)

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
CSRF_HEADER: Final = "X-CSRF-Token"


class Open(Enum):
    """Routes that need no right."""

    TO_ALL = "all"
    TO_SIGNED_IN = "signed_in"


RIGHT: web.AppKey[dict[object, Right | Open]] = web.AppKey("rights", dict)
"""The right each handler needs; a handler that is missing is refused."""


@dataclass(frozen=True, slots=True)
class Principal:
    """The account that asks, the session it asks by (None: by token), and the units it may see (None: all)."""

    account: Account
    session: Session | None
    units: frozenset[str] | None = None


PRINCIPAL: web.RequestKey[Principal] = web.RequestKey("principal", Principal)


def scope_of(request: web.Request) -> frozenset[str] | None:
    """Units whose journeys, alarms and events the asker may see and act on; None: all."""
    return request[PRINCIPAL].units


def cookie_name(tls: bool) -> str:
    """Name of the session cookie; with TLS browsers hold it to this host and path by its prefix."""
    return "__Host-seal-tracker" if tls else "seal-tracker"


@web.middleware
async def authenticate(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Find out who asks and refuse who may not. Unknown paths pass: they end in 404 or 405 by themselves."""
    if request.match_info.http_exception is not None:
        return await handler(request)
    needed = request.app[RIGHT].get(request.match_info.handler)
    if needed is Open.TO_ALL:
        return await handler(request)
    try:
        principal = await identify(request)
        check_csrf(request, principal.session)
        if needed is not Open.TO_SIGNED_IN and needed not in principal.account.rights:
            role = principal.account.role
            raise Forbidden(f"the role {role} does not have the right {needed}; ask an administrator")
    except Problem as problem:
        log.warning(
            "access_refused",
            status=problem.status,
            reason=problem.detail,
            method=request.method,
            path=request.path,
            remote=request.remote,
        )
        raise
    request[PRINCIPAL] = principal
    structlog.contextvars.bind_contextvars(account=principal.account.username)
    return await handler(request)


async def identify(request: web.Request) -> Principal:
    """The account of the request's token, else of its session cookie.

    Raises
    ------
    NotSignedIn
        Neither, or one that does not hold.
    """
    context = request.app[CONTEXT]
    if authorization := request.headers.get("Authorization"):
        scheme, _, token = authorization.partition(" ")
        account = context.accounts.by_token(token.strip()) if scheme.lower() == "bearer" else None
        if account is None:
            raise unauthenticated(
                "the token is not valid; send `Authorization: Bearer TOKEN` with a current one"
            )
        return Principal(account, None)
    secret = request.cookies.get(cookie_name(context.config.tls))
    session = await context.sessions.find(secret) if secret else None
    account = account_of(request.app, session)
    if session is None or account is None:
        raise unauthenticated("sign in at POST /api/v1/session, or send `Authorization: Bearer TOKEN`")
    return Principal(account, session)


async def still_signed_in(request: web.Request) -> bool:
    """Whether the request's principal holds still; long answers ask now and then."""
    session = request[PRINCIPAL].session
    if session is None:
        return True
    found = await request.app[CONTEXT].sessions.find_by_hash(session.id_hash)
    return account_of(request.app, found) is not None


def account_of(app: web.Application, session: Session | None) -> Account | None:
    """The session's account, if it is there still and has the role it had."""
    account = app[CONTEXT].accounts.get(session.username) if session else None
    return account if account and session and account.role == session.role else None


def check_csrf(request: web.Request, session: Session | None) -> None:
    """Refuse an unsafe request by cookie that does not carry the session's token in ``X-CSRF-Token``."""
    if session is None or request.method in SAFE_METHODS:
        return
    given = request.headers.get(CSRF_HEADER, "")
    if not hmac.compare_digest(given.encode("utf-8", "surrogateescape"), session.csrf.encode()):
        raise Forbidden(f"send the csrf token of your session in the header {CSRF_HEADER}", field=CSRF_HEADER)


def unauthenticated(detail: str) -> NotSignedIn:
    """401 with the challenge that HTTP wants."""
    return NotSignedIn(detail, headers={"WWW-Authenticate": 'Bearer realm="seal-tracker"'})
