"""JT/T 808, the standard that most electronic locks made in China speak, in its versions of 2013 and 2019: its messages.

``jt808_frame`` takes frames apart, ``jt808_report`` reads what they say of a position. Times are GMT+8, but in messages 0x5501
and 0x5502, which some locks send in place of 0x0200: their fix is Jointech's, in UTC.

Parts of one message are joined where they are in one payload; those that arrive each by itself the service puts there first
(``seal_tracker.joining``). A part whose others are not there is a fault, which says which are missing: its bytes are kept, and of a
batch the reports that are whole before the first gap are read. Devices cut two things into parts: batches of buffered reports (0x0704), which
count, and photos, sound and answers about settings, which hold nothing to store, whole or not.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import re
from collections.abc import Iterator, Sequence
from itertools import count, takewhile
from typing import Final

from seal_tracker.decoders.errors import FrameError
from seal_tracker.decoders.formats.jointech_binary import FIX_BYTES, fix
from seal_tracker.decoders.formats.jt808_frame import (
    FLAG,
    LOCK_REPORT,
    LOCK_REPORT_BLIND,
    Message,
    is_part,
    is_text,
    pieces,
    taken,
    written,
)
from seal_tracker.decoders.formats.jt808_report import ZONE, event_of, items_of, report
from seal_tracker.decoders.frame import MAX_FAULTS, Answer, Cut, Format, Link, Part, check_device
from seal_tracker.decoders.native import NativePing
from seal_tracker.decoders.reading import battery_pct, cell, csq_dbm, digits, moment

__all__ = ["FORMAT"]

MAX_BYTES: Final = 2 * (1023 + 30) + 2
"""The longest body and header, if every byte of them is escaped."""

HEARTBEAT, LOGOUT, REGISTRATION, AUTHENTICATION, TIME, TIME_2019 = (
    0x0002,
    0x0003,
    0x0100,
    0x0102,
    0x0109,
    0x0004,
)
REPORT, REPORT_ASKED, CONTROLLED, BATCH, BATCH_2 = 0x0200, 0x0201, 0x0500, 0x0704, 0x0210
NOTHING: Final = {
    0x0001: "general answer",
    HEARTBEAT: "heartbeat",
    LOGOUT: "logout",
    REGISTRATION: "registration",
    AUTHENTICATION: "authentication",
    0x0104: "parameters",
    0x0107: "attributes",
    0x0108: "upgrade result",
    TIME: "request for the time",
    TIME_2019: "request for the time",
    0x0301: "event",
    0x0302: "answer to a question",
    0x0303: "information on demand",
    0x0506: "heartbeat",
    0x0700: "driving record",
    0x0701: "waybill",
    0x0702: "driver",
    0x0705: "CAN data",
    0x0800: "multimedia event",
    0x0801: "multimedia",
    0x0802: "multimedia list",
    0x0900: "pass-through",
    0x0901: "compressed data",
    0x0A00: "public key",
    0x1007: "time zone",
    0x1300: "text",
    0x2070: "acceleration",
    0x6006: "text",
}
"""Messages without a position, by name; others are named by their number."""

ASKS_TIME: Final = re.compile(rb"(\(\w{1,20},\w{1,8},\w{1,8},BASE,2,)TIME\)", re.ASCII)
"""A request for the time, in brackets between the frames."""

MAX_MISSING_TOLD: Final = 8
"""Parts told by number; there may be thousands."""

BATTERY_AND_TIME: Final = 7
"""Bytes of a message 0x0210 that holds no reports, but a battery's percentage and a time."""

LOCK_BYTES: Final = FIX_BYTES + 18
"""Of a lock's own report: fix, signal, satellites, mileage 4, battery, cell 4, area 2, product, status 2, alarms 2."""

LOCK_CHARGING: Final = frozenset({0xAA, 0xAB})
LOCK_PRODUCT: Final = 3
LOCK_LOCKED: Final = 1 << 5
LOCK_FACTS: Final = ((1, "low_battery"), (2, "vibration"), (3, "low_battery"))


def decode(payload: bytes, device: str | None = None) -> Answer:
    """Decode any number of frames, one after another; parts of a message are joined."""
    answer = Answer()
    waiting: dict[str, dict[int, Message]] = {}
    alone: list[dict[int, Message]] = []
    for at, frame in pieces(payload):
        if is_text(frame):
            answer.nothing.append("text in brackets")
            continue
        if len(answer.faults) >= MAX_FAULTS:
            answer.unread(at, payload[at:])
            break
        try:
            message = taken(frame, at, NOTHING)
            check_device([message.device], device, message.place(4))
        except FrameError as error:
            answer.fault(error, frame)
            continue
        if message.part is not None and _begins_anew(message, waiting):
            alone.append(waiting.pop(message.part.message))
        whole = message if message.part is None else _joined(message, waiting)
        if whole is not None:
            _answered(whole, answer)
    for parts in (*alone, *waiting.values()):
        _alone(parts, answer)
    if answer.empty:
        answer.fault(FrameError(0, "payload holds no frame: expected a frame, which begins with 7E"), payload)
    return answer.closed(payload)


