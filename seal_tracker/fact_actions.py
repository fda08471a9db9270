"""Who recorded a fact, for the audit trail and the ledger. Pure."""

from __future__ import annotations

import msgspec

from seal_tracker.facts.model import READING, EquipmentFact
from seal_tracker.model import EQUIPMENT_PREFIX, iso_ms
from seal_tracker.store.records import Action

__all__ = ["action_of", "by_itself", "is_deed"]


def is_deed(fact: EquipmentFact) -> bool:
    """Whether what equipment sent is told in the audit trail: a weighing, which is a document, and what corrects a reading. Readings
    themselves are as many as lorries; those that matter are the evidence of an event.
    """
    return fact.kind != READING or fact.revision > 1


def by_itself(fact: EquipmentFact, at_ms: int) -> Action:
    """What a piece of equipment recorded by its own message."""
    return action_of(fact, f"{EQUIPMENT_PREFIX}{fact.equipment}", "equipment", "record", at_ms)


def action_of(
    fact: EquipmentFact, actor: str, role: str, verb: str, at_ms: int, reason: str | None = None
) -> Action:
    """A fact as it stands from now on, with who said so."""
    body = {
        "equipment": fact.equipment,
        "at": iso_ms(fact.at_ms),
        "revision": fact.revision,
        "void": fact.void,
        "reason": reason,
        fact.kind: msgspec.Raw(fact.body),
    }
    return Action(
        at_ms, actor, role, f"{fact.kind}.{verb}", f"{fact.kind}/{fact.id}", fact.journey, fact.unit,
        msgspec.json.encode(body),
    )  # fmt: skip
