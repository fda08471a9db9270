"""A seal fitted with all that a scenario's script does to it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from math import inf
from typing import NamedTuple, TypeVar

import numpy as np

from simulators.drive import Drive
from simulators.errors import ScenarioError
from simulators.lab import acts, language
from simulators.lab.language import Scenario
from simulators.roads import Road
from simulators.world.battery import Battery
from simulators.world.clock import Clock, Skew
from simulators.world.device import Device
from simulators.world.gnss import Canyon, Jump, Receiver, Spoof
from simulators.world.lock import lock_acted
from simulators.world.modem import Disorder, Modem, Outage
from simulators.world.reporting import Schedule
from simulators.world.spans import Span
from simulators.world.vehicle import Carried, Follower, Ride

__all__ = ["FAULTS", "Fault", "Fitted", "fit"]

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


class Fitted(NamedTuple):
    """A seal, what is wrong with it when, and who touches its lock when."""

    device: Device
    faults: list[Fault]
    lock_acts: list[tuple[float, str]]


@dataclass(frozen=True, slots=True)
class _Script:
    """Acts on one seal with their spans, in order of time."""

    entries: list[tuple[Span, acts.TimedAct]]

    def of(self, kind: type[Timed]) -> list[tuple[Span, Timed]]:
        """Those of a kind."""
        return [(span, act) for span, act in self.entries if isinstance(act, kind)]

    def spans(self, kind: type[acts.TimedAct]) -> list[Span]:
        """When those of a kind are."""
        return [span for span, _ in self.of(kind)]


def fit(
    spec: language.Device,
    scenario: Scenario,
    start_ms: int,
    rides: Mapping[str, Ride],
    road: Road,
    by: Callable[..., np.random.Generator],
    file: str,
) -> Fitted:
    """Fit a seal onto its vehicle; ``by`` gives generators by name, ``file`` is said in faults."""
    script = _script(spec, scenario, rides[spec.on], file)
    locks: list[tuple[float, str]] = [(span.from_s, act.act) for span, act in script.of(acts.Lock)]
    device = Device(
        spec.id,
        start_ms,
        _ride(spec, script, rides),
        Schedule(spec.interval_s, script.spans(acts.Sleep), script.spans(acts.Reboot), lock_acted(locks)),
        _receiver(spec, script, road, by(spec.id, "gnss")),
        partial(by, spec.id),
        battery=_battery(spec, script),
        clock=Clock([Skew(s, a.ahead_s, a.drift_s_h) for s, a in script.of(acts.Clock)]),
        modem=_modem(spec, script),
        cell_dbm=spec.cell_dbm,
        omits=frozenset(spec.omits),
    )
    faults = [
        Fault(FAULTS[type(act)], spec.id, span, _thrown_m(act))
        for span, act in script.entries
        if type(act) in FAULTS
    ]
    return Fitted(device, faults, locks)


def _script(spec: language.Device, scenario: Scenario, ride: Ride, file: str) -> _Script:
    found = []
    for i, act in enumerate(scenario.script):
        if isinstance(act, acts.TimedAct) and act.who == spec.id:
            at_s = _moment_s(act, ride, file, f"script[{i}]")
            if at_s >= scenario.minutes * 60.0:
                what, why = (
                    f"is {act.at_km:g}",
                    f"it comes there after {at_s / 60.0:.0f} minutes, when all is over",
                )
                raise ScenarioError(
                    file, f"script[{i}].at_km", what, why, "correct it, or let minutes be more"
                )
            found.append((_span(at_s, act), act))
    return _Script(sorted(found, key=lambda one: one[0].from_s))


def _ride(spec: language.Device, script: _Script, rides: Mapping[str, Ride]) -> Ride:
    carried = [(s.from_s, rides[a.onto] if a.onto else None) for s, a in script.of(acts.LeaveBehind)]
    return Carried([(0.0, rides[spec.on]), *carried]) if carried else rides[spec.on]


def _receiver(spec: language.Device, script: _Script, road: Road, rng: np.random.Generator) -> Receiver:
    return Receiver(
        rng,
        spec.sigma_m,
        tunnels=road.tunnels,
        canyons=[Canyon(s, a.sigma_m) for s, a in script.of(acts.Canyon)],
        jumps=[Jump(s, a.bearing_deg, a.metres) for s, a in script.of(acts.Jump)],
        spoofs=[Spoof(s, a.bearing_deg, a.metres, a.ramp_min * 60, a.held) for s, a in script.of(acts.Spoof)],
        jammed=script.spans(acts.Jam),
        blind=script.spans(acts.Blind),
        lying=[*script.spans(acts.Lie), *(s for s, a in script.of(acts.Jump) if a.lying)],
    )


def _battery(spec: language.Device, script: _Script) -> Battery:
    drops = [(s.from_s, a.pct) for s, a in script.of(acts.Battery)]
    return Battery(spec.battery_pct, spec.drain_pct_h, drops, script.spans(acts.Charge))


def _modem(spec: language.Device, script: _Script) -> Modem:
    return Modem(
        [Outage(s, a.buffered) for s, a in script.of(acts.Outage)],
        [Disorder(s, a.doubled, a.overtaken, a.late_s) for s, a in script.of(acts.Network)],
        spec.buffer,
    )


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
