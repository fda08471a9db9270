"""A fact of equipment: what one piece of it recorded at one moment, as it is kept. Pure.

Facts come in any order, twice, and corrected. One id names one fact; of several that bear it the one of the highest revision
stands, and of one revision said in two ways always the same one, whichever came first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple
from uuid import UUID, uuid5

from seal_tracker.facts.marks import box_mark
from seal_tracker.journey import Journey
from seal_tracker.model import BOX_PREFIX, PLATE_PREFIX

__all__ = [
    "NEAR_MS",
    "READING",
    "WEIGHING",
    "EquipmentFact",
    "attached",
    "fact_id",
    "keys_of",
    "marks_of",
    "outranks",
    "said",
]

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
        the journey that it names itself; None: it is found by what was read (`keys`).
    plate
        the registration as it is compared (``plate_of``).
    seal, box, other_box
        the seal and the containers that were read, these as they are compared (``box_mark``).
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
    seal: str | None
    box: str | None
    other_box: str | None
    body: bytes

    @property
    def keys(self) -> tuple[str, ...]:
        """By what its journey is found, the surest first: what stands beside a journey's devices."""
        boxes = [f"{BOX_PREFIX}{box}" for box in (self.box, self.other_box) if box]
        plates = [f"{PLATE_PREFIX}{self.plate}"] if self.plate else []
        return (*([self.seal] if self.seal else []), *plates, *boxes)


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


def keys_of(journey: Journey) -> tuple[str, ...]:
    """By what facts of a journey are found: its seals, its vehicles, its container."""
    seals = dict.fromkeys(served.device for served in journey.served)
    return (*seals, *marks_of(journey))


def marks_of(journey: Journey) -> tuple[str, ...]:
    """Those of them that are no devices."""
    plates = [f"{PLATE_PREFIX}{plate}" for plate in journey.plates]
    box = box_mark(journey.box) if journey.box else ""
    return (*plates, f"{BOX_PREFIX}{box}") if box else tuple(plates)


def attached(fact: EquipmentFact, journeys: Iterable[Journey], direction: str | None = None) -> str | None:
    """The journey that a fact belongs to: the one it names, else by the first of its keys that any has one of ``journeys``, all that
    have such a key then.

    ``direction`` ``out``: the journey armed nearest to it; ``in``: the last one armed before it; None: the one that is under way.
    """
    if fact.journey is not None or not fact.keys:
        return fact.journey
    known = [(journey, keys_of(journey)) for journey in journeys]
    found = (_nearest(fact, [j for j, keys in known if key in keys], direction) for key in fact.keys)
    return next((name for name in found if name is not None), None)


def _nearest(fact: EquipmentFact, its: Sequence[Journey], direction: str | None) -> str | None:
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
