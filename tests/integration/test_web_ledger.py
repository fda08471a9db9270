"""The ledger over HTTP: pages of links, single ones by unit, checkpoints, and bundles that prove themselves."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from store_stories import START_MS
from web_support import World, assert_problem, make_episode

from seal_tracker.ledger.checkpoints import public_bytes, read_checkpoint
from seal_tracker.model import LIVE, Event, PingBatch, event_id, iso_ms
from seal_tracker.publishing.cloudevents import cloud_event
from seal_tracker.store import Action, Commit, Store
from seal_tracker.tracks import FORMATS, DeviceTrack
from seal_tracker.web.account_changes import Change
from seal_tracker.web.context import Live

pytest_plugins = ["web_fixtures"]

LEDGER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
"""The fixture's."""

LINKS = 5


class WithTracks:
    """The fleet of the fixture, and of each journey a unit and no track."""

    def __init__(self, fleet: Live, store: Store) -> None:
        self._fleet = fleet
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._fleet, name)

    async def journey(self, space: str, journey: str) -> Any:
        plan = self._fleet.plan(space)
        return next((j for j in plan.journeys if j.id == journey), None) if plan else None

    async def act(self, space: str, work: Any) -> None:
        _, deed = await work(None)
        await self._store.commit(Commit(space=space, actions=deed.actions))

    async def tracks(self, _space: str, journey: Any) -> Sequence[Any]:
        return [DeviceTrack("S-1", "seal", PingBatch.empty(), START_MS)] if journey.id == "J2" else []


def told(number: int, journey: str, unit: str) -> Commit:
    """A commit with an event of a journey, and what an officer did about it."""
    one = make_episode(number, journey=journey, unit=unit, evidence={"fixes": [{"lon": 106.1, "lat": 20.1}]})
    event = Event(
        id=event_id(one.episode, 1), sequence=number, space=LIVE, episode=one, transition="raised", revision=1,
        time_ms=one.raised_at_ms, recorded_ms=one.raised_at_ms, late=False,
    )  # fmt: skip
    action = Action(START_MS, "lan", "operator", "alarm.close", "alarm/1", journey, unit, b'{"reason":"ok"}')
    return Commit(
        space=LIVE,
        episodes=[(one, 1, False)],
        events=[event],
        event_bodies=[cloud_event(event, "demo")],
        actions=[action],
    )


@pytest.fixture
async def world(world: World) -> World:
    """With a ledger: odd links of J1 and unit u1, even ones of J2 and u2; before them what the accounts' making left."""
    object.__setattr__(world.context, "live", WithTracks(world.fleet, world.store))
    before = (await world.store.ledger_head()).number
    for number in range(1, LINKS + 1):
        await world.store.commit(told(number, f"J{2 - number % 2}", f"u{2 - number % 2}"))
    world.first = before + 1
    return world


async def head_of_unit(world: World, unit: str) -> None:
    """The unit head answers for this unit from now on."""
    account = world.accounts.get("unit_head")
    assert account is not None
    edited = account._replace(unit=unit, version=account.version + 1)
    await world.context.keeper.change(lambda: Change((edited,)))


async def test_links_come_newest_first_page_by_page(world: World) -> None:
    """With the key that signs; a link appended meanwhile moves nothing."""
    page = (await world.ask("/api/v1/ledger?limit=3", "auditor")).json()
    assert page["ledger"] == "/seal-tracker/demo"
    assert page["fingerprint"] == sha256(public_bytes(LEDGER_KEY)).hexdigest()
    assert "BEGIN PUBLIC KEY" in page["public_key"]
    newest = [item["number"] for item in page["items"]]
    await world.store.commit(told(100, "J1", "u1"))
    rest = (await world.ask(f"/api/v1/ledger?limit=1000&after={page['next']}", "auditor")).json()
    numbers = newest + [item["number"] for item in rest["items"]]
    assert numbers == list(range(world.first + LINKS - 1, 0, -1))
    assert rest["next"] is None
    for item, before in zip(page["items"], page["items"][1:], strict=False):
        assert item["previous"] == before["hash"]


async def test_links_of_a_journey_are_found(world: World) -> None:
    """And no others."""
    found = (await world.ask("/api/v1/ledger?journey=J2", "auditor")).json()
    assert [item["number"] - world.first for item in found["items"]] == [3, 1]
    assert (await world.ask("/api/v1/ledger?journey=J3", "auditor")).json()["items"] == []


async def test_a_track_of_dropped_pings_says_so_in_a_header(world: World) -> None:
    """One that is empty for want of pings has none."""
    for name in FORMATS:
        answers = [await world.ask(f"/api/v1/tracks/{journey}?format={name}") for journey in ("J1", "J2")]
        told = [(answer.status, answer.headers.get("Pings-Gone-Until")) for answer in answers]
        assert told == [(200, None), (200, iso_ms(START_MS))], name


