"""What persons may change of accounts and tokens: each function decides, and gives what is to be committed. Pure.

Refusals are the problems that HTTP tells. ``by`` is who acts; ``scope`` the units that they may see, None: all.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec

from seal_tracker.model import iso_or_none
from seal_tracker.store.records import AccountRow, Action, TokenRow
from seal_tracker.web.account_files import EMBEDDED, RESERVED
from seal_tracker.web.accounts import Accounts, Right, Role, rights_of
from seal_tracker.web.errors import Conflict, Forbidden, InvalidBody, Missing
from seal_tracker.web.passwords import weakness

__all__ = [
    "API",
    "Change",
    "NewToken",
    "action_of",
    "check_password",
    "create",
    "edit",
    "find",
    "make_token",
    "revoke",
    "set_password",
    "tokens_seen",
]

API: Final = "api"
"""Origin of accounts that are kept here, and no longer or never by a file."""

TOKEN_MAX_MS: Final = 366 * 24 * 3600 * 1000
"""Longest life of a token: a year, so that each is looked at once a year."""


class Change(NamedTuple):
    """What is to be committed."""

    accounts: tuple[AccountRow, ...] = ()
    tokens: tuple[TokenRow, ...] = ()
    actions: tuple[Action, ...] = ()


class NewToken(NamedTuple):
    """A token that is asked for; ``hash`` is its SHA-256."""

    id: UUID
    name: str
    scopes: frozenset[Right]
    expires_ms: int
    hash: bytes
    account: str


def action_of(by: tuple[str, str], kind: str, account: AccountRow, now_ms: int, **said: Any) -> Action:
    """The entry of the audit trail; no secret nor hash of one is ever in it. ``by`` is the name and the role of who acts."""
    body = msgspec.json.encode({"role": account.role, "disabled": account.disabled, **said})
    actor, role = by
    return Action(now_ms, actor, role, kind, f"account/{account.username}", None, account.unit, body)


def find(known: Accounts, username: str, scope: Collection[str] | None) -> AccountRow:
    """An account that the asker may see.

    Raises
    ------
    Missing
        There is none, or it is of a unit that the asker may not see.
    """
    account = known.get(username)
    if account is None or (scope is not None and account.unit not in scope):
        raise Missing(f"there is no account {username!r}; GET /api/v1/accounts lists them")
    return account


def check_password(password: str, username: str, field: str = "password") -> None:
    """Refuse a weak password."""
    if why := weakness(password, username):
        raise InvalidBody(f"{field}: {why}", field=field)


def create(
    known: Accounts, by: AccountRow, scope: Collection[str] | None, units: Collection[str], wanted: AccountRow
) -> Change:
    """A new account. ``units`` are those there are; ``wanted`` has its times and its password's hash already."""
    if wanted.username in RESERVED:
        raise InvalidBody(
            f"username: {wanted.username!r} has a meaning of its own; take another", field="username"
        )
    check_unit(wanted.unit, scope, units)
    if known.get(wanted.username) is not None:
        raise Conflict(
            f"there is an account {wanted.username!r} already; take another name", field="username"
        )
    action = action_of((by.username, by.role), "account.create", wanted, wanted.created_ms)
    return Change((wanted,), (), (action,))


def edit(
    known: Accounts, by: AccountRow, scope: Collection[str] | None, units: Collection[str],
    account: AccountRow, changes: dict[str, Any], now_ms: int,
) -> Change:  # fmt: skip
    """Another role, unit or state; the account's sessions end. ``changes`` has the columns that change."""
    if account.origin == EMBEDDED and not changes.keys() <= {"unit"}:
        raise kept_in_file(account)
    if "unit" in changes:
        check_unit(changes["unit"], scope, units)
    edited = taken_over(account)._replace(**changes, version=account.version + 1, changed_ms=now_ms)
    rest = [other for other in known.all() if other.username != account.username]
    if is_chief(account) and not any(map(is_chief, [*rest, edited])):
        raise Conflict("this is the last administrator of headquarters; make another one first")
    before = {name: getattr(account, name) for name in changes}
    action = action_of((by.username, by.role), "account.edit", edited, now_ms, changed=changes, before=before)
    return Change((edited,), (), (action,))


