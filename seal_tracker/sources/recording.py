"""Recorded messages, one JSON object a line, as they came from the broker. Pure.

``{"topic","payload"|"payload_hex","received"}``: ``payload`` is the text, or the JSON itself; ``received`` is ISO 8601 with a zone.
What ``mosquitto_sub`` writes with ``-F %j`` or ``-F %J`` is read as well: its ``tst`` is when it was received, and a payload that it has cut
(it ends at the first byte 0) is told by its ``payloadlen``.
"""

from __future__ import annotations

import datetime as dt
import re
from codecs import BOM_UTF8
from collections.abc import Iterable
from functools import lru_cache
from operator import itemgetter
from typing import Final, NamedTuple

import msgspec

from seal_tracker.model import EPOCH, EQUIPMENT_PREFIX, NO_TIME
from seal_tracker.publishing.topics import FACTS
from seal_tracker.sources.framing import RawMessage
from seal_tracker.sources.trace import TraceFault, is_seal_id
from seal_tracker.sources.trace_csv import DAMAGE
from seal_tracker.sources.trace_times import parse_time

__all__ = [
    "LineError",
    "Recording",
    "by_arrival",
    "device_of",
    "fact_leaf",
    "read_line",
    "read_recording",
    "written",
]

_TOPIC: Final = re.compile(
    r"(?:eseal/v1/[^/]+|eseal-exercise/v1/[^/]+/[^/]+)/"
    rf"(?:dev/([^/]+)/ping|equip/([^/]+)/(?:status|{'|'.join(FACTS)})|raw/([^/@]+)(?:@([^/]+))?/([^/]+))"
)

_NOTHING: Final = msgspec.Raw(b"")


class _Line(msgspec.Struct):
    """A recorded message; ``tst`` and ``payloadlen`` are mosquitto_sub's."""

    topic: str
    payload: msgspec.Raw = _NOTHING
    payload_hex: str | None = None
    received: str | None = None
    tst: str | None = None
    payloadlen: int | None = None


class _Written(msgspec.Struct, omit_defaults=True):
    """The same as it is written."""

    topic: str
    payload: str | None = None
    payload_hex: str | None = None
    received: str | None = None


_lines: Final = msgspec.json.Decoder(_Line)
_encode: Final = msgspec.json.Encoder().encode


class LineError(ValueError):
    """Why a line is no recorded message."""


class Recording(NamedTuple):
    """The messages of a file in its order, their ``mid`` the line, ``received_ms`` ``NO_TIME`` where nobody noted it; lines that are none."""

    messages: list[RawMessage]
    faults: list[TraceFault]


def read_recording(lines: Iterable[bytes], file: str) -> Recording:
    """Read a whole file. Blank lines are passed over."""
    messages: list[RawMessage] = []
    faults: list[TraceFault] = []
    number = 0
    try:
        for number, line in enumerate(lines, 1):
            if line.strip():
                try:
                    messages.append(read_line(line, number))
                except LineError as error:
                    faults.append(TraceFault(file, number, str(error)))
    except DAMAGE as error:
        faults.append(
            TraceFault(file, number + 1, f"the file is damaged here, the rest is not read: {error}")
        )
    return Recording(messages, faults)


def by_arrival(messages: Iterable[RawMessage]) -> list[tuple[int, RawMessage]]:
    """Each message with when it is due, in that order: its arrival, else that of the one before it (``NO_TIME``: nobody's)."""
    last, due = NO_TIME, []
    for message in messages:
        last = last if message.received_ms == NO_TIME else message.received_ms
        due.append((last, message))
    return sorted(due, key=itemgetter(0))  # stable: of one moment in the file's order


def read_line(line: bytes, number: int) -> RawMessage:
    """Read a line as the message that it records: arrival (``NO_TIME`` where none), and the line's number for a packet id.

    Raises
    ------
    LineError
        It is no recorded message of a device: what is wrong with it.
    """
    try:
        message = _lines.decode(line.removeprefix(BOM_UTF8) if number == 1 else line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise LineError(f"is no recorded message: {error}") from error
    device_of(message.topic)
    return RawMessage(message.topic, _payload(message), number, _arrival_ms(message))


@lru_cache(maxsize=4096)
def device_of(topic: str) -> tuple[str, str | None, str | None]:
    """Device (equipment by its device name), protocol (None: native) and gateway (None: it does not say) of a recorded topic.

    Raises
    ------
    LineError
        It is no topic of a device.
    """
    found = _TOPIC.fullmatch(topic)
    if found is None or not is_seal_id(found[1] or found[2] or found[5]):
        raise LineError(
            f"topic {topic[:120]!r}: only …/dev/SEAL/ping, …/equip/ID/status, …/equip/ID/{'|'.join(FACTS)} and "
            "…/raw/PROTOCOL/DEVICE are read"
        )
    return found[1] or found[5] or EQUIPMENT_PREFIX + found[2], found[3], found[4]


def fact_leaf(topic: str) -> str | None:
    """On which leaf a piece of equipment has recorded something; None: the topic is another."""
    leaf = topic.rpartition("/")[2]
    return leaf if leaf in FACTS and "/equip/" in topic else None


def written(topic: str, payload: bytes, received_ms: int) -> bytes:
    """The line of a message, with its end: text as text, other bytes as hex."""
    received = (EPOCH + dt.timedelta(milliseconds=received_ms)).isoformat(timespec="milliseconds")
    line = _Written(topic, received=received.replace("+00:00", "Z"))
    try:
        line.payload = payload.decode()
    except UnicodeDecodeError:
        line.payload_hex = payload.hex()
    return _encode(line) + b"\n"


def _arrival_ms(message: _Line) -> int:
    if message.received is not None:
        name, text = "received", message.received
    elif message.tst is not None:
        name, text = "tst", message.tst.replace("Z+", "+").replace("Z-", "-")  # mosquitto_sub writes both
    else:
        return NO_TIME
    parsed = parse_time(text)
    if parsed is None:
        raise LineError(f"{name} {text[:60]!r}: must be ISO 8601 with a zone")
    return parsed


def _payload(message: _Line) -> bytes:
    if message.payload_hex is not None:
        try:
            return bytes.fromhex(message.payload_hex)
        except ValueError as error:
            raise LineError(f"payload_hex: {error}") from error
    raw = bytes(message.payload)
    if not raw:
        raise LineError("has neither payload nor payload_hex")
    if raw[:1] != b'"':
        return raw
    try:
        payload = msgspec.json.decode(raw, type=str).encode()
    except (msgspec.MsgspecError, UnicodeError) as error:  # it was cut out of the line unread
        raise LineError(
            f"payload is no text ({error}): bytes that are none belong into payload_hex"
        ) from error
    if message.payloadlen not in (None, len(payload)):
        raise LineError(
            f"payload is {len(payload)} bytes of {message.payloadlen}: %j cannot hold these bytes; record with "
            """mosquitto_sub -F '{"received":"%I","topic":"%t","payload_hex":"%x"}'"""
        )
    return payload
