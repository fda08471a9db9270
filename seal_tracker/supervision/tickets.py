"""The desk at which faults of equipment are followed: opened by hand, given to somebody, repaired, verified.

Every method is run by `Pipeline.act`, between two batches; what it refuses it raises, and nothing was changed. What is down for long
gets its ticket from ``repairs.opener``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from seal_tracker.deeds import Deed
from seal_tracker.model import LIVE, iso_ms
from seal_tracker.repairs.rows import TicketRow
from seal_tracker.repairs.states import Actor, Ticket, action_of, row_of, ticket_in
from seal_tracker.space import SpaceJudge
from seal_tracker.supervision.errors import Unfit, Unknown

__all__ = ["Change", "TicketDesk", "TicketKeeping"]

Change = Callable[[Ticket, str, int], Ticket]
"""The ticket, who acts, and now (epoch ms) to the ticket as it stands afterwards; a function of ``repairs.states``."""


class TicketKeeping(Protocol):
    """What is read."""

    async def ticket(self, space: str, ticket: UUID) -> TicketRow | None: ...  # noqa: D102


@dataclass(frozen=True)
class TicketDesk:
    """Works with a store; ``scope``: the units whose equipment the actor may see to (None: all)."""

    store: TicketKeeping
    clock_ms: Callable[[], int]
    actor: Actor
    scope: Collection[str] | None

    async def open(
        self, judging: SpaceJudge, ticket: UUID, equipment: str, fault: str, failed_ms: int | None
    ) -> Deed:
        """Open a ticket about a fault that somebody saw; it fails since ``failed_ms``, None: since now.

        Raises
        ------
        Unknown, Unfit
            The plan in force has no such equipment, or it is another unit's; it is said to have failed in the future.
        """
        pieces = judging.plan.equipment if judging.plan is not None else ()
        found = next((one for one in pieces if one.id == equipment), None)
        if found is None or not self._sees(found.unit):
            raise Unknown(f"the plan in force has no equipment {equipment!r}", field="equipment")
        now_ms = self.clock_ms()
        if failed_ms is not None and failed_ms > now_ms:
            raise Unfit(f"failed_at: lies in the future, it is {iso_ms(now_ms)} now", field="failed_at")
        now = iso_ms(now_ms)
        opened = Ticket(
            id=str(ticket), equipment=found.id, kind=found.kind, unit=found.unit, fault=fault,
            opened_by=self.actor[0], opened_at=now, failed_at=now if failed_ms is None else iso_ms(failed_ms),
            changed_by=self.actor[0], changed_at=now,
        )  # fmt: skip
        return self._deed("opened", opened)

    async def change(self, ticket: UUID, step: str, change: Change, check: Callable[[int], None]) -> Deed:
        """Take a step with a ticket; ``step`` is its name in the audit trail.

        Raises
        ------
        Unknown, WrongState, Unfit
            There is no such ticket to see; it is past that step; what is said cannot be.
        """
        row = await self.store.ticket(LIVE, ticket)
        if row is None or not self._sees(row.unit):
            raise Unknown(f"there is no ticket {str(ticket)!r}", field="ticket")
        check(row.version)
        return self._deed(step, change(ticket_in(row), self.actor[0], self.clock_ms()))

    def _sees(self, unit: str | None) -> bool:
        return self.scope is None or unit in self.scope

    def _deed(self, step: str, ticket: Ticket) -> Deed:
        return Deed(tickets=[row_of(ticket)], actions=[action_of(ticket, step, self.actor)])
