"""Binary frames of Jointech locks, which begin with ``$``: records of where and how the lock was. Pure.

::

    24 │ id: 5 BCD │ protocol │ type │ length: 2 │ record │ serial            JT701, JT701D…, protocol 01 to 19 and later
    24 │ id: 5 BCD │ type │ length: 2 │ record, record… │ serial              JT600 and older, records of 27 bytes

Of ``type`` the lower half says what the records are: 1 live, 2 an alarm, 3 from the buffer, 4 the newest but one. A record
begins with its fix, which all share: date DDMMYY and time in UTC, latitude DDMM.MMMM, longitude DDDMM.MMMM, all BCD, half
a byte of flags (0 positioned, 1 north, 2 east), speed in knots, course in steps of 2°. Lengths beyond what we know are
what newer models add, and passed over.
"""

from __future__ import annotations

from typing import Final

from seal_tracker.decoders.errors import FrameError
from seal_tracker.decoders.frame import Answer, check_device
from seal_tracker.decoders.native import NativePing
from seal_tracker.decoders.reading import (
    CHARGING,
    KMH_PER_KNOT,
    battery_pct,
    cell,
    csq_dbm,
    digits,
    minutes_deg,
    moment,
)

__all__ = ["FIX_BYTES", "HEAD_BYTES", "binary_frame", "fix", "frame_bytes", "serial_and_protocol"]

HEAD_BYTES: Final = 10
"""Of the longer header; the shorter has one less, but one byte more behind its length, the serial."""

FIX_BYTES: Final = 17

SHORT_RECORD: Final = 27

LONG_RECORDS: Final = (34, 38, 51)
"""Record lengths of protocols 01 and 16, 01 and 17, and 17 and 19: a frame whose length is a multiple of one holds so many."""

LONGEST_FROM: Final = 0x17
"""From this protocol on the longest is tried first: 102 bytes are three records of an old lock, and two of a new one."""

BUFFERED: Final = 3

STATUS_FACTS: Final = (
    (3, "rope_cut"),
    (4, "vibration"),
    (9, "wrong_password"),
    (10, "illegal_card"),
    (11, "low_battery"),
    (12, "cover_open"),
    (14, "motor_stuck"),
)
"""Bits of the status, the second byte's from 8 on."""

UNUSED: Final = 0x0F

CELL_FIX, ROPE_IN, MOTOR_LOCKED, ANSWER_WANTED = 1 << 0, 1 << 6, 1 << 7, 1 << 5


def frame_bytes(data: bytes | bytearray) -> int:
    """How long a frame at the beginning of ``data`` is; 0 where too little of it is there to say."""
    if len(data) < HEAD_BYTES:
        return 0
    at = 8 if _is_long(data) else 7
    return HEAD_BYTES + int.from_bytes(data[at : at + 2], "big")


def serial_and_protocol(frame: bytes) -> tuple[int, int, bool]:
    """Return a whole frame's serial, its protocol (0 where it says none), and whether it wants an answer."""
    if not _is_long(frame):
        return frame[-1], 0, False
    status = int.from_bytes(frame[36:38], "big") if len(frame) > 38 else 0  # noqa: PLR2004 - where it ends
    return frame[-1], frame[6], bool(status & ANSWER_WANTED)


def binary_frame(data: bytes, at: int, device: str | None, answer: Answer) -> int:
    """Decode the frame at ``at`` of a payload; return where it ends.

    Raises
    ------
    FrameError
        Nothing of it can be read, nor where the next begins.
    """
    size = frame_bytes(data[at : at + HEAD_BYTES])
    if not size or at + size > len(data):
        expected = f"{size} bytes" if size else f"{HEAD_BYTES} bytes and more"
        raise FrameError(
            len(data), f"the frame from byte {at} is cut short: expected {expected}, not {len(data) - at}"
        )
    frame = data[at : at + size]
    try:
        _records(frame, at, device, answer)
    except FrameError as error:
        answer.fault(error, frame)
    return at + size


