"""Sends what is approved, and lets lapse what is past its time: the clock's part of commands.

State: none but the store's: what was approved when the service ended is found again at the next start. An unlock is looked at once
more in the turn in which it is sent, by what is known of the seal then. While the broker is away nothing is sent: a command waits
here, where it can be taken back and where its expiry ends it, not in the outbox.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final, Protocol

import structlog

from seal_tracker.deeds import Deed
from seal_tracker.downlink.facts import facts_of
from seal_tracker.downlink.messages import encode_message
from seal_tracker.downlink.rows import CommandRow
from seal_tracker.downlink.states import (
    SYSTEM,
    Command,
    action_of,
    command_in,
    lapsed,
    message_of,
    row_of,
    sent,
    withheld,
)
from seal_tracker.downlink.unlocking import unlock_refusal
from seal_tracker.model import LIVE
from seal_tracker.prepared import Prepared
from seal_tracker.publishing.topics import command_topic
from seal_tracker.space import SpaceJudge
from seal_tracker.store import StoreError
from seal_tracker.store.records import OutboxMessage

__all__ = ["Dispatcher", "forbidden"]

log: Any = structlog.get_logger(__name__)

LOOK_EVERY_S: Final = 0.5
"""How long an approved command waits at most; a look is one read of an index that is nearly always empty."""

AT_ONCE: Final = 200
"""Commands that one look moves on; the rest are the next look's."""

Act = Callable[[str, Callable[[SpaceJudge], Awaitable[tuple[Prepared, Deed]]]], Awaitable[None]]
"""``Pipeline.act``."""


class CommandStore(Protocol):
    """What is read."""

    async def commands_due(self, space: str, now_ms: int, limit: int) -> list[CommandRow]: ...


class Dispatcher:
    """Keep `run` running. ``connected`` says whether the broker can be reached now."""

    def __init__(
        self,
        store: CommandStore,
        act: Act,
        connected: Callable[[], bool],
        *,
        tenant: str,
        clock_ms: Callable[[], int],
    ) -> None:
        self._store = store
        self._act = act
        self._connected = connected
        self._tenant = tenant
        self._clock_ms = clock_ms

    async def run(self) -> None:
        """Look, for ever. Ends by cancellation."""
        while True:
            try:
                await self.look()
            except StoreError as error:
                log.warning("commands.database_away", reason=str(error))
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """Move on every command whose time has come; most often there is none, and nobody waits for a turn."""
        if self._moving(await self._due()):
            await self._act(LIVE, self._moved)

    async def _due(self) -> list[Command]:
        rows = await self._store.commands_due(LIVE, self._clock_ms(), AT_ONCE)
        return [command_in(row) for row in rows]

    def _moving(self, due: Iterable[Command]) -> bool:
        now_ms, connected = self._clock_ms(), self._connected()
        return any((connected and c.state == "approved") or lapsed(c, now_ms) is not None for c in due)

    async def _moved(self, judging: SpaceJudge) -> tuple[Prepared, Deed]:
        """Read anew, since somebody may have cancelled one meanwhile, and decide."""
        now_ms, connected = self._clock_ms(), self._connected()
        after = [
            next_
            for command in await self._due()
            if (next_ := self._next(judging, command, now_ms, connected=connected)) is not None
        ]
        deed = Deed(
            commands=[row_of(command) for command in after],
            outbox=[self._message(command) for command in after if command.state == "sent"],
            actions=[action_of(command, SYSTEM, now_ms) for command in after],
        )
        return Prepared(), deed

    def _next(self, judging: SpaceJudge, command: Command, now_ms: int, *, connected: bool) -> Command | None:
        over = lapsed(command, now_ms)
        if over is not None or command.state != "approved" or not connected:
            return over
        why = forbidden(judging, command, now_ms)
        return sent(command, now_ms) if why is None else withheld(command, why, now_ms)

    def _message(self, command: Command) -> OutboxMessage:
        topic = command_topic(self._tenant, command.seal)
        return OutboxMessage(f"{LIVE} cmd/{command.seal}", topic, encode_message(message_of(command)))


def forbidden(judging: SpaceJudge, command: Command, now_ms: int) -> str | None:
    """Why a command may not be given now, by what is known of its seal; None: it may. Only an unlock ever may not."""
    if command.kind != "unlock":
        return None
    facts = facts_of(judging, command.seal, now_ms)
    if facts is None:
        return f"seal {command.seal} has never been heard of"
    on = None if facts.journey is None else facts.journey.id
    if on is not None and on != command.journey:
        return f"the seal is on journey {on} now; the unlock was asked for on {command.journey or 'none'}"
    return unlock_refusal(facts, now_ms)
