"""What of a commit goes into the ledger: its events and alarms' steps as published, what persons did, and what makes that complete."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from hashlib import sha256
from typing import Any, Final

import msgspec

from seal_tracker.ledger.chain import GENESIS, Head, Link
from seal_tracker.ledger.entries import Index, index_entry, state_digest, states_entry
from seal_tracker.model import LIVE, iso_ms
from seal_tracker.situations.rows import SituationChange, SituationRow
from seal_tracker.store.committing import plan_columns
from seal_tracker.store.connections import Connection
from seal_tracker.store.journey_rows import JourneyRow
from seal_tracker.store.queries import sql
from seal_tracker.store.records import Action, AlarmRow, Commit, NewPlan
from seal_tracker.store.together import Together
from seal_tracker.tasking.rows import AttachmentRow

__all__ = [
    "JourneyEnds",
    "action_entry",
    "add_link",
    "alarm_state",
    "attachment_state",
    "entries_of_journeys",
    "journey_state",
    "ledger_entries",
    "read_head",
    "situation_state",
    "situation_version_state",
]

encode: Final = msgspec.json.Encoder().encode

ENDS_KEPT: Final = 200_000
"""Journeys whose last link is remembered, some 20 MB; of others it is asked for."""


class JourneyEnds:
    """The last link that tells of each journey: of the newest from memory, so that what is edited between two commits shows.

    State: `known`, which is right only while the commits that it was told of stand; `forget` it on any doubt.
    """

    def __init__(self) -> None:
        self._last: dict[str, int] = {}

    def forget(self) -> None:
        """Nothing is known any more: it is read anew."""
        self._last.clear()

    def remember(self, journeys: Iterable[str], number: int) -> None:
        """These are told of by the link of a commit that stands."""
        if len(self._last) > ENDS_KEPT:
            self.forget()
        self._last |= dict.fromkeys(journeys, number)

    async def of(self, connection: Connection, journeys: Iterable[str]) -> dict[str, int]:
        """The last link of each of these journeys; 0: none tells of it."""
        wanted = list(journeys)
        unknown = [journey for journey in wanted if journey not in self._last]
        rows = await connection.fetch(sql("ends_of_journeys"), unknown) if unknown else []
        read = dict(map(tuple, rows))
        return {journey: self._last.get(journey) or read.get(journey) or 0 for journey in wanted}


async def ledger_entries(connection: Connection, commit: Commit, ends: JourneyEnds) -> list[bytes]:
    """The entries of a commit's link; none for an exercise, which is no evidence of anything."""
    if commit.space != LIVE:
        return []
    actions = (action_entry(action) for action in commit.actions)
    entries = [*commit.event_bodies, *(step.body for step in commit.steps), *actions]
    named = entries_of_journeys(commit)
    if named:
        before = await ends.of(connection, named)
        entries += [index_entry(Index(name, before[name], n)) for name, n in sorted(named.items())]
    states = {f"alarm/{row.id}": alarm_state(row) for row in commit.alarms}
    states |= {f"journey/{change.row.id}": journey_state(change.row) for change in commit.journeys}
    states |= {f"hand_over/{row.id}": state_digest(row) for row in commit.hand_overs}
    states |= {f"suppression/{row.id}": state_digest(row) for row in commit.suppressions}
    states |= {f"report/{row.id}": state_digest(row) for row in commit.kept_reports}
    for one in commit.situations:
        states[one.name] = situation_state(one.row)
        states[f"{one.name} version {one.row.version}"] = situation_version_state(one)
    states |= {f"draw/{row.id}": state_digest(row) for row in commit.draws}
    states |= {f"inspection/{row.id}": state_digest(row) for row in commit.inspections}
    states |= {f"plan/{plan.version}": plan_state(plan) for plan in commit.plans}
    states |= {f"task/{row.id}": state_digest(row) for row in commit.tasks}
    states |= {f"attachment/{row.id}": attachment_state(row) for row in commit.attachments}
    states |= {f"seal_asset/{row.seal}": state_digest(row) for row in commit.seal_assets}
    states |= {f"seal_movement/{row.seal}/{row.number}": state_digest(row) for row in commit.seal_movements}
    told = {event.episode.episode for event in commit.events}.union(commit.moved)
    for episode, _, retracted in commit.episodes:
        if episode.episode in told and not retracted:
            states[f"episode/{episode.episode}"] = iso_ms(episode.changed_ms)
    return [*entries, states_entry(states)] if states else entries


