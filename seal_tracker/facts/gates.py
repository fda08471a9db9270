"""``GATE_MISMATCH``: what a gate read of a lorry is not what its journey declares, or one passed without the other.

The objects say what: ``container``, ``plate``, ``seal`` (read ≠ declared), ``no_seal`` (the lorry passed, its seal was elsewhere), ``no_ping`` (the
lorry passed, and nothing was heard of its seal then), ``no_plate`` (the seal passed, and no lorry was read there that can be its own).

Readings of one gate that follow each other closely are one passage: a camera takes many pictures, and the best of them counts. Point
episodes: they say what was so then; a correction of a reading, or a late one, takes back what was wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from geofences.projection import distance_m
from seal_tracker.facts.marks import Comparison, compare_box, compare_plate
from seal_tracker.facts.model import READING, EquipmentFact
from seal_tracker.facts.readings import evidence_of, reading_in
from seal_tracker.facts.rules import Case, FactRule, Finding
from seal_tracker.journey import Journey, plate_of
from seal_tracker.model import Episode, iso_ms
from seal_tracker.plans.model import Equipment, Plan
from seal_tracker.rules.across_facts import FACT_KEYS, GATE_MISMATCH
from seal_tracker.rules.evidence import place_evidence

__all__ = ["BESIDE", "MOST_AROUND_MS", "NAME", "RULE", "AtGates", "Pass", "passes", "wanted"]

NAME = GATE_MISMATCH

BESIDE = "gates"
"""The name of what is looked up for a case: `AtGates`."""

REACHED, ENTERED = "CHECKPOINT_REACHED", "ZONE_ENTERED"
"""What the first stage tells of a seal that passes a gate: one that is a checkpoint of its route, or a zone of interest."""

MISSED_BEATS = 3
"""After so many missed heartbeats a reader is known to be offline; before that nobody can say that it read nothing."""

MOST_AROUND_MS = 3_600_000
"""``around_s`` is an hour at most."""

TOLD_READINGS = 5
"""Readings told in an episode's evidence."""

MATCHES: frozenset[Comparison] = frozenset({"same", "near", "part"})


@dataclass(frozen=True)
class AtGates:
    """What was looked up: readings at the gates that a seal passed (its journey's own or nobody's), and when readers there were out of
    use (offline, or in planned maintenance), by equipment, (from, to) in epoch ms, to None: it still is.
    """

    readings: Sequence[EquipmentFact] = ()
    out_of_use: Mapping[str, Sequence[tuple[int, int | None]]] = field(default_factory=dict)


class Pass(NamedTuple):
    """A seal at a gate: from when to when it was there, which zone that is, and who reads plates there."""

    zone: str
    from_ms: int
    to_ms: int
    readers: tuple[Equipment, ...]

    @property
    def known_after_ms(self) -> int:
        """How long after it nobody can say yet whether its readers were there."""
        return round(max(one.heartbeat_s for one in self.readers) * 1000) * MISSED_BEATS


def passes(case: Case) -> list[Pass]:
    """Where and when the seal passed gates at which plates are read; one that is still there has not passed."""
    found: list[Pass] = []
    for episode in case.episodes:
        if episode.type not in (REACHED, ENTERED) or episode.object is None:
            continue
        end_ms = episode.started_at_ms if episode.type == REACHED else episode.ended_at_ms
        readers = case.version(episode.started_at_ms).plan.plate_readers.get(episode.object, ())
        if readers and end_ms is not None:
            found.append(Pass(episode.object, episode.started_at_ms, end_ms, readers))
    return _joined(found)


def _joined(found: list[Pass]) -> list[Pass]:
    """Passes of one gate that overlap are one: a gate may be a checkpoint and a zone of interest."""
    out: list[Pass] = []
    for one in sorted(found, key=lambda p: (p.zone, p.from_ms, p.to_ms)):
        if out and out[-1].zone == one.zone and one.from_ms <= out[-1].to_ms:
            out[-1] = out[-1]._replace(to_ms=max(out[-1].to_ms, one.to_ms))
        else:
            out.append(one)
    return sorted(out, key=lambda p: (p.from_ms, p.zone))


def window(case: Case, one: Pass) -> tuple[int, int]:
    """Within which time a reading is of this pass: clocks of gates go wrong, and cameras stand before and behind them."""
    margin_ms = round(case.number(NAME, "around_s", one.from_ms) * 1000)
    return one.from_ms - margin_ms, one.to_ms + margin_ms


def wanted(case: Case) -> dict[str, list[tuple[int, int]]]:
    """Of which readers, by id, what is to be looked up, and over which times; nothing where nobody would ask."""
    found: dict[str, list[tuple[int, int]]] = {}
    if declared_plates(case.journey):
        for one in passes(case):
            for reader in one.readers:
                found.setdefault(reader.id, []).append(window(case, one))
    return found


