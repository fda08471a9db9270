"""``ROUTE_DEVIATION``: the track leaves its corridor, by evidence that adds up rather than by a waiting time.

A fix is off the route when its distance to the nearest point of the route exceeds the half-width there and the fix's
own accuracy; one that claims to be worse than 100 m, which for ``GPS_LOST`` is none, when it exceeds that by three times the claim, else
it says nothing. Each second off counts its metres beyond that limit, weighed by how far from the road they lie: half at
50 m, once at 100 m, twice from 200 m on, since a wrong position is the rarer the larger its error; once 3,500 of these
have gathered without a fix back on the route, in three fixes (``raise_fixes``) or in two that are 20 s apart
(``missing_fix_s``), it is a deviation. It ends when two fixes lie inside by a quarter of the
half-width. How often that is wrong, and how soon it is right: docs/detection.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geofences.corridors import Located
from geofences.masks import every, some, which
from seal_tracker.rules.context import Context, mm_of_m
from seal_tracker.rules.debounced import Moment, of_fixes
from seal_tracker.rules.keys import common_keys, distance_keys
from seal_tracker.rules.rule import Rule
from seal_tracker.rules.runs import MEASURED_RUN, doublings, new_runs
from seal_tracker.rules.table import per

__all__ = ["RULE"]

I8 = NDArray[np.int64]

NAME = "ROUTE_DEVIATION"

CLEAR_SHARE = 0.25
"""Share of the half-width that a fix must be inside by to count as back (SEMANTICS, catalogue)."""

EXCESS_M_S = 3500.0
"""Weighed metre-seconds beyond the limit that complete a run (SEMANTICS, *Evidence for distance rules*)."""

ONCE_MM, TWICE_MM = 100_000, 200_000
"""How far from the route a metre beyond the limit counts once, and twice at most. Metres times distance are half the
difference of two squares, the log-odds of a normal error that reaches the fix against one that reaches the limit. Against
metres that count alike: about half the false episodes at a half-width of 25 m, none more at 50 and 100 m, and 26 s of
delay instead of 34 s (docs/detection.md). The bound keeps the edge of a wide corridor, where a truck may drive, from
weighing too much."""

EDGE_MM = 20_000
"""What a fix beyond the limit counts besides, where the limit lies between those two. Being wrong by 100 m at all is rare, and
without this an excursion that stays within 40 m of the edge is over before it counts; from 200 m on metres count enough by
themselves, and nearer than 100 m such errors are no longer rare. It finds half of what was missed at a half-width of 100 m,
and on 33,000 km no episode more was false (docs/detection.md)."""

MISSING_FIX_S = 20.0
"""What throws single fixes off (a reversed pair, a cold start, a reflection) rarely lasts as long, and a truck that reports
every 30 s or 2 min need not wait for a third fix. On 55,000 km of simulated trips at such intervals it cost no false
episode and halved the delay (docs/detection.md)."""

POOR_CLAIMS = 3.0
"""A claim is about one standard deviation of the receiver's error (68 % in the drivers of phones, 50 % in receivers' own CEP), so
that three of them leave some 3 fixes in 1,000 beyond; and an error that large lasts for minutes, so that more fixes tell nothing more."""

KEYS = distance_keys(
    common_keys("high", raise_=(3, 0), clear=(2, 0)),
    raise_excess_m_s=EXCESS_M_S,
    missing_fix_s=MISSING_FIX_S,
)


def _judge(ctx: Context) -> None:
    where = ctx.located
    if where is None:
        return
    if not ctx.carries(NAME) and not some(where.distance_m > where.half_width_m):
        return  # a limit is never below the half-width
    distance_m, half_width_m, on_route = where.distance_m, where.half_width_m, None
    if not every(ctx.route >= 0):
        on_route = np.isfinite(distance_m)
        distance_m, half_width_m = np.where(on_route, distance_m, 0.0), np.where(on_route, half_width_m, 0.0)
    distance, half_width = mm_of_m(distance_m), mm_of_m(half_width_m)
    slack_m, poor = _slack_m(ctx)
    limit = half_width + mm_of_m(slack_m)
    on = distance > limit
    says = on_route
    if poor is not None:
        says = (on | ~poor) if on_route is None else (on | ~poor) & on_route
    teller = _Teller(ctx, where, half_width, limit)
    of_fixes(
        ctx,
        NAME,
        on,
        teller.raising,
        off=distance <= np.minimum(limit, np.maximum(half_width - _margin_mm(ctx, half_width), 0)),
        among=says,
        value=distance,
        beyond=_counted_mm(distance, limit),
        closing=teller.closing,
    )
    _tell_peaks(ctx, np.where(on, distance, 0), teller.raised_at)


@dataclass(frozen=True, slots=True)
class _Teller:
    """What is written when it is raised and cleared; remembers the peak told, and by row the fix that raised."""

    ctx: Context
    where: Located
    half_width: I8
    limit: I8
    raised_at: dict[int, int] = field(default_factory=dict)

    def raising(self, moment: Moment) -> dict[str, Any]:
        assert moment.peak is not None
        self.ctx.state[NAME]["told_mm"][moment.row] = moment.peak
        self.raised_at[moment.row] = moment.i
        return {
            "cross_track_m": moment.peak / 1000,
            "limit_m": int(self.limit[moment.i]) / 1000,
            "half_width_m": int(self.half_width[moment.i]) / 1000,
            "chainage_m": round(float(self.where.chainage_m[moment.i]), 1),
            "excess_m_s": moment.excess // 1000 / 1000,
        }

    def closing(self, moment: Moment) -> dict[str, Any]:
        assert moment.peak is not None
        self.ctx.state[NAME]["told_mm"][moment.row] = 0
        return {"cross_track_m": moment.peak / 1000}


def _slack_m(ctx: Context) -> tuple[NDArray[np.float64], NDArray[np.bool_] | None]:
    """Metres that a fix's accuracy widens the limit by: the claim up to a cap, since claims lie; and which fixes claim to be
    so poor that they are believed: these widen it by more, and within it say nothing. None: no fix does.
    """
    row, claimed = ctx.fixes.row, ctx.fixes.accuracy_m.astype(np.float64)
    assumed = np.where(np.isnan(claimed), per(ctx.policy(NAME, "accuracy_unknown_m"), row), claimed)
    cap = np.asarray(per(ctx.policy(NAME, "accuracy_cap_m"), row), np.float64)
    slack: NDArray[np.float64] = np.minimum(np.maximum(assumed, 0.0), cap)
    poor = claimed > per(ctx.policy(NAME, "accuracy_limit_m"), row)
    poor &= cap > 0  # a policy that lets no claim widen the limit believes none
    return (np.where(poor, POOR_CLAIMS * claimed, slack), poor) if some(poor) else (slack, None)


def _counted_mm(distance: I8, limit: I8) -> I8:
    """What each fix counts as evidence: its millimetres beyond the limit, weighed by how far from the route they lie."""
    middle = (distance + limit) // 2
    weighed: I8 = np.maximum(distance - limit, 0) * np.minimum(middle, TWICE_MM) // ONCE_MM
    return weighed + np.where((distance > limit) & (limit >= ONCE_MM) & (limit < TWICE_MM), EDGE_MM, 0)


def _margin_mm(ctx: Context, half_width: I8) -> I8:
    """How far inside the half-width a fix must be to count as back."""
    share: I8 = np.rint(half_width * CLEAR_SHARE).astype(np.int64)
    set_m = per(ctx.policy(NAME, "clear_margin_m"), ctx.fixes.row)
    if set_m is None:
        return share
    set_m = np.asarray(set_m, np.float64)
    return np.where(np.isnan(set_m), share, mm_of_m(np.nan_to_num(set_m)))


def _tell_peaks(ctx: Context, off_route_mm: I8, raised_at: dict[int, int]) -> None:
    """Update the episodes still open whose peak has doubled since it was last told."""
    carry, of = ctx.state[NAME], ctx.fixes.row
    rows = which((ctx.active & ctx.bits[NAME]) != 0)
    due = carry["open"][rows] & (carry["peak_mm"][rows] >= 2 * np.maximum(carry["told_mm"][rows], 1))
    for row in rows[due].tolist():
        begin = raised_at.get(row, int(np.searchsorted(of, row)))
        end = int(np.searchsorted(of, row, side="right"))
        told, at = doublings(int(carry["told_mm"][row]), off_route_mm[begin:end])
        if at is None:
            continue
        carry["told_mm"][row] = told
        changed_ms = int(ctx.fixes.time_ms[begin + at])
        ctx.book.change(
            int(ctx.seal[row]), NAME, None, changed_ms=changed_ms, evidence={"cross_track_m": told / 1000}
        )


RULE = Rule(
    NAME,
    KEYS,
    _judge,
    state=MEASURED_RUN,
    start=new_runs(1, MEASURED_RUN)[0],
    of_route=True,
    while_suspended=False,
)
