"""Keeps the accounts: what is decided is committed by the one writer, with its entry in the audit trail, and then installed.

State: the accounts in memory, which are those of the database: one change at a time, each decided on what the one before left.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any, Protocol
from uuid import UUID

import structlog

from seal_tracker.clock import clock_ms
from seal_tracker.deeds import Deed
from seal_tracker.model import LIVE
from seal_tracker.prepared import Prepared
from seal_tracker.store.accounts import FailureRow
from seal_tracker.store.records import AccountRow, TokenRow
from seal_tracker.web import passwords
from seal_tracker.web.account_changes import Change
from seal_tracker.web.account_files import KeptAccounts
from seal_tracker.web.account_import import FIRST, first_account, import_accounts, to_hash
from seal_tracker.web.accounts import Accounts

__all__ = ["AccountKeeper", "AccountStore", "Act"]

log = structlog.get_logger(__name__)

Act = Callable[[str, Callable[[Any], Awaitable[tuple[Prepared, Deed]]]], Awaitable[None]]
"""``Pipeline.act``."""


class AccountStore(Protocol):
    """The part of the store that accounts need."""

    async def accounts(self) -> Collection[AccountRow]: ...  # noqa: D102
    async def tokens(self) -> Collection[TokenRow]: ...  # noqa: D102
    async def token_used(self, token: UUID, at_ms: int) -> None: ...  # noqa: D102
    async def sign_in_failures(self, after_ms: int) -> Collection[FailureRow]: ...  # noqa: D102
    async def sign_in_failed(  # noqa: D102
        self, failures: Sequence[FailureRow], forget_before_ms: int, most: int
    ) -> None: ...
    async def sign_ins_forgiven(self, username: str, address: str | None = None) -> None: ...  # noqa: D102


class AccountKeeper:
    """The accounts and whoever changes them. Use it on the event loop; ``open`` before, ``accounts.close`` after."""

    def __init__(self, store: AccountStore, act: Act) -> None:
        self.accounts = Accounts()
        self.store = store
        self._act = act
        self._turn = asyncio.Lock()

    async def open(self, kept: KeptAccounts | None) -> str | None:
        """Read the accounts and bring them in step with those of a file.

        Returns
        -------
        str or None
            Where there is neither a file nor an account: the one-time password of the administrator that was made.
        """
        self.accounts.install(await self.store.accounts(), await self.store.tokens())
        if kept is not None:
            await self._import(kept)
        if self.accounts.all():
            return None
        password = passwords.generated()
        hashed = await self.accounts.hash(password)
        await self.change(lambda: first_account(self.accounts, hashed, clock_ms()))
        log.warning("first_account_made", account=FIRST, told="its password, once, on standard output")
        return password

    async def change(self, decide: Callable[[], Change]) -> Change:
        """Commit what ``decide`` finds, and install it. What it raises is the caller's, whose going away stops nothing."""
        return await asyncio.shield(self._change(decide))

    async def _change(self, decide: Callable[[], Change]) -> Change:
        async with self._turn:
            change = decide()
            if not any(change):
                return change

            async def work(_judging: object) -> tuple[Prepared, Deed]:
                return Prepared(), Deed(
                    actions=change.actions, accounts=change.accounts, tokens=change.tokens
                )

            await self._act(LIVE, work)
            self.accounts.install(change.accounts, change.tokens)
            for action in change.actions:
                log.info("account_changed", action=action.kind, subject=action.subject, by=action.actor)
            return change

    async def _import(self, kept: KeptAccounts) -> None:
        new = to_hash(self.accounts, kept)
        hashed = await asyncio.gather(*(self.accounts.hash(entry.password or "") for entry in new))
        hashes = {entry.username: text for entry, text in zip(new, hashed, strict=True)}
        found = import_accounts(self.accounts, kept, hashes, clock_ms())
        for username in found.conflicts:
            log.warning("account_left_alone", account=username, why="changed in the file and by the API")
        await self.change(lambda: found.change)
