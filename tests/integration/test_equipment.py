"""Cameras over the real broker: heartbeats in, EQUIPMENT_OFFLINE out; no camera is shown as a seal."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from described import described_session
from parts import PATIENCE_S, Broker, Client
from story import T0_MS, Ground, at

from seal_tracker.app import Ready, running
from seal_tracker.config import Settings

ARMED_S = datetime.now(UTC).timestamp() - T0_MS / 1000 - 5
"""In the story's seconds; the same over a start."""

NAMES = ("zones.geojson", "routes.geojson", "journeys.jsonl", "equipment.jsonl")


@dataclass
class Checkpoint:
    """A running service with two cameras of a heartbeat a second, and what is published and heard there."""

    ready: Ready
    gateway: Client
    told: Client

    def say(self, camera: str, payload: str) -> None:
        self.gateway.publish(f"eseal/v1/{self.ready.tenant}/equip/{camera}/status", payload)

    def pass_by(self, seal: str) -> None:
        """A truck stands before the cameras for half a second."""
        lon, lat = at(0, 0)
        for ago_s in (1.0, 0.5):
            time = (datetime.now(UTC) - timedelta(seconds=ago_s)).isoformat()
            said = {"time": time, "lon": lon, "lat": lat, "valid": True}
            self.gateway.publish(f"eseal/v1/{self.ready.tenant}/dev/{seal}/ping", json.dumps(said))

    def events(self) -> list[tuple[str, str]]:
        """(camera, transition), as heard over MQTT."""
        found = [json.loads(message.payload) for message in self.told.messages]
        return [
            (e["subject"], e["type"].rpartition(".")[2]) for e in found if "EQUIPMENT_OFFLINE" in e["type"]
        ]

    async def hears(self, camera: str, transition: str) -> None:
        wanted, waited_s = (f"equipment/{camera}", transition), 0.0
        while wanted not in self.events():
            assert waited_s < PATIENCE_S, (wanted, self.events())
            await asyncio.sleep(0.1)
            waited_s += 0.1

    async def get(self, path: str) -> Any:
        headers = {"Authorization": f"Bearer {self.ready.accounts['operator']['token']}"}
        async with (
            described_session() as http,
            http.get(self.ready.http + path, headers=headers) as answer,
        ):
            assert answer.status == 200, await answer.text()
            return await answer.json(content_type=None)


def account(ready: Ready, name: str) -> tuple[str, str]:
    given: Mapping[str, str] = ready.accounts[name]
    return given["username"], given["password"]


def write_plan(folder: Path, probed: str | None) -> None:
    ground = Ground().equipment("CAM-1", 1).equipment("CAM-2", 3600).journey(armed_s=ARMED_S)
    if probed is not None:
        probe = {"url": probed, "every_s": 1}
        ground.equipment("READER-1", 3600, kind="reader", probe=probe)
    made = ground.plan()
    folder.mkdir()
    for name in NAMES:
        (folder / name).write_text(made.files[name])


@asynccontextmanager
async def checkpoint(plan: Path, data: Path, probed: str | None = None) -> AsyncIterator[Checkpoint]:
    write_plan(plan, probed)
    settings = Settings(http="127.0.0.1:0", plan=plan, probe_networks="127.0.0.0/8")
    async with running(settings, embedded=data) as ready:
        accounts = {name: account(ready, name) for name in ("gateway", "integrator")}
        broker = Broker("nats", ready.mqtt_host, ready.mqtt_port, ready.tenant, accounts)
        with broker.client("gateway") as gateway, broker.client("integrator") as told:
            told.subscribe(f"eseal/v1/{ready.tenant}/evt/#")
            yield Checkpoint(ready, gateway, told)


