"""Declarations of journeys, read: what a line may say, and every fault with its line, member and remedy."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from story import Ground

from geofences.catalog import Fault, Ids
from seal_tracker.journey_record import JourneyRecord, State, state_of
from seal_tracker.supervision.journey_orders import EARLIEST_MS
from seal_tracker.supervision.journey_reading import (
    CSV,
    JSON_LINES,
    MOST_LINES,
    JourneysRead,
    faulty_lines,
    read_declaration,
    read_declarations,
    references_of,
)

PLAN = Ground().zone("Z", 0, 0, 100, "port").route("R", (0, 0), (9000, 0)).plan()
REFERENCES = references_of(PLAN)
UNITS = replace(REFERENCES, units=Ids.unchecked())
NOW_MS = EARLIEST_MS + 2_600 * 86_400_000


def jsonl(*rows: dict[str, Any]) -> tuple[list[JourneyRecord], list[Fault]]:
    return both(read_declarations("\n".join(map(json.dumps, rows)), JSON_LINES, REFERENCES, NOW_MS))


def csv(*lines: str) -> tuple[list[JourneyRecord], list[Fault]]:
    return both(read_declarations("\n".join(lines), CSV, REFERENCES, NOW_MS))


def both(read: JourneysRead) -> tuple[list[JourneyRecord], list[Fault]]:
    return list(read.records), list(read.faults)


def places(faults: list[Fault]) -> list[tuple[str, str]]:
    return [(fault.feature, fault.where) for fault in faults]


def row(name: str = "J1", **more: Any) -> dict[str, Any]:
    return {"id": name, "regime": "transit", **more}


def test_what_a_line_says_decides_how_far_the_journey_is() -> None:
    records, faults = jsonl(
        row("J1", route="R", declaration="1050/HQ", box="MSKU1234565"),
        row("J2", seal="S2", devices=[{"id": "T2", "role": "tractor"}]),
        row("J3", seal="S3", armed_at="2026-11-22T03:00:00Z"),
        row("J4", seal="S3", armed_at="2026-11-20T03:00:00Z", disarmed_at="2026-11-21T03:00:00Z"),
    )
    assert not faults
    states = [state_of(record) for record in records]
    assert states == [State.DECLARED, State.ASSIGNED, State.ARMED, State.DISARMED]
    assert records[1].devices == (("S2", "seal"), ("T2", "tractor"))
    assert records[0].box == "MSKU1234565"


def test_a_csv_says_the_same_as_json_lines() -> None:
    records, faults = csv(
        "id,regime,route,seal,tractor,escort,cargo,armed_at",
        'J1,transit,R,S1|S2,T1,E1|E2,"rice, white",2026-11-22T03:00:00Z',
        "J2,bonded,,,,,,",
    )
    assert not faults
    devices = [{"id": "S2", "role": "seal"}, {"id": "T1", "role": "tractor"}]
    devices += [{"id": name, "role": "escort"} for name in ("E1", "E2")]
    expected, _ = jsonl(
        row(
            "J1",
            route="R",
            seal="S1",
            devices=devices,
            cargo="rice, white",
            armed_at="2026-11-22T03:00:00Z",
        ),
        row("J2") | {"regime": "bonded"},
    )
    assert records == expected


def test_every_faulty_line_is_named_with_its_member() -> None:
    records, faults = jsonl(
        row("J1", route="Q", unit="U"),
        row("J2"),
        row("J2"),
        row("J3", regime="smuggling", colour="red"),
        row("J 4"),
        row("J5", armed_at="2026-11-22T03:00:00Z"),
        row("J6", seal="S6", armed_at="2036-11-22T03:00:00Z"),
        row("J7", seal="S7", disarmed_at="2026-11-22T03:00:00Z"),
        row("J8", devices=[{"id": "S8", "role": "seal"}, {"id": "S8", "role": "tractor"}]),
        row("J9", box="x" * 501),
        row("J10", due_at="0001-01-01T00:00:00+14:00"),
    )
    assert [record.id for record in records] == ["J2"]
    assert places(faults) == [
        ("J1", "line 1: route"),
        ("J2", "line 3: id"),
        ("J3", "line 4: colour"),
        ("J3", "line 4: regime"),
        ("#5", "line 5: id"),
        ("J5", "line 6: armed_at"),
        ("J6", "line 7: armed_at"),
        ("J7", "line 8: disarmed_at"),
        ("J8", "line 9: devices[1].id"),
        ("J9", "line 10: box"),
        ("J10", "line 11: due_at"),
    ]
    assert all(fault.what and fault.why and fault.remedy for fault in faults)


def test_two_lines_that_arm_one_seal_at_once_are_refused() -> None:
    _, faults = jsonl(
        row("J1", seal="S1", armed_at="2026-11-22T03:00:00Z", disarmed_at="2026-11-22T05:00:00Z"),
        row("J2", seal="S1", armed_at="2026-11-22T05:00:00Z", disarmed_at="2026-11-22T06:00:00Z"),
        row("J3", seal="S1", armed_at="2026-11-22T04:00:00Z", disarmed_at="2026-11-22T04:30:00Z"),
    )
    assert places(faults) == [("J3", "line 3: armed_at")]
    assert "“J1”" in faults[0].what


def test_a_csv_is_read_as_excel_writes_it() -> None:
    """With a byte order mark, semicolons or tabs, `sep=`, CRLF, empty columns and lines; a cell may hold a line end."""
    for mark in ("", "sep=;\r\n", "\ufeff"):
        text = f'{mark}ID;Regime;Seal;Cargo;;\r\nJ1;transit;S1;"rice; white\r\nin bags";;\r\n;;;;;\r\nJ2;bonded;;;;\r\n'
        read = read_declarations(text.encode(), CSV, REFERENCES, NOW_MS)
        assert not [fault for fault in read.faults if fault.level == "error"], mark
        assert [(r.id, r.cargo) for r in read.records] == [("J1", "rice; white\r\nin bags"), ("J2", None)]
        assert read.lines == {"J1": 2 + ("sep" in mark), "J2": 5 + ("sep" in mark)}
    tabs = read_declarations("id\tregime\nJ1\ttransit", CSV, REFERENCES, NOW_MS)
    assert [record.id for record in tabs.records] == ["J1"]
    for other in (
        "id,regime\nJ1,transit".encode("utf-16"),
        "id,regime,cargo\nJ1,transit,gạo".encode("cp1258", "replace"),
    ):
        assert not read_declarations(other + b"\xff", CSV, REFERENCES, NOW_MS).records


def test_every_faulty_line_of_ten_thousand_is_named() -> None:
    """The second of two with one id, and what is not the asker's to declare for."""
    rows = [row(f"J{i}", unit="u1") for i in range(10_000)]
    rows[17]["regime"], rows[5000]["id"], rows[9999]["unit"] = "x", "J1", "u2"
    read = read_declarations("\n".join(map(json.dumps, rows)), JSON_LINES, UNITS, NOW_MS, {"u1"})
    assert len(read.records) == 9_997
    assert faulty_lines(read.faults) == "18, 5001, 10000"
    assert faulty_lines(read_declarations("x\n" * 300, JSON_LINES, UNITS, NOW_MS).faults) == "1-300"
    too_many = read_declarations("x\n" * (MOST_LINES + 1), JSON_LINES, UNITS, NOW_MS)
    assert "50001" in too_many.faults[0].what or "50002" in too_many.faults[0].what
    assert len(too_many.faults) == 1


def test_a_csv_that_is_none_says_where() -> None:
    for lines, where in (
        (("id,regime,colour", "J1,transit,red"), "line 1"),
        (("id,seal", "J1,S1"), "line 1"),
        (("id,regime,id", "J1,transit,J1"), "line 1"),
        (("id,regime", "J1,transit,S1"), "line 2"),
        (("id,regime", 'J1,"transit'), "line 2"),
        (("",), "line 1"),
    ):
        records, faults = csv(*lines)
        assert records == []
        assert [fault.where for fault in faults] == [where], lines


def test_half_a_character_in_a_permit_is_a_fault_and_no_crash() -> None:
    record, faults = read_declaration(
        row(permit={"number": "1", "registrations": ["\ud800"]}), REFERENCES, NOW_MS
    )
    assert record is None
    assert faults


def test_one_declaration_names_its_members() -> None:
    record, faults = read_declaration(row(route="Q"), REFERENCES, NOW_MS)
    assert record is None
    assert places(faults) == [("J1", "route")]
