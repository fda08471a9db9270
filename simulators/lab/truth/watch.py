"""What can be measured of a device in a scenario: where it truly was every few seconds, and which of its fixes arrived. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulators.earth import Floats, to_local_m
from simulators.lab.staging import Stage
from simulators.places import Place
from simulators.roads import Road
from simulators.world.spans import Span

__all__ = ["Bools", "Watch", "along", "depth_m", "stretches", "watch"]

STEP_S = 2.0
"""A truck at 80 km/h moves 45 m: less than the narrowest zone."""
USABLE_M = 100.0
"""A fix that claims to be worse counts as none."""

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Watch:
    """A device's truth in columns: samples every 2 s, and its reports that arrived, by true time.

    ``heard_s`` true times of pings that arrived; ``fixed`` which of them have a position, ``usable`` one that does not claim to be bad;
    ``told_s`` what their clocks said; ``said_lon`` and ``said_lat`` where they say it was, NaN without a position.
    """

    device: str
    time_s: Floats
    lon: Floats
    lat: Floats
    speed_kmh: Floats
    heard_s: Floats
    fixed: Bools
    usable: Bools
    told_s: Floats
    interval_s: Floats
    jamming: Bools
    said_lon: Floats
    said_lat: Floats

    def fixes_in(self, span: Span) -> Floats:
        """Times of usable fixes of a span."""
        times = self.heard_s[self.usable]
        return times[(times >= span.from_s) & (times <= span.to_s)]

    def near_fix(self, span: Span, within_s: float = 300.0) -> bool:
        """Whether a crossing can be seen: a fix in it, or one before and one after, not too far apart."""
        if len(self.fixes_in(span)):
            return True
        times = self.heard_s[self.usable]
        before, after = times[times < span.from_s], times[times > span.to_s]
        return bool(len(before) and len(after) and after.min() - before.max() <= within_s)


def watch(stage: Stage, device: str) -> Watch:
    """Measure a device."""
    time_s = np.arange(0.0, stage.until_s + 0.1, STEP_S)
    ride = stage.devices[device].ride
    spots = [ride.at(t) for t in time_s.tolist()]
    heard = stage.heard[device]
    arrived = {(p.time, p.seq) for a in heard.arrivals if a.at_s <= stage.until_s for p in a.pings}
    said = [s for s in heard.said if (s.ping.time, s.ping.seq) in arrived]
    start_ms = stage.ground.start_ms
    told = np.array([s.ping.time[:-1] for s in said], "datetime64[ms]").astype(np.int64)
    return Watch(
        device,
        time_s,
        np.array([s.lon for s in spots]),
        np.array([s.lat for s in spots]),
        np.array([s.speed_kmh for s in spots]),
        np.array([s.time_s for s in said], float),
        np.array([s.ping.valid for s in said], bool),
        np.array([s.ping.valid and (s.ping.accuracy_m or 0) <= USABLE_M for s in said], bool),
        (told - start_ms) / 1000.0,
        np.array([s.ping.interval_s for s in said], float),
        np.array(["jamming" in s.ping.facts for s in said], bool),
        np.array([np.nan if s.ping.lon is None else s.ping.lon for s in said], float),
        np.array([np.nan if s.ping.lat is None else s.ping.lat for s in said], float),
    )


def stretches(mask: Bools, time_s: Floats, join_s: float = 0.0) -> list[Span]:
    """Spans in which a mask holds; those less than ``join_s`` apart are one."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], mask.astype(np.int8), [0]))))
    spans: list[Span] = []
    for begin, end in edges.reshape(-1, 2).tolist():
        span = Span(float(time_s[begin]), float(time_s[end - 1]) + STEP_S)
        if spans and span.from_s - spans[-1].to_s < join_s:
            spans[-1] = Span(spans[-1].from_s, span.to_s)
        else:
            spans.append(span)
    return spans


def along(road: Road, lon: Floats, lat: Floats) -> tuple[Floats, Floats, Floats]:
    """Distance to a road in metres, chainage, and the half-width there, of each point."""
    x, y = to_local_m(lon, lat, float(road.lon.mean()), float(road.lat.mean()))
    vx, vy = to_local_m(road.lon, road.lat, float(road.lon.mean()), float(road.lat.mean()))
    dx, dy = np.diff(vx), np.diff(vy)
    share = ((x[:, None] - vx[:-1]) * dx + (y[:, None] - vy[:-1]) * dy) / (dx * dx + dy * dy)
    share = np.clip(share, 0.0, 1.0)
    apart = np.hypot(x[:, None] - vx[:-1] - share * dx, y[:, None] - vy[:-1] - share * dy)
    leg = apart.argmin(axis=1)
    rows = np.arange(len(x))
    chainage = road.chainage_m[leg] + share[rows, leg] * np.diff(road.chainage_m)[leg]
    return apart[rows, leg], chainage, road.half_width_m[leg]


def depth_m(place: Place, lon: Floats, lat: Floats) -> Any:
    """How far inside a zone each point is, metres; outside: negative."""
    lon0, lat0 = place.centre
    x, y = to_local_m(lon, lat, lon0, lat0)
    vx, vy = to_local_m(place.lon, place.lat, lon0, lat0)
    if place.radius_m is not None:
        return place.radius_m - np.hypot(x - vx[0], y - vy[0])
    dx, dy = np.roll(vx, -1) - vx, np.roll(vy, -1) - vy
    share = np.clip(((x[:, None] - vx) * dx + (y[:, None] - vy) * dy) / (dx * dx + dy * dy), 0.0, 1.0)
    apart = np.hypot(x[:, None] - vx - share * dx, y[:, None] - vy - share * dy).min(axis=1)
    return np.where(place.holds(lon, lat), apart, -apart)
