"""The truth of a journey in zones: prohibited ones, ones of interest, checkpoints, bridges. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from simulators.lab.language import Checkpoint
from simulators.lab.truth.found import Found, Watched
from simulators.lab.truth.watch import along, depth_m, stretches
from simulators.places import Place
from simulators.roads import Road
from simulators.world.spans import Span

__all__ = ["RULES"]

DEEP_M = 20.0
"""Inside by more than GNSS noise."""
PAST_M = 2000.0
LATE_SLACK_S = 180.0


def prohibited(w: Watched) -> Iterator[Found]:
    """Inside a prohibited zone, were it between two fixes."""
    for place in w.places("prohibited"):
        depth = depth_m(place, w.lead.lon, w.lead.lat)
        for span in stretches((depth > 0) & w.judged, w.lead.time_s, 60.0):
            deepest = _peak(w, depth, span)
            seen = w.lead.near_fix(span) and deepest > DEEP_M
            yield Found(
                "PROHIBITED_ZONE",
                span,
                "must" if seen else "may",
                f"{deepest:.0f} m inside",
                place.id,
                metres=deepest,
            )
        if not (depth > 0).any() and depth.max() > -15.0:  # noise reaches in
            near = stretches((depth > -15.0) & w.judged, w.lead.time_s, 300.0)
            for span in near:
                yield Found(
                    "PROHIBITED_ZONE", span, "may", f"{-_peak(w, depth, span):.0f} m beside it", place.id
                )


def interest(w: Watched) -> Iterator[Found]:
    """Stays in zones of interest: two fixes and half a minute show them."""
    for place in w.places("interest"):
        depth = depth_m(place, w.lead.lon, w.lead.lat)
        for span in stretches((depth > -DEEP_M) & w.judged, w.lead.time_s, 60.0):
            fixes = w.lead.fixes_in(span)
            deep = fixes[np.interp(fixes, w.lead.time_s, depth) > DEEP_M]
            seen = len(deep) >= 2 and deep[-1] - deep[0] >= 30.0
            yield Found("ZONE_ENTERED", span, "must" if seen else "may", "a stay", place.id)


def checkpoints(w: Watched) -> Iterator[Found]:
    """Checkpoints of the route: reached, missed, late."""
    for road, holds in w.roads():
        route = next(r for r in w.stage.scenario.route if r.id == road.id)
        _, chainage, _ = along(road, w.lead.lon, w.lead.lat)
        for checkpoint in route.checkpoints:
            place = w.stage.ground.places[checkpoint.zone]
            depth = depth_m(place, w.lead.lon, w.lead.lat)
            yield from _checkpoint(
                w, checkpoint, place, np.where(holds & w.judged, depth, -np.inf), _past(road, place, chainage)
            )


def _past(road: Road, place: Place, chainage: Any) -> Any:
    """How far each sample is past a checkpoint along the road."""
    return chainage - road.nearest(*place.centre)[0]


def _checkpoint(w: Watched, checkpoint: Checkpoint, place: Place, depth: Any, past: Any) -> Iterator[Found]:
    t = w.lead.time_s
    inside = stretches(depth > 0, t, 60.0)
    if inside:
        first = inside[0]
        seen = w.lead.near_fix(first) and _peak(w, depth, first) > DEEP_M
        yield Found("CHECKPOINT_REACHED", first, "must" if seen else "may", "passed", place.id)
    missed = (past > PAST_M) & w.judged & (np.maximum.accumulate(depth) < 0)
    missed_s = float(t[missed.argmax()]) if missed.any() else None
    if missed_s is not None:
        beyond = Span(missed_s, w.armed.to_s)
        sure = len(w.lead.fixes_in(beyond)) >= 2 and past.max() > PAST_M + 300
        yield Found("CHECKPOINT_MISSED", beyond, "must" if sure else "may", "passed by elsewhere", place.id)
    if checkpoint.after_min is None:
        return
    due_s = w.armed.from_s + (checkpoint.after_min + (checkpoint.tolerance_min or 0.0)) * 60
    entered_s = inside[0].from_s if inside else w.armed.to_s
    settled_s = min(entered_s, missed_s if missed_s is not None else np.inf, w.armed.to_s)
    if settled_s > due_s - LATE_SLACK_S and due_s < w.armed.to_s:
        sure = settled_s > due_s + LATE_SLACK_S
        yield Found(
            "CHECKPOINT_LATE",
            Span(due_s, max(due_s, settled_s)),
            "must" if sure else "may",
            f"{(settled_s - due_s) / 60:.0f} min",
            place.id,
        )


def structures(w: Watched) -> Iterator[Found]:
    """Bridges that the permit names: standing on them, crossing them too fast."""
    for structure in (w.journey.permit or {}).get("structures") or ():
        place = w.stage.ground.places[structure["zone"]]
        on = (depth_m(place, w.lead.lon, w.lead.lat) > 0) & w.judged
        for span in stretches(on & (w.lead.speed_kmh < 1.0), w.lead.time_s):
            fixes = w.lead.fixes_in(span)
            sure = len(fixes) >= 2 and fixes[-1] - fixes[0] >= 60.0
            yield Found(
                "STOP_ON_STRUCTURE",
                span,
                "must" if sure else "may",
                f"stood {span.to_s - span.from_s:.0f} s",
                place.id,
            )
        limit = structure.get("speed_kmh")
        if limit is None:
            continue
        over = w.lead.speed_kmh - float(limit)
        for span in stretches(on & (over > -2.0), w.lead.time_s, 30.0):  # noise of speed
            fixes = w.lead.fixes_in(span)
            sure = bool((np.interp(fixes, w.lead.time_s, over) > 4.0).any())
            yield Found(
                "STRUCTURE_SPEED",
                span,
                "must" if sure else "may",
                f"{_peak(w, over, span):.0f} km/h too fast",
                place.id,
            )


def _peak(w: Watched, values: Any, span: Span) -> float:
    on = (w.lead.time_s >= span.from_s) & (w.lead.time_s < span.to_s)
    return float(values[on].max())


RULES = (prohibited, interest, checkpoints, structures)
