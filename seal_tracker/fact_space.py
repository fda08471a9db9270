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

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from seal_tracker.companion_space import BLANK
from seal_tracker.companions.tracks import EMPTY, accepted, newest_fix
from seal_tracker.facts.balance import Line, by_licence, line_of, over_quota, used_before
from seal_tracker.facts.catalog import FACT_RULES, KINDS, READS
from seal_tracker.facts.mixing import STOP, beside_each_other
from seal_tracker.facts.model import NEAR_MS, EquipmentFact, attached, keys_of, marks_of
from seal_tracker.facts.places import AROUND_MS, place_at
from seal_tracker.facts.rules import Case, Place
from seal_tracker.facts.telling import due_ms, episodes_of, lead_at
from seal_tracker.facts.weighing import direction_of
from seal_tracker.gate_space import GateStore, beside_of, may_have_passed, passed_lately, plan_at
from seal_tracker.in_force import judged_of
from seal_tracker.journey import Journey
from seal_tracker.journey_record import as_judged, read_record
from seal_tracker.model import NO_TIME, Episode, PingBatch
from seal_tracker.plans.licences import Licence
from seal_tracker.prepared import Prepared
from seal_tracker.replaying import readable
from seal_tracker.rules.across_facts import ACROSS_FACTS
from seal_tracker.store.journey_rows import JourneyRow
from seal_tracker.store.records import EpisodeRow, Portion
from seal_tracker.tracking.epochs import Facts
from seal_tracker.tracking.order import effective_time_ms
from seal_tracker.tracking.state import SealStates

__all__ = ["FactSpace", "FactStore", "View"]

MOST_PINGS = 10_000
"""Of one seal between a checkpoint and five minutes after a moment: there are some hundreds."""

NO_PINGS = PingBatch.empty()

NEAR_M = 5_000.0
"""Lorries that stopped farther apart have nothing to do with each other, whatever a policy says."""

MINERALS = "minerals"
"""The regime of which journeys without facts are judged, too."""


class FactStore(GateStore, Protocol):
    """What is read."""

    async def facts_of(  # noqa: D102
        self, space: str, journeys: Iterable[str], keys: Sequence[tuple[str, int, int]]
    ) -> list[EquipmentFact]: ...
    async def facts_since(  # noqa: D102
        self, space: str, kinds: Iterable[str], after_ms: int
    ) -> tuple[set[str], set[str]]: ...
    async def facts_named(self, space: str, ids: Iterable[UUID]) -> list[EquipmentFact]: ...  # noqa: D102
    async def episodes_of_types(  # noqa: D102
        self, space: str, journeys: Iterable[str], types: Iterable[str]
    ) -> list[EpisodeRow]: ...
    async def lines_of(  # noqa: D102
        self, space: str, *, journeys: Iterable[str] = (), licences: Iterable[str] = ()
    ) -> list[Line]: ...
    async def stops_of_minerals(self, space: str, from_ms: int, to_ms: int) -> list[Episode]: ...  # noqa: D102
    async def journeys_named(self, space: str, ids: Iterable[str]) -> Mapping[str, JourneyRow]: ...  # noqa: D102
    async def journeys_of_devices(self, space: str, after_ms: Mapping[str, int]) -> list[str]: ...  # noqa: D102
    async def newest_checkpoints(  # noqa: D102
        self, seals: Sequence[int], before_ms: Sequence[int] | None = None
    ) -> dict[int, tuple[int, bytes]]: ...
    async def pings_portion(  # noqa: D102
        self, seals: Sequence[int], after_ms: Sequence[int], until_ms: Sequence[int], most: int
    ) -> Portion: ...


@dataclass(frozen=True)
class View:
    """The space as it is judged now: ``held`` are the journeys in memory, by id, ``held_from_ms`` as for `InForce`."""

    facts: Facts
    held: Mapping[str, Journey]
    held_from_ms: int
    numbers: Mapping[str, int]
    states: SealStates


@dataclass
class _Waiting:
    """What one journey waits for: its lead's track to pass a moment, by number, and a time; None: nothing."""

    tracks: dict[int, int] = field(default_factory=dict)
    due_ms: int | None = None


