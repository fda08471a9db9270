"""Jointech locks and trackers of the JT701 and JT600 family: text in round brackets, and binary frames from ``$`` on.

``jointech_binary`` has the binary frames. Text is ``(<id>,<word>,…)``, sometimes with a number between; times are DDMMYY
and hhmmss in UTC, degrees are decimal but in W01, where they are DDDMM.MMMM. By word:

- *P45*: somebody locked or unlocked; km/h.
- *U01, U02, U03, U06*: positions of trackers; miles an hour; the last of two hexadecimal digits is a checksum.
- *W01*: positions of alarm boxes; km/h.
- *WLNET,5*: what a sub-lock or sensor told the lock; binary behind the sixth comma, where ``(``, ``)``, ``,`` and ``=``
  are written as ``=`` and a byte.

Every other word is a heartbeat, or an answer to a command: nothing to store.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

from seal_tracker.decoders.errors import FrameError
from seal_tracker.decoders.formats.jointech_binary import (
    FIX_BYTES,
    binary_frame,
    fix,
    frame_bytes,
    serial_and_protocol,
)
from seal_tracker.decoders.formats.jointech_text import WORDS, words_of
from seal_tracker.decoders.frame import MAX_FAULTS, Answer, Cut, Format, Link, check_device, shown
from seal_tracker.decoders.native import NativePing

__all__ = ["FORMAT"]

BINARY, OPEN, CLOSE = 0x24, 0x28, 0x29

MAX_BYTES: Final = 16 * 1024
"""A buffer of 600 records of the older trackers; locks send one record a frame."""

SENSOR: Final = re.compile(rb"\(([^,()]{1,20}),[^,()]*,([^,()]*),WLNET,[57],[^,()]*,")
"""A sub-lock's report up to where its bytes begin."""

_BCD: Final = b"".join(re.escape(bytes([16 * high + low])) for high in range(10) for low in range(10))

NEXT: Final = re.compile(rb"\((?=\w{4,20},)|\$(?=[" + _BCD + rb"]{5})")
"""Where a frame may begin after what is none: a bracket or a dollar alone is likely enough among other bytes."""

LOG_TIME: Final = re.compile(rb"\s*\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?\s*", re.ASCII)
"""What some gateways write behind a frame."""

ESCAPES: Final = ((b"=\x15", b"("), (b"=\x14", b")"), (b"=\x11", b","), (b"=\x00", b"="))
"""In the order they are undone; the last must be last, else it would make escapes of what is none."""

BY_SERIAL: Final = 0x19
"""From this protocol on (JT701D) every frame is answered, by its serial."""

P45_SERIAL: Final = 14
"""Position of the serial behind the word; what follows it may grow."""

ANSWERS: Final = {b"U01": b"(S39)", b"U02": b"(S39)", b"U03": b"(S39)", b"U06": b"(S20)"}

FOLLOWS: Final = b"$(\r\n"
"""With what the bytes behind a frame begin."""

LENGTH_BYTES: Final = 16
"""So many of a binary frame say how long it is."""

SENSOR_SERIAL: Final = FIX_BYTES + 11

SENSOR_BYTES: Final = FIX_BYTES + 17
"""Fix, then time 6, id 5, serial, volts 2, percent, signal, kind."""

LOCK_4: Final = (
    (4, "rope_cut"),
    (2, "cover_open"),
    (7, "charging"),
    (1, "unlock_ok"),
    (3, "unlock_ok"),
    (9, "unlock_ok"),
)
LOCK_5: Final = ((4, "removed"), (5, "cover_open"), (2, "low_battery"), (6, "unlock_ok"), (8, "unlock_ok"))
EVENTS: Final = {4: LOCK_4, 5: LOCK_5, 6: LOCK_5}
"""Bits of a sub-lock's event, by its kind (4 JT709, 5 and 6 newer); kind 1 measures temperature."""

ROPE_OUT: Final = {4: 1 << 8, 5: 1 << 9, 6: 1 << 9}

STATED: Final = frozenset({4, 9})
"""Kinds (JT709 and the valve lock JT802) of whose state behind the event it is known what its bits are."""

OPEN_STATE, COVER_STATE, CHARGING_STATE = 0b0011, 0b0100, 0b1000
"""Rope pulled out or motor unlocked; the back cover; on charge."""

