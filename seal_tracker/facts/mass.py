"""``MASS_BALANCE``: what was declared, weighed out and weighed in of minerals under a licence do not fit together.

The objects say what: ``declared`` (declared ≠ weighed out), ``weighed`` (weighed in ≠ weighed out), ``short`` and ``long`` (the trip, for
the distance), ``unweighed`` and ``weighbridge`` (nowhere in time, or elsewhere than declared), ``loading`` (outside the licence's mines and yards), ``quota:ID`` and ``licence:ID`` (used up, not in force), ``mixing`` (a stop where cargo
can be exchanged). Each is latched: it stays until an officer has dealt with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from seal_tracker.facts.balance import last_weighed
from seal_tracker.facts.licensed import against_licence
from seal_tracker.facts.mixing import STAY, STOP, mixing
from seal_tracker.facts.model import WEIGHING, EquipmentFact
from seal_tracker.facts.rules import Case, FactRule, Finding
from seal_tracker.facts.trips import of_trip, trip_due
from seal_tracker.facts.weighing import evidence_of, weighing_in
from seal_tracker.journey import Journey
from seal_tracker.rules.across_facts import FACT_KEYS, MASS_BALANCE
from seal_tracker.rules.evidence import place_evidence

__all__ = ["NAME", "RULE"]

NAME = MASS_BALANCE


def tolerance_kg(case: Case, at_ms: int, *masses_kg: int) -> float:
    """How far masses may be apart."""
    share = case.number(NAME, "tolerance_pct", at_ms) / 100 * max(masses_kg)
    return round(max(case.number(NAME, "tolerance_kg", at_ms), share), 1)


def _judge(case: Case) -> Iterator[Finding]:
    if not _concerns(case.journey):
        return
    yield from _masses(case)
    yield from of_trip(case)
    yield from against_licence(case)
    yield from mixing(case)


def _masses(case: Case) -> Iterator[Finding]:
    out, end = last_weighed(case.facts, "out"), last_weighed(case.facts, "in")
    first = out or end
    declared = (case.journey.minerals or {}).get("loaded_kg")
    if first is not None and declared is not None:
        mass = weighing_in(first).mass_kg
        yield from _apart(case, "declared", first.at_ms, declared, mass, {"declared_kg": declared}, [first])
    if out is not None and end is not None:
        masses = weighing_in(out).mass_kg, weighing_in(end).mass_kg
        yield from _apart(case, "weighed", max(out.at_ms, end.at_ms), *masses, {}, [out, end])


def _apart(
    case: Case,
    obj: str,
    at_ms: int,
    a_kg: int,
    b_kg: int,
    more: Mapping[str, Any],
    facts: Sequence[EquipmentFact],
) -> Iterator[Finding]:
    tolerance, difference = tolerance_kg(case, at_ms, a_kg, b_kg), b_kg - a_kg
    if abs(difference) > tolerance:
        evidence = {
            **_licence(case.journey),
            **more,
            "difference_kg": difference,
            "tolerance_kg": tolerance,
            "weighings": [evidence_of(fact) for fact in facts],
            "fixes": _places(case, facts),
        }
        yield Finding(object=obj, started_ms=at_ms, raised_ms=at_ms, evidence=evidence)


def _places(case: Case, facts: Sequence[EquipmentFact]) -> list[dict[str, Any]]:
    """Where the journey's lead was when it was weighed, as far as that is known."""
    moments = sorted({fact.at_ms for fact in facts})
    return [
        place_evidence(at, p.lon_e7, p.lat_e7) for at in moments if (p := case.places.get(at)) is not None
    ]


def _licence(journey: Journey) -> dict[str, Any]:
    return {"licence": (journey.minerals or {}).get("licence")}


def _concerns(journey: Journey) -> bool:
    return journey.minerals is not None


def _instants(journey: Journey, facts: Sequence[EquipmentFact]) -> Iterable[int]:
    if not _concerns(journey):
        return ()
    return journey.armed_at_ms, *(fact.at_ms for fact in facts if fact.kind == WEIGHING)


def _due(case: Case) -> Iterable[int]:
    return trip_due(case) if _concerns(case.journey) else ()


RULE = FactRule(
    name=NAME,
    keys=FACT_KEYS[NAME],
    kinds=frozenset({WEIGHING}),
    reads=frozenset({STAY, STOP}),
    concerns=_concerns,
    instants=_instants,
    due=_due,
    judge=_judge,
)
