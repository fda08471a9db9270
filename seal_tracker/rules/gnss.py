"""``GPS_LOST`` and ``JAMMING_SUSPECTED``: a seal that talks and does not know where it is, judged on every ping.

A fix counts when it could move the track (an outlier may be wrong, but somebody heard satellites) and does not claim to be
worse than a limit. One with an implausible clock is none for ``GPS_LOST``: nobody knows when the seal was there. Satellites
were heard all the same, so it is no sign of jamming, and counts against that as any other fix does.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from seal_tracker.model import Fact
from seal_tracker.rules.context import Context
from seal_tracker.rules.debounced import Moment, of_pings
from seal_tracker.rules.keys import PolicyKey, common_keys
from seal_tracker.rules.rule import Rule
from seal_tracker.rules.runs import RUN, new_runs
from seal_tracker.rules.table import per

__all__ = ["GPS_LOST", "JAMMING_SUSPECTED"]

Mask = NDArray[np.bool_]

LOST, JAMMING = "GPS_LOST", "JAMMING_SUSPECTED"

ACCURACY = {
    "accuracy_limit_m": PolicyKey("number", 100.0, "a fix that claims to be worse than this counts as none")
}

JAMMING_KEYS = (
    common_keys("high", raise_=(3, 600), clear=(2, 0))
    | ACCURACY
    | {
        "cell_min_dbm": PolicyKey(
            "number", -85.0, "cell signal from here on is good: no tunnel, no cellar", minimum=-150, maximum=0
        ),
        "moving_kmh": PolicyKey("number", 5.0, "a device that claims to be faster has moved"),
    }
)

HINTS = int(Fact.VIBRATION | Fact.JAMMING)


def _all_have_one(ctx: Context, rule: str) -> bool:
    """Whether every ping surely has a fix that counts, as most batches: then there is nothing to begin."""
    usual = ctx.terrain.policies.everywhere(rule, ("accuracy_limit_m",))
    return usual is not None and ctx.all_have_fix and ctx.worst_accuracy_m <= cast("float", usual[0])


def _has_none(ctx: Context, rule: str) -> Mask:
    """Which pings have no fix that counts."""
    assert ctx.has_fix is not None
    vague = ctx.pings.accuracy_m > per(ctx.policy(rule, "accuracy_limit_m"), ctx.ping_row)
    none: Mask = vague | ~ctx.has_fix
    return none


def _heard_satellites(ctx: Context) -> Mask:
    """Which pings have a fix that counts for nothing but that there are satellites, since their clock is wrong.

    A spoofer too may set a clock wrong; so not where the device itself speaks of jamming.
    """
    pings = ctx.pings
    placed = pings.valid & pings.has_position & ((pings.lon_e7 != 0) | (pings.lat_e7 != 0))
    heard: Mask = placed & ~pings.clock_ok & ((pings.facts & int(Fact.JAMMING)) == 0)
    heard &= ~(pings.accuracy_m > per(ctx.policy(JAMMING, "accuracy_limit_m"), ctx.ping_row))
    return heard


def _lost(ctx: Context) -> None:
    if not ctx.carries(LOST) and _all_have_one(ctx, LOST):
        return
    of_pings(ctx, LOST, _has_none(ctx, LOST), lambda moment: _how_long(ctx, LOST, moment))


def _how_long(ctx: Context, rule: str, moment: Moment) -> dict[str, Any]:
    return {
        "without_fix_s": (int(ctx.pings.time_ms[moment.i]) - moment.began_ms) / 1000,
        "limit_s": float(ctx.policy_at(rule, "raise_s", moment.row) or 0),
    }


def _jamming(ctx: Context) -> None:
    if not ctx.carries(JAMMING) and _all_have_one(ctx, JAMMING):
        return
    none = _has_none(ctx, JAMMING) & ~_heard_satellites(ctx)
    suspect = none & _speaks_of_jamming(ctx)
    of_pings(ctx, JAMMING, suspect, lambda moment: _signs(ctx, moment), among=suspect | ~none)


def _speaks_of_jamming(ctx: Context) -> Mask:
    """Which pings report jamming, or come from a seal that moves while the cell is heard well."""
    pings, row = ctx.pings, ctx.ping_row
    heard = (pings.rssi_dbm != 0) & (pings.rssi_dbm >= per(ctx.policy(JAMMING, "cell_min_dbm"), row))
    moved = pings.speed_kmh > per(ctx.policy(JAMMING, "moving_kmh"), row)
    moved |= (pings.facts & int(Fact.VIBRATION)) != 0
    found: Mask = (heard & moved) | ((pings.facts & int(Fact.JAMMING)) != 0)
    return found


def _signs(ctx: Context, moment: Moment) -> dict[str, Any]:
    pings, i = ctx.pings, moment.i
    said = Fact(int(pings.facts[i]) & HINTS)
    signs: dict[str, Any] = {"facts": [f.name.lower() for f in said if f.name]}
    if not np.isnan(pings.speed_kmh[i]):
        signs["speed_kmh"] = round(float(pings.speed_kmh[i]), 2)
    if pings.rssi_dbm[i]:
        signs["rssi_dbm"] = int(pings.rssi_dbm[i])
    return signs | _how_long(ctx, JAMMING, moment)


GPS_LOST = Rule(
    LOST,
    common_keys("medium", raise_=(3, 600), clear=(2, 0)) | ACCURACY,
    _lost,
    state=RUN,
    start=new_runs(1)[0],
)
JAMMING_SUSPECTED = Rule(JAMMING, JAMMING_KEYS, _jamming, state=RUN, start=new_runs(1)[0])
