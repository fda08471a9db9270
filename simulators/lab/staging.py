"""A scenario on its stage: vehicles that drive, seals on them, equipment, with all that the script does to them. Pure.

All chance comes from generators named by seed, scenario, thing and part, so that what is added to one leaves the others as they were.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from zlib import crc32

import numpy as np

from simulators.drive import Drive, Excursion, Halt, Style
from simulators.lab import acts, language
from simulators.lab.doable import check_reach, trip_m
from simulators.lab.fitting import Fault, fit
from simulators.lab.ground import Ground, lay_out
from simulators.lab.language import Scenario
from simulators.roads import Road, Stretch
from simulators.world.device import Device, Said
from simulators.world.equipment import Equipment
from simulators.world.modem import Arrival
from simulators.world.spans import Span
from simulators.world.vehicle import Follower, Ride, Trip, Turning, plan_trip, queue

__all__ = ["Heard", "Stage", "set_stage"]

LOOK_EVERY_S = 5.0
"""How exactly is told when a tunnel began: far finer than fixes are apart."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a device said and what of it arrived."""

    said: list[Said]
    arrivals: list[Arrival]


@dataclass(frozen=True, slots=True)
class Stage:
    """A scenario with everybody in place; seconds count from its start."""

    name: str
    seed: int
    scenario: Scenario
    ground: Ground
    rides: Mapping[str, Ride]
    devices: Mapping[str, Device]
    heard: Mapping[str, Heard]
    equipment: Mapping[str, Equipment]
    faults: list[Fault]
    lock_acts: Mapping[str, list[tuple[float, str]]]

    @property
    def until_s(self) -> float:
        """The scenario's end."""
        return self.scenario.minutes * 60.0

    def generator(self, *names: str) -> np.random.Generator:
        """A generator of that name's own."""
        return _generator(self.seed, self.name, *names)


def _generator(seed: int, *names: str) -> np.random.Generator:
    return np.random.default_rng([seed, *(crc32(n.encode()) for n in names)])


def set_stage(scenario: Scenario, name: str, seed: int, file: str) -> Stage:
    """Everybody in place, and what each seal says and what arrives worked out to the scenario's end."""
    ground = lay_out(scenario, file)
    by = partial(_generator, seed, name)
    roads = {v.id: ground.road(v.route or _leader_route(v, scenario)) for v in scenario.vehicle}
    check_reach(scenario, roads, file)
    rides = _rides(scenario, roads, by)
    made = [fit(d, scenario, ground.start_ms, rides, roads[d.on], by, file) for d in scenario.device]
    faults = [fault for one in made for fault in one.faults]
    for d in scenario.device:
        in_tunnels = _in_tunnels(rides[d.on], roads[d.on], scenario.minutes * 60.0)
        faults += [Fault("tunnel", d.id, span) for span in in_tunnels]
    failures = {
        e.id: [a for a in scenario.script if isinstance(a, acts.Fail) and a.who == e.id]
        for e in scenario.equipment
    }
    faults += [Fault("fail", id_, _span_of_failure(a)) for id_, its in failures.items() for a in its]
    devices = {one.device.id: one.device for one in made}
    heard = {}
    for id_, device in devices.items():
        said = list(device.says(0.0, scenario.minutes * 60.0))
        heard[id_] = Heard(said, device.arrivals(said))
    equipment = {
        e.id: Equipment(
            e.id,
            e.heartbeat_s,
            [_span_of_failure(a) for a in failures[e.id]],
            [_span_of_failure(a) for a in failures[e.id] if a.told],
        )
        for e in scenario.equipment
    }
    locks = {one.device.id: one.lock_acts for one in made}
    return Stage(name, seed, scenario, ground, rides, devices, heard, equipment, faults, locks)


def _in_tunnels(ride: Ride, road: Road, until_s: float) -> list[Span]:
    """When a vehicle is under a mountain, to some seconds."""
    if not road.tunnels:
        return []
    times = np.arange(0.0, until_s, LOOK_EVERY_S)
    under = np.array([any(t.holds(ride.at(s).chainage_m) for t in road.tunnels) for s in times.tolist()])
    edges = np.flatnonzero(np.diff(np.concatenate(([False], under, [False])).astype(np.int8))) * LOOK_EVERY_S
    return [Span(float(a), float(b)) for a, b in edges.reshape(-1, 2)]


def _span_of_failure(act: acts.Fail) -> Span:
    return Span(act.at_min * 60.0, (act.at_min + act.for_min) * 60.0)


def _leader_route(vehicle: language.Vehicle, scenario: Scenario) -> str | None:
    return next((v.route for v in scenario.vehicle if v.id == vehicle.follows), None)


def _rides(
    scenario: Scenario, roads: Mapping[str, Road], by: Callable[..., np.random.Generator]
) -> dict[str, Ride]:
    rides: dict[str, Ride] = {}
    for vehicle in scenario.vehicle:
        if vehicle.follows is None:
            rides[vehicle.id] = _drive(vehicle, scenario, roads[vehicle.id], by(vehicle.id, "driver"))
    for vehicle in scenario.vehicle:
        leader = rides.get(vehicle.follows or "")
        if vehicle.follows is not None and isinstance(leader, Drive):
            rides[vehicle.id] = _follower(vehicle, leader, scenario)
    return rides


def _drive(vehicle: language.Vehicle, scenario: Scenario, road: Road, rng: np.random.Generator) -> Drive:
    style = Style(vehicle.pace, rng.normal(0.0, 0.03, int(road.length_m // 1000) + 2))
    halts: list[Halt] = []
    excursions, turnings, paces = [], [], []
    for act in scenario.script:
        if act.who != vehicle.id:
            continue
        if isinstance(act, acts.Stop):
            halts.append(Halt(act.at_km * 1000, act.for_min * 60, act.left_m))
        elif isinstance(act, acts.Queue):
            halts += queue(rng, act.at_km * 1000, act.for_min * 60)
        elif isinstance(act, acts.Detour):
            excursions.append(Excursion(act.from_km * 1000, act.to_km * 1000, act.left_m, act.speed_kmh))
        elif isinstance(act, acts.TurnBack):
            turnings.append(Turning(act.at_km * 1000, act.back_to_km * 1000))
        elif isinstance(act, acts.Pace):
            paces.append(Stretch(act.from_km * 1000, act.to_km * 1000, act.speed_kmh))
    trip = Trip(*trip_m(vehicle, road), vehicle.departs_min * 60, halts, excursions, turnings, paces)
    return plan_trip(road, style, trip)


def _follower(vehicle: language.Vehicle, leader: Drive, scenario: Scenario) -> Follower:
    times, lags = [0.0], [vehicle.behind_s]
    falls = [a for a in scenario.script if isinstance(a, acts.FallBehind) and a.who == vehicle.id]
    for act in sorted(falls, key=lambda a: a.at_min):
        times += [act.at_min * 60, (act.at_min + act.over_min) * 60]
        lags += [lags[-1], act.behind_s]
    return Follower(leader, np.array(times), np.array(lags))
