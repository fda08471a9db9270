"""A TCP proxy whose connections a test can cut, as networks do, and stop for a while."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Self


class CuttableProxy:
    """Forwards to a loopback port; ``cut`` ends all connections, ``closed`` refuses new ones."""

    def __init__(self, target_port: int) -> None:
        self.target_port = target_port
        self.closed = False
        self.accepted = 0
        self.writers: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.server.close()
        self.cut()

    def cut(self) -> None:
        for writer in self.writers:
            writer.transport.abort()
        self.writers.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.closed:
            writer.transport.abort()
            return
        self.accepted += 1
        broker_reader, broker_writer = await asyncio.open_connection("127.0.0.1", self.target_port)
        self.writers |= {writer, broker_writer}
        await asyncio.gather(self._pump(reader, broker_writer), self._pump(broker_reader, writer))

    @staticmethod
    async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()
