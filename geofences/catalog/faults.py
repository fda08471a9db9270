"""What is wrong with a plan, said so that the person who drew it can mend it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import islice
from typing import Literal, Self

import msgspec

__all__ = ["Fault", "FaultSink", "Ids", "did_you_mean", "quoted"]

Level = Literal["error", "warning"]

QUOTE_CHARS = 60
"""Longest value repeated in a fault; a whole polygon pasted into the wrong member would bury the sentence."""

NEAREST_AMONG = 2_000
"""difflib takes about 10 µs a candidate: more candidates than this would make a plan of typing errors slow."""


class Fault(msgspec.Struct, frozen=True):
    """One thing wrong. An ``error`` means that the plan cannot be used, a ``warning`` that it looks suspicious.

    Attributes
    ----------
    file
        name of the file.
    feature
        id of the feature or object, ``#3`` for the third where it has no id, empty for the file as a whole.
    where
        the place within the feature: a member, a position, a line and column; empty for the whole feature.
    what, why, remedy
        what is there, why that is wrong, what to do about it.
    """

    file: str
    feature: str
    where: str
    what: str
    why: str
    remedy: str
    level: Level = "error"


@dataclass(slots=True)
class FaultSink:
    """Collects the faults of one file; they come out in the order of the file's features, whoever found them."""

    file: str
    _found: list[tuple[int, Fault]] = field(default_factory=list)
    _faulty: set[int] = field(default_factory=set)

    def error(self, row: int, feature: str, where: str, what: str, why: str, remedy: str) -> None:
        """Note what makes the feature at ``row`` (0-based; -1: the file) unusable."""
        self._faulty.add(row)
        self._note(row, "error", (feature, where, what, why, remedy))

    def warn(self, row: int, feature: str, where: str, what: str, why: str, remedy: str) -> None:
        """Note what is only suspicious."""
        self._note(row, "warning", (feature, where, what, why, remedy))

    def _note(self, row: int, level: Level, texts: tuple[str, str, str, str, str]) -> None:
        """Half characters that a file may hold become question marks: a fault can always be written down."""
        feature, where, what, why, remedy = (text.encode("utf-8", "replace").decode() for text in texts)
        self._found.append((row, Fault(self.file, feature, where, what, why, remedy, level)))

    def is_faulty(self, row: int) -> bool:
        """Whether an error was noted for the feature at ``row``."""
        return row in self._faulty

    def in_order(self) -> list[Fault]:
        """All faults, by row, then in the order noted."""
        return [fault for _, fault in sorted(self._found, key=lambda item: item[0])]


@dataclass(frozen=True, slots=True)
class Ids:
    """The ids that may be referred to. Not ``complete``: their file could not be read, so nothing is called unknown."""

    known: Collection[str]
    complete: bool = True

    @classmethod
    def of(cls, ids: Iterable[str], faults: Iterable[Fault]) -> Self:
        """Ids of the features read, and of those left out for their own faults, which are not reported twice."""
        errors = [fault for fault in faults if fault.level == "error"]
        complete = all(fault.feature for fault in errors)
        return cls({*ids, *(fault.feature for fault in errors)}, complete)

    @classmethod
    def unchecked(cls) -> Self:
        """Of a file that is not there to look into."""
        return cls((), complete=False)

    def lacks(self, name: str) -> bool:
        """Whether ``name`` is certainly not there."""
        return self.complete and name not in self.known


def did_you_mean(name: str, known: Collection[str]) -> str:
    """End of a remedy: the nearest known name, or the names there are when few."""
    candidates = islice((k for k in known if _may_be_near(name, k)), NEAREST_AMONG)
    if near := get_close_matches(name, list(candidates), n=1):
        return f"did you mean {near[0]!r}?"
    if not known:
        return "there is none"
    shown = sorted(known)[:12]
    return f"known: {', '.join(shown)}{' …' if len(known) > len(shown) else ''}"


def _may_be_near(name: str, other: str) -> bool:
    """Cheap sieve before difflib: about as long, and alike at one end."""
    if abs(len(name) - len(other)) > max(3, len(name) // 2):
        return False
    return name[:1].lower() == other[:1].lower() or name[-1:].lower() == other[-1:].lower()


def quoted(value: object) -> str:
    """``value`` as JSON would show it, cut to a length that fits a sentence."""
    match value:
        case None:
            return "null"
        case bool():
            text = str(value).lower()
        case str():
            text = f"“{value}”"
        case Mapping():
            text = "an object"
        case list() | tuple() if len(value) > 4:  # noqa: PLR2004 - a position at most is worth repeating
            text = f"a list of {len(value)}"
        case _:
            text = str(value)
    return text if len(text) <= QUOTE_CHARS else text[: QUOTE_CHARS - 1] + "…"
