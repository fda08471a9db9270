"""What the GPS padlocks of the G-300 family say in a JT/T 808 report of what was done to them. Pure.

Item 0x60 is there where something was done: a number of two bytes, whether that is an alarm, and with what (eight digits of a
card, a name, or nothing). The padlocks are told from others by the items that they always send: voltage, signal and a mode. Of their
state without a deed nothing is known that can be relied on, so it stays unknown.
"""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = ["PadlockDeed", "padlock_deed"]

DEED: Final = 0x60
DEED_BYTES: Final = 3

ALWAYS: Final = frozenset({(0x69, 2), (0x6A, 1), (0x6B, 1)})


class PadlockDeed(NamedTuple):
    """The lock's state after it, where it says one, and the facts."""

    lock: str | None = None
    facts: tuple[str, ...] = ()


UNSEALED: Final = PadlockDeed("open", ("unlock_ok",))
SEALED: Final = PadlockDeed("closed")
REFUSED: Final = PadlockDeed(None, ("unlock_refused",))

DEEDS: Final[dict[int, PadlockDeed]] = {
    0x01: PadlockDeed("open"),  # shackle pulled
    **dict.fromkeys(
        (0x02, 0x03, 0x05, 0x07, 0x09, 0x14), SEALED
    ),  # by itself, card, Bluetooth, platform, SMS
    **dict.fromkeys((0x04, 0x06, 0x08, 0x0A), UNSEALED),  # by card, Bluetooth, platform, SMS
    0x0B: PadlockDeed(None, ("illegal_card",)),  # sealing with a card that is not known
    0x0C: PadlockDeed(None, ("illegal_card", "unlock_refused")),
    0x0E: REFUSED,  # outside of its area
    0x0F: PadlockDeed("open"),  # while it was sealed
    0x10: PadlockDeed(None, ("shell_opened",)),
    0x11: PadlockDeed("cut", ("rope_cut",)),
    0x12: PadlockDeed(None, ("low_battery",)),
    0x13: PadlockDeed(None, ("wrong_password",)),
    0x17: PadlockDeed(None, ("low_battery",)),
    0x18: PadlockDeed(None, ("motor_stuck",)),
}
"""By number. A shackle that is only closed (0x00) is not yet sealed, and says nothing."""


def padlock_deed(items: dict[tuple[int, int], bytes]) -> PadlockDeed:
    """What was done to a padlock; nothing where these are not a padlock's items."""
    if not items.keys() >= ALWAYS:
        return PadlockDeed()
    value = next((value for (item, size), value in items.items() if item == DEED and size >= DEED_BYTES), b"")
    return DEEDS.get(int.from_bytes(value[:2], "big"), PadlockDeed()) if value else PadlockDeed()
