"""The core as the service drives it when pings arrive late: forward where it can, else again from a checkpoint.

Everything is kept in memory: all pings as stored, the episodes, their events, and a checkpoint every few pings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

import msgspec
import numpy as np
from story import T0_MS, Core

from seal_tracker.changes import difference, fold, number
from seal_tracker.judge import judge, judge_now, late
from seal_tracker.model import NO_TIME, Episode, Event, PingBatch
from seal_tracker.rejudge import advanced_by_time, rejudge
from seal_tracker.tracking.order import effective_time_ms, fresh
from seal_tracker.tracking.state import SealState

CHECKPOINT_EVERY = 3
"""Few, so that a dozen late pings meet every case: before the first checkpoint, between two, after the last."""


def identities(pings: PingBatch) -> list[tuple[int, int, int]]:
    """(seal, fix time, digest) of each ping."""
    return list(zip(pings.seal.tolist(), pings.time_ms.tolist(), pings.digest.tolist(), strict=True))


@dataclass
class Service:
    """A service without its shell; ``now_s`` is the newest canary heard."""

    core: Core
    now_s: float | None = None
    pings: PingBatch = field(default_factory=PingBatch.empty)
    known: set[tuple[int, int, int]] = field(default_factory=set)
    checkpoints: list[tuple[int, int, bytes]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    stored: dict[UUID, Episode] = field(default_factory=dict)
    revisions: dict[UUID, int] = field(default_factory=dict)

    def feed(self, arrived: PingBatch) -> None:
        """Take a batch as it arrives: duplicates dropped, on-time pings judged, late ones with what came after them."""
        arrived = arrived.take(fresh(arrived))
        new = arrived.take(np.array([key not in self.known for key in identities(arrived)], bool))
        if not len(new):
            return
        again = np.unique(new.seal[late(self.core.states, new)])
        onward = new.take(~np.isin(new.seal, again))
        self.pings = PingBatch.concat([self.pings, new])
        self.known.update(identities(new))
        if len(onward):
            self._onward(onward)
        for seal in again.tolist():
            self._again(seal, int(effective_time_ms(new)[new.seal == seal].min()))

    def tick(self, now_s: float) -> None:
        """Hear the canary."""
        self.now_s = now_s
        before = {e.episode: e for per in self.core.states.open.values() for e in per.values()}
        verdict = judge_now(self.core.states, self.core.facts(self._now_ms()))
        verdict.install(self.core.states)
        self._commit(before, before | verdict.touched)

    def lines(self) -> bytes:
        """The episodes file."""
        self.core.episodes = self.stored
        return self.core.lines()

    def folded(self) -> bool:
        """Whether the events, folded in order, give the stored episodes."""
        kept = {k: msgspec.structs.replace(e, changed_ms=0, settled_ms=None) for k, e in self.stored.items()}
        return fold(self.events) == kept

    def _now_ms(self) -> int | None:
        return None if self.now_s is None else T0_MS + round(self.now_s * 1000)

    def _onward(self, pings: PingBatch) -> None:
        seals = np.unique(pings.seal).tolist()
        before = {e.episode: e for s in seals for e in self.core.states.open.get(s, {}).values()}
        verdict = judge(self.core.states, pings, self.core.facts(self._now_ms()))
        n_before = self.core.states.take(verdict.seals)["track"]["n"]
        verdict.install(self.core.states)
        self._commit(before, before | verdict.touched)
        due = verdict.rows["track"]["n"] // CHECKPOINT_EVERY > n_before // CHECKPOINT_EVERY
        for seal, row in zip(verdict.seals[due].tolist(), verdict.rows[due], strict=True):
            self._checkpoint(seal, int(row["track"]["last_ms"]), self.core.states.one(seal))

    def _checkpoint(self, seal: int, at_ms: int, state: SealState) -> None:
        self.checkpoints.append((seal, at_ms, state.dump()))

    def _again(self, seal: int, since_ms: int) -> None:
        self.checkpoints = [c for c in self.checkpoints if c[0] != seal or c[1] < since_ms]
        mine = [c for c in self.checkpoints if c[0] == seal]
        _, at, state = max(mine, key=lambda c: c[1], default=(seal, NO_TIME, None))
        pings = self.pings.take((self.pings.seal == seal) & (effective_time_ms(self.pings) > at))
        name = next(n for n, s in self.core.numbers.items() if s == seal)
        mine_since = [e for e in self.stored.values() if e.seal == name and _unsettled(e, at)]
        rows = self.core.states.take(np.array([seal]))
        moved = {seal: int(rows["track"]["last_ms"][0])} if advanced_by_time(rows)[0] else {}
        from_ = {} if state is None else {seal: SealState.load(state)}
        done = rejudge(from_, pings, self.core.facts(self._now_ms()), seals=[seal], time_passed=moved)
        self._commit({e.episode: e for e in mine_since}, done.episodes)
        done.install(self.core.states)
        for one, (newest_ms, reached) in done.checkpoints.items():
            self._checkpoint(one, newest_ms, reached)

    def _commit(self, before: Mapping[UUID, Episode], after: Mapping[UUID, Episode]) -> None:
        numbered = number(
            difference(before, after), before, after, self.revisions, space="live",
            next_sequence=len(self.events) + 1, recorded_ms=0, late_before_ms={},
        )  # fmt: skip
        self.events += numbered.events
        for episode, revision, retracted in numbered.episodes:
            self.revisions[episode.episode] = revision
            self.stored.pop(episode.episode, None)
            if not retracted:
                self.stored[episode.episode] = episode


def _unsettled(episode: Episode, at_ms: int) -> bool:
    return episode.settled_ms is None or episode.settled_ms > at_ms
