"""The body of a JT/T 808 position report: 28 bytes that all share, then items of an id, a length and a value. Pure.

::

    alarms: 4 │ status: 4 │ latitude: 4 │ longitude: 4 │ metres: 2 │ 0.1 km/h: 2 │ degrees: 2 │ YYMMDDhhmmss, GMT+8 │ items

Latitude and longitude are millionths of a degree; status bits 2 and 3 make them south and west, bit 1 says that it is a
fix. Makers give items of their own meaning: one is read where its length is the one we know, else passed over. What
the lock's state is called is known of Jointech's locks (JT701D, JT709): status bit 20 is the rope pulled, 21 the motor
unlocked, and item 0x0B somebody's unlocking; they are told from other devices by their items, as the padlocks of
``jt808_padlock`` are. A status that nobody explains leaves the lock unknown.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

from seal_tracker.decoders.errors import FrameError
from seal_tracker.decoders.formats.jt808_padlock import padlock_deed
from seal_tracker.decoders.native import NativePing
from seal_tracker.decoders.reading import CHARGING, battery_pct, cell, csq_dbm, digits, moment

__all__ = ["BASE_BYTES", "ZONE", "event_of", "items_of", "report"]

BASE_BYTES: Final = 28

ZONE: Final = dt.timezone(dt.timedelta(hours=8))
"""The standard's: every time in it is GMT+8, wherever the device is."""

POSITIONED, SOUTH, WEST, ROPE_OUT, MOTOR_OPEN = 1 << 1, 1 << 2, 1 << 3, 1 << 20, 1 << 21

LOW_BATTERY, COVER_OPEN = 1 << 7, 1 << 16
"""Alarms; the second is Jointech's, others use its bit for something else."""

SIGNAL, SATELLITES, EVENT, EXTENDED = 0x30, 0x31, 0x0B, 0xEB

NETWORK: Final = {(0xFD, 9): 1, (0xFD, 10): 2}
"""Country's code 2, network's of so many bytes, cell 4, area 2."""

BATTERY_ITEMS: Final = {(0xD4, 1): 0, (0xFE, 1): 0, (0xE4, 2): 1, (0x56, 2): 1}
"""Items that hold a battery's percentage, by id and length: which of their bytes it is."""

BATTERY_TENTHS: Final = (0x56, 2)
"""An item that some devices fill with a level from 1 to 10 and what is no percentage, others with the level and the percentage."""

LEVEL_MAX: Final = 10

SUB_LOCKS, SUB_LOCK_BYTES, SUB_LOCK_OPEN = 0xD5, 13, 1 << 5
"""What a lock has heard of its sub-locks: their number, and for each its id 5, a card 5, battery, status 2. Two bytes long it is a voltage."""

EXTENDED_BATTERY: Final = 0x00A8
"""In item 0xEB, whose value is again items, of a length of two bytes and an id of two."""

LOCK_ITEMS: Final = frozenset({(0xFD, 9), (0xFD, 10), (0xFE, 4), (0xF9, 2)})
"""Of Jointech's locks; with item 0xD4 of one byte or 0x0B they tell them from others."""

ROPE, ROPE_IN = (0xDA, 3), 1 << 0
"""Of a lock without a motor (JT707): how often its rope was opened 2, and its state, which the report's status does not say."""

UNLOCK_EVENTS: Final = frozenset({0x01, 0x02, 0x03, 0x05, 0x1E, 0x1F, 0x22})
"""Somebody unlocked by password, telephone or card; the last byte says with what result."""

PASSWORD_EVENTS: Final = frozenset({0x06, 0x07, 0x08, 0x10, 0x11, 0x18, 0x19, 0x20, 0x28, 0x29})
"""Somebody tried, and was refused."""

ILLEGAL_CARD_EVENT: Final = 0x23
REFUSED: Final = 0xFF


def report(body: bytes, byte: int, *, buffered: bool = False) -> NativePing:
    """Read one report; ``byte`` is where it begins in the message without its escapes."""
    if len(body) < BASE_BYTES:
        raise FrameError(
            byte + len(body), f"a position report of {len(body)} bytes: expected {BASE_BYTES} and more"
        )
    alarms, status = int.from_bytes(body[0:4], "big"), int.from_bytes(body[4:8], "big")
    lat, lon = int.from_bytes(body[8:12], "big") / 1e6, int.from_bytes(body[12:16], "big") / 1e6
    ping = NativePing(
        moment(digits(body, 22, 6, "time", byte), "YMD", "time", byte + 22, ZONE),
        lon=-lon if lon and status & WEST else lon,
        lat=-lat if lat and status & SOUTH else lat,
        valid=bool(status & POSITIONED),
        speed_kmh=int.from_bytes(body[18:20], "big") / 10,
        course_deg=float(int.from_bytes(body[20:22], "big")),
        buffered=buffered,
    )
    items = items_of(body[BASE_BYTES:])
    facts = ["low_battery"] if alarms & LOW_BATTERY else []
    _measures(ping, items, facts)
    if is_lock(items):
        _lock(ping, status, alarms, items, facts)
    _sub_locks(ping, items)
    deed = padlock_deed(items)
    ping.lock = deed.lock or ping.lock
    facts += deed.facts
    ping.facts = list(dict.fromkeys(facts)) or None
    return ping


