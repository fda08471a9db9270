"""The masses of one journey under its licence, and what journeys before it have used of the licence's quota. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from seal_tracker.facts.model import WEIGHING, EquipmentFact
from seal_tracker.facts.weighing import weighing_in
from seal_tracker.journey import Journey
from seal_tracker.plans.licences import Licence

__all__ = ["Line", "by_licence", "last_weighed", "line_of", "over_quota", "used_before"]


class Line(NamedTuple):
    """A journey in the balance of its licence; kilograms, None where nothing was said or weighed.

    Attributes
    ----------
    at_ms
        when it took from the quota: as it was weighed out, else as it was armed.
    unit
        the journey's.
    out_id, in_id
        the weighings.
    """

    journey: str
    licence: str
    unit: str | None
    at_ms: int
    declared_kg: int | None
    out_kg: int | None
    in_kg: int | None
    out_id: str | None
    in_id: str | None

    @property
    def counted_kg(self) -> int:
        """What it takes from the quota: as weighed out, else as weighed in, else as declared."""
        return next((kg for kg in (self.out_kg, self.in_kg, self.declared_kg) if kg is not None), 0)

    @property
    def place(self) -> tuple[int, str]:
        """Its place among the journeys of its licence."""
        return self.at_ms, self.journey


def last_weighed(facts: Iterable[EquipmentFact], direction: str) -> EquipmentFact | None:
    """The last weighing in one direction: who weighs again corrects what was weighed before."""
    its = [fact for fact in facts if fact.kind == WEIGHING and weighing_in(fact).direction == direction]
    return its[-1] if its else None


def line_of(journey: Journey, facts: Sequence[EquipmentFact]) -> Line | None:
    """A journey's line, given its facts in order; None: it carries nothing under a licence."""
    minerals = journey.minerals
    if minerals is None or minerals.get("licence") is None:
        return None
    out, into = last_weighed(facts, "out"), last_weighed(facts, "in")
    declared = minerals.get("loaded_kg")
    return Line(
        journey=journey.id,
        licence=minerals["licence"],
        unit=journey.unit,
        at_ms=journey.armed_at_ms if out is None else out.at_ms,
        declared_kg=None if declared is None else int(declared),
        out_kg=None if out is None else weighing_in(out).mass_kg,
        in_kg=None if into is None else weighing_in(into).mass_kg,
        out_id=None if out is None else str(out.id),
        in_id=None if into is None else str(into.id),
    )


def used_before(lines: Iterable[Line]) -> dict[str, int]:
    """By journey, what the journeys of one licence before it have taken."""
    used, found = 0, {}
    for line in sorted(lines, key=lambda one: one.place):
        found[line.journey] = used
        used += line.counted_kg
    return found


def over_quota(lines: Sequence[Line], licence: Licence | None) -> set[str]:
    """Journeys by which, and after which, the quota is used up."""
    if licence is None or licence.quota_kg is None:
        return set()
    before = used_before(lines)
    return {one.journey for one in lines if before[one.journey] + one.counted_kg > licence.quota_kg}


def by_licence(lines: Iterable[Line]) -> Mapping[str, list[Line]]:
    """Lines by their licence."""
    found: dict[str, list[Line]] = {}
    for line in lines:
        found.setdefault(line.licence, []).append(line)
    return found
