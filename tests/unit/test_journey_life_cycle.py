"""The life cycle of a journey: which order is allowed when, and what it makes of the record."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from seal_tracker.journey_record import (
    UNDER_WAY,
    Closing,
    JourneyRecord,
    State,
    as_judged,
    read_record,
    state_of,
    vehicle_of,
    written,
)
from seal_tracker.supervision.errors import Unfit, WrongState
from seal_tracker.supervision.journey_orders import EARLIEST_MS, Order, applied
from seal_tracker.supervision.life_cycle import ALLOWED, Verb

MIN = 60_000
T0 = EARLIEST_MS + 1_000 * 24 * 60 * MIN
NOW = T0 + 600 * MIN

DECLARED = JourneyRecord(id="J1", regime="transit", route="R")
ASSIGNED = replace(DECLARED, devices=(("S1", "seal"), ("T1", "tractor")))
ARMED = replace(ASSIGNED, armed_at_ms=T0)
DISARMED = replace(ARMED, disarmed_at_ms=T0 + 300 * MIN)


def order(verb: Verb, minute: float = 10, **more: Any) -> Order:
    """An order that every state which allows the verb can follow."""
    needed: dict[Verb, dict[str, Any]] = {
        Verb.ASSIGN: {"devices": (("S2", "seal"),)},
        Verb.DIVERT: {"route": "Q", "reason": "flood"},
        Verb.AUTHORISE: {"to_ms": T0 + 60 * MIN, "zone": "Z"},
        Verb.TRANSFER: {"to": "S9"},
        Verb.CANCEL: {"reason": "accident"},
        Verb.CLOSE: {"code": "completed", "reason": "all well"},
        Verb.RESET: {"rule": "SEAL_TAMPER"},
        Verb.AMEND: {"changes": {"cargo": "maize"}, "reason": "seen at the gate"},
    }
    members = {"at_ms": T0 + round(minute * MIN), "by": "an", **needed.get(verb, {}), **more}
    return Order(verb=verb, **members)


def do(record: JourneyRecord, verb: Verb, minute: float = 10, **more: Any) -> JourneyRecord:
    return applied(record, order(verb, minute, **more), NOW)


SUSPENDED = do(ARMED, Verb.SUSPEND, 5)
EXAMPLES = {
    State.DECLARED: DECLARED,
    State.ASSIGNED: ASSIGNED,
    State.ARMED: ARMED,
    State.SUSPENDED: SUSPENDED,
    State.DIVERTED: do(ARMED, Verb.DIVERT, 5),
    State.TRANSFERRED: do(ARMED, Verb.TRANSFER, 5, to="S8"),
    State.DISARMED: DISARMED,
    State.CLOSED: do(DISARMED, Verb.CLOSE, 310),
    State.CANCELLED: do(DECLARED, Verb.CANCEL, 5),
}

LEADS_TO = {
    Verb.ASSIGN: State.ASSIGNED,
    Verb.ARM: State.ARMED,
    Verb.DISARM: State.DISARMED,
    Verb.SUSPEND: State.SUSPENDED,
    Verb.DIVERT: State.DIVERTED,
    Verb.TRANSFER: State.TRANSFERRED,
    Verb.CANCEL: State.CANCELLED,
    Verb.CLOSE: State.CLOSED,
}
"""The state after an order, given in a state that allows it; disarmed and suspended journeys stay so."""


def test_the_examples_are_in_the_states_they_stand_for() -> None:
    assert {state: state_of(record) for state, record in EXAMPLES.items()} == {s: s for s in State}


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("verb", [verb for verb in Verb if verb is not Verb.CORRECT])
def test_each_order_is_done_in_its_states_and_refused_in_all_others(verb: Verb, state: State) -> None:
    """What is refused says the state, where it is allowed, and what to do."""
    record = EXAMPLES[state]
    if state not in ALLOWED[verb]:
        with pytest.raises(WrongState) as refusal:
            do(record, verb)
        said = str(refusal.value)
        assert f"'J1' is {state}" in said
        assert all(allowed in said for allowed in ALLOWED[verb])
        assert "; " in said
        return
    after = state_of(do(record, verb))
    if state is State.DISARMED and verb is not Verb.CLOSE:
        assert after is State.DISARMED
    elif state is State.SUSPENDED and verb in {Verb.DIVERT, Verb.TRANSFER}:
        assert after is State.SUSPENDED
    else:
        assert after is LEADS_TO.get(verb, State.ARMED if verb is Verb.RESUME else state)


def test_nothing_follows_a_close_or_a_cancelling_but_its_correction() -> None:
    for state in (State.CLOSED, State.CANCELLED):
        assert [verb for verb in Verb if state in ALLOWED[verb]] == [Verb.CORRECT]


def test_only_a_seal_that_is_armed_is_judged() -> None:
    judged = {state: as_judged(record) is not None for state, record in EXAMPLES.items()}
    assert {s for s, held in judged.items() if held} == UNDER_WAY | {State.DISARMED, State.CLOSED}


def test_a_record_is_read_as_it_was_written() -> None:
    for record in EXAMPLES.values():
        assert read_record(written(record)) == record


def test_a_journey_resumed_is_again_what_it_was_before() -> None:
    diverted = do(EXAMPLES[State.DIVERTED], Verb.SUSPEND, 20)
    assert state_of(do(diverted, Verb.RESUME, 30)) is State.DIVERTED


def test_a_vehicle_replaced_on_the_way_is_a_transfer_too() -> None:
    """The journey has that vehicle from then on, whatever order it is told in; the seal goes on."""
    record = do(do(ARMED, Verb.TRANSFER, 90, to=None, vehicle="C"), Verb.TRANSFER, 60, to=None, vehicle="B")
    assert state_of(record) is State.TRANSFERRED
    assert [(v.at_ms, v.vehicle) for v in record.vehicles] == [(T0 + 60 * MIN, "B"), (T0 + 90 * MIN, "C")]
    assert vehicle_of(record) == "C"
    judged, before = as_judged(record), as_judged(ARMED)
    assert judged is not None
    assert before is not None
    assert [judged.vehicles, dataclasses.replace(judged, vehicles=())] == [
        ((T0 + 60 * MIN, "B"), (T0 + 90 * MIN, "C")),
        before,
    ]
    both = do(ARMED, Verb.TRANSFER, 60, to="S2", vehicle="B")
    assert (both.transfers[0].to, vehicle_of(both)) == ("S2", "B")


def test_a_transferred_seal_ends_where_the_new_one_begins() -> None:
    record = do(do(ARMED, Verb.TRANSFER, 60, to="S2"), Verb.TRANSFER, 90, to="S3")
    journey = as_judged(record)
    assert journey is not None
    leads = [(s.device, s.from_ms, s.to_ms) for s in journey.served if s.leads]
    assert leads == [
        ("S1", T0, T0 + 60 * MIN),
        ("S2", T0 + 60 * MIN, T0 + 90 * MIN),
        ("S3", T0 + 90 * MIN, None),
    ]
    assert [s.device for s in journey.watched] == ["S1", "S2", "S3", "T1"]
    assert journey.lead == "S3"


def test_a_journey_cancelled_on_the_way_was_armed_until_then() -> None:
    journey = as_judged(do(ARMED, Verb.CANCEL, 60))
    assert journey is not None
    assert journey.disarmed_at_ms == T0 + 60 * MIN


def test_disarming_ends_a_suspension() -> None:
    record = do(SUSPENDED, Verb.DISARM, 60)
    assert state_of(record) is State.DISARMED
    assert [s.to_ms for s in record.suspensions] == [T0 + 60 * MIN]


REFUSED: list[tuple[str, JourneyRecord, Verb, dict[str, Any]]] = [
    ("at", ASSIGNED, Verb.ARM, {"minute": 610}),  # the future
    ("at", ASSIGNED, Verb.ARM, {"at_ms": EARLIEST_MS - 1}),
    ("at", ARMED, Verb.DISARM, {"minute": 0}),
    ("at", ARMED, Verb.DISARM, {"minute": -5}),
    ("at", ARMED, Verb.DIVERT, {"minute": -5}),
    ("at", EXAMPLES[State.DIVERTED], Verb.DIVERT, {"minute": 5}),
    ("at", DISARMED, Verb.DIVERT, {"minute": 300}),
    ("at", DISARMED, Verb.RESET, {"minute": 301}),
    ("at", SUSPENDED, Verb.RESUME, {"minute": 5}),
    ("to", ARMED, Verb.SUSPEND, {"to_ms": T0 + 10 * MIN}),
    ("at", do(ARMED, Verb.SUSPEND, 5, to_ms=T0 + 30 * MIN), Verb.SUSPEND, {"minute": 20}),
    ("to", ARMED, Verb.AUTHORISE, {"to_ms": T0}),
    ("to", ARMED, Verb.AUTHORISE, {"to_ms": T0 + 500 * 24 * 60 * MIN}),
    ("from", ARMED, Verb.AUTHORISE, {"minute": 800_000, "to_ms": NOW + 10**13}),
    ("to", ARMED, Verb.SUSPEND, {"to_ms": 10**15}),
    ("at", ARMED, Verb.DIVERT, {"at_ms": 10**15}),
    ("at", ARMED, Verb.DIVERT, {"at_ms": -(10**15)}),
    ("devices", DECLARED, Verb.ASSIGN, {"devices": (("T9", "trailer"),)}),
    ("devices", DECLARED, Verb.ASSIGN, {"devices": (("S1", "seal"), ("S1", "tractor"))}),
    ("device", ARMED, Verb.TRANSFER, {"device": "S7"}),
    ("to", ARMED, Verb.TRANSFER, {"to": "T1"}),
    ("to", ARMED, Verb.TRANSFER, {"to": None}),
    (
        "at",
        do(ARMED, Verb.TRANSFER, 5, to=None, vehicle="B"),
        Verb.TRANSFER,
        {"minute": 5, "to": None, "vehicle": "C"},
    ),
    ("at", EXAMPLES[State.TRANSFERRED], Verb.TRANSFER, {"minute": 5, "device": "S8"}),
    ("at", EXAMPLES[State.TRANSFERRED], Verb.DISARM, {"minute": 4}),
    ("reason", ARMED, Verb.CANCEL, {"reason": None}),
    ("at", ARMED, Verb.CANCEL, {"minute": -1}),
    ("code", DISARMED, Verb.CLOSE, {"code": "lost"}),
    ("note", DISARMED, Verb.CLOSE, {"reason": None}),
    ("rule", ARMED, Verb.RESET, {"rule": None}),
]


@pytest.mark.parametrize(("field", "record", "verb", "given"), REFUSED)
def test_an_order_that_cannot_be_names_the_member(
    field: str, record: JourneyRecord, verb: Verb, given: dict[str, Any]
) -> None:
    with pytest.raises(Unfit) as refusal:
        do(record, verb, **given)
    assert refusal.value.field == field


def test_an_order_may_be_dated_a_little_ahead_and_long_before() -> None:
    assert do(ASSIGNED, Verb.ARM, 604).armed_at_ms == T0 + 604 * MIN
    assert do(ASSIGNED, Verb.ARM, -600 * 24 * 60).armed_at_ms == T0 - 600 * 24 * 60 * MIN


def test_a_close_keeps_its_code_note_and_author() -> None:
    closed = EXAMPLES[State.CLOSED]
    assert closed.closing == Closing(code="completed", note="all well", at_ms=T0 + 310 * MIN, by="an")


def test_the_table_of_orders_is_the_documented_one() -> None:
    text = (Path(__file__).parents[2] / "docs" / "journeys.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| ([A-Z, ]+) \|", text, re.MULTILINE)
    assert {verb: set(states.split(", ")) for verb, states in rows} == {
        str(verb): set(map(str, states)) for verb, states in ALLOWED.items()
    }
