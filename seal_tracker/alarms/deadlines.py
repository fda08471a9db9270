"""By when an alarm must be acknowledged and closed, by its severity; and which of its moments comes next. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import msgspec

from seal_tracker.alarms.states import ACKNOWLEDGED, ASKING, SHELVED, SUPPRESSED
from seal_tracker.model import EPOCH, iso_ms
from seal_tracker.publishing.cloudevents import AlarmState

__all__ = ["DEFAULT_TERMS", "Term", "Terms", "due_ms", "ms_of", "sooner", "timer_ms", "with_deadlines"]


@dataclass(frozen=True, slots=True)
class Term:
    """How long an alarm may wait to be acknowledged, and to be closed, both counted from when it was opened."""

    acknowledge_s: float
    close_s: float


Terms = Mapping[str, Term]
"""The term of each severity."""

DEFAULT_TERMS: Final[Terms] = {
    "critical": Term(2 * 60, 30 * 60),
    "high": Term(5 * 60, 60 * 60),
    "medium": Term(15 * 60, 4 * 3600),
    "low": Term(60 * 60, 24 * 3600),
}
"""A cut seal is looked at at once; a low battery within the shift, and dealt with within the day."""

SLOWEST: Final = Term(60 * 60, 24 * 3600)
"""For a severity that no table names."""


def ms_of(text: str) -> int:
    """Epoch ms of a time that `iso_ms` wrote."""
    return (datetime.fromisoformat(text) - EPOCH) // timedelta(milliseconds=1)


def term_of(terms: Terms, severity: str) -> Term:
    """The term of a severity."""
    return terms.get(severity, SLOWEST)


def with_deadlines(alarm: AlarmState, from_ms: int, terms: Terms) -> AlarmState:
    """The alarm with deadlines counted from a moment. One that is over before anyone knew rings nobody: it is only to be closed."""
    term = term_of(terms, alarm.severity)
    acknowledge_by = None if alarm.silent else iso_ms(from_ms + round(term.acknowledge_s * 1000))
    close_by = iso_ms(from_ms + round(term.close_s * 1000))
    return msgspec.structs.replace(
        alarm,
        acknowledge_by=acknowledge_by,
        close_by=close_by,
        escalates_at=acknowledge_by or close_by,
        escalations=0,
    )


def sooner(alarm: AlarmState, from_ms: int, terms: Terms) -> AlarmState:
    """The alarm after it has become more severe: what its new severity asks for, where that is sooner."""
    asked = with_deadlines(alarm, from_ms, terms)
    names = ("acknowledge_by", "close_by", "escalates_at")
    pairs = {name: [t for t in (getattr(alarm, name), getattr(asked, name)) if t] for name in names}
    kept = {name: min(times, default=None) for name, times in pairs.items()}
    return msgspec.structs.replace(alarm, **kept)


def due_ms(alarm: AlarmState) -> int | None:
    """By when somebody must do the next thing to it; None: nobody must."""
    if alarm.state in ASKING:
        text = alarm.acknowledge_by or alarm.close_by
    else:
        text = alarm.close_by if alarm.state == ACKNOWLEDGED else None
    return None if text is None else ms_of(text)


def timer_ms(alarm: AlarmState) -> int | None:
    """When time alone changes it next: what was set aside comes back, what waits is escalated; None: never."""
    text = None
    if alarm.state == SHELVED and alarm.shelf is not None:
        text = alarm.shelf.until
    elif alarm.state == SUPPRESSED and alarm.suppression is not None:
        text = alarm.suppression.until
    elif alarm.state in ASKING or alarm.state == ACKNOWLEDGED:
        text = alarm.escalates_at
    return None if text is None else ms_of(text)
