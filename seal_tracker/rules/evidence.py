"""How fixes are written into evidence. Pure."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from seal_tracker.model import NO_TIME, iso_ms
from seal_tracker.rules.context import Context, Fixes
from seal_tracker.rules.runs import Transitions

__all__ = [
    "crossing_evidence",
    "fix_evidence",
    "last_fix",
    "pair_evidence",
    "place_evidence",
    "run_evidence",
    "zone_evidence",
]


def place_evidence(time_ms: int, lon_e7: int, lat_e7: int) -> dict[str, Any]:
    """A moment and a place."""
    return {"time": iso_ms(int(time_ms)), "lon": int(lon_e7) / 1e7, "lat": int(lat_e7) / 1e7}


def fix_evidence(fixes: Fixes, i: int) -> dict[str, Any]:
    """One fix, with the accuracy it claimed."""
    out = place_evidence(fixes.time_ms.item(i), fixes.lon_e7.item(i), fixes.lat_e7.item(i))
    accuracy = fixes.accuracy_m.item(i)
    return out if math.isnan(accuracy) else out | {"accuracy_m": round(accuracy, 2)}


def run_evidence(found: Transitions, k: int, fixes: Fixes, i: int) -> list[dict[str, Any]]:
    """The first fix of the run that raised, and fix ``i`` that completed it; one fix where they are the same."""
    last = fix_evidence(fixes, i)
    if found.n.item(k) <= 1:
        return [last]
    first = place_evidence(found.began_ms.item(k), found.began_lon.item(k), found.began_lat.item(k))
    return [first, last]


def last_fix(ctx: Context, row: int, at_ms: int) -> list[dict[str, Any]]:
    """The last fix accepted by a moment that no ping marks, a deadline; empty where the journey had none.

    A fix still held then was not known yet, whenever it is asked about.
    """
    fixes, track = ctx.fixes, ctx.state["track"][row]
    before = np.flatnonzero((fixes.row == row) & (fixes.decided_ms <= at_ms))
    if len(before):
        i = int(before[-1])
        return [place_evidence(int(fixes.time_ms[i]), int(fixes.lon_e7[i]), int(fixes.lat_e7[i]))]
    if track["fix_ms"] == NO_TIME or track["fix_ms"] < ctx.epoch_start_ms[row]:
        return []
    return [place_evidence(int(track["fix_ms"]), int(track["fix_lon"]), int(track["fix_lat"]))]


def zone_evidence(ctx: Context, zone: int) -> dict[str, Any]:
    """A zone, and its reason where it has one."""
    reason = ctx.terrain.zone_reason[zone]
    return {"zone": ctx.terrain.zones.ids[zone]} | ({"reason": reason} if reason else {})


def pair_evidence(fixes: Fixes, i: int) -> list[dict[str, Any]]:
    """The fix before fix ``i``, and fix ``i``."""
    before = place_evidence(fixes.prev_ms.item(i), fixes.prev_lon_e7.item(i), fixes.prev_lat_e7.item(i))
    return [before, fix_evidence(fixes, i)]


def crossing_evidence(ctx: Context, k: int, fix: int) -> dict[str, Any]:
    """Where the track must have come in and gone out in crossing ``k``, and the two fixes that say so."""
    assert ctx.crossings is not None
    path = [[v / 1e7 for v in at[k].tolist()] for at in (ctx.crossings.enter_e7, ctx.crossings.leave_e7)]
    return {"n_fixes": 2, "path": path, "fixes": pair_evidence(ctx.fixes, fix)}
