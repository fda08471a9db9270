"""Steps of alarms (acknowledged, escalated, closed, …) as events: in the log, on MQTT and in the stream, as transitions are.

Pure. Type ``vn.eseal.alarm.STEP``; the data is a GeoJSON feature without a place whose properties name the alarm, its episode,
its type and severity, its state after the step, who took it, and what they said.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from seal_tracker.deeds import Step
from seal_tracker.model import LIVE, iso_ms
from seal_tracker.publishing.cloudevents import SEQUENCE_DIGITS, TYPE_PREFIX
from seal_tracker.publishing.topics import check_id, root
from seal_tracker.store.records import EventRow

__all__ = ["step_row", "step_topic"]

encode: Final = msgspec.json.Encoder().encode
decode: Final = msgspec.json.Decoder().decode


def step_topic(step: Step, tenant: str, space: str) -> str:
    """Where a step is published: as the events of its alarm's episode, under ``ALARM_STEP``."""
    kind, subject = _subject(step)
    return f"{root(tenant, space)}/evt/{step.alarm.severity}/ALARM_{step.transition.upper()}/{kind}/{check_id(subject)}"


def step_row(step: Step, sequence: int, *, tenant: str, space: str, recorded_ms: int) -> EventRow:
    """The event of a step, as it is stored and published."""
    alarm = step.alarm
    kind, subject = _subject(step)
    properties: dict[str, Any] = {
        "event": "ALARM",
        "transition": step.transition,
        "alarm": str(alarm.id),
        "state": alarm.state,
        "type": alarm.type,
        "severity": alarm.severity,
        "episode": None if alarm.episode is None else str(alarm.episode),
        "journey": alarm.journey,
        "seal": alarm.seal,
        "unit": alarm.unit,
        "by": step.by,
        "detail": decode(step.detail),
        "exercise": space != LIVE,
    }
    body = encode(
        {
            "specversion": "1.0",
            "id": str(step.id),
            "source": f"/seal-tracker/{tenant}",
            "type": f"{TYPE_PREFIX}.alarm.{step.transition}",
            "subject": f"{kind}/{subject}",
            "time": iso_ms(step.at_ms),
            "recordedtime": iso_ms(recorded_ms),
            "datacontenttype": "application/geo+json",
            "severitytext": alarm.severity,
            "sequence": f"{sequence:0{SEQUENCE_DIGITS}}",
            "data": {"type": "Feature", "geometry": None, "properties": properties},
        }
    )
    return EventRow(
        sequence, step.id, alarm.episode or alarm.id, kind, subject, alarm.journey, alarm.seal or "",
        alarm.type, f"alarm.{step.transition}", alarm.severity, step.number, step.at_ms, recorded_ms, False, body,
    )  # fmt: skip


def _subject(step: Step) -> tuple[str, str]:
    """(kind, id) of what the alarm is about."""
    kind, _, subject = decode(step.alarm.body)["subject"].partition("/")
    return kind, subject
