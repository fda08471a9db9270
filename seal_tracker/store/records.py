"""What goes into the store and comes out of it, besides the words of ``seal_tracker.model``. No behaviour.

Times are epoch milliseconds, ids ``uuid.UUID``; JSON travels as bytes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from seal_tracker.credentials.rows import CredentialRow
from seal_tracker.custody.rows import AssetRow, MovementRow
from seal_tracker.downlink.rows import CommandRow
from seal_tracker.facts.balance import Line
from seal_tracker.facts.model import EquipmentFact
from seal_tracker.hooks.rows import HookRow, Mail, Progress
from seal_tracker.model import DeadLetter, Episode, Event, PingBatch
from seal_tracker.repairs.rows import TicketRow
from seal_tracker.reports.rows import KeptReport, ScheduleRow
from seal_tracker.risk.rows import DrawRow, InspectionRow
from seal_tracker.situations.rows import SituationChange
from seal_tracker.store.duty_rows import AbsenceRow, HandOverRow, ShiftRow
from seal_tracker.store.journey_rows import JourneyChange
from seal_tracker.tasking.rows import AttachmentRow, TaskRow
from seal_tracker.ways import Way

__all__ = [
    "AccountRow",
    "Action",
    "AlarmRow",
    "Brought",
    "Checkpoint",
    "Commit",
    "EpisodePage",
    "EpisodeRow",
    "EventRow",
    "KnownPings",
    "NewPlan",
    "OldPings",
    "OutboxMessage",
    "PendingMessage",
    "PlanEntry",
    "PlanVersion",
    "Session",
    "Space",
    "Stats",
    "StoredDeadLetter",
    "StoredEvent",
    "SuppressionRow",
    "TokenRow",
]


class EpisodeRow(NamedTuple):
    """An episode as it stands after a commit; ``revision`` counts its events."""

    episode: Episode
    revision: int
    retracted: bool = False


class Checkpoint(NamedTuple):
    """A seal's judging state as it was at an event time, encoded by the caller."""

    seal: int
    at_ms: int
    state: bytes


class OldPings(NamedTuple):
    """A week of pings that goes: its table, and until when it reaches (those of a wrong clock that came before go with it)."""

    table: str
    ends_ms: int


class OutboxMessage(NamedTuple):
    """One MQTT message to be published once the commit stands; in order per ``subject``."""

    subject: str
    topic: str
    payload: bytes
    retain: bool = False
    event_sequence: int | None = None


class PendingMessage(NamedTuple):
    """An outbox row: ids rise in commit order and are never given twice."""

    id: int
    space: str
    subject: str
    topic: str
    payload: bytes
    retain: bool
    event_sequence: int | None


class AlarmRow(NamedTuple):
    """An alarm as it stands. ``state`` 'closed' takes it off the open list; ``body`` is JSON: all there is to know of it.

    ``episodes`` are all that it stands for, ``episode`` the newest. ``due_ms`` is by when somebody must act, ``timer_ms`` when time
    alone changes it next. ``begins``: it began its group.
    """

    id: UUID
    episode: UUID | None
    state: str
    severity: str
    type: str
    journey: str | None
    seal: str | None
    unit: str | None
    raised_at_ms: int
    updated_at_ms: int
    repeats: int
    body: bytes
    version: int = 1
    subject: str = ""
    object: str | None = None
    responsible: str | None = None
    episodes: tuple[UUID, ...] = ()
    group: UUID | None = None
    opened_at_ms: int = 0
    due_ms: int | None = None
    timer_ms: int | None = None
    closed_at_ms: int | None = None
    code: str | None = None
    silent: bool = False
    begins: bool = False


class SuppressionRow(NamedTuple):
    """An order that suppresses alarms, as it stands; ``body`` is the order as JSON."""

    id: UUID
    version: int
    unit: str | None
    from_ms: int
    until_ms: int
    cancelled_ms: int | None
    body: bytes


