"""What a plan's zones and routes are once they have been read and found sound. Immutable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import shapely

from geofences.corridors import RouteGeometry
from geofences.zones import ZoneGeometry

__all__ = ["UNLIMITED", "ZONE_KINDS", "Checkpoint", "RouteFeature", "StructureLimits", "ZoneFeature"]

ZONE_KINDS: frozenset[str] = frozenset(
    {
        "interest",
        "prohibited",
        "approved_stop",
        "unlock_allowed",
        "checkpoint",
        "gate",
        "depot",
        "bonded",
        "port",
        "mine",
        "structure",
        "jurisdiction",
    }
)
"""What a zone may be; a zone may be several things at once."""


NOWHERE = shapely.Polygon()


@dataclass(frozen=True, slots=True)
class StructureLimits:
    """What a bridge, tunnel or culvert bears and lets through; None: not limited. ``alone``: one vehicle at a time."""

    max_mass_kg: float | None = None
    max_axle_kg: float | None = None
    max_height_m: float | None = None
    max_width_m: float | None = None
    alone: bool = False


UNLIMITED = StructureLimits()
"""Shared by all zones that limit nothing."""


@dataclass(frozen=True, slots=True)
class ZoneFeature:
    """A zone and what it is for. Times are UTC epoch ms; ``valid_to_ms`` is the first moment it no longer holds.

    ``policy`` is {rule: {key: value}}, what ``[zone.ID.RULE]`` of a policy file would say; ``structure`` what a zone of that kind
    bears.
    """

    geometry: ZoneGeometry
    name: str
    kinds: frozenset[str]
    reason: str | None = None
    max_stop_min: float | None = None
    speed_limit_kmh: float | None = None
    unit: str | None = None
    valid_from_ms: int | None = None
    valid_to_ms: int | None = None
    policy: Mapping[str, Any] = field(default_factory=dict)
    structure: StructureLimits = UNLIMITED

    @property
    def id(self) -> str:
        """The zone's id, unique among zones."""
        return self.geometry.id

    def without_shape(self) -> ZoneFeature:
        """The feature for keeps: a zone set has its vertices already."""
        return replace(self, geometry=ZoneGeometry(self.id, NOWHERE))


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A zone that a journey on this route enters, ``after_min`` minutes from arming where that is planned."""

    zone: str
    after_min: float | None = None
    tolerance_min: float = 0.0


@dataclass(frozen=True, slots=True)
class RouteFeature:
    """A corridor with its checkpoints in the order they are passed. Times as in `ZoneFeature`."""

    geometry: RouteGeometry
    name: str
    speed_limit_kmh: float | None = None
    checkpoints: tuple[Checkpoint, ...] = ()
    valid_from_ms: int | None = None
    valid_to_ms: int | None = None
    policy: Mapping[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The route's id, unique among routes."""
        return self.geometry.id

    def without_vertices(self) -> RouteFeature:
        """The feature for keeps: a corridor set has its vertices already, and twice would be 24 bytes each too many."""
        none = np.empty(0)
        return replace(self, geometry=RouteGeometry(self.id, none, none, none))
