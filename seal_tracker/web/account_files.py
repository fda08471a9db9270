"""Accounts that are kept in a file beside the database, and read at each start.

Two files are understood. An embedded folder's ``credentials.json`` holds generated secrets in clear (mode 0600), because whoever
starts the folder must be told them; each member's name is its role. A production accounts file holds only argon2id hashes of
passwords and SHA-256 digests of tokens; ``hash_accounts`` makes it from the first.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from seal_tracker.web import passwords
from seal_tracker.web.accounts import Role

__all__ = [
    "EMBEDDED",
    "FILE",
    "RESERVED",
    "AccountsError",
    "Entry",
    "KeptAccounts",
    "hash_accounts",
    "read_accounts",
]

EMBEDDED: Final = "embedded"
FILE: Final = "file"

ROLES: Final = frozenset(role.value for role in Role)
NAME: Final = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
"""Names of accounts and units: they fit addresses, topics and logs."""

RESERVED: Final = frozenset({"me", "service", "system", "plan"})
"""Names that mean something else: oneself in addresses, and in the audit trail the service and what plans brought."""


class AccountsError(ValueError):
    """An accounts file that cannot be used; the message names the member."""


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One account of a file. ``password`` is in clear and stands in an embedded folder's alone; digests are lower-case hex."""

    username: str
    role: Role
    password_hash: str | None = None
    token_sha256: list[str] = []
    unit: str | None = None
    password: str | None = None

    @property
    def digest(self) -> str:
        """SHA-256 of what it says, in hex: tells whether it has changed."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()


class StoredAccounts(msgspec.Struct, forbid_unknown_fields=True):
    """An accounts file."""

    accounts: list[Entry]


@dataclass(frozen=True, slots=True)
class KeptAccounts:
    """The accounts of a file, and who keeps it: ``EMBEDDED`` or ``FILE``."""

    origin: str
    entries: Sequence[Entry]


def read_accounts(path: Path) -> KeptAccounts:
    """Accounts of a ``credentials.json`` or an accounts file, told apart by their content.

    Raises
    ------
    AccountsError
        Not such a file, or a password that is not an argon2id hash.
    OSError
        It cannot be read.
    """
    content = path.read_bytes()
    try:
        members = msgspec.json.decode(content, type=dict[str, msgspec.Raw])
        if "accounts" in members:
            return KeptAccounts(FILE, hashed_accounts(content))
        return KeptAccounts(EMBEDDED, read_credentials(content))
    except msgspec.MsgspecError as error:
        raise AccountsError(f"{path}: not a JSON object: {error}") from error
    except AccountsError as error:
        raise AccountsError(f"{path}: {error}") from error


def hash_accounts(credentials: Mapping[str, Mapping[str, str]]) -> bytes:
    """The accounts file for credentials in the shape of ``credentials.json``: hashes only, nothing to sign in with."""
    accounts = [
        {
            "username": entry.username,
            "role": entry.role,
            "password_hash": passwords.hash_password(entry.password or ""),
            "token_sha256": entry.token_sha256,
        }
        for entry in read_credentials(msgspec.json.encode(credentials))
    ]
    return msgspec.json.format(msgspec.json.encode({"accounts": accounts}), indent=2)


def read_credentials(content: bytes) -> Sequence[Entry]:
    """The accounts of a ``credentials.json``; the service's own at the broker and the database are none."""
    try:
        members = msgspec.json.decode(content, type=dict[str, dict[str, msgspec.Raw]])
        rows = []
        for name in (name for name in members if name in ROLES):
            username, password, token = (
                msgspec.json.decode(members[name][key], type=str) for key in ("username", "password", "token")
            )
            digest = passwords.digest(token).hex()
            rows.append(Entry(username, Role(name), token_sha256=[digest], password=password))
    except (msgspec.MsgspecError, ValueError, KeyError) as error:
        raise AccountsError(f"not a credentials file: {error}") from error
    return checked(rows)


def hashed_accounts(content: bytes) -> Sequence[Entry]:
    """The accounts of a production file."""
    try:
        entries = msgspec.json.decode(content, type=StoredAccounts).accounts
    except msgspec.MsgspecError as error:
        raise AccountsError(f"not an accounts file: {error}") from error
    for entry in entries:
        if entry.password is not None:
            raise AccountsError(f"{entry.username}: password is in clear; use `hash_accounts`")
        if entry.password_hash is not None and not entry.password_hash.startswith("$argon2id$"):
            raise AccountsError(
                f"{entry.username}: password_hash must be an argon2id hash; use `hash_accounts`"
            )
    return checked(entries)


def checked(entries: Sequence[Entry]) -> Sequence[Entry]:
    """The entries, their names found to be names that occur once, and their digests to be digests."""
    seen: set[str] = set()
    for entry in entries:
        for member, value in (("username", entry.username), ("unit", entry.unit)):
            if value is not None and NAME.fullmatch(value) is None:
                raise AccountsError(f"{entry.username!r}: {member} must be of {NAME.pattern}, not {value!r}")
        if entry.username in RESERVED:
            raise AccountsError(f"{entry.username!r} has a meaning of its own; take another name")
        if entry.username in seen:
            raise AccountsError(f"the account {entry.username!r} is there twice; keep one")
        seen.add(entry.username)
        for text in entry.token_sha256:
            if re.fullmatch(r"[0-9a-f]{64}", text) is None:
                raise AccountsError(
                    f"{entry.username}: token_sha256 must be SHA-256 digests of 64 hex digits (0-9, a-f), not {text[:70]!r}"
                )
    return entries
