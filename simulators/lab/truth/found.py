"""What the rules of truth share: a journey that is watched, and what was found of it. Immutable."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import inf
from typing import NamedTuple

from simulators.lab import acts
from simulators.lab.language import Journey
from simulators.lab.staging import Stage
from simulators.lab.truth.record import Verdict
from simulators.lab.truth.watch import Bools, Watch
from simulators.places import Place
from simulators.roads import Road
from simulators.world.spans import Span

__all__ = ["Found", "Watched", "graded"]


class Found(NamedTuple):
    """Something that happened: what it should be told as. ``seal`` None: of the journey as a whole."""

    rule: str
    span: Span
    verdict: Verdict
    what: str
    object: str | None = None
    seal: str | None = None
    metres: float | None = None


@dataclass(frozen=True, slots=True)
class Watched:
    """A journey with its devices' truth, the lead's first."""

    stage: Stage
    journey: Journey
    devices: Mapping[str, Watch]
    lead: Watch
    armed: Span
    suspended: tuple[Span, ...]
    leaves: tuple[tuple[Span, str | None], ...]
    """Leave to unlock: when, and in which zone (None: any)."""

    @classmethod
    def of(cls, stage: Stage, journey: Journey, devices: Mapping[str, Watch]) -> Watched:
        """A journey of a stage; the lead is its seal, else its tractor."""
        lead = next(
            (m.id for r in ("seal", "tractor") for m in journey.devices if m.role == r), journey.devices[0].id
        )
        until_s = inf if journey.disarmed_min is None else journey.disarmed_min * 60
        its = [a for a in stage.scenario.script if a.who == journey.id]
        return cls(
            stage,
            journey,
            {m.id: devices[m.id] for m in journey.devices},
            devices[lead],
            Span(journey.armed_min * 60, min(until_s, stage.until_s)),
            tuple(_ordered(a) for a in its if isinstance(a, acts.Suspend)),
            tuple((_ordered(a), a.zone) for a in its if isinstance(a, acts.Authorise)),
        )

    @property
    def judged(self) -> Bools:
        """Which samples are armed and not suspended."""
        t = self.lead.time_s
        out = (t >= self.armed.from_s) & (t < self.armed.to_s)
        for span in self.suspended:
            out &= (t < span.from_s) | (t >= span.to_s)
        return out

    def roads(self) -> Iterable[tuple[Road, Bools]]:
        """The routes it is to follow, each with the samples at which it is in force."""
        t = self.lead.time_s
        orders = [
            a for a in self.stage.scenario.script if isinstance(a, acts.Divert) and a.who == self.journey.id
        ]
        route, from_s = self.journey.route, -inf
        for order in [*sorted(orders, key=lambda a: a.at_min), None]:
            to_s = order.at_min * 60 if order else inf
            yield self.stage.ground.road(route), (t >= from_s) & (t < to_s)
            route, from_s = (order.route if order else None), to_s

    def places(self, kind: str) -> Iterable[Place]:
        """Zones of a kind."""
        return (p for p in self.stage.ground.places.values() if kind in p.kinds)

    def resets(self, rule: str) -> list[float]:
        """When officers had dealt with what was latched, seconds from the start."""
        its = (a for a in self.stage.scenario.script if a.who == self.journey.id)
        return sorted(a.at_min * 60 for a in its if isinstance(a, acts.Reset) and a.rule == rule)

    def property_of(self, zone: str, name: str) -> float | None:
        """A number that the plan says of a zone."""
        feature = next(z for z in self.stage.ground.zones if z["id"] == zone)
        value = feature["properties"].get(name)
        return None if value is None else float(value)


def _ordered(act: acts.Suspend | acts.Authorise) -> Span:
    return Span(act.at_min * 60, (act.at_min + act.for_min) * 60)


def graded(value: float, must: float, may: float) -> Verdict | None:
    """``must`` from the one limit on, ``may`` from the other, else nothing."""
    if value >= must:
        return "must"
    return "may" if value >= may else None
