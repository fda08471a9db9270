"""A ticket about a fault in its life: who saw to it, who repaired it, who looked whether it is; which step follows which. Pure.

    open ── assign ── assigned ── start ── in_repair ── repaired ── repaired ── close ── closed
                          └──────── reopen ──────────────────────────────┘          (cancel: cancelled, before that)

Every function gives the ticket one version on, or refuses in words (`WrongState`, `Unfit`) and changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal
from uuid import UUID

import msgspec

from seal_tracker.alarms.deadlines import ms_of
from seal_tracker.model import iso_ms
from seal_tracker.repairs.rows import TicketRow
from seal_tracker.store.records import Action
from seal_tracker.supervision.errors import Unfit, WrongState

__all__ = [
    "CAUSES",
    "SYSTEM",
    "Actor",
    "Cause",
    "StateName",
    "Ticket",
    "action_of",
    "assigned",
    "cancelled",
    "closed",
    "heard_again",
    "noted",
    "reopened",
    "repaired",
    "row_of",
    "started",
    "ticket_in",
    "without_episode",
]

StateName = Literal["open", "assigned", "in_repair", "repaired", "closed", "cancelled"]

Cause = Literal[
    "power", "network", "hardware", "software", "settings", "weather", "damage", "theft", "wear", "none_found", "other"
]  # fmt: skip
"""What was at fault, as the repairer found it; ``none_found``: it came back by itself, and nobody knows why."""

CAUSES: Final[tuple[str, ...]] = Cause.__args__  # type: ignore[attr-defined]

NEXT: Final[Mapping[StateName, frozenset[StateName]]] = {
    "open": frozenset({"open", "assigned", "in_repair", "repaired", "cancelled"}),
    "assigned": frozenset({"assigned", "in_repair", "repaired", "cancelled"}),
    "in_repair": frozenset({"in_repair", "assigned", "repaired", "cancelled"}),
    "repaired": frozenset({"repaired", "assigned", "closed", "cancelled"}),
}
"""What may follow a state (itself: a note, or news of its episode); from any other nothing does."""

UNDER_WAY: Final = frozenset({"open", "assigned", "in_repair", "repaired"})

Actor = tuple[str, str]
"""Who acts, in which role."""

SYSTEM: Final[Actor] = ("system", "service")


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket as it stands. Times are ISO 8601, by our clock but for ``failed_at``, ``heard_again_at`` and ``repaired_at``.

    Attributes
    ----------
    fault
        what is wrong, in words.
    episode
        the ``EQUIPMENT_OFFLINE`` that it is about; null where a person saw the fault.
    failed_at
        since when it fails: the last heartbeat, or what the person says.
    acknowledged_by, acknowledged_at
        the first person who did anything about it.
    assigned_to
        who is to repair it: an officer, or a company.
    heard_again_at
        when its episode ended; null while it has not, or where there is none.
    repaired_at, cause
        when it worked again and what was at fault, by who repaired it.
    note
        what was said at the last step.
    """

    id: str
    version: int = 1
    state: StateName = "open"
    equipment: str
    kind: str
    unit: str | None
    fault: str
    episode: str | None = None
    opened_by: str
    opened_at: str
    failed_at: str
    acknowledged_by: str | None = None
    acknowledged_at: str | None = None
    assigned_to: str | None = None
    started_at: str | None = None
    heard_again_at: str | None = None
    repaired_by: str | None = None
    repaired_at: str | None = None
    cause: Cause | None = None
    ended_by: str | None = None
    ended_at: str | None = None
    note: str | None = None
    changed_by: str
    changed_at: str


def assigned(ticket: Ticket, by: str, to: str, note: str | None, at_ms: int) -> Ticket:
    """The ticket with who is to repair it, or another who is.

    Raises
    ------
    WrongState
        It is repaired, closed or cancelled.
    """
    if ticket.state == "repaired":
        raise WrongState(_why_not(ticket))
    return _moved(ticket, "assigned", by, note, at_ms, assigned_to=to)


def started(ticket: Ticket, by: str, note: str | None, at_ms: int) -> Ticket:
    """The ticket while somebody is at it.

    Raises
    ------
    WrongState
        Somebody is already, or it is repaired, closed or cancelled.
    """
    if ticket.state == "in_repair":
        raise WrongState(_why_not(ticket))
    return _moved(ticket, "in_repair", by, note, at_ms, started_at=iso_ms(at_ms))


def repaired(ticket: Ticket, by: str, cause: Cause, note: str | None, repaired_ms: int, at_ms: int) -> Ticket:
    """The ticket of what works again since ``repaired_ms``; a superior looks whether it does.

    Raises
    ------
    WrongState, Unfit
        It is repaired, closed or cancelled; that lies in the future, or before it failed.
    """
    if ticket.state == "repaired":
        raise WrongState(_why_not(ticket))
    if not ms_of(ticket.failed_at) <= repaired_ms <= at_ms:
        raise Unfit(
            f"repaired_at: must lie between its failure ({ticket.failed_at}) and now ({iso_ms(at_ms)}), not {iso_ms(repaired_ms)}",
            field="repaired_at",
        )
    return _moved(
        ticket, "repaired", by, note, at_ms, repaired_by=by, repaired_at=iso_ms(repaired_ms), cause=cause
    )


