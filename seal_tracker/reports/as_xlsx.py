"""A report as a workbook: a sheet for each of its tables, figures as numbers with the address that reproduces them. Pure."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any, Final

from seal_tracker.reports.sheets import Cell, Document, Sheet

__all__ = ["as_xlsx"]

FORMATS: Final[Mapping[str, str]] = {
    "count": "#,##0",
    "share": "0.00%",
    "seconds": "[h]:mm:ss",
    "hours": "#,##0.0",
    "rate": "#,##0.00",
}
"""How Excel shows each form; it writes the separators of its user's own language."""

DAY_S: Final = 86_400
"""Excel counts durations in days."""

WIDTH: Final = 1.1
"""Characters a column is wide for each hundredth of the page."""

LONGEST_ADDRESS: Final = 2_000
"""Excel refuses a file with a longer one."""


def as_xlsx(document: Document) -> bytes:
    """The workbook."""
    import xlsxwriter  # noqa: PLC0415 - needed by nobody who asks for no workbook

    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(out, options) as book:
        formats = formats_of(book)
        for sheet in document.sheets:
            write_sheet(book.add_worksheet(sheet.name), document, sheet, formats)
    return out.getvalue()


def formats_of(book: Any) -> Mapping[str, Any]:
    """How cells look, by what is in them."""
    plain = {"valign": "top", "text_wrap": True}
    linked = {"font_color": "#0B4F9E", "underline": 1}
    formats = {
        name: book.add_format(plain | linked | {"num_format": shown}) for name, shown in FORMATS.items()
    }
    return formats | {
        "text": book.add_format(plain),
        "link": book.add_format(plain | linked),
        "said": book.add_format(plain | {"align": "right"}),
        "heading": book.add_format({"bold": True, "bg_color": "#F4F6F8"}),
        "columns": book.add_format({"bold": True, "bg_color": "#E8ECF1", "text_wrap": True, "valign": "top"}),
        "title": book.add_format({"bold": True, "font_size": 14}),
    }


def write_sheet(page: Any, document: Document, sheet: Sheet, formats: Mapping[str, Any]) -> None:
    """Heading, columns, rows; set up to be printed a page wide."""
    page.set_paper(9)  # A4
    page.set_landscape()
    page.fit_to_pages(1, 0)
    for column, width in enumerate(sheet.widths):
        page.set_column(column, column, max(9, width * WIDTH))
    heads = [
        f"{document.organisation}: {document.title}",
        *document.warnings,
        *document.heads[:2],
        sheet.title,
    ]
    for row, text in enumerate(heads):
        page.write_string(row, 0, text, formats["title"] if row in (0, len(heads) - 1) else None)
    first = len(heads) + 1
    for column, text in enumerate(sheet.columns):
        page.write_string(first - 1, column, text, formats["columns"])
    page.freeze_panes(first, 1)
    page.repeat_rows(first - 1)
    for row, cells in enumerate(sheet.rows, first):
        write_row(page, row, cells, formats)
    if sheet.note:
        page.write_string(first + len(sheet.rows), 0, sheet.note)


def write_row(page: Any, row: int, cells: Sequence[Cell], formats: Mapping[str, Any]) -> None:
    for column, cell in enumerate(cells):
        if cell.heading:
            page.write_string(row, column, cell.text, formats["heading"])
        elif cell.form is None:
            write_text(page, row, column, cell, formats)
        elif cell.value is None:
            page.write_string(row, column, cell.text, formats["said"])
        else:
            look = formats[cell.form]
            if is_address(cell.address):
                page.write_url(row, column, cell.address, look)
            page.write_number(row, column, cell.value / DAY_S if cell.form == "seconds" else cell.value, look)


def write_text(page: Any, row: int, column: int, cell: Cell, formats: Mapping[str, Any]) -> None:
    text = "  " * cell.depth + cell.text
    if is_address(cell.address):
        page.write_url(row, column, cell.address, formats["link"], text)
    else:
        page.write_string(row, column, text, formats["text"])


def is_address(address: str | None) -> bool:
    """Whether Excel can follow it: whole, and not too long."""
    return address is not None and address.startswith("http") and len(address) < LONGEST_ADDRESS