def set_password(
    known: Accounts, by: AccountRow, account: AccountRow, password_hash: str, now_ms: int
) -> Change:
    """Another password; the account's sessions end.

    Who is given one by somebody else must change it, and their tokens end too, but those that a file brings: whoever had the
    account may have made some.
    """
    if account.origin == EMBEDDED:
        raise kept_in_file(account)
    own = by.username == account.username
    changed = taken_over(account)._replace(
        password_hash=password_hash, must_change=not own, version=account.version + 1, changed_ms=now_ms
    )
    kind = "account.change_password" if own else "account.reset_password"
    mine = [t for t in known.tokens() if t.username == account.username and t.revoked_ms is None]
    ended = () if own else tuple(t._replace(revoked_ms=now_ms) for t in mine if t.expires_ms is not None)
    said = {"tokens_ended": [str(token.id) for token in ended]} if ended else {}
    return Change((changed,), ended, (action_of((by.username, by.role), kind, changed, now_ms, **said),))


def tokens_seen(
    known: Accounts, by: AccountRow, rights: Collection[Right], scope: Collection[str] | None
) -> list[TokenRow]:
    """One's own tokens; who manages accounts sees those of all accounts that they see."""
    if Right.MANAGE_ACCOUNTS not in rights:
        return [token for token in known.tokens() if token.username == by.username]
    seen = {a.username for a in known.all() if scope is None or a.unit in scope or a.username == by.username}
    return [token for token in known.tokens() if token.username in seen]


def make_token(
    known: Accounts, by: AccountRow, rights: Collection[Right], scope: Collection[str] | None,
    token: TokenRow | None, wanted: NewToken, now_ms: int,
) -> Change:  # fmt: skip
    """A token for oneself, of no more than one may do oneself now, ``token`` being what one asks with; or for an integrator.

    A token acts in its account's name: nobody makes one for another person.
    """
    account = by
    if wanted.account != by.username:
        if Right.MANAGE_ACCOUNTS not in rights:
            raise Forbidden("tokens of other accounts are for administrators to make", field="account")
        account = find(known, wanted.account, scope)
        if account.role != Role.INTEGRATOR:
            raise Conflict(
                f"{account.username!r} is a person's account ({account.role}), who alone makes tokens for it", field="account"
            )  # fmt: skip
        rights = frozenset(Right)
    has = sorted(right for right in rights_of(account) if right in rights)
    if excess := sorted(wanted.scopes - set(has)):
        raise InvalidBody(
            f"scopes: {excess[0].value!r} is more than the account has: {', '.join(has)}", field="scopes"
        )
    if not now_ms < wanted.expires_ms <= now_ms + TOKEN_MAX_MS:
        raise InvalidBody("expires_at: a time of the next 366 days is expected", field="expires_at")
    if account is by and token is not None and wanted.expires_ms > (token.expires_ms or wanted.expires_ms):
        raise InvalidBody("expires_at: the token you ask with ends before", field="expires_at")
    row = TokenRow(
        wanted.id, account.username, wanted.name, " ".join(sorted(wanted.scopes)), wanted.hash, now_ms, wanted.expires_ms
    )  # fmt: skip
    said = {
        "token": str(row.id),
        "name": row.name,
        "scopes": row.scopes,
        "expires_at": iso_or_none(row.expires_ms),
    }
    return Change((), (row,), (action_of((by.username, by.role), "token.create", account, now_ms, **said),))


def revoke(
    known: Accounts, by: AccountRow, rights: Collection[Right], token: TokenRow, now_ms: int
) -> Change:
    """The end of a token, which may do no more than who ends it may now; nothing where it has ended already."""
    account = known.get(token.username)
    if account is None or token.revoked_ms is not None:
        return Change()
    if token.username == by.username and (more := sorted(rights_of(account, token) - set(rights))):
        raise Forbidden(f"the token you ask with does not have its right {more[0]}; sign in to end it")
    said = {"token": str(token.id), "name": token.name}
    action = action_of((by.username, by.role), "token.revoke", account, now_ms, **said)
    return Change((), (token._replace(revoked_ms=now_ms),), (action,))


def taken_over(account: AccountRow) -> AccountRow:
    """The account, from now on kept here; an embedded folder's stays the folder's."""
    return account if account.origin == EMBEDDED else account._replace(origin=API)


def is_chief(account: AccountRow) -> bool:
    """Whether the account can manage all the others."""
    return account.role == Role.ADMINISTRATOR and account.unit is None and not account.disabled


def check_unit(unit: str | None, scope: Collection[str] | None, units: Collection[str]) -> None:
    """Refuse a unit that is not there, or that the asker may not see."""
    if scope is not None and unit not in scope:
        raise InvalidBody("unit: an account of your own unit or one below it is expected", field="unit")
    if unit is not None and unit not in units:
        raise InvalidBody(f"unit: there is no unit {unit!r}; GET /api/v1/units lists them", field="unit")


def kept_in_file(account: AccountRow) -> Conflict:
    """Why an embedded folder's account cannot be changed here."""
    return Conflict(
        f"{account.username!r} is kept in the folder's credentials.json, which is read at each start; only its unit can be changed here"
    )
