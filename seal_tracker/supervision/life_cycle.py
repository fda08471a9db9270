"""The life cycle of a journey: which deed is allowed in which state, in one table. Pure.

DECLARED → ASSIGNED → ARMED → DISARMED → CLOSED
                       ├── SUSPENDED, DIVERTED, TRANSFERRED (under way all the same)
                       └── CANCELLED (from any state before disarming)

What was recorded wrongly is corrected: see ``journey_corrections``; what was declared wrongly is amended: see ``journey_amending``.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from seal_tracker.journey_record import UNDER_WAY, State
from seal_tracker.supervision.errors import WrongState

__all__ = ["ALLOWED", "Verb", "check_allowed"]


class Verb(StrEnum):
    """What a person does to a journey that was declared."""

    ASSIGN = "assign"
    ARM = "arm"
    DISARM = "disarm"
    SUSPEND = "suspend"
    RESUME = "resume"
    DIVERT = "divert"
    AUTHORISE = "authorise"
    TRANSFER = "transfer"
    CANCEL = "cancel"
    CLOSE = "close"
    RESET = "reset"
    AMEND = "amend"
    CORRECT = "correct"


AFTERWARDS = UNDER_WAY | {State.DISARMED}
"""What was ordered on the way may be recorded after the seal was disarmed, dated to when it was said."""

ALLOWED: Mapping[Verb, frozenset[State]] = {
    Verb.ASSIGN: frozenset({State.DECLARED, State.ASSIGNED}),
    Verb.ARM: frozenset({State.ASSIGNED}),
    Verb.DISARM: UNDER_WAY,
    Verb.SUSPEND: AFTERWARDS - {State.SUSPENDED},
    Verb.RESUME: frozenset({State.SUSPENDED}),
    Verb.DIVERT: AFTERWARDS,
    Verb.AUTHORISE: AFTERWARDS | {State.ASSIGNED},
    Verb.TRANSFER: UNDER_WAY,
    Verb.CANCEL: UNDER_WAY | {State.DECLARED, State.ASSIGNED},
    Verb.CLOSE: frozenset({State.DISARMED}),
    Verb.RESET: AFTERWARDS,
    Verb.AMEND: AFTERWARDS | {State.DECLARED, State.ASSIGNED},
    Verb.CORRECT: frozenset(State) - {State.DECLARED},
}

FIRST: Mapping[State, str] = {
    State.DECLARED: "assign a seal first",
    State.ASSIGNED: "arm it first",
    State.SUSPENDED: "resume it first",
    State.ARMED: "disarm it first",
    State.DIVERTED: "disarm it first",
    State.TRANSFERRED: "disarm it first",
    State.DISARMED: "declare a new journey",
    State.CLOSED: "declare a new journey",
    State.CANCELLED: "declare a new journey",
}
"""The way on from each state."""

INSTEAD: Mapping[tuple[Verb, State], str] = {
    (Verb.ASSIGN, state): "transfer it to another device" for state in UNDER_WAY
} | {
    (Verb.ARM, State.DECLARED): "assign a seal first",
    (Verb.RESUME, State.ARMED): "it is not suspended",
    (Verb.RESUME, State.DIVERTED): "it is not suspended",
    (Verb.RESUME, State.TRANSFERRED): "it is not suspended",
    (Verb.CLOSE, State.SUSPENDED): "disarm it first",
    (Verb.CANCEL, State.DISARMED): "close it with a reason code",
    (Verb.CLOSE, State.DECLARED): "cancel it",
    (Verb.CLOSE, State.ASSIGNED): "cancel it",
    (Verb.AMEND, State.CLOSED): "correct the close first",
    (Verb.AMEND, State.CANCELLED): "correct the cancelling first",
    (Verb.CORRECT, State.DECLARED): "nothing has been ordered of it yet",
}
"""A better way on, where there is one."""


def check_allowed(verb: Verb, state: State, journey: str) -> None:
    """Refuse a deed that the state does not allow.

    Raises
    ------
    WrongState
        Saying the state, the states it is allowed in, and what to do instead.
    """
    if state in ALLOWED[verb]:
        return
    where = ", ".join(sorted(ALLOWED[verb]))
    remedy = INSTEAD.get((verb, state)) or FIRST[state]
    raise WrongState(f"journey {journey!r} is {state}: {verb} is for journeys that are {where}; {remedy}")
