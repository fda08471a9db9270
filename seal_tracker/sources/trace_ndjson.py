"""Traces as raw messages, one JSON object a line: ``{"topic","payload"|"payload_hex","received"}``. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

import msgspec
import numpy as np

from seal_tracker.decoders.columns import raw_columns
from seal_tracker.decoders.errors import DecodeError
from seal_tracker.decoders.formats import formats
from seal_tracker.decoders.heartbeat import decode_status
from seal_tracker.decoders.native import Decoded, Fault, NativePing, decode
from seal_tracker.joining import Joining
from seal_tracker.model import EQUIPMENT_PREFIX, NO_TIME
from seal_tracker.sources.framing import RawMessage
from seal_tracker.sources.trace import Rows, TraceFault, is_seal_id
from seal_tracker.sources.trace_csv import DAMAGE
from seal_tracker.sources.trace_times import parse_time

__all__ = ["read_ndjson"]

_TOPIC: Final = re.compile(
    r"(?:eseal/v1/[^/]+|eseal-exercise/v1/[^/]+/[^/]+)/(?:dev/([^/]+)/ping|equip/([^/]+)/status|raw/([^/@]+)(?:@[^/]+)?/([^/]+))"
)


_NOTHING: Final = msgspec.Raw(b"")


class _Line(msgspec.Struct):
    """A recorded message. ``payload`` is its text, or the JSON itself."""

    topic: str
    payload: msgspec.Raw = _NOTHING
    payload_hex: str | None = None
    received: str | None = None


_lines: Final = msgspec.json.Decoder(_Line)


class _LineError(ValueError):
    """Why a line is no recorded message."""


def read_ndjson(lines: Iterable[bytes], file: str) -> Rows:
    """Read recorded messages; a payload may hold several pings. Blank lines are passed over."""
    index: dict[str, int] = {}
    seal: list[int] = []
    pings: list[NativePing] = []
    received: list[int] = []
    faults: list[TraceFault] = []
    joining = Joining()
    number = read = 0

    def take(messages: Iterable[RawMessage]) -> None:
        for message in messages:
            name, protocol = _named(message.topic)
            try:
                decoded = _decoded(name, protocol, message.received_ms, message.payload)
            except (_LineError, DecodeError) as error:
                faults.append(TraceFault(file, message.mid, str(error)))
                continue
            faults.extend(TraceFault(file, message.mid, fault.reason) for fault in decoded.faults)
            pings.extend(decoded.pings)
            received.extend([message.received_ms] * len(decoded.pings))
            if decoded.pings:
                seal.extend([index.setdefault(name, len(index))] * len(decoded.pings))

    try:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            read += 1
            try:
                message = _message(line, number)
            except _LineError as error:
                faults.append(TraceFault(file, number, str(error)))
                continue
            take(joining.receive((message,)).ready)
    except DAMAGE as error:
        faults.append(
            TraceFault(file, number + 1, f"the file is damaged here, the rest is not read: {error}")
        )
    take(joining.end())
    raw = raw_columns(pings, np.array(received, np.int64))
    return Rows(tuple(index), np.array(seal, np.int32), raw, faults, read)


def _message(line: bytes, number: int) -> RawMessage:
    """Read a line as the message that it records: arrival (``NO_TIME`` where none), and the line's number for a packet id."""
    try:
        message = _lines.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _LineError(f"is no recorded message: {error}") from error
    _named(message.topic)
    arrival_ms = NO_TIME
    if message.received is not None:
        parsed = parse_time(message.received)
        if parsed is None:
            raise _LineError(f"received {message.received[:60]!r}: must be ISO 8601 with a zone")
        arrival_ms = parsed
    return RawMessage(message.topic, _payload(message), number, arrival_ms)


@lru_cache(maxsize=4096)
def _named(topic: str) -> tuple[str, str | None]:
    """Device and protocol (None: native) of a topic."""
    found = _TOPIC.fullmatch(topic)
    if found is None or not is_seal_id(found[1] or found[2] or found[4]):
        raise _LineError(
            f"topic {topic[:120]!r}: only …/dev/SEAL/ping, …/equip/ID/status and …/raw/PROTOCOL/DEVICE are read"
        )
    return found[1] or found[4] or EQUIPMENT_PREFIX + found[2], found[3]


def _decoded(name: str, protocol: str | None, arrival_ms: int, payload: bytes) -> Decoded:
    if protocol is not None:
        return _frames(name, protocol, payload)
    if name.startswith(EQUIPMENT_PREFIX):
        return Decoded([decode_status(payload, arrival_ms)], [])
    return decode(payload, name)


def _frames(name: str, protocol: str, payload: bytes) -> Decoded:
    known = formats().get(protocol)
    if known is None:
        raise _LineError(f"protocol {protocol[:60]!r}: no decoder; known are {', '.join(formats())}")
    answer = known.decode(payload, name)
    return Decoded(answer.pings, [Fault(None, fault.reason, fault.payload) for fault in answer.faults])


def _payload(message: _Line) -> bytes:
    if message.payload_hex is not None:
        try:
            return bytes.fromhex(message.payload_hex)
        except ValueError as error:
            raise _LineError(f"payload_hex: {error}") from error
    raw = bytes(message.payload)
    if not raw:
        raise _LineError("has neither payload nor payload_hex")
    return msgspec.json.decode(raw, type=str).encode() if raw[:1] == b'"' else raw
