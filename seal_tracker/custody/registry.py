"""Seals to be registered, out of a CSV: one line a seal, all of them or none. Pure.

As programs and as Excel write it: commas, or where the header has those semicolons or tabs; ``sep=;`` before the header.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Final

from geofences.catalog import ID_PATTERN, Fault

__all__ = ["MAX_SEALS", "NewSeal", "read_registry"]

MAX_SEALS: Final = 5_000
"""Of one file: half a second of one commit, in which no alert goes out."""

NO_TEXT: Final = re.compile(r"[\x00-\x1f\x7f]")
LONGEST: Final = 500
"""Characters of a cell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSeal:
    """A seal that is received into the store of its unit. Days are ``YYYY-MM-DD``."""

    seal: str
    unit: str
    model: str | None = None
    serial: str | None = None
    bought_on: str | None = None
    calibrated_on: str | None = None
    calibrate_by: str | None = None
    note: str | None = None


COLUMNS: Final = tuple(one.name for one in fields(NewSeal))
NEEDED: Final = ("seal", "unit")
DAYS: Final = ("bought_on", "calibrated_on", "calibrate_by")


def read_registry(content: bytes, units: Callable[[str], bool]) -> tuple[list[NewSeal], list[Fault]]:
    """The seals of a file, and its faults by line; with any of these nothing of it is to be taken in.

    Parameters
    ----------
    units
        whether there is such a unit, of the asker's.
    """
    try:
        lines = list(_lines(content))
    except (UnicodeDecodeError, csv.Error) as error:
        return [], [_fault(1, "", f"is no CSV in UTF-8: {error}", "save it as “CSV UTF-8”")]
    if not lines:
        return [], [_fault(1, "", "is empty", f"begin with the columns {', '.join(COLUMNS)}")]
    (number, header), *rest = lines
    names = [name.strip().lower() for name in header]
    wrong = [name for name in names if name not in COLUMNS] or [name for name in NEEDED if name not in names]
    if wrong or len(set(names)) != len(names):
        what = f"has columns that are unknown, missing or twice: {', '.join(wrong) or ', '.join(names)}"
        return [], [_fault(number, "", what, f"known: {', '.join(COLUMNS)}; needed: {', '.join(NEEDED)}")]
    if len(rest) > MAX_SEALS:
        return [], [_fault(number, "", f"has {len(rest)} seals", f"send {MAX_SEALS} at most at once")]
    return _read(rest, names, units)


def _read(
    lines: Sequence[tuple[int, list[str]]], names: Sequence[str], units: Callable[[str], bool]
) -> tuple[list[NewSeal], list[Fault]]:
    found: dict[str, NewSeal] = {}
    faults: list[Fault] = []
    for number, cells in lines:
        if len(cells) != len(names):
            faults.append(
                _fault(
                    number,
                    "",
                    f"has {len(cells)} cells, the header {len(names)}",
                    "mend the commas or quotes",
                )
            )
            continue
        given = {n: cell.strip() for n, cell in zip(names, cells, strict=True) if cell.strip()}
        why = [*_wrong(given, units)]
        if given.get("seal") in found:
            why.append(("seal", "is there twice", "leave one of them out"))
        faults += [
            _fault(number, given.get("seal", ""), f"{name}: {what}", remedy) for name, what, remedy in why
        ]
        if not why:
            found[given["seal"]] = NewSeal(**given)
    return list(found.values()), faults


def _wrong(given: Mapping[str, str], units: Callable[[str], bool]) -> Iterator[tuple[str, str, str]]:
    """What is wrong with a line: (column, what, what to do)."""
    if ID_PATTERN.fullmatch(given.get("seal", "")) is None:
        yield "seal", f"“{given.get('seal', '')}” is no id", "write 1 to 64 of A-Z a-z 0-9 _ . : -"
    if not units(given.get("unit", "")):
        yield "unit", f"“{given.get('unit', '')}” is no unit of yours", "name a unit of the plan in force"
    for name in DAYS:
        if name in given and not _is_day(given[name]):
            yield name, f"“{given[name]}” is no day", "write it as 2026-11-30"
    for name in ("model", "serial", "note"):
        if len(given.get(name, "")) > LONGEST or NO_TEXT.search(given.get(name, "")):
            yield (
                name,
                "is too long, or has characters that no text has",
                f"write {LONGEST} characters at most",
            )


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _lines(content: bytes) -> Iterator[tuple[int, list[str]]]:
    """Lines that are not blank, with their numbers."""
    text, skipped = content.decode("utf-8-sig"), 0
    first, _, rest = text.partition("\n")
    delimiter = next((d for d in ";\t" if d in first), ",")
    if first.lower().startswith("sep="):
        delimiter, text, skipped = first.rstrip("\r")[-1], rest, 1
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=delimiter)
    for cells in reader:
        if any(cell.strip() for cell in cells):
            yield reader.line_num + skipped, cells


def _fault(line: int, seal: str, what: str, remedy: str) -> Fault:
    return Fault("", seal, f"line {line}", what, "a registry is taken in whole, or not at all", remedy)
