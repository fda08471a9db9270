"""The ledger as it is stored: links, newest first or of a journey, and the checkpoints that hold them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from seal_tracker.alarms.grouping import own_group
from seal_tracker.ledger.chain import Link, entry_hash
from seal_tracker.ledger.checkpoints import StoredCheckpoint
from seal_tracker.ledger.entries import state_digest
from seal_tracker.ledger.folding import RETRACTED, Row
from seal_tracker.ledger.told import episode_digest
from seal_tracker.ledger.versions import version_digest, version_name
from seal_tracker.model import LIVE, iso_ms, iso_or_none
from seal_tracker.situations.rows import name_of
from seal_tracker.store.alarm_reads import alarm_of
from seal_tracker.store.asset_reads import asset_of, movement_of
from seal_tracker.store.connections import END_OF_TIME, Connection
from seal_tracker.store.database import Database
from seal_tracker.store.journey_reads import journey_of
from seal_tracker.store.kept_report_reads import kept_of
from seal_tracker.store.ledger_rows import action_entry, alarm_state, journey_state, situation_state
from seal_tracker.store.queries import sql
from seal_tracker.store.records import Action, AlarmRow
from seal_tracker.store.situation_reads import situation_of
from seal_tracker.store.task_reads import task_of

__all__ = [
    "LedgerReads",
    "all_checkpoints",
    "all_links",
    "events_before",
    "events_beyond",
    "links_of_journeys",
    "logged_actions",
    "logged_digest",
    "logged_events",
    "rows_to_verify",
]

NOT_AS_ITS_BODY_SAYS: Final = ""


class _Said(msgspec.Struct, gc=False):
    """What an alarm's body says of its group, and of when it was opened."""

    group: str = ""
    opened_at: str = ""


_decode_said: Final = msgspec.json.Decoder(_Said).decode

PAGE_LINKS: Final = 4_000
"""Links read at once to check them all: some megabytes."""


class LedgerReads(Database):
    """Links and checkpoints."""

    async def links(self, before: int | None, limit: int, journey: str | None = None) -> list[Link]:
        """Links before a number (None: from the last one), newest first, with empty bodies; of one journey where given."""
        top = END_OF_TIME if before is None else before
        async with self._reading() as connection:
            if journey is None:
                rows = await connection.fetch(sql("links_before"), top, limit)
            else:
                rows = await connection.fetch(sql("links_of_journey"), journey, top, limit)
        return [Link(*row) for row in rows]

    async def link_numbers(self, journey: str) -> list[int]:
        """Numbers of the links that tell of a journey, in order."""
        async with self._reading() as connection:
            rows = await connection.fetch(sql("numbers_of_journey"), journey)
        return [row["number"] for row in rows]

    async def link_run(self, first: int, last: int, whole: Sequence[int]) -> list[Link]:
        """Links of [first, last] in order; those not among ``whole`` with an empty body."""
        async with self._reading() as connection:
            rows = await connection.fetch(sql("links_of_run"), first, last, list(whole))
        return [Link(*row) for row in rows]

    async def ledger_checkpoints(self, before: int | None, limit: int) -> list[StoredCheckpoint]:
        """Checkpoints of links before a number (None: from the newest), newest first."""
        async with self._reading() as connection:
            rows = await connection.fetch(
                sql("ledger_checkpoints_before"), END_OF_TIME if before is None else before, limit
            )
        return [StoredCheckpoint(*row) for row in rows]

    async def checkpoints_covering(self, numbers: Sequence[int]) -> dict[int, StoredCheckpoint]:
        """Of each link the checkpoint that covers it soonest; links that none covers yet are left out."""
        async with self._reading() as connection:
            rows = await connection.fetch(sql("ledger_checkpoints_covering"), list(numbers))
        return {row["link"]: StoredCheckpoint(row["number"], row["signed_at"], row["jws"]) for row in rows}

    async def add_ledger_checkpoint(self, checkpoint: StoredCheckpoint) -> None:
        """Keeps a checkpoint; one of the same link that is there already stays."""
        async with self._reading() as connection:
            await connection.execute(sql("add_ledger_checkpoint"), *checkpoint)