def _begins_anew(message: Message, waiting: dict[str, dict[int, Message]]) -> bool:
    """Whether the same part waits with other bytes: the device has begun another message with the same number."""
    assert message.part is not None
    there = waiting.get(message.part.message, {}).get(message.part.number)
    return there is not None and there.body != message.body


def _joined(message: Message, waiting: dict[str, dict[int, Message]]) -> Message | None:
    """Join a message whose last missing part this is; None while others are missing."""
    assert message.part is not None
    parts = waiting.setdefault(message.part.message, {})
    parts[message.part.number] = message
    if len(parts) < message.part.total:
        return None
    del waiting[message.part.message]
    return _together([parts[number] for number in sorted(parts)])


def _together(parts: Sequence[Message]) -> Message:
    """Parts that follow one another, as one message."""
    body, raw = b"".join(part.body for part in parts), b"".join(part.raw for part in parts)
    return parts[0]._replace(body=body, raw=raw, part=None, parts=tuple(parts))


def _alone(parts: dict[int, Message], answer: Answer) -> None:
    """Tell of parts whose others are missing; the reports of a batch that are whole before the first gap are read."""
    if 1 in parts and parts[1].kind == BATCH:
        lead = _together([parts[n] for n in takewhile(parts.__contains__, count(1))])
        with contextlib.suppress(FrameError):  # where the parts end, a report does not
            for ping in _pings(lead, answer):
                ping.seq = lead.serial
                answer.add(lead.device, ping)
    there = [parts[number] for number in sorted(parts)]
    first = there[0]
    if first.kind in NOTHING:
        answer.nothing += [NOTHING[first.kind]] * len(there)
        return
    assert first.part is not None
    missing = [
        number
        for number in range(1, min(first.part.total, len(parts) + MAX_MISSING_TOLD) + 1)
        if number not in parts
    ]
    more = first.part.total - len(parts) - len(missing)
    why = f"{_numbered(sorted(parts))} of {first.part.total} of message 0x{first.kind:04X}: {_numbered(missing, more)} did not come"
    answer.fault(FrameError(first.place(first.begin - 4), why), b"".join(part.raw for part in there))


def _numbered(numbers: Sequence[int], more: int = 0) -> str:
    """Parts by number, the first few of many; ``more`` of them are not in ``numbers``."""
    told = numbers[:MAX_MISSING_TOLD]
    more += len(numbers) - len(told)
    rest = f" and {more} more" if more else ""
    return f"part{'s' if len(told) + more > 1 else ''} {', '.join(map(str, told))}{rest}"


def _answered(message: Message, answer: Answer) -> None:
    try:
        for ping in _pings(message, answer):
            ping.seq = message.serial
            answer.add(message.device, ping)
    except FrameError as error:
        answer.fault(FrameError(message.place(error.byte), error.why), message.raw)


def _pings(message: Message, answer: Answer) -> Iterator[NativePing]:
    kind, body, begin = message.kind, message.body, message.begin
    if kind == REPORT:
        yield report(body, begin)
    elif kind in (REPORT_ASKED, CONTROLLED):  # the serial of the question stands before
        yield report(body[2:], begin + 2)
    elif kind in (BATCH, BATCH_2) and len(body) != BATTERY_AND_TIME:
        yield from _batch(message, answer)
    elif kind == BATCH_2:
        at = moment(digits(body, 1, 6, "time", begin), "YMD", "time", begin + 1, ZONE)
        yield NativePing(at, valid=False, battery_pct=battery_pct(body[0]))
    elif kind in (LOCK_REPORT, LOCK_REPORT_BLIND):
        yield _lock_report(message)
    else:
        answer.nothing.append(NOTHING.get(kind, f"message 0x{kind:04X}"))


