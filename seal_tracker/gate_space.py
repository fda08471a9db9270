"""What is looked up for the rule of gates: which journeys a reading or a silent reader may concern, and what was read where they passed. Reads
the store; keeps nothing.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final, Protocol
from uuid import UUID

from seal_tracker.facts.gates import BESIDE, MOST_AROUND_MS, AtGates, wanted
from seal_tracker.facts.model import READING, EquipmentFact
from seal_tracker.facts.rules import Case
from seal_tracker.model import Episode
from seal_tracker.plans.model import Plan
from seal_tracker.prepared import Prepared
from seal_tracker.tracking.epochs import Version

__all__ = ["GateStore", "beside_of", "may_have_passed", "passed_lately", "plan_at"]

OFFLINE: Final = "EQUIPMENT_OFFLINE"

LATELY_MS: Final = 86_400_000
"""What passed a gate before that has been judged, or is judged when anything else of it changes."""

FOREVER_MS: Final = 1 << 42

Span = tuple[str, int, int]


class GateStore(Protocol):
    """What is read."""

    async def readings_at(self, space: str, spans: Sequence[Span]) -> list[EquipmentFact]: ...  # noqa: D102
    async def journeys_at_gates(self, space: str, spans: Sequence[Span]) -> set[str]: ...  # noqa: D102
    async def offline_times(  # noqa: D102
        self, space: str, from_ms: int, to_ms: int, equipment: Collection[str]
    ) -> dict[str, list[tuple[int, int | None]]]: ...
    async def maintenance_times(  # noqa: D102
        self, space: str, from_ms: int, to_ms: int, equipment: Collection[str]
    ) -> dict[str, list[tuple[int, int]]]: ...


def plan_at(versions: Sequence[Version], at_ms: int) -> Plan:
    """The plan in force at a moment."""
    return versions[max(bisect_right(versions, at_ms, key=lambda v: v.from_ms) - 1, 0)].plan


async def may_have_passed(
    store: GateStore,
    space: str,
    versions: Sequence[Version],
    readings: Iterable[EquipmentFact],
    out: Prepared,
) -> set[str]:
    """Journeys whose seals passed where something was read, or a reader was silent or is now known not to have been."""
    spans = [*_where_read(versions, readings), *_where_silent(versions, out)]
    return await store.journeys_at_gates(space, spans) if spans else set()


async def passed_lately(store: GateStore, space: str, versions: Sequence[Version], now_ms: int) -> set[str]:
    """Journeys whose seals have passed gates of which it may not be known yet what was read there."""
    zones = {zone for version in versions for zone in version.plan.plate_readers}
    spans = [(zone, max(now_ms - LATELY_MS, 0), FOREVER_MS) for zone in sorted(zones)]
    return await store.journeys_at_gates(space, spans) if spans else set()


def _where_read(versions: Sequence[Version], readings: Iterable[EquipmentFact]) -> Iterator[Span]:
    for fact in readings:
        one = (
            plan_at(versions, fact.at_ms).equipment_index.get(fact.equipment)
            if fact.kind == READING
            else None
        )
        if one is not None and one.zone is not None and "plate" in one.reads:
            yield one.zone, fact.at_ms - MOST_AROUND_MS, fact.at_ms + MOST_AROUND_MS


def _where_silent(versions: Sequence[Version], out: Prepared) -> Iterator[Span]:
    if not any(version.plan.plate_readers for version in versions):
        return
    for episode in _offline(*_different(out)):
        one = plan_at(versions, episode.started_at_ms).equipment_index.get(episode.subject)
        if one is not None and one.zone is not None and "plate" in one.reads:
            end_ms = FOREVER_MS if episode.ended_at_ms is None else episode.ended_at_ms
            yield (
                one.zone,
                max(episode.started_at_ms - MOST_AROUND_MS, 0),
                min(end_ms + MOST_AROUND_MS, FOREVER_MS),
            )


def _different(out: Prepared) -> tuple[dict[UUID, Episode], dict[UUID, Episode]]:
    """What was so and is no more, and what is so and was not."""
    gone = {key: e for key, e in out.before.items() if out.after.get(key) != e}
    return gone, {key: e for key, e in out.after.items() if out.before.get(key) != e}


def _offline(*found: Mapping[UUID, Episode]) -> Iterator[Episode]:
    for episodes in found:
        yield from (e for e in episodes.values() if e.type == OFFLINE and e.object is None)


async def beside_of(
    store: GateStore, space: str, cases: Iterable[Case], new: Iterable[EquipmentFact], out: Prepared
) -> dict[str, Mapping[str, AtGates]]:
    """What was read, and who was out of use, at the gates that some journeys passed; by journey, nothing for those that passed none."""
    asked = {case.journey.id: found for case in cases if (found := wanted(case))}
    spans = sorted({(name, *span) for found in asked.values() for name, its in found.items() for span in its})
    if not spans:
        return {}
    readings = {fact.id: fact for fact in await store.readings_at(space, spans)}
    readings |= {fact.id: fact for fact in new if fact.kind == READING}
    ids = {name for name, *_ in spans}
    period = min(begin for _, begin, _ in spans), max(end for *_, end in spans) + 1
    offline = _as_found(await store.offline_times(space, *period, ids), out)
    planned = await store.maintenance_times(space, *period, ids)
    its = {name: [*offline.get(name, ()), *planned.get(name, ())] for name in ids}
    there = [fact for fact in readings.values() if not fact.void and fact.equipment in ids]
    return {
        journey: {
            BESIDE: AtGates([f for f in there if f.equipment in found], {name: its[name] for name in found})
        }
        for journey, found in asked.items()
    }


def _as_found(
    stored: Mapping[str, Sequence[tuple[int, int | None]]], out: Prepared
) -> dict[str, list[tuple[int, int | None]]]:
    """When equipment was offline, with what was found just now."""
    found = {name: list(times) for name, times in stored.items()}
    for episode in _offline(out.before):
        times = found.get(episode.subject, [])
        if (was := (episode.started_at_ms, episode.ended_at_ms)) in times:
            times.remove(was)
    for episode in _offline(out.after):
        times = found.setdefault(episode.subject, [])
        now = (episode.started_at_ms, episode.ended_at_ms)
        if now not in times:
            times.append(now)
    return found
