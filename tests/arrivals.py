"""A service without broker and database: pings, facts and canaries as they arrive, judged and committed as the service does.

The space's judging and the pipeline's committing are the real ones; only the store is kept in memory (`MemoryStore`). Its
coroutines never wait, so that they are done as soon as they are run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from dataclasses import replace
from typing import Any, TypeVar, cast
from unittest.mock import patch

import msgspec
import numpy as np
from memory_store import MemoryStore
from numpy.typing import NDArray
from story import T0_MS, Core

from seal_tracker import space
from seal_tracker.alarms.of_episodes import alarming
from seal_tracker.alarms.states import CLOSED
from seal_tracker.changes import fold
from seal_tracker.journey import Journey
from seal_tracker.judge import judge_now, moved_by_time
from seal_tracker.model import LIVE, NO_TIME, Event, PingBatch
from seal_tracker.pipeline import Pipeline
from seal_tracker.planning import changed_journeys, new_diversions, spans_of_both
from seal_tracker.space import SpaceJudge
from seal_tracker.tracking.epochs import Version

T = TypeVar("T")

CHECKPOINT_EVERY = 3
"""Few, so that a dozen late pings meet every case: before the first checkpoint, between two, after the last."""

LOOKED_OVER_EVERY = 3
"""Of the canaries, by their second: to look at every seal again costs more than the canary itself."""

LOOP = asyncio.new_event_loop()
"""One for all: what is run waits for nothing but for parts of its own that are run beside each other."""


def run(work: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine."""
    return LOOP.run_until_complete(work)


class Service:
    """A service that knows the facts of ``core``, or (``journeys``, ``versions``) fewer of them yet."""

    def __init__(
        self,
        core: Core,
        journeys: Sequence[Journey] | None = None,
        versions: Sequence[Version] | None = None,
    ) -> None:
        self.core = core
        self.store = MemoryStore()
        self.store.numbers = dict(core.numbers)
        self._journeys = tuple(core.journeys if journeys is None else journeys)
        self._versions = tuple(core.versions if versions is None else versions)
        self.restart()

    @property
    def events(self) -> list[Event]:
        """All that was told, in order."""
        return self.store.events

    def restart(self) -> None:
        """Forget everything that is not in the store, and start."""
        self.judging = SpaceJudge(LIVE, cast("Any", self.store))
        self._pipeline = Pipeline(
            cast("Any", None), cast("Any", self.store), {LIVE: self.judging}, lambda _done: None,
            tenant="demo", instance="test", next_sequence=len(self.events) + 1, clock_ms=lambda: T0_MS,
        )  # fmt: skip
        self.judging.versions = self._versions  # made once, for plans are the dearest part of a test
        loaded = run(self.judging.open(self._plans()))
        run(self._pipeline.commit_prepared(LIVE, loaded))

    def feed(self, arrived: PingBatch) -> None:
        """Take a batch as it arrives."""
        with patch.object(space, "CHECKPOINT_EVERY", CHECKPOINT_EVERY):
            run(self._pipeline.commit_prepared(LIVE, run(self.judging.prepare(arrived))))

    def tick(self, now_s: float, *, all_seals: bool = True) -> None:
        """Hear the canary; whom it was not asked about, to them it has brought nothing."""
        talking = np.array([] if all_seals else sorted(self.judging._heard), np.int64)
        found = run(self.judging.pass_time(T0_MS + round(now_s * 1000), all_seals=all_seals))
        for part in found.parts(1):
            run(self._pipeline.commit_prepared(LIVE, part))
        if round(now_s) % LOOKED_OVER_EVERY == 0:
            self._none_is_overlooked(now_s, talking)

    def _none_is_overlooked(self, now_s: float, talking: NDArray[np.int64]) -> None:
        """Time has brought nothing to a seal that was not looked at."""
        facts = self.judging.facts()
        silent = np.setdiff1d(moved_by_time(self.judging.states, facts), talking)
        again, known = judge_now(self.judging.states, facts, silent).touched, self.store.rows
        overlooked = [e for key, e in again.items() if key not in known or known[key].episode != e]
        assert not overlooked, f"overlooked at {now_s}: {overlooked}"

    def learn(self, journeys: Sequence[Journey], versions: Sequence[Version]) -> None:
        """Be told facts: journeys as they are known now, and versions of the plan, those before among them."""
        before, known = self._journeys, len(self._versions)
        self._journeys, self._versions = tuple(journeys), tuple(versions)
        if len(versions) == known:
            self._change(before)
            return
        self.judging.versions = self._versions
        run(self.judging.use_plans(self._plans()))
        changed = changed_journeys(before, self._journeys)
        for version in self._versions[known:]:
            changed = spans_of_both(changed, self.judging.judged_past(version.from_ms))
        found = run(self.judging.rejudge_since(changed, new_diversions(before, self._journeys)))
        run(self._pipeline.commit_prepared(LIVE, found))

    def _change(self, before: Sequence[Journey]) -> None:
        """As an order of a person does."""
        was, now = ({j.id: j for j in journeys} for journeys in (before, self._journeys))
        pairs = [(was.get(name), now.get(name)) for name in {**was, **now}]
        differing = [(a, b) for a, b in pairs if a != b]
        if differing:
            found = run(self.judging.change_journeys(differing))
            run(self._pipeline.commit_prepared(LIVE, found))

    def lines(self) -> bytes:
        """The episodes file."""
        self.core.episodes = {e.episode: e for e in self.store.episodes}
        return self.core.lines()

    def discarded(self, names: Iterable[str]) -> dict[str, int]:
        """What was counted by some names."""
        return {name: self.store.counts[name] for name in names}

    def folded(self) -> bool:
        """Whether the events, folded in order, give the stored episodes."""
        kept = {
            e.episode: msgspec.structs.replace(e, changed_ms=0, settled_ms=None) for e in self.store.episodes
        }
        return fold(self.events) == kept

    def alarms_fit(self) -> bool:
        """Whether each episode that needs a person has one alarm that is not closed, and no other episode has any."""
        open_ = sorted(
            str(e) for row in self.store.alarms.values() if row.state != CLOSED for e in row.episodes
        )
        return open_ == sorted(str(e.episode) for e in self.store.episodes if alarming(e))

    def _plans(self) -> list[tuple[int, Any]]:
        plans = [(v.from_ms if i else NO_TIME, v.plan) for i, v in enumerate(self._versions)]
        newest = plans[-1][1]
        return [*plans[:-1], (plans[-1][0], replace(newest, journeys=self._journeys))]
