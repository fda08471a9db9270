"""What an entry is: an event with its sequence, or what a person did; and which journey and unit it names. Pure."""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec

__all__ = ["About", "about", "sequence_of"]


class About(NamedTuple):
    """Whose entry it is; None where it names none."""

    journey: str | None
    unit: str | None


class _Members(msgspec.Struct):
    journey: str | None = None
    unit: str | None = None


class _Feature(msgspec.Struct):
    properties: _Members


class _Entry(msgspec.Struct):
    """An action names them itself, an event in its data."""

    journey: str | None = None
    unit: str | None = None
    data: _Feature | None = None


_decode: Final = msgspec.json.Decoder(_Entry).decode
ACTION: Final = b'{"action":'
SEQUENCE: Final = b'"sequence":"'
SEQUENCE_DIGITS: Final = 20


def about(entry: bytes) -> About:
    """Journey and unit of an entry; none of one that cannot be read."""
    try:
        read = _decode(entry)
    except msgspec.MsgspecError:
        return About(None, None)
    members: _Entry | _Members = read.data.properties if read.data is not None else read
    return About(members.journey, members.unit)


def sequence_of(entry: bytes) -> int | None:
    """The sequence of an event; None: the entry is an action, or none at all.

    Reading the JSON would take ten times as long; our own events say it before their data, and nothing like it earlier.
    """
    at = -1 if entry.startswith(ACTION) else entry.find(SEQUENCE)
    digits = entry[at + len(SEQUENCE) : at + len(SEQUENCE) + SEQUENCE_DIGITS]
    return int(digits) if at >= 0 and digits.isdigit() else None
