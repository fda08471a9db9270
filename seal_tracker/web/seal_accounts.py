"""``/api/v1/seals/{seal}/account``: a seal's own MQTT account, given, changed and taken back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec
from aiohttp import web

from seal_tracker.credentials.passwords import RESERVED
from seal_tracker.credentials.rows import CredentialRow
from seal_tracker.model import iso_ms, iso_or_none
from seal_tracker.web.accounts import Right
from seal_tracker.web.auth import PRINCIPAL, scope_of
from seal_tracker.web.context import CONTEXT
from seal_tracker.web.errors import Conflict, Missing
from seal_tracker.web.queries import NoQuery, path_id, read_query
from seal_tracker.web.routes import Route
from seal_tracker.web.versions import check_version, versioned

__all__ = ["ROUTES"]


class SealAccount(msgspec.Struct, frozen=True, kw_only=True):
    """A seal's account; ``revoked_at`` null: it holds."""

    username: str
    version: int
    made_at: str
    changed_at: str
    revoked_at: str | None


class SealAccountGiven(msgspec.Struct, frozen=True, kw_only=True):
    """An account with its password, which is told this once."""

    account: SealAccount
    password: str


async def show(request: web.Request) -> web.Response:
    """A seal's account, without its password: that is kept nowhere."""
    seal = _seal(request)
    row = request.app[CONTEXT].live.credentials.get(seal)
    if row is None:
        raise Missing(f"seal {seal!r} has no account of its own", field="seal")
    return told(row, item(row))


async def give(request: web.Request) -> web.Response:
    """Give a seal an account, or its account another password; whoever is in with the old one is put out."""
    seal = _seal(request)
    if seal in RESERVED:
        raise Conflict(
            f"{seal!r} is the name of an account that every broker has; no seal may be called so",
            field="seal",
        )
    check = _check_of(request)
    row, password = await request.app[CONTEXT].live.credentials.give(seal, _by(request), check)
    return told(
        row, SealAccountGiven(account=item(row), password=password), status=201 if row.version == 1 else 200
    )


async def take_back(request: web.Request) -> web.Response:
    """Let a seal in no more, and put it out."""
    seal = _seal(request)
    row = await request.app[CONTEXT].live.credentials.take_back(seal, _by(request), _check_of(request))
    if row is None:
        raise Missing(f"seal {seal!r} has no account of its own that holds", field="seal")
    return told(row, item(row))


def told(row: CredentialRow, answer: SealAccount | SealAccountGiven, status: int = 200) -> web.Response:
    """The account with its version."""
    return versioned(answer, row.version, status=status)


def _check_of(request: web.Request) -> Callable[[CredentialRow], None]:
    """Nobody replaces a password that they do not know to be there: one of two who rotate at once would hand out the one that is dead."""
    return lambda row: check_version(request, row.version)


def item(row: CredentialRow) -> SealAccount:
    """The account in outer units."""
    return SealAccount(
        username=row.seal,
        version=row.version,
        made_at=iso_ms(row.made_ms),
        changed_at=iso_ms(row.changed_ms),
        revoked_at=iso_or_none(row.revoked_ms),
    )


def _seal(request: web.Request) -> str:
    """The seal of the path. Seals belong to no unit, so their accounts are headquarters' alone."""
    read_query(request, NoQuery)
    if scope_of(request) is not None:
        raise Missing("seals' accounts are kept by headquarters, not by a unit", field="seal")
    return path_id(request, "seal")


def _by(request: web.Request) -> tuple[str, str]:
    account = request[PRINCIPAL].account
    return account.username, account.role


PATH: Final = "/api/v1/seals/{seal}/account"

ROUTES: Final = (
    Route("GET", PATH, show, Right.MANAGE_ACCOUNTS, "A seal's own MQTT account.", answer=SealAccount, versioned=True),
    Route(
        "POST", PATH, give, Right.MANAGE_ACCOUNTS,
        "Give a seal an account, or (with `If-Match`) another password; it is told this once.",
        answer=SealAccountGiven, may_make=True, versioned=True, problems=(409,),
    ),
    Route("DELETE", PATH, take_back, Right.MANAGE_ACCOUNTS, "Let a seal in no more.", answer=SealAccount, edits=True),
)  # fmt: skip
