"""``STRUCTURE_SHARED``: two vehicles, each of which must be alone on a structure by its permit, are on it at once.

Both journeys have an episode of their own, each by its own policy; the structure's zone is the object.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seal_tracker.journey import Journey, Served
from seal_tracker.rules.keys import zoned
from seal_tracker.rules.pairs import (
    UNENDED_MS,
    Meetings,
    Pair,
    PairRule,
    alone_on,
    both_on,
    pair_keys,
    resets_of,
    served_to_ms,
)

__all__ = ["RULE"]

NAME = "STRUCTURE_SHARED"

KEYS = zoned(pair_keys("high", raise_=(1, 0), clear=(1, 0)))


def _pairs(journeys: Sequence[Journey]) -> Iterator[Pair]:
    on: dict[str, list[Journey]] = defaultdict(list)
    for journey in journeys:
        for zone in alone_on(journey):
            on[zone].append(journey)
    for zone, vehicles in on.items():
        for mine in vehicles:
            for other in (one for one in vehicles if _meet(mine, one)):
                yield from _pairs_of(mine, other, zone)


def _end_ms(journey: Journey) -> int:
    return UNENDED_MS if journey.disarmed_at_ms is None else journey.disarmed_at_ms


def _meet(a: Journey, b: Journey) -> bool:
    """Whether two journeys are of two vehicles, and armed at once for a while."""
    return a.seal != b.seal and a.armed_at_ms < _end_ms(b) and b.armed_at_ms < _end_ms(a)


def _pairs_of(mine: Journey, other: Journey, zone: str) -> Iterator[Pair]:
    for lead, another in both_on(_leads(mine), _leads(other)):
        yield Pair(
            rule=NAME,
            journey=mine.id,
            lead=lead.device,
            other=another.device,
            object=zone,
            from_ms=max(lead.from_ms, another.from_ms),
            to_ms=min(served_to_ms(lead), served_to_ms(another)),
            regime=mine.regime,
            route=mine.route,
            unit=mine.unit,
            other_journey=other.id,
            resets_ms=resets_of(mine, NAME, zone),
        )


def _leads(journey: Journey) -> list[Served]:
    return [served for served in journey.served if served.leads]


def _holds(meetings: Meetings) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    zone = meetings.zone[meetings.pair]
    on = zone >= 0
    at = np.flatnonzero(on)
    on[at] = meetings.terrain.in_force(zone[at], meetings.time_ms[at])
    for lon, lat in (
        (meetings.lon_e7, meetings.lat_e7),
        (meetings.other_lon_e7, meetings.other_lat_e7),
    ):
        at = np.flatnonzero(on)
        on[at] = meetings.terrain.zones.holds(lon[at], lat[at], zone[at])
    return on, ~on


def _evidence(meetings: Meetings, i: int, _greatest_mm: int) -> dict[str, Any]:
    return {"journeys": [meetings.pairs[int(meetings.pair[i])].other_journey]}


RULE = PairRule(NAME, KEYS, _pairs, _holds, _evidence)
