"""Trips of trucks: they drive a part of a road, rest, queue, leave it, turn back, follow one another and are left behind. Pure.

A trip is worked out once into a ``Drive`` and then asked for any time. What a device rides on is a ``Ride``: a drive, a follower of one, or
what is left standing of it.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from simulators.drive import (
    LANE_LEFT_M,
    PULL_OVER_M,
    STEP_M,
    Drive,
    Excursion,
    Halt,
    Spot,
    Style,
    beside,
    bump,
    wanted_ms,
)
from simulators.earth import Floats, metres_per_degree
from simulators.roads import Road, Stretch

__all__ = ["Carried", "Follower", "Ride", "Trip", "Turning", "plan_trip", "queue"]

SIDEWAYS_MS2 = 1.2
"""What a laden truck takes in a bend: a third of what would tip it."""
LEAST_KMH = 8.0
"""The slowest bend, of the radius that an articulated truck can turn on."""
TURNING_S = 50.0
"""Turning back on the road: forward, back, forward."""
CREEP_M = (8.0, 25.0)
"""How far a queue moves at a time."""
CREEP_EVERY_S = (40.0, 150.0)


class Ride(Protocol):
    """What a device is carried by."""

    def at(self, time_s: float) -> Spot:
        """Where it is."""


class Turning(NamedTuple):
    """Driving back: from one chainage to a smaller one, and from there on again."""

    at_m: float
    back_to_m: float


@dataclass(frozen=True, slots=True)
class Trip:
    """What a truck means to do on a road, metres of chainage. Halts are made the first time it comes by."""

    from_m: float
    to_m: float
    departs_s: float = 0.0
    halts: Sequence[Halt] = ()
    excursions: Sequence[Excursion] = ()
    turnings: Sequence[Turning] = ()
    paces: Sequence[Stretch] = ()
    """Stretches on which it holds another speed than the road's, as far as bends and braking let it."""


def queue(rng: np.random.Generator, from_m: float, for_s: float, left_m: float = LANE_LEFT_M) -> list[Halt]:
    """Stop and go: a chain of halts of about ``for_s`` seconds together."""
    halts, chainage_m, left_s = [], from_m, for_s
    while left_s > 0.0:
        dwell_s = min(left_s, float(rng.uniform(*CREEP_EVERY_S)))
        halts.append(Halt(chainage_m, dwell_s, left_m))
        chainage_m += float(rng.uniform(*CREEP_M))
        left_s -= dwell_s
    return halts


def plan_trip(road: Road, style: Style, trip: Trip) -> Drive:
    """Work a trip out; gently accelerated, slow in bends."""
    chainage, forward, turns = _nodes(trip)
    halts = sorted(trip.halts, key=lambda h: h.chainage_m)
    at_halt = np.array([_first(chainage, h.chainage_m) for h in halts], np.int64)
    left = _left(chainage, forward, halts, at_halt, trip.excursions)
    lon, lat = beside(road, chainage, left)
    wanted = wanted_ms(road, style, chainage, None, ())
    for pace in trip.paces:
        wanted[forward & (chainage >= pace.from_m) & (chainage <= pace.to_m)] = pace.speed_kmh / 3.6
    for e in trip.excursions:
        off = forward & (chainage > e.from_m - e.ramp_m) & (chainage < e.to_m + e.ramp_m)
        wanted[off] = np.minimum(wanted[off], e.speed_kmh / 3.6)
    wanted = np.minimum(wanted, _bend_ms(lon, lat))
    stops = np.concatenate((at_halt, np.array(turns, np.int64)))
    dwell = np.concatenate(([h.dwell_s for h in halts], np.full(len(turns), TURNING_S)))
    order = np.argsort(stops, kind="stable")
    return Drive.through(lon, lat, chainage, left, wanted, stops[order], dwell[order], trip.departs_s)


