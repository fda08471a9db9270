"""One MQTT connection that publishes: it signs in, writes what it is given, and tells its owner what the broker says.

It keeps nothing and decides nothing; what is lost with it is the owner's. One event loop.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from typing import Protocol, cast

from simulators.errors import BrokerAwayError, BrokerRefusedError
from simulators.load import packets
from simulators.publisher import Account

__all__ = ["Connection", "Owner", "VersionRefusedError", "opened"]

KEEPALIVE_S = 60
CONNECT_S = 20.0
"""A broker that has not let a client in by then is not there for it."""
ACKNOWLEDGED = 0x40
BARE_PUBACK = 4
"""Bytes of an acknowledgement without a reason: most are such, and come many at once."""


class VersionRefusedError(Exception):
    """The broker speaks another version of MQTT."""


class Owner(Protocol):
    """Whoever owns connections; called between two awaits, and must not block."""

    def acknowledged(self, ids: Sequence[int], codes: Sequence[int] | None) -> None:
        """The broker has answered these packet ids; ``codes`` None: all are success."""

    def lost(self, reason: str) -> None:
        """The connection is gone; what was in flight on it may or may not have arrived."""


class Connection(asyncio.Protocol):
    """A connection after `opened`; ``limit`` is how many messages may be in flight on it, ``writable`` False while the socket is full."""

    def __init__(self, version: int) -> None:
        self.limit = packets.MAX_IN_FLIGHT
        self.writable = True
        self.signed_in: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.owner: Owner | None = None
        self._version = version
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None
        self._farewell: str | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:  # noqa: D102
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass of it
        sock = transport.get_extra_info("socket")
        if sock is not None and sock.family != getattr(socket, "AF_UNIX", None):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def write(self, data: bytes) -> None:
        """Write whole packets."""
        if self._transport is not None:
            self._transport.write(data)

    def close(self) -> None:
        """Say good-bye."""
        self.owner = None
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(packets.DISCONNECT)
            self._transport.close()

    def pause_writing(self) -> None:  # noqa: D102
        self.writable = False

    def resume_writing(self) -> None:  # noqa: D102
        self.writable = True

    def data_received(self, data: bytes) -> None:  # noqa: D102
        if not self._buffer and self.owner is not None and _only_bare_pubacks(data):
            high, low = data[2::BARE_PUBACK], data[3::BARE_PUBACK]
            self.owner.acknowledged([a << 8 | b for a, b in zip(high, low, strict=True)], None)
            return
        self._buffer += data
        ids: list[int] = []
        codes: list[int] = []
        for kind, body in packets.cut(self._buffer):
            if kind == packets.PUBACK:
                packet_id, code = packets.puback(body)
                ids.append(packet_id)
                codes.append(code)
            else:
                self._other(kind, body)
        if ids and self.owner is not None:
            self.owner.acknowledged(ids, codes)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: D102
        self.writable = False
        reason = self._farewell or (str(exc) if exc else "closed by the broker")
        if not self.signed_in.done():
            self.signed_in.set_exception(BrokerRefusedError(f"{reason} before it let us in"))
        if self.owner is not None:
            self.owner.lost(reason)

    def _other(self, kind: int, body: bytes) -> None:
        if kind == packets.CONNACK and not self.signed_in.done():
            code = body[1]
            if code == 0:
                self.limit = packets.receive_maximum(self._version, body)
                self.signed_in.set_result(None)
            elif packets.is_version_refused(self._version, code):
                self.signed_in.set_exception(VersionRefusedError())
            else:
                self.signed_in.set_exception(BrokerRefusedError(packets.name_of_connack(self._version, code)))
        elif kind == packets.SERVER_DISCONNECT:
            self._farewell = packets.name_of_disconnect(body)


def _only_bare_pubacks(data: bytes) -> bool:
    n, rest = divmod(len(data), BARE_PUBACK)
    return not rest and data[0::BARE_PUBACK] == b"\x40" * n and data[1::BARE_PUBACK] == b"\x02" * n


async def opened(account: Account, client_id: str, version: int) -> Connection:
    """A connection that the broker has let in.

    Raises
    ------
    BrokerAwayError
        Nobody answers there.
    BrokerRefusedError
        The broker says no; its text is only the broker's reason.
    VersionRefusedError
        It speaks another version.
    """
    loop = asyncio.get_running_loop()
    connection = Connection(version)
    try:
        async with asyncio.timeout(CONNECT_S):
            await loop.create_connection(lambda: connection, account.host, account.port)
            connection.write(
                packets.connect(version, client_id, account.username, account.password, KEEPALIVE_S)
            )
            await connection.signed_in
    except OSError as error:  # a time-out is one
        connection.close()
        reason = f"no answer within {CONNECT_S:.0f} s" if isinstance(error, TimeoutError) else str(error)
        raise BrokerAwayError(account.host, account.port, reason) from error
    except (BrokerRefusedError, VersionRefusedError):
        connection.close()
        raise
    return connection
