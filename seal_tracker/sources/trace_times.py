"""Columns of ISO 8601 times parsed at once. Pure.

The two spellings that nearly every file has, ``2026-11-22T03:00:00Z`` and the same with three decimals, are read as
arrays of characters; any other goes one by one through the decoder that reads pings, so both give the same instants.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from seal_tracker.decoders.columns import time_ms
from seal_tracker.decoders.native import YEARS, Aware
from seal_tracker.model import NO_TIME

__all__ = ["parse_time", "parse_times"]

WIDTH: Final = 24
"""Characters of the longer spelling."""

SECONDS_END: Final = 19
"""Where the shorter spelling has its Z, and the longer its point."""

DAY_S: Final = 86_400


def parse_time(text: str) -> int | None:
    """UTC epoch ms of one time, None where it is none, states no zone, or lies outside any calendar we keep."""
    try:
        moment: dt.datetime = msgspec.convert(text, Aware)
    except msgspec.ValidationError:
        return None
    return time_ms(moment) if moment.year in YEARS else None


def parse_times(texts: Sequence[str]) -> NDArray[np.int64]:
    """UTC epoch ms of each text, int64[n]; ``NO_TIME`` where ``parse_time`` gives None."""
    count = len(texts)
    if not count:
        return np.empty(0, np.int64)
    # One character more than the longest spelling, so that a longer text cannot pass for a right one.
    digits = np.array(texts, f"U{WIDTH + 1}").view(np.uint32).reshape(count, WIDTH + 1).astype(
        np.int64
    ) - ord("0")
    result = _instants(digits)
    for row in np.flatnonzero(result == NO_TIME).tolist():
        slow = parse_time(texts[row])
        result[row] = NO_TIME if slow is None else slow
    return result


def _instants(digits: NDArray[np.int64]) -> NDArray[np.int64]:
    """Instants of the rows in one of the two spellings, ``NO_TIME`` for the others. int64[n, 25] of code minus "0"."""
    fields = {
        "year": (0, 4),
        "month": (5, 7),
        "day": (8, 10),
        "hour": (11, 13),
        "minute": (14, 16),
        "second": (17, 19),
    }
    right = np.ones(len(digits), np.bool_)
    for place, mark in ((4, "-"), (7, "-"), (10, "T"), (13, ":"), (16, ":")):
        right &= digits[:, place] == _code(mark)
    number = {name: _number(digits[:, begin:end], right) for name, (begin, end) in fields.items()}
    short = (digits[:, SECONDS_END] == _code("Z")) & (digits[:, SECONDS_END + 1] == _code("\0"))
    long = digits[:, SECONDS_END] == _code(".")
    long &= (digits[:, WIDTH - 1] == _code("Z")) & (digits[:, WIDTH] == _code("\0"))
    decimals = right & long
    millis = np.where(long, _number(digits[:, SECONDS_END + 1 : WIDTH - 1], decimals), 0)
    right &= short | (long & decimals)
    right &= (number["year"] >= YEARS[0]) & (number["year"] <= YEARS[-1])
    right &= (number["hour"] < 24) & (number["minute"] < 60) & (number["second"] < 60)  # noqa: PLR2004  a clock's
    right &= (number["month"] >= 1) & (number["month"] <= 12) & (number["day"] >= 1)  # noqa: PLR2004  a calendar's
    days, month_days = _days(number, right)
    right &= number["day"] <= month_days
    seconds = days * DAY_S + number["hour"] * 3600 + number["minute"] * 60 + number["second"]
    return np.where(right, seconds * 1000 + millis, NO_TIME)


def _days(
    number: dict[str, NDArray[np.int64]], right: NDArray[np.bool_]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Days since 1970 of each date, and how many days its month has; of wrong rows anything."""
    month_index = np.where(right, (number["year"] - 1970) * 12 + number["month"] - 1, 0)
    months = month_index.astype("datetime64[M]")
    first = months.astype("datetime64[D]").astype(np.int64)
    following = (months + np.timedelta64(1, "M")).astype("datetime64[D]").astype(np.int64)
    return first + number["day"] - 1, following - first


def _number(digits: NDArray[np.int64], right: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Read columns of digits as numbers; clears ``right`` where one is no digit."""
    right &= ((digits >= 0) & (digits <= 9)).all(axis=1)  # noqa: PLR2004  a digit
    value = np.zeros(len(digits), np.int64)
    for place in range(digits.shape[1]):
        value = value * 10 + digits[:, place]
    return value


def _code(character: str) -> int:
    return ord(character) - ord("0")
