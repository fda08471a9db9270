"""What binary and text formats have in common: digits in halves of bytes, times, degrees and minutes, radio signals. Pure.

Every function takes the byte at which its value stands in the payload, and names it where the value is wrong.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

from seal_tracker.decoders.errors import FrameError
from seal_tracker.decoders.frame import shown
from seal_tracker.decoders.native import Cell

__all__ = [
    "CHARGING",
    "CLOCK_UNSET",
    "KMH_PER_KNOT",
    "battery_pct",
    "cell",
    "csq_dbm",
    "decimal",
    "digits",
    "minutes_deg",
    "moment",
    "whole",
]

KMH_PER_KNOT: Final = 1.852
"""By definition of the nautical mile."""

CHARGING: Final = 0xFF
"""What locks say in place of a battery's percentage while they are charged."""

CSQ_MAX: Final = 31
"""3GPP TS 27.007, +CSQ: 0 to 31 are -113 to -51 dBm, 99 is not known."""

MCC_MIN: Final = 200
CODE_MAX: Final = 999
"""ITU-T E.212: countries' codes are 200 to 799, those of test networks up to 999; networks' have up to three digits."""

CLOCK_UNSET: Final = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
"""What a time of nothing but zeros is taken as: a clock that was never set. It is before 2020, so that its ping is
dated to its arrival; what it says of the lock is not lost for want of a clock."""

_DECIMAL: Final = re.compile(rb"[+-]?\d{1,12}(?:\.\d{0,12})?", re.ASCII)
_WHOLE: Final = re.compile(rb"[+-]?\d{1,15}", re.ASCII)


def digits(data: bytes, at: int, size: int, what: str, byte: int) -> str:
    """Read ``size`` bytes at ``at`` as decimal digits, two a byte (BCD); ``byte`` is where ``data`` begins."""
    text = data[at : at + size].hex()
    if not text.isdigit():
        place = next(i for i, letter in enumerate(text) if not letter.isdigit()) // 2
        raise FrameError(byte + at + place, f"{what} {text}: expected a decimal digit in each half of a byte")
    return text


def moment(text: str, order: str, what: str, byte: int, zone: dt.tzinfo = dt.UTC) -> dt.datetime:
    """Take a time of twelve digits, two each of ``order`` (``DMY`` or ``YMD``), hour, minute and second; years are of 2000.

    ``text`` holds digits alone. What it says is in ``zone``; the answer is in UTC.
    """
    if text == "000000000000":
        return CLOCK_UNSET
    part = {letter: int(text[2 * i : 2 * i + 2]) for i, letter in enumerate(order)}
    hour, minute, second = int(text[6:8]), int(text[8:10]), int(text[10:12])
    try:
        at = dt.datetime(2000 + part["Y"], part["M"], part["D"], hour, minute, second, tzinfo=zone)
    except ValueError as fault:
        raise FrameError(byte, f"{what} {text}: {fault}") from fault
    return at if zone is dt.UTC else at.astimezone(dt.UTC)


def minutes_deg(text: str, whole_digits: int, what: str, byte: int) -> float:
    """Degrees of digits that say degrees, minutes and ten-thousandths of a minute: ``22348310`` is 22° 34.8310'."""
    minutes = int(text[whole_digits:])
    scale = int("1" + "0" * (len(text) - whole_digits - 2))
    if minutes >= 60 * scale:
        raise FrameError(byte, f"{what} {text}: has 60 minutes or more")
    return int(text[:whole_digits]) + minutes / (60 * scale)


def decimal(text: bytes, what: str, byte: int) -> float:
    """Read a decimal number of a text frame."""
    if not _DECIMAL.fullmatch(text):
        raise FrameError(byte, f"{what} {shown(text)}: expected a number")
    return float(text)


def whole(text: bytes, what: str, byte: int) -> int:
    """Read a whole number of a text frame."""
    if not _WHOLE.fullmatch(text):
        raise FrameError(byte, f"{what} {shown(text)}: expected a whole number")
    return int(text)


def cell(rssi_dbm: float | None, mcc: int | None = None, mnc: int | None = None) -> Cell | None:
    """How a device is heard: the signal, and the network by its country's and its own code where they are codes."""
    known = mcc is not None and mnc is not None and 0 <= mnc <= CODE_MAX and MCC_MIN <= mcc <= CODE_MAX
    carrier = f"{mcc:03}-{mnc:02}" if known else None
    return None if rssi_dbm is None and carrier is None else Cell(rssi_dbm, carrier)


def battery_pct(value: int) -> float | None:
    """Percent of a battery; None where the value is none, as while it is charged."""
    return float(value) if value <= 100 else None  # noqa: PLR2004 - per cent


def csq_dbm(value: int) -> float | None:
    """Signal in dBm of the number that modems give; None where it says that it is not known."""
    return -113.0 + 2 * value if 0 <= value <= CSQ_MAX else None
