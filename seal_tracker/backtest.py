"""Recorded history judged by a plan: the service's core without broker or database. Pure but for its progress callback."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

import numpy as np

from seal_tracker.changes import difference, number
from seal_tracker.companions.history import companion_episodes
from seal_tracker.decoders.columns import Discards
from seal_tracker.episodes_file import in_file_order
from seal_tracker.facts.catalog import FACT_READERS
from seal_tracker.facts.history import fact_episodes
from seal_tracker.facts.model import EquipmentFact
from seal_tracker.facts.reading import FactError
from seal_tracker.facts.settling import Noted, settled
from seal_tracker.judge import judge, judge_now
from seal_tracker.model import EQUIPMENT_PREFIX, LIVE, NO_TIME, Episode, Event, PingBatch
from seal_tracker.plans.model import Plan
from seal_tracker.sources.trace import Trace
from seal_tracker.tracking.epochs import Facts, JourneyTable, Version
from seal_tracker.tracking.heartbeats import device_name
from seal_tracker.tracking.order import fresh
from seal_tracker.tracking.state import SealStates
from seal_tracker.tracking.terrains import terrain_of
from seal_tracker.tracking.validity import heartbeats_in_force, with_routes_in_force

__all__ = ["Compared", "Outcome", "compare", "never_armed", "run_backtest"]

CHUNK_PINGS = 50_000
"""Pings judged at once: whole seals, so that the order of arrival does not matter; small enough for a moving bar."""


FOREVER_MS = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Outcome:
    """What a back-test found. ``episodes`` are in the order of the episodes file; ``judge_s`` is judging alone."""

    pings: int
    episodes: list[Episode]
    events: list[Event]
    discards: dict[str, int]
    judge_s: float
    now_ms: int | None


@dataclass(frozen=True)
class Compared:
    """What another policy would have made of the same pings: episodes of the second back-test but ``lost``.

    ``changed`` has those of both that differ in severity, times or evidence, and ``was`` by their ids what they were;
    ``kept`` counts the others of both.
    """

    gained: list[Episode]
    lost: list[Episode]
    changed: list[Episode]
    was: Mapping[UUID, Episode]
    kept: int


def compare(first: Sequence[Episode], second: Sequence[Episode]) -> Compared:
    """Set the episodes of two back-tests beside each other; those that overlap are one, begun at another fix."""
    before, after = ({e.episode: e for e in episodes} for episodes in (first, second))
    changes = difference(before, after)
    gained = {c.episode.episode for c in changes if c.transition == "raised"}
    lost = {c.episode.episode for c in changes if c.transition == "retracted"}
    others = [c for c in changes if c.episode.episode not in gained | lost]
    changed = {c.episode.episode for c in others}
    return Compared(
        gained=in_file_order(after[key] for key in gained),
        lost=in_file_order(before[key] for key in lost),
        changed=in_file_order(after[key] for key in changed),
        was={
            key: before[key if key in before else c.references[0]]
            for c in others
            for key in [c.episode.episode]
        },
        kept=len(after) - len(gained) - len(changed),
    )


def never_armed(plan: Plan, traces: Iterable[Trace]) -> list[str]:
    """Seals of traces that no journey of the plan has armed between their first and their last ping, by name."""
    heard: dict[str, tuple[int, int]] = {}
    for trace in traces:
        first, last = np.full(len(trace.seals), FOREVER_MS), np.full(len(trace.seals), NO_TIME)
        np.minimum.at(first, trace.seal, trace.raw.time_ms)
        np.maximum.at(last, trace.seal, trace.raw.time_ms)
        for name, begin, end in zip(trace.seals, first.tolist(), last.tolist(), strict=True):
            if begin <= end and not name.startswith(EQUIPMENT_PREFIX):
                known = heard.get(name, (begin, end))
                heard[name] = min(known[0], begin), max(known[1], end)
    armed = set()
    for journey in plan.journeys:
        until_ms = FOREVER_MS if journey.disarmed_at_ms is None else journey.disarmed_at_ms
        for name in {journey.seal, *(device for device, _ in journey.devices)} & heard.keys():
            if journey.armed_at_ms <= heard[name][1] and until_ms > heard[name][0]:
                armed.add(name)
    return sorted(heard.keys() - armed)


def run_backtest(
    plan: Plan,
    traces: Sequence[Trace],
    *,
    now_ms: int | None = None,
    progress: Callable[[int], None] = lambda _n: None,
) -> Outcome:
    """Judge all pings of ``traces``, and what time alone brings up to ``now_ms``; None: the newest event time.

    Without a ping and a ``now_ms`` there is no time. ``progress`` is told pings done.
    """
    pings, by, counts = _read(plan, traces)
    facts = _facts(plan, traces, counts)
    began = time.perf_counter()
    pings = pings.take(np.argsort(pings.seal, kind="stable"))
    states = SealStates()
    episodes: dict[UUID, Episode] = {}
    for chunk in _whole_seals(pings):
        verdict = judge(states, pings.take(chunk), by)
        verdict.install(states)
        episodes |= verdict.touched
        counts.update(verdict.counts)
        progress(chunk.stop)
    track = states.all_rows()["track"]
    if now_ms is None:
        newest = [int(track["last_ms"].max())] if len(pings) else []
        now_ms = max([*newest, *(fact.at_ms for fact in facts)], default=None)
    if now_ms is not None:
        by = replace(by, now_ms=now_ms)
        verdict = judge_now(states, by)
        verdict.install(states)
        episodes |= verdict.touched
        episodes |= companion_episodes(by, pings) | fact_episodes(
            by, plan.journeys, facts, pings, episodes.values()
        )
    judge_s = time.perf_counter() - began
    counts["fix_pending"] += int((track["held_ms"] != NO_TIME).sum())
    return Outcome(
        pings=sum(len(t) for t in traces),
        episodes=in_file_order(episodes.values()),
        events=_events(episodes, now_ms or 0),
        discards={name: n for name, n in sorted(counts.items()) if n},
        judge_s=judge_s,
        now_ms=now_ms,
    )


def _read(plan: Plan, traces: Sequence[Trace]) -> tuple[PingBatch, Facts, Counter[str]]:
    """Every ping of the traces once, what they are judged by, and what was discarded on the way."""
    discards = Discards()
    numbers: dict[str, int] = {}
    for journey in plan.journeys:
        for served in journey.watched:
            numbers.setdefault(served.device, len(numbers) + 1)
    for one in plan.equipment:
        numbers.setdefault(device_name(one.id), len(numbers) + 1)
    in_plan = len(numbers)
    pings = PingBatch.concat(
        t.batch([numbers.setdefault(name, len(numbers) + 1) for name in t.seals], discards=discards)
        for t in traces
    )
    first = fresh(pings)
    discards["duplicates"] += int((~first).sum())
    names = {n: name for name, n in numbers.items()}
    unknown = [n for n, name in names.items() if n > in_plan and name.startswith(EQUIPMENT_PREFIX)]
    strange = first & np.isin(pings.seal, unknown)
    discards["equipment_not_in_plan"] += int(strange.sum())
    first &= ~strange
    version = Version(NO_TIME, plan, terrain_of(plan))
    parts = with_routes_in_force([version])
    facts = Facts(
        LIVE,
        parts,
        JourneyTable.build(plan.journeys, numbers),
        names,
        heartbeats=heartbeats_in_force([version], parts, numbers),
    )
    return pings.take(first), facts, discards


def _facts(plan: Plan, traces: Sequence[Trace], counts: Counter[str]) -> list[EquipmentFact]:
    """What equipment of the plan has recorded, as it stands in the end."""
    known = {one.id: one for one in plan.equipment}
    noted: list[Noted] = []
    for fact in (fact for trace in traces for fact in trace.facts):
        one, read = known.get(fact.equipment), FACT_READERS.get(fact.leaf)
        if one is None or read is None:
            counts["equipment_not_in_plan"] += 1
            continue
        try:
            noted.append(Noted(read(fact.payload, one, fact.arrival_ms, False), fact.leaf))
        except FactError:
            counts["facts_refused"] += 1
    stand = settled(LIVE, noted, {})
    counts.update(stand.counts)
    counts["facts_contradicted"] += len(stand.beaten)
    return stand.facts


def _events(episodes: dict[UUID, Episode], recorded_ms: int) -> list[Event]:
    """What would have been told, had all of it been committed at once."""
    return number(
        difference({}, episodes),
        {},
        episodes,
        {},
        space=LIVE,
        next_sequence=1,
        recorded_ms=recorded_ms,
        late_before_ms={},
    ).events


def _whole_seals(pings: PingBatch) -> list[slice]:
    """Cut pings, sorted by seal, into chunks that hold all pings of each of their seals."""
    ends = np.append(np.flatnonzero(np.diff(pings.seal)) + 1, len(pings))
    chunks, begin = [], 0
    for end in ends.tolist():
        if end - begin >= CHUNK_PINGS or end == len(pings):
            chunks.append(slice(begin, end))
            begin = end
    return [c for c in chunks if c.stop > c.start]
