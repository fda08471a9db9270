"""The permit of an oversized vehicle, and what is declared of it: their members, checked. They are kept as they are written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from geofences.catalog import Fields
from geofences.catalog.faults import quoted
from seal_tracker.plans.references import References
from seal_tracker.plans.windows import check_dates, check_windows, listed

__all__ = ["SIZES", "check_load", "check_permit"]

SIZES = ("length_m", "width_m", "height_m", "mass_kg")
"""What a permit allows of a vehicle with its load, and what is declared of it."""

MEMBERS = frozenset(
    {
        "number",
        "issuer",
        "corridor",
        "valid_from",
        "valid_to",
        "registrations",
        *SIZES,
        "axle_loads_kg",
        "windows",
        "forbidden_windows",
        "forbidden_dates",
        "calendars",
        "speed_limits_kmh",
        "escorts",
        "structures",
    }
)

STRUCTURE_LIMITS = ("max_mass_kg", "max_axle_kg", "max_height_m", "max_width_m", "speed_kmh")


def check_permit(
    permit: Mapping[str, Any], journey: Fields, references: References, legs: int | None
) -> None:
    """Note every fault of ``permit``; ``legs`` is the number of the route's legs where that is known."""
    if not permit:
        return
    fields = journey.within("permit", permit)
    fields.only(MEMBERS)
    fields.require("number", "write the permit's number")
    fields.text("number")
    fields.text("issuer")
    references.route(fields, "corridor")
    fields.period_ms("valid_from", "valid_to")
    for key in SIZES:
        fields.number(key, above=0)
    listed(fields, "registrations", str)
    listed(fields, "axle_loads_kg", float)
    _check_speed_limits(fields, legs)
    _check_hours(fields, references)
    _check_escorts(fields, journey)
    _check_structures(fields, references)


def check_load(load: Mapping[str, Any], journey: Fields) -> None:
    """Note every fault of what is declared of an oversized vehicle with its load."""
    fields = journey.within("load", load)
    fields.only({*SIZES, "axle_loads_kg"})
    for key in SIZES:
        fields.number(key, above=0)
    listed(fields, "axle_loads_kg", float)


def _check_speed_limits(fields: Fields, legs: int | None) -> None:
    limits = listed(fields, "speed_limits_kmh", float)
    if limits and legs is not None and len(limits) != legs:
        fields.error(
            "speed_limits_kmh",
            f"has {len(limits)} values for {legs} legs",
            "there is one limit for each leg of the route",
            f"write {legs} values",
        )


def _check_hours(fields: Fields, references: References) -> None:
    check_windows(fields, "windows")
    check_windows(fields, "forbidden_windows")
    check_dates(fields, "forbidden_dates")
    for i, name in enumerate(listed(fields, "calendars", str)):
        where = f"calendars[{i}]"
        references.calendar(
            Fields({where: name}, fields.sink, fields.row, fields.label, fields.prefix), where
        )


def _check_escorts(fields: Fields, journey: Fields) -> None:
    devices = journey.values.get("devices")
    rows = devices if isinstance(devices, list) else []
    listed = {d["id"] for d in rows if isinstance(d, dict) and isinstance(d.get("id"), str)}
    for escort in fields.objects("escorts"):
        escort.only({"device", "gap_m"})
        escort.require("device", "write the escort's device id")
        device = escort.id("device")
        if device is not None and device not in listed:
            what = f"“{device}” is not among the journey's devices"
            escort.error(
                "device", what, "its track would not be read", 'add it to "devices" with the role escort'
            )
        escort.require("gap_m", "write the metres it may be away")
        escort.number("gap_m", above=0, unit="metres")


def _check_structures(fields: Fields, references: References) -> None:
    for structure in fields.objects("structures"):
        structure.only({"zone", *STRUCTURE_LIMITS, "alone"})
        structure.require("zone", "write the id of the bridge's zone")
        references.zone(structure, "zone")
        for key in STRUCTURE_LIMITS:
            structure.number(key, above=0)
        alone = structure.values.get("alone")
        if alone is not None and not isinstance(alone, bool):
            structure.error("alone", f"is {quoted(alone)}", "it must be true or false", "write true or false")
