"""What may happen to a service: in which order pings come, which facts persons tell it and when, when it is started anew.

A `Script` is one such course of events and prints as one; `scripts` draws them at random. What it must come to is what the
sorted pings give in one batch when all facts are known from the beginning.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from arrivals import Service
from hypothesis import strategies as st
from story import T0_MS, Core, Ping, batch, seconds
from wanderings import NOW_S, PLAN, SECOND, THIRD, stories

from seal_tracker.journey import Authorisation, Diversion, Journey, Reset, Suspension, Transfer
from seal_tracker.rules.catalog import RULES

__all__ = ["Script", "scripts"]

LATER = ((500, SECOND), (1200, THIRD))
"""Versions of the plan that may come; a service may learn of them long after they have begun to hold."""

COUNTED = ("clock_implausible", "fix_outlier")
"""What late pings may show to have been otherwise."""

LATCHED = ("SEAL_TAMPER", "TRANSIT_LIMIT")
WAITS_S = (-1, 0, 0.001, 10, 60, 600, 600.001, 1200, 3900, 3900.001, 5000)
"""After a ping, what it may be later: limits of silence among them, to the ms."""

MOMENTS_S = (0, 30, 90, 150, 240, 300, 420, 500, 700, 1000, 1300)
"""Few, and those of pings among them: so that facts meet pings, and each other."""


@dataclass(frozen=True)
class Fact:
    """Something that somebody tells of a journey; ``order`` None: when it was disarmed, or (no ``at_s``) that there is one."""

    journey: str
    order: Diversion | Suspension | Authorisation | Reset | Transfer | None = None
    at_s: float | None = None

    def told(self, journey: Journey) -> Journey:
        """The journey with this fact known."""
        match self.order:
            case None:
                return journey if self.at_s is None else replace(journey, disarmed_at_ms=_ms(self.at_s))
            case Diversion():
                return replace(journey, diversions=(*journey.diversions, self.order))
            case Suspension():
                return replace(journey, suspensions=(*journey.suspensions, self.order))
            case Authorisation():
                return replace(journey, authorisations=(*journey.authorisations, self.order))
            case Reset():
                return replace(journey, resets=(*journey.resets, self.order))
            case Transfer():
                return replace(journey, transfers=(*journey.transfers, self.order))

    def __str__(self) -> str:
        order = self.order
        match order:
            case None:
                return (
                    f"{self.journey} is armed"
                    if self.at_s is None
                    else f"{self.journey} ends at {self.at_s:g}"
                )
            case Diversion():
                return f"{self.journey} follows {order.route} from {seconds(order.at_ms):g}"
            case Suspension():
                return f"{self.journey} is suspended {_span(order.from_ms, order.to_ms)}"
            case Authorisation():
                return f"{self.journey} may be unlocked {_span(order.from_ms, order.to_ms)}"
            case Reset():
                return f"{order.rule} of {self.journey} is reset at {seconds(order.at_ms):g}"
            case Transfer():
                return f"{self.journey} is told by {order.to} from {seconds(order.at_ms):g}"


@dataclass(frozen=True)
class Step:
    """A batch of pings comes (by their places in the script), facts are told, the canary is heard, or the service starts anew."""

    pings: tuple[int, ...] = ()
    facts: tuple[Fact, ...] = ()
    versions: int | None = None
    now_s: float | None = None
    restart: bool = False
    for_all: bool = False
    """Whether the canary is heard of seals that are talking as well, as it is in an exercise."""


@dataclass(frozen=True)
class Script:
    """Pings, what is known from the beginning (``versions`` of the plan among it), and what happens step by step."""

    pings: tuple[Ping, ...]
    known: tuple[Fact, ...] = ()
    versions: int = 1
    steps: tuple[Step, ...] = field(default=())
    end_s: float = NOW_S

    def outcome(self) -> tuple[bytes, dict[str, int]]:
        """The episodes of the sorted pings in one batch, every fact known, at the end of time; and what was discarded."""
        versions = max([self.versions, *(s.versions or 1 for s in self.steps)])
        core = Core(PLAN, LATER[: versions - 1], journeys=_journeys(self._facts(len(self.steps))))
        counts = core.feed(batch(self.pings, core.numbers))
        core.pass_time(self.end_s)
        return core.lines(), {name: counts.get(name, 0) for name in COUNTED}

    def played(self) -> Service:
        """A service to which all this has happened."""
        core = Core(PLAN, LATER)
        versions = self.versions
        service = Service(core, _journeys(self._facts(0)), core.versions[:versions])
        for n, step in enumerate(self.steps, start=1):
            if step.facts or step.versions is not None:
                versions = versions if step.versions is None else step.versions
                service.learn(_journeys(self._facts(n)), core.versions[:versions])
            if step.restart:
                service.restart()
            if step.pings:
                service.feed(batch([self.pings[i] for i in step.pings], core.numbers))
            if step.now_s is not None:
                service.tick(step.now_s, all_seals=step.for_all)
        for _ in range(2):  # who was talking at the first canary is judged at the second
            service.tick(self.end_s, all_seals=False)
        return service

    def _facts(self, n: int) -> list[Fact]:
        return [*self.known, *(f for step in self.steps[:n] for f in step.facts)]

    def __repr__(self) -> str:
        lines = [f"known: plan version {self.versions}", *(f"known: {fact}" for fact in self.known)]
        lines += [f"ping {i}: {_said(p)}" for i, p in enumerate(self.pings)]
        for n, step in enumerate(self.steps, start=1):
            lines += [f"{n}. told: {fact}" for fact in step.facts]
            lines += [f"{n}. told: plan version {step.versions}"] if step.versions is not None else []
            lines += [f"{n}. started anew"] if step.restart else []
            lines += [f"{n}. arrive: {', '.join(map(str, step.pings))}"] if step.pings else []
            whom = ", for all" if step.for_all else ""
            lines += [f"{n}. it is {step.now_s:g}{whom}"] if step.now_s is not None else []
        lines += [f"in the end it is {self.end_s:g}"]
        return "a script:\n  " + "\n  ".join(lines)

    def _repr_pretty_(self, printer: Any, _cycle: object) -> None:
        """Hypothesis would else print fields."""
        printer.text(repr(self))


def _journeys(facts: Sequence[Fact]) -> tuple[Journey, ...]:
    """The plan's journeys as they are known: J-again only once somebody has said that it is armed."""
    armed = {f.journey for f in facts if f.order is None and f.at_s is None}
    known = {j.id: j for j in PLAN.journeys if j.id != "J-again" or j.id in armed}
    for fact in facts:
        if fact.journey in known:
            known[fact.journey] = fact.told(known[fact.journey])
    return tuple(known.values())


