"""Journeys of a CSV, as JSON Lines would say them. Pure.

As programs and as Excel write it: commas, or where the header has those semicolons or tabs; ``sep=;`` before the header; quoted cells
with line ends in them; empty columns behind the last.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from geofences.catalog import ID_PATTERN, FaultSink, Fields

__all__ = ["csv_rows"]

DELIMITERS = ",;\t"

ROLES = ("tractor", "trailer", "escort")
"""Columns of devices beside ``seal``; several of one role are joined by ``|``."""


class Line(NamedTuple):
    """The cells of a line, and the number of the line of the file on which it begins."""

    number: int
    cells: Sequence[str]


def csv_rows(text: str, members: frozenset[str], sink: FaultSink) -> Iterator[Fields]:
    """The lines of a CSV whose columns are ``members``, or devices by their role; empty cells say nothing."""
    lines = _lines(text, sink)
    header = next(lines, Line(1, ()))
    names = [name.strip().lower() for name in header.cells]
    while names and not names[-1]:
        names.pop()
    columns = members | {*ROLES}
    unknown = [name for name in names if name not in columns]
    missing = [name for name in ("id", "regime") if name not in names]
    if unknown or missing or len(set(names)) != len(names):
        what = (
            f"does not know the column “{unknown[0]}”"
            if unknown
            else (f"lacks the column {missing[0]}" if missing else "has a column twice")
        )
        known = f"known: {', '.join(sorted(columns))}"
        sink.error(-1, "", f"line {header.number}", what, "columns are named as members", known)
        return
    yield from _rows(lines, names, sink)


def _lines(text: str, sink: FaultSink) -> Iterator[Line]:
    """The lines that are not blank. After a quote that does not end nobody knows what is a line: nothing follows the fault."""
    stream, skipped = io.StringIO(text, newline=""), 0
    first = text.split("\n", 1)[0].rstrip("\r")
    delimiter = next((d for d in DELIMITERS if d in first), ",")
    if first.lower().startswith("sep=") and len(first) == len("sep=") + 1:
        delimiter, skipped = first[-1], 1
        stream.readline()
    number = 1 + skipped
    try:
        reader = csv.reader(stream, strict=True, delimiter=delimiter)
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield Line(number, cells)
            number = reader.line_num + 1 + skipped
    except (csv.Error, TypeError) as fault:
        sink.error(-1, "", f"line {number}", f"is not CSV: {fault}", "RFC 4180", "mend the quotes")


def _rows(lines: Iterator[Line], names: Sequence[str], sink: FaultSink) -> Iterator[Fields]:
    first_line: dict[str, int] = {}
    for row, (number, cells) in enumerate(lines):
        label, where = f"#{row + 1}", f"line {number}"
        if len(cells) < len(names) or any(cell.strip() for cell in cells[len(names) :]):
            what = f"has {len(cells)} cells, the header {len(names)}"
            sink.error(
                row, label, where, what, "each line has the header's columns", "mend the commas or quotes"
            )
            continue
        given = {name: cell.strip() for name, cell in zip(names, cells, strict=False) if cell.strip()}
        fields = Fields(_as_members(given), sink, row, label, f"{where}: ")
        name = given.get("id", "")
        if ID_PATTERN.fullmatch(name):
            fields.label = name
            if (first := first_line.setdefault(name, number)) != number:
                fields.error(
                    "id",
                    f"was used on line {first}",
                    "an id names one journey",
                    "give one of them another id",
                )
        elif fields.require("id", "write an id of 1 to 64 of A-Z a-z 0-9 _ . : -"):
            fields.id("id")
        yield fields


def _as_members(given: Mapping[str, str]) -> dict[str, Any]:
    """The cells of a line as members: those of devices together."""
    members: dict[str, Any] = {k: v for k, v in given.items() if k not in {"seal", *ROLES}}
    seals = given.get("seal", "").split("|") if "seal" in given else []
    if seals:
        members["seal"] = seals[0].strip()
    devices = [{"id": name.strip(), "role": "seal"} for name in seals[1:]]
    for role in ROLES:
        devices += [{"id": name.strip(), "role": role} for name in given.get(role, "").split("|") if name]
    if devices:
        members["devices"] = devices
    return members
