"""What a rule sees: the seals of one pass as columns, their new pings and fixes, where those lie, and the book to write in.

A *pass* holds, for each seal (a *row*), a stretch of pings judged by one journey and one plan version. Arrays named
``*_row`` or ``row`` index the seals of the pass. Everything but ``state``, ``survivors`` and ``book`` is read only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, NamedTuple, Protocol, TypeVar, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geofences.alongside import ZonesAlong, parts_on_route
from geofences.corridors import CorridorSet, Located
from geofences.masks import all_true, every, some
from geofences.zones import ZoneSet
from seal_tracker.journey import Journey
from seal_tracker.model import NO_TIME, Lock, PingBatch, Severity
from seal_tracker.rules.arrays import ends
from seal_tracker.rules.book import Book, Subject
from seal_tracker.rules.calendars import Closed
from seal_tracker.rules.keys import PolicyValue
from seal_tracker.rules.leave import Authorisations
from seal_tracker.rules.legs import PlannedLegs
from seal_tracker.rules.once import once
from seal_tracker.rules.records import Rows
from seal_tracker.rules.runs import Limits
from seal_tracker.rules.table import Policies, Values, per
from seal_tracker.rules.waypoints import Waypoint, WaypointTable

__all__ = ["DEBOUNCE", "Context", "Crossings", "Doubts", "Fixes", "Hits", "Terrain", "Waypoint", "mm_of_m"]

I8 = NDArray[np.int64]
F8 = NDArray[np.float64]
T = TypeVar("T")


DEBOUNCE = ("raise_fixes", "raise_s", "clear_fixes", "clear_s", "latched")
"""Keys of ``Limits``, in its order."""

MM_OF_M = np.array(1000.0)

OPEN, CUT = int(Lock.OPEN), int(Lock.CUT)


def mm_of_m(metres: ArrayLike) -> NDArray[np.int64]:
    """Metres to whole millimetres, the unit in which everything is judged."""
    mm: I8 = np.rint(np.asarray(metres, np.float64) * MM_OF_M).astype(np.int64)
    return mm


@dataclass(frozen=True)
class Terrain:
    """One plan version as the rules need it: geometry, kinds of zones, checkpoints of routes, policy.

    Attributes
    ----------
    zone_key
        int64[Z], a hash of each zone's id: the name of a zone in a stream, whatever the version.
    zone_from_ms, zone_to_ms
        int64[Z], when each zone is in force: [from, to).
    kinds
        bool[Z] for each kind of zone.
    zone_stop_s, zone_limit_kmh
        float64[Z], longest approved stop and speed limit of each zone, NaN where none.
    route_limit_kmh
        float64[R + 1], speed limit of each route, NaN where none; the last row stands for no route.
    checkpoints
        for each route index, its checkpoints in order.
    calendars
        when those that permits name are closed.
    """

    version: int
    zones: ZoneSet
    corridors: CorridorSet
    zone_key: I8
    zone_from_ms: I8
    zone_to_ms: I8
    zone_reason: tuple[str | None, ...]
    kinds: Mapping[str, NDArray[np.bool_]]
    zone_stop_s: F8
    zone_limit_kmh: F8
    route_limit_kmh: F8
    checkpoints: tuple[tuple[Waypoint, ...], ...]
    policies: Policies
    calendars: Mapping[str, Closed] = field(default_factory=dict)

    def prepare(self) -> None:
        """Work out now what the first pings would otherwise have to wait for."""
        _ = (
            self.zones_along,
            self.zone_of(self.zone_key[:1]),
            self.waypoints,
            self.limited_stops,
            self.planned_legs,
        )

    def zone_of(self, key: I8) -> I8:
        """Zone index of each of some zone keys, -1 where this version has no such zone."""
        (order, _), ascending = self.zones_by_key, self._ascending_keys
        if not len(order):
            return np.full(len(key), -1)
        at = np.minimum(ascending.searchsorted(key), len(order) - 1)
        zone, known = order[at], ascending[at] == key
        return zone if every(known) else np.where(known, zone, -1)

    @cached_property
    def zones_by_key(self) -> tuple[I8, I8]:
        """The zones in the order of their keys, and the place of each zone in that order."""
        order = np.argsort(self.zone_key)
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        return order, place

    @cached_property
    def _ascending_keys(self) -> I8:
        return self.zone_key[self.zones_by_key[0]]

    @cached_property
    def zone_index(self) -> dict[str, int]:
        """Zone index of each zone id."""
        return {zone: i for i, zone in enumerate(self.zones.ids)}

    @cached_property
    def waypoints(self) -> WaypointTable:
        """The checkpoints of all routes as columns."""
        return WaypointTable.of(self.checkpoints, len(self.zone_key))

    @cached_property
    def is_checkpoint(self) -> NDArray[np.bool_]:
        """bool[Z], whether any route has the zone as a checkpoint."""
        flags = np.zeros(len(self.zone_key), bool)
        flags[[c.zone for of_route in self.checkpoints for c in of_route]] = True
        return flags

    @cached_property
    def planned_legs(self) -> PlannedLegs:
        """On which way routes that pass a checkpoint more than once are planned to reach it."""
        return PlannedLegs.of(self.checkpoints, self.zones_along, len(self.zone_key))

    @cached_property
    def watched(self) -> NDArray[np.bool_]:
        """bool[Z], zones whose crossing between two fixes some rule asks for."""
        return self.kind("interest") | self.kind("prohibited") | self.kind("structure") | self.is_checkpoint

    @cached_property
    def limited_stops(self) -> NDArray[np.bool_] | None:
        """bool[Z], approved stops that say how long one may stay; None where there is none."""
        stops = self.kinds.get("approved_stop")
        limited = None if stops is None else stops & np.isfinite(self.zone_stop_s)
        return None if limited is None or not some(limited) else limited

    @cached_property
    def limits_speed(self) -> tuple[bool, bool]:
        """Whether any route, and whether any zone, has a speed limit."""
        return some(np.isfinite(self.route_limit_kmh)), some(np.isfinite(self.zone_limit_kmh))

    @cached_property
    def zones_along(self) -> ZonesAlong:
        """Where routes run through zones that are watched."""
        return ZonesAlong.build(self.corridors, self.zones, self.watched)

    @cached_property
    def _passed(self) -> dict[tuple[int, int], tuple[F8, F8]]:
        return {}

    def passed(self, route: int, zone: int) -> tuple[F8, F8]:
        """Where a route enters and leaves a zone, ascending chainages; looked up once for each pair that is asked for."""
        if (route, zone) not in self._passed:
            wanted = np.zeros(len(self.zone_key), bool)
            wanted[zone] = True
            _, enter_m, leave_m = parts_on_route(self.corridors, self.zones, wanted, route)
            self._passed[route, zone] = enter_m, leave_m
        return self._passed[route, zone]

    @cached_property
    def always_in_force(self) -> bool:
        """Whether no zone begins or ends to hold."""
        begins, over = self.zone_from_ms == NO_TIME, self.zone_to_ms == np.iinfo(np.int64).max
        return every(begins & over)

    def in_force(self, zone: NDArray[Any], time_ms: I8) -> NDArray[np.bool_]:
        """Which of some zones hold at some moments, one moment a zone."""
        if self.always_in_force:
            return all_true(len(zone))
        holds: NDArray[np.bool_] = (self.zone_from_ms[zone] <= time_ms) & (time_ms < self.zone_to_ms[zone])
        return holds

    def kind(self, name: str) -> NDArray[np.bool_]:
        """bool[Z], which zones are of a kind; all false where the plan has none."""
        return self.kinds.get(name, np.zeros(len(self.zone_key), bool))


@dataclass(slots=True)
class Fixes:
    """Accepted fixes of the pass, sorted by (row, time): the track that position rules judge.

    ``prev_*`` is the accepted fix before, and ``step_m`` the metres from there, where ``has_prev``; it lies within the same
    armed stretch.
    ``accuracy_m`` and ``speed_kmh`` (the device's) float32, NaN unknown. ``decided_ms`` is the time of the ping that let the fix in: its own, or that of
    the ping after a held fix.
    """

    row: I8
    time_ms: I8
    lon_e7: I8
    lat_e7: I8
    accuracy_m: NDArray[np.float32]
    speed_kmh: NDArray[np.float32]
    start: NDArray[np.bool_]
    has_prev: NDArray[np.bool_]
    prev_ms: I8
    prev_lon_e7: I8
    prev_lat_e7: I8
    step_m: F8
    decided_ms: I8

    def __len__(self) -> int:
        return len(self.row)


class Hits(NamedTuple):
    """Which zones hold which fixes: pairs sorted by (fix, zone)."""

    fix: I8
    zone: I8


class Crossings(NamedTuple):
    """Zones that were crossed between two fixes with neither inside: ``fix`` is the later one of the pair."""

    fix: I8
    zone: I8
    enter_ms: I8
    leave_ms: I8
    enter_e7: NDArray[np.int64]
    leave_e7: NDArray[np.int64]


class Doubts(NamedTuple):
    """Where a seal's account of itself contradicts itself: its fixes, and its clock.

    Attributes
    ----------
    held
        int64, pings whose fix was held when it came.
    thrown
        of ``plausibility.THROWN``, fixes that were held and have been decided about; ``by`` is the ping that did.
    apart_mm
        int64[n pings], how far the fixes of a moment's variants lie from the one taken.
    claimed_ms
        int64[n pings], the time the device gave.
    """

    held: I8
    thrown: NDArray[np.void]
    apart_mm: I8
    claimed_ms: I8


class JourneyColumn(Protocol):
    """Journeys as columns: what a function says of each, by its place in the table; one more row stands for none.

    Or what a function makes of all of them, in the order of the table.
    """

    def column(self, of: Callable[[Journey], Any], none: Any) -> NDArray[Any]: ...
    def together(self, of: Callable[[Sequence[Journey]], T]) -> T: ...


class SubjectOf(Protocol):
    """Whom the episodes of a row are about."""

    def __getitem__(self, row: int) -> Subject: ...


def _armed_ms(journey: Journey) -> int:
    return journey.armed_at_ms


@dataclass
class Context:
    """One pass. See the module.

    ``version_from_ms`` is when the plan version in force began to hold, ``epoch_start_ms`` since when each row's seal is on its
    journey (its arming, but for what took over on the way),
    ``stretch_ms`` since when it has been judged by the same route in the same manner (a diversion and the ends of a
    suspension begin a stretch): what was due before that is due then. ``active`` has, for each row, the ``bits`` of
    the rules with a run or an episode under way: a rule that carries nothing and sees nothing true need not look.
    ``on_corridor`` says of each fix whether it lies within the half-width of its route.
    ``has_fix`` says of each ping whether its own position may move the track, be it accepted or not.
    ``heartbeat_ms`` is how often each row must be heard of that is equipment, 0 for others; None: no row is.
    ``stands_e7`` says where (longitude, latitude) a row that is stands by a version of the plan, given its number.
    ``watched_from_ms`` is when the version in force began to watch what no version before it did (NO_TIME: nobody knows).
    ``seals_cargo``: its rows are seals, not the trackers of a journey's escorts and vehicles.
    ``companions``: which rows are trackers that their journey could go on without; None: no row is.
    ``survivors`` are the streams that go on, each part sorted by (row, rule, key).
    ``passed_ms``: when the checkpoints (row, place in the order of the route) that the pass shows as passed by were known to be.
    """

    terrain: Terrain
    version_from_ms: int
    state: Rows
    streams: NDArray[np.void]
    seal: I8
    subjects: SubjectOf
    armed: NDArray[np.bool_]
    seal_subjects: SubjectOf
    regime: I8
    route: I8
    epoch_start_ms: I8
    stretch_ms: I8
    authorisations: Authorisations
    journeys: JourneyColumn
    journey_at: I8
    active: I8
    bits: Mapping[str, int]
    pings: PingBatch
    ping_row: I8
    ping_start: NDArray[np.bool_]
    fixes: Fixes
    book: Book
    stands_e7: Callable[[int, int], tuple[int, int] | None]
    heartbeat_ms: I8 | None = None
    watched_from_ms: int = NO_TIME
    seals_cargo: bool = True
    companions: NDArray[np.bool_] | None = None
    counts: dict[str, int] = field(default_factory=dict)
    survivors: list[NDArray[np.void]] = field(default_factory=list)
    passed_ms: dict[tuple[int, int], int] = field(default_factory=dict)
    has_fix: NDArray[np.bool_] | None = None
    doubts: Doubts | None = None
    located: Located | None = None
    on_corridor: NDArray[np.bool_] | None = None
    hits: Hits | None = None
    crossings: Crossings | None = None

    @property
    def journey_armed_ms(self) -> I8:
        """When each row's journey was armed, whichever seal it had then; ``NO_TIME`` where there is none."""
        armed: I8 = self.of_journey(_armed_ms, np.int64(NO_TIME))
        return armed

    def of_journey(self, of: Callable[[Journey], Any], none: Any) -> NDArray[Any]:
        """What ``of`` says of each row's journey, ``none`` where there is none; worked out once for each journey.

        ``of`` is a module's own function (a new lambda each time would be asked anew each time); the values' dtype is
        that of ``none``.
        """
        return self.journeys.column(of, none)[self.journey_at]

    def of_journeys(self, of: Callable[[Sequence[Journey]], T]) -> T:
        """What ``of``, a module's own function, makes of all journeys in the order of ``journey_at``; worked out once.

        For what is as long for one journey as it likes: flat columns, with each journey's span in them.
        """
        return self.journeys.together(of)

    def carries(self, rule: str) -> bool:
        """Whether any row has a run or an episode of ``rule`` under way."""
        return rule in self._under_way

    @once
    def _under_way(self) -> frozenset[str]:
        active = int(np.bitwise_or.reduce(self.active, initial=0))
        return frozenset(rule for rule, bit in self.bits.items() if active & bit)

    def mark(self, rule: str, row: I8, active: NDArray[np.bool_]) -> None:
        """Say of some rows whether ``rule`` has a run or an episode under way."""
        bit = self.bits[rule]
        self.active[row] = np.where(active, self.active[row] | bit, self.active[row] & ~bit)

    @once
    def _watched(self) -> frozenset[int]:
        return frozenset(self.streams["rule"].tolist()) if len(self.streams) else frozenset()

    def watches(self, number: int) -> bool:
        """Whether any row came into the pass with a stream of the rule that has a number."""
        return number in self._watched

    @once
    def one_fix_each(self) -> bool:
        """Whether every row has just one fix, so that row ``i`` has fix ``i``: as in most live batches."""
        return len(self.fixes) == len(self.seal) and every(self.fixes.start)

    @once
    def all_armed(self) -> bool:
        """Whether every row has an armed journey: the usual case, in which nobody need be left out."""
        return every(self.armed)

    @once
    def said(self) -> int:
        """Bits of every ``Fact`` that any ping of the pass tells: a rule about others need not look."""
        facts = self.pings.facts
        return 0 if facts.tobytes() == bytes(facts.nbytes) else int(np.bitwise_or.reduce(facts))

    @once
    def any_unlocked(self) -> bool:
        """Whether any ping of the pass tells of a lock that is open or cut."""
        lock = self.pings.lock.tobytes()
        return OPEN in lock or CUT in lock

    @once
    def all_have_fix(self) -> bool:
        """Whether every ping's own position may move the track; once the fixes of the pass are known."""
        return self.has_fix is not None and every(self.has_fix)

    @once
    def worst_accuracy_m(self) -> float:
        """The greatest accuracy that any ping of the pass claims; 0 where none does."""
        return float(np.fmax.reduce(self.pings.accuracy_m, initial=0.0))

    @once
    def newest(self) -> I8 | slice:
        """Which is each row's newest ping, as an index; of a pass with pings."""
        return slice(None) if len(self.ping_row) == len(self.seal) else ends(self.ping_start)

    @property
    def newest_ms(self) -> I8:
        """Time of each row's newest ping; of a pass with pings."""
        return self.pings.time_ms[self.newest]

    @once
    def step_mm(self) -> I8:
        """Millimetres from the fix before to each fix; 0 where there is none before."""
        step_mm = mm_of_m(self.fixes.step_m)
        return step_mm if every(self.fixes.has_prev) else np.where(self.fixes.has_prev, step_mm, 0)

    def policy(self, rule: str, key: str) -> Values:
        """A threshold for every row of the pass: a scalar, or one value a row."""
        return self.terrain.policies.value(rule, key, self.regime, self.route)

    def policy_at(self, rule: str, key: str, row: int, zone: int | None = None) -> PolicyValue:
        """A threshold for one row, and one zone where given."""
        usual = self.terrain.policies.everywhere(rule, (key,))
        if usual is not None:
            return usual[0]
        return self.terrain.policies.at(rule, key, int(self.regime[row]), int(self.route[row]), zone)

    def severity(self, rule: str, row: int, zone: int | None = None) -> Severity:
        """How bad an episode of ``rule`` is for one row."""
        return cast("Severity", self.policy_at(rule, "severity", row, zone))

    def enabled(self, rule: str, row: NDArray[Any], zone: NDArray[Any] | None = None) -> NDArray[np.bool_]:
        """Which of the given rows, each in a zone where given, the policy lets ``rule`` judge."""
        if self.judges_all(rule):
            return all_true(len(row))
        if zone is None:
            flag = per(self.policy(rule, "enabled"), row)
        else:
            flag = self.terrain.policies.value(rule, "enabled", self.regime[row], self.route[row], zone)
        return np.broadcast_to(np.asarray(flag, bool), row.shape)

    def judges_all(self, rule: str) -> bool:
        """Whether the policy lets ``rule`` judge every row, in every zone, as it usually does."""
        return self.terrain.policies.everywhere(rule, ("enabled",)) == (True,)

    def switch(self, rule: str) -> Literal[True] | NDArray[np.bool_]:
        """True where the policy lets ``rule`` judge every row; else bool by row."""
        if self.judges_all(rule):
            return True
        return np.broadcast_to(np.asarray(self.policy(rule, "enabled"), bool), self.seal.shape)

    def limits(self, rule: str) -> Limits:
        """The debounce of ``rule``, a scalar or one value a row for each threshold."""
        evidence = "raise_excess_m_s"
        has = self.terrain.policies.has(rule, evidence)
        usual = self.terrain.policies.everywhere(rule, DEBOUNCE)
        if usual is not None and not has:
            return Limits(*usual)
        return Limits(
            raise_fixes=self.policy(rule, "raise_fixes"),
            raise_s=self.policy(rule, "raise_s"),
            clear_fixes=self.policy(rule, "clear_fixes"),
            clear_s=self.policy(rule, "clear_s"),
            latched=self.policy(rule, "latched"),
            raise_excess_m_s=self.policy(rule, evidence) if has else None,
            missing_fix_s=self.policy(rule, "missing_fix_s") if has else 0.0,
        )