def _is_long(frame: bytes | bytearray) -> bool:
    """Whether its header is the longer, which has the type at 7, where the other has the upper byte of its length.

    Types begin with 1, and no tracker sends 4 kB. Should one be 0, the byte at 8 is the upper one of the longer's length, or
    the lower of the other's, where 256 bytes would be no whole number of records.
    """
    return frame[7] >> 4 == 1 or frame[8] == 0


def _records(frame: bytes, at: int, device: str | None, answer: Answer) -> None:
    own = digits(frame, 1, 5, "device id", at)
    check_device([own], device, at + 1)
    is_long = _is_long(frame)
    begin, kind = (10, frame[7]) if is_long else (9, frame[6])
    room = len(frame) - begin - 1
    sizes = LONG_RECORDS[::-1] if frame[6] >= LONGEST_FROM else LONG_RECORDS
    size = next((n for n in sizes if room % n == 0), room) if is_long else SHORT_RECORD
    if room < (LONG_RECORDS[0] if is_long else SHORT_RECORD):
        raise FrameError(at + begin - 2, f"length: leaves {room} bytes for a record, too few to hold one")
    for index in range(room // size):
        place = begin + index * size
        record = frame[place : place + size]
        try:
            ping = _long(record, at + place, frame[-1]) if is_long else _short(record, at + place, kind >> 4)
        except FrameError as error:
            answer.fault(error, record)
            continue
        ping.buffered = kind & 0x0F == BUFFERED
        answer.add(own, ping)
    if room % size:
        place = begin + room - room % size
        answer.fault(
            FrameError(at + place, f"{room % size} bytes are left over: records have {size}"), frame[place:-1]
        )


def fix(data: bytes, at: int) -> NativePing:
    """Read the 17 bytes that begin every record, and more frames than these; ``at`` is where they are in the payload.

    Coordinates that are none are a fault only where the record claims a fix: without one there is no position to lose.
    """
    time = moment(digits(data, 0, 6, "time", at), "DMY", "time", at)
    flags = data[14] & 0x0F
    positioned = bool(flags & 1)
    try:
        lat = minutes_deg(digits(data, 6, 4, "latitude", at), 2, "latitude", at + 6)
        lon = minutes_deg(
            digits(data[:14] + bytes([data[14] & 0xF0]), 10, 5, "longitude", at)[:9], 3, "longitude", at + 10
        )
    except FrameError:
        if positioned:
            raise
        return NativePing(time, valid=False)
    return NativePing(
        time,
        lon=lon if flags & 4 else 0.0 - lon,
        lat=lat if flags & 2 else 0.0 - lat,
        valid=positioned,
        speed_kmh=round(data[15] * KMH_PER_KNOT, 2),
        course_deg=data[16] * 2.0,
    )


def _long(record: bytes, at: int, serial: int) -> NativePing:
    """A lock's record: mileage 4, satellites, vehicle 4, status 2, battery, cell 4, signal; then what each model adds."""
    ping = fix(record, at)
    status = int.from_bytes(record[26:28], "big")
    facts = [fact for bit, fact in STATUS_FACTS if status >> bit & 1]
    if record[28] == CHARGING:
        facts.append("charging")
    if status & CELL_FIX:
        ping.valid = False
    closed = bool(status & ROPE_IN and status & MOTOR_LOCKED)
    ping.lock = "cut" if "rope_cut" in facts else "closed" if closed else "open"
    ping.satellites = record[21]
    ping.battery_pct = battery_pct(record[28])
    ping.seq = serial
    ping.facts = facts or None
    ping.cell = cell(csq_dbm(record[33]), *_network(record))
    return ping


def _short(record: bytes, at: int, version: int) -> NativePing:
    """A tracker's record: what is behind the fix differs, and says nothing of a lock."""
    ping = fix(record, at)
    if version == 1:
        ping.satellites = record[17]
        ping.cell = cell(csq_dbm(record[26]))
    return ping


def _network(record: bytes) -> tuple[int | None, int | None]:
    """Country's and network's code of the longest record: 2 bytes, then one, whose upper half stands apart, 0F where unused."""
    if len(record) < LONG_RECORDS[-1]:
        return None, None
    high = 0 if record[36] == UNUSED else record[36]
    return int.from_bytes(record[48:50], "big"), high << 8 | record[50]
