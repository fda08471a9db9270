"""``STRUCTURE_MEETING``: two vehicles, each of which must be alone on a structure by its permit, are due on it at once.

Told before it happens, so that one of them can be held back: from where both are on their routes, and the policy's mean speed, each
is due on the structure within a span of time; the spans meet. A forecast of a moment is judged as any fact of that moment: it is worked
out from the tracks alone, whenever they arrive. A vehicle off its route is not on its way to the structure, as far as anybody knows. Nor
is one that stands: what has not set out raises nothing, but who is held back before the structure may drive on, and ends nothing either.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seal_tracker.journey import Journey, Served
from seal_tracker.model import iso_ms
from seal_tracker.rules.keys import PolicyKey, zoned
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
from seal_tracker.rules.table import per

__all__ = ["RULE"]

NAME = "STRUCTURE_MEETING"

KEYS = zoned(
    pair_keys("medium", raise_=(2, 60), clear=(2, 60))
    | {
        "mean_speed_kmh": PolicyKey(
            "number", 40.0, "what the way to the structure is driven at, stops included", minimum=1
        ),
        "spread_pct": PolicyKey("number", 10.0, "so much faster or slower it may be driven", 0, 90),
        "apart_min": PolicyKey(
            "number", 3.0, "minutes that two who are due one after the other must be apart"
        ),
        "standing_kmh": PolicyKey("number", 5.0, "slower than this between two fixes it stands"),
        "ahead_min": PolicyKey(
            "number", 30.0, "minutes before the later of the two is due that it is told at most"
        ),
    }
)

NEVER_MS = 1 << 60
"""When who has passed the structure, or is off their route, is due on it."""

I8 = NDArray[np.int64]
F8 = NDArray[np.float64]
Mask = NDArray[np.bool_]


def _pairs(journeys: Sequence[Journey]) -> Iterator[Pair]:
    on: dict[str, list[Journey]] = defaultdict(list)
    for journey in journeys:
        for zone in alone_on(journey):
            on[zone].append(journey)
    for zone, vehicles in on.items():
        for mine in vehicles:
            for other in vehicles:
                if mine.seal != other.seal:
                    yield from _pairs_of(mine, other, zone)


def _pairs_of(mine: Journey, other: Journey, zone: str) -> Iterator[Pair]:
    """One for each stretch in which neither device nor route of either changes."""
    for lead, another in both_on(_leads(mine), _leads(other)):
        for route, from_ms, to_ms in _routes(mine):
            for other_route, other_from_ms, other_to_ms in _routes(other):
                begin = max(lead.from_ms, another.from_ms, from_ms, other_from_ms)
                end = min(served_to_ms(lead), served_to_ms(another), to_ms, other_to_ms)
                if begin < end and route is not None and other_route is not None:
                    yield Pair(
                        rule=NAME,
                        journey=mine.id,
                        lead=lead.device,
                        other=another.device,
                        object=zone,
                        from_ms=begin,
                        to_ms=end,
                        regime=mine.regime,
                        route=route,
                        unit=mine.unit,
                        other_journey=other.id,
                        resets_ms=resets_of(mine, NAME, zone),
                        other_route=other_route,
                        ended_by="plan_changed" if end in (to_ms, other_to_ms) else "disarmed",
                    )


def _leads(journey: Journey) -> list[Served]:
    return [served for served in journey.served if served.leads]


def _routes(journey: Journey) -> Iterator[tuple[str | None, int, int]]:
    """The routes of a journey, each with from when to when it follows it."""
    turns = sorted(journey.diversions, key=lambda d: d.at_ms)
    begins = [journey.armed_at_ms, *(turn.at_ms for turn in turns)]
    routes = [journey.route, *(turn.route for turn in turns)]
    yield from zip(routes, begins, [*begins[1:], UNENDED_MS + 1], strict=True)


@dataclass(frozen=True, slots=True)
class _Due:
    """When one vehicle of each meeting is due on the structure, first and last, ms; and whether it is on its way there."""

    first_ms: I8
    last_ms: I8
    coming: Mask


def _holds(meetings: Meetings) -> tuple[Mask, Mask]:
    mine, other = _dues(meetings)
    apart_ms, ahead_ms = (
        np.rint(per(meetings.policy(key), meetings.pair) * 60_000).astype(np.int64)
        for key in ("apart_min", "ahead_min")
    )
    known = mine.coming & other.coming
    meet = (mine.first_ms <= other.last_ms + apart_ms) & (other.first_ms <= mine.last_ms + apart_ms)
    soon = np.maximum(mine.first_ms, other.first_ms) - meetings.time_ms <= ahead_ms
    due = known & meet & soon & ~_both_there(meetings, mine, other)
    slow_m_h = per(meetings.policy("standing_kmh"), meetings.pair) * 1000
    moving = (meetings.speed_m_h >= slow_m_h) & (meetings.other_speed_m_h >= slow_m_h)
    return due & moving, ~due


def _both_there(meetings: Meetings, mine: _Due, other: _Due) -> Mask:
    """Where both are on it already, `STRUCTURE_SHARED` says so."""
    both: Mask = (mine.first_ms <= meetings.time_ms) & (other.first_ms <= meetings.time_ms)
    return both


def _dues(meetings: Meetings) -> tuple[_Due, _Due]:
    places = (
        (meetings.route, meetings.lon_e7, meetings.lat_e7),
        (meetings.other_route, meetings.other_lon_e7, meetings.other_lat_e7),
    )
    mine, other = (_due(meetings, *place) for place in places)
    return mine, other


def _due(meetings: Meetings, route_of_pair: I8, lon_e7: I8, lat_e7: I8) -> _Due:
    n, pair = len(meetings), meetings.pair
    route, zone = route_of_pair[pair], meetings.zone[pair]
    enter_mm, leave_mm = np.full(n, -1), np.full(n, -1)
    found = meetings.terrain.corridors.locate(route, lon_e7, lat_e7, np.ones(n, np.bool_), np.full(n, np.nan))
    at_m = np.where(found.distance_m <= found.half_width_m, found.chainage_m, np.nan)
    on_route = np.isfinite(at_m) & (zone >= 0)
    at_mm = np.rint(np.where(on_route, at_m, 0.0) * 1000).astype(np.int64)
    for k in np.unique(pair[on_route]).tolist():
        rows = np.flatnonzero(on_route & (pair == k))
        enter_m, leave_m = meetings.terrain.passed(int(route_of_pair[k]), int(meetings.zone[k]))
        part = np.searchsorted(np.rint(leave_m * 1000).astype(np.int64), at_mm[rows])
        rows, part = rows[part < len(leave_m)], part[part < len(leave_m)]
        enter_mm[rows] = np.rint(enter_m[part] * 1000).astype(np.int64)
        leave_mm[rows] = np.rint(leave_m[part] * 1000).astype(np.int64)
    coming = on_route & (leave_mm >= 0)
    coming[coming] = meetings.terrain.in_force(zone[coming], meetings.time_ms[coming])
    m_h = per(meetings.policy("mean_speed_kmh"), pair) * 1000
    spread = per(meetings.policy("spread_pct"), pair) / 100
    first = np.maximum(enter_mm - at_mm, 0) / (m_h * (1 + spread)) * 3600
    last = np.maximum(leave_mm - at_mm, 0) / (m_h * (1 - spread)) * 3600
    first_ms, last_ms = (
        np.where(coming, meetings.time_ms + np.rint(ms).astype(np.int64), NEVER_MS) for ms in (first, last)
    )
    return _Due(first_ms, last_ms, coming)


def _evidence(meetings: Meetings, i: int, _greatest_mm: int) -> dict[str, Any]:
    """When each is due, while they are: what was expected when it was told stands on when it has cleared."""
    told: dict[str, Any] = {"journeys": [meetings.pairs[int(meetings.pair[i])].other_journey]}
    mine, other = _dues(meetings)
    if not _holds(meetings)[0][i]:
        return told
    pair = int(meetings.pair[i])
    return told | {
        "due_from": iso_ms(int(mine.first_ms[i])),
        "due_to": iso_ms(int(mine.last_ms[i])),
        "other_due_from": iso_ms(int(other.first_ms[i])),
        "other_due_to": iso_ms(int(other.last_ms[i])),
        "apart_min": float(meetings.policy_at("apart_min", pair) or 0),
        "mean_speed_kmh": float(meetings.policy_at("mean_speed_kmh", pair) or 0),
    }


RULE = PairRule(NAME, KEYS, _pairs, _holds, _evidence)
