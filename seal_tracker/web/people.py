"""``/api/v1/accounts`` and ``/api/v1/tokens``: who may come in. Translation alone; what may be done is decided in ``account_changes``."""

from __future__ import annotations

from typing import Final
from uuid import uuid4

from aiohttp import web
from msgspec import UNSET

from seal_tracker.clock import clock_ms
from seal_tracker.model import LIVE, iso_ms, iso_or_none
from seal_tracker.store.records import AccountRow, TokenRow
from seal_tracker.web import account_changes, passwords
from seal_tracker.web.account_changes import API, NewToken, check_password, find
from seal_tracker.web.accounts import Right
from seal_tracker.web.auth import PRINCIPAL, scope_of
from seal_tracker.web.context import CONTEXT
from seal_tracker.web.errors import Conflict, InvalidBody, Missing
from seal_tracker.web.people_bodies import (
    AccountEdit,
    AccountItem,
    AccountMade,
    NewAccount,
    PasswordReset,
    TokenItem,
    TokenMade,
    TokensQuery,
    TokenWanted,
)
from seal_tracker.web.queries import ListQuery, NoQuery, path_id, read_body, read_query
from seal_tracker.web.reading import encoded, page_of
from seal_tracker.web.routes import Route
from seal_tracker.web.scope import sees
from seal_tracker.web.signing import LOCKOUT, forgive, name_counted
from seal_tracker.web.versions import check_version, versioned
from seal_tracker.web.wire import Page

__all__ = ["ROUTES"]


async def list_accounts(request: web.Request) -> web.Response:
    """Accounts by name."""
    query = read_query(request, ListQuery)
    scope = scope_of(request)
    seen = (a for a in request.app[CONTEXT].accounts.all() if sees(scope, a.unit))
    items, following = page_of(seen, lambda account: account.username, query)
    return encoded(Page([account_item(account) for account in items], following))


async def show_account(request: web.Request) -> web.Response:
    """One account, with its version."""
    read_query(request, NoQuery)
    known = request.app[CONTEXT].accounts
    return account_answer(find(known, path_id(request, "username"), scope_of(request)))


async def create_account(request: web.Request) -> web.Response:
    """Make an account."""
    read_query(request, NoQuery)
    given = await read_body(request, NewAccount)
    keeper, by, scope = request.app[CONTEXT].keeper, request[PRINCIPAL].account, scope_of(request)
    password = await new_password(given.password, given.username)
    hashed, now_ms = await keeper.accounts.hash(password), clock_ms()
    wanted = AccountRow(
        username=given.username, role=given.role, unit=given.unit, password_hash=hashed, must_change=True, disabled=False,
        origin=API, imported=None, version=1, created_ms=now_ms, changed_ms=now_ms,
    )  # fmt: skip
    change = await keeper.change(
        lambda: account_changes.create(keeper.accounts, by, scope, units_of(request), wanted)
    )
    answer = made(change.accounts[0], password if given.password is None else None, status=201)
    answer.headers["Location"] = f"/api/v1/accounts/{given.username}"
    return answer


async def edit_account(request: web.Request) -> web.Response:
    """Give an account another role, unit or state."""
    read_query(request, NoQuery)
    username = path_id(request, "username")
    given = await read_body(request, AccountEdit)
    named = {name: getattr(given, name) for name in given.__struct_fields__}
    changes = {name: value for name, value in named.items() if value is not UNSET}
    if not changes:
        raise InvalidBody("say what is to change: role, unit or disabled", field="role")
    keeper, by, scope = request.app[CONTEXT].keeper, request[PRINCIPAL].account, scope_of(request)

    def decide() -> account_changes.Change:
        account = find(keeper.accounts, username, scope)
        check_version(request, account.version)
        units = units_of(request)
        return account_changes.edit(keeper.accounts, by, scope, units, account, changes, clock_ms())

    return account_answer((await keeper.change(decide)).accounts[0])


async def reset_password(request: web.Request) -> web.Response:
    """Give an account another password, and forget its failed sign-ins."""
    read_query(request, NoQuery)
    username = path_id(request, "username")
    given = await read_body(request, PasswordReset)
    keeper, by, scope = request.app[CONTEXT].keeper, request[PRINCIPAL].account, scope_of(request)

    def account() -> AccountRow:
        found = find(keeper.accounts, username, scope)
        check_version(request, found.version)
        return found

    account()  # before the password is hashed, which takes its time
    password = await new_password(given.password, username)
    hashed = await keeper.accounts.hash(password)
    change = await keeper.change(
        lambda: account_changes.set_password(keeper.accounts, by, account(), hashed, clock_ms())
    )
    name = name_counted(username)
    request.app[LOCKOUT].forgive(name)
    await forgive(request.app, name, None)
    return made(change.accounts[0], password if given.password is None else None)


async def list_tokens(request: web.Request) -> web.Response:
    """Tokens, ended ones too: one's own, or for who manages accounts all."""
    query = read_query(request, TokensQuery)
    asker = request[PRINCIPAL]
    tokens = account_changes.tokens_seen(
        request.app[CONTEXT].accounts, asker.account, asker.rights, asker.units
    )
    wanted = [t for t in tokens if query.account is UNSET or t.username == query.account]
    items, following = page_of(wanted, lambda token: str(token.id), query)
    return encoded(Page([token_item(token) for token in items], following))


