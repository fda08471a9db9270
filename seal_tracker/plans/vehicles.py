"""``vehicles.jsonl``: the registry of vehicles, what each may weigh and measure by its registration. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from geofences.catalog import Fault, FaultSink
from geofences.catalog.text import as_text
from seal_tracker.plans.lines import objects_of

__all__ = ["VEHICLE_KINDS", "Vehicle", "plate_of", "read_vehicles", "registry_of"]

VEHICLE_KINDS: tuple[str, ...] = ("tractor", "truck", "trailer", "special")

LIMITS = {
    "max_mass_kg": "kg",
    "max_combination_kg": "kg",
    "max_axle_kg": "kg",
    "max_length_m": "metres",
    "max_width_m": "metres",
    "max_height_m": "metres",
}


@dataclass(frozen=True, slots=True)
class Vehicle:
    """A registered vehicle; its ``id`` is the registration number. Masses are with the load, sizes too; None: not limited.

    ``max_mass_kg`` is its own with what it carries, ``max_combination_kg`` that of the vehicle with what it draws. ``valid_to_ms``
    (epoch ms) is when its registration, or inspection, runs out.
    """

    id: str
    kind: str
    owner: str | None = None
    max_mass_kg: float | None = None
    max_combination_kg: float | None = None
    max_axle_kg: float | None = None
    axles: int | None = None
    max_length_m: float | None = None
    max_width_m: float | None = None
    max_height_m: float | None = None
    valid_to_ms: int | None = None


def read_vehicles(text: str | bytes, file: str) -> tuple[list[Vehicle], list[Fault]]:
    """Vehicles of a JSON Lines file, and every fault."""
    sink = FaultSink(file)
    found = []
    for fields in objects_of(as_text(text, sink), sink):
        fields.only({"id", "kind", "owner", "axles", "valid_to", *LIMITS})
        fields.require("kind", f"write one of {', '.join(VEHICLE_KINDS)}")
        kind, owner = fields.choice("kind", VEHICLE_KINDS), fields.text("owner")
        limits = {key: fields.number(key, above=0, unit=unit) for key, unit in LIMITS.items()}
        axles = fields.number("axles", above=0)
        if axles is not None and axles != int(axles):
            fields.error("axles", f"is {axles:g}", "axles are whole", "write how many it has")
        valid_to_ms = fields.time_ms("valid_to")
        if kind is None or sink.is_faulty(fields.row):
            continue
        count = None if axles is None else int(axles)
        found.append(Vehicle(fields.label, kind, owner, axles=count, valid_to_ms=valid_to_ms, **limits))
    return found, sink.in_order()


def registry_of(vehicles: Iterable[Vehicle]) -> dict[str, Vehicle]:
    """Vehicles by their plates as those are compared."""
    return {plate_of(vehicle.id): vehicle for vehicle in vehicles}


def plate_of(registration: str) -> str:
    """A registration as it is compared: ``51c-123.45`` and ``51C 12345`` are one."""
    return "".join(c for c in registration.upper() if c.isalnum())
