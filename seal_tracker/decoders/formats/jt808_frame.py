"""Frames of JT/T 808: cut at their flags, without escapes, verified and taken apart, and written. Pure.

::

    7E │ message: 2 │ attributes: 2 │ (version: 1) │ device: 6 or 10 BCD │ serial: 2 │ (parts: 2, part: 2) │ body │ XOR │ 7E

Between the two 7E, 7E is written 7D 02 and 7D is written 7D 01; the checksum is over what is meant, not what is written.
Attribute bit 14 says 2019, bit 13 that a message comes in parts, bits 10 to 12 that it is encrypted, the lowest ten its
body's length. Messages 0x5501 and 0x5502 use these bits otherwise, and have a serial of one byte.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import reduce
from operator import xor
from typing import Final, NamedTuple

from seal_tracker.decoders.errors import FrameError
from seal_tracker.decoders.frame import Part, shown

__all__ = [
    "FLAG",
    "LOCK_REPORT",
    "LOCK_REPORT_BLIND",
    "Message",
    "is_part",
    "is_plain",
    "is_text",
    "pieces",
    "taken",
    "written",
]

FLAG: Final = 0x7E
ESCAPE: Final = 0x7D
MEANT: Final = {0x01: ESCAPE, 0x02: FLAG}

VERSION_2019, IN_PARTS, ENCRYPTED, LENGTH = 1 << 14, 1 << 13, 0b111 << 10, 0x3FF

LOCK_REPORT, LOCK_REPORT_BLIND = 0x5501, 0x5502
"""What some locks send in place of 0x0200; the second where there was no fix."""

PHONE_DIGITS: Final = 12
"""Of a device's number in 2013; the 20 of 2019 begin with zeros, which are left away so that it stays the same device."""


class Message(NamedTuple):
    """A frame taken apart, or the ``parts`` of a message joined; ``at`` is where ``raw`` begins in the payload.

    ``plain``: it came without escapes.
    """

    kind: int
    attributes: int
    device: str
    id_bytes: bytes
    serial: int
    part: Part | None
    body: bytes
    begin: int
    raw: bytes
    at: int
    parts: tuple[Message, ...] = ()
    plain: bool = False

    @property
    def is_own(self) -> bool:
        """Whether its header is that of a lock's own report."""
        return self.kind in (LOCK_REPORT, LOCK_REPORT_BLIND)

    def place(self, byte: int) -> int:
        """The byte of the payload that ``byte`` of the message without its escapes is."""
        if not self.parts:
            return _place(self.raw, self.at, byte, plain=self.plain)
        inner = byte - self.begin
        for part in self.parts[:-1]:
            if inner < len(part.body):
                return part.place(part.begin + inner)
            inner -= len(part.body)
        return self.parts[-1].place(self.parts[-1].begin + inner)


def _place(raw: bytes, at: int, byte: int, *, plain: bool = False) -> int:
    """Where ``byte`` of what is between the flags stands in the payload, with its escapes unless it is ``plain``."""
    if plain:
        return at + min(1 + byte, len(raw) - 1)
    place = 1
    for _ in range(byte):
        place += 2 if place < len(raw) and raw[place] == ESCAPE else 1
    return at + min(place, len(raw) - 1)


def pieces(payload: bytes) -> Iterator[tuple[int, bytes]]:
    """Cut the payload at its flags; text in brackets, and what is neither, are given as they are."""
    if is_plain(payload):
        yield 0, payload
        return
    at = 0
    while at < len(payload):
        if payload[at] == FLAG:
            end = payload.find(b"~", at + 1)
            if end == at + 1:  # the end of one and the beginning of the next
                at = end
                continue
            end = end if end >= 0 else len(payload)
            stop = end + 1
        else:
            stop = payload.find(b"~", at)
            stop = stop if stop >= 0 else len(payload)
        if payload[at:stop].strip(b"~\r\n "):
            yield at, payload[at:stop]
        at = stop


def is_plain(payload: bytes) -> bool:
    """Whether it is one frame whose escapes somebody has taken off already, as gateways do who look into frames.

    Such a frame is told by its checksum and its length, which both hold as it stands.
    """
    data = payload[1:-1]
    if not payload.startswith(b"~") or not payload.endswith(b"~") or not (b"}" in data or b"~" in data):
        return False
    try:
        _parsed(data, payload, 0)
    except FrameError:
        return False
    return True


def is_part(frame: bytes) -> bool:
    """Whether a frame may be a part, by the bit alone: it is asked of every message that arrives."""
    return len(frame) > 4 and frame[0] == FLAG and (bool(frame[3] & IN_PARTS >> 8) or ESCAPE in frame[1:4])  # noqa: PLR2004 - flag, message, attributes