async def create_token(request: web.Request) -> web.Response:
    """Make a token; its secret is told this once."""
    read_query(request, NoQuery)
    given = await read_body(request, TokenWanted)
    asker, keeper = request[PRINCIPAL], request.app[CONTEXT].keeper
    secret = passwords.new_token()
    wanted = NewToken(
        id=uuid4(),
        name=given.name,
        scopes=frozenset(given.scopes),
        expires_ms=int(given.expires_at.timestamp() * 1000),
        hash=passwords.digest(secret),
        account=given.account or asker.account.username,
    )
    change = await keeper.change(
        lambda: account_changes.make_token(
            keeper.accounts, asker.account, asker.rights, asker.units, asker.token, wanted, clock_ms()
        )
    )
    return encoded(TokenMade(token=token_item(change.tokens[0]), secret=secret), status=201)


async def revoke_token(request: web.Request) -> web.Response:
    """End a token; one that has ended already stays so."""
    read_query(request, NoQuery)
    asker, keeper = request[PRINCIPAL], request.app[CONTEXT].keeper
    name = path_id(request, "token")

    def decide() -> account_changes.Change:
        seen = account_changes.tokens_seen(keeper.accounts, asker.account, asker.rights, asker.units)
        token = next((token for token in seen if str(token.id) == name), None)
        if token is None:
            raise Missing(f"there is no token {name!r}; GET /api/v1/tokens lists them")
        if asker.token is not None and asker.token.id == token.id:
            raise Conflict("this is the token you ask with; sign in, or ask with another one, to end it")
        return account_changes.revoke(keeper.accounts, asker.account, asker.rights, token, clock_ms())

    await keeper.change(decide)
    return web.Response(status=204)


async def new_password(given: str | None, username: str) -> str:
    """The password given, found to be none that is easily guessed; else a generated one."""
    if given is None:
        return passwords.generated()
    check_password(given, username)
    return given


def units_of(request: web.Request) -> set[str]:
    """The units of the live plan."""
    plan = request.app[CONTEXT].live.plan(LIVE)
    return {unit.id for unit in plan.units} if plan else set()


def account_item(account: AccountRow) -> AccountItem:
    """The account as it is told."""
    return AccountItem(
        username=account.username,
        role=account.role,
        unit=account.unit,
        disabled=account.disabled,
        must_change_password=account.must_change,
        kept_by=account.origin,
        version=account.version,
        created_at=iso_ms(account.created_ms),
        changed_at=iso_ms(account.changed_ms),
    )


def account_answer(account: AccountRow) -> web.Response:
    """The account with its version."""
    return versioned(account_item(account), account.version)


def made(account: AccountRow, password: str | None, status: int = 200) -> web.Response:
    """The account and its new password."""
    return versioned(
        AccountMade(account=account_item(account), password=password), account.version, status=status
    )


def token_item(token: TokenRow) -> TokenItem:
    """The token as it is told."""
    return TokenItem(
        id=str(token.id),
        account=token.username,
        name=token.name,
        scopes=None if token.scopes is None else token.scopes.split(),
        created_at=iso_ms(token.created_ms),
        expires_at=iso_or_none(token.expires_ms),
        revoked_at=iso_or_none(token.revoked_ms),
        last_used_at=iso_or_none(token.last_used_ms),
    )


ACCOUNT: Final = "/api/v1/accounts/{username}"

ROUTES: Final = (
    Route(
        "GET", "/api/v1/accounts", list_accounts, Right.MANAGE_ACCOUNTS, "Accounts by name.",
        query=ListQuery, answer=Page[AccountItem], leads={ACCOUNT: {"username": "/items/0/username"}},
    ),
    Route(
        "POST", "/api/v1/accounts", create_account, Right.MANAGE_ACCOUNTS, "Make an account.",
        body=NewAccount, answer=AccountMade, status=201, problems=(409,), versioned=True,
        leads={ACCOUNT: {"username": "/account/username"}},
    ),
    Route(
        "GET", "/api/v1/accounts/{username}", show_account, Right.MANAGE_ACCOUNTS, "One account, with its version.",
        answer=AccountItem, versioned=True,
    ),
    Route(
        "PATCH", "/api/v1/accounts/{username}", edit_account, Right.MANAGE_ACCOUNTS,
        "Give an account another role, unit or state; its sessions end.",
        body=AccountEdit, answer=AccountItem, problems=(409,), edits=True,
    ),
    Route(
        "POST", "/api/v1/accounts/{username:(?!me/)[^/]+}/password", reset_password, Right.MANAGE_ACCOUNTS,
        "Give an account another password, to be changed at the next sign-in; its sessions end.",
        body=PasswordReset, answer=AccountMade, problems=(409,), edits=True,
    ),
    Route(
        "GET", "/api/v1/tokens", list_tokens, Right.READ, "One's own tokens; for who manages accounts, all.",
        query=TokensQuery, answer=Page[TokenItem],
    ),
    Route(
        "POST", "/api/v1/tokens", create_token, Right.READ, "Make a token; its secret is told once.",
        body=TokenWanted, answer=TokenMade, status=201, problems=(404, 409), leads={"/api/v1/tokens/{token}": {"token": "/token/id"}},
    ),
    Route(
        "DELETE", "/api/v1/tokens/{token}", revoke_token, Right.READ, "End a token, but not that by which one asks.", status=204,
        problems=(404, 409),
    ),
)  # fmt: skip
