"""Everything that the rules across facts see of some journeys, gathered from the store and from what was found just now. Reads the store.

No state: what a journey, its facts, its licence's balance, its lead's places and the stops beside it are, as of one view of a space.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from seal_tracker.companion_space import BLANK
from seal_tracker.companions.tracks import EMPTY, accepted, newest_fix
from seal_tracker.facts.balance import Line, by_licence, line_of, over_quota, used_before
from seal_tracker.facts.catalog import FACT_RULES, READS
from seal_tracker.facts.mixing import STOP, beside_each_other
from seal_tracker.facts.model import NEAR_MS, EquipmentFact, attached, keys_of
from seal_tracker.facts.places import AROUND_MS, place_at
from seal_tracker.facts.rules import Place
from seal_tracker.facts.telling import lead_at
from seal_tracker.facts.weighing import direction_of
from seal_tracker.gate_space import GateStore
from seal_tracker.in_force import judged_of
from seal_tracker.journey import Journey
from seal_tracker.journey_record import as_judged, read_record
from seal_tracker.model import NO_TIME, Episode, PingBatch
from seal_tracker.plans.licences import Licence
from seal_tracker.prepared import Prepared
from seal_tracker.replaying import FOREVER_MS, readable
from seal_tracker.store.journey_rows import JourneyRow
from seal_tracker.store.records import EpisodeRow, Portion
from seal_tracker.tracking.epochs import Facts
from seal_tracker.tracking.order import effective_time_ms
from seal_tracker.tracking.state import SealStates

__all__ = [
    "MINERALS",
    "Balance",
    "FactCases",
    "FactStore",
    "View",
    "as_found",
    "near_ms",
    "newest_ms",
]

MOST_PINGS = 10_000
"""Of one seal between a checkpoint and five minutes after a moment: there are some hundreds."""

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
    async def lines_before(self, space: str, journeys: Iterable[str]) -> dict[str, int]: ...  # noqa: D102
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
class Balance:
    """What changes of licences' balances, what was used of each before each journey, and whose quotas may be judged otherwise."""

    lines: list[Line] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    used_before: dict[str, int] = field(default_factory=dict)
    moved: set[str] = field(default_factory=set)


