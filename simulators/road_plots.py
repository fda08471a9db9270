"""What may happen to a truck on its road. A plot is three functions: where it may be, how to stage it, what is then true.

The place is chosen before the journey's start is fixed, so that the truck is there at the right moment. A plot never decides what an
event is: it says which one the default limits should give.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import hypot

import numpy as np

from simulators.draft import Draft, Happening, Site, Track
from simulators.drive import Drive, Excursion, Halt
from simulators.places import Place
from simulators.roads import Stretch
from simulators.seal import Seal
from simulators.world.spans import Span

__all__ = ["ROAD_PLOTS", "RoadPlot"]

NARROW_M = 250.0
"""A prohibited zone shorter than this along the road is crossed in 15 s at 60 km/h: between two fixes."""
PLACE_STEP_M = 1500.0
"""How far apart the places are that are tried."""
APART_M = 1500.0
"""Nothing staged comes nearer to something else than this."""
INSIDE_M = 4.0
"""How far inside the corridor's edge a truck drives that only the noise takes out."""
EDGE_SIGMA_M = 5.0
"""A receiver much worse than this can be out for minutes at a time, which is no near miss any more."""
POINTLIKE_M = 2000.0
"""Checkpoints are smaller, districts larger: one may stop unplanned in a district."""


def _every(stretches: tuple[Stretch, ...], step_m: float, room_m: float) -> list[float]:
    return [float(c) for s in stretches for c in np.arange(s.from_m + 2000, s.to_m - room_m, step_m)]


def detour_places(track: Track) -> list[float]:
    """Where the land beside the road is land, with ten kilometres of room."""
    return _every(track.road.detours, PLACE_STEP_M, 10_000.0)


def stage_detour(draft: Draft, chainage_m: float) -> None:
    """Leave the corridor for 1 to 3 km and come back after 6 to 17 minutes."""
    side = next((s.side for s in draft.track.road.detours if s.holds(chainage_m)), "left")
    left_m = float(draft.rng.uniform(1000.0, 2600.0)) * (1 if side == "left" else -1)
    speed_kmh, minutes = float(draft.rng.uniform(36.0, 48.0)), float(draft.rng.uniform(6.0, 17.0))
    away = Excursion(0.0, 0.0, left_m, speed_kmh)
    ramps_m = 2 * 0.75 * hypot(away.ramp_m, left_m)
    flat_m = max(600.0, speed_kmh / 3.6 * minutes * 60.0 - ramps_m)
    start_m = chainage_m + away.ramp_m  # it begins to turn off here
    draft.excursion = replace(away, from_m=start_m, to_m=start_m + flat_m)


def tell_detour(draft: Draft, seal: Seal, _onset_s: float) -> Happening:
    """It is out while it is more than half-width + 30 m from the line."""
    assert draft.excursion is not None
    out = _outside(seal)
    return Happening(
        "detour",
        out.from_s,
        out.to_s,
        ("ROUTE_DEVIATION",),
        detail={"offset_m": round(abs(draft.excursion.left_m))},
    )


def yard_places(track: Track) -> list[float]:
    """Prohibited zones large enough to stand in."""
    return [s.chainage_m for s in track.forbidden if s.along_m > NARROW_M]


def stage_trespass(draft: Draft, chainage_m: float) -> None:
    """Drive into a prohibited zone and stand there for some minutes."""
    site = draft.target = _site_at(draft, chainage_m)
    draft.excursion = Excursion(chainage_m - 350, chainage_m + 350, site.left_m, 32.0)
    draft.halts.append(Halt(chainage_m, float(draft.rng.uniform(200.0, 420.0)), site.left_m))


def tell_trespass(draft: Draft, seal: Seal, _onset_s: float) -> Happening:
    """It is inside from the first to the last node within the zone."""
    assert draft.target is not None
    inside = _inside(draft.target.place, seal.drive)
    return Happening(
        "trespass",
        inside.from_s,
        inside.to_s,
        ("PROHIBITED_ZONE", "ROUTE_DEVIATION"),
        object=draft.target.place.id,
    )


