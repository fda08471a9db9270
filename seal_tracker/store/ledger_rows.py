"""What of a commit goes into the ledger: its events and alarms' steps as published, and what persons did."""

from __future__ import annotations

from typing import Final

import msgspec

from seal_tracker.ledger.chain import GENESIS, Head, Link
from seal_tracker.model import LIVE, iso_ms
from seal_tracker.store.connections import Connection
from seal_tracker.store.queries import sql
from seal_tracker.store.records import Action, Commit

__all__ = ["action_entry", "ledger_entries", "read_head", "write_link"]

encode: Final = msgspec.json.Encoder().encode


def ledger_entries(commit: Commit) -> list[bytes]:
    """The entries of a commit's link; none for an exercise, which is no evidence of anything."""
    if commit.space != LIVE:
        return []
    actions = (action_entry(action) for action in commit.actions)
    return [*commit.event_bodies, *(step.body for step in commit.steps), *actions]


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


def journeys_of(commit: Commit) -> list[str]:
    """Journeys that a commit's events, steps and actions tell of, sorted."""
    named = {event.episode.journey for event in commit.events}
    named |= {step.journey for step in commit.steps} | {action.journey for action in commit.actions}
    return sorted(journey for journey in named if journey is not None)


async def write_link(connection: Connection, link: Link, commit: Commit) -> None:
    """Appends the commit's link, inside the commit's transaction."""
    await connection.execute(sql("add_link"), *link, journeys_of(commit))


async def read_head(connection: Connection) -> Head:
    """Where the ledger ends."""
    row = await connection.fetchrow(sql("ledger_head"))
    return Head(0, GENESIS) if row is None else Head(row["number"], bytes(row["hash"]))
