"""The log of events, what is still to be published of it, and the alarms that stand on it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from seal_tracker.store.connections import END_OF_TIME
from seal_tracker.store.database import Database
from seal_tracker.store.episode_reads import LAST_ID, cursor_text, read_cursor
from seal_tracker.store.queries import sql
from seal_tracker.store.records import AlarmRow, PendingMessage, StoredEvent

__all__ = ["EventReads"]


class EventReads(Database):
    """Events, outbox and alarms."""

    async def last_sequence(self) -> int:
        """The last event's sequence in any space; 0 before the first."""
        async with self._reading() as connection:
            number: int = await connection.fetchval(sql("last_sequence"))
            return number

    async def events_after(self, space: str, sequence: int, limit: int) -> list[StoredEvent]:
        """A space's events after a sequence, oldest first. Sequences rise, but have holes within one space."""
        async with self._reading() as connection:
            rows = await connection.fetch(sql("events_after"), space, sequence, limit)
        return [StoredEvent(*row) for row in rows]

    async def events_before(self, space: str, sequence: int | None, limit: int) -> list[StoredEvent]:
        """A space's events before a sequence (None: from the newest), newest first."""
        before = END_OF_TIME if sequence is None else sequence
        async with self._reading() as connection:
            rows = await connection.fetch(sql("events_before"), space, before, limit)
        return [StoredEvent(*row) for row in rows]

    async def outbox_pending(self, after_id: int = 0, limit: int = 1000) -> list[PendingMessage]:
        """What is to be published after an id, of all spaces, in commit order."""
        async with self._reading() as connection:
            rows = await connection.fetch(sql("outbox_pending"), after_id, limit)
        return [PendingMessage(*row) for row in rows]

    async def outbox_done(self, ids: Iterable[int]) -> None:
        """Forgets messages that the broker acknowledged; ids already gone are no error, so it may be repeated."""
        async with self._reading() as connection:
            await connection.execute(sql("outbox_done"), list(ids))

    async def alarms(
        self, space: str, *, open_only: bool = False, cursor: str | None = None, limit: int = 100
    ) -> tuple[list[AlarmRow], str | None]:
        """A page of a space's alarms, newest first, and the cursor of the next one; None at the end.

        Raises
        ------
        ValueError
            The cursor is none of this list's.
        """
        before = (END_OF_TIME, LAST_ID) if cursor is None else read_cursor(cursor)
        query = "alarms_open" if open_only else "alarms_newest"
        async with self._reading() as connection:
            rows = await connection.fetch(sql(query), space, *before, limit + 1)
        items = [alarm_of(row) for row in rows[:limit]]
        return items, cursor_text(items[-1].raised_at_ms, items[-1].id) if len(rows) > limit else None

    async def alarms_of_episodes(self, episodes: Iterable[UUID]) -> list[AlarmRow]:
        """The alarms of these episodes, in any state, in no order."""
        async with self._reading() as connection:
            rows = await connection.fetch(sql("alarms_of_episodes"), list(episodes))
        return [alarm_of(row) for row in rows]


def alarm_of(row: Any) -> AlarmRow:
    """An alarm from a row whose last column is its body."""
    *columns, body = tuple(row)
    return AlarmRow._make((*columns, body.encode()))
