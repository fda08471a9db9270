"""Accounts and passwords of an embedded folder: random, made at first start, kept in ``credentials.json`` (0600)."""

from __future__ import annotations

import secrets
import string
from typing import TYPE_CHECKING, Any

import msgspec

from seal_tracker.credentials.callout import new_seed

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
    superuser, which the service uses only to make the other two. ``system`` is the broker's system account, by which the
    service ends connections, and ``issuer`` the key by which it tells the broker who may come in.
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
    system: DatabaseAccount = DatabaseAccount("system", "")
    issuer: DatabaseAccount = DatabaseAccount("issuer", "")

    @property
    def issuer_seed(self) -> str:
        """The seed of the key by which the service tells the broker who may come in."""
        return self.issuer.password

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
        return _written(path, make())
    try:
        found = msgspec.json.decode(text.encode(), type=Credentials)
    except msgspec.MsgspecError as error:
        raise FolderDamaged(f"{path} cannot be read: {error}. Restore it from a copy") from error
    if found.issuer_seed and found.system.password:
        return found
    # A folder of a release before seals had accounts of their own.
    return _written(path, msgspec.structs.replace(found, **_of_seals()))


def make() -> Credentials:
    """Return new random credentials for every account."""

    def account(name: str) -> Account:
        return Account(name, _secret(), _secret())

    def role(name: str) -> DatabaseAccount:
        return DatabaseAccount(name, _secret())

    accounts: dict[str, Any] = {name: account(name) for name in (*ACCOUNTS, "service")}
    return Credentials(
        **accounts,
        database=role("seal_tracker"),
        postgres=role("postgres"),
        **_of_seals(),
    )


def _of_seals() -> dict[str, Any]:
    """What seals' own accounts need."""
    return {
        "system": DatabaseAccount("system", _secret()),
        "issuer": DatabaseAccount("issuer", new_seed(secrets.token_bytes(32))),
    }


def _written(path: Path, credentials: Credentials) -> Credentials:
    write_atomic(path, msgspec.json.format(msgspec.json.encode(credentials), indent=2).decode() + "\n")
    return credentials


def _secret() -> str:
    first = secrets.choice(
        string.ascii_letters
    )  # never a digit: some configuration formats would read a number
    return first + "".join(
        secrets.choice(string.ascii_letters + string.digits) for _ in range(SECRET_LENGTH - 1)
    )
