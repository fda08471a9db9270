"""The store's connections: one writer that holds the database's lock, and a few others.

State: the writer's connection (at most one task uses it at a time), the pool, the numbers of the last commit known to
be stored, and the attempt whose COMMIT was sent and not answered. Tasks of one event loop may share it; threads not.

The lock is PostgreSQL's session-level advisory lock, so it lives exactly as long as the writer's server process. That
gives more than exclusion: who holds it knows that every earlier writer's transaction has ended, so the commit number
it reads is final. It needs a direct connection; a pooler in transaction mode would break it.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final, NamedTuple, Self

import asyncpg  # type: ignore[import-untyped]

from seal_tracker.store.connections import (
    WRITER_SETTINGS,
    Connection,
    Pool,
    borrowed,
    connect,
    connect_pool,
    discard,
    translating_failures,
    unavailability,
)
from seal_tracker.store.errors import CommitRefused, StoreUnavailable, WriterBusy, WriterSuperseded
from seal_tracker.store.migrations import apply_migrations, check_schema
from seal_tracker.store.queries import sql

__all__ = ["Database", "WriterAt"]

WRITER_LOCK: Final = 0x5EA1_57AC_4E52_0001
"""Key of the advisory lock; PostgreSQL keeps one such lock for each database. Any fixed number would do."""

OVERTAKEN: Final = "ST001"
"""What ``advance_writer`` fails with."""

LOCK_POLL_S: Final = 0.05
"""How often a taken lock is tried again: a dead writer's is free within milliseconds of PostgreSQL noticing."""

CLOSE_TIMEOUT_S: Final = 2.0
"""A goodbye takes a millisecond; a server that does not answer is left without one."""


class WriterAt(NamedTuple):
    """The last commit stored, and the last id given to an outbox row."""

    commit_number: int
    outbox_id: int


