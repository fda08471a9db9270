"""Which types of episodes a report counts together. No behaviour."""

from __future__ import annotations

from typing import Final

__all__ = ["DEVIATIONS", "TAMPERING", "group_of"]

DEVIATIONS: Final = frozenset(
    {
        "ROUTE_DEVIATION", "WRONG_DIRECTION", "PROHIBITED_ZONE", "CHECKPOINT_MISSED", "STOP_UNPLANNED", "STOP_OVERRUN",
        "OUTSIDE_TIME_WINDOW", "UNOBSERVED_GAP", "CONVOY_SEPARATION", "DETACHMENT",
    }
)  # fmt: skip
"""The vehicle was not where, or not on the way, that was declared, or may not have been."""

TAMPERING: Final = frozenset(
    {"SEAL_TAMPER", "SEAL_OPENED_OUTSIDE_ZONE", "UNLOCK_REFUSED", "UNLOCKED_TOO_LONG", "JAMMING_SUSPECTED"}
)
"""Somebody did something to the seal, its lock or its reception."""


def group_of(type_: str) -> str:
    """``deviations``, ``tampering`` or ``others``."""
    return "deviations" if type_ in DEVIATIONS else "tampering" if type_ in TAMPERING else "others"
