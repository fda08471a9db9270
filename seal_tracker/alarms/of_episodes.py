"""What an alarm is of its episode: its id, what it is about, where it was. Pure."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid5

import msgspec

from seal_tracker.alarms.grouping import own_group
from seal_tracker.alarms.states import RETURNED, UNACKNOWLEDGED
from seal_tracker.model import LIVE, Episode, Event, iso_ms, iso_or_none
from seal_tracker.publishing.cloudevents import AlarmState
from seal_tracker.ways import UNKNOWN_WAY, Way

__all__ = ["Place", "alarming", "as_told", "changed", "first_alarm_id", "new_alarm", "place_of", "subject_of"]

Place = tuple[float, float]
"""[lon, lat] in degrees."""


def first_alarm_id(episode: UUID) -> UUID:
    """The id of the alarm that an episode raises, unless it takes over another's."""
    return uuid5(episode, "alarm")


def alarming(episode: Episode) -> bool:
    """Whether an episode needs a person: everything but plain information does."""
    return episode.severity != "info"


def subject_of(episode: Episode) -> str:
    """What an episode is about, as an alarm says it."""
    return f"{episode.subject_kind}/{episode.subject}"


def place_of(episode: Episode) -> Place | None:
    """Where an episode was, by the last fix of its evidence."""
    fixes = episode.evidence.get("fixes")
    last = fixes[-1] if fixes else None
    if not isinstance(last, dict) or last.get("lon") is None or last.get("lat") is None:
        return None
    return float(last["lon"]), float(last["lat"])


def new_alarm(
    event: Event, opened_ms: int, *, responsible: str | None, declaration: str | None, way: Way = UNKNOWN_WAY
) -> AlarmState:
    """The alarm that an event raises, without deadlines and in a group of its own."""
    episode = event.episode
    alarm = str(first_alarm_id(episode.episode))
    return AlarmState(
        alarm=alarm,
        state=UNACKNOWLEDGED if episode.cleared_at_ms is None else RETURNED,
        **as_told(episode),
        responsible=responsible,
        declaration=declaration,
        place=place_of(episode),
        carrier=way.carrier,
        gateway=way.gateway,
        group=own_group(alarm),
        opened_at=iso_ms(opened_ms),
        updated_at=iso_ms(event.recorded_ms),
        late=event.late,
        exercise=event.space != LIVE,
    )


def as_told(episode: Episode) -> dict[str, Any]:
    """What an alarm repeats of its episode."""
    return {
        "episode": episode.episode,
        "type": episode.type,
        "severity": episode.severity,
        "subject": subject_of(episode),
        "journey": episode.journey,
        "seal": episode.seal,
        "object": episode.object,
        "unit": episode.unit,
        "raised_at": iso_ms(episode.raised_at_ms),
        "ended_at": iso_or_none(episode.ended_at_ms if episode.cleared_at_ms is not None else None),
    }


def changed(alarm: AlarmState, at: str, **changes: Any) -> AlarmState:
    """The alarm one version on."""
    return msgspec.structs.replace(alarm, version=alarm.version + 1, updated_at=at, **changes)
