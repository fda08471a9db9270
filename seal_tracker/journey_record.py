"""A journey as it is kept: from its declaration to its close, with everything persons have said of it. Pure.

What pings are judged by (`Journey`) is the part of it that has been armed; its state follows from what was said.
"""

from __future__ import annotations

from enum import StrEnum
from hashlib import blake2b
from typing import Any

import msgspec

from seal_tracker.journey import Authorisation, Diversion, Journey, Reset, Suspension, Transfer

__all__ = [
    "UNDER_WAY",
    "Closing",
    "JourneyRecord",
    "State",
    "VehicleChange",
    "as_judged",
    "digest_of",
    "lead_of",
    "read_record",
    "record_of",
    "state_of",
    "transferred_at",
    "vehicle_of",
    "written",
]

LEAD_ROLES = ("seal", "tractor")


class State(StrEnum):
    """Where a journey is in its life; what can be told from its track (in transit, at a stop, arrived) is not of these."""

    DECLARED = "DECLARED"
    ASSIGNED = "ASSIGNED"
    ARMED = "ARMED"
    SUSPENDED = "SUSPENDED"
    DIVERTED = "DIVERTED"
    TRANSFERRED = "TRANSFERRED"
    DISARMED = "DISARMED"
    CLOSED = "CLOSED"
    CANCELLED = "CANCELLED"


UNDER_WAY = frozenset({State.ARMED, State.SUSPENDED, State.DIVERTED, State.TRANSFERRED})
"""States of a journey whose seal is armed."""


class Closing(msgspec.Struct, frozen=True, kw_only=True):
    """How a journey ended, as an officer said: a reason code and a note."""

    code: str
    note: str
    at_ms: int
    by: str


