"""The context that rules judge: whom a stretch of pings is about, and where its accepted fixes lie. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from geofences.masks import NOTHING, all_true, every, which
from geofences.projection import wrap_e7
from seal_tracker.journey import Journey
from seal_tracker.model import EQUIPMENT_PREFIX, NO_TIME, PingBatch
from seal_tracker.rules.arrays import begins, ends, previous
from seal_tracker.rules.book import Book, Subject
from seal_tracker.rules.catalog import BITS
from seal_tracker.rules.context import Context, Crossings, Hits
from seal_tracker.rules.leave import Authorisations
from seal_tracker.rules.records import Rows
from seal_tracker.tracking.epochs import Facts, JourneyTable, Version
from seal_tracker.tracking.fixes import no_fixes
from seal_tracker.tracking.phases import Manner

__all__ = ["CROSSING_GAP_MS", "build_context", "locate"]

CROSSING_GAP_MS = 300_000
"""The longest pair of fixes between which a straight line says where the cargo was (SEMANTICS, *Inferred crossings*)."""

MS_OF_S, GAP = np.array(1000.0), np.array(CROSSING_GAP_MS)

I8 = NDArray[np.int64]

_NONE = np.zeros(0, np.int64)
NO_HITS = Hits(_NONE, _NONE)
NO_CROSSINGS = Crossings(_NONE, _NONE, _NONE, _NONE, _NONE.reshape(0, 2), _NONE.reshape(0, 2))


def build_context(
    facts: Facts,
    version: Version,
    seal: I8,
    state: Rows,
    journey: I8,
    pings: PingBatch,
    ping_row: I8,
    streams: NDArray[np.void],
    book: Book,
    counts: dict[str, int],
) -> Context:
    """A pass without its fixes yet; ``journey`` is by row, -1 for none: what the last row of columns of journeys stands for."""
    armed, table = journey >= 0, facts.journeys
    beats = facts.heartbeats.get(version.from_ms)
    columns = table.columns(version)
    start = all_true(len(seal)) if len(ping_row) == len(seal) else begins(ping_row)
    return Context(
        terrain=version.terrain,
        version_from_ms=version.from_ms,
        state=state,
        streams=streams,
        seal=seal,
        subjects=Subjects(facts, seal, journey),
        armed=armed,
        seal_subjects=Subjects(facts, seal, journey, of_seal=True),
        regime=columns.regime[journey],
        route=columns.route[journey],
        epoch_start_ms=columns.armed_ms[journey],
        stretch_ms=table.with_none.stretch_ms[journey],
        authorisations=_authorisations(table, journey, columns.authorised[journey], version),
        journeys=table,
        journey_at=journey,
        active=state["track"]["active"].copy(),
        bits=BITS,
        pings=pings,
        ping_row=ping_row,
        ping_start=start,
        fixes=no_fixes(),
        book=book,
        heartbeat_ms=beats.due_ms(seal) if beats else None,
        stands_e7=partial(_stands_e7, facts, seal),
        watched_from_ms=beats.watched_from_ms if beats else NO_TIME,
        counts=counts,
        companions=table.with_none.manner[journey] == Manner.COMPANION if table.has_companions else None,
    )


def _stands_e7(facts: Facts, seal: I8, row: int, version: int) -> tuple[int, int] | None:
    """Where the equipment of a row stands (longitude, latitude) by a version of the plan; None: it does not say."""
    begins_ms = {v.from_ms for v in facts.versions if v.plan.version == version}
    of_version = (beats for from_ms, beats in facts.heartbeats.items() if from_ms in begins_ms)
    device = int(seal[row])
    return next((beats.place_e7[device] for beats in of_version if device in beats.place_e7), None)


class Subjects:
    """Whom each row's episodes are about; made only for rows that are asked for."""

    def __init__(self, facts: Facts, seal: I8, journey: I8, *, of_seal: bool = False) -> None:
        self._facts = facts
        self._seal = seal
        self._journey = journey
        self._of_seal = of_seal

    def __getitem__(self, row: int) -> Subject:
        name = self._facts.names[self._seal.item(row)]
        at = self._journey.item(row)
        journey = self._facts.journeys.journeys[at] if at >= 0 else None
        if name.startswith(EQUIPMENT_PREFIX):
            return Subject("equipment", name.removeprefix(EQUIPMENT_PREFIX), name, unit=self._unit(row))
        if self._of_seal or journey is None:
            return Subject("seal", name, name, unit=journey.unit if journey else None)
        if self._facts.journeys.phases[at].secondary:
            return Subject("seal", name, name, journey.id, journey.regime, journey.unit)
        return Subject("journey", journey.id, name, journey.id, journey.regime, journey.unit)

    def _unit(self, row: int) -> str | None:
        """The unit of a piece of equipment, by the newest version that has it."""
        for of_version in reversed(list(self._facts.heartbeats.values())):
            if int(self._seal[row]) in of_version.unit:
                return of_version.unit[int(self._seal[row])]
        return None