async def all_links(connection: Connection) -> AsyncIterator[list[Link]]:
    """Every link from the first on, page by page, as far as there are any when each page is read."""
    after = -1
    while rows := await connection.fetch(sql("links_after"), after, PAGE_LINKS):
        yield [Link._make(row) for row in rows]
        after = rows[-1]["number"]


async def events_before(
    connection: Connection, first: int | None, since_ms: int | None
) -> tuple[int, list[int]]:
    """How many events the live log has before the ``first`` (None: in all), and of those recorded since a time (None: never) the first."""
    before, since = (END_OF_TIME if number is None else number for number in (first, since_ms))
    count, recorded = await connection.fetchrow(sql("events_of_before_the_ledger"), LIVE, before, since)
    return count, list(recorded or ())


async def logged_digest(connection: Connection, first: int, last: int) -> bytes:
    """One hash for the events of the live log in [first, last], as ``events_digest`` makes it."""
    return bytes(await connection.fetchval(sql("events_digest"), LIVE, first, last))


async def logged_events(connection: Connection, first: int, last: int) -> dict[int, tuple[bytes, bytes]]:
    """SHA-256 of each event of the live log in [first, last], and its other columns as a JSON array, by sequence."""
    rows = await connection.fetch(sql("events_hashed"), LIVE, first, last)
    return {sequence: (bytes(digest), columns.encode()) for sequence, digest, columns in rows}


async def events_beyond(connection: Connection, last: int) -> list[int]:
    """Sequences of the first events of the live log after a sequence."""
    return [row["sequence"] for row in await connection.fetch(sql("unrecorded_after"), LIVE, last)]


async def logged_actions(connection: Connection, after: int, count: int) -> list[tuple[int, bytes]]:
    """The next actions of the live log after an id: (id, SHA-256 of its entry)."""
    rows = await connection.fetch(sql("actions_after"), LIVE, after, count)
    return [(row[0], entry_hash(action_entry(Action._make((*row[1:-1], row[-1].encode()))))) for row in rows]


async def all_checkpoints(connection: Connection) -> list[StoredCheckpoint]:
    """Every checkpoint, in order."""
    return [StoredCheckpoint(*row) for row in await connection.fetch(sql("all_ledger_checkpoints"))]


async def links_of_journeys(connection: Connection) -> dict[str, bytes]:
    """For each journey that the table has, SHA-256 over the numbers of its links, 8 bytes each."""
    rows = await connection.fetch(sql("links_of_every_journey"))
    return {journey: bytes(digest) for journey, digest in rows}


def suppression_row(row: Any) -> Row:
    """An order's row."""
    return Row(
        f"suppression/{row['id']}", state_digest((*tuple(row)[:-1], row["body"].encode())), row["from_at"]
    )


def draw_row(row: Any) -> Row:
    """A draw's row."""
    return Row(
        f"draw/{row['id']}", state_digest((*tuple(row)[:-1], row["body"].encode())), row["committed_at"]
    )


def inspection_row(row: Any) -> Row:
    """An inspection's row."""
    return Row(
        f"inspection/{row['id']}", state_digest((*tuple(row)[:-1], row["body"].encode())), row["ordered_at"]
    )


def plan_row(row: Any) -> Row:
    """A version of the plan."""
    return Row(f"plan/{row['version']}", state_digest(tuple(row)), row["version"])


def journey_version_row(row: Any) -> Row:
    """A version as the deed that made it tells it."""
    journey, version, verb, state, effective_ms, recorded_ms, actor, role, reason, body = row
    said = (verb, state, iso_ms(effective_ms), iso_ms(recorded_ms), actor, role, reason)
    return Row(version_name(journey, version), version_digest(said, body.encode()), recorded_ms)


def episode_row(row: Any) -> Row:
    """An episode as its last event tells it; of one that was taken back, only that."""
    (
        episode, type_, severity, subject_kind, subject, journey, seal, object_, started_ms, raised_ms, ended_ms, cleared_ms,
        inferred, latched, evidence, plan_version, regime, unit, revision, changed_ms, retracted,
    ) = row  # fmt: skip
    if retracted:
        return Row(f"episode/{episode}", RETRACTED, changed_ms)
    members = (
        type_, severity, f"{subject_kind}/{subject}", journey, seal, object_, iso_ms(started_ms), iso_ms(raised_ms),
        iso_or_none(ended_ms), iso_or_none(cleared_ms), inferred, latched, plan_version, regime, unit, revision,
    )  # fmt: skip
    return Row(f"episode/{episode}", episode_digest(members, evidence.encode()), changed_ms)


