"""Polygons of many features at once: structure by ring, validity by GEOS over arrays, each fault with its place."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geofences.catalog.faults import FaultSink, quoted
from geofences.catalog.measures import HALF_TURN_DEG, span_deg, unwrapped_deg
from geofences.catalog.positions import Lines
from geofences.catalog.reading import RawFeature

__all__ = ["Polygons"]

RING_POSITIONS = 4
"""Fewest positions of a ring: a triangle and its first position again."""

INVALID = {
    "Self-intersection": (
        "the outline crosses itself",
        "what is inside cannot be told",
        "move or remove the vertices there, or split the zone in two",
    ),
    "Ring Self-intersection": (
        "the outline touches itself",
        "what is inside cannot be told",
        "move the vertex that is passed twice, or split the zone in two",
    ),
    "Hole lies outside shell": (
        "a hole lies outside the outline",
        "a hole cuts away from the polygon whose first ring surrounds it",
        "make it a polygon of its own in a MultiPolygon, or remove it",
    ),
    "Holes are nested": ("a hole lies in a hole", "it cuts away nothing", "remove the inner hole"),
    "Interior is disconnected": (
        "holes cut the polygon in two",
        "one polygon is one connected area",
        "draw two polygons in a MultiPolygon",
    ),
    "Nested shells": (
        "one polygon lies within another",
        "polygons of a MultiPolygon do not overlap",
        "make the inner one a hole, or remove it",
    ),
    "Too few points in geometry component": (
        "the ring has fewer than three different vertices",
        "it surrounds no area",
        "draw the area again, or use a Point with radius_m",
    ),
}
"""GEOS's reasons in the words of who draws zones: what, why, remedy."""


OVER_ANTIMERIDIAN = (
    "crosses the antimeridian in one piece",
    "here it is taken the short way, but other programs fill the rest of the earth",
    "split it at 180 degrees into a MultiPolygon (RFC 7946, 3.1.9)",
)


