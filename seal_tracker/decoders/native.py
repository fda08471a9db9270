"""The native ping, JSON over MQTT: one object, or an array of them when a seal empties its buffer.

Pure and without state. A payload that is right costs one typed pass in C; only a payload that is wrong is looked at
member by member, to say what was wrong with it. Wrong *types* are faults, members we do not know are ignored, and
words we do not know (a new kind of fact, say) leave their ping standing: a rope cut must not be lost because newer
firmware also reports something else. ``decoders.columns`` counts such words.

Payloads come from outside. Whatever they hold, ``decode`` answers or raises ``DecodeError``.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, NamedTuple

import msgspec

from seal_tracker.decoders.errors import DecodeError

__all__ = ["MAX_FAULTS", "Cell", "Decoded", "Fault", "NativePing", "decode"]

MAX_FAULTS = 100
"""Faulty elements of one array told one by one; a hostile array of millions must not become millions of dead letters.
The rest become one fault that carries the whole payload, so nothing is lost."""

MAX_SHOWN = 60
"""Characters of a wrong value quoted in a reason; enough to recognise it, too few to flood a log."""

YEARS = range(1970, 2200)
"""Years a fix may say. What lies outside is no clock that is wrong but a number that is none, and would overflow the
calendar of whoever reads it later."""

Aware = Annotated[dt.datetime, msgspec.Meta(tz=True)]


class Cell(msgspec.Struct, gc=False):
    """The cell the seal reported through; ``carrier`` is the network that it is of, such as ``452-04``."""

    rssi_dbm: float | None = None
    carrier: Any = None


class NativePing(msgspec.Struct, gc=False, omit_defaults=True):
    """A ping as sent, units in the names; None where absent. Ranges are not checked here, see ``columns``.

    ``seal`` and ``id`` are optional and must repeat the topic's seal; ``received`` is an arrival time that only
    exercise spaces believe. ``gateway`` and ``cell.carrier`` may be anything: what is no name there is no reason to lose a ping.
    """

    time: Aware
    lon: float | None = None
    lat: float | None = None
    valid: bool | None = None
    speed_kmh: float | None = None
    course_deg: float | None = None
    accuracy_m: float | None = None
    satellites: int | None = None
    battery_pct: float | None = None
    seq: int | None = None
    lock: str | None = None
    facts: list[str] | None = None
    mode: str | None = None
    interval_s: float | None = None
    buffered: bool | None = None
    cell: Cell | None = None
    gateway: Any = None
    seal: Any = None
    id: Any = None
    received: Aware | None = None


class Fault(NamedTuple):
    """A part of a payload that became no ping: the element it was (None: the payload), why, and its bytes."""

    element: int | None
    reason: str
    payload: bytes


class Decoded(NamedTuple):
    """What a payload held: the good pings in their order, and a fault for each element that was none."""

    pings: list[NativePing]
    faults: list[Fault]


def decode(payload: bytes, seal: str | None = None) -> Decoded:
    """Decode one payload: an object or an array of objects, UTF-8 JSON.

    Parameters
    ----------
    payload
        The bytes as received. An empty array is no ping and no fault.
    seal
        The seal that the topic names; a ping that says it is another's is a fault. None: not compared.

    Returns
    -------
    Decoded
        Good pings and faults, both in the payload's order.

    Raises
    ------
    DecodeError
        Where a single object is wrong, or the payload is no JSON, no UTF-8 or nested beyond all sense.
    """
    try:
        pings: list[NativePing] = _read(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _decode_slowly(payload, seal)
    if all(_complete(ping) and _is_of(ping, seal) and _in_calendar(ping) for ping in pings):
        return Decoded(pings, [])
    return _decode_slowly(payload, seal)


_typed = msgspec.json.Decoder(NativePing | list[NativePing])
_single = msgspec.json.Decoder(NativePing)
_elements = msgspec.json.Decoder(list[msgspec.Raw])
_anything = msgspec.json.Decoder()


def _read(payload: bytes) -> list[NativePing]:
    value = _typed.decode(payload)
    return value if isinstance(value, list) else [value]


def _complete(ping: NativePing) -> bool:
    """Whether the required members are there: a position, or the word that there is none."""
    return (ping.lon is not None and ping.lat is not None) or ping.valid is False


def _in_calendar(ping: NativePing) -> bool:
    return ping.time.year in YEARS and (ping.received is None or ping.received.year in YEARS)


def _is_of(ping: NativePing, seal: str | None) -> bool:
    if seal is None or (ping.seal is None and ping.id is None):
        return True
    return ping.seal in (None, seal) and ping.id in (None, seal)


def _decode_slowly(payload: bytes, seal: str | None) -> Decoded:
    """Decode a payload known to be wrong somewhere, telling where."""
    if not payload.strip():
        raise DecodeError("payload is empty: expected a JSON object or an array of them")
    if payload.lstrip()[:1] != b"[":
        ping = _one(payload, seal)
        if isinstance(ping, str):
            raise DecodeError(ping)
        return Decoded([ping], [])
    try:
        elements: list[msgspec.Raw] = _elements.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise DecodeError(_not_json(error)) from error
    return _decode_elements(payload, elements, seal)


def _decode_elements(payload: bytes, elements: list[msgspec.Raw], seal: str | None) -> Decoded:
    pings: list[NativePing] = []
    faults: list[Fault] = []
    untold = 0
    for index, element in enumerate(elements):
        raw = bytes(element)
        ping = _one(raw, seal, explain=len(faults) < MAX_FAULTS)
        if not isinstance(ping, str):
            pings.append(ping)
        elif len(faults) < MAX_FAULTS:
            faults.append(Fault(index, f"element {index}: {ping}", raw))
        else:
            untold += 1
    if untold:
        faults.append(Fault(None, f"{untold} more faulty elements after the first {MAX_FAULTS}", payload))
    return Decoded(pings, faults)


def _one(raw: bytes, seal: str | None, *, explain: bool = True) -> NativePing | str:
    """A ping, or the reason why there is none."""
    try:
        ping = _single.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        return _why(raw, error) if explain else "faulty"
    if not _complete(ping):
        missing = "lon" if ping.lon is None else "lat"
        return f"{missing} is missing: expected lon and lat, or valid false"
    if not _is_of(ping, seal):
        member, value = ("seal", ping.seal) if ping.seal not in (None, seal) else ("id", ping.id)
        return f"{member} {_shown(value)}: names another seal than the topic, which says {_shown(seal)}"
    if not _in_calendar(ping):
        member, moment = ("time", ping.time) if ping.time.year not in YEARS else ("received", ping.received)
        return f"{member} {_shown(moment)}: must be from {YEARS[0]} to {YEARS[-1]}"
    return ping


def _not_json(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "payload is nested too deeply: expected a JSON object or an array of them"
    if isinstance(error, UnicodeDecodeError):
        return f"payload is not UTF-8: {error.reason} at byte {error.start}"
    return f"payload is not JSON: {error}"


_NUMBERS = ("lon", "lat", "speed_kmh", "course_deg", "accuracy_m", "battery_pct", "interval_s")
_WHOLE_NUMBERS = ("satellites", "seq")
_YES_NO = ("valid", "buffered")
_WORDS = ("lock", "mode")


def _why(raw: bytes, error: Exception) -> str:
    """Which member of a refused object is wrong, its value, and what was expected."""
    try:
        value = _anything.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as malformed:
        return _not_json(malformed)
    if not isinstance(value, dict):
        return f"{_shown(value)}: expected a JSON object"
    for member, given in value.items():
        if expected := _expected(member, given):
            return f"{member} {_shown(given)}: {expected}"
    if "time" not in value:
        return "time is missing: expected ISO 8601 with a zone, such as 2026-11-22T03:00:00Z"
    return str(error)


def _expected(member: str, value: Any) -> str | None:
    """What the member must be, where the value is not that."""
    if member in ("time", "received"):
        return _expected_time(member, value)
    if value is None:
        return None
    number = isinstance(value, int | float) and not isinstance(value, bool)
    whole = number and isinstance(value, int)
    checks: tuple[tuple[bool, str], ...] = (
        (member in _NUMBERS and not number, "must be a number"),
        (member in _WHOLE_NUMBERS and not whole, "must be a whole number"),
        (member in _YES_NO and not isinstance(value, bool), "must be true or false"),
        (member in _WORDS and not isinstance(value, str), "must be a string"),
        (member == "facts" and not _is_words(value), "must be an array of strings"),
        (member == "cell" and not isinstance(value, dict), "must be an object"),
        (member == "cell" and _bad_rssi(value), "rssi_dbm must be a number"),
    )
    return next((expected for wrong, expected in checks if wrong), None)


def _expected_time(member: str, value: Any) -> str | None:
    if value is None and member == "received":
        return None
    try:
        moment = msgspec.convert(value, dt.datetime)
    except msgspec.ValidationError:
        return "must be ISO 8601 with a zone, such as 2026-11-22T03:00:00Z"
    return "must state its zone, such as Z or +07:00" if moment.tzinfo is None else None


def _is_words(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(word, str) for word in value)


def _bad_rssi(cell: Any) -> bool:
    rssi = cell.get("rssi_dbm") if isinstance(cell, dict) else None
    return rssi is not None and (isinstance(rssi, bool) or not isinstance(rssi, int | float))


def _shown(value: Any) -> str:
    try:
        text = msgspec.json.encode(value).decode()
    except (msgspec.MsgspecError, RecursionError, OverflowError, TypeError, ValueError):
        text = f"a {type(value).__name__} beyond quoting"
    return text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "…"