def _ms(moment_s: float) -> int:
    return T0_MS + round(moment_s * 1000)


def _span(from_ms: int, to_ms: int | None) -> str:
    return f"from {seconds(from_ms):g}" + ("" if to_ms is None else f" to {seconds(to_ms):g}")


def _said(ping: Ping) -> str:
    at = f"{ping.get('of', 'S1')} at {ping['time'][11:19]}"
    place = f" {ping['lon']:.5f} {ping['lat']:.5f}" if "lon" in ping else " nowhere"
    more = {k: v for k, v in ping.items() if k not in ("time", "lon", "lat", "of")}
    return f"{at}{place}{f' {more}' if more else ''}"


@st.composite
def scripts(draw: st.DrawFn) -> Script:
    """A story, how its pings come, what is told on the way, and what time it is when."""
    pings = draw(stories(12))
    batches = _cut(draw, _arrival(draw, len(pings)))
    facts = draw(st.lists(_facts(), max_size=3, unique_by=lambda f: (type(f.order), f.journey)))
    when = [draw(st.integers(0, len(batches))) for _ in facts]
    versions = draw(st.sampled_from([1, 1, 1, 2, 3]))
    learnt = draw(st.integers(0, len(batches))) if versions > 1 else 0
    steps: list[Step] = []
    now_s = 0.0
    for n, rows in enumerate(batches, start=1):
        told = tuple(f for f, at in zip(facts, when, strict=True) if at == n)
        extra = draw(st.integers(0, 7))
        steps.append(
            Step(
                tuple(rows),
                told,
                versions if learnt == n and versions > 1 else None,
                restart=extra in (2, 3),
            )
        )
        for _ in range(draw(st.sampled_from([0, 0, 1, 1, 2]))):
            now_s = max(now_s, draw(_moments(pings)))
            steps.append(Step(now_s=now_s, for_all=extra == 0))
    known = tuple(f for f, at in zip(facts, when, strict=True) if at == 0)
    end_s = draw(st.sampled_from([NOW_S, NOW_S, now_s]))
    return Script(tuple(pings), known, versions if learnt == 0 else 1, tuple(steps), end_s)


