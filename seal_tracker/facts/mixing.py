"""Stops in which cargo may have been mixed: at another mine or depot, or beside another lorry with minerals. Pure.

A stop is one that the first stage tells of (``STOP_UNPLANNED``); a stay in a zone counts too (``ZONE_ENTERED``), so that a mine or depot that is
an approved stop hides nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np

from geofences.projection import distance_m as metres
from seal_tracker.facts.licensed import distance_m, licensed_zones
from seal_tracker.facts.rules import Case, Finding, Place
from seal_tracker.model import Episode, iso_ms
from seal_tracker.rules.across_facts import MASS_BALANCE as NAME

__all__ = ["STAY", "STOP", "beside_each_other", "mixing"]

STOP: Final = "STOP_UNPLANNED"
STAY: Final = "ZONE_ENTERED"

SOURCES: Final = ("mine", "depot")
"""Kinds of zones in which minerals lie about."""

QUEUES: Final = ("port", "gate")
"""Kinds of zones before which lorries wait one behind the other."""


def mixing(case: Case) -> Iterator[Finding]:
    """Each stop that is long enough, with what was near it; a stay in which such a stop is told of is not told again."""
    told: list[Episode] = []
    for stop in sorted(case.episodes, key=lambda e: (e.type != STOP, e.started_at_ms)):
        least_s = case.number(NAME, "mixing_s", stop.started_at_ms)
        if _until_ms(stop) - stop.started_at_ms < least_s * 1000 or any(_overlap(stop, one) for one in told):
            continue
        found = _near_zone(case, stop) or (_near_lorry(case, stop) if stop.type == STOP else None)
        if found is not None:
            told.append(stop)
            yield _finding(case, stop, least_s, found)


def _finding(case: Case, stop: Episode, least_s: float, found: Mapping[str, Any]) -> Finding:
    evidence = {
        "licence": (case.journey.minerals or {}).get("licence"),
        "stopped_from": iso_ms(stop.started_at_ms),
        "limit_s": least_s,
        "stop": str(stop.episode),
        **found,
        "fixes": stop.evidence.get("fixes", [])[:1],
    }
    at_ms = max(stop.raised_at_ms, stop.started_at_ms + round(least_s * 1000))
    return Finding(object="mixing", started_ms=stop.started_at_ms, raised_ms=at_ms, evidence=evidence)


def _overlap(a: Episode, b: Episode) -> bool:
    return a.started_at_ms <= _until_ms(b) and b.started_at_ms <= _until_ms(a)


def beside_each_other(a: Episode, b: Episode, within_m: float, least_ms: float) -> bool:
    """Whether two stops of two lorries were at once for long enough, and near each other."""
    begin, end = max(a.started_at_ms, b.started_at_ms), min(_until_ms(a), _until_ms(b))
    if a.journey == b.journey or end - begin < least_ms:
        return False
    p, q = place_of(a), place_of(b)
    return p is not None and q is not None and _apart_m(p, q) <= within_m


def place_of(stop: Episode) -> Place | None:
    """Where a stop or a stay began."""
    fixes = stop.evidence.get("fixes") or ()
    if not fixes:
        return None
    return Place(round(fixes[0]["lon"] * 1e7), round(fixes[0]["lat"] * 1e7), 0)


def _until_ms(stop: Episode) -> int:
    """How long it surely lasted: one that goes on, until it was certain."""
    return stop.raised_at_ms if stop.ended_at_ms is None else stop.ended_at_ms


def _apart_m(p: Place, q: Place) -> float:
    columns = (np.array([v], np.int64) for v in (p.lon_e7, p.lat_e7, q.lon_e7, q.lat_e7))
    return float(metres(*columns)[0])


def _near_zone(case: Case, stop: Episode) -> dict[str, Any] | None:
    """The nearest mine or depot that is not its own, within reach."""
    at_ms, version = stop.started_at_ms, case.version(stop.started_at_ms)
    own = _own(case, at_ms)
    others = [z.id for z in version.plan.zones if z.id not in own and z.kinds.intersection(SOURCES)]
    if stop.type == STAY:
        return {"zone": stop.object, "distance_m": 0.0} if stop.object in others else None
    place = place_of(stop)
    if place is None:
        return None
    near = distance_m(version, place, others, at_ms)
    zone = min(near, key=lambda z: (near[z], z), default=None)
    if zone is None or near[zone] > case.number(NAME, "mixing_m", at_ms):
        return None
    return {"zone": zone, "distance_m": near[zone]}


def _near_lorry(case: Case, stop: Episode) -> dict[str, Any] | None:
    """The other lorries with minerals that stood beside it, elsewhere than where they all wait: in their own zones, ports and gates."""
    at_ms, place = stop.started_at_ms, place_of(stop)
    if place is None:
        return None
    version = case.version(at_ms)
    waiting = [z.id for z in version.plan.zones if z.kinds.intersection(QUEUES)]
    if any(m == 0 for m in distance_m(version, place, {*waiting, *_own(case, at_ms)}, at_ms).values()):
        return None
    stops: Sequence[Episode] = case.beside.get("stops", ())
    within_m = case.number(NAME, "mixing_m", at_ms)
    least_ms = case.number(NAME, "mixing_s", at_ms) * 1000
    journeys = sorted({s.subject for s in stops if beside_each_other(stop, s, within_m, least_ms)})
    return {"journeys": journeys, "within_m": within_m} if journeys else None


def _own(case: Case, at_ms: int) -> frozenset[str]:
    """Zones in which a journey may stand as long as it likes."""
    journey = case.journey
    named = frozenset(z for z in (journey.origin_zone, journey.destination_zone) if z is not None)
    return (licensed_zones(case, at_ms) or frozenset()) | named
