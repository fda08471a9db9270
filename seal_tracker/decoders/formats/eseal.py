"""Eseal text, ``##S,eSeal,<id>,<customer>,<firmware>,<type>,<n>,…,E##``, over TCP or UDP.

A report goes on ``<date>,<time>,<satellites>,<A|V>,<lat>N <lon>E,<speed>,<course>,<Open|Close>,<acceleration>,<card>,
<volts>,<dBm>``: UTC, degrees, km/h; V is no fix. ``<n>`` counts the seal's reports, and the platform answers
``##S,…,<type> ACK,<n>,E##``, until which the seal sends again. Types that end in OK or ACK are the seal's own answers.

A type that we do not know is read as a report where it has the shape of one, else there is nothing to store of it. What
follows the last field that we know is passed over.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Final, TypeVar

from seal_tracker.decoders.errors import FrameError
from seal_tracker.decoders.frame import Answer, Cut, Format, Link, check_device, shown
from seal_tracker.decoders.native import YEARS, Cell, NativePing
from seal_tracker.decoders.reading import CLOCK_UNSET, cell, decimal, whole

__all__ = ["FORMAT"]

Number = TypeVar("Number", int, float)

HEAD: Final = b"##S,"
TAIL: Final = b"E##"

MAX_BYTES: Final = 1024
"""Six times the longest frame seen."""

FACTS: Final = {
    b"Startup": "restarted",
    b"Event-Shock": "vibration",
    b"Event-Drop": "vibration",
    b"Event-RC-Unlock": "unlock_ok",
}
"""What a type says beside the lock's state, which has a field of its own."""

REPORTS: Final = frozenset(
    {*FACTS, b"Normal", b"Button-Normal", b"Termination", b"Event-Door", b"Event-Lock", b"Event-RC-Unlock"}
)
"""Types that always hold a position: one without is wrong, not another message."""

LOCKS: Final = {b"open": "open", b"opened": "open", b"close": "closed", b"closed": "closed"}
"""In small letters: firmware differs in how it writes them."""

TYPE, COUNT, DATE, TIME, SATELLITES, VALID, PLACE, SPEED, COURSE, DOOR, RSSI = (
    5,
    6,
    7,
    8,
    9,
    10,
    11,
    12,
    13,
    14,
    18,
)
"""Positions of the fields, counted from ``##S``; the last is missing in what older firmware sends."""

_DATE: Final = re.compile(rb"(\d{4})-(\d\d)-(\d\d)", re.ASCII)
_TIME: Final = re.compile(rb"(\d\d):(\d\d):(\d\d)", re.ASCII)
_PLACE: Final = re.compile(
    rb"\s*(\d{1,3}(?:\.\d{0,10})?)\s?([NS])\s+(\d{1,3}(?:\.\d{0,10})?)\s?([EW])\s*", re.ASCII
)

UNSET: Final = b"0000-00-00"


def decode(payload: bytes, device: str | None = None) -> Answer:
    """Decode any number of frames, one after another; what stands between them is a fault."""
    answer = Answer()
    at = 0
    while at < len(payload):
        if payload[at : at + 1].isspace():
            at += 1
            continue
        begins = payload.startswith(HEAD, at)
        following = payload.find(HEAD, at + 1)
        limit = following if following >= 0 else len(payload)
        end = payload.find(TAIL, at, limit) if begins else -1
        stop = end + len(TAIL) if end >= 0 else limit
        frame = payload[at:stop]
        if not begins:
            answer.fault(
                FrameError(at, f"{shown(frame)}: expected a frame, which begins with {HEAD.decode()}"), frame
            )
        elif end < 0:
            answer.fault(FrameError(stop, f"the frame from byte {at} ends without {TAIL.decode()}"), frame)
        else:
            _frame(frame, at, device, answer)
        at = stop
    if answer.empty:
        answer.fault(
            FrameError(0, f"payload holds no frame: expected a frame, {HEAD.decode()}…{TAIL.decode()}"),
            payload,
        )
    return answer.closed(payload)


def _frame(frame: bytes, at: int, device: str | None, answer: Answer) -> None:
    try:
        _read(frame, at, device, answer)
    except FrameError as error:
        answer.fault(error, frame)


def _read(frame: bytes, at: int, device: str | None, answer: Answer) -> None:
    fields = frame.split(b",")
    if len(fields) <= COUNT:
        raise FrameError(
            at + len(frame) - len(TAIL), f"has {len(fields)} fields: expected an id, a type and more"
        )
    own = _text(fields, 2)
    check_device([own], device, _byte(fields, 2, at))
    kind = fields[TYPE]
    if kind not in REPORTS and not (len(fields) > DOOR and _DATE.fullmatch(fields[DATE])):
        answer.nothing.append(_text(fields, TYPE) or "a message without a type")
        return
    answer.add(own, _report(fields, kind, at))


