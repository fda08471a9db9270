"""Events as CloudEvents 1.0 in structured JSON, their data a GeoJSON feature; and the payloads of retained states.

Pure: an event gives the same bytes whenever it is encoded, so that they can be committed with it. The members that
INTERFACES.md names come as named there; the properties hold all that an episode is made of, so that events folded
by ``sequence`` give the stored episodes.

Of ``evidence`` only this is looked at: ``fixes``, a list of objects with ``lon`` and ``lat`` (degrees), the last one the
newest; and of an inferred episode ``path``, a list of ``[lon, lat]``.
"""

from __future__ import annotations

from typing import Any, Final, Literal
from uuid import UUID

import geojson  # type: ignore[import-untyped]
import msgspec
from msgspec import UNSET, UnsetType

from seal_tracker.model import LIVE, Event, Severity, iso_ms, iso_or_none

__all__ = [
    "AlarmState",
    "CloudEvent",
    "EventFeature",
    "EventProperties",
    "JourneyState",
    "ServiceState",
    "SetAside",
    "cloud_event",
    "state_payload",
    "step_event",
]

TYPE_PREFIX: Final = "vn.eseal"
SEQUENCE_DIGITS: Final = 20
"""Wide enough for any 64-bit number, so that text sorts as numbers do."""

MIN_LINE: Final = 2
"""A GeoJSON LineString has at least two positions."""

DEGREE_DIGITS: Final = 7
"""Decimals of a degree, 1 cm: what is stored. The library would round to six."""

_encoder: Final = msgspec.json.Encoder()


class SetAside(msgspec.Struct, frozen=True, kw_only=True):
    """Until when an alarm is set aside (shelved, or suppressed by design), by whom and why. Times are ISO 8601.

    ``order`` is the suppression by which that was so before the alarm was raised; null: a person set it aside by hand.
    """

    until: str
    by: str
    reason: str
    order: str | None = None


class AlarmState(msgspec.Struct, frozen=True, kw_only=True):
    """An alarm as it stands, on ``alarm/{alarm}``; the topic is emptied when it closes. Times are ISO 8601.

    Attributes
    ----------
    version
        rises with every change of the alarm; its ``ETag``.
    episode
        the newest of the ``repeats`` episodes that the alarm stands for.
    unit, responsible
        the journey's unit; and the unit whose head answers: that in whose jurisdiction the alarm's place lies, else the former.
    place
        ``[lon, lat]`` where it was raised.
    carrier, gateway
        the mobile network and the gateway by which its seal was heard last, where it said so.
    group
        the group of which this is one, if only of itself.
    opened_at
        when it was first known; ``raised_at`` is the time of what happened.
    late, silent
        told by data that came late; and was over by then, so that nobody is called.
    note, notes
        the last note, and how many there are.
    acknowledge_by, close_by, escalates_at
        deadlines, and when the alarm is next put before a head.
    escalations, escalated_to
        how often since it was last dealt with, and before whom.
    code, closing_note
        why it was closed.
    changed_by, changed_at
        who took the last step, and when; the service itself is ``system``.
    """

    alarm: str
    version: int = 1
    state: str
    episode: UUID
    type: str
    severity: Severity
    subject: str
    journey: str | None
    seal: str | None
    object: str | None
    unit: str | None
    responsible: str | None = None
    declaration: str | None = None
    place: tuple[float, float] | None = None
    carrier: str | None = None
    gateway: str | None = None
    group: str = ""
    repeats: int = 1
    raised_at: str
    opened_at: str = ""
    ended_at: str | None
    updated_at: str
    late: bool = False
    silent: bool = False
    acked_by: str | None = None
    acked_at: str | None = None
    assignee: str | None = None
    dispatched: str | None = None
    note: str | None = None
    notes: int = 0
    shelf: SetAside | None = None
    suppression: SetAside | None = None
    acknowledge_by: str | None = None
    close_by: str | None = None
    escalates_at: str | None = None
    escalations: int = 0
    escalated_to: str | None = None
    code: str | None = None
    closing_note: str | None = None
    closed_by: str | None = None
    closed_at: str | None = None
    changed_by: str | None = None
    changed_at: str | None = None
    exercise: bool


class JourneyState(msgspec.Struct, frozen=True, kw_only=True):
    """The present state of a journey, on ``journey/{journey}/state``; emptied when it closes. Times are ISO 8601.

    ``state`` is where it is in its life, ``status`` that or what its track tells (IN_TRANSIT, AT_STOP, ARRIVED).
    """

    journey: str
    seal: str
    state: str
    status: str
    route: str | None
    progress_pct: float | None
    eta: str | None
    open_alarms: tuple[str, ...]
    updated_at: str
    exercise: bool


class ServiceState(msgspec.Struct, frozen=True, kw_only=True):
    """Whether an instance of the service is there; ``offline`` is left by its last will or its end."""

    state: str
    version: str


