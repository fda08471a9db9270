"""Sessions of signed-in persons, kept so that a restart signs nobody out."""

from __future__ import annotations

from seal_tracker.store.database import Database
from seal_tracker.store.queries import sql
from seal_tracker.store.records import Session

__all__ = ["SessionTable"]


class SessionTable(Database):
    """Put, get, delete, purge; the caller gives the time and hashes the id."""

    async def session_put(self, session: Session) -> None:
        """Keeps a session, or replaces the one of the same id (when it was created stays)."""
        async with self._reading() as connection:
            await connection.execute(sql("session_put"), *session)

    async def session_get(self, id_hash: bytes, now_ms: int) -> Session | None:
        """The session of that id unless it has expired by ``now_ms``."""
        async with self._reading() as connection:
            row = await connection.fetchrow(sql("session_get"), id_hash, now_ms)
        return None if row is None else Session(*row)

    async def session_delete(self, id_hash: bytes) -> None:
        """Ends a session; none of that id is no error."""
        async with self._reading() as connection:
            await connection.execute(sql("session_delete"), id_hash)

    async def sessions_purge(self, now_ms: int) -> int:
        """Forgets sessions expired by ``now_ms`` and says how many."""
        async with self._reading() as connection:
            status = await connection.execute(sql("sessions_purge"), now_ms)
        return int(status.rpartition(" ")[2])