def items_of(body: bytes) -> dict[tuple[int, int], bytes]:
    """Take apart what follows the report, by id and length; a rest that is no whole item is passed over."""
    items: dict[tuple[int, int], bytes] = {}
    at = 0
    while at + 2 <= len(body):
        size = body[at + 1]
        if at + 2 + size > len(body):
            break
        items[body[at], size] = body[at + 2 : at + 2 + size]
        at += 2 + size
    return items


def is_lock(items: dict[tuple[int, int], bytes]) -> bool:
    """Whether these are the items of one of Jointech's locks."""
    return ((0xD4, 1) in items or any(item == EVENT for item, _ in items)) and not LOCK_ITEMS.isdisjoint(
        items
    )


def event_of(value: bytes) -> tuple[str | None, list[str]]:
    """What somebody did to a lock: its state after it, and the facts. The value is the deed, with what, and the result."""
    if not value:
        return None, []
    deed, result = value[0], value[-1]
    if deed == ILLEGAL_CARD_EVENT:
        return None, ["illegal_card", "unlock_refused"]
    if deed in PASSWORD_EVENTS:
        return None, ["wrong_password", "unlock_refused"]
    if deed not in UNLOCK_EVENTS:
        return None, []
    says_result = len(value) % 2 == 0  # a deed, a card of 4 or a password of 6, and the result
    return (None, ["unlock_refused"]) if says_result and result == REFUSED else ("open", ["unlock_ok"])


def _measures(ping: NativePing, items: dict[tuple[int, int], bytes], facts: list[str]) -> None:
    """Battery, satellites and signal."""
    signal = items.get((SIGNAL, 1))
    ping.cell = cell(csq_dbm(signal[0]) if signal else None, *_network(items))
    if satellites := items.get((SATELLITES, 1)):
        ping.satellites = satellites[0]
    for item, place in BATTERY_ITEMS.items():
        if value := items.get(item):
            tenths = item == BATTERY_TENTHS and value[0] <= LEVEL_MAX and not battery_pct(value[1])
            ping.battery_pct = battery_pct(value[0] * 10 if tenths else value[place])
            if value[place] == CHARGING and not tenths:
                facts.append("charging")
            return
    extended = next((value for (item, _), value in items.items() if item == EXTENDED), b"")
    if battery := _extended(extended, EXTENDED_BATTERY):
        ping.battery_pct = battery_pct(battery[0])


def _network(items: dict[tuple[int, int], bytes]) -> tuple[int, int] | tuple[None, None]:
    """Country's and network's code."""
    for item, size in NETWORK.items():
        if value := items.get(item):
            return int.from_bytes(value[:2], "big"), int.from_bytes(value[2 : 2 + size], "big")
    return None, None


def _extended(value: bytes, wanted: int) -> bytes:
    """The value of an item within the extended item; empty where it is not there."""
    at = 0
    while at + 4 <= len(value):
        size = max(
            2, int.from_bytes(value[at : at + 2], "big")
        )  # of what follows, its id of two bytes included
        if int.from_bytes(value[at + 2 : at + 4], "big") == wanted:
            return value[at + 4 : at + 2 + size]
        at += 2 + size
    return b""


def _lock(
    ping: NativePing, status: int, alarms: int, items: dict[tuple[int, int], bytes], facts: list[str]
) -> None:
    """State and facts of a lock: what its status says, and what somebody has just done."""
    rope = items.get(ROPE)
    is_open = not rope[2] & ROPE_IN if rope else status & (ROPE_OUT | MOTOR_OPEN)
    ping.lock = "open" if is_open else "closed"
    if alarms & COVER_OPEN:
        facts.append("cover_open")
    for (item, _), value in items.items():
        if item == EVENT:
            lock, told = event_of(value)
            ping.lock = lock or ping.lock
            facts += told


def _sub_locks(ping: NativePing, items: dict[tuple[int, int], bytes]) -> None:
    """A sub-lock that is open opens its lock; all closed close one that says nothing of itself."""
    for (item, size), value in items.items():
        if item != SUB_LOCKS or not size or not value[0] or size != 1 + value[0] * SUB_LOCK_BYTES:
            continue
        states = [int.from_bytes(value[at : at + 2], "big") for at in range(12, size, SUB_LOCK_BYTES)]
        if any(state & SUB_LOCK_OPEN for state in states):
            ping.lock = "open"
        elif ping.lock is None:
            ping.lock = "closed"
