"""What only shows when zones and routes are seen together: checkpoints out of reach, strays, doubles."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geofences.alongside import ZonesAlong
from geofences.catalog.faults import Fault
from geofences.catalog.features import RouteFeature, ZoneFeature
from geofences.catalog.measures import rough_distance_m
from geofences.corridors import CorridorSet
from geofences.zones import Circle, ZoneSet

__all__ = ["cross_check"]

FAR_M = 300_000.0
"""A feature with nothing nearer than this is suspicious: neighbouring ports, posts and corridors are closer."""

AMONG_PCT = (10, 90)
"""The box that holds the features between these percentiles is where the plan lies, strays or not."""

AMONG_MARGIN_DEG = 3.0
"""Degrees (some 300 km) around that box that still belong to it."""

FEW = 2
"""With fewer features there is nothing that one of them could lie away from."""

_TIMES = {0: "not once", 1: "once"}

METRES_PER_DEGREE = 111_195.0
"""Of latitude, on a sphere; good to half a percent."""

SLACK_M = 50.0
"""Closer than this to a corridor a checkpoint is not called unreachable; covers the rough measure."""


def cross_check(
    zones: Sequence[ZoneFeature],
    routes: Sequence[RouteFeature],
    *,
    zones_file: str = "zones.geojson",
    routes_file: str = "routes.geojson",
) -> list[Fault]:
    """Suspicions about features that are sound by themselves; names of what is not there are found while reading."""
    by_id = {zone.id: zone for zone in zones}
    faults = []
    for route in routes:
        faults += _unreachable(route, by_id, routes_file)
        faults += _listed_too_often(route, by_id, routes_file)
    faults += _strays(_places(zones, zones_file), _places(routes, routes_file))
    return faults + _twins(zones, zones_file)


def _unreachable(route: RouteFeature, zones: dict[str, ZoneFeature], file: str) -> list[Fault]:
    """Checkpoints that the route's corridor does not meet."""
    faults = []
    for i, checkpoint in enumerate(route.checkpoints):
        zone = zones.get(checkpoint.zone)
        if zone is not None and (away_m := _beyond_corridor_m(route, zone)) > SLACK_M:
            where = f"properties.checkpoints[{i}].zone"
            what = f"zone “{zone.id}” begins {away_m:.0f} m outside the corridor"
            why = "a journey on its route does not reach this checkpoint"
            remedy = "check the zone's place, or the route's half_width_m"
            faults.append(Fault(file, route.id, where, what, why, remedy, "warning"))
    return faults


def _listed_too_often(route: RouteFeature, zones: dict[str, ZoneFeature], file: str) -> list[Fault]:
    """Checkpoints that are listed once more than the road passes them: nothing tells such visits apart."""
    listed = Counter(checkpoint.zone for checkpoint in route.checkpoints)
    faults = []
    for name, times in listed.items():
        zone = zones.get(name)
        if times == 1 or zone is None:
            continue
        passed = _times_passed(route, zone)
        if passed < times:
            last = max(i for i, checkpoint in enumerate(route.checkpoints) if checkpoint.zone == name)
            where = f"properties.checkpoints[{last}].zone"
            what = f"zone “{name}” is listed {times} times, and the route goes through it {_TIMES.get(passed, f'{passed} times')}"
            why = "each visit needs a way of its own through the zone; without, they count as one"
            remedy = "list it as often as the route goes through it, or draw the zone across the road"
            faults.append(Fault(file, route.id, where, what, why, remedy, "warning"))
    return faults


def _times_passed(route: RouteFeature, zone: ZoneFeature) -> int:
    """How often a route goes into a zone (or begins in it)."""
    along = ZonesAlong.build(
        CorridorSet.build([route.geometry]), ZoneSet.build([zone.geometry]), np.ones(1, np.bool_)
    )
    return len(along.zone)


def _beyond_corridor_m(route: RouteFeature, zone: ZoneFeature) -> float:
    """Metres between a zone and the corridor at its widest; 0 where they meet."""
    line, shape = route.geometry, zone.geometry.geometry
    shrink = float(np.cos(np.radians(line.lat_deg.mean())))
    reach_m = float(line.half_width_m.max())
    if isinstance(shape, Circle):
        reach_m += shape.radius_m
        area: shapely.Geometry = shapely.Point(shape.lon_deg * shrink, shape.lat_deg)
    else:
        area = shapely.transform(shape, lambda xy: xy * [shrink, 1.0])
    path = shapely.LineString(np.c_[line.lon_deg * shrink, line.lat_deg])
    return max(0.0, float(shapely.distance(path, area)) * METRES_PER_DEGREE - reach_m)


@dataclass(frozen=True, slots=True)
class _Places:
    """Boxes (west, south, east, north) f8[n, 4] of features, their ids and file."""

    ids: list[str]
    file: str
    box: NDArray[np.float64]


