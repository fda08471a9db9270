"""``calendars.jsonl``: dates and hours in which oversized vehicles stand still, under a name that permits refer to.

Holidays are configuration: the lunar new year is announced each year, and what is a day off with it; so dates are given, not
computed. A calendar belongs to the version of the plan: a fix is judged by the one in force at its time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from geofences.catalog import Fault, FaultSink, Fields
from geofences.catalog.faults import quoted
from geofences.catalog.text import as_text
from seal_tracker.plans.lines import objects_of
from seal_tracker.plans.windows import check_dates, check_windows, reads_date

__all__ = ["LONGEST_DAYS", "Calendar", "read_calendars"]

LONGEST_DAYS = 366
"""Of one period: a longer one is a mistyped year."""

MEMBERS = frozenset({"id", "name", "dates", "periods", "windows"})

LANGUAGES = ("vi", "en")


@dataclass(frozen=True, slots=True)
class Calendar:
    """Local ``days`` on which nothing moves, ascending, and hours ``[{"days", "from", "to"}]`` of the week in which nothing does.

    ``name`` is {language: name}.
    """

    id: str
    name: Mapping[str, str]
    days: tuple[date, ...] = ()
    windows: tuple[Mapping[str, Any], ...] = ()


def read_calendars(text: str | bytes, file: str) -> tuple[list[Calendar], list[Fault]]:
    """Calendars of a JSON Lines file, and every fault."""
    sink = FaultSink(file)
    found = []
    for fields in objects_of(as_text(text, sink), sink):
        fields.only(MEMBERS)
        name = _name(fields)
        check_windows(fields, "windows")
        check_dates(fields, "dates")
        days = _of_periods(fields)
        if not any(fields.values.get(key) for key in ("dates", "periods", "windows")):
            fields.warn(
                "", "has neither dates nor hours", "it forbids nothing", "write dates, periods or windows"
            )
        if sink.is_faulty(fields.row):
            continue
        days |= {date.fromisoformat(day) for day in fields.values.get("dates") or ()}
        found.append(
            Calendar(fields.label, name, tuple(sorted(days)), tuple(fields.values.get("windows") or ()))
        )
    return found, sink.in_order()


def _name(fields: Fields) -> Mapping[str, str]:
    """By language; one text, or the id, serves both."""
    if not isinstance(fields.values.get("name"), dict):
        return dict.fromkeys(LANGUAGES, fields.text("name") or fields.label)
    names = fields.within("name", fields.table("name"))
    names.only(LANGUAGES)
    return {language: text for language in LANGUAGES if (text := names.text(language)) is not None}


def _of_periods(fields: Fields) -> set[date]:
    """All days of the periods, their last ones among them."""
    days: set[date] = set()
    for period in fields.objects("periods"):
        period.only({"from", "to", "name"})
        period.text("name")
        begin, end = (_date(period, key) for key in ("from", "to"))
        if begin is None or end is None:
            continue
        length = (end - begin).days + 1
        if not 1 <= length <= LONGEST_DAYS:
            why = f"a period has 1 to {LONGEST_DAYS} days, its last one among them"
            period.error("to", f"is {end}, {length} days from {begin}", why, "correct one of the two")
            continue
        days |= {begin + timedelta(days=n) for n in range(length)}
    return days


def _date(period: Fields, key: str) -> date | None:
    if not period.require(key, "write a date like 2027-02-04"):
        return None
    text = period.text(key)
    day = reads_date(text)
    if text is not None and day is None:
        period.error(key, f"is {quoted(text)}", "it is not a date", "write it like 2027-02-04")
    return day
