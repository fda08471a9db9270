"""Labelled trips for `bench_detection`: a route, the fixes of a drive, and when the vehicle truly was off the route.

`cars` report about every 5 s on their own true route, `car_detours` leave it, `trucks` and `truck_detours` report every 30 s, 2 min
or 30 min. Half of all is simulated (`detection_roads`), half recorded (`detection_traces`). All seeded.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import shapely
from detection_errors import ENVIRONMENTS, Fixes, observe, swapped
from detection_roads import chainages, detour, drive, map_of, road
from detection_traces import Recorded

__all__ = ["TRUCK_EVERY_S", "Case", "car_detours", "cars", "harder", "truck_detours", "trucks"]

TRUCK_EVERY_S = (30.0, 120.0, 1800.0)
KIND_SHARE = {"city": 0.55, "rural": 0.2, "highway": 0.15, "hairpin": 0.1}
SKY = {
    "city": {"open": 0.2, "town": 0.6, "canyon": 0.2},
    "rural": {"open": 0.5, "trees": 0.5},
    "highway": {"open": 0.85, "trees": 0.15},
    "hairpin": {"trees": 0.7, "canyon": 0.3},
}
CARELESS_M, CARELESS_SWAPS = 8.0, 0.1
YARD_M = 10.0
"""Mean distance between the road's end and where the vehicle stands before and after (exponential)."""


@dataclass(frozen=True)
class Case:
    """One trip: its ``route`` in metres, its ``fixes``, and the truth every second between leaving one yard and reaching the other."""

    name: str
    every_s: float
    route: np.ndarray
    fixes: Fixes
    true_t_s: np.ndarray
    true_xy: np.ndarray

    def _distance_m(self, xy: np.ndarray) -> np.ndarray:
        legs = shapely.linestrings(np.stack([self.route[:-1], self.route[1:]], axis=1))
        (point, _), far = shapely.STRtree(legs).query_nearest(
            shapely.points(xy), return_distance=True, all_matches=False
        )
        return far[np.argsort(point)]

    @cached_property
    def off_m(self) -> np.ndarray:
        """Distance of each fix from the route."""
        return self._distance_m(self.fixes.xy)

    @cached_property
    def truly_off_m(self) -> np.ndarray:
        """Distance of the vehicle from the route at each second of the truth."""
        return self._distance_m(self.true_xy)

    def excursions(self, half_width_m: float) -> list[tuple[float, float]]:
        """When the vehicle truly was beyond the half-width: [from, to) in seconds; less than 10 s inside is no return."""
        out = self.truly_off_m > half_width_m
        edges = self.true_t_s[np.flatnonzero(np.diff(np.r_[False, out, False])).clip(max=len(out) - 1)]
        spans: list[tuple[float, float]] = []
        for a, b in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            if spans and a - spans[-1][1] < 10:
                spans[-1] = (spans[-1][0], b)
            else:
                spans.append((a, b))
        return spans


def cars(seed: int, n: int, real: list[Recorded], repeats: int, every_s: float = 5.0) -> list[Case]:
    """Trips on their own true route, a fix about every 5 s."""
    made = [_simulated(_rng(seed, 1, i), f"sim {i}", every_s) for i in range(n)]
    return made + [_recorded(_rng(seed, 2, i, k), r) for k in range(repeats) for i, r in enumerate(real)]


def car_detours(seed: int, n: int, real: list[Recorded], repeats: int, every_s: float = 5.0) -> list[Case]:
    """Trips that leave their route: a parallel street 150 to 400 m off, a loop, a dead end with a stop in it."""
    made = [
        _simulated(_rng(seed, 3, i), f"sim detour {i}", every_s, off=(150, 400), last=(80, 1500))
        for i in range(n)
    ]
    return made + [
        _recorded(_rng(seed, 4, i, k), r, off=(150, 400)) for k in range(repeats) for i, r in enumerate(real)
    ]


def trucks(seed: int, n: int, every_s: float) -> list[Case]:
    """Long trips on their own true route."""
    return [_simulated(_rng(seed, 5, i, int(every_s)), f"truck {i}", every_s) for i in range(n)]


