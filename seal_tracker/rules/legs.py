"""Routes that pass a checkpoint more than once, as out-and-back ones do: on which way an entering counts. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from geofences.alongside import ZonesAlong
from seal_tracker.rules.waypoints import Waypoint

__all__ = ["PlannedLegs"]

I8 = NDArray[np.int64]


class PlannedLegs(NamedTuple):
    """Checkpoints that a route passes before it is planned to reach them.

    ``pair`` int64[k] ascending, route times ``n_zones`` and zone; ``from_m`` float64[k], the chainage from which on the
    checkpoint may be reached: midway between where the route leaves it before, and enters it as planned.
    """

    pair: I8
    from_m: NDArray[np.float64]
    n_zones: int

    @classmethod
    def of(cls, routes: Sequence[Sequence[Waypoint]], along: ZonesAlong, n_zones: int) -> Self:
        """Of the checkpoints of each route, in order; a zone listed twice may be reached on the first of its ways."""
        route = np.repeat(np.arange(len(along.first) - 1), np.diff(along.first))
        passed, times = np.unique(route * n_zones + along.zone, return_counts=True)
        several = set(passed[times > 1].tolist())
        found: dict[int, float] = {}
        for r, waypoints in enumerate(routes):
            for one in waypoints:
                pair = r * n_zones + one.zone
                if pair in several:
                    from_m = _planned_from_m(along, r, one)
                    found[pair] = min(from_m, found.get(pair, from_m))
        later = sorted(pair for pair, from_m in found.items() if from_m > 0)
        return cls(np.array(later, np.int64), np.array([found[pair] for pair in later]), n_zones)

    def too_early(self, route: I8, zone: I8, chainage_m: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which enterings of checkpoints lie on a way before the planned one; never where the chainage is NaN.

        There must be some such checkpoint.
        """
        pair = route * self.n_zones + zone
        at = np.minimum(np.searchsorted(self.pair, pair), len(self.pair) - 1)
        early: NDArray[np.bool_] = (self.pair[at] == pair) & (chainage_m < self.from_m[at])
        return early


def _planned_from_m(along: ZonesAlong, route: int, waypoint: Waypoint) -> float:
    """From where on a checkpoint counts, 0 where its planned way is the first."""
    mine = slice(int(along.first[route]), int(along.first[route + 1]))
    of_zone = along.zone[mine] == waypoint.zone
    enter_m, leave_m = along.enter_m[mine][of_zone], along.leave_m[mine][of_zone]
    away_m = np.maximum(np.maximum(enter_m - waypoint.chainage_m, waypoint.chainage_m - leave_m), 0.0)
    planned = int(np.argmin(away_m))
    return 0.0 if planned == 0 else float(leave_m[planned - 1] + enter_m[planned]) / 2
