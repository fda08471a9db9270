"""Which alarms are one thing: of one type, within minutes and kilometres of the alarm that began the group. Pure.

A cell that fails silences two hundred seals: one line, not two hundred. A group is known by the alarm that began it, and who joins is
measured against that one, so a group does not creep across the country from neighbour to neighbour. What has no place (equipment
without one) goes by its unit, whose gateway it shares.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

from seal_tracker.alarms.deadlines import ms_of
from seal_tracker.publishing.cloudevents import AlarmState

__all__ = ["GROUP_RADIUS_M", "GROUP_WINDOW_MS", "group_of"]

GROUP_WINDOW_MS: Final = 5 * 60 * 1000
GROUP_RADIUS_M: Final = 20_000.0
"""SEMANTICS, *Alarms*."""

EARTH_RADIUS_M: Final = 6_371_008.8


def group_of(alarm: AlarmState, beginnings: Iterable[AlarmState]) -> str:
    """The group of a new alarm: that of the beginning nearest in time that it belongs to, else one of its own."""
    raised_ms = ms_of(alarm.raised_at)
    fitting = [
        (abs(ms_of(one.raised_at) - raised_ms), one.alarm)
        for one in beginnings
        if one.type == alarm.type
        and abs(ms_of(one.raised_at) - raised_ms) <= GROUP_WINDOW_MS
        and _near(alarm, one)
    ]
    return min(fitting)[1] if fitting else alarm.alarm


def _near(a: AlarmState, b: AlarmState) -> bool:
    if a.place is None or b.place is None:
        return a.place is None and b.place is None and a.unit is not None and a.unit == b.unit
    return distance_m(a.place, b.place) <= GROUP_RADIUS_M


def distance_m(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Metres between two places on the sphere, 0.6 % off the ellipsoid at most: a group has no sharp edge."""
    (lon_a, lat_a), (lon_b, lat_b) = ([math.radians(v) for v in place] for place in (a, b))
    h = math.sin((lat_b - lat_a) / 2) ** 2
    h += math.cos(lat_a) * math.cos(lat_b) * math.sin((lon_b - lon_a) / 2) ** 2
    return 2 * EARTH_RADIUS_M * math.asin(math.sqrt(min(1.0, h)))