SAVED_EVENT, SAVED, LOW = 1 << 15, 1 << 0, 1 << 2
"""Of the event, and of the last byte, which is the lock's that heard it: it comes from the buffer; the sub-lock's battery is low."""

STATE_BYTES: Final = 7
"""Behind the head: event 2, state 2, how often it was locked 2, the hearing lock's byte."""


def decode(payload: bytes, device: str | None = None) -> Answer:
    """Decode any number of frames, text and binary, one after another; what stands between them is a fault."""
    answer = Answer()
    at = 0
    while at < len(payload):
        begin = at
        if len(answer.faults) >= MAX_FAULTS:
            answer.unread(at, payload[at:])
            break
        try:
            at = _frame(payload, at, device, answer)
        except FrameError as error:
            at = _next_frame(payload, begin + 1)
            answer.fault(error, payload[begin:at])
    if answer.empty:
        answer.fault(
            FrameError(0, "payload holds no frame: expected a frame, which begins with $ or ("), payload
        )
    return answer.closed(payload)


def _frame(payload: bytes, at: int, device: str | None, answer: Answer) -> int:
    if payload[at] == BINARY:
        return binary_frame(payload, at, device, answer)
    if payload[at] == OPEN:
        return _text_frame(payload, at, device, answer)
    stop = _next_frame(payload, at + 1)
    if payload[at:stop].strip():
        if not LOG_TIME.fullmatch(payload[at:stop]):
            raise FrameError(at, f"{shown(payload[at:stop])}: expected a frame, which begins with $ or (")
        answer.nothing.append("the time of a log")
    return stop


def _next_frame(payload: bytes | bytearray, at: int) -> int:
    found = NEXT.search(payload, at)
    return found.start() if found else len(payload)


def _text_frame(payload: bytes, at: int, device: str | None, answer: Answer) -> int:
    sensor = SENSOR.match(payload, at)
    stop = _sensor_end(payload, sensor.end()) if sensor else payload.find(b")", at) + 1
    if stop <= at:
        raise FrameError(len(payload), f"the frame from byte {at} ends without )")
    frame = payload[at:stop]
    try:
        if sensor:
            _sensor(frame, at, sensor.end() - at, device, answer)
        else:
            _words(frame, at, device, answer)
    except FrameError as error:
        answer.fault(error, frame)
    return stop


def _words(frame: bytes, at: int, device: str | None, answer: Answer) -> None:
    fields, index = words_of(frame, at)
    own = fields[0].decode("ascii", "backslashreplace")
    check_device([own], device, at + 1)
    read = WORDS.get(fields[index])
    if read is None:
        answer.nothing.append(fields[index].decode("ascii", "backslashreplace")[:16])
    else:
        answer.add(own, read(fields, index, frame, at))


def _sensor_end(payload: bytes, begin: int) -> int:
    """Where a sub-lock's report ends. On the wire its bytes hold no bracket; unescaped they may, so that it is passed over."""
    end = payload.find(b")", begin)
    while 0 <= end < begin + SENSOR_BYTES:
        end = payload.find(b")", end + 1)
    return end + 1


def _sensor(frame: bytes, at: int, begin: int, device: str | None, answer: Answer) -> None:
    own = frame[1 : frame.index(b",")].decode("ascii", "backslashreplace")
    check_device([own], device, at + 1)
    body = _plain(frame[begin:-1])
    if len(body) < SENSOR_BYTES:
        raise FrameError(
            at + len(frame) - 1, f"a sub-lock's report of {len(body)} bytes: expected {SENSOR_BYTES} and more"
        )
    ping = fix(body, at + begin)
    kind = body[SENSOR_BYTES - 1]
    event = int.from_bytes(body[SENSOR_BYTES : SENSOR_BYTES + 2], "big")
    facts = [fact for bit, fact in EVENTS.get(kind, ()) if event >> bit & 1]
    is_open = bool(event & ROPE_OUT.get(kind, 0)) or "unlock_ok" in facts
    if kind in STATED and len(body) >= SENSOR_BYTES + STATE_BYTES:
        is_open |= _stated(ping, event, body[SENSOR_BYTES + 2 : SENSOR_BYTES + STATE_BYTES], facts)
    ping.lock = "cut" if "rope_cut" in facts else "open" if is_open else None
    ping.facts = list(dict.fromkeys(facts)) or None
    answer.add(own, ping)


