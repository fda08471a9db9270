"""Counts the risk of journeys: reads what is counted, all of it for all of them at once, and lets the policy in force weigh it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple, Protocol

from seal_tracker.plans.model import Plan
from seal_tracker.risk.rows import CarrierRow, RiskJourneyRow
from seal_tracker.risk.score import (
    DAY_MS,
    FAULTS,
    GAPS,
    NO_VIOLATION,
    Assessment,
    RiskFacts,
    RiskPolicy,
    assess,
    policy_of,
)
from seal_tracker.rules.policy import REGIMES, PolicyTable

__all__ = ["Assessed", "RiskReading", "assessed"]

ByType = Mapping[str, Mapping[str, int]]


class RiskReading(Protocol):
    """What is read."""

    async def risk_carriers(  # noqa: D102
        self, space: str, asked: Collection[tuple[str, int]], before_ms: int
    ) -> Mapping[tuple[str, int], CarrierRow]: ...
    async def risk_seals(  # noqa: D102
        self, space: str, asked: Collection[tuple[str, int]], before_ms: int, types: Collection[str]
    ) -> Mapping[tuple[str, int], Mapping[str, int]]: ...
    async def risk_gaps(self, space: str, journeys: Collection[str], types: Collection[str]) -> ByType: ...  # noqa: D102
    async def risk_alarms(  # noqa: D102
        self,
        space: str,
        journeys: Collection[str],
        other_than: Collection[str],
        no_violation: Collection[str],
    ) -> ByType: ...


class Assessed(NamedTuple):
    """A journey, and what its risk was found to be."""

    journey: RiskJourneyRow
    assessment: Assessment


class _Counted(NamedTuple):
    carriers: Mapping[tuple[str, int], CarrierRow]
    seals: Mapping[tuple[str, int], Mapping[str, int]]
    gaps: ByType
    alarms: ByType


async def assessed(
    store: RiskReading, space: str, plan: Plan | None, journeys: Sequence[RiskJourneyRow], now_ms: int
) -> list[Assessed]:
    """The risk of each journey, in their order, by the policy of ``plan`` (None: by its defaults)."""
    if not journeys:
        return []
    policies = _policies(plan)
    weighed = [(journey, policies(journey)) for journey in journeys]
    names = [journey.id for journey in journeys]
    carriers = {(j.carrier, _since(now_ms, p.carrier_days)) for j, p in weighed if j.carrier is not None}
    seals = {(seal, _since(now_ms, p.seal_days)) for j, p in weighed for seal in j.seals}
    counted = _Counted(
        await store.risk_carriers(space, carriers, now_ms),
        await store.risk_seals(space, seals, now_ms, FAULTS),
        await store.risk_gaps(space, names, GAPS),
        await store.risk_alarms(space, names, {*FAULTS, *GAPS}, NO_VIOLATION),
    )
    return await asyncio.to_thread(
        lambda: [Assessed(j, assess(_facts(j, p, counted, now_ms), p)) for j, p in weighed]
    )


def _since(now_ms: int, days: int) -> int:
    return now_ms - days * DAY_MS


def _policies(plan: Plan | None) -> Callable[[RiskJourneyRow], RiskPolicy]:
    """What holds for a journey; each regime and route is looked up once."""
    table, routes = (PolicyTable(), {}) if plan is None else (plan.policies, plan.route_index)
    known: dict[tuple[str, str | None], RiskPolicy] = {}

    def policy(journey: RiskJourneyRow) -> RiskPolicy:
        key = journey.regime, journey.route
        if key not in known:
            known[key] = policy_of(table, REGIMES.index(journey.regime), routes.get(journey.route or "", -1))
        return known[key]

    return policy


def _facts(journey: RiskJourneyRow, policy: RiskPolicy, counted: _Counted, now_ms: int) -> RiskFacts:
    carrier = (
        None
        if journey.carrier is None
        else counted.carriers.get((journey.carrier, _since(now_ms, policy.carrier_days)))
    )
    faults: dict[str, int] = {}
    for seal in journey.seals:
        for type_, n in counted.seals.get((seal, _since(now_ms, policy.seal_days)), {}).items():
            faults[type_] = faults.get(type_, 0) + n
    return RiskFacts(
        journey=journey.id,
        regime=journey.regime,
        route=journey.route,
        unit=journey.unit,
        carrier=journey.carrier,
        seals=journey.seals,
        armed_ms=journey.armed_ms,
        until_ms=now_ms if journey.ended_ms is None else min(now_ms, journey.ended_ms),
        carrier_journeys=carrier.journeys if carrier else 0,
        carrier_confirmed=carrier.confirmed if carrier else 0,
        carrier_findings=carrier.findings if carrier else 0,
        faults=faults,
        gaps=counted.gaps.get(journey.id, {}),
        alarms=counted.alarms.get(journey.id, {}),
    )