async def test_a_link_shows_its_entries_and_what_stands_for_them(world: World) -> None:
    """The text is what was hashed, byte for byte."""
    found = (await world.ask(f"/api/v1/ledger/links/{world.first}", "auditor")).json()
    assert [sha256(e["text"].encode()).hexdigest() for e in found["entries"]] == [
        e["sha256"] for e in found["entries"]
    ]
    event, action, index, states = (json.loads(e["text"]) for e in found["entries"])
    assert index == {"index": {"after": 0, "entries": 2}, "journey": "J1"}
    assert states["states"].keys() == {"episode/" + event["data"]["properties"]["episode"]}
    assert event["data"]["properties"]["evidence"]["fixes"] == [{"lon": 106.1, "lat": 20.1}]
    assert (action["action"], action["actor"], action["body"]) == ("alarm.close", "lan", {"reason": "ok"})
    digests = b"".join(bytes.fromhex(e["sha256"]) for e in found["entries"])
    assert sha256(digests).hexdigest() == found["entries_hash"]


async def test_a_unit_is_shown_what_is_its_own(world: World) -> None:
    """Of others' entries the hash, of others' journeys nothing."""
    await head_of_unit(world, "u1")
    own = (await world.ask(f"/api/v1/ledger/links/{world.first}", "unit_head")).json()
    assert [bool(entry["text"]) for entry in own["entries"]] == [True, True, False, False]
    others = (await world.ask(f"/api/v1/ledger/links/{world.first + 1}", "unit_head")).json()
    assert [entry["text"] for entry in others["entries"]] == [None, None, None, None]
    for path in ("/api/v1/ledger?journey=J2", "/api/v1/ledger/bundles/J2", "/api/v1/ledger/bundles/J1"):
        assert_problem(await world.ask(path, "unit_head"), 404, "journey")  # the plan gives J1 no unit


@pytest.mark.parametrize("role", ["operator", "supervisor", "integrator", "gateway"])
async def test_the_ledger_is_for_those_who_audit(world: World, role: str) -> None:
    """Every route of it."""
    for path in ("", "/links/1", "/checkpoints", "/bundles/J1"):
        assert_problem(await world.ask(f"/api/v1/ledger{path}", role), 403)


@pytest.mark.parametrize(
    ("path", "status", "field"),
    [
        ("/links/0", 404, "number"),
        ("/links/99999", 404, "number"),
        ("/links/99999999999999999999999999", 404, "number"),
        ("/links/x", 404, "number"),
        ("/links/%C2%B2", 404, "number"),
        ("/bundles/J3", 404, "journey"),
        ("/bundles/a%20b", 404, "journey"),
        ("?limit=0", 400, "limit"),
        ("?journey=a%20b", 400, "journey"),
        ("?after=x", 400, "after"),
        ("?space=live", 400, "space"),
        ("/checkpoints?after=x", 400, "after"),
        ("/links/1?a=1", 400, "a"),
        ("/bundles/J1?a=1", 400, "a"),
    ],
)
async def test_what_is_not_there_or_not_meant_is_refused_by_name(
    world: World, path: str, status: int, field: str
) -> None:
    """404 or 400, and the field."""
    assert_problem(await world.ask(f"/api/v1/ledger{path}", "auditor"), status, field)


async def test_a_bundle_is_signed_up_to_now_and_proves_itself(world: World, tmp_path: Path) -> None:
    """To a Python that has nothing of the project; what came after it is signed anew, and checkpoints are listed."""
    answer = await world.ask("/api/v1/ledger/bundles/J2", "auditor")
    assert answer.headers["Content-Type"] == "application/zip"
    assert 'filename="J2.zip"' in answer.headers["Content-Disposition"]
    path = tmp_path / "J2.zip"
    path.write_bytes(answer.body)
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-I", path], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "Journey J2: 5 entries proven, none left out since link " in done.stdout
    assert "episodes.ndjson, track.geojson" in done.stdout
    await world.store.commit(told(50, "J2", "u2"))
    assert (await world.ask("/api/v1/ledger/bundles/J2", "auditor")).status == 200
    listed = (await world.ask("/api/v1/ledger/checkpoints?limit=1", "auditor")).json()
    [newest] = listed["items"]
    head = await world.store.ledger_head()
    said = read_checkpoint(newest["jws"])
    assert (said.number, said.hash, said.key) == (*head, public_bytes(LEDGER_KEY))
    older = (await world.ask(f"/api/v1/ledger/checkpoints?after={listed['next']}", "auditor")).json()
    assert [item["number"] for item in older["items"]] == [head.number - 2]  # the export is a link of its own
