"""Declarations of journeys, one or many (JSON Lines, CSV), to records; and all that is wrong with them. Pure.

A line has the members of ``journeys.jsonl`` that are known before or at the start of a journey: without a device it is
declared, with one assigned, with ``armed_at`` armed, with ``disarmed_at`` over.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any

from geofences.catalog import ID_PATTERN, Fault, FaultSink, Fields, Ids
from geofences.catalog.text import as_text
from seal_tracker.journey_record import JourneyRecord, lead_of
from seal_tracker.plans.lines import objects_of
from seal_tracker.plans.model import ROLES, Plan
from seal_tracker.plans.permits import check_permit
from seal_tracker.plans.references import References
from seal_tracker.rules.policy import REGIMES
from seal_tracker.supervision.journey_orders import AHEAD_MS, EARLIEST_MS

__all__ = ["CSV", "JSON_LINES", "Overlaps", "read_declaration", "read_declarations", "references_of"]

JSON_LINES, CSV = "journeys.jsonl", "journeys.csv"
"""What the two kinds of file are called in faults."""

TEXTS = ("declaration", "box", "vehicle", "cargo", "consignee")
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
        "armed_at",
        "disarmed_at",
    }
)

COLUMNS = (MEMBERS - {"devices", "permit"}) | {"tractor", "trailer", "escort"}
"""Of a CSV; several devices of one role are joined by ``|``."""

TEXT_CHARS = 500
"""Longest declaration number, box or description: more is something else pasted in."""

LATEST_DUE_MS = 10 * 366 * 86_400_000
"""Nothing is due in ten years."""

FOREVER_MS = 2**63 - 1


def references_of(plan: Plan | None) -> References:
    """What a declaration may name, by the plan in force; nothing is looked up where there is none."""
    if plan is None:
        return References(Ids(()), Ids(()), Ids(()))
    units = {unit.id for unit in plan.units}
    legs = {route.id: len(route.geometry.half_width_m) for route in plan.routes}
    return References(
        Ids(plan.zone_index), Ids(plan.route_index), Ids(units) if units else Ids.unchecked(), legs
    )


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
    text: str | bytes, kind: str, references: References, now_ms: int
) -> tuple[list[JourneyRecord], list[Fault]]:
    """The journeys of a file (``JSON_LINES`` or ``CSV``) without a fault, in its order; and every fault of all lines."""
    sink = FaultSink(kind)
    plain = as_text(text, sink)
    rows = objects_of(plain, sink) if kind == JSON_LINES else _csv_rows(plain, sink)
    found, overlaps = [], Overlaps()
    for fields in rows:
        record = _record(fields, references, now_ms)
        if record is not None:
            overlaps.add(record, fields)
            found.append((fields.row, record))
    return [record for row, record in found if not sink.is_faulty(row)], sink.in_order()


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
        armed_at_ms=armed_at_ms,
        disarmed_at_ms=disarmed_at_ms,
        unit=unit,
        origin_zone=origin,
        destination_zone=destination,
        declaration=texts["declaration"],
        box=texts["box"],
        vehicle=texts["vehicle"],
        cargo=texts["cargo"],
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


def _csv_rows(text: str, sink: FaultSink) -> Iterator[Fields]:
    """The lines of a CSV as JSON Lines would say them; empty cells say nothing."""
    reader = csv.reader(io.StringIO(text), strict=True)
    try:
        header = next(reader, [])
        names = [name.strip() for name in header]
        unknown = [name for name in names if name not in COLUMNS]
        missing = [name for name in ("id", "regime") if name not in names]
        if unknown or missing or len(set(names)) != len(names):
            what = (
                f"does not know the column “{unknown[0]}”"
                if unknown
                else (f"lacks the column {missing[0]}" if missing else "has a column twice")
            )
            sink.error(
                -1, "", "line 1", what, "columns are named as members", f"known: {', '.join(sorted(COLUMNS))}"
            )
            return
        yield from _csv_lines(reader, names, sink)
    except csv.Error as fault:
        sink.error(-1, "", f"line {reader.line_num}", f"is not CSV: {fault}", "RFC 4180", "mend the quotes")


def _csv_lines(reader: Any, names: list[str], sink: FaultSink) -> Iterator[Fields]:
    first_line: dict[str, int] = {}
    for row, cells in enumerate(reader):
        number = reader.line_num
        if not any(cell.strip() for cell in cells):
            continue
        label, where = f"#{row + 1}", f"line {number}"
        if len(cells) != len(names):
            what = f"has {len(cells)} cells, the header {len(names)}"
            sink.error(
                row, label, where, what, "each line has the header's columns", "mend the commas or quotes"
            )
            continue
        given = {name: cell.strip() for name, cell in zip(names, cells, strict=True) if cell.strip()}
        fields = Fields(_as_members(given), sink, row, label, f"{where}: ")
        name = given.get("id", "")
        if ID_PATTERN.fullmatch(name):
            fields.label = name
            if (first := first_line.setdefault(name, number)) != number:
                fields.error(
                    "id",
                    f"was used on line {first}",
                    "an id names one journey",
                    "give one of them another id",
                )
        elif fields.require("id", "write an id of 1 to 64 of A-Z a-z 0-9 _ . : -"):
            fields.id("id")
        yield fields


def _as_members(given: Mapping[str, str]) -> dict[str, Any]:
    """The cells of a line as members: those of devices together."""
    members: dict[str, Any] = {
        k: v for k, v in given.items() if k not in {"seal", "tractor", "trailer", "escort"}
    }
    seals = given.get("seal", "").split("|") if "seal" in given else []
    if seals:
        members["seal"] = seals[0]
    devices = [{"id": name.strip(), "role": "seal"} for name in seals[1:]]
    for role in ("tractor", "trailer", "escort"):
        devices += [{"id": name.strip(), "role": role} for name in given.get(role, "").split("|") if name]
    if devices:
        members["devices"] = devices
    return members
