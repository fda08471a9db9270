"""The checkpoints of all routes of a plan as columns: which zone, when due, how far along. Immutable, no I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from geofences.masks import every

__all__ = ["NEVER_MS", "NOWHERE_MM", "Waypoint", "WaypointTable"]

I8 = NDArray[np.int64]

NEVER_MS = 1 << 61
"""After arming, when a checkpoint without a planned time is due; a time can be added to it within int64."""

NOWHERE_MM = 1 << 61
"""Chainage of no checkpoint: beyond every route."""


class Waypoint(NamedTuple):
    """A checkpoint of a route: its zone's index, when it is due (None: whenever), and where along the route it lies."""

    zone: int
    after_ms: int | None
    tolerance_ms: int
    chainage_m: float


@dataclass(frozen=True, slots=True)
class WaypointTable:
    """Checkpoints by route and place in its order: int64[R + 1, K]; the last row stands for no route.

    Attributes
    ----------
    due_ms
        from arming, tolerance included; `NEVER_MS` where there is none. K is 0 where no checkpoint has a planned time.
    chainage_mm
        along the route, `NOWHERE_MM` where there is none.
    zone
        zone index, 0 where there is none.
    """

    due_ms: I8
    chainage_mm: I8
    zone: I8
    _pairs: I8
    _n_zones: int

    @classmethod
    def of(cls, routes: Sequence[Sequence[Waypoint]], n_zones: int) -> Self:
        """The table of the checkpoints of each route, in order."""
        most = max((len(waypoints) for waypoints in routes), default=0)
        due = np.full((len(routes) + 1, most), NEVER_MS)
        chainage, zone = np.full_like(due, NOWHERE_MM), np.zeros_like(due)
        for r, waypoints in enumerate(routes):
            for k, one in enumerate(waypoints):
                due[r, k] = NEVER_MS if one.after_ms is None else one.after_ms + one.tolerance_ms
                chainage[r, k] = round(one.chainage_m * 1000)
                zone[r, k] = one.zone
        pairs = sorted({r * n_zones + one.zone for r, waypoints in enumerate(routes) for one in waypoints})
        if every(due == NEVER_MS):
            due = due[:, :0]
        return cls(due, chainage, zone, np.array(pairs, np.int64), n_zones)

    def holds(self, route: I8, zone: I8) -> NDArray[np.bool_]:
        """Which zones are checkpoints of the routes beside them; -1 is no route."""
        wanted = route * self._n_zones + zone
        if not len(self._pairs):
            return np.zeros(len(wanted), bool)
        at = np.minimum(np.searchsorted(self._pairs, wanted), len(self._pairs) - 1)
        found: NDArray[np.bool_] = (self._pairs[at] == wanted) & (route >= 0)
        return found
