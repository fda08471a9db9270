"""Numbers, durations and times as each language writes them. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Final

from seal_tracker.reports.model import Form
from seal_tracker.reports.texts import Language, say

__all__ = ["MINUS", "NOTHING", "VIET_NAM", "change", "moment", "number", "written"]

VIET_NAM: Final = timezone(timedelta(hours=7), "Asia/Ho_Chi_Minh")
"""Seven hours ahead of UTC the whole year."""

NOTHING: Final = "\N{EN DASH}"
MINUS: Final = "\N{MINUS SIGN}"
SWAPPED: Final = str.maketrans({",": ".", ".": ","})

MINUTE, HOUR, DAY = 60, 3600, 86_400


def number(language: Language, value: float, decimals: int = 0) -> str:
    """1,234.5 in English, 1.234,5 in Vietnamese."""
    text = f"{value:,.{decimals}f}"
    return text.translate(SWAPPED) if language == "vi" else text


def written(language: Language, value: float | None, form: Form) -> str:
    """A figure's value as people read it."""
    if value is None:
        return NOTHING
    match form:
        case "count":
            return number(language, value)
        case "share":
            return say(language, "number", "share", n=number(language, value * 100, 2))
        case "seconds":
            return duration(language, value)
        case "hours":
            return say(language, "number", "hours", n=number(language, value, 1))
        case "rate":
            return number(language, value, 2)


def change(language: Language, now: float | None, before: float | None, form: Form) -> str:
    """By how much a figure has changed, with its sign; shares by points."""
    if now is None or before is None:
        return NOTHING
    by = now - before
    if form == "share":
        text = say(language, "number", "points", n=number(language, abs(by) * 100, 2))
    else:
        text = written(language, abs(by), form)
    if text == (
        say(language, "number", "points", n=number(language, 0, 2))
        if form == "share"
        else written(language, 0, form)
    ):
        return "0"
    return f"{'+' if by > 0 else MINUS}{text}"


def duration(language: Language, value_s: float) -> str:
    """Two units, the larger first; whole ones."""
    seconds = round(value_s)
    if seconds < MINUTE:
        return say(language, "number", "seconds", s=seconds)
    if seconds < HOUR:
        return say(language, "number", "minutes", m=seconds // MINUTE, s=seconds % MINUTE)
    if seconds < DAY:
        return say(language, "number", "hours_minutes", h=seconds // HOUR, m=seconds % HOUR // MINUTE)
    days = number(language, seconds // DAY)
    return say(language, "number", "days", d=days, h=seconds % DAY // HOUR)


def moment(language: Language, iso: str) -> str:
    """A time in Viet Nam, to the minute."""
    at = datetime.fromisoformat(iso).astimezone(VIET_NAM)
    month = say(language, "number", "months").split()[at.month - 1]
    return say(
        language,
        "number",
        "date",
        day=f"{at.day:02}" if language == "vi" else at.day,
        month=month,
        year=at.year,
        time=f"{at:%H:%M}",
    )
