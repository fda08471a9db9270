"""A link of the chain: what one commit told, bound by hash to all that was told before. Pure.

    entries_hash = SHA-256(SHA-256(entry 1) ‖ SHA-256(entry 2) ‖ …)
    hash         = SHA-256(number ‖ previous hash ‖ recorded time ‖ entries_hash)

Numbers and times (UTC epoch ms) are 8 bytes, big-endian; an entry is the bytes of a JSON object. A link can thus be shown without its
entries, and an entry without its neighbours: for these a hash stands in, and the chain holds all the same.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final, NamedTuple

__all__ = [
    "GENESIS",
    "Head",
    "Link",
    "LinkError",
    "entries_hash",
    "entry_hash",
    "link_after",
    "link_hash",
    "pack",
    "unpack",
]

GENESIS: Final = bytes(32)
"""What stands for the hash before the first link."""

MAX_BODY_BYTES: Final = 256 * 1024 * 1024
"""A body that unpacks to more is refused unread: a commit of 2,000 messages tells a hundredth of it."""

PLAIN_BYTES: Final = 1_800
"""Up to so many the text is kept as it is: it stays within its row (PostgreSQL moves out what makes a row longer than 2 kB), and
unpacking it took two thirds of the time of verifying links of one event. More entries pack to a tenth."""

OPENING: Final = b"{"
"""What plain text begins with, and nothing deflated does."""

_HEAD: Final = struct.Struct(">Q32sQ32s")


class LinkError(ValueError):
    """A link's body is none."""


class Head(NamedTuple):
    """Where a chain ends: number and hash of its last link; ``(0, GENESIS)`` before the first."""

    number: int
    hash: bytes


class Link(NamedTuple):
    """One link as it is stored; ``body`` is the entries, packed."""

    number: int
    recorded_ms: int
    previous: bytes
    entries_hash: bytes
    hash: bytes
    body: bytes


def link_after(head: Head, recorded_ms: int, entries: Sequence[bytes]) -> Link:
    """The link that adds these entries (JSON objects without a line break) to a chain."""
    number, of_entries = head.number + 1, entries_hash(map(entry_hash, entries))
    digest = link_hash(number, head.hash, recorded_ms, of_entries)
    return Link(number, recorded_ms, head.hash, of_entries, digest, pack(entries))


def entry_hash(entry: bytes) -> bytes:
    """What stands for an entry."""
    return sha256(entry).digest()


def entries_hash(hashes: Iterable[bytes]) -> bytes:
    """What stands for all entries of a link, in their order."""
    return sha256(b"".join(hashes)).digest()


def link_hash(number: int, previous: bytes, recorded_ms: int, of_entries: bytes) -> bytes:
    """The hash of a link."""
    return sha256(_HEAD.pack(number, previous, recorded_ms, of_entries)).digest()


def pack(entries: Sequence[bytes]) -> bytes:
    """Entries as a body: a line each, deflated where that pays. Levels above the first gain nothing on such text."""
    text = b"\n".join(entries)
    return text if len(text) <= PLAIN_BYTES else zlib.compress(text, 1)


def unpack(body: bytes) -> list[bytes]:
    """The entries of a body.

    Raises
    ------
    LinkError
        It is not one that ``pack`` wrote.
    """
    if body.startswith(OPENING):
        return body.split(b"\n")
    try:
        stream = zlib.decompressobj()
        text = stream.decompress(body, MAX_BODY_BYTES)
    except zlib.error as error:
        raise LinkError(f"the body cannot be unpacked: {error}") from error
    if not stream.eof or stream.unused_data:
        raise LinkError("the body is cut short, too long, or more than one")
    return text.split(b"\n")
