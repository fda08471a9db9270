"""What was declared or recorded wrongly: what may be put right in which state, and what does not go with it."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from seal_tracker.journey import Authorisation, Suspension, Transfer
from seal_tracker.journey_record import Closing, JourneyRecord, State, as_judged, state_of
from seal_tracker.planning import changed_journeys
from seal_tracker.rejudge import Span
from seal_tracker.supervision.errors import Refused, Unfit, WrongState
from seal_tracker.supervision.journey_corrections import CORRECTABLE, Correction
from seal_tracker.supervision.journey_orders import EARLIEST_MS, Order, applied
from seal_tracker.supervision.life_cycle import Verb

MIN = 60_000
T0 = EARLIEST_MS + 1_000 * 24 * 60 * MIN
NOW = T0 + 600 * MIN


def at(minute: float) -> int:
    return T0 + round(minute * MIN)


DECLARED = JourneyRecord(id="J1", regime="transit", route="R", unit="port", cargo="rice")
ASSIGNED = replace(DECLARED, devices=(("S1", "seal"), ("T1", "tractor")))
ARMED = replace(ASSIGNED, armed_at_ms=T0)


def do(record: JourneyRecord, verb: Verb, minute: float, **more: Any) -> JourneyRecord:
    return applied(record, Order(verb=verb, at_ms=at(minute), by="an", **more), NOW)


def correct(record: JourneyRecord, what: str, **more: Any) -> JourneyRecord:
    meant = Correction(what=what, **more)
    order = Order(verb=Verb.CORRECT, at_ms=NOW, by="binh", reason="misread", correction=meant)
    return applied(record, order, NOW)


def amend(record: JourneyRecord, reason: str | None = "seen at the gate", **changes: Any) -> JourneyRecord:
    order = Order(verb=Verb.AMEND, at_ms=NOW, by="binh", reason=reason, changes=changes)
    return applied(record, order, NOW)


UNDER_WAY = do(do(ARMED, Verb.DIVERT, 60, route="Q"), Verb.TRANSFER, 90, to="S2")
DISARMED = do(UNDER_WAY, Verb.DISARM, 120)
CLOSED = replace(DISARMED, closing=Closing(code="completed", note="all well", at_ms=at(130), by="an"))
CANCELLED = do(UNDER_WAY, Verb.CANCEL, 100, reason="accident")


def test_a_disarming_is_moved_or_never_was() -> None:
    assert correct(DISARMED, "disarm", at_ms=at(150)).disarmed_at_ms == at(150)
    assert correct(DISARMED, "disarm", struck=True) == UNDER_WAY


def test_a_disarming_takes_the_suspension_that_it_ended_with_it() -> None:
    suspended = do(ARMED, Verb.SUSPEND, 50)
    over = do(suspended, Verb.DISARM, 120)
    assert correct(over, "disarm", struck=True) == suspended
    moved = correct(over, "disarm", at_ms=at(150))
    assert moved.suspensions == (Suspension(at(50), at(150), "an"),)


def test_the_other_orders_are_moved_or_never_were() -> None:
    """Each by itself; of several of a kind the one that is named by its time."""
    assert correct(ARMED, "arm", at_ms=at(-30)).armed_at_ms == at(-30)
    assert correct(ARMED, "arm", struck=True) == ASSIGNED
    assert [d.at_ms for d in correct(UNDER_WAY, "divert", at_ms=at(30)).diversions] == [at(30)]
    assert correct(UNDER_WAY, "divert", struck=True).diversions == ()
    assert correct(UNDER_WAY, "transfer", struck=True).transfers == ()
    assert correct(CANCELLED, "cancel", struck=True) == UNDER_WAY
    assert correct(CLOSED, "close", struck=True) == DISARMED
    resets = do(do(ARMED, Verb.RESET, 10, rule="SEAL_TAMPER"), Verb.RESET, 20, rule="TRANSIT_LIMIT")
    (left,) = correct(resets, "reset", was_ms=at(10), struck=True).resets
    assert left.rule == "TRANSIT_LIMIT"
    twice = do(UNDER_WAY, Verb.DIVERT, 80, route="P")
    assert [d.route for d in correct(twice, "divert", was_ms=at(80), at_ms=at(40)).diversions] == ["P", "Q"]


def test_leave_to_unlock_is_ended_early() -> None:
    """Also before arming, and for later."""
    for record in (ASSIGNED, ARMED):
        given = do(record, Verb.AUTHORISE, 30, to_ms=at(900), zone="gate")
        ended = correct(given, "authorise", to_ms=at(60))
        assert ended.authorisations == (Authorisation(at(30), at(60), "gate", "an"),)
        assert correct(given, "authorise", struck=True).authorisations == ()
    given = do(ARMED, Verb.AUTHORISE, 30, to_ms=at(900))
    assert correct(given, "authorise", at_ms=at(700)).authorisations[0].from_ms == at(700)


REFUSED: list[tuple[str, JourneyRecord, str, dict[str, Any]]] = [
    ("at", DISARMED, "disarm", {"at_ms": at(90)}),  # the transfer would come after it
    ("at", DISARMED, "disarm", {"at_ms": at(120)}),  # it was so
    ("at", DISARMED, "disarm", {"at_ms": at(606)}),  # the future
    ("at", DISARMED, "disarm", {"at_ms": EARLIEST_MS - 1}),
    ("at", DISARMED, "disarm", {}),
    ("to", DISARMED, "disarm", {"to_ms": at(130)}),
    ("struck", DISARMED, "disarm", {"struck": True, "at_ms": at(130)}),
    ("struck", DISARMED, "arm", {"struck": True}),  # of what was on the way
    ("at", DISARMED, "arm", {"at_ms": at(61)}),
    ("what", ARMED, "disarm", {"struck": True}),
    ("what", ARMED, "divert", {"struck": True}),
    ("what", DISARMED, "cancel", {"struck": True}),
    ("what", ASSIGNED, "arm", {"struck": True}),
    ("what", CLOSED, "disarm", {"struck": True}),
    ("what", CANCELLED, "arm", {"struck": True}),
    ("struck", CLOSED, "close", {"at_ms": at(140)}),
    ("to", UNDER_WAY, "divert", {"to_ms": at(90)}),
    ("was", UNDER_WAY, "divert", {"was_ms": at(61), "struck": True}),
    ("was", do(UNDER_WAY, Verb.DIVERT, 80, route="P"), "divert", {"struck": True}),
    ("at", do(UNDER_WAY, Verb.DIVERT, 80, route="P"), "divert", {"was_ms": at(80), "at_ms": at(60)}),
    ("at", UNDER_WAY, "transfer", {"at_ms": T0}),
    ("at", do(UNDER_WAY, Verb.TRANSFER, 95, to="S3"), "transfer", {"was_ms": at(90), "struck": True}),
    ("at", do(UNDER_WAY, Verb.TRANSFER, 95, to="S3"), "transfer", {"was_ms": at(90), "at_ms": at(96)}),
    ("to", do(ARMED, Verb.SUSPEND, 50), "suspend", {"to_ms": at(50)}),
    (
        "at",
        do(do(ARMED, Verb.SUSPEND, 50, to_ms=at(60)), Verb.SUSPEND, 70),
        "suspend",
        {"was_ms": at(50), "to_ms": at(71)},
    ),
    ("to", do(ARMED, Verb.AUTHORISE, 30, to_ms=at(60)), "authorise", {"to_ms": at(30)}),
    ("at", do(ARMED, Verb.AUTHORISE, 30, to_ms=at(60)), "authorise", {"at_ms": 10**15}),
]


@pytest.mark.parametrize(("field", "record", "what", "given"), REFUSED)
def test_a_correction_that_cannot_be_names_the_member(
    field: str, record: JourneyRecord, what: str, given: dict[str, Any]
) -> None:
    with pytest.raises(Refused) as refusal:
        correct(record, what, **given)
    assert refusal.value.field == field


def test_a_correction_says_what_and_why() -> None:
    for more in ({}, {"correction": Correction(what="arm", at_ms=at(1))}):
        with pytest.raises(Unfit) as refusal:
            do(ARMED, Verb.CORRECT, 10, **more)
        assert refusal.value.field == ("reason" if more else "what")
    with pytest.raises(WrongState):
        correct(DECLARED, "arm", struck=True)


@pytest.mark.parametrize("what", CORRECTABLE)
def test_what_is_corrected_leaves_the_rest_as_it_was(what: str) -> None:
    """Struck and ordered anew it is what it was."""
    whole = do(do(UNDER_WAY, Verb.SUSPEND, 95, to_ms=at(99)), Verb.RESET, 96, rule="SEAL_TAMPER")
    whole = do(do(whole, Verb.AUTHORISE, 97, to_ms=at(200), zone="gate"), Verb.DISARM, 120)
    examples = {"arm": ARMED, "cancel": CANCELLED, "close": CLOSED}
    again: dict[str, tuple[Verb, float, dict[str, Any]]] = {
        "arm": (Verb.ARM, 0, {}),
        "disarm": (Verb.DISARM, 120, {}),
        "suspend": (Verb.SUSPEND, 95, {"to_ms": at(99)}),
        "divert": (Verb.DIVERT, 60, {"route": "Q"}),
        "authorise": (Verb.AUTHORISE, 97, {"to_ms": at(200), "zone": "gate"}),
        "reset": (Verb.RESET, 96, {"rule": "SEAL_TAMPER"}),
        "cancel": (Verb.CANCEL, 100, {"reason": "accident"}),
        "close": (Verb.CLOSE, 130, {"code": "completed", "reason": "all well"}),
    }
    if what == "transfer":
        back = correct(DISARMED, "disarm", struck=True)
        again["transfer"] = (Verb.TRANSFER, 90, {"to": "S2"})
        assert do(correct(back, what, struck=True), *again[what][:2], **again[what][2]) == back
        return
    record = examples.get(what, whole)
    verb, minute, more = again[what]
    assert do(correct(record, what, struck=True), verb, minute, **more) == record


def test_a_vehicle_that_took_over_is_corrected_with_its_transfer() -> None:
    """With the device that was replaced then; the declared one is not amended over it."""
    both = do(ARMED, Verb.TRANSFER, 60, to="S2", vehicle="B")
    assert correct(both, "transfer", struck=True) == ARMED
    moved = correct(both, "transfer", at_ms=at(70))
    assert (moved.transfers[0].at_ms, moved.vehicles[0].at_ms) == (at(70), at(70))
    with pytest.raises(WrongState) as refusal:
        amend(both, vehicle="A")
    assert refusal.value.field == "vehicle"
    assert amend(ARMED, vehicle="A").vehicle == "A"


def test_before_arming_everything_declared_may_be_otherwise() -> None:
    for record in (DECLARED, ASSIGNED):
        after = amend(
            record, reason=None, route="Q", unit=None, regime="bonded", due_at_ms=at(600), cargo=None
        )
        assert (after.route, after.unit, after.regime, after.due_at_ms) == ("Q", None, "bonded", at(600))
        assert (after.cargo, state_of(after)) == (None, state_of(record))


def test_on_the_way_what_arming_has_settled_stays() -> None:
    assert amend(UNDER_WAY, consignee="An Bình", box="MSKU1", due_at_ms=at(700)).consignee == "An Bình"
    for member in ("route", "unit", "regime", "permit"):
        with pytest.raises(WrongState) as refusal:
            amend(UNDER_WAY, **{member: None})
        assert refusal.value.field == member
    with pytest.raises(WrongState) as refusal:
        amend(DISARMED, due_at_ms=at(700))
    assert refusal.value.field == "due_at"
    assert amend(DISARMED, cargo="maize").cargo == "maize"


def test_an_amendment_says_why_and_changes_something() -> None:
    with pytest.raises(Unfit) as refusal:
        amend(ARMED, reason=None, cargo="maize")
    assert refusal.value.field == "reason"
    for changes in ({}, {"cargo": "rice"}):
        with pytest.raises(Unfit):
            amend(ARMED, **changes)
    for record in (CLOSED, CANCELLED):
        with pytest.raises(WrongState, match=str(state_of(record))):
            amend(record, cargo="maize")
    assert state_of(CLOSED) is State.CLOSED


def test_what_only_describes_a_journey_is_not_judged_again() -> None:
    """A cargo misspelt costs no month of pings; an expected arrival does."""
    before = as_judged(ARMED)
    assert before is not None
    of_all = {device: Span(T0, None) for device in ("S1", "T1")}
    for changes, expected in (({"cargo": "maize"}, {}), ({"due_at_ms": at(9)}, of_all)):
        after = as_judged(amend(ARMED, **changes))
        assert after is not None
        assert after != before
        assert changed_journeys((before,), (after,)) == expected


def test_successors_are_read_in_the_order_of_their_time() -> None:
    moved = correct(
        do(UNDER_WAY, Verb.TRANSFER, 95, to="T2", device="T1"), "transfer", was_ms=at(95), at_ms=at(20)
    )
    assert moved.transfers == (
        Transfer(at(20), "T1", "T2", "an"),
        Transfer(at(90), "S1", "S2", "an"),
    )
