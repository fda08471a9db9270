"""Rules across devices: what is compared, what such a rule sees, and what it must say. Pure.

A *pair* is two devices that one rule compares while a journey is armed; a *meeting* is one instant of that, a fix of
either device with the other's place interpolated between its fixes. Such rules judge meetings as the others judge fixes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from seal_tracker.journey import Journey, Served
from seal_tracker.model import Severity
from seal_tracker.rules.context import Terrain
from seal_tracker.rules.keys import PolicyKey, PolicyValue, common_keys
from seal_tracker.rules.table import Values

__all__ = [
    "UNENDED_MS",
    "Meetings",
    "Pair",
    "PairRule",
    "alone_on",
    "both_on",
    "companion_pairs",
    "pair_keys",
    "resets_of",
    "served_to_ms",
]

I8 = NDArray[np.int64]
Mask = NDArray[np.bool_]

UNENDED_MS = (1 << 42) - 1
"""Year 2109: the end of a journey that nobody has ended."""

MAX_GAP_S = 300.0
"""The longest two fixes apart between which a straight line says where a device was (SEMANTICS, *Inferred crossings*)."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two devices that ``rule`` compares in [from_ms, to_ms). Equal pairs are judged equally.

    Attributes
    ----------
    journey, lead
        whom an episode is about, and the device whose track is the journey's.
    other, object
        the device compared with, and the episode's object.
    other_journey
        whose lead ``other`` is, where that is not the same journey.
    gap_m
        metres that a permit lets the two be apart; None where it says nothing.
    other_route
        the route of ``other``, where that is looked at.
    ended_by
        why what is open at ``to_ms`` ends then.
    resets_ms
        when officers said that a latched episode of it is dealt with, ascending.
    """

    rule: str
    journey: str
    lead: str
    other: str
    object: str
    from_ms: int
    to_ms: int
    regime: str
    route: str | None
    unit: str | None
    other_journey: str | None = None
    gap_m: float | None = None
    resets_ms: tuple[int, ...] = ()
    other_route: str | None = None
    ended_by: str = "disarmed"


def companion_pairs(rule: str, journey: Journey, other: str, *, gap_m: float | None = None) -> Iterator[Pair]:
    """The lead of a journey and another device of it, which is the object: a pair for each time both were on it."""
    served = journey.served
    for lead, its in both_on((s for s in served if s.leads), [s for s in served if s.device == other]):
        yield Pair(
            rule=rule,
            journey=journey.id,
            lead=lead.device,
            other=other,
            object=other,
            from_ms=max(lead.from_ms, its.from_ms),
            to_ms=min(served_to_ms(lead), served_to_ms(its)),
            regime=journey.regime,
            route=journey.route,
            unit=journey.unit,
            gap_m=gap_m,
            resets_ms=resets_of(journey, rule, other),
        )


def alone_on(journey: Journey) -> set[str]:
    """The structures that a journey's vehicle must be alone on by its permit."""
    structures = (journey.permit or {}).get("structures") or ()
    return {s["zone"] for s in structures if s.get("alone") is True}


def both_on(some: Iterable[Served], others: Sequence[Served]) -> Iterator[tuple[Served, Served]]:
    """One of ``some`` and one of ``others``, wherever both were on their journeys at once."""
    for a in some:
        for b in others:
            if max(a.from_ms, b.from_ms) < min(served_to_ms(a), served_to_ms(b)):
                yield a, b


def served_to_ms(served: Served) -> int:
    """When a device left its journey; ``UNENDED_MS`` where it has not."""
    return UNENDED_MS if served.to_ms is None else served.to_ms


def resets_of(journey: Journey, rule: str, obj: str) -> tuple[int, ...]:
    """When latched episodes of a rule and object were said to be dealt with, ascending."""
    return tuple(sorted({r.at_ms for r in journey.resets if (r.rule, r.object) == (rule, obj)}))


@dataclass(frozen=True)
class Meetings:
    """Instants at which the pairs of one rule are compared, sorted by (pair, time); ``n`` rows.

    Attributes
    ----------
    pairs, pair
        the pairs, and int64[n], which of them each row is of.
    lon_e7, lat_e7, other_lon_e7, other_lat_e7
        int64[n], the lead's place and the other's: a fix, or between two fixes.
    gap_ms
        int64[n], the time between those two fixes, the longer of both devices'; 0 where both have a fix.
    distance_mm
        int64[n], how far apart they are.
    speed_m_h, other_speed_m_h
        int64[n], metres an hour from the fix before to the one at or after the instant; 0 where there was none before.
    regime, route, other_route, zone
        int64 by pair, positions in the plan version in force, -1 where none; ``zone`` is that of the object.
    """

    rule: str
    pairs: Sequence[Pair]
    pair: I8
    time_ms: I8
    lon_e7: I8
    lat_e7: I8
    other_lon_e7: I8
    other_lat_e7: I8
    gap_ms: I8
    distance_mm: I8
    speed_m_h: I8
    other_speed_m_h: I8
    terrain: Terrain
    regime: I8
    route: I8
    other_route: I8
    zone: I8

    def __len__(self) -> int:
        return len(self.pair)

    def policy(self, key: str) -> Values:
        """A threshold for every pair: a scalar, or one value a pair."""
        return self.terrain.policies.value(self.rule, key, self.regime, self.route, self.zone)

    def policy_at(self, key: str, pair: int) -> PolicyValue:
        """A threshold for one pair."""
        value = self.policy(key)
        return cast("PolicyValue", value.tolist()[pair]) if isinstance(value, np.ndarray) else value

    def severity(self, pair: int) -> Severity:
        """How bad an episode of a pair is."""
        return cast("Severity", self.policy_at("severity", pair))


@dataclass(frozen=True, slots=True)
class PairRule:
    """One rule across devices.

    Attributes
    ----------
    name, keys
        the event type, and what a policy may set.
    pairs
        what it compares, of all journeys.
    holds
        bool[n] twice: at which meetings the condition holds, and which count towards clearing.
    evidence
        what is written at meeting ``i``, the greatest distance of the run or episode so far given in mm; it is
        written again when the episode clears.
    """

    name: str
    keys: Mapping[str, PolicyKey]
    pairs: Callable[[Sequence[Journey]], Iterable[Pair]]
    holds: Callable[[Meetings], tuple[Mask, Mask]]
    evidence: Callable[[Meetings, int, int], dict[str, Any]]


def pair_keys(
    severity: Severity, *, raise_: tuple[int, float], clear: tuple[int, float]
) -> dict[str, PolicyKey]:
    """The keys that every rule across devices has."""
    return common_keys(severity, raise_=raise_, clear=clear) | {
        "max_gap_s": PolicyKey(
            "number", MAX_GAP_S, "longest two fixes apart between which a device's place is interpolated"
        )
    }
