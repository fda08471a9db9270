"""Stories of pings: a plan drawn in metres, a timed script of pings in, episodes out.

The story's plane has its origin at 106.0 E, 20.0 N; x is metres east, y metres north. Its clock is in seconds from
`T0_MS`. `told` judges a story in one batch and ping by ping, and insists that both tell the same.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias
from uuid import UUID

import numpy as np

from seal_tracker.decoders.columns import to_batch
from seal_tracker.decoders.native import decode
from seal_tracker.episodes_file import episode_line, in_file_order
from seal_tracker.journey import Journey
from seal_tracker.judge import judge, judge_now
from seal_tracker.model import LIVE, NO_TIME, Episode, PingBatch, iso_ms
from seal_tracker.plans.folder import load_files
from seal_tracker.plans.model import Plan
from seal_tracker.rules.context import Terrain
from seal_tracker.tracking.epochs import Facts, JourneyTable, Version
from seal_tracker.tracking.heartbeats import device_name
from seal_tracker.tracking.order import effective_time_ms, fresh
from seal_tracker.tracking.state import SealStates
from seal_tracker.tracking.terrains import terrain_of
from seal_tracker.tracking.validity import heartbeats_in_force, with_routes_in_force

T0_MS = 1_790_000_000_000
"""Beginning of every story: 2026-09-21T14:13:20Z."""

LON0, LAT0 = 106.0, 20.0
M_PER_DEG_LAT = 110_704.0
M_PER_DEG_LON = 104_647.0

_TERRAINS: dict[int, tuple[Plan, Terrain]] = {}

Ping: TypeAlias = dict[str, Any]
"""A native ping; a member ``of`` names another seal than S1, ``received_s`` when it came, if not at its fix time."""


def at(x_m: float, y_m: float) -> list[float]:
    """A place of the story's plane as [lon, lat]."""
    return [round(LON0 + x_m / M_PER_DEG_LON, 7), round(LAT0 + y_m / M_PER_DEG_LAT, 7)]


def square(x_m: float, y_m: float, half_m: float) -> list[list[list[float]]]:
    """Rings of a square around a place."""
    corners = [(-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1)]
    return [[at(x_m + dx * half_m, y_m + dy * half_m) for dx, dy in corners]]


