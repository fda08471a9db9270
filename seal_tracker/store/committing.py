"""What one commit sends: its parts as columns of parameters, each part one statement however many rows it has.

Everything here runs inside the writer's transaction, opened and closed by ``Store.commit``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, TypeVar

import msgspec

from seal_tracker.model import DeadLetter, Episode, Event
from seal_tracker.situations.rows import SituationChange, SituationRow
from seal_tracker.store.connections import Connection
from seal_tracker.store.errors import CommitRefused
from seal_tracker.store.journey_writes import write_journeys
from seal_tracker.store.ping_rows import FEW_PINGS, add_pings, copy_pings
from seal_tracker.store.ping_weeks import LOCK_TIMEOUT
from seal_tracker.store.queries import sql
from seal_tracker.store.records import Action, AlarmRow, Commit, EpisodeRow, NewPlan, OldPings
from seal_tracker.store.together import Together

__all__ = ["OWN_COUNTERS", "check_commit", "is_one_statement", "plan_columns", "write_parts"]

Row = TypeVar("Row")

OWN_COUNTERS: Final = ("pings_stored", "dead_letters", "events")
"""Counted here from what is written, so that they cannot disagree with it."""


def check_commit(commit: Commit) -> None:
    """Refuses what only a mistake in the caller can bring about, before anything is sent.

    Raises
    ------
    CommitRefused
        Parts of another space, events without bodies, a counter that the store keeps itself.
    """
    if len(commit.events) != len(commit.event_bodies):
        raise CommitRefused(f"{len(commit.events)} events with {len(commit.event_bodies)} bodies")
    spaces = {event.space for event in commit.events} | {letter.space for letter in commit.dead_letters}
    if foreign := sorted(spaces - {commit.space}):
        raise CommitRefused(f"events or dead letters of space {foreign[0]!r} in a commit of {commit.space!r}")
    if clash := sorted(set(OWN_COUNTERS).intersection(commit.counts)):
        raise CommitRefused(f"counts {clash} are counted by the store itself")


def is_one_statement(commit: Commit) -> bool:
    """Whether `write_parts` sends a single statement: few pings, and nothing that persons bring."""
    many = commit.pings is not None and len(commit.pings) > FEW_PINGS
    return not (many or commit.drop_checkpoints or any(commit.brought().values()))


async def write_parts(
    connection: Connection, commit: Commit, number: int, outbox_ids: Sequence[int], parts: Together
) -> None:
    """Sends every part of the commit of this number that has rows, and what is in ``parts`` already."""
    if commit.pings is not None and len(commit.pings) > FEW_PINGS:
        await copy_pings(connection, commit.pings)
    elif commit.pings is not None and len(commit.pings):
        add_pings(parts, commit.pings)
    episodes = last_of_each((EpisodeRow(*row) for row in commit.episodes), lambda row: row.episode.episode)
    checkpoints = last_of_each(commit.checkpoints, lambda row: (row[0], row[1]))
    alarms = last_of_each(commit.alarms, lambda row: row.id)
    outbox = [(row, *message) for row, message in zip(outbox_ids, commit.outbox, strict=True)]
    events = zip(commit.events, commit.event_bodies, strict=True)
    logged = [event_row(event, body) for event, body in events]
    space = (commit.space,)
    await send(connection, "drop_checkpoints", (), commit.drop_checkpoints)
    parts.add_rows("add_dead_letters", space, [dead_letter_row(letter) for letter in commit.dead_letters])
    parts.add_rows("upsert_episodes", space, [episode_row(row) for row in episodes])
    parts.add_rows("add_events", space, [*logged, *commit.steps])
    parts.add_rows("add_outbox", space, outbox)
    parts.add_rows("upsert_checkpoints", (), checkpoints)
    parts.add_rows("upsert_alarms", space, [alarm_row(alarm) for alarm in alarms])
    parts.add_rows("upsert_ways", space, [(seal, *way) for seal, way in commit.ways.items()])
    facts = last_of_each(commit.facts, lambda row: row.id)
    parts.add_rows("upsert_facts", space, [(*fact[:-1], fact.body.decode()) for fact in facts])
    parts.add_rows("upsert_lines", space, commit.lines)
    if commit.lines_gone:
        parts.add("drop_lines", *space, list(commit.lines_gone))
    parts.add_rows("add_actions", space, [action_row(action) for action in commit.actions])
    parts.add_rows("add_counts", space, sorted(counts_of(commit).items()))
    parts.add("advance_writer", number, len(outbox_ids))
    await parts.send(connection)
    await send(connection, "upsert_first_checkpoints", (), commit.first_checkpoints)
    await drop_old_pings(connection, commit.old_pings)
    await write_deeds(connection, commit)


async def write_deeds(connection: Connection, commit: Commit) -> None:
    """Sends what persons change: seldom, and little."""
    space = (commit.space,)
    await write_journeys(connection, commit.space, commit.journeys)
    await send(connection, "upsert_accounts", (), commit.accounts)
    await send(connection, "upsert_tokens", (), commit.tokens)
    for hook in commit.hooks:
        await connection.execute(sql("upsert_hooks"), *hook)
    for progress in commit.hook_progress:
        await connection.execute(sql("set_progress"), *progress)
    await send(connection, "upsert_credentials", (), commit.credentials)
    kept = [(*row[:-1], row.body.decode()) for row in commit.kept_reports]
    await send(connection, "add_kept_reports", (), kept)
    for schedule in commit.report_schedules:
        await connection.execute(sql("set_report_schedule"), schedule.version, schedule.body.decode())
    await send(connection, "add_mails", space, commit.mails)
    await send(connection, "upsert_shifts", (), commit.shifts)
    await send(connection, "upsert_hand_overs", (), commit.hand_overs)
    await send(connection, "upsert_absences", (), commit.absences)
    orders = [(*row[:-1], row.body.decode()) for row in commit.suppressions]
    await send(connection, "upsert_suppressions", space, orders)
    commands = [(*row[:-1], row.body.decode()) for row in commit.commands]
    await send(connection, "upsert_commands", space, commands)
    tickets = [(*row[:-1], row.body.decode()) for row in commit.tickets]
    await send(connection, "upsert_tickets", space, tickets)
    await send(connection, "upsert_situations", space, [situation_row(one.row) for one in commit.situations])
    await send(connection, "add_situation_versions", space, [version_row(one) for one in commit.situations])
    await write_tasks(connection, commit)
    await send(connection, "upsert_draws", space, [(*row[:-1], row.body.decode()) for row in commit.draws])
    inspections = [(*row[:-1], row.body.decode()) for row in commit.inspections]
    await send(connection, "upsert_inspections", space, inspections)
    assets = [
        (*row[:-1], row.body.decode()) for row in last_of_each(commit.seal_assets, lambda row: row.seal)
    ]
    await send(connection, "upsert_assets", space, assets)
    movements = [(*row[:-1], row.body.decode()) for row in commit.seal_movements]
    await send(connection, "add_movements", space, movements)
    for plan in commit.plans:
        await connection.execute(sql("add_plan_version"), commit.space, *plan_columns(plan))


async def write_tasks(connection: Connection, commit: Commit) -> None:
    """Sends tasks; whose each is to see is said once."""
    space = (commit.space,)
    tasks = [(*row[:5], *row[6:-1], row.body.decode()) for row in commit.tasks]
    units = [(row.id, unit, row.given_ms) for row in commit.tasks if row.version == 1 for unit in row.seen_by]
    await send(connection, "upsert_tasks", space, tasks)
    await send(connection, "add_task_units", space, units)
    await send(connection, "add_attachments", space, commit.attachments)


async def send(
    connection: Connection, query: str, before: tuple[Any, ...], rows: Sequence[Sequence[Any]]
) -> None:
    """Runs a statement over rows, given to it as one array for each column; nothing for no rows."""
    alone = Together()
    alone.add_rows(query, before, rows)
    await alone.send(connection)


async def drop_old_pings(connection: Connection, weeks: Sequence[OldPings]) -> None:
    """Drops weeks, unless somebody reads them and goes on reading: then the commit fails."""
    if weeks:
        await connection.execute(sql("wait_little"), LOCK_TIMEOUT)
    for week in weeks:
        await connection.execute(sql("drop_ping_week"), week.table)
        await connection.execute(sql("drop_unclocked"), week.ends_ms)


def last_of_each(rows: Iterable[Row], key: Callable[[Row], Any]) -> list[Row]:
    """The last row of each key: one statement must not write a row twice."""
    return list({key(row): row for row in rows}.values())


def counts_of(commit: Commit) -> dict[str, int]:
    """What the commit adds to its space's counters; zeros left out."""
    told = len(commit.events) + len(commit.steps)
    written = (0 if commit.pings is None else len(commit.pings), len(commit.dead_letters), told)
    counts = {**commit.counts, **dict(zip(OWN_COUNTERS, written, strict=True))}
    return {name: int(count) for name, count in counts.items() if count}


