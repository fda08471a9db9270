"""Traces as GPX, 1.0 or 1.1: the track points of one seal. Pure: bytes in, rows out."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable
from typing import Final
from xml.parsers import expat

import numpy as np

from seal_tracker.decoders.columns import raw_columns
from seal_tracker.decoders.native import NativePing
from seal_tracker.model import EPOCH, NO_TIME
from seal_tracker.sources.errors import TraceError
from seal_tracker.sources.trace import Rows, TraceFault
from seal_tracker.sources.trace_times import parse_time

__all__ = ["read_gpx"]

KMH_PER_M_S: Final = 3.6
"""GPX 1.0 gives speed in metres a second."""


class _Points:
    """Handlers for expat: gathers the text of each track point's children."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.parser = expat.ParserCreate(namespace_separator="}")
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.rooted = False
        self.read = 0
        self.pings: list[NativePing] = []
        self.faults: list[TraceFault] = []
        self._point: dict[str, str] | None = None
        self._line = 0
        self._child = ""

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        tag = name.rpartition("}")[2]
        if not self.rooted and tag != "gpx":
            raise TraceError(self.file, f"is no GPX: its outermost element is {tag!r}")
        self.rooted = True
        if tag == "trkpt":
            self._point, self._line = dict(attributes), self.parser.CurrentLineNumber
        self._child = tag

    def _text(self, text: str) -> None:
        if self._point is not None and self._child in ("time", "speed", "course", "sat"):
            self._point[self._child] = self._point.get(self._child, "") + text.strip()

    def _end(self, name: str) -> None:
        self._child = ""
        if self._point is None or name.rpartition("}")[2] != "trkpt":
            return
        self.read += 1
        ping = _ping(self._point)
        if isinstance(ping, str):
            self.faults.append(TraceFault(self.file, self._line, ping))
        else:
            self.pings.append(ping)
        self._point = None


def read_gpx(chunks: Iterable[bytes], file: str, seal: str) -> Rows:
    """Read the track points of a file in their order; waypoints and routes are no trace.

    Raises
    ------
    TraceError
        Where the file is no GPX.
    """
    points = _Points(file)
    try:
        for chunk in chunks:
            points.parser.Parse(chunk, False)
        points.parser.Parse(b"", True)
    except expat.ExpatError as error:
        if not points.rooted:
            raise TraceError(file, f"is no GPX: {error}") from error
        points.faults.append(
            TraceFault(file, error.lineno, f"the file is damaged here, the rest is not read: {error}")
        )
    count = len(points.pings)
    raw = raw_columns(points.pings, np.full(count, NO_TIME))
    return Rows((seal,) if count else (), np.zeros(count, np.int32), raw, points.faults, points.read)


def _ping(point: dict[str, str]) -> NativePing | str:
    """Build the ping of a point, or say why there is none."""
    number = {}
    for name in ("lon", "lat", "speed", "course", "sat"):
        try:
            number[name] = float(point[name]) if name in point else None
        except ValueError:
            return f"{name} {point[name][:60]!r}: must be a number"
        if number[name] is not None and not math.isfinite(number[name] or 0.0):
            return f"{name} {point[name][:60]!r}: must be a number"
    if number["lon"] is None or number["lat"] is None:
        return "a track point without lon and lat"
    text = point.get("time", "")
    moment = parse_time(text)
    if moment is None:
        moment = parse_time(text + "Z")  # GPX 1.1: times are UTC, and some write no zone
    if moment is None:
        return f"time {text[:60]!r}: must be ISO 8601, such as 2026-11-22T03:00:00Z"
    speed, satellites = number["speed"], number["sat"]
    return NativePing(
        time=EPOCH + dt.timedelta(milliseconds=moment),
        lon=number["lon"],
        lat=number["lat"],
        speed_kmh=None if speed is None else speed * KMH_PER_M_S,
        course_deg=number["course"],
        satellites=None if satellites is None else int(satellites),
    )