class Action(NamedTuple):
    """What a person (or the service in its own name) did: who, in which role, what, on what; ``body`` is JSON.

    ``kind`` is the resource and the verb (``alarm.acknowledge``), ``subject`` what it was done to (``alarm/ID``).
    """

    at_ms: int
    actor: str
    role: str
    kind: str
    subject: str
    journey: str | None
    unit: str | None
    body: bytes


class EventRow(NamedTuple):
    """An event that is no transition of an episode, such as a step of an alarm: the columns of the log.

    ``responsible`` is the unit that answers for it, where that is another than ``unit``.
    """

    sequence: int
    id: UUID
    episode: UUID
    subject_kind: str
    subject: str
    journey: str | None
    seal: str
    type: str
    transition: str
    severity: str
    revision: int
    time_ms: int
    recorded_ms: int
    late: bool
    body: bytes
    unit: str | None = None
    responsible: str | None = None


class AccountRow(NamedTuple):
    """An account as it stands; ``unit`` None sees everything. ``version`` counts its changes.

    ``origin`` is who keeps it (``api``, ``file``, ``embedded``), ``imported`` the SHA-256 of its entry there, in hex.
    """

    username: str
    role: str
    unit: str | None
    password_hash: str | None
    must_change: bool
    disabled: bool
    origin: str
    imported: str | None
    version: int
    created_ms: int
    changed_ms: int


class TokenRow(NamedTuple):
    """A token as it stands: the SHA-256 of it. ``scopes`` are rights joined by spaces; None: all that the account has."""

    id: UUID
    username: str
    name: str
    scopes: str | None
    hash: bytes
    created_ms: int
    expires_ms: int | None
    revoked_ms: int | None = None
    last_used_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """What persons' deeds bring to be stored as it is, whatever judging finds.

    Attributes
    ----------
    accounts, tokens, credentials, hooks, hook_progress, shifts, hand_overs, absences, suppressions, commands, tickets, tasks,
    draws, inspections, seal_assets
        As they stand afterwards.
    mails, plans, attachments, seal_movements
        New ones; one mail an event.
    journeys, situations
        As they stand afterwards and what made them so; each at most once.
    first_checkpoints, old_pings
        Weeks of pings that go, and what they led to: judging again goes back no further.
    """

    accounts: Sequence[AccountRow] = ()
    tokens: Sequence[TokenRow] = ()
    hooks: Sequence[HookRow] = ()
    hook_progress: Sequence[Progress] = ()
    mails: Sequence[Mail] = ()
    plans: Sequence[NewPlan] = ()
    credentials: Sequence[CredentialRow] = ()
    journeys: Sequence[JourneyChange] = ()
    shifts: Sequence[ShiftRow] = ()
    hand_overs: Sequence[HandOverRow] = ()
    absences: Sequence[AbsenceRow] = ()
    suppressions: Sequence[SuppressionRow] = ()
    commands: Sequence[CommandRow] = ()
    tickets: Sequence[TicketRow] = ()
    situations: Sequence[SituationChange] = ()
    kept_reports: Sequence[KeptReport] = ()
    report_schedules: Sequence[ScheduleRow] = ()
    tasks: Sequence[TaskRow] = ()
    attachments: Sequence[AttachmentRow] = ()
    draws: Sequence[DrawRow] = ()
    inspections: Sequence[InspectionRow] = ()
    seal_assets: Sequence[AssetRow] = ()
    seal_movements: Sequence[MovementRow] = ()
    first_checkpoints: Sequence[Checkpoint] = ()
    old_pings: Sequence[OldPings] = ()

    def brought(self) -> dict[str, Any]:
        """These parts by name."""
        return {part.name: getattr(self, part.name) for part in fields(Brought)}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Commit(Brought):
    """Everything one batch changes in one space, stored in one transaction or not at all.

    Attributes
    ----------
    space
        Must exist; all seals, dead letters and events must be of it.
    pings
        New ones only (see ``Store.known_pings``): one that is stored already fails the commit.
    dead_letters, outbox
        Stored in this order.
    episodes, alarms, checkpoints
        As they stand afterwards; of several for one id or (seal, time) the last counts.
    moved
        Those of ``episodes`` whose ``changed_ms`` is another though no event tells of it: the ledger says so.
    events, event_bodies
        Of equal length; sequences are given by the caller and rise; a body is the CloudEvent as published.
    steps
        Further events, whose sequences follow those of ``events``.
    actions
        What persons did that is committed here; stored in this order.
    ways
        By which way seals are heard, by name, where that is news.
    facts
        What equipment recorded, as it stands afterwards.
    lines, lines_gone
        Lines of licences' balances as they stand afterwards, and journeys that have none any more.
    drop_checkpoints
        (seal, from_ms, to_ms): states of [from_ms, to_ms) are forgotten, before ``checkpoints`` are written.
    counts
        Added to the space's counters: ``duplicates``, and discards by name. ``pings_stored``, ``dead_letters``
        and ``events`` are counted by the store itself.
    """

    space: str
    pings: PingBatch | None = None
    dead_letters: Sequence[DeadLetter] = ()
    episodes: Sequence[EpisodeRow | tuple[Episode, int, bool]] = ()
    moved: Collection[UUID] = ()
    events: Sequence[Event] = ()
    event_bodies: Sequence[bytes] = ()
    outbox: Sequence[OutboxMessage] = ()
    checkpoints: Sequence[Checkpoint | tuple[int, int, bytes]] = ()
    drop_checkpoints: Sequence[tuple[int, int, int]] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    alarms: Sequence[AlarmRow] = ()
    steps: Sequence[EventRow] = ()
    actions: Sequence[Action] = ()
    ways: Mapping[str, Way] = field(default_factory=dict)
    facts: Sequence[EquipmentFact] = ()
    lines: Sequence[Line] = ()
    lines_gone: Sequence[str] = ()