class VehicleChange(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """From ``at_ms`` on another vehicle carries the cargo, as ``by`` ordered."""

    at_ms: int
    vehicle: str
    by: str
    reason: str | None = None


class JourneyRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One journey; times are UTC epoch ms.

    Attributes
    ----------
    devices
        (id, role) as first assigned; what took their place later stands in ``transfers``.
    vehicle, trailer, box, carrier, consignee
        registrations of the vehicle and of what it draws, number of the container, who carries its cargo and for whom it is, as declared.
    load
        what is declared of an oversized vehicle's size and mass.
    vehicles
        what took the vehicle's place on the way, by when it did.
    cancelled_at_ms
        when it was called off; what was armed ends then.
    withdrawn
        the plan that brought it has it no longer: it is judged as if it had never been.
    """

    id: str
    regime: str
    devices: tuple[tuple[str, str], ...] = ()
    route: str | None = None
    unit: str | None = None
    due_at_ms: int | None = None
    declaration: str | None = None
    box: str | None = None
    vehicle: str | None = None
    cargo: str | None = None
    carrier: str | None = None
    consignee: str | None = None
    origin_zone: str | None = None
    destination_zone: str | None = None
    permit: dict[str, Any] | None = None
    trailer: str | None = None
    load: dict[str, Any] | None = None
    minerals: dict[str, Any] | None = None
    armed_at_ms: int | None = None
    disarmed_at_ms: int | None = None
    authorisations: tuple[Authorisation, ...] = ()
    diversions: tuple[Diversion, ...] = ()
    suspensions: tuple[Suspension, ...] = ()
    resets: tuple[Reset, ...] = ()
    transfers: tuple[Transfer, ...] = ()
    vehicles: tuple[VehicleChange, ...] = ()
    cancelled_at_ms: int | None = None
    closing: Closing | None = None
    withdrawn: bool = False


def state_of(record: JourneyRecord) -> State:
    """The state that follows from what was said of a journey; of a diversion and a transfer the later one names it."""
    if record.withdrawn or record.cancelled_at_ms is not None:
        return State.CANCELLED
    if record.closing is not None:
        return State.CLOSED
    if record.disarmed_at_ms is not None:
        return State.DISARMED
    if record.armed_at_ms is None:
        return State.ASSIGNED if lead_of(record.devices) else State.DECLARED
    return _state_under_way(record)


def _state_under_way(record: JourneyRecord) -> State:
    if any(suspension.to_ms is None for suspension in record.suspensions):
        return State.SUSPENDED
    diverted = max((d.at_ms for d in record.diversions), default=None)
    transferred = max(transferred_at(record), default=None)
    if diverted is None and transferred is None:
        return State.ARMED
    later = transferred is not None and (diverted is None or transferred >= diverted)
    return State.TRANSFERRED if later else State.DIVERTED


def vehicle_of(record: JourneyRecord) -> str | None:
    """The vehicle that carries the cargo now."""
    return record.vehicles[-1].vehicle if record.vehicles else record.vehicle


def transferred_at(record: JourneyRecord) -> list[int]:
    """When devices and vehicles were replaced on the way."""
    return [t.at_ms for t in record.transfers] + [v.at_ms for v in record.vehicles]


def lead_of(devices: tuple[tuple[str, str], ...]) -> str | None:
    """The device whose track is the journey's: the first seal, else the first tractor; None where there is neither."""
    return next((name for role in LEAD_ROLES for name, its in devices if its == role), None)


def as_judged(record: JourneyRecord) -> Journey | None:
    """The journey as pings are judged by it; None where it was never armed."""
    lead = lead_of(record.devices)
    if record.withdrawn or record.armed_at_ms is None or lead is None:
        return None
    ends = [at for at in (record.disarmed_at_ms, record.cancelled_at_ms) if at is not None]
    if ends and min(ends) <= record.armed_at_ms:
        return None
    return Journey(
        id=record.id,
        seal=lead,
        devices=record.devices,
        route=record.route,
        regime=record.regime,
        armed_at_ms=record.armed_at_ms,
        disarmed_at_ms=min(ends, default=None),
        unit=record.unit,
        due_at_ms=record.due_at_ms,
        declaration=record.declaration,
        cargo=record.cargo,
        origin_zone=record.origin_zone,
        destination_zone=record.destination_zone,
        authorisations=record.authorisations,
        diversions=record.diversions,
        suspensions=record.suspensions,
        resets=record.resets,
        permit=record.permit,
        transfers=record.transfers,
        vehicle=record.vehicle,
        trailer=record.trailer,
        load=record.load,
        box=record.box,
        vehicles=tuple((v.at_ms, v.vehicle) for v in sorted(record.vehicles, key=lambda v: v.at_ms)),
        minerals=record.minerals,
    )


def record_of(journey: Journey) -> JourneyRecord:
    """What is kept of a journey that a plan brings."""
    return JourneyRecord(
        id=journey.id,
        regime=journey.regime,
        devices=journey.devices,
        route=journey.route,
        unit=journey.unit,
        due_at_ms=journey.due_at_ms,
        declaration=journey.declaration,
        cargo=journey.cargo,
        carrier=journey.carrier,
        origin_zone=journey.origin_zone,
        destination_zone=journey.destination_zone,
        permit=None if journey.permit is None else dict(journey.permit),
        vehicle=journey.vehicle,
        trailer=journey.trailer,
        load=None if journey.load is None else dict(journey.load),
        box=journey.box,
        minerals=None if journey.minerals is None else dict(journey.minerals),
        armed_at_ms=journey.armed_at_ms,
        disarmed_at_ms=journey.disarmed_at_ms,
        authorisations=journey.authorisations,
        diversions=journey.diversions,
        suspensions=journey.suspensions,
        resets=journey.resets,
        transfers=journey.transfers,
    )


_encoder = msgspec.json.Encoder(order="deterministic")
_decoder = msgspec.json.Decoder(JourneyRecord)


def written(record: JourneyRecord) -> bytes:
    """The record as JSON, the same bytes for the same record."""
    return _encoder.encode(record)


def read_record(body: bytes | str) -> JourneyRecord:
    """The record that `written` wrote."""
    return _decoder.decode(body)


def digest_of(body: bytes) -> bytes:
    """16 bytes that tell two written records apart."""
    return blake2b(body, digest_size=16).digest()
