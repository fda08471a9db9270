"""Routes that pass a checkpoint more than once, as out-and-back ones do: on which way an entering counts, for which visit. Pure.

A route may list a checkpoint for one of its ways, or once for each: then each time is a *visit*, to be made in that order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from geofences.alongside import ZonesAlong
from seal_tracker.rules.waypoints import Waypoint

__all__ = ["PlannedLegs", "visit_key"]

I8 = NDArray[np.int64]

SPREAD, MASK = 0x1E3779B97F4A7C15, (1 << 63) - 1
"""Odd, and as good as random: a later visit's key is none that a zone has."""


def visit_key(zone_key: I8, visit: I8) -> I8:
    """How the visits of zones are named in streams: the first as the zone is."""
    named: I8 = (zone_key + visit * np.int64(SPREAD)) & np.int64(MASK)
    return named


class PlannedLegs(NamedTuple):
    """Checkpoints that a route passes before it is planned to reach them, or that it is to visit more than once.

    ``pair`` int64[k] ascending, route times ``n_zones`` and zone, once for each visit; ``from_m`` float64[k], the chainage
    from which on an entering is that visit, ascending: midway between where the route leaves the checkpoint before, and
    enters it as planned. ``visit`` int64[R + 1, K] is which visit each place in the order of each route is, from 0.
    """

    pair: I8
    from_m: NDArray[np.float64]
    visit: I8
    n_zones: int

    @classmethod
    def of(cls, routes: Sequence[Sequence[Waypoint]], along: ZonesAlong, n_zones: int) -> Self:
        """Of the checkpoints of each route, in order."""
        route = np.repeat(np.arange(len(along.first) - 1), np.diff(along.first))
        passed, times = np.unique(route * n_zones + along.zone, return_counts=True)
        several = set(passed[times > 1].tolist())
        visit = np.zeros((len(routes) + 1, max(map(len, routes), default=0)), np.int64)
        found: list[tuple[int, float]] = []
        for r, waypoints in enumerate(routes):
            listed: dict[int, list[int]] = {}
            for place, one in enumerate(waypoints):
                listed.setdefault(one.zone, []).append(place)
            for zone, places in listed.items():
                pair = r * n_zones + zone
                if pair not in several and len(places) == 1:
                    continue
                from_m = _visits(along, r, [waypoints[place] for place in places], visit[r], places)
                if from_m[-1] > 0:
                    found += [(pair, at_m) for at_m in from_m]
        found.sort()
        return cls(np.array([p for p, _ in found], np.int64), np.array([m for _, m in found]), visit, n_zones)

    def visits(self, route: I8, zone: I8, chainage_m: NDArray[np.float64]) -> I8:
        """Which visit of their checkpoint enterings are, -1 where they lie on a way before the first; 0 where the chainage is NaN.

        There must be some such checkpoint.
        """
        pair = route * self.n_zones + zone
        first, end = np.searchsorted(self.pair, pair), np.searchsorted(self.pair, pair, side="right")
        made = np.zeros(len(pair), np.int64)
        for k in np.flatnonzero((end > first) & ~np.isnan(chainage_m)).tolist():
            from_m = self.from_m[first[k] : end[k]]
            made[k] = np.searchsorted(from_m, chainage_m[k], side="right") - 1
        return made


def _visits(
    along: ZonesAlong, route: int, listed: Sequence[Waypoint], visit: I8, places: Sequence[int]
) -> list[float]:
    """From where on each visit of a checkpoint counts, 0 where its way is the first; writes which visit each place is.

    A place on the same way as the one before is the same visit, unless it lies farther along the route.
    """
    mine = slice(int(along.first[route]), int(along.first[route + 1]))
    of_zone = along.zone[mine] == listed[0].zone
    enter_m, leave_m = along.enter_m[mine][of_zone], along.leave_m[mine][of_zone]
    from_m: list[float] = []
    way, before_m = -1, -np.inf
    for place, one in zip(places, listed, strict=True):
        away_m = np.maximum(np.maximum(enter_m - one.chainage_m, one.chainage_m - leave_m), 0.0)
        planned = int(np.argmin(away_m)) if len(away_m) else -1
        if planned > way:
            from_m.append(0.0 if planned == 0 else float(leave_m[planned - 1] + enter_m[planned]) / 2)
        elif one.chainage_m > before_m:
            from_m.append(0.0 if np.isinf(before_m) else (before_m + one.chainage_m) / 2)
        visit[place] = len(from_m) - 1
        way, before_m = max(way, planned), one.chainage_m
    return from_m
