"""The demo's folder and messages: complete, valid, and a function of their arguments alone."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from datetime import UTC, datetime
from itertools import islice, takewhile
from pathlib import Path

import pytest
from click.testing import CliRunner
from sim_plan import features, inside
from sim_wire import faults

from seal_tracker.plans.check import check_paths
from simulators.cli import cli
from simulators.demo import load_fleet, write_plan
from simulators.errors import PlanError
from simulators.pace import LAG_MS, Pace
from simulators.playback import BACKLOG_S, deliveries

NOW_S = 1_795_000_000
STARTED = Pace(started_ms=NOW_S * 1000 + 12_345, speed=8.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("plan")
    write_plan(path, now_s=NOW_S, seals=40, seed=3)
    return path


def digest(folder: Path, pace: Pace, messages: int) -> str:
    hashed = hashlib.sha256()
    for after_s, message in islice(deliveries(load_fleet(folder), pace, "demo"), messages):
        hashed.update(f"{after_s!r} {message.topic} ".encode() + message.payload)
    return hashed.hexdigest()


def test_the_same_seed_gives_the_same_bytes(folder: Path, tmp_path: Path):
    """Files and messages alike, the order and the time of sending included."""
    write_plan(tmp_path, now_s=NOW_S, seals=40, seed=3)
    assert {f.name: f.read_bytes() for f in tmp_path.iterdir()} == {
        f.name: f.read_bytes() for f in folder.iterdir()
    }
    assert digest(tmp_path, STARTED, 2000) == digest(folder, STARTED, 2000)


def test_another_seed_gives_other_journeys(folder: Path, tmp_path: Path):
    """Nothing is fixed but the cast."""
    write_plan(tmp_path, now_s=NOW_S, seals=40, seed=4)
    assert (tmp_path / "journeys.jsonl").read_bytes() != (folder / "journeys.jsonl").read_bytes()


def test_journeys_began_one_to_six_hours_ago_on_routes_and_seals_of_their_own(folder: Path):
    """Ids fit topics, each seal serves one journey, both ends are zones at the route's ends, due after arming."""
    journeys = [json.loads(line) for line in (folder / "journeys.jsonl").read_text().splitlines()]
    assert len(journeys) == len({j["id"] for j in journeys}) == len({j["seal"] for j in journeys}) == 40
    routes, zones = features("routes.geojson"), features("zones.geojson")
    for j in journeys:
        ages = [
            NOW_S - datetime.fromisoformat(j[k]).astimezone(UTC).timestamp() for k in ("armed_at", "due_at")
        ]
        assert 3600 - 60 <= ages[0] <= 6 * 3600 + 60
        assert ages[1] < ages[0] - 3600
        assert re.fullmatch(r"J-2026-\d{6}", j["id"])
        assert re.fullmatch(r"VN-[A-Z0-9]{4}\d{4}", j["seal"])
        line = routes[j["route"]]["geometry"]["coordinates"]
        assert inside(zones[j["origin_zone"]], line[0])
        assert inside(zones[j["destination_zone"]], line[-1])


def test_every_message_is_a_valid_native_ping_or_an_array_of_at_most_fifty(folder: Path):
    """By the schema of the interface document, written down again in this test's helper."""
    seals = {x.seal.id for x in load_fleet(folder)}
    for _, message in islice(deliveries(load_fleet(folder), STARTED, "demo"), 1500):
        if message.topic.endswith(("/weighing", "/reading")):
            continue
        assert re.fullmatch(r"eseal/v1/demo/dev/[A-Za-z0-9_.:-]{1,64}/ping", message.topic)
        assert message.topic.split("/")[4] in seals
        content = json.loads(message.payload)
        pings = content if isinstance(content, list) else [content]
        assert 1 <= len(pings) == message.pings <= 50
        assert [f for p in pings for f in faults(p)] == []


def test_the_past_is_buffered_and_over_in_ten_seconds_then_it_is_live(folder: Path):
    """Arrays first, one seal after the other; single pings after, none of them dated ahead of the real clock."""
    played = list(takewhile(lambda d: d.after_s < 150, deliveries(load_fleet(folder), STARTED, "demo")))
    assert [d.after_s for d in played] == sorted(d.after_s for d in played)
    big = [d for d in played if d.message.pings == 50]
    assert max(d.after_s for d in big) < BACKLOG_S
    assert sum(d.message.pings for d in big) > 0.5 * sum(d.message.pings for d in played)
    for after_s, message in played:
        if message.topic.endswith(("/weighing", "/reading")):
            continue
        content = json.loads(message.payload)
        for ping in content if isinstance(content, list) else [content]:
            at_s = datetime.fromisoformat(ping["time"]).timestamp()
            assert at_s <= NOW_S + 12.345 + after_s + 0.001
            assert ping["buffered"] if isinstance(content, list) else True
            assert ping.get("buffered", False) or at_s > NOW_S - LAG_MS / 1000