@dataclass(slots=True)
class Polygons:
    """Collects Polygon and MultiPolygon features with `add`, then builds and validates them all in `finish`."""

    sink: FaultSink
    _rings: Lines = field(init=False)
    _ring_polygon: list[int] = field(default_factory=list)
    _polygon_feature: list[int] = field(default_factory=list)
    _features: list[RawFeature] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._rings = Lines(self.sink)

    def add(self, feature: RawFeature) -> None:
        """Take a feature's rings; a fault for each that is not a list of at least four positions."""
        coordinates = feature.geometry.get("coordinates")
        self._features.append(feature)
        if feature.geometry["type"] == "Polygon":
            self._add_polygon(feature, "coordinates", coordinates)
        elif not isinstance(coordinates, list) or not coordinates:
            self._empty(feature, "coordinates", coordinates, "polygons")
        else:
            for i, polygon in enumerate(coordinates):
                self._add_polygon(feature, f"coordinates[{i}]", polygon)

    def _add_polygon(self, feature: RawFeature, where: str, rings: object) -> None:
        if not isinstance(rings, list) or not rings:
            self._empty(feature, where, rings, "rings")
            return
        polygon = len(self._polygon_feature)
        self._polygon_feature.append(len(self._features) - 1)
        for i, ring in enumerate(rings):
            remedy = "draw at least three corners and end at the first"
            if self._rings.add(feature, f"{where}[{i}]", ring, RING_POSITIONS, remedy):
                self._ring_polygon.append(polygon)

    def _empty(self, feature: RawFeature, where: str, value: object, members: str) -> None:
        what = "is empty" if value == [] else f"is {quoted(value)}"
        self._rings.broken.add(feature.row)
        self.sink.error(
            feature.row, feature.label, where, what, f"it must be a list of {members}", "draw the area"
        )

    def finish(self) -> dict[int, Any]:
        """Valid geometries by the feature's row."""
        self._rings.finish()
        self._name_unclosed()
        sound = np.array([f.row not in self._rings.broken for f in self._features], bool)
        geometries = self._build(sound)
        rows = np.flatnonzero(sound)
        valid = shapely.is_valid(geometries)
        for i in np.flatnonzero(~valid):
            self._name_invalid(self._features[rows[i]], str(shapely.is_valid_reason(geometries[i])))
        wide = self._wide(rows, geometries)
        return {
            self._features[row].row: geometry
            for row, geometry in zip(rows[valid], geometries[valid], strict=True)
            if row not in wide
        }

    def _name_unclosed(self) -> None:
        rings = self._rings
        first, last = rings.lon_lat[rings.start[:-1]], rings.lon_lat[rings.start[1:] - 1]
        unclosed = ((first != last) & np.isfinite(first) & np.isfinite(last)).any(axis=1)
        for ring in np.flatnonzero(unclosed):
            feature = rings.feature[ring]
            rings.broken.add(feature.row)
            ends = " and ".join(f"[{lon:.7g}, {lat:.7g}]" for lon, lat in (first[ring], last[ring]))
            self.sink.error(
                feature.row,
                feature.label,
                rings.where[ring],
                f"the ring is not closed: it begins and ends at {ends}",
                "a ring's last position is its first again",
                "repeat the first position at the end",
            )

    def _build(self, sound: NDArray[np.bool_]) -> NDArray[Any]:
        """Shapely geometries of the sound features, in order."""
        ring_polygon = np.array(self._ring_polygon, np.int64)
        polygon_feature = np.array(self._polygon_feature, np.int64)
        polygon_sound = sound[polygon_feature] if len(polygon_feature) else np.empty(0, bool)
        ring_sound = polygon_sound[ring_polygon] if len(ring_polygon) else np.empty(0, bool)
        size = np.diff(self._rings.start)
        positions = self._rings.lon_lat[np.repeat(ring_sound, size)]
        if not len(positions):
            return np.empty(0, object)
        position_ring = np.repeat(np.arange(ring_sound.sum()), size[ring_sound])
        rings = np.asarray(shapely.linearrings(positions, indices=position_ring), object)
        polygons = np.asarray(shapely.polygons(rings, indices=_renumbered(ring_polygon[ring_sound])), object)
        number = _renumbered(polygon_feature[polygon_sound])
        multi = np.array([f.geometry["type"] == "MultiPolygon" for f in self._features], bool)[sound]
        out = np.empty(len(multi), object)
        is_part = multi[number]
        out[~multi] = polygons[~is_part]
        if multi.any():
            out[multi] = shapely.multipolygons(polygons[is_part], indices=_renumbered(number[is_part]))
        return out

    def _name_invalid(self, feature: RawFeature, reason: str) -> None:
        kind, _, place = reason.partition("[")
        what, why, remedy = INVALID.get(kind, (kind, "the area is not valid", "draw it again"))
        if kind == "Self-intersection" and _count_rings(feature) > 1:
            what = "its rings cross or overlap"
        if match := re.match(r"(\S+) (\S+)\]", place):
            what += f" at {float(match[1]):.6f}, {float(match[2]):.6f}"
        self.sink.error(feature.row, feature.label, "geometry", what, why, remedy)

    def _wide(self, rows: NDArray[np.int64], geometries: NDArray[Any]) -> set[int]:
        """Name what covers half a turn or more, suspect what crosses the antimeridian in one piece; the former's rows."""
        too_wide: set[int] = set()
        west, _, east, _ = shapely.bounds(geometries).reshape(-1, 4).T
        for i in np.flatnonzero(east - west >= HALF_TURN_DEG):
            feature = self._features[rows[i]]
            rings = shapely.get_rings(shapely.get_parts(geometries[i]))
            lines_deg = [shapely.get_coordinates(ring)[:, 0] for ring in rings]
            if fault := _too_wide(lines_deg):
                self.sink.error(feature.row, feature.label, "geometry", *fault)
                too_wide.add(int(rows[i]))
            elif any((np.abs(np.diff(line)) >= HALF_TURN_DEG).any() for line in lines_deg):
                self.sink.warn(feature.row, feature.label, "geometry", *OVER_ANTIMERIDIAN)
        return too_wide


def _too_wide(rings_deg: list[NDArray[np.float64]]) -> tuple[str, str, str] | None:
    """What, why and remedy where longitudes cannot tell inside from outside."""
    why = "its inside cannot be told from its outside"
    if any(unwrapped_deg(ring, ring[0])[-1] != unwrapped_deg(ring, ring[0])[0] for ring in rings_deg):
        return "a ring goes round a pole", why, "end it short of the pole"
    if (span := span_deg(*rings_deg)) >= HALF_TURN_DEG:
        return f"spans {span:.0f} degrees of longitude", why, "cut it in two zones"
    return None


def _count_rings(feature: RawFeature) -> int:
    coordinates = feature.geometry["coordinates"]
    return len(coordinates) if feature.geometry["type"] == "Polygon" else sum(map(len, coordinates))


def _renumbered(sorted_numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Ascending numbers with the gaps closed: 3 3 7 becomes 0 0 1."""
    return np.unique(sorted_numbers, return_inverse=True)[1].astype(np.int64)
