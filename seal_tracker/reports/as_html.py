"""A report as a page: no script, its style in a file of its own, or within where the page must stand alone. Pure."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from functools import cache
from hashlib import sha256
from html import escape
from importlib.resources import files

from seal_tracker.reports.sheets import Cell, Document, Sheet
from seal_tracker.reports.texts import say

__all__ = ["as_html", "stylesheet"]


@cache
def stylesheet() -> str:
    """How the page looks, on the screen and on paper."""
    return files(__package__).joinpath("style.css").read_text(encoding="utf-8")


def as_html(document: Document, style: str | None) -> bytes:
    """The page; ``style`` is the address of the style sheet, None: it stands in the page, and nothing else may be loaded."""
    head = f'<link rel="stylesheet" href="{escape(style)}">' if style is not None else own_style()
    lines = [
        "<!doctype html>",
        f'<html lang="{document.language}"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width">',
        f"<title>{escape(document.title)} · {escape(document.organisation)}</title>",
        head,
        "</head><body><header>",
        f'<p class="organisation">{escape(document.organisation)}</p>',
        f"<h1>{escape(document.title)}</h1>",
        *(f'<p class="warning">{escape(text)}</p>' for text in document.warnings),
        *(f"<p>{escape(text)}</p>" for text in document.heads),
        "</header><main>",
        *(line for sheet in document.sheets for line in lines_of(document, sheet)),
        "</main></body></html>",
    ]
    return "\n".join(lines).encode() + b"\n"


def own_style() -> str:
    """The style within the page; its hash is all that the page itself lets pass."""
    style = stylesheet()
    digest = base64.b64encode(sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'"
    return f'<meta http-equiv="Content-Security-Policy" content="{policy}"><style>{style}</style>'


def lines_of(document: Document, sheet: Sheet) -> Iterator[str]:
    """A table, or that there is nothing."""
    yield f'<section class="{sheet.key}"><h2>{escape(sheet.title)}</h2>'
    if not sheet.rows:
        yield f"<p>{escape(say(document.language, 'page', 'nothing'))}</p></section>"
        return
    yield "<table><thead><tr>"
    yield "".join(f'<th scope="col">{escape(column)}</th>' for column in sheet.columns)
    yield "</tr></thead><tbody>"
    yield from (row_of(row, len(sheet.columns)) for row in sheet.rows)
    yield "</tbody></table>"
    if sheet.note:
        yield f"<p>{escape(sheet.note)}</p>"
    yield "</section>"


def row_of(row: Sequence[Cell], columns: int) -> str:
    """A row; one of a single cell is a heading within the table."""
    if row[0].heading:
        return f'<tr class="heading"><th scope="colgroup" colspan="{columns}">{escape(row[0].text)}</th></tr>'
    return f"<tr>{''.join(map(cell_of, row))}</tr>"


def cell_of(cell: Cell) -> str:
    text = escape(cell.text).replace("\n", "<br>")
    if cell.address is not None:
        text = f'<a href="{escape(cell.address)}">{text}</a>'
    kind = "number" if cell.form else f"depth{min(cell.depth, 4)}" if cell.depth else ""
    return f'<td class="{kind}">{text}</td>' if kind else f"<td>{text}</td>"
