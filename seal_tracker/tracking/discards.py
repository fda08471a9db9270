"""What pings tell that moves no track, counted by name, portion by portion. Pure.

A late ping may prove a fix wrong that was believed, or right that was thrown off. How much that changes what has been
counted is the difference between counting with the late pings and without: so the counters of a store are what the sorted
pings would have given, however they came.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geofences.masks import which
from seal_tracker.model import PingBatch
from seal_tracker.tracking.order import OrderedPings, in_order, merge_variants, usable_fix
from seal_tracker.tracking.plausibility import Candidates, accept

__all__ = ["Discarding", "candidates"]


def candidates(pings: OrderedPings, row: NDArray[np.int64], usable: NDArray[np.int64]) -> Candidates:
    """The ``usable`` of some pings as fixes that may move the tracks of their rows."""
    all_of_them = len(usable) == len(pings)

    def pick(column: NDArray[Any]) -> NDArray[Any]:
        return column if all_of_them else column[usable]

    return Candidates(
        row=pick(row),
        time_ms=pick(pings.time_ms),
        lon_e7=pick(pings.lon_e7).astype(np.int64),
        lat_e7=pick(pings.lat_e7).astype(np.int64),
        accuracy_m=pick(pings.accuracy_m),
        speed_kmh=pick(pings.speed_kmh),
    )


class Discarding:
    """Counts for some seals, whose tracks it moves on.

    Parameters
    ----------
    seals
        int64, ascending.
    track
        their states (rows of `TRACK`), before the first portion; becomes its own.
    equipment
        numbers of cameras, scanners and readers: a heartbeat has no fix that could be unusable.
    """

    def __init__(
        self, seals: NDArray[np.int64], track: NDArray[np.void], equipment: NDArray[np.int64]
    ) -> None:
        self._seals = seals
        self._track = track
        self._equipment = equipment

    def count(self, pings: PingBatch) -> Counter[str]:
        """What is discarded of the next pings, in any order, all later than those of the portion before."""
        merged = merge_variants(in_order(pings))
        usable = usable_fix(merged)
        fixes = candidates(merged, np.searchsorted(self._seals, merged.seal), which(usable))
        missing = ~usable
        if len(self._equipment):
            missing &= ~np.isin(merged.seal, self._equipment)
        return Counter(
            {
                "fix_outlier": accept(self._track, fixes).outliers,
                "fix_unusable": int(np.count_nonzero(missing)),
                "clock_implausible": int(np.count_nonzero(~merged.clock_ok)),
            }
        )