def _authorisations(table: JourneyTable, at: I8, some: NDArray[np.bool_], version: Version) -> Authorisations:
    def journey_of(row: int) -> Journey:
        journey: Journey = table.column(_itself, None)[at[row]]
        return journey

    return Authorisations(some, journey_of, version.terrain.zone_index)


def _itself(journey: Journey) -> Journey:
    return journey


def locate(ctx: Context, track: NDArray[np.void]) -> None:
    """Find where the fixes lie: on their corridors, in zones, and which zones were crossed between them."""
    fixes = ctx.fixes
    if not len(fixes):
        ctx.hits = NO_HITS
        return
    ctx.hits = _hits(ctx)
    last: I8 | slice = slice(None)
    tracks, route = last, ctx.route
    if not ctx.one_fix_each:
        last = ends(fixes.start)
        tracks, route = fixes.row[last], route[fixes.row]
    since_ms = fixes.time_ms - fixes.prev_ms
    elapsed_s = since_ms / MS_OF_S
    where = ctx.terrain.corridors.locate(
        route,
        fixes.lon_e7,
        fixes.lat_e7,
        fixes.start,
        ctx.state["track"]["chainage_m"][tracks],
        elapsed_s if every(fixes.has_prev) else np.where(fixes.has_prev, elapsed_s, np.nan),
    )
    ctx.located = where
    ctx.on_corridor = where.distance_m <= where.half_width_m  # false where there is no route: both are NaN
    ctx.crossings = _crossings(ctx, ctx.on_corridor, where.chainage_m, route, since_ms)
    track["chainage_m"][tracks] = where.chainage_m[last]
    track["off_route_m"][tracks] = where.distance_m[last]
    track["on_corridor"][tracks] = ctx.on_corridor[last]


def _hits(ctx: Context) -> Hits:
    """Which zones in force hold which fixes of armed seals."""
    fixes, terrain = ctx.fixes, ctx.terrain
    if ctx.all_armed:
        fix, zone = terrain.zones.holding(fixes.lon_e7, fixes.lat_e7)
    else:
        armed = which(ctx.armed[fixes.row])
        point, zone = terrain.zones.holding(fixes.lon_e7[armed], fixes.lat_e7[armed])
        fix = armed[point]
    if terrain.always_in_force:
        return Hits(fix, zone)
    held = which(terrain.in_force(zone, fixes.time_ms[fix]))
    return Hits(fix[held], zone[held])


def _crossings(
    ctx: Context, on_corridor: NDArray[np.bool_], chainage_m: NDArray[np.float64], route: I8, since_ms: I8
) -> Crossings:
    """Zones crossed between two fixes, neither of them inside: along the corridor where both are on it, else straight.

    ``since_ms`` is since the fix before, where there is one.
    """
    fixes, state = ctx.fixes, ctx.state["track"]
    pairs = fixes.has_prev & (since_ms > NOTHING) & (since_ms <= GAP)
    if not ctx.all_armed:
        pairs &= ctx.armed[fixes.row]
    was_on, was_at = state["on_corridor"], state["chainage_m"]
    if not ctx.one_fix_each:
        was_on = np.where(fixes.start, was_on[fixes.row], previous(on_corridor))
        was_at = np.where(fixes.start, was_at[fixes.row], previous(chainage_m))
    along = pairs & was_on & on_corridor & np.isfinite(was_at)  # whoever is on a corridor has a chainage
    follow = which(along)
    found = [
        *_followed(ctx, follow, route[follow], was_at[follow], chainage_m[follow]),
        *_straight(ctx, which(pairs > along)),
    ]
    if not found:
        return NO_CROSSINGS
    joined = [np.concatenate(columns) for columns in zip(*found, strict=True)]
    order = np.lexsort((joined[1], joined[0]))
    order = order[ctx.terrain.in_force(joined[1][order], joined[2][order])]
    fix, zone, enter_ms, leave_ms, enter_e7, leave_e7 = (column[order] for column in joined)
    return Crossings(fix, zone, enter_ms, leave_ms, enter_e7, leave_e7)


