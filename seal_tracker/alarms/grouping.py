"""Which alarms are one thing: of one type, within minutes of the alarm that began the group, and near it or heard by the same way. Pure.

A cell that fails silences two hundred seals: one line, not two hundred; and so does the mobile network that carries them, or the gateway that
hands them on, however far apart they are. Who joins is measured against the alarm that began the group, so a group does not creep
across the country from neighbour to neighbour. What has no place (equipment without one) goes by its unit, whose gateway it shares.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from hashlib import md5
from itertools import product
from typing import Final, NamedTuple
from uuid import UUID

from seal_tracker.alarms.deadlines import ms_of
from seal_tracker.publishing.cloudevents import AlarmState

__all__ = ["GROUP_RADIUS_M", "GROUP_WINDOW_MS", "Beginnings", "distance_m", "own_group"]

GROUP_WINDOW_MS: Final = 5 * 60 * 1000
GROUP_RADIUS_M: Final = 20_000.0
"""SEMANTICS, *Alarms*."""

EARTH_RADIUS_M: Final = 6_371_008.8

Vector = tuple[float, float, float]
"""A place on the sphere in metres from the earth's middle: no pole and no date line."""


class Beginning(NamedTuple):
    """An alarm that began a group."""

    raised_ms: int
    group: str
    at: Vector | None


def own_group(alarm: str) -> str:
    """The group that an alarm begins: an id that does not say which alarm that is, for it may be another unit's.

    A digest that PostgreSQL has too, for the alarms of earlier releases.
    """
    return str(UUID(hex=md5(f"group {alarm}".encode(), usedforsecurity=False).hexdigest()))


class Beginnings:
    """Alarms that began groups, found by type and by a cell of space as wide as a group, by network and gateway, or by unit."""

    def __init__(self, alarms: Iterable[AlarmState] = ()) -> None:
        self._by_cell: dict[tuple[object, ...], list[Beginning]] = defaultdict(list)
        for alarm in alarms:
            self.add(alarm)

    def add(self, alarm: AlarmState) -> None:
        """From now on others may join this alarm."""
        at = None if alarm.place is None else vector(alarm.place)
        one = Beginning(ms_of(alarm.raised_at), alarm.group, at)
        for cell in (own_cell(alarm, at), *ways_of(alarm)):
            self._by_cell[cell].append(one)

    def group_of(self, alarm: AlarmState) -> str:
        """The group of a new alarm: that of the beginning nearest in time that it belongs to, else one of its own."""
        raised_ms, at = ms_of(alarm.raised_at), None if alarm.place is None else vector(alarm.place)
        near = [
            one
            for cell in cells_near(alarm, at)
            for one in self._by_cell.get(cell, ())
            if at is None or one.at is None or math.dist(at, one.at) <= CHORD_M
        ]
        by_way = [one for way in ways_of(alarm) for one in self._by_cell.get(way, ())]
        waited = ((abs(one.raised_ms - raised_ms), one.group) for one in (*near, *by_way))
        fitting = [(wait_ms, group) for wait_ms, group in waited if wait_ms <= GROUP_WINDOW_MS]
        return min(fitting)[1] if fitting else own_group(alarm.alarm)


def own_cell(alarm: AlarmState, at: Vector | None) -> tuple[object, ...]:
    """Where an alarm is kept."""
    return (alarm.type, alarm.unit) if at is None else (alarm.type, *cell_of(at))


def cells_near(alarm: AlarmState, at: Vector | None) -> Iterator[tuple[object, ...]]:
    """Where those are kept that it may belong to."""
    if at is None:
        if alarm.unit is not None:
            yield own_cell(alarm, at)
        return
    x, y, z = cell_of(at)
    for dx, dy, dz in product((-1, 0, 1), repeat=3):
        yield alarm.type, x + dx, y + dy, z + dz


def ways_of(alarm: AlarmState) -> Iterator[tuple[object, ...]]:
    """Where those are kept that are heard by the same way."""
    if alarm.carrier is not None:
        yield alarm.type, "carrier", alarm.carrier
    if alarm.gateway is not None:
        yield alarm.type, "gateway", alarm.gateway


def cell_of(at: Vector) -> tuple[int, int, int]:
    """The cube, as wide as a group, that holds a place."""
    x, y, z = (math.floor(metres / GROUP_RADIUS_M) for metres in at)
    return x, y, z


def vector(place: tuple[float, float]) -> Vector:
    """A place, [lon, lat] in degrees, on the sphere: 0.6 % off the ellipsoid at most, for a group has no sharp edge."""
    lon, lat = map(math.radians, place)
    return (
        EARTH_RADIUS_M * math.cos(lat) * math.cos(lon),
        EARTH_RADIUS_M * math.cos(lat) * math.sin(lon),
        EARTH_RADIUS_M * math.sin(lat),
    )


def distance_m(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Metres over ground between two places."""
    return 2 * EARTH_RADIUS_M * math.asin(min(1.0, math.dist(vector(a), vector(b)) / (2 * EARTH_RADIUS_M)))


CHORD_M: Final = 2 * EARTH_RADIUS_M * math.sin(GROUP_RADIUS_M / (2 * EARTH_RADIUS_M))
"""The straight line between two places that are a group's radius apart over ground."""
