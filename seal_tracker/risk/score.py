"""A journey's risk: points for stated indicators, each explained by what was counted and by how much it counts. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple

import msgspec

from seal_tracker.rules.risk import RISK, RISK_KEYS
from seal_tracker.rules.table import Policies

__all__ = [
    "DAY_MS",
    "FAULTS",
    "GAPS",
    "INDICATORS",
    "NO_VIOLATION",
    "Assessment",
    "Indicator",
    "Level",
    "RiskFacts",
    "RiskLine",
    "RiskPolicy",
    "assess",
    "level_of",
    "night_ms",
    "policy_of",
]

Level = Literal["low", "medium", "high"]
Indicator = Literal[
    "regime",
    "route",
    "carrier_history",
    "carrier_findings",
    "newcomer",
    "seal_faults",
    "night",
    "gaps",
    "alarms",
]

FAULTS: Final = (
    "BATTERY_LOW",
    "CLOCK_SKEW",
    "GPS_LOST",
    "JAMMING_SUSPECTED",
    "POSITION_CONFLICT",
    "SIGNAL_LOST",
)
"""Episodes that tell of a seal that cannot be relied upon."""

GAPS: Final = ("GPS_LOST", "JAMMING_SUSPECTED", "SIGNAL_LOST", "UNOBSERVED_GAP")
"""Episodes in which nobody knows where the journey was."""

NO_VIOLATION: Final = ("authorised", "duplicate", "equipment_fault", "false_alarm", "test")
"""Codes by which an alarm is closed that was no violation, or is another's."""

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS

OFFSET_MS: Final = 7 * HOUR_MS
"""Viet Nam is seven hours ahead of UTC the whole year."""


class RiskPolicy(NamedTuple):
    """The whole numbers of ``RISK_KEYS``, as they hold for one regime and route."""

    regime_points: int
    route_points: int
    carrier_points: int
    carrier_max: int
    carrier_days: int
    finding_points: int
    finding_max: int
    newcomer_points: int
    newcomer_journeys: int
    seal_points: int
    seal_max: int
    seal_days: int
    night_points: int
    night_max: int
    night_from_h: int
    night_to_h: int
    gap_points: int
    gap_max: int
    alarm_points: int
    alarm_max: int
    medium_from: int
    high_from: int


assert set(RiskPolicy._fields) == set(RISK_KEYS)


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskFacts:
    """What is counted of one journey; times are UTC epoch ms.

    Attributes
    ----------
    armed_ms, until_ms
        when it was armed, and until when it is looked at: its end, or now.
    carrier_journeys, carrier_confirmed, carrier_findings
        journeys of its carrier that have ended before, how many of them had an alarm that was confirmed, and how many inspections
        of the carrier's journeys found something.
    faults, gaps, alarms
        how many of each type.
    """

    journey: str
    regime: str
    route: str | None = None
    unit: str | None = None
    carrier: str | None = None
    seals: tuple[str, ...] = ()
    armed_ms: int
    until_ms: int
    carrier_journeys: int = 0
    carrier_confirmed: int = 0
    carrier_findings: int = 0
    faults: Mapping[str, int] = field(default_factory=dict)
    gaps: Mapping[str, int] = field(default_factory=dict)
    alarms: Mapping[str, int] = field(default_factory=dict)


class RiskLine(msgspec.Struct, frozen=True, kw_only=True):
    """What one indicator gives: ``points`` of ``count`` times ``each``, ``most`` of them; ``found`` is what was counted."""

    indicator: Indicator
    points: int
    count: int
    each: int
    most: int
    found: Mapping[str, Any] = {}


class Assessment(msgspec.Struct, frozen=True, kw_only=True):
    """A journey's points, the level they make, and every line of them, those of no points too."""

    score: int
    level: Level
    lines: tuple[RiskLine, ...]


def policy_of(policies: Policies, regime: int, route: int) -> RiskPolicy:
    """What a plan's policy says for the indexes of a regime and a route; -1 is none."""
    return RiskPolicy._make(int(policies.at(RISK, key, regime, route)) for key in RiskPolicy._fields)  # type: ignore[arg-type]


def level_of(score: int, policy: RiskPolicy) -> Level:
    """The level that a score makes."""
    return "high" if score >= policy.high_from else "medium" if score >= policy.medium_from else "low"


