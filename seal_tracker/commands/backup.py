"""``seal-tracker backup`` and ``restore``: everything the service keeps, in one file, and a folder or database made of it again.

The file is a tar with ``manifest.json``, ``database.dump`` (``pg_dump``, one consistent moment, also while the service runs) and, of
an embedded folder, its credentials, the key that signs the ledger, and what its broker holds and the service has not taken yet, read before
the database is (see `commands.undelivered`): so it opens everything, and is readable by its owner alone.
"""

from __future__ import annotations

import asyncio
import io
import os
import shutil
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import asyncpg  # type: ignore[import-untyped]
import click
import msgspec

from seal_tracker import __version__
from seal_tracker.commands.errors import CommandError
from seal_tracker.commands.undelivered import EmbeddedBroker, put_back, read_held
from seal_tracker.config import load_settings
from seal_tracker.embedded import EmbeddedParts
from seal_tracker.embedded.files import write_atomic
from seal_tracker.embedded.folder import broker_of, superuser_dsn_of
from seal_tracker.embedded.postgres import programs_of
from seal_tracker.logs import set_up_logs
from seal_tracker.model import iso_ms
from seal_tracker.publishing.topics import ingest_session
from seal_tracker.store.migrations import MIGRATIONS

__all__ = ["BackupError", "backup", "restore"]

DATABASE: Final = "seal_tracker"
DUMP, MANIFEST, HELD = "database.dump", "manifest.json", "broker.ndjson"
KEPT: Final = ("credentials.json", "ledger.key")
"""Files of an embedded folder that its database is worth nothing without."""

FORMAT: Final = 1


class BackupError(CommandError):
    """It cannot be backed up, or restored; the text says why and what to do."""


class Manifest(msgspec.Struct, frozen=True):
    """What a backup says of itself: its own format, when and by which release it was made, and the schema of its database."""

    format: int
    made_at: str
    release: str
    schema: int
    files: list[str]


