"""``journeys.jsonl`` to journeys, and all that is wrong with them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from geofences.catalog import Fault, FaultSink, Fields
from geofences.catalog.text import as_text
from seal_tracker.model import iso_ms
from seal_tracker.plans.dated import read_authorisations, read_diversions, read_resets, read_suspensions
from seal_tracker.plans.lines import objects_of
from seal_tracker.plans.minerals import check_minerals
from seal_tracker.plans.model import LEAD_ROLES, ROLES, Journey
from seal_tracker.plans.permits import check_load, check_permit
from seal_tracker.plans.references import References
from seal_tracker.rules.policy import REGIMES

__all__ = ["read_journeys"]

MEMBERS = frozenset(
    {
        "id",
        "seal",
        "devices",
        "route",
        "regime",
        "armed_at",
        "disarmed_at",
        "unit",
        "due_at",
        "declaration",
        "cargo",
        "carrier",
        "origin_zone",
        "destination_zone",
        "authorisations",
        "diversions",
        "suspensions",
        "resets",
        "permit",
        "vehicle",
        "trailer",
        "load",
        "box",
        "minerals",
    }
)

FOREVER_MS = 2**63 - 1
"""End of a journey that is still armed."""


@dataclass(frozen=True, slots=True)
class _Armed:
    """When a device is armed, for which journey, and where that is written."""

    from_ms: int
    to_ms: int
    fields: Fields


def read_journeys(text: str | bytes, file: str, references: References) -> tuple[list[Journey], list[Fault]]:
    """Journeys of a JSON Lines file.

    Returns
    -------
    journeys, faults
        sound journeys in the order of the file; every fault, warnings among them.
    """
    sink = FaultSink(file)
    journeys = []
    armed: dict[str, list[_Armed]] = defaultdict(list)
    for fields in objects_of(as_text(text, sink), sink):
        journey = _journey(fields, references, armed)
        if journey is not None:
            journeys.append((fields.row, journey))
    _check_overlaps(armed)
    return [journey for row, journey in journeys if not sink.is_faulty(row)], sink.in_order()


def _journey(fields: Fields, references: References, armed: dict[str, list[_Armed]]) -> Journey | None:
    """None, after all members have been checked, where one that a journey cannot be without is faulty."""
    fields.only(MEMBERS)
    devices = _devices(fields)
    seal = next((name for role in LEAD_ROLES for name, its in devices if its == role), None)
    fields.require("regime", f"write one of {', '.join(REGIMES)}")
    regime = fields.choice("regime", REGIMES)
    armed_at_ms, disarmed_at_ms = _armed_ms(fields)
    route = references.route(fields, "route")
    permit = fields.table("permit")
    check_permit(permit, fields, references, legs=references.legs.get(route or ""))
    load = fields.table("load")
    check_load(load, fields)
    minerals = fields.table("minerals")
    check_minerals(minerals, fields, references)
    due_at_ms = fields.time_ms("due_at")
    if due_at_ms is not None and armed_at_ms is not None and due_at_ms <= armed_at_ms:
        fields.warn(
            "due_at", "is not after armed_at", "it would be late from the start", "correct one of the two"
        )
    rest: dict[str, Any] = {
        "unit": references.unit(fields, "unit"),
        "origin_zone": references.zone(fields, "origin_zone"),
        "destination_zone": references.zone(fields, "destination_zone"),
        "declaration": fields.text("declaration"),
        "cargo": fields.text("cargo"),
        "box": fields.text("box"),
        "carrier": fields.text("carrier"),
        "vehicle": fields.text("vehicle"),
        "trailer": fields.text("trailer"),
    }
    armed_time = armed_at_ms, disarmed_at_ms
    authorisations = read_authorisations(fields, references)
    diversions = read_diversions(fields, references, armed_time)
    suspensions, resets = read_suspensions(fields, armed_time), read_resets(fields, armed_time)
    _check_in_force(fields, "route", route, armed_at_ms, references)
    for diversion in diversions:
        _check_in_force(fields, "diversions", diversion.route, diversion.at_ms, references)
    if armed_at_ms is not None:
        interval = _Armed(armed_at_ms, FOREVER_MS if disarmed_at_ms is None else disarmed_at_ms, fields)
        for name in {name for name, role in devices if name == seal or role == "seal"}:
            armed[name].append(interval)
    if seal is None or regime is None or armed_at_ms is None:
        return None
    return Journey(
        id=fields.label,
        seal=seal,
        devices=devices,
        route=route,
        regime=regime,
        armed_at_ms=armed_at_ms,
        disarmed_at_ms=disarmed_at_ms,
        due_at_ms=due_at_ms,
        authorisations=authorisations,
        diversions=diversions,
        suspensions=suspensions,
        resets=resets,
        permit=permit or None,
        load=load or None,
        minerals=minerals or None,
        **rest,
    )


def _check_in_force(
    fields: Fields, member: str, route: str | None, at_ms: int | None, references: References
) -> None:
    """Warn where a journey is armed on a route, or diverted to one, that does not hold yet, or no more."""
    from_ms, to_ms = references.in_force.get(route or "", (None, None))
    if at_ms is None or ((from_ms is None or from_ms <= at_ms) and (to_ms is None or at_ms < to_ms)):
        return
    held = " ".join(
        f"{word} {iso_ms(ms)}" for word, ms in (("from", from_ms), ("to", to_ms)) if ms is not None
    )
    fields.warn(
        member,
        f"“{route}” is not in force at {iso_ms(at_ms)}",
        f"it is {held}; while it does not hold, the journey is judged without a route",
        "name a route that holds then, or correct one of the times",
    )


def _armed_ms(fields: Fields) -> tuple[int | None, int | None]:
    fields.require("armed_at", "write when the seal was locked, like 2026-11-22T03:00:00Z")
    return fields.period_ms("armed_at", "disarmed_at")


def _devices(fields: Fields) -> tuple[tuple[str, str], ...]:
    """(id, role) of each device, ``seal`` being short for one of the role seal."""
    devices: list[tuple[str, str]] = []
    seal = fields.id("seal")
    if seal is not None:
        devices.append((seal, "seal"))
    for entry in fields.objects("devices"):
        entry.only({"id", "role"})
        entry.require("id", "write the device's id")
        entry.require("role", f"write one of {', '.join(ROLES)}")
        name, role = entry.id("id"), entry.choice("role", ROLES)
        if name is None or role is None or (name, role) in devices[:1]:
            continue
        if name in [other for other, _ in devices]:
            entry.error(
                "id", f"“{name}” is there twice", "a device has one role on a journey", "keep one of them"
            )
        devices.append((name, role))
    if fields.values.get("seal") is None and not any(role in LEAD_ROLES for _, role in devices):
        given = "devices" if devices else "seal"
        what = "has no device of role seal or tractor" if devices else "is missing"
        fields.error(
            given, what, "a journey's track is its seal's or tractor's", 'write "seal": "…" with its id'
        )
    return tuple(devices)


def _check_overlaps(armed: dict[str, list[_Armed]]) -> None:
    """A seal serves one journey at a time: its armed intervals do not overlap."""
    for seal, intervals in armed.items():
        longest: _Armed | None = None
        for interval in sorted(intervals, key=lambda a: (a.from_ms, a.fields.row)):
            if longest is not None and interval.from_ms < longest.to_ms:
                interval.fields.error(
                    "armed_at",
                    f"“{seal}” is still armed for journey “{longest.fields.label}”",
                    "a seal serves one journey at a time",
                    f"disarm “{longest.fields.label}” before, or correct the times",
                )
            if longest is None or interval.to_ms > longest.to_ms:
                longest = interval
