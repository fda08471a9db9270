"""Where a seal was last known to be at some of its pings. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seal_tracker.rules.context import Context

__all__ = ["Places", "places_at"]

I8 = NDArray[np.int64]

TIME_BITS = 42
"""A row and a time up to the year 2109 are packed into one integer."""


@dataclass(frozen=True, slots=True)
class Places:
    """Last accepted fixes, one for each ping asked for; ``time_ms`` is ``NO_TIME`` where there is none."""

    time_ms: I8
    lon_e7: I8
    lat_e7: I8


def places_at(ctx: Context, ping: I8) -> Places:
    """The last fix accepted by the time of each of some pings: its own, unless that was none or could not be believed.

    A fix that was held when the ping came was not known then, whatever has become of it since.
    """
    fixes, track = ctx.fixes, ctx.state["track"]
    row, time_ms = ctx.ping_row[ping], ctx.pings.time_ms[ping]
    last = np.searchsorted(_packed(fixes.row, fixes.decided_ms), _packed(row, time_ms), side="right") - 1
    known = last >= np.searchsorted(fixes.row, row)

    def column(here: NDArray[Any], carried: str) -> I8:
        found = np.array(track[carried][row], np.int64)
        found[known] = here[last[known]]
        return found

    return Places(
        column(fixes.time_ms, "fix_ms"), column(fixes.lon_e7, "fix_lon"), column(fixes.lat_e7, "fix_lat")
    )


def _packed(row: I8, time_ms: I8) -> I8:
    return (row << TIME_BITS) + np.clip(time_ms, 0, (1 << TIME_BITS) - 1)