@dataclass
class Ground:
    """A plan in the making; its methods return it, so that a plan is one sentence."""

    zones: list[dict[str, Any]] = field(default_factory=list)
    routes: list[dict[str, Any]] = field(default_factory=list)
    journeys: list[dict[str, Any]] = field(default_factory=list)
    policies: str = ""
    cameras: list[dict[str, Any]] = field(default_factory=list)
    licences: list[dict[str, Any]] = field(default_factory=list)
    calendars: list[dict[str, Any]] = field(default_factory=list)

    def zone(self, name: str, x_m: float, y_m: float, half_m: float, kind: str, **more: Any) -> Ground:
        """A square zone around a place."""
        geometry = {"type": "Polygon", "coordinates": square(x_m, y_m, half_m)}
        properties = {"name": name, "kind": kind, **more}
        self.zones.append({"type": "Feature", "id": name, "geometry": geometry, "properties": properties})
        return self

    def route(
        self, name: str, *points: tuple[float, float], half_width_m: float = 200, **more: Any
    ) -> Ground:
        """A corridor along some places."""
        geometry = {"type": "LineString", "coordinates": [at(*p) for p in points]}
        properties = {"name": name, "half_width_m": half_width_m, **more}
        self.routes.append({"type": "Feature", "id": name, "geometry": geometry, "properties": properties})
        return self

    def journey(
        self, seal: str = "S1", *, armed_s: float = 0, disarmed_s: float | None = None, **more: Any
    ) -> Ground:
        """A journey of a seal, armed from the story's beginning; its id is ``J-`` and the seal's."""
        one = {"id": f"J-{seal}", "seal": seal, "regime": "transit", "armed_at": iso(armed_s), **more}
        if disarmed_s is not None:
            one["disarmed_at"] = iso(disarmed_s)
        self.journeys.append(one)
        return self

    def policy(self, table: str, **keys: Any) -> Ground:
        """One more table of policies.toml."""
        lines = [f"{key} = {json.dumps(value)}" for key, value in keys.items()]
        self.policies += f"[{table}]\n" + "\n".join(lines) + "\n"
        return self

    def equipment(self, name: str, heartbeat_s: float = 60, **more: Any) -> Ground:
        """A camera at the middle of the plane; its pings are ``of`` equip/NAME."""
        lon, lat = at(0, 0)
        one = {"id": name, "kind": "camera", "lon": lon, "lat": lat, "heartbeat_s": heartbeat_s, **more}
        self.cameras.append(one)
        return self

    def licence(self, name: str = "L-1", **more: Any) -> Ground:
        """A licence for coal of the zone ``mine``."""
        one = {"id": name, "number": f"{name}/GP", "holder": "Than A", "mineral": "coal", "mines": ["mine"]}
        self.licences.append(one | more)
        return self

    def files(self) -> dict[str, str]:
        """What stands in the plan's folder, by name."""
        collection = {"type": "FeatureCollection"}
        licences = "\n".join(json.dumps(one) for one in self.licences)
        return (
            ({"licences.jsonl": licences} if self.licences else {})
            | {
                "zones.geojson": json.dumps(collection | {"features": self.zones}),
                "routes.geojson": json.dumps(collection | {"features": self.routes}),
                "journeys.jsonl": "\n".join(json.dumps(j) for j in self.journeys),
                "policies.toml": self.policies,
                "equipment.jsonl": "\n".join(json.dumps(c) for c in self.cameras),
            }
            | ({"calendars.jsonl": "\n".join(map(json.dumps, self.calendars))} if self.calendars else {})
        )

    def plan(self, version: int = 1) -> Plan:
        """The plan, read as from its folder; an error in it fails the test."""
        plan, faults = load_files(self.files())
        assert plan is not None, [f for f in faults if f.level == "error"]
        return replace(plan, version=version)


def iso(seconds: float) -> str:
    """A moment of the story as it is written."""
    return iso_ms(T0_MS + round(seconds * 1000))


def ping(seconds: float, x_m: float | None = None, y_m: float = 0.0, **more: Any) -> Ping:
    """A native ping at a moment and place of the story; without a place, without a fix."""
    one: Ping = {"time": iso(seconds)}
    if x_m is None:
        one["valid"] = False
    else:
        one["lon"], one["lat"] = at(x_m, y_m)
    return one | more


def drive(
    start_s: float, end_s: float, every_s: float, speed_m_s: float = 15.0, y_m: float = 0.0, **more: Any
) -> list[Ping]:
    """Pings of a truck driving east along y, at x = speed · t."""
    n = math.floor((end_s - start_s) / every_s) + 1
    return [ping(start_s + i * every_s, speed_m_s * (start_s + i * every_s), y_m, **more) for i in range(n)]


def batch(pings: Iterable[Mapping[str, Any]], numbers: Mapping[str, int], seal: str = "S1") -> PingBatch:
    """Native pings as a batch in the order given."""
    rows = list(pings)
    own = ("of", "received_s")
    decoded = [
        decode(json.dumps({k: v for k, v in p.items() if k not in own}).encode()).pings[0] for p in rows
    ]
    seals = np.array([numbers[p.get("of", seal)] for p in rows], np.int32)
    received = [
        T0_MS + round(p["received_s"] * 1000) if "received_s" in p else round(d.time.timestamp() * 1000)
        for p, d in zip(rows, decoded, strict=True)
    ]
    return to_batch(decoded, seals, np.array(received, np.int64))


