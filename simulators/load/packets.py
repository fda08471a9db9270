"""MQTT 3.1.1 and 5 as bytes: what a publisher at QoS 1 says and hears, and no more. Pure.

Version 5 says with each acknowledgement whether a message was refused, and whether anybody had subscribed it; 3.1.1 has no word for either.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

__all__ = [
    "CONNACK", "DISCONNECT", "MAX_IN_FLIGHT", "NO_SUBSCRIBER", "PING", "PUBACK", "REFUSED_FROM", "SERVER_DISCONNECT", "Answer",
    "connect", "cut", "is_version_refused", "length", "name_of_connack", "name_of_disconnect", "name_of_puback", "puback",
    "receive_maximum", "text",
]  # fmt: skip

PING = b"\xc0\x00"
DISCONNECT = b"\xe0\x00"
CONNACK, PUBACK, SERVER_DISCONNECT = 2, 4, 14
CLEAN = 0x02
HAS_PASSWORD, HAS_USER = 0x40, 0x80
NO_SUBSCRIBER = 0x10
"""Version 5: acknowledged, and nobody has subscribed the topic."""
REFUSED_FROM = 0x80
"""Version 5: reason codes from here on are failures."""
MAX_IN_FLIGHT = 65_535
"""Packet ids there are."""
VERSION_REFUSED = {3: (1,), 5: (1, 0x84)}
"""CONNACK codes by which a broker says that it does not speak our version; one of 3.1.1 answers in its own words."""
REFUSALS_3 = {
    1: "unacceptable protocol version",
    2: "client identifier rejected",
    3: "server unavailable",
    4: "bad user name or password",
    5: "not authorised",
}


class Answer(NamedTuple):
    """A whole packet from the broker: its kind (MQTT's number), and what follows its length."""

    kind: int
    body: bytes


def connect(
    version: int, client_id: str, username: str | None, password: str | None, keepalive_s: int
) -> bytes:
    """A clean session of its own."""
    flags = CLEAN | (HAS_USER if username is not None else 0) | (HAS_PASSWORD if password is not None else 0)
    body = text("MQTT") + bytes([4 if version == 3 else 5, flags]) + keepalive_s.to_bytes(2, "big")  # noqa: PLR2004
    body += (b"" if version == 3 else b"\0") + text(client_id)  # noqa: PLR2004 - version 5 has properties
    body += b"".join(text(word) for word in (username, password) if word is not None)
    return b"\x10" + length(len(body)) + body


def cut(buffer: bytearray) -> Iterator[Answer]:
    """Cut whole packets off the front of a buffer; what is left is the beginning of the next."""
    at, end = 0, len(buffer)
    try:
        while end - at >= 2:  # noqa: PLR2004 - a packet's least length
            size, shift, body = 0, 0, at + 1
            while True:
                if body >= end:
                    return
                size |= (buffer[body] & 0x7F) << shift
                shift += 7
                body += 1
                if not buffer[body - 1] & 0x80:
                    break
            if body + size > end:
                return
            packet = Answer(buffer[at] >> 4, bytes(buffer[body : body + size]))
            at = body + size
            yield packet
    finally:
        del buffer[:at]


def puback(body: bytes) -> tuple[int, int]:
    """Packet id and reason code of an acknowledgement; without one it is success."""
    return body[0] << 8 | body[1], body[2] if len(body) > 2 else 0  # noqa: PLR2004


def is_version_refused(version: int, code: int) -> bool:
    """Whether a CONNACK means that another version may be spoken."""
    return code in VERSION_REFUSED[version]


def name_of_connack(version: int, code: int) -> str:
    """Why a connection was refused, in the standard's words."""
    return REFUSALS_3.get(code, f"code {code}") if version == 3 else _name(PacketTypes.CONNACK, code)  # noqa: PLR2004


def name_of_puback(code: int) -> str:
    """Why a message was refused, in the standard's words."""
    return _name(PacketTypes.PUBACK, code)


def name_of_disconnect(body: bytes) -> str:
    """Why the broker ended a connection of version 5."""
    return _name(PacketTypes.DISCONNECT, body[0] if body else 0)


def receive_maximum(version: int, connack: bytes) -> int:
    """How many messages the broker takes unacknowledged on this connection."""
    if version == 3 or len(connack) <= 2:  # noqa: PLR2004 - 3.1.1 has no such limit
        return MAX_IN_FLIGHT
    properties, _ = Properties(PacketTypes.CONNACK).unpack(connack[2:])  # type: ignore[no-untyped-call]
    return int(getattr(properties, "ReceiveMaximum", MAX_IN_FLIGHT))


def text(value: str) -> bytes:
    """A string as MQTT writes it."""
    raw = value.encode()
    return len(raw).to_bytes(2, "big") + raw


def length(n: int) -> bytes:
    """A length as MQTT writes it: seven bits a byte."""
    out = bytearray()
    while True:
        n, digit = divmod(n, 128)
        out.append(digit | (0x80 if n else 0))
        if not n:
            return bytes(out)


def _name(kind: int, code: int) -> str:
    try:
        return ReasonCode(kind, identifier=code).getName().lower()
    except (KeyError, AssertionError):
        return f"code {code}"
