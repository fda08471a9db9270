"""``/api/v1/session``: sign in, who am I, sign out; and one's own password."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from hashlib import sha256
from typing import Final

import structlog
from aiohttp import web

from seal_tracker.clock import clock_ms
from seal_tracker.metrics import SIGN_INS
from seal_tracker.store.accounts import FailureRow
from seal_tracker.store.errors import StoreError
from seal_tracker.store.records import AccountRow
from seal_tracker.web.account_changes import check_password, set_password
from seal_tracker.web.accounts import RIGHTS
from seal_tracker.web.addresses import client_address
from seal_tracker.web.auth import PRINCIPAL, Open, Principal, cookie_name
from seal_tracker.web.context import CONTEXT
from seal_tracker.web.errors import Forbidden, InvalidBody, NotSignedIn, Problem, TooManyAttempts
from seal_tracker.web.lockout import Failures, Lockout
from seal_tracker.web.passwords import digest
from seal_tracker.web.queries import NewPassword, NoQuery, SignIn, read_body, read_query
from seal_tracker.web.reading import encoded
from seal_tracker.web.routes import Route
from seal_tracker.web.wire import SessionAnswer

__all__ = ["KEEPING", "LOCKOUT", "ROUTES", "Keeping", "finish_keeping", "recall_failures"]

log = structlog.get_logger(__name__)

LOCKOUT: web.AppKey[Lockout] = web.AppKey("lockout", Lockout)


class Keeping:
    """Failures on their way to the database, one after the other: what is forgiven does not come back."""

    def __init__(self) -> None:
        self.turn = asyncio.Lock()
        self.tasks: set[asyncio.Task[None]] = set()


KEEPING: web.AppKey[Keeping] = web.AppKey("keeping", Keeping)


async def sign_in(request: web.Request) -> web.Response:
    """Check name and password, make a session, set its cookie."""
    read_query(request, NoQuery)
    given = await read_body(request, SignIn)
    if request.headers.get("Sec-Fetch-Site") in {"cross-site", "same-site"}:
        raise refused(request, given.username, Forbidden("another site may not sign you in here"))
    account = await proven(request, given.username, given.password)
    if not RIGHTS[account.role]:
        problem = Forbidden(f"the role {account.role} is for MQTT, not for people")
        raise refused(request, given.username, problem)
    SIGN_INS.labels("signed_in").inc()
    log.info("signed_in", account=account.username, role=account.role, remote=address_of(request))
    return await begun(request, account)


async def show_session(request: web.Request) -> web.Response:
    """Who is signed in; a page that was reloaded gets its csrf token back here. By token there is none."""
    read_query(request, NoQuery)
    principal = request[PRINCIPAL]
    return encoded(said(principal, principal.session.csrf if principal.session else None))


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


async def change_password(request: web.Request) -> web.Response:
    """Another password of one's own. All sessions of the account end; who asked by one goes on with a new one."""
    read_query(request, NoQuery)
    given = await read_body(request, NewPassword)
    principal, keeper = request[PRINCIPAL], request.app[CONTEXT].keeper
    username = principal.account.username
    await proven(request, username, given.current, "current")
    check_password(given.new, username, "new")
    if given.new == given.current:
        raise InvalidBody("new: it is the password you have; take another", field="new")
    hashed = await keeper.accounts.hash(given.new)
    change = await keeper.change(
        lambda: set_password(
            keeper.accounts, principal.account, now(request, principal.account), hashed, clock_ms()
        )
    )
    if principal.session is None:
        return encoded(said(principal, None))
    return await begun(request, change.accounts[0])


def now(request: web.Request, account: AccountRow) -> AccountRow:
    """The account as it is by now.

    Raises
    ------
    NotSignedIn
        It has been changed since the request began.
    """
    found = request.app[CONTEXT].accounts.get(account.username)
    if found is None or found.version != account.version:
        raise NotSignedIn("the account has been changed meanwhile; sign in again")
    return found


async def proven(request: web.Request, username: str, password: str, field: str = "password") -> AccountRow:
    """The account whose name and password these are.

    Raises
    ------
    TooManyAttempts, NotSignedIn
        As their names say; both are logged and counted.
    """
    lockout, address = request.app[LOCKOUT], address_of(request)
    name = name_counted(username)
    wait_s = lockout.begin(name, address, clock_ms() / 1000)
    if wait_s > 0:
        seconds = str(math.ceil(wait_s))
        problem = TooManyAttempts(
            f"too many failed sign-ins; wait {seconds} s and try again", headers={"Retry-After": seconds}
        )
        raise refused(request, username, problem)
    account = await request.app[CONTEXT].accounts.verify(username, password)
    if account is None:
        keep_failures(request.app, name, address)
        raise refused(request, username, NotSignedIn("name or password is wrong", field=field))
    if lockout.succeeded(name, address):
        await forgive(request.app, name, address)
    return account