class Database:
    """Opens, locks, migrates, reconnects. ``Store`` is this plus everything that is read and written."""

    def __init__(self, dsn: str, *, application_name: str, timeout_s: float, lock_wait_s: float) -> None:
        self._dsn = dsn
        # Who we are among all backends: tells our own forgotten connection from another writer.
        self._writer_name = f"{application_name} writer {os.getpid()}/{secrets.token_hex(4)}"
        self._timeout_s = timeout_s
        self._lock_wait_s = lock_wait_s
        self._writer: Connection | None = None
        self._pool: Pool | None = None
        self._turn = asyncio.Lock()
        self._counts = asyncio.Lock()
        self._at: WriterAt | None = None
        self._in_doubt: int | None = None
        self._closed = False

    @classmethod
    async def open(
        cls,
        dsn: str,
        *,
        migrate: bool = True,
        application_name: str = "seal-tracker",
        timeout_s: float = 30.0,
        lock_wait_s: float = 5.0,
        readers: int = 4,
    ) -> Self:
        """Becomes the database's only writer and brings its schema up to this code.

        Parameters
        ----------
        dsn
            ``postgresql://…``; a direct connection, not a transaction pooler.
        migrate
            False: the schema must fit already.
        timeout_s
            Longest time for one statement; after it the connection is given up.
        lock_wait_s
            How long another writer may take to go before this one is refused. A killed writer's lock is free as
            soon as PostgreSQL notices, normally at once.
        readers
            Most connections besides the writer's.

        Raises
        ------
        StoreUnavailable
            PostgreSQL is not there.
        WriterBusy
            Another writer holds the database.
        SchemaMismatch
            The schema is newer than the code, edited, or (``migrate=False``) older.
        """
        store = cls(
            dsn,
            application_name=application_name,
            timeout_s=timeout_s,
            lock_wait_s=lock_wait_s,
        )
        try:
            connection = store._writer = await store._connect_and_lock()
            with translating_failures("prepare the schema"):
                await (apply_migrations if migrate else check_schema)(connection)
                store._at = await store._read_at(connection)
            store._pool = await connect_pool(dsn, application_name, timeout_s, readers)
        except BaseException:
            await store.close()
            raise
        return store

    async def close(self) -> None:
        """Gives the lock back and closes all connections; a commit under way is waited for. Idempotent."""
        self._closed = True
        async with self._turn:
            writer, pool = self._writer, self._pool
            self._writer = self._pool = None
        if writer is not None and not writer.is_closed():
            try:
                await writer.close(timeout=CLOSE_TIMEOUT_S)
            except Exception as error:
                discard(writer)
                if not unavailability(error):
                    raise
        if pool is not None:
            try:
                await asyncio.wait_for(pool.close(), CLOSE_TIMEOUT_S)
            except Exception as error:
                discard(pool)
                if not unavailability(error):
                    raise

    async def last_commit_number(self) -> int:
        """Number of the last commit stored, read while holding the writer's lock, so it is final.

        Raises
        ------
        StoreUnavailable, WriterBusy, WriterSuperseded
            As ``Store.commit``.
        """
        async with self._turn:
            connection = await self._connected_writer()
            async with self._giving_up_when_broken(connection, "read the commit number"):
                return (await self._read_at(connection)).commit_number

    async def commit_outcome(self, number: int) -> bool:
        """Whether the commit of this number (of ``StoreUnavailable.commit_number``) stands. Raises as above."""
        return await self.last_commit_number() >= number

    def _reading(self) -> AbstractAsyncContextManager[Connection]:
        """A connection of the pool, for reads and for small writes that need no order among commits."""
        if self._pool is None:
            raise StoreUnavailable("the store is closed")
        return borrowed(self._pool, self._timeout_s)

    @asynccontextmanager
    async def _composing(self) -> AsyncIterator[Connection]:
        """The writer's connection, for small reads that the next commit waits for: it is idle meanwhile, and plans a statement once."""
        async with self._turn:
            connection = await self._connected_writer()
            async with self._giving_up_when_broken(connection, "read from PostgreSQL"):
                yield connection

    @asynccontextmanager
    async def _counting(self) -> AsyncIterator[Connection]:
        """A connection for what reads a great deal, one at a time: the other connections are for judging and for lists."""
        async with self._counts, self._reading() as connection:
            yield connection

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[Connection]:
        """One transaction on the writer's connection, for a caller that holds ``_turn``.

        Any failure leaves nothing stored, except that a COMMIT may go unanswered.
        """
        connection = await self._connected_writer()
        async with self._giving_up_when_broken(connection, "commit"), _begun(connection):
            yield connection

    @asynccontextmanager
    async def _committing(self, *, alone: bool) -> AsyncIterator[tuple[Connection, WriterAt]]:
        """As ``_transaction``, for a commit that takes the next number, and where the writer stands before it.

        ``alone``: what is stored is one statement, which needs no BEGIN and no COMMIT to wait for. A commit that goes unanswered
        stays ``_in_doubt`` until the next connection settles it.
        """
        connection = await self._connected_writer()
        assert self._at is not None, "the store is open"
        async with self._giving_up_when_broken(connection, "commit"):
            self._in_doubt = self._at.commit_number + 1
            try:
                if alone:
                    yield connection, self._at
                else:
                    async with _begun(connection):
                        yield connection, self._at
            except Exception as error:
                if not unavailability(error):
                    self._in_doubt = None
                if getattr(error, "sqlstate", None) == OVERTAKEN:
                    raise WriterSuperseded(str(error)) from error
                raise
        self._in_doubt = None

    @asynccontextmanager
    async def _giving_up_when_broken(self, connection: Connection, doing: str) -> AsyncIterator[None]:
        """Drops the writer's connection when it failed or its task was cancelled: its state is then unknown."""
        try:
            with translating_failures(doing):
                yield
        except (StoreUnavailable, asyncio.CancelledError, GeneratorExit):
            discard(connection)
            self._writer = None
            raise

    @asynccontextmanager
    async def _refusing(self, what: str) -> AsyncIterator[None]:
        """Turns what PostgreSQL or the encoders say against a content into ``CommitRefused``."""
        try:
            yield
        except (asyncpg.PostgresError, asyncpg.DataError, ValueError, OverflowError) as error:
            raise CommitRefused(f"PostgreSQL refused the {what}: {error}") from error

    async def _connected_writer(self) -> Connection:
        """The writer's connection, made again and locked again where it was lost. The caller holds ``_turn``."""
        if self._closed:
            raise StoreUnavailable("the store is closed")
        if self._writer is None or self._writer.is_closed():
            self._writer = None
            connection = await self._connect_and_lock()
            try:
                await self._settle(connection)
            except BaseException:
                discard(connection)
                raise
            self._writer = connection
        return self._writer

    async def _settle(self, connection: Connection) -> None:
        """After reconnecting: learns whether the commit in doubt stands, and that no other writer came between."""
        with translating_failures("read the commit number"):
            at = await self._read_at(connection)
        left = self._at and self._at.commit_number
        if at.commit_number not in (left, self._in_doubt):
            raise WriterSuperseded(
                f"the database is at commit {at.commit_number}, this writer left it at {left}: another writer "
                "committed in between, or the server lost commits it had confirmed (synchronous_commit off?). "
                "Start again, so that the state is read anew"
            )
        self._at = at
        self._in_doubt = None

    async def _read_at(self, connection: Connection) -> WriterAt:
        """Where the writer stands."""
        return WriterAt(*await connection.fetchrow(sql("writer_at")))

    async def _connect_and_lock(self) -> Connection:
        """A connection that holds the writer's lock; ends a forgotten one of our own that still has it."""
        deadline = time.monotonic() + self._lock_wait_s
        connection = await connect(self._dsn, self._writer_name, self._timeout_s, WRITER_SETTINGS)
        try:
            with translating_failures("take the writer's lock"):
                while not await connection.fetchval(sql("try_writer_lock"), WRITER_LOCK):
                    holder = await connection.fetchrow(sql("writer_lock_holder"), WRITER_LOCK)
                    if holder is not None and holder["application_name"] == self._writer_name:
                        await connection.fetchval(sql("end_backend"), holder["pid"])
                    if time.monotonic() >= deadline:
                        raise self._refusal(holder)  # noqa: TRY301 - what follows is for any failure
                    await asyncio.sleep(LOCK_POLL_S)
        except BaseException:
            discard(connection)
            raise
        return connection

    def _refusal(self, holder: Any) -> Exception:
        """Why the lock cannot be had."""
        if holder is None:
            return StoreUnavailable("the writer's lock is changing hands")
        pid, name = holder["pid"], holder["application_name"]
        if name == self._writer_name:
            return StoreUnavailable(f"this writer's broken connection (backend {pid}) is still ending")
        return WriterBusy(
            f"this database has a writer already: PostgreSQL backend {pid}, application {name!r}, from "
            f"{holder['client'] or 'a local socket'}. Two would judge the same pings apart; stop that one first",
            pid=pid,
            application_name=name,
        )


@asynccontextmanager
async def _begun(connection: Connection) -> AsyncIterator[None]:
    """A transaction from BEGIN to COMMIT, or ROLLBACK where the connection stands."""
    await connection.execute("BEGIN")
    try:
        yield
        await connection.execute("COMMIT")
    except Exception as error:
        if not unavailability(error):
            await connection.execute("ROLLBACK")
        raise
