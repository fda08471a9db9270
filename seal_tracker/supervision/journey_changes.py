"""A journey's new version as rows: the journey as it stands, what made it so, its devices, and the action. Pure."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from seal_tracker.facts.model import marks_of
from seal_tracker.journey_record import JourneyRecord, as_judged, lead_of, state_of, written
from seal_tracker.model import iso_ms
from seal_tracker.store.journey_rows import DeviceRow, JourneyChange, JourneyRow, JourneyVersion
from seal_tracker.store.records import Action

__all__ = ["PLAN", "Actor", "action_of", "change_of"]


class Actor(NamedTuple):
    """Who acts, in which role."""

    name: str
    role: str


PLAN = Actor("plan", "plan")
"""Who brought what stands in a plan folder's ``journeys.jsonl``."""


def change_of(
    record: JourneyRecord,
    before: JourneyRow | None,
    actor: Actor,
    verb: str,
    *,
    at_ms: int,
    now_ms: int,
    reason: str | None = None,
    plan_digest: bytes | None = None,
) -> JourneyChange:
    """The next version of a journey; ``plan_digest`` is given where a plan makes it."""
    state, body = str(state_of(record)), written(record)
    version = 1 if before is None else before.version + 1
    judged = as_judged(record)
    digest = plan_digest if plan_digest is not None or before is None else before.plan_digest
    row = JourneyRow(
        id=record.id,
        version=version,
        state=state,
        regime=record.regime,
        unit=record.unit,
        route=record.route,
        declaration=_searched(record.declaration),
        box=_searched(record.box),
        armed_ms=None if judged is None else judged.armed_at_ms,
        ended_ms=None if judged is None else judged.disarmed_at_ms,
        changed_ms=now_ms,
        plan_digest=digest,
        edited=plan_digest is None,
        body=body,
    )
    made_by = JourneyVersion(version, verb, state, at_ms, now_ms, actor.name, actor.role, reason, body)
    return JourneyChange(row, made_by, _devices(record))


def _searched(text: str | None) -> str | None:
    """A text as it is looked for; a plan's may hold NUL, which a column cannot."""
    return None if text is None else text.upper().replace("\0", "")


def _devices(record: JourneyRecord) -> tuple[DeviceRow, ...]:
    judged, lead = as_judged(record), lead_of(record.devices)
    if judged is None:
        return tuple(
            DeviceRow(name, role, name == lead or role == "seal", None, None) for name, role in record.devices
        )
    marks = (
        DeviceRow(mark, "mark", False, judged.armed_at_ms, judged.disarmed_at_ms) for mark in marks_of(judged)
    )
    return (
        *(
            DeviceRow(s.device, s.role, s.leads or s.role == "seal", s.from_ms, s.to_ms)
            for s in judged.served
        ),
        *marks,
    )


def action_of(change: JourneyChange) -> Action:
    """The change for the audit trail and the ledger, with the whole record."""
    row, made_by = change.row, change.made_by
    body = {
        "version": row.version,
        "state": row.state,
        "at": iso_ms(made_by.effective_ms),
        "reason": made_by.reason,
        "journey": msgspec.Raw(row.body),
    }
    return Action(
        made_by.recorded_ms,
        made_by.actor,
        made_by.role,
        f"journey.{made_by.verb}",
        f"journey/{row.id}",
        row.id,
        row.unit,
        msgspec.json.encode(body),
    )
