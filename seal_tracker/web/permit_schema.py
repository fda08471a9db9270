"""What an oversized vehicle's permit may say, as JSON Schema: for the description of the API. What is wrong with one, `check_permit` says."""

from __future__ import annotations

from typing import Any, Final

__all__ = ["PERMIT"]

ID: Final = {"type": "string", "pattern": "^[A-Za-z0-9_.:-]{1,64}$"}
NUMBER: Final = {"type": "number", "exclusiveMinimum": 0}
DATE: Final = {"type": "string", "format": "date"}
TIME: Final = {"type": "string", "format": "date-time"}


def _list(of: dict[str, Any], description: str) -> dict[str, Any]:
    return {"type": "array", "items": of, "description": description}


def _object(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


WINDOW: Final = _object(
    {
        "days": _list(
            {"enum": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]}, "of every day, where not given"
        ),
        "from": {"type": "string", "description": "local time, such as 22:00"},
        "to": {"type": "string", "description": "on the next day, where it is not after `from`"},
    },
    "from",
    "to",
)

STRUCTURE: Final = _object(
    {
        "zone": ID,
        **dict.fromkeys(("max_mass_kg", "max_axle_kg", "max_height_m", "max_width_m", "speed_kmh"), NUMBER),
        "alone": {"type": "boolean", "description": "one vehicle at a time"},
    },
    "zone",
)

PERMIT: Final = {
    "properties": {
        "number": {"type": "string"},
        "issuer": {"type": "string"},
        "valid_from": TIME,
        "valid_to": TIME,
        "registrations": _list({"type": "string"}, "vehicles and trailers that it is for"),
        "corridor": {**ID, "description": "the route that it is for"},
        **dict.fromkeys(("length_m", "width_m", "height_m", "mass_kg"), NUMBER),
        "axle_loads_kg": _list(NUMBER, "in the order of the axles"),
        "windows": _list(WINDOW, "hours in which it may move"),
        "forbidden_windows": _list(WINDOW, "hours in which it may not, rush hours say"),
        "forbidden_dates": _list(DATE, "local dates on which it may not move"),
        "calendars": _list(ID, "calendars of the plan in whose dates and hours it may not move"),
        "speed_limits_kmh": _list(NUMBER, "one for each leg of the route"),
        "escorts": _list(
            _object({"device": ID, "gap_m": NUMBER}, "device", "gap_m"), "what goes with it, and how near"
        ),
        "structures": _list(STRUCTURE, "bridges and the like on its way"),
    },
    "required": ["number"],
}
"""Beside ``type: object``; names and units as in a plan's ``journeys.jsonl``."""
