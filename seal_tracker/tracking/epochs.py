"""Which journey and which plan version judge a ping, and how a batch is cut so that each cut has one of each. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seal_tracker.model import NO_TIME
from seal_tracker.plans.model import Journey, Plan
from seal_tracker.rules.arrays import begins
from seal_tracker.rules.context import Terrain
from seal_tracker.rules.policy import REGIMES

__all__ = ["Facts", "JourneyTable", "Pass", "Version", "key_of", "passes", "terrain_of"]

FOREVER_MS = (1 << 42) - 1
"""Year 2109: the end of a journey that nobody has ended; also what a time must stay below to be packed beside a row."""

NEVER_MS = np.iinfo(np.int64).max
"""The end of what has none."""

PASS_PINGS = 512
"""Most pings of one seal in one pass: bounds what a zone stream looks at, and costs nothing at live batch sizes."""


def key_of(name: str) -> int:
    """A 63-bit hash of a name, never 0: how journeys and zones are named in columns."""
    return (int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big") >> 1) or 1


@dataclass(frozen=True, slots=True)
class JourneyColumns:
    """Journeys as rules need them, by their position in the table; one more row at the end stands for none."""

    regime: NDArray[np.int64]
    route: NDArray[np.int64]
    armed_ms: NDArray[np.int64]
    authorised: NDArray[np.bool_]


@dataclass(frozen=True)
class JourneyTable:
    """Armed intervals of all seals, sorted by (seal, armed_at). A seal's intervals do not overlap.

    ``seal`` int64[J] numbers; ``armed_ms``, ``disarmed_ms`` int64[J]; ``key`` int64[J]; ``journeys`` in the same order.
    """

    seal: NDArray[np.int64]
    armed_ms: NDArray[np.int64]
    disarmed_ms: NDArray[np.int64]
    key: NDArray[np.int64]
    journeys: tuple[Journey, ...]

    @classmethod
    def build(cls, journeys: Sequence[Journey], numbers: Mapping[str, int]) -> JourneyTable:
        """``numbers`` gives the number of each journey's seal; journeys of seals without one are left out."""
        known = sorted(
            (j for j in journeys if j.seal in numbers), key=lambda j: (numbers[j.seal], j.armed_at_ms)
        )
        return cls(
            seal=np.array([numbers[j.seal] for j in known], np.int64),
            armed_ms=np.array([j.armed_at_ms for j in known], np.int64),
            disarmed_ms=np.array(
                [FOREVER_MS if j.disarmed_at_ms is None else j.disarmed_at_ms for j in known], np.int64
            ),
            key=np.array([key_of(j.id) for j in known], np.int64),
            journeys=tuple(known),
        )

    @cached_property
    def by_key(self) -> dict[int, int]:
        """Position of each journey in the table by its key."""
        return {int(k): i for i, k in enumerate(self.key)}

    def end_ms(self, at: NDArray[np.int64]) -> NDArray[np.int64]:
        """When journeys end, by position; that of none (-1) never does."""
        return np.append(self.disarmed_ms, FOREVER_MS)[at]

    def columns(self, routes: Mapping[str, int]) -> JourneyColumns:
        """Regime, route and arming of each journey; ``routes`` are a plan version's. Made once for each."""
        made = self._columns.get(id(routes))
        if made is None or made[0] is not routes:
            of = self.journeys
            columns = JourneyColumns(
                regime=np.array([*(REGIMES.index(j.regime) for j in of), -1], np.int64),
                route=np.array([*(routes.get(j.route, -1) if j.route else -1 for j in of), -1], np.int64),
                armed_ms=np.append(self.armed_ms, NO_TIME),
                authorised=np.array([*(bool(j.authorisations) for j in of), False]),
            )
            made = self._columns[id(routes)] = (routes, columns)
        return made[1]

    @cached_property
    def _columns(self) -> dict[int, tuple[Mapping[str, int], JourneyColumns]]:
        return {}

    def at(
        self, seals: NDArray[Any], row: NDArray[np.int64], time_ms: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Position of the journey in force for each (seal row, moment), -1 where none; ``seals`` sorted, by row."""
        low = np.searchsorted(self.seal, seals)
        high = np.searchsorted(self.seal, seals, side="right")
        if not len(self.seal) or not (high > low).any():
            return np.full(len(row), -1)
        if (high - low <= 1).all():
            at = np.where(high > low, low, 0)[row]
            known = (high > low)[row] & (self.armed_ms[at] <= time_ms)
        else:
            owner = np.repeat(np.arange(len(seals)), high - low)
            entry = np.concatenate(
                [np.arange(a, b) for a, b in zip(low.tolist(), high.tolist(), strict=True)]
            )
            packed = (owner << 42) + np.clip(self.armed_ms[entry], 0, FOREVER_MS)
            found = np.searchsorted(packed, (row << 42) + np.clip(time_ms, 0, FOREVER_MS), side="right") - 1
            known = (found >= 0) & (owner[np.maximum(found, 0)] == row)
            at = entry[np.maximum(found, 0)]
        return np.where(known & (time_ms < self.disarmed_ms[at]), at, -1)


@dataclass(frozen=True)
class Version:
    """A plan from a moment of event time on; the first one holds from the beginning."""

    from_ms: int
    plan: Plan
    terrain: Terrain


@dataclass(frozen=True)
class Facts:
    """The dated facts that pings are judged by. ``names`` maps seal numbers to ids; ``versions`` ascend in time."""

    space: str
    versions: tuple[Version, ...]
    journeys: JourneyTable
    names: Mapping[int, str]
    now_ms: int | None = None

    @cached_property
    def version_from_ms(self) -> NDArray[np.int64]:
        """When each version but the first begins to hold."""
        return np.array([v.from_ms for v in self.versions[1:]], np.int64)


@dataclass(frozen=True, slots=True)
class Pass:
    """For some seals, a stretch of pings of one journey (or none) and one version.

    ``rows`` indexes the batch's seals, ascending; ``pings`` the batch's pings; ``journey`` is by row of the pass.
    """

    rows: NDArray[np.int64]
    pings: NDArray[np.int64]
    journey: NDArray[np.int64]
    version: int


def passes(
    facts: Facts, seals: NDArray[Any], row: NDArray[np.int64], time_ms: NDArray[np.int64]
) -> Iterator[Pass]:
    """Cut pings, sorted by (row, time), into passes; a seal's stretches come in time order."""
    n = len(row)
    journey = facts.journeys.at(seals, row, time_ms)
    version = np.searchsorted(facts.version_from_ms, time_ms, side="right")
    i = np.arange(n)
    start = begins(row) if n else np.zeros(0, bool)
    first = np.maximum.accumulate(np.where(start, i, 0))
    changed = (journey[1:] != journey[:-1]) | (version[1:] != version[:-1])
    cut = start | np.concatenate([[False], changed]) if n else start
    cut |= (i - first) % PASS_PINGS == 0
    ordinal = np.cumsum(cut)
    ordinal -= ordinal[first] if n else 0
    for k in range(int(ordinal.max(initial=-1)) + 1):
        here = np.flatnonzero(ordinal == k) if ordinal[-1:].any() or ordinal.any() else i
        for v in np.unique(version[here]).tolist():
            pings = here[version[here] == v]
            rows, at = np.unique(row[pings], return_index=True)
            yield Pass(rows, pings, journey[pings[at]], v)


def terrain_of(plan: Plan) -> Terrain:
    """A plan as the rules need it."""
    kinds = sorted({kind for zone in plan.zones for kind in zone.kinds})
    return Terrain(
        version=plan.version,
        zones=plan.zone_set,
        corridors=plan.corridors,
        zone_key=np.array([key_of(zone) for zone in plan.zone_set.ids], np.int64),
        zone_from_ms=np.array(
            [NO_TIME if z.valid_from_ms is None else z.valid_from_ms for z in plan.zones], np.int64
        ),
        zone_to_ms=np.array(
            [NEVER_MS if z.valid_to_ms is None else z.valid_to_ms for z in plan.zones], np.int64
        ),
        zone_reason=tuple(zone.reason for zone in plan.zones),
        kinds={k: np.array([k in zone.kinds for zone in plan.zones], bool) for k in kinds},
        checkpoint_of=tuple(
            tuple(plan.zone_index[c.zone] for c in route.checkpoints) for route in plan.routes
        ),
        policies=plan.policies,
    )
