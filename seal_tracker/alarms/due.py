"""What time alone does to an alarm: a shelf expires, a deadline passes and somebody higher is called. Pure.

Who has not acknowledged in time is passed over: the head of the responsible unit is called, after as long again the one above, up to
the top. What was acknowledged and is not closed in time goes to the next above in the same way. The last in the line is told of each
deadline at least once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from seal_tracker.alarms.deadlines import Terms, ms_of, term_of
from seal_tracker.alarms.life_cycle import resumed
from seal_tracker.alarms.responsibility import Answering
from seal_tracker.alarms.states import ACKNOWLEDGED, ASKING, SHELVED, SUPPRESSED, state_of
from seal_tracker.model import iso_ms
from seal_tracker.publishing.cloudevents import AlarmState

__all__ = ["SYSTEM", "TimedStep", "back_again", "timed"]

SYSTEM = "system"
"""Who acts where nobody does: the service in its own name."""


class TimedStep(NamedTuple):
    """The alarm after the step, what the step is called, and what there is to say of it."""

    alarm: AlarmState
    name: str
    detail: dict[str, Any]


def timed(alarm: AlarmState, now_ms: int, terms: Terms, line: Sequence[Answering]) -> TimedStep | None:
    """The next step that is due by now, given the line of heads who answer; None: none is. Ask again of what comes out."""
    if alarm.state == SHELVED and alarm.shelf is not None and ms_of(alarm.shelf.until) <= now_ms:
        detail = {"until": alarm.shelf.until, "by": alarm.shelf.by}
        return TimedStep(back_again(alarm, now_ms, terms), "unshelved", detail)
    aside = alarm.suppression
    if alarm.state == SUPPRESSED and aside is not None and ms_of(aside.until) <= now_ms:
        return TimedStep(
            back_again(alarm, now_ms, terms), "unsuppressed", {"until": aside.until, "by": aside.by}
        )
    waits = alarm.state in ASKING or alarm.state == ACKNOWLEDGED
    if waits and alarm.escalates_at is not None and ms_of(alarm.escalates_at) <= now_ms:
        return _escalated(alarm, now_ms, terms, line)
    return None


def back_again(alarm: AlarmState, now_ms: int, terms: Terms) -> AlarmState:
    """What was set aside is back."""
    open_ = msgspec.structs.replace(alarm, shelf=None, suppression=None)
    open_ = msgspec.structs.replace(open_, state=state_of(open_), **_step(alarm, now_ms))
    return resumed(open_, now_ms, terms)


def _escalated(alarm: AlarmState, now_ms: int, terms: Terms, line: Sequence[Answering]) -> TimedStep | None:
    close_missed = alarm.close_by is None or ms_of(alarm.close_by) <= now_ms
    asks = alarm.state in ASKING and alarm.acknowledge_by is not None and not close_missed
    waits_for = "acknowledge" if asks else "close"
    term = term_of(terms, alarm.severity)
    every_s = term.acknowledge_s if waits_for == "acknowledge" else term.close_s
    level = min(alarm.escalations, len(line) - 1)
    to = line[level]
    after = msgspec.structs.replace(
        alarm,
        escalations=alarm.escalations + 1,
        escalated_to=to.acting or to.unit,
        escalates_at=_next(alarm, waits_for, now_ms + round(every_s * 1000), level + 1 < len(line)),
        **_step(alarm, now_ms),
    )
    deadline = alarm.acknowledge_by if waits_for == "acknowledge" else alarm.close_by
    detail = {
        "to": to.acting,
        "unit": to.unit,
        "level": level + 1,
        "deadline": waits_for,
        "was_due": deadline,
    }
    if to.deputy is not None:
        detail["for"] = to.head
    return TimedStep(after, "escalated", detail)


def _next(alarm: AlarmState, waits_for: str, next_ms: int, goes_on: bool) -> str | None:
    """When the next is called: as long again after this one; at the end of the line when it should be closed."""
    if goes_on:
        return iso_ms(next_ms)
    if waits_for == "acknowledge" and alarm.close_by is not None:
        return max(alarm.close_by, iso_ms(next_ms))
    return None


def _step(alarm: AlarmState, now_ms: int) -> dict[str, Any]:
    at = iso_ms(now_ms)
    return {"version": alarm.version + 1, "updated_at": at, "changed_by": SYSTEM, "changed_at": at}
