"""A command in its life: who asked, who approved, what became of it; which step follows which. Pure.

Every function gives the command one version on, or refuses in words (`WrongState`) and changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal
from uuid import UUID

import msgspec

from seal_tracker.alarms.deadlines import ms_of
from seal_tracker.downlink.messages import CommandAnswer, CommandMessage, Kind
from seal_tracker.downlink.rows import CommandRow
from seal_tracker.model import iso_ms
from seal_tracker.store.records import Action
from seal_tracker.supervision.errors import WrongState

__all__ = [
    "ANSWER_GRACE_MS",
    "SYSTEM",
    "UNDER_WAY",
    "Actor",
    "Command",
    "StateName",
    "action_of",
    "answered",
    "approved",
    "cancelled",
    "command_in",
    "due_ms",
    "lapsed",
    "message_of",
    "row_of",
    "sent",
    "withheld",
]

StateName = Literal[
    "requested",
    "approved",
    "sent",
    "acknowledged",
    "refused",
    "withheld",
    "timed_out",
    "cancelled",
    "expired",
]

NEXT: Final[Mapping[StateName, frozenset[StateName]]] = {
    "requested": frozenset({"approved", "cancelled", "expired"}),
    "approved": frozenset({"sent", "withheld", "cancelled", "expired"}),
    "sent": frozenset({"acknowledged", "refused", "timed_out"}),
    "timed_out": frozenset({"acknowledged", "refused"}),  # late, but so it was
}
"""What may follow a state; from any other nothing does."""

UNDER_WAY: Final = frozenset({"requested", "approved", "sent"})
"""States of a command that is waited for."""

ANSWER_GRACE_MS: Final = 30_000
"""What a seal did in the last moment before the expiry may take so long to be told: its modem's way and ours."""

Actor = tuple[str, str]
"""Who acts, in which role."""

SYSTEM: Final[Actor] = ("system", "service")


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """A command as it stands. Times are ISO 8601, by our clock but for ``answered_at``, which is the seal's.

    Attributes
    ----------
    journey, unit
        on which the seal was when it was requested, and whose that is.
    expires_at
        from then on nobody approves, sends or obeys it.
    approved_by
        the second person; None where none is asked for.
    ended_at, why
        when and why it came to an end: what the seal refused, what forbade it, why it was cancelled.
    """

    id: str
    version: int = 1
    kind: Kind
    seal: str
    journey: str | None
    unit: str | None
    interval_s: int | None = None
    reason: str
    state: StateName = "requested"
    requested_by: str
    requested_at: str
    expires_at: str
    approved_by: str | None = None
    approved_at: str | None = None
    sent_at: str | None = None
    answered_at: str | None = None
    changed_by: str
    changed_at: str
    ended_at: str | None = None
    why: str | None = None


def approved(command: Command, by: str | None, at_ms: int) -> Command:
    """The command with its second person's word; ``by`` None: none is asked for.

    Raises
    ------
    WrongState
        The same person asked for it; it is past its time, or past that step.
    """
    if by is not None and by == command.requested_by:
        raise WrongState(f"{by} asked for it: another supervisor must approve it, nobody approves their own")
    if at_ms >= ms_of(command.expires_at):
        raise WrongState(f"it expired at {command.expires_at}; ask for another")
    at = iso_ms(at_ms)
    return _moved(command, "approved", by or command.requested_by, at_ms, approved_by=by, approved_at=at)


def cancelled(command: Command, by: str, reason: str, at_ms: int) -> Command:
    """The command taken back before it was sent.

    Raises
    ------
    WrongState
        It has been sent, and cannot be called back; or it came to its end before.
    """
    return _moved(command, "cancelled", by, at_ms, why=reason)


def sent(command: Command, at_ms: int) -> Command:
    """The command as it goes out, in the commit that has `message_of` in its outbox."""
    return _moved(command, "sent", SYSTEM[0], at_ms, sent_at=iso_ms(at_ms))


def withheld(command: Command, why: str, at_ms: int) -> Command:
    """The command that is not sent, since what it was approved for no longer holds."""
    return _moved(command, "withheld", SYSTEM[0], at_ms, why=why)


def lapsed(command: Command, now_ms: int) -> Command | None:
    """The command as its time makes it; None: it has time left."""
    expires_ms = ms_of(command.expires_at)
    if command.state == "sent" and now_ms >= expires_ms + ANSWER_GRACE_MS:
        return _moved(command, "timed_out", SYSTEM[0], now_ms, why="the seal has not answered")
    if command.state in {"requested", "approved"} and now_ms >= expires_ms:
        missing = "nobody approved it" if command.state == "requested" else "it could not be sent"
        return _moved(command, "expired", SYSTEM[0], now_ms, why=f"{missing} by {command.expires_at}")
    return None


def answered(command: Command, answer: CommandAnswer, at_ms: int) -> Command | None:
    """The command with its seal's answer; None: it has one already.

    Raises
    ------
    WrongState
        It was never sent: whoever answers has it from somewhere else.
    """
    if command.state in {"acknowledged", "refused"}:
        return None
    state: StateName = "acknowledged" if answer.result == "done" else "refused"
    return _moved(command, state, command.seal, at_ms, answered_at=answer.time, why=answer.reason)


def due_ms(command: Command) -> int | None:
    """When the clock is to look at it: at once where it is to be sent."""
    expires_ms = ms_of(command.expires_at)
    by_state = {
        "requested": expires_ms,
        "approved": ms_of(command.approved_at or command.requested_at),
        "sent": expires_ms + ANSWER_GRACE_MS,
    }
    return by_state.get(command.state)


def message_of(command: Command) -> CommandMessage:
    """What the seal is told."""
    assert command.sent_at is not None, "it is sent"
    return CommandMessage(
        id=command.id, kind=command.kind, seal=command.seal, issued_at=command.sent_at, expires_at=command.expires_at,
        interval_s=command.interval_s,
    )  # fmt: skip


def action_of(command: Command, actor: Actor, at_ms: int) -> Action:
    """The step that led to the command as it stands, for the audit trail and the ledger."""
    body = msgspec.json.encode(command)
    return Action(
        at_ms,
        *actor,
        f"command.{command.state}",
        f"command/{command.id}",
        command.journey,
        command.unit,
        body,
    )


def row_of(command: Command) -> CommandRow:
    """The row of a command."""
    return CommandRow(
        UUID(command.id), command.version, command.kind, command.state, command.seal, command.journey, command.unit,
        ms_of(command.requested_at), due_ms(command), msgspec.json.encode(command),
    )  # fmt: skip


def command_in(row: CommandRow) -> Command:
    """The command of a row."""
    return _decode(row.body)


_decode: Final = msgspec.json.Decoder(Command).decode


def _moved(command: Command, to: StateName, by: str, at_ms: int, **changes: Any) -> Command:
    if to not in NEXT.get(command.state, frozenset()):
        raise WrongState(_why_not(command))
    at = iso_ms(at_ms)
    ended = {} if to in UNDER_WAY else {"ended_at": at}
    stamp = {"version": command.version + 1, "state": to, "changed_by": by, "changed_at": at}
    return msgspec.structs.replace(command, **stamp, **ended, **changes)


def _why_not(command: Command) -> str:
    if command.state == "sent":
        return f"it was sent at {command.sent_at} and cannot be called back; the seal refuses it from {command.expires_at} on"
    return f"it is {command.state} since {command.changed_at}"
