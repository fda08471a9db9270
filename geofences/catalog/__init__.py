"""GeoJSON to immutable plan geometry, with every fault named at once.

Reading never stops at the first fault: what can be read is returned, all that is wrong is returned beside it.
Pure: text in, features and faults out. Nothing here opens a file, reads a clock or keeps state.
"""

from geofences.catalog.crosscheck import cross_check
from geofences.catalog.faults import Fault, FaultSink, Ids
from geofences.catalog.features import (
    UNLIMITED,
    ZONE_KINDS,
    Checkpoint,
    RouteFeature,
    StructureLimits,
    ZoneFeature,
)
from geofences.catalog.fields import ID_PATTERN, Fields, parse_time_ms
from geofences.catalog.reading import Decoded, decode_json
from geofences.catalog.routes import read_routes
from geofences.catalog.zones import read_zones

__all__ = [
    "ID_PATTERN",
    "UNLIMITED",
    "ZONE_KINDS",
    "Checkpoint",
    "Decoded",
    "Fault",
    "FaultSink",
    "Fields",
    "Ids",
    "RouteFeature",
    "StructureLimits",
    "ZoneFeature",
    "cross_check",
    "decode_json",
    "parse_time_ms",
    "read_routes",
    "read_zones",
]
