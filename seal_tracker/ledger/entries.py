"""What an entry is about: the journey and the unit that its event or action names. Pure."""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec

__all__ = ["About", "about"]


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


def about(entry: bytes) -> About:
    """Journey and unit of an entry; none of one that cannot be read."""
    try:
        read = _decode(entry)
    except msgspec.MsgspecError:
        return About(None, None)
    members: _Entry | _Members = read.data.properties if read.data is not None else read
    return About(members.journey, members.unit)