@dataclass
class _Balance:
    """What changes of licences' balances, what was used of each before each journey, and whose quotas may be judged otherwise."""

    lines: list[Line] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    used_before: dict[str, int] = field(default_factory=dict)
    moved: set[str] = field(default_factory=set)


class FactSpace:
    """The second stage across facts of one space. See the module."""

    def __init__(self, space: str, store: FactStore) -> None:
        self._space = space
        self._store = store
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
        for before, after in changes:
            both = [one for one in (before, after) if one is not None]
            now |= {one.id: after for one in both}
            if await self._may_concern(view, both):
                names |= {one.id for one in both}
                names |= {j.id for one in both for j in await self._sharing_keys(view, one)}
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
                if _newest(pings, device) >= self._waits[name].tracks[device]:
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
            names |= {j.id for j in await self._of_keys(view, {key: at_ms - NEAR_MS})}
        return names

    async def _may_concern(self, view: View, versions: Sequence[Journey]) -> bool:
        """Whether some rule may judge a journey, as it was or as it is: most have nothing that one sees, and two questions tell."""
        if any(self._concerns(one, view) for one in versions):
            return True
        names = {one.id for one in versions}
        spans = [(key, *_near(one)) for one in versions for key in keys_of(one)]
        if await self._store.facts_of(self._space, names, spans):
            return True
        rows = await self._store.episodes_of_types(self._space, names, ACROSS_FACTS | READS)
        return any(r.episode.type in ACROSS_FACTS or self._concerned_of(view, r.episode) for r in rows)

    async def _sharing_keys(self, view: View, journey: Journey) -> list[Journey]:
        since = dict.fromkeys(marks_of(journey), journey.armed_at_ms - NEAR_MS)
        return await self._of_keys(view, since)

    async def _of_keys(
        self, view: View, since_ms: Mapping[str, int], now: Mapping[str, Journey | None] | None = None
    ) -> list[Journey]:
        """Journeys that have or had some keys, and that end after a time of each."""
        if not since_ms:
            return []
        found: dict[str, Journey | None] = {
            j.id: j for j in judged_of(await self._store.journeys_of_devices(self._space, since_ms))
        }
        found = {name: view.held.get(name, j) for name, j in found.items()} | dict(now or {})
        return [j for j in found.values() if j is not None]

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
        names = {*names, *await self._neighbours(out)}
        if not names:
            return
        journeys = await self._journeys(view, names, changed or {})
        facts = await self._facts(view, journeys, new, changed or {})
        balance = await self._balance(view, names, journeys, facts)
        if further := balance.moved - names:
            others = await self._journeys(view, further, changed or {})
            names |= further
            journeys += others
            facts |= await self._facts(view, others, new, changed or {})
        out.lines, out.lines_gone = balance.lines, balance.gone
        rows = await self._store.episodes_of_types(self._space, names, ACROSS_FACTS | READS)
        read = _as_found([row.episode for row in rows if row.episode.type in READS], out)
        places, settled = await self._places(view, journeys, facts, pings)
        before = {row.episode.episode: row for row in rows if row.episode.type in ACROSS_FACTS}
        after: dict[UUID, Episode] = {}
        waits: dict[str, _Waiting] = {name: _Waiting() for name in names}
        cases: list[Case] = []
        for journey in journeys:
            lead = view.numbers.get(journey.lead)
            heard = None if lead is None else _heard(view, lead, pings)
            case = Case(
                journey, facts[journey.id], view.facts.versions, view.facts.now_ms, heard,
                places.get(journey.id, {}), read.get(journey.id, ()),
                {"used_before_kg": balance.used_before.get(journey.id),
                 "stops": await self._stops_beside(read.get(journey.id, ()), out)},
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

    async def _balance(
        self,
        view: View,
        names: Collection[str],
        journeys: Sequence[Journey],
        facts: Mapping[str, Sequence[EquipmentFact]],
    ) -> _Balance:
        """What changes of the licences' balances, and what was used before each journey."""
        now = {j.id: line for j in journeys if (line := line_of(j, facts[j.id])) is not None}
        was = {line.journey: line for line in await self._store.lines_of(self._space, journeys=names)}
        if not now and not was:
            return _Balance()
        different = {n for n in names if now.get(n) != was.get(n)}
        licences = {line.licence for line in (*now.values(), *was.values())}
        known = {line.journey: line for line in await self._store.lines_of(self._space, licences=licences)}
        then = {n: line for n, line in known.items() if n not in names or n in now} | now
        before, after = by_licence(known.values()), by_licence(then.values())
        out = _Balance(
            lines=[now[n] for n in sorted(different) if n in now],
            gone=[n for n in sorted(different) if n not in now],
        )
        for licence in licences:
            mine = after.get(licence, [])
            out.used_before |= used_before(mine)
            if any(line.licence == licence for n in different for line in (now.get(n), was.get(n)) if line):
                least = _least_quota(view, licence)
                out.moved |= over_quota(before.get(licence, []), least) | over_quota(mine, least)
        return out

    async def _neighbours(self, out: Prepared) -> set[str]:
        """Lorries with minerals that stood near one whose stop is told otherwise now."""
        stops = [
            e
            for side in (out.before, out.after)
            for key, e in side.items()
            if e.type == STOP and e.regime == MINERALS and out.before.get(key) != out.after.get(key)
        ]
        found: set[str] = set()
        for stop in stops:
            found |= {
                s.subject
                for s in await self._stops_beside([stop], out)
                if beside_each_other(stop, s, NEAR_M, 0)
            }
        return found

    async def _stops_beside(self, stops: Sequence[Episode], out: Prepared) -> list[Episode]:
        """Stops of lorries with minerals at the time of some others."""
        times = [
            (s.started_at_ms, s.raised_at_ms if s.ended_at_ms is None else s.ended_at_ms)
            for s in stops
            if s.type == STOP
        ]
        if not times:
            return []
        begin, end = min(a for a, _ in times), max(b for _, b in times)
        stored = await self._store.stops_of_minerals(self._space, begin, end)
        found = {e.episode: e for e in stored if e.episode not in out.before}
        found |= {k: e for k, e in out.after.items() if e.type == STOP and e.regime == MINERALS}
        return list(found.values())

    async def _journeys(
        self, view: View, names: Collection[str], changed: Mapping[str, Journey | None]
    ) -> list[Journey]:
        """These journeys as they are judged from now on; those never armed, or withdrawn, are left out."""
        held = {name: view.held[name] for name in names if name in view.held} | {
            name: journey for name, journey in changed.items() if name in names
        }
        rows = await self._store.journeys_named(self._space, [n for n in names if n not in held])
        found = [*held.values(), *(as_judged(read_record(row.body)) for row in rows.values())]
        return sorted((j for j in found if j is not None), key=lambda j: j.id)

    async def _facts(
        self,
        view: View,
        journeys: Sequence[Journey],
        new: Sequence[EquipmentFact],
        changed: Mapping[str, Journey | None],
    ) -> dict[str, list[EquipmentFact]]:
        """The facts of each journey, new ones among them; those found by plate are the journey's that they are nearest to."""
        found: dict[str, list[EquipmentFact]] = {j.id: [] for j in journeys}
        spans = [(key, *_near(j)) for j in journeys for key in keys_of(j)]
        stored = {fact.id: fact for fact in await self._store.facts_of(self._space, found, spans)}
        facts = [f for f in (stored | {fact.id: fact for fact in new}).values() if not f.void]
        since: dict[str, int] = {}
        for fact in facts:
            for key in fact.keys if fact.journey is None else ():
                since[key] = min(fact.at_ms - NEAR_MS, since.get(key, fact.at_ms))
        others = await self._of_keys(view, since, changed)
        for fact in sorted(facts, key=lambda f: (f.at_ms, f.id)):
            name = attached(fact, [*others, *journeys], direction_of(fact))
            if name in found:
                found[name].append(fact)
        return found

    async def _places(
        self,
        view: View,
        journeys: Sequence[Journey],
        facts: Mapping[str, Sequence[EquipmentFact]],
        new: PingBatch,
    ) -> tuple[dict[str, dict[int, Place | None]], dict[str, dict[int, int]]]:
        """Where each journey's lead was at the moments that its rules ask for; and by journey for which moment of which device it waits."""
        places: dict[str, dict[int, Place | None]] = {}
        waits: dict[str, dict[int, int]] = {}
        asked: dict[int, set[int]] = {}
        wanted: list[tuple[str, int, int]] = []
        for j in journeys:
            for at in sorted({at for rule in FACT_RULES for at in rule.instants(j, facts[j.id])}):
                device = view.numbers.get(lead_at(j, at))
                if device is None:
                    continue
                if _heard(view, device, new) < at:
                    _wait_for(waits, j.id, device, at)
                else:
                    wanted.append((j.id, device, at))
                    asked.setdefault(device, set()).add(at)
        found = await self._read_places(asked, new)
        for name, device, at in wanted:
            places.setdefault(name, {})[at], is_settled = found[device, at]
            heard = _heard(view, device, new)
            if not is_settled and heard < at + AROUND_MS:
                _wait_for(waits, name, device, heard + 1)
        return places, waits

    async def _read_places(
        self, asked: Mapping[int, Collection[int]], new: PingBatch
    ) -> dict[tuple[int, int], tuple[Place | None, bool]]:
        """(device, moment) to the place, and whether an accepted fix of after it says so."""
        found: dict[tuple[int, int], tuple[Place | None, bool]] = {}
        turns = max((len(moments) for moments in asked.values()), default=0)
        for turn in range(turns):
            now = {d: sorted(moments)[turn] for d, moments in asked.items() if turn < len(moments)}
            devices, moments = list(now), list(now.values())
            stored = await self._store.newest_checkpoints(devices, moments)
            states = {d: state for d, (_, data) in stored.items() if (state := readable(data)) is not None}
            after = [stored[d][0] if d in states else NO_TIME for d in devices]
            until = [at + AROUND_MS for at in moments]
            portion = await self._store.pings_portion(devices, after, until, MOST_PINGS)
            begin = {d: states[d].row["track"][0] if d in states else BLANK for d in devices}
            pings = PingBatch.concat([portion.pings, _within(new, devices, after, until)])
            tracks = accepted(begin, pings)
            for device, at in now.items():
                track = newest_fix(begin[device]).followed_by(tracks.get(device, EMPTY))
                found[device, at] = (place_at(track, at), bool(len(track)) and track.time_ms[-1] >= at)
        return found

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


def _least_quota(view: View, name: str) -> Licence | None:
    """The licence in the version that allows least: who is over the quota by any is over that."""
    versions = [one for v in view.facts.versions if (one := v.plan.licences.get(name)) is not None]
    limited = [one for one in versions if one.quota_kg is not None]
    return min(limited, key=lambda one: one.quota_kg or 0, default=None)


def _near(journey: Journey) -> tuple[int, int]:
    """Within which time facts may belong to a journey."""
    end = journey.disarmed_at_ms
    return journey.armed_at_ms - NEAR_MS, (1 << 42) if end is None else end + NEAR_MS


def _newest(pings: PingBatch, device: int) -> int:
    mine = effective_time_ms(pings)[pings.seal == device]
    return int(mine.max()) if len(mine) else NO_TIME


def _heard(view: View, device: int, new: PingBatch) -> int:
    """How far a device's track has come with the new pings."""
    known = int(view.states.take(np.array([device], np.int64))["track"]["last_ms"][0])
    return max(known, _newest(new, device))


def _within(
    pings: PingBatch, devices: Sequence[int], after_ms: Sequence[int], until_ms: Sequence[int]
) -> PingBatch:
    if not len(pings):
        return pings
    at = effective_time_ms(pings)
    kept: NDArray[np.bool_] = np.zeros(len(pings), bool)
    for device, after, until in zip(devices, after_ms, until_ms, strict=True):
        kept |= (pings.seal == device) & (at > after) & (at <= until)
    return pings.take(kept)


def _as_found(stored: Iterable[Episode], out: Prepared) -> dict[str, list[Episode]]:
    """The first stage's episodes by journey as they are with what was found just now."""
    episodes: dict[UUID, Episode] = {e.episode: e for e in stored if e.episode not in out.before}
    episodes |= {key: e for key, e in out.after.items() if e.type in READS}
    found: dict[str, list[Episode]] = {}
    for e in sorted(episodes.values(), key=lambda e: (e.started_at_ms, str(e.episode))):
        if e.journey is not None:
            found.setdefault(e.journey, []).append(e)
    return found


def _wait_for(waits: dict[str, dict[int, int]], name: str, device: int, at_ms: int) -> None:
    mine = waits.setdefault(name, {})
    mine[device] = min(at_ms, mine.get(device, at_ms))