def truck_detours(seed: int, n: int, every_s: float) -> list[Case]:
    """Long trips that leave their route for about two to ten reports."""
    far = (400, 4000) if every_s > 60 else (200, 1000)
    last = (2 * every_s * 12, 10 * every_s * 12)
    return [
        _simulated(_rng(seed, 6, i, int(every_s)), f"truck detour {i}", every_s, off=far, last=last)
        for i in range(n)
    ]


def harder(cases: list[Case], seed: int) -> list[Case]:
    """The same trips as careless hands record and draw them: no claims, a tenth of the fixes twice within a second and in the
    wrong order, the map's line simplified to 8 m, every third vertex twice.
    """
    return [_harder(_rng(seed, 7, i), case) for i, case in enumerate(cases)]


def _harder(rng, case):
    line = np.array(shapely.simplify(shapely.LineString(case.route), CARELESS_M).coords)
    line = np.repeat(line, np.where(np.arange(len(line)) % 3, 1, 2), axis=0)
    silent = replace(case.fixes, accuracy_m=np.full(len(case.fixes.t_s), np.nan))
    return replace(case, route=line, fixes=swapped(rng, silent, CARELESS_SWAPS))


def _rng(*seed):
    return np.random.default_rng(seed)


def _pick(rng, shares):
    return str(rng.choice(list(shares), p=list(shares.values())))


def _simulated(rng, name, every_s, off=None, last=(0, 0)):
    kind = _pick(rng, KIND_SHARE if every_s < 30 else {"highway": 0.6, "rural": 0.4})
    length = rng.lognormal(np.log(2600), 0.5) if every_s < 30 else max(every_s, 300) * rng.uniform(150, 400)
    length = max(length, 4 * last[1] if off else 0.0)
    way = road(rng, kind, length)
    route, waits = map_of(rng, way), ()
    if off is not None:
        dead_end = rng.random() < 0.25
        way, (a, b) = detour(rng, way, rng.uniform(*off), rng.uniform(*last), dead_end=dead_end)
        waits = (((a + b) / 2, rng.uniform(20, 300) + every_s),) if dead_end else ()
    first, end = _yard(rng, way[0], way[1]), _yard(rng, way[-1], way[-2])
    whole = np.vstack([first, way, end])
    at = chainages(whole)
    parked = ((0.0, rng.uniform(5, 90)), (at[-1], rng.uniform(5, 90)))
    shift = at[1]
    driven = drive(rng, whole, kind, (*parked, *((s + shift, w) for s, w in waits)))
    fixes = observe(rng, driven.t_s, driven.xy, driven.rests, every_s, ENVIRONMENTS[_pick(rng, SKY[kind])])
    road_only = _between(driven, at[1], at[-1] - at[-2])
    return Case(f"{name} {kind}", every_s, route, fixes, driven.t_s[road_only], driven.xy[road_only])


def _yard(rng, gate, inwards):
    """Where the vehicle stands: beside the end of the route, or behind it."""
    ahead = (gate - inwards) / np.hypot(*(gate - inwards))
    angle = rng.uniform(-np.pi / 2, np.pi / 2)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return gate + (turn @ ahead) * rng.exponential(YARD_M)


def _between(driven, head_m, tail_m):
    """The seconds after the first yard was left and before the second is reached."""
    gone = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(driven.xy, axis=0).T))])
    return np.flatnonzero((gone > head_m + 20) & (gone < gone[-1] - tail_m - 20))


def _recorded(rng, r, off=None):
    route = r.route
    if off is not None:
        length = rng.uniform(300, 1500)
        route, _ = detour(rng, route, rng.uniform(*off), length)
    t = np.arange(r.t_s[0], r.t_s[-1])
    both = np.column_stack([np.interp(t, r.t_s, xy[:, k]) for xy in (r.xy, r.true_xy) for k in (0, 1)])
    rests = np.hypot(*np.diff(both[:, 2:], axis=0, append=both[-1:, 2:]).T) < 0.3
    sky = ENVIRONMENTS[_pick(rng, {"open": 0.6, "town": 0.4})]
    return Case(r.name, 5.0, route, observe(rng, t, both[:, :2], rests, 5.0, sky), t, both[:, 2:])
