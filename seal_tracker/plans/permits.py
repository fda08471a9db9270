"""The permit of an oversized vehicle: its members, checked. It is kept as it is written."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time
from typing import Any

from geofences.catalog import Fields
from geofences.catalog.faults import did_you_mean, quoted
from seal_tracker.plans.references import References

__all__ = ["check_permit"]

DAYS: tuple[str, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

SIZES = ("length_m", "width_m", "height_m", "mass_kg")

MEMBERS = frozenset(
    {
        "number",
        "valid_from",
        "valid_to",
        "registrations",
        *SIZES,
        "axle_loads_kg",
        "windows",
        "forbidden_dates",
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
    fields.period_ms("valid_from", "valid_to")
    for key in SIZES:
        fields.number(key, above=0)
    _list(fields, "registrations", str)
    _list(fields, "axle_loads_kg", float)
    _check_speed_limits(fields, legs)
    _check_hours(fields)
    _check_escorts(fields, journey)
    _check_structures(fields, references)


def _list(fields: Fields, key: str, kind: type) -> list[Any]:
    """A list of texts or of numbers above 0; its faulty members become faults."""
    values = fields.values.get(key)
    if values is None:
        return []
    if not isinstance(values, list):
        fields.error(key, f"is {quoted(values)}", "it must be a list", "write [ … ]")
        return []
    for i, value in enumerate(values):
        where = f"{key}[{i}]"
        member = Fields({where: value}, fields.sink, fields.row, fields.label, fields.prefix)
        if member.require(where, "write it or leave the place out"):
            _ = member.text(where) if kind is str else member.number(where, above=0)
    return values


def _check_speed_limits(fields: Fields, legs: int | None) -> None:
    limits = _list(fields, "speed_limits_kmh", float)
    if limits and legs is not None and len(limits) != legs:
        fields.error(
            "speed_limits_kmh",
            f"has {len(limits)} values for {legs} legs",
            "there is one limit for each leg of the route",
            f"write {legs} values",
        )


def _check_hours(fields: Fields) -> None:
    for window in fields.objects("windows"):
        window.only({"days", "from", "to"})
        for day in _list(window, "days", str):
            if isinstance(day, str) and day not in DAYS:
                window.error(
                    "days", f"is {quoted(day)}", f"days are {', '.join(DAYS)}", did_you_mean(day, DAYS)
                )
        for key in ("from", "to"):
            if window.require(key, "write an hour like 22:00") and not _reads(time, window.text(key)):
                window.error(
                    key, f"is {quoted(window.values[key])}", "it is not an hour", "write it like 22:00"
                )
    for day in _list(fields, "forbidden_dates", str):
        if isinstance(day, str) and not _reads(date, day):
            fields.error(
                "forbidden_dates", f"is {quoted(day)}", "it is not a date", "write it like 2026-11-22"
            )


def _reads(kind: type[date | time], text: str | None) -> bool:
    """Whether ``text`` is one; what is no text has been reported already."""
    try:
        return text is None or kind.fromisoformat(text) is not None
    except ValueError:
        return False


def _check_escorts(fields: Fields, journey: Fields) -> None:
    devices = journey.values.get("devices")
    listed = {d.get("id") for d in devices if isinstance(d, dict)} if isinstance(devices, list) else set()
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
