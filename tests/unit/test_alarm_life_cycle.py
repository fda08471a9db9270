"""What may be done to an alarm in which state: the whole table, and what each act leaves behind."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from alarm_stories import MINUTE, Board, T, done, episode, event, over, raised

from seal_tracker.alarms.deadlines import due_ms, ms_of, timer_ms
from seal_tracker.alarms.life_cycle import CLOSING_CODES, LONGEST_S, ClosingCode
from seal_tracker.alarms.states import STATES, STEPS, Verb, state_of
from seal_tracker.model import iso_ms
from seal_tracker.publishing.cloudevents import AlarmState
from seal_tracker.supervision.errors import Unfit, WrongState

NOW = T + 20 * MINUTE
SAID: dict[str, dict[str, Any]] = {
    "assign": {"to": "binh"},
    "note": {"note": "a word"},
    "dispatch": {"to": "team 3"},
    "divert": {"to": "R2", "reason": "closed road"},
    "shelve": {"until_ms": NOW + 60 * MINUTE, "reason": "works on the mast"},
    "suppress": {"until_ms": NOW + 60 * MINUTE, "reason": "planned works"},
    "close": {"code": "resolved", "note": "talked to the driver"},
}


def act(alarm: AlarmState, verb: Verb, at_ms: int = NOW, by: str = "an") -> AlarmState:
    return done(alarm, verb, at_ms, by, **SAID.get(verb, {}))


def returned() -> AlarmState:
    return Board().hear(event(episode(), "raised"), event(over(episode()), "cleared", 2)).only


ALARMS = {
    "unacknowledged": raised(),
    "returned_unacknowledged": returned(),
    "acknowledged": act(raised(), "ack"),
    "shelved": act(raised(), "shelve"),
    "suppressed": act(raised(), "suppress"),
    "closed": act(raised(), "close"),
}

DRAWN = """
            U  R  A  S  X  C