def _places(features: Sequence[ZoneFeature] | Sequence[RouteFeature], file: str) -> _Places:
    box = np.empty((len(features), 4))
    areas: list[tuple[int, Any]] = []
    for i, feature in enumerate(features):
        match feature:
            case ZoneFeature(geometry=geometry) if isinstance(circle := geometry.geometry, Circle):
                box[i] = (circle.lon_deg, circle.lat_deg, circle.lon_deg, circle.lat_deg)
            case ZoneFeature(geometry=geometry):
                areas.append((i, geometry.geometry))
            case RouteFeature(geometry=line):
                box[i] = (line.lon_deg.min(), line.lat_deg.min(), line.lon_deg.max(), line.lat_deg.max())
    if areas:
        box[[i for i, _ in areas]] = shapely.bounds(np.array([area for _, area in areas], object))
    return _Places([feature.id for feature in features], file, box)


def _strays(*places: _Places) -> list[Fault]:
    """Features whose axes look swapped, and others far from everything else."""
    box = np.concatenate([p.box for p in places])
    if len(box) < FEW:
        return []
    names = [(p.file, name) for p in places for name in p.ids]
    swapped = _look_swapped(box)
    away_m = _nearest_other_m(box)
    faults = []
    for i in np.flatnonzero(swapped | (away_m > FAR_M)):
        file, name = names[i]
        lon, lat = (box[i, :2] + box[i, 2:]) / 2
        if swapped[i]:
            what = f"lies at {lon:.4f}, {lat:.4f}, away from the rest; with its axes swapped it would lie among it"
            why = "GeoJSON writes longitude first"
            remedy = "swap the two numbers of each position"
        else:
            what = f"lies at {lon:.4f}, {lat:.4f}, {away_m[i] / 1000:.0f} km from every other feature"
            why = "a digit of the position may be wrong"
            remedy = "check its place on a map; nothing to do if it belongs there"
        faults.append(Fault(file, name, "geometry", what, why, remedy, "warning"))
    return faults


def _look_swapped(box: NDArray[np.float64]) -> NDArray[np.bool_]:
    centre = (box[:, :2] + box[:, 2:]) / 2
    low, high = np.percentile(centre, AMONG_PCT, axis=0)
    low, high = low - AMONG_MARGIN_DEG, high + AMONG_MARGIN_DEG
    among = ((centre >= low) & (centre <= high)).all(axis=1)
    would_be = ((centre[:, ::-1] >= low) & (centre[:, ::-1] <= high)).all(axis=1)
    return np.asarray(would_be & ~among)


def _nearest_other_m(box: NDArray[np.float64]) -> NDArray[np.float64]:
    """Metres from each box to the nearest other one; 0 for all that have a neighbour within some two degrees."""
    away_m = np.zeros(len(box))
    for i in np.flatnonzero(_alone(box)):
        others = np.delete(box, i, axis=0)
        west, south, east, north = box[i]
        lon = np.clip((west + east) / 2, others[:, 0], others[:, 2])
        lat = np.clip((south + north) / 2, others[:, 1], others[:, 3])
        away_m[i] = rough_distance_m(np.clip(lon, west, east), np.clip(lat, south, north), lon, lat).min()
    return away_m


def _alone(box: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether no other box touches the one-degree cells of a box or the cells around them.

    How many boxes touch each cell is a sum over corners, and how many touch any rectangle of cells one over that:
    it costs the same for a hundred features and a hundred thousand.
    """
    west, south, east, north = (np.floor(box).astype(np.int64) + np.array([181, 91, 181, 91])).T
    corners = np.zeros((364, 184), np.int64)
    for column, row, sign in (
        (west, south, 1),
        (east + 1, south, -1),
        (west, north + 1, -1),
        (east + 1, north + 1, 1),
    ):
        np.add.at(corners, (column, row), sign)
    touching = corners.cumsum(axis=0).cumsum(axis=1)
    total = np.pad(touching.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    around = (
        total[east + 2, north + 2]
        - total[west - 1, north + 2]
        - total[east + 2, south - 1]
        + total[west - 1, south - 1]
    )
    return np.asarray(around == (east - west + 1) * (north - south + 1))


def _twins(zones: Sequence[ZoneFeature], file: str) -> list[Fault]:
    """Zones of equal shape: mostly one drawn or imported twice."""
    first: dict[object, str] = {}
    faults = []
    for zone, shape in zip(zones, _shapes(zones), strict=True):
        twin = first.setdefault(shape, zone.id)
        if twin != zone.id:
            what = f"has the same shape as zone “{twin}”"
            why = "each would raise events of its own for one place"
            remedy = "keep one of them; kind may be a list"
            faults.append(Fault(file, zone.id, "geometry", what, why, remedy, "warning"))
    return faults


def _shapes(zones: Sequence[ZoneFeature]) -> list[object]:
    """Of each zone something hashable that is equal for equal shapes."""
    out: list[object] = [zone.geometry.geometry for zone in zones]
    areas = [i for i, shape in enumerate(out) if not isinstance(shape, Circle)]
    if areas:
        normal = shapely.normalize(np.array([out[i] for i in areas], object))
        for i, wkb in zip(areas, shapely.to_wkb(normal), strict=True):
            out[i] = wkb
    return out