def strip_places(track: Track) -> list[float]:
    """Prohibited zones narrow enough to be crossed between two fixes."""
    return [s.chainage_m for s in track.forbidden if s.along_m <= NARROW_M]


def stage_dash(draft: Draft, chainage_m: float) -> None:
    """Cross a narrow prohibited zone at speed."""
    site = draft.target = _site_at(draft, chainage_m)
    draft.excursion = Excursion(chainage_m - 900, chainage_m + 900, site.left_m, 60.0)


def tell_dash(draft: Draft, seal: Seal, _onset_s: float) -> Happening:
    """No fix falls into the crossing, nor within 3 s (50 m) of it."""
    assert draft.target is not None
    inside = _inside(draft.target.place, seal.drive)
    seal.unseen.append(Span(inside.from_s - 3.0, inside.to_s + 3.0))
    detail = {"inferred": True}
    expect = ("PROHIBITED_ZONE", "ROUTE_DEVIATION")
    return Happening("dash", inside.from_s, inside.to_s, expect, object=draft.target.place.id, detail=detail)


def stop_places(track: Track) -> list[float]:
    """Open road: away from approved stops, checkpoints, tunnels and both ends."""
    road = track.road
    open_m = np.arange(6000.0, road.length_m - 6000.0, PLACE_STEP_M)
    taken = [s.chainage_m for s in (*track.allowed, *track.forbidden)] + [
        s.chainage_m for s in track.passed if s.along_m < POINTLIKE_M
    ]
    free = [c for c in open_m if all(abs(c - t) > APART_M for t in taken)]
    return [float(c) for c in free if not any(t.from_m - 500 < c < t.to_m + 500 for t in road.tunnels)]


def stage_stray_stop(draft: Draft, chainage_m: float) -> None:
    """Stand on the shoulder for 22 to 50 minutes."""
    draft.halts.append(Halt(chainage_m, float(draft.rng.uniform(22.0, 50.0)) * 60.0, -8.0))


def tell_stray_stop(draft: Draft, seal: Seal, _onset_s: float) -> Happening:
    """It stands from its arrival at the place to its leaving."""
    halt = draft.halts[-1]
    arrival_s = seal.drive.time_at(halt.chainage_m)
    return Happening("stray_stop", arrival_s, arrival_s + halt.dwell_s, ("STOP_UNPLANNED",))


def edge_places(track: Track) -> list[float]:
    """Ten kilometres of one half-width."""
    starts = np.arange(10_000.0, track.road.length_m - 20_000.0, PLACE_STEP_M)
    widths = [track.road.half_width_at(np.array([c - 1500, c, c + 5000, c + 12_000])) for c in starts]
    return [float(c) for c, w in zip(starts, widths, strict=True) if np.ptp(w) == 0]


def stage_edge(draft: Draft, chainage_m: float) -> None:
    """Drive four metres inside the corridor's edge for ten kilometres: the noise is over the line again and again."""
    width_m = float(draft.track.road.half_width_at(np.array([chainage_m]))[0])
    draft.excursion = Excursion(chainage_m + 500, chainage_m + 10_500, width_m - INSIDE_M, 58.0)


def tell_edge(draft: Draft, seal: Seal, _onset_s: float) -> Happening:
    """Inside all the time, so nothing is to be raised; a good receiver, since with a bad one it might."""
    assert draft.excursion is not None
    seal.sigma_m = min(seal.sigma_m, EDGE_SIGMA_M)
    from_s, to_s = (seal.drive.time_at(c) for c in (draft.excursion.from_m, draft.excursion.to_m))
    return Happening("edge", from_s, to_s, near_miss_of=("ROUTE_DEVIATION",))


def rest_places(track: Track) -> list[float]:
    """Rest areas."""
    return [s.chainage_m for s in track.rests]


