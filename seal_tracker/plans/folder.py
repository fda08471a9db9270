"""A plan folder to a plan: every file read, everything wrong named, nothing half-used.

`examine` and `load_files` are pure; `load_folder` reads the disk. A plan is made only where no file has an error; of one that
was sound when it was stored, `load_stored` leaves out what no longer is, and names it.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath
from typing import Any, TypeVar

import msgspec

from geofences.catalog import (
    Fault,
    FaultSink,
    Ids,
    RouteFeature,
    ZoneFeature,
    cross_check,
    read_routes,
    read_zones,
)
from geofences.catalog.reading import uncollected
from geofences.catalog.text import as_text
from geofences.corridors import CorridorSet
from geofences.zones import ZoneSet
from seal_tracker.plans.arming import check_arming
from seal_tracker.plans.calendars import Calendar, read_calendars
from seal_tracker.plans.journeys import read_journeys
from seal_tracker.plans.licences import Licence, read_licences
from seal_tracker.plans.model import Equipment, Journey, Plan, Unit
from seal_tracker.plans.packed import PackedTexts
from seal_tracker.plans.policies import merge_policies, read_policies
from seal_tracker.plans.references import References
from seal_tracker.plans.registry import read_equipment, read_units, unit_ids
from seal_tracker.plans.vehicles import Vehicle, read_vehicles
from seal_tracker.rules.policy import REGIMES, PolicyTable, sound_policies

__all__ = [
    "PLAN_FILES",
    "Examined",
    "empty_plan",
    "errors_of",
    "examine",
    "load_files",
    "load_folder",
    "load_stored",
    "read_folder",
]

ZONES, ROUTES, JOURNEYS = "zones.geojson", "routes.geojson", "journeys.jsonl"
POLICIES, UNITS, EQUIPMENT = "policies.toml", "units.toml", "equipment.jsonl"
VEHICLES, CALENDARS, LICENCES = "vehicles.jsonl", "calendars.jsonl", "licences.jsonl"

NEEDED = (ZONES, ROUTES)
PLAN_FILES: tuple[str, ...] = (
    ZONES,
    ROUTES,
    JOURNEYS,
    POLICIES,
    UNITS,
    EQUIPMENT,
    VEHICLES,
    CALENDARS,
    LICENCES,
)
"""What a plan folder may hold; files of other names are ignored."""

Content = Mapping[str, str | bytes]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Examined:
    """All that is sound in a set of files, and every fault, grouped by file in the order of `PLAN_FILES`."""

    zones: list[ZoneFeature] = field(default_factory=list)
    routes: list[RouteFeature] = field(default_factory=list)
    journeys: list[Journey] = field(default_factory=list)
    policies: Mapping[str, Any] = field(default_factory=dict)
    units: list[Unit] = field(default_factory=list)
    equipment: list[Equipment] = field(default_factory=list)
    vehicles: list[Vehicle] = field(default_factory=list)
    calendars: list[Calendar] = field(default_factory=list)
    licences: list[Licence] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def errors_of(faults: list[Fault]) -> list[Fault]:
    """The faults that make a plan unusable."""
    return [fault for fault in faults if fault.level == "error"]


def load_folder(path: str | PurePath) -> tuple[Plan | None, list[Fault]]:
    """The plan in a folder, or None, and every fault.

    Raises
    ------
    OSError
        where the folder or a file in it cannot be read.
    """
    return load_files(read_folder(Path(path)))


def read_folder(path: Path) -> dict[str, bytes]:
    """The plan files of a folder, by name."""
    if not path.is_dir():
        raise NotADirectoryError(f"{path} is not a folder")
    return {name: (path / name).read_bytes() for name in PLAN_FILES if (path / name).exists()}


def load_files(files: Content) -> tuple[Plan | None, list[Fault]]:
    """The plan that these files make, or None where one has an error; and every fault, warnings among them."""
    found = examine(files)
    if errors_of(found.faults):
        return None, found.faults
    return _made(found, files), found.faults


def load_stored(files: Content) -> tuple[Plan | None, list[Fault]]:
    """The plan that these files made once, without what is refused by now (the plan's ``left_out``); and every fault.

    It was in force, and what came to a stop for one zone would judge nothing by all the others. None where a whole file
    cannot be read.
    """
    found = examine(files)
    errors = errors_of(found.faults)
    if any(not fault.feature for fault in errors):
        return None, found.faults
    if not errors:
        return _made(found, files), found.faults
    zones, routes = {zone.id for zone in found.zones}, [route.id for route in found.routes]
    stand = replace(
        found,
        routes=[
            replace(route, checkpoints=tuple(c for c in route.checkpoints if c.zone in zones))
            for route in found.routes
        ],
        policies=sound_policies(found.policies, regimes=REGIMES, routes=routes, zones=zones),
    )
    return replace(_made(stand, files), left_out=tuple(errors)), found.faults


def _made(found: Examined, files: Content) -> Plan:
    """The plan of what was found sound."""
    texts = {name: as_text(files[name], FaultSink(name)) for name in PLAN_FILES if name in files}
    zone_index = {zone.id: i for i, zone in enumerate(found.zones)}
    route_index = {route.id: i for i, route in enumerate(found.routes)}
    return Plan(
        version=0,
        valid_from_ms=None,
        digest=_digest(texts),
        files=PackedTexts(texts),
        zones=tuple(zone.without_shape() for zone in found.zones),
        routes=tuple(route.without_vertices() for route in found.routes),
        zone_set=ZoneSet.build([zone.geometry for zone in found.zones]),
        corridors=CorridorSet.build([route.geometry for route in found.routes]),
        zone_index=zone_index,
        route_index=route_index,
        journeys=tuple(found.journeys),
        policies=PolicyTable(
            found.policies, regimes=REGIMES, routes=list(route_index), zones=list(zone_index)
        ),
        units=tuple(found.units),
        equipment=tuple(found.equipment),
        vehicles=tuple(found.vehicles),
        calendars=tuple(found.calendars),
        licences={one.id: one for one in found.licences},
    )


def with_policies(plan: Plan, text: str | bytes, file: str) -> tuple[Plan | None, list[Fault]]:
    """``plan`` judged by another policy file, or None where that has an error; and every fault, of ``file``."""
    references = References(Ids(plan.zone_index), Ids(plan.route_index))
    tables, faults = read_policies(text, file, references)
    policies, found = merge_policies(tables, plan.zones, plan.routes, zones_file=ZONES, routes_file=ROUTES)
    faults = [*faults, *found]
    if errors_of(faults):
        return None, faults
    table = PolicyTable(policies, regimes=REGIMES, routes=list(plan.route_index), zones=list(plan.zone_index))
    return replace(plan, policies=table), faults


def empty_plan() -> Plan:
    """The plan of whoever has none yet, version 0: no zones, no routes, nobody armed, policies by default."""
    nothing = '{"type": "FeatureCollection", "features": []}'
    plan, _ = load_files(dict.fromkeys(NEEDED, nothing))
    assert plan is not None, "an empty collection has no fault"
    return plan


def examine(files: Content, *, whole: bool = True) -> Examined:
    """Read and check ``files``.

    Parameters
    ----------
    files
        content by name; names that are not of `PLAN_FILES` are ignored.
    whole
        these are all the files there are: the needed ones must be among them. False: what would stand in a file
        that is not given is not missed.
    """
    faults = [_missing(name) for name in NEEDED if whole and name not in files]
    units_known = unit_ids(files[UNITS]) if UNITS in files else Ids.unchecked()
    zones, found = read_zones(files[ZONES], ZONES, unit_ids=units_known) if ZONES in files else ([], [])
    zones_known = Ids.of((zone.id for zone in zones), found) if ZONES in files else Ids.unchecked()
    faults += found
    routes, found = read_routes(files[ROUTES], ROUTES, zone_ids=zones_known) if ROUTES in files else ([], [])
    routes_known = Ids.of((route.id for route in routes), found) if ROUTES in files else Ids.unchecked()
    faults += [*found, *cross_check(zones, routes)]

    legs = {route.id: len(route.geometry.half_width_m) for route in routes}
    in_force = {route.id: (route.valid_from_ms, route.valid_to_ms) for route in routes}
    vehicles, found = read_vehicles(files[VEHICLES], VEHICLES) if VEHICLES in files else ([], [])
    faults += found
    calendars, found = read_calendars(files[CALENDARS], CALENDARS) if CALENDARS in files else ([], [])
    faults += found
    named = Ids.of((c.id for c in calendars), found) if whole or CALENDARS in files else Ids.unchecked()
    references = References(
        zones_known, routes_known, units_known, legs=legs, in_force=in_force, calendars=named
    )
    units, found = _read(read_units, UNITS, files, references)
    faults += found
    equipment, found = _read(read_equipment, EQUIPMENT, files, references)
    faults += found
    bridges = (
        Ids.of((e.id for e in equipment if e.kind == "weighbridge"), found) if whole else Ids.unchecked()
    )
    licences, found = _read(read_licences, LICENCES, files, references)
    faults += found
    licensed = Ids.of((one.id for one in licences), found) if LICENCES in files else Ids.unchecked()
    references = replace(references, licences=licensed, weighbridges=bridges)
    journeys, found = _read(read_journeys, JOURNEYS, files, references)
    faults += found
    faults += check_arming(journeys, zones, routes, vehicles, JOURNEYS)
    tables, found = read_policies(files[POLICIES], POLICIES, references) if POLICIES in files else ({}, [])
    faults += found
    policies, found = merge_policies(tables, zones, routes, zones_file=ZONES, routes_file=ROUTES)
    faults += found
    faults.sort(key=lambda fault: PLAN_FILES.index(fault.file))
    return Examined(
        zones, routes, journeys, policies, units, equipment, vehicles, calendars, licences, faults
    )


def _read(
    read: Callable[[str | bytes, str, References], tuple[list[T], list[Fault]]],
    name: str,
    files: Content,
    references: References,
) -> tuple[list[T], list[Fault]]:
    """What ``read`` makes of the file, nothing where it is absent."""
    return read(files[name], name, references) if name in files else ([], [])


def _missing(name: str) -> Fault:
    remedy = 'add it; with nothing in it yet it is {"type": "FeatureCollection", "features": []}'
    return Fault(name, "", "", "is not there", "a plan folder has zones.geojson and routes.geojson", remedy)


@uncollected()
def _digest(texts: Mapping[str, str]) -> str:
    """SHA-256 over what the files say, not how they are laid out."""
    digest = hashlib.sha256()
    for name, text in sorted(texts.items()):
        value: Any
        if name.endswith(".toml"):
            value = tomllib.loads(text)
        elif name.endswith(".jsonl"):
            value = [msgspec.json.decode(line) for line in text.split("\n") if line.strip()]
        else:
            value = msgspec.json.decode(text)
        content = msgspec.json.encode(value, order="sorted")
        digest.update(json.dumps([name, len(content)]).encode() + content)
    return digest.hexdigest()
