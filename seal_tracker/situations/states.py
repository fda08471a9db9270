"""A special situation and its steps: each makes a new version, and nothing of an older one is lost. Pure.

    registered ─ corrected, followed up ─ closed ─ reopened ─ …

Whether it is restricted follows from its kind when it is registered, and never changes: what was open to all has been read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, Final, Literal
from uuid import UUID

import msgspec

from seal_tracker.alarms.deadlines import ms_of
from seal_tracker.model import Severity, iso_ms
from seal_tracker.situations.rows import SituationChange, SituationRow
from seal_tracker.store.records import Action
from seal_tracker.supervision.errors import WrongState
from seal_tracker.supervision.journey_changes import Actor

__all__ = [
    "MOST_FOLLOW_UPS",
    "FollowUp",
    "Situation",
    "StateName",
    "Verb",
    "action_of",
    "change_of",
    "closed",
    "corrected",
    "followed_up",
    "reopened",
    "situation_in",
]

StateName = Literal["open", "closed"]
Verb = Literal["registered", "corrected", "followed_up", "closed", "reopened"]

MOST_FOLLOW_UPS: Final = 200
"""Each version holds all of them; who has more to tell registers another situation."""


class FollowUp(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody added later; it is never changed."""

    at: str
    by: str
    role: str
    text: str


class Situation(msgspec.Struct, frozen=True, kw_only=True):
    """A special situation as it stands. Times are ISO 8601 in UTC.

    Attributes
    ----------
    unit
        whose it is; None: headquarters'.
    journeys, alarms
        ids of those that it is about.
    reason
        why this version was made, where it corrects or reopens.
    outcome
        what was said when it was closed.
    """

    id: str
    version: int = 1
    kind: str
    severity: Severity
    unit: str | None
    restricted: bool
    state: StateName = "open"
    occurred_at: str
    narrative: str
    journeys: Sequence[str] = ()
    alarms: Sequence[str] = ()
    follow_ups: Sequence[FollowUp] = ()
    reason: str | None = None
    outcome: str | None = None
    registered_by: str
    registered_at: str
    closed_at: str | None = None
    changed_by: str
    changed_at: str


def corrected(found: Situation, changes: Mapping[str, Any], reason: str, by: Actor, at_ms: int) -> Situation:
    """The situation with other members, and why; closed or not."""
    return _next(found, by, at_ms, reason=reason, **changes)


def followed_up(found: Situation, text: str, by: Actor, at_ms: int) -> Situation:
    """The situation with one more thing told.

    Raises
    ------
    WrongState
        It is closed, or has as many as it may.
    """
    if found.state == "closed":
        raise WrongState(f"{found.changed_by} closed it at {found.closed_at}; reopen it, and say why")
    if len(found.follow_ups) >= MOST_FOLLOW_UPS:
        raise WrongState(f"it has {MOST_FOLLOW_UPS} follow-ups; register another situation and name this one")
    added = FollowUp(at=iso_ms(at_ms), by=by.name, role=by.role, text=text)
    return _next(found, by, at_ms, follow_ups=(*found.follow_ups, added), reason=None)


def closed(found: Situation, outcome: str, by: Actor, at_ms: int) -> Situation:
    """The situation once it is over, with what came of it.

    Raises
    ------
    WrongState
        It is closed.
    """
    if found.state == "closed":
        raise WrongState(f"it was closed at {found.closed_at}")
    return _next(found, by, at_ms, state="closed", outcome=outcome, closed_at=iso_ms(at_ms), reason=None)


def reopened(found: Situation, reason: str, by: Actor, at_ms: int) -> Situation:
    """The situation open again; what was said at its end stands in the version before.

    Raises
    ------
    WrongState
        It is open.
    """
    if found.state == "open":
        raise WrongState("it is open")
    return _next(found, by, at_ms, state="open", outcome=None, closed_at=None, reason=reason)


def situation_in(row: SituationRow) -> Situation:
    """The situation of a row."""
    return _decode(row.body)


def change_of(after: Situation, verb: Verb, by: Actor, salt: str | None) -> SituationChange:
    """The row of a situation and the step that led to it."""
    closed_ms = None if after.closed_at is None else ms_of(after.closed_at)
    row = SituationRow(
        UUID(after.id), after.version, after.kind, after.severity, after.unit, after.state, after.restricted,
        ms_of(after.occurred_at), ms_of(after.registered_at), closed_ms, tuple(after.journeys), salt, msgspec.json.encode(after),
    )  # fmt: skip
    return SituationChange(row, verb, ms_of(after.changed_at), by.name, by.role)


def action_of(change: SituationChange) -> Action:
    """The step for the audit trail and the ledger: whole; of a restricted situation its salted hash, and neither unit nor kind."""
    row = change.row
    said: bytes = row.body
    if row.restricted:
        salted = sha256((row.salt or "").encode() + row.body).hexdigest()
        said = msgspec.json.encode({"version": row.version, "sha256": salted})
    return Action(
        change.at_ms, change.actor, change.role, f"situation.{change.verb}", change.name, None,
        None if row.restricted else row.unit, said,
    )  # fmt: skip


_decode: Final = msgspec.json.Decoder(Situation).decode


def _next(found: Situation, by: Actor, at_ms: int, **changes: Any) -> Situation:
    stamp = {"version": found.version + 1, "changed_by": by.name, "changed_at": iso_ms(at_ms)}
    return msgspec.structs.replace(found, **stamp, **changes)