@dataclass(frozen=True, slots=True)
class Source:
    """A database that programs of PostgreSQL can reach, and files and a broker that belong to it."""

    programs: Path | None
    environment: Mapping[str, str]
    files: Sequence[Path] = field(default=())
    broker: EmbeddedBroker | None = None

    def run(self, program: str, *words: str) -> str:
        """Run one of PostgreSQL's programs; what it printed.

        Raises
        ------
        BackupError
            It is not there, or failed.
        """
        path = str(self.programs / program) if self.programs else shutil.which(program)
        if path is None:
            raise BackupError(f"{program} is not installed: it comes with PostgreSQL's client programs")
        done = subprocess.run(  # noqa: S603 - a program of PostgreSQL
            [path, *words],
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise BackupError(f"{program} failed: {done.stderr.strip()[-500:]}")
        return done.stdout


def backup(file: Path, *, embedded: Path | None, dsn: str | None) -> int:
    """Write a backup; says how large it is."""
    asyncio.run(_backed_up(file.absolute(), embedded, dsn))
    click.echo(
        f"{file}: {file.stat().st_size:,} bytes. It opens everything: keep it as you keep the folder itself"
    )
    return 0


def restore(file: Path, *, embedded: Path | None, dsn: str | None) -> int:
    """Make an empty folder or database what a backup holds."""
    manifest = _manifest(file)
    asyncio.run(_restored(file, manifest, embedded, dsn))
    click.echo(
        f"restored what release {manifest.release} held at {manifest.made_at}; the next start brings it up to date"
    )
    return 0


async def _backed_up(file: Path, embedded: Path | None, dsn: str | None) -> None:
    async with AsyncExitStack() as stack:
        source = await _source(stack, embedded, dsn)
        with tempfile.TemporaryDirectory(dir=file.parent) as folder:
            dump, made_here = Path(folder) / DUMP, []
            if source.broker is not None:
                await read_held(source.broker, Path(folder) / HELD)  # before the database: see there
                made_here.append(Path(folder) / HELD)
            await asyncio.to_thread(source.run, "pg_dump", "--format=custom", f"--file={dump}")
            schema = await _schema(source)
            paths = (dump, *source.files, *made_here)
            names = [path.name for path in paths]
            made = Manifest(FORMAT, iso_ms(int(time.time() * 1000)), __version__, schema, names)
            unfinished = Path(folder) / "backup.tar"
            with (
                os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as out,
                tarfile.open(fileobj=out, mode="w") as tar,
            ):
                text = msgspec.json.format(msgspec.json.encode(made), indent=1)
                head = tarfile.TarInfo(MANIFEST)
                head.size, head.mode = len(text), 0o600
                tar.addfile(head, io.BytesIO(text))
                for path in paths:
                    tar.add(path, path.name, recursive=False)
            unfinished.replace(file)


async def _restored(file: Path, manifest: Manifest, embedded: Path | None, dsn: str | None) -> None:
    if manifest.schema > MIGRATIONS[-1].version:
        raise BackupError(
            f"{file} was made by release {manifest.release}, whose database is newer than this one ({__version__}) knows: "
            "install that release, or a newer one"
        )
    with tempfile.TemporaryDirectory() as folder, tarfile.open(file) as tar:
        tar.extractall(folder, filter="data")
        if embedded is None:
            await _put(Path(folder), manifest, None, dsn)
            return
        _take_files(Path(folder), manifest, embedded)
        try:
            await _put(Path(folder), manifest, embedded, None)
        except CommandError as error:
            raise BackupError(f"{error}. What is in {embedded} is not whole: remove it") from error


async def _put(unpacked: Path, manifest: Manifest, embedded: Path | None, dsn: str | None) -> None:
    """Fill database and broker."""
    async with AsyncExitStack() as stack:
        source = await _source(stack, embedded, dsn)
        await _fill(source, unpacked / DUMP)
        if source.broker is not None and HELD in manifest.files:
            await put_back(source.broker, unpacked / HELD)


async def _fill(source: Source, dump: Path) -> None:
    """Make the database what the dump holds: as a superuser in one go, as the database's owner around what is not its own.

    The ledger's tables are another role's, made by a superuser beforehand as for any new database; its rows the owner may add, to tables
    that are empty. They come last, so that a restore that failed can be tried again.
    """
    words = ["--exit-on-error", "--single-transaction", f"--dbname={source.environment['PGDATABASE']}"]
    connection = await _connected(source)
    try:
        if await connection.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"):
            await asyncio.to_thread(source.run, "pg_restore", "--clean", "--if-exists", *words, str(dump))
            return
        if not await connection.fetchval("SELECT to_regclass('ledger.links') IS NOT NULL"):
            raise BackupError(
                "this database has no ledger, which its owner cannot make. Once, as superuser: "
                "seal-tracker ledger prepare | psql --dbname DATABASE; then restore again, or restore as superuser"
            )
        if await connection.fetchval("SELECT EXISTS (SELECT FROM ledger.links)"):
            raise BackupError(
                "this database's ledger is not empty, and nobody but a superuser removes from it: restore into a new database"
            )
    finally:
        await connection.close()
    own = ("--clean", "--if-exists", "--no-owner", "--no-privileges", "--schema=public")
    await asyncio.to_thread(source.run, "pg_restore", *own, *words, str(dump))
    await asyncio.to_thread(source.run, "pg_restore", "--data-only", "--schema=ledger", *words, str(dump))


def _take_files(unpacked: Path, manifest: Manifest, embedded: Path) -> None:
    """Put the files of a backup into a new folder."""
    if embedded.exists() and any(embedded.iterdir()):
        raise BackupError(
            f"{embedded} is not empty: restore into a new folder, and change to that when it is complete"
        )
    if KEPT[0] not in manifest.files:
        raise BackupError("this backup is of a database alone, not of a folder: restore it with --dsn")
    embedded.mkdir(parents=True, exist_ok=True, mode=0o711)
    for name in KEPT:
        if name in manifest.files:
            write_atomic(embedded / name, (unpacked / name).read_text())


async def _source(stack: AsyncExitStack, embedded: Path | None, dsn: str | None) -> Source:
    """The database of a folder, started where it does not run; or that of an address."""
    if embedded is None:
        assert dsn is not None, "the command line asks for one of the two"
        return Source(None, _environment(dsn))
    superuser = superuser_dsn_of(embedded) if (embedded / "ports.json").exists() else None
    if superuser is None or not await _answers(superuser):
        set_up_logs("text", "warning")  # to standard error: their start is no part of the answer
        parts = await stack.enter_async_context(EmbeddedParts(embedded, tenant=load_settings().tenant))
        superuser = parts.superuser_dsn
    files = [embedded / name for name in KEPT if (embedded / name).exists()]
    environment = _environment(superuser) | {"PGDATABASE": DATABASE}
    return Source(programs_of(embedded / "postgres" / "data"), environment, files, _broker(embedded))


def _broker(embedded: Path) -> EmbeddedBroker:
    settings, (mqtt, nats_port, credentials) = load_settings(), broker_of(embedded)
    client_id = ingest_session(settings.tenant, settings.instance)
    return EmbeddedBroker(mqtt.host, mqtt.port, nats_port, credentials, settings.tenant, client_id)


async def _answers(dsn: str) -> bool:
    try:
        await (await asyncpg.connect(dsn, timeout=5)).close()
    except (OSError, TimeoutError, asyncpg.PostgresError):
        return False
    return True


def _environment(dsn: str) -> dict[str, str]:
    """An address as PostgreSQL's programs take it from their environment, where nobody else sees the password."""
    parts = urlsplit(dsn)
    found = {
        "PGHOST": parts.hostname,
        "PGPORT": str(parts.port or 5432),
        "PGUSER": unquote(parts.username or ""),
        "PGPASSWORD": unquote(parts.password or ""),
        "PGDATABASE": parts.path.lstrip("/") or DATABASE,
    }
    return {name: value for name, value in found.items() if value}


async def _schema(source: Source) -> int:
    """The newest migration that the database has."""
    connection = await _connected(source)
    try:
        newest: int = await connection.fetchval("SELECT coalesce(max(version), 0) FROM schema_migrations")
        return newest
    finally:
        await connection.close()


async def _connected(source: Source) -> Any:
    at = source.environment
    return await asyncpg.connect(
        host=at["PGHOST"], port=int(at["PGPORT"]), user=at["PGUSER"], password=at.get("PGPASSWORD"),
        database=at["PGDATABASE"], timeout=10,
    )  # fmt: skip


def _manifest(file: Path) -> Manifest:
    try:
        with tarfile.open(file) as tar:
            member = tar.extractfile(MANIFEST)
            assert member is not None
            found = msgspec.json.decode(member.read(), type=Manifest)
    except (OSError, tarfile.TarError, KeyError, AssertionError, msgspec.MsgspecError) as error:
        raise BackupError(f"{file} is no backup of this program: {error!r}") from error
    if found.format != FORMAT:
        raise BackupError(f"{file} has format {found.format}, this release reads {FORMAT}")
    return found
