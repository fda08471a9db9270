"""The members of JSON objects, with the byte at which each stands in the payload. Pure.

Formats of JSON differ in names and units; how their values may be written does not: a number as a number or as a
string of one, a yes or no as a boolean, 0 or 1, or a string of those.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec

from seal_tracker.decoders.errors import FrameError
from seal_tracker.decoders.frame import Answer, shown
from seal_tracker.decoders.native import YEARS

__all__ = ["Members", "decoded", "objects"]

_FIRST: Final = re.compile(rb"[\s/]*")
"""Blanks, and the path of a request that a gateway left before its body."""

_PLACE: Final = re.compile(r"\(byte (\d+)\)$")
"""How the JSON parser ends its text where it says where."""

_NUMBER: Final = re.compile(r"[+-]?\d{1,15}(?:\.\d{0,15})?(?:[eE][+-]?\d{1,2})?", re.ASCII)

_YES_NO: Final[dict[object, bool]] = {
    **dict.fromkeys((True, "1", "true", "yes", "on"), True),
    **dict.fromkeys((False, "0", "false", "no", "off"), False),
}
"""Also the numbers 1 and 0, which equal True and False."""

WHOLE_MAX: Final = 2**53
"""Beyond it a number of JSON is not the number that was meant."""

_anything: Final = msgspec.json.Decoder()
_elements: Final = msgspec.json.Decoder(list[msgspec.Raw])


class Members:
    """One object; ``at`` is where it begins in the payload, ``raw`` its bytes."""

    __slots__ = ("at", "raw", "values")

    def __init__(self, raw: bytes, at: int) -> None:
        self.raw = raw
        self.at = at
        values = _parsed(_anything, raw, at)
        if not isinstance(values, dict):
            raise FrameError(at, f"{shown(raw)}: expected a JSON object")
        self.values: dict[str, Any] = values

    def get(self, *names: str) -> Any:
        """Return the value of the first of the names that is there; None where none is."""
        for name in names:
            value = self.values.get(name)
            if value is not None:
                return value
        return None

    def byte(self, name: str) -> int:
        """Return where a member stands; where it is missing, the object."""
        return self.at + max(0, self.raw.find(f'"{name}"'.encode()))

    def wrong(self, name: str, expected: str) -> FrameError:
        """Say that a member is wrong, or missing."""
        if name not in self.values:
            return FrameError(self.at, f"{name} is missing: expected {expected}")
        return FrameError(self.byte(name), f"{name} {shown(self.values[name])}: expected {expected}")

    def number(self, *names: str) -> float | None:
        """Return a number; None where it is absent or none."""
        value = self.get(*names)
        if isinstance(value, str):
            value = float(value) if _NUMBER.fullmatch(value.strip()) else None
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return float(value) if -WHOLE_MAX <= value <= WHOLE_MAX else None

    def needed(self, name: str, expected: str = "a number") -> float:
        """Return a number without which there is no ping."""
        value = self.number(name)
        if value is None or not math.isfinite(value):
            raise self.wrong(name, expected)
        return value

    def whole(self, *names: str) -> int | None:
        """Return a whole number; None where it is absent or none."""
        value = self.number(*names)
        return None if value is None or value != int(value) else int(value)

    def yes(self, *names: str) -> bool | None:
        """Return a yes or no; None where it is absent or neither."""
        value = self.get(*names)
        return (
            _YES_NO.get(value.strip().lower() if isinstance(value, str) else value)
            if isinstance(value, str | int)
            else None
        )

    def text(self, *names: str) -> str | None:
        """Return a string, or a whole number as one; None where it is absent, empty or neither."""
        value = self.get(*names)
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= WHOLE_MAX:
            value = str(value)
        return (value.strip() or None) if isinstance(value, str) else None

    def epoch(self, name: str) -> dt.datetime:
        """Return a time given in seconds since 1970."""
        seconds = self.needed(name, "seconds since 1970-01-01 UTC")
        try:
            at = dt.datetime.fromtimestamp(seconds, dt.UTC)
        except (OverflowError, ValueError, OSError) as fault:
            raise self.wrong(name, "seconds since 1970-01-01 UTC") from fault
        if at.year not in YEARS:
            raise self.wrong(name, f"a year from {YEARS[0]} to {YEARS[-1]}")
        return at


def decoded(payload: bytes, one: Callable[[Members, Answer], None]) -> Answer:
    """What a format makes of an object, or of each of an array of them; one that is at fault leaves the others standing."""
    answer = Answer()
    for at, raw in objects(payload):
        try:
            one(Members(raw, at), answer)
        except FrameError as error:
            answer.fault(error, raw)
    return answer.closed(payload)


def objects(payload: bytes) -> Iterator[tuple[int, bytes]]:
    """Give an object, or each element of an array of them: the byte at which it begins, and its bytes.

    Raises
    ------
    FrameError
        The payload is empty, or an array that is no JSON.
    """
    first = _FIRST.match(payload)
    begin = first.end() if first else 0
    body = payload[begin:]
    if not body:
        raise FrameError(0, "payload is empty: expected a JSON object or an array of them")
    if body[:1] != b"[":
        yield begin, body
        return
    place = begin
    for element in _parsed(_elements, body, begin):
        raw = bytes(element)
        place = payload.find(raw, place)
        yield place, raw
        place += len(raw)


def _parsed(decoder: msgspec.json.Decoder[Any], raw: bytes, at: int) -> Any:
    try:
        return decoder.decode(raw)
    except msgspec.MsgspecError as error:
        found = _PLACE.search(str(error))
        byte = at + (int(found[1]) if found else len(raw) if "truncated" in str(error) else 0)
        raise FrameError(byte, f"is no JSON: {error}") from error
    except UnicodeDecodeError as error:
        raise FrameError(at + error.start, f"is no UTF-8: {error.reason}") from error
    except RecursionError as error:
        raise FrameError(at, "is nested too deeply: expected a JSON object or an array of them") from error
