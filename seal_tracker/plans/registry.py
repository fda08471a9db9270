"""``units.toml`` and ``equipment.jsonl``: who answers, and what must be heard of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from geofences.catalog import ID_PATTERN, Fault, FaultSink, Fields, Ids
from geofences.catalog.faults import did_you_mean, quoted
from geofences.catalog.text import as_text
from seal_tracker.plans.lines import objects_of
from seal_tracker.plans.model import EQUIPMENT_KINDS, EQUIPMENT_READS, Equipment, Unit
from seal_tracker.plans.probes import Probe, refusal_of
from seal_tracker.plans.references import References
from seal_tracker.plans.toml import tables_of

__all__ = ["read_equipment", "read_units", "unit_ids"]

UNIT_MEMBERS = ("name", "parent", "head", "deputies", "contact", "jurisdiction_zone")
LANGUAGES = ("vi", "en")
TIMEOUT_S = 5.0
"""A camera that is there answers in tens of milliseconds, over a bad line in one or two seconds."""


def unit_ids(text: str | bytes) -> Ids:
    """The ids of a TOML file's units, faulty ones too; where it is not TOML, nothing is called unknown."""
    tables = tables_of(text, FaultSink(""))
    return Ids.unchecked() if tables is None else Ids(set(tables))


def read_units(text: str | bytes, file: str, references: References) -> tuple[list[Unit], list[Fault]]:
    """Units of a TOML file with a table for each: ``[ID]``, ``name = {vi = "…", en = "…"}``, ``parent`` and so on."""
    sink = FaultSink(file)
    tables = tables_of(text, sink) or {}
    units = []
    for row, (name, table) in enumerate(tables.items()):
        if not ID_PATTERN.fullmatch(name):
            why = "ids are 1 to 64 of A-Z a-z 0-9 _ . : -"
            sink.error(
                row, name, "", f"the id is {quoted(name)}", why, "write such an id: [HQ.HP] needs quotes"
            )
        if not isinstance(table, dict):
            sink.error(
                row,
                name,
                "",
                f"is {quoted(table)}",
                "a unit is a table",
                f"write [{name}] and its members below",
            )
            continue
        unit = _unit(name, Fields(table, sink, row, name), tables, references)
        if not sink.is_faulty(row):
            units.append(unit)
    _check_cycles(tables, sink)
    return units, sink.in_order()


def _unit(name: str, fields: Fields, tables: Mapping[str, Any], references: References) -> Unit:
    fields.only(UNIT_MEMBERS)
    parent = fields.id("parent")
    if parent is not None and parent not in tables:
        fields.error(
            "parent", f"there is no unit “{parent}”", "it is not in this file", did_you_mean(parent, tables)
        )
    return Unit(
        id=name,
        name=_names(name, fields),
        parent=parent,
        head=fields.text("head"),
        contact=fields.text("contact"),
        jurisdiction_zone=references.zone(fields, "jurisdiction_zone"),
        deputies=_deputies(fields),
    )


def _deputies(fields: Fields) -> tuple[str, ...]:
    """Who acts for the head, in order; each once, the head not among them."""
    given = fields.values.get("deputies", [])
    if not isinstance(given, list) or not all(
        isinstance(name, str) and name.strip() and "\0" not in name for name in given
    ):
        why, remedy = "deputies are names, in the order in which they act", 'write deputies = ["…", "…"]'
        fields.error("deputies", f"is {quoted(given)}", why, remedy)
        return ()
    head = fields.values.get("head")
    if given and head is None:
        fields.warn("deputies", "stands without head", "there is nobody to act for", "write head too")
    return tuple(name for name in dict.fromkeys(given) if name != head)


def _names(name: str, fields: Fields) -> Mapping[str, str]:
    """By language; one text serves both."""
    if not fields.require("name", 'write name = {vi = "…", en = "…"}'):
        return {}
    if not isinstance(fields.values["name"], dict):
        text = fields.text("name")
        return dict.fromkeys(LANGUAGES, text or name)
    names = fields.within("name", fields.table("name"))
    names.only(LANGUAGES)
    found = {language: text for language in LANGUAGES if (text := names.text(language)) is not None}
    if not names.values:
        fields.error("name", "is empty", "a unit is shown by its name", 'write name = {vi = "…", en = "…"}')
    return found


