"""``STOP_OVERRUN``: in an approved stop for longer than the stop allows.

The stay begins at the first fix inside and is raised by the first fix at which it has lasted longer than the zone's
``max_stop_min``. Fixes within a margin around the stop say nothing: GNSS noise at the gate does not begin a stay anew.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seal_tracker.rules.context import Context
from seal_tracker.rules.keys import PolicyKey, common_keys, zoned
from seal_tracker.rules.rule import Rule
from seal_tracker.rules.runs import Limits
from seal_tracker.rules.stays import Stay, in_zones, leaving_margin_m, of_zones
from seal_tracker.rules.streams import STREAM_NUMBER

__all__ = ["RULE"]

NAME = "STOP_OVERRUN"

LONGER_S = 0.0005
"""A stay must be longer than allowed, not as long: half a millisecond lies between the two."""

KEYS = common_keys("medium", raise_=(1, 0), clear=(1, 0)) | {
    "raise_s": PolicyKey("number", 0.0, "seconds by which a stay must exceed the stop's max_stop_min"),
    "clear_margin_m": PolicyKey(
        "number", None, "metres outside that end a stay; unset: max(20, a tenth of the radius)"
    ),
}


def _judge(ctx: Context) -> None:
    stops = ctx.terrain.limited_stops
    if stops is None and not len(ctx.streams):
        return

    def evidence(stay: Stay) -> dict[str, Any]:
        limit_s = float(ctx.terrain.zone_stop_s[stay.zone])
        return {"stopped_s": (stay.time_ms - stay.began_ms) / 1000, "limit_s": limit_s}

    def closing(stay: Stay) -> dict[str, Any]:
        since = ctx.book.open_of(int(ctx.seal[stay.row]))[NAME, ctx.terrain.zones.ids[stay.zone]]
        return {"stopped_s": (stay.began_ms - since.started_at_ms) / 1000}

    def longer(limits: Limits, zone: NDArray[np.int64]) -> Limits:
        grace_s = np.asarray(limits.raise_s, np.float64)
        return replace(limits, raise_s=ctx.terrain.zone_stop_s[zone] + grace_s + LONGER_S)

    of_zones(
        ctx,
        NAME,
        stops,
        in_zones(ctx, NAME, stops),
        evidence,
        limits=longer,
        margin_m=partial(leaving_margin_m, ctx, NAME),
        closing=closing,
    )


RULE = Rule(NAME, zoned(KEYS), _judge, stream=STREAM_NUMBER[NAME], while_suspended=False)
