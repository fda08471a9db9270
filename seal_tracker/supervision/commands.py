"""The desk at which seals are commanded: a supervisor asks, another approves, either takes it back.

Every method is run by `Pipeline.act`, between two batches; what it refuses it raises, and nothing was changed. What is approved is
sent by ``downlink.dispatch``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final, Protocol
from uuid import UUID

from seal_tracker.alarms.deadlines import ms_of
from seal_tracker.deeds import Deed
from seal_tracker.downlink.dispatch import forbidden
from seal_tracker.downlink.facts import facts_of
from seal_tracker.downlink.messages import Kind
from seal_tracker.downlink.rows import CommandRow
from seal_tracker.downlink.states import Actor, Command, action_of, approved, cancelled, command_in, row_of
from seal_tracker.model import LIVE, iso_ms
from seal_tracker.space import SpaceJudge
from seal_tracker.supervision.errors import Clash, Unfit, Unknown, WrongState

__all__ = ["LONGEST_S", "CommandDesk", "CommandKeeping", "Wanted"]

LONGEST_S: Final[dict[Kind, int]] = {"position": 86_400, "interval": 86_400, "unlock": 1_800}
"""A seal that sleeps may be awake within the day; a lorry does not wait longer than half an hour for its unlocking."""


class CommandKeeping(Protocol):
    """What is read."""

    async def command(self, space: str, command: UUID) -> CommandRow | None: ...  # noqa: D102
    async def command_under_way(self, space: str, seal: str, kind: str) -> UUID | None: ...  # noqa: D102


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked for; ``valid_s`` is how long it may take until the seal obeys."""

    id: UUID
    kind: Kind
    seal: str
    reason: str
    valid_s: int
    interval_s: int | None = None


@dataclass(frozen=True)
class CommandDesk:
    """Works with a store; ``scope``: the units whose seals the actor may command (None: all).

    Attributes
    ----------
    listens
        whether a seal has an account of its own, by which alone it can read its commands.
    position_alone
        whether a request for a position needs no second person.
    """

    store: CommandKeeping
    clock_ms: Callable[[], int]
    actor: Actor
    scope: Collection[str] | None
    listens: Callable[[str], bool]
    position_alone: bool = False

    async def request(self, judging: SpaceJudge, wanted: Wanted) -> Deed:
        """Ask for a command; it goes nowhere before another supervisor has approved it.

        Raises
        ------
        Unknown, Unfit, Clash
            Nobody has heard of the seal, or it is another unit's; the command cannot be as it is written; the seal has no account
            to read it by, or one of its kind is under way.
        """
        now_ms = self.clock_ms()
        facts = facts_of(judging, wanted.seal, now_ms)
        if facts is None or not self._sees(facts.unit):
            raise Unknown(f"there is no seal {wanted.seal!r} that has ever been heard of", field="seal")
        _check(wanted)
        if not self.listens(wanted.seal):
            raise Clash(
                f"seal {wanted.seal} has no MQTT account of its own, by which alone it can read a command: an administrator "
                f"gives it one by POST /api/v1/seals/{wanted.seal}/account",
                field="seal",
            )
        other = await self.store.command_under_way(LIVE, wanted.seal, wanted.kind)
        if other is not None:
            raise Clash(f"command {other} of this kind is under way to seal {wanted.seal}", field="kind")
        at = iso_ms(now_ms)
        command = Command(
            id=str(wanted.id), kind=wanted.kind, seal=wanted.seal, interval_s=wanted.interval_s, reason=wanted.reason,
            journey=None if facts.journey is None else facts.journey.id, unit=facts.unit, requested_by=self.actor[0],
            requested_at=at, expires_at=iso_ms(now_ms + wanted.valid_s * 1000), changed_by=self.actor[0], changed_at=at,
        )  # fmt: skip
        if command.kind == "position" and self.position_alone:
            return self._deed(command, approved(command, None, now_ms))
        return self._deed(command)

    async def approve(self, judging: SpaceJudge, command: UUID, check: Callable[[int], None]) -> Deed:
        """Approve what another has asked for: it is sent at once.

        Raises
        ------
        Unknown, WrongState
            There is no such command to see; it is past that step, or one's own; the seal may not be unlocked now, and why.
        """
        found, now_ms = await self._found(command, check), self.clock_ms()
        after = approved(found, self.actor[0], now_ms)
        why = forbidden(judging, found, now_ms)
        if why is not None:
            raise WrongState(f"not approved: {why}")
        return self._deed(after)

    async def cancel(self, _: SpaceJudge, command: UUID, reason: str, check: Callable[[int], None]) -> Deed:
        """Take a command back that has not been sent; whoever may ask for one may.

        Raises
        ------
        Unknown, WrongState
            There is no such command to see; it has been sent, or is over.
        """
        found = await self._found(command, check)
        return self._deed(cancelled(found, self.actor[0], reason, self.clock_ms()))

    async def _found(self, command: UUID, check: Callable[[int], None]) -> Command:
        row = await self.store.command(LIVE, command)
        if row is None or not self._sees(row.unit):
            raise Unknown(f"there is no command {str(command)!r}", field="command")
        check(row.version)
        return command_in(row)

    def _sees(self, unit: str | None) -> bool:
        return self.scope is None or unit in self.scope

    def _deed(self, *steps: Command) -> Deed:
        """Steps of one command that are taken together; it stands as after the last."""
        actions = [action_of(step, self.actor, ms_of(step.changed_at)) for step in steps]
        return Deed(commands=[row_of(steps[-1])], actions=actions)


def _check(wanted: Wanted) -> None:
    if (wanted.interval_s is not None) != (wanted.kind == "interval"):
        needs = "say in seconds how often it is to report" if wanted.kind == "interval" else "leave it out"
        raise Unfit(f"interval_s: belongs to the kind interval, and to it alone; {needs}", field="interval_s")
    longest_s = LONGEST_S[wanted.kind]
    if wanted.valid_s > longest_s:
        raise Unfit(
            f"valid_s: {wanted.kind} may take {longest_s} s at most, not {wanted.valid_s}", field="valid_s"
        )
