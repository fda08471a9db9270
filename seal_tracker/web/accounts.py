"""Who may sign in, and with what. Accounts are read once; nothing here changes after construction.

Two files are understood. An embedded folder's ``credentials.json`` holds generated secrets in clear (mode 0600), because
whoever starts the folder must be told them. A production accounts file holds only argon2id hashes of passwords and SHA-256
digests of tokens; ``hash_accounts`` makes it from the first. Tokens and generated passwords are long and random, so that a
plain digest is enough for them; a chosen password needs argon2id.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

__all__ = ["RIGHTS", "Account", "Accounts", "AccountsError", "Right", "Role", "hash_accounts"]

HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
"""OWASP's second argon2id setting: 19 MiB a try, so that a few tries at once stay within the service's memory."""

HASHING_THREADS = 2
"""Passwords verified at once; more wait. Bounds memory and leaves the default executor to others."""

GENERATED = "$sha256$"
"""Scheme of a generated password's digest; exists in memory only and is refused in an accounts file."""


class AccountsError(ValueError):
    """An accounts file that cannot be used; the message names the member."""


class Role(StrEnum):
    """What an account is for."""

    OPERATOR = "operator"
    SUPERVISOR = "supervisor"
    UNIT_HEAD = "unit_head"
    AUDITOR = "auditor"
    INTEGRATOR = "integrator"
    ADMINISTRATOR = "administrator"
    GATEWAY = "gateway"


ROLES: Final = frozenset(role.value for role in Role)


class Right(StrEnum):
    """What a route asks for."""

    READ = "read"
    MAKE_SPACES = "make_spaces"
    HANDLE_ALARMS = "handle_alarms"
    KEEP_JOURNEYS = "keep_journeys"
    ORDER = "order"
    KEEP_DUTY = "keep_duty"
    EDIT_PLANS = "edit_plans"
    AUDIT = "audit"
    MANAGE_HOOKS = "manage_hooks"
    MANAGE_ACCOUNTS = "manage_accounts"


WORK: Final = frozenset({Right.READ, Right.HANDLE_ALARMS, Right.KEEP_JOURNEYS, Right.KEEP_DUTY})
"""What everybody on duty does. Orders (diverting, leave to unlock, suspending, cancelling) are for their superiors."""

RIGHTS: Mapping[Role, frozenset[Right]] = {
    Role.OPERATOR: WORK,
    Role.SUPERVISOR: WORK | {Right.ORDER, Right.EDIT_PLANS},
    Role.UNIT_HEAD: WORK | {Right.ORDER, Right.AUDIT},
    Role.AUDITOR: frozenset({Right.READ, Right.AUDIT}),
    Role.INTEGRATOR: frozenset({Right.READ, Right.MANAGE_HOOKS}),
    Role.ADMINISTRATOR: frozenset(Right),
    Role.GATEWAY: frozenset(),  # publishes over MQTT; HTTP gives it nothing
}
"""The whole table of who may do what; a right that is not here is refused."""


@dataclass(frozen=True, slots=True)
class Account:
    """One account. ``password_hash`` is None where nobody signs in with it."""

    username: str
    role: Role
    password_hash: str | None
    token_digests: tuple[bytes, ...] = ()

    @property
    def rights(self) -> frozenset[Right]:
        """What this account may do."""
        return RIGHTS[self.role]


class StoredAccount(msgspec.Struct, forbid_unknown_fields=True):
    """One account of an accounts file; token digests in lower-case hex."""

    username: str
    role: Role
    password_hash: str | None = None
    token_sha256: list[str] = []


class StoredAccounts(msgspec.Struct, forbid_unknown_fields=True):
    """An accounts file."""

    accounts: list[StoredAccount]


