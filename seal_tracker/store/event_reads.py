"""The log of events, and what is still to be published of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from seal_tracker.store.connections import END_OF_TIME
from seal_tracker.store.database import Database
from seal_tracker.store.filters import ALL_EVENTS, EventFilter
from seal_tracker.store.queries import sql
from seal_tracker.store.records import PendingMessage, StoredEvent

__all__ = ["EventReads"]


class EventReads(Database):
    """Events and outbox."""

    async def last_sequence(self) -> int:
        """The last event's sequence in any space; 0 before the first."""
        async with self._reading() as connection:
            number: int = await connection.fetchval(sql("last_sequence"))
            return number

    async def events_after(
        self, space: str, sequence: int, limit: int, which: EventFilter = ALL_EVENTS
    ) -> list[StoredEvent]:
        """A space's events after a sequence, oldest first.

        Sequences rise, but have holes within one space.
        """
        query, arguments = ("events_after", ()) if which == ALL_EVENTS else which.after
        async with self._reading() as connection:
            rows = await connection.fetch(sql(query), space, sequence, limit, *arguments)
        return [StoredEvent(*row) for row in rows]

    async def events_before(
        self, space: str, sequence: int | None, limit: int, which: EventFilter = ALL_EVENTS
    ) -> list[StoredEvent]:
        """A space's events before a sequence (None: from the newest), newest first."""
        before = END_OF_TIME if sequence is None else sequence
        query, arguments = ("events_before", ()) if which == ALL_EVENTS else which.before
        async with self._reading() as connection:
            rows = await connection.fetch(sql(query), space, before, limit, *arguments)
        return [StoredEvent(*row) for row in rows]

    async def event_count(self, space: str, units: Collection[str]) -> int:
        """How many events of some units a space has."""
        async with self._reading() as connection:
            count: int = await connection.fetchval(sql("events_of_units_count"), space, list(units))
            return count

    async def outbox_pending(self, after_id: int = 0, limit: int = 1000) -> list[PendingMessage]:
        """What is to be published after an id, of all spaces, in commit order."""
        async with self._reading() as connection:
            rows = await connection.fetch(sql("outbox_pending"), after_id, limit)
        return [PendingMessage(*row) for row in rows]

    async def remember_parts(self, digests: Iterable[bytes]) -> None:
        """Remembers parts of devices' messages that were read, for a day; those known already are no error."""
        async with self._reading() as connection:
            await connection.execute(sql("parts_remembered"), list(digests))

    async def parts_known(self, limit: int) -> list[bytes]:
        """The newest parts that were read, oldest first."""
        async with self._reading() as connection:
            return [row["digest"] for row in await connection.fetch(sql("parts_known"), limit)]

    async def outbox_done(self, ids: Iterable[int]) -> None:
        """Forgets messages that the broker acknowledged; ids already gone are no error, so it may be repeated."""
        async with self._reading() as connection:
            await connection.execute(sql("outbox_done"), list(ids))
