"""``zones.geojson`` to zones: circles and polygons, their properties, and all that is wrong with them."""

from __future__ import annotations

from typing import Any

from geofences.catalog.faults import Fault, FaultSink, Ids, did_you_mean, quoted
from geofences.catalog.features import UNLIMITED, ZONE_KINDS, StructureLimits, ZoneFeature
from geofences.catalog.fields import Fields
from geofences.catalog.polygons import Polygons
from geofences.catalog.positions import Lines
from geofences.catalog.reading import RawFeature, features_of, identify, uncollected
from geofences.catalog.text import as_text
from geofences.zones import Circle, ZoneGeometry

__all__ = ["read_zones"]

STRUCTURE_LIMITS = {
    "max_mass_kg": "kg",
    "max_axle_kg": "kg",
    "max_height_m": "metres",
    "max_width_m": "metres",
}
"""What a structure may limit, each with its unit."""

ZONE_PROPERTIES = frozenset(
    {
        *STRUCTURE_LIMITS,
        "alone",
        "id",
        "name",
        "kind",
        "radius_m",
        "reason",
        "max_stop_min",
        "speed_limit_kmh",
        "unit",
        "valid_from",
        "valid_to",
        "policy",
    }
)

LARGE_RADIUS_M = 100_000.0
"""A circle of more is suspicious: no port, depot or stop is, and a circle on a plane is no longer one on the earth."""


@uncollected()
def read_zones(
    text: str | bytes, file: str, *, unit_ids: Ids | None = None
) -> tuple[list[ZoneFeature], list[Fault]]:
    """Zones of a GeoJSON FeatureCollection.

    Parameters
    ----------
    text
        the file's content; bytes are UTF-8.
    file
        its name, for the faults.
    unit_ids
        the units that a zone may be of; None: not looked up.

    Returns
    -------
    zones, faults
        sound zones in the order of the file; every fault, warnings among them. A zone with an error is left out.
    """
    sink = FaultSink(file)
    raw = list(identify(features_of(as_text(text, sink), sink), sink))
    geometries = _geometries(raw, sink)
    zones = []
    for feature in raw:
        fields = Fields(feature.properties, sink, feature.row, feature.label, "properties.")
        zone = _zone(feature, fields, geometries.get(feature.row), unit_ids or Ids.unchecked())
        if zone is not None and not sink.is_faulty(feature.row):
            zones.append(zone)
    return zones, sink.in_order()


def _geometries(raw: list[RawFeature], sink: FaultSink) -> dict[int, Any]:
    """Geometry by row; rows with faults may be missing."""
    polygons, points = Polygons(sink), Lines(sink)
    radius_m: list[float] = []
    for feature in raw:
        kind = feature.geometry.get("type")
        if kind == "Point":
            radius = _radius_m(feature, sink)
            coordinates = [feature.geometry.get("coordinates")]
            if points.add(feature, "coordinates", coordinates, 1, ""):
                radius_m.append(radius)
        elif kind in ("Polygon", "MultiPolygon"):
            polygons.add(feature)
        elif feature.geometry:
            sink.error(
                feature.row,
                feature.label,
                "geometry",
                f"is a {quoted(kind)}",
                "a zone is a Polygon, a MultiPolygon, or a Point with radius_m",
                "draw the area, or move the line to routes.geojson"
                if kind == "LineString"
                else "draw the area",
            )
    points.finish()
    circles = zip(points.feature, points.lon_lat.tolist(), radius_m, strict=True)
    return polygons.finish() | {feature.row: Circle(lon, lat, r) for feature, (lon, lat), r in circles}


def _radius_m(feature: RawFeature, sink: FaultSink) -> float:
    fields = Fields(feature.properties, sink, feature.row, feature.label, "properties.")
    if not fields.require("radius_m", "write the radius in metres, or draw a Polygon"):
        return 0.0
    radius_m = fields.number("radius_m", above=0, unit="metres") or 0.0
    if radius_m > LARGE_RADIUS_M:
        fields.warn(
            "radius_m", f"is {radius_m:.0f}", "a circle this large is rare", "check that it is in metres"
        )
    return radius_m


def _zone(feature: RawFeature, fields: Fields, geometry: Any, unit_ids: Ids) -> ZoneFeature | None:
    """The zone of these properties; None, after they have been checked, where its geometry is faulty."""
    fields.suspect_misspelt(ZONE_PROPERTIES)
    name, kinds = fields.text("name"), _kinds(fields)
    valid_from_ms, valid_to_ms = fields.period_ms("valid_from", "valid_to")
    reason, unit = fields.text("reason"), fields.reference("unit", unit_ids, "unit")
    max_stop_min = fields.number("max_stop_min", above=0, unit="minutes")
    speed_limit_kmh = fields.number("speed_limit_kmh", above=0, unit="km/h")
    policy, structure = fields.table("policy"), _structure(fields, kinds)
    if geometry is None:
        return None
    return ZoneFeature(
        geometry=ZoneGeometry(feature.id, geometry),
        name=name or feature.id,
        kinds=kinds,
        reason=reason,
        max_stop_min=max_stop_min,
        speed_limit_kmh=speed_limit_kmh,
        unit=unit,
        valid_from_ms=valid_from_ms,
        valid_to_ms=valid_to_ms,
        policy=policy,
        structure=structure,
    )


def _structure(fields: Fields, kinds: frozenset[str]) -> StructureLimits:
    """What a structure bears; a warning where a zone that is none says so."""
    given = [key for key in (*STRUCTURE_LIMITS, "alone") if fields.values.get(key) is not None]
    if not given:
        return UNLIMITED
    if "structure" not in kinds:
        why = "vehicles are compared with the limits of structures alone"
        fields.warn(given[0], "has no effect", why, 'add "structure" to its kind, or leave it out')
    limits = {key: fields.number(key, above=0, unit=unit) for key, unit in STRUCTURE_LIMITS.items()}
    alone = fields.values.get("alone")
    if alone is not None and not isinstance(alone, bool):
        fields.error("alone", f"is {quoted(alone)}", "it must be true or false", "write true or false")
    return StructureLimits(**limits, alone=alone is True)


def _kinds(fields: Fields) -> frozenset[str]:
    """One kind or a list of them."""
    value = fields.values.get("kind")
    if isinstance(value, str) and value in ZONE_KINDS:
        return _ONLY[value]
    if value is None or value == []:
        fields.error(
            "kind",
            "is missing",
            "no rule would look at this zone",
            f"write one or more of {', '.join(sorted(ZONE_KINDS))}",
        )
        return frozenset()
    for kind in value if isinstance(value, list) else [value]:
        if not isinstance(kind, str) or kind not in ZONE_KINDS:
            remedy = (
                did_you_mean(kind, ZONE_KINDS) if isinstance(kind, str) else "write a text or a list of texts"
            )
            fields.error("kind", f"is {quoted(kind)}", "no rule knows zones of this kind", remedy)
    return (
        frozenset(kind for kind in value if isinstance(kind, str)) if isinstance(value, list) else frozenset()
    )


_ONLY = {kind: frozenset({kind}) for kind in ZONE_KINDS}
"""One set a kind, shared by the many zones that are just that."""
