"""Who may do what, and all accounts and tokens as the database has them, kept in memory.

The service is the database's only writer: whoever commits a change of accounts installs it here, and nothing else changes them.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from typing import Final, ParamSpec, TypeVar
from uuid import UUID

from seal_tracker.store.records import AccountRow, TokenRow
from seal_tracker.web import passwords

__all__ = ["PEOPLE", "RIGHTS", "Accounts", "Right", "Role", "rights_of"]

P = ParamSpec("P")
T = TypeVar("T")

HASHING_THREADS = 2
"""Passwords hashed at once; more wait. Bounds memory and leaves the default executor to others."""


class Role(StrEnum):
    """What an account is for."""

    OPERATOR = "operator"
    SUPERVISOR = "supervisor"
    UNIT_HEAD = "unit_head"
    AUDITOR = "auditor"
    INTEGRATOR = "integrator"
    ADMINISTRATOR = "administrator"
    GATEWAY = "gateway"


class Right(StrEnum):
    """What a route asks for."""

    READ = "read"
    MAKE_SPACES = "make_spaces"
    HANDLE_ALARMS = "handle_alarms"
    KEEP_JOURNEYS = "keep_journeys"
    COMMENT = "comment"
    KEEP_SEALS = "keep_seals"
    RECORD_READINGS = "record_readings"
    ORDER = "order"
    COMMAND = "command"
    KEEP_DUTY = "keep_duty"
    EDIT_PLANS = "edit_plans"
    SEE_RISK = "see_risk"
    SEE_INSPECTIONS = "see_inspections"
    INSPECT = "inspect"
    AUDIT = "audit"
    SEE_RESTRICTED = "see_restricted"
    MANAGE_HOOKS = "manage_hooks"
    MANAGE_ACCOUNTS = "manage_accounts"


WORK: Final = frozenset(
    {
        Right.READ,
        Right.COMMENT,
        Right.HANDLE_ALARMS,
        Right.KEEP_JOURNEYS,
        Right.KEEP_SEALS,
        Right.RECORD_READINGS,
        Right.KEEP_DUTY,
        Right.SEE_RISK,
    }
)
"""What everybody on duty does. Orders (diverting, leave to unlock, suspending, cancelling) are for their superiors."""

INSPECTIONS: Final = frozenset({Right.SEE_INSPECTIONS, Right.INSPECT})
"""Who is inspected unannounced is for those who order it, and who audit them: an operator may know the driver."""

RIGHTS: Mapping[str, frozenset[Right]] = {
    Role.OPERATOR: WORK,
    Role.SUPERVISOR: WORK
    | INSPECTIONS
    | {Right.ORDER, Right.COMMAND, Right.EDIT_PLANS, Right.SEE_RESTRICTED},
    Role.UNIT_HEAD: WORK | INSPECTIONS | {Right.ORDER, Right.AUDIT},
    Role.AUDITOR: frozenset(
        {Right.READ, Right.AUDIT, Right.SEE_RESTRICTED, Right.SEE_RISK, Right.SEE_INSPECTIONS}
    ),
    Role.INTEGRATOR: frozenset({Right.READ, Right.MANAGE_HOOKS, Right.COMMENT, Right.RECORD_READINGS}),
    Role.ADMINISTRATOR: frozenset(Right) - {Right.COMMAND},  # who makes accounts could be two persons
    Role.GATEWAY: frozenset(),  # publishes over MQTT; HTTP gives it nothing
}
"""The whole table of who may do what, by role; a right that is not here is refused.

``SEE_RESTRICTED`` counts at headquarters alone (`auth.sees_restricted`). No unit head has it: a head answers for the officers of the
unit, and may be one of those concerned.
"""

PEOPLE: Final = tuple(role for role in Role if RIGHTS[role])
"""Roles that HTTP knows, and that accounts made here may have."""


def rights_of(account: AccountRow, token: TokenRow | None = None) -> frozenset[Right]:
    """What an account may do, by a token where one is given: no more than both the role and the token's scopes say."""
    rights = RIGHTS[account.role]
    return rights if token is None or token.scopes is None else rights & set(token.scopes.split())


class Accounts:
    """Accounts by name, tokens by their digest. Use it on the event loop; hashing runs in threads of its own."""

    def __init__(self, accounts: Iterable[AccountRow] = (), tokens: Iterable[TokenRow] = ()) -> None:
        self._by_name: dict[str, AccountRow] = {}
        self._by_digest: dict[bytes, TokenRow] = {}
        self._tokens: dict[UUID, TokenRow] = {}
        self._threads = ThreadPoolExecutor(HASHING_THREADS, thread_name_prefix="password")
        self.install(accounts, tokens)

    def install(self, accounts: Iterable[AccountRow] = (), tokens: Iterable[TokenRow] = ()) -> None:
        """Take in what has been committed."""
        self._by_name.update((account.username, account) for account in accounts)
        for token in tokens:
            self._tokens[token.id] = self._by_digest[token.hash] = token

    def all(self) -> Collection[AccountRow]:
        """Every account, disabled ones too, in no order."""
        return self._by_name.values()

    def tokens(self) -> Collection[TokenRow]:
        """Every token, ended ones too, in no order."""
        return self._tokens.values()

    def get(self, username: str) -> AccountRow | None:
        """The account of that name, disabled or not."""
        return self._by_name.get(username)

    def token(self, token: UUID) -> TokenRow | None:
        """The token of that id, ended or not."""
        return self._tokens.get(token)

    def by_token(self, secret: str, now_ms: int) -> tuple[AccountRow, TokenRow] | None:
        """The account of a bearer token that holds, and the token.

        The look-up is by digest: what its time could tell is about a hash that nobody can aim at.
        """
        token = self._by_digest.get(passwords.digest(secret))
        account = self.holder(token, now_ms) if token else None
        return (account, token) if token and account else None

    def holder(self, token: TokenRow, now_ms: int) -> AccountRow | None:
        """The account of a token, None where the token does not hold."""
        ended = token.revoked_ms is not None or (token.expires_ms is not None and token.expires_ms <= now_ms)
        account = self._by_name.get(token.username)
        return None if ended or account is None or account.disabled else account

    async def verify(self, username: str, password: str) -> AccountRow | None:
        """The account if name and password are right; a name that is unknown takes as long as one that is known."""
        account = self._by_name.get(username)
        expected = account.password_hash if account and not account.disabled else None
        right = await self._in_thread(lambda: passwords.matches(expected or passwords.decoy(), password))
        return account if right and expected else None

    async def hash(self, password: str) -> str:
        """The hash to keep of a password."""
        return await self._in_thread(passwords.hash_password, password)

    async def _in_thread(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        call = functools.partial(work, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)

    def close(self) -> None:
        """Let the hashing threads end; no verification may follow."""
        self._threads.shutdown(wait=False, cancel_futures=True)
