"""What another plan would make of pings that were judged already: which episodes would be gained, which lost. Pure but for `near`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

import numpy as np
from shapely.geometry import shape

from seal_tracker.episodes_file import in_file_order
from seal_tracker.journey import Journey
from seal_tracker.judge import judge, judge_now
from seal_tracker.model import LIVE, NO_TIME, Episode, PingBatch
from seal_tracker.plans.model import Plan
from seal_tracker.tracking.epochs import Facts, JourneyTable, Version
from seal_tracker.tracking.state import SealStates
from seal_tracker.tracking.terrains import terrain_of
from seal_tracker.tracking.validity import with_routes_in_force

__all__ = ["NEAR_DEG", "judged_by", "routes_near"]

NEAR_DEG: Final = 0.05
"""Routes that pass a zone within about 5 km: whoever leaves the road farther than that is off route long before he is in the zone."""

METRES_PER_DEG: Final = 111_000.0


def judged_by(
    plan: Plan, journeys: Sequence[Journey], numbers: Mapping[str, int], pings: PingBatch, now_ms: int
) -> list[Episode]:
    """The episodes of seals' own tracks under one plan, as if it had always held; pairs of devices and equipment are not judged."""
    parts = with_routes_in_force([Version(NO_TIME, plan, terrain_of(plan))])
    names = {number: name for name, number in numbers.items()}
    by = Facts(LIVE, parts, JourneyTable.build(journeys, dict(numbers)), names)
    states = SealStates()
    episodes: dict[UUID, Episode] = {}
    verdict = judge(states, pings.take(np.argsort(pings.seal, kind="stable")), by)
    verdict.install(states)
    episodes |= verdict.touched
    verdict = judge_now(states, replace(by, now_ms=now_ms))
    verdict.install(states)
    episodes |= verdict.touched
    return in_file_order(episodes.values())


def routes_near(
    zones: Iterable[Mapping[str, Any]], routes: Mapping[str, Mapping[str, Any]]
) -> Collection[str]:
    """Ids of routes that pass one of these zones (GeoJSON features, sound) within ``NEAR_DEG``."""
    areas = [
        shape(zone["geometry"]).buffer(
            NEAR_DEG + float((zone.get("properties") or {}).get("radius_m") or 0.0) / METRES_PER_DEG
        )
        for zone in zones
    ]
    lines = {name: shape(route["geometry"]) for name, route in routes.items()}
    return {name for name, line in lines.items() if any(area.intersects(line) for area in areas)}
