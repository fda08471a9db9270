"""Accounts and passwords of an embedded folder: random, made at first start, kept in ``credentials.json`` (0600)."""

from __future__ import annotations

import secrets
import string
from typing import TYPE_CHECKING

import msgspec

from .errors import FolderDamaged
from .files import read_text, write_atomic

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["ACCOUNTS", "Account", "Credentials", "DatabaseAccount", "load_or_make", "make"]

ACCOUNTS = ("gateway", "integrator", "operator", "supervisor", "unit_head", "auditor", "administrator")
"""Accounts a person or program outside may use; the ready file lists these and no others."""

SECRET_LENGTH = 32
"""Letters and digits, 190 random bits: nothing to guess, and nothing that a shell, an address or a file must quote."""


class Account(msgspec.Struct, frozen=True):
    """One account: ``password`` for MQTT and for signing in, ``token`` for ``Authorization: Bearer``."""

    username: str
    password: str
    token: str


class DatabaseAccount(msgspec.Struct, frozen=True):
    """A role of the database."""

    username: str
    password: str


class Credentials(msgspec.Struct, frozen=True):
    """Everything ``credentials.json`` holds.

    ``service`` is the service's own broker account, ``database`` the role that owns its database, ``postgres`` the
    superuser, which the service uses only to make the other two.
    """

    gateway: Account
    integrator: Account
    operator: Account
    supervisor: Account
    unit_head: Account
    auditor: Account
    administrator: Account
    service: Account
    database: DatabaseAccount
    postgres: DatabaseAccount

    def accounts(self) -> dict[str, Account]:
        """Return the accounts of ``ACCOUNTS`` by name, as the ready file lists them."""
        return {name: getattr(self, name) for name in ACCOUNTS}


def load_or_make(path: Path, *, has_data: bool) -> Credentials:
    """Return the credentials of a folder, made and written when it is new.

    Parameters
    ----------
    path
        The file.
    has_data
        Whether the folder already holds a database, which new passwords would not open.

    Raises
    ------
    FolderDamaged
        When the file is unreadable, or missing beside data.
    """
    text = read_text(path)
    if text is None:
        if has_data:
            raise FolderDamaged(
                f"{path} is missing but the folder holds a database that only its passwords open: put the file back, "
                "or start with another folder"
            )
        made = make()
        write_atomic(path, msgspec.json.format(msgspec.json.encode(made), indent=2).decode() + "\n")
        return made
    try:
        return msgspec.json.decode(text.encode(), type=Credentials)
    except msgspec.MsgspecError as error:
        raise FolderDamaged(f"{path} cannot be read: {error}. Restore it from a copy") from error


def make() -> Credentials:
    """Return new random credentials for every account."""

    def account(name: str) -> Account:
        return Account(name, _secret(), _secret())

    def role(name: str) -> DatabaseAccount:
        return DatabaseAccount(name, _secret())

    return Credentials(
        **{name: account(name) for name in (*ACCOUNTS, "service")},
        database=role("seal_tracker"),
        postgres=role("postgres"),
    )


def _secret() -> str:
    first = secrets.choice(
        string.ascii_letters
    )  # never a digit: some configuration formats would read a number
    return first + "".join(
        secrets.choice(string.ascii_letters + string.digits) for _ in range(SECRET_LENGTH - 1)
    )
