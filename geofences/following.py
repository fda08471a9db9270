"""Chainages that continue: each fix goes on from where its track was.

Most fixes have one pass of their route in reach and need no thought. The doubtful ones are taken in order, each by a
rule that knows only the previous chainage, the time since, and the fix itself, so that batching cannot change it:

1. of the passes in reach, the one that continues best (``choose``);
2. if even that is a leap no road explains, the place nearest to the fix within ``WINDOW_M`` of the previous chainage
   competes too: cargo on a detour that happens to cross a later part of its route has not gone there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geofences.lines import LineIndex, Plane
from geofences.masks import some, which
from geofences.passes import Passes
from geofences.ragged import group_starts
from geofences.routes import RouteLines

__all__ = ["choose", "follow"]

START_TIE_M = 25.0
"""At a track's first fix, passes this much farther than the nearest count as tied and the first one along the route
wins: GNSS cannot tell them apart, and a journey begins at the beginning."""

BACK_COST = 4.0
"""Metres ahead that weigh as one metre back. Cargo goes forward; at the far end of an out-and-back the way back
must win over reversing, yet a truck that truly turns round must not be carried ahead by more than this."""

AHEAD_S = 30.0
"""Longer since the last fix, going ahead weighs less in proportion: in half an hour 25 km ahead are nothing, while 1 km
back is a truck that turned round; after half a minute it is the other way about."""

TURN_SLACK_M = 50.0
"""Going back at all weighs as much as going this far ahead, so that a fix a second still passes the turning point."""

ASIDE_COST = 12.0
"""Metres along the route that weigh as one metre farther from it: a pass 40 m away loses to one underneath, where a fix comes
every 450 m of hairpins too. With 4, one in five such fixes was on the wrong arm, now one in 25; carriageways 15 m apart, on
which noise could now do harm, are confused as seldom as before."""

LEAP_M = 2_000.0
"""Less along the route is never a leap: a checkpoint counts as missed 2 km past it."""

LEAP = np.array(LEAP_M)

WINDING = 3.0
"""Metres of mountain road for a metre in a straight line, at most; more along the route is a leap."""

WINDOW_M = 5_000.0
"""How far from the previous chainage a detour is looked for."""

DETOUR_COST = 20.0
"""Metres leapt that weigh as one metre of detour: 1 km off the road, a later part 20 km ahead is believed."""

F8 = NDArray[np.float64]
I8 = NDArray[np.int64]
Mask = NDArray[np.bool_]


def follow(
    lines: RouteLines,
    index: LineIndex,
    line: I8,
    plane: Plane,
    passes: Passes,
    prior_m: F8,
    follows: Mask | None,
    elapsed_s: F8 | None = None,
) -> tuple[F8, I8]:
    """Chainage of each fix, and the leg it lies on.

    Parameters
    ----------
    line, plane, passes
        Of each fix; see ``find_passes``.
    prior_m
        Previous chainage from before the batch, NaN where none.
    follows
        Whether a fix follows the row before it: then that row's chainage is the previous one. None: none does.
    elapsed_s
        Seconds since the fix before, NaN (or None for all) where not known: then as after ``AHEAD_S``.
    """
    chainage_m, leg = lines.chainage_at(passes.leg, passes.along), passes.leg
    begin, first_m = None, chainage_m
    if len(leg) > len(line):
        begin = np.append(group_starts(passes.owner), len(leg))
        first_m, leg = chainage_m[begin[:-1]], leg[begin[:-1]]
    previous_m = prior_m
    if follows is not None:
        previous_m = np.where(follows, np.append(np.nan, first_m[:-1]), prior_m)
    doubtful = _may_leap(lines, line, plane, previous_m, first_m)
    if begin is not None:
        several = np.diff(begin) > 1
        doubtful |= several
        if follows is not None:
            doubtful[1:] |= follows[1:] & several[:-1]
    if not some(doubtful):
        return first_m, leg
    begin = np.arange(len(line) + 1) if begin is None else begin
    follows = np.zeros(len(line), np.bool_) if follows is None else follows
    ways = _Ways(lines, index, line, plane, begin, passes.leg, chainage_m, passes.distance_m, elapsed_s)
    return _in_order(ways, which(doubtful).tolist(), first_m, leg, prior_m, follows)


def choose(
    chainage_m: Sequence[float],
    distance_m: Sequence[float],
    previous_m: float,
    elapsed_s: float = AHEAD_S,
) -> int:
    """The pass that continues a track whose last chainage was ``previous_m`` (NaN: none); ties go to the first."""
    nearest = min(distance_m)
    if math.isnan(previous_m):
        return next(i for i, d in enumerate(distance_m) if d <= nearest + START_TIE_M)
    best, least = 0, math.inf
    for i, (chainage, distance) in enumerate(zip(chainage_m, distance_m, strict=True)):
        cost = _cost_m(chainage - previous_m, elapsed_s) + ASIDE_COST * (distance - nearest)
        if cost < least:
            best, least = i, cost
    return best


def _cost_m(ahead_m: float, elapsed_s: float) -> float:
    """What a step along the route weighs."""
    if ahead_m < 0.0:
        return TURN_SLACK_M - BACK_COST * ahead_m
    return ahead_m * AHEAD_S / elapsed_s if elapsed_s > AHEAD_S else ahead_m


@dataclass(frozen=True, slots=True, eq=False)
class _Ways:
    """What each fix may choose from; fix ``i`` has passes ``begin[i] : begin[i + 1]``."""

    lines: RouteLines
    index: LineIndex
    line: I8
    plane: Plane
    begin: I8
    leg: I8
    chainage_m: F8
    distance_m: F8
    elapsed_s: F8 | None

    def go_on(self, i: int, previous_m: float) -> tuple[float, int]:
        """Chainage and leg of fix ``i``, by the two rules at the top."""
        span = slice(*self.begin[i : i + 2].tolist())
        chainages_m, distances_m = self.chainage_m[span].tolist(), self.distance_m[span].tolist()
        elapsed_s = AHEAD_S if self.elapsed_s is None else float(self.elapsed_s[i])
        best = choose(chainages_m, distances_m, previous_m, elapsed_s) if len(chainages_m) > 1 else 0
        chosen = chainages_m[best], int(self.leg[span.start + best])
        if not abs(chosen[0] - previous_m) > LEAP_M or not self._leaps(i, previous_m, chosen[0]):
            return chosen
        chainage_m, leg, distance_m = self._detour(i, previous_m)
        detour_m = _cost_m(chainage_m - previous_m, elapsed_s) + DETOUR_COST * (distance_m - min(distances_m))
        return (chainage_m, leg) if detour_m < _cost_m(chosen[0] - previous_m, elapsed_s) else chosen

    def _leaps(self, i: int, previous_m: float, chainage_m: float) -> bool:
        """Whether the way along the route is out of proportion to the way the cargo went."""
        one = slice(i, i + 1)
        plane = Plane(*(column[one] for column in self.plane))  # type: ignore[arg-type]
        moved_m = _moved_m(self.lines, self.line[one], plane, np.array([previous_m]))[0]
        return abs(chainage_m - previous_m) > WINDING * float(moved_m) + LEAP_M

    def _detour(self, i: int, previous_m: float) -> tuple[float, int, float]:
        """Chainage, leg and distance of the nearest place of the route around the previous chainage."""
        lines, line = self.lines, self.line[i]
        first, last = int(lines.first[line]), int(lines.first[line + 1]) - 2
        along_m = lines.chainage_m[first : last + 2]
        low, high = np.searchsorted(along_m, (previous_m - WINDOW_M, previous_m + WINDOW_M))
        begin = first + min(max(int(low) - 1, 0), last - first)
        leg = np.arange(begin, max(min(first + int(high), last + 1), begin + 1))
        square_m2, along = self.index.measure(np.full(len(leg), i), leg, self.plane)
        nearest = int(square_m2.argmin())
        at = leg[nearest : nearest + 1]
        chainage_m = float(lines.chainage_at(at, along[nearest : nearest + 1])[0])
        return chainage_m, int(at[0]), math.sqrt(float(square_m2[nearest]))


def _in_order(
    ways: _Ways, doubtful: list[int], first_m: F8, leg: I8, prior_m: F8, follows: Mask
) -> tuple[F8, I8]:
    """Take the doubtful fixes in order, and any fix whose predecessor turned out other than thought."""
    chainage_m, legs = first_m.copy(), leg.copy()
    at, upset = 0, -1
    while at < len(doubtful) or upset >= 0:
        if upset >= 0 and (at == len(doubtful) or upset < doubtful[at]):
            i = upset
        else:
            i = doubtful[at]
            at += 1
        previous_m = float(chainage_m[i - 1] if follows[i] else prior_m[i])
        thought_m = chainage_m[i]
        chainage_m[i], legs[i] = ways.go_on(i, previous_m)
        changed = chainage_m[i] != thought_m and i + 1 < len(follows) and follows[i + 1]
        upset = i + 1 if changed else -1
    return chainage_m, legs


def _may_leap(lines: RouteLines, line: I8, plane: Plane, previous_m: F8, chainage_m: F8) -> Mask:
    """Fixes that may have leapt; a little more than those that have."""
    step_m = np.abs(chainage_m - previous_m)
    leaps = step_m > LEAP
    rows = which(leaps)
    if len(rows) == 0:
        return leaps
    moved_m = _moved_m(lines, line[rows], plane.take(rows), previous_m[rows])
    leaps[rows] = step_m[rows] > (WINDING * moved_m + LEAP_M) * 0.999
    return leaps


def _moved_m(lines: RouteLines, line: I8, plane: Plane, previous_m: F8) -> F8:
    """Metres in a straight line from the places at previous chainages to the fixes."""
    x, y = lines.place_e7(line, previous_m)
    east, north = (plane.x_e7 - x) * plane.per_x_m, (plane.y_e7 - y) * plane.per_y_m
    return np.sqrt(east * east + north * north)
