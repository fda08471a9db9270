"""Routes that hold for a time only: where one begins or ceases to hold, another version of the plan begins. Pure.

Such a version says what the plan says, has its number and its ground, but for the routes that do not hold: journeys on those
are judged without a route then, as if the plan had none. So the moment is passed like any other at which a plan changes.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import replace

from seal_tracker.plans.model import Plan
from seal_tracker.tracking.epochs import NEVER_MS, Version
from seal_tracker.tracking.heartbeats import Heartbeats, heartbeats_of

__all__ = ["heartbeats_in_force", "with_routes_in_force"]


def with_routes_in_force(versions: Sequence[Version]) -> tuple[Version, ...]:
    """The versions, cut where routes of theirs begin or cease to hold; the same ones where all routes always do."""
    ends = [*(v.from_ms for v in versions[1:]), NEVER_MS]
    return tuple(
        part for version, end_ms in zip(versions, ends, strict=True) for part in _cut(version, end_ms)
    )


def heartbeats_in_force(
    versions: Sequence[Version], parts: Sequence[Version], numbers: Mapping[str, int]
) -> Mapping[int, Heartbeats]:
    """The equipment of each part of the versions: watched since its version began, for which routes hold is nothing to it."""
    known = heartbeats_of([(v.from_ms, v.plan) for v in versions], numbers)
    if not known:
        return known
    begins = [v.from_ms for v in versions]
    return {part.from_ms: known[begins[bisect_right(begins, part.from_ms) - 1]] for part in parts}


def _cut(version: Version, end_ms: int) -> list[Version]:
    """One version, holding until ``end_ms``, in its order of time."""
    plan = version.plan
    turns = {t for route in plan.routes for t in (route.valid_from_ms, route.valid_to_ms) if t is not None}
    if not turns:
        return [version]
    moments = [version.from_ms, *sorted(t for t in turns if version.from_ms < t < end_ms)]
    return [Version(at, _holding_at(plan, at), version.terrain) for at in moments]


def _holding_at(plan: Plan, at_ms: int) -> Plan:
    """The plan with the routes that hold at a moment."""
    held = {
        name: i
        for name, i in plan.route_index.items()
        if _holds(plan.routes[i].valid_from_ms, plan.routes[i].valid_to_ms, at_ms)
    }
    return plan if len(held) == len(plan.route_index) else replace(plan, route_index=held)


def _holds(from_ms: int | None, to_ms: int | None, at_ms: int) -> bool:
    return (from_ms is None or from_ms <= at_ms) and (to_ms is None or at_ms < to_ms)