def _followed(
    ctx: Context, pair: I8, route: I8, from_m: NDArray[np.float64], to_m: NDArray[np.float64]
) -> Iterator[tuple[I8, ...]]:
    """What pairs cross whose both fixes are on the corridor: what the route crosses between their chainages."""
    if len(pair) == 0:
        return
    found = ctx.terrain.zones_along.crossed(route, from_m, to_m)
    apart = _neither_inside(ctx, pair[found.path], found.zone)
    if len(apart):
        mine, parts = found.path[apart], (found.enter[apart], found.leave[apart])
        at_m = from_m[mine] + np.stack(parts) * (to_m[mine] - from_m[mine])
        lon, lat = ctx.terrain.corridors.point_at(np.tile(route[mine], 2), at_m.ravel())
        places = zip(np.split(lon, 2), np.split(lat, 2), strict=True)
        yield _timed(ctx, pair[mine], found.zone[apart], parts, *places)


def _neither_inside(ctx: Context, fix: I8, zone: I8) -> I8:
    """Of ways through zones, those of which neither the fix nor the one before lies inside."""
    if len(fix) == 0:
        return fix
    fixes = ctx.fixes
    lon_e7 = np.concatenate([fixes.lon_e7[fix], fixes.prev_lon_e7[fix]])
    lat_e7 = np.concatenate([fixes.lat_e7[fix], fixes.prev_lat_e7[fix]])
    inside = ctx.terrain.zones.holds(lon_e7, lat_e7, np.concatenate([zone, zone]))
    return which(~(inside[: len(fix)] | inside[len(fix) :]))


def _straight(ctx: Context, pair: I8) -> Iterator[tuple[I8, ...]]:
    """What the straight lines of other pairs cross."""
    if len(pair) == 0:
        return
    fixes = ctx.fixes
    ends = fixes.prev_lon_e7[pair], fixes.prev_lat_e7[pair], fixes.lon_e7[pair], fixes.lat_e7[pair]
    found = ctx.terrain.zones.passed(ends, ctx.terrain.watched)
    apart = _neither_inside(ctx, pair[found.path], found.zone)
    if len(apart):
        mine, parts = found.path[apart], (found.enter[apart], found.leave[apart])
        places = (_between([column[mine] for column in ends], part) for part in parts)
        yield _timed(ctx, pair[mine], found.zone[apart], parts, *places)


def _between(ends_e7: Sequence[I8], part: NDArray[np.float64]) -> tuple[I8, I8]:
    """Places at parts (0..1) of straight lines, the short way; longitudes and latitudes of their ends in turn."""
    lon0_e7, lat0_e7, lon1_e7, lat1_e7 = ends_e7
    lon = lon0_e7 + _whole(part * wrap_e7(lon1_e7 - lon0_e7))
    return wrap_e7(lon), lat0_e7 + _whole(part * (lat1_e7 - lat0_e7))


def _timed(
    ctx: Context,
    fix: I8,
    zone: I8,
    parts: tuple[NDArray[np.float64], NDArray[np.float64]],
    enter_e7: tuple[I8, I8],
    leave_e7: tuple[I8, I8],
) -> tuple[I8, ...]:
    """Columns of ``Crossings``, from the parts of the way at which zones are entered and left."""
    fixes = ctx.fixes
    dt = (fixes.time_ms[fix] - fixes.prev_ms[fix]).astype(np.float64)
    enter_ms, leave_ms = (fixes.prev_ms[fix] + _whole(part * dt) for part in parts)
    return fix, zone, enter_ms, leave_ms, np.stack(enter_e7, axis=1), np.stack(leave_e7, axis=1)


def _whole(values: NDArray[np.float64]) -> I8:
    return np.rint(values).astype(np.int64)
