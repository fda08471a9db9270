"""New facts beside those of their ids that are known: which stand, which came before, which contradict another. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from seal_tracker.facts.model import EquipmentFact, outranks, said
from seal_tracker.model import NO_TIME, DeadLetter

__all__ = ["AGAIN", "CORRECTED", "OUTDATED", "Noted", "Settled", "settled"]

AGAIN, CORRECTED, OUTDATED = "facts_again", "facts_corrected", "facts_outdated"
"""Counters: facts that were known, that correct another, and that had been corrected before they came."""

CONTRADICTS: Final = "another {kind} of the same id and revision says otherwise, and stands; send the right one with a higher revision"


@dataclass(frozen=True, slots=True)
class Noted:
    """A fact with the topic on which it came."""

    fact: EquipmentFact
    topic: str


@dataclass
class Settled:
    """What is to be stored, what is to be kept as a dead letter, what is counted, and ids of which a later revision was known."""

    facts: list[EquipmentFact] = field(default_factory=list)
    beaten: list[DeadLetter] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    outdated: set[UUID] = field(default_factory=set)


def settled(space: str, new: Iterable[Noted], known: Mapping[UUID, EquipmentFact]) -> Settled:
    """What new facts come to, taken in order; the outcome of one id does not depend on that."""
    stand, out = dict(known), Settled()
    changed: dict[UUID, None] = {}
    for one in new:
        fact, other = one.fact, stand.get(one.fact.id)
        if other is not None and said(fact) == said(other):
            out.counts[AGAIN] += 1
            continue
        wins = other is None or outranks(fact, other)
        if other is not None and fact.revision == other.revision:
            loser = other if wins else fact
            at = fact.recorded_ms if fact.recorded_ms != NO_TIME else fact.at_ms
            out.beaten.append(
                DeadLetter(at, one.topic, loser.body, CONTRADICTS.format(kind=fact.kind), space)
            )
        elif other is not None:
            out.counts[CORRECTED if wins else OUTDATED] += 1
            out.outdated |= set() if wins else {fact.id}
        if wins:
            stand[fact.id] = fact if other is None else fact._replace(recorded_ms=other.recorded_ms)
            changed[fact.id] = None
    out.facts = [stand[key] for key in changed]
    return out
