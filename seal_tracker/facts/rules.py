"""Rules across facts: what such a rule sees of a journey, and what it must say. Pure.

A rule is judged anew from everything each time something that it sees has changed: a journey has few facts. What it finds is a
function of the journey, its facts, the stored episodes of the first stage, where the lead was at given moments, and ``now``.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, cast

from seal_tracker.facts.model import EquipmentFact
from seal_tracker.journey import Journey
from seal_tracker.model import Episode, Severity
from seal_tracker.plans.model import Plan
from seal_tracker.rules.keys import PolicyKey, PolicyValue
from seal_tracker.rules.policy import REGIMES
from seal_tracker.tracking.epochs import Version

__all__ = ["Case", "FactRule", "Finding", "Place"]


class Place(NamedTuple):
    """Where a journey's lead was at a moment: 1e-7 degree; ``gap_ms`` is how far apart in time the fixes are that say so."""

    lon_e7: int
    lat_e7: int
    gap_ms: int


@dataclass(frozen=True)
class Case:
    """A journey with everything that is held against it.

    Attributes
    ----------
    facts
        those that belong to it and stand, by time, then id.
    versions
        the plan's, ascending in time; the first holds always.
    now_ms
        how far time has come; None: no canary was heard yet.
    heard_ms
        how far its lead's track has come; None: nothing was heard of it.
    places
        where the lead was, for each moment that its rules asked for and the track has passed; a moment that is missing is not
        passed; None: passed, and nobody knows where.
    episodes
        of the first stage, of the types that its rules read.
    beside
        what was looked up for this case, by name.
    """

    journey: Journey
    facts: Sequence[EquipmentFact]
    versions: Sequence[Version]
    now_ms: int | None = None
    heard_ms: int | None = None
    places: Mapping[int, Place | None] = field(default_factory=dict)
    episodes: Sequence[Episode] = ()
    beside: Mapping[str, Any] = field(default_factory=dict)

    def version(self, at_ms: int) -> Version:
        """The plan's version in force at a moment."""
        return self.versions[max(bisect_right(self.versions, at_ms, key=lambda v: v.from_ms) - 1, 0)]

    def policy(self, rule: str, key: str, at_ms: int) -> PolicyValue:
        """A threshold for this journey, by the version in force at a moment."""
        version, journey = self.version(at_ms), self.journey
        route = version.plan.route_index.get(journey.route or "", -1)
        return version.terrain.policies.at(rule, key, REGIMES.index(journey.regime), route)

    def number(self, rule: str, key: str, at_ms: int) -> float:
        """A threshold that is a number."""
        return float(cast("float", self.policy(rule, key, at_ms)))

    def of_kind(self, kind: str) -> list[EquipmentFact]:
        """Its facts of one kind."""
        return [fact for fact in self.facts if fact.kind == kind]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that holds from ``started_ms``, and is certain at ``raised_ms``, which also says by which plan version it is judged.

    ``severity`` None: the policy's.
    """

    object: str
    started_ms: int
    raised_ms: int
    evidence: Mapping[str, Any]
    severity: Severity | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FactRule:
    """One rule across facts.

    Attributes
    ----------
    name, keys
        the event type, and what a policy may set.
    kinds, reads
        kinds of facts that it holds against journeys, and types of the first stage's episodes that it looks at.
    is_point
        its episodes end as they are raised; else they are latched.
    concerns
        whether it judges a journey that has no facts, too.
    instants
        moments at which it needs to know where the lead was.
    due
        moments at which time alone may change what it finds.
    judge
        what it finds; must not say anything of after ``now_ms``.
    heeds
        whether it looks at an episode of those types by a plan, though its journey has no facts.
    """

    name: str
    keys: Mapping[str, PolicyKey]
    kinds: frozenset[str]
    reads: frozenset[str] = frozenset()
    is_point: bool = False
    concerns: Callable[[Journey], bool]
    instants: Callable[[Journey, Sequence[EquipmentFact]], Iterable[int]]
    due: Callable[[Case], Iterable[int]]
    judge: Callable[[Case], Iterable[Finding]]
    heeds: Callable[[Episode, Plan], bool] = lambda _episode, _plan: False
