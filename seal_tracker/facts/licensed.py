"""What a journey owes its licence: that it holds, that it was loaded where that licenses, that the quota is not used up. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from seal_tracker.facts.balance import line_of
from seal_tracker.facts.rules import Case, Finding, Place
from seal_tracker.facts.weighing import evidence_of
from seal_tracker.model import iso_ms, iso_or_none
from seal_tracker.plans.licences import Licence
from seal_tracker.rules.across_facts import MASS_BALANCE as NAME
from seal_tracker.rules.evidence import place_evidence
from seal_tracker.tracking.epochs import Version

__all__ = ["against_licence", "distance_m", "licensed_zones"]


def licence_at(case: Case, at_ms: int) -> Licence | None:
    """The licence that a journey names, by the plan in force at a moment; None: the plan has none of that id."""
    name = (case.journey.minerals or {}).get("licence")
    return case.version(at_ms).plan.licences.get(name) if name is not None else None


def licensed_zones(case: Case, at_ms: int) -> frozenset[str] | None:
    """Zones in which it may be loaded; None where nobody knows of the licence."""
    licence = licence_at(case, at_ms)
    return None if licence is None else frozenset((*licence.mines, *licence.yards))


def distance_m(version: Version, place: Place, zones: Iterable[str], at_ms: int) -> dict[str, float]:
    """Metres from a place to each of some zones that are in force, 0 inside."""
    known = np.array([i for z in zones if (i := version.plan.zone_index.get(z)) is not None], np.int64)
    known = (
        known[version.terrain.in_force(known, np.full(len(known), at_ms, np.int64))] if len(known) else known
    )
    if not len(known):
        return {}
    lon, lat = (np.full(len(known), v, np.int64) for v in (place.lon_e7, place.lat_e7))
    found = version.plan.zone_set.distance_m(lon, lat, known)
    return {
        version.plan.zones[i].id: round(m, 1) for i, m in zip(known.tolist(), found.tolist(), strict=True)
    }


def against_licence(case: Case) -> Iterator[Finding]:
    """What does not fit the licence."""
    line = line_of(case.journey, case.facts)
    if line is None:
        return
    licence = licence_at(case, line.at_ms)
    if licence is None:
        return
    if not licence.holds(line.at_ms):
        yield Finding(
            object=f"licence:{licence.id}", started_ms=line.at_ms, raised_ms=line.at_ms,
            evidence={
                "licence": licence.id, "number": licence.number, "loaded_at": iso_ms(line.at_ms),
                "valid_from": iso_or_none(licence.valid_from_ms), "valid_to": iso_or_none(licence.valid_to_ms),
            },
        )  # fmt: skip
    yield from _quota(case, licence)
    yield from _loading(case)


def _quota(case: Case, licence: Licence) -> Iterator[Finding]:
    line, before = line_of(case.journey, case.facts), case.beside.get("used_before_kg")
    if line is None or licence.quota_kg is None or before is None:
        return
    used = before + line.counted_kg
    if used > licence.quota_kg:
        evidence: dict[str, Any] = {
            "licence": licence.id,
            "quota_kg": licence.quota_kg,
            "used_before_kg": before,
            "mass_kg": line.counted_kg,
            "over_kg": used - licence.quota_kg,
            "weighings": [evidence_of(f) for f in case.facts if str(f.id) in (line.out_id, line.in_id)],
        }
        yield Finding(
            object=f"quota:{licence.id}", started_ms=line.at_ms, raised_ms=line.at_ms, evidence=evidence
        )


def _loading(case: Case) -> Iterator[Finding]:
    """Where the seal was armed, else where the lorry was weighed out: the first of these of which it is known where it was."""
    line = line_of(case.journey, case.facts)
    assert line is not None
    for at_ms in dict.fromkeys((case.journey.armed_at_ms, line.at_ms)):
        if at_ms not in case.places:
            return  # not passed yet: who is armed far from a mine may be weighed out of it still
        place = case.places[at_ms]
        if place is None:
            continue
        zones = licensed_zones(case, at_ms)
        if zones is None:
            return
        near = distance_m(case.version(at_ms), place, zones, at_ms)
        limit = case.number(NAME, "loading_m", at_ms)
        if near and min(near.values()) > limit:
            nearest = min(near, key=lambda zone: (near[zone], zone))
            evidence = {
                "licence": line.licence,
                "zones": sorted(zones),
                "nearest": nearest,
                "distance_m": near[nearest],
                "limit_m": limit,
                "fixes": [place_evidence(at_ms, place.lon_e7, place.lat_e7)],
            }
            yield Finding(object="loading", started_ms=at_ms, raised_ms=at_ms, evidence=evidence)
        return
