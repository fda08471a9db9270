"""Seals as assets and their stock, as CSV. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any, Final

from seal_tracker.custody.asset import Movement
from seal_tracker.web.seal_bodies import AssetLine, StockAnswer, StockUnitItem

__all__ = ["assets_csv", "book_csv", "stock_csv"]

ASSET_COLUMNS: Final = (
    "seal", "serial", "model", "unit", "state", "since", "officer", "place", "journey", "other_unit", "due", "overdue", "bought_on",
    "calibrated_on", "calibrate_by", "note",
)  # fmt: skip

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet would take for a formula, whoever wrote it into a note."""


def assets_csv(lines: Iterable[AssetLine]) -> bytes:
    """A line a seal; with the mark by which Excel knows UTF-8."""
    return _csv(ASSET_COLUMNS, ([getattr(line, name) for name in ASSET_COLUMNS] for line in lines))


MOVEMENT_COLUMNS: Final = (
    "at", "seal", "move", "from_unit", "from_state", "unit", "state", "officer", "journey", "place", "due", "document", "reason", "by",
    "role", "recorded_at",
)  # fmt: skip


def book_csv(movements: Iterable[Movement]) -> bytes:
    """A line a movement."""
    return _csv(MOVEMENT_COLUMNS, ([getattr(one, name) for name in MOVEMENT_COLUMNS] for one in movements))


def stock_csv(answer: StockAnswer) -> bytes:
    """A line a unit, and one for all."""
    names = StockUnitItem.__struct_fields__
    sums = [sum(getattr(one, name) for one in answer.units) for name in names[1:]]
    return _csv(names, [*([getattr(one, name) for name in names] for one in answer.units), ["", *sums]])


def _csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\r\n")
    write.writerow(columns)
    write.writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def _cell(value: Any) -> Any:
    text = "" if value is None else value
    return f"'{text}" if isinstance(text, str) and text.startswith(FORMULA) else text
