"""Commands to seals, out of the store."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from seal_tracker.downlink.rows import CommandRow
from seal_tracker.store.connections import END_OF_TIME
from seal_tracker.store.database import Database
from seal_tracker.store.episode_reads import LAST_ID
from seal_tracker.store.filters import FEW_UNITS
from seal_tracker.store.queries import sql

__all__ = ["CommandFilter", "CommandPlace", "CommandReads"]


class CommandPlace(NamedTuple):
    """Before which a page goes on: when the last command of the page before was requested, and its id."""

    requested_ms: int = END_OF_TIME
    id: UUID = LAST_ID


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandFilter:
    """Which commands; ``scope``: the units that are seen (None: all, and what is nobody's)."""

    seal: str | None = None
    journey: str | None = None
    under_way: bool = False
    scope: frozenset[str] | None = None

    @property
    def query(self) -> str:
        """The statement that finds fewest to look through."""
        ways = (
            (self.seal is not None, "commands_of_seal"),
            (self.journey is not None, "commands_of_journey"),
            (self.under_way, "commands_under_way"),
            (self.scope is not None and len(self.scope) <= FEW_UNITS, "commands_of_units"),
        )
        return next((name for leads, name in ways if leads), "commands_listed")


class CommandReads(Database):
    """Reads of commands."""

    async def command(self, space: str, command: UUID) -> CommandRow | None:
        """One command, None where there is none of that id."""
        return next(iter(await self.commands_named(space, [command])), None)

    async def commands_named(self, space: str, ids: Iterable[UUID]) -> list[CommandRow]:
        """Those of these commands that there are."""
        async with self._reading() as connection:
            rows = await connection.fetch(sql("commands_named"), space, list(ids))
        return [command_of(row) for row in rows]

    async def command_under_way(self, space: str, seal: str, kind: str) -> UUID | None:
        """The command of a kind that a seal has not come to an end with."""
        async with self._reading() as connection:
            found: UUID | None = await connection.fetchval(sql("command_under_way"), space, seal, kind)
        return found

    async def commands_due(self, space: str, now_ms: int, limit: int) -> list[CommandRow]:
        """What the clock has to look at by now, longest due first."""
        async with self._reading() as connection:
            rows = await connection.fetch(sql("commands_due"), space, now_ms, limit)
        return [command_of(row) for row in rows]

    async def commands(
        self, space: str, which: CommandFilter, *, before: CommandPlace | None = None, limit: int = 100
    ) -> tuple[list[CommandRow], bool]:
        """A page of commands, newest first, and whether there are more."""
        units = None if which.scope is None else sorted(which.scope)
        place = before or CommandPlace()
        async with self._reading() as connection:
            rows = await connection.fetch(
                sql(which.query), space, *place, which.seal, which.journey, units, which.under_way, limit + 1
            )  # fmt: skip
        return [command_of(row) for row in rows[:limit]], len(rows) > limit


def command_of(row: Any) -> CommandRow:
    """A command from a row that has its columns in their order."""
    command = CommandRow._make(row)
    return command._replace(body=str(command.body).encode())
