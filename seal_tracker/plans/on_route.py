"""Which structures a route runs over or through, found on its geometry, whether or not a permit lists them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import nan
from typing import Any, NamedTuple

import numpy as np

from geofences.alongside import parts_on_route
from geofences.catalog import RouteFeature, StructureLimits, ZoneFeature
from geofences.corridors import CorridorSet
from geofences.zones import ZoneSet
from seal_tracker.plans.model import Plan

__all__ = ["OnRoute", "Structures", "named_besides", "structures_on"]


class OnRoute(NamedTuple):
    """A structure that a route runs over or through, from one chainage to another; ``limits`` are its own."""

    zone: str
    name: str
    limits: StructureLimits
    enter_m: float
    leave_m: float


def structures_on(plan: Plan, route: str | None, at_ms: int) -> list[OnRoute]:
    """The structures in force at a moment that a route meets, in the order in which it does; each time it does."""
    number = plan.route_index.get(route or "")
    if number is None or not any("structure" in zone.kinds for zone in plan.zones):
        return []
    met = _met(plan.corridors, plan.zone_set, plan.zones, number)
    return [one for zone, one in met if _holds(zone, at_ms)]


Met = list[tuple[ZoneFeature, OnRoute]]


def _met(corridors: CorridorSet, zone_set: ZoneSet, zones: Sequence[ZoneFeature], number: int) -> Met:
    """The structures that a route meets, in force or not."""
    there = np.array(["structure" in zone.kinds for zone in zones], bool)
    zone, enter_m, leave_m = parts_on_route(corridors, zone_set, there, number)
    found = (
        (zones[i], *ends) for i, *ends in zip(zone.tolist(), enter_m.tolist(), leave_m.tolist(), strict=True)
    )
    return [(one, OnRoute(one.id, one.name, one.structure, enter, leave)) for one, enter, leave in found]


class Structures:
    """The structures of a plan that is being read, and the routes, both with their vertices; each route is looked at once."""

    def __init__(self, zones: Sequence[ZoneFeature], routes: Sequence[RouteFeature]) -> None:
        self._zones = [zone for zone in zones if "structure" in zone.kinds]
        self._routes = {route.id: route for route in routes}
        self._set = ZoneSet.build([zone.geometry for zone in self._zones])
        self._met: dict[str, Met] = {}
        self._named = {zone.id: zone for zone in zones}

    def of(self, permit: Mapping[str, Any] | None, route: str | None, at_ms: int) -> list[OnRoute]:
        """Those in force at a moment that a route meets, or that a permit names."""
        met = self._on(route, at_ms)
        return [*met, *named_besides(permit, met, self._named, at_ms)]

    def _on(self, route: str | None, at_ms: int) -> list[OnRoute]:
        followed = self._routes.get(route or "")
        if followed is None or not self._zones:
            return []
        if followed.id not in self._met:
            corridor = CorridorSet.build([followed.geometry])
            self._met[followed.id] = _met(corridor, self._set, self._zones, 0)
        return [one for zone, one in self._met[followed.id] if _holds(zone, at_ms)]


def named_besides(
    permit: Mapping[str, Any] | None, met: Sequence[OnRoute], zones: Mapping[str, ZoneFeature], at_ms: int
) -> list[OnRoute]:
    """Structures in force that a permit names and that the route's line does not meet: drawn beside it, they count all the same.

    Nobody knows where on the route they are (NaN).
    """
    known = {one.zone for one in met}
    named = (str(one["zone"]) for one in (permit or {}).get("structures") or ())
    found = (zones[name] for name in dict.fromkeys(named) if name in zones and name not in known)
    return [OnRoute(z.id, z.name, z.structure, nan, nan) for z in found if _holds(z, at_ms)]


def _holds(zone: ZoneFeature, at_ms: int) -> bool:
    begun = zone.valid_from_ms is None or zone.valid_from_ms <= at_ms
    return begun and (zone.valid_to_ms is None or at_ms < zone.valid_to_ms)
