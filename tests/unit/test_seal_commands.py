"""Commands to seals: which step follows which, when a seal may be unlocked, how one obeys, and that the documents say the same."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from seal_tracker.alarms.deadlines import ms_of
from seal_tracker.downlink.answers import not_taken
from seal_tracker.downlink.messages import (
    CommandAnswer,
    CommandMessage,
    SealAnswer,
    decode_answer,
    encode_message,
)
from seal_tracker.downlink.states import (
    ANSWER_GRACE_MS,
    NEXT,
    UNDER_WAY,
    Command,
    StateName,
    answered,
    approved,
    cancelled,
    command_in,
    due_ms,
    lapsed,
    message_of,
    row_of,
    sent,
    withheld,
)
from seal_tracker.downlink.unlocking import PLACE_AGE_MS, SealFacts, unlock_refusal
from seal_tracker.embedded.ports import choose_port
from seal_tracker.intake import take_in
from seal_tracker.journey import Authorisation, Journey
from seal_tracker.model import Lock, iso_ms
from seal_tracker.publishing.topics import ingest_filters
from seal_tracker.sources.framing import RawMessage
from seal_tracker.supervision.errors import WrongState
from simulators.cli import cli
from simulators.errors import SimulatorError
from simulators.obedient import KINDS, ObedientSeal

NOW = 1_795_316_400_000
MINUTE = 60_000
ID = "6f1c2a34-9b1d-4c57-8a52-0d4be9a1c001"
DOCUMENT = (Path(__file__).parents[2] / "docs" / "commands.md").read_text()
STATES = StateName.__args__  # type: ignore[attr-defined]
DONE = CommandAnswer(id=ID, result="done", time=iso_ms(NOW))
REFUSED = CommandAnswer(id=ID, result="refused", time=iso_ms(NOW), reason="motor_stuck")


def command(state: StateName = "requested", **changes: Any) -> Command:
    """An unlock that An asked for a minute ago, in a state; it expires in 14 minutes."""
    fields: dict[str, Any] = {
        "id": ID, "kind": "unlock", "seal": "S-1", "journey": "J-1", "unit": "u1", "reason": "arrived", "state": state,
        "requested_by": "an", "requested_at": iso_ms(NOW - MINUTE), "expires_at": iso_ms(NOW + 14 * MINUTE),
        "changed_by": "an", "changed_at": iso_ms(NOW - MINUTE),
    }  # fmt: skip
    if state not in {"requested", "cancelled", "expired"}:
        fields |= {"approved_by": "binh", "approved_at": iso_ms(NOW)}
    if state in {"sent", "acknowledged", "refused", "timed_out"}:
        fields |= {"sent_at": iso_ms(NOW)}
    return Command(**fields | changes)


STEPS: dict[StateName, Any] = {
    "approved": lambda c: approved(c, "binh", NOW),
    "sent": lambda c: sent(c, NOW),
    "withheld": lambda c: withheld(c, "it has moved", NOW),
    "cancelled": lambda c: cancelled(c, "binh", "wrong lorry", NOW),
    "acknowledged": lambda c: answered(c, DONE, NOW),
    "refused": lambda c: answered(c, REFUSED, NOW),
}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("state", STATES)
def test_a_step_follows_where_the_table_says_and_nowhere_else(state: StateName, step: StateName) -> None:
    """What is refused says in which state the command is; what is taken is one version on and can be found again."""
    before = command(state)
    if step in NEXT.get(state, ()):
        after = STEPS[step](before)
        assert (after.state, after.version) == (step, 2)
        assert (after.ended_at is None) is (step in UNDER_WAY)
        assert command_in(row_of(after)) == after
    elif state in {"acknowledged", "refused"} and step in {"acknowledged", "refused"}:
        assert STEPS[step](before) is None, "an answer that came before changes nothing"
    else:
        with pytest.raises(WrongState, match=r"it (is|was) \w+"):
            STEPS[step](before)


def test_nobody_approves_their_own() -> None:
    with pytest.raises(WrongState, match="an asked for it: another supervisor must approve it"):
        approved(command(), "an", NOW)
    assert approved(command(), "binh", NOW).approved_by == "binh"


def test_nobody_approves_what_has_expired() -> None:
    with pytest.raises(WrongState, match="it expired at"):
        approved(command(), "binh", NOW + 14 * MINUTE)


@pytest.mark.parametrize(
    ("state", "after_ms", "becomes"),
    [
        ("requested", 14 * MINUTE - 1, None),
        ("requested", 14 * MINUTE, "expired"),
        ("approved", 14 * MINUTE, "expired"),
        ("sent", 14 * MINUTE + ANSWER_GRACE_MS - 1, None),
        ("sent", 14 * MINUTE + ANSWER_GRACE_MS, "timed_out"),
        ("acknowledged", 99 * MINUTE, None),
        ("timed_out", 99 * MINUTE, None),
    ],
)
def test_a_command_lapses_when_its_time_is_over(state: StateName, after_ms: int, becomes: str | None) -> None:
    """The clock looks at it just then, and never at what is over."""
    one = command(state)
    after = lapsed(one, NOW + after_ms)
    assert (None if after is None else after.state) == becomes
    if after is not None:
        assert after.why
        assert due_ms(after) is None
        assert state == "approved" or due_ms(one) == NOW + after_ms


def test_the_seal_is_told_what_was_approved_and_until_when() -> None:
    told = msgspec.json.decode(encode_message(message_of(command("sent"))))
    assert told == {
        "id": ID, "kind": "unlock", "seal": "S-1", "issued_at": iso_ms(NOW), "expires_at": iso_ms(NOW + 14 * MINUTE),
    }  # fmt: skip


LEAVE = Authorisation(NOW - MINUTE, NOW + MINUTE, None, "chi")
HERE = frozenset({"Z-port"})
ALLOWED = frozenset({"unlock_allowed"})


def journey(**changes: Any) -> Journey:
    fields: dict[str, Any] = {
        "id": "J-1", "seal": "S-1", "devices": (("S-1", "seal"),), "route": None, "regime": "transit",
        "armed_at_ms": NOW - 60 * MINUTE, "destination_zone": "Z-port", "authorisations": (LEAVE,),
    }  # fmt: skip
    return Journey(**fields | changes)


MAY = SealFacts("S-1", journey(), Lock.CLOSED, NOW - MINUTE, HERE, ALLOWED)
OF_ZONE = replace(LEAVE, zone="Z-yard")
IN_YARD = replace(MAY, zones=frozenset({"Z-yard"}), kinds=frozenset({"interest"}))

PERMITTED = {
    "at the destination": MAY,
    "no destination named": replace(MAY, journey=journey(destination_zone=None), zones=frozenset({"Z-any"})),
    "in the zone of the leave": replace(IN_YARD, journey=journey(authorisations=(OF_ZONE,))),
    "a fix of ten minutes ago": replace(MAY, fix_ms=NOW - PLACE_AGE_MS),
    "one of two leaves": replace(MAY, journey=journey(authorisations=(OF_ZONE, LEAVE))),
    "minerals at their destination": replace(MAY, journey=journey(regime="minerals")),
    "minerals at a port": replace(
        MAY, journey=journey(regime="minerals", destination_zone=None), kinds=ALLOWED | {"port"}
    ),
}
FORBIDDEN = {
    "no journey": (replace(MAY, journey=None), "is on no journey that is armed"),
    "no leave": (replace(MAY, journey=journey(authorisations=())), "has no leave to unlock"),
    "leave not begun": (
        replace(MAY, journey=journey(authorisations=(replace(LEAVE, from_ms=NOW + 1),))), "has no leave to unlock",
    ),
    "leave just ended": (
        replace(MAY, journey=journey(authorisations=(replace(LEAVE, to_ms=NOW),))), "has no leave to unlock",
    ),
    "lock open": (replace(MAY, lock=Lock.OPEN), "the lock was last said to be open"),
    "lock cut": (replace(MAY, lock=Lock.CUT), "the lock was last said to be cut"),
    "lock unknown": (replace(MAY, lock=Lock.UNKNOWN), "the lock was last said to be unknown"),
    "never a fix": (replace(MAY, fix_ms=None), "it has none; ask for its position"),
    "an old fix": (replace(MAY, fix_ms=NOW - PLACE_AGE_MS - 1), "its last is of .*; ask for its position"),
    "outside": (replace(MAY, zones=frozenset({"Z-road"})), "is in Z-road .* is for its destination Z-port"),
    "nowhere": (replace(MAY, zones=frozenset(), kinds=frozenset()), "is in no zone"),
    "a destination where nobody may unlock": (replace(MAY, kinds=frozenset({"interest"})), "where unlocking is allowed"),
    "another zone than the leave's": (replace(MAY, journey=journey(authorisations=(OF_ZONE,))), "is for zone Z-yard"),
    "minerals in the leave's zone": (
        replace(IN_YARD, journey=journey(regime="minerals", authorisations=(OF_ZONE,))), "zone Z-yard at its destination",
    ),
    "minerals at no port": (
        replace(MAY, journey=journey(regime="minerals", destination_zone=None)), "a port or gate",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", PERMITTED)
def test_a_seal_is_unlocked_where_its_leave_says(case: str) -> None:
    assert unlock_refusal(PERMITTED[case], NOW) is None


@pytest.mark.parametrize("case", FORBIDDEN)
def test_a_seal_is_not_unlocked_otherwise_and_the_refusal_says_why(case: str) -> None:
    facts, why = FORBIDDEN[case]
    assert re.search(why, unlock_refusal(facts, NOW) or "may")


def obedient(**options: Any) -> ObedientSeal:
    return ObedientSeal("demo", "S-1", 106.68, 20.86, **options)


def tell(told_to: ObedientSeal, now_ms: int = NOW, **changes: Any) -> list[Any]:
    """What it publishes, as (end of the topic, JSON), when it is told something that expires in 14 minutes."""
    told = CommandMessage(
        **{"id": ID, "kind": "unlock", "seal": "S-1", "issued_at": iso_ms(NOW), "expires_at": iso_ms(NOW + 14 * MINUTE), **changes}
    )  # fmt: skip
    said = told_to.told(encode_message(told), now_ms)
    assert {message.topic.rpartition("/")[0] for message in said} <= {"eseal/v1/demo/dev/S-1"}
    return [(message.topic.rpartition("/")[2], json.loads(message.payload)) for message in said]


def test_a_seal_that_is_asked_answers_and_shows_it() -> None:
    """A position by a ping at once, an interval by the pings that follow, an unlock by a lock that is open."""
    seal = obedient()
    (answer, said), (ping, shown) = tell(seal, kind="position")
    assert (answer, ping) == ("answer", "ping")
    assert (said["result"], shown["lon"], shown["lock"]) == ("done", 106.68, "closed")
    _, (_, shown) = tell(seal, kind="interval", interval_s=120, id=ID.replace("6f", "70"))
    assert (seal.interval_s, shown["interval_s"]) == (120, 120)
    _, (_, shown) = tell(seal, id=ID.replace("6f", "71"))
    assert (shown["lock"], shown["facts"]) == ("open", ["unlock_ok"])
    assert seal.done == list(KINDS)


def test_a_seal_does_a_command_once_however_often_it_comes() -> None:
    """It answers each time, with the first answer: the service may not have heard it."""
    seal = obedient()
    first = tell(seal)
    again = tell(seal, now_ms=NOW + 20 * MINUTE)
    assert (again, seal.done) == (first[:1], ["unlock"])


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"expires_at": iso_ms(NOW)}, "expired"),
        ({"seal": "S-2"}, "another_seal"),
        ({"kind": "interval"}, "not_supported"),
        ({}, "motor_stuck"),
    ],
)
def test_a_seal_refuses_and_does_nothing(changes: dict[str, Any], reason: str) -> None:
    seal = obedient(refuse={"unlock": "motor_stuck"})
    ((topic, said),) = tell(seal, **changes)
    assert (topic, said["result"], said["reason"]) == ("answer", "refused", reason)
    assert (seal.lock, seal.done) == ("closed", [])


@pytest.mark.parametrize(
    "payload", [b"", b"[]", b"{}", b"\xff", b'{"id":"x","kind":"unlock","seal":"S-1","expires_at":"soon"}']
)
def test_a_seal_does_nothing_for_what_is_no_command(payload: bytes) -> None:
    seal = obedient()
    assert (seal.told(payload, NOW), seal.not_understood, seal.lock) == ([], 1, "closed")


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{}",
        b'{"id":"x","result":"done","time":"now"}',
        f'{{"id":"{ID}","result":"refused","time":"now"}}'.encode(),
        b"\xff",
    ],
)
def test_what_is_no_answer_is_refused_in_words(payload: bytes) -> None:
    with pytest.raises(ValueError, match="not an answer to a command"):
        decode_answer(payload)


def documented(name: str) -> bytes:
    found = re.search(rf"<!-- {name} -->\n```json\n(.*?)\n```", DOCUMENT, re.DOTALL)
    assert found is not None, name
    return found[1].encode()


def test_the_examples_of_the_document_are_what_is_said() -> None:
    """The command as the service writes it; both answers as a seal gives them, byte for byte."""
    message = msgspec.json.decode(documented("command"), type=CommandMessage, strict=True)
    assert encode_message(message) == documented("command")
    for name, answer in (("answer", "done"), ("refusal", "refused")):
        said = decode_answer(documented(name))
        assert said.result == answer
        assert obedient().told(documented("command"), ms_of(said.time))[0].payload == documented(name)


def test_the_states_of_the_document_are_those_there_are() -> None:
    """Each with what may follow it."""
    rows = re.findall(r"^\| `(\w+)` \| .* \| (.*?)\|$", DOCUMENT, re.MULTILINE)
    assert {state: frozenset(re.findall(r"`(\w+)`", follow)) for state, follow in rows} == {
        state: NEXT.get(state, frozenset()) for state in STATES
    }


def taken(topic: str) -> Any:
    return take_in(
        [RawMessage(topic, b"{}", 1, NOW)], tenant="demo", instance="main", known_spaces=("live", "drill")
    )


def test_an_answer_is_taken_from_a_live_seal_alone() -> None:
    """In an exercise nobody asked: it is counted. Equipment answers nothing."""
    (answer,) = taken("eseal/v1/demo/dev/S-1/answer").answers
    assert (answer.seal, answer.message.payload) == ("S-1", b"{}")
    replayed = taken("eseal-exercise/v1/demo/drill/dev/S-1/answer")
    assert (replayed.answers, replayed.of("drill").counts) == ([], {"status_not_judged": 1})
    foreign = taken("eseal/v1/demo/equip/C-1/answer")
    assert (foreign.answers, len(foreign.of("live").dead_letters)) == ([], 1)


async def test_where_commands_are_off_answers_are_dead_letters_and_nobody_listens_for_any() -> None:
    message = RawMessage("eseal/v1/demo/dev/S-1/answer", b"{}", 1, NOW)
    (letter,) = (await not_taken([SealAnswer("S-1", message)])).dead_letters
    assert "commands to seals are off" in letter.reason
    extra = set(ingest_filters("demo", commands=True)) - set(ingest_filters("demo"))
    assert extra == {"eseal/v1/demo/dev/+/answer"}


def test_a_simulated_seal_that_reached_nobody_says_so() -> None:
    """It ends with 1 and the broker's address; it told that it had done nothing, as if it had been asked for nothing."""
    words = f"obey --seal S-1 --lon 106.68 --lat 20.86 --for 0.2 --port {choose_port()}"
    done = CliRunner().invoke(cli, words.split())
    assert isinstance(done.exception, SimulatorError)
    assert "was never reached" in str(done.exception)