def reopened(ticket: Ticket, by: str, reason: str, at_ms: int) -> Ticket:
    """The ticket of what was not repaired after all: it goes on as if nobody had said so.

    Raises
    ------
    WrongState
        Nobody has said so, or it is closed: what fails after that is another fault.
    """
    if ticket.state != "repaired":
        raise WrongState(f"only what is said to be repaired is reopened, and {_why_not(ticket)}")
    return _moved(ticket, "assigned", by, reason, at_ms, repaired_by=None, repaired_at=None, cause=None)


def closed(ticket: Ticket, by: str, note: str | None, at_ms: int) -> Ticket:
    """The ticket of a repair that somebody has verified.

    Raises
    ------
    WrongState
        It is not repaired; or who verifies is who repaired it.
    """
    if ticket.state == "repaired" and ticket.repaired_by == by:
        raise WrongState(f"{by} repaired it: another must look whether it works")
    return _moved(ticket, "closed", by, note, at_ms)


def cancelled(ticket: Ticket, by: str, reason: str, at_ms: int) -> Ticket:
    """The ticket of what was no fault.

    Raises
    ------
    WrongState
        It is closed or cancelled.
    """
    return _moved(ticket, "cancelled", by, reason, at_ms, repaired_by=None, repaired_at=None, cause=None)


def noted(ticket: Ticket, by: str, note: str, at_ms: int) -> Ticket:
    """The ticket with something said.

    Raises
    ------
    WrongState
        It is closed or cancelled.
    """
    return _moved(ticket, ticket.state, by, note, at_ms)


def heard_again(ticket: Ticket, ended_ms: int | None, at_ms: int) -> Ticket:
    """The ticket after its episode ended at ``ended_ms``, or turned out to go on (None): for a person to say what it was."""
    said = "it is heard again" if ended_ms is not None else "it is not heard after all"
    ended = None if ended_ms is None else iso_ms(ended_ms)
    return _moved(ticket, ticket.state, SYSTEM[0], said, at_ms, heard_again_at=ended)


def without_episode(ticket: Ticket, at_ms: int) -> Ticket:
    """The ticket after late heartbeats took its episode back: cancelled where nobody has done anything yet."""
    said = "late heartbeats show that it was heard all the time"
    to: StateName = "cancelled" if ticket.acknowledged_at is None else ticket.state
    return _moved(ticket, to, SYSTEM[0], said, at_ms, episode=None, heard_again_at=None)


def action_of(ticket: Ticket, step: str, actor: Actor) -> Action:
    """The step that led to the ticket as it stands, for the audit trail and the ledger."""
    body = msgspec.json.encode(ticket)
    return Action(
        ms_of(ticket.changed_at), *actor, f"ticket.{step}", f"ticket/{ticket.id}", None, ticket.unit, body
    )


def row_of(ticket: Ticket) -> TicketRow:
    """The row of a ticket."""
    acknowledged, repaired_, heard = (
        None if at is None else ms_of(at)
        for at in (ticket.acknowledged_at, ticket.repaired_at, ticket.heard_again_at)
    )
    return TicketRow(
        UUID(ticket.id), ticket.version, ticket.state, ticket.state in UNDER_WAY, ticket.equipment, ticket.kind, ticket.unit,
        None if ticket.episode is None else UUID(ticket.episode), ms_of(ticket.opened_at), ms_of(ticket.failed_at),
        acknowledged, repaired_, heard, msgspec.json.encode(ticket),
    )  # fmt: skip


def ticket_in(row: TicketRow) -> Ticket:
    """The ticket of a row."""
    return _decode(row.body)


_decode: Final = msgspec.json.Decoder(Ticket).decode


def _moved(ticket: Ticket, to: StateName, by: str, note: str | None, at_ms: int, **changes: Any) -> Ticket:
    if to not in NEXT.get(ticket.state, frozenset()):
        raise WrongState(_why_not(ticket))
    at = iso_ms(at_ms)
    stamp = {
        "version": ticket.version + 1, "state": to, "changed_by": by, "changed_at": at, "note": note
    }  # fmt: skip
    if ticket.acknowledged_at is None and by != SYSTEM[0]:
        stamp |= {"acknowledged_by": by, "acknowledged_at": at}
    if to not in UNDER_WAY:
        stamp |= {"ended_by": by, "ended_at": at}
    return msgspec.structs.replace(ticket, **stamp, **changes)


def _why_not(ticket: Ticket) -> str:
    after = "; reopen it where it is not" if ticket.state == "repaired" else ""
    return f"it is {ticket.state.replace('_', ' ')} since {ticket.changed_at}{after}"
