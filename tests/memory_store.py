"""A store kept in memory: what a space's judging reads and a pipeline commits, no more. For laws that need many runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import numpy as np

from seal_tracker.facts.balance import Line, by_licence, used_before
from seal_tracker.facts.gates import ENTERED, REACHED
from seal_tracker.facts.model import READING, EquipmentFact, keys_of
from seal_tracker.journey import Journey
from seal_tracker.journey_record import record_of, written
from seal_tracker.model import NO_TIME, DeadLetter, Episode, Event, PingBatch
from seal_tracker.store.alarm_reads import Alike, Around, Asked
from seal_tracker.store.records import AlarmRow, Commit, EpisodeRow, KnownPings, OutboxMessage, Portion
from seal_tracker.tracking.order import effective_time_ms
from seal_tracker.ways import Way

__all__ = ["MemoryStore"]


PASSES = frozenset({REACHED, ENTERED})


class MemoryStore:
    """Everything committed; reading gives what a database would."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self.pings = PingBatch.empty()
        self.rows: dict[UUID, EpisodeRow] = {}
        self.states: dict[tuple[int, int], bytes] = {}
        self.alarms: dict[UUID, AlarmRow] = {}
        self.events: list[Event] = []
        self.counts: Counter[str] = Counter()
        self.outbox: list[OutboxMessage] = []
        self.facts: dict[UUID, EquipmentFact] = {}
        self.lines: dict[str, Line] = {}
        self.dead_letters: list[DeadLetter] = []
        self.journeys: list[Journey] = []

    @property
    def episodes(self) -> list[Episode]:
        """Stored episodes that were not retracted."""
        return [row.episode for row in self.rows.values() if not row.retracted]

    async def intern_seals(self, _space: str, names: Iterable[str]) -> dict[str, int]:
        return {name: self.numbers.setdefault(name, len(self.numbers) + 1) for name in sorted(names)}

    async def seal_names(self, _space: str) -> dict[int, str]:
        return {number: name for name, number in self.numbers.items()}

    async def seals_unclocked(self, _space: str) -> dict[int, int]:
        wrong = self.pings.take(~self.pings.clock_ok)
        pairs = sorted(zip(wrong.seal.tolist(), wrong.time_ms.tolist(), strict=True))
        return dict(pairs)

    async def known_pings(self, seal: Any, time_ms: Any) -> KnownPings:
        asked = set(zip(seal.tolist(), time_ms.tolist(), strict=True))
        stored = zip(self.pings.seal.tolist(), self.pings.time_ms.tolist(), strict=True)
        known = self.pings.take(np.array([key in asked for key in stored], bool))
        return KnownPings(known.seal, known.time_ms, known.digest)

    async def pings_after(self, seals: Sequence[int], after_ms: Sequence[int]) -> PingBatch:
        after = dict(zip(seals, after_ms, strict=True))
        limit = np.array([after.get(s, np.iinfo(np.int64).max) for s in self.pings.seal.tolist()], np.int64)
        return self.pings.take(effective_time_ms(self.pings) > limit)

    async def newest_checkpoints(
        self, seals: Sequence[int], before_ms: Sequence[int] | None = None
    ) -> dict[int, tuple[int, bytes]]:
        before = [np.iinfo(np.int64).max] * len(seals) if before_ms is None else before_ms
        found = {}
        for seal, limit in zip(seals, before, strict=True):
            at = max((t for s, t in self.states if s == seal and t < limit), default=NO_TIME)
            if at != NO_TIME:
                found[seal] = (at, self.states[seal, at])
        return found

    async def pings_gone(self, _seals: Sequence[int]) -> dict[int, int]:
        return {}  # none ever goes

    async def pings_portion(
        self, seals: Sequence[int], after_ms: Sequence[int], until_ms: Sequence[int], most: int
    ) -> Portion:
        through, kept = [], np.zeros(len(self.pings), bool)
        at = effective_time_ms(self.pings)
        for seal, after, until in zip(seals, after_ms, until_ms, strict=True):
            mine = (self.pings.seal == seal) & (at > after) & (at <= until)
            times = np.sort(at[mine])
            through.append(int(times[most - 1]) if len(times) > most else until)
            kept |= mine & (at <= through[-1])
        return Portion(self.pings.take(kept), through)

    async def checkpoints_ahead(
        self, seals: Sequence[int], after_ms: Sequence[int], ahead: int
    ) -> dict[int, tuple[int, bytes]]:
        found = {}
        for seal, after in zip(seals, after_ms, strict=True):
            times = sorted(t for s, t in self.states if s == seal and t > after)[:ahead]
            if times:
                found[seal] = (times[-1], self.states[seal, times[-1]])
        return found

    async def unsettled_episodes(self, seals: Sequence[int], after_ms: Sequence[int]) -> list[EpisodeRow]:
        after = dict(zip(seals, after_ms, strict=True))
        return [
            row
            for row in self.rows.values()
            if not row.retracted
            and (number := self.numbers[row.episode.seal]) in after
            and (row.episode.settled_ms is None or row.episode.settled_ms > after[number])
        ]

    async def facts_named(self, _space: str, ids: Iterable[UUID]) -> list[EquipmentFact]:
        return [self.facts[key] for key in ids if key in self.facts]

    async def facts_of(
        self, _space: str, journeys: Iterable[str], keys: Sequence[tuple[str, int, int]]
    ) -> list[EquipmentFact]:
        names = set(journeys)
        return [
            f
            for f in self.facts.values()
            if not f.void
            and (
                f.journey in names
                if f.journey is not None
                else any(key in f.keys and a <= f.at_ms <= b for key, a, b in keys)
            )
        ]

    async def facts_since(
        self, _space: str, kinds: Iterable[str], after_ms: int
    ) -> tuple[set[str], set[str]]:
        its = [f for f in self.facts.values() if f.kind in set(kinds) and f.at_ms > after_ms and not f.void]
        keys = {key for f in its if f.journey is None for key in f.keys}
        return {f.journey for f in its if f.journey is not None}, keys

    async def readings_at(self, _space: str, spans: Sequence[tuple[str, int, int]]) -> list[EquipmentFact]:
        return [
            f
            for f in self.facts.values()
            if f.kind == READING
            and not f.void
            and any(f.equipment == name and a <= f.at_ms <= b for name, a, b in spans)
        ]

    async def journeys_at_gates(self, _space: str, spans: Sequence[tuple[str, int, int]]) -> set[str]:
        passed = [
            row.episode for row in self.rows.values() if not row.retracted and row.episode.type in PASSES
        ]
        return {
            e.journey
            for e in passed
            if e.journey is not None
            and any(
                e.object == zone and e.started_at_ms <= b and (e.ended_at_ms is None or e.ended_at_ms >= a)
                for zone, a, b in spans
            )
        }

    async def offline_times(
        self, _space: str, from_ms: int, to_ms: int, equipment: Collection[str]
    ) -> dict[str, list[tuple[int, int | None]]]:
        found: dict[str, list[tuple[int, int | None]]] = {}
        for e in (row.episode for row in self.rows.values() if not row.retracted):
            is_asked = e.type == "EQUIPMENT_OFFLINE" and e.object is None and e.subject in equipment
            if is_asked and e.started_at_ms < to_ms and (e.ended_at_ms is None or e.ended_at_ms > from_ms):
                found.setdefault(e.subject, []).append((e.started_at_ms, e.ended_at_ms))
        return found

    async def maintenance_times(
        self, _space: str, _from_ms: int, _to_ms: int, _equipment: Collection[str]
    ) -> dict[str, list[tuple[int, int]]]:
        return {}  # nobody gives orders here

    async def episodes_of_types(
        self, _space: str, journeys: Iterable[str], types: Iterable[str]
    ) -> list[EpisodeRow]:
        names, wanted = set(journeys), set(types)
        return [
            row
            for row in self.rows.values()
            if not row.retracted and row.episode.journey in names and row.episode.type in wanted
        ]

    async def lines_of(
        self, _space: str, *, journeys: Iterable[str] = (), licences: Iterable[str] = ()
    ) -> list[Line]:
        names, under = set(journeys), set(licences)
        return [line for line in self.lines.values() if line.journey in names or line.licence in under]

    async def lines_before(self, _space: str, journeys: Iterable[str]) -> dict[str, int]:
        found: dict[str, int] = {}
        for of in by_licence(self.lines.values()).values():
            found |= used_before(of)
        return {name: found[name] for name in journeys}

    async def stops_of_minerals(self, _space: str, from_ms: int, to_ms: int) -> list[Episode]:
        return [
            e
            for e in self.episodes
            if (e.type, e.regime) == ("STOP_UNPLANNED", "minerals")
            and e.started_at_ms <= to_ms
            and (e.ended_at_ms is None or e.ended_at_ms >= from_ms)
        ]

    async def journeys_named(self, _space: str, _ids: Iterable[str]) -> dict[str, Any]:
        return {}  # all are held

    async def journeys_of_devices(self, _space: str, after_ms: Mapping[str, int]) -> list[str]:
        return [
            written(record_of(j)).decode()
            for j in self.journeys
            if any(
                (j.disarmed_at_ms is None or j.disarmed_at_ms > at) and device in keys_of(j)
                for device, at in after_ms.items()
            )
        ]

    async def revisions(self, ids: Iterable[UUID]) -> dict[UUID, int]:
        return {key: self.rows[key].revision for key in ids if key in self.rows}

    async def alarms_around(self, _space: str, asked: Asked) -> Around:
        episodes, ids, alike = set(asked.episodes), set(asked.first_ids), set(asked.alike)
        around = Around([], [], [])
        for a in self.alarms.values():
            if episodes.intersection(a.episodes) or a.id in ids:
                around.concerned.append(a)
            if a.state != "closed" and Alike(a.subject, a.type, a.object) in alike:
                around.alike.append(a)
            after, before = asked.windows.get(a.type, (1, 0))
            if a.begins and after <= a.raised_at_ms <= before:
                around.beginnings.append(a)
        return around

    async def ways(self, _space: str) -> dict[str, Way]:
        return {}

    async def suppressions_standing(self, _space: str, _from_ms: int, _to_ms: int) -> list[Any]:
        return []

    async def alarms_timed(self, _space: str, now_ms: int, limit: int) -> list[AlarmRow]:
        due = [a for a in self.alarms.values() if a.timer_ms is not None and a.timer_ms <= now_ms]
        return sorted(due, key=lambda a: (a.timer_ms, a.id))[:limit]

    async def absent_officers(self, _at_ms: int) -> frozenset[str]:
        return frozenset()

    async def episodes_of_ids(self, episodes: Iterable[UUID]) -> dict[UUID, EpisodeRow]:
        return {key: self.rows[key] for key in episodes if key in self.rows}

    async def commit(self, commit: Commit) -> list[int]:
        if commit.pings is not None:
            self.pings = PingBatch.concat([self.pings, commit.pings])
        self.rows |= {row[0].episode: EpisodeRow(*row) for row in commit.episodes}
        self.events += commit.events
        self.counts.update(commit.counts)
        self.outbox += commit.outbox
        self.facts |= {fact.id: fact for fact in commit.facts}
        self.lines |= {line.journey: line for line in commit.lines}
        for gone in commit.lines_gone:
            del self.lines[gone]
        self.dead_letters += commit.dead_letters
        assert len({event.id for event in self.events}) == len(self.events), "an event was told twice"
        dropped = [
            key
            for key in self.states
            if any(key[0] == s and from_ms <= key[1] < to_ms for s, from_ms, to_ms in commit.drop_checkpoints)
        ]
        for key in dropped:
            del self.states[key]
        self.states |= {(seal, at): state for seal, at, state in commit.checkpoints}
        self.alarms |= {alarm.id: alarm for alarm in commit.alarms}
        return list(range(len(commit.outbox)))
