"""What crosses the API of accounts and tokens, as types. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, get_args

import msgspec
from msgspec import UNSET, UnsetType

from seal_tracker.web.accounts import PEOPLE, Right
from seal_tracker.web.queries import Id, ListQuery, Secret

__all__ = [
    "AccountEdit",
    "AccountItem",
    "AccountMade",
    "NewAccount",
    "PasswordReset",
    "TokenItem",
    "TokenMade",
    "TokenWanted",
    "TokensQuery",
]

PersonRole = Literal["operator", "supervisor", "unit_head", "auditor", "integrator", "administrator"]
assert get_args(PersonRole) == tuple(role.value for role in PEOPLE), "accounts made here have a person's role"

Title = Annotated[str, msgspec.Meta(pattern=r"^[^\x00-\x1f\x7f]{1,100}\Z")]
"""A name that people give: one line of any script."""


class TokensQuery(ListQuery, frozen=True, forbid_unknown_fields=True):
    """One page of tokens; only those of ``account`` where given."""

    account: Id | UnsetType = UNSET


class AccountItem(msgspec.Struct, frozen=True, kw_only=True):
    """An account. ``unit`` null sees everything; ``kept_by`` is ``api``, ``file`` or ``embedded`` (a folder's credentials)."""

    username: str
    role: str
    unit: str | None
    disabled: bool
    must_change_password: bool
    kept_by: str
    version: int
    created_at: str
    changed_at: str


class AccountMade(msgspec.Struct, frozen=True, kw_only=True):
    """An account, and its generated password, which is not told again; null where one was given."""

    account: AccountItem
    password: str | None


class NewAccount(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An account to make. Without a password one is generated; either must be changed at the first sign-in."""

    username: Id
    role: PersonRole
    unit: Id | None = None
    password: Secret | None = None


class AccountEdit(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is to change of an account; ``unit`` null makes it headquarters'."""

    role: PersonRole | UnsetType = UNSET
    unit: Id | UnsetType | None = UNSET
    disabled: bool | UnsetType = UNSET


class PasswordReset(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Another password; without one, one is generated. It must be changed at the next sign-in."""

    password: Secret | None = None


class TokenItem(msgspec.Struct, frozen=True, kw_only=True):
    """A token; ``scopes`` null are all rights of its account. It holds until it expires or is revoked (null: never)."""

    id: str
    account: str
    name: str
    scopes: list[str] | None
    created_at: str
    expires_at: str | None
    revoked_at: str | None
    last_used_at: str | None


class TokenMade(msgspec.Struct, frozen=True, kw_only=True):
    """A new token and its secret, which is not told again."""

    token: TokenItem
    secret: str


class TokenWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A token to make: what it is for, what it may do, until when. ``account``: an integrator's, for who manages accounts."""

    name: Title
    scopes: Annotated[list[Right], msgspec.Meta(min_length=1, max_length=len(Right))]
    expires_at: Annotated[datetime, msgspec.Meta(tz=True)]
    account: Id | None = None
