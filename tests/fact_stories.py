"""Stories of facts of equipment: what was weighed and read beside the pings, judged all at once and as a service hears of it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import msgspec
from memory_store import MemoryStore
from story import T0_MS, Core, Ground, Ping, batch, iso

from seal_tracker.changes import fold
from seal_tracker.episodes_file import episode_line, in_file_order
from seal_tracker.facts.catalog import FACT_READERS
from seal_tracker.facts.history import fact_episodes
from seal_tracker.facts.settling import Noted, settled
from seal_tracker.model import LIVE, NO_TIME, Episode
from seal_tracker.pipeline import Pipeline
from seal_tracker.plans.model import Plan
from seal_tracker.rules.across_facts import ACROSS_FACTS
from seal_tracker.space import SpaceJudge
from seal_tracker.tracking.order import fresh

__all__ = ["Happens", "Service", "reading", "told", "weighing"]


@dataclass(frozen=True)
class Happens:
    """What a piece of equipment sends on one leaf."""

    equipment: str
    leaf: str
    payload: Mapping[str, Any]

    def noted(self, plan: Plan) -> Noted:
        """It as the service takes it in."""
        one = next(e for e in plan.equipment if e.id == self.equipment)
        fact = FACT_READERS[self.leaf](msgspec.json.encode(self.payload), one, NO_TIME, False)
        return Noted(fact, f"eseal/v1/demo/equip/{self.equipment}/{self.leaf}")


def weighing(at_s: float, direction: str, net_kg: int, *, by: str = "WB-1", **more: Any) -> Happens:
    """A weighing of journey J-S1, if nothing else is said; its id is the moment."""
    whose = {} if "plate" in more else {"journey": "J-S1"}
    said = {"id": f"T-{at_s:g}", "time": iso(at_s), "direction": direction, "net_kg": net_kg}
    return Happens(by, "weighing", said | whose | more)


def reading(at_s: float, by: str = "CAM-1", **read: Any) -> Happens:
    """A reading of a gate; its id is the moment."""
    return Happens(by, "reading", {"id": f"R-{at_s:g}", "time": iso(at_s), **read})


def at_once(plan: Plan, pings: Sequence[Ping], facts: Sequence[Happens], now_s: float) -> list[Episode]:
    """What all of it comes to, judged at once."""
    core = Core(plan)
    core.tell(pings, now_s)
    by = core.facts(T0_MS + round(now_s * 1000))
    stand = settled(LIVE, [one.noted(plan) for one in facts], {}).facts
    heard = batch(pings, core.numbers)
    heard = heard.take(fresh(heard))
    return in_file_order(fact_episodes(by, plan.journeys, stand, heard, core.episodes.values()).values())


@dataclass
class Service:
    """A space's judging and committing over a store in memory; it may be started again."""

    plan: Plan
    store: MemoryStore = field(default_factory=MemoryStore)

    async def start(self) -> None:
        self.store.journeys = list(self.plan.journeys)
        self.judging = SpaceJudge(LIVE, self.store)
        self.pipeline = Pipeline(
            cast("Any", None), self.store, {LIVE: self.judging}, lambda _done: None,
            tenant="demo", instance="test", next_sequence=len(self.store.events) + 1, clock_ms=lambda: T0_MS,
        )  # fmt: skip
        await self.pipeline.commit_prepared(LIVE, await self.judging.open([(NO_TIME, self.plan)]))

    async def hear(self, pings: Sequence[Ping], facts: Iterable[Happens] = ()) -> None:
        """One batch, as the pipeline takes it."""
        await self.judging.know({p.get("of", "S1") for p in pings})
        noted = await self.judging.settle([one.noted(self.plan) for one in facts])
        prepared = await self.judging.prepare(batch(pings, self.judging.numbers), noted.facts)
        prepared.dead_letters = noted.beaten
        prepared.counts.update(noted.counts)
        await self.pipeline.commit_prepared(LIVE, prepared)

    async def pass_time(self, now_s: float) -> None:
        now_ms = T0_MS + round(now_s * 1000)
        await self.pipeline.commit_prepared(LIVE, await self.judging.pass_time(now_ms))

    def across(self) -> list[Episode]:
        """What is stored of the rules across facts."""
        return in_file_order(e for e in self.store.episodes if e.type in ACROSS_FACTS)


def in_order(pings: Sequence[Ping], facts: Sequence[Happens]) -> list[tuple[list[Ping], list[Happens]]]:
    """Every ping and every fact by itself, in the order of time."""
    both: list[tuple[str, list[Ping], list[Happens]]] = [(p["time"], [p], []) for p in pings]
    both += [(one.payload["time"], [], [one]) for one in facts]
    return [(p, f) for _, p, f in sorted(both, key=lambda one: one[0])]


def at_random(
    pings: Sequence[Ping], facts: Sequence[Happens], seed: int
) -> list[tuple[list[Ping], list[Happens]]]:
    """Batches in no order, some of it twice."""
    chance = random.Random(seed)
    steps = in_order(pings, facts)
    steps += chance.sample(steps, len(steps) // 3)
    chance.shuffle(steps)
    size = chance.randint(1, 4)
    parts = [steps[i : i + size] for i in range(0, len(steps), size)]
    return [([p for ps, _ in part for p in ps], [f for _, fs in part for f in fs]) for part in parts]


async def live(
    plan: Plan, steps: Sequence[tuple[list[Ping], list[Happens]]], now_s: float, restart_every: int = 0
) -> Service:
    """A service that heard all of it, and then that it is ``now_s``."""
    service = Service(plan)
    await service.start()
    for i, (pings, facts) in enumerate(steps):
        await service.hear(pings, facts)
        if restart_every and i % restart_every == restart_every - 1:
            if i // restart_every % 2:
                service.judging.forget(list(service.judging.names))
            else:
                await service.start()
    await service.pass_time(now_s)
    return service


def text(episodes: Iterable[Episode]) -> str:
    return b"".join(episode_line(e) for e in in_file_order(episodes)).decode()


def told(
    ground: Ground,
    pings: Sequence[Ping],
    facts: Sequence[Happens],
    now_s: float = 100_000,
    run: Callable[[Awaitable[Service]], Service] = lambda one: asyncio.run(cast("Any", one)),
) -> list[Episode]:
    """Episodes of a story; the same all at once, as it comes, and in no order with restarts, and folded from its events."""
    plan = ground.plan()
    episodes = at_once(plan, pings, facts, now_s)
    for steps, restart_every in ((in_order(pings, facts), 0), (at_random(pings, facts, 7), 3)):
        service = run(live(plan, steps, now_s, restart_every))
        assert text(service.across()) == text(episodes), "as it came differs from all at once"
        folded = fold(service.store.events)
        kept = [msgspec.structs.replace(e, changed_ms=0, settled_ms=None) for e in service.store.episodes]
        assert folded == {e.episode: e for e in kept}, "the events do not give what is stored"
    return episodes
