"""How fast fixes were, in whole metres an hour, so that it compares the same in every batch. Pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geofences.masks import which
from seal_tracker.rules.context import Context

__all__ = ["PAIR_MS", "UNKNOWN", "mean_m_h", "said_m_h", "speed_m_h"]

I8 = NDArray[np.int64]

PAIR_MS = 300_000
"""The longest pair of fixes whose distance says how fast the track was between them, as for inferred crossings."""

UNKNOWN = -1

TOP_M_H = 180_000
"""Faster than this between two fixes (180 km/h, as between fixes that are compatible) the position has jumped: no road
vehicle under seal drives so, and GNSS noise of 50 m within a second reads as it."""


def said_m_h(ctx: Context, fix: I8 | slice = slice(None)) -> I8:
    """The device's own speed at some fixes in m/h (thousandths of km/h), `UNKNOWN` where it gives none."""
    said = ctx.fixes.speed_kmh[fix].astype(np.float64) * 1000
    return np.rint(np.where(np.isnan(said), UNKNOWN, said)).astype(np.int64)


def speed_m_h(ctx: Context, fix: I8 | slice = slice(None)) -> I8:
    """The device's speed, else that from the fix before, where it is at most 5 min ago and no jump; else `UNKNOWN`."""
    said = said_m_h(ctx, fix)
    silent = which(said == UNKNOWN)
    if len(silent):
        at = np.arange(len(ctx.fixes))[fix][silent]
        said[silent] = _between(ctx, at)
    return said


def _between(ctx: Context, fix: I8) -> I8:
    mean, dt_ms = mean_m_h(ctx, fix)
    return np.where((dt_ms <= PAIR_MS) & (mean <= TOP_M_H), mean, UNKNOWN)


def mean_m_h(ctx: Context, fix: I8 | slice = slice(None)) -> tuple[I8, I8]:
    """How fast the track came from the fix before, however long ago, in m/h, `UNKNOWN` without one; and the ms between."""
    fixes = ctx.fixes
    dt_ms = np.where(fixes.has_prev[fix], fixes.time_ms[fix] - fixes.prev_ms[fix], 0)
    return np.where(dt_ms > 0, ctx.step_mm[fix] * 3600 // np.maximum(dt_ms, 1), UNKNOWN), dt_ms
