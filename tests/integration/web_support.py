"""The HTTP side on a real database and a real socket, for the tests named ``test_web_*``."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import aiohttp
import msgspec
from prometheus_client import CollectorRegistry

from geofences.catalog import Fault
from seal_tracker.deeds import Deed
from seal_tracker.model import LIVE, Episode, Event, Severity, episode_id, event_id
from seal_tracker.plans import Plan, load_files
from seal_tracker.prepared import Prepared
from seal_tracker.publishing.cloudevents import cloud_event
from seal_tracker.store import Commit, EpisodeRow, Store
from seal_tracker.web.account_changes import Change
from seal_tracker.web.account_files import KeptAccounts, read_credentials
from seal_tracker.web.account_import import import_accounts
from seal_tracker.web.accounts import Accounts
from seal_tracker.web.context import Check, WebContext
from seal_tracker.web.keeper import AccountKeeper
from seal_tracker.web.passwords import hash_password
from seal_tracker.web.runner import WebServer, start_web
from seal_tracker.web.sse import Hub
from seal_tracker.web.wire import PositionRow, UnderWay

NOON_MS = 1795320000000
ROLES = ("gateway", "integrator", "operator", "supervisor", "unit_head", "auditor", "administrator")
CREDENTIALS = {
    role: {"username": role, "password": f"{role}'s password", "token": f"token-of-{role}"} for role in ROLES
}


@functools.cache
def hashed(password: str) -> str:
    """Its hash, made once in a run: it takes tens of ms."""
    return hash_password(password)


def rows_of(credentials: Mapping[str, Mapping[str, str]]) -> Change:
    """Accounts and tokens of credentials, as a first start makes them."""
    kept = KeptAccounts("file", read_credentials(msgspec.json.encode(credentials)))
    hashes = {entry.username: hashed(entry.password or "") for entry in kept.entries}
    return import_accounts(Accounts(), kept, hashes, NOON_MS).change


async def keeper_on(
    store: Store, credentials: Mapping[str, Mapping[str, str]] = CREDENTIALS
) -> AccountKeeper:
    """A keeper of accounts on a real store that has those of the credentials; its deeds are committed there."""

    async def act(space: str, work: Callable[[Any], Awaitable[tuple[Prepared, Deed]]]) -> None:
        _, deed = await work(None)
        await store.commit(
            Commit(space=space, actions=deed.actions, accounts=deed.accounts, tokens=deed.tokens)
        )

    keeper = AccountKeeper(store, act)
    await keeper.change(lambda: rows_of(credentials))
    return keeper


def zone(name: str, lon: float, **properties: Any) -> dict[str, Any]:
    ring = [[lon, 20.0], [lon + 0.1, 20.0], [lon + 0.1, 20.1], [lon, 20.1], [lon, 20.0]]
    return {
        "type": "Feature",
        "id": name,
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "properties": {"name": name, "kind": "interest", **properties},
    }


def collection(*features: Mapping[str, Any]) -> str:
    return msgspec.json.encode({"type": "FeatureCollection", "features": features}).decode()


def plan_files(journeys: int = 3) -> dict[str, str]:
    route = {
        "type": "Feature",
        "id": "R1",
        "geometry": {"type": "LineString", "coordinates": [[106.0, 20.0], [106.5, 20.5]]},
        "properties": {"name": "Một đường", "half_width_m": 200},
    }
    rows = [
        {
            "id": f"J{n}",
            "seal": f"S{n}",
            "route": "R1",
            "regime": "transit",
            "armed_at": "2026-11-22T03:00:00Z",
        }
        for n in range(1, journeys + 1)
    ]
    return {
        "zones.geojson": collection(zone("Z1", 106.0), zone("Z2", 106.3)),
        "routes.geojson": collection(route),
        "journeys.jsonl": "\n".join(msgspec.json.encode(row).decode() for row in rows),
        "units.toml": '[u1]\nname = {vi = "Chi cục", en = "Office"}\n',
    }


@dataclass
class Fleet:
    """What the running service would answer from memory: plans that were really read, positions that were given."""

    plans: dict[str, Plan] = field(default_factory=dict)
    rows: dict[str, list[PositionRow]] = field(default_factory=dict)
    parts: list[Check] = field(
        default_factory=lambda: [("broker", True, "connected"), ("ingest", True, "3 s ago")]
    )

    def spaces(self) -> Sequence[str]:
        return [LIVE, *(space for space in self.plans if space != LIVE)]

    def positions(self, space: str) -> Sequence[PositionRow]:
        return self.rows.get(space, [])

    def plan(self, space: str) -> Plan | None:
        return self.plans.get(space)

    def plan_versions(self, space: str) -> Sequence[tuple[int, Plan]]:
        plan = self.plans.get(space)
        return [] if plan is None else [(0, plan)]

    def now_ms(self, _space: str) -> int | None:
        return None

    def under_way(self, space: str, journeys: Iterable[str]) -> Mapping[str, UnderWay]:
        return {}

    def stats_extra(self) -> Mapping[str, int | float]:
        return {"seals_known": len(self.rows.get(LIVE, []))}

    def ready(self) -> Sequence[Check]:
        return self.parts

    async def create_space(self, space: str, files: Mapping[str, str]) -> Sequence[Fault]:
        plan, faults = load_files(dict(files))
        if plan is not None:
            self.plans[space] = plan
        return faults


def make_episode(
    number: int, *, seal: str = "S1", journey: str | None = "J1", ended: bool = False, **more: Any
) -> Episode:
    started_ms = NOON_MS + number * 1000
    severity: Severity = "high"
    values: dict[str, Any] = {
        "episode": episode_id(LIVE, journey or seal, "ROUTE_DEVIATION", str(number), started_ms),
        "type": "ROUTE_DEVIATION",
        "severity": severity,
        "subject_kind": "journey",
        "subject": journey or seal,
        "journey": journey,
        "seal": seal,
        "object": None,
        "started_at_ms": started_ms,
        "raised_at_ms": started_ms + 500,
        "ended_at_ms": started_ms + 900 if ended else None,
        "cleared_at_ms": started_ms + 950 if ended else None,
        "inferred": False,
        "latched": False,
        "evidence": {"cross_track_m": 412.3, "fixes": [{"lon": 106.1, "lat": 20.1}]},
        "plan_version": 1,
        "changed_ms": started_ms + 500,
        "settled_ms": None,
    }
    return Episode(**(values | more))


@dataclass
class World:
    """The served application, its parts, and a client for it."""

    store: Store
    fleet: Fleet
    hub: Hub
    accounts: Accounts
    registry: CollectorRegistry
    context: WebContext
    server: WebServer
    client: aiohttp.ClientSession

    @property
    def url(self) -> str:
        return self.server.url

    async def ask(
        self, path: str, role: str = "administrator", method: str = "GET", **options: Any
    ) -> Answer:
        """One request by token, its body read."""
        headers = {"Authorization": f"Bearer token-of-{role}", **options.pop("headers", {})}
        return await self.raw(path, method, headers=headers, **options)

    async def raw(self, path: str, method: str = "GET", **options: Any) -> Answer:
        """One request as it stands."""
        async with self.client.request(method, self.url + path, **options) as response:
            return Answer(response.status, response.headers.copy(), await response.read())

    async def commit(self, numbers: Sequence[int], *, space: str = LIVE, tell: bool = True) -> None:
        """Store an event for each of these sequences, then tell the hub, as the pipeline does."""
        events = [event_of(number, space) for number in numbers]
        bodies = [cloud_event(event, "demo") for event in events]
        rows = [EpisodeRow(event.episode, 1) for event in events]
        await self.store.commit(Commit(space=space, episodes=rows, events=events, event_bodies=bodies))
        if tell:
            self.hub.publish_events(space, list(zip(numbers, bodies, strict=True)))


@dataclass(frozen=True)
class Answer:
    """A response that was read."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return msgspec.json.decode(self.body)