def declared_plates(journey: Journey) -> tuple[str, ...]:
    """Every registration that may stand on the lorry: its own, its trailer's, those of its permit."""
    permit = (journey.permit or {}).get("registrations") or ()
    given = [journey.vehicle, *(vehicle for _, vehicle in journey.vehicles), journey.trailer, *permit]
    return tuple(dict.fromkeys(one for one in given if one and plate_of(one)))


def _judge(case: Case) -> Iterator[Finding]:
    if case.now_ms is None:
        return
    for passage in passages(case):
        yield from _marks(case, passage)
        yield from _seal(case, passage)
    yield from _unread(case)


def passages(case: Case) -> list[list[EquipmentFact]]:
    """The journey's readings up to now, by passage, in the order of time."""
    found: list[list[EquipmentFact]] = []
    last: dict[str, list[EquipmentFact]] = {}
    for fact in case.of_kind(READING):
        if case.now_ms is None or fact.at_ms > case.now_ms:
            continue
        gate = gate_of(case, fact)
        apart_ms = round(case.number(NAME, "passage_s", fact.at_ms) * 1000)
        if gate in last and fact.at_ms - last[gate][-1].at_ms <= apart_ms:
            last[gate].append(fact)
        else:
            last[gate] = [fact]
            found.append(last[gate])
    return found


def gate_of(case: Case, fact: EquipmentFact) -> str:
    """The zone at which the equipment of a reading stood, else the equipment itself."""
    one = equipment_of(case, fact)
    return f"zone {one.zone}" if one is not None and one.zone is not None else fact.equipment


def equipment_of(case: Case, fact: EquipmentFact) -> Equipment | None:
    """The equipment of a reading as the plan had it then; None: it had none of that id."""
    return case.version(fact.at_ms).plan.equipment_index.get(fact.equipment)


def _marks(case: Case, passage: Sequence[EquipmentFact]) -> Iterator[Finding]:
    """What was read and is another, where nothing was read in the passage that is the same."""
    for what in ("container", "plate", "seal"):
        compared = [(fact, _compared(case, fact, what)) for fact in passage]
        if any(found == "same" for _, found in compared):
            continue
        others = [fact for fact, found in compared if found == "other"]
        if others:
            evidence = {
                "what": what,
                "declared": _declared(case, what, others[0].at_ms),
                **_told(case, others),
            }
            at = others[0].at_ms
            yield Finding(object=what, started_ms=at, raised_ms=at, evidence=evidence)


def _compared(case: Case, fact: EquipmentFact, what: str) -> Comparison | None:
    """How a reading stands to what is declared; None: it says nothing of it, nothing is declared, or it is unsure. ``same``: so little
    apart that it may be.
    """
    reading, declared = reading_in(fact), _declared(case, what, fact.at_ms)
    least = case.number(NAME, "least_confidence", fact.at_ms)
    if not declared or (reading.confidence is not None and reading.confidence < least):
        return None
    if what == "seal":
        return None if reading.seal is None else "same" if reading.seal in declared else "other"
    tolerant = case.policy(NAME, "misreads", fact.at_ms) is not False
    if what == "container":
        found = [compare_box(one, box, tolerant=tolerant) for one in reading.containers for box in declared]
    else:
        errors = int(case.number(NAME, "plate_errors", fact.at_ms)) if tolerant else 0
        found = (
            []
            if reading.plate is None
            else [compare_plate(reading.plate, declared, errors, tolerant=tolerant)]
        )
    if not found:
        return None
    return "same" if MATCHES & set(found) else "other" if "other" in found else "misread"


def _declared(case: Case, what: str, at_ms: int) -> list[str]:
    journey = case.journey
    if what == "container":
        return [journey.box] if journey.box else []
    if what == "plate":
        return list(declared_plates(journey))
    return sorted(
        {s.device for s in journey.served if s.from_ms <= at_ms and (s.to_ms is None or at_ms < s.to_ms)}
    )


def _told(case: Case, facts: Sequence[EquipmentFact]) -> dict[str, Any]:
    """Where readings were made, and what they say."""
    one = equipment_of(case, facts[0])
    gate = {} if one is None or one.zone is None else {"gate": one.zone}
    read = {"readings": [evidence_of(fact) for fact in facts[:TOLD_READINGS]]}
    return gate | read | _stands(one, facts[0].at_ms)


def _stands(one: Equipment | None, at_ms: int) -> dict[str, Any]:
    """Where the equipment stands: the place of the event."""
    if one is None:
        return {"fixes": []}
    return {"fixes": [place_evidence(at_ms, round(one.lon_deg * 1e7), round(one.lat_deg * 1e7))]}


