"""Journeys are read with all they say; every fault of theirs is named with its line."""

from __future__ import annotations

from typing import Any

import pytest
from drawing import collection
from folders import ARMED, assert_only_error, files, journey, plan_of, route

from seal_tracker.journey import Diversion, Reset, Suspension
from seal_tracker.plans import load_files

LATER, EVENING = "2026-11-22T04:00:00Z", "2026-11-22T18:00:00Z"


def test_a_journey_keeps_all_that_its_line_says() -> None:
    """Times are UTC ms; the seal leads; the permit stays as it is written."""
    permit = {
        "number": "GP-1",
        "windows": [{"days": ["mon", "sun"], "from": "22:00", "to": "05:00"}],
        "height_m": 4.9,
    }
    written = journey(
        devices=[{"id": "T1", "role": "tractor"}, {"id": "E1", "role": "escort"}],
        disarmed_at="2026-11-22T13:00:00+07:00",
        due_at="2026-11-22T05:00:00Z",
        unit="HQ-HP",
        declaration="10123",
        cargo="steel",
        origin_zone="gate-a",
        destination_zone="gate-b",
        authorisations=[
            {"from": "2026-11-22T05:00:00Z", "to": "2026-11-22T06:00:00Z", "zone": "gate-b", "by": "A"}
        ],
        permit=permit | {"escorts": [{"device": "E1", "gap_m": 200}], "speed_limits_kmh": [40, 30]},
    )
    (found,) = plan_of(files([written])).journeys
    assert (found.id, found.seal, found.route, found.regime) == ("J1", "S1", "hp-lc", "transit")
    assert found.devices == (("S1", "seal"), ("T1", "tractor"), ("E1", "escort"))
    assert found.disarmed_at_ms is not None
    assert found.disarmed_at_ms - found.armed_at_ms == 3 * 3_600_000
    assert (found.unit, found.declaration, found.cargo) == ("HQ-HP", "10123", "steel")
    assert (found.origin_zone, found.destination_zone) == ("gate-a", "gate-b")
    assert found.diversions == found.suspensions == found.resets == ()
    (leave,) = found.authorisations
    assert (leave.to_ms - leave.from_ms, leave.zone, leave.by) == (3_600_000, "gate-b", "A")
    assert found.permit is not None
    assert found.permit["windows"] == permit["windows"]


def test_what_persons_order_of_a_journey_is_kept_in_the_order_of_time() -> None:
    """Diversions, suspensions (perhaps without an end) and resets, each with who gave it."""
    written = journey(
        diversions=[
            {"at": "2026-11-22T05:00:00Z", "route": "hp-lc", "by": "B", "reason": "flood"},
            {"at": LATER, "route": "hp-lc", "by": "A"},
        ],
        suspensions=[{"from": "2026-11-22T06:00:00Z", "by": "A"}, {"from": LATER, "to": EVENING, "by": "A"}],
        resets=[{"at": EVENING, "rule": "PROHIBITED_ZONE", "object": "gate-a", "by": "A"}],
    )
    (found,) = plan_of(files([written])).journeys
    later, evening = found.armed_at_ms + 3_600_000, found.armed_at_ms + 15 * 3_600_000
    assert found.diversions == (
        Diversion(later, "hp-lc", "A"),
        Diversion(later + 3_600_000, "hp-lc", "B", "flood"),
    )
    assert found.suspensions == (
        Suspension(later, evening, "A"),
        Suspension(later + 2 * 3_600_000, None, "A"),
    )
    assert found.resets == (Reset(evening, "PROHIBITED_ZONE", "gate-a", "A"),)


def test_an_order_outside_of_the_armed_time_is_warned_of() -> None:
    """It does nothing, so it was probably meant otherwise; the plan is sound all the same."""
    early = {"at": "2026-11-22T02:00:00Z", "route": "hp-lc", "by": "A"}
    plan, (fault,) = load_files(files([journey(diversions=[early])]))
    assert plan is not None
    assert (fault.level, fault.where) == ("warning", "line 1: diversions[0].at")


