"""What reports say: no text is missing in a language, numbers are written as each does, and the font has every Vietnamese letter."""

from __future__ import annotations

import ast
import base64
import re
import unicodedata
from hashlib import sha256
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from seal_tracker.model import Severity
from seal_tracker.reports import as_pdf
from seal_tracker.reports.as_csv import harmless
from seal_tracker.reports.as_html import as_html
from seal_tracker.reports.groups import DEVIATIONS, TAMPERING
from seal_tracker.reports.model import Form
from seal_tracker.reports.numbers import MINUS, NOTHING, change, moment, number, written
from seal_tracker.reports.sections import OF_EQUIPMENT, OF_SUMMARY, TASKS
from seal_tracker.reports.sheets import Cell, Document, Sheet
from seal_tracker.reports.texts import LANGUAGES, texts
from seal_tracker.reports.units import COLUMNS
from seal_tracker.web.availability import Kind
from seal_tracker.web.weekly import WeeklyQuery

SOURCES = Path(as_pdf.__file__).parent


def test_every_text_is_there_in_both_languages_with_the_same_places() -> None:
    """None is empty, and what is put into one is put into the other."""
    for table, keys in texts().items():
        for key, text in keys.items():
            assert set(text) == set(LANGUAGES), (table, key)
            assert all(one.strip() for one in text.values()), (table, key)
            places = [sorted(re.findall(r"\{\w+\}", text[language])) for language in LANGUAGES]
            assert places[0] == places[1], (table, key)


def test_every_text_that_is_asked_for_is_there_and_each_is_asked_for() -> None:
    """By name in the code, or as a section, figure, column, type, severity or kind of equipment that there is."""
    asked: set[tuple[str, str]] = set()
    for path in [*SOURCES.glob("*.py"), SOURCES.parent / "reporting.py"]:
        if not path.exists():
            continue
        for call in ast.walk(ast.parse(path.read_text())):
            if isinstance(call, ast.Call):
                words = [
                    a.value for a in call.args if isinstance(a, ast.Constant) and isinstance(a.value, str)
                ]
                asked |= {(words[0], word) for word in words[1:2]}
    tables = texts()
    known = {(table, key) for table, keys in tables.items() for key in keys}
    sections = {"situations", "deviations", "tampering", "others", "equipment", "tasks", "late", *OF_SUMMARY}
    figures = {name for lines in OF_SUMMARY.values() for name, *_ in lines} | {
        name for name, *_ in OF_EQUIPMENT
    }
    figures |= {f"tasks_{name}" for name in TASKS}
    assert {("section", name) for name in sections} <= known
    assert {("figure", name) for name in figures} <= known
    assert {("column", name) for name in COLUMNS} <= known
    assert set(tables["severity"]) == set(get_args(Severity))
    assert set(tables["equipment"]) >= set(get_args(Kind))
    assert set(tables["form"]) == set(get_args(Form))
    assert (
        set(tables["type"]) >= DEVIATIONS | TAMPERING
    )  # of others the type's own name stands, until it has one here
    source = "".join(path.read_text() for path in SOURCES.glob("*.py"))
    open_ended = {"severity", "equipment", "form", "type", "state"}
    unused = [
        (table, key)
        for table, key in sorted(known)
        if table not in open_ended and f'"{key}"' not in source and not key.startswith(("late_", "tasks_"))
    ]
    assert unused == []
    assert {one for one in asked if one[0] in tables and one[0] not in open_ended} <= known


@pytest.mark.parametrize(
    ("value", "form", "vi", "en"),
    [
        (1234567, "count", "1.234.567", "1,234,567"),
        (0.98531, "share", "98,53 %", "98.53%"),
        (8.857, "rate", "8,86", "8.86"),
        (1234.56, "hours", "1.234,6 giờ", "1,234.6 h"),
        (59.4, "seconds", "59 giây", "59 s"),
        (3599, "seconds", "59 phút 59 giây", "59 min 59 s"),
        (7265, "seconds", "2 giờ 1 phút", "2 h 1 min"),
        (1000 * 86_400 + 3600, "seconds", "1.000 ngày 1 giờ", "1,000 d 1 h"),
        (None, "count", NOTHING, NOTHING),
    ],
)
def test_numbers_are_written_as_each_language_does(value: float | None, form: Form, vi: str, en: str) -> None:
    """Separators, units and the sign of a percentage."""
    assert (written("vi", value, form), written("en", value, form)) == (vi, en)


