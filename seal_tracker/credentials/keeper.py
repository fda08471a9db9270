"""Keeps seals' accounts: in memory for the broker's questions, in the database by commits alone, in Mosquitto's file where there is one.

State: every account. Use it on the event loop; one change at a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path
from typing import Any, Protocol

import msgspec

from seal_tracker.credentials.passwords import digest, matches, mosquitto_file, mosquitto_hash, new_password
from seal_tracker.credentials.rows import CredentialRow
from seal_tracker.deeds import Deed
from seal_tracker.embedded.files import write_atomic
from seal_tracker.model import LIVE
from seal_tracker.prepared import Prepared
from seal_tracker.store.records import Action

__all__ = ["CredentialKeeper"]

READABLE_BY_THE_BROKER = 0o644
"""Hashes of long random secrets: the broker's user must read them, and nobody can use them."""

Act = Callable[[str, Callable[[Any], Awaitable[tuple[Prepared, Deed]]]], Awaitable[None]]
"""``Pipeline.act``."""


Check = Callable[[CredentialRow], None]
"""Refuses a change of an account by raising."""


class CredentialStore(Protocol):
    """What is read."""

    async def credentials(self) -> Collection[CredentialRow]: ...


class CredentialKeeper:
    """The accounts of seals. ``open`` it before; ``put_out`` ends a seal's connections where the broker lets us."""

    def __init__(
        self, store: CredentialStore, act: Act, clock_ms: Callable[[], int], mosquitto: Path | None = None
    ) -> None:
        self._store = store
        self._act = act
        self._clock_ms = clock_ms
        self._mosquitto = mosquitto
        self._rows: dict[str, CredentialRow] = {}
        self._turn = asyncio.Lock()
        self.put_out: Callable[[str], Awaitable[int]] | None = None

    async def open(self) -> None:
        """Read all accounts, and write Mosquitto's file."""
        self._rows = {row.seal: row for row in await self._store.credentials()}
        await self._write()

    def get(self, seal: str) -> CredentialRow | None:
        """The account of a seal, one that was taken back too."""
        return self._rows.get(seal)

    def knows(self, seal: str, password: str) -> bool:
        """Whether that is a seal's account that holds, and its password."""
        row = self._rows.get(seal)
        return row is not None and matches(row, password)

    async def give(
        self, seal: str, by: tuple[str, str], check: Check = lambda _: None
    ) -> tuple[CredentialRow, str]:
        """Give a seal an account, or its account another password; the account, and the password, which is told this once.

        ``check`` is called with the account that there is, if any, before it is changed, and may refuse that.
        """
        password, now_ms = new_password(), self._clock_ms()
        hashed = mosquitto_hash(password)
        async with self._turn:
            old = self._rows.get(seal)
            if old is not None:
                check(old)
            made_ms, version = (now_ms, 1) if old is None else (old.made_ms, old.version + 1)
            row = CredentialRow(seal, digest(password), hashed, version, made_ms, now_ms, None)
            await self._commit(
                row, by, "provision" if old is None or old.revoked_ms is not None else "rotate"
            )
        return row, password

    async def take_back(
        self, seal: str, by: tuple[str, str], check: Check = lambda _: None
    ) -> CredentialRow | None:
        """Let a seal in no more; None where it has no account that holds. ``check`` as for ``give``."""
        async with self._turn:
            old = self._rows.get(seal)
            if old is None or old.revoked_ms is not None:
                return None
            check(old)
            now_ms = self._clock_ms()
            row = old._replace(revoked_ms=now_ms, changed_ms=now_ms, version=old.version + 1)
            await self._commit(row, by, "revoke")
        return row

    async def _commit(self, row: CredentialRow, by: tuple[str, str], verb: str) -> None:
        said = msgspec.json.encode({"version": row.version})
        action = Action(self._clock_ms(), *by, f"seal_account.{verb}", f"seal/{row.seal}", None, None, said)

        async def work(_: object) -> tuple[Prepared, Deed]:
            return Prepared(), Deed(actions=[action], credentials=[row])

        await self._act(LIVE, work)
        self._rows[row.seal] = row
        await self._write()
        if self.put_out is not None:
            await self.put_out(row.seal)

    async def _write(self) -> None:
        """Write Mosquitto's lines, at once or not at all; the broker's start script takes them up."""
        if self._mosquitto is not None:
            text = mosquitto_file(self._rows.values())
            await asyncio.to_thread(write_atomic, self._mosquitto, text, mode=READABLE_BY_THE_BROKER)
