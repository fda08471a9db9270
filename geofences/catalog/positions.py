"""Lists of positions to one flat array; types are checked ring by ring at C speed, ranges all at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geofences.catalog.faults import FaultSink, quoted
from geofences.catalog.reading import RawFeature

__all__ = ["LON_LAT", "Lines"]

MAX_LON_DEG, MAX_LAT_DEG = 180, 90

TURN_DEG = 360
"""No angle is more: beyond this the numbers are metres of some projection."""

HUGE = 1e300
"""Integers may be larger than any float; these are called infinite."""

LON_LAT = "a position is [longitude, latitude] in degrees"


@dataclass(slots=True)
class Lines:
    """Rings, lines or points (lines of one) of many features in one array. `add` them all, then `finish` once.

    ``feature``, ``where`` and ``size`` hold a line's feature, its place in it and its number of positions;
    ``broken`` the rows of features whose positions cannot be used.
    """

    sink: FaultSink
    feature: list[RawFeature] = field(default_factory=list)
    where: list[str] = field(default_factory=list)
    size: list[int] = field(default_factory=list)
    broken: set[int] = field(default_factory=set)
    _flat: list[Any] = field(default_factory=list)
    lon_lat: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 2)))
    start: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))

    def add(self, feature: RawFeature, where: str, line: object, least: int, remedy: str) -> bool:
        """Take a list of at least ``least`` positions; False, with a fault, where it is none."""
        if not isinstance(line, list) or len(line) < least:
            what = (
                f"has {len(line)} positions" if isinstance(line, list) else f"is {quoted(line)}, not a list"
            )
            self.broken.add(feature.row)
            self.sink.error(
                feature.row, feature.label, where, what, f"at least {least} positions are needed", remedy
            )
            return False
        if not _are_positions(line):
            self.broken.add(feature.row)
            for place, position in _not_positions(line):
                self.sink.error(
                    feature.row,
                    feature.label,
                    _place(where, place, len(line)),
                    f"is {quoted(position)}",
                    LON_LAT,
                    "write two numbers, without quotes",
                )
            return False
        self.feature.append(feature)
        self.where.append(where)
        self.size.append(len(line))
        self._flat.extend(line if set(map(len, line)) == {2} else [position[:2] for position in line])
        return True

    def finish(self) -> None:
        """Make ``lon_lat`` f8[n, 2] and ``start`` i8[lines + 1]; name every line with a position that is nowhere."""
        self.start = np.concatenate([[0], np.cumsum(np.array(self.size, np.int64))]).astype(np.int64)
        self.lon_lat = _as_array(self._flat)
        self._flat = []
        lon, lat = self.lon_lat[:, 0], self.lon_lat[:, 1]
        inside = (np.abs(lon) <= MAX_LON_DEG) & (np.abs(lat) <= MAX_LAT_DEG)  # NaN is not
        places = np.flatnonzero(~inside)
        lines = np.searchsorted(self.start, places, side="right") - 1
        for line, first in zip(*np.unique(lines, return_index=True), strict=True):
            self._outside(int(line), places[lines == line], int(places[first]))

    def _outside(self, line: int, places: NDArray[np.int64], first: int) -> None:
        lon, lat = (float(v) for v in self.lon_lat[first])
        feature = self.feature[line]
        more = f", and {len(places) - 1} more positions" if len(places) > 1 else ""
        if not (np.isfinite(lon) and np.isfinite(lat)):
            remedy = "export the geometry again"
        elif abs(lon) <= MAX_LAT_DEG < abs(lat) <= MAX_LON_DEG:
            remedy = f"the axes look swapped: write longitude first, [{lat:g}, {lon:g}]"
        elif max(abs(lon), abs(lat)) > TURN_DEG:
            remedy = "these look like metres: export the layer again with the reference system EPSG:4326"
        else:
            remedy = "correct the position"
        self.broken.add(feature.row)
        self.sink.error(
            feature.row,
            feature.label,
            _place(self.where[line], first - int(self.start[line]), self.size[line]),
            f"[{lon:g}, {lat:g}]{more} out of range",
            "longitude is within -180 and 180, latitude within -90 and 90",
            remedy,
        )


def _place(where: str, place: int, size: int) -> str:
    """A position of a line by its number; a point is just itself."""
    return f"{where}[{place}]" if size > 1 else where


def _are_positions(line: list[Any]) -> bool:
    return (
        set(map(type, line)) == {list}
        and min(map(len, line)) >= 2  # noqa: PLR2004
        and set(map(type, chain.from_iterable(line))) <= {int, float}
    )


def _not_positions(line: list[Any]) -> Iterator[tuple[int, Any]]:
    for place, position in enumerate(line):
        if not isinstance(position, list) or not _are_positions([position]):
            yield place, position


def _as_array(flat: list[Any]) -> NDArray[np.float64]:
    try:
        return np.array(flat, np.float64).reshape(-1, 2)
    except OverflowError:  # an integer beyond any float is out of range like any other
        return np.array([[v if abs(v) < HUGE else np.inf for v in position] for position in flat])
