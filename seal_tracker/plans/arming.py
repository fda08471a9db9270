"""Journeys of oversized vehicles in a plan folder, against permit, registry and structures. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from geofences.catalog import Fault, RouteFeature, ZoneFeature
from seal_tracker.journey import Journey
from seal_tracker.plans.admission import refusals
from seal_tracker.plans.on_route import Structures
from seal_tracker.plans.vehicles import Vehicle, registry_of

__all__ = ["check_arming"]


def check_arming(
    journeys: Sequence[Journey],
    zones: Sequence[ZoneFeature],
    routes: Sequence[RouteFeature],
    vehicles: Sequence[Vehicle],
    file: str,
) -> list[Fault]:
    """A warning for each reason why a journey of a plan folder would not have been armed here.

    It was armed elsewhere, so it is judged; and what it contradicts may have been drawn or registered since.
    """
    bound = [j for j in journeys if j.permit is not None or j.regime == "oversized"]
    if not bound:
        return []
    found = Structures(zones, routes)
    registry = registry_of(vehicles)
    why, remedy = "it would not be armed here", "correct one of the two, or call the journey off"
    return [
        Fault(file, journey.id, reason.field, reason.text.en, why, remedy, "warning")
        for journey in bound
        for reason in refusals(
            journey,
            found.of(journey.permit, journey.route, journey.armed_at_ms),
            registry,
            journey.armed_at_ms,
        )
    ]
