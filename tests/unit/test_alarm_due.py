"""What the clock does to alarms: shelves expire, deadlines pass, and somebody higher is called, up to the top."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from alarm_stories import MINUTE, Board, T, done, episode, event, over, raised
from story import Ground, at

from seal_tracker.alarms.deadlines import DEFAULT_TERMS, Term, ms_of
from seal_tracker.alarms.due import SYSTEM, TimedStep, timed
from seal_tracker.alarms.responsibility import NOBODY, Answering, answering, responsible_unit
from seal_tracker.config import ConfigError, load_settings
from seal_tracker.plans.folder import load_files
from seal_tracker.plans.model import Plan, Unit
from seal_tracker.publishing.cloudevents import AlarmState

LINE = [Answering("gate", "Lan"), Answering("port", "Minh"), Answering("hq", "Director")]
OPENED = T + 10 * MINUTE
"""When `raised` was opened; it is high: 5 minutes to acknowledge, 60 to close."""


def steps(alarm: AlarmState, until_min: float, line: Any = LINE) -> list[tuple[float, str, Any]]:
    """(minutes after opening, step, to whom) of all that the clock does until then, looking every half minute."""
    found = []
    for half in range(round(2 * until_min) + 1):
        now_ms = OPENED + half * MINUTE // 2
        while (step := timed(alarm, now_ms, DEFAULT_TERMS, line)) is not None:
            assert (step.alarm.changed_by, step.alarm.version) == (SYSTEM, alarm.version + 1)
            alarm = step.alarm
            found.append((half / 2, step.name, step.detail.get("to")))
    return found


def test_what_nobody_acknowledges_goes_up_the_line() -> None:
    """After each deadline to the next head; and when it should be closed, the last one hears of that too."""
    assert steps(raised(), 24 * 60) == [
        (5, "escalated", "Lan"),
        (10, "escalated", "Minh"),
        (15, "escalated", "Director"),
        (60, "escalated", "Director"),
    ]


def test_what_is_acknowledged_and_not_closed_goes_up_the_line_too() -> None:
    """An hour each, from the first head on."""
    seen = done(raised(), "ack", OPENED + 6 * MINUTE)
    assert steps(seen, 24 * 60) == [
        (60, "escalated", "Lan"),
        (120, "escalated", "Minh"),
        (180, "escalated", "Director"),
    ]


def test_where_no_head_is_named_it_is_said_all_the_same() -> None:
    """To nobody, which is headquarters: an alarm does not wait in silence because a plan has no units."""
    assert steps(raised(), 24 * 60, [NOBODY]) == [(5, "escalated", None), (60, "escalated", None)]


def test_closed_and_silent_alarms_call_nobody_to_acknowledge() -> None:
    """One that was over before anyone knew is to be closed within its time, no more."""
    assert steps(done(raised(), "close", OPENED, code="resolved"), 24 * 60) == []
    board = Board()
    board.commit([event(episode(), "raised", late=True), event(over(episode()), "cleared", 2, late=True)])
    assert steps(board.only, 61) == [(60, "escalated", "Lan")]


def test_an_escalation_says_which_deadline_was_missed_and_how_far_up_it_went() -> None:
    """Whoever is told has to know what for."""
    step = timed(raised(), OPENED + 5 * MINUTE, DEFAULT_TERMS, LINE)
    assert isinstance(step, TimedStep)
    assert step.detail == {
        "to": "Lan", "unit": "gate", "level": 1, "deadline": "acknowledge", "was_due": raised().acknowledge_by,
    }  # fmt: skip
    assert (step.alarm.escalated_to, step.alarm.escalations, step.alarm.state) == ("Lan", 1, "unacknowledged")


def test_a_shelf_expires_and_its_alarm_waits_anew() -> None:
    """It comes back as it was, with the whole time to acknowledge it; what was suppressed likewise."""
    for verb, name in (("shelve", "unshelved"), ("suppress", "unsuppressed")):
        aside = done(raised(), verb, OPENED, until_ms=OPENED + 20 * MINUTE, reason="r")
        assert steps(aside, 26) == [(20, name, None), (25, "escalated", "Lan")]
        step = timed(aside, OPENED + 20 * MINUTE, DEFAULT_TERMS, LINE)
        assert step is not None
        assert (step.alarm.state, step.alarm.shelf, step.alarm.suppression) == ("unacknowledged", None, None)


def test_deadlines_are_what_the_settings_say() -> None:
    """Each severity its own."""
    terms = {"high": Term(60, 120)}
    step = timed(raised(), OPENED + 5 * MINUTE, terms, LINE)
    assert step is not None
    assert ms_of(step.alarm.escalates_at or "") == OPENED + 6 * MINUTE


def test_settings_name_some_severities_and_leave_the_others() -> None:
    """In minutes; a severity that there is not, or a time that is none, is named."""
    terms = load_settings(alarm_deadlines={"critical": {"acknowledge_min": 1, "close_min": 20}}).alarm_terms
    assert terms == {**DEFAULT_TERMS, "critical": Term(60, 1200)}
    assert load_settings().alarm_terms == DEFAULT_TERMS
    for wrong in (
        {"grave": {"acknowledge_min": 1, "close_min": 2}},
        {"low": {"acknowledge_min": 0, "close_min": 2}},
    ):
        with pytest.raises(ConfigError, match="SEAL_TRACKER_ALARM_DEADLINES"):
            load_settings(alarm_deadlines=wrong)


def unit(name: str, parent: str | None = None, head: str | None = None) -> Unit:
    return Unit(name, {"en": name}, parent=parent, head=head)


def test_the_line_is_the_unit_and_those_above_it() -> None:
    """Units without a head are passed over where another has one; a ring of parents is gone round once."""
    units = [unit("gate", "port"), unit("port", "hq", "Minh"), unit("hq", None, "Director")]
    assert answering(units, "gate") == [Answering("port", "Minh"), Answering("hq", "Director")]
    assert answering([unit("a", "b"), unit("b", "a")], "a") == [Answering("a", None), Answering("b", None)]
    assert answering(units, None) == answering([], "gate") == [NOBODY]


def plan() -> Plan:
    """A port's jurisdiction of 10 km around the origin, in it a gate's of 1 km; and an inland unit without one."""
    made = Ground().zone("Z-port", 0, 0, 10_000, "jurisdiction").zone("Z-gate", 0, 0, 1_000, "jurisdiction")
    files = dict(made.plan().files)
    files["units.toml"] = (
        '[hq]\nname = {en = "HQ"}\n[port]\nname = {en = "P"}\nparent = "hq"\njurisdiction_zone = "Z-port"\n'
        '[gate]\nname = {en = "G"}\nparent = "port"\njurisdiction_zone = "Z-gate"\n[inland]\nname = {en = "I"}\n'
    )
    read, faults = load_files(files)
    assert read is not None, faults
    return replace(read, version=1)


def test_the_unit_in_whose_jurisdiction_it_lies_answers_else_the_journeys_own() -> None:
    """Of several the lowest; without a place, or outside of all, the journey's unit."""
    made = plan()

    def answers(x_m: float, y_m: float = 0) -> str | None:
        lon, lat = at(x_m, y_m)
        return responsible_unit(made, (lon, lat), "inland")

    assert [answers(0), answers(5_000), answers(50_000)] == ["gate", "port", "inland"]
    assert responsible_unit(made, None, "inland") == "inland"
    assert responsible_unit(None, (106.0, 20.0), "inland") == "inland"


def test_a_deputy_is_called_for_a_head_who_is_absent() -> None:
    """The first who is there, named with whom they act for; a unit with nobody is left out, but not the last."""
    units = [
        Unit("port", {"en": "Port"}, "hq", "Minh", deputies=("Lan", "Hoa")),
        Unit("hq", {"en": "Headquarters"}, head="Director"),
    ]
    above = Answering("hq", "Director")
    assert answering(units, "port", {"Minh"}) == [Answering("port", "Minh", "Lan"), above]
    assert answering(units, "port", {"Minh", "Lan"})[0].acting == "Hoa"
    assert answering(units, "port", {"Minh", "Lan", "Hoa"}) == [above]
    assert answering(units, "port", {"Minh", "Lan", "Hoa", "Director"})[0] == Answering("port", "Minh")
    assert answering(units, "port", {"Lan"}) == [Answering("port", "Minh"), above]
