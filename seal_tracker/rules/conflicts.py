"""``POSITION_CONFLICT`` and ``CLOCK_SKEW``: a seal whose account of itself cannot be true, armed or not.

Each ping conflicts, is clean, or says nothing. Of positions, a ping conflicts whose variants lie apart, or that decides
about a fix thrown off the track (refused as an outlier, or believed as a jump). A fix thrown off says nothing itself until
then; so where every second fix is thrown off, every other ping conflicts and none between is clean. A ping without a usable fix
says nothing either. Clocks are simpler: a ping conflicts whose clock is implausible, every other is clean.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np

from geofences.masks import every, some, which
from geofences.projection import distance_m
from seal_tracker.model import Severity, iso_ms
from seal_tracker.rules.context import Context
from seal_tracker.rules.debounced import Moment, of_pings
from seal_tracker.rules.evidence import place_evidence
from seal_tracker.rules.keys import PolicyKey, common_keys
from seal_tracker.rules.rule import Rule
from seal_tracker.rules.runs import RUN, new_runs

__all__ = ["CLOCK_SKEW", "POSITION_CONFLICT"]

POSITION, CLOCK = "POSITION_CONFLICT", "CLOCK_SKEW"

APART_MM = 100_000
"""Fixes of one moment farther apart than this conflict: the slack of the track (SEMANTICS, *The track*)."""

TOP_SPEED_KMH = 180.0
"""What the track believes at most, beside that slack."""

AHEAD_S, BEHIND_S = 300.0, 31_536_000.0
"""Clocks that are farther ahead of our receive time, or behind it, are wrong; so are those before 2020 (SEMANTICS, *Clock*)."""

KEYS = common_keys("low", raise_=(3, 0), clear=(10, 0)) | {
    "armed_severity": PolicyKey("severity", "medium", "how bad it is while the seal is armed")
}


def _position(ctx: Context) -> None:
    doubts, has_fix = ctx.doubts, ctx.has_fix
    assert doubts is not None
    assert has_fix is not None
    conflicts = doubts.apart_mm > APART_MM
    conflicts[doubts.thrown["by"]] = True
    if not ctx.carries(POSITION) and not some(conflicts):
        return
    speaks = has_fix.copy()
    speaks[doubts.held] = False
    of_pings(
        ctx,
        POSITION,
        conflicts,
        lambda moment: _contradiction(ctx, moment.i),
        subject="seal",
        among=speaks | conflicts,
        severity=_severity(ctx, POSITION),
    )


def _contradiction(ctx: Context, ping: int) -> dict[str, Any]:
    """The fix thrown off and how fast the seal would have had to be, or how far the variants lie apart."""
    doubts = ctx.doubts
    assert doubts is not None
    decided = which(doubts.thrown["by"] == ping)
    if not len(decided):
        apart_m = int(doubts.apart_mm[ping]) / 1000
        return {"reason": "variants", "distance_m": round(apart_m, 1), "limit_m": APART_MM / 1000}
    fix = doubts.thrown[decided[0]]
    ends = (np.array([fix[name]]) for name in ("from_lon", "from_lat", "lon", "lat"))
    metres = float(distance_m(*ends)[0])
    elapsed_ms = max(int(fix["time_ms"]) - int(fix["from_ms"]), 1)
    return {
        "reason": "jump" if fix["believed"] else "outlier",
        "distance_m": round(metres, 1),
        "speed_kmh": round(metres / elapsed_ms * 3600, 1),
        "limit_kmh": TOP_SPEED_KMH,
        "thrown": place_evidence(int(fix["time_ms"]), int(fix["lon"]), int(fix["lat"])),
    }


def _clock(ctx: Context) -> None:
    if every(ctx.pings.clock_ok) and not ctx.carries(CLOCK):
        return
    of_pings(
        ctx,
        CLOCK,
        ~ctx.pings.clock_ok,
        lambda moment: _claim(ctx, moment.i),
        subject="seal",
        severity=_severity(ctx, CLOCK),
    )


def _claim(ctx: Context, ping: int) -> dict[str, Any]:
    """What the device said the time was, and how far ahead of ours (behind: negative) that is."""
    assert ctx.doubts is not None
    claimed_ms = int(ctx.doubts.claimed_ms[ping])
    skew_s = (claimed_ms - int(ctx.pings.time_ms[ping])) / 1000
    limit_s = AHEAD_S if skew_s > 0 else BEHIND_S
    return {"claimed": iso_ms(claimed_ms), "skew_s": skew_s, "limit_s": limit_s}


def _severity(ctx: Context, rule: str) -> Callable[[Moment], Severity]:
    """Worse for an armed seal, whose cargo the contradiction may hide."""

    def of(moment: Moment) -> Severity:
        key = "armed_severity" if ctx.armed[moment.row] and ctx.seals_cargo else "severity"
        return cast("Severity", ctx.policy_at(rule, key, moment.row))

    return of


POSITION_CONFLICT = Rule(POSITION, KEYS, _position, state=RUN, start=new_runs(1)[0], per_journey=False)
CLOCK_SKEW = Rule(CLOCK, KEYS, _clock, state=RUN, start=new_runs(1)[0], per_journey=False)
