"""flespi: JSON with dotted names, the same for every device that the gateway knows, https://flespi.com/kb.

An object, or an array of them. ``timestamp`` is seconds since 1970 in UTC, ``position.speed`` km/h, ``position.direction``
degrees, ``battery.level`` percent. Of a member that a device has several of, the names end in ``#n``; the plain name is
taken first, else the lowest number. ``…alarm``, ``…status`` and ``…event.trigger`` that are true become facts by the words
in their names, since each maker's differ; words that we do not know add nothing.
"""

from __future__ import annotations

import re
from typing import Any, Final

from seal_tracker.decoders.frame import Answer, Format, check_device
from seal_tracker.decoders.members import Members, decoded
from seal_tracker.decoders.native import NativePing
from seal_tracker.decoders.reading import cell

__all__ = ["FORMAT"]

_ROPE: Final = "(?:rope|wire|string|cable|shackle|rod|hasp|seal)"

FACTS: Final[tuple[tuple[str, re.Pattern[str]], ...]] = tuple(
    (fact, re.compile(pattern))
    for fact, pattern in (
        ("rope_cut", rf"(?:^|\.)(?:{_ROPE}(?:\b.*)?|lock\.)cut|broken\.{_ROPE}\b|(?:^|\.){_ROPE}\.broken"),
        ("shell_opened", r"(?:case|shell|housing)\.(?:open|tamper)|tamper"),
        ("cover_open", r"(?:cover|cap|lid)\.(?:open|remov|tamper)|uncover"),
        ("removed", r"(?:^|\.)(?:remov|detach|unplug|demount|dismount|dismantl|drop)"),
        ("vibration", r"vibrat|shock|knock"),
        ("illegal_card", r"(?:card|rfid).*(?:illegal|unauthori|invalid|unknown)|(?:illegal|unauthori|invalid).*(?:card|rfid)"),
        ("wrong_password", r"password.*(?:wrong|error|incorrect|invalid)|(?:wrong|incorrect|invalid).*password"),
        ("unlock_refused", r"unlock.*(?:refus|fail|denied|reject)"),
        ("motor_stuck", r"motor.*(?:stuck|fault|fail|error|malfunction|block)|stuck.*motor|lock\.stuck"),
        ("jamming", r"jamm"),
        ("charging", r"charging"),
        ("low_battery", r"battery\.low|low\.battery|battery.*\.low"),
        ("restarted", r"restart|reboot|power\.on\.event"),
    )
)  # fmt: skip
"""Which words in a name are which fact; the first that fits."""

_OTHERS: Final = re.compile(
    r"(?:^|\.)(?:sim|antenna|external|fuel|odometer|tacho\w*|driver|ble|bluetooth|beacon|tag|sensor)(?:\.|$)|battery\.(?:remov|detach|unplug)"
)
"""Names that speak of another thing than the seal: its own parts that are no lock, the vehicle's, and sensors beside it."""

OF_THE_SEAL: Final = frozenset({"shell_opened", "removed", "low_battery"})
"""Facts whose words other things have too, by which a SIM card taken out would be a seal taken off."""

_TOLD: Final = re.compile(r"(?:^|\.)(?:alarm|event|status|trigger)$|\.(?:alarm|event)\.")
"""Names whose truth says that something is so."""

_NOT: Final = re.compile(r"(?:enabl|disabl|cancel|restor|external\.powersource)")
"""Names that speak of settings, or of the end of something."""


def decode(payload: bytes, device: str | None = None) -> Answer:
    """Decode an object or an array of them; ``device`` must be its ``ident``."""
    return decoded(payload, lambda members, answer: _object(members, device, answer))


def _object(members: Members, device: str | None, answer: Answer) -> None:
    _unindexed(members)
    ident = members.text("ident")
    check_device([ident or ""], device, members.byte("ident"))
    at = members.epoch("timestamp")
    lon, lat = members.number("position.longitude"), members.number("position.latitude")
    if (lon is None) != (lat is None):
        raise members.wrong("position.latitude" if lat is None else "position.longitude", "degrees")
    facts = _facts(members.values)
    ping = NativePing(
        at,
        lon=lon,
        lat=lat,
        valid=members.yes("position.valid") if lon is not None else False,
        speed_kmh=members.number("position.speed"),
        course_deg=members.number("position.direction"),
        accuracy_m=members.number("position.accuracy"),
        satellites=members.whole("position.satellites"),
        battery_pct=members.number("battery.level"),
        seq=members.whole("event.seqnum"),
        lock=_lock(members, facts),
        facts=facts or None,
        buffered=members.yes("message.buffered.status"),
        cell=cell(members.number("gsm.signal.dbm"), members.whole("gsm.mcc"), members.whole("gsm.mnc")),
    )
    answer.add(ident, ping)


def _unindexed(members: Members) -> None:
    """Give members whose names end in ``#n`` their plain names as well, the lowest number first."""
    indexed: dict[str, tuple[int, Any]] = {}
    for name, value in members.values.items():
        plain, hash_, number = name.partition("#")
        if hash_ and number.isascii() and number.isdigit() and len(number) < 9:  # noqa: PLR2004 - an index, not a text
            indexed[plain] = min(
                indexed.get(plain, (int(number), value)), (int(number), value), key=lambda x: x[0]
            )
    for plain, (_, value) in indexed.items():
        members.values.setdefault(plain, value)


def _facts(values: dict[str, Any]) -> list[str]:
    found = {
        fact
        for name, value in values.items()
        if value is True and _TOLD.search(name) and not _NOT.search(name)
        for fact in [_fact(name)]
        if fact
    }
    return sorted(found)


def _fact(name: str) -> str | None:
    fact = next((fact for fact, words in FACTS if words.search(name)), None)
    return None if fact in OF_THE_SEAL and _OTHERS.search(name) else fact


def _lock(members: Members, facts: list[str]) -> str | None:
    """Its state by the names that say it is closed, else by those that say it is open."""
    if "rope_cut" in facts:
        return "cut"
    locked = members.yes("lock.status", "lock.locked.status", "locked.status", "lock.closed.status")
    if locked is None:
        is_open = members.yes(
            "lock.open.status", "lock.opened.status", "lock.unlocked.status", "unlocked.status"
        )
        locked = None if is_open is None else not is_open
    return None if locked is None else "closed" if locked else "open"


FORMAT: Final = Format("flespi", decode, start=(b"{", b"["))
