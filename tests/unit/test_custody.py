"""Seals as assets: which movement follows which state, what journeys move, who is told what is not back, and the registry as CSV."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from seal_tracker.custody.along import puts_of
from seal_tracker.custody.asset import Asset, StateName, asset_in, row_of, told_overdue
from seal_tracker.custody.moves import (
    BY_JOURNEYS,
    MOVES,
    RETURN_WITHIN_DAYS,
    MoveName,
    Wanted,
    moved,
    registered,
)
from seal_tracker.custody.registry import NewSeal, read_registry
from seal_tracker.journey import Journey, Transfer
from seal_tracker.model import iso_ms
from seal_tracker.overdue import seals_told
from seal_tracker.plans.model import Unit
from seal_tracker.supervision.errors import Clash, Unfit, WrongState

NOW_MS = 1_764_115_200_000
DAY_MS = 86_400_000
NOW = iso_ms(NOW_MS)
AN = ("an", "operator")
GIVEN: dict[str, dict[str, Any]] = {
    "issue": {"officer": "Bình"}, "send": {"to_unit": "gate"}, "repair": {"place": "workshop"}, "calibrate": {"place": "institute"},
    "lose": {"reason": "fell off"}, "retire": {"reason": "worn"}, "arm": {"journey": "J-1"},
}  # fmt: skip


def seal(state: StateName = "in_store", **more: Any) -> Asset:
    made = Asset(
        seal="S-1", unit="port", since=NOW, registered_by="an", registered_at=NOW, changed_by="an", changed_at=NOW, state=state
    )  # fmt: skip
    return msgspec.structs.replace(made, **more)


def wanted(move: MoveName, **more: Any) -> Wanted:
    return Wanted(move=move, **(GIVEN.get(move, {}) | more))


STATES = (
    "in_store", "issued", "on_journey", "taken_off", "in_transit", "in_repair", "in_calibration", "lost", "retired",
)  # fmt: skip


@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize("state", STATES)
def test_a_movement_follows_only_where_it_can_have_happened(state: StateName, move: MoveName):
    """Else it is refused, with what to record first; a movement begins where the seal was, and counts on."""
    before = seal(state, officer="Bình", journey="J-1" if state == "on_journey" else None, other_unit="gate")
    if state not in MOVES[move].states:
        with pytest.raises(WrongState, match="seal S-1 cannot"):
            moved(before, wanted(move), AN, NOW_MS)
        return
    change = moved(before, wanted(move), AN, NOW_MS + 1)
    after, made = change.asset, change.movement
    assert (after.state, after.version, after.number) == (MOVES[move].to, 2, 2)
    assert (made.from_state, made.from_unit, made.state, made.unit) == (
        state,
        "port",
        after.state,
        after.unit,
    )
    assert (made.by, made.role, made.at) == ("an", "operator", iso_ms(NOW_MS + 1))
    assert asset_in(row_of(after)) == after


@pytest.mark.parametrize(
    ("state", "move", "words"),
    [
        ("retired", "issue", "it is retired since"),
        ("on_journey", "return", "armed on journey J-7 since .*: disarm that"),
        ("in_transit", "issue", "under way to gate since .*: record its receipt"),
        ("lost", "arm", "record that it was found first"),
        ("issued", "send", "Bình has it since .*: record its return first"),
    ],
)
def test_a_refusal_says_why_and_what_to_record_first(state: StateName, move: MoveName, words: str):
    with pytest.raises(WrongState, match=words):
        moved(seal(state, officer="Bình", journey="J-7", other_unit="gate"), wanted(move), AN, NOW_MS)


def test_a_movement_has_the_members_that_it_needs_and_no_others():
    for move in MOVES.keys() - BY_JOURNEYS:
        (state, *_) = sorted(MOVES[move].states)
        for name in GIVEN.get(move, {}):
            with pytest.raises(Unfit, match=f"{name}: {move} needs it"):
                moved(seal(state), replace(wanted(move), **{name: None}), AN, NOW_MS)
        other = "place" if move not in {"repair", "calibrate"} else "officer"
        with pytest.raises(Unfit, match=f"{other}: belongs to another movement"):
            moved(seal(state), wanted(move, **{other: "x"}), AN, NOW_MS)


def test_movements_are_recorded_in_the_order_in_which_they_happened():
    """What journeys say may be recorded later: it counts from the last movement on, and never ahead."""
    with pytest.raises(Unfit, match="moved last at"):
        moved(seal(), wanted("issue", at_ms=NOW_MS - 1), AN, NOW_MS)
    with pytest.raises(Unfit, match="future"):
        moved(seal(), wanted("issue", at_ms=NOW_MS + DAY_MS), AN, NOW_MS)
    with pytest.raises(Unfit, match=r"due: .* is not after"):
        moved(seal(), wanted("issue", due=NOW), AN, NOW_MS)
    early = moved(seal(), wanted("arm", at_ms=NOW_MS - DAY_MS), AN, NOW_MS).asset
    late = moved(seal(), wanted("arm", at_ms=NOW_MS + DAY_MS), AN, NOW_MS + 5).asset
    assert (early.since, late.since) == (NOW, iso_ms(NOW_MS + 5))


def test_what_is_due_is_told_once_for_each_issue():
    """Not while it is on a journey; by the date that was set at its issue, or a week after it was taken off; to the head of its unit."""
    units = (Unit("port", {"en": "Port"}, head="Minh", contact="minh@example.org"),)
    due = iso_ms(NOW_MS + DAY_MS)
    issued = moved(seal(), wanted("issue", due=due), AN, NOW_MS).asset
    on = moved(issued, wanted("arm"), AN, NOW_MS).asset
    off = moved(on, wanted("disarm"), ("chi", "operator"), NOW_MS + 2 * DAY_MS).asset
    assert [row_of(one).timer_ms for one in (issued, on, off)] == [NOW_MS + DAY_MS, None, NOW_MS + DAY_MS]
    assert told_overdue(on, NOW_MS + 9 * DAY_MS) is None
    told = seals_told([row_of(off)], units, frozenset(), NOW_MS + 2 * DAY_MS)
    assert ([mail.recipient for mail in told.mails], [a.kind for a in told.actions]) == (
        ["minh@example.org"],
        ["seal_asset.overdue"],
    )
    assert "chi" in told.mails[0].body
    assert not seals_told(told.seal_assets, units, frozenset(), NOW_MS + 3 * DAY_MS)
    again = moved(
        moved(off, wanted("return"), AN, NOW_MS + 3 * DAY_MS).asset, wanted("arm"), AN, NOW_MS + 3 * DAY_MS
    )
    back = moved(again.asset, wanted("disarm"), AN, NOW_MS + 4 * DAY_MS).asset
    assert back.due == iso_ms(NOW_MS + (4 + RETURN_WITHIN_DAYS) * DAY_MS)


def test_a_seal_whose_calibration_has_run_out_is_not_issued():
    """The last day counts; it comes back with its new date."""
    last_day = iso_ms(NOW_MS)[:10]
    moved(seal(calibrate_by=last_day), wanted("issue"), AN, NOW_MS)
    stale = seal(calibrate_by=last_day)
    with pytest.raises(Clash, match="take it back with its new date"):
        moved(stale, wanted("issue"), AN, NOW_MS + DAY_MS)
    away = moved(stale, wanted("calibrate"), AN, NOW_MS + DAY_MS).asset
    fresh = moved(away, wanted("take_back", calibrate_by="2027-01-01"), AN, NOW_MS + DAY_MS).asset
    assert moved(fresh, wanted("issue"), AN, NOW_MS + DAY_MS).asset.state == "issued"


def test_a_seal_comes_to_the_unit_that_takes_it_in():
    """Under way it is counted with who sent it; a journey's unit sees it, and may take it in."""
    sent = moved(seal(), wanted("send"), AN, NOW_MS).asset
    assert (sent.unit, sent.other_unit, sent.state) == ("port", "gate", "in_transit")
    come = moved(sent, wanted("receive", unit="gate"), AN, NOW_MS).asset
    assert (come.unit, come.other_unit, come.state) == ("gate", None, "in_store")
    on = moved(come, wanted("arm", journey_unit="port"), AN, NOW_MS).asset
    off = moved(on, wanted("disarm"), AN, NOW_MS).asset
    assert [(one.unit, one.other_unit) for one in (on, off)] == [("gate", "port")] * 2
    assert moved(off, wanted("return", unit="port"), AN, NOW_MS).asset.unit == "port"