def dead_letter_row(letter: DeadLetter) -> tuple[Any, ...]:
    """Columns of ``add_dead_letters``."""
    return (letter.received_ms, storable(letter.topic), letter.payload, storable(letter.reason))


def storable(text: str) -> str:
    r"""Text as PostgreSQL takes it: what it cannot hold (NUL, lone surrogates) is spelt out as ``\x00``, ``\ud800``."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8").replace("\x00", "\\x00")


def episode_row(row: EpisodeRow) -> tuple[Any, ...]:
    """Columns of ``upsert_episodes``."""
    e: Episode = row.episode
    return (
        e.episode, e.type, e.severity, e.subject_kind, e.subject, e.journey, e.seal, e.object, e.started_at_ms,
        e.raised_at_ms, e.ended_at_ms, e.cleared_at_ms, e.inferred, e.latched,
        msgspec.json.encode(e.evidence).decode(), e.plan_version, e.regime, e.unit, e.changed_ms, e.settled_ms,
        row.revision, row.retracted,
    )  # fmt: skip


def event_row(event: Event, body: bytes) -> tuple[Any, ...]:
    """Columns of ``add_events``."""
    e = event.episode
    return (
        event.sequence, event.id, e.episode, e.subject_kind, e.subject, e.journey, e.seal, e.type, event.transition,
        e.severity, event.revision, event.time_ms, event.recorded_ms, event.late, body, e.unit, None,
    )  # fmt: skip


def action_row(action: Action) -> tuple[Any, ...]:
    """Columns of ``add_actions``."""
    return (*action[:-1], action.body.decode())


def situation_row(row: SituationRow) -> tuple[Any, ...]:
    """Columns of ``upsert_situations``; ids of journeys need no quotes."""
    return (*row[:10], "{" + ",".join(row.journeys) + "}", row.salt, row.body.decode())


def version_row(one: SituationChange) -> tuple[Any, ...]:
    """Columns of ``add_situation_versions``."""
    row = one.row
    return (row.id, row.version, one.verb, one.at_ms, one.actor, one.role, row.salt, row.body.decode())


def plan_columns(plan: NewPlan) -> tuple[Any, ...]:
    """Columns of ``add_plan_version`` after the space."""
    files, imported = (
        None if f is None else msgspec.json.encode(dict(f)).decode() for f in (plan.files, plan.imported)
    )
    changes = None if plan.changes is None else plan.changes.decode()
    head = (plan.version, plan.valid_from_ms, plan.recorded_ms, plan.digest)
    return (*head, files, plan.author, plan.note, changes, plan.import_digest, imported)


def alarm_row(alarm: AlarmRow) -> tuple[Any, ...]:
    """Columns of ``upsert_alarms``."""
    episodes = "{" + ",".join(map(str, alarm.episodes)) + "}"
    return tuple(alarm._replace(body=alarm.body.decode(), episodes=episodes))  # type: ignore[arg-type]