def alarm_row(row: Any) -> Row:
    """An alarm's row; its state is no recorded one's where the columns that the state leaves to the body say something else."""
    alarm = alarm_of(row)
    state = alarm_state(alarm) if _as_its_body_says(alarm) else NOT_AS_ITS_BODY_SAYS
    return Row(f"alarm/{alarm.id}", state, alarm.opened_at_ms)


def _as_its_body_says(alarm: AlarmRow) -> bool:
    """Whether group and time of opening are those of the body; what an earlier release did not write there may be any."""
    try:
        said = _decode_said(alarm.body)
    except msgspec.MsgspecError:
        return False
    as_grouped = (str(alarm.group), alarm.begins) == (said.group, said.group == own_group(str(alarm.id)))
    return (not said.group or as_grouped) and said.opened_at in ("", iso_ms(alarm.opened_at_ms))


def journey_row(row: Any) -> Row:
    """A journey's row."""
    journey = journey_of(row)
    return Row(f"journey/{journey.id}", journey_state(journey), journey.changed_ms)


def task_row(row: Any) -> Row:
    """A task's row."""
    task = task_of(row)
    return Row(f"task/{task.id}", state_digest(task), task.given_ms)


def attachment_row(row: Any) -> Row:
    """A task's file, by the hash of what its content is."""
    return Row(f"attachment/{row['id']}", state_digest(row), row["attached_at"])


def asset_row(row: Any) -> Row:
    """A seal's row as an asset."""
    asset = asset_of(row)
    return Row(f"seal_asset/{asset.seal}", state_digest(asset), asset.registered_ms)


def movement_row(row: Any) -> Row:
    """A movement of a seal."""
    movement = movement_of(row)
    return Row(
        f"seal_movement/{movement.seal}/{movement.number}", state_digest(movement), movement.recorded_ms
    )


def hand_over_row(row: Any) -> Row:
    """A hand-over's row."""
    return Row(f"hand_over/{row['id']}", state_digest(row), row["handed_at"])


def kept_report_row(row: Any) -> Row:
    """A report that was kept."""
    kept = kept_of(row)
    return Row(f"report/{kept.id}", state_digest(kept), kept.made_ms)


def situation_row(row: Any) -> Row:
    """A situation's row."""
    found = situation_of(row)
    name = name_of(found.id, restricted=found.restricted)
    return Row(name, situation_state(found), found.registered_ms)


def situation_version_row(row: Any) -> Row:
    """A version of a situation."""
    situation, version, verb, at_ms, actor, role, salt, body, restricted = row
    said = (situation, version, verb, at_ms, actor, role, salt, body.encode())
    return Row(f"{name_of(situation, restricted=restricted)} version {version}", state_digest(said), at_ms)


TO_VERIFY: Final[Mapping[str, Callable[[Any], Row]]] = {
    "episodes_to_verify": episode_row,
    "alarms_to_verify": alarm_row,
    "journeys_to_verify": journey_row,
    "journey_versions_to_verify": journey_version_row,
    "hand_overs_to_verify": hand_over_row,
    "plans_to_verify": plan_row,
    "suppressions_to_verify": suppression_row,
    "kept_reports_to_verify": kept_report_row,
    "situations_to_verify": situation_row,
    "situation_versions_to_verify": situation_version_row,
    "tasks_to_verify": task_row,
    "attachments_to_verify": attachment_row,
    "draws_to_verify": draw_row,
    "inspections_to_verify": inspection_row,
    "assets_to_verify": asset_row,
    "movements_to_verify": movement_row,
}
"""Statements that read what is held against the ledger, and what each row of theirs says."""


async def rows_to_verify(connection: Connection, query: str) -> AsyncIterator[list[Row]]:
    """Every row of one of `TO_VERIFY` as it stands, some at a time. Call within a transaction."""
    read = TO_VERIFY[query]
    cursor = await connection.cursor(sql(query), LIVE)
    while rows := await cursor.fetch(PAGE_LINKS):
        yield list(map(read, rows))