def _batch(message: Message, answer: Answer) -> Iterator[NativePing]:
    """Reports one after another, each behind its length; one that is wrong leaves the others standing."""
    body, at, width = message.body, 0, 1
    buffered = True
    count = None
    if message.kind == BATCH:
        if len(body) < 3:  # noqa: PLR2004 - count 2, kind 1
            raise FrameError(message.begin, f"a batch of {len(body)} bytes: expected a count and a kind")
        count, buffered, at, width = int.from_bytes(body[:2], "big"), body[2] == 1, 3, 2
    found = 0
    while at + width <= len(body):
        size = int.from_bytes(body[at : at + width], "big")
        begin = message.begin + at + width
        if at + width + size > len(body):
            why = f"report {found + 1} of {size} bytes: the body ends after {len(body) - at - width}"
            raise FrameError(message.begin + at, why)
        found += 1
        try:
            yield report(body[at + width : at + width + size], begin, buffered=buffered)
        except FrameError as error:
            answer.fault(FrameError(message.place(error.byte), f"report {found}: {error.why}"), message.raw)
        at += width + size
    if not found and not count:
        answer.nothing.append("batch without a report")
    if count is not None and found != count:
        raise FrameError(message.begin, f"count {count}: expected {found}, as there are reports")


def _lock_report(message: Message) -> NativePing:
    """A lock's own report: Jointech's fix, then signal, satellites, mileage, battery, cell, product, status, alarms, items."""
    body, begin = message.body, message.begin
    if len(body) < LOCK_BYTES:
        raise FrameError(
            begin + len(body), f"a lock's report of {len(body)} bytes: expected {LOCK_BYTES} and more"
        )
    ping = fix(body, begin)
    at = FIX_BYTES
    status, alarms = (
        int.from_bytes(body[at + 14 : at + 16], "big"),
        int.from_bytes(body[at + 16 : at + 18], "big"),
    )
    facts = ["charging"] if body[at + 6] in LOCK_CHARGING else []
    if message.kind == LOCK_REPORT_BLIND:
        ping.valid = False
    if body[at + 13] == LOCK_PRODUCT:
        ping.lock = "closed" if status & LOCK_LOCKED else "open"
        facts += dict.fromkeys(fact for bit, fact in LOCK_FACTS if alarms >> bit & 1)
    for (item, _), value in items_of(body[LOCK_BYTES:]).items():
        if item == 0x0B:  # noqa: PLR2004 - somebody's deed
            lock, told = event_of(value)
            ping.lock = lock or ping.lock
            facts += told
    ping.satellites = body[at + 1]
    ping.battery_pct = battery_pct(body[at + 6])
    ping.cell = cell(csq_dbm(body[at]))
    ping.facts = facts or None
    return ping


def _cut(stream: bytes | bytearray) -> Cut:
    """Cut at the flags. The flag behind a frame that was cut short is the next one's, which would else be lost with it."""
    if stream[0] == FLAG:
        end = stream.find(b"~", 1)
        if end <= 1:
            return Cut(1, garbage=True) if end == 1 else Cut(0)
        return Cut(end + 1, shared=_header(bytes(stream[: end + 1])) is None)
    if stream[0] == ord("("):
        return Cut(stream.find(b")") + 1)
    following = stream.find(b"~")
    return Cut(following if following > 0 else len(stream), garbage=True)


def _header(frame: bytes) -> Message | None:
    try:
        return taken(frame, 0, NOTHING) if frame else None
    except FrameError:
        return None


def _device(frame: bytes) -> str | None:
    if is_text(frame):
        return frame.strip(b"( \r\n").partition(b",")[0].decode("ascii", "replace") or None
    message = _header(frame)
    return message.device if message else None


def _part(frame: bytes) -> Part | None:
    """Which part it is; None of messages that hold nothing to store, whose parts need not wait for one another."""
    if not is_part(frame):
        return None
    message = _header(frame)
    return message.part if message and message.kind not in NOTHING else None


def _acknowledgement(frame: bytes, now: dt.datetime) -> bytes | None:
    """Answer a registration by its code, a request for the time by the time, all else by the general answer. Times are UTC."""
    if is_text(frame):
        asking = ASKS_TIME.fullmatch(frame.strip())
        return b"%b%b)" % (asking[1], now.strftime("%Y%m%d%H%M%S").encode()) if asking else None
    message = _header(frame)
    if message is None or message.kind == 0x0001:
        return None
    serial = message.serial.to_bytes(2, "big")
    if message.kind == REGISTRATION:
        return written(message, 0x8100, serial + b"\x00" + message.device.encode())
    if message.kind == TIME:
        clock = bytes([now.month, now.day, now.hour, now.minute, now.second])
        return written(message, 0x8109, now.year.to_bytes(2, "big") + clock + b"\x00")
    if message.kind == TIME_2019:
        return written(message, 0x8004, bytes.fromhex(now.strftime("%y%m%d%H%M%S")))
    return written(message, 0x8001, serial + message.kind.to_bytes(2, "big") + b"\x00")


FORMAT: Final = Format(
    "jt808",
    decode,
    start=(b"~",),
    link=Link(_cut, _device, _acknowledgement, MAX_BYTES, filler=b"~ \t\r\n"),
    part=_part,
)
