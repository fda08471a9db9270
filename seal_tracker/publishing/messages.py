"""What is to be published of a commit: its events, steps among them, and the alarms as they stand. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from seal_tracker.model import Event
from seal_tracker.publishing.topics import alarm_topic, event_topics
from seal_tracker.store.records import AlarmRow, OutboxMessage

__all__ = ["alarm_messages", "event_messages"]


def event_messages(told: Iterable[tuple[Event, bytes]], tenant: str) -> list[OutboxMessage]:
    """Events with their bodies, in order for each subject; one whose severity has changed goes out on two topics."""
    return [
        OutboxMessage(
            f"{event.space} {event.episode.subject_kind}/{event.episode.subject}",
            topic,
            body,
            False,
            event.sequence,
        )
        for event, body in told
        for topic in event_topics(event, tenant)
    ]


def alarm_messages(alarms: Iterable[AlarmRow], tenant: str, space: str) -> list[OutboxMessage]:
    """The retained states of alarms, empty for those that are closed."""
    return [
        OutboxMessage(
            f"{space} alarm/{row.id}",
            alarm_topic(tenant, str(row.id), space),
            b"" if row.state == "closed" else row.body,
            True,
        )
        for row in alarms
    ]
