"""The native ping as a format: what ``decoders.native`` reads, with the byte at which a fault stands."""

from __future__ import annotations

import re
from typing import Final

from seal_tracker.decoders import native
from seal_tracker.decoders.errors import DecodeError, FrameError
from seal_tracker.decoders.frame import Answer, Format

__all__ = ["FORMAT"]

_PLACE: Final = re.compile(r"byte (\d+)")
_MEMBER: Final = re.compile(r"(?:element \d+: )?(\w+)")


def decode(payload: bytes, device: str | None = None) -> Answer:
    """Decode an object or an array of them; a ping that names another seal than ``device`` is a fault."""
    try:
        decoded = native.decode(payload, device)
    except DecodeError as error:
        raise FrameError(_byte(payload, error.reason, 0), error.reason) from error
    answer = Answer()
    for ping in decoded.pings:
        named = ping.seal or ping.id
        answer.add(named if isinstance(named, str) else None, ping)
    at = 0
    for fault in decoded.faults:
        at = max(at, payload.find(fault.payload, at))
        answer.fault(FrameError(_byte(fault.payload, fault.reason, at), fault.reason), fault.payload)
        at += 0 if fault.element is None else len(fault.payload)
    return answer


def _byte(raw: bytes, reason: str, at: int) -> int:
    """Where it went wrong: what the JSON parser says, else the member that the reason begins with."""
    if found := _PLACE.search(reason):
        return at + int(found[1])
    member = _MEMBER.match(reason)
    return at + max(0, raw.find(f'"{member[1]}"'.encode()) if member else 0)


FORMAT: Final = Format("native", decode, start=(b"{", b"["))
