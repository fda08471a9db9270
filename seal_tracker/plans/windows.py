"""Hours of the week and dates, as permits and calendars write them: checked where they are read. Pure."""

from __future__ import annotations

from datetime import date, time
from typing import Any

from geofences.catalog import Fields
from geofences.catalog.faults import did_you_mean, quoted

__all__ = ["DAYS", "check_dates", "check_windows", "listed", "reads_date"]

DAYS: tuple[str, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def listed(fields: Fields, key: str, kind: type) -> list[Any]:
    """A list of texts or of numbers above 0; its faulty members become faults."""
    values = fields.values.get(key)
    if values is None:
        return []
    if not isinstance(values, list):
        fields.error(key, f"is {quoted(values)}", "it must be a list", "write [ … ]")
        return []
    for i, value in enumerate(values):
        where = f"{key}[{i}]"
        member = Fields({where: value}, fields.sink, fields.row, fields.label, fields.prefix)
        if member.require(where, "write it or leave the place out"):
            _ = member.text(where) if kind is str else member.number(where, above=0)
    return values


def check_windows(fields: Fields, key: str) -> None:
    """Note what is wrong with the windows ``[{"days", "from", "to"}]`` at ``key``; without days a window is of every day."""
    for window in fields.objects(key):
        window.only({"days", "from", "to"})
        for day in listed(window, "days", str):
            if isinstance(day, str) and day not in DAYS:
                window.error(
                    "days", f"is {quoted(day)}", f"days are {', '.join(DAYS)}", did_you_mean(day, DAYS)
                )
        for end in ("from", "to"):
            if window.require(end, "write an hour like 22:00") and not _reads(time, window.text(end)):
                window.error(
                    end, f"is {quoted(window.values[end])}", "it is not an hour", "write it like 22:00"
                )


def check_dates(fields: Fields, key: str) -> None:
    """Note which members of the list at ``key`` are no dates."""
    for day in listed(fields, key, str):
        if isinstance(day, str) and not _reads(date, day):
            fields.error(key, f"is {quoted(day)}", "it is not a date", "write it like 2026-11-22")


def reads_date(text: str | None) -> date | None:
    """The date that a text says; None where it says none."""
    return date.fromisoformat(text) if text is not None and _reads(date, text) else None


def _reads(kind: type[date | time], text: str | None) -> bool:
    """Whether ``text`` is one; what is no text has been reported already."""
    try:
        return text is None or kind.fromisoformat(text) is not None
    except ValueError:
        return False
