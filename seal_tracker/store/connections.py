"""Connections to PostgreSQL: how they are made, what their failures mean, and how times and ids travel.

On every connection a ``timestamptz`` is an int of epoch milliseconds (``NO_TIME`` is -infinity, ``END_OF_TIME``
infinity), floored from PostgreSQL's microseconds, and a ``uuid`` is a ``uuid.UUID``. No datetime objects anywhere.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any, Final, Protocol
from uuid import UUID

import asyncpg  # type: ignore[import-untyped]
import numpy as np

from seal_tracker.model import NO_TIME
from seal_tracker.store.errors import StoreUnavailable

__all__ = [
    "END_OF_TIME",
    "POSTGRES_EPOCH_MS",
    "WRITER_SETTINGS",
    "Connection",
    "Pool",
    "borrowed",
    "connect",
    "connect_pool",
    "discard",
    "translating_failures",
    "unavailability",
]

POSTGRES_EPOCH_MS: Final = 946_684_800_000
"""2000-01-01T00:00:00Z, from which PostgreSQL counts its microseconds."""

END_OF_TIME: Final = int(np.iinfo(np.int64).max)
"""A time after all others; PostgreSQL's infinity."""

CONNECT_TIMEOUT_S: Final = 5.0
"""A server that is there answers within milliseconds; one that is starting up says so at once."""

SESSION_SETTINGS: Final = {
    # Our statements are short; compiling them takes longer than running them.
    "jit": "off",
    "TimeZone": "UTC",
    # A report takes one core, however much there is to count: the others are for ingest.
    "max_parallel_workers_per_gather": "0",
    # A writer whose machine vanished without a goodbye is noticed, and its lock freed, after 10 + 3 * 5 seconds
    # instead of the two hours of the system's default. No effect on Unix sockets, which need none.
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}

RETRYABLE_CLASSES: Final = frozenset({"08", "40", "53", "57", "58"})
"""Classes of SQLSTATE that say "not now" rather than "not so": connection, rollback for concurrency, lack of
resources (disk, memory, connections), operator intervention (shutdown, start-up, cancelled), system error."""


class Connection(Protocol):
    """What the store uses of ``asyncpg.Connection``, which has no types of its own."""

    async def execute(self, query: str, *args: Any, timeout: float | None = None) -> str:  # noqa: ASYNC109 - the driver's own
        """Runs a statement, or several without arguments; returns the last one's command tag."""

    async def fetch(self, query: str, *args: Any, timeout: float | None = None) -> list[Any]:  # noqa: ASYNC109 - as above
        """All rows; a row is read by position or by name."""

    async def fetchrow(self, query: str, *args: Any) -> Any:
        """The first row, or None."""

    async def fetchval(self, query: str, *args: Any) -> Any:
        """The first column of the first row, or None."""

    async def cursor(self, query: str, *args: Any) -> Any:
        """A cursor within the transaction; ``fetch(n)`` gives its next rows."""

    async def copy_to_table(
        self,
        table_name: str,
        *,
        source: Any,
        columns: Sequence[str],
        format: str,  # noqa: A002
    ) -> str:
        """COPY … FROM STDIN; ``source`` is a buffer, and not bytes, which the driver takes for a path."""

    async def copy_from_query(self, query: str, *args: Any, output: Any, format: str) -> str:  # noqa: A002
        """COPY (query) TO STDOUT into a file-like object."""

    def transaction(self) -> AbstractAsyncContextManager[Any]:
        """A transaction that ends with the block."""

    def is_closed(self) -> bool:
        """Whether the connection has ended or broken."""

    def terminate(self) -> None:
        """Breaks the connection without a word."""

    async def close(self, *, timeout: float | None = None) -> None:  # noqa: ASYNC109 - the driver's own name
        """Ends the connection in order."""


class Pool(Protocol):
    """What the store uses of ``asyncpg.Pool``."""

    def acquire(self, *, timeout: float | None = None) -> AbstractAsyncContextManager[Connection]:
        """A connection for the block."""

    async def close(self) -> None:
        """Waits until all are given back, then ends them."""

    def terminate(self) -> None:
        """Breaks them all."""


WRITER_SETTINGS: Final = {
    **SESSION_SETTINGS,
    # Its statements are few, and have the same plan whatever their arguments: planning one anew takes longer than running it.
    "plan_cache_mode": "force_generic_plan",
}


