"""Where a truck is at each moment: it accelerates, slows at towns and checkpoints, rests, and may leave its road.

A drive is worked out once, on nodes 40 m apart along the road, and then asked for any time. Pure but for the generator
of ``Style``; a drive is immutable.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import atan2, degrees
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulators.earth import Floats, distance_m, metres_per_degree, metres_per_degree_at
from simulators.roads import Road

__all__ = ["Drive", "Excursion", "Halt", "Spot", "Style", "beside", "bump", "wanted_ms"]

STEP_M = 40.0
"""Distance of nodes: two seconds of driving, a quarter of the narrowest zone."""
ACCELERATION_MS2 = 0.35
"""A laden articulated truck pulls away and brakes gently."""
LANE_LEFT_M = -5.0
"""Viet Nam drives on the right."""
SMOOTH_NODES = 5
"""Moving average of directions over ±100 m, so that a truck off the line turns round a vertex instead of jumping."""
PULL_OVER_M = 300.0
"""Length of the way from the lane into a rest area."""
CHECKPOINT_KMH = 35.0
CHECKPOINT_REACH_M = 350.0
"""Trucks crawl through a checkpoint's lanes."""


@dataclass(frozen=True, slots=True)
class Halt:
    """Standing still: where along the road, for how long, how far left of the line."""

    chainage_m: float
    dwell_s: float
    left_m: float = LANE_LEFT_M


@dataclass(frozen=True, slots=True)
class Excursion:
    """Driving beside the road: fully ``left_m`` of the line between ``from_m`` and ``to_m``, ramps before and after."""

    from_m: float
    to_m: float
    left_m: float
    speed_kmh: float

    @property
    def ramp_m(self) -> float:
        """Length along the road on which the truck gets from the line to its offset."""
        return max(200.0, 1.3 * abs(self.left_m))