def _seal(case: Case, passage: Sequence[EquipmentFact]) -> Iterator[Finding]:
    """The lorry passed: where its seal was then, and whether anything was heard of it."""
    first = passage[0]
    if case.policy(NAME, "needs_ping", first.at_ms) is False:
        return
    apart = [_apart_m(case, fact) for fact in passage if fact.at_ms in case.places]
    near_m = case.number(NAME, "near_m", first.at_ms)
    if any(one is not None and one <= near_m for one in apart):
        return
    is_waiting = len(apart) < len(passage)
    if is_waiting and case.now_ms is not None and case.now_ms < _given_up_ms(case, first):
        return
    known = [one for one in apart if one is not None]
    declared = _declared(case, "seal", first.at_ms)
    evidence: dict[str, Any] = {"declared": declared, "near_m": near_m, **_told(case, passage)}
    if known:
        evidence |= {"distance_m": round(min(known))}
    what = "no_seal" if known else "no_ping"
    yield Finding(
        object=what, started_ms=first.at_ms, raised_ms=first.at_ms, evidence={"what": what, **evidence}
    )


def _given_up_ms(case: Case, first: EquipmentFact) -> int:
    """Until when a seal that has not been heard of since is waited for."""
    return first.at_ms + round(case.number(NAME, "wait_s", first.at_ms) * 1000)


def _apart_m(case: Case, fact: EquipmentFact) -> float | None:
    """How far the seal was from a reading's equipment, 0 within the gate's zone; None: nobody knows where it was, or where that stands."""
    place, one = case.places[fact.at_ms], equipment_of(case, fact)
    if place is None or one is None:
        return None
    lon, lat = (np.array([value], np.int64) for value in (place.lon_e7, place.lat_e7))
    terrain = case.version(fact.at_ms).terrain
    zone = terrain.zone_index.get(one.zone or "")
    if zone is not None and bool(terrain.zones.holds(lon, lat, np.array([zone], np.int64))[0]):
        return 0.0
    there_lon, there_lat = (np.array([round(deg * 1e7)], np.int64) for deg in (one.lon_deg, one.lat_deg))
    return float(distance_m(lon, lat, there_lon, there_lat)[0])


def _unread(case: Case) -> Iterator[Finding]:
    """The seal passed a gate at which a reader was there, and no lorry was read that can be its own."""
    beside = case.beside.get(BESIDE)
    if not isinstance(beside, AtGates) or case.now_ms is None:
        return
    plates = declared_plates(case.journey)
    for one in passes(case) if plates else ():
        begin_ms, end_ms = window(case, one)
        working = [r for r in one.readers if not _touched(beside.out_of_use.get(r.id, ()), begin_ms, end_ms)]
        if case.now_ms < end_ms + one.known_after_ms or not working or not _is_asked(case, one):
            continue
        ids = {reader.id for reader in one.readers}
        there = [
            fact
            for fact in {f.id: f for f in (*beside.readings, *case.of_kind(READING))}.values()
            if fact.equipment in ids and begin_ms <= fact.at_ms <= end_ms
        ]
        if any(_may_be_its(case, fact, plates) for fact in there):
            continue
        strangers = sorted((f for f in there if f.plate), key=lambda f: (f.at_ms, str(f.id)))
        evidence = {
            "what": "no_plate",
            "gate": one.zone,
            "from": iso_ms(one.from_ms),
            "to": iso_ms(one.to_ms),
            "declared": list(plates),
            "readers": [reader.id for reader in working],
            "readings": [evidence_of(fact) for fact in strangers[:TOLD_READINGS]],
            **_stands(working[0], one.from_ms),
        }
        yield Finding(object="no_plate", started_ms=one.from_ms, raised_ms=one.from_ms, evidence=evidence)


def _is_asked(case: Case, one: Pass) -> bool:
    return case.policy(NAME, "needs_plate", one.from_ms) is not False


def _touched(times: Iterable[tuple[int, int | None]], begin_ms: int, end_ms: int) -> bool:
    return any(begin <= end_ms and (end is None or end > begin_ms) for begin, end in times)


def _may_be_its(case: Case, fact: EquipmentFact, plates: Sequence[str]) -> bool:
    """Whether a reading is this journey's, or of a plate that was misread; what it read then is judged as a reading."""
    if fact in case.facts:
        return True
    reading = reading_in(fact)
    errors = int(case.number(NAME, "plate_errors", fact.at_ms))
    return reading.plate is not None and compare_plate(reading.plate, plates, errors) in MATCHES


def _instants(_journey: Journey, facts: Sequence[EquipmentFact]) -> Iterable[int]:
    return (fact.at_ms for fact in facts if fact.kind == READING)


def _due(case: Case) -> Iterable[int]:
    for fact in case.of_kind(READING):
        yield fact.at_ms
        yield _given_up_ms(case, fact)
    if declared_plates(case.journey):
        for one in passes(case):
            yield window(case, one)[1] + one.known_after_ms


def _heeds(episode: Episode, plan: Plan) -> bool:
    """Whether an episode of the first stage is of a gate at which plates are read."""
    return episode.object is not None and episode.object in plan.plate_readers


RULE = FactRule(
    name=NAME,
    keys=FACT_KEYS[NAME],
    kinds=frozenset({READING}),
    reads=frozenset({REACHED, ENTERED}),
    is_point=True,
    concerns=lambda _journey: False,
    instants=_instants,
    due=_due,
    judge=_judge,
    heeds=_heeds,
)
