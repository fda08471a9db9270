"""What a person does to an alarm: decided here, against the table of states. Pure.

Whoever acts gives an `Act`; what it makes of the alarm is a new alarm, or it is refused in words that say who was first. Nothing is
ever overwritten: of two who act at once the second meets the state that the first has left.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec

from seal_tracker.alarms.deadlines import Terms, with_deadlines
from seal_tracker.alarms.states import ASKING, Verb, refusal, state_of
from seal_tracker.model import iso_ms, iso_or_none
from seal_tracker.publishing.cloudevents import AlarmState, SetAside
from seal_tracker.supervision.errors import Unfit, WrongState

__all__ = ["CLOSING_CODES", "LONGEST_S", "Act", "ClosingCode", "detail_of", "taken"]

ClosingCode = Literal[
    "confirmed",  # a violation: handed on to those who deal with it
    "resolved",  # it was so, and was put right
    "authorised",  # it was so, by an order or leave that was not recorded in time
    "equipment_fault",  # the device was wrong
    "false_alarm",  # it was not so: the rule, its limits or the plan were wrong
    "duplicate",  # another alarm stands for it
    "test",
]
CLOSING_CODES: Final[tuple[str, ...]] = ClosingCode.__args__  # type: ignore[attr-defined]

LONGEST_S: Final = {"shelve": 24 * 3600, "suppress": 90 * 86_400}
"""Shelving is for the shift's own relief, so a day at most; by design a stretch of works may take a quarter of a year."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What somebody does to an alarm. ``to`` is whom it is assigned to, who is sent, or the route to follow; ``until_ms`` ends a setting aside."""

    verb: Verb
    by: str
    role: str
    at_ms: int
    note: str | None = None
    to: str | None = None
    until_ms: int | None = None
    reason: str | None = None
    code: str | None = None


def taken(alarm: AlarmState, act: Act, terms: Terms) -> AlarmState:
    """The alarm after the act, one version on.

    Raises
    ------
    WrongState
        The alarm's state does not allow it.
    Unfit
        Its time cannot be.
    """
    if (why := refusal(alarm, act.verb)) is not None:
        raise WrongState(why)
    at = iso_ms(act.at_ms)
    changed: dict[str, Any] = {"version": alarm.version + 1, "updated_at": at, "changed_by": act.by}
    changed |= {"changed_at": at} | _changes(alarm, act, at)
    if act.note is not None:
        changed |= {"note": act.note, "notes": alarm.notes + 1}
    after = msgspec.structs.replace(alarm, **changed)
    after = msgspec.structs.replace(after, state=state_of(after))
    if act.verb in {"unshelve", "unsuppress"}:
        return resumed(after, act.at_ms, terms)
    if act.verb == "ack":
        return msgspec.structs.replace(after, escalates_at=after.close_by, escalations=0)
    return after


def resumed(alarm: AlarmState, at_ms: int, terms: Terms) -> AlarmState:
    """An alarm that is no longer set aside: who has to deal with it has the whole time again."""
    again = with_deadlines(alarm, at_ms, terms)
    if again.state in ASKING:
        return again
    return msgspec.structs.replace(again, escalates_at=again.close_by)


def detail_of(act: Act) -> dict[str, Any]:
    """What was said with an act, for its event and the history."""
    said = {
        "note": act.note,
        "to": act.to,
        "until": iso_or_none(act.until_ms),
        "reason": act.reason,
        "code": act.code,
    }
    return {name: value for name, value in said.items() if value is not None}


def _changes(alarm: AlarmState, act: Act, at: str) -> dict[str, Any]:
    """What the act itself sets."""
    match act.verb:
        case "ack":
            changes: dict[str, Any] = {"acked_by": act.by, "acked_at": at}
        case "assign":
            changes = {"assignee": act.to}
        case "dispatch":
            changes = {"dispatched": act.to}
        case "shelve":
            changes = {"shelf": _set_aside(act)}
        case "suppress":
            changes = {"suppression": _set_aside(act), "shelf": None}
        case "unshelve" | "unsuppress":
            changes = {"shelf": None, "suppression": None}
        case "close":
            changes = _closed(alarm, act, at)
        case "note" | "divert":
            changes = {}
    return changes


def _closed(alarm: AlarmState, act: Act, at: str) -> dict[str, Any]:
    """Who closes an alarm has seen it."""
    seen = {} if alarm.acked_at else {"acked_by": act.by, "acked_at": at}
    why = {"code": act.code, "closing_note": act.note, "closed_by": act.by, "closed_at": at}
    return seen | why | {"shelf": None, "suppression": None, "escalates_at": None}


def _set_aside(act: Act) -> SetAside:
    assert act.until_ms is not None
    assert act.reason is not None
    longest_s = LONGEST_S[act.verb]
    if not act.at_ms < act.until_ms <= act.at_ms + longest_s * 1000:
        raise Unfit(
            f"until: must be after now ({iso_ms(act.at_ms)}) and at most {longest_s // 3600} h ahead, not {iso_ms(act.until_ms)}",
            field="until",
        )
    return SetAside(until=iso_ms(act.until_ms), by=act.by, reason=act.reason)
