"""The schema, moved forward step by step.

``migrations/NNN_effect.sql`` are applied in order of number, each in one transaction together with its record in
``schema_migrations``, so a crash leaves a step applied and recorded or neither. A step that was applied must never
be edited: its checksum is compared. Where a comment had to be corrected, ``-- formerly CHECKSUM`` says what it was before. The caller holds the writer's lock, so two programs never migrate at once.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

import asyncpg  # type: ignore[import-untyped]

from seal_tracker.store.connections import Connection
from seal_tracker.store.errors import SchemaMismatch
from seal_tracker.store.queries import sql

__all__ = ["MIGRATIONS", "Migration", "apply_migrations", "check_schema", "missing_migrations"]

STEP_TIMEOUT_S: Final = 3600.0
"""A step may have to read all pings there are; whoever starts the service waits for it."""

FORMERLY: Final = re.compile(r"^-- formerly ([0-9a-f]{64})$", re.MULTILINE)

FILE_NAME: Final = re.compile(r"^(?P<version>\d{3})_(?P<name>[a-z0-9_]+)\.sql$")


@dataclass(frozen=True, slots=True)
class Migration:
    """One step: its number, its effect as named by its file, its SQL."""

    version: int
    name: str
    text: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the text, in hex; line endings do not count, so a checkout on Windows is the same step."""
        return hashlib.sha256(self.text.replace("\r\n", "\n").encode()).hexdigest()

    @property
    def checksums(self) -> frozenset[str]:
        """That, and those it had before its comments were corrected."""
        return frozenset([self.checksum, *FORMERLY.findall(self.text.replace("\r\n", "\n"))])


def load_migrations() -> tuple[Migration, ...]:
    """The steps of ``migrations/``, in order of their numbers; none has two."""
    folder = files(__package__).joinpath("migrations")
    found = [(match, path) for path in folder.iterdir() if (match := FILE_NAME.match(path.name))]
    steps = [Migration(int(m["version"]), m["name"], path.read_text(encoding="utf-8")) for m, path in found]
    steps.sort(key=lambda step: step.version)
    if len({step.version for step in steps}) != len(steps):
        raise ValueError(f"two migrations have one number: {[step.version for step in steps]}")
    return tuple(steps)


MIGRATIONS: Final = load_migrations()


def missing_migrations(
    applied: Sequence[tuple[int, str, str]], known: Sequence[Migration] = MIGRATIONS
) -> Sequence[Migration]:
    """What is still to be applied, given (version, name, checksum) of what was. Pure.

    Raises
    ------
    SchemaMismatch
        The database is newer than the code, or a step was edited after it had been applied.
    """
    if len(applied) > len(known):
        version, name, _ = applied[-1]
        raise SchemaMismatch(
            f"the database is at migration {version} ({name}), this program knows only {len(known)}: "
            "start the newer program, or restore a backup made before it"
        )
    for (version, name, checksum), step in zip(applied, known, strict=False):
        if version != step.version or checksum not in step.checksums:
            raise SchemaMismatch(
                f"migration {version} ({name}) was applied with checksum {checksum[:12]}…, but the program's "
                f"{step.version:03}_{step.name}.sql has {step.checksum[:12]}…: an applied migration must not be edited"
            )
    return known[len(applied) :]


async def applied_migrations(connection: Connection) -> list[tuple[int, str, str]]:
    """(version, name, checksum) of what was applied, in order; empty for a new database."""
    if not await connection.fetchval(sql("migrations_known")):
        return []
    return [tuple(row) for row in await connection.fetch(sql("applied_migrations"))]


async def apply_migrations(
    connection: Connection, known: Sequence[Migration] = MIGRATIONS
) -> list[Migration]:
    """Brings the schema up to this code and says which steps that took. The caller holds the writer's lock.

    Raises
    ------
    SchemaMismatch
        As ``missing_migrations``; or a step says that something is missing which only a superuser can give.
    """
    missing = missing_migrations(await applied_migrations(connection), known)
    if missing:
        await connection.execute(sql("create_migrations"))
    for step in missing:
        async with connection.transaction():
            try:
                await connection.execute(step.text, timeout=STEP_TIMEOUT_S)
            except asyncpg.RaiseError as refusal:  # the step's own word: what it needs is not there
                raise SchemaMismatch(f"migration {step.version:03}_{step.name}: {refusal}") from refusal
            await connection.execute(sql("record_migration"), step.version, step.name, step.checksum)
    return list(missing)


async def check_schema(connection: Connection, known: Sequence[Migration] = MIGRATIONS) -> None:
    """Raises ``SchemaMismatch`` unless the schema is exactly this code's."""
    if missing := missing_migrations(await applied_migrations(connection), known):
        names = ", ".join(f"{step.version:03}_{step.name}" for step in missing)
        raise SchemaMismatch(
            f"the database lacks migrations ({names}): open the store with migrate=True once"
        )
