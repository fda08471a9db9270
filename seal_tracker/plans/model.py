"""A plan and what belongs to it, once it has been read and found sound. Immutable; times are UTC epoch ms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from geofences.catalog import Fault, RouteFeature, ZoneFeature
from geofences.corridors import CorridorSet
from geofences.zones import ZoneSet
from seal_tracker.journey import Authorisation, Diversion, Journey, Reset, Suspension
from seal_tracker.plans.calendars import Calendar
from seal_tracker.plans.licences import Licence
from seal_tracker.plans.probes import Probe
from seal_tracker.plans.vehicles import Vehicle, registry_of
from seal_tracker.rules.policy import PolicyTable

__all__ = [
    "EQUIPMENT_KINDS",
    "LEAD_ROLES",
    "ROLES",
    "Authorisation",
    "Calendar",
    "Diversion",
    "Equipment",
    "Journey",
    "Plan",
    "Reset",
    "Suspension",
    "Unit",
    "Vehicle",
]

ROLES: tuple[str, ...] = ("seal", "tractor", "trailer", "escort")
"""What a device does on a journey."""

LEAD_ROLES: tuple[str, ...] = ("seal", "tractor")
"""Whose track is the journey's: the seal's; the tractor's for a vehicle that may not be sealed."""

EQUIPMENT_KINDS: tuple[str, ...] = ("camera", "scanner", "weighbridge", "reader")

EQUIPMENT_READS: tuple[str, ...] = ("plate", "container", "seal")
"""What a piece of equipment may read of every lorry that passes it."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit that answers for journeys; ``name`` is {language: name}, with at least one language.

    ``deputies`` act for the head who is absent: the first of them who is not.
    """

    id: str
    name: Mapping[str, str]
    parent: str | None = None
    head: str | None = None
    contact: str | None = None
    jurisdiction_zone: str | None = None
    deputies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Equipment:
    """A camera, scanner, weighbridge or reader that must be heard of every ``heartbeat_s`` seconds; ``zone`` is the gate, yard or post
    that it stands at, ``reads`` what it reads of every lorry that passes there, ``probe`` where it is asked.
    """

    id: str
    kind: str
    lon_deg: float
    lat_deg: float
    heartbeat_s: float
    unit: str | None = None
    zone: str | None = None
    reads: tuple[str, ...] = ()
    probe: Probe | None = None


@dataclass(frozen=True)
class Plan:
    """Everything one version of a plan folder says, ready to be judged by.

    Attributes
    ----------
    version
        number given by the store when the plan is imported; 0 before.
    valid_from_ms
        event time from which this version is in force; None: from the beginning.
    recorded_ms
        when it was taken up, by our clock; None: it is judged by, but recorded nowhere.
    digest
        hex SHA-256 of the content; layout, member order and byte order marks do not change it.
    files
        the folder's files as text, by name, without byte order marks.
    zones, routes
        without their vertices, which ``zone_set`` and ``corridors`` hold.
    zone_index, route_index
        from id to the position in ``zones`` and ``routes``, which is also the number in the sets.
    left_out
        what ``files`` hold besides and what was found sound once, but is refused by now; empty for a plan that is new.
    vehicles, calendars
        the registry of vehicles, and dates and hours that permits refer to by name.
    licences
        under which minerals are dug, by id.
    """

    version: int
    valid_from_ms: int | None
    digest: str
    files: Mapping[str, str]
    zones: tuple[ZoneFeature, ...]
    routes: tuple[RouteFeature, ...]
    zone_set: ZoneSet
    corridors: CorridorSet
    zone_index: Mapping[str, int]
    route_index: Mapping[str, int]
    journeys: tuple[Journey, ...]
    policies: PolicyTable
    units: tuple[Unit, ...] = field(default=())
    equipment: tuple[Equipment, ...] = field(default=())
    recorded_ms: int | None = None
    left_out: tuple[Fault, ...] = ()
    vehicles: tuple[Vehicle, ...] = field(default=())
    calendars: tuple[Calendar, ...] = field(default=())

    @cached_property
    def registry(self) -> Mapping[str, Vehicle]:
        """The vehicles by their plates as those are compared."""
        return registry_of(self.vehicles)

    licences: Mapping[str, Licence] = field(default_factory=dict)

    @cached_property
    def equipment_index(self) -> Mapping[str, Equipment]:
        """Equipment by id."""
        return {one.id: one for one in self.equipment}

    @cached_property
    def plate_readers(self) -> Mapping[str, tuple[Equipment, ...]]:
        """By zone, who reads the plates of lorries that pass it."""
        zones = dict.fromkeys(
            one.zone for one in self.equipment if one.zone is not None and "plate" in one.reads
        )
        return {
            zone: tuple(one for one in self.equipment if one.zone == zone and "plate" in one.reads)
            for zone in zones
        }
