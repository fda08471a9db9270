"""``MASS_BALANCE``: what was declared, weighed out and weighed in of minerals under a licence do not fit together.

The objects say what: ``declared`` (declared ≠ weighed out), ``weighed`` (weighed in ≠ weighed out), ``short`` and ``long`` (the trip, for
the distance), ``loading`` (outside the licence's mines and yards), ``quota:ID`` and ``licence:ID`` (used up, not in force), ``mixing`` (a stop where cargo
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
from seal_tracker.facts.weighing import evidence_of, weighing_in
from seal_tracker.journey import Journey
from seal_tracker.model import iso_ms
from seal_tracker.rules.across_facts import FACT_KEYS, MASS_BALANCE
from seal_tracker.rules.evidence import place_evidence

__all__ = ["NAME", "RULE"]

NAME = MASS_BALANCE

M_PER_S_IN_KMH = 1 / 3.6


def out_of(case: Case) -> EquipmentFact | None:
    """The weighing by which a journey left its mine or yard."""
    return last_weighed(case.facts, "out")


def into(case: Case) -> EquipmentFact | None:
    """The weighing by which it came to its port or gate."""
    return last_weighed(case.facts, "in")


def tolerance_kg(case: Case, at_ms: int, *masses_kg: int) -> float:
    """How far masses may be apart."""
    share = case.number(NAME, "tolerance_pct", at_ms) / 100 * max(masses_kg)
    return round(max(case.number(NAME, "tolerance_kg", at_ms), share), 1)


def _judge(case: Case) -> Iterator[Finding]:
    if not _concerns(case.journey):
        return
    yield from _masses(case)
    yield from _times(case)
    yield from against_licence(case)
    yield from mixing(case)


def _masses(case: Case) -> Iterator[Finding]:
    out, end = out_of(case), into(case)
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


def trip(case: Case) -> tuple[int, int | None, float] | None:
    """When a trip began, ended (None: not yet), and its metres; None where its way is not known beforehand.

    From weighing to weighing, else from arming to disarming.
    """
    journey = case.journey
    if journey.diversions or journey.route is None:
        return None
    out, end = out_of(case), into(case)
    began_ms = journey.armed_at_ms if out is None else out.at_ms
    ended_ms = journey.disarmed_at_ms if end is None else end.at_ms
    plan = case.version(began_ms).plan
    route = plan.route_index.get(journey.route)
    if route is None or (ended_ms is not None and ended_ms <= began_ms):
        return None
    return began_ms, ended_ms, float(plan.corridors.length_m[route])


def _longest_ms(case: Case, began_ms: int, length_m: float) -> int:
    """When a trip is too long: suspended, it takes longer."""
    slowest = case.number(NAME, "slowest_kmh", began_ms) * M_PER_S_IN_KMH
    limit_s = length_m / slowest + case.number(NAME, "grace_s", began_ms)
    end_ms = began_ms + int(limit_s) * 1000
    for pause in sorted(case.journey.suspensions, key=lambda s: s.from_ms):
        begin_ms = max(pause.from_ms, began_ms)
        if begin_ms < end_ms:
            if pause.to_ms is None:
                return (1 << 42) - 1
            end_ms += max(pause.to_ms - begin_ms, 0)
    return end_ms


def _times(case: Case) -> Iterator[Finding]:
    found = trip(case)
    if found is None:
        return
    began_ms, ended_ms, length_m = found
    about = _licence(case.journey) | {
        "from": iso_ms(began_ms),
        "route": case.journey.route,
        "length_m": round(length_m),
    }
    fastest = case.number(NAME, "fastest_kmh", began_ms)
    least_ms = int(length_m / (fastest * M_PER_S_IN_KMH)) * 1000
    if ended_ms is not None and ended_ms - began_ms < least_ms:
        lasted = {
            "to": iso_ms(ended_ms),
            "lasted_s": (ended_ms - began_ms) // 1000,
            "least_s": least_ms // 1000,
        }
        yield Finding(
            object="short",
            started_ms=ended_ms,
            raised_ms=ended_ms,
            evidence=about | lasted | {"fastest_kmh": fastest},
        )
    limit_ms = _longest_ms(case, began_ms, length_m)
    until_ms = ended_ms if ended_ms is not None else case.now_ms
    if until_ms is not None and until_ms >= limit_ms and (ended_ms is None or ended_ms > limit_ms):
        slowest = case.number(NAME, "slowest_kmh", began_ms)
        most = {"most_s": (limit_ms - began_ms) // 1000, "slowest_kmh": slowest}
        yield Finding(object="long", started_ms=limit_ms, raised_ms=limit_ms, evidence=about | most)


def _concerns(journey: Journey) -> bool:
    return journey.minerals is not None


def _instants(journey: Journey, facts: Sequence[EquipmentFact]) -> Iterable[int]:
    if not _concerns(journey):
        return ()
    return journey.armed_at_ms, *(fact.at_ms for fact in facts if fact.kind == WEIGHING)


def _due(case: Case) -> Iterable[int]:
    found = trip(case) if _concerns(case.journey) else None
    if found is not None and found[1] is None:
        yield _longest_ms(case, found[0], found[2])


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
