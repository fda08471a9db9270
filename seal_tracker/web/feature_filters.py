"""Which features lie in a box and hold at a time: ``bbox`` and ``datetime`` of OGC API - Features. Pure."""

from __future__ import annotations

import math
import re
from datetime import datetime
from typing import Any, Final

import shapely
from msgspec import UNSET, UnsetType
from shapely.geometry import shape

from seal_tracker.web.errors import BadParameter

__all__ = ["box_of", "matches", "span_of"]

OPEN: Final = frozenset({"", ".."})
"""An end of an interval that is open."""

Json = dict[str, Any]


def box_of(text: str | UnsetType) -> shapely.Geometry | None:
    """The box of ``bbox``, in two parts where it crosses the antimeridian; heights are ignored."""
    if text is UNSET:
        return None
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) == 6:  # noqa: PLR2004 - with heights
        numbers = [*numbers[:2], *numbers[3:5]]
    if len(numbers) != 4 or not all(map(math.isfinite, numbers)) or numbers[1] > numbers[3]:  # noqa: PLR2004
        raise BadParameter("bbox: give west,south,east,north in degrees", field="bbox")
    west, south, east, north = numbers
    if west <= east:
        return shapely.box(west, south, east, north)
    return shapely.union(shapely.box(west, south, 180, north), shapely.box(-180, south, east, north))


def span_of(text: str | UnsetType) -> tuple[float, float] | None:
    """The interval of ``datetime`` in seconds since the epoch; an instant is one of no length."""
    if text is UNSET:
        return None
    ends = text.split("/")
    if len(ends) > 2 or (len(ends) == 1 and ends[0] in OPEN):  # noqa: PLR2004 - an interval has two
        raise BadParameter("datetime: give an instant, or two with / between", field="datetime")
    values = [
        instant(end) if end not in OPEN else side
        for end, side in zip(ends, (-math.inf, math.inf), strict=False)
    ]
    begin, end = values[0], values[-1]
    if begin > end:
        raise BadParameter("datetime: it ends before it begins", field="datetime")
    return begin, end


def instant(text: str) -> float:
    """RFC 3339 to seconds since the epoch."""
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})", text, re.ASCII):
        try:
            return datetime.fromisoformat(text.upper()).timestamp()
        except (ValueError, OverflowError):
            pass
    raise BadParameter(f"datetime: {text[:40]!r} is not like 2026-11-22T03:00:00Z", field="datetime")


def matches(feature: Json, box: shapely.Geometry | None, span: tuple[float, float] | None) -> bool:
    """Whether the feature meets the box and held at some moment of the span; what has no time held always."""
    if span is not None:
        properties = feature.get("properties") or {}
        times = [properties.get(name) for name in ("valid_from", "valid_to")]
        seen = properties.get("time")
        begin, end = (
            (instant(seen), instant(seen))
            if seen
            else (instant(times[0]) if times[0] else -math.inf, instant(times[1]) if times[1] else math.inf)
        )
        if begin > span[1] or end < span[0]:
            return False
    return box is None or bool(shapely.intersects(shape(feature["geometry"]), box))