@dataclass
class Core:
    """The core as a service would drive it forward, without broker or database: batches in, episodes out.

    ``later`` are more versions of the plan, (in force from, plan) ascending; ``journeys`` unset: those of the newest.
    """

    plan: Plan
    later: Sequence[tuple[float, Plan]] = ()
    journeys: tuple[Journey, ...] = ()

    def __post_init__(self) -> None:
        newest = self.later[-1][1] if self.later else self.plan
        plans = (self.plan, *(plan for _, plan in self.later))
        journeys = [j for p in (self.plan, newest) for j in p.journeys]
        names = sorted({s.device for j in journeys for s in j.watched} | {"S1", "S2"})
        names += sorted({device_name(e.id) for plan in plans for e in plan.equipment})
        self.numbers = {name: i + 1 for i, name in enumerate(names)}
        self.states = SealStates()
        self.episodes: dict[UUID, Episode] = {}
        self.versions = (
            Version(NO_TIME, self.plan, terrain(self.plan)),
            *(Version(T0_MS + round(s * 1000), p, terrain(p)) for s, p in self.later),
        )
        self.journeys = self.journeys or newest.journeys
        self._table = JourneyTable.build(self.journeys, self.numbers)
        self._judged_by = with_routes_in_force(self.versions)
        self._heartbeats = heartbeats_in_force(self.versions, self._judged_by, self.numbers)

    def facts(self, now_ms: int | None = None) -> Facts:
        """What the story is judged by."""
        names = {n: name for name, n in self.numbers.items()}
        return Facts(LIVE, self._judged_by, self._table, names, now_ms, self._heartbeats)

    def feed(self, pings: PingBatch) -> dict[str, int]:
        """Judge a batch, and say what was discarded."""
        verdict = judge(self.states, pings.take(fresh(pings)), self.facts())
        verdict.install(self.states)
        self.episodes |= verdict.touched
        return verdict.counts

    def pass_time(self, now_s: float) -> None:
        """Let the canary be heard."""
        verdict = judge_now(self.states, self.facts(T0_MS + round(now_s * 1000)))
        verdict.install(self.states)
        self.episodes |= verdict.touched

    def tell(self, pings: Iterable[Mapping[str, Any]], now_s: float | None = None) -> list[Episode]:
        """Judge pings in one batch, then the clock; episodes so far in the order of the episodes file."""
        self.feed(batch(pings, self.numbers))
        if now_s is not None:
            self.pass_time(now_s)
        return in_file_order(self.episodes.values())

    def lines(self) -> bytes:
        """The episodes file."""
        return b"".join(episode_line(e) for e in in_file_order(self.episodes.values()))


def terrain(plan: Plan) -> Terrain:
    """What a plan is judged as, worked out once."""
    known = _TERRAINS.get(id(plan))
    if known is None or known[0] is not plan:
        known = _TERRAINS[id(plan)] = plan, terrain_of(plan)
    return known[1]


def moment_by_moment(pings: PingBatch) -> list[PingBatch]:
    """Pings cut into the smallest batches that arrive in order: those of one effective time each."""
    when = effective_time_ms(pings)
    return [pings.take(when == t) for t in np.unique(when)]


def told(
    ground: Ground,
    pings: Sequence[Mapping[str, Any]],
    now_s: float | None = None,
    later: Sequence[tuple[float, Plan]] = (),
) -> list[Episode]:
    """Episodes of a story in the order of the episodes file; the same judged in one batch and ping by ping."""
    plan = ground.plan()
    whole, cut = Core(plan, later), Core(plan, later)
    episodes = whole.tell(pings, now_s)
    for one in moment_by_moment(batch(pings, cut.numbers)):
        cut.feed(one)
    if now_s is not None:
        cut.pass_time(now_s)
    assert cut.lines().decode() == whole.lines().decode(), "ping by ping differs from one batch"
    return episodes


def only(episodes: Iterable[Episode], rule: str) -> list[Episode]:
    """Those of one rule."""
    return [e for e in episodes if e.type == rule]


def one(episodes: Iterable[Episode], rule: str) -> Episode:
    """The only one of a rule."""
    found = only(episodes, rule)
    assert len(found) == 1, f"{len(found)} episodes of {rule}, expected one: {found}"
    return found[0]


def seconds(time_ms: int | None) -> float | None:
    """A time of the story in its own seconds."""
    return None if time_ms is None else (time_ms - T0_MS) / 1000


def span(episode: Episode) -> tuple[Any, ...]:
    """Started, raised, ended, cleared in the story's seconds."""
    times = (episode.started_at_ms, episode.raised_at_ms, episode.ended_at_ms, episode.cleared_at_ms)
    return tuple(seconds(t) for t in times)