class Accounts:
    """Accounts by name and by token. Safe to share; verification of passwords runs in threads of its own."""

    def __init__(self, accounts: Iterable[Account]) -> None:
        self._by_name: dict[str, Account] = {}
        self._by_digest: dict[bytes, Account] = {}
        for account in accounts:
            if account.username in self._by_name:
                raise AccountsError(f"the account {account.username!r} is there twice; keep one")
            self._by_name[account.username] = account
            self._by_digest.update(dict.fromkeys(account.token_digests, account))
        self._decoy = self._decoy_hash()
        self._threads = ThreadPoolExecutor(HASHING_THREADS, thread_name_prefix="password")

    @classmethod
    def load(cls, path: Path) -> Accounts:
        """Accounts of a ``credentials.json`` or an accounts file, told apart by their content."""
        content = path.read_bytes()
        try:
            members = msgspec.json.decode(content, type=dict[str, msgspec.Raw])
        except msgspec.MsgspecError as error:
            raise AccountsError(f"{path}: not a JSON object: {error}") from error
        return cls.from_hashes(content) if "accounts" in members else cls.from_credentials(content)

    @classmethod
    def from_credentials(cls, content: bytes) -> Accounts:
        """Accounts of an embedded folder; each member's name is its role."""
        return cls(
            Account(username, role, GENERATED + digest(password).hex(), (digest(token),))
            for username, role, password, token in read_credentials(content)
        )

    @classmethod
    def from_hashes(cls, content: bytes) -> Accounts:
        """Accounts of a production file.

        Raises
        ------
        AccountsError
            Not such a file, or a password that is not an argon2id hash.
        """
        try:
            stored = msgspec.json.decode(content, type=StoredAccounts)
        except msgspec.MsgspecError as error:
            raise AccountsError(f"not an accounts file: {error}") from error
        return cls(checked(account) for account in stored.accounts)

    def get(self, username: str) -> Account | None:
        """The account of that name."""
        return self._by_name.get(username)

    def by_token(self, token: str) -> Account | None:
        """The account of a bearer token.

        The look-up is by digest: what its time could tell is about a hash that nobody can aim at.
        """
        return self._by_digest.get(digest(token))

    async def verify(self, username: str, password: str) -> Account | None:
        """The account if name and password are right; a name that is unknown takes as long as one that is known."""
        account = self._by_name.get(username)
        expected = account.password_hash if account and account.password_hash else None
        loop = asyncio.get_running_loop()
        matches = await loop.run_in_executor(
            self._threads, password_matches, expected or self._decoy, password
        )
        return account if matches and expected else None

    def close(self) -> None:
        """Let the verifying threads end; no verification may follow."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _decoy_hash(self) -> str:
        """A hash nobody has the password of, in the scheme of the accounts, so that it takes their time."""
        slow = any((a.password_hash or "").startswith("$argon2id$") for a in self._by_name.values())
        secret = secrets.token_urlsafe(24)
        return HASHER.hash(secret) if slow else GENERATED + digest(secret).hex()


def hash_accounts(credentials: Mapping[str, Mapping[str, str]]) -> bytes:
    """The accounts file for credentials in the shape of ``credentials.json``: hashes only, nothing to sign in with."""
    accounts = [
        StoredAccount(username, role, HASHER.hash(password), [digest(token).hex()])
        for username, role, password, token in read_credentials(msgspec.json.encode(credentials))
    ]
    return msgspec.json.format(msgspec.json.encode(StoredAccounts(accounts)), indent=2)


def password_matches(expected: str, password: str) -> bool:
    """Whether the password is the one behind the hash; slow for argon2id, so call it in a thread."""
    if expected.startswith(GENERATED):
        return hmac.compare_digest(GENERATED + digest(password).hex(), expected)
    try:
        return HASHER.verify(expected, password.encode("utf-8", "surrogatepass"))
    except (VerificationError, InvalidHashError):
        return False


def digest(secret: str) -> bytes:
    """SHA-256 of a secret; any string has one, whatever a client sent."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def read_credentials(content: bytes) -> Sequence[tuple[str, Role, str, str]]:
    """(username, role, password, token) of each account in a ``credentials.json``."""
    try:
        members = msgspec.json.decode(content, type=dict[str, dict[str, msgspec.Raw]])
        rows = []
        for name, member in members.items():
            if name not in ROLES:  # the service's own accounts at the broker and the database
                continue
            username, password, token = (
                msgspec.json.decode(member[key], type=str) for key in ("username", "password", "token")
            )
            rows.append((username, Role(name), password, token))
    except (msgspec.MsgspecError, ValueError, KeyError) as error:
        raise AccountsError(f"not a credentials file: {error}") from error
    return rows


def checked(stored: StoredAccount) -> Account:
    """The stored account, its hashes found to be hashes."""
    if stored.password_hash is not None and not stored.password_hash.startswith("$argon2id$"):
        raise AccountsError(f"{stored.username}: password_hash must be an argon2id hash; use `hash_accounts`")
    try:
        digests = tuple(bytes.fromhex(text) for text in stored.token_sha256)
    except ValueError as error:
        raise AccountsError(f"{stored.username}: token_sha256 must be hex digests: {error}") from error
    if any(len(value) != hashlib.sha256().digest_size for value in digests):
        raise AccountsError(f"{stored.username}: token_sha256 must be SHA-256 digests of 64 hex digits")
    return Account(stored.username, stored.role, stored.password_hash, digests)
