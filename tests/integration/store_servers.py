"""A PostgreSQL that a test may kill or freeze, and a wire that it may cut, for the store's tests."""

from __future__ import annotations

import asyncio
import re
import time
from contextlib import suppress
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import psutil

from seal_tracker.embedded.credentials import load_or_make
from seal_tracker.embedded.ports import choose_port
from seal_tracker.embedded.postgres import PostgresPart, dsn
from seal_tracker.embedded.programs import Process, launch
from seal_tracker.embedded.users import run_as


class OwnServer:
    """PostgreSQL in a folder of its own, that nobody restarts but the test."""

    def __init__(self, folder: Path) -> None:
        credentials = load_or_make(folder / "credentials.json", has_data=False)
        self.part = PostgresPart(folder / "postgres", choose_port(), credentials, run_as())
        self.dsn = dsn(self.part.port, credentials.database, credentials.database.username)
        self.process: Process | None = None

    async def start(self) -> None:
        """Starts it, also after a kill; returns when it answers."""
        await asyncio.to_thread(self.part.prepare)
        deadline = time.monotonic() + 60
        while self.process is None or not await self.part.ready():
            assert time.monotonic() < deadline, "PostgreSQL does not start"
            self.process = self.process or launch(self.part.program)  # None while killed ones still end
            await asyncio.sleep(0.05)

    def processes(self) -> list[psutil.Process]:
        """The server's own process and all its backends."""
        assert self.process is not None
        main = psutil.Process(self.process.pid)
        return [main, *main.children(recursive=True)]

    def kill(self) -> None:
        """SIGKILL to every one of them at once: as when the machine's memory ran out."""
        for process in self.processes():
            with suppress(psutil.NoSuchProcess):
                process.kill()
        assert self.process is not None
        while self.process.alive():
            time.sleep(0.01)
        self.process = None

    def freeze(self) -> None:
        """Nothing of it runs any more, and nothing of it is gone."""
        for process in self.processes():
            process.suspend()

    def thaw(self) -> None:
        """It goes on where it was."""
        for process in self.processes():
            process.resume()

    def stop(self) -> None:
        if self.process is not None:
            self.process.end()


COMMIT_MESSAGE = b"Q\x00\x00\x00\x0bCOMMIT\x00"
BEGIN_MESSAGE = b"Q\x00\x00\x00\x0aBEGIN\x00"
NUMBERED_STATEMENT = re.compile(rb"(__asyncpg_stmt_\w+__)\0[^\0]*advance_writer\(")
"""How the driver sends COMMIT."""


class CutWire:
    """A TCP relay before PostgreSQL that can lose one commit on its way, or the answer to it: a COMMIT, or a statement that is a commit by itself."""

    def __init__(self, target_dsn: str) -> None:
        self.target = urlsplit(target_dsn)
        self.lose: Literal["nothing", "the commit", "the answer"] = "nothing"
        self.server: asyncio.Server | None = None

    async def open(self) -> str:
        """Listens; returns the DSN to use instead."""
        self.server = await asyncio.start_server(self.relay, "127.0.0.1", 0)
        port = self.server.sockets[0].getsockname()[1]
        account = f"{self.target.username}:{self.target.password}"
        return f"postgresql://{account}@127.0.0.1:{port}{self.target.path}?sslmode=disable"

    async def close(self) -> None:
        assert self.server is not None
        self.server.close()

    async def relay(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        server, to_server = await asyncio.open_connection(self.target.hostname, self.target.port)
        begun = False
        alone: list[bytes] = []
        back = asyncio.create_task(self.pump(server, to_client))
        try:
            while data := await client.read(65536):
                begun = data.endswith(BEGIN_MESSAGE) or (begun and not data.endswith(COMMIT_MESSAGE))
                one_statement = not begun and data.startswith(b"B") and any(name in data for name in alone)
                alone += NUMBERED_STATEMENT.findall(data)
                if self.lose != "nothing" and (one_statement or data.endswith(COMMIT_MESSAGE)):
                    lose, self.lose = self.lose, "nothing"
                    back.cancel()
                    if lose == "the answer":
                        to_server.write(data)
                        await server.read(65536)
                    return
                to_server.write(data)
                await to_server.drain()
        except ConnectionError:
            pass
        finally:
            back.cancel()
            to_client.close()
            to_server.close()

    async def pump(self, server: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await server.read(65536):
                to_client.write(data)
                await to_client.drain()
        to_client.close()
