"""MQTT 3.1.1 packets cut out of a byte stream, and written: the part of the protocol that is paid once a message.

Pure: fed with bytes, answers with messages. Everything but PUBLISH and its PUBACK is left as it is, for the client library.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

import msgspec
import numpy as np

from seal_tracker.sources.errors import ProtocolError

__all__ = ["Packets", "RawMessage", "puback", "publish_packet", "split_packets"]

PUBLISH: Final = 0x30
PUBLISH_QOS_1: Final = 0x32
PUBACK: Final = 0x40
PUBACK_BYTES: Final = 4
TYPE_MASK: Final = 0xF0
DUP_FLAG: Final = 0x08
QOS_MASK: Final = 0x06
QOS_2: Final = 0x04
RETAIN_FLAG: Final = 0x01

MORE_LENGTH: Final = 0x80
"""A length byte with this bit is followed by another."""

LENGTH_BYTES_MAX: Final = 4
"""MQTT 3.1.1, 2.2.3: 256 MB is the longest packet."""

HEADER_BYTES_MIN: Final = 2

TOPIC_BYTES_MAX: Final = 65_535
PACKET_BYTES_MAX: Final = 268_435_455

UNFIT_IN_TOPIC: Final = re.compile(r"[+#\0]")
"""MQTT 3.1.1, 3.3.2.1 and 1.5.3: a name that is published under holds no wildcard and no NUL."""


class RawMessage(msgspec.Struct, eq=False, gc=False):
    """A message as received. Compared by identity: two deliveries are two messages, whatever they hold.

    ``mid`` is the packet id, 0 at QoS 0, which needs no acknowledgement. ``received_ms`` is our clock at the read
    that brought it. ``duplicate`` says that the broker has sent it before.
    """

    topic: str
    payload: bytes
    mid: int
    received_ms: int
    retain: bool = False
    duplicate: bool = False


class Packets(NamedTuple):
    """What a buffer held: messages in order, the packet ids that were acknowledged, the bytes of other whole packets, and how
    many bytes were used up.
    """

    messages: list[RawMessage]
    acknowledged: list[int]
    others: bytes
    used: int


def split_packets(buffer: bytearray, received_ms: int) -> Packets:
    """Cut the whole packets off the front of a buffer; what follows is the beginning of the next.

    Raises
    ------
    ProtocolError
        Where the bytes are no MQTT.
    """
    messages: list[RawMessage] = []
    acknowledged: list[int] = []
    others = bytearray()
    at, end = 0, len(buffer)
    with memoryview(buffer) as view:
        while end - at >= HEADER_BYTES_MIN:
            body, stop = at + 2, at + 2 + view[at + 1]
            if view[at + 1] >= MORE_LENGTH:
                body, stop = _long(view, at)
            if stop > end:
                break
            head = view[at]
            if head & TYPE_MASK == PUBLISH and head & QOS_MASK < QOS_2:
                messages.append(_publish(view, head, body, stop, received_ms))
            elif head == PUBACK and stop - at == PUBACK_BYTES:
                acknowledged.append(view[body] << 8 | view[body + 1])
            else:
                others += view[at:stop]
            at = stop
    return Packets(messages, acknowledged, bytes(others), at)


def puback(mids: list[int]) -> bytes:
    """Acknowledgements of many messages as one run of bytes, so that a batch costs one write."""
    packets = np.empty(len(mids), np.dtype([("head", ">u2"), ("mid", ">u2")]))
    packets["head"] = 0x4002  # type PUBACK, two bytes follow
    packets["mid"] = mids
    return packets.tobytes()


def publish_packet(topic: str, payload: bytes, mid: int, *, retain: bool = False) -> bytes:
    """Write a message at QoS 1 as a packet.

    Raises
    ------
    ValueError
        It can never be published: by its topic, or by its length.
    """
    name = topic.encode()
    if not name or len(name) > TOPIC_BYTES_MAX or UNFIT_IN_TOPIC.search(topic):
        raise ValueError(
            f"topic {topic[:120]!r}: must have 1 to {TOPIC_BYTES_MAX} bytes, without + # and NUL"
        )
    rest = left = 4 + len(name) + len(payload)
    if rest > PACKET_BYTES_MAX:
        raise ValueError(f"payload of {len(payload)} bytes: a packet has {PACKET_BYTES_MAX} at most")
    head = bytearray((PUBLISH_QOS_1 | retain,))
    while left >= MORE_LENGTH:
        head.append(left & ~MORE_LENGTH & 0xFF | MORE_LENGTH)
        left >>= 7
    head.append(left)
    return b"".join((head, len(name).to_bytes(2, "big"), name, mid.to_bytes(2, "big"), payload))


def _long(view: memoryview, at: int) -> tuple[int, int]:
    """Body start and packet end where the length takes several bytes; an end beyond all data where it is cut short."""
    length = 0
    for index in range(LENGTH_BYTES_MAX):
        place = at + 1 + index
        if place >= len(view):
            return place, len(view) + 1
        length |= (view[place] & ~MORE_LENGTH) << 7 * index
        if view[place] < MORE_LENGTH:
            return place + 1, place + 1 + length
    raise ProtocolError(f"packet length at byte {at} takes more than {LENGTH_BYTES_MAX} bytes")


def _publish(view: memoryview, head: int, body: int, stop: int, received_ms: int) -> RawMessage:
    topic_end = body + 2 + (view[body] << 8 | view[body + 1])
    payload, mid = topic_end, 0
    if head & QOS_MASK:
        payload, mid = topic_end + 2, view[topic_end] << 8 | view[topic_end + 1]
    if payload > stop:
        raise ProtocolError(f"topic of a message does not fit its packet of {stop - body} bytes")
    return RawMessage(
        str(view[body + 2 : topic_end], "utf-8", "replace"),
        bytes(view[payload:stop]),
        mid,
        received_ms,
        head & RETAIN_FLAG != 0,
        head & DUP_FLAG != 0,
    )
