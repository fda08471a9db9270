"""Who is asking, and whether they may. A route states the right it needs (``routes``); nothing is open by omission."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from enum import Enum
from typing import Final

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from seal_tracker.clock import clock_ms
from seal_tracker.metrics import REFUSALS
from seal_tracker.model import LIVE
from seal_tracker.store.errors import StoreError
from seal_tracker.store.records import AccountRow, Session, TokenRow
from seal_tracker.web.accounts import RIGHTS, Right, rights_of
from seal_tracker.web.context import CONTEXT
from seal_tracker.web.errors import Forbidden, Missing, MustChangePassword, NotSignedIn, Problem
from seal_tracker.web.scope import units_below

__all__ = [
    "PRINCIPAL",
    "RIGHT",
    "Open",
    "Principal",
    "authenticate",
    "cookie_name",
    "headquarters_only",
    "scope_of",
    "sees_restricted",
    "still_signed_in",
]

log = structlog.get_logger(__name__)

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
CSRF_HEADER: Final = "X-CSRF-Token"

USE_NOTED_MS: Final = 60_000
"""A token's last use is written at most so often."""


class Open(Enum):
    """Routes that need no right."""

    TO_ALL = "all"
    TO_SIGNED_IN = "signed_in"


RIGHT: web.AppKey[dict[object, Right | Open]] = web.AppKey("rights", dict)
"""The right each handler needs; a handler that is missing is refused."""


@dataclass(frozen=True, slots=True)
class Principal:
    """The account that asks, the session or the token it asks by, and the units it may see (None: all)."""

    account: AccountRow
    session: Session | None
    units: frozenset[str] | None = None
    token: TokenRow | None = None

    @property
    def rights(self) -> frozenset[Right]:
        """What it may do now: nothing by a session whose password must be changed first."""
        if self.session is not None and self.account.must_change:
            return frozenset()
        return rights_of(self.account, self.token)


PRINCIPAL: web.RequestKey[Principal] = web.RequestKey("principal", Principal)


def headquarters_only(request: web.Request, what: str) -> None:
    """Refuse who is of a unit what concerns all units.

    Raises
    ------
    Forbidden
        As said.
    """
    if scope_of(request) is not None:
        raise Forbidden(f"{what} is all units' and headquarters' to change; you are of a unit")


def scope_of(request: web.Request) -> frozenset[str] | None:
    """Units whose journeys, alarms and events the asker may see and act on; None: all."""
    return request[PRINCIPAL].units


def sees_restricted(request: web.Request) -> bool:
    """Whether restricted situations are there for who asks: by right, and of headquarters."""
    principal = request[PRINCIPAL]
    return principal.units is None and Right.SEE_RESTRICTED in principal.rights


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
        check_right(principal, needed)
    except Problem as problem:
        refused(request, problem)
        raise
    request[PRINCIPAL] = principal
    structlog.contextvars.bind_contextvars(account=principal.account.username)
    try:
        return await handler(request)
    except (Forbidden, Missing) as problem:
        # What a unit may not see is not there for it: each thing that it does not find may be one.
        if isinstance(problem, Forbidden) or principal.units is not None:
            refused(request, problem)
        raise


def refused(request: web.Request, problem: Problem) -> None:
    """Log and count that somebody was not let."""
    REFUSALS.labels(problem.status).inc()
    log.warning(
        "access_refused",
        status=problem.status,
        reason=problem.detail,
        method=request.method,
        path=request.path,
        remote=request.remote,
    )


async def identify(request: web.Request) -> Principal:
    """The account of the request's token, else of its session cookie.

    Raises
    ------
    NotSignedIn
        Neither, or one that does not hold.
    """
    context = request.app[CONTEXT]
    if authorization := request.headers.get("Authorization"):
        scheme, _, secret = authorization.partition(" ")
        now_ms = clock_ms()
        found = context.accounts.by_token(secret.strip(), now_ms) if scheme.lower() == "bearer" else None
        if found is None:
            raise unauthenticated(
                "the token is not valid; send `Authorization: Bearer TOKEN` with a current one"
            )
        account, token = found
        await note_use(request.app, token, now_ms)
        return Principal(account, None, units_of(request.app, account), token)
    secret = request.cookies.get(cookie_name(context.config.tls), "")
    session = await context.sessions.find(secret) if secret else None
    signed_in = account_of(request.app, session)
    if session is None or signed_in is None:
        raise unauthenticated("sign in at POST /api/v1/session, or send `Authorization: Bearer TOKEN`")
    return Principal(signed_in, session, units_of(request.app, signed_in))


def check_right(principal: Principal, needed: Right | Open | None) -> None:
    """Refuse who lacks the right.

    Raises
    ------
    MustChangePassword, Forbidden
        As their names say.
    """
    account = principal.account
    if not RIGHTS[account.role]:
        raise Forbidden(f"the role {account.role} is for MQTT; it may do nothing here")
    if needed is Open.TO_SIGNED_IN or needed in principal.rights:
        return
    if principal.session is not None and account.must_change:
        raise MustChangePassword("change your password first: PUT /api/v1/accounts/me/password")
    whose = "the token" if principal.token and needed in rights_of(account) else f"the role {account.role}"
    raise Forbidden(f"{whose} does not have the right {needed}; ask an administrator")


def units_of(app: web.Application, account: AccountRow) -> frozenset[str] | None:
    """The units that an account sees: its own and all below it in the live plan; None: all."""
    if account.unit is None:
        return None
    plan = app[CONTEXT].live.plan(LIVE)
    return units_below(account.unit, plan.units if plan else ())


async def note_use(app: web.Application, token: TokenRow, now_ms: int) -> None:
    """Note now and then that a token is used; a database that is away is no reason to refuse it."""
    if token.last_used_ms is not None and now_ms - token.last_used_ms < USE_NOTED_MS:
        return
    context = app[CONTEXT]
    context.accounts.install(tokens=[token._replace(last_used_ms=now_ms)])
    try:
        await context.keeper.store.token_used(token.id, now_ms)
    except (StoreError, OSError, TimeoutError) as error:
        log.warning("token_use_not_noted", token=str(token.id), error=repr(error))


async def still_signed_in(request: web.Request) -> bool:
    """Whether the request's principal may still see what it asked for; long answers ask now and then."""
    context, principal = request.app[CONTEXT], request[PRINCIPAL]
    account: AccountRow | None = None
    if principal.session is not None:
        found = await context.sessions.find_by_hash(principal.session.id_hash)
        account = account_of(request.app, found)
    elif principal.token is not None and (token := context.accounts.token(principal.token.id)):
        account = context.accounts.holder(token, clock_ms())
    if account is None or account.version != principal.account.version:
        return False
    return units_of(request.app, account) == principal.units


def account_of(app: web.Application, session: Session | None) -> AccountRow | None:
    """The session's account, if it is there still and is as it was when it signed in."""
    account = app[CONTEXT].accounts.get(session.username) if session else None
    if account is None or session is None or account.disabled:
        return None
    return account if account.version == session.account_version else None


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
