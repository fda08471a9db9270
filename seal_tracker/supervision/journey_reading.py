"""Declarations of journeys, one or many (JSON Lines, CSV), to records; and all that is wrong with them. Pure.

A line has the members of ``journeys.jsonl`` that are known before or at the start of a journey: without a device it is
declared, with one assigned, with ``armed_at`` armed, with ``disarmed_at`` over.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from geofences.catalog import Fault, FaultSink, Fields, Ids
from geofences.catalog.text import as_text
from seal_tracker.journey_record import JourneyRecord, lead_of
from seal_tracker.plans.lines import objects_of
from seal_tracker.plans.minerals import check_minerals
from seal_tracker.plans.model import ROLES, Plan
from seal_tracker.plans.permits import check_load, check_permit
from seal_tracker.plans.references import References
from seal_tracker.rules.policy import REGIMES
from seal_tracker.supervision.journey_csv import csv_rows
from seal_tracker.supervision.journey_orders import AHEAD_MS, EARLIEST_MS

__all__ = [
    "CSV",
    "JSON_LINES",
    "MOST_LINES",
    "JourneysRead",
    "Overlaps",
    "faulty_lines",
    "line_of",
    "read_declaration",
    "read_declarations",
    "references_of",
]

JSON_LINES, CSV = "journeys.jsonl", "journeys.csv"
"""What the two kinds of file are called in faults."""

TEXTS = ("declaration", "box", "vehicle", "trailer", "cargo", "carrier", "consignee")
MEMBERS = frozenset(
    {
        "id",
        "seal",
        "devices",
        "route",
        "regime",
        "unit",
        "due_at",
        *TEXTS,
        "origin_zone",
        "destination_zone",
        "permit",
        "load",
        "minerals",
        "armed_at",
        "disarmed_at",
    }
)

NO_COLUMNS = frozenset({"devices", "permit", "load", "minerals"})
"""Members that no cell can say."""

TEXT_CHARS = 500
"""Longest declaration number, box or description: more is something else pasted in."""

LATEST_DUE_MS = 10 * 366 * 86_400_000
"""Nothing is due in ten years."""

FOREVER_MS = 2**63 - 1

MOST_LINES = 50_000
"""Of one file: what a day brings is a fifth of it, and each line may have some faults that are kept."""


class JourneysRead(NamedTuple):
    """The journeys of a file that have no fault, in its order; every fault of all its lines; and the line of each id."""

    records: Sequence[JourneyRecord]
    faults: Sequence[Fault]
    lines: Mapping[str, int]


def references_of(plan: Plan | None) -> References:
    """What a declaration may name, by the plan in force; nothing is looked up where there is none."""
    if plan is None:
        return References(Ids(()), Ids(()), Ids(()), calendars=Ids(()))
    units = {unit.id for unit in plan.units}
    legs = {route.id: len(route.geometry.half_width_m) for route in plan.routes}
    return References(
        Ids(plan.zone_index), Ids(plan.route_index), Ids(units) if units else Ids.unchecked(), legs=legs,
        calendars=Ids([calendar.id for calendar in plan.calendars]),
        licences=Ids(plan.licences), weighbridges=Ids([e.id for e in plan.equipment if e.kind == "weighbridge"]),
    )  # fmt: skip


def read_declaration(
    values: Mapping[str, Any], references: References, now_ms: int
) -> tuple[JourneyRecord | None, list[Fault]]:
    """The journey that one JSON object declares, or None; and every fault."""
    sink = FaultSink("")
    fields = Fields(values, sink, 0, str(values.get("id", "")))
    if fields.require("id", "write an id of 1 to 64 of A-Z a-z 0-9 _ . : -"):
        fields.id("id")
    record = _record(fields, references, now_ms)
    return None if sink.is_faulty(0) else record, sink.in_order()


def read_declarations(
    text: str | bytes,
    kind: str,
    references: References,
    now_ms: int,
    scope: Collection[str] | None = None,
) -> JourneysRead:
    """The journeys of a file (``JSON_LINES`` or ``CSV``), those of the units of ``scope`` alone (None: of all)."""
    sink = FaultSink(kind)
    plain = as_text(text, sink)
    if plain.count("\n") > MOST_LINES:
        what = f"has {plain.count(chr(10)) + 1} lines"
        sink.error(-1, "", "line 1", what, f"{MOST_LINES} are taken in at once", "send it in parts")
        plain = ""
    rows = (
        objects_of(plain, sink)
        if kind == JSON_LINES
        else csv_rows(plain, frozenset(MEMBERS - NO_COLUMNS), sink)
    )
    lines: dict[str, int] = {}
    found, overlaps = [], Overlaps()
    for fields in rows:
        lines.setdefault(fields.label, line_of(fields.prefix) or 0)
        record = _record(fields, references, now_ms)
        if record is not None:
            overlaps.add(record, fields)
            found.append((fields.row, record))
            if scope is not None and record.unit not in scope:
                named = "no unit" if record.unit is None else f"unit “{record.unit}”"
                fields.error("unit", f"is {named}", "it is not yours to declare for", "name a unit of yours")
    records = [record for row, record in found if not sink.is_faulty(row)]
    return JourneysRead(records, sink.in_order(), lines)


def line_of(where: str) -> int | None:
    """The number of the line that the place of a fault names."""
    named = re.match(r"line (\d+)", where)
    return int(named[1]) if named else None


def faulty_lines(faults: Iterable[Fault]) -> str:
    """The numbers of all lines that have a fault, as ``3, 7-12``."""
    numbers = sorted({n for fault in faults if fault.level == "error" and (n := line_of(fault.where))})
    runs = [
        [number for _, number in run]
        for _, run in groupby(enumerate(numbers), lambda item: item[1] - item[0])
    ]
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


class Overlaps:
    """Armed intervals of the lines of one file, refused where a seal would be armed for two journeys at once."""

    def __init__(self) -> None:
        self._armed: dict[str, list[tuple[int, int, str]]] = {}

    def add(self, record: JourneyRecord, fields: Fields) -> None:
        """Take a journey in; a fault where one of its seals is taken."""
        if record.armed_at_ms is None:
            return
        begin, end = (
            record.armed_at_ms,
            FOREVER_MS if record.disarmed_at_ms is None else record.disarmed_at_ms,
        )
        lead = lead_of(record.devices)
        for seal in [d for d, role in record.devices if d == lead or role == "seal"]:
            known = self._armed.setdefault(seal, [])
            taken = next((name for a, b, name in known if begin < b and a < end), None)
            if taken is not None:
                fields.error(
                    "armed_at",
                    f"“{seal}” is armed for journey “{taken}” of this file then",
                    "a seal serves one journey at a time",
                    "correct the times, or the seal",
                )
            known.append((begin, end, record.id))


def _record(fields: Fields, references: References, now_ms: int) -> JourneyRecord | None:
    """None, after all members have been checked, where one that a journey cannot be without is faulty."""
    fields.only(MEMBERS)
    fields.require("regime", f"write one of {', '.join(REGIMES)}")
    regime = fields.choice("regime", REGIMES)
    devices = _devices(fields)
    armed_at_ms, disarmed_at_ms = fields.period_ms("armed_at", "disarmed_at")
    if disarmed_at_ms is not None and fields.values.get("armed_at") is None:
        fields.error("disarmed_at", "stands without armed_at", "it was never armed", "write armed_at too")
    for key, at_ms in (("armed_at", armed_at_ms), ("disarmed_at", disarmed_at_ms)):
        if at_ms is not None and not EARLIEST_MS <= at_ms <= now_ms + AHEAD_MS:
            fields.error(
                key, "is not a time that has been", "it is recorded when it happened", "correct the time"
            )
    if armed_at_ms is not None and lead_of(devices) is None:
        fields.error("armed_at", "stands without a seal", "nothing is armed", 'write "seal": "…" with its id')
    route = references.route(fields, "route")
    permit = fields.table("permit")
    check_permit(permit, fields, references, legs=references.legs.get(route or ""))
    load = fields.table("load")
    check_load(load, fields)
    minerals = fields.table("minerals")
    check_minerals(minerals, fields, references)
    unit, texts = references.unit(fields, "unit"), {name: _text(fields, name) for name in TEXTS}
    origin, destination = (references.zone(fields, key) for key in ("origin_zone", "destination_zone"))
    due_at_ms = fields.time_ms("due_at")
    if due_at_ms is not None and not EARLIEST_MS <= due_at_ms <= now_ms + LATEST_DUE_MS:
        fields.error("due_at", "is no year of ours", "nothing is due then", "correct the year")
    if regime is None:
        return None
    record = JourneyRecord(
        id=fields.label,
        regime=regime,
        devices=devices,
        route=route,
        due_at_ms=due_at_ms,
        permit=dict(permit) or None,
        trailer=texts["trailer"],
        load=dict(load) or None,
        minerals=dict(minerals) or None,
        armed_at_ms=armed_at_ms,
        disarmed_at_ms=disarmed_at_ms,
        unit=unit,
        origin_zone=origin,
        destination_zone=destination,
        declaration=texts["declaration"],
        box=texts["box"],
        vehicle=texts["vehicle"],
        cargo=texts["cargo"],
        carrier=texts["carrier"],
        consignee=texts["consignee"],
    )
    if not fields.sink.is_faulty(fields.row) and not _storable(permit):  # a sound one is not deep
        fields.error("permit", "holds what is no text", "half a character, or NUL", "type the text again")
    return record


def _storable(value: Any) -> bool:
    """Whether all texts within can be kept: neither lone surrogates nor NUL."""
    if isinstance(value, str):
        return "\0" not in value and not any("\ud800" <= c <= "\udfff" for c in value)
    if isinstance(value, Mapping):
        return all(_storable(key) and _storable(item) for key, item in value.items())
    return not isinstance(value, list) or all(map(_storable, value))


def _text(fields: Fields, key: str) -> str | None:
    """A text that the database can hold."""
    value = fields.text(key)
    if value is not None and (len(value) > TEXT_CHARS or "\0" in value):
        fields.error(
            key, "cannot be kept", f"it may have {TEXT_CHARS} characters and no NUL", "shorten the text"
        )
        return None
    return value


def _devices(fields: Fields) -> tuple[tuple[str, str], ...]:
    """(id, role) of each device, ``seal`` being short for one of the role seal."""
    devices: dict[str, str] = {}
    seal = fields.id("seal")
    if seal is not None:
        devices[seal] = "seal"
    for entry in fields.objects("devices"):
        entry.only({"id", "role"})
        entry.require("id", "write the device's id")
        entry.require("role", f"write one of {', '.join(ROLES)}")
        name, role = entry.id("id"), entry.choice("role", ROLES)
        if name is None or role is None or (name, role) == (seal, "seal"):
            continue
        if name in devices:
            entry.error("id", f"“{name}” is there twice", "a device has one role on a journey", "keep one")
        devices[name] = role
    return tuple(devices.items())