def is_text(piece: bytes) -> bool:
    """Whether it is text in brackets, which some devices send between their frames."""
    text = piece.strip()
    return text.startswith(b"(") and text.endswith(b")")


def taken(piece: bytes, at: int, unread: Collection[int] = ()) -> Message:
    """Unescape, verify and take apart; of messages of ``unread`` kinds the body is not read, and may be encrypted.

    Raises
    ------
    FrameError
        It is no frame, or a damaged one.
    """
    if piece[0] != FLAG:
        raise FrameError(at, f"{shown(piece)}: expected a frame, which begins with 7E")
    if len(piece) < 2 or piece[-1] != FLAG:  # noqa: PLR2004 - two flags
        raise FrameError(at + len(piece), "the frame ends without 7E")
    plain = is_plain(piece)
    message = _parsed(piece[1:-1] if plain else _unescaped(piece, at), piece, at)._replace(plain=plain)
    if message.attributes & ENCRYPTED and not message.is_own and message.kind not in unread:
        raise FrameError(message.place(2), "the body is encrypted: switch encryption off at the device")
    return message


def _unescaped(frame: bytes, at: int) -> bytes:
    inner = frame[1:-1]
    if ESCAPE not in inner:
        return inner
    out = bytearray()
    pieces = inner.split(b"}")
    out += pieces[0]
    place = len(pieces[0])
    for piece in pieces[1:]:
        meant = MEANT.get(piece[0]) if piece else None
        if meant is None:
            raise FrameError(
                at + 1 + place, f"7D {piece[:1].hex().upper() or 'at the end'}: expected 7D 01 or 7D 02"
            )
        out.append(meant)
        out += piece[1:]
        place += 1 + len(piece)
    return bytes(out)


def _parsed(data: bytes, raw: bytes, at: int) -> Message:
    if len(data) < 13:  # noqa: PLR2004 - the shortest header, and the checksum
        raise FrameError(
            at + len(raw) - 1, f"{len(data)} bytes between its flags: expected a header of 12 and a checksum"
        )
    if told := reduce(xor, data):
        raise FrameError(at + len(raw) - 2, f"checksum {data[-1]:02X}: expected {data[-1] ^ told:02X}")
    kind, attributes = int.from_bytes(data[0:2], "big"), int.from_bytes(data[2:4], "big")
    own = kind in (LOCK_REPORT, LOCK_REPORT_BLIND)
    is_2019 = bool(attributes & VERSION_2019) and not own
    id_at, id_bytes = (5, 10) if is_2019 else (4, 6)
    begin = id_at + id_bytes + (1 if own else 2)
    own_id = data[id_at : id_at + id_bytes]
    device = own_id.hex().lstrip("0").zfill(PHONE_DIGITS)
    serial = int.from_bytes(data[id_at + id_bytes : begin], "big")
    # Some devices set the bit for parts and send none: then the length says so.
    in_parts = attributes & IN_PARTS and not own and len(data) - begin - 1 != attributes & LENGTH
    head = begin + (4 if in_parts else 0)
    if head > len(data) - 1:
        raise FrameError(at + len(raw) - 2, "ends within its header")
    body = data[head:-1]
    if len(body) != attributes & LENGTH:
        raise FrameError(
            _place(raw, at, 2), f"length {attributes & LENGTH}: expected {len(body)}, as the body has"
        )
    part = None
    if head > begin:
        total, number = (
            int.from_bytes(data[begin : begin + 2], "big"),
            int.from_bytes(data[begin + 2 : head], "big"),
        )
        if not 1 <= number <= total:
            raise FrameError(
                _place(raw, at, begin), f"part {number} of {total}: expected 1 to the number of parts"
            )
        if total > 1:
            part = Part(f"{device}/{kind:04x}/{(serial - number + 1) & 0xFFFF}/{total}", total, number)
    return Message(kind, attributes, device, own_id, serial, part, body, head, raw, at)


def written(message: Message, kind: int, body: bytes) -> bytes:
    """A frame of ours in the version of the frame that it answers."""
    is_2019 = message.attributes & VERSION_2019 and not message.is_own
    head = kind.to_bytes(2, "big") + (len(body) | (VERSION_2019 if is_2019 else 0)).to_bytes(2, "big")
    data = head + (b"\x01" if is_2019 else b"") + message.id_bytes + b"\x00\x00" + body
    data += bytes([reduce(xor, data)])
    return b"~" + data.replace(b"}", b"}\x01").replace(b"~", b"}\x02") + b"~"