def assess(facts: RiskFacts, policy: RiskPolicy) -> Assessment:
    """Count a journey's points: the sum of its lines, which are all indicators in their order."""
    lines = tuple(count(facts, policy) for count in INDICATORS.values())
    score = sum(line.points for line in lines)
    return Assessment(score=score, level=level_of(score, policy), lines=lines)


def night_ms(from_ms: int, to_ms: int, policy: RiskPolicy) -> int:
    """Milliseconds of [from_ms, to_ms) that are night in Viet Nam, exactly."""
    begin_ms, end_ms = policy.night_from_h * HOUR_MS, policy.night_to_h * HOUR_MS
    length_ms = (end_ms - begin_ms) % DAY_MS
    if length_ms == 0 or to_ms <= from_ms:
        return 0
    return _nights_before(to_ms, begin_ms, length_ms) - _nights_before(from_ms, begin_ms, length_ms)


def _nights_before(at_ms: int, begin_ms: int, length_ms: int) -> int:
    """Milliseconds of night since the first one that began after 1970 in Viet Nam; differences alone mean anything."""
    days, since_ms = divmod(at_ms + OFFSET_MS - begin_ms, DAY_MS)
    return days * length_ms + min(since_ms, length_ms)


def _line(indicator: Indicator, count: int, each: int, most: int, **found: Any) -> RiskLine:
    return RiskLine(
        indicator=indicator, points=min(count * each, most), count=count, each=each, most=most, found=found
    )


def _regime(facts: RiskFacts, policy: RiskPolicy) -> RiskLine:
    points = policy.regime_points
    return _line("regime", 1, points, points, regime=facts.regime)


def _route(facts: RiskFacts, policy: RiskPolicy) -> RiskLine:
    points = policy.route_points
    return _line("route", int(facts.route is not None), points, points, route=facts.route)


def _carrier_history(facts: RiskFacts, policy: RiskPolicy) -> RiskLine:
    return _line(
        "carrier_history", facts.carrier_confirmed, policy.carrier_points, policy.carrier_max,
        carrier=facts.carrier, journeys=facts.carrier_journeys, days=policy.carrier_days,
    )  # fmt: skip


def _carrier_findings(facts: RiskFacts, policy: RiskPolicy) -> RiskLine:
    return _line(
        "carrier_findings", facts.carrier_findings, policy.finding_points, policy.finding_max,
        carrier=facts.carrier, days=policy.carrier_days,
    )  # fmt: skip


def _newcomer(facts: RiskFacts, policy: RiskPolicy) -> RiskLine:
    new = facts.carrier is None or facts.carrier_journeys < policy.newcomer_journeys
    return _line(
        "newcomer", int(new), policy.newcomer_points, policy.newcomer_points,
        carrier=facts.carrier, journeys=facts.carrier_journeys, fewer_than=policy.newcomer_journeys, days=policy.carrier_days,
    )  # fmt: skip


def _seal_faults(facts: RiskFacts, policy: RiskPolicy) -> RiskLine:
    return _line(
        "seal_faults", sum(facts.faults.values()), policy.seal_points, policy.seal_max,
        seals=list(facts.seals), types=dict(facts.faults), days=policy.seal_days,
    )  # fmt: skip


def _night(facts: RiskFacts, policy: RiskPolicy) -> RiskLine:
    hours = night_ms(facts.armed_ms, facts.until_ms, policy) // HOUR_MS
    return _line(
        "night", hours, policy.night_points, policy.night_max, from_h=policy.night_from_h, to_h=policy.night_to_h
    )  # fmt: skip


def _gaps(facts: RiskFacts, policy: RiskPolicy) -> RiskLine:
    return _line("gaps", sum(facts.gaps.values()), policy.gap_points, policy.gap_max, types=dict(facts.gaps))


def _alarms(facts: RiskFacts, policy: RiskPolicy) -> RiskLine:
    return _line(
        "alarms", sum(facts.alarms.values()), policy.alarm_points, policy.alarm_max, types=dict(facts.alarms)
    )


INDICATORS: Final[Mapping[Indicator, Callable[[RiskFacts, RiskPolicy], RiskLine]]] = {
    "regime": _regime,
    "route": _route,
    "carrier_history": _carrier_history,
    "carrier_findings": _carrier_findings,
    "newcomer": _newcomer,
    "seal_faults": _seal_faults,
    "night": _night,
    "gaps": _gaps,
    "alarms": _alarms,
}
"""Every indicator, in the order in which lines are told."""