def _check_cycles(tables: Mapping[str, Any], sink: FaultSink) -> None:
    """A unit above itself has no head to escalate to; each circle is named once, at its first unit."""
    parent = {name: table.get("parent") for name, table in tables.items() if isinstance(table, dict)}
    rows = {name: row for row, name in enumerate(tables)}
    done: set[str] = set()
    for name in parent:
        path: list[str] = []
        above: Any = name
        while isinstance(above, str) and above in parent and above not in done and above not in path:
            path.append(above)
            above = parent[above]
        if above in path:
            circle = path[path.index(above) :]
            what = f"is above itself: {' → '.join([*circle, above])}"
            sink.error(
                rows[above],
                above,
                "parent",
                what,
                "an alarm would escalate in a circle",
                "correct one parent",
            )
        done.update(path)


def read_equipment(
    text: str | bytes, file: str, references: References
) -> tuple[list[Equipment], list[Fault]]:
    """Cameras, scanners and readers of a JSON Lines file."""
    sink = FaultSink(file)
    found = []
    for fields in objects_of(as_text(text, sink), sink):
        fields.only(("id", "kind", "unit", "lon", "lat", "heartbeat_s", "zone", "reads", "probe"))
        for key, remedy in (
            ("kind", f"write one of {', '.join(EQUIPMENT_KINDS)}"),
            ("lon", "write its longitude in degrees"),
            ("lat", "write its latitude in degrees"),
            ("heartbeat_s", "write how many seconds apart its heartbeats are"),
        ):
            fields.require(key, remedy)
        kind = fields.choice("kind", EQUIPMENT_KINDS)
        lon_deg = fields.number("lon", at_least=-180, at_most=180, unit="degrees")
        lat_deg = fields.number("lat", at_least=-90, at_most=90, unit="degrees")
        heartbeat_s = fields.number("heartbeat_s", above=0, unit="seconds")
        unit, zone = references.unit(fields, "unit"), references.zone(fields, "zone")
        probe, reads = _probe(fields, heartbeat_s), _reads(fields)
        if (
            kind is None
            or lon_deg is None
            or lat_deg is None
            or heartbeat_s is None
            or sink.is_faulty(fields.row)
        ):
            continue
        found.append(Equipment(fields.label, kind, lon_deg, lat_deg, heartbeat_s, unit, zone, reads, probe))
    return found, sink.in_order()


def _reads(fields: Fields) -> tuple[str, ...]:
    """What it reads of every lorry that passes; nothing where nothing is said."""
    given = fields.values.get("reads", [])
    if not isinstance(given, list) or any(one not in EQUIPMENT_READS for one in given):
        remedy = f"write a list of {', '.join(EQUIPMENT_READS)}"
        fields.error("reads", f"is {quoted(given)}", "it is what is read of a lorry", remedy)
        return ()
    if given and fields.values.get("zone") is None:
        why = "whether a lorry passed it is known by its zone"
        fields.warn("reads", "stands without zone", why, "write the id of the gate's zone too")
    return tuple(dict.fromkeys(given))


def _probe(fields: Fields, heartbeat_s: float | None) -> Probe | None:
    """Where it is asked, as often as it is to be heard where nothing else is said; None where it is not, or something is wrong."""
    given = fields.values.get("probe")
    if given is None:
        return None
    probe = fields.within("probe", {"url": given} if isinstance(given, str) else fields.table("probe"))
    probe.only(("url", "every_s", "timeout_s", "insecure"))
    if not probe.require("url", "write where it is asked: http://, https://, rtsp:// or rtsps://"):
        return None
    url = probe.text("url")
    if url is not None and (refusal := refusal_of(url)) is not None:
        probe.error(
            "url", refusal, "nothing can be asked there", "correct it"
        )  # never quoted: it may hold a password
        return None
    every_s = probe.number("every_s", at_least=1, at_most=86_400, unit="seconds") or heartbeat_s
    timeout_s = probe.number("timeout_s", at_least=0.1, at_most=60, unit="seconds") or TIMEOUT_S
    insecure = probe.values.get("insecure", False)
    if not isinstance(insecure, bool):
        probe.error("insecure", f"is {quoted(insecure)}", "it must be true or false", "write true or false")
    if url is None or every_s is None:
        return None
    if heartbeat_s is not None and every_s > heartbeat_s:
        why = f"is asked every {every_s:g} s, and is to be heard every {heartbeat_s:g} s"
        probe.warn(
            "every_s", why, "it will be missed between two answers", "ask it as often as it is to be heard"
        )
    return Probe(url, every_s, timeout_s, insecure=insecure is True)
