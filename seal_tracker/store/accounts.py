"""Accounts, their tokens and their failed sign-ins. Accounts and tokens change by commits alone; here they are read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from seal_tracker.credentials.rows import CredentialRow
from seal_tracker.store.database import Database
from seal_tracker.store.queries import sql
from seal_tracker.store.records import AccountRow, TokenRow

__all__ = ["AccountTable", "FailureRow"]


class FailureRow(NamedTuple):
    """Failed sign-ins by a name, as its digest, from an address; '' is all of them, of either. Times are epoch ms."""

    username: str
    address: str
    failures: int
    last_ms: int
    locked_until_ms: int


class AccountTable(Database):
    """What signing in needs of the store."""

    async def accounts(self) -> list[AccountRow]:
        """All accounts, in no order."""
        async with self._reading() as connection:
            return [AccountRow(*row) for row in await connection.fetch(sql("accounts"))]

    async def tokens(self) -> list[TokenRow]:
        """All tokens, in no order."""
        async with self._reading() as connection:
            return [TokenRow(*row) for row in await connection.fetch(sql("tokens"))]

    async def credentials(self) -> list[CredentialRow]:
        """All seals' accounts, in no order."""
        async with self._reading() as connection:
            return [CredentialRow(*row) for row in await connection.fetch(sql("credentials"))]

    async def token_used(self, token: UUID, at_ms: int) -> None:
        """Notes when a token was used."""
        async with self._reading() as connection:
            await connection.execute(sql("token_used"), token, at_ms)

    async def sign_in_failures(self, after_ms: int) -> list[FailureRow]:
        """Failures whose last one was after that, the oldest first."""
        async with self._reading() as connection:
            return [FailureRow(*row) for row in await connection.fetch(sql("sign_in_failures"), after_ms)]

    async def sign_in_failed(self, failures: Sequence[FailureRow], forget_before_ms: int, most: int) -> None:
        """Keeps failures as they now stand; those before that time are forgotten, and the oldest where there are more than ``most``."""
        async with self._reading() as connection:
            await connection.execute(sql("sign_in_failed"), *zip(*failures, strict=True))
            await connection.execute(sql("sign_in_failures_swept"), forget_before_ms, most)

    async def sign_ins_forgiven(self, username: str, address: str | None = None) -> None:
        """Forgets the failures of a name, given as its digest: those from one address or all."""
        async with self._reading() as connection:
            await connection.execute(sql("sign_ins_forgiven"), username, address)