@dataclass(frozen=True, slots=True)
class Style:
    """How one driver drives: a factor on the usual speed, and a slow wobble (one value a kilometre)."""

    pace: float
    wobble: Floats

    @classmethod
    def draw(cls, rng: np.random.Generator, road: Road) -> Style:
        """A driver out of the seeded generator."""
        return cls(float(rng.uniform(0.92, 1.06)), rng.normal(0.0, 0.06, int(road.length_m // 1000) + 2))


class Spot(NamedTuple):
    """A moment of a drive."""

    lon: float
    lat: float
    speed_kmh: float
    course_deg: float
    chainage_m: float
    left_m: float


@dataclass(frozen=True, slots=True)
class Drive:
    """Nodes of one drive in order of time; seconds count from the journey's start."""

    time_s: Floats
    lon: Floats
    lat: Floats
    speed_ms: Floats
    chainage_m: Floats
    left_m: Floats

    @classmethod
    def plan(
        cls,
        road: Road,
        style: Style,
        halts: tuple[Halt, ...] = (),
        excursion: Excursion | None = None,
        checkpoints_m: tuple[float, ...] = (),
        start_dwell_s: float = 0.0,
    ) -> Drive:
        """Work a drive out; the part before a halt or excursion is the same as without it, but for the braking."""
        halts = tuple(sorted(halts, key=lambda h: h.chainage_m))
        stops = np.array([h.chainage_m for h in halts])
        chainage = np.unique(np.concatenate((np.arange(0.0, road.length_m, STEP_M), [road.length_m], stops)))
        left = _offsets(chainage, halts, excursion)
        lon, lat = beside(road, chainage, left)
        wanted = wanted_ms(road, style, chainage, excursion, checkpoints_m)
        at_halt = np.searchsorted(chainage, stops)
        dwell = np.array([h.dwell_s for h in halts])
        return cls.through(lon, lat, chainage, left, wanted, at_halt, dwell, start_dwell_s)

    @classmethod
    def through(
        cls,
        lon: Floats,
        lat: Floats,
        chainage: Floats,
        left: Floats,
        wanted: Floats,
        at_halt: NDArray[np.int64],
        dwell: Floats,
        start_dwell_s: float,
    ) -> Drive:
        """Drive through nodes as fast as ``wanted`` (m/s) and gentle braking allow, from rest to rest.

        ``at_halt`` are the nodes, in their order, at which it stands for ``dwell`` seconds.
        """
        path_m = np.concatenate(([0.0], np.cumsum(distance_m(lon[:-1], lat[:-1], lon[1:], lat[1:]))))
        wanted[[0, -1, *at_halt]] = 0.0
        speed = _reachable_ms(wanted, path_m)
        legs_s = 2.0 * np.diff(path_m) / np.maximum(speed[:-1] + speed[1:], 0.5)
        time = np.concatenate(([start_dwell_s], start_dwell_s + np.cumsum(legs_s)))
        for i, dwell_s in zip(at_halt, dwell, strict=True):
            time[i + 1 :] += dwell_s
        leave = time[at_halt] + dwell

        def twice(column: Floats, second: Floats | None = None) -> Floats:
            """Each halt is two nodes: coming to rest and pulling away."""
            return np.insert(column, at_halt + 1, column[at_halt] if second is None else second)

        time = twice(time, leave)
        return cls(time, twice(lon), twice(lat), twice(speed), twice(chainage), twice(left))

    @property
    def duration_s(self) -> float:
        """Seconds from the journey's start to arrival."""
        return float(self.time_s[-1])

    def time_at(self, chainage_m: float) -> float:
        """When the truck first reaches a chainage, seconds from the start."""
        return float(self.time_s[min(int(self.chainage_m.searchsorted(chainage_m)), len(self.time_s) - 1)])

    def first_at(self, chainage_m: float) -> float:
        """The same for a drive that also turns back; one that begins beyond it is there from the start."""
        return float(self.time_s[int(np.argmax(self.chainage_m >= chainage_m - 1e-6))])

    def at(self, time_s: float) -> Spot:
        """Where the truck is, standing before the start and after arrival."""
        last = len(self.time_s) - 1
        i = min(max(int(self.time_s.searchsorted(time_s, "right")) - 1, 0), last - 1)
        from_s, to_s = self.time_s[i : i + 2].tolist()
        f = min(max((time_s - from_s) / (to_s - from_s), 0.0), 1.0) if to_s > from_s else 0.0

        def between(column: Floats) -> float:
            before, after = column[i : i + 2].tolist()
            return float(before + f * (after - before))

        moving = self.time_s[0] < time_s < self.time_s[last]
        lon, lat, chainage = between(self.lon), between(self.lat), between(self.chainage_m)
        return Spot(
            lon,
            lat,
            between(self.speed_ms) * 3.6 if moving else 0.0,
            self._course_deg(i),
            chainage,
            between(self.left_m),
        )

    def _course_deg(self, i: int) -> float:
        while i > 0 and self.chainage_m[i] == self.chainage_m[i + 1]:
            i -= 1  # standing: the way it came
        east, north = metres_per_degree_at(float(self.lat[i]))
        dx, dy = float(self.lon[i + 1] - self.lon[i]) * east, float(self.lat[i + 1] - self.lat[i]) * north
        return degrees(atan2(dx, dy)) % 360.0


def _offsets(chainage: Floats, halts: tuple[Halt, ...], excursion: Excursion | None) -> Floats:
    """Metres left of the line at each node; half a cosine leads from one offset to the next."""
    left = np.full(len(chainage), LANE_LEFT_M)
    if excursion is not None:
        away = np.maximum(excursion.from_m - chainage, chainage - excursion.to_m)
        left += (excursion.left_m - left) * bump(away, excursion.ramp_m)
    for halt in halts:
        left += (halt.left_m - left) * bump(np.abs(chainage - halt.chainage_m), PULL_OVER_M)
    return left


def bump(away_m: Floats, ramp_m: float) -> Floats:
    """1 where ``away_m`` ≤ 0, 0 from ``ramp_m`` on, a smooth slope between."""
    return np.asarray((1.0 + np.cos(np.pi * np.clip(away_m / ramp_m, 0.0, 1.0))) / 2.0)


def beside(road: Road, chainage: Floats, left: Floats) -> tuple[Floats, Floats]:
    """Longitude and latitude of each node, so many metres left of the line."""
    lon, lat = road.point_at(chainage)
    kernel = np.ones(SMOOTH_NODES) / SMOOTH_NODES
    nx, ny = (
        np.convolve(np.pad(n, SMOOTH_NODES // 2, "edge"), kernel, "valid")
        for n in road.left_normal_at(chainage)
    )
    length = np.hypot(nx, ny)
    east, north = metres_per_degree(lat)
    return lon + left * nx / length / east, lat + left * ny / length / north


def wanted_ms(
    road: Road, style: Style, chainage: Floats, excursion: Excursion | None, checkpoints_m: tuple[float, ...]
) -> Floats:
    """Speed the driver would hold at each node if trucks had no mass."""
    wobble = np.interp(chainage, np.arange(len(style.wobble)) * 1000.0, style.wobble)
    wanted = road.speed_kmh_at(chainage) * style.pace * (1.0 + np.clip(wobble, -0.2, 0.12))
    for c in checkpoints_m:
        near = np.abs(chainage - c) < CHECKPOINT_REACH_M
        wanted[near] = np.minimum(wanted[near], CHECKPOINT_KMH)
    if excursion is not None:
        off = (chainage > excursion.from_m - excursion.ramp_m) & (
            chainage < excursion.to_m + excursion.ramp_m
        )
        wanted[off] = np.minimum(wanted[off], excursion.speed_kmh)
    return np.asarray(wanted / 3.6)


def _reachable_ms(wanted: Floats, path_m: Floats) -> Floats:
    """The fastest speeds below ``wanted`` that gentle braking and acceleration allow: v² grows at most by 2a a metre."""
    slope = 2.0 * ACCELERATION_MS2 * path_m
    gaining = np.minimum.accumulate(wanted**2 - slope) + slope
    braking = np.minimum.accumulate((wanted**2 + slope)[::-1])[::-1] - slope
    return np.sqrt(np.maximum(np.minimum(gaining, braking), 0.0))
