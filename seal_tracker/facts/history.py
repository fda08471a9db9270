"""The rules across facts over recorded history, all at once. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

import numpy as np

from seal_tracker.companions.tracks import EMPTY, accepted
from seal_tracker.facts.balance import by_licence, line_of, used_before
from seal_tracker.facts.catalog import FACT_RULES, READS
from seal_tracker.facts.gates import BESIDE, AtGates
from seal_tracker.facts.mixing import STOP
from seal_tracker.facts.model import READING, EquipmentFact, attached
from seal_tracker.facts.places import AROUND_MS, place_at
from seal_tracker.facts.rules import Case, Place
from seal_tracker.facts.telling import episodes_of, lead_at
from seal_tracker.facts.weighing import direction_of
from seal_tracker.journey import Journey
from seal_tracker.model import Episode, PingBatch
from seal_tracker.tracking.epochs import Facts
from seal_tracker.tracking.order import effective_time_ms
from seal_tracker.tracking.state import blank_rows

__all__ = ["fact_episodes"]

OFFLINE = "EQUIPMENT_OFFLINE"


def fact_episodes(
    facts: Facts,
    journeys: Sequence[Journey],
    noted: Iterable[EquipmentFact],
    pings: PingBatch,
    first: Iterable[Episode],
) -> dict[UUID, Episode]:
    """Every episode of the rules across facts, by id, as of ``facts.now_ms``.

    ``noted`` are the facts that stand, ``pings`` all there are, in any order, ``first`` the first stage's episodes.
    """
    noted, first = list(noted), list(first)
    readings = [fact for fact in noted if fact.kind == READING and not fact.void]
    its: dict[str, list[EquipmentFact]] = {j.id: [] for j in journeys}
    for fact in sorted(noted, key=lambda f: (f.at_ms, f.id)):
        name = attached(fact, journeys, direction_of(fact))
        if name in its and not fact.void:
            its[name].append(fact)
    read: dict[str, list[Episode]] = {}
    for e in sorted(first, key=lambda e: (e.started_at_ms, str(e.episode))):
        if e.type in READS and e.journey is not None:
            read.setdefault(e.journey, []).append(e)
    out_of_use = offline_of(first)
    numbers = {name: number for number, name in facts.names.items()}
    lines = [line for j in journeys if (line := line_of(j, its[j.id])) is not None]
    used = {k: v for mine in by_licence(lines).values() for k, v in used_before(mine).items()}
    stops = [e for of in read.values() for e in of if e.type == STOP and e.regime == "minerals"]
    found: dict[UUID, Episode] = {}
    for j in journeys:
        if its[j.id] or j.id in read or any(rule.concerns(j) for rule in FACT_RULES):
            places, heard = _places(j, its[j.id], numbers, pings)
            beside = {"used_before_kg": used.get(j.id), "stops": stops, BESIDE: AtGates(readings, out_of_use)}
            case = Case(j, its[j.id], facts.versions, facts.now_ms, heard, places, read.get(j.id, ()), beside)
            found |= episodes_of(facts.space, case)
    return found


def offline_of(first: Iterable[Episode]) -> dict[str, list[tuple[int, int | None]]]:
    """When equipment was offline, by its id."""
    found: dict[str, list[tuple[int, int | None]]] = {}
    for e in first:
        if e.type == OFFLINE and e.object is None:
            found.setdefault(e.subject, []).append((e.started_at_ms, e.ended_at_ms))
    return found


def _places(
    journey: Journey, its: Sequence[EquipmentFact], numbers: Mapping[str, int], pings: PingBatch
) -> tuple[dict[int, Place | None], int | None]:
    """Where the lead was at the moments that its rules ask for, and how far its track goes."""
    at_ms = effective_time_ms(pings)
    lead = at_ms[pings.seal == numbers.get(journey.lead, -1)]
    heard = int(lead.max()) if len(lead) else None
    places: dict[int, Place | None] = {}
    for at in sorted({at for rule in FACT_RULES for at in rule.instants(journey, its)}):
        device = numbers.get(lead_at(journey, at), -1)
        mine = (pings.seal == device) & (at_ms <= at + AROUND_MS)
        if np.any((pings.seal == device) & (at_ms >= at)):
            tracks = accepted({device: blank_rows(1)["track"][0]}, pings.take(mine))
            places[at] = place_at(tracks.get(device, EMPTY), at)
    return places, heard
