"""What all facts of equipment have in common when they are read: what is wrong with one, and when it was. Pure."""

from __future__ import annotations

import datetime as dt
from typing import Final

import numpy as np

from seal_tracker.decoders.columns import clock_ok, time_ms
from seal_tracker.model import NO_TIME

__all__ = ["FactError", "check_time"]

LATEST_YEAR: Final = 9000
"""Years beyond this do not survive a change of zone."""


class FactError(ValueError):
    """A message of equipment is no fact; its text names the member, the value and what was expected."""


def check_time(at: dt.datetime, received_ms: int, *, check_clock: bool = True) -> int:
    """When a fact was, in epoch ms.

    Raises
    ------
    FactError
        The time has no zone, or the equipment's clock cannot be believed.
    """
    if at.tzinfo is None:
        raise FactError(f"time {at.isoformat()}: must state its zone, such as Z or +07:00")
    if at.year > LATEST_YEAR:
        raise FactError(f"time {at.isoformat()}: is no year of ours; set the equipment's clock")
    at_ms = time_ms(at)
    if at_ms < 0:
        raise FactError(f"time {at.isoformat()}: is before 1970; set the equipment's clock")
    received = received_ms if check_clock else NO_TIME
    if not clock_ok(np.array([at_ms]), np.array([received]))[0]:
        raise FactError(
            f"time {at.isoformat()}: cannot be believed, as it has come now; set the equipment's clock"
        )
    return at_ms
