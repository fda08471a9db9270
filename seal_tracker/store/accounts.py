"""Accounts, their tokens and their failed sign-ins. Accounts and tokens change by commits alone; here they are read."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from seal_tracker.credentials.rows import CredentialRow
from seal_tracker.store.database import Database
from seal_tracker.store.queries import sql
from seal_tracker.store.records import AccountRow, TokenRow

__all__ = ["AccountTable", "FailureRow"]


class FailureRow(NamedTuple):
    """Failed sign-ins of an account from an address ('': from all of them); times are epoch ms."""

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
        """Failures whose last one was after that."""
        async with self._reading() as connection:
            return [FailureRow(*row) for row in await connection.fetch(sql("sign_in_failures"), after_ms)]

    async def sign_in_failed(self, failure: FailureRow, forget_before_ms: int) -> None:
        """Keeps a failure as it now stands, if there is such an account; those before that time are forgotten."""
        async with self._reading() as connection:
            await connection.execute(sql("sign_in_failed"), *failure, forget_before_ms)

    async def sign_ins_forgiven(self, username: str, address: str | None = None) -> None:
        """Forgets an account's failures, those from one address or all."""
        async with self._reading() as connection:
            await connection.execute(sql("sign_ins_forgiven"), username, address)
