"""A service in miniature on an embedded folder, what runs in the folder, and a row to find again."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import asyncpg
import psutil
from parts import Broker

from seal_tracker.embedded import EmbeddedParts

SERVICE = """
import asyncio, json, signal, sys
from seal_tracker.embedded import EmbeddedParts

async def main():
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    changes = []
    async with EmbeddedParts(sys.argv[1], listener=lambda *change: changes.append(change)) as parts:
        print(json.dumps({"port": parts.mqtt.port, "dsn": parts.postgres_dsn, "pids": parts.pids, "changes": changes}), flush=True)
        await stop.wait()

asyncio.run(main())
"""
"""A service in miniature: opens the folder, says what it got, ends at SIGTERM."""


class Service:
    """A process that runs ``SERVICE`` on a folder."""

    def __init__(self, folder: Path, *, prefix: Sequence[str] = ()) -> None:
        self.process = subprocess.Popen(
            [*prefix, sys.executable, "-c", SERVICE, str(folder)],
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self.process.stdout is not None
        lines = iter(self.process.stdout.readline, "")
        self.said = json.loads(next(line for line in lines if line.startswith("{")))

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def terminate(self) -> int:
        self.process.terminate()
        return self.process.wait(60)


def holders(lock: Path) -> list[psutil.Process]:
    """Processes that hold a part's lock file open: those of the part, and none else."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if any(file.path == str(lock) for file in process.open_files()):
                found.append(process)
    return found


def runs(pid: int) -> bool:
    """Whether a process runs; one that ended but was not yet collected by its parent does not."""
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


def broker_of(parts: EmbeddedParts) -> Broker:
    account = parts.credentials.service
    return Broker(
        "nats",
        parts.mqtt.host,
        parts.mqtt.port,
        parts.tenant,
        {"service": (account.username, account.password)},
    )


@asynccontextmanager
async def remembered_row(parts: EmbeddedParts) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(parts.postgres_dsn)
    try:
        yield connection
    finally:
        await connection.close()


async def write_row(parts: EmbeddedParts) -> None:
    async with remembered_row(parts) as connection:
        await connection.execute("CREATE TABLE IF NOT EXISTS kept (n int); INSERT INTO kept VALUES (1)")


async def rows(parts: EmbeddedParts) -> int:
    async with remembered_row(parts) as connection:
        return await connection.fetchval("SELECT count(*) FROM kept")
