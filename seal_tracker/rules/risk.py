"""What a policy says of a journey's risk. No rule judges it: `seal_tracker.risk` counts by it, when somebody asks. Pure.

Written as any policy, ``[default.RISK]``, ``[minerals.RISK]``, ``[route.QL5.RISK]``; the nearest table wins. All points are whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from seal_tracker.rules.keys import PolicyKey

__all__ = ["RISK", "RISK_KEYS"]

RISK: Final = "RISK"

MOST: Final = 1000.0
"""Points of one thing; a score is a few hundred at most."""


def _points(default: int, doc: str) -> PolicyKey:
    return PolicyKey("count", default, doc, maximum=MOST)


RISK_KEYS: Final[Mapping[str, PolicyKey]] = {
    "regime_points": _points(0, "points for the regime; write it in the regime's table"),
    "route_points": _points(0, "points for the route; write it in the route's table"),
    "carrier_points": _points(
        10, "points for each earlier journey of the carrier with an alarm closed as confirmed"
    ),
    "carrier_max": _points(30, "most points for the carrier's earlier journeys"),
    "carrier_days": PolicyKey(
        "count", 365, "days before now in which those journeys and findings ended", minimum=1, maximum=3660
    ),
    "finding_points": _points(
        20, "points for each inspection of the carrier's journeys that found something"
    ),
    "finding_max": _points(40, "most points for such inspections"),
    "newcomer_points": _points(
        5, "points for a carrier of few earlier journeys, or one that was not declared"
    ),
    "newcomer_journeys": PolicyKey(
        "count", 3, "a carrier with fewer earlier journeys is a newcomer", maximum=1000
    ),
    "seal_points": _points(
        5, "points for each fault of the journey's seals: battery, clock, receiver, silence"
    ),
    "seal_max": _points(15, "most points for faults of seals"),
    "seal_days": PolicyKey(
        "count", 90, "days before now in which those faults were told", minimum=1, maximum=3660
    ),
    "night_points": _points(2, "points for each whole hour armed at night"),
    "night_max": _points(12, "most points for night"),
    "night_from_h": PolicyKey("count", 22, "hour of the day, in Viet Nam, at which night begins", maximum=23),
    "night_to_h": PolicyKey("count", 5, "hour of the day, in Viet Nam, at which night ends", maximum=23),
    "gap_points": _points(5, "points for each stretch of the journey that nobody observed"),
    "gap_max": _points(25, "most points for such stretches"),
    "alarm_points": _points(
        15, "points for each other alarm of the journey, critical or high, that nobody closed as no violation"
    ),
    "alarm_max": _points(45, "most points for such alarms"),
    "medium_from": PolicyKey(
        "count", 25, "from so many points on the level is medium", minimum=1, maximum=10_000
    ),
    "high_from": PolicyKey(
        "count", 50, "from so many points on the level is high", minimum=1, maximum=10_000
    ),
}
"""Every key with its default. The defaults are a beginning, to be corrected by what inspections find (docs/risk.md)."""
