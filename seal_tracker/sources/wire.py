"""A socket for paho that reads and writes in large pieces.

paho reads a packet with four system calls and writes each with one, and hands every message through a dozen layers.
That is fine for a thermostat; here it would be most of the work. ``Wire`` stands between paho and its socket (paho
asks only for recv, send, close, fileno and setblocking): it reads what is there in one call, keeps PUBLISH packets
and PUBACKs for its owner, gives paho the rest, and gathers what paho and the owner write into one call per loop turn.

One wire is one connection and lives on one event loop; only the constructor may run in another thread.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import Final

from seal_tracker.sources.errors import ProtocolError
from seal_tracker.sources.framing import RawMessage, split_packets

__all__ = ["Wire"]

READ_BYTES: Final = 256 * 1024
"""One read; about a thousand pings, 2 ms of work: so much may come before other tasks have their turn."""

WOULD_BLOCK: Final = (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Wire:
    """The buffering socket. ``received`` gets each read's messages, with ``clock_ms`` read once for all of them, and ``acknowledged``
    the packet ids of its PUBACKs.
    """

    def __init__(
        self,
        sock: socket.socket,
        loop: asyncio.AbstractEventLoop,
        clock_ms: Callable[[], int],
        received: Callable[[list[RawMessage]], None],
        acknowledged: Callable[[list[int]], None],
    ) -> None:
        self._sock = sock
        self._fd = sock.fileno()
        self._loop = loop
        self._clock_ms = clock_ms
        self._received = received
        self._acknowledged = acknowledged
        self._scratch = memoryview(bytearray(READ_BYTES))
        self._incoming = bytearray()
        self._for_paho = bytearray()
        self._outgoing = bytearray()
        self._ended = False
        self._flush_planned = False
        self._writer_watched = False
        if sock.family != getattr(socket, "AF_UNIX", None):
            # Nagle holds a small packet back until the former is acknowledged: 40 ms for an alarm.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def recv(self, size: int, /) -> bytes:
        """Give at most ``size`` bytes of packets that are paho's; empty once the peer is gone, as sockets do."""
        if not self._for_paho and not self._ended:
            self._read()
        if self._for_paho:
            part = bytes(self._for_paho[:size])
            del self._for_paho[:size]
            return part
        if self._ended:
            return b""
        raise BlockingIOError

    def pending(self) -> int:
        """Bytes that wait here or in the TLS layer, of which the event loop knows nothing."""
        decrypted = self._sock.pending() if isinstance(self._sock, ssl.SSLSocket) and self._fd >= 0 else 0
        return len(self._for_paho) + decrypted

    def send(self, data: bytes | bytearray, /) -> int:
        """Take all of ``data``; it leaves with all else of this loop turn. Bounded by what is in flight."""
        self._outgoing += data
        if not self._flush_planned:
            self._flush_planned = True
            self._loop.call_soon(self.flush)
        return len(data)

    def flush(self) -> None:
        """Write what was gathered; what the kernel does not take follows when it does."""
        self._flush_planned = False
        try:
            while self._outgoing:
                del self._outgoing[: self._sock.send(self._outgoing)]
        except WOULD_BLOCK:
            self._watch_writer()
            return
        except OSError:
            self.give_up()
        if self._writer_watched:
            self._writer_watched = False
            self._loop.remove_writer(self._fd)

    def give_up(self) -> None:
        """Let paho find the peer gone at its next read; it then ends the connection in its own order."""
        self._ended = True
        self._outgoing.clear()

    def close(self) -> None:
        """Send what is left as far as the kernel takes it, then close."""
        if self._fd < 0:
            return
        self.flush()
        if self._writer_watched:
            self._loop.remove_writer(self._fd)
        self._fd = -1
        self._ended = True
        self._sock.close()

    def fileno(self) -> int:
        """The file descriptor, -1 once closed."""
        return self._fd

    def setblocking(self, flag: bool, /) -> None:
        """Pass on; a wire itself works with either."""
        self._sock.setblocking(flag)

    def _read(self) -> None:
        try:
            size = self._sock.recv_into(self._scratch)
        except WOULD_BLOCK:
            return
        except OSError:
            self.give_up()
            return
        if not size:
            self._ended = True
            return
        self._incoming += self._scratch[:size]
        try:
            messages, acknowledged, others, used = split_packets(self._incoming, self._clock_ms())
        except (ProtocolError, IndexError):
            self.give_up()
            return
        del self._incoming[:used]
        self._for_paho += others
        if acknowledged:
            self._acknowledged(acknowledged)
        if messages:
            self._received(messages)

    def _watch_writer(self) -> None:
        if not self._writer_watched and self._fd >= 0:
            self._writer_watched = True
            self._loop.add_writer(self._fd, self.flush)
