"""What a scenario file says, as types: where, who, with which seals, on which journeys, and what happens when.

Chainages are kilometres along a route, minutes count from the scenario's start, ``left_m`` is metres left of the line seen in its direction.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from simulators.lab.acts import Act

__all__ = [
    "Case",
    "Checkpoint",
    "Device",
    "Equipment",
    "Journey",
    "Member",
    "Route",
    "Scenario",
    "Vehicle",
    "Zone",
]

Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")]
Positive = Annotated[float, Meta(gt=0)]
Share = Annotated[float, Meta(ge=0)]
Lon = Annotated[float, Meta(ge=-180, le=180)]
Lat = Annotated[float, Meta(ge=-90, le=90)]

MOST_MINUTES: Final = 14 * 24 * 60
"""Two weeks: longer than any transit. A scenario is worked out in memory, and a slip such as `inf` would never end."""

Case = Literal["true", "near_miss", "fault"]
"""What a scenario tries: the rule's case, something that looks like it, or a fault that could provoke it."""


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of a scenario; a member that is not known is a fault."""


class Checkpoint(_Part, frozen=True, kw_only=True):
    """A checkpoint of a route, and when it is due."""

    zone: Name
    after_min: float | None = None
    tolerance_min: float | None = None


class Route(_Part, frozen=True, kw_only=True):
    """A stretch of one of the demo's roads (``road``, ``from_km``, ``to_km``), or a line of ``[lon, lat]``."""

    id: Name = "R-SIM"
    road: str | None = None
    from_km: Share = 0.0
    to_km: Positive | None = None
    line: list[tuple[Lon, Lat]] | None = None
    half_width_m: Positive = 200.0
    speed_limit_kmh: Positive | None = None
    drive_kmh: Positive | None = None
    """What is driven on it; absent: what is usual on the road, else 50."""
    tunnels_km: list[tuple[float, float]] = []
    checkpoints: list[Checkpoint] = []


class Zone(_Part, frozen=True, kw_only=True):
    """A circle (``at_km``, ``left_m``, ``radius_m``), or a strip along the road (``from_km``, ``to_km``, ``width_m``)."""

    id: Name
    kind: str | list[str]
    route: Name | None = None
    at_km: float | None = None
    left_m: float = 0.0
    radius_m: Positive | None = None
    from_km: float | None = None
    to_km: float | None = None
    width_m: Positive = 60.0
    max_stop_min: Positive | None = None
    speed_limit_kmh: Positive | None = None
    reason: str | None = None


class Vehicle(_Part, frozen=True, kw_only=True):
    """A truck on a route; or one that ``follows`` another ``behind_s`` seconds behind (ahead: negative)."""

    id: Name
    route: Name | None = None
    from_km: Share = 0.0
    to_km: Positive | None = None
    departs_min: Share = 3.0
    pace: Positive = 1.0
    follows: Name | None = None
    behind_s: float = 8.0


class Device(_Part, frozen=True, kw_only=True):
    """A seal, or a tracker that speaks like one, on a vehicle."""

    id: Name
    on: Name
    interval_s: Annotated[int, Meta(ge=1, le=1200)] = 30
    sigma_m: Positive = 5.0
    battery_pct: Annotated[float, Meta(ge=0, le=100)] = 90.0
    drain_pct_h: Share = 0.6
    buffer: Annotated[int, Meta(ge=1)] = 2000
    cell_dbm: int = -84
    omits: list[Literal["speed_kmh", "course_deg", "accuracy_m"]] = []
    """What its make does not say."""


class Member(_Part, frozen=True, kw_only=True):
    """A device of a journey and its part."""

    id: Name
    role: Literal["seal", "tractor", "trailer", "escort"] = "seal"


class Journey(_Part, frozen=True, kw_only=True):
    """A supervised movement. ``permit`` and ``minerals`` are written into the plan as they stand; ``cargo_kg`` is what it truly carries;
    ``vehicle`` and ``box`` are the plate and the container's number that it declares, and shows unless the script says otherwise.
    """

    id: Name = "J-SIM"
    devices: Annotated[list[Member], Meta(min_length=1)]
    route: Name | None = None
    regime: Literal["transit", "bonded", "oversized", "minerals"] = "transit"
    armed_min: float = 0.0
    disarmed_min: float | None = None
    due_min: float | None = None
    origin_zone: Name | None = None
    destination_zone: Name | None = None
    permit: dict[str, Any] | None = None
    minerals: dict[str, Any] | None = None
    cargo_kg: Annotated[int, Meta(ge=0)] = 0
    vehicle: str | None = None
    box: str | None = None


class Equipment(_Part, frozen=True, kw_only=True):
    """A camera, scanner or reader beside a route; ``zone`` is the gate at which it stands, ``reads`` what it reads there."""

    id: Name
    kind: str = "camera"
    heartbeat_s: Annotated[int, Meta(ge=1)] = 60
    at_km: float = 0.0
    zone: Name | None = None
    reads: list[Literal["plate", "container", "seal"]] = []


class Calendar(_Part, frozen=True, kw_only=True):
    """Dates and hours that permits name, as ``calendars.jsonl`` of a plan has them."""

    id: Name
    dates: list[str] = []
    periods: list[dict[str, str]] = []
    windows: list[dict[str, Any]] = []


class Licence(_Part, frozen=True, kw_only=True):
    """A licence for minerals, as ``licences.jsonl`` of a plan has it."""

    id: Name
    number: str
    holder: str
    mineral: str
    mines: list[Name]
    yards: list[Name] = []
    quota: float | None = None
    quota_unit: Literal["kg", "t", "m3"] | None = None
    valid_from: str | None = None
    valid_to: str | None = None


class Scenario(_Part, frozen=True, kw_only=True):
    """A whole scenario. ``about`` is the rule that it tries, ``policy`` what ``policies.toml`` shall say."""

    title: str
    about: str
    case: Case
    story: str = ""
    start: str = "2026-11-22T01:00:00Z"
    minutes: Annotated[float, Meta(gt=0, le=MOST_MINUTES)]
    route: Annotated[list[Route], Meta(min_length=1)]
    zone: list[Zone] = []
    vehicle: list[Vehicle] = []
    device: list[Device] = []
    journey: list[Journey] = []
    equipment: list[Equipment] = []
    script: list[Act] = []
    calendar: list[Calendar] = []
    licence: list[Licence] = []
    policy: dict[str, Any] = {}
