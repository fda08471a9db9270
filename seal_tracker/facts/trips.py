"""A journey with minerals between its weighbridges: how long it may take, and where it must be weighed by when. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from seal_tracker.facts.balance import last_weighed
from seal_tracker.facts.rules import Case, Finding
from seal_tracker.facts.weighing import evidence_of
from seal_tracker.model import iso_ms
from seal_tracker.rules.across_facts import MASS_BALANCE as NAME

__all__ = ["of_trip", "trip_due"]

M_PER_S_IN_KMH: Final = 1 / 3.6

NEVER_MS: Final = (1 << 42) - 1
"""Year 2109: the end of a suspension that nobody has ended."""

DECLARED: Final = {"out": "weighbridge_out", "in": "weighbridge_in"}
"""Members that name the weighbridge of a direction."""


class Trip(NamedTuple):
    """From when to when (None: it goes on), over how many metres; from weighing to weighing, else from arming to disarming."""

    began_ms: int
    ended_ms: int | None
    length_m: float


def of_trip(case: Case) -> Iterator[Finding]:
    """What does not fit how the lorry went, and where it was weighed."""
    yield from _weighbridges(case)
    yield from _unweighed(case)
    trip = _trip(case)
    if trip is not None:
        yield from _times(case, trip)


def trip_due(case: Case) -> Iterator[int]:
    """Moments at which time alone may tell something."""
    yield from (due_ms for _, due_ms in _weighed_by(case))
    trip = _trip(case)
    if trip is not None:
        yield _longest_ms(case, trip)
        yield from () if trip.ended_ms is None else (trip.ended_ms,)


def _reached_ms(case: Case) -> int | None:
    """How far time is known to have come: by now, or by the last weighing; None: nobody knows."""
    known = [at for at in (case.now_ms, *(fact.at_ms for fact in case.facts)) if at is not None]
    return max(known, default=None)


def _trip(case: Case) -> Trip | None:
    """None where its way is not known beforehand."""
    journey = case.journey
    if journey.diversions or journey.route is None:
        return None
    out, end = last_weighed(case.facts, "out"), last_weighed(case.facts, "in")
    began_ms = journey.armed_at_ms if out is None else out.at_ms
    ended_ms = journey.disarmed_at_ms if end is None else end.at_ms
    plan = case.version(began_ms).plan
    route = plan.route_index.get(journey.route)
    if route is None or (ended_ms is not None and ended_ms <= began_ms):
        return None
    return Trip(began_ms, ended_ms, float(plan.corridors.length_m[route]))


def _longest_ms(case: Case, trip: Trip) -> int:
    """When it has taken too long; while it is suspended no time passes."""
    slowest = case.number(NAME, "slowest_kmh", trip.began_ms) * M_PER_S_IN_KMH
    limit_s = trip.length_m / slowest + case.number(NAME, "grace_s", trip.began_ms)
    end_ms = trip.began_ms + int(limit_s) * 1000
    for pause in sorted(case.journey.suspensions, key=lambda s: s.from_ms):
        begin_ms = max(pause.from_ms, trip.began_ms)
        if begin_ms < end_ms:
            if pause.to_ms is None:
                return NEVER_MS
            end_ms += max(pause.to_ms - begin_ms, 0)
    return end_ms


def _times(case: Case, trip: Trip) -> Iterator[Finding]:
    reached_ms, ended_ms = _reached_ms(case), trip.ended_ms
    about: dict[str, Any] = {
        **_licence(case),
        "from": iso_ms(trip.began_ms),
        "route": case.journey.route,
        "length_m": round(trip.length_m),
    }
    fastest = case.number(NAME, "fastest_kmh", trip.began_ms)
    least_ms = int(trip.length_m / (fastest * M_PER_S_IN_KMH)) * 1000
    if ended_ms is not None and ended_ms - trip.began_ms < least_ms and _is_past(ended_ms, reached_ms):
        lasted_s = (ended_ms - trip.began_ms) // 1000
        took = {
            "to": iso_ms(ended_ms),
            "lasted_s": lasted_s,
            "least_s": least_ms // 1000,
            "fastest_kmh": fastest,
        }
        yield Finding(object="short", started_ms=ended_ms, raised_ms=ended_ms, evidence=about | took)
    limit_ms = _longest_ms(case, trip)
    if _is_past(limit_ms, reached_ms) and (ended_ms is None or ended_ms > limit_ms):
        slowest = case.number(NAME, "slowest_kmh", trip.began_ms)
        most = {"most_s": (limit_ms - trip.began_ms) // 1000, "slowest_kmh": slowest}
        yield Finding(object="long", started_ms=limit_ms, raised_ms=limit_ms, evidence=about | most)


def _weighbridges(case: Case) -> Iterator[Finding]:
    """Weighings that count, of another weighbridge than was declared."""
    for direction, member in DECLARED.items():
        fact, declared = last_weighed(case.facts, direction), (case.journey.minerals or {}).get(member)
        if fact is not None and declared is not None and fact.equipment != declared:
            evidence = {**_licence(case), "declared": declared, "weighings": [evidence_of(fact)]}
            yield Finding(
                object="weighbridge", started_ms=fact.at_ms, raised_ms=fact.at_ms, evidence=evidence
            )


def _unweighed(case: Case) -> Iterator[Finding]:
    """No weighing where one was declared, in time."""
    reached_ms = _reached_ms(case)
    for direction, due_ms in _weighed_by(case):
        if last_weighed(case.facts, direction) is None and _is_past(due_ms, reached_ms):
            declared = (case.journey.minerals or {})[DECLARED[direction]]
            evidence = {
                **_licence(case),
                "direction": direction,
                "declared": declared,
                "weighed_by": iso_ms(due_ms),
            }
            yield Finding(object="unweighed", started_ms=due_ms, raised_ms=due_ms, evidence=evidence)


def _weighed_by(case: Case) -> Iterator[tuple[str, int]]:
    """By when a weighing must be there, for each weighbridge declared: so long after the arming, and after the disarming."""
    ends = {"out": case.journey.armed_at_ms, "in": case.journey.disarmed_at_ms}
    for direction, at_ms in ends.items():
        if at_ms is not None and (case.journey.minerals or {}).get(DECLARED[direction]) is not None:
            yield direction, at_ms + round(case.number(NAME, "grace_s", at_ms) * 1000)


def _is_past(at_ms: int, reached_ms: int | None) -> bool:
    return reached_ms is not None and at_ms <= reached_ms


def _licence(case: Case) -> dict[str, Any]:
    return {"licence": (case.journey.minerals or {}).get("licence")}
