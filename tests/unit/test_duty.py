"""Shifts and hand-overs: which times can be, who may take what over, and who is on duty then."""

from __future__ import annotations

from uuid import UUID

import pytest

from seal_tracker.plans.model import Unit
from seal_tracker.store.duty_rows import HandOverRow, ShiftRow
from seal_tracker.supervision.duty_rules import (
    LONGEST_MS,
    check_free,
    check_times,
    check_to,
    on_duty,
    taken_over,
)
from seal_tracker.supervision.errors import Clash, Unfit, WrongState

T, HOUR = 1_790_000_000_000, 3_600_000


def shift(n: int, officer: str, begins_h: float, ends_h: float, unit: str | None = "port") -> ShiftRow:
    begins_ms, ends_ms = T + round(begins_h * HOUR), T + round(ends_h * HOUR)
    return ShiftRow(UUID(int=n), unit, officer, begins_ms, ends_ms, "", 1, "an", T)


def handed(shift: ShiftRow, to: ShiftRow | None, at_h: float) -> HandOverRow:
    to_id = None if to is None else to.id
    at_ms = T + round(at_h * HOUR)
    return HandOverRow(
        UUID(int=99), shift.id, to_id, shift.unit, "quiet", "[]", 0, at_ms, shift.officer, None, None, 1
    )


DAY, LATE = shift(1, "an", 0, 8), shift(2, "binh", 8, 16)


@pytest.mark.parametrize(
    ("begins", "ends"),
    [(2 * HOUR, 2 * HOUR), (2 * HOUR, HOUR), (-2 * HOUR, 0), (HOUR, HOUR + LONGEST_MS + 1)],
)
def test_a_shift_ends_after_it_begins_not_yet_and_within_two_days(begins: int, ends: int):
    with pytest.raises(Unfit):
        check_times(T + begins, T + ends, T)
    check_times(T - HOUR, T + HOUR, T)
    check_times(T, T + LONGEST_MS, T)


@pytest.mark.parametrize(
    ("begins_h", "ends_h", "clash"),
    [(8, 16, False), (-4, 0, False), (7, 9, True), (-1, 1, True), (2, 3, True)],
)
def test_nobody_is_on_two_shifts_at_once(begins_h: float, ends_h: float, clash: bool):
    """Shifts that touch do not meet; another officer's may."""
    wanted = shift(3, "an", begins_h, ends_h, unit="yard")
    check_free(wanted._replace(officer="chi"), [DAY])
    check_free(DAY, [DAY])
    if clash:
        with pytest.raises(Clash, match="two at once"):
            check_free(wanted, [DAY])
    else:
        check_free(wanted, [DAY])


def test_a_shift_goes_to_another_of_its_unit_that_is_not_over():
    check_to(DAY, LATE, T + 8 * HOUR)
    for to, now_h in ((DAY, 1), (shift(4, "binh", 8, 16, unit="yard"), 1), (LATE, 16)):
        with pytest.raises(Unfit):
            check_to(DAY, to, T + now_h * HOUR)


@pytest.mark.parametrize(
    ("at_h", "ends_h", "begins_h"), [(7.5, 7.5, 7.5), (8, 8, 8), (8.5, 8, 8), (0, 1 / HOUR, 0)]
)
def test_who_takes_over_early_is_on_duty_from_then(at_h: float, ends_h: float, begins_h: float):
    """One ends where the other begins; taken late, the planned times stand."""
    row = handed(DAY, LATE, at_h)
    taken, changed = taken_over(row, DAY, LATE, "binh", T + round(at_h * HOUR))
    assert (taken.taken_by, taken.taken_ms, taken.version) == ("binh", T + round(at_h * HOUR), 2)
    now = {s.id: s for s in (DAY, LATE, *changed)}
    assert now[DAY.id].ends_ms == T + round(ends_h * HOUR)
    assert now[LATE.id].begins_ms == T + round(begins_h * HOUR)
    assert all(s.version == 2 for s in changed)


def test_only_who_is_meant_takes_over_and_only_once():
    row = handed(DAY, LATE, 8)
    with pytest.raises(WrongState, match="binh"):
        taken_over(row, DAY, LATE, "chi", T + 8 * HOUR)
    taken, _ = taken_over(row, DAY, LATE, "binh", T + 8 * HOUR)
    with pytest.raises(WrongState, match="binh took it"):
        taken_over(taken, DAY, LATE, "binh", T + 9 * HOUR)


def test_what_is_for_whoever_takes_it_is_not_for_who_gives_it():
    """The shift runs to its end, as nobody's follows."""
    row = handed(DAY, None, 7)
    with pytest.raises(WrongState, match="somebody else"):
        taken_over(row, DAY, None, "an", T + 7 * HOUR)
    taken, changed = taken_over(row, DAY, None, "chi", T + 7 * HOUR)
    assert (taken.taken_by, changed) == ("chi", [])


def test_a_unit_without_a_shift_is_its_heads_or_that_above():
    units = (
        Unit("hq", {"en": "HQ"}, head="Director"),
        Unit("port", {"en": "Port"}, parent="hq", head="Minh"),
        Unit("gate", {"en": "Gate"}, parent="hq"),
    )
    found = {one.unit: one for one in on_duty(units, ["port", "gate"], [DAY, shift(5, "x", 0, 8, unit=None)])}
    assert set(found) == {"port", "gate"}
    assert [s.officer for s in found["port"].shifts] == ["an"]
    assert found["port"].answers.head == "Minh"
    assert not found["gate"].shifts
    assert found["gate"].answers == ("hq", "Director", None)
