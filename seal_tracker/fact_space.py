"""The second stage across facts of one space: what facts of equipment and changes of a journey's track make of it. Reads the store.

    facts ───────────────────────────────┐
    pings ─ a moment passed that a rule waits for? ─┤
            an episode changed that a rule reads? ──┼─ journeys ─ everything of each, from store and batch ─ judge ─ Prepared
    time ── due by now? ────────────────────────────┤
    journeys, plan changed ─────────────────────────┘

State: for which moments of whose track, and for which times, journeys wait. It is nothing but what was found when they were judged
last: a start judges those that may still wait once more. A journey is judged anew from everything: it has few facts.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

import numpy as np

from seal_tracker.fact_cases import (
    MINERALS,
    FactCases,
    FactStore,
    View,
    as_found,
    near_ms,
    newest_ms,
)
from seal_tracker.facts.catalog import FACT_RULES, KINDS, READS
from seal_tracker.facts.model import NEAR_MS, EquipmentFact, keys_of, marks_of
from seal_tracker.facts.rules import Case
from seal_tracker.facts.telling import due_ms, episodes_of
from seal_tracker.gate_space import beside_of, may_have_passed, passed_lately, plan_at
from seal_tracker.in_force import judged_of
from seal_tracker.journey import Journey
from seal_tracker.model import NO_TIME, Episode, PingBatch
from seal_tracker.prepared import Prepared
from seal_tracker.rules.across_facts import ACROSS_FACTS

__all__ = ["FactSpace"]

NO_PINGS = PingBatch.empty()

ASKED_AT_ONCE = 1_000
"""Changed journeys that the store is asked about in one question."""


@dataclass
class _Waiting:
    """What one journey waits for: its lead's track to pass a moment, by number, and a time; None: nothing."""

    tracks: dict[int, int] = field(default_factory=dict)
    due_ms: int | None = None