async def begun(request: web.Request, account: AccountRow) -> web.Response:
    """A new session of the account, and its cookie; that of the cookie before, which nobody has any more, ends."""
    context = request.app[CONTEXT]
    if before := request.cookies.get(cookie_name(context.config.tls)):
        await context.sessions.drop(digest(before))
    session = await context.sessions.add(account, context.config.session_s)
    response = encoded(said(Principal(account, None), session.csrf))
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


def address_of(request: web.Request) -> str:
    """From where the request comes."""
    proxied = request.app[CONTEXT].config.proxied
    return client_address(request.remote, request.headers.get("X-Forwarded-For", ""), proxied=proxied)


def said(principal: Principal, csrf: str | None) -> SessionAnswer:
    """The session as the page gets it."""
    account = principal.account
    must_change = account.must_change and principal.token is None
    return SessionAnswer(
        username=account.username,
        role=account.role,
        unit=account.unit,
        rights=[] if must_change else sorted(principal.rights),
        must_change_password=must_change,
        csrf=csrf,
    )


def refused(request: web.Request, username: str, problem: Problem) -> Problem:
    """The problem, logged and counted: with the name that was tried, never the password."""
    shown = username[:64].encode("ascii", "backslashreplace").decode()
    SIGN_INS.labels(problem.kind).inc()
    log.warning("sign_in_refused", username=shown, reason=problem.detail, remote=address_of(request))
    return problem


def name_counted(username: str) -> str:
    """What a name is counted and kept by, whether or not anybody has it: as long as any other, and no password typed in its place."""
    return sha256(username.encode(errors="surrogatepass")).hexdigest()


def keep_failures(app: web.Application, name: str, address: str) -> None:
    """Keep what a failure makes of a name and an address, while the answer is given, which need not wait for it."""
    rows = [
        FailureRow(*key, found.count, round(found.last_s * 1000), round(found.locked_until_s * 1000))
        for key, found in app[LOCKOUT].failures_of(name, address)
    ]
    task = asyncio.get_running_loop().create_task(_keep(app, rows))
    app[KEEPING].tasks.add(task)
    task.add_done_callback(app[KEEPING].tasks.discard)


async def _keep(app: web.Application, rows: Sequence[FailureRow]) -> None:
    """A database that is away lets nobody in either."""
    policy = app[LOCKOUT].policy
    forget_before_ms = clock_ms() - round(policy.forget_s * 1000)
    try:
        async with app[KEEPING].turn:
            await app[CONTEXT].keeper.store.sign_in_failed(rows, forget_before_ms, policy.max_keys)
    except (StoreError, OSError, TimeoutError) as error:
        log.warning("sign_in_failure_not_kept", error=repr(error))


async def forgive(app: web.Application, name: str, address: str | None) -> None:
    """Forget what was kept of a name's failures, from one address or from all."""
    store = app[CONTEXT].keeper.store
    try:
        async with app[KEEPING].turn:
            for where in [None] if address is None else [address, ""]:
                await store.sign_ins_forgiven(name, where)
    except (StoreError, OSError, TimeoutError) as error:
        log.warning("sign_in_failure_not_forgotten", error=repr(error))


async def finish_keeping(app: web.Application) -> None:
    """At a stop: let what is being kept be kept."""
    await asyncio.gather(*app[KEEPING].tasks)


async def recall_failures(app: web.Application) -> None:
    """At a start: what was kept of failed sign-ins counts on."""
    lockout = app[LOCKOUT]
    after_ms = clock_ms() - round(lockout.policy.forget_s * 1000)
    for row in await app[CONTEXT].keeper.store.sign_in_failures(after_ms):
        failures = Failures(row.failures, row.last_ms / 1000, row.locked_until_ms / 1000)
        lockout.remember((row.username, row.address), failures)


ROUTES: Final = (
    Route(
        "POST", "/api/v1/session", sign_in, Open.TO_ALL, "Sign in.",
        body=SignIn, answer=SessionAnswer, problems=(401, 403, 429),
    ),
    Route("GET", "/api/v1/session", show_session, Open.TO_SIGNED_IN, "Who is signed in.", answer=SessionAnswer),
    Route("DELETE", "/api/v1/session", sign_out, Open.TO_SIGNED_IN, "Sign out.", status=204),
    Route(
        "PUT", "/api/v1/accounts/me/password", change_password, Open.TO_SIGNED_IN,
        "Change one's own password; every session of the account ends, but for a new one of who asked by one.",
        body=NewPassword, answer=SessionAnswer, problems=(409, 429),
    ),
)  # fmt: skip
