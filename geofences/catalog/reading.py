"""Text to GeoJSON features with their ids; faults of the file as a whole and of identity. No geometry yet."""

from __future__ import annotations

import gc
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import msgspec

from geofences.catalog.faults import FaultSink, quoted
from geofences.catalog.fields import ID_PATTERN

__all__ = ["Decoded", "RawFeature", "decode_json", "features_of", "identify", "uncollected"]

WGS84_NAMES = re.compile(r"CRS84|EPSG:{1,2}4326|WGS ?84", re.IGNORECASE)
"""How tools spell the only reference system GeoJSON has."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """A JSON value, or (line, column, message) of the first thing that is not JSON; both where it can still be read."""

    value: Any
    fault: tuple[int, int, str] | None = None


@dataclass(frozen=True, slots=True)
class RawFeature:
    """One feature before its geometry is looked at. ``label`` names it in faults, ``row`` is 0-based."""

    row: int
    label: str
    id: str
    geometry: Mapping[str, Any]
    properties: Mapping[str, Any]


@contextmanager
def uncollected() -> Iterator[None]:
    """Read without cyclic garbage collection.

    A large file becomes millions of lists that all live until they are one array; the collector would look at
    each of them again and again, and find nothing: 100,000 zones took twice as long with it.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def decode_json(text: str) -> Decoded:
    """Decode JSON; NaN and Infinity, which other tools write, are a fault but do not end the reading."""
    try:
        return Decoded(msgspec.json.decode(text))
    except RecursionError:
        return Decoded(None, (1, 1, "it is nested too deeply"))
    except (msgspec.DecodeError, UnicodeEncodeError) as strict:
        return _decode_leniently(text, str(strict))


def _decode_leniently(text: str, strict: str) -> Decoded:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as e:
        return Decoded(None, (e.lineno, e.colno, e.msg[:1].lower() + e.msg[1:]))
    except RecursionError:
        return Decoded(None, (1, 1, "it is nested too deeply"))
    except ValueError as e:  # integers of thousands of digits
        return Decoded(None, (1, 1, str(e)))
    if literal := re.search(r"(?<=[\s:,\[])-?(?:NaN|Infinity)(?=[\s,\]}])", text):
        return Decoded(value, (*_place(text[: literal.start()]), f"{literal.group()} is not a JSON number"))
    byte = re.search(r" \(byte (\d+)\)$", strict)
    before = text.encode("utf-8", "replace")[: int(byte[1])].decode("utf-8", "replace") if byte else ""
    return Decoded(value, (*_place(before), strict))


def _place(before: str) -> tuple[int, int]:
    """Line and column, from 1, of what follows ``before``."""
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def features_of(text: str, sink: FaultSink) -> list[Any]:
    """The members of a FeatureCollection as decoded; empty, with a fault, where there is none."""
    if not text.strip():
        if not sink.is_faulty(-1):  # else its bytes could not be read, which has been said
            why = "a plan file is one GeoJSON FeatureCollection"
            remedy = 'with nothing in it yet it is {"type": "FeatureCollection", "features": []}'
            sink.error(-1, "", "", "is empty", why, remedy)
        return []
    decoded = decode_json(text)
    if decoded.fault is not None:
        line, column, message = decoded.fault
        sink.error(
            -1,
            "",
            f"line {line}, column {column}",
            f"is not JSON: {message}",
            "nothing after this place can be relied on",
            "mend the file there, or export it again as GeoJSON",
        )
        if decoded.value is None:
            return []
    collection = decoded.value
    if not isinstance(collection, dict) or collection.get("type") != "FeatureCollection":
        kind = collection.get("type") if isinstance(collection, dict) else collection
        sink.error(
            -1,
            "",
            "type",
            f"is {quoted(kind)}, not a FeatureCollection",
            "a plan file is one GeoJSON FeatureCollection",
            'wrap the features: {"type": "FeatureCollection", "features": […]}',
        )
        return []
    _check_reference_system(collection.get("crs"), sink)
    features = collection.get("features")
    if not isinstance(features, list):
        sink.error(
            -1,
            "",
            "features",
            f"is {quoted(features)}, not a list",
            "the features stand in this list",
            "write a list",
        )
        return []
    return features


def _check_reference_system(crs: object, sink: FaultSink) -> None:
    """Old GeoJSON could name another reference system; metres or VN-2000 read as WGS 84 would lie elsewhere."""
    if crs is None or WGS84_NAMES.search(json.dumps(crs)):
        return
    name = crs.get("properties", {}).get("name") if isinstance(crs, dict) else crs
    sink.error(
        -1,
        "",
        "crs",
        f"the coordinates are in {quoted(name)}",
        "GeoJSON (RFC 7946) is longitude and latitude in degrees of WGS 84",
        "export the layer again with the reference system EPSG:4326",
    )


def identify(features: list[Any], sink: FaultSink) -> Iterator[RawFeature]:
    """All features that are objects, with what geometry and id they have; faults for what is missing or wrong."""
    first_row: dict[str, int] = {}
    for row, feature in enumerate(features):
        label = f"#{row + 1}"
        if not isinstance(feature, dict) or feature.get("type") != "Feature":
            kind = feature.get("type") if isinstance(feature, dict) else feature
            why = "every member of the list is a Feature"
            sink.error(row, label, "type", f"is {quoted(kind)}", why, "make it a GeoJSON Feature")
            continue
        properties = feature.get("properties")
        if properties is None:  # which GeoJSON allows
            properties = {}
        elif not isinstance(properties, dict):
            what = f"is {quoted(properties)}"
            sink.error(row, label, "properties", what, "it must be an object", 'write an object: {"…": …}')
            properties = {}
        name = _id_of(row, feature, properties, sink)
        if name is not None and (first := first_row.setdefault(name, row)) != row:
            what = f"#{row + 1} has the id of #{first + 1}"
            why = "an id names one feature: policies, journeys and events refer to it"
            sink.error(row, name, "id", what, why, "give one of the two another id")
        label = name or label
        geometry = feature.get("geometry")
        if not isinstance(geometry, dict) or not geometry:
            what = "has no geometry" if geometry in (None, {}) else f"is {quoted(geometry)}, not an object"
            sink.error(row, label, "geometry", what, "a feature without a place cannot be judged", "draw it")
            geometry = {}
        yield RawFeature(row, label, name or "", geometry, properties)


def _id_of(
    row: int, feature: Mapping[str, Any], properties: Mapping[str, Any], sink: FaultSink
) -> str | None:
    """The top-level id, else the property; a whole number is its digits."""
    where, name = (
        ("id", feature["id"]) if feature.get("id") is not None else ("properties.id", properties.get("id"))
    )
    if type(name) is int:
        name = str(name)
    if isinstance(name, str) and ID_PATTERN.fullmatch(name):
        return name
    if name is None or name == "":
        what, label = "has no id", f"#{row + 1}"
    else:
        what, label = f"the id is {quoted(name)}", name if isinstance(name, str) else f"#{row + 1}"
    sink.error(
        row,
        label,
        where if name is not None else "id",
        what,
        "ids are 1 to 64 of A-Z a-z 0-9 _ . : - so that they fit topics, files and addresses",
        'write such an id: "id" beside "type", or in the properties',
    )
    return None
