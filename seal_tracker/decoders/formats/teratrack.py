"""TeraTrack-style e-locks: one JSON object a report, every scalar a string, sub-locks in ``Slave``.

``DateTime`` is UTC, ``YYYY-MM-DD hh:mm:ss``. ``Latitude`` and ``Longitude`` are degrees, negative in the south and west;
some models leave the sign away and say it in ``LatitudeState`` and ``LongitudeState`` alone (1 north, 1 east, 0 the other),
so a 0 makes a positive number negative, as the letters S and W do. ``Speed`` is km/h, ``Power`` percent. Names occur in two spellings.

``LockStatus`` 1 is the motor locked, ``LockRope`` 1 the rope inserted: closed is both. ``LockOpen`` is the alarm of a lock
that is open for long. ``SealTampered`` is the vibration bit on some models, and is taken as no more than that. A report
tells of its sub-locks too: one that is cut or open makes its report say so, unless it was not heard (``STimeOut`` 1), when
what it says is of long ago.
"""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from typing import Any, Final

import msgspec

from seal_tracker.decoders.frame import Answer, Format, check_device
from seal_tracker.decoders.members import Members, decoded
from seal_tracker.decoders.native import YEARS, NativePing
from seal_tracker.decoders.reading import CHARGING, CLOCK_UNSET, cell, csq_dbm

__all__ = ["FORMAT"]

FACTS: Final = (
    ("rope_cut", ("LockCutOff",)),
    ("vibration", ("SealTampered", "SealTempered")),
    ("illegal_card", ("IllegalCard",)),
    ("wrong_password", ("PasswordError",)),
    ("cover_open", ("UnCoverBack",)),
    ("motor_stuck", ("LockStuck",)),
    ("low_battery", ("LowPower",)),
)
"""Facts in the order of the native ping's, each with the names that say it."""

SLAVE_FACTS: Final = (
    ("rope_cut", "SLockCutOff"),
    ("cover_open", "SUnCoverBack"),
    ("motor_stuck", "SLockStuck"),
)

UNSET: Final = "0000-00-00"

MARKS: Final = ("MDeviceID", "DateTime", "LockStatus", "Latitude")
"""Members by one of which it is a report; an object without any is none."""


def decode(payload: bytes, device: str | None = None) -> Answer:
    """Decode an object or an array of them; ``device`` must be its ``MDeviceID`` or its ``IMEI``."""
    return decoded(payload, lambda members, answer: _object(members, device, answer))


def _object(members: Members, device: str | None, answer: Answer) -> None:
    if not any(name in members.values for name in MARKS):
        raise members.wrong("MDeviceID", "the id of the lock")
    own, imei = members.text("MDeviceID"), members.text("IMEI")
    check_device([own or "", imei or ""], device, members.byte("MDeviceID"))
    lon, lat = _degrees(members, "Longitude"), _degrees(members, "Latitude")
    if (lon is None) != (lat is None):
        raise members.wrong("Latitude" if lat is None else "Longitude", "degrees")
    lock, facts = _lock(members)
    power = members.number("Power")
    if power == CHARGING or members.yes("Charging", "Charge"):
        facts.append("charging")
    gsm = members.whole("GSM")
    ping = NativePing(
        _time(members),
        lon=lon,
        lat=lat,
        valid=lon is not None and (lon, lat) != (0, 0) and members.yes("GpsState", "Located") is not False,
        speed_kmh=members.number("Speed"),
        course_deg=members.number("Direction", "Course"),
        satellites=members.whole("Satellites", "GPS"),
        battery_pct=None if power == CHARGING else power,
        seq=members.whole("Index"),
        lock=lock,
        facts=facts or None,
        cell=None if gsm is None else cell(csq_dbm(gsm)),
    )
    answer.add(own or imei, ping)


def _degrees(members: Members, name: str) -> float | None:
    value = members.number(name)
    if value is None:
        if members.text(name):
            raise members.wrong(name, "degrees")
        return None
    state = members.text(f"{name}State") or ""
    is_other = members.yes(f"{name}State") is False or state[:1].upper() in ("S", "W")
    return -value if is_other and value > 0 else value


def _lock(members: Members) -> tuple[str | None, list[str]]:
    """The worst that lock and sub-locks say, and the facts of all."""
    motor, rope = members.yes("LockStatus"), members.yes("LockRope")
    told = {fact for fact, names in FACTS if members.yes(*names)}
    long_open = members.yes("LockOpen")
    states = (motor, rope, None if long_open is None else not long_open)
    unclear = any(
        known is None and members.text(name) for known, name in ((motor, "LockStatus"), (rope, "LockRope"))
    )
    lock = "open" if False in states else "closed" if True in states and not unclear else None
    for slave in _slaves(members):
        told |= {fact for fact, name in SLAVE_FACTS if slave.yes(name)}
        if slave.yes("SLockOpen"):
            lock = "open"
    return "cut" if "rope_cut" in told else lock, [fact for fact, _ in FACTS if fact in told]


def _slaves(members: Members) -> list[Members]:
    """Sub-locks that were heard."""
    given: Any = members.values.get("Slave")
    if isinstance(given, str):  # every scalar is a string, and some make one of the list too
        with suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            given = msgspec.json.decode(given)
    slaves: list[Members] = []
    for each in given if isinstance(given, list) else [given]:
        if isinstance(each, dict):
            slave = Members(b"{}", members.byte("Slave"))
            slave.values = each
            slaves.append(slave)
    return [slave for slave in slaves if not slave.yes("STimeOut")]


def _time(members: Members) -> dt.datetime:
    text = members.text("DateTime") or ""
    if text.startswith(UNSET):
        return CLOCK_UNSET
    try:
        at = dt.datetime.fromisoformat(text.replace("/", "-"))
    except ValueError as fault:
        raise members.wrong("DateTime", "YYYY-MM-DD hh:mm:ss in UTC") from fault
    if at.year not in YEARS:
        raise members.wrong("DateTime", f"a year from {YEARS[0]} to {YEARS[-1]}")
    return at.replace(tzinfo=dt.UTC) if at.tzinfo is None else at.astimezone(dt.UTC)


FORMAT: Final = Format("teratrack", decode, start=(b"{", b"["))
