"""Which phase of which journey and which plan version judge a ping, and how a batch is cut so that each cut has one of each.

Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import compress
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from geofences.masks import every, some, which
from seal_tracker.journey import Journey, Served
from seal_tracker.model import NO_TIME, key_of
from seal_tracker.plans.model import Plan
from seal_tracker.rules.arrays import begins
from seal_tracker.rules.context import Terrain
from seal_tracker.rules.policy import REGIMES
from seal_tracker.rules.unheard import SILENCE_MS
from seal_tracker.tracking.heartbeats import Heartbeats
from seal_tracker.tracking.phases import FOREVER_MS, Manner, Phase, one_at_a_time, phases_of

__all__ = ["Facts", "JourneyTable", "Pass", "Version", "passes"]

T = TypeVar("T")

NEVER_MS = np.iinfo(np.int64).max
"""The end of what has none."""

MANNERS = tuple(Manner)
"""By number."""

PASS_PINGS = 512
"""Most pings of one seal in one pass: bounds what a zone stream looks at, and costs nothing at live batch sizes."""


@dataclass(frozen=True, slots=True)
class JourneyColumns:
    """Journeys as rules need them, by their position in the table; one more row at the end stands for none."""

    regime: NDArray[np.int64]
    route: NDArray[np.int64]
    armed_ms: NDArray[np.int64]
    authorised: NDArray[np.bool_]


class PhaseColumns(NamedTuple):
    """Phases by their position in the table; one more row at the end, also found at -1, stands for none.

    int64 but the last: the journey's key (0 for none), from when to when the phase holds, when its journey was armed,
    since when it has been judged by the same route in the same manner, and which that is (`Manner`), the position of its
    journey's first phase (-1 for none); bool, whether it is its journey's last.
    """

    key: NDArray[np.int64]
    from_ms: NDArray[np.int64]
    to_ms: NDArray[np.int64]
    armed_ms: NDArray[np.int64]
    stretch_ms: NDArray[np.int64]
    manner: NDArray[np.int64]
    first: NDArray[np.int64]
    is_last: NDArray[np.bool_]


@dataclass(frozen=True)
class JourneyTable:
    """Phases of all journeys of all seals, sorted by (seal, from_ms). A seal's phases do not overlap.

    ``seal`` int64[J] numbers; ``from_ms``, ``to_ms`` int64[J]; ``key`` int64[J] of the journey, for each of its seals
    another; ``journeys`` and ``phases`` in the same order, a journey as often as it has seals and phases.
    """

    seal: NDArray[np.int64]
    from_ms: NDArray[np.int64]
    to_ms: NDArray[np.int64]
    key: NDArray[np.int64]
    journeys: tuple[Journey, ...]
    phases: tuple[Phase, ...]

    @classmethod
    def build(cls, journeys: Sequence[Journey], numbers: Mapping[str, int]) -> JourneyTable:
        """``numbers`` gives the number of each journey's seals; those without one are left out."""
        return cls._of(_rows_of(((seal, j) for j in journeys for seal in j.watched), numbers), numbers)

    @classmethod
    def _of(cls, rows: Sequence[tuple[Served, Journey, Phase]], numbers: Mapping[str, int]) -> JourneyTable:
        return cls(
            seal=np.array([numbers[seal.device] for seal, _, _ in rows], np.int64),
            from_ms=np.array([phase.from_ms for _, _, phase in rows], np.int64),
            to_ms=np.array([phase.to_ms for _, _, phase in rows], np.int64),
            key=np.array([_key_of(j, seal, phase) for seal, j, phase in rows], np.int64),
            journeys=tuple(j for _, j, _ in rows),
            phases=tuple(phase for _, _, phase in rows),
        )

    def with_devices(self, of: Mapping[str, Sequence[Journey]], numbers: Mapping[str, int]) -> JourneyTable:
        """The table in which these devices are on these journeys, all that each is on; the others' phases stay as they are.

        A hundredth of the work of building it anew where a hundred thousand are under way. What was asked of the journeys that
        stay is not asked again.
        """
        seals = np.array(sorted(numbers[device] for device in of if device in numbers), np.int64)
        served = (
            (seal, j)
            for device, mine in of.items()
            for j in mine
            for seal in j.watched
            if seal.device == device
        )
        fresh = JourneyTable._of(_rows_of(served, numbers), numbers)
        kept = ~np.isin(self.seal, seals)
        places = np.searchsorted(self.seal[kept], fresh.seal)

        def column(name: str) -> NDArray[np.int64]:
            return np.insert(getattr(self, name)[kept], places, getattr(fresh, name))

        table = JourneyTable(
            seal=column("seal"),
            from_ms=column("from_ms"),
            to_ms=column("to_ms"),
            key=column("key"),
            journeys=_inserted(compress(self.journeys, kept), places, fresh.journeys),
            phases=_inserted(compress(self.phases, kept), places, fresh.phases),
        )
        table.__dict__.update({name: column(name) for name in ("_stretch_ms", "_manner")})
        names, codes = self._coded_routes
        known = {name: i for i, name in enumerate(names)}
        new_codes = [known.setdefault(phase.route, len(known)) for phase in fresh.phases]
        table.__dict__["_coded_routes"] = tuple(known), np.insert(codes[kept], places, new_codes)
        for ask, said in self._asked.items():
            new = fresh.column(ask, said[-1])
            table._asked[ask] = np.append(np.insert(said[:-1][kept], places, new[:-1]), new[-1:])
        return table

    @cached_property
    def by_key(self) -> dict[int, int]:
        """Position of each journey's first phase by its key."""
        first, key = self._ascending
        return dict(zip(key.tolist(), first.tolist(), strict=True))

    @cached_property
    def has_companions(self) -> bool:
        """Whether any phase is of a tracker that its journey could go on without."""
        return some(self._manner == Manner.COMPANION)

    @cached_property
    def _ascending(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Position of each journey's first phase, and its key, ascending in that."""
        first = which(begins(self.key))
        first = first[np.argsort(self.key[first])]
        return first, self.key[first]

    @cached_property
    def with_none(self) -> PhaseColumns:
        """Phases as columns, with one more row for none."""
        first = begins(self.key)
        last = np.append(first[1:], True)[: len(first)]
        begin = np.maximum.accumulate(np.where(first, np.arange(len(first)), 0))
        return PhaseColumns(
            key=np.append(self.key, 0),
            from_ms=np.append(self.from_ms, NO_TIME),
            to_ms=np.append(self.to_ms, NEVER_MS),
            armed_ms=np.append(self.from_ms[begin], NO_TIME),
            stretch_ms=np.append(self._stretch_ms, NO_TIME),
            manner=np.append(self._manner, np.int64(Manner.WHOLE)),
            first=np.append(begin, -1),
            is_last=np.append(last, False),
        )

    @cached_property
    def _stretch_ms(self) -> NDArray[np.int64]:
        return np.array([p.stretch_ms for p in self.phases], np.int64)

    @cached_property
    def _manner(self) -> NDArray[np.int64]:
        return np.array([p.manner for p in self.phases], np.int64)

    @cached_property
    def _coded_routes(self) -> tuple[tuple[str | None, ...], NDArray[np.int64]]:
        """The routes that phases have, and which of them each has: a few names for a hundred thousand phases."""
        known: dict[str | None, int] = {}
        codes = [known.setdefault(phase.route, len(known)) for phase in self.phases]
        return tuple(known), np.array(codes, np.int64)

    def places(self, key: NDArray[Any], phase_ms: NDArray[Any]) -> NDArray[np.int64]:
        """Position of each journey's phase that holds at a moment, -1 where the journey is not known."""
        first, ascending = self._ascending
        if not len(first):
            return np.full(len(key), -1)
        found = np.minimum(np.searchsorted(ascending, key), len(first) - 1)
        at = np.where(ascending[found] == key, first[found], -1)
        if len(first) == len(self.key):
            return at
        phases = self.with_none
        while some(on := (at >= 0) & ~phases.is_last[at] & (phases.to_ms[at] <= phase_ms)):
            at[on] += 1
        return at

    def columns(self, version: Version) -> JourneyColumns:
        """Regime, route and arming of each journey, as a plan version has them; made once for each version."""
        routes = version.plan.route_index
        made = self._columns.get(id(routes))
        if made is None or made[0] is not routes:
            names, codes = self._coded_routes
            columns = JourneyColumns(
                regime=self.column(_regime, -1),
                route=np.append(
                    np.array([routes.get(name or "", -1) for name in names], np.int64)[codes], -1
                ),
                armed_ms=self.with_none.armed_ms,
                authorised=self.column(_is_authorised, none=False),
            )
            made = self._columns[id(routes)] = (routes, columns)
        return made[1]

    def column(self, of: Callable[[Journey], Any], none: Any) -> NDArray[Any]:
        """What ``of`` says of each journey, and ``none`` in one more row at the end; asked once for each table."""
        found = self._asked.get(of)
        if found is None:
            found = self._asked[of] = self._column_of(of, none)
        return found

    def together(self, of: Callable[[Sequence[Journey]], T]) -> T:
        """What ``of`` makes of all journeys, in the order of the table; asked once for each table."""
        if of not in self._made:
            self._made[of] = of(self.journeys)
        made: T = self._made[of]
        return made

    def _column_of(self, of: Callable[[Journey], Any], none: Any) -> NDArray[Any]:
        return np.array([*(of(j) for j in self.journeys), none], np.asarray(none).dtype)

    @cached_property
    def _columns(self) -> dict[int, tuple[Mapping[str, int], JourneyColumns]]:
        return {}

    @cached_property
    def _made(self) -> dict[Callable[..., Any], Any]:
        return {}

    @cached_property
    def _asked(self) -> dict[Callable[[Journey], Any], NDArray[Any]]:
        return {}

    def at(
        self, seals: NDArray[Any], row: NDArray[np.int64], time_ms: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Position of the phase in force for each (seal row, moment), -1 where none; ``seals`` sorted, by row."""
        low, high = self._spans(seals)
        has = high > low
        if not some(has):
            return np.full(len(row), -1)
        if every(high - low <= 1):
            at, phases = low[row], self.with_none
            holds = has[row] & (phases.from_ms[at] <= time_ms) & (time_ms < phases.to_ms[at])
            return at if every(holds) else np.where(holds, at, -1)
        begun = self._begun(low, high, row, time_ms)
        at = np.maximum(low[row] + begun - 1, 0)
        return np.where((begun > 0) & (time_ms < self.to_ms[at]), at, -1)

    def following(self, seals: NDArray[Any], since_ms: NDArray[np.int64]) -> NDArray[np.int64]:
        """Position of the phase of each seal that begins next after a moment of its own, -1 where none does."""
        low, high = self._spans(seals)
        if not some(high > low):
            return np.full(len(seals), -1)
        at = low + self._begun(low, high, np.arange(len(seals)), since_ms)
        return np.where(at < high, at, -1)

    def armed_by(self, now_ms: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Seals, and when each was armed, of all journeys that have begun by now."""
        seal, armed_ms = self._armings
        n = int(np.searchsorted(armed_ms, now_ms, side="right"))
        return seal[:n], armed_ms[:n]

    @cached_property
    def _armings(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        first = which(begins(self.key))
        first = first[np.argsort(self.from_ms[first], kind="stable")]
        return self.seal[first], self.from_ms[first]

    def _spans(self, seals: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Where the phases of each seal begin and end in the table."""
        return self._first.take(seals, mode="clip"), self._first.take(seals + 1, mode="clip")

    @cached_property
    def _first(self) -> NDArray[np.int64]:
        """By seal, and one more for all beyond the last: how many phases those before it have."""
        count = np.bincount(self.seal) if len(self.seal) else np.zeros(0, np.int64)
        return np.concatenate([[0], np.cumsum(count)])

    def _begun(
        self,
        low: NDArray[np.int64],
        high: NDArray[np.int64],
        row: NDArray[np.int64],
        time_ms: NDArray[np.int64],
    ) -> NDArray[np.int64]:
        """How many of the phases [low, high) of each seal row have begun by each moment; some row has some."""
        n = high - low
        if n.max() <= 1:
            of_row = np.where(n > 0, low, 0)[row]
            return ((n > 0)[row] & (self.from_ms[of_row] <= time_ms)).astype(np.int64)
        owner, before = np.repeat(np.arange(len(n)), n), np.cumsum(n) - n
        entry = np.arange(len(owner)) + np.repeat(low - before, n)
        packed = (owner << 42) + np.clip(self.from_ms[entry], 0, FOREVER_MS)
        asked = (row << 42) + np.clip(time_ms, 0, FOREVER_MS)
        begun: NDArray[np.int64] = np.searchsorted(packed, asked, side="right") - before[row]
        return begun


def _rows_of(
    served: Iterable[tuple[Served, Journey]], numbers: Mapping[str, int]
) -> list[tuple[Served, Journey, Phase]]:
    """The phases of who serves on which journey, in the order of the table."""
    known = sorted(
        one_at_a_time(of for of in served if of[0].device in numbers),
        key=lambda of: (numbers[of[0].device], of[0].from_ms),
    )
    return [(seal, j, phase) for seal, j in known for phase in phases_of(j, seal)]


def _inserted(kept: Iterable[T], places: NDArray[np.int64], new: Sequence[T]) -> tuple[T, ...]:
    """As ``np.insert`` does."""
    found = list(kept)
    for place, one in reversed(list(zip(places.tolist(), new, strict=True))):
        found.insert(place, one)
    return tuple(found)


def _key_of(journey: Journey, seal: Served, phase: Phase) -> int:
    """Of the lead it is the journey's; an escort may be on it several times."""
    if seal.device == journey.seal:
        return key_of(journey.id)
    return key_of(f"{journey.id}/{seal.device}" + (f"/{seal.from_ms}" if phase.escorts else ""))


def _regime(journey: Journey) -> int:
    return REGIMES.index(journey.regime)


def _is_authorised(journey: Journey) -> bool:
    return bool(journey.authorisations)


@dataclass(frozen=True)
class Version:
    """A plan from a moment of event time on; the first one holds from the beginning."""

    from_ms: int
    plan: Plan
    terrain: Terrain

    def line_of(self, route: str | None) -> bytes | None:
        """What chainages on a route mean, as bytes that are equal for equal lines and checkpoints; None: no such route."""
        at = self.plan.route_index.get(route or "")
        if at is None:
            return None
        lines = self.plan.corridors.lines
        begin, end = lines.first[at : at + 2]
        zones = ",".join(c.zone for c in self.plan.routes[at].checkpoints).encode()
        origin: NDArray[np.int64] = lines.origin_e7[at : at + 1]
        return b"|".join(
            (origin.tobytes(), lines.x_e7[begin:end].tobytes(), lines.y_e7[begin:end].tobytes(), zones)
        )


@dataclass(frozen=True)
class Facts:
    """The dated facts that pings are judged by. ``names`` maps seal numbers to ids; ``versions`` ascend in time.

    ``heartbeats`` is the equipment of each version, by when it begins to hold; empty where no version has any.
    """

    space: str
    versions: tuple[Version, ...]
    journeys: JourneyTable
    names: Mapping[int, str]
    now_ms: int | None = None
    heartbeats: Mapping[int, Heartbeats] = field(default_factory=dict)

    @cached_property
    def version_from_ms(self) -> NDArray[np.int64]:
        """When each version but the first begins to hold."""
        return np.array([v.from_ms for v in self.versions[1:]], np.int64)

    @cached_property
    def equipment(self) -> NDArray[np.int64]:
        """Numbers of the equipment of any version, ascending."""
        numbers = [np.zeros(0, np.int64), *(one.number for one in self.heartbeats.values())]
        return np.unique(np.concatenate(numbers))


class Pass(NamedTuple):
    """For some seals, a stretch of pings of one phase of a journey (or none) and one version.

    ``rows`` indexes the batch's seals, ascending; ``pings`` the batch's pings; ``journey`` is by row of the pass, the
    position of the phase in the table. All rows are judged in the same ``manner``.
    """

    rows: NDArray[np.int64]
    pings: NDArray[np.int64]
    journey: NDArray[np.int64]
    version: int
    manner: Manner = Manner.WHOLE


def passes(
    facts: Facts, seals: NDArray[Any], row: NDArray[np.int64], time_ms: NDArray[np.int64]
) -> Iterator[Pass]:
    """Cut pings, sorted by (row, time), into passes; a seal's stretches come in time order."""
    n = len(row)
    journey = facts.journeys.at(seals, row, time_ms)
    kind = facts.journeys.with_none.manner[journey]
    version = np.zeros(n, np.int64)
    if len(facts.version_from_ms):
        version = facts.version_from_ms.searchsorted(time_ms, side="right")
        kind += len(MANNERS) * version
    if n and n == len(seals) and every(kind == kind[0]):  # one ping of each seal, as in live batches
        yield Pass(row, row, journey, *_version_and_manner(int(kind[0])))
        return
    i = np.arange(n)
    start = begins(row) if n else np.zeros(0, bool)
    first = np.maximum.accumulate(np.where(start, i, 0))
    changed = (journey[1:] != journey[:-1]) | (version[1:] != version[:-1])
    changed |= time_ms[1:] - time_ms[:-1] > SILENCE_MS
    cut = start | np.concatenate([[False], changed]) if n else start
    cut |= (i - first) % PASS_PINGS == 0
    if n and np.array_equal(cut, start) and every(kind == kind[0]):
        yield Pass(row[start], i, journey[start], *_version_and_manner(int(kind[0])))
        return
    ordinal = np.cumsum(cut)
    ordinal -= ordinal[first] if n else 0
    for k in range(int(ordinal.max(initial=-1)) + 1):
        here = which(ordinal == k) if some(ordinal != 0) else i
        for one in np.unique(kind[here]).tolist():
            pings = here[kind[here] == one]
            rows, at = np.unique(row[pings], return_index=True)
            yield Pass(rows, pings, journey[pings[at]], *_version_and_manner(one))


def _version_and_manner(kind: int) -> tuple[int, Manner]:
    version, manner = divmod(kind, len(MANNERS))
    return version, MANNERS[manner]
