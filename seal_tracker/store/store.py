"""The store: everything the service keeps, behind one object.

    store = await Store.open(dsn)
    numbers = await store.intern_seals("live", {"S-1", "S-2"})
    ids = await store.commit(Commit(space="live", pings=batch, events=events, …))

State: that of ``Database``, the seals' numbers, the last commit tried, and the ledger's end. One event loop; tasks may share it, and
commits queue up in order of calling. The caller must install its judging state only after ``commit`` returned.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from seal_tracker.clock import clock_ms
from seal_tracker.ledger.chain import Head, link_after
from seal_tracker.model import PingBatch
from seal_tracker.store.accounts import AccountTable
from seal_tracker.store.alarm_reads import AlarmReads
from seal_tracker.store.asset_reads import AssetReads
from seal_tracker.store.command_reads import CommandReads
from seal_tracker.store.committing import check_commit, is_one_statement, write_parts
from seal_tracker.store.connections import Connection
from seal_tracker.store.database import WriterAt
from seal_tracker.store.duty_reads import DutyReads
from seal_tracker.store.episode_reads import EpisodeReads
from seal_tracker.store.equipment_reads import EquipmentReads
from seal_tracker.store.errors import CommitRefused, StoreUnavailable
from seal_tracker.store.event_reads import EventReads
from seal_tracker.store.fact_reads import FactReads
from seal_tracker.store.hook_reads import HookTable
from seal_tracker.store.journey_reads import JourneyReads
from seal_tracker.store.ledger_reads import LedgerReads
from seal_tracker.store.ledger_rows import (
    JourneyEnds,
    add_link,
    entries_of_journeys,
    ledger_entries,
    read_head,
)
from seal_tracker.store.old_pings import OldPingsReads
from seal_tracker.store.ping_rows import PingReads
from seal_tracker.store.ping_weeks import weeks_needed
from seal_tracker.store.queries import sql
from seal_tracker.store.records import Commit
from seal_tracker.store.report_reads import ReportReads
from seal_tracker.store.risk_reads import RiskReads
from seal_tracker.store.sessions import SessionTable
from seal_tracker.store.situation_reads import SituationReads
from seal_tracker.store.space_reads import SpaceReads
from seal_tracker.store.suppression_reads import SuppressionReads
from seal_tracker.store.task_reads import TaskReads
from seal_tracker.store.ticket_reads import TicketReads
from seal_tracker.store.together import Together

__all__ = ["Store"]


class Attempt(NamedTuple):
    """A commit as it was last tried: given again, it can be told from a new one."""

    commit: Commit
    number: int
    outbox_ids: list[int]
    head: Head


class Store(
    PingReads,
    OldPingsReads,
    EpisodeReads,
    EquipmentReads,
    EventReads,
    AlarmReads,
    JourneyReads,
    ReportReads,
    SpaceReads,
    SessionTable,
    AccountTable,
    HookTable,
    LedgerReads,
    DutyReads,
    SuppressionReads,
    RiskReads,
    CommandReads,
    TicketReads,
    SituationReads,
    TaskReads,
    FactReads,
    AssetReads,
):
    """PostgreSQL as the service sees it; see the modules of its bases for what can be asked."""

    def __init__(self, dsn: str, **options: Any) -> None:
        super().__init__(dsn, **options)
        self._attempt: Attempt | None = None
        self._seals_of: dict[str, set[int]] = {}
        self._head: Head | None = None
        self._ends = JourneyEnds()

    async def commit(self, commit: Commit) -> list[int]:
        """Stores a commit whole, or not at all.

        Returns
        -------
        list[int]
            The outbox ids of ``commit.outbox``, in its order; ids rise from commit to commit.

        Raises
        ------
        StoreUnavailable
            Nothing is half done. Give *the same* ``Commit`` object again, later: if the connection broke just at
            COMMIT, the store first learns whether that one stands, and does not do it twice. Whoever would rather
            give another first asks ``commit_outcome(error.commit_number)`` where that is not None.
        CommitRefused
            The content breaks a rule (a ping or an event is stored already, a foreign seal, no such space);
            nothing was stored, and the same again would be refused again.
        WriterBusy, WriterSuperseded
            While the connection was gone another writer came: this service must restart.
        """
        check_commit(commit)
        async with self._turn:
            connection = await self._connected_writer()
            assert self._at is not None, "the store is open"
            attempt = self._attempt
            if attempt is not None and attempt.commit is commit and attempt.number <= self._at.commit_number:
                return attempt.outbox_ids
            try:
                async with self._refusing("commit"):
                    if commit.pings is not None:
                        await self._check_seals(connection, commit.space, commit.pings)
                        await self._make_weeks(weeks_needed(commit.pings, clock_ms()))
                    return await self._commit_once(commit)
            except StoreUnavailable as error:
                error.commit_number = self._in_doubt
                raise

    async def _commit_once(self, commit: Commit) -> list[int]:
        """The transaction of one commit. The caller holds ``_turn``."""
        async with self._committing(alone=is_one_statement(commit)) as (connection, at):
            number, last_id = at.commit_number + 1, at.outbox_id + len(commit.outbox)
            outbox_ids = list(range(at.outbox_id + 1, last_id + 1))
            head = self._head or await read_head(connection)
            entries = await ledger_entries(connection, commit, self._ends)
            link = link_after(head, clock_ms(), entries) if entries else None
            self._head, after = head, head if link is None else Head(link.number, link.hash)
            self._attempt = Attempt(commit, number, outbox_ids, after)
            parts = Together()
            if link is not None:
                add_link(parts, link, commit)
            await write_parts(connection, commit, number, outbox_ids, parts)
        self._at, self._head = WriterAt(number, last_id), after
        if commit.old_pings:
            self._weeks = None
        if commit.suppressions:
            self._orders_end.pop(commit.space, None)
        if link is not None:
            self._ends.remember(entries_of_journeys(commit), link.number)
        return outbox_ids

    async def ledger_head(self) -> Head:
        """Where the ledger ends: what this writer itself appended last, not what the table says now.

        Raises
        ------
        StoreUnavailable, WriterBusy, WriterSuperseded
            As ``commit``.
        """
        async with self._turn:
            connection = await self._connected_writer()  # settles a commit in doubt
            if self._head is None:
                async with self._giving_up_when_broken(connection, "read the ledger's end"):
                    self._head = await read_head(connection)
            return self._head

    async def _settle(self, connection: Connection) -> None:
        """As in ``Database``; the ledger ends where the commit that stands left it."""
        await super()._settle(connection)
        self._ends.forget()
        self._orders_end.clear()
        if self._attempt and self._at and self._attempt.number == self._at.commit_number:
            self._head = self._attempt.head

    async def _check_seals(self, connection: Connection, space: str, pings: PingBatch) -> None:
        """Refuses pings of seals that are not of the space; each seal is asked for once in a lifetime."""
        known = self._seals_of.setdefault(space, set())
        if len(known) < len(read := self._numbers.get(space, {})):
            known.update(read.values())
        asked = set(np.unique(pings.seal).tolist()) - known
        if asked:
            async with self._giving_up_when_broken(connection, "look up seals"):
                rows = await connection.fetch(sql("seals_of_space"), space, sorted(asked))
            known.update(row["id"] for row in rows)
            if foreign := sorted(asked - known):
                raise CommitRefused(f"seals {foreign[:5]} are not of space {space!r}: intern them first")
