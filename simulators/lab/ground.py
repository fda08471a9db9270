"""Where a scenario takes place: its routes and zones on earth, and the plan folder that the service is given. Pure but for the demo's roads."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import msgspec
import numpy as np

from simulators.earth import metres_per_degree_at
from simulators.errors import ScenarioError
from simulators.lab import acts
from simulators.lab.language import Journey, Route, Scenario, Zone
from simulators.places import Place, place_of
from simulators.roads import DEMO_PLAN, Road, Stretch, load_roads, road_of
from simulators.wire import instant

__all__ = ["Ground", "lay_out", "plan_files", "start_ms_of"]


@dataclass(frozen=True, slots=True)
class Ground:
    """Roads and places of a scenario by id, with the GeoJSON features they come from."""

    roads: Mapping[str, Road]
    places: Mapping[str, Place]
    routes: list[dict[str, Any]]
    zones: list[dict[str, Any]]
    start_ms: int

    def road(self, id_: str | None) -> Road:
        """A road; None: the scenario's first."""
        return next(iter(self.roads.values())) if id_ is None else self.roads[id_]


def start_ms_of(scenario: Scenario, file: str) -> int:
    """UTC epoch milliseconds of a scenario's second 0."""
    try:
        moment = datetime.fromisoformat(scenario.start)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ScenarioError(
            file,
            "start",
            f"is {scenario.start!r}",
            "it must be a moment with its zone",
            'write it like "2026-11-22T01:00:00Z"',
        )
    return round(moment.timestamp() * 1000)


def lay_out(scenario: Scenario, file: str) -> Ground:
    """Lay a scenario's routes and zones on earth."""
    start_ms = start_ms_of(scenario, file)
    roads, routes = {}, []
    for i, route in enumerate(scenario.route):
        feature, habits = _route(route, file, f"route[{i}]")
        roads[route.id] = road_of(feature, habits)
        routes.append(feature)
    zones = [
        _zone(z, roads[z.route] if z.route else next(iter(roads.values())), file, f"zone[{i}]")
        for i, z in enumerate(scenario.zone)
    ]
    return Ground(roads, {z["id"]: place_of(z) for z in zones}, routes, zones, start_ms)


@cache
def _demo_roads() -> dict[str, Road]:
    return load_roads(DEMO_PLAN)