def test_the_tractor_leads_where_there_is_no_seal() -> None:
    """A vehicle that may not be sealed is followed by its tractor."""
    devices = [{"id": "E1", "role": "escort"}, {"id": "T1", "role": "tractor"}]
    (found,) = plan_of(files([journey(seal=None, devices=devices)])).journeys
    assert found.seal == "T1"


@pytest.mark.parametrize(
    ("members", "where", "says"),
    [
        ({"route": "hp-lx"}, "route", "did you mean 'hp-lc'"),
        ({"origin_zone": "gate-c"}, "origin_zone", "there is no zone"),
        ({"destination_zone": "x"}, "destination_zone", "there is no zone"),
        ({"unit": "HQ-HN"}, "unit", "there is no unit"),
        ({"regime": "transit2"}, "regime", "did you mean 'transit'"),
        ({"regime": None}, "regime", "is missing"),
        ({"seal": None}, "seal", "is missing"),
        ({"seal": "S 1"}, "seal", "1 to 64"),
        ({"seal": "S" * 65}, "seal", "1 to 64"),
        (
            {"seal": None, "devices": [{"id": "E", "role": "escort"}]},
            "devices",
            "no device of role seal or tractor",
        ),
        ({"devices": [{"id": "S2", "role": "lead"}]}, "devices[0].role", "must be one of"),
        ({"devices": [{"role": "seal"}]}, "devices[0].id", "is missing"),
        ({"devices": [{"id": "S1", "role": "escort"}]}, "devices[0].id", "there twice"),
        ({"armed_at": None}, "armed_at", "is missing"),
        ({"armed_at": "yesterday evening"}, "armed_at", "ISO 8601"),
        ({"disarmed_at": "2026-11-22T02:59:59Z"}, "disarmed_at", "is not after armed_at"),
        ({"due_at": "soon"}, "due_at", "no time of day"),
        ({"sael": "S1"}, "sael", "did you mean 'seal'"),
        ({"cargo": ""}, "cargo", "not empty"),
        (
            {"authorisations": [{"from": ARMED, "to": ARMED, "by": "A"}]},
            "authorisations[0].to",
            "is not after",
        ),
        (
            {"authorisations": [{"from": ARMED, "to": "2026-11-23T00:00:00Z"}]},
            "authorisations[0].by",
            "is missing",
        ),
        (
            {"diversions": [{"at": LATER, "route": "hp-lx", "by": "A"}]},
            "diversions[0].route",
            "did you mean 'hp-lc'",
        ),
        ({"diversions": [{"at": LATER, "by": "A"}]}, "diversions[0].route", "is missing"),
        ({"diversions": [{"route": "hp-lc", "by": "A"}]}, "diversions[0].at", "is missing"),
        ({"diversions": [{"at": LATER, "route": "hp-lc"}]}, "diversions[0].by", "is missing"),
        (
            {"diversions": [{"at": LATER, "route": "hp-lc", "by": "A"}] * 2},
            "diversions[1].at",
            "one route at a time",
        ),
        ({"suspensions": [{"from": LATER, "to": ARMED, "by": "A"}]}, "suspensions[0].to", "is not after"),
        ({"suspensions": [{"from": LATER, "until": LATER, "by": "A"}]}, "suspensions[0].until", "not known"),
        ({"resets": [{"at": LATER, "rule": "SEAL_TAMPERED", "by": "A"}]}, "resets[0].rule", "SEAL_TAMPER"),
        ({"resets": [{"at": LATER, "rule": "SEAL_TAMPER"}]}, "resets[0].by", "is missing"),
        ({"permit": {"number": "1", "height": 4}}, "permit.height", "height_m"),
        ({"permit": {"number": "1", "mass_kg": 0}}, "permit.mass_kg", "more than 0"),
        ({"permit": {"height_m": 4}}, "permit.number", "is missing"),
        ({"permit": {"number": "1", "axle_loads_kg": [9, "9"]}}, "permit.axle_loads_kg[1]", "quotes"),
        (
            {"permit": {"number": "1", "speed_limits_kmh": [40]}},
            "permit.speed_limits_kmh",
            "1 values for 2 legs",
        ),
        (
            {"permit": {"number": "1", "forbidden_dates": ["2026-02-30"]}},
            "permit.forbidden_dates",
            "not a date",
        ),
        (
            {"permit": {"number": "1", "windows": [{"days": ["mo"], "from": "9:00", "to": "17:00"}]}},
            "permit.windows[0].days",
            "did you mean 'mon'",
        ),
        (
            {"permit": {"number": "1", "escorts": [{"device": "E9", "gap_m": 9}]}},
            "permit.escorts[0].device",
            "not among",
        ),
        (
            {
                "devices": [{"id": i, "role": "escort"} for i in ("E1", ["E9"])],
                "permit": {"number": "1", "escorts": [{"device": "E1", "gap_m": 9}]},
            },
            "devices[1].id",
            "must be a text",
        ),
        (
            {"permit": {"number": "1", "structures": [{"zone": "bridge"}]}},
            "permit.structures[0].zone",
            "no zone",
        ),
        (
            {"permit": {"number": "1", "structures": [{"zone": "gate-a", "alone": 1}]}},
            "structures[0].alone",
            "true or",
        ),
    ],
)
def test_a_faulty_journey_is_named_with_its_line(members: dict[str, Any], where: str, says: str) -> None:
    """Line, member, value, reason and remedy of whatever is wrong."""
    if "9:00" in str(members):
        members["permit"]["windows"][0]["from"] = "09:00"
    _, faults = load_files(files([journey(id="J0", seal="S0"), journey(**members)]))
    assert_only_error(
        faults, "journeys.jsonl", "J1", f"line 2: {where}" if where[:4] != "stru" else where, says
    )


