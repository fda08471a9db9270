"""Tickets as rows, and what the clock finds for them. No behaviour."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

__all__ = ["HeardAgain", "Silent", "TicketRow"]


class TicketRow(NamedTuple):
    """A ticket as it stands; ``body`` is the ticket as JSON, the columns are what it is found by and summed from. Times are epoch ms.

    ``episode`` is the one of ``EQUIPMENT_OFFLINE`` that it is about, ``heard_ms`` when that ended; None: not known, or not yet.
    """

    id: UUID
    version: int
    state: str
    under_way: bool
    equipment: str
    kind: str
    unit: str | None
    episode: UUID | None
    opened_ms: int
    failed_ms: int
    acknowledged_ms: int | None
    repaired_ms: int | None
    heard_ms: int | None
    body: bytes


class Silent(NamedTuple):
    """A piece of equipment that is down for long, and no ticket about it is under way."""

    episode: UUID
    equipment: str
    started_ms: int


class HeardAgain(NamedTuple):
    """A ticket under way whose episode is no longer what the ticket says: it ended, goes on after all, or never was."""

    ticket: TicketRow
    ended_ms: int | None
    retracted: bool
