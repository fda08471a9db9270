"""An alarm and its row: the row's body is the alarm as it is told, the other columns are what it is found and ordered by. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

import msgspec

from seal_tracker.alarms.deadlines import due_ms, ms_of, timer_ms
from seal_tracker.alarms.grouping import own_group
from seal_tracker.publishing.cloudevents import AlarmState, state_payload
from seal_tracker.store.records import AlarmRow

__all__ = ["alarm_in", "row_of"]

_decode = msgspec.json.Decoder(AlarmState).decode


def alarm_in(row: AlarmRow) -> AlarmState:
    """The alarm of a row. One that an earlier release wrote has no deadlines and no group but its own."""
    alarm = _decode(row.body)
    return msgspec.structs.replace(
        alarm,
        state=row.state,
        opened_at=alarm.opened_at or alarm.raised_at,
        group=alarm.group or own_group(alarm.alarm),
    )


def row_of(alarm: AlarmState, episodes: Iterable[UUID]) -> AlarmRow:
    """The row of an alarm that stands for these episodes."""
    return AlarmRow(
        id=UUID(alarm.alarm),
        episode=alarm.episode,
        state=alarm.state,
        severity=alarm.severity,
        type=alarm.type,
        journey=alarm.journey,
        seal=alarm.seal,
        unit=alarm.unit,
        raised_at_ms=ms_of(alarm.raised_at),
        updated_at_ms=ms_of(alarm.updated_at),
        repeats=alarm.repeats,
        body=state_payload(alarm),
        version=alarm.version,
        subject=alarm.subject,
        object=alarm.object,
        responsible=alarm.responsible,
        episodes=tuple(episodes),
        group=UUID(alarm.group),
        opened_at_ms=ms_of(alarm.opened_at),
        due_ms=due_ms(alarm),
        timer_ms=timer_ms(alarm),
        closed_at_ms=None if alarm.closed_at is None else ms_of(alarm.closed_at),
        code=alarm.code,
        silent=alarm.silent,
        begins=alarm.group == own_group(alarm.alarm),
    )
