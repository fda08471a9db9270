"""From events to alarms: one for each episode that needs a person, under an id that outlives a moved start. Pure.

States after ISA-18.2, as far as nobody has acted: ``unacknowledged``, ``returned_unacknowledged`` (over, not yet seen by
anyone), ``closed``. What a person has made of an alarm stays, whatever becomes of its episode, unless that is taken back.
What late data tells of something already over starts returned, silent.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID, uuid5

import msgspec

from seal_tracker.model import LIVE, Episode, Event, iso_ms, iso_or_none
from seal_tracker.publishing.cloudevents import AlarmState, state_payload
from seal_tracker.store.records import AlarmRow

__all__ = ["CLOSED", "alarm_rows", "alarming", "first_alarm_id"]

CLOSED = "closed"
UNACKNOWLEDGED = "unacknowledged"
RETURNED = "returned_unacknowledged"
UNTOUCHED = (UNACKNOWLEDGED, RETURNED, CLOSED)
"""States that events alone bring about; any other is a person's doing."""


def first_alarm_id(episode: UUID) -> UUID:
    """The id of the alarm that an episode raises, unless it takes over another's."""
    return uuid5(episode, "alarm")


def alarming(episode: Episode) -> bool:
    """Whether an episode needs a person: everything but plain information does."""
    return episode.severity != "info"


def alarm_rows(events: Sequence[Event], existing: Iterable[AlarmRow]) -> dict[UUID, AlarmRow]:
    """Alarms as they stand after some events, by id; ``existing`` are the alarms of the episodes concerned.

    An episode that takes the place of others takes over an alarm of theirs, that which a person has seen first of all; an
    episode that has one of its own, still open, keeps it. Of two alarms that have become one thing the other closes.
    """
    closed_first = sorted(existing, key=lambda row: row.state != CLOSED)
    by_episode = {row.episode: row for row in closed_first if row.episode is not None}
    rows: dict[UUID, AlarmRow] = {}
    for event in events:
        episode = event.episode
        heirlooms = [by_episode.pop(old) for old in event.references if old in by_episode]
        heirlooms = sorted((row for row in heirlooms if row.state != CLOSED), key=_precedence)
        own = by_episode.get(episode.episode)
        old = heirlooms.pop(0) if heirlooms and (own is None or own.state == CLOSED) else own
        rows |= {row.id: _merged(row, event) for row in heirlooms}
        if old is None and not alarming(episode):
            continue
        row = _row(event, old)
        by_episode[episode.episode] = rows[row.id] = row
    return rows


def _precedence(row: AlarmRow) -> tuple[bool, int, str]:
    return row.state in UNTOUCHED, row.raised_at_ms, str(row.id)


def _merged(row: AlarmRow, event: Event) -> AlarmRow:
    """An alarm whose episode has become part of one that has an alarm already."""
    body = msgspec.json.decode(row.body) | {"state": CLOSED, "updated_at": iso_ms(event.recorded_ms)}
    return row._replace(state=CLOSED, updated_at_ms=event.recorded_ms, body=msgspec.json.encode(body))


def _row(event: Event, old: AlarmRow | None) -> AlarmRow:
    episode = event.episode
    state = _state(event, old)
    alarm = first_alarm_id(episode.episode) if old is None else old.id
    told = AlarmState(
        alarm=str(alarm),
        state=state,
        episode=episode.episode,
        type=episode.type,
        severity=episode.severity,
        subject=f"{episode.subject_kind}/{episode.subject}",
        journey=episode.journey,
        seal=episode.seal,
        object=episode.object,
        unit=episode.unit,
        raised_at=iso_ms(episode.raised_at_ms),
        ended_at=iso_or_none(episode.ended_at_ms),
        updated_at=iso_ms(event.recorded_ms),
        exercise=event.space != LIVE,
    )
    return AlarmRow(
        id=alarm,
        episode=episode.episode,
        state=state,
        severity=episode.severity,
        type=episode.type,
        journey=episode.journey,
        seal=episode.seal,
        unit=episode.unit,
        raised_at_ms=episode.raised_at_ms,
        updated_at_ms=event.recorded_ms,
        repeats=1 if old is None else old.repeats,
        body=state_payload(told),
    )


def _state(event: Event, old: AlarmRow | None) -> str:
    """Closed where the episode was taken back, and for as long as it does not come back."""
    comes_back = event.transition == "raised" or bool(event.references)
    if event.transition == "retracted" or (old is not None and old.state == CLOSED and not comes_back):
        return CLOSED
    if old is not None and old.state not in UNTOUCHED:
        return old.state
    if event.episode.cleared_at_ms is not None:
        return RETURNED
    return UNACKNOWLEDGED