def _stated(ping: NativePing, event: int, state: bytes, facts: list[str]) -> bool:
    """Whether a sub-lock's state is open; its facts and whether it comes from the buffer are noted.

    One that is closed says nothing of the lock that heard it, whose ping this is.
    """
    bits = state[1]
    told = (
        (COVER_STATE & bits, "cover_open"),
        (CHARGING_STATE & bits, "charging"),
        (LOW & state[4], "low_battery"),
    )
    facts += [fact for is_so, fact in told if is_so]
    if event & SAVED_EVENT or state[4] & SAVED:
        ping.buffered = True
    return bool(bits & OPEN_STATE)


def _cut(stream: bytes | bytearray) -> Cut:
    """Cut by length and by brackets. A frame that was cut short does not take the one behind it with it."""
    if stream[0] == BINARY:
        size = frame_bytes(stream)
        if not 0 < size <= len(stream):
            return Cut(0)
        within = 0 if _may_end(stream, size) else _whole_within(stream, size)
        return Cut(within, garbage=True) if within else Cut(size)
    if stream[0] == OPEN:
        end = stream.find(CLOSE)
        again = stream.rfind(OPEN, 1, end) if end > 0 else -1  # on the wire no bracket is within brackets
        return Cut(again, garbage=True) if again > 0 else Cut(end + 1)
    return Cut(_next_frame(stream, 1), garbage=True)


def _may_end(stream: bytes | bytearray, at: int) -> bool:
    """Whether a frame may end there, by what follows."""
    return at == len(stream) or stream[at] in FOLLOWS


def _whole_within(stream: bytes | bytearray, size: int) -> int:
    """Where another frame begins among the bytes of one that seems ``size`` long, and ends where a frame may; 0: none does."""
    at = stream.find(BINARY, 1, size)
    while at > 0:
        end = frame_bytes(stream[at : at + LENGTH_BYTES])
        if end and at + end <= len(stream) and _may_end(stream, at + end):
            return at
        at = stream.find(BINARY, at + 1, size)
    return 0


def _device(frame: bytes) -> str | None:
    if frame[0] == BINARY:
        text = frame[1:6].hex()
        return text if text.isdigit() else None
    return frame[1 : max(1, frame.find(b","))].decode("ascii", "replace") or None


def _acknowledgement(frame: bytes, now: dt.datetime) -> bytes | None:
    """Answer as the locks expect: by serial from protocol 19 on, by (P35) before, and by P22 whoever asks for the time."""
    if frame[0] == BINARY:
        serial, protocol, wanted = serial_and_protocol(frame)
        if protocol >= BY_SERIAL:
            return b"(P69,0,%d)" % serial
        return b"(P35)" if wanted else None
    if sensor := SENSOR.match(frame):
        body = _plain(frame[sensor.end() : -1])
        return b"(P69,0,%d)" % body[SENSOR_SERIAL] if len(body) > SENSOR_SERIAL else None
    try:
        fields, index = words_of(frame, 0)
    except FrameError:
        return None
    return _word_acknowledged(fields[index], fields[index + 1 :], now)


def _word_acknowledged(word: bytes, rest: list[bytes], now: dt.datetime) -> bytes | None:
    if word == b"P45":
        serial = rest[P45_SERIAL] if len(rest) > P45_SERIAL else b""
        return b"(P69,0,%b)" % serial if serial.isdigit() else None
    if word == b"P22" and rest[:1] == [b"2"]:
        return b"(P22,%b)" % now.strftime("%d%m%y%H%M%S").encode()
    if word == b"P52" and rest[:1] == [b"2"] and len(rest) > 1:
        return b"(P52,2,%b)" % rest[1]
    return ANSWERS.get(word)


def _plain(body: bytes) -> bytes:
    for escaped, plain in ESCAPES:
        body = body.replace(escaped, plain)
    return body


FORMAT: Final = Format(
    "jointech", decode, start=(b"$", b"("), link=Link(_cut, _device, _acknowledgement, MAX_BYTES)
)