def test_one_lorry_with_minerals_is_weighed_as_more_than_it_declares(folder: Path):
    """Once, under its plate, after its past was told; the plan has its licence and the weighbridge."""
    played = takewhile(lambda d: d.after_s < 60, deliveries(load_fleet(folder), STARTED, "demo"))
    ((weighed, topic),) = [
        (json.loads(d.message.payload), d.message.topic)
        for d in played
        if d.message.topic.endswith("/weighing")
    ]
    (journey,) = [x.journey for x in load_fleet(folder) if x.journey["regime"] == "minerals"]
    assert weighed["gross_kg"] - weighed["tare_kg"] > journey["minerals"]["loaded_kg"]
    assert weighed["plate"] == journey["vehicle"]
    assert json.loads((folder / "licences.jsonl").read_text())["id"] == journey["minerals"]["licence"]
    assert json.loads((folder / "equipment.jsonl").read_text().splitlines()[0])["id"] in topic


def test_one_lorry_is_read_with_another_container_than_it_declares(folder: Path):
    """Once, where its seal was then; the plan has the camera there."""
    fleet = load_fleet(folder)
    (read,) = [d for d in takewhile(lambda d: d.after_s < 60, deliveries(fleet, STARTED, "demo")) if d.message.topic.endswith("/reading")]  # fmt: skip
    said = json.loads(read.message.payload)
    (journey,) = [x.journey for x in fleet if x.seen is not None]
    assert (said["plate"], said["containers"] == [journey["box"]]) == (journey["vehicle"], False)
    camera = json.loads((folder / "equipment.jsonl").read_text().splitlines()[-1])
    assert camera["id"] in read.message.topic


def test_each_live_seal_is_heard_every_few_seconds(folder: Path):
    """At speed 8 and after it alike, so that one sees the trucks move."""
    played = takewhile(lambda d: d.after_s < 200, deliveries(load_fleet(folder), STARTED, "demo"))
    live = [d.after_s for d in played if d.after_s > BACKLOG_S and d.message.pings == 1]
    for start in range(20, 200, 20):
        heard = sum(start <= s < start + 20 for s in live)
        assert 40 * 20 / 10 * 0.75 < heard < 40 * 20 / 4


def test_a_folder_without_a_fleet_is_refused_with_the_remedy(tmp_path: Path):
    """A person reads what to do."""
    with pytest.raises(PlanError, match="seal-sim plan"):
        load_fleet(tmp_path)


def test_a_folder_changed_by_hand_is_refused(folder: Path, tmp_path: Path):
    """Else seals would drive journeys that the service does not know."""
    copy = shutil.copytree(folder, tmp_path / "copy")
    lines = (copy / "journeys.jsonl").read_text().splitlines(keepends=True)
    (copy / "journeys.jsonl").write_text("".join(lines[1:]))
    with pytest.raises(PlanError, match="changed"):
        load_fleet(copy)


def test_the_plan_command_says_what_it_wrote_and_leaves_a_plan_alone_if_asked(tmp_path: Path):
    """A container that starts again goes on with the plan its service has."""
    first = CliRunner().invoke(cli, ["plan", str(tmp_path), "--seals", "30", "--seed", "5"])
    assert first.exit_code == 0
    assert "30 journeys" in first.output
    made = (tmp_path / "journeys.jsonl").read_bytes()
    again = CliRunner().invoke(cli, ["plan", str(tmp_path), "--seals", "30", "--seed", "6", "--if-absent"])
    assert again.exit_code == 0
    assert (tmp_path / "journeys.jsonl").read_bytes() == made


def test_some_journeys_are_of_oversized_vehicles_that_would_be_armed(folder: Path):
    """With a permit, what is declared of it, and a bridge on its way; the plan has nothing against them."""
    journeys = [json.loads(line) for line in (folder / "journeys.jsonl").read_text().splitlines()]
    oversized = [j for j in journeys if j["regime"] == "oversized"]
    assert 1 <= len(oversized) <= 2
    for one in oversized:
        assert one["permit"]["corridor"] == one["route"]
        assert one["permit"]["structures"]
        assert one["load"]["mass_kg"] <= one["permit"]["mass_kg"]
    assert check_paths([folder]).faults == ()
