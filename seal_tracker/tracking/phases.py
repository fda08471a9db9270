"""A journey's dated facts as a sequence of phases: stretches of event time judged by one route, in one manner. Pure.

A diversion, the two ends of a suspension and an officer's reset each begin a phase; most journeys have one. What happens
on entering a phase (episodes that end, runs that start empty) is done where it is entered, see ``judge``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

from seal_tracker.journey import Journey, Served

__all__ = ["FOREVER_MS", "Manner", "Phase", "one_at_a_time", "phases_of"]

FOREVER_MS = (1 << 42) - 1
"""Year 2109: the end of a journey that nobody has ended; also what a time must stay below to be packed beside a row."""


class Manner(IntEnum):
    """Which rules judge a seal on a journey."""

    WHOLE = 0
    SUSPENDED = 1
    """All but those of route, stops and times."""
    SECONDARY = 2
    """Those of the seal itself: the journey's track is that of its lead."""
    ESCORT = 3
    """Those that say whether a tracker is heard of and knows where it is: it seals nothing, but the permit asks for it."""
    COMPANION = 4
    """The same of a tractor's, a trailer's or another escort's: what it is compared with is heard of, and seals the cargo."""

    @property
    def leads(self) -> bool:
        """Whether the journey's track is this one's."""
        return self <= Manner.SUSPENDED


@dataclass(frozen=True, slots=True)
class Phase:
    """[from_ms, to_ms) of a journey, for its lead or (``secondary``) another of its seals.

    ``stretch_ms`` is since when the same route has been judged in the same manner: resets do not begin a stretch.
    ``resets`` are the (rule, object) of the latched episodes that end at ``from_ms``. ``escorts``: it is of a tracker that
    seals nothing, and is ``secondary`` too; ``asked_for``: the journey may not go on without it.
    """

    from_ms: int
    to_ms: int
    stretch_ms: int
    route: str | None
    suspended: bool
    resets: tuple[tuple[str, str | None], ...] = ()
    secondary: bool = False
    escorts: bool = False
    asked_for: bool = True

    @property
    def manner(self) -> Manner:
        """Which rules judge it."""
        if self.escorts:
            return Manner.ESCORT if self.asked_for else Manner.COMPANION
        if self.secondary:
            return Manner.SECONDARY
        return Manner.SUSPENDED if self.suspended else Manner.WHOLE


def phases_of(journey: Journey, seal: Served) -> tuple[Phase, ...]:
    """The phases of a journey, in order, while it had this seal; facts outside of that do nothing."""
    begin, end, secondary = seal.from_ms, _end(seal.to_ms), not seal.leads
    whole = Phase(
        begin,
        end,
        begin,
        journey.route,
        suspended=False,
        secondary=secondary,
        escorts=secondary and seal.role != "seal",
        asked_for=journey.asks_for(seal),
    )
    if not (journey.diversions or journey.suspensions or journey.resets):
        return (whole,)
    dated = [d.at_ms for d in journey.diversions] + [r.at_ms for r in journey.resets]
    dated += [at for s in journey.suspensions for at in (s.from_ms, _end(s.to_ms))]
    cuts = sorted({begin, *(at for at in dated if begin < at < end)})
    phases: list[Phase] = []
    for at, until in zip(cuts, [*cuts[1:], end], strict=True):
        route, suspended = _route_at(journey, at), _is_suspended(journey, at)
        goes_on = phases and (phases[-1].route, phases[-1].suspended) == (route, suspended)
        resets = tuple(sorted({(r.rule, r.object) for r in journey.resets if r.at_ms == at}, key=str))
        stretch = phases[-1].stretch_ms if goes_on else at
        if resets or not goes_on:
            phases.append(
                replace(
                    whole,
                    from_ms=at,
                    to_ms=until,
                    stretch_ms=stretch,
                    route=route,
                    suspended=suspended,
                    resets=resets,
                )
            )
        else:
            last = phases[-1]
            phases[-1] = replace(last, to_ms=until)
    return tuple(phases)


def one_at_a_time(served: Iterable[tuple[Served, Journey]]) -> list[tuple[Served, Journey]]:
    """Who serves on which journey when, so that no device is on two at once, as an escort of several vehicles may be told to be.

    Its own journey as a seal goes before, then those whose permits ask for it, then the one that began first: that of the
    others is judged when it is over.
    """
    found: list[tuple[Served, Journey]] = []
    escorts: list[tuple[Served, Journey]] = []
    for seal, journey in served:
        (found if seal.leads or seal.role == "seal" else escorts).append((seal, journey))
    if not escorts:
        return found
    taken: dict[str, list[tuple[int, int]]] = {}
    for seal, _ in found:
        taken.setdefault(seal.device, []).append((seal.from_ms, _end(seal.to_ms)))
    for seal, journey in sorted(escorts, key=_sooner):
        mine = taken.setdefault(seal.device, [])
        for begin, end in list(_free(seal.from_ms, _end(seal.to_ms), sorted(mine))):
            mine.append((begin, end))
            found.append((seal._replace(from_ms=begin, to_ms=end), journey))
    return found


def _sooner(of: tuple[Served, Journey]) -> tuple[bool, int, str]:
    served, journey = of
    return not journey.asks_for(served), served.from_ms, journey.id


def _free(begin: int, end: int, taken: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The parts of [begin, end) that none of some stretches, in order, takes."""
    for other_begin, other_end in taken:
        if begin < min(other_begin, end):
            yield begin, min(other_begin, end)
        begin = max(begin, other_end)
    if begin < end:
        yield begin, end


def _end(at_ms: int | None) -> int:
    return FOREVER_MS if at_ms is None else at_ms


def _route_at(journey: Journey, at_ms: int) -> str | None:
    """The newest diversion's route; of two of one moment, the one that sorts last."""
    orders = [d for d in journey.diversions if d.at_ms <= at_ms]
    newest = max(orders, key=lambda d: (d.at_ms, d.route or "", d.by, d.reason or ""), default=None)
    return journey.route if newest is None else newest.route


def _is_suspended(journey: Journey, at_ms: int) -> bool:
    return any(s.from_ms <= at_ms < _end(s.to_ms) for s in journey.suspensions)