class Portion(NamedTuple):
    """Pings of some seals, all there are up to a time of each, in the order in which the seals were asked for."""

    pings: PingBatch
    through_ms: list[int]


class KnownPings(NamedTuple):
    """Identities of stored pings as columns of equal length, in no order."""

    seal: NDArray[np.int32]
    time_ms: NDArray[np.int64]
    digest: NDArray[np.int64]


class EpisodePage(NamedTuple):
    """Episodes, and the cursor of the page after them; None: there is no more."""

    items: list[EpisodeRow]
    next: str | None


class StoredEvent(NamedTuple):
    """An event as published: ``body`` is the CloudEvent, byte for byte."""

    sequence: int
    body: bytes


class StoredDeadLetter(NamedTuple):
    """A dead letter and its id, which is the cursor of the list."""

    id: int
    letter: DeadLetter


class NewPlan(NamedTuple):
    """A version of a plan to be recorded: who made it and why, what it changed (JSON), and the folder it came from.

    ``import_digest`` None: from no folder; ``imported`` None: its files are the folder's.
    """

    version: int
    valid_from_ms: int | None
    recorded_ms: int
    digest: str
    files: Mapping[str, str]
    author: str | None = None
    note: str | None = None
    changes: bytes | None = None
    import_digest: str | None = None
    imported: Mapping[str, str] | None = None


class PlanEntry(NamedTuple):
    """A version of a plan as its history tells it."""

    version: int
    valid_from_ms: int | None
    recorded_ms: int
    digest: str
    author: str | None
    note: str | None
    changes: bytes | None
    import_digest: str | None


class PlanVersion(NamedTuple):
    """A version of a space's plan with the text of its files."""

    version: int
    valid_from_ms: int | None
    recorded_ms: int
    digest: str
    files: dict[str, str]


class Space(NamedTuple):
    """A space and when it was made."""

    name: str
    created_ms: int


class Session(NamedTuple):
    """A signed-in person's session; only a hash of its id is kept. It holds for one version of its account."""

    id_hash: bytes
    username: str
    account_version: int
    csrf: str
    created_ms: int
    expires_ms: int


class Stats(NamedTuple):
    """What a space holds. ``discards`` are all counters that have no field here."""

    pings_stored: int
    duplicates: int
    dead_letters: int
    events: int
    outbox_pending: int
    discards: dict[str, int]
