"""Where each seal is at any moment: it drives along its road at a pace of its own, and stands at its end. Arrays over all seals. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulators.earth import Floats, metres_per_degree
from simulators.load.plan import Senders
from simulators.roads import Road

__all__ = ["Fixes", "Vehicles"]

Ints = NDArray[np.int64]

SPEED_KMH = (30.0, 45.0)
"""Below every limit of the demo's corridors, so that nothing but what is meant raises an alert."""

START_SHARE = 0.8
"""They begin somewhere on the first four fifths of their road."""

GAP_M = 1.0
"""Between the roads where they lie end to end, so that no chainage is two roads'."""


class Fixes(NamedTuple):
    """Of n messages: degrees, km/h, degrees from north; float64[n] each."""

    lon: Floats
    lat: Floats
    speed_kmh: Floats
    course_deg: Floats


@dataclass(frozen=True, slots=True)
class Vehicles:
    """Roads laid end to end, ``v`` vertices in all, and of each seal where it begins and ends on them (metres) and its speed (m/s)."""

    lon: Floats
    lat: Floats
    chainage_m: Floats
    course_deg: Floats
    start_m: Floats
    end_m: Floats
    speed_ms: Floats

    @classmethod
    def of(cls, senders: Senders, seed: int) -> Vehicles:
        """Place the seals; where they begin and how fast they are follows from the seed."""
        rng = np.random.default_rng((seed, 2))
        length = np.array([road.length_m for road in senders.roads])
        begin = np.concatenate(([0.0], np.cumsum(length + GAP_M)[:-1]))
        road = np.asarray(senders.road, np.int64)
        n = len(road)
        return cls(
            lon=np.concatenate([r.lon for r in senders.roads]),
            lat=np.concatenate([r.lat for r in senders.roads]),
            chainage_m=np.concatenate([b + r.chainage_m for b, r in zip(begin, senders.roads, strict=True)]),
            course_deg=np.concatenate([_courses_deg(r) for r in senders.roads]),
            start_m=begin[road] + START_SHARE * length[road] * rng.random(n),
            end_m=begin[road] + length[road],
            speed_ms=rng.uniform(*SPEED_KMH, n) / 3.6,
        )

    def at(self, seal: Ints, elapsed_s: Floats) -> Fixes:
        """Where seals are, each so long after the start."""
        way_m = self.start_m[seal] + self.speed_ms[seal] * elapsed_s
        end_m = self.end_m[seal]
        there = way_m >= end_m
        way_m = np.minimum(way_m, end_m)
        leg = np.searchsorted(self.chainage_m, way_m, "right") - 1
        return Fixes(
            np.interp(way_m, self.chainage_m, self.lon),
            np.interp(way_m, self.chainage_m, self.lat),
            np.where(there, 0.0, self.speed_ms[seal] * 3.6),
            self.course_deg[leg],
        )


def _courses_deg(road: Road) -> Floats:
    """Of each leg, and of the last vertex that of the last leg."""
    east, north = metres_per_degree((road.lat[:-1] + road.lat[1:]) / 2)
    course = np.degrees(np.arctan2(np.diff(road.lon) * east, np.diff(road.lat) * north)) % 360.0
    return np.append(course, course[-1])
