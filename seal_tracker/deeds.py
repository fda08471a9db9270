"""A deed: what a person's word changes besides judging, found and not yet true. It is committed with what it changes.

Whoever acts (journeys, alarms, duty) hands `Pipeline.act` a function that looks at the space between two batches, decides, and
returns a deed: rows as they will stand, steps to be told as events, and the action for the audit trail and the ledger.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from uuid import UUID, uuid5

from seal_tracker.store.records import Action, AlarmRow, Brought, OutboxMessage

__all__ = ["Deed", "Step"]


@dataclass(frozen=True, slots=True)
class Step:
    """A step of an alarm that is told as an event: who did what to it, and when.

    ``number`` counts the alarm's steps, so that an event's id is the same whenever it is told.
    """

    alarm: AlarmRow
    number: int
    transition: str
    at_ms: int
    by: str
    detail: bytes = b"{}"

    @property
    def id(self) -> UUID:
        """The event's id."""
        return uuid5(self.alarm.id, str(self.number))


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed(Brought):
    """What is committed together with what judging found; nothing, by default."""

    actions: Sequence[Action] = ()
    alarms: Sequence[AlarmRow] = ()
    steps: Sequence[Step] = ()
    outbox: Sequence[OutboxMessage] = ()

    def __bool__(self) -> bool:
        return any(getattr(self, part.name) for part in fields(self))
