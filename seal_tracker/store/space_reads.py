"""Spaces, the numbers of their seals, their counters and dead letters, and the versions of their plans."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from seal_tracker.model import DeadLetter
from seal_tracker.store.connections import END_OF_TIME
from seal_tracker.store.database import Database
from seal_tracker.store.errors import CommitRefused
from seal_tracker.store.queries import sql
from seal_tracker.store.records import PlanEntry, PlanVersion, Space, Stats, StoredDeadLetter

__all__ = ["SpaceReads"]


class SpaceReads(Database):
    """Reads and small writes of what belongs to a space as a whole.

    Numbers of seals are kept in memory once known: only this writer gives them, and none is ever taken back.
    """

    def __init__(self, dsn: str, **options: Any) -> None:
        super().__init__(dsn, **options)
        self._numbers: dict[str, dict[str, int]] = {}

    async def add_space(self, space: str) -> None:
        """Makes a space; nothing happens where it exists. ``live`` always does."""
        async with self._turn, self._transaction() as connection:
            await connection.execute(sql("add_space"), space)

    async def spaces(self) -> list[Space]:
        """All spaces, oldest first."""
        async with self._reading() as connection:
            return [Space(*row) for row in await connection.fetch(sql("spaces"))]

    async def intern_seals(self, space: str, names: Iterable[str]) -> dict[str, int]:
        """The number of each of these seals; new ones get theirs in a transaction of its own, which stands even
        if what they were needed for fails.

        Raises
        ------
        CommitRefused
            There is no such space.
        StoreUnavailable, WriterBusy, WriterSuperseded
            As ``commit``; only where a name is new.
        """
        wanted = list(dict.fromkeys(names))
        known = self._numbers.setdefault(space, {})
        if any(name not in known for name in wanted):
            async with self._turn:
                await self._number_seals(space, [name for name in wanted if name not in known])
        return {name: known[name] for name in wanted}

    async def _number_seals(self, space: str, names: list[str]) -> None:
        """Looks up or gives the numbers of names not in memory. The caller holds ``_turn``."""
        async with self._transaction() as connection:
            if not await connection.fetchval(sql("has_space"), space):
                raise CommitRefused(f"there is no space {space!r}: make it first")
            found = {
                row["name"]: row["id"] for row in await connection.fetch(sql("seals_named"), space, names)
            }
            missing = [name for name in names if name not in found]
            if missing:
                rows = await connection.fetch(sql("add_seals"), space, missing)
                found.update((row["name"], row["id"]) for row in rows)
        self._numbers[space].update(found)

    async def seal_names(self, space: str) -> dict[int, str]:
        """Every seal of a space: number → name."""
        async with self._reading() as connection:
            names = {row["id"]: row["name"] for row in await connection.fetch(sql("seal_names"), space)}
        self._numbers.setdefault(space, {}).update((name, number) for number, name in names.items())
        return names

    async def seals_unclocked(self, space: str) -> dict[int, int]:
        """Seals of which pings are stored that came without a believable clock, with the newest time that one of these claims."""
        async with self._reading() as connection:
            rows = await connection.fetch(sql("seals_unclocked"), space)
        return {row["id"]: row["time"] for row in rows}

    async def counters(self, space: str) -> dict[str, int]:
        """All counters of a space, by name; what never happened is absent."""
        async with self._reading() as connection:
            rows = await connection.fetch(sql("counters"), space)
        return {row["name"]: row["value"] for row in sorted(rows, key=lambda row: str(row["name"]))}

    async def stats(self, space: str) -> Stats:
        """What a space holds: its counters, and a count of the outbox, which is all but empty."""
        counts = await self.counters(space)
        async with self._reading() as connection:
            pending = await connection.fetchval(sql("outbox_count"), space)
        return Stats(
            pings_stored=counts.pop("pings_stored", 0),
            duplicates=counts.pop("duplicates", 0),
            dead_letters=counts.pop("dead_letters", 0),
            events=counts.pop("events", 0),
            outbox_pending=pending,
            discards=counts,
        )

    async def dead_letters(
        self, space: str, *, before_id: int | None = None, limit: int = 100
    ) -> list[StoredDeadLetter]:
        """A space's dead letters before an id (None: from the newest), newest first."""
        before = END_OF_TIME if before_id is None else before_id
        async with self._reading() as connection:
            rows = await connection.fetch(sql("dead_letters"), space, before, limit)
        return [
            StoredDeadLetter(
                row["id"],
                DeadLetter(
                    received_ms=row["received_at"],
                    topic=row["topic"],
                    payload=row["payload"],
                    reason=row["reason"],
                    space=space,
                ),
            )
            for row in rows
        ]

    async def plan_versions(self, space: str) -> list[PlanVersion]:
        """Every version of a space's plan, oldest first, with the text of its files in their order."""
        async with self._reading() as connection:
            rows = await connection.fetch(sql("plan_versions"), space)
        return [
            PlanVersion(version, valid_from_ms, recorded_ms, digest, msgspec.json.decode(text))
            for version, valid_from_ms, recorded_ms, digest, text in map(tuple, rows)
        ]

    async def plan_history(self, space: str, before: int | None, limit: int) -> list[PlanEntry]:
        """A space's versions before one (None: from the newest), newest first."""
        last = 2**31 - 1 if before is None else before
        async with self._reading() as connection:
            rows = await connection.fetch(sql("plan_history"), space, last, limit)
        entries = [PlanEntry(*row) for row in rows]
        return [e._replace(changes=e.changes and str(e.changes).encode()) for e in entries]

    async def plan_files(self, space: str, version: int) -> dict[str, str] | None:
        """The files of one version; None where there is no such version."""
        async with self._reading() as connection:
            text = await connection.fetchval(sql("plan_files"), space, version)
        return None if text is None else msgspec.json.decode(text)

    async def last_import(self, space: str) -> tuple[str, dict[str, str]] | None:
        """Digest and files of the folder that was imported last."""
        async with self._reading() as connection:
            row = await connection.fetchrow(sql("last_import"), space)
        return None if row is None else (row[0], msgspec.json.decode(row[1]))