def event_of(sequence: int, space: str = LIVE) -> Event:
    """The raising of an episode of that number."""
    episode = make_episode(sequence)
    return Event(
        id=event_id(episode.episode, 1),
        sequence=sequence,
        space=space,
        episode=episode,
        transition="raised",
        revision=1,
        time_ms=episode.raised_at_ms,
        recorded_ms=episode.raised_at_ms,
        late=False,
    )


def body_of(sequence: int) -> bytes:
    """The CloudEvent of that."""
    return cloud_event(event_of(sequence), "demo")


def assert_problem(answer: Answer, status: int, field: str | None = None) -> None:
    """It is an RFC 9457 problem of that status, naming that field."""
    assert answer.status == status, answer.body
    assert answer.headers["Content-Type"].split(";")[0] == "application/problem+json"
    problem = answer.json()
    assert {"type", "title", "status", "detail", "instance"} <= set(problem)
    assert problem["status"] == status
    assert problem.get("field") == field, problem


async def eventually(condition: Callable[[], bool | Awaitable[bool]], what: str) -> None:
    """Wait until it holds; the test's own time limit is the end."""
    async with asyncio.timeout(60):
        while True:
            held = condition()
            if held if isinstance(held, bool) else await held:
                return
            await asyncio.sleep(0.01)
    raise AssertionError(what)


async def restarted(world: World, **changes: Any) -> WebServer:
    """Another server over the same database, as after a restart."""
    hub = Hub(position_interval_s=0.02)
    return await start_web(replace(world.context, hub=hub, **changes), "127.0.0.1", 0)