async def test_a_camera_that_falls_silent_is_told_and_so_is_its_return(
    open_folder: Path, data_folder: Path
) -> None:
    """By its missed heartbeats, or at once by its last will; what is no camera of ours is kept as a dead letter."""
    async with checkpoint(open_folder / "plan", data_folder) as here:
        here.say("CAM-1", "online")
        here.say("CAM-2", '{"status":"offline","reason":"power"}')
        here.say("CAM-9", "online")
        here.say("CAM-2", "{")
        await here.hears("CAM-2", "raised")
        await here.hears("CAM-1", "raised")
        here.say("CAM-1", '{"status":"online","temp_c":40}')
        here.say("CAM-2", "online")
        await here.hears("CAM-1", "cleared")
        await here.hears("CAM-2", "cleared")
        stats = await here.get("/api/v1/stats")
        assert (stats["pings_stored"], stats["dead_letters"]) == (4, 2)
        assert (await here.get("/api/v1/seals"))["items"] == []
        await told_available(here)
        shown = await here.get("/api/v1/events")
        assert {e["subject"] for e in shown["items"]} == {"equipment/CAM-1", "equipment/CAM-2"}


async def told_available(here: Checkpoint) -> None:
    """Both cameras were away once, and watched since the service began; a page has one, its sum has both."""
    path = "/api/v1/equipment/availability?limit=1"
    first = await here.get(path)
    (camera,), (group,) = first["items"], first["groups"]
    (other,) = (await here.get(f"{path}&after={first['next']}"))["items"]
    assert [camera["id"], other["id"], first["total"]["failures"]] == ["CAM-1", "CAM-2", 2]
    for one in (camera, other):
        assert 0 < one["down_s"] < one["watched_s"]
        assert one["availability"] == round(1 - one["down_s"] / one["watched_s"], 6)
    assert (group["unit"], group["kind"], group["pieces"]) == (None, "camera", 2)
    assert (await here.get(f"{path}&kind=reader"))["total"]["availability"] is None


async def test_a_service_that_starts_again_knows_who_is_silent(open_folder: Path, data_folder: Path) -> None:
    """What was raised stays so over the start, is not told again, and ends with the next heartbeat. A truck that passed meanwhile was seen
    by the other camera alone. Meanwhile a reader that tells nothing by itself is asked, and its answer is its heartbeat.
    """
    async with checkpoint(open_folder / "plan", data_folder) as here:
        here.say("CAM-1", "online")
        await here.hears("CAM-1", "raised")
    (open_folder / "plan").rename(open_folder / "before")
    async with reader() as probed, checkpoint(open_folder / "plan", data_folder, probed) as here:
        here.pass_by("S1")
        here.say("CAM-1", "online")
        await here.hears("CAM-1", "cleared")
        assert ("equipment/CAM-1", "retracted") not in here.events()
        told = [e["type"].rpartition(".")[2] for e in (await here.get("/api/v1/events"))["items"]]
        assert sorted(told)[:2] == ["cleared", "raised"]
        (unseen,) = (await here.get("/api/v1/journeys/J-S1/unseen"))["items"]
        assert (unseen["equipment"], unseen["seen_by"], unseen["from_m"]) == ("CAM-1", ["CAM-2"], None)
        assert unseen["from"] < unseen["to"]
        await answers(here, probed)


@asynccontextmanager
async def reader() -> AsyncIterator[str]:
    """Where a reader answers by RTSP that it is there."""

    async def answer(asked: asyncio.StreamReader, said: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                await asked.readuntil(b"\r\n\r\n")
                said.write(b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n")

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    yield f"rtsp://127.0.0.1:{server.sockets[0].getsockname()[1]}/x?key=secret"
    server.close()


async def answers(here: Checkpoint, probed: str) -> None:
    """It was heard over the broker, and of its address nothing is told that may be secret."""
    for _ in range(100):
        told = await here.get("/api/v1/equipment/READER-1")
        if told["state"] == "heard":
            break
        await asyncio.sleep(0.05)
    assert (told["state"], told["probe"]["answers"]) == ("heard", True)
    assert told["probe"]["url"] == probed.replace("key=secret", "…")
