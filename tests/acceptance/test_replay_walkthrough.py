"""``docs/walkthrough-replay.md``, executed; what it finds is what plain geodesic arithmetic says."""

from __future__ import annotations

import itertools
import json
import shutil
import xml.etree.ElementTree as ET
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from comparing import folded
from geodesy import (
    Expected,
    Fix,
    Place,
    beyond_circle_m,
    beyond_polygon_m,
    deviation_complete,
    distance_m,
    distance_to_line_m,
    radius_m,
    stay_complete,
    told,
)
from parts import wait_until
from running import DATA, PLANS, ROOT, Running
from walkthrough import Block, Shell, blocks_of

TRACE = DATA / "traces" / "limerick_bus_1s.gpx"
PLAN = PLANS / "limerick"
DOCUMENT = ROOT / "docs" / "walkthrough-replay.md"
SPACES = ("first", "second")

ACCURACY_UNKNOWN_M = 10
CLEAR_SHARE = 0.25
ROUNDING_M = 0.2
"""No fix is nearer to a limit than this: rounding, and a projection wrong by 0.1 % of 160 m, decide nothing."""

Key = tuple[str, str | None]
"""Type and object."""

pytestmark = pytest.mark.skipif(
    not TRACE.exists(), reason=f"the real trace is not here ({TRACE}): not everybody has the shared data"
)


@dataclass
class Walk:
    """What the walk-through left: its service, still running, what it said, and what reached an integrator."""

    service: Running
    folder: Path
    said: dict[str, list[str]]
    events: list[dict[str, Any]]


@pytest.fixture(scope="module")
def walk(session_folder: Path) -> Iterator[Walk]:
    """The walk-through up to its end, an integrator listening beside it; its last command is run afterwards."""
    folder = session_folder / "walk"
    folder.mkdir(mode=0o755)
    shell = Shell(folder, WALK=str(folder), TRACE=str(TRACE))
    service = Running(folder, None)
    first, *middle, last = blocks_of(DOCUMENT)
    said: dict[str, list[str]] = defaultdict(list)
    try:
        said[first.heading] += shell.run_block(first)
        service.ready = json.loads(service.ready_file.read_text())
        with service.mqtt("integrator") as integrator:
            assert integrator.subscribe("eseal-exercise/v1/+/+/evt/#")
            for block in middle:
                said[block.heading] += shell.run_block(block)
            wanted = sum(len(service.events(space)) for space in SPACES)
            wait_until(lambda: len(integrator.messages) >= wanted, what=f"{wanted} events over MQTT")
            yield Walk(service, folder, said, integrator.bodies("evt"))
        shell.run_block(last)
    finally:
        shell.end()
        service.end()


@pytest.fixture(scope="module")
def fixes() -> list[Fix]:
    """The trace as its file says."""
    space = "{http://www.topografix.com/GPX/1/1}"
    return [
        Fix(
            datetime.fromisoformat(p.findtext(f"{space}time") or "").timestamp(),
            float(p.attrib["lon"]),
            float(p.attrib["lat"]),
        )
        for p in ET.parse(TRACE).getroot().iter(f"{space}trkpt")
    ]


@pytest.fixture(scope="module")
def expected(fixes: list[Fix]) -> dict[Key, list[Expected]]:
    """Every episode of the trace, by the words of SEMANTICS and nothing else."""
    assert_all_compatible(fixes)
    [route] = features("routes.geojson").values()
    line = places(route["geometry"]["coordinates"])
    half = float(route["properties"]["half_width_m"])
    off_route = told(
        fixes,
        lambda fix: distance_to_line_m(fix.place, line) - half - ACCURACY_UNKNOWN_M,
        on=lambda beyond: clear_of(beyond) > 0,
        off=lambda beyond: clear_of(beyond + ACCURACY_UNKNOWN_M + CLEAR_SHARE * half) <= 0,
        complete=lambda run: deviation_complete(run, half + ACCURACY_UNKNOWN_M),
    )
    zones = features("zones.geojson")
    bridge = places(zones["bridge-quarter"]["geometry"]["coordinates"][0])
    quarry = places(zones["quarry"]["geometry"]["coordinates"][0])
    university = zones["university"]
    [centre], across = (
        places([university["geometry"]["coordinates"]]),
        float(university["properties"]["radius_m"]),
    )
    return {
        ("ROUTE_DEVIATION", None): off_route,
        ("ZONE_ENTERED", "bridge-quarter"): stays(fixes, radius_m(bridge), polygon=bridge),
        ("ZONE_ENTERED", "university"): stays(fixes, across, circle=centre),
        ("PROHIBITED_ZONE", "quarry"): told(
            fixes,
            lambda fix: beyond_polygon_m(fix.place, quarry),
            on=lambda beyond: clear_of(beyond) <= 0,
            off=lambda beyond: beyond > 0,
            complete=lambda _run: True,
        ),
    }


def stays(
    fixes: list[Fix], radius: float, *, polygon: list[Place] | None = None, circle: Place | None = None
) -> list[Expected]:
    margin = max(20.0, radius / 10)

    def beyond_m(fix: Fix) -> float:
        if polygon is not None:
            return beyond_polygon_m(fix.place, polygon)
        assert circle is not None
        return beyond_circle_m(fix.place, circle, radius)

    return told(
        fixes,
        beyond_m,
        on=lambda beyond: clear_of(beyond) <= 0,
        off=lambda beyond: clear_of(beyond - margin) >= 0,
        complete=stay_complete,
    )