def alarm_state(row: AlarmRow) -> str:
    """What stands for an alarm's row: never anything else, or what was recorded no longer fits.

    Without the two columns that keep what they were first, whatever the body says, and without the group's, which the body has.
    """
    columns: tuple[Any, ...] = (
        row.id, row.episode, row.state, row.severity, row.type, row.journey, row.seal, row.unit, row.updated_at_ms, row.repeats,
        row.body, row.version, row.subject, row.object, row.responsible, row.episodes, row.due_ms, row.timer_ms, row.closed_at_ms,
        row.code, row.silent,
    )  # fmt: skip
    return state_digest(columns)


def journey_state(row: JourneyRow) -> str:
    """What stands for a journey's row: never anything else."""
    columns: tuple[Any, ...] = (
        row.id, row.version, row.state, row.regime, row.unit, row.route, row.declaration, row.box, row.armed_ms, row.ended_ms,
        row.changed_ms, row.plan_digest, row.edited, row.body,
    )  # fmt: skip
    return state_digest(columns)


def situation_state(row: SituationRow) -> str:
    """What stands for a situation's row: never anything else. Of a restricted one it has a salt, so that nobody finds it by trying."""
    return state_digest(row)


def situation_version_state(one: SituationChange) -> str:
    """What stands for a version of a situation: never anything else."""
    row = one.row
    return state_digest((row.id, row.version, one.verb, one.at_ms, one.actor, one.role, row.salt, row.body))


def plan_state(plan: NewPlan) -> str:
    """What stands for a version of a plan: never anything else. Of its files, which may be megabytes, SHA-256 as `plans_to_verify` has it."""
    version, valid_from_ms, recorded_ms, digest, files, author, note, changes, import_digest, imported = (
        plan_columns(plan)
    )
    hashes = [None if text is None else sha256(text.encode()).hexdigest() for text in (files, imported)]
    return state_digest(
        [version, valid_from_ms, recorded_ms, digest, author, note, changes, import_digest, *hashes]
    )


def attachment_state(row: AttachmentRow) -> str:
    """What stands for a task's file: whose it is, since when, and the SHA-256 of its content."""
    return state_digest([row.id, row.task, row.sha256.hex(), row.attached_ms])


def action_entry(action: Action) -> bytes:
    """What a person did, as one JSON object in one line."""
    entry = encode(
        {
            "action": action.kind,
            "time": iso_ms(action.at_ms),
            "actor": action.actor,
            "role": action.role,
            "subject": action.subject,
            "journey": action.journey,
            "unit": action.unit,
            "body": msgspec.Raw(action.body),
        }
    )
    return msgspec.json.format(entry, indent=-1) if b"\n" in action.body else entry


def entries_of_journeys(commit: Commit) -> Counter[str]:
    """How many of a commit's events, steps and actions tell of each journey."""
    named = [event.episode.journey for event in commit.events]
    named += [step.journey for step in commit.steps]
    named += [action.journey for action in commit.actions]
    return Counter(journey for journey in named if journey is not None)


def add_link(parts: Together, link: Link, commit: Commit) -> None:
    """Adds the commit's link to what it sends."""
    parts.add("add_link", *link)
    if told := sorted(entries_of_journeys(commit)):
        parts.add("add_journeys_of_link", link.number, told)


async def read_head(connection: Connection) -> Head:
    """Where the ledger ends."""
    row = await connection.fetchrow(sql("ledger_head"))
    return Head(0, GENESIS) if row is None else Head(row["number"], bytes(row["hash"]))
