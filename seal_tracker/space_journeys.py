"""What a space's judging knows of its journeys: which are in force, who their seals are, and what changes when they do.

State: the seals' names and numbers, the journeys held (see ``in_force``), and what is common to all of the judging. Reads the
store; writes nothing but numbers of seals.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Generic, Protocol, TypeVar

import numpy as np

from seal_tracker.companion_space import CompanionSpace, CompanionStore
from seal_tracker.fact_cases import FactStore, View
from seal_tracker.fact_space import FactSpace
from seal_tracker.in_force import HELD_MS, InForce, judged_of
from seal_tracker.journey import Diversion, Journey
from seal_tracker.model import NO_TIME, PingBatch
from seal_tracker.planning import changed_journeys, new_diversions
from seal_tracker.prepared import Prepared
from seal_tracker.rejudge import Span
from seal_tracker.tracking.epochs import Facts, JourneyTable
from seal_tracker.tracking.order import effective_time_ms
from seal_tracker.tracking.state import SealStates

__all__ = ["SpaceJourneys", "SpaceJourneysStore"]


class SpaceJourneysStore(CompanionStore, FactStore, Protocol):
    """What is read here."""

    async def intern_seals(self, space: str, names: Iterable[str]) -> dict[str, int]: ...  # noqa: D102
    async def journeys_of_devices(self, space: str, after_ms: Mapping[str, int]) -> list[str]: ...  # noqa: D102


StoreT = TypeVar("StoreT", bound=SpaceJourneysStore)


class SpaceJourneys(Generic[StoreT]):
    """The journeys of one space. See the module."""

    def __init__(self, space: str, store: StoreT) -> None:
        self.space = space
        self.states = SealStates()
        self.names: dict[int, str] = {}
        self.numbers: dict[str, int] = {}
        self.now_ms: int | None = None
        self._store = store
        self._in_force = InForce()
        self._are_kept = False
        self._loaded: set[int] = set()
        self._companions = CompanionSpace(store)
        self._across_facts = FactSpace(space, store)

    @property
    def journeys(self) -> JourneyTable:
        """Armed intervals, by the newest facts."""
        return self._in_force.table

    def journey(self, journey: str) -> Journey | None:
        """A journey that is held in memory, as it is judged."""
        return self._in_force.journeys.get(journey)

    async def know(self, seals: Iterable[str]) -> None:
        """Give numbers to seals not met before."""
        new = {name for name in seals if name not in self.numbers}
        if new:
            found = await self._store.intern_seals(self.space, new)
            self.numbers |= found
            self.names |= {number: name for name, number in found.items()}
            # New to the store too, whose every seal `open` knows: nothing to load.
            self._loaded.update(found.values())

    async def _build(self, in_force: InForce, new: Iterable[Journey]) -> None:
        await self.know({served.device for journey in new for served in journey.served})
        in_force.build(self.numbers)

    async def change_journeys(self, changes: Sequence[tuple[Journey | None, Journey | None]]) -> Prepared:
        """Find what it changes that journeys, (as judged before, as from now on), are others; None: not judged.

        They are taken over when what was found has been committed.
        """
        before, after = (tuple(j for j in side if j is not None) for side in zip(*changes, strict=True))
        was = self._in_force
        then = was.changed({j.id: None for j in before} | {j.id: j for j in after})
        await self._build(then, after)
        self._in_force = then
        try:
            found = await self.rejudge_since(
                changed_journeys(before, after), new_diversions(before, after), changes
            )
        finally:
            self._in_force = was
        seals = {
            self.numbers[s.device] for j in (*before, *after) for s in j.served if s.device in self.numbers
        }
        found.installs.append(lambda: self._use(then, seals))
        return found

    def _use(self, journeys: InForce, seals: Iterable[int]) -> None:
        self._in_force = journeys
        self.states.look_again(np.fromiter(seals, np.int64))

    async def _reach(self, after_ms: Mapping[int, int]) -> None:
        """Read the journeys that seals, by number, are judged by from before what is held."""
        short = self._in_force.short_of({self.names[seal]: at for seal, at in after_ms.items()})
        if short:
            found = judged_of(await self._store.journeys_of_devices(self.space, short))
            self._in_force.extend(found, short)
            await self._build(self._in_force, found)

    async def _reach_back(self, pings: PingBatch) -> None:
        """The same for pings from before what is held, by the oldest of each seal."""
        at_ms, held_from_ms = effective_time_ms(pings), self._in_force.held_from_ms
        old = np.flatnonzero(at_ms < held_from_ms)
        if len(old):
            newest_first = old[np.argsort(-at_ms[old])]
            await self._reach(
                dict(zip(pings.seal[newest_first].tolist(), (at_ms[newest_first] - 1).tolist(), strict=True))
            )

    def _let_go(self) -> None:
        """Once a day: hold journeys no longer that have ended days ago, and that no seal's state is on."""
        held = self._in_force
        if (
            held.held_from_ms == NO_TIME
            or self.now_ms is None
            or self.now_ms < held.held_from_ms + 1.5 * HELD_MS
        ):
            return
        horizon_ms = self.now_ms - HELD_MS
        on = np.isin(held.table.key, self.states.all_rows()["track"]["journey"])
        still = {held.table.journeys[i].id for i in np.flatnonzero(on).tolist()}
        over = held.over_by(horizon_ms) - still
        self._in_force = InForce([j for j in held.journeys.values() if j.id not in over], horizon_ms)
        self._in_force.build(self.numbers)
        self._companions.let_go(self.facts())
        self._across_facts.let_go(self._in_force.journeys.keys())

    @abstractmethod
    def facts(self, now_ms: int | None = None) -> Facts:
        """What pings are judged by."""

    @abstractmethod
    async def rejudge_since(
        self,
        changed: Mapping[str, Span],
        diverted: Mapping[str, Sequence[Diversion]] | None = None,
        journeys: Sequence[tuple[Journey | None, Journey | None]] = (),
    ) -> Prepared:
        """Judge seals, by name, again where facts about them have changed; ``journeys`` (before, after) are others than before."""

    def view(self) -> View:
        """What facts of equipment are held against."""
        held = self._in_force
        return View(self.facts(), held.journeys, held.held_from_ms, self.numbers, self.states)
