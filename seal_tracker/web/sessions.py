"""Signed-in sessions, kept in the database so that a restart signs nobody out. The cookie's secret is stored only as its
SHA-256. A session holds for the version of the account that signed in: whatever changes of the account, its sessions end.

No state here; safe for concurrent use.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from seal_tracker.clock import clock_ms
from seal_tracker.store.records import AccountRow, Session
from seal_tracker.web.passwords import digest

__all__ = ["NewSession", "SessionRows", "Sessions"]


class SessionRows(Protocol):
    """The part of the store that sessions need; times are epoch ms."""

    async def session_put(self, session: Session) -> None:
        """Keep a session."""

    async def session_get(self, id_hash: bytes, now_ms: int) -> Session | None:
        """The session, None when unknown or run out by then."""

    async def session_delete(self, id_hash: bytes) -> None:
        """Forget a session."""

    async def sessions_purge(self, now_ms: int) -> int:
        """Forget those run out by then, and say how many."""


@dataclass(frozen=True, slots=True)
class NewSession:
    """What a fresh sign-in hands to the browser: the cookie's secret and the token for unsafe methods."""

    secret: str
    csrf: str


class Sessions:
    """The ``sessions`` table, as signing in uses it."""

    def __init__(self, rows: SessionRows, clock_ms: Callable[[], int] = clock_ms) -> None:
        self._rows = rows
        self._clock_ms = clock_ms

    async def add(self, account: AccountRow, lasts_s: int) -> NewSession:
        """A new session of that account; sessions that have run out are swept on the way."""
        session = NewSession(secrets.token_urlsafe(32), secrets.token_urlsafe(32))
        now_ms = self._clock_ms()
        await self._rows.sessions_purge(now_ms)
        await self._rows.session_put(
            Session(
                id_hash=digest(session.secret),
                username=account.username,
                account_version=account.version,
                csrf=session.csrf,
                created_ms=now_ms,
                expires_ms=now_ms + lasts_s * 1000,
            )
        )
        return session

    async def find(self, secret: str) -> Session | None:
        """The session of a cookie, None when unknown or run out."""
        return await self.find_by_hash(digest(secret))

    async def find_by_hash(self, id_hash: bytes) -> Session | None:
        """The session of that key, None when signed out or run out."""
        return await self._rows.session_get(id_hash, self._clock_ms())

    async def drop(self, id_hash: bytes) -> None:
        """Sign out."""
        await self._rows.session_delete(id_hash)
