"""A journey being planned, and the words for it: what lies along a road, what will happen there, what is true of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from simulators.drive import Excursion, Halt
from simulators.places import Place, load_places
from simulators.roads import Road, load_roads

__all__ = ["Draft", "Happening", "Site", "Track", "load_tracks"]

BESIDE_M = 2000.0
"""A zone further from the line than this has nothing to do with the road."""
ON_ROAD_M = 30.0
"""A bridge this near to a road is one of its own, not that of another beside it."""
REST_BESIDE_M = 250.0
"""A rest area further off cannot be driven into without leaving the corridor."""


@dataclass(frozen=True, slots=True)
class Site:
    """A place as seen from a road: chainage of its middle, metres left of the line, its length along the road."""

    place: Place
    chainage_m: float
    left_m: float
    along_m: float


@dataclass(frozen=True, slots=True)
class Track:
    """A road with all that lies along it."""

    road: Road
    rests: tuple[Site, ...]
    forbidden: tuple[Site, ...]
    allowed: tuple[Site, ...]
    """Where a stop is no stop: rest areas, ports, gates."""
    passed: tuple[Site, ...]
    """Checkpoints and zones of interest that the road leads through."""
    structures: tuple[Site, ...] = ()
    """Bridges that it leads over."""


@dataclass(slots=True)
class Draft:
    """A journey being planned: what the truck will do on the road."""

    track: Track
    rng: np.random.Generator
    halts: list[Halt] = field(default_factory=list)
    excursion: Excursion | None = None
    target: Site | None = None

    def drop_rests(self, from_m: float, to_m: float) -> None:
        """No rest is taken while something else happens."""
        self.halts = [h for h in self.halts if not from_m - 3000 < h.chainage_m < to_m + 3000]


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of the truth; seconds from the journey's start, ``expect`` the events that default limits should give."""

    what: str
    from_s: float
    to_s: float
    expect: tuple[str, ...] = ()
    near_miss_of: tuple[str, ...] = ()
    object: str | None = None
    detail: Mapping[str, float | str | bool] = field(default_factory=dict)


def load_tracks(folder: Path) -> dict[str, Track]:
    """All roads of a plan folder, each with what lies along it."""
    places = load_places(folder)
    return {id_: _track(road, list(places.values())) for id_, road in load_roads(folder).items()}


def _track(road: Road, places: list[Place]) -> Track:
    sites = [s for p in places if (s := _site(road, p)) is not None]
    passed = [s for s in sites if s.place.id in road.checkpoints or "interest" in s.place.kinds]
    allowed = [s for s in sites if "approved_stop" in s.place.kinds]
    rests = [s for s in allowed if abs(s.left_m) < REST_BESIDE_M and not s.place.kinds & {"port", "gate"}]
    forbidden = [s for s in sites if "prohibited" in s.place.kinds]
    bridges = [s for s in sites if "structure" in s.place.kinds and abs(s.left_m) < ON_ROAD_M]
    return Track(road, tuple(rests), tuple(forbidden), tuple(allowed), tuple(passed), tuple(bridges))


def _site(road: Road, place: Place) -> Site | None:
    chainage_m, left_m = road.nearest(*place.centre)
    if "jurisdiction" in place.kinds or abs(left_m) > BESIDE_M + (place.radius_m or 0.0):
        return None
    corners = [road.nearest(x, y)[0] for x, y in zip(place.lon, place.lat, strict=True)]
    along_m = 2.0 * place.radius_m if place.radius_m is not None else max(corners) - min(corners)
    return Site(place, chainage_m, left_m, along_m)
