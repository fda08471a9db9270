"""A plan as the rules need it: its geometry, what kinds its zones are of, the checkpoints of its routes, its policy. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from geofences.alongside import ZonesAlong
from seal_tracker.model import NO_TIME, key_of
from seal_tracker.plans.model import Plan
from seal_tracker.rules.arrays import begins
from seal_tracker.rules.calendars import Closed
from seal_tracker.rules.context import Terrain, Waypoint

__all__ = ["terrain_of"]

NEVER_MS = np.iinfo(np.int64).max
"""The end of what has none."""


def terrain_of(plan: Plan) -> Terrain:
    """A plan as the rules need it."""
    kinds = sorted({kind for zone in plan.zones for kind in zone.kinds})
    terrain = Terrain(
        version=plan.version,
        zones=plan.zone_set,
        corridors=plan.corridors,
        zone_key=np.array([key_of(zone) for zone in plan.zone_set.ids], np.int64),
        zone_from_ms=np.array(
            [NO_TIME if z.valid_from_ms is None else z.valid_from_ms for z in plan.zones], np.int64
        ),
        zone_to_ms=np.array(
            [NEVER_MS if z.valid_to_ms is None else z.valid_to_ms for z in plan.zones], np.int64
        ),
        zone_reason=tuple(zone.reason for zone in plan.zones),
        kinds={k: np.array([k in zone.kinds for zone in plan.zones], bool) for k in kinds},
        zone_stop_s=_known([None if z.max_stop_min is None else 60 * z.max_stop_min for z in plan.zones]),
        zone_limit_kmh=_known([z.speed_limit_kmh for z in plan.zones]),
        route_limit_kmh=_known([*(r.speed_limit_kmh for r in plan.routes), None]),
        checkpoints=_waypoints(plan),
        policies=plan.policies,
        calendars={c.id: Closed.of(c.days, c.windows) for c in plan.calendars},
    )
    terrain.prepare()
    return terrain


def _known(values: Sequence[float | None]) -> NDArray[np.float64]:
    """Values, NaN for None."""
    return np.array([np.nan if v is None else v for v in values], np.float64)


def _waypoints(plan: Plan) -> tuple[tuple[Waypoint, ...], ...]:
    """The checkpoints of each route, each at the place of the route nearest to the middle of its zone."""
    listed = [(i, c) for i, route in enumerate(plan.routes) for c in route.checkpoints]
    zones = np.array([plan.zone_index[c.zone] for _, c in listed], np.int64)
    route = np.array([i for i, _ in listed], np.int64)
    along_m = np.zeros(0)
    if listed:
        first = begins(route)
        middle = plan.zone_set.middle_e7(zones)
        along_m = plan.corridors.locate(route, *middle, first, np.zeros(int(first.sum()))).chainage_m
        along_m = _each_on_its_way(plan, route, zones, along_m)
    found: list[list[Waypoint]] = [[] for _ in plan.routes]
    for (i, c), zone, chainage_m in zip(listed, zones.tolist(), along_m.tolist(), strict=True):
        after_ms = None if c.after_min is None else round(c.after_min * 60_000)
        found[i].append(Waypoint(zone, after_ms, round(c.tolerance_min * 60_000), chainage_m))
    return tuple(tuple(of_route) for of_route in found)


def _each_on_its_way(
    plan: Plan, route: NDArray[np.int64], zones: NDArray[np.int64], along_m: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Where along their routes checkpoints lie, those listed once more on a later way through their zone than before.

    The nearest place is the same each time; with nothing listed between, nothing says that the second is on the way back.
    """
    out, before = along_m.copy(), dict[tuple[int, int], float]()
    along: ZonesAlong | None = None
    for k, pair in enumerate(zip(route.tolist(), zones.tolist(), strict=True)):
        if pair in before and out[k] <= before[pair]:
            along = along or ZonesAlong.build(plan.corridors, plan.zone_set, _are(zones, len(plan.zones)))
            mine = slice(int(along.first[pair[0]]), int(along.first[pair[0] + 1]))
            later = (along.zone[mine] == pair[1]) & (along.enter_m[mine] > before[pair])
            middle_m = ((along.enter_m[mine] + along.leave_m[mine]) / 2)[later]
            out[k] = middle_m[0] if len(middle_m) else before[pair]
        before[pair] = float(out[k])
    return out


def _are(zones: NDArray[np.int64], n: int) -> NDArray[np.bool_]:
    flags = np.zeros(n, bool)
    flags[zones] = True
    return flags