async def connect(
    dsn: str, application_name: str, timeout_s: float, settings: Mapping[str, str] = SESSION_SETTINGS
) -> Connection:
    """A connection whose every statement may take ``timeout_s`` at most.

    Raises
    ------
    StoreUnavailable
        PostgreSQL is not there, is starting or stopping, or does not answer.
    """
    with translating_failures("connect to PostgreSQL"):
        connection: Connection = await asyncpg.connect(
            dsn,
            timeout=CONNECT_TIMEOUT_S,
            command_timeout=timeout_s,
            max_cacheable_statement_size=0,  # all: a commit's parts sent as one are long, and always the same few
            server_settings={**settings, "application_name": application_name},
        )
        try:
            await set_codecs(connection)
        except BaseException:
            discard(connection)
            raise
    return connection


async def connect_pool(dsn: str, application_name: str, timeout_s: float, size: int) -> Pool:
    """At most ``size`` connections, made when needed and again after they broke.

    Raises
    ------
    StoreUnavailable
        As ``connect``.
    """
    with translating_failures("connect to PostgreSQL"):
        pool: Pool = await asyncpg.create_pool(
            dsn,
            min_size=1,
            max_size=size,
            timeout=CONNECT_TIMEOUT_S,
            command_timeout=timeout_s,
            init=set_codecs,
            reset=leave_as_is,
            server_settings={**SESSION_SETTINGS, "application_name": application_name},
        )
    return pool


async def leave_as_is(_connection: Connection) -> None:
    """Nothing to undo when a connection goes back: the store changes no session state. Saves a round trip."""


async def set_codecs(connection: Any) -> None:
    """Times as epoch milliseconds, ids as plain ``uuid.UUID`` (asyncpg's own subclass is refused by encoders)."""
    await connection.set_type_codec(
        "timestamptz", schema="pg_catalog", encoder=encode_time, decoder=decode_time, format="tuple"
    )
    await connection.set_type_codec(
        "uuid", schema="pg_catalog", encoder=encode_uuid, decoder=decode_uuid, format="binary"
    )


def encode_time(time_ms: int) -> tuple[int]:
    """Epoch milliseconds to PostgreSQL's microseconds since 2000."""
    if time_ms in (NO_TIME, END_OF_TIME):
        return (time_ms,)
    return ((time_ms - POSTGRES_EPOCH_MS) * 1000,)


def decode_time(wire: tuple[int]) -> int:
    """PostgreSQL's microseconds since 2000 to epoch milliseconds, floored."""
    if wire[0] in (NO_TIME, END_OF_TIME):
        return wire[0]
    return wire[0] // 1000 + POSTGRES_EPOCH_MS


def encode_uuid(value: UUID) -> bytes:
    """The 16 bytes of an id."""
    return value.bytes


def decode_uuid(wire: bytes) -> UUID:
    """An id from its 16 bytes."""
    return UUID(bytes=bytes(wire))


def discard(connection: Connection | Pool) -> None:
    """Ends a connection, or all of a pool, without a farewell; one that is lost already is none to end.

    asyncio's transport raises AttributeError when it is aborted after it closed by itself, and asyncpg aborts one
    that broke amid a COPY before it has noted the loss.
    """
    with suppress(AttributeError):
        connection.terminate()


def unavailability(error: BaseException) -> bool:
    """Whether this failure says that PostgreSQL cannot be used now, rather than that the request was wrong."""
    if isinstance(error, asyncpg.PostgresError):
        return (getattr(error, "sqlstate", None) or "")[:2] in RETRYABLE_CLASSES
    if isinstance(error, ValueError):
        return False  # the driver's complaints about arguments and settings are both InterfaceError and this
    return isinstance(error, OSError | TimeoutError | asyncpg.InterfaceError | asyncpg.InternalClientError)


class translating_failures:  # noqa: N801 - reads as a statement: with translating_failures("…")
    """Turns a driver's or the network's failure into ``StoreUnavailable``; leaves all other exceptions alone."""

    def __init__(self, doing: str) -> None:
        self.doing = doing

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        """Raises ``StoreUnavailable`` from the failure where it is one."""
        if error is not None and unavailability(error):
            why = str(error) or type(error).__name__
            raise StoreUnavailable(f"could not {self.doing}: {why}") from error


@asynccontextmanager
async def borrowed(pool: Pool, timeout_s: float) -> AsyncIterator[Connection]:
    """A connection of the pool; a broken one is dropped, so that the next borrower gets a new one.

    Raises
    ------
    StoreUnavailable
        No connection within ``timeout_s``, or the connection failed.
    ValueError
        A value asked for is none that PostgreSQL can hold: NUL in a text, a number or a time out of range.
    """
    with translating_failures("read from PostgreSQL"):
        async with pool.acquire(timeout=timeout_s) as connection:
            try:
                yield connection
            except asyncpg.DataError as error:
                raise ValueError(f"PostgreSQL cannot hold such a value: {error}") from error
            except BaseException as error:
                if unavailability(error):
                    discard(connection)
                raise
