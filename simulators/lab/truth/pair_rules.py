"""The truth across devices and equipment: parted, strung out, two on one bridge, cameras that are silent. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise

import numpy as np

from simulators.earth import Floats, distance_m
from simulators.lab.staging import Stage
from simulators.lab.truth.found import Found, Watched, graded
from simulators.lab.truth.watch import Bools, Watch, along, depth_m, stretches
from simulators.places import Place
from simulators.roads import Road
from simulators.world.spans import Span

__all__ = ["due", "of_equipment", "parted", "shared"]

APART_M = 300.0
GAP_M = 500.0

FAST_M_S, SLOW_M_S = 44.0 / 3.6, 36.0 / 3.6
"""The usual mean speed, a tenth faster and slower."""
ONE_BY_ONE_S = 180.0
STANDING_KMH = 5.0
NEVER_S = 1e9
AHEAD_S = 1800.0


def parted(w: Watched) -> Iterator[Found]:
    """Tractor and trailer, container and truck; and escorts beyond their permitted gap."""
    gaps = {e["device"]: float(e["gap_m"]) for e in (w.journey.permit or {}).get("escorts") or ()}
    for member in w.journey.devices:
        other = w.devices[member.id]
        if other is w.lead:
            continue
        escort = member.role == "escort"
        limit_m = gaps.get(member.id, GAP_M) if escort else APART_M
        apart = distance_m(w.lead.lon, w.lead.lat, other.lon, other.lat)
        for span in stretches((apart > 0.9 * limit_m) & w.judged, w.lead.time_s, 60.0):
            sure = _far(w.lead, other, apart > 1.15 * limit_m, span)
            peak = float(apart[(w.lead.time_s >= span.from_s) & (w.lead.time_s < span.to_s)].max())
            rule = "CONVOY_SEPARATION" if escort else "DETACHMENT"
            yield Found(rule, span, "must" if sure else "may", f"{peak:.0f} m apart", metres=peak)


def _far(one: Watch, other: Watch, far: np.ndarray[tuple[int], np.dtype[np.bool_]], span: Span) -> bool:
    """Clearly apart for three minutes with fixes of both."""
    within = far & (one.time_s >= span.from_s) & (one.time_s < span.to_s)
    longest = max(stretches(within, one.time_s), key=lambda s: s.to_s - s.from_s, default=None)
    return (
        longest is not None
        and longest.to_s - longest.from_s > 240.0
        and min(len(one.fixes_in(longest)), len(other.fixes_in(longest))) >= 4
    )


def shared(journeys: Sequence[Watched]) -> Iterator[tuple[Watched, Found]]:
    """Two vehicles at once on a bridge that each must pass alone."""
    for a, b, zone in _one_by_one(journeys):
        place = a.stage.ground.places[zone]
        on = [(depth_m(place, w.lead.lon, w.lead.lat) > 0) & w.judged for w in (a, b)]
        for span in stretches(on[0] & on[1], a.lead.time_s, 30.0):
            sure = span.to_s - span.from_s > 60.0 and all(len(w.lead.fixes_in(span)) >= 2 for w in (a, b))
            for w in (a, b):
                yield w, Found("STRUCTURE_SHARED", span, "must" if sure else "may", "two at once", zone)


def due(journeys: Sequence[Watched]) -> Iterator[tuple[Watched, Found]]:
    """Two vehicles that are due at once on a bridge that each must pass alone, by where they are and the usual mean speed."""
    for a, b, zone in _one_by_one(journeys):
        (first, last, on_it), (other_first, other_last, other_on_it) = (_due(w, zone) for w in (a, b))
        apart_s = np.maximum(first - other_last, other_first - last) - ONE_BY_ONE_S
        later_s, judged = np.maximum(first, other_first), a.judged & b.judged & ~(on_it & other_on_it)
        judged &= (a.lead.speed_kmh > STANDING_KMH) & (b.lead.speed_kmh > STANDING_KMH)
        nearly, surely = (
            judged & (apart_s < slack_s) & (later_s < AHEAD_S + slack_s) for slack_s in (60.0, -60.0)
        )
        for span in stretches(nearly, a.lead.time_s, 120.0):
            within = surely & (a.lead.time_s >= span.from_s) & (a.lead.time_s < span.to_s)
            longest = max(stretches(within, a.lead.time_s), key=lambda s: s.to_s - s.from_s, default=None)
            sure = longest is not None and longest.to_s - longest.from_s > 240.0
            sure = sure and all(len(w.lead.fixes_in(longest or span)) >= 4 for w in (a, b))
            for w in (a, b):
                yield w, Found("STRUCTURE_MEETING", span, "must" if sure else "may", "two due at once", zone)


def _one_by_one(journeys: Sequence[Watched]) -> Iterator[tuple[Watched, Watched, str]]:
    """Each two vehicles and each bridge that both must pass alone."""
    for a, b in combinations(journeys, 2):
        alone = [
            {s["zone"] for s in (w.journey.permit or {}).get("structures") or () if s.get("alone")}
            for w in (a, b)
        ]
        for zone in sorted(alone[0] & alone[1]):
            yield a, b, zone


def _due(w: Watched, zone: str) -> tuple[Floats, Floats, Bools]:
    """Seconds until a vehicle is on a bridge, at the least, and off it, at the most (`NEVER_S`: it never is); and when it is on it."""
    place, t = w.stage.ground.places[zone], w.lead.time_s
    first, last = np.full(len(t), NEVER_S), np.full(len(t), NEVER_S)
    for road, holds in w.roads():
        enter_m, leave_m = _passed(road, place)
        away_m, chainage_m, half_width_m = along(road, w.lead.lon, w.lead.lat)
        coming = holds & (away_m <= half_width_m) & (chainage_m < leave_m)
        first[coming] = np.maximum(enter_m - chainage_m, 0.0)[coming] / FAST_M_S
        last[coming] = (leave_m - chainage_m)[coming] / SLOW_M_S
    return first, last, depth_m(place, w.lead.lon, w.lead.lat) > 0


def _passed(road: Road, place: Place) -> tuple[float, float]:
    """Where a road enters and leaves a bridge, to ten metres; (inf, -inf) where it does not."""
    chainage_m = np.arange(0.0, road.length_m, 10.0)
    lon, lat = road.point_at(chainage_m)
    inside = chainage_m[depth_m(place, lon, lat) > 0]
    return (float(inside[0]), float(inside[-1])) if len(inside) else (np.inf, -np.inf)


def of_equipment(stage: Stage) -> Iterator[tuple[str, Found]]:
    """Cameras and the like that missed three heartbeats, or were told to be gone."""
    for id_, equipment in stage.equipment.items():
        beats = list(equipment.beats(stage.generator(id_, "beats"), stage.until_s))
        online = [b.time_s for b in beats if b.status == "online"]
        for begin, end in pairwise([*online, stage.until_s]):
            missed = (end - begin) / equipment.heartbeat_s
            told = any(s.meets(Span(begin, end)) for s in equipment.told)
            grade = "must" if told else graded(missed, 3.4, 2.6)
            if grade:
                yield (
                    id_,
                    Found("EQUIPMENT_OFFLINE", Span(begin, end), grade, f"{missed:.0f} heartbeats missed"),
                )