def test_changes_have_a_sign_and_times_are_those_of_viet_nam() -> None:
    """A share changes by points; what does not show has not changed; nothing compares with nothing."""
    assert change("vi", 12, 7, "count") == "+5"
    assert change("en", 7, 1200, "count") == f"{MINUS}1,193"
    assert change("en", 0.981, 0.9854, "share") == f"{MINUS}0.44 points"
    assert [change("vi", 0.98531, 0.98532, "share"), change("en", 5, None, "count")] == ["0", NOTHING]
    assert moment("vi", "2026-11-22T17:00:00.000Z") == "23/11/2026 00:00"
    assert moment("en", "2026-11-22T17:00:00.000Z") == "23 Nov 2026, 00:00"
    assert number("vi", -1234.5, 1) == "-1.234,5"


def test_the_font_has_every_vietnamese_letter() -> None:
    """Composed, as they are written into the PDF; what is written in parts is composed first."""
    as_pdf.reportlab()
    from reportlab.pdfbase import pdfmetrics  # noqa: PLC0415 - known once our fonts are

    marks = "\u0300\u0301\u0303\u0309\u0323"
    bases = "aăâeêioôơuưy"
    letters = "đĐ" + bases + bases.upper()
    letters += "".join(unicodedata.normalize("NFC", b + m) for b in bases + bases.upper() for m in marks)
    said = "".join(text for keys in texts().values() for one in keys.values() for text in one.values())
    for name in (as_pdf.FONT, as_pdf.BOLD):
        glyphs = pdfmetrics.getFont(name).face.charToGlyph
        assert [c for c in sorted({*letters, *said, "→", "■"}) if ord(c) not in glyphs] == []
    parts = unicodedata.normalize("NFD", "ữ ợ ẵ ỹ")
    assert as_pdf.marked(parts) == "ữ ợ ẵ ỹ"


def page(**more: Any) -> Document:
    """A page of one cell."""
    cell = Cell(text="<script>\n1", value=1, form="count", address='/api/v1/x?a="b"&c=d')
    sheet = Sheet(key="late", title="t", name="n", columns=["a"], widths=[1], rows=[[cell]])
    fields = {
        "language": "vi",
        "organisation": "o & o",
        "title": "t",
        "heads": ["h", "p"],
        "warnings": [],
        "sheets": [sheet],
    }
    return Document(**fields | more)  # type: ignore[arg-type]


def test_a_page_that_stands_alone_lets_nothing_pass_but_its_own_style() -> None:
    """By the style's hash; what people wrote is no markup."""
    text = as_html(page(), None).decode()
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    digest = base64.b64encode(sha256(style.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'sha256-{digest}'" in text
    assert "&lt;script&gt;<br>1" in text
    assert 'href="/api/v1/x?a=&quot;b&quot;&amp;c=d"' in text


@pytest.mark.parametrize("said", ["=1+1", "+84", "-1", "@x", "\tx"])
def test_what_people_wrote_is_no_formula_in_a_spreadsheet(said: str) -> None:
    """Numbers stay numbers."""
    assert harmless(said) == f"'{said}"
    assert [harmless(value) for value in ("xe", 5, -5.5, None)] == ["xe", 5, -5.5, None]


def test_the_document_says_what_is_asked_for_and_counted() -> None:
    """Each parameter of the weekly report, and the types that are counted together."""
    document = (Path(__file__).parents[2] / "docs" / "reports.md").read_text()
    weekly = document[document.index("## The weekly report") : document.index("## Who answered late")]
    named = {
        name
        for row in re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", weekly, re.MULTILINE)
        for name in re.findall(r"\w+", row)
    }
    assert named == {field.encode_name for field in msgspec.structs.fields(WeeklyQuery)}
    (row,) = re.findall(r"^\| `deviations`, `tampering` \| (.*) \|$", document, re.MULTILINE)
    groups = [set(re.findall(r"[A-Z_]{4,}", part)) for part in row.split("; and ")]
    assert groups == [DEVIATIONS, TAMPERING]
