"""A report as CSV: a figure a line, then what is told one by one. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any, Final

from seal_tracker.reports.model import Figure, Report
from seal_tracker.reports.sheets import document, line_name
from seal_tracker.reports.texts import Language, say

__all__ = ["COLUMNS", "as_csv", "harmless"]

COLUMNS: Final = ("section", "key", "of", "unit", "name", "value", "before", "form", "query", "pointer")
"""The same in every language; ``name`` and texts are in the one asked for."""

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""What spreadsheets take for a formula, though it is somebody's words."""

Row = dict[str, Any]
"""A line by its columns."""

LISTED: Final = ("situations", "restricted")


def as_csv(report: Report, language: Language) -> bytes:
    """The report, with a byte order mark, by which spreadsheets know that it is UTF-8."""
    out = io.StringIO()
    write = csv.DictWriter(out, COLUMNS, restval="", lineterminator="\r\n")
    write.writeheader()
    for line in lines_of(report, language):
        write.writerow({name: harmless(value) for name, value in line.items()})
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def lines_of(report: Report, language: Language) -> Iterator[Row]:
    """A line for each figure of all, of each unit and each person; and for each situation."""
    for section in report.sections:
        for line in section.lines:
            about: Row = {"section": section.key, "key": line.key, "of": line.of}
            about |= {"name": line_name(language, report, line), "before": line.before.value}
            yield about | of_figure(line.now)
    for unit in report.units:
        for column in report.columns:
            about = {
                "section": "units",
                "key": column,
                "unit": unit.unit,
                "name": say(language, "column", column),
            }
            yield about | of_figure(unit.cells[column])
    yield from told_one_by_one(report)
    for sheet in document(report, language).sheets:
        if sheet.key in LISTED:
            for row in sheet.rows:
                about = {"section": sheet.key, "name": " · ".join(cell.text for cell in row[1:5])}
                yield about | {"value": row[-1].text, "key": row[0].text, "query": row[0].address}


def told_one_by_one(report: Report) -> Iterator[Row]:
    """Figures of persons, equipment and seals."""
    for person in report.late:
        about: Row = {"section": "late", "of": person.by, "unit": person.unit}
        yield about | {"key": "acknowledged"} | of_figure(person.acknowledged)
        yield about | {"key": "closed"} | of_figure(person.closed)
    for piece in report.equipment:
        about = {"section": "equipment", "of": piece.id, "unit": piece.unit}
        for key in ("down", "failures", "availability"):
            yield about | {"key": key} | of_figure(getattr(piece, key))
    for one in report.silent:
        yield {"section": "silent", "key": "silent", "of": one.seal, "unit": one.unit} | of_figure(one.silent)


def of_figure(figure: Figure) -> Row:
    """The columns of a figure."""
    return {"value": figure.value, "form": figure.form, "query": figure.query, "pointer": figure.pointer}


def harmless(value: str | float | None) -> str | float | None:
    """A text that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