class EventProperties(msgspec.Struct, frozen=True, kw_only=True):
    """What an event says: its episode as it then stood, and what became of it. Times are ISO 8601.

    Attributes
    ----------
    event, transition
        type of the episode; and ``raised``, ``updated``, ``cleared``, ``retracted``, or the step of an alarm, such as ``acknowledged``.
    revision
        rises with every transition of the episode.
    object
        the zone, checkpoint or the like that it is about.
    old_severity
        where this transition changed it.
    late, inferred, latched
        told by data that came late; worked out from a stretch without data; stays until a person resets it.
    evidence
        what it was judged by; the fixes among it are the newest last.
    references
        ids of events that this one takes back or replaces.
    alarm, state, by, responsible, detail
        of a step of an alarm alone: which, its state afterwards, who took it (``system``: the service itself), the unit whose head
        answers for it, and what was said.
    """

    event: str
    transition: str
    episode: str
    revision: int
    journey: str | None
    seal: str
    regime: str | None
    unit: str | None
    object: str | None
    severity: Severity
    old_severity: Severity | None
    started_at: str
    raised_at: str
    ended_at: str | None
    cleared_at: str | None
    late: bool
    inferred: bool
    latched: bool
    evidence: dict[str, Any]
    plan_version: int
    exercise: bool
    references: list[str]
    alarm: str | UnsetType = UNSET
    state: str | UnsetType = UNSET
    by: str | UnsetType = UNSET
    responsible: str | UnsetType | None = UNSET
    detail: dict[str, Any] | UnsetType = UNSET


class EventFeature(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="Feature"):
    """A GeoJSON feature: where, and the event. The geometry is the stretch of an inferred episode, else its last fix, else null."""

    geometry: dict[str, Any] | None
    properties: EventProperties


class CloudEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A CloudEvent 1.0. ``sequence`` is text of 20 digits, ``time`` when it happened, ``recordedtime`` when that became known."""

    specversion: Literal["1.0"] = "1.0"
    id: str
    source: str
    type: str
    subject: str
    time: str
    recordedtime: str
    datacontenttype: Literal["application/geo+json"] = "application/geo+json"
    severitytext: Severity
    sequence: str
    data: EventFeature


def cloud_event(event: Event, tenant: str) -> bytes:
    """Encode an event. Times as ISO 8601 with milliseconds and Z; ``sequence`` as text of 20 digits."""
    return _encoded(event, tenant, _properties(event, event.transition))


def step_event(event: Event, tenant: str, step: str, alarm: dict[str, Any]) -> bytes:
    """Encode a step of an alarm: its episode as it stands, the step as transition, and ``alarm`` among the properties.

    So who folds events by episode finds the episode as it was, and nothing else.
    """
    return _encoded(event, tenant, _properties(event, step, **alarm))


def _encoded(event: Event, tenant: str, properties: EventProperties) -> bytes:
    episode = event.episode
    return _encoder.encode(
        CloudEvent(
            id=str(event.id),
            source=f"/seal-tracker/{tenant}",
            type=f"{TYPE_PREFIX}.{episode.type}.{properties.transition}",
            subject=f"{episode.subject_kind}/{episode.subject}",
            time=iso_ms(event.time_ms),
            recordedtime=iso_ms(event.recorded_ms),
            severitytext=episode.severity,
            sequence=f"{event.sequence:0{SEQUENCE_DIGITS}}",
            data=EventFeature(geometry=_geometry(event), properties=properties),
        )
    )


def state_payload(state: AlarmState | JourneyState | ServiceState) -> bytes:
    """Encode a retained state as JSON."""
    return _encoder.encode(state)


def _properties(event: Event, transition: str, **step: Any) -> EventProperties:
    episode = event.episode
    return EventProperties(
        event=episode.type,
        transition=transition,
        episode=str(episode.episode),
        revision=event.revision,
        journey=episode.journey,
        seal=episode.seal,
        regime=episode.regime,
        unit=episode.unit,
        object=episode.object,
        severity=episode.severity,
        old_severity=event.old_severity,
        started_at=iso_ms(episode.started_at_ms),
        raised_at=iso_ms(episode.raised_at_ms),
        ended_at=iso_or_none(episode.ended_at_ms),
        cleared_at=iso_or_none(episode.cleared_at_ms),
        late=event.late,
        inferred=episode.inferred,
        latched=episode.latched,
        evidence=episode.evidence,
        plan_version=episode.plan_version,
        exercise=event.space != LIVE,
        references=[str(reference) for reference in event.references],
        **step,
    )


def _geometry(event: Event) -> geojson.LineString | geojson.Point | None:
    """Choose the stretch of an inferred episode, else its last fix, else nothing: a silence has no place."""
    evidence = event.episode.evidence
    path = evidence.get("path") if event.episode.inferred else None
    if path and len(path) >= MIN_LINE:
        return geojson.LineString(path, precision=DEGREE_DIGITS)
    fixes = evidence.get("fixes")
    if not fixes or fixes[-1].get("lon") is None or fixes[-1].get("lat") is None:
        return None
    return geojson.Point((fixes[-1]["lon"], fixes[-1]["lat"]), precision=DEGREE_DIGITS)