def _route(route: Route, file: str, key: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A route's feature, and how it is driven."""
    if route.road is not None:
        line, habits = _cut(route, file, key)
    else:
        line, habits = [list(p) for p in route.line or ()], {}
    if len(line) < 2:  # noqa: PLR2004  a line
        raise ScenarioError(
            file,
            f"{key}.line",
            f"has {len(line)} points",
            "a line has two at least",
            "write [[lon, lat], [lon, lat], …]",
        )
    if route.drive_kmh is not None:
        habits = {"sections": [{"from_km": 0.0, "to_km": 1e6, "speed_kmh": route.drive_kmh}]}
    habits["tunnels"] = [
        *habits.get("tunnels", []),
        *({"from_km": a, "to_km": b} for a, b in route.tunnels_km),
    ]
    properties: dict[str, Any] = {"name": route.id, "half_width_m": route.half_width_m}
    if route.speed_limit_kmh is not None:
        properties["speed_limit_kmh"] = route.speed_limit_kmh
    if route.checkpoints:
        properties["checkpoints"] = [
            {
                k: v
                for k, v in (("zone", c.zone), ("after_min", c.after_min), ("tolerance_min", c.tolerance_min))
                if v is not None
            }
            for c in route.checkpoints
        ]
    return _feature(route.id, {"type": "LineString", "coordinates": line}, properties), habits


def _cut(route: Route, file: str, key: str) -> tuple[list[list[float]], dict[str, Any]]:
    """A stretch of one of the demo's roads."""
    road = _demo_roads().get(route.road or "")
    if road is None:
        raise ScenarioError(
            file,
            f"{key}.road",
            f"{route.road!r} is no road",
            "roads are the demo's",
            f"write one of {', '.join(_demo_roads())}",
        )
    from_m, to_m = route.from_km * 1000.0, min((route.to_km or 1e9) * 1000.0, road.length_m)
    if to_m - from_m < 1000.0:  # noqa: PLR2004  shorter, a truck has no speed before it brakes
        raise ScenarioError(
            file,
            key,
            "is shorter than a kilometre",
            f"{route.road} is {road.length_m / 1000:.1f} km long",
            "correct from_km and to_km",
        )
    inner = road.chainage_m[(road.chainage_m > from_m + 1.0) & (road.chainage_m < to_m - 1.0)]
    lon, lat = road.point_at(np.concatenate(([from_m], inner, [to_m])))
    line = [[round(float(x), 6), round(float(y), 6)] for x, y in zip(lon, lat, strict=True)]
    return line, {"sections": _shifted(road.sections, from_m), "tunnels": _shifted(road.tunnels, from_m)}


def _shifted(stretches: tuple[Stretch, ...], by_m: float) -> list[dict[str, Any]]:
    return [
        {"from_km": (s.from_m - by_m) / 1000, "to_km": (s.to_m - by_m) / 1000, "speed_kmh": s.speed_kmh}
        for s in stretches
        if s.to_m > by_m
    ]


def _zone(zone: Zone, road: Road, file: str, key: str) -> dict[str, Any]:
    if isinstance(zone.kind, list) and not zone.kind:
        raise ScenarioError(
            file, f"{key}.kind", "is empty", "a zone is of some kind", 'write kind = "interest", say'
        )
    for name in ("at_km", "from_km", "to_km"):
        km = getattr(zone, name)
        if km is not None and not 0.0 <= km <= road.length_m / 1000.0 + 1e-3:
            raise ScenarioError(
                file,
                f"{key}.{name}",
                f"is {km}",
                f"the route is {road.length_m / 1000:.1f} km long",
                "correct it",
            )
    properties: dict[str, Any] = {"name": zone.id, "kind": zone.kind}
    properties |= {
        name: value
        for name in ("max_stop_min", "speed_limit_kmh", "reason")
        if (value := getattr(zone, name)) is not None
    }
    if zone.radius_m is not None and zone.at_km is not None:
        geometry: dict[str, Any] = {"type": "Point", "coordinates": _beside(road, zone.at_km, zone.left_m)}
        return _feature(zone.id, geometry, properties | {"radius_m": zone.radius_m})
    kms = np.linspace(zone.from_km or 0.0, zone.to_km or 0.0, 9).tolist()
    ring = [_beside(road, km, zone.left_m - zone.width_m / 2) for km in kms]
    ring += [_beside(road, km, zone.left_m + zone.width_m / 2) for km in reversed(kms)]
    return _feature(zone.id, {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}, properties)


def _beside(road: Road, km: float, left_m: float) -> list[float]:
    at = np.array([km * 1000.0])
    lon, lat = road.point_at(at)
    x, y = road.left_normal_at(at)
    east, north = metres_per_degree_at(float(lat[0]))
    return [round(float(lon[0] + left_m * x[0] / east), 6), round(float(lat[0] + left_m * y[0] / north), 6)]


def _feature(id_: str, geometry: dict[str, Any], properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Feature", "id": id_, "geometry": geometry, "properties": properties}


def plan_files(scenario: Scenario, ground: Ground) -> dict[str, str]:
    """The plan folder's files by name: what the service is told of the scenario, and no more."""
    files = {
        "zones.geojson": _collection(ground.zones),
        "routes.geojson": _collection(ground.routes),
        "journeys.jsonl": "".join(_line(_journey(j, scenario, ground)) for j in scenario.journey),
        "equipment.jsonl": "".join(
            _line(
                {"id": e.id, "kind": e.kind, "heartbeat_s": e.heartbeat_s, "lon": at[0], "lat": at[1]}
                | ({"zone": e.zone, "reads": e.reads} if e.zone is not None else {})
            )
            for e in scenario.equipment
            for at in [_beside(ground.road(None), e.at_km, 0.0)]
        ),
        "policies.toml": "".join(_tables(scenario.policy)),
        "licences.jsonl": "".join(_line(msgspec.to_builtins(one)) for one in scenario.licence),
        "calendars.jsonl": "".join(_line(msgspec.to_builtins(c)) for c in scenario.calendar),
    }
    return {name: text for name, text in files.items() if text or name.endswith("geojson")}


def _collection(features: list[dict[str, Any]]) -> str:
    return (
        json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False, indent=1) + "\n"
    )


def _line(value: dict[str, Any]) -> str:
    return json.dumps({k: v for k, v in value.items() if v not in (None, [])}, ensure_ascii=False) + "\n"


def _journey(journey: Journey, scenario: Scenario, ground: Ground) -> dict[str, Any]:
    def at(minutes: float | None) -> str | None:
        return None if minutes is None else instant(ground.start_ms + round(minutes * 60_000))

    orders = [a for a in scenario.script if a.who == journey.id]
    return {
        "id": journey.id,
        "devices": [{"id": m.id, "role": m.role} for m in journey.devices],
        "route": journey.route or next(iter(ground.roads)),
        "regime": journey.regime,
        "armed_at": at(journey.armed_min),
        "disarmed_at": at(journey.disarmed_min),
        "due_at": at(journey.due_min),
        "origin_zone": journey.origin_zone,
        "destination_zone": journey.destination_zone,
        "permit": journey.permit,
        "minerals": journey.minerals,
        "vehicle": journey.vehicle,
        "box": journey.box,
        "authorisations": [
            {"from": at(a.at_min), "to": at(a.at_min + a.for_min), "by": a.by}
            | ({"zone": a.zone} if a.zone else {})
            for a in orders
            if isinstance(a, acts.Authorise)
        ],
        "diversions": [
            {"at": at(a.at_min), "route": a.route, "by": a.by} for a in orders if isinstance(a, acts.Divert)
        ],
        "suspensions": [
            {"from": at(a.at_min), "to": at(a.at_min + a.for_min), "by": a.by}
            for a in orders
            if isinstance(a, acts.Suspend)
        ],
        "resets": [
            {"at": at(a.at_min), "rule": a.rule, "by": a.by} for a in orders if isinstance(a, acts.Reset)
        ],
    }


def _tables(policy: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Nested tables as TOML; values are numbers, flags and words."""
    own = [f"{_key(k)} = {json.dumps(v)}\n" for k, v in policy.items() if not isinstance(v, dict)]
    lines = [f"[{prefix}]\n", *own] if own and prefix else own
    for key, value in policy.items():
        if isinstance(value, dict):
            lines += _tables(value, f"{prefix}.{_key(key)}" if prefix else _key(key))
    return lines


def _key(name: str) -> str:
    """A TOML key, quoted where it must be: ids may have dots."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name)
