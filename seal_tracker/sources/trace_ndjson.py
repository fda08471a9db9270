"""Traces as recorded messages (see ``recording``), decoded to the pings in them. Pure."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from seal_tracker.decoders.columns import raw_columns
from seal_tracker.decoders.errors import DecodeError
from seal_tracker.decoders.formats import formats
from seal_tracker.decoders.heartbeat import decode_status
from seal_tracker.decoders.native import Decoded, Fault, NativePing, decode
from seal_tracker.joining import Joining
from seal_tracker.model import EQUIPMENT_PREFIX
from seal_tracker.sources.framing import RawMessage
from seal_tracker.sources.recording import LineError, device_of, fact_leaf, read_line
from seal_tracker.sources.trace import Rows, TraceFact, TraceFault
from seal_tracker.sources.trace_csv import DAMAGE

__all__ = ["read_ndjson"]


def read_ndjson(lines: Iterable[bytes], file: str) -> Rows:
    """Read recorded messages; a payload may hold several pings. Blank lines are passed over."""
    index: dict[str, int] = {}
    seal: list[int] = []
    pings: list[NativePing] = []
    received: list[int] = []
    faults: list[TraceFault] = []
    facts: list[TraceFact] = []
    joining = Joining()
    number = read = 0

    def take(messages: Iterable[RawMessage]) -> None:
        for message in messages:
            name, protocol, _ = device_of(message.topic)
            if (leaf := fact_leaf(message.topic)) is not None:
                own = name.removeprefix(EQUIPMENT_PREFIX)
                facts.append(TraceFact(own, leaf, message.payload, message.received_ms, message.mid))
                continue
            try:
                decoded = _decoded(name, protocol, message.received_ms, message.payload)
            except (LineError, DecodeError) as error:
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
                message = read_line(line, number)
            except LineError as error:
                faults.append(TraceFault(file, number, str(error)))
                continue
            take(joining.receive((message,)).ready)
    except DAMAGE as error:
        faults.append(
            TraceFault(file, number + 1, f"the file is damaged here, the rest is not read: {error}")
        )
    take(joining.end())
    raw = raw_columns(pings, np.array(received, np.int64))
    return Rows(tuple(index), np.array(seal, np.int32), raw, faults, read, facts)


def _decoded(name: str, protocol: str | None, arrival_ms: int, payload: bytes) -> Decoded:
    if protocol is not None:
        return _frames(name, protocol, payload)
    if name.startswith(EQUIPMENT_PREFIX):
        return Decoded([decode_status(payload, arrival_ms)], [])
    return decode(payload, name)


def _frames(name: str, protocol: str, payload: bytes) -> Decoded:
    known = formats().get(protocol)
    if known is None:
        raise LineError(f"protocol {protocol[:60]!r}: no decoder; known are {', '.join(formats())}")
    answer = known.decode(payload, name)
    return Decoded(answer.pings, [Fault(None, fault.reason, fault.payload) for fault in answer.faults])