class FactCases:
    """Gathers for one space. See the module."""

    def __init__(self, space: str, store: FactStore) -> None:
        self._space = space
        self._store = store

    async def of_keys(
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

    async def balance(
        self,
        view: View,
        names: Collection[str],
        journeys: Sequence[Journey],
        facts: Mapping[str, Sequence[EquipmentFact]],
    ) -> Balance:
        """What changes of the licences' balances, and what was used of their quotas before each journey.

        All lines of a licence are read only where one has changed; else the database adds up what was before.
        """
        now = {j.id: line for j in journeys if (line := line_of(j, facts[j.id])) is not None}
        was = {line.journey: line for line in await self._store.lines_of(self._space, journeys=names)}
        if not now and not was:
            return Balance()
        different = {n for n in names if now.get(n) != was.get(n)}
        quotas = {line.licence: _least_quota(view, line.licence) for line in (*now.values(), *was.values())}
        changed = {one.licence for n in different for one in (now.get(n), was.get(n)) if one is not None}
        changed = {licence for licence in changed if quotas[licence] is not None}
        same = [n for n, one in now.items() if quotas[one.licence] is not None and one.licence not in changed]
        known = {line.journey: line for line in await self._store.lines_of(self._space, licences=changed)}
        then = {n: line for n, line in known.items() if n not in names or n in now} | now
        before, after = by_licence(known.values()), by_licence(then.values())
        out = Balance(
            lines=[now[n] for n in sorted(different) if n in now],
            gone=[n for n in sorted(different) if n not in now],
        )
        for licence in changed:
            mine, least = after.get(licence, []), quotas[licence]
            out.used_before |= used_before(mine)
            out.moved |= over_quota(before.get(licence, []), least) | over_quota(mine, least)
        if same:
            out.used_before |= await self._store.lines_before(self._space, same)
        return out

    async def neighbours(self, out: Prepared) -> set[str]:
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
                for s in await self.stops_beside([stop], out)
                if beside_each_other(stop, s, NEAR_M, 0)
            }
        return found

    async def stops_beside(self, stops: Sequence[Episode], out: Prepared) -> list[Episode]:
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

    async def journeys(
        self, view: View, names: Collection[str], changed: Mapping[str, Journey | None]
    ) -> list[Journey]:
        """These journeys as they are judged from now on; those never armed, or withdrawn, are left out."""
        held = {name: view.held[name] for name in names if name in view.held} | {
            name: journey for name, journey in changed.items() if name in names
        }
        rows = await self._store.journeys_named(self._space, [n for n in names if n not in held])
        found = [*held.values(), *(as_judged(read_record(row.body)) for row in rows.values())]
        return sorted((j for j in found if j is not None), key=lambda j: j.id)

    async def facts(
        self,
        view: View,
        journeys: Sequence[Journey],
        new: Sequence[EquipmentFact],
        changed: Mapping[str, Journey | None],
    ) -> dict[str, list[EquipmentFact]]:
        """The facts of each journey, new ones among them; those found by plate are the journey's that they are nearest to."""
        found: dict[str, list[EquipmentFact]] = {j.id: [] for j in journeys}
        spans = [(key, *near_ms(j)) for j in journeys for key in keys_of(j)]
        stored = {fact.id: fact for fact in await self._store.facts_of(self._space, found, spans)}
        facts = [f for f in (stored | {fact.id: fact for fact in new}).values() if not f.void]
        since: dict[str, int] = {}
        for fact in facts:
            for key in fact.keys if fact.journey is None else ():
                since[key] = min(fact.at_ms - NEAR_MS, since.get(key, fact.at_ms))
        others = await self.of_keys(view, since, changed)
        for fact in sorted(facts, key=lambda f: (f.at_ms, f.id)):
            name = attached(fact, [*others, *journeys], direction_of(fact))
            if name in found:
                found[name].append(fact)
        return found

    async def heard(self, view: View, journeys: Sequence[Journey], new: PingBatch) -> dict[int, int]:
        """How far the tracks of journeys' leads, by number, have come with the new pings.

        Of a device whose state is not in memory (on doubt it is forgotten, and loaded when it is judged next) the store says so.
        """
        leads = {s.device for j in journeys for s in j.served if s.leads}
        devices = sorted(view.numbers[name] for name in leads if name in view.numbers)
        known = view.states.take(np.array(devices, np.int64))["track"]["last_ms"].tolist() if devices else []
        heard = dict(zip(devices, known, strict=True))
        unknown = [device for device, at in heard.items() if at == NO_TIME]
        if unknown:
            stored = await self._store.newest_checkpoints(unknown)
            after = [stored[d][0] if d in stored else NO_TIME for d in unknown]
            portion = await self._store.pings_portion(unknown, after, [FOREVER_MS] * len(unknown), MOST_PINGS)
            heard |= {d: max(at, newest_ms(portion.pings, d)) for d, at in zip(unknown, after, strict=True)}
        return {device: max(at, newest_ms(new, device)) for device, at in heard.items()}

    async def places(
        self,
        view: View,
        journeys: Sequence[Journey],
        facts: Mapping[str, Sequence[EquipmentFact]],
        new: PingBatch,
        heard: Mapping[int, int],
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
                if heard[device] < at:
                    _wait_for(waits, j.id, device, at)
                else:
                    wanted.append((j.id, device, at))
                    asked.setdefault(device, set()).add(at)
        found = await self._read_places(asked, new)
        for name, device, at in wanted:
            places.setdefault(name, {})[at], is_settled = found[device, at]
            if not is_settled and heard[device] < at + AROUND_MS:
                _wait_for(waits, name, device, heard[device] + 1)
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


def _least_quota(view: View, name: str) -> Licence | None:
    """The licence in the version that allows least: who is over the quota by any is over that."""
    versions = [one for v in view.facts.versions if (one := v.plan.licences.get(name)) is not None]
    limited = [one for one in versions if one.quota_kg is not None]
    return min(limited, key=lambda one: one.quota_kg or 0, default=None)


def near_ms(journey: Journey) -> tuple[int, int]:
    """Within which time facts may belong to a journey."""
    end = journey.disarmed_at_ms
    return journey.armed_at_ms - NEAR_MS, (1 << 42) if end is None else end + NEAR_MS


def newest_ms(pings: PingBatch, device: int) -> int:
    """When a device's newest ping of some counts; before all times where it has none."""
    mine = effective_time_ms(pings)[pings.seal == device]
    return int(mine.max()) if len(mine) else NO_TIME


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


def as_found(stored: Iterable[Episode], out: Prepared) -> dict[str, list[Episode]]:
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