ack         A  A  -  -  -  -
assign      U  R  A  S  X  -
note        U  R  A  S  X  -
dispatch    U  R  A  S  X  -
divert      U  R  A  S  X  -
shelve      S  S  S  -  -  -
unshelve    -  -  -  U  -  -
suppress    X  X  X  X  -  -
unsuppress  -  -  -  -  U  -
close       C  C  C  C  C  -
"""
"""The state after each act in each state, Unacknowledged, Returned, Acknowledged, Shelved, suppressed (X), Closed; - refused."""

LETTERS = dict(zip("URASXC", ALARMS, strict=True))
_, HEAD, *LINES = [line.split() for line in DRAWN.splitlines()]
TABLE = {
    (LETTERS[before], verb): LETTERS.get(after)
    for verb, *row in LINES
    for before, after in zip(HEAD, row, strict=True)
}


def test_the_table_is_whole() -> None:
    """No state and no act is left out of it."""
    assert set(TABLE) == {(state, verb) for state in STATES for verb in STEPS}
    assert {state: alarm.state for state, alarm in ALARMS.items()} == dict(zip(STATES, STATES, strict=True))


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("verb", STEPS)
def test_an_act_leads_to_its_state_or_is_refused_in_words(state: str, verb: Verb) -> None:
    """A refusal says what stands in the way; nothing else does, and each act is one version on."""
    alarm, expected = ALARMS[state], TABLE[state, verb]
    if expected is None:
        with pytest.raises(WrongState, match=r"\w{3,}.* (it|is|unshelve) "):
            act(alarm, verb)
        return
    after = act(alarm, verb)
    assert (after.state, after.version) == (expected, alarm.version + 1)
    assert (after.changed_by, after.changed_at) == ("an", iso_ms(NOW))
    assert state_of(after) == after.state


def test_a_refusal_names_who_was_first_and_when() -> None:
    """The second of two officers has to know whom to ask."""
    with pytest.raises(WrongState, match=rf"^an acknowledged it at {iso_ms(NOW)}$"):
        act(ALARMS["acknowledged"], "ack", NOW + MINUTE, by="binh")
    with pytest.raises(WrongState, match=f"closed by an at {iso_ms(NOW)} as resolved"):
        act(ALARMS["closed"], "close", NOW + MINUTE, by="binh")
    with pytest.raises(WrongState, match=r"an shelved it until .*; unshelve it first"):
        act(ALARMS["shelved"], "ack", NOW + MINUTE, by="binh")


def test_what_was_shelved_or_suppressed_comes_back_as_it_was() -> None:
    """Who had acknowledged it has; of what was not, or is over meanwhile, the state says so."""
    assert act(act(ALARMS["acknowledged"], "shelve"), "unshelve").state == "acknowledged"
    assert (
        act(act(ALARMS["returned_unacknowledged"], "suppress"), "unsuppress").state
        == "returned_unacknowledged"
    )


def test_whoever_closes_an_alarm_has_seen_it() -> None:
    """It needs no second click; and of one that somebody has acknowledged, that stays."""
    alarm = act(raised(), "close", by="binh")
    assert (alarm.acked_by, alarm.closed_by, alarm.code, alarm.closing_note, alarm.notes) == (
        "binh", "binh", "resolved", "talked to the driver", 1,
    )  # fmt: skip
    assert act(ALARMS["acknowledged"], "close", by="binh").acked_by == "an"
    assert (due_ms(alarm), timer_ms(alarm)) == (None, None)


def test_deadlines_follow_the_state() -> None:
    """First to acknowledge, then to close; what is set aside waits for its own time, and then has the whole time again."""
    alarm = raised()
    opened = ms_of(alarm.opened_at)
    assert (due_ms(alarm), timer_ms(alarm)) == (opened + 5 * MINUTE, opened + 5 * MINUTE)
    seen = act(alarm, "ack")
    assert (due_ms(seen), timer_ms(seen)) == (opened + 60 * MINUTE, opened + 60 * MINUTE)
    shelved = act(alarm, "shelve")
    assert (due_ms(shelved), timer_ms(shelved)) == (None, NOW + 60 * MINUTE)
    back = act(shelved, "unshelve", NOW + MINUTE)
    assert due_ms(back) == NOW + MINUTE + 5 * MINUTE


@pytest.mark.parametrize("verb", LONGEST_S)
def test_nothing_is_set_aside_for_ever_or_in_the_past(verb: Verb) -> None:
    """Shelving is for a day at most, suppressing for a season; the member at fault is named."""
    longest = LONGEST_S[verb] * 1000
    assert done(raised(), verb, NOW, until_ms=NOW + longest, reason="r").state in {"shelved", "suppressed"}
    for until_ms in (NOW, NOW - 1, NOW + longest + 1):
        with pytest.raises(Unfit, match=r"^until: must be after now") as refused:
            done(raised(), verb, NOW, until_ms=until_ms, reason="r")
        assert refused.value.field == "until"


def test_an_act_leaves_what_others_have_said() -> None:
    """Who is assigned, sent, and what was noted, each stays until it is said anew."""
    alarm = raised()
    for verb in ("assign", "dispatch", "note", "ack", "shelve", "unshelve", "close"):
        alarm = act(alarm, verb)  # type: ignore[arg-type]
    assert (alarm.assignee, alarm.dispatched, alarm.notes, alarm.acked_by, alarm.version) == (
        "binh",
        "team 3",
        2,
        "an",
        8,
    )


def test_codes_of_closing_are_those_of_the_type() -> None:
    """What the API takes is what is counted."""
    assert ClosingCode.__args__ == CLOSING_CODES  # type: ignore[attr-defined]
    assert "false_alarm" in CLOSING_CODES
    assert msgspec.json.decode(msgspec.json.encode(ALARMS["closed"]), type=AlarmState) == ALARMS["closed"]
