"""A fact of equipment: what one piece of it recorded at one moment, as it is kept. Pure.

Facts come in any order, twice, and corrected. One id names one fact; of several that bear it the one of the highest revision
stands, and of one revision said in two ways always the same one, whichever came first.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple
from uuid import UUID, uuid5

from seal_tracker.journey import Journey

__all__ = ["NEAR_MS", "READING", "WEIGHING", "EquipmentFact", "attached", "fact_id", "outranks", "said"]

WEIGHING: Final = "weighing"
READING: Final = "reading"
"""Kinds of facts."""

NEAR_MS: Final = 12 * 3_600_000
"""A lorry is weighed out before its seal is armed, and weighed in after it is disarmed, by half a day at most: weighbridges have queues."""

NAMESPACE: Final = UUID("5b0d3c1e-6a0e-5c58-9d7e-0f2a0b6d9c44")
"""Root of the ids of facts; changing it makes every fact another one."""


class EquipmentFact(NamedTuple):
    """A fact as it stands.

    Attributes
    ----------
    at_ms
        when it was, by the equipment's clock.
    journey
        the journey that it names itself; None: it is found by ``plate``.
    plate
        the registration as it is compared (``plate_of``).
    unit
        whose the equipment was.
    revision
        counts corrections, from 1.
    void
        it was a mistake: it stands for nothing any more.
    recorded_ms
        when it was recorded here first.
    body
        what it says, as JSON, the same bytes for the same content.
    """

    id: UUID
    kind: str
    equipment: str
    at_ms: int
    journey: str | None
    plate: str | None
    unit: str | None
    revision: int
    void: bool
    recorded_ms: int
    body: bytes


def fact_id(kind: str, equipment: str, own: str) -> UUID:
    """The id of the fact that a piece of equipment calls ``own``."""
    return uuid5(NAMESPACE, f"{kind}/{equipment}/{own}")


def said(fact: EquipmentFact) -> tuple[int, bool, int, str, str, bytes]:
    """All that a fact says: two of one id that say the same are the same."""
    return (
        fact.revision,
        fact.void,
        fact.at_ms,
        fact.journey or "",
        fact.plate or "",
        fact.body,
    )


def outranks(fact: EquipmentFact, other: EquipmentFact) -> bool:
    """Whether of two of one id the first stands."""
    return said(fact) > said(other)


def attached(fact: EquipmentFact, journeys: Iterable[Journey], direction: str | None = None) -> str | None:
    """The journey that a fact belongs to: the one it names, else by its plate one of ``journeys``, all that the plate may have then.

    ``direction`` ``out``: the journey armed nearest to it; ``in``: the last one armed before it; None: the one that is under way.
    """
    if fact.journey is not None or fact.plate is None:
        return fact.journey
    its = [j for j in journeys if fact.plate in j.plates]
    if direction == "out":
        its = [j for j in its if abs(j.armed_at_ms - fact.at_ms) <= NEAR_MS]
        return min(its, key=lambda j: (abs(j.armed_at_ms - fact.at_ms), j.id)).id if its else None
    grace_ms = NEAR_MS if direction == "in" else 0
    its = [
        j
        for j in its
        if j.armed_at_ms <= fact.at_ms
        and (j.disarmed_at_ms is None or fact.at_ms <= j.disarmed_at_ms + grace_ms)
    ]
    return max(its, key=lambda j: (j.armed_at_ms, j.id)).id if its else None
