"""Typed members of one JSON or TOML object; whatever is of the wrong type or out of range becomes a fault."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from geofences.catalog.faults import FaultSink, Ids, did_you_mean, quoted

__all__ = ["ID_PATTERN", "Fields", "parse_time_ms"]

ID_PATTERN = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
"""What an id may be made of."""

MISSPELT_ALIKE = 0.8
"""difflib's likeness from which another tool's member is taken for ours misspelt: `radius` yes, `name_vi` no."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse_time_ms(text: str) -> int:
    """UTC epoch ms of an ISO 8601 date and time with its zone; finer digits are cut.

    Raises
    ------
    ValueError
        saying what is missing.
    """
    if len(text) <= len("2026-11-22"):
        raise ValueError("it has no time of day")
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("it has no time zone")
    return (moment - EPOCH) // timedelta(milliseconds=1)


@dataclass(slots=True)
class Fields:
    """The members of one object being read; ``prefix`` says where the object stands within its feature."""

    values: Mapping[str, Any]
    sink: FaultSink
    row: int
    label: str
    prefix: str = ""

    def error(self, key: str, what: str, why: str, remedy: str) -> None:
        """Note a fault at the member ``key``."""
        self.sink.error(self.row, self.label, self.prefix + key, what, why, remedy)

    def warn(self, key: str, what: str, why: str, remedy: str) -> None:
        """Note a suspicion at the member ``key``."""
        self.sink.warn(self.row, self.label, self.prefix + key, what, why, remedy)

    def within(self, key: str, values: Mapping[str, Any]) -> Fields:
        """The members of the object that stands at ``key``."""
        return Fields(values, self.sink, self.row, self.label, f"{self.prefix}{key}.")

    def require(self, key: str, remedy: str) -> bool:
        """Whether ``key`` is given; a fault where it is not."""
        if self.values.get(key) is not None:
            return True
        self.error(key, "is missing", "it is needed", remedy)
        return False

    def text(self, key: str) -> str | None:
        """A text that is not empty, or None where absent."""
        value = self.values.get(key)
        if value is None:
            return None
        if not isinstance(value, str) or not value.strip():
            self.error(
                key,
                f"is {quoted(value)}",
                "it must be a text that is not empty",
                "write a text or leave it out",
            )
            return None
        if not value.isascii() and any("\ud800" <= c <= "\udfff" for c in value):
            self.error(
                key, "holds half a character", "a lone surrogate is not Unicode text", "type the text again"
            )
            return None
        if "\0" in value:
            self.error(key, "holds NUL", "a database cannot keep it in a text", "type the text again")
            return None
        return value

    def id(self, key: str) -> str | None:
        """A text that may be an id."""
        value = self.text(key)
        if value is None or ID_PATTERN.fullmatch(value):
            return value
        self.error(
            key,
            f"is {quoted(value)}",
            "ids are 1 to 64 of A-Z a-z 0-9 _ . : -",
            "write the id of the thing, not its name",
        )
        return None

    def reference(self, key: str, ids: Ids, kind: str) -> str | None:
        """The id of a ``kind`` of thing that there is."""
        name = self.id(key)
        if name is not None and ids.lacks(name):
            self.error(
                key,
                f"there is no {kind} “{name}”",
                "it is named here, but stands nowhere in the plan",
                did_you_mean(name, ids.known),
            )
        return name

    def choice(self, key: str, options: Collection[str]) -> str | None:
        """One of ``options``."""
        value = self.text(key)
        if value is None or value in options:
            return value
        self.error(
            key,
            f"is {quoted(value)}",
            f"it must be one of {', '.join(options)}",
            did_you_mean(value, options),
        )
        return None

    def number(
        self,
        key: str,
        *,
        above: float = -math.inf,
        at_least: float = -math.inf,
        at_most: float = math.inf,
        unit: str = "",
    ) -> float | None:
        """A finite number within bounds, or None where absent or faulty."""
        value = self.values.get(key)
        if value is None:
            return None
        if type(value) not in (int, float) or not _is_finite(value):
            remedy = "leave out the quotes" if isinstance(value, str) else f"write a number{_of(unit)}"
            self.error(key, f"is {quoted(value)}", "it must be a number", remedy)
        elif value <= above:
            self.error(key, f"is {value:g}", f"it must be more than {above:g}", f"write a number{_of(unit)}")
        elif not at_least <= value <= at_most:
            bounds = (
                f"at least {at_least:g}" if math.isinf(at_most) else f"within {at_least:g} and {at_most:g}"
            )
            self.error(key, f"is {value:g}", f"it must be {bounds}", f"write a number{_of(unit)}")
        else:
            return float(value)
        return None

    def time_ms(self, key: str) -> int | None:
        """UTC epoch ms of an ISO 8601 text with a time zone (or a TOML date and time)."""
        value = self.values.get(key)
        if value is None:
            return None
        try:
            if isinstance(value, datetime):
                value = value.isoformat()
            if not isinstance(value, str):
                raise ValueError("it is not a text")  # noqa: TRY301, TRY004 - one way out for all that is not a time
            return parse_time_ms(value)
        except ValueError as e:
            why = str(e) if str(e).startswith("it ") else "it is not an ISO 8601 date and time"
            self.error(
                key, f"is {quoted(value)}", why, "write it like 2026-11-22T03:00:00Z or …T10:00:00+07:00"
            )
        return None

    def period_ms(self, start: str, end: str) -> tuple[int | None, int | None]:
        """Two times, the second after the first."""
        from_ms, to_ms = self.time_ms(start), self.time_ms(end)
        if from_ms is not None and to_ms is not None and to_ms <= from_ms:
            self.error(
                end,
                f"{quoted(self.values[end])} is not after {start} {quoted(self.values[start])}",
                "the period would hold at no time",
                f"make {end} later than {start}",
            )
        return from_ms, to_ms

    def table(self, key: str) -> Mapping[str, Any]:
        """An object; empty where absent or faulty."""
        value = self.values.get(key)
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.error(key, f"is {quoted(value)}", "it must be an object", 'write an object: {"…": …}')
            return {}
        return value

    def objects(self, key: str) -> list[Fields]:
        """The objects of a list, each with its place; those that are none become faults."""
        value = self.values.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            self.error(key, f"is {quoted(value)}", "it must be a list of objects", 'write a list: [{"…": …}]')
            return []
        found = []
        for i, item in enumerate(value):
            if isinstance(item, dict):
                found.append(self.within(f"{key}[{i}]", item))
            else:
                self.error(
                    f"{key}[{i}]", f"is {quoted(item)}", "it must be an object", 'write an object: {"…": …}'
                )
        return found

    def only(self, known: Collection[str]) -> None:
        """Refuse members of unknown name: a mistyped limit must not be silently ignored."""
        for key in self.values:
            if key not in known:
                self.error(key, "is not known", "it would have no effect", did_you_mean(key, known))

    def suspect_misspelt(self, known: frozenset[str]) -> None:
        """Warn of members of another tool only where they look like one of ours misspelt."""
        for key in self.values:
            if key not in known and (near := _misspelling_of(key, known)):
                self.warn(key, "is not known", "it has no effect", f"did you mean {near!r}?")


@lru_cache(maxsize=1_000)
def _misspelling_of(key: str, known: frozenset[str]) -> str | None:
    """Remembered, since a layer's columns are the same in each of its thousands of features."""
    near = get_close_matches(key, sorted(known), n=1, cutoff=MISSPELT_ALIKE)
    return near[0] if near else None


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an int beyond any float
        return False


def _of(unit: str) -> str:
    return f" of {unit}" if unit else ""