def clear_of(beyond_m: float) -> float:
    """The same, once it is sure that no rounding decides on which side of the limit the fix is."""
    assert abs(beyond_m) > ROUNDING_M, f"a fix is {beyond_m} m from a limit: draw the plan elsewhere"
    return beyond_m


def assert_all_compatible(fixes: list[Fix]) -> None:
    """No fix is further from the one before than 180 km/h and 100 m allow: none is left out of the track."""
    for a, b in itertools.pairwise(fixes):
        assert a.at_s < b.at_s
        assert distance_m(a.place, b.place) <= 50 * (b.at_s - a.at_s) + 100


def features(name: str) -> dict[str, dict[str, Any]]:
    return {f["id"]: f for f in json.loads((PLAN / name).read_text())["features"]}


def places(coordinates: Iterable[Iterable[float]]) -> list[Place]:
    return [(lon, lat) for lon, lat in coordinates]


def found(episodes: Iterable[Mapping[str, Any]]) -> dict[Key, list[Expected]]:
    """Times of episodes, by type and object."""
    by_key: dict[Key, list[Expected]] = defaultdict(list)
    for e in sorted(episodes, key=lambda e: e["started_at"]):
        times = [
            None if e[name] is None else datetime.fromisoformat(e[name]).timestamp()
            for name in ("started_at", "raised_at", "ended_at", "cleared_at")
        ]
        assert times[0] is not None
        assert times[1] is not None
        by_key[e["type"], e["object"]].append(Expected(times[0], times[1], *times[2:]))
    return dict(by_key)


def without_ids(episodes: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{k: v for k, v in e.items() if k != "episode"} for e in episodes]


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_trace_leaves_its_corridor_and_enters_zones(expected: dict[Key, list[Expected]]) -> None:
    """The plan is drawn so that each rule has something to say, and one stay is not over."""
    assert {key: len(times) for key, times in expected.items()} == dict.fromkeys(expected, 1)
    assert expected["ZONE_ENTERED", "university"][0].ended_s is None
    assert all(times[0].ended_s for key, times in expected.items() if key[1] != "university")


def test_backtest_finds_what_geodesics_say(walk: Walk, expected: dict[Key, list[Expected]]) -> None:
    """The episodes file of a back-test has these episodes, with these four times each, and no other."""
    assert found(lines(walk.folder / "backtest.ndjson")) == expected


@pytest.mark.parametrize("space", SPACES)
def test_api_tells_what_geodesics_say(walk: Walk, expected: dict[Key, list[Expected]], space: str) -> None:
    """So does ``/api/v1/episodes`` of the exercise, in both its forms."""
    assert found(walk.service.episodes(space)) == expected
    paged = walk.service.get(f"/api/v1/episodes?space={space}&limit=1000")
    assert paged["next"] is None
    assert found(paged["items"]) == expected


@pytest.mark.parametrize("space", SPACES)
def test_events_over_mqtt_amount_to_what_geodesics_say(
    walk: Walk, expected: dict[Key, list[Expected]], space: str
) -> None:
    """So do the events on the exercise's topics; each says that it is an exercise."""
    of_space = [e for e in walk.events if e["data"]["properties"]["episode"] in episode_ids(walk, space)]
    assert found(folded(of_space).values()) == expected
    assert all(e["data"]["properties"]["exercise"] for e in of_space)


def episode_ids(walk: Walk, space: str) -> set[str]:
    return {e["episode"] for e in walk.service.episodes(space)}


def test_same_trace_in_two_spaces_gives_the_same_episodes(walk: Walk) -> None:
    """Nothing but the ids, which contain the space, differs; and a back-test gives the same again."""
    first, second = (walk.service.episodes(space) for space in SPACES)
    assert without_ids(first) == without_ids(second) == without_ids(lines(walk.folder / "backtest.ndjson"))
    assert not {e["episode"] for e in first} & {e["episode"] for e in second}


def test_exercise_leaves_the_live_space_alone(walk: Walk) -> None:
    """Not one episode, event or ping of an exercise is in the live space."""
    assert walk.service.episodes() == []
    assert walk.service.events() == []
    assert walk.service.stats()["pings_stored"] == 0


def test_replay_says_what_it_sent_and_found(walk: Walk, fixes: list[Fix]) -> None:
    """The command sums up: everything sent is stored, and which episodes there are."""
    for said in walk.said["Replay it"]:
        assert f"{len(fixes):,} sent" in said
        assert f"{len(fixes):,} stored, 0 duplicates, 0 dead letters" in said
        assert "ROUTE_DEVIATION" in said


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl_of_the_walkthrough_gets_the_episodes_file(walk: Walk) -> None:
    """What the reader's ``curl`` writes is the episodes file."""
    assert lines(walk.folder / "first.ndjson") == walk.service.episodes("first")


@pytest.mark.skipif(
    shutil.which("mosquitto_sub") is None, reason="mosquitto_sub is not installed (mosquitto-clients)"
)
def test_mosquitto_sub_of_the_walkthrough_gets_every_event(walk: Walk) -> None:
    """What the reader's ``mosquitto_sub`` writes are the events of both exercises."""
    ids = [event["id"] for event in lines(walk.folder / "events.ndjson")]
    assert sorted(ids) == sorted({e["id"] for space in SPACES for e in walk.service.events(space)})


def test_walkthrough_needs_nothing_that_is_not_said() -> None:
    """Blocks are plain, or name the one program beside ours that they need."""
    assert {block.needs for block in blocks_of(DOCUMENT)} == {"", "mosquitto_sub", "curl"}
    assert all(isinstance(block, Block) and block.commands for block in blocks_of(DOCUMENT))
