"""Arming an oversized vehicle: what is declared against permit, registry, and every structure on the route; all reasons at once."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from story import T0_MS, Ground, at, iso

from seal_tracker.journey_record import JourneyRecord
from seal_tracker.plans.admission import Reason, refusals
from seal_tracker.plans.calendars import read_calendars
from seal_tracker.plans.folder import load_files
from seal_tracker.plans.on_route import structures_on
from seal_tracker.plans.permits import MEMBERS, STRUCTURE_LIMITS
from seal_tracker.plans.vehicles import read_vehicles, registry_of
from seal_tracker.web import permit_schema

PERMIT: dict[str, Any] = {
    "number": "GP-1",
    "issuer": "Cục Đường bộ",
    "valid_from": iso(-3600),
    "valid_to": iso(3600),
    "registrations": ["51C-123.45", "51R-67.89"],
    "corridor": "R",
    "length_m": 30,
    "width_m": 4,
    "height_m": 5,
    "mass_kg": 100_000,
    "axle_loads_kg": [10_000, 10_000, 12_000],
}
LOAD = {
    "length_m": 28,
    "width_m": 3.8,
    "height_m": 4.9,
    "mass_kg": 98_000,
    "axle_loads_kg": [9_000, 9_500, 12_000],
}


def record(**more: Any) -> JourneyRecord:
    """A journey that may go, but for what is given."""
    usual: dict[str, Any] = {
        "id": "J",
        "regime": "oversized",
        "route": "R",
        "vehicle": "51C 12345",
        "trailer": "51R-67.89",
    }
    return JourneyRecord(**{**usual, "permit": PERMIT, "load": LOAD} | more)


def ground(**limits: Any) -> Ground:
    """A route east, over two bridges and past a third."""
    made = Ground().route("R", (0, 0), (10_000, 0)).zone("far", 7000, 0, 50, "structure", **limits)
    return made.zone("near", 2000, 0, 50, "structure").zone(
        "beside", 4000, 300, 50, "structure", max_mass_kg=1
    )


def against(
    journey: JourneyRecord, made: Ground | None = None, vehicles: str = "", at_s: float = 0
) -> list[Reason]:
    plan = (made or ground()).plan()
    found, faults = read_vehicles(vehicles, "vehicles.jsonl")
    assert not faults
    at_ms = T0_MS + round(at_s * 1000)
    return refusals(journey, structures_on(plan, journey.route, at_ms), registry_of(found), at_ms)


def told(reasons: list[Reason]) -> list[tuple[Any, ...]]:
    return [(reason.code, reason.field, reason.value, reason.limit) for reason in reasons]


def lines(*objects: dict[str, Any]) -> str:
    return "\n".join(map(json.dumps, objects))


def test_what_keeps_within_permit_and_structures_may_go() -> None:
    assert against(record()) == []
    assert against(record(regime="transit", permit=None, load=None)) == []


def test_an_oversized_vehicle_without_permit_may_not() -> None:
    assert told(against(record(permit=None))) == [("permit_missing", "permit", None, None)]


@pytest.mark.parametrize(("at_s", "code"), [(-3601, "permit_not_yet_valid"), (3600, "permit_expired")])
def test_a_permit_counts_within_its_validity(at_s: float, code: str) -> None:
    """[from, to)."""
    assert [reason.code for reason in against(record(), at_s=at_s)] == [code]
    assert against(record(), at_s=-3600 if at_s < 0 else 3599) == []


def test_every_reason_is_told_at_once_with_field_value_and_limit() -> None:
    """In both languages."""
    load = LOAD | {"width_m": 4.5, "axle_loads_kg": [9_000, 10_500, 12_000]}
    found = against(record(route="Q", vehicle="29A-1", load=load), ground().route("Q", (0, 500), (1, 600)))
    assert told(found) == [
        ("other_corridor", "route", "Q", "R"),
        ("vehicle_not_permitted", "vehicle", "29A-1", "51C-123.45, 51R-67.89"),
        ("exceeds_permit", "load.width_m", 4.5, 4),
        ("exceeds_permit", "load.axle_loads_kg[1]", 10_500, 10_000),
    ]
    assert found[2].text.en == "width is declared as 4.5 m, above the 4 m of permit GP-1"
    assert found[2].text.vi == "chiều rộng khai báo 4,5 m vượt mức 4 m của giấy phép GP-1"
    assert found[2].unit == "m"


def test_other_axles_than_the_permit_gives_loads_for_are_told() -> None:
    load = LOAD | {"axle_loads_kg": [9_000, 9_000]}
    assert told(against(record(load=load))) == [("axle_count", "load.axle_loads_kg", 2, 3)]


def test_structures_are_found_on_the_route_whether_or_not_the_permit_lists_them() -> None:
    """In the order of the route; what only lies beside it is none."""
    assert [one.zone for one in structures_on(ground().plan(), "R", T0_MS)] == ["near", "far"]
    weak = ground(max_mass_kg=90_000, max_axle_kg=12_000, max_height_m=4.5, max_width_m=4)
    assert told(against(record(), weak)) == [
        ("exceeds_structure", "load.mass_kg", 98_000, 90_000),
        ("exceeds_structure", "load.height_m", 4.9, 4.5),
    ]
    assert against(record(), weak)[0].structure == "far"


def test_the_tighter_of_a_structures_own_limits_and_the_permits_counts() -> None:
    permit = PERMIT | {
        "structures": [{"zone": "far", "max_mass_kg": 95_000}, {"zone": "near", "max_width_m": 3.9}]
    }
    assert told(against(record(permit=permit), ground(max_mass_kg=97_000))) == [
        ("exceeds_structure", "load.mass_kg", 98_000, 95_000)
    ]


def test_a_structure_that_the_permit_names_counts_though_it_is_drawn_beside_the_road() -> None:
    """By its own limits, too; round ones are found like others."""
    permit = PERMIT | {"structures": [{"zone": "beside"}]}
    made = ground().journey(regime="oversized", route="R", permit=permit, load=LOAD)
    place = {"type": "Point", "coordinates": at(5000, 10)}
    properties = {"kind": "structure", "radius_m": 40, "max_height_m": 4}
    made.zones.append({"type": "Feature", "id": "round", "geometry": place, "properties": properties})
    _, faults = load_files(made.files())
    reasons = [fault.what for fault in faults if fault.file == "journeys.jsonl"]
    assert [reason.partition("structure")[2] for reason in reasons] == [
        " “round” (round) on the route",
        " “beside” (beside) on the route",
    ]


def test_what_is_not_declared_is_taken_as_the_permit_says_it() -> None:
    """And where the permit does not say it either, nobody knows whether the structure bears it."""
    bare = {"number": "GP-2", "mass_kg": 100_000}
    made = ground(max_mass_kg=90_000, max_height_m=4.5)
    assert told(against(record(permit=bare, load=None), made)) == [
        ("exceeds_structure", "load.mass_kg", 100_000, 90_000),
        ("unknown_at_structure", "load.height_m", None, 4.5),
    ]


def test_a_structure_for_one_vehicle_at_a_time_must_be_so_in_the_permit() -> None:
    """Else nobody would watch it."""
    assert told(against(record(), ground(alone=True))) == [
        ("alone_not_in_permit", "permit.structures", None, None)
    ]
    permit = PERMIT | {"structures": [{"zone": "far", "alone": True}]}
    assert against(record(permit=permit), ground(alone=True)) == []


def test_a_structure_counts_while_it_is_in_force() -> None:
    over = ground(max_mass_kg=1, valid_to=iso(100))
    assert against(record(), over, at_s=0)
    assert not against(record(), over, at_s=100)


TRACTOR = {"id": "51C-123.45", "kind": "tractor", "max_combination_kg": 97_000, "max_width_m": 3, "axles": 1}
TRAILER = {"id": "51R-67.89", "kind": "trailer", "max_axle_kg": 11_000, "axles": 3, "valid_to": iso(-1)}


def test_what_is_registered_of_both_vehicles_counts() -> None:
    both = lines(TRACTOR | {"max_axle_kg": 8_000}, TRAILER)
    assert told(against(record(), vehicles=both)) == [
        ("registration_expired", "trailer", iso(0), iso(-1)),
        ("exceeds_registration", "load.width_m", 3.8, 3),
        ("exceeds_registration", "load.mass_kg", 98_000, 97_000),
        ("exceeds_registration", "load.axle_loads_kg", 12_000, 11_000),
    ]
    assert told(against(record(), vehicles=lines(TRAILER | {"valid_to": iso(1)}))) == [
        ("not_registered", "vehicle", "51C 12345", None)
    ]


def test_more_axles_than_are_registered_and_more_than_the_sum_of_masses_are_told() -> None:
    light = {"max_mass_kg": 40_000, "axles": 1}
    both = lines(
        {"id": "51C-123.45", "kind": "tractor", **light}, {"id": "51R-67.89", "kind": "trailer", **light}
    )
    assert told(against(record(), vehicles=both)) == [
        ("exceeds_registration", "load.mass_kg", 98_000, 80_000),
        ("exceeds_registration", "load.axle_loads_kg", 3, 2),
    ]


def test_a_plan_folder_tells_what_would_not_be_armed_as_warnings() -> None:
    """It was armed elsewhere, and is judged."""
    made = ground(max_mass_kg=90_000).journey(regime="oversized", route="R", permit=PERMIT, load=LOAD)
    plan, faults = load_files(made.files())
    assert plan is not None
    assert plan.journeys[0].load == LOAD
    (fault,) = [f for f in faults if f.file == "journeys.jsonl"]
    assert (fault.level, fault.feature, fault.where) == ("warning", "J-S1", "load.mass_kg")


def test_limits_of_what_is_no_structure_are_suspicious() -> None:
    _, faults = load_files(
        Ground()
        .zone("Z", 0, 0, 50, "gate", max_mass_kg=5)
        .zone("Y", 999, 0, 50, "structure", alone=1)
        .files()
    )
    assert [
        (f.feature, f.where, f.level) for f in faults if "max_mass_kg" in f.where or "alone" in f.where
    ] == [
        ("Z", "properties.max_mass_kg", "warning"),
        ("Y", "properties.alone", "error"),
    ]


@pytest.mark.parametrize(
    ("line", "where"),
    [
        ({"dates": ["2027-2-1"]}, "line 1: dates"),
        ({"periods": [{"from": "2027-02-10", "to": "2027-02-04"}]}, "line 1: periods[0].to"),
        ({"periods": [{"from": "2027-02-10", "to": "2029-02-04"}]}, "line 1: periods[0].to"),
        ({"periods": [{"from": "soon"}]}, "line 1: periods[0].to"),
        ({"windows": [{"from": "6", "to": "09:00"}]}, "line 1: windows[0].from"),
        ({"days": ["mon"], "dates": ["2027-02-01"]}, "line 1: days"),
    ],
)
def test_faults_of_calendars_are_named(line: dict[str, Any], where: str) -> None:
    found, faults = read_calendars(json.dumps({"id": "tet", **line}), "calendars.jsonl")
    assert not found
    assert where in [fault.where for fault in faults]


def test_a_permit_names_calendars_that_there_are() -> None:
    made = (
        Ground()
        .route("R", (0, 0), (9000, 0))
        .journey(regime="oversized", permit={"number": "1", "calendars": ["tet"]})
    )
    plan, faults = load_files(made.files())
    assert plan is None
    assert [f.where for f in faults if f.level == "error"] == ["line 1: permit.calendars[0]"]
    calendar = {"id": "tet", "periods": [{"from": "2027-02-05", "to": "2027-02-07"}], "dates": ["2027-01-01"]}
    plan, _ = load_files(made.files() | {"calendars.jsonl": json.dumps(calendar)})
    assert plan is not None
    assert [day.isoformat() for day in plan.calendars[0].days] == [
        "2027-01-01",
        "2027-02-05",
        "2027-02-06",
        "2027-02-07",
    ]


def test_the_journey_and_calendars_of_the_document_are_sound() -> None:
    """What is shown can be typed as it stands."""
    text = (Path(__file__).parents[2] / "docs" / "oversized.md").read_text()
    shown = dict(re.findall(r"<!-- (\w+) -->\n```json\n(.*?)```", text, re.DOTALL))
    made = Ground().route("QL5", (0, 0), (9000, 0)).zone("cau-lai-vu", 4000, 0, 99, "structure", alone=True)
    journey = json.dumps(json.loads(shown["journey"]))
    plan, faults = load_files(
        made.files() | {"journeys.jsonl": journey, "calendars.jsonl": shown["calendars"]}
    )
    assert plan is not None, faults
    assert not [fault for fault in faults if fault.file.endswith("jsonl")]
    assert len(plan.calendars[0].days) == 11


def test_the_description_of_the_api_has_each_member_of_a_permit() -> None:
    """And of a structure in it, as they are read."""
    assert set(permit_schema.PERMIT["properties"]) == MEMBERS
    assert set(permit_schema.STRUCTURE["properties"]) == {"zone", *STRUCTURE_LIMITS, "alone"}
