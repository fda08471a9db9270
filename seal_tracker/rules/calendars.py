"""Hours of the week and dates as sorted columns of numbers, so that any number of moments is looked up at once. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, time
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from seal_tracker.model import EPOCH

__all__ = ["DAY_MS", "WEEK_MS", "Closed", "day_of", "spans_of", "week_ms_of"]

DAY_MS = 86_400_000
WEEK_MS = 7 * DAY_MS
MONDAY_MS = 3 * DAY_MS
"""From Monday to 1 January 1970, a Thursday."""

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

I8 = NDArray[np.int64]
Mask = NDArray[np.bool_]


class Closed(NamedTuple):
    """A calendar as a rule needs it: sorted ``days`` since 1970, and ``turns``, ms since Monday 00:00 at which it closes or opens."""

    days: I8
    turns: I8

    @classmethod
    def of(cls, days: Sequence[date], windows: Sequence[Mapping[str, Any]]) -> Self:
        """From local dates and hours of the week."""
        return cls(
            np.array([(day - EPOCH.date()).days for day in days], np.int64),
            np.array([t for span in spans_of(windows) for t in span], np.int64),
        )

    def on_date(self, local_ms: I8) -> Mask:
        """Which local moments lie on one of its days."""
        found: Mask = np.isin(local_ms // DAY_MS, self.days)
        return found

    def in_hours(self, local_ms: I8) -> Mask:
        """Which local moments lie in its hours."""
        turned: Mask = np.searchsorted(self.turns, week_ms_of(local_ms), side="right") % 2 == 1
        return turned


def week_ms_of(local_ms: I8) -> I8:
    """Milliseconds since Monday 00:00 of local moments."""
    return (local_ms + MONDAY_MS) % WEEK_MS


def spans_of(windows: Sequence[Mapping[str, Any]]) -> Iterator[tuple[int, int]]:
    """Spans of the week in ms since Monday 00:00 that windows cover, in order, with gaps between them."""
    pieces = []
    for window in windows:
        begin, end = (_of_day_ms(window[key]) for key in ("from", "to"))
        length = (
            end - begin if end > begin else end - begin + DAY_MS
        )  # past midnight; "00:00" to "00:00" is a day
        for day in DAYS if window.get("days") is None else window["days"]:
            opens = DAYS.index(day) * DAY_MS + begin
            pieces += [(opens, min(opens + length, WEEK_MS)), (0, opens + length - WEEK_MS)]
    last: tuple[int, int] | None = None
    for opens, closes in sorted((a, b) for a, b in pieces if a < b):
        if last is not None and opens <= last[1]:
            last = (last[0], max(last[1], closes))
            continue
        if last is not None:
            yield last
        last = (opens, closes)
    if last is not None:
        yield last


def day_of(text: str) -> int:
    """Days since 1970 of a date."""
    return (date.fromisoformat(text) - EPOCH.date()).days


def _of_day_ms(text: str) -> int:
    at = time.fromisoformat(text)
    return ((at.hour * 60 + at.minute) * 60 + at.second) * 1000 + at.microsecond // 1000