class FactSpace:
    """The second stage across facts of one space. See the module."""

    def __init__(self, space: str, store: FactStore) -> None:
        self._space = space
        self._store = store
        self._cases = FactCases(space, store)
        self._is_open = False
        self._with_facts: set[str] = set()
        self._waits: dict[str, _Waiting] = {}
        self._of_device: dict[int, set[str]] = {}

    def forget(self) -> None:
        """On any doubt: judge those that may still wait for something again."""
        self._is_open = False

    async def prepare(
        self,
        view: View,
        pings: PingBatch,
        facts: Sequence[EquipmentFact],
        late: Collection[str],
        out: Prepared,
    ) -> None:
        """Find what new pings, of which seals some were ``late``, and new facts change, after ``out`` has what the first stage found."""
        names = await self._opened(view)
        names |= self._passed(pings)
        names |= await self._at_gates(view, facts, out)
        names |= self._led_by(view, late)
        names |= self._told_otherwise(view, out)
        for fact in facts:
            names |= await self._may_be_of(view, fact)
        out.facts = [*out.facts, *facts]
        await self._judge(view, names, out, pings=pings, new=facts)

    async def pass_time(self, view: View, out: Prepared) -> None:
        """Find what time alone changes."""
        now_ms = view.facts.now_ms
        names = (
            await self._opened(view) | self._told_otherwise(view, out) | await self._at_gates(view, (), out)
        )
        if now_ms is not None:
            names |= {n for n, w in self._waits.items() if w.due_ms is not None and w.due_ms <= now_ms}
        await self._judge(view, names, out)

    async def again(
        self,
        view: View,
        seals: Collection[str],
        changes: Sequence[tuple[Journey | None, Journey | None]],
        out: Prepared,
    ) -> None:
        """Judge again what these seals lead, whose plan or journeys differ, and journeys that are others than before."""
        names = (
            await self._opened(view) | self._told_otherwise(view, out) | await self._at_gates(view, (), out)
        )
        names |= self._led_by(view, seals)
        now: dict[str, Journey | None] = {}
        versions = [[one for one in change if one is not None] for change in changes]
        for both, (_, after) in zip(versions, changes, strict=True):
            now |= {one.id: after for one in both}
        for concerned in await self._concerning(view, versions):
            names |= {one.id for one in concerned}
            names |= {j.id for one in concerned for j in await self._sharing_keys(view, one)}
        await self._judge(view, names, out, changed=now)

    def let_go(self, held: Collection[str]) -> None:
        """Journeys that are not held any more wait for nothing."""
        for name in [n for n in self._waits if n not in held]:
            self._wait(name, _Waiting())
        self._with_facts &= set(held)

    async def _opened(self, view: View) -> set[str]:
        """Once after a start: the journeys that may wait for something."""
        if self._is_open:
            return set()
        journeys, keys = await self._store.facts_since(self._space, KINDS, view.held_from_ms)
        if keys:
            since = dict.fromkeys(keys, view.held_from_ms)
            journeys |= {j.id for j in judged_of(await self._store.journeys_of_devices(self._space, since))}
        self._with_facts |= journeys & view.held.keys()
        self._is_open = True
        tracks = view.states.all_rows()["track"]["last_ms"]
        newest_ms = int(tracks.max()) if len(tracks) else NO_TIME
        passed = await passed_lately(self._store, self._space, view.facts.versions, newest_ms)
        return {j.id for j in view.held.values() if self._concerns(j, view)} | passed

    async def _at_gates(self, view: View, facts: Sequence[EquipmentFact], out: Prepared) -> set[str]:
        """Journeys that new readings, or readers that were silent, concern though they name none."""
        stored = await self._store.facts_named(self._space, [fact.id for fact in facts]) if facts else []
        return await may_have_passed(self._store, self._space, view.facts.versions, [*facts, *stored], out)

    def _led_by(self, view: View, seals: Collection[str]) -> set[str]:
        """Journeys that some seals lead or led, and that some rule may judge."""
        table = view.facts.journeys
        numbers = np.array([view.numbers[s] for s in seals if s in view.numbers], np.int64)
        ends = zip(
            table.seal.searchsorted(numbers).tolist(),
            table.seal.searchsorted(numbers, "right").tolist(),
            strict=True,
        )
        its = {table.journeys[i].id: table.journeys[i] for begin, end in ends for i in range(begin, end)}
        return {name for name, j in its.items() if self._concerns(j, view)}

    def _concerns(self, journey: Journey, view: View) -> bool:
        """Whether some rule may judge a journey; of one of before what is held nobody knows without looking."""
        ended = journey.disarmed_at_ms
        return (
            journey.id in self._with_facts
            or any(rule.concerns(journey) for rule in FACT_RULES)
            or (ended is not None and ended <= view.held_from_ms)
        )

    def _passed(self, pings: PingBatch) -> set[str]:
        """Journeys whose lead's track passes a moment that they wait for."""
        if not self._of_device or not len(pings):
            return set()
        found: set[str] = set()
        for device in np.unique(pings.seal).tolist():
            for name in self._of_device.get(device, ()):
                if newest_ms(pings, device) >= self._waits[name].tracks[device]:
                    found.add(name)
        return found

    def _told_otherwise(self, view: View, out: Prepared) -> set[str]:
        """Journeys of which the first stage tells otherwise what some rule reads."""
        found = set()
        for key, episode in out.after.items():
            if episode.type in READS and (was := out.before.get(key)) is not episode and was != episode:
                found |= self._concerned_of(view, episode)
        for key, episode in out.before.items():
            if episode.type in READS and key not in out.after:
                found |= self._concerned_of(view, episode)
        return found

    def _concerned_of(self, view: View, episode: Episode) -> set[str]:
        """Its journey, where some rule may judge that."""
        name = episode.journey
        if name is None:
            return set()
        plan = plan_at(view.facts.versions, episode.started_at_ms)
        concerned = episode.regime == MINERALS or name in self._with_facts
        return {name} if concerned or any(rule.heeds(episode, plan) for rule in FACT_RULES) else set()

    async def _may_be_of(self, view: View, fact: EquipmentFact) -> set[str]:
        """Journeys that a fact belongs to, or belonged to as it was."""
        stored = await self._store.facts_named(self._space, [fact.id])
        names = {f.journey for f in (fact, *stored) if f.journey is not None}
        for key, at_ms in {(key, f.at_ms) for f in (fact, *stored) if f.journey is None for key in f.keys}:
            names |= {j.id for j in await self._cases.of_keys(view, {key: at_ms - NEAR_MS})}
        return names

    async def _concerning(
        self, view: View, changed: Sequence[Sequence[Journey]]
    ) -> Sequence[Sequence[Journey]]:
        """Of changed journeys, each in its versions, those that some rule may judge.

        Asked of many at once and found by halving: a plan may bring a hundred thousand, of which none concerns any.
        """
        if not changed:
            return []
        if len(changed) > ASKED_AT_ONCE:
            parts = [changed[at : at + ASKED_AT_ONCE] for at in range(0, len(changed), ASKED_AT_ONCE)]
            return [both for part in parts for both in await self._concerning(view, part)]
        if not await self._may_concern(view, [one for both in changed for one in both]):
            return []
        if len(changed) == 1:
            return changed
        half = len(changed) // 2
        return [
            *await self._concerning(view, changed[:half]),
            *await self._concerning(view, changed[half:]),
        ]

    async def _may_concern(self, view: View, versions: Sequence[Journey]) -> bool:
        """Whether some rule may judge a journey, as it was or as it is: most have nothing that one sees, and two questions tell."""
        if any(self._concerns(one, view) for one in versions):
            return True
        names = {one.id for one in versions}
        spans = [(key, *near_ms(one)) for one in versions for key in keys_of(one)]
        if await self._store.facts_of(self._space, names, spans):
            return True
        rows = await self._store.episodes_of_types(self._space, names, ACROSS_FACTS | READS)
        return any(r.episode.type in ACROSS_FACTS or self._concerned_of(view, r.episode) for r in rows)

    async def _sharing_keys(self, view: View, journey: Journey) -> list[Journey]:
        since = dict.fromkeys(marks_of(journey), journey.armed_at_ms - NEAR_MS)
        return await self._cases.of_keys(view, since)

    async def _judge(
        self,
        view: View,
        names: Collection[str],
        out: Prepared,
        *,
        pings: PingBatch = NO_PINGS,
        new: Sequence[EquipmentFact] = (),
        changed: Mapping[str, Journey | None] | None = None,
    ) -> None:
        """Judge some journeys anew from everything."""
        names = {*names, *await self._cases.neighbours(out)}
        if not names:
            return
        journeys = await self._cases.journeys(view, names, changed or {})
        facts = await self._cases.facts(view, journeys, new, changed or {})
        balance = await self._cases.balance(view, names, journeys, facts)
        if further := balance.moved - names:
            others = await self._cases.journeys(view, further, changed or {})
            names |= further
            journeys += others
            facts |= await self._cases.facts(view, others, new, changed or {})
        out.lines, out.lines_gone = balance.lines, balance.gone
        rows = await self._store.episodes_of_types(self._space, names, ACROSS_FACTS | READS)
        read = as_found([row.episode for row in rows if row.episode.type in READS], out)
        heard = await self._cases.heard(view, journeys, pings)
        places, settled = await self._cases.places(view, journeys, facts, pings, heard)
        before = {row.episode.episode: row for row in rows if row.episode.type in ACROSS_FACTS}
        after: dict[UUID, Episode] = {}
        waits: dict[str, _Waiting] = {name: _Waiting() for name in names}
        cases: list[Case] = []
        for journey in journeys:
            lead = view.numbers.get(journey.lead)
            come = None if lead is None or heard[lead] == NO_TIME else heard[lead]
            case = Case(
                journey, facts[journey.id], view.facts.versions, view.facts.now_ms, come,
                places.get(journey.id, {}), read.get(journey.id, ()),
                {"used_before_kg": balance.used_before.get(journey.id),
                 "stops": await self._cases.stops_beside(read.get(journey.id, ()), out)},
            )  # fmt: skip
            cases.append(case)
        beside = await beside_of(self._store, self._space, cases, new, out)
        for one in cases:
            name = one.journey.id
            after |= episodes_of(self._space, replace(one, beside={**one.beside, **beside.get(name, {})}))
            waits[name] = _Waiting(settled.get(name, {}), due_ms(one))
        for key, row in before.items():
            if after.get(key) != row.episode:
                out.before[key] = row.episode
                out.revisions[key] = row.revision
        out.after |= {k: e for k, e in after.items() if k not in before or before[k].episode != e}
        with_facts = {name for name, its in facts.items() if its}
        out.installs.append(lambda: self._install(waits, with_facts))

    def _install(self, waits: Mapping[str, _Waiting], with_facts: Collection[str]) -> None:
        self._with_facts |= set(with_facts)
        for name, waiting in waits.items():
            self._wait(name, waiting)

    def _wait(self, name: str, waiting: _Waiting) -> None:
        for device in self._waits.pop(name, _Waiting()).tracks:
            self._of_device[device].discard(name)
            if not self._of_device[device]:
                del self._of_device[device]
        if waiting.tracks or waiting.due_ms is not None:
            self._waits[name] = waiting
        for device in waiting.tracks:
            self._of_device.setdefault(device, set()).add(name)