def journey(**more: Any) -> Journey:
    given = {
        "id": "J-1",
        "seal": "S-1",
        "devices": (("S-1", "seal"), ("T-1", "tractor")),
        "route": None,
        "regime": "transit",
    }
    return Journey(**(given | {"armed_at_ms": 1_000, "unit": "port"} | more))


def test_journeys_put_seals_on_and_take_them_off():
    """At arming, disarming and transfer; what was over before it was recorded moves nothing. What is no seal is not asked for."""
    armed, over = journey(), journey(disarmed_at_ms=9_000)
    transferred = journey(transfers=(Transfer(5_000, "S-1", "S-2", "an", None),))
    told = [
        [(put.seal, put.on, put.at_ms) for put in puts_of([pair])]
        for pair in (
            (None, armed),
            (armed, over),
            (over, armed),
            (None, over),
            (armed, None),
            (armed, armed),
            (armed, transferred),
        )
    ]
    assert told == [
        [("S-1", True, 1_000)], [("S-1", False, 9_000)], [("S-1", True, 1_000)], [], [("S-1", False, 1_000)], [],
        [("S-1", False, 5_000), ("S-2", True, 5_000)],
    ]  # fmt: skip
    (lead,) = puts_of([(None, journey(seal="T-1", devices=(("T-1", "tractor"),)))])
    assert (lead.seal, lead.is_seal) == ("T-1", False)


def test_a_registry_is_read_as_excel_writes_it():
    content = '\ufeffsep=;\r\nSeal;Unit;Model;bought_on\r\nS-1;port;JT701;2025-03-01\r\n\r\n"S-2";port;;\r\n'.encode()
    seals, faults = read_registry(content, {"port"}.__contains__)
    assert (seals, faults) == (
        [
            NewSeal(seal="S-1", unit="port", model="JT701", bought_on="2025-03-01"),
            NewSeal(seal="S-2", unit="port"),
        ],
        [],
    )


def test_every_fault_of_a_registry_is_told_with_its_line():
    content = b"seal,unit,bought_on\nS 1,port,\nS-2,sea,\nS-3,port,1.3.2025\nS-4,port\nS-5,port,\nS-5,port,\n"
    seals, faults = read_registry(content, {"port"}.__contains__)
    assert [(fault.where, fault.what.split(":")[0]) for fault in faults] == [
        ("line 2", "seal"), ("line 3", "unit"), ("line 4", "bought_on"), ("line 5", "has 2 cells, the header 3"), ("line 7", "seal"),
    ]  # fmt: skip
    assert [one.seal for one in seals] == ["S-5"]
    for bad in (b"", b"\xff\xfe", b"seal\nS-1", b"seal,unit,colour\nS-1,port,red", b'seal,unit\n"S-1,port'):
        assert read_registry(bad, {"port"}.__contains__)[1], bad


def test_the_first_movement_is_the_registration():
    change = registered(seal(), AN, NOW_MS)
    assert (change.movement.move, change.movement.from_state, change.movement.number) == ("register", None, 1)
