"""Steps of alarms (acknowledged, escalated, closed, …) as events: in the log, on MQTT and in the stream, as transitions are.

Pure. Type ``vn.eseal.TYPE.STEP`` on the topic of the episode's own events, whose properties are those of the episode as it stands,
with the step as ``transition``; beside them ``alarm``, its ``state`` after the step, ``by`` whom it was taken, the unit ``responsible``, and their ``detail``.
"""

from __future__ import annotations

from typing import Final

import msgspec

from seal_tracker.deeds import Step
from seal_tracker.model import Event
from seal_tracker.publishing.cloudevents import step_event
from seal_tracker.store.records import EpisodeRow, EventRow

__all__ = ["step_of", "step_row"]

decode: Final = msgspec.json.Decoder().decode


def step_of(step: Step, of: EpisodeRow, sequence: int, *, space: str, recorded_ms: int) -> Event:
    """A step as an event of its alarm's episode, which stands as it did; the step's own word is told beside it."""
    return Event(
        id=step.id,
        sequence=sequence,
        space=space,
        episode=of.episode,
        transition="updated",
        revision=of.revision,
        time_ms=step.at_ms,
        recorded_ms=recorded_ms,
        late=False,
    )


def step_row(step: Step, event: Event, tenant: str) -> EventRow:
    """A step as it is stored and published."""
    alarm = {
        "alarm": str(step.alarm.id),
        "state": step.alarm.state,
        "by": step.by,
        "responsible": step.alarm.responsible,
        "detail": decode(step.detail),
    }
    body = step_event(event, tenant, step.transition, alarm)
    e = event.episode
    return EventRow(
        event.sequence, event.id, e.episode, e.subject_kind, e.subject, e.journey, e.seal, e.type, step.transition,
        e.severity, event.revision, event.time_ms, event.recorded_ms, False, body, e.unit,
        step.alarm.responsible if step.alarm.responsible != e.unit else None,
    )  # fmt: skip
