"""One space's judging: which pings are new, which are late, what they change. Reads the store; writes nothing.

    pings ─ not stored yet? ─┬─ on time ── judge ─────────────────────────────────┐
                             └─ late ──── checkpoint, pings since ── rejudge ─────┴─ Prepared ─ (commit) ─ install

State: the judging state of every seal loaded, the last revision of each open episode, the plan's versions, and which
seals were heard since time was last judged. `prepare` loads seals not met before and changes no other's state;
`Prepared.install` does, after the commit succeeded. One task at a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

import numpy as np
import structlog
from numpy.typing import NDArray

from seal_tracker.companion_space import ACROSS, Beside
from seal_tracker.facts.model import EquipmentFact
from seal_tracker.facts.settling import Noted, Settled, settled
from seal_tracker.in_force import InForce
from seal_tracker.journey import Diversion, Journey
from seal_tracker.judge import Verdict, due_seals, judge, judge_now, late
from seal_tracker.model import NO_TIME, Episode, PingBatch
from seal_tracker.plans.folder import empty_plan
from seal_tracker.plans.model import Equipment, Plan
from seal_tracker.prepared import Prepared
from seal_tracker.rejudge import Rejudged, Span, advanced_by_time, standing
from seal_tracker.replaying import FOREVER_MS, Replay, ReplayStore, nows_that_were, pings_between
from seal_tracker.rules.across_facts import ACROSS_FACTS
from seal_tracker.rules.context import Terrain
from seal_tracker.space_journeys import SpaceJourneys, SpaceJourneysStore
from seal_tracker.store.records import Checkpoint, EpisodeRow, KnownPings
from seal_tracker.tracking.epochs import Facts, Version
from seal_tracker.tracking.heartbeats import Heartbeats, device_name
from seal_tracker.tracking.order import effective_time_ms, fresh
from seal_tracker.tracking.terrains import terrain_of
from seal_tracker.tracking.validity import heartbeats_in_force, with_routes_in_force

__all__ = ["CHECKPOINT_EVERY", "Prepared", "SpaceJudge", "SpaceStore"]

log = structlog.get_logger(__name__)

CHECKPOINT_EVERY = 64
"""Pings of a seal between two checkpoints: a late ping costs judging at most so many more than came after it."""

LOAD_AT_ONCE = 2_000
"""Seals read from the store together at a start; bounds memory, not time."""


class SpaceStore(ReplayStore, SpaceJourneysStore, Protocol):
    """What judging reads."""

    async def seal_names(self, space: str) -> dict[int, str]: ...  # noqa: D102
    async def seals_unclocked(self, space: str) -> dict[int, int]: ...  # noqa: D102
    async def known_pings(self, seal: NDArray[np.int32], time_ms: NDArray[np.int64]) -> KnownPings: ...  # noqa: D102
    async def pings_after(self, seals: Sequence[int], after_ms: Sequence[int]) -> PingBatch: ...  # noqa: D102
    async def unsettled_episodes(  # noqa: D102
        self, seals: Sequence[int], after_ms: Sequence[int]
    ) -> list[EpisodeRow]: ...
    async def revisions(self, ids: Iterable[UUID]) -> dict[UUID, int]: ...  # noqa: D102


class SpaceJudge(SpaceJourneys[SpaceStore]):
    """The judging of one space. See the module."""

    def __init__(self, space: str, store: SpaceStore) -> None:
        super().__init__(space, store)
        self.versions: tuple[Version, ...] = ()
        self._judged_by: tuple[Version, ...] = ()
        self._heartbeats: Mapping[int, Heartbeats] = {}
        self.equipment: Mapping[str, Equipment] = {}
        self._revisions: dict[UUID, int] = {}
        self._heard: set[int] = set()
        self._unclocked: dict[int, int] = {}

    @property
    def plan(self) -> Plan | None:
        """The newest version of the plan; None where none was ever imported."""
        newest = self.versions[-1].plan if self.versions else None
        return newest if newest is not None and newest.version else None

    async def open(self, plans: Sequence[tuple[int, Plan]], journeys: InForce | None = None) -> Prepared:
        """Take the plan's versions, (in force from, plan) ascending, and load every seal known.

        ``journeys``: those that may still be judged; None: those of the newest plan, all of them. What loading finds to
        differ from the store (it should find nothing) is in the result, to be committed.
        """
        self.names = await self._store.seal_names(self.space)
        self.numbers = {name: number for number, name in self.names.items()}
        self._unclocked = await self._store.seals_unclocked(self.space)
        await self.use_plans(plans, journeys)
        prepared = Prepared()
        numbers = sorted(self.names)
        for i in range(0, len(numbers), LOAD_AT_ONCE):
            await self._load(numbers[i : i + LOAD_AT_ONCE], prepared)
        await self._find_revisions(prepared)
        return prepared

    async def use_plans(
        self,
        plans: Sequence[tuple[int, Plan]],
        journeys: InForce | None = None,
        terrains: Mapping[int, Terrain] | None = None,
    ) -> None:
        """Judge by these versions from now on, by an empty plan where there is none; journeys given once are kept.

        ``terrains``: those of versions that were made already; the others are made in a thread, for that takes a while.
        """
        plans = plans or [(NO_TIME, empty_plan())]
        known = {v.plan.version: v for v in self.versions}
        versions = []
        for at, plan in plans:
            if (version := known.get(plan.version)) is None:
                terrain = terrains.get(plan.version) if terrains else None
                if terrain is None:
                    terrain = await asyncio.to_thread(terrain_of, plan)
                version = Version(at, plan, terrain)
            versions.append(version)
        self.versions = tuple(versions)
        self._are_kept |= journeys is not None
        if journeys is None:
            journeys = self._in_force if self._are_kept else InForce(plans[-1][1].journeys)
        await self.know({device_name(e.id) for v in self.versions for e in v.plan.equipment})
        await self._build(journeys, journeys.journeys.values())
        self._in_force = journeys
        self.states.look_again()
        self._judged_by = with_routes_in_force(self.versions)
        self._heartbeats = heartbeats_in_force(self.versions, self._judged_by, self.numbers)
        self.equipment = {e.id: e for e in self.versions[-1].plan.equipment}

    def facts(self, now_ms: int | None = None) -> Facts:
        """What pings are judged by."""
        return Facts(
            self.space,
            self._judged_by,
            self._in_force.table,
            self.names,
            self.now_ms if now_ms is None else now_ms,
            self._heartbeats,
        )

    async def prepare(self, arrived: PingBatch, facts: Sequence[EquipmentFact] = ()) -> Prepared:
        """Find what pings, numbered by this space, and new facts of equipment would change."""
        out = Prepared()
        first = fresh(arrived)
        out.counts["duplicates"] += int((~first).sum())
        pings = arrived if first.all() else arrived.take(first)
        await self._load_missing(np.unique(pings.seal), out)
        await self._reach_back(pings)
        tardy = late(self.states, pings)
        asked = tardy | self._may_be_again(pings)
        if asked.any():
            pings, tardy = await self._without_stored(pings, asked, tardy, out)
        self._heard.update(np.unique(pings.seal).tolist())
        again = np.isin(pings.seal, pings.seal[tardy]) if tardy.any() else tardy
        out.pings = pings
        if not again.all():
            self._onward(pings.take(~again) if again.any() else pings, out)
        if again.any():
            late_pings = pings.take(again)
            seals, row = np.unique(late_pings.seal, return_inverse=True)
            since = np.full(len(seals), np.iinfo(np.int64).max)
            np.minimum.at(since, row, effective_time_ms(late_pings))
            newest = np.full(len(seals), NO_TIME)
            np.maximum.at(newest, row, effective_time_ms(late_pings))
            spans = map(Span, since.tolist(), newest.tolist())
            await self._again(dict(zip(seals.tolist(), spans, strict=True)), late_pings, out)
        out.counts["late"] += int(tardy.sum())
        self._join(await self._companions.prepare(self.facts(), pings, self.states), out)
        behind = (
            {self.names[seal] for seal in np.unique(pings.seal[tardy]).tolist()} if tardy.any() else set()
        )
        await self._across_facts.prepare(self.view(), pings, facts, behind, out)
        await self._find_revisions(out)
        return out

    async def settle(self, noted: Sequence[Noted]) -> Settled:
        """Hold new facts of equipment against those of their ids that are stored."""
        known = await self._store.facts_named(self.space, [one.fact.id for one in noted])
        return settled(self.space, noted, {fact.id: fact for fact in known})

    async def pass_time(self, now_ms: int, *, all_seals: bool = False) -> Prepared:
        """Find what the passing of time changes, for seals not heard since the last look (``all_seals``: for all).

        A seal that is emptying its buffer is not silent, though the pings it sends are old.
        """
        self.now_ms = now_ms if self.now_ms is None else max(now_ms, self.now_ms)
        out = Prepared()
        seals = due_seals(self.states, self.facts())
        await self._load_missing(seals, out)
        if not all_seals and self._heard:
            seals = seals[~np.isin(seals, np.fromiter(self._heard, np.int64, len(self._heard)))]
        if len(seals):
            self._take(judge_now(self.states, self.facts(), seals), out)
        self._join(await self._companions.pass_time(self.facts()), out)
        await self._across_facts.pass_time(self.view(), out)
        await self._find_revisions(out)
        self._let_go()
        self._heard.clear()  # last: where the store is away, the same moment is judged again
        return out

    async def rejudge_since(
        self,
        changed: Mapping[str, Span],
        diverted: Mapping[str, Sequence[Diversion]] | None = None,
        journeys: Sequence[tuple[Journey | None, Journey | None]] = (),
    ) -> Prepared:
        """Judge seals, by name, again where facts about them have changed.

        ``diverted`` has new diversions by journey; ``journeys``, (before, after), are others than before.
        """
        out = Prepared(diverted=diverted or {})
        spans = {self.numbers[seal]: span for seal, span in changed.items() if seal in self.numbers}
        judged = self.states.through_ms(np.fromiter(spans, np.int64, len(spans))) != NO_TIME
        judged_before = {
            seal: spans[seal] for seal, known in zip(spans, judged.tolist(), strict=True) if known
        }
        if judged_before:
            await self._again(judged_before, PingBatch.empty(), out)
        since_ms = {seal: span.from_ms for seal, span in changed.items()}
        self._join(await self._companions.again(self.facts(), since_ms), out)
        await self._across_facts.again(self.view(), changed.keys(), journeys, out)
        await self._find_revisions(out)
        return out

    async def states_before(self, seals: Sequence[int], end_ms: int) -> list[Checkpoint]:
        """What each seal's pings before a moment have led to, for when they go; seals that had none are left out."""
        replay = await Replay(self._store, seals).start([end_ms] * len(seals))
        await self._reach(replay.after_ms)
        found = await replay.states_before(self.facts(), end_ms)
        return [Checkpoint(seal, at, state.dump()) for seal, at, state in found]

    def judged_past(self, at_ms: int) -> dict[str, Span]:
        """Seals that have been judged beyond a moment: a version that holds from then on judges the rest again."""
        rows = self.states.all_rows()["track"]
        past = np.maximum(rows["through_ms"], rows["last_ms"]) >= at_ms
        return {self.names[seal]: Span(at_ms, None) for seal in self.states.seals()[past].tolist()}

    def forget(self, seals: Iterable[int]) -> None:
        """On any doubt: load these seals anew when they, or time, are judged next."""
        seals = list(seals)
        self.states.forget(seals)
        self._loaded.difference_update(seals)
        self._companions.forget(seals)
        self._across_facts.forget()

    def committed(self, out: Prepared, episodes: Iterable[tuple[Episode, int, bool]]) -> None:
        """Install what was prepared, now that it is stored; remember the revisions of what is open."""
        out.install()
        for episode, revision, retracted in episodes:
            if episode.settled_ms is None and not retracted:
                self._revisions[episode.episode] = revision
            else:
                self._revisions.pop(episode.episode, None)

    def _onward(self, pings: PingBatch, out: Prepared) -> None:
        """Judge pings later than anything before."""
        verdict = judge(self.states, pings, self.facts())
        n_before = self.states.take(verdict.seals)["track"]["n"]
        self._take(verdict, out)
        due = np.flatnonzero(verdict.rows["track"]["n"] // CHECKPOINT_EVERY > n_before // CHECKPOINT_EVERY)
        for i in due.tolist():
            seal = int(verdict.seals[i])
            state = verdict.state(i, self.states)
            out.checkpoints.append(Checkpoint(seal, int(verdict.rows["track"]["last_ms"][i]), state.dump()))

    def _take(self, verdict: Verdict, out: Prepared) -> None:
        before = {e.episode: e for s in verdict.open for e in self.states.open.get(s, {}).values()}
        out.before = before | out.before
        out.after |= before | verdict.touched
        out.counts.update(verdict.counts)
        out.seals.update(verdict.seals.tolist())
        out.installs.append(lambda: verdict.install(self.states))

    def _join(self, beside: Beside, out: Prepared) -> None:
        """Add what the second stage found."""
        out.before |= beside.before
        out.after |= beside.after
        out.late_before_ms = beside.late_before_ms | out.late_before_ms
        out.seals |= beside.devices
        out.installs.append(lambda: self._companions.install(beside))

    def _may_be_again(self, pings: PingBatch) -> NDArray[np.bool_]:
        """Which pings may be stored though they are no older than what was judged.

        One without a believable clock counts at its arrival, and that is another when the broker sends it again: it may be believed by then.
        """
        wrong = ~pings.clock_ok
        for i in np.flatnonzero(wrong).tolist():
            seal, claimed_ms = int(pings.seal[i]), int(pings.time_ms[i])
            self._unclocked[seal] = max(claimed_ms, self._unclocked.get(seal, NO_TIME))
        if not self._unclocked:
            return wrong
        newest = np.array([self._unclocked.get(seal, NO_TIME) for seal in pings.seal.tolist()], np.int64)
        again: NDArray[np.bool_] = wrong | (pings.time_ms <= newest)
        return again

    async def _without_stored(
        self, pings: PingBatch, asked: NDArray[np.bool_], tardy: NDArray[np.bool_], out: Prepared
    ) -> tuple[PingBatch, NDArray[np.bool_]]:
        """Leave out what the store has already, of those ``asked`` about."""
        at = np.flatnonzero(asked)
        stored = await self._store.known_pings(pings.seal[at], pings.time_ms[at])
        known = set(zip(stored.seal.tolist(), stored.time_ms.tolist(), stored.digest.tolist(), strict=True))
        keys = zip(
            pings.seal[at].tolist(), pings.time_ms[at].tolist(), pings.digest[at].tolist(), strict=True
        )
        drop = at[np.array([key in known for key in keys], bool)]
        out.counts["duplicates"] += len(drop)
        keep = np.ones(len(pings), bool)
        keep[drop] = False
        return pings.take(keep), tardy[keep]

    async def _again(self, spans: Mapping[int, Span], new: PingBatch, out: Prepared) -> None:
        """Judge seals again where facts about them changed, and on until nothing differs, with ``new`` pings among it."""
        seals = list(spans)
        rows = self.states.take(np.array(seals, np.int64))
        last = rows["track"]["last_ms"].tolist()
        moved = advanced_by_time(rows).tolist()
        out.late_before_ms |= {self.names[s]: at for s, at in zip(seals, last, strict=True)}
        replay = await Replay(self._store, seals).start([span.from_ms for span in spans.values()])
        await self._reach(replay.after_ms)
        out.counts["too_late"] += replay.too_late(new)
        before = await self._unsettled(replay)
        done = await replay.run(
            self.facts(),
            new,
            still={s: at for s, at, by_time in zip(seals, last, moved, strict=True) if by_time},
            may_stop_ms={s: span.to_ms for s, span in spans.items() if span.to_ms is not None},
            until_ms=self._reached(before) if self.now_ms is None else None,
        )
        self._add(replay, done, before, out)
        out.drop_checkpoints += [
            (seal, span.from_ms, done.stands.get(seal, FOREVER_MS)) for seal, span in spans.items()
        ]
        out.checkpoints += [Checkpoint(seal, at, state.dump()) for seal, at, state in done.checkpoints]
        out.counts["rejudged_seals"] += len(seals)
        out.counts["rejudged_pings"] += done.counts["rejudged_pings"]
        out.counts.update(done.discards)

    async def _load_missing(self, seals: NDArray[np.integer[Any]], out: Prepared) -> None:
        """Bring those into memory that were never met, or forgotten; what that finds to differ is in ``out``."""
        missing = [seal for seal in seals.tolist() if seal not in self._loaded]
        if missing:
            await self._load(missing, out)
            out.install()
            out.installs.clear()

    async def _load(self, seals: list[int], out: Prepared) -> None:
        """Bring seals into memory: the newest checkpoint and what came after it.

        What that took many pings for is a checkpoint now: a version that cannot read the states of another judges all
        pings again once, not at every start.
        """
        loading = Prepared()
        replay = await Replay(self._store, seals).start()
        await self._reach(replay.after_ms)
        before = await self._unsettled(replay)
        done = await replay.run(
            self.facts(),
            PingBatch.empty(),
            still=None,
            may_stop_ms={},
            until_ms=self._reached(before),
            newest_only=True,
        )
        self._add(replay, done, before, loading)
        changes = loading.changes()
        if changes:
            log.warning("judging.reload_differs", space=self.space, changes=len(changes))
        out.before |= loading.before
        out.after |= loading.after
        out.revisions |= loading.revisions
        out.seals |= loading.seals
        out.installs += loading.installs
        out.checkpoints += [
            Checkpoint(seal, at, state.dump())
            for seal, at, state in done.checkpoints
            if pings_between(replay.states.get(seal), state) >= CHECKPOINT_EVERY
        ]
        self._revisions |= {
            k: v
            for k, v in loading.revisions.items()
            if loading.after.get(k) and loading.after[k].settled_ms is None
        }

    def _reached(self, rows: Iterable[EpisodeRow]) -> dict[int, int]:
        """By seal, how far its stored episodes show the clock to have come."""
        return {self.numbers[seal]: at for seal, at in nows_that_were(row.episode for row in rows).items()}

    async def _unsettled(self, replay: Replay) -> list[EpisodeRow]:
        """The stored episodes that judging again can change; not those whose beginning nobody can judge any more."""
        rows = await self._store.unsettled_episodes(list(replay.after_ms), list(replay.after_ms.values()))
        gone_ms = {self.names[seal]: at for seal, at in replay.gone_ms.items()}
        return [
            row
            for row in rows
            if row.episode.type not in ACROSS | ACROSS_FACTS
            and row.episode.started_at_ms > gone_ms.get(row.episode.seal, NO_TIME)
        ]

    def _add(self, replay: Replay, done: Rejudged, before: Sequence[EpisodeRow], out: Prepared) -> None:
        """Add what judging again has found to what is to be committed."""
        stands = {self.names[seal]: at for seal, at in done.stands.items()}
        rows = [row for row in before if not standing(row.episode, stands.get(row.episode.seal))]
        out.before |= {row.episode.episode: row.episode for row in rows}
        out.after |= done.episodes
        out.revisions |= {row.episode.episode: row.revision for row in rows}
        out.seals.update(replay.seals)
        ended = [seal for seal in replay.seals if seal not in done.stands]
        out.installs.append(lambda: self._installed(ended, done))

    def _installed(self, seals: list[int], done: Rejudged) -> None:
        self.states.forget(seals)
        done.install(self.states)
        self._loaded.update(seals)

    async def _find_revisions(self, out: Prepared) -> None:
        """Every episode's last revision: of open ones from memory, of others from the store."""
        known, concerned = self._revisions, out.before | out.after
        out.revisions |= {key: known[key] for key in concerned if key in known and key not in out.revisions}
        unknown = [key for key in concerned if key not in out.revisions]
        if unknown:
            out.revisions |= await self._store.revisions(unknown)
