"""A scenario on its stage: vehicles that drive, seals on them, equipment, with all that the script does to them. Pure.

All chance comes from generators named by seed, scenario, thing and part, so that what is added to one leaves the others as they were.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from math import inf
from typing import NamedTuple, TypeVar
from zlib import crc32

import numpy as np

from simulators.drive import Drive, Excursion, Halt, Style
from simulators.errors import ScenarioError
from simulators.lab import acts, language
from simulators.lab.ground import Ground, lay_out
from simulators.lab.language import Scenario
from simulators.roads import Road, Stretch
from simulators.world.battery import Battery
from simulators.world.clock import Clock, Skew
from simulators.world.device import Device, Said
from simulators.world.equipment import Equipment
from simulators.world.gnss import Canyon, Jump, Receiver, Spoof
from simulators.world.lock import lock_acted
from simulators.world.modem import Arrival, Disorder, Modem, Outage
from simulators.world.reporting import Schedule
from simulators.world.spans import Span
from simulators.world.vehicle import Carried, Follower, Ride, Trip, Turning, plan_trip, queue

__all__ = ["FAULTS", "Fault", "Heard", "Stage", "set_stage"]

FAULTS: Mapping[type, str] = {
    acts.Outage: "outage",
    acts.Network: "network",
    acts.Sleep: "sleep",
    acts.Reboot: "reboot",
    acts.Jam: "jam",
    acts.Blind: "blind",
    acts.Canyon: "canyon",
    acts.Jump: "jump",
    acts.Spoof: "spoof",
    acts.Lie: "lie",
    acts.Clock: "clock",
    acts.Battery: "battery",
    acts.Fail: "fail",
}
"""Acts that are faults of devices rather than deeds of people, and what the score calls them."""

Timed = TypeVar("Timed", bound=acts.TimedAct)


class Fault(NamedTuple):
    """When something was wrong with a device."""

    fault: str
    who: str
    span: Span
    metres: float = 0.0
    """How far fixes were thrown: a held track ever farther."""


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
    rides = _rides(scenario, roads, by)
    made = [_device(d, scenario, ground, rides, roads[d.on], by, file) for d in scenario.device]
    faults = [f for _, its, _ in made for f in its]
    faults += [
        Fault("tunnel", d.id, Span(0.0, scenario.minutes * 60.0))
        for d in scenario.device
        if roads[d.on].tunnels
    ]
    failures = {
        e.id: [a for a in scenario.script if isinstance(a, acts.Fail) and a.who == e.id]
        for e in scenario.equipment
    }
    faults += [Fault("fail", id_, _span_of_failure(a)) for id_, its in failures.items() for a in its]
    devices = {device.id: device for device, _, _ in made}
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
    locks = {device.id: touched for device, _, touched in made}
    return Stage(name, seed, scenario, ground, rides, devices, heard, equipment, faults, locks)


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
    to_m = road.length_m if vehicle.to_km is None else min(vehicle.to_km * 1000, road.length_m)
    trip = Trip(vehicle.from_km * 1000, to_m, vehicle.departs_min * 60, halts, excursions, turnings, paces)
    return plan_trip(road, style, trip)


def _follower(vehicle: language.Vehicle, leader: Drive, scenario: Scenario) -> Follower:
    times, lags = [0.0], [vehicle.behind_s]
    falls = [a for a in scenario.script if isinstance(a, acts.FallBehind) and a.who == vehicle.id]
    for act in sorted(falls, key=lambda a: a.at_min):
        times += [act.at_min * 60, (act.at_min + act.over_min) * 60]
        lags += [lags[-1], act.behind_s]
    return Follower(leader, np.array(times), np.array(lags))


def _device(
    spec: language.Device,
    scenario: Scenario,
    ground: Ground,
    rides: Mapping[str, Ride],
    road: Road,
    by: Callable[..., np.random.Generator],
    file: str,
) -> tuple[Device, list[Fault], list[tuple[float, str]]]:
    """A seal with all that the script does to it; its faults; and who touched its lock when."""
    script: list[tuple[float, acts.TimedAct]] = []
    for i, act in enumerate(scenario.script):
        if isinstance(act, acts.TimedAct) and act.who == spec.id:
            script.append((_moment_s(act, rides[spec.on], file, f"script[{i}]"), act))
    script.sort(key=lambda x: x[0])

    def of(kind: type[Timed]) -> list[tuple[Span, Timed]]:
        return [(_span(at_s, act), act) for at_s, act in script if isinstance(act, kind)]

    locks: list[tuple[float, str]] = [(span.from_s, act.act) for span, act in of(acts.Lock)]
    receiver = Receiver(
        by(spec.id, "gnss"),
        spec.sigma_m,
        tunnels=road.tunnels,
        canyons=[Canyon(s, a.sigma_m) for s, a in of(acts.Canyon)],
        jumps=[Jump(s, a.bearing_deg, a.metres) for s, a in of(acts.Jump)],
        spoofs=[Spoof(s, a.bearing_deg, a.metres, a.ramp_min * 60, a.held) for s, a in of(acts.Spoof)],
        jammed=[s for s, _ in of(acts.Jam)],
        blind=[s for s, _ in of(acts.Blind)],
        lying=[s for s, _ in of(acts.Lie)] + [s for s, a in of(acts.Jump) if a.lying],
    )
    schedule = Schedule(
        spec.interval_s, [s for s, _ in of(acts.Sleep)], [s for s, _ in of(acts.Reboot)], lock_acted(locks)
    )
    carried = [(s.from_s, rides[a.onto] if a.onto else None) for s, a in of(acts.LeaveBehind)]
    device = Device(
        spec.id,
        ground.start_ms,
        Carried([(0.0, rides[spec.on]), *carried]) if carried else rides[spec.on],
        schedule,
        receiver,
        partial(by, spec.id),
        battery=Battery(
            spec.battery_pct,
            spec.drain_pct_h,
            [(s.from_s, a.pct) for s, a in of(acts.Battery)],
            [s for s, _ in of(acts.Charge)],
        ),
        clock=Clock([Skew(s, a.ahead_s, a.drift_s_h) for s, a in of(acts.Clock)]),
        modem=Modem(
            [Outage(s, a.buffered) for s, a in of(acts.Outage)],
            [Disorder(s, a.doubled, a.overtaken, a.late_s) for s, a in of(acts.Network)],
            spec.buffer,
        ),
        cell_dbm=spec.cell_dbm,
    )
    faults = [
        Fault(FAULTS[type(a)], spec.id, _span(s, a), _thrown_m(a)) for s, a in script if type(a) in FAULTS
    ]
    return device, faults, locks


def _moment_s(act: acts.TimedAct, ride: Ride, file: str, key: str) -> float:
    """When an act happens, seconds from the start; ``at_km``: when the vehicle first comes by."""
    if act.at_min is not None:
        return act.at_min * 60.0
    at_m = (act.at_km or 0.0) * 1000.0
    drive, lag_s = (ride.leader, float(ride.lags_s[0])) if isinstance(ride, Follower) else (ride, 0.0)
    if not isinstance(drive, Drive) or not drive.chainage_m.min() <= at_m <= drive.chainage_m.max():
        raise ScenarioError(
            file,
            f"{key}.at_km",
            f"is {act.at_km}",
            "the vehicle never comes there",
            "correct it, or say at_min",
        )
    return drive.first_at(at_m) + lag_s


def _thrown_m(act: acts.TimedAct) -> float:
    if isinstance(act, acts.Spoof) and act.held:
        return inf
    return act.metres if isinstance(act, acts.Jump | acts.Spoof) else 0.0


def _span(at_s: float, act: acts.TimedAct) -> Span:
    for_s: float = getattr(act, "for_s", 0.0) or getattr(act, "for_min", 0.0) * 60.0
    return Span(at_s, at_s + for_s if for_s else inf if isinstance(act, acts.Battery) else at_s)