def stage_long_rest(draft: Draft, chainage_m: float) -> None:
    """Rest for 28 to 37 minutes where that is allowed."""
    site = draft.target = next(s for s in draft.track.rests if s.chainage_m == chainage_m)
    draft.halts.append(Halt(chainage_m, float(draft.rng.uniform(28.0, 37.0)) * 60.0, site.left_m))


def tell_long_rest(draft: Draft, seal: Seal, _onset_s: float) -> Happening:
    """A stop, but no unplanned one."""
    return replace(
        tell_stray_stop(draft, seal, 0.0),
        what="long_rest",
        expect=(),
        near_miss_of=("STOP_UNPLANNED",),
        object=_target_id(draft),
    )


def stage_overstay(draft: Draft, chainage_m: float) -> None:
    """Rest for 70 to 85 minutes where an hour is allowed."""
    stage_long_rest(draft, chainage_m)
    draft.halts[-1] = replace(draft.halts[-1], dwell_s=float(draft.rng.uniform(70.0, 85.0)) * 60.0)


def tell_overstay(draft: Draft, seal: Seal, _onset_s: float) -> Happening:
    """Where one may stop, but not for so long."""
    return replace(tell_long_rest(draft, seal, 0.0), what="overstay", expect=("STOP_OVERRUN",))


def tell_sleeper(draft: Draft, seal: Seal, _onset_s: float) -> Happening:
    """The seal sleeps while the truck rests and reports once or twice: quiet, but not lost."""
    rest = tell_long_rest(draft, seal, 0.0)
    seal.sleeps.append(Span(round(rest.from_s) + 90.0, round(rest.to_s) - 60.0))
    return replace(rest, what="sleeper", near_miss_of=("SIGNAL_LOST", "STOP_UNPLANNED", "UNOBSERVED_GAP"))


@dataclass(frozen=True, slots=True)
class RoadPlot:
    """A plot that needs a place: where it may be, how to stage it, and what is true once the drive is known."""

    places: Callable[[Track], list[float]]
    stage: Callable[[Draft, float], None]
    tell: Callable[[Draft, Seal, float], Happening]


ROAD_PLOTS: Mapping[str, RoadPlot] = {
    "detour": RoadPlot(detour_places, stage_detour, tell_detour),
    "trespass": RoadPlot(yard_places, stage_trespass, tell_trespass),
    "dash": RoadPlot(strip_places, stage_dash, tell_dash),
    "stray_stop": RoadPlot(stop_places, stage_stray_stop, tell_stray_stop),
    "edge": RoadPlot(edge_places, stage_edge, tell_edge),
    "long_rest": RoadPlot(rest_places, stage_long_rest, tell_long_rest),
    "overstay": RoadPlot(rest_places, stage_overstay, tell_overstay),
    "sleeper": RoadPlot(rest_places, stage_long_rest, tell_sleeper),
}


def _site_at(draft: Draft, chainage_m: float) -> Site:
    return next(s for s in draft.track.forbidden if s.chainage_m == chainage_m)


def _target_id(draft: Draft) -> str | None:
    return draft.target.place.id if draft.target else None


def _inside(place: Place, drive: Drive) -> Span:
    """First to last moment inside a place, to a second: nodes are too far apart for a narrow one."""
    nodes = np.flatnonzero(place.holds(drive.lon, drive.lat))
    times = np.arange(float(drive.time_s[nodes[0] - 1]), float(drive.time_s[nodes[-1] + 1]), 0.5)
    lon, lat = np.interp(times, drive.time_s, drive.lon), np.interp(times, drive.time_s, drive.lat)
    seconds = times[place.holds(lon, lat)]
    return Span(float(seconds[0]), float(seconds[-1]))


def _outside(seal: Seal) -> Span:
    """First to last moment more than half-width + 30 m beside the line."""
    drive = seal.drive
    away = np.flatnonzero(np.abs(drive.left_m) > seal.road.half_width_at(drive.chainage_m) + 30.0)
    return Span(float(drive.time_s[away[0]]), float(drive.time_s[away[-1]]))