def _nodes(trip: Trip) -> tuple[Floats, np.ndarray[tuple[int], np.dtype[np.bool_]], list[int]]:
    """Chainages in the order driven, whether forward there, and the nodes at which it turns."""
    marks = np.array([h.chainage_m + d for h in trip.halts for d in (0.0, 4.0, 10.0)])
    ends = [trip.from_m]
    for t in sorted(trip.turnings):
        ends += [t.at_m, t.back_to_m]
    ends.append(trip.to_m)
    parts, forward, turns, n = [], [], [], 0
    for leg, (a, b) in enumerate(itertools.pairwise(ends)):
        low, high = min(a, b), max(a, b)
        inner = marks[(marks > low) & (marks < high)] if leg == 0 or a < b else marks[:0]
        nodes = np.unique(np.concatenate((np.arange(low, high, STEP_M), [low, high], inner)))
        nodes = nodes if a <= b else nodes[::-1]
        nodes = nodes[1:] if leg else nodes
        if leg:
            turns.append(n - 1)
        parts.append(nodes)
        forward.append(np.full(len(nodes), a <= b))
        n += len(nodes)
    return np.concatenate(parts), np.concatenate(forward), turns


def _first(chainage: Floats, at_m: float) -> int:
    """The node that first comes nearest to a chainage."""
    return int(np.argmin(np.abs(chainage - at_m)))


def _left(
    chainage: Floats,
    forward: np.ndarray[tuple[int], np.dtype[np.bool_]],
    halts: Sequence[Halt],
    at_halt: np.ndarray[tuple[int], np.dtype[np.int64]],
    excursions: Sequence[Excursion],
) -> Floats:
    """Metres left of the line at each node: in its lane, but where it pulls over or leaves the road."""
    left = np.where(forward, LANE_LEFT_M, -LANE_LEFT_M)
    for e in excursions:
        away = np.maximum(e.from_m - chainage, chainage - e.to_m)
        left += np.where(forward, (e.left_m - left) * bump(away, e.ramp_m), 0.0)
    nodes = np.arange(len(chainage))
    for halt, at in zip(halts, at_halt, strict=True):
        near = np.abs(nodes - at) <= int(PULL_OVER_M / STEP_M) + 4
        left += np.where(
            near, (halt.left_m - left) * bump(np.abs(chainage - halt.chainage_m), PULL_OVER_M), 0.0
        )
    return left


def _bend_ms(lon: Floats, lat: Floats) -> Floats:
    """The fastest that the way's bends allow at each node."""
    east, north = metres_per_degree(lat[:-1])
    dx, dy = np.diff(lon) * east, np.diff(lat) * north
    length = np.maximum(np.hypot(dx, dy), 0.1)
    course = np.unwrap(np.arctan2(dx, dy))
    turned = np.abs(np.diff(course)) / ((length[:-1] + length[1:]) / 2.0)
    radius = 1.0 / np.maximum(turned, 1e-6)
    ms = np.maximum(np.sqrt(SIDEWAYS_MS2 * radius), LEAST_KMH / 3.6)
    return np.concatenate(([np.inf], ms, [np.inf]))


@dataclass(frozen=True, slots=True)
class Follower:
    """A vehicle that drives the leader's way some seconds behind it (ahead: negative); between ``times_s`` its lag changes evenly."""

    leader: Drive
    times_s: Floats
    lags_s: Floats

    def at(self, time_s: float) -> Spot:
        """Where it is."""
        lag_s = float(np.interp(time_s, self.times_s, self.lags_s))
        slope = float(np.interp(time_s + 1.0, self.times_s, self.lags_s)) - lag_s
        spot = self.leader.at(time_s - lag_s)
        return spot._replace(speed_kmh=max(0.0, spot.speed_kmh * (1.0 - slope)))


@dataclass(frozen=True, slots=True)
class Carried:
    """A device that rides on one vehicle and, from moments on, on others; None: it stays where it then is."""

    parts: Sequence[tuple[float, Ride | None]]

    def at(self, time_s: float) -> Spot:
        """Where it is."""
        ride, place = self.parts[0][1], None
        for from_s, other in self.parts[1:]:
            if from_s > time_s:
                break
            if other is None:
                before = ride.at(from_s) if ride is not None else place
                assert before is not None
                place = before._replace(speed_kmh=0.0)
            ride = other
        if ride is None:
            assert place is not None
            return place
        return ride.at(time_s)
