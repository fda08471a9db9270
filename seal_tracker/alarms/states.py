"""The states of an alarm, after ISA-18.2, and what may be done to it in each: one table. Pure.

An alarm's state follows from what is known of it: closed, else suppressed, else shelved, else acknowledged, else whether its episode
is over. ``acknowledged`` with an ``ended_at`` has returned to normal; it stays until a person closes it with a reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from seal_tracker.publishing.cloudevents import AlarmState

__all__ = [
    "ACKNOWLEDGED",
    "ASKING",
    "CLOSED",
    "OPEN_STATES",
    "REFUSALS",
    "RETURNED",
    "SHELVED",
    "STATES",
    "STEPS",
    "SUPPRESSED",
    "UNACKNOWLEDGED",
    "Verb",
    "refusal",
    "state_of",
]

UNACKNOWLEDGED: Final = "unacknowledged"
ACKNOWLEDGED: Final = "acknowledged"
RETURNED: Final = "returned_unacknowledged"
SHELVED: Final = "shelved"
SUPPRESSED: Final = "suppressed"
CLOSED: Final = "closed"

OPEN_STATES: Final = (UNACKNOWLEDGED, RETURNED, ACKNOWLEDGED, SHELVED, SUPPRESSED)
STATES: Final = (*OPEN_STATES, CLOSED)

ASKING: Final = frozenset({UNACKNOWLEDGED, RETURNED})
"""Nobody has acknowledged it, and nobody has set it aside."""

Verb = Literal[
    "ack", "assign", "note", "dispatch", "divert", "shelve", "unshelve", "suppress", "unsuppress", "close"
]

STEPS: Final[Mapping[Verb, str]] = {
    "ack": "acknowledged",
    "assign": "assigned",
    "note": "noted",
    "dispatch": "dispatched",
    "divert": "diverted",
    "shelve": "shelved",
    "unshelve": "unshelved",
    "suppress": "suppressed",
    "unsuppress": "unsuppressed",
    "close": "closed",
}
"""What is done to an alarm, and what the step is called once it is done."""

IS_CLOSED: Final = "it was closed by {closed_by} at {closed_at} as {code}; nothing more is done to it"
NOT_SHELVED: Final = "it is not shelved, it is {state}; there is nothing to take back"
NOT_SUPPRESSED: Final = "it is not suppressed, it is {state}; there is nothing to take back"
IS_SHELVED: Final = "{shelf_by} shelved it until {shelf_until}; unshelve it first"
IS_SUPPRESSED: Final = "{suppression_by} suppressed it until {suppression_until}; unsuppress it first"

REFUSALS: Final[Mapping[Verb, Mapping[str, str]]] = {
    "ack": {
        ACKNOWLEDGED: "{acked_by} acknowledged it at {acked_at}",
        SHELVED: IS_SHELVED,
        SUPPRESSED: IS_SUPPRESSED,
        CLOSED: IS_CLOSED,
    },
    "assign": {CLOSED: IS_CLOSED},
    "note": {CLOSED: IS_CLOSED},
    "dispatch": {CLOSED: IS_CLOSED},
    "divert": {CLOSED: IS_CLOSED},
    "shelve": {SHELVED: IS_SHELVED, SUPPRESSED: IS_SUPPRESSED, CLOSED: IS_CLOSED},
    "unshelve": {
        UNACKNOWLEDGED: NOT_SHELVED,
        RETURNED: NOT_SHELVED,
        ACKNOWLEDGED: NOT_SHELVED,
        SUPPRESSED: NOT_SHELVED,
        CLOSED: IS_CLOSED,
    },
    "suppress": {SUPPRESSED: IS_SUPPRESSED, CLOSED: IS_CLOSED},
    "unsuppress": {
        UNACKNOWLEDGED: NOT_SUPPRESSED,
        RETURNED: NOT_SUPPRESSED,
        ACKNOWLEDGED: NOT_SUPPRESSED,
        SHELVED: NOT_SUPPRESSED,
        CLOSED: IS_CLOSED,
    },
    "close": {CLOSED: IS_CLOSED},
}
"""Why something may not be done in a state; what is not here may."""


def state_of(alarm: AlarmState) -> str:
    """The state that follows from what is known of the alarm."""
    if alarm.closed_at is not None:
        return CLOSED
    if alarm.suppression is not None:
        return SUPPRESSED
    if alarm.shelf is not None:
        return SHELVED
    if alarm.acked_at is not None:
        return ACKNOWLEDGED
    return UNACKNOWLEDGED if alarm.ended_at is None else RETURNED


def refusal(alarm: AlarmState, verb: Verb) -> str | None:
    """Why this may not be done to the alarm as it is, in words, with who was first and when; None: it may."""
    words = REFUSALS[verb].get(alarm.state)
    if words is None:
        return None
    shelf, suppression = alarm.shelf, alarm.suppression
    return words.format(
        state=alarm.state.replace("_", " "),
        acked_by=alarm.acked_by or "the service",
        acked_at=alarm.acked_at,
        closed_by=alarm.closed_by or "the service",
        closed_at=alarm.closed_at or alarm.updated_at,
        code=alarm.code or "over",
        shelf_by=shelf.by if shelf else "",
        shelf_until=shelf.until if shelf else "",
        suppression_by=suppression.by if suppression else "",
        suppression_until=suppression.until if suppression else "",
    )