def _report(fields: list[bytes], kind: bytes, at: int) -> NativePing:
    if len(fields) <= DOOR:
        raise FrameError(
            _byte(fields, len(fields) - 1, at), f"{_text(fields, TYPE)} ends before its lock's state"
        )
    if (valid := fields[VALID].strip()) not in (b"A", b"V"):
        raise FrameError(_byte(fields, VALID, at), f"{shown(valid)}: expected A or V")
    lat, lon = _place(fields, at) if valid == b"A" or fields[PLACE].strip() else (None, None)
    fact = FACTS.get(kind)
    return NativePing(
        _moment(fields, at),
        lon=lon,
        lat=lat,
        valid=valid == b"A",
        speed_kmh=_unless_empty(decimal, fields, SPEED, "speed", at),
        course_deg=_unless_empty(decimal, fields, COURSE, "course", at),
        satellites=_unless_empty(whole, fields, SATELLITES, "satellites", at),
        seq=_unless_empty(whole, fields, COUNT, "count", at),
        lock=LOCKS.get(fields[DOOR].strip().lower()),
        facts=[fact] if fact else None,
        cell=_cell(fields),
    )


def _unless_empty(
    read: Callable[[bytes, str, int], Number], fields: list[bytes], index: int, what: str, at: int
) -> Number | None:
    """A number that nobody needs: None where the seal leaves it empty."""
    text = fields[index].strip()
    return read(text, what, _byte(fields, index, at)) if text else None


def _moment(fields: list[bytes], at: int) -> dt.datetime:
    if fields[DATE] == UNSET:
        return CLOCK_UNSET
    date, time = _DATE.fullmatch(fields[DATE]), _TIME.fullmatch(fields[TIME])
    if not date:
        raise FrameError(_byte(fields, DATE, at), f"date {shown(fields[DATE])}: expected YYYY-MM-DD")
    if not time:
        raise FrameError(_byte(fields, TIME, at), f"time {shown(fields[TIME])}: expected hh:mm:ss")
    year, month, day = (int(part) for part in date.groups())
    if year not in YEARS:
        raise FrameError(_byte(fields, DATE, at), f"year {year}: expected one from {YEARS[0]} to {YEARS[-1]}")
    hour, minute, second = (int(part) for part in time.groups())
    try:
        return dt.datetime(year, month, day, hour, minute, second, tzinfo=dt.UTC)
    except ValueError as fault:
        raise FrameError(
            _byte(fields, DATE, at), f"time {shown(fields[DATE] + b' ' + fields[TIME])}: {fault}"
        ) from fault


def _place(fields: list[bytes], at: int) -> tuple[float, float]:
    found = _PLACE.fullmatch(fields[PLACE])
    if not found:
        raise FrameError(
            _byte(fields, PLACE, at),
            f"position {shown(fields[PLACE])}: expected degrees, as 20.864560N 106.681230E",
        )
    lat, lon = float(found[1]), float(found[3])
    return -lat if found[2] == b"S" else lat, -lon if found[4] == b"W" else lon


def _cell(fields: list[bytes]) -> Cell | None:
    """The signal, where the field is there and says one; nothing is lost without it."""
    text = fields[RSSI] if len(fields) > RSSI + 1 else b""
    return cell(float(text)) if re.fullmatch(rb"-\d{1,3}", text) else None


def _text(fields: list[bytes], index: int) -> str:
    return fields[index].decode("ascii", "backslashreplace").strip()[:64]


def _byte(fields: list[bytes], index: int, at: int) -> int:
    return at + sum(len(field) + 1 for field in fields[:index])


def _cut(stream: bytes | bytearray) -> Cut:
    """Frames end in ``E##``, mostly with a line's end behind, which belongs to none."""
    blank = len(stream) - len(stream.lstrip())
    if blank:
        return Cut(blank, garbage=True)
    if not stream.startswith(HEAD[: len(stream)]):
        following = stream.find(HEAD, 1)
        return Cut(following if following > 0 else len(stream), garbage=True)
    end = stream.find(TAIL, len(HEAD))
    return Cut(end + len(TAIL) if end >= 0 else 0)


def _device(frame: bytes) -> str | None:
    fields = frame.split(b",")
    return _text(fields, 2) if len(fields) > TYPE else None


def _acknowledgement(frame: bytes, now: dt.datetime) -> bytes | None:
    """Answer a report by its number; a ``Startup`` too, without the settings that may follow: the seal keeps its own."""
    del now
    fields = frame.split(b",")
    if len(fields) <= COUNT or fields[TYPE] not in REPORTS:
        return None
    return b",".join([*fields[:TYPE], fields[TYPE] + b" ACK", fields[COUNT], b"E##\r\n"])


FORMAT: Final = Format("eseal", decode, start=(HEAD,), link=Link(_cut, _device, _acknowledgement, MAX_BYTES))