def _moments(pings: Sequence[Ping]) -> st.SearchStrategy[float]:
    """When it may be: at a ping, just before or after one or after what it may be silent, or any time."""
    came = sorted({_seconds(p) for p in pings})
    near = st.builds(lambda at, after: max(at + after, 0.0), st.sampled_from(came), st.sampled_from(WAITS_S))
    return st.one_of(near, near, st.integers(0, int(NOW_S)).map(float)).map(lambda s: min(s, NOW_S))


def _seconds(ping: Ping) -> float:
    """When a ping counts."""
    if "received_s" in ping:
        return float(ping["received_s"])
    return (datetime.fromisoformat(ping["time"]).timestamp() * 1000 - T0_MS) / 1000


def _arrival(draw: st.DrawFn, n: int) -> list[int]:
    """An order in which ``n`` pings come, some of them twice.

    A device that was out of reach sends what happens now newest first, and between that what it kept, oldest first.
    """
    kind = draw(st.sampled_from(["in order", "lifo live, fifo past", "any"]))
    if kind == "any":
        order = list(draw(st.permutations(range(n))))
    elif kind == "in order":
        order = list(range(n))
    else:
        kept, newest = draw(st.integers(0, n)), draw(st.integers(1, 3))
        live = [i for a in range(kept, n, newest) for i in reversed(range(a, min(a + newest, n)))]
        past = list(range(kept))
        order = [i for pair in zip(live, past, strict=False) for i in pair]
        order += live[len(past) :] + past[len(live) :]
    return order + draw(st.lists(st.integers(0, n - 1), max_size=2))


def _cut(draw: st.DrawFn, order: list[int]) -> list[list[int]]:
    cuts = sorted(draw(st.lists(st.integers(1, len(order) - 1), max_size=3, unique=True)))
    return [order[a:b] for a, b in zip([0, *cuts], [*cuts, len(order)], strict=True)]


@st.composite
def _facts(draw: st.DrawFn) -> Fact:
    journey = draw(st.sampled_from(["J-S1", "J-S1", "J-again", "J-S3"]))
    at_s, later_s = sorted((draw(st.sampled_from(MOMENTS_S)), draw(st.sampled_from(MOMENTS_S))))
    begin_s = {"J-again": 1500, "J-S3": 2000}.get(journey, 0)
    at_s, later_s = at_s + begin_s, later_s + begin_s
    a, b = _ms(at_s), _ms(later_s + 60)
    kind: Any = draw(
        st.sampled_from(["ended", "armed", "diverted", "suspended", "leave", "reset", "transferred"])
    )
    if kind == "ended":
        return Fact(journey, at_s=later_s + 100)
    if kind == "armed":
        return Fact("J-again")
    if kind == "diverted":
        return Fact(journey, Diversion(a, draw(st.sampled_from(["Q", "Q", "R"])), "an officer"))
    if kind == "suspended":
        return Fact(journey, Suspension(a, draw(st.sampled_from([b, b, None])), "an officer"))
    if kind == "leave":
        return Fact(journey, Authorisation(a, b, None, "an officer"))
    rule = draw(st.sampled_from([*LATCHED, *LATCHED, RULES[-1].name]))
    moves = kind == "transferred" and journey != "J-S3"
    return Fact(
        journey, Transfer(a, "S1", "S2", "an officer") if moves else Reset(a, rule, None, "an officer")
    )
