"""One probe over a socket: connect where it may be, ask, read the head of the answer, and nothing more than that.

HTTP is asked by GET; RTSP by OPTIONS, which every server answers, then by DESCRIBE, which shows that the stream is there. Redirects are
not followed, and of bodies no more is read than lies before the next answer: what answers may be anything.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
import ssl
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final, NamedTuple

from seal_tracker.plans.probes import Probe, Where, where_of
from seal_tracker.probing.asking import (
    UNAUTHORIZED,
    AnswerError,
    Credentials,
    Head,
    authorization,
    head_of,
    request_of,
    verdict,
)

__all__ = ["Asker", "ForbiddenAddressError", "Network", "Result"]

MOST_HEAD_BYTES: Final = 16_384
MOST_BODY_BYTES: Final = 65_536
"""A page that says 401 may be long; one longer than this is not read, and the connection is made anew."""

Network = IPv4Network | IPv6Network


class Result(NamedTuple):
    """Whether it is there, and what to tell of it: one line without anything secret."""

    ok: bool
    why: str


class ForbiddenAddressError(OSError):
    """A name or address that is not in a network which may be asked."""


@dataclass(slots=True)
class Stream:
    """A connection, and whether another request may follow on it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    goes_on: bool = True


class Asker:
    """Asks equipment in some networks, and nobody else: by the address that is connected to, whatever name led there."""

    def __init__(self, networks: Sequence[Network]) -> None:
        self._networks = networks
        self._verified = ssl.create_default_context()
        self._unverified = ssl.create_default_context()
        self._unverified.check_hostname = False
        self._unverified.verify_mode = ssl.CERT_NONE

    async def ask(self, probe: Probe, credentials: Credentials | None) -> Result:
        """Ask once; whatever happens is a result."""
        where = where_of(probe.url)
        try:
            async with asyncio.timeout(probe.timeout_s):
                return await self._converse(probe, where, credentials)
        except TimeoutError:
            return Result(False, f"did not answer within {probe.timeout_s:g} s")
        except (EOFError, asyncio.LimitOverrunError):
            return Result(False, "hung up, or went on, before its answer was whole")
        except AnswerError as error:
            return Result(False, str(error))
        except (OSError, ssl.SSLError) as error:
            return Result(False, error.strerror or type(error).__name__)

    async def _converse(self, probe: Probe, where: Where, credentials: Credentials | None) -> Result:
        is_rtsp = where.scheme.startswith("rtsp")
        async with AsyncExitStack() as stack:
            stream = await self._open(probe, where, stack)
            if is_rtsp:
                head = await _asked(stream, request_of("OPTIONS", where, 1))
                found = Result(*verdict(head, "OPTIONS", with_credentials=False))
                if not found.ok:
                    return found
            method, number = ("DESCRIBE", 2) if is_rtsp else ("GET", 1)
            if not stream.goes_on:
                stream = await self._open(probe, where, stack)
            head = await _asked(stream, request_of(method, where, number))
            header = self._header(head, method, probe, where, credentials)
            if header is None:
                return Result(*verdict(head, method, with_credentials=False))
            if not stream.goes_on:
                stream = await self._open(probe, where, stack)
            head = await _asked(stream, request_of(method, where, number + 1, header))
            return Result(*verdict(head, method, with_credentials=True))

    @staticmethod
    def _header(
        head: Head, method: str, probe: Probe, where: Where, credentials: Credentials | None
    ) -> str | None:
        if head.status != UNAUTHORIZED or credentials is None:
            return None
        is_safe = where.scheme.endswith("s") and not probe.insecure
        return authorization(head, method, where, credentials, secrets.token_hex(8), basic=is_safe)

    async def _open(self, probe: Probe, where: Where, stack: AsyncExitStack) -> Stream:
        """Connect to the first address that may be asked.

        Raises
        ------
        ForbiddenAddressError
            There is none.
        """
        address = await self._allowed(where)
        context = None
        if where.scheme.endswith("s"):
            context = self._unverified if probe.insecure else self._verified
        reader, writer = await asyncio.open_connection(
            address, where.port, ssl=context, server_hostname=where.host if context else None, limit=MOST_HEAD_BYTES
        )  # fmt: skip
        stack.push_async_callback(_closed, writer)
        return Stream(reader, writer)

    async def _allowed(self, where: Where) -> str:
        found = await asyncio.get_running_loop().getaddrinfo(where.host, where.port, type=socket.SOCK_STREAM)
        for *_, address in found:
            if self._may_ask(str(address[0])):
                return str(address[0])
        raise ForbiddenAddressError(0, "its address lies in no network of SEAL_TRACKER_PROBE_NETWORKS")

    def _may_ask(self, address: str) -> bool:
        ip = ip_address(address.partition("%")[0])
        if isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None:
            ip = ip.ipv4_mapped
        return any(ip in network for network in self._networks)


async def _asked(stream: Stream, request: bytes) -> Head:
    stream.writer.write(request)
    await stream.writer.drain()
    head = head_of(await stream.reader.readuntil(b"\r\n\r\n"))
    length = head.body_bytes
    stream.goes_on = length is not None and length <= MOST_BODY_BYTES
    if stream.goes_on and length:
        await stream.reader.readexactly(length)
    return head


async def _closed(writer: asyncio.StreamWriter) -> None:
    """Hang up at once: nobody waits for the farewell of a camera."""
    writer.transport.abort()
    with suppress(OSError, ssl.SSLError):
        await writer.wait_closed()
