"""What the judging of a space knows of one seal, for who commands it. Read off its state; no state of its own."""

from __future__ import annotations

import numpy as np

from seal_tracker.downlink.unlocking import SealFacts
from seal_tracker.model import NO_TIME, Lock
from seal_tracker.space import SpaceJudge

__all__ = ["facts_of"]


def facts_of(judging: SpaceJudge, seal: str, now_ms: int) -> SealFacts | None:
    """What is known of a seal now; None: nobody has ever heard of it."""
    number = judging.numbers.get(seal)
    if number is None:
        return None
    none, now = np.zeros(1, np.int64), np.array([now_ms], np.int64)
    (at,) = judging.journeys.at(np.array([number], np.int64), none, now).tolist()
    track = judging.states.one(number).row["track"][0]
    fix_ms = None if track["fix_ms"] == NO_TIME else int(track["fix_ms"])
    zones, kinds = (frozenset[str](),) * 2 if fix_ms is None else _zones_at(judging, track, fix_ms)
    journey = None if at < 0 else judging.journeys.journeys[at]
    return SealFacts(seal, journey, Lock(int(track["last_lock"])), fix_ms, zones, kinds)


def _zones_at(judging: SpaceJudge, track: np.void, fix_ms: int) -> tuple[frozenset[str], frozenset[str]]:
    """Ids and kinds of the zones in force that hold the last fix."""
    version = judging.versions[-1]
    terrain = version.terrain
    lon, lat = (np.array([track[name]], np.int64) for name in ("fix_lon", "fix_lat"))
    _, held = terrain.zones.holding(lon, lat)
    held = held[terrain.in_force(held, np.full(len(held), fix_ms, np.int64))]
    zones = [version.plan.zones[zone] for zone in held.tolist()]
    return frozenset(zone.id for zone in zones), frozenset(kind for zone in zones for kind in zone.kinds)
