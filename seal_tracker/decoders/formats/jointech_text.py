"""Text frames of Jointech devices: from the fields between two brackets to a ping, by the word that says what they are."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from functools import reduce
from operator import xor
from typing import Final

from seal_tracker.decoders.errors import FrameError
from seal_tracker.decoders.frame import shown
from seal_tracker.decoders.native import NativePing
from seal_tracker.decoders.reading import battery_pct, cell, csq_dbm, decimal, moment, whole

__all__ = ["WORDS", "words_of"]

KMH_PER_MPH: Final = 1.609344

Read = Callable[[list[bytes], int, bytes, int], NativePing]
"""Fields, the index of the word, the frame, where it begins in the payload."""

WORD_MAX: Final = 4
"""Fields after the id in which the word is looked for; numbers may stand before it."""

_WORD: Final = re.compile(rb"[A-Za-z@][A-Za-z0-9@-]{1,15}")
_SIX: Final = re.compile(rb"\d{6}", re.ASCII)
_MINUTES: Final = re.compile(rb"(\d{2,3})(\d\d\.\d{1,6})", re.ASCII)
_CHECK: Final = re.compile(rb"[0-9A-Fa-f]{2}")

OK_RESULTS: Final = frozenset({*range(1, 11), 98})
"""Of an unlocking: 1 passed or, up to 10, the fence it was in; 98 passed, no fence asked. 0 refused, 99 refused by the fence."""

CARD, ILLEGAL_CARD, STATIC, LOCKED, DYNAMIC, BLUETOOTH = 1, 2, 4, 5, 6, 7


def words_of(frame: bytes, at: int) -> tuple[list[bytes], int]:
    """Split a text frame into its fields, and find the one that says what it is.

    Raises
    ------
    FrameError
        There is no such word.
    """
    fields = frame[1 : frame.rfind(b")")].split(b",")
    for index, field in enumerate(fields[1 : WORD_MAX + 1], 1):
        if _WORD.fullmatch(field):
            return fields, index
    raise FrameError(at + len(fields[0]) + 1, f"{shown(frame)}: expected an id and a word such as P45")


def _byte(fields: list[bytes], index: int, at: int) -> int:
    """Where a field begins in the payload; one that is missing, where the frame ends."""
    return at + 1 + sum(len(field) + 1 for field in fields[:index]) - (index >= len(fields))


def _field(fields: list[bytes], index: int, what: str, at: int) -> bytes:
    if index >= len(fields):
        raise FrameError(
            _byte(fields, index, at), f"{what} is missing: the frame ends after {len(fields)} fields"
        )
    return fields[index].strip()


def _time(fields: list[bytes], index: int, at: int) -> dt.datetime:
    for i, what in ((index, "date"), (index + 1, "time")):
        if not _SIX.fullmatch(_field(fields, i, what, at)):
            raise FrameError(_byte(fields, i, at), f"{what} {shown(fields[i])}: expected six digits")
    text = (fields[index].strip() + fields[index + 1].strip()).decode()
    return moment(text, "DMY", "time", _byte(fields, index, at))


def _degrees(fields: list[bytes], index: int, letters: bytes, what: str, at: int) -> float:
    """A coordinate and its hemisphere, the field behind it; the second of the two letters is negative."""
    value = decimal(_field(fields, index, what, at), what, _byte(fields, index, at))
    return _signed(value, fields, index + 1, letters, what, at)


def _minutes(fields: list[bytes], index: int, letters: bytes, what: str, at: int) -> float:
    """A coordinate in degrees and minutes together, and its hemisphere."""
    found = _MINUTES.fullmatch(_field(fields, index, what, at))
    if not found or float(found[2]) >= 60:  # noqa: PLR2004 - minutes of a degree
        raise FrameError(
            _byte(fields, index, at), f"{what} {shown(fields[index])}: expected degrees and minutes"
        )
    return _signed(int(found[1]) + float(found[2]) / 60, fields, index + 1, letters, what, at)


def _signed(value: float, fields: list[bytes], index: int, letters: bytes, what: str, at: int) -> float:
    letter = _field(fields, index, f"hemisphere of the {what}", at)
    if len(letter) != 1 or letter not in letters:
        raise FrameError(
            _byte(fields, index, at),
            f"{shown(letter)}: expected {letters[:1].decode()} or {letters[1:].decode()}",
        )
    if value < 0 and letter != letters[1:]:
        raise FrameError(_byte(fields, index, at), f"{shown(letter)}: contradicts the {what} {value:g}")
    return -abs(value) if letter == letters[1:] else value


def _flag(fields: list[bytes], index: int, letters: bytes, at: int) -> bool:
    letter = _field(fields, index, "whether it is a fix", at)
    if len(letter) != 1 or letter not in letters:
        raise FrameError(
            _byte(fields, index, at),
            f"{shown(letter)}: expected {letters[:1].decode()} or {letters[1:].decode()}",
        )
    return letter == letters[:1]


def _known(fields: list[bytes], index: int) -> bool:
    """Whether a field says anything: devices leave empty what they do not know, and older ones leave out the last."""
    return index < len(fields) and bool(fields[index].strip())


def _place(
    fields: list[bytes], index: int, at: int, read: Callable[..., float], *, valid: bool
) -> tuple[float | None, float | None]:
    """Latitude and longitude, each with its hemisphere; None where they are left empty for want of a fix."""
    if not valid and not any(_known(fields, i) for i in range(index, index + 4)):
        return None, None
    lat = read(fields, index, b"NS", "latitude", at)
    return lat, read(fields, index + 2, b"EW", "longitude", at)


def _number(fields: list[bytes], index: int, what: str, at: int) -> float | None:
    """A number that nobody needs: None where it is left empty."""
    return decimal(fields[index].strip(), what, _byte(fields, index, at)) if _known(fields, index) else None


def _count(fields: list[bytes], index: int, what: str, at: int) -> int | None:
    """A whole number that nobody needs."""
    return whole(fields[index].strip(), what, _byte(fields, index, at)) if _known(fields, index) else None


def _whole(fields: list[bytes], index: int, what: str, at: int) -> int:
    return whole(_field(fields, index, what, at), what, _byte(fields, index, at))


def _p45(fields: list[bytes], index: int, frame: bytes, at: int) -> NativePing:
    """Somebody locked or unlocked: source, result, card, whether the password was right, wrong ones, serial."""
    del frame
    i = index + 1
    source, result = _whole(fields, i + 9, "source", at), _whole(fields, i + 10, "result", at)
    right = _count(fields, i + 12, "password", at) or 0
    lock, facts = _deed(source, result, right)
    valid = _flag(fields, i + 6, b"AV", at)
    lat, lon = _place(fields, i + 2, at, _degrees, valid=valid)
    return NativePing(
        _time(fields, i, at),
        lat=lat,
        lon=lon,
        valid=valid,
        speed_kmh=_number(fields, i + 7, "speed", at),
        course_deg=_number(fields, i + 8, "course", at),
        seq=_count(fields, i + 14, "serial", at),
        lock=lock,
        facts=facts or None,
    )


def _deed(source: int, result: int, right: int) -> tuple[str | None, list[str]]:
    """What became of the lock, and the facts: a refusal says nothing of its state."""
    if source == LOCKED:
        return "closed", []
    if source == ILLEGAL_CARD:
        return None, ["illegal_card", "unlock_refused"]
    if source in (STATIC, DYNAMIC, BLUETOOTH) and result == 0 and right == 0:
        return None, ["wrong_password", "unlock_refused"]
    if source not in (CARD, STATIC, DYNAMIC, BLUETOOTH):
        return None, []
    # A static password's result may be left 0: then its own field says that it was right.
    passed = result in OK_RESULTS or (source != CARD and result == 0 and right == 1)
    return ("open", ["unlock_ok"]) if passed else (None, ["unlock_refused"])


def _u01(fields: list[bytes], index: int, frame: bytes, at: int) -> NativePing:
    i = index + 1
    if fields[index] == b"U06":  # its first field is the reason
        i += 1
    _check(fields, i + 16, frame, at)
    percent = fields[i + 10].strip().removesuffix(b"%") if _known(fields, i + 10) else b""
    valid = _flag(fields, i + 2, b"TF", at)
    lat, lon = _place(fields, i + 3, at, _degrees, valid=valid)
    speed, signal = _number(fields, i + 7, "speed", at), _count(fields, i + 14, "signal", at)
    return NativePing(
        _time(fields, i, at),
        lat=lat,
        lon=lon,
        valid=valid,
        speed_kmh=None if speed is None else round(speed * KMH_PER_MPH, 2),
        course_deg=_number(fields, i + 8, "course", at),
        satellites=_count(fields, i + 9, "satellites", at),
        battery_pct=battery_pct(whole(percent, "battery", _byte(fields, i + 10, at))) if percent else None,
        seq=_count(fields, i + 16, "serial", at),
        cell=None if signal is None else cell(csq_dbm(signal)),
    )


def _check(fields: list[bytes], serial: int, frame: bytes, at: int) -> None:
    """Compare the checksum, where one field of two hexadecimal digits is behind the serial: XOR from the id to its comma."""
    if len(fields) != serial + 2 or not _CHECK.fullmatch(fields[-1]) or fields[1] == b"U06":
        return
    told = int(fields[-1], 16)
    place = frame.rfind(b",") + 1
    found = reduce(xor, frame[1:place])
    if told != found:
        raise FrameError(at + place, f"checksum {told:02X}: expected {found:02X}")


def _w01(fields: list[bytes], index: int, frame: bytes, at: int) -> NativePing:
    del frame
    i = index + 1
    return NativePing(
        _time(fields, i + 5, at),
        lon=_minutes(fields, i, b"EW", "longitude", at),
        lat=_minutes(fields, i + 2, b"NS", "latitude", at),
        valid=_flag(fields, i + 4, b"AV", at),
        speed_kmh=_number(fields, i + 7, "speed", at),
        course_deg=_number(fields, i + 8, "course", at),
        satellites=_count(fields, i + 10, "satellites", at),
    )


WORDS: Final[dict[bytes, Read]] = {
    b"P45": _p45,
    b"U01": _u01,
    b"U02": _u01,
    b"U03": _u01,
    b"U06": _u01,
    b"W01": _w01,
}
"""What reads the frames of each word that holds a position."""
