"""Which checkpoints a pass shows to have been entered, and which were before it. Pure."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geofences.masks import some, which
from seal_tracker.rules.context import Context
from seal_tracker.rules.legs import visit_key
from seal_tracker.rules.streams import STREAM_NUMBER

__all__ = ["NUMBER", "Entries", "entered", "was_entered"]

I8 = NDArray[np.int64]

NUMBER = STREAM_NUMBER["CHECKPOINT_REACHED"]
"""Of the streams that remember what was entered."""

NONE = np.zeros(0, np.int64)


class Entries(NamedTuple):
    """Checkpoints entered in the pass, in the order of (fix, zone); ``crossing`` -1: the fix itself is inside.

    ``visit``: for which of the times that its route lists the checkpoint.
    """

    fix: I8
    zone: I8
    crossing: I8
    visit: I8

    def of(self, ctx: Context, row: int, zone: int, visit: int) -> I8:
        """The fixes that showed one row on one visit of a checkpoint."""
        mine = (ctx.fixes.row[self.fix] == row) & (self.zone == zone) & (self.visit == visit)
        found: I8 = self.fix[mine]
        return found


def entered(ctx: Context) -> Entries:
    """Where the fixes, and the ways between them, lie in checkpoints of their routes; a crossing goes before a hit.

    Where a route passes a checkpoint on its way out and is planned to reach it on its way back, the way out does not count;
    where it is to be reached on both, each way counts for itself.
    """
    if ctx.hits is None:
        return Entries(NONE, NONE, NONE, NONE)
    mask = ctx.terrain.is_checkpoint
    hit = which(mask[ctx.hits.zone])
    fix, zone, crossing = ctx.hits.fix[hit], ctx.hits.zone[hit], np.full(len(hit), -1)
    if ctx.crossings is not None and len(ctx.crossings.fix):
        over = which(mask[ctx.crossings.zone])
        fix = np.concatenate([ctx.crossings.fix[over], fix])
        zone = np.concatenate([ctx.crossings.zone[over], zone])
        crossing = np.concatenate([over, crossing])
    row = ctx.fixes.row[fix]
    counts = ctx.armed[row] & ctx.terrain.waypoints.holds(ctx.route[row], zone)
    visit = np.zeros(len(fix), np.int64)
    if ctx.located is not None and len(ctx.terrain.planned_legs.pair):
        on_route = ctx.located.distance_m[fix] <= ctx.located.half_width_m[fix]
        along_m = np.where(on_route, ctx.located.chainage_m[fix], np.nan)
        visit = ctx.terrain.planned_legs.visits(ctx.route[row], zone, along_m)
        counts &= visit >= 0
    wanted = which(counts)
    rank = np.where(crossing < 0, np.iinfo(np.int64).max, crossing)
    order = wanted[np.lexsort((rank[wanted], zone[wanted], fix[wanted]))]
    return Entries(fix[order], zone[order], crossing[order], visit[order])


def was_entered(ctx: Context, row: int, zone: int, visit: int) -> bool:
    """Whether a visit of a checkpoint was made before this pass."""
    key = visit_key(ctx.terrain.zone_key[zone : zone + 1], np.array([visit]))[0]
    mine = (ctx.streams["rule"] == NUMBER) & (ctx.streams["row"] == row) & (ctx.streams["key"] == key)
    return bool(some(mine))