def test_a_seal_serves_one_journey_at_a_time() -> None:
    """Armed intervals are half-open: a seal may be armed again the moment it is disarmed."""
    noon, evening = "2026-11-22T12:00:00Z", "2026-11-22T18:00:00Z"
    one, two = journey(disarmed_at=noon), journey(id="J2", armed_at=noon)
    plan_of(files([two, one]))
    _, faults = load_files(
        files([one, two, journey(id="J3", armed_at=evening, disarmed_at="2026-11-23T00:00:00Z")])
    )
    assert_only_error(faults, "journeys.jsonl", "J3", "armed_at", "“S1” is still armed for journey “J2”")


def test_two_journeys_of_one_id_are_a_fault() -> None:
    """An id names one journey."""
    _, faults = load_files(files([journey(), journey(seal="S2")]))
    assert_only_error(faults, "journeys.jsonl", "J1", "line 2: id", "was used on line 1")


def warned(armed_at: str, **members: Any) -> list[tuple[str, str, str]]:
    """(Where, what, why) of the warnings about a journey on a route that holds from 03:00 to 04:00."""
    held = route("hp-lc", checkpoints=[{"zone": "gate-a"}], valid_from=ARMED, valid_to=LATER)
    _, faults = load_files(
        files([journey(armed_at=armed_at, **members)], routes=collection(held, route("open")))
    )
    assert {(f.file, f.feature, f.level) for f in faults} <= {("journeys.jsonl", "J1", "warning")}
    return [(f.where, f.what, f.why) for f in faults]


def test_a_journey_armed_on_a_route_that_does_not_hold_then_is_warned_of() -> None:
    """Before its beginning or from its end on; journey, route and both times are named."""
    before = "2026-11-22T02:59:59Z"
    ((where, what, why),) = warned(before)
    assert (where, what) == ("line 1: route", "“hp-lc” is not in force at 2026-11-22T02:59:59.000Z")
    assert "from 2026-11-22T03:00:00.000Z to 2026-11-22T04:00:00.000Z" in why
    assert warned(LATER)
    assert not warned(ARMED)
    assert not warned("2026-11-22T03:59:59Z")
    assert not warned(before, route="open")


def test_a_diversion_to_a_route_that_does_not_hold_then_is_warned_of() -> None:
    """At the moment of the diversion."""
    to = [{"at": EVENING, "route": "hp-lc", "by": "A"}]
    ((where, what, _),) = warned(ARMED, diversions=to)
    assert (where, EVENING[:-1] in what) == ("line 1: diversions", True)
    assert not warned(ARMED, diversions=[{"at": EVENING, "route": "open", "by": "A"}])
