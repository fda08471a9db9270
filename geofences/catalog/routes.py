"""``routes.geojson`` to corridors with their checkpoints, and all that is wrong with them."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geofences.catalog.faults import Fault, FaultSink, Ids, quoted
from geofences.catalog.features import Checkpoint, RouteFeature
from geofences.catalog.fields import Fields
from geofences.catalog.measures import HALF_TURN_DEG, rough_distance_m, span_deg
from geofences.catalog.positions import Lines
from geofences.catalog.reading import RawFeature, features_of, identify, uncollected
from geofences.catalog.text import as_text
from geofences.corridors import RouteGeometry

__all__ = ["read_routes"]

ROUTE_PROPERTIES = frozenset(
    {"id", "name", "half_width_m", "speed_limit_kmh", "checkpoints", "valid_from", "valid_to", "policy"}
)

LONG_LEG_M = 200_000.0
"""No road runs straight for as long: a vertex is missing or misplaced."""

WIDE_M = 10_000.0
"""A corridor with more on each side watches nothing; most likely the unit was mistaken."""

MOST_CHECKPOINTS = 64
"""Who judges a journey keeps a bit for each checkpoint of its route in one word."""


@uncollected()
def read_routes(
    text: str | bytes, file: str, *, zone_ids: Ids | None = None
) -> tuple[list[RouteFeature], list[Fault]]:
    """Routes of a GeoJSON FeatureCollection of LineStrings; see `read_zones`.

    A route may cross or retrace itself. ``zone_ids`` are the zones that its checkpoints may name; None: not looked up.
    """
    sink = FaultSink(file)
    raw = list(identify(features_of(as_text(text, sink), sink), sink))
    lines = Lines(sink)
    for feature in raw:
        _take_line(feature, lines, sink)
    lines.finish()
    positions = {
        feature.row: lines.lon_lat[lines.start[i] : lines.start[i + 1]]
        for i, feature in enumerate(lines.feature)
        if feature.row not in lines.broken
    }
    routes = []
    for feature in raw:
        route = _route(feature, positions.get(feature.row), zone_ids or Ids.unchecked(), sink)
        if route is not None and not sink.is_faulty(feature.row):
            routes.append(route)
    return routes, sink.in_order()


def _take_line(feature: RawFeature, lines: Lines, sink: FaultSink) -> None:
    kind = feature.geometry.get("type")
    if kind == "LineString":
        lines.add(
            feature, "coordinates", feature.geometry.get("coordinates"), 2, "draw the route from start to end"
        )
    elif feature.geometry:
        sink.error(
            feature.row,
            feature.label,
            "geometry",
            f"is a {quoted(kind)}",
            "a route is one LineString, from its start to its end",
            "join the parts in the order they are driven"
            if kind == "MultiLineString"
            else "draw it as a line",
        )


def _route(
    feature: RawFeature, lon_lat: NDArray[np.float64] | None, zone_ids: Ids, sink: FaultSink
) -> RouteFeature | None:
    fields = Fields(feature.properties, sink, feature.row, feature.label, "properties.")
    fields.suspect_misspelt(ROUTE_PROPERTIES)
    if lon_lat is not None:
        _check_legs(feature, lon_lat, sink)
    half_width_m = _half_widths_m(fields, None if lon_lat is None else len(lon_lat) - 1)
    name = fields.text("name")
    speed_limit_kmh = fields.number("speed_limit_kmh", above=0, unit="km/h")
    checkpoints = _checkpoints(fields, zone_ids)
    valid_from_ms, valid_to_ms = fields.period_ms("valid_from", "valid_to")
    policy = fields.table("policy")
    if lon_lat is None or half_width_m is None or sink.is_faulty(feature.row):
        return None
    return RouteFeature(
        geometry=RouteGeometry(feature.id, lon_lat[:, 0].copy(), lon_lat[:, 1].copy(), half_width_m),
        name=name or feature.id,
        speed_limit_kmh=speed_limit_kmh,
        checkpoints=checkpoints,
        valid_from_ms=valid_from_ms,
        valid_to_ms=valid_to_ms,
        policy=policy,
    )


def _check_legs(feature: RawFeature, lon_lat: NDArray[np.float64], sink: FaultSink) -> None:
    error, warn = (
        partial(sink.error, feature.row, feature.label),
        partial(sink.warn, feature.row, feature.label),
    )
    e7 = np.rint(lon_lat * 1e7).astype(np.int64)
    same = (e7[1:] == e7[:-1]).all(axis=1)
    if same.all():
        error("coordinates", "the route has no length", "all its positions are one", "draw it")
        return
    for leg in np.flatnonzero(same):
        what, why = (
            "is the same position as the one before",
            "a leg without length has no direction; it is passed over",
        )
        remedy = "remove one of the two (and its half_width_m, where there is one per leg)"
        warn(f"coordinates[{leg + 1}]", what, why, remedy)
    if (span := span_deg(lon_lat[:, 0])) >= HALF_TURN_DEG:
        what, why = (
            f"spans {span:.0f} degrees of longitude",
            "which way round the earth it goes cannot be told",
        )
        error("coordinates", what, why, "cut it in two routes")
    length_m = rough_distance_m(*lon_lat[:-1].T, *lon_lat[1:].T)
    for leg in np.flatnonzero(length_m >= LONG_LEG_M):
        what = f"the leg is {length_m[leg] / 1000:.0f} km long"
        why = "no road runs straight so far: a vertex may be missing or misplaced"
        warn(f"coordinates[{leg}…{leg + 1}]", what, why, "draw the bends between, or correct the position")
    if len(same) == 1:
        what, why = (
            "the route is a single straight leg",
            "a road seldom is: the way between may not have been drawn",
        )
        warn("coordinates", what, why, "draw the bends between, if there are any")


def _half_widths_m(fields: Fields, legs: int | None) -> NDArray[np.float64] | None:
    """f8[legs]; ``legs`` None where the line itself is faulty: then only the values are checked."""
    value: Any = fields.values.get("half_width_m")
    if not fields.require("half_width_m", "write the metres allowed on each side"):
        return None
    values = value if isinstance(value, list) else [value]
    if isinstance(value, list) and legs is not None and len(value) != legs:
        fields.error(
            "half_width_m",
            f"has {len(value)} values for {legs} legs",
            "there is one number for the route, or one for each leg",
            f"write {legs} values, or one number",
        )
    each = [
        Fields({where: v}, fields.sink, fields.row, fields.label, fields.prefix)
        for where, v in (
            [(f"half_width_m[{i}]", v) for i, v in enumerate(values)]
            if isinstance(value, list)
            else [("half_width_m", value)]
        )
    ]
    numbers = [_half_width_m(one) for one in each]
    if (
        None in numbers
        or not numbers
        or (legs is not None and isinstance(value, list) and len(numbers) != legs)
    ):
        return None
    out = np.array(numbers, np.float64)
    return out if isinstance(value, list) or legs is None else np.full(legs, out[0])


def _half_width_m(one: Fields) -> float | None:
    (where,) = one.values
    if not one.require(where, "write the metres allowed on each side"):
        return None
    metres = one.number(where, above=0, unit="metres")
    if metres is not None and metres > WIDE_M:
        one.warn(
            where, f"is {metres:.0f}", "so wide a corridor watches nothing", "check that it is in metres"
        )
    return metres


def _checkpoints(fields: Fields, zone_ids: Ids) -> tuple[Checkpoint, ...]:
    found: list[Checkpoint] = []
    latest_min = 0.0
    for entry in fields.objects("checkpoints"):
        entry.only({"zone", "after_min", "tolerance_min"})
        entry.require("zone", "write the id of the checkpoint's zone")
        zone = entry.reference("zone", zone_ids, "zone")
        after_min = entry.number("after_min", at_least=0, unit="minutes from arming")
        tolerance_min = entry.number("tolerance_min", at_least=0, unit="minutes")
        if after_min is not None and after_min < latest_min:
            entry.warn(
                "after_min",
                f"is {after_min:g}, less than the {latest_min:g} of a checkpoint before it",
                "checkpoints stand in the order they are passed",
                "correct the minutes or the order",
            )
        latest_min = max(latest_min, after_min or 0.0)
        if len(found) == MOST_CHECKPOINTS:
            why = f"a route has at most {MOST_CHECKPOINTS} checkpoints"
            entry.error(
                "", "is one too many", why, "leave out those that no one waits for, or part the route"
            )
            break
        if zone is not None:
            found.append(Checkpoint(zone, after_min, tolerance_min or 0.0))
    return tuple(found)
