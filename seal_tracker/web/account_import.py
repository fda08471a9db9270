"""What a start changes of the accounts: those of a file are brought in step with it; without any, one is made. Pure.

An entry that has not changed since it was last read undoes nothing that was done through the API meanwhile. One that has changed
is followed, unless the account was changed through the API too: then it is left alone, and that is said. Who is no longer in the
file may no longer sign in. An embedded folder's accounts always are as its ``credentials.json`` says.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final
from uuid import UUID, uuid5

import msgspec

from seal_tracker.store.records import AccountRow, Action, TokenRow
from seal_tracker.web.account_changes import API, Change, action_of
from seal_tracker.web.account_files import EMBEDDED, Entry, KeptAccounts
from seal_tracker.web.accounts import Accounts, Role

__all__ = ["FIRST", "SERVICE", "Import", "first_account", "import_accounts", "to_hash"]

FIRST: Final = "administrator"
"""The account that a new database gets, where no file brings others."""

SERVICE: Final = ("service", "service")
"""Who acts at a start: the service in its own name."""

TOKENS_OF_FILES: Final = UUID("7b0c7f70-4b3c-4df6-9d4a-4d2f6a0a9f1e")
"""Namespace of the ids of tokens that a file brought."""


class Import(msgspec.Struct, frozen=True):
    """What is to be committed, and the accounts left alone because both sides have changed."""

    change: Change
    conflicts: tuple[str, ...] = ()


def to_hash(known: Accounts, kept: KeptAccounts) -> Collection[Entry]:
    """The entries whose clear password is new: hashes of them must be given to ``import_accounts``."""
    read = {account.username: account.imported for account in known.all()}
    return [e for e in kept.entries if e.password is not None and read.get(e.username) != e.digest]


def import_accounts(known: Accounts, kept: KeptAccounts, hashes: Mapping[str, str], now_ms: int) -> Import:
    """What brings the accounts in step with a file; ``hashes`` are of the clear passwords of ``to_hash``, by name."""
    accounts: list[AccountRow] = []
    tokens: list[TokenRow] = []
    conflicts = []
    for entry in kept.entries:
        account = known.get(entry.username)
        new = account is None or account.imported != entry.digest
        if new and account is not None and account.origin == API:
            conflicts.append(entry.username)
            continue
        tokens += tokens_of(known, entry, kept.origin, now_ms)
        if new:
            accounts.append(as_entered(entry, kept.origin, account, hashes.get(entry.username), now_ms))
    named = {entry.username for entry in kept.entries}
    accounts.extend(
        account._replace(disabled=True, imported=None, version=account.version + 1, changed_ms=now_ms)
        for account in known.all()
        if account.imported is not None and account.username not in named
    )
    digests = {bytes.fromhex(text) for entry in kept.entries for text in entry.token_sha256}
    for token in known.tokens():
        if is_of_a_file(token) and token.revoked_ms is None and token.hash not in digests:
            tokens.append(token._replace(revoked_ms=now_ms))
    actions: list[Action] = [
        action_of(SERVICE, "account.import", account, now_ms, origin=kept.origin) for account in accounts
    ]
    return Import(Change(tuple(accounts), tuple(tokens), tuple(actions)), tuple(conflicts))


def as_entered(
    entry: Entry, origin: str, account: AccountRow | None, hashed: str | None, now_ms: int
) -> AccountRow:
    """The account as the file has it; an embedded folder's file says nothing of units, so that one given here stays."""
    unit = entry.unit if account is None or origin != EMBEDDED else account.unit
    return AccountRow(
        username=entry.username,
        role=entry.role.value,
        unit=unit,
        password_hash=hashed or entry.password_hash,
        must_change=False,
        disabled=False,
        origin=origin,
        imported=entry.digest,
        version=1 if account is None else account.version + 1,
        created_ms=now_ms if account is None else account.created_ms,
        changed_ms=now_ms,
    )


def tokens_of(known: Accounts, entry: Entry, origin: str, now_ms: int) -> list[TokenRow]:
    """Tokens of an entry that are not known yet; an embedded folder's are given back where they were revoked."""
    found = []
    for text in entry.token_sha256:
        name = uuid5(TOKENS_OF_FILES, f"{entry.username} {text}")
        token = known.token(name)
        if token is None:
            found.append(
                TokenRow(name, entry.username, "from the file", None, bytes.fromhex(text), now_ms, None)
            )
        elif origin == EMBEDDED and token.revoked_ms is not None:
            found.append(token._replace(revoked_ms=None))
    return found


def is_of_a_file(token: TokenRow) -> bool:
    """Whether a file brought this token."""
    return token.id == uuid5(TOKENS_OF_FILES, f"{token.username} {token.hash.hex()}")


def first_account(known: Accounts, password_hash: str, now_ms: int) -> Change:
    """The administrator of a new database, whose password must be changed at the first sign-in."""
    account = AccountRow(
        FIRST, Role.ADMINISTRATOR.value, None, password_hash, must_change=True, disabled=False,
        origin=API, imported=None, version=1, created_ms=now_ms, changed_ms=now_ms,
    )  # fmt: skip
    assert not known.all(), "the first account is made where there is none"
    return Change((account,), (), (action_of(SERVICE, "account.create", account, now_ms),))
