"""Opens a ticket for what is down for long, and tells tickets what became of it: the clock's part.

State: none but the store's, so a start finds what the last left. What is in planned maintenance, or flaps (which is told as
information alone), gets no ticket; nor does a piece about which one is under way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol
from uuid import uuid4

import structlog

from seal_tracker.deeds import Deed
from seal_tracker.model import LIVE, iso_ms
from seal_tracker.plans.model import Equipment
from seal_tracker.prepared import Prepared
from seal_tracker.repairs.rows import HeardAgain, Silent
from seal_tracker.repairs.states import (
    SYSTEM,
    Ticket,
    action_of,
    heard_again,
    row_of,
    ticket_in,
    without_episode,
)
from seal_tracker.space import SpaceJudge
from seal_tracker.store import StoreError

__all__ = ["TicketOpener"]

log: Any = structlog.get_logger(__name__)

LOOK_EVERY_S: Final = 5.0
"""How late a ticket may be: nothing beside the minutes it waits for; a look is two reads of indexes that are nearly always empty."""

AT_ONCE: Final = 200
"""Tickets that one look opens or tells; the rest are the next look's."""

Act = Callable[[str, Callable[[SpaceJudge], Awaitable[tuple[Prepared, Deed]]]], Awaitable[None]]
"""``Pipeline.act``."""


class OpenerStore(Protocol):
    """What is read."""

    async def equipment_silent(self, space: str, before_ms: int, now_ms: int, limit: int) -> list[Silent]: ...
    async def tickets_behind(self, space: str, limit: int) -> list[HeardAgain]: ...


class TicketOpener:
    """Keep `run` running. ``after_ms`` is how long something must be down before it gets a ticket."""

    def __init__(self, store: OpenerStore, act: Act, *, after_ms: int, clock_ms: Callable[[], int]) -> None:
        self._store = store
        self._act = act
        self._after_ms = after_ms
        self._clock_ms = clock_ms

    async def run(self) -> None:
        """Look, for ever. Ends by cancellation."""
        while True:
            try:
                await self.look()
            except StoreError as error:
                log.warning("tickets.database_away", reason=str(error))
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """Open and tell what is due; most often there is nothing, and nobody waits for a turn."""
        silent, behind = await self._due()
        if silent or behind:
            await self._act(LIVE, self._moved)

    async def _due(self) -> tuple[list[Silent], list[HeardAgain]]:
        now_ms = self._clock_ms()
        silent = await self._store.equipment_silent(LIVE, now_ms - self._after_ms, now_ms, AT_ONCE)
        return silent, await self._store.tickets_behind(LIVE, AT_ONCE)

    async def _moved(self, judging: SpaceJudge) -> tuple[Prepared, Deed]:
        """Read anew, since somebody may have opened one meanwhile, and decide."""
        now_ms = self._clock_ms()
        silent, behind = await self._due()
        known = {one.id: one for one in judging.plan.equipment} if judging.plan is not None else {}
        steps = [
            ("opened", _opened(one, known[one.equipment], now_ms)) for one in silent if one.equipment in known
        ]
        steps += [_told(one, now_ms) for one in behind]
        deed = Deed(
            tickets=[row_of(ticket) for _, ticket in steps],
            actions=[action_of(ticket, step, SYSTEM) for step, ticket in steps],
        )
        return Prepared(), deed


def _opened(silent: Silent, equipment: Equipment, now_ms: int) -> Ticket:
    now = iso_ms(now_ms)
    return Ticket(
        id=str(uuid4()), equipment=equipment.id, kind=equipment.kind, unit=equipment.unit,
        fault="not heard", episode=str(silent.episode), opened_by=SYSTEM[0], opened_at=now,
        failed_at=iso_ms(silent.started_ms), changed_by=SYSTEM[0], changed_at=now,
    )  # fmt: skip


def _told(behind: HeardAgain, now_ms: int) -> tuple[str, Ticket]:
    ticket = ticket_in(behind.ticket)
    if behind.retracted:
        after = without_episode(ticket, now_ms)
        return ("cancelled" if after.state == "cancelled" else "noted"), after
    return "heard_again", heard_again(ticket, behind.ended_ms, now_ms)
