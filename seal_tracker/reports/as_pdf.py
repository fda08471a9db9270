"""A report as PDF, by reportlab, in a font that has every Vietnamese letter. Pure. Both are read when the first PDF is made."""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Sequence
from functools import cache
from html import escape
from typing import Any, Final

from seal_tracker.reports.sheets import Cell, Document, Sheet
from seal_tracker.reports.texts import say

__all__ = ["as_pdf"]

FONT, BOLD = "Report", "Report-Bold"
MARGIN_MM: Final = 13
SMALL: Final = 7.5
"""Points, in tables of many columns."""

MANY_COLUMNS: Final = 7

ROOM_PT: Final = 90
"""A heading begins a page where less is left: it and some rows."""


@cache
def reportlab() -> Any:
    """The library with our fonts known to it."""
    import font_source_sans_pro as font  # noqa: PLC0415 - a service that makes no PDF need not hold them
    from reportlab import platypus  # noqa: PLC0415
    from reportlab.pdfbase import pdfmetrics  # noqa: PLC0415
    from reportlab.pdfbase.ttfonts import TTFont  # noqa: PLC0415

    pdfmetrics.registerFont(TTFont(FONT, font.font_files_ttf["SourceSansPro"]))
    pdfmetrics.registerFont(TTFont(BOLD, font.font_files_ttf["SourceSansProBold"]))
    return platypus


def as_pdf(document: Document) -> bytes:
    """The report on A4, the columns' headings on each page, and the page's number below."""
    platypus = reportlab()
    from reportlab.lib.pagesizes import A4  # noqa: PLC0415
    from reportlab.lib.units import mm  # noqa: PLC0415

    out, margin = io.BytesIO(), MARGIN_MM * mm
    template = platypus.SimpleDocTemplate(
        out, pagesize=A4, leftMargin=margin, rightMargin=margin, topMargin=margin, bottomMargin=margin + 4 * mm,
        title=document.title, author=document.organisation, lang=document.language,
    )  # fmt: skip

    def footer(canvas: Any, page: Any) -> None:
        canvas.setFont(FONT, 8)
        canvas.drawString(margin, margin, composed(f"{document.organisation} · {document.heads[1]}"))
        canvas.drawRightString(A4[0] - margin, margin, say(document.language, "page", "page", n=page.page))

    flow = list(head_of(document))
    for sheet in document.sheets:
        flow += flow_of(document, sheet, template.width)
    template.build(flow, onFirstPage=footer, onLaterPages=footer)
    return out.getvalue()


@cache
def styles() -> dict[str, Any]:
    """How text looks, by what it is."""
    from reportlab.lib.enums import TA_RIGHT  # noqa: PLC0415
    from reportlab.lib.styles import ParagraphStyle  # noqa: PLC0415

    def style(name: str, size: float, **more: Any) -> Any:
        return ParagraphStyle(
            name, fontName=more.pop("font", FONT), fontSize=size, leading=size * 1.25, **more
        )

    return {
        "text": style("text", 9),
        "organisation": style("organisation", 10, font=BOLD),
        "title": style("title", 18, font=BOLD, spaceAfter=4),
        "warning": style("warning", 10, font=BOLD, textColor="#a40000"),
        "heading": style("heading", 12, font=BOLD, spaceBefore=10, spaceAfter=4),
        "column": style("column", 8.5, font=BOLD),
        "small_column": style("small_column", SMALL, font=BOLD),
        "within": style("within", 9, font=BOLD),
        "number": style("number", 9, alignment=TA_RIGHT),
        "small_text": style("small_text", SMALL),
        "small_number": style("small_number", SMALL, alignment=TA_RIGHT),
    }


def head_of(document: Document) -> Sequence[Any]:
    """Whose report it is, of when."""
    lines = [("organisation", document.organisation), ("title", document.title)]
    lines += [("warning", text) for text in document.warnings]
    lines += [("text", text) for text in document.heads]
    return [reportlab().Paragraph(marked(text), styles()[style]) for style, text in lines]


def flow_of(document: Document, sheet: Sheet, width: float) -> list[Any]:
    """A heading and its table, or that there is nothing."""
    platypus, looks = reportlab(), styles()
    heading = [platypus.CondPageBreak(ROOM_PT), platypus.Paragraph(marked(sheet.title), looks["heading"])]
    if not sheet.rows:
        return [*heading, platypus.Paragraph(say(document.language, "page", "nothing"), looks["text"])]
    size = "small_" if len(sheet.columns) >= MANY_COLUMNS else ""
    head = [platypus.Paragraph(marked(column), looks[f"{size}column"]) for column in sheet.columns]
    rows = [[paragraph(cell, size) for cell in row] for row in sheet.rows]
    total = sum(sheet.widths)
    table = platypus.Table(
        [head, *(row + [""] * (len(head) - len(row)) for row in rows)],
        colWidths=[width * share / total for share in sheet.widths], repeatRows=1, splitInRow=1, hAlign="LEFT",
    )  # fmt: skip
    table.setStyle(platypus.TableStyle(table_style(sheet)))
    note = [platypus.Paragraph(marked(sheet.note), looks["text"])] if sheet.note else []
    return [*heading, table, *note]


def table_style(sheet: Sheet) -> list[tuple[Any, ...]]:
    style: list[tuple[Any, ...]] = [
        ("GRID", (0, 0), (-1, -1), 0.4, "#999999"),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("BACKGROUND", (0, 0), (-1, 0), "#e8ecf1"),
        ("TOPPADDING", (0, 0), (-1, -1), 1.5),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
        ("LEFTPADDING", (0, 0), (-1, -1), 3),
        ("RIGHTPADDING", (0, 0), (-1, -1), 3),
    ]
    for n, row in enumerate(sheet.rows, 1):
        if row[0].heading:
            style += [("SPAN", (0, n), (-1, n)), ("BACKGROUND", (0, n), (-1, n), "#f4f6f8")]
    return style


def paragraph(cell: Cell, size: str) -> Any:
    """A cell's text; its address is a link."""
    text = marked(cell.text)
    if cell.address is not None and cell.address.startswith("http"):
        text = f'<link href="{escape(cell.address)}" color="#0b4f9e">{text}</link>'
    if cell.heading:
        return reportlab().Paragraph(text, styles()["within"])
    indent = "&nbsp;" * (3 * cell.depth)
    return reportlab().Paragraph(indent + text, styles()[f"{size}number" if cell.form else f"{size}text"])


def marked(text: str) -> str:
    """Text as reportlab takes it; letters and their marks as one, for which the font has a glyph each."""
    return escape(composed(text)).replace("\n", "<br/>")


def composed(text: str) -> str:
    return unicodedata.normalize("NFC", "".join(c for c in text if c == "\n" or c.isprintable()))
