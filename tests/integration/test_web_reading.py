"""What can be looked up over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import msgspec
import pytest
from web_support import (
    NOON_MS,
    World,
    assert_problem,
    body_of,
    collection,
    make_episode,
    plan_files,
    restarted,
    zone,
)

from seal_tracker.episodes_file import episode_line, in_file_order
from seal_tracker.journey_record import JourneyRecord
from seal_tracker.model import LIVE, Episode, Lock
from seal_tracker.store import Commit, EpisodeRow, Store
from seal_tracker.supervision.journey_changes import PLAN, change_of
from seal_tracker.web.app import ROUTES
from seal_tracker.web.openapi import describe
from seal_tracker.web.wire import PositionRow

pytest_plugins = ["web_fixtures"]


async def every_page(world: World, path: str) -> list[Any]:
    """All items of a list, page by page."""
    items: list[Any] = []
    after = ""
    while True:
        answer = await world.ask(path + after)
        assert answer.status == 200, answer.body
        page = answer.json()
        items += page["items"]
        if not page["next"] or not page["items"]:
            return items
        after = f"&after={page['next']}"


async def keep_episodes(world: World, *episodes, space: str = LIVE, retracted: bool = False) -> None:
    rows = [EpisodeRow(episode, 1, retracted) for episode in episodes]
    await world.store.commit(Commit(space=space, episodes=rows))


async def test_the_page_learns_its_configuration(world: World):
    """What the basemap's file says is passed on; names and lines are configuration, not code."""
    assert (await world.ask("/api/v1/config")).json() == {
        "tenant": "demo",
        "tile_url": None,
        "basemap": {"region": "vn"},
        "labels": [{"name": "Hoàng Sa"}],
        "centre": [106, 16],
        "zoom": 5,
        "version": "0.1",
    }


@pytest.mark.parametrize("name", ["zones", "routes"])
async def test_zones_and_routes_are_given_as_imported(world: World, name: str):
    """Byte for byte, as GeoJSON; who has it already gets 304."""
    answer = await world.ask(f"/api/v1/{name}")
    assert answer.headers["Content-Type"].startswith("application/geo+json")
    assert answer.body.decode() == plan_files()[f"{name}.geojson"]
    again = await world.ask(f"/api/v1/{name}", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status, again.body) == (304, b"")


async def test_without_a_plan_there_is_nothing_drawn(world: World):
    """An empty collection rather than an error."""
    world.fleet.plans.clear()
    assert (await world.ask("/api/v1/zones")).json() == {"type": "FeatureCollection", "features": []}
    assert (await world.ask("/api/v1/journeys")).json() == {"items": [], "next": None}
    assert (await world.ask("/api/v1/units")).json() == {"items": [], "next": None}


async def test_units_are_given_with_their_names(world: World):
    """In each language the plan has."""
    (unit,) = (await world.ask("/api/v1/units")).json()["items"]
    assert (unit["id"], unit["name"]) == ("u1", {"vi": "Chi cục", "en": "Office"})


async def test_seals_are_paged_by_name_and_stable_under_inserts(world: World):
    """A seal that comes in before the cursor shifts nothing."""
    world.fleet.rows[LIVE] = [
        PositionRow(seal=f"S{n}", time_ms=NOON_MS, lock=Lock.OPEN) for n in (5, 3, 1, 4, 2)
    ]
    first = (await world.ask("/api/v1/seals?limit=2")).json()
    assert [item["seal"] for item in first["items"]] == ["S1", "S2"]
    assert (first["items"][0]["lock"], first["items"][0]["time"]) == ("open", "2026-11-22T04:00:00.000Z")
    world.fleet.rows[LIVE].append(PositionRow(seal="S0", time_ms=NOON_MS))
    second = (await world.ask(f"/api/v1/seals?limit=2&after={first['next']}")).json()
    assert [item["seal"] for item in second["items"]] == ["S3", "S4"]
    last = (await world.ask(f"/api/v1/seals?limit=2&after={second['next']}")).json()
    assert ([item["seal"] for item in last["items"]], last["next"]) == (["S5"], None)


async def test_events_are_read_from_a_cursor_on_and_polled_at_the_end(world: World):
    """Oldest first; the end gives a cursor to ask again with, and nothing is read twice."""
    await world.commit(range(1, 6))
    first = (await world.ask("/api/v1/events?limit=3")).json()
    assert [int(item["sequence"]) for item in first["items"]] == [1, 2, 3]
    rest = (await world.ask(f"/api/v1/events?after={first['next']}")).json()
    assert [int(item["sequence"]) for item in rest["items"]] == [4, 5]
    end = (await world.ask(f"/api/v1/events?after={rest['next']}")).json()
    assert end == {"items": [], "next": rest["next"]}
    await world.commit([6])
    more = (await world.ask(f"/api/v1/events?after={end['next']}")).json()
    assert [int(item["sequence"]) for item in more["items"]] == [6]


async def test_events_are_given_byte_for_byte_as_published(world: World):
    """The CloudEvent that went to MQTT."""
    await world.commit([1])
    assert body_of(1) in (await world.ask("/api/v1/events")).body


async def test_events_are_read_backwards_from_the_newest(world: World):
    """``next`` is null at the end."""
    await world.commit(range(1, 6))
    items = await every_page(world, "/api/v1/events?order=desc&limit=2")
    assert [int(item["sequence"]) for item in items] == [5, 4, 3, 2, 1]


async def test_filtered_pages_stay_where_they_are_while_more_comes_in(world: World):
    """Backwards what is newer is not there; forwards it comes at the end; and the description that is served is the one tests go by."""
    await world.commit(range(1, 6))
    told, way = {}, "seal=S1&type=ROUTE_DEVIATION&from=2026-11-22T04:00:00Z&severity=high&limit=2"
    for order in ("asc", "desc"):
        page = (await world.ask(f"/api/v1/events?{way}&order={order}")).json()
        told[order] = page["next"], [int(item["sequence"]) for item in page["items"]]
    await world.commit(range(6, 9))
    for order, expected in (("asc", [1, 2, 3, 4, 5, 6, 7, 8]), ("desc", [5, 4, 3, 2, 1])):
        after, seen = told[order]
        while after:
            page = (await world.ask(f"/api/v1/events?{way}&order={order}&after={after}")).json()
            seen += [int(item["sequence"]) for item in page["items"]]
            after = page["next"] if page["items"] else None
        assert seen == expected
    served = (await world.ask("/api/v1/openapi.json")).json()
    described = msgspec.json.encode(describe(ROUTES, version=served["info"]["version"]))
    assert served == msgspec.json.decode(described)


async def test_episodes_are_filtered_and_paged_newest_first(world: World):
    """Open ones, those of a type, a journey, a seal; a retracted one is not there."""
    episodes = [make_episode(n, ended=n % 2 == 0) for n in range(6)]
    other = make_episode(6, type="BATTERY_LOW", journey=None, seal="S9")
    await keep_episodes(world, *episodes, other)
    await keep_episodes(world, make_episode(7), retracted=True)
    path = "/api/v1/episodes?limit=2"

    async def starts(more: str) -> list[int]:
        ids = {str(episode.episode): n for n, episode in enumerate([*episodes, other])}
        return [ids[item["episode"]] for item in await every_page(world, path + more)]

    assert await starts("") == [6, 5, 4, 3, 2, 1, 0]
    assert await starts("&open=true") == [6, 5, 3, 1]
    assert await starts("&type=ROUTE_DEVIATION&open=1") == [5, 3, 1]
    assert await starts("&journey=J1&open=true") == [5, 3, 1]
    assert await starts("&seal=S9") == [6]
    assert await starts("&type=SEAL_TAMPER") == []


async def test_the_episodes_file_is_whole_and_in_its_order(world: World):
    """By journey or seal, rule, object, start: more than one chunk and one page of the database, one line each."""
    many = [make_episode(n, journey=f"J{n % 7}", evidence={"n": n, "pad": "x" * 200}) for n in range(2500)]
    alone = make_episode(1, journey=None, seal="A0", type="BATTERY_LOW")
    await keep_episodes(world, *many, alone)
    answer = await world.ask("/api/v1/episodes?format=ndjson")
    assert answer.headers["Content-Type"] == "application/x-ndjson"
    assert "Content-Length" not in answer.headers
    assert answer.body == b"".join(map(episode_line, in_file_order([*many, alone])))


class ClosedHalfWay:
    """The real store, closed for good after so many episodes of the whole list."""

    def __init__(self, store: Store, after: int) -> None:
        self.store, self.after = store, after

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    async def stream_episodes(self, *asked: Any) -> AsyncIterator[Episode]:
        sent = 0
        async for episode in self.store.stream_episodes(*asked):
            yield episode
            sent += 1
            if sent == self.after:
                await self.store.close()


async def test_an_episodes_file_cut_short_does_not_look_whole(world: World):
    """The database goes away half-way: the transfer breaks, it does not end."""
    await keep_episodes(world, *[make_episode(n) for n in range(3000)])
    server = await restarted(world, store=ClosedHalfWay(world.store, 1000))
    headers = {"Authorization": "Bearer token-of-auditor"}
    async with world.client.get(server.url + "/api/v1/episodes?format=ndjson", headers=headers) as answer:
        assert answer.status == 200
        with pytest.raises(aiohttp.ClientError):
            await answer.read()
    await server.close()


async def test_an_empty_episodes_file_is_empty(world: World):
    """Not a null, not a line break."""
    answer = await world.ask("/api/v1/episodes?format=ndjson")
    assert (answer.status, answer.body) == (200, b"")


async def test_the_episodes_file_is_filtered_and_never_paged(world: World):
    """A page of it must not look like the whole."""
    many = [make_episode(n, journey=f"J{n % 3}", severity="low" if n % 2 else "high") for n in range(9)]
    await keep_episodes(world, *many)
    answer = await world.ask("/api/v1/episodes?format=ndjson&journey=J1&severity=high")
    assert answer.body == episode_line(many[4])
    for parameter in ("limit=1", "after=x"):
        answer = await world.ask(f"/api/v1/episodes?format=ndjson&{parameter}")
        assert_problem(answer, 400, parameter.split("=", maxsplit=1)[0])


LISTS = ("events", "episodes", "alarms", "journeys")


@pytest.mark.parametrize("name", LISTS)
async def test_a_filter_of_a_list_that_cannot_be_is_refused_by_name(world: World, name: str):
    """Not taken for one that is absent."""
    bad = {
        "from": "yesterday", "to": "2026-11-22T03:00:00", "unit": "no such!", "seal": "a/b", "box": "%00", "limit": "0",
        "after": "!", "hour": "3",
    }  # fmt: skip
    if name != "journeys":
        bad |= {"severity": "grave", "type": "stop", "journey": "J 1"}
    for field, value in bad.items():
        assert_problem(await world.ask(f"/api/v1/{name}?{field}={value}"), 400, field)
    backwards = "from=2026-11-22T03:00:00Z&to=2026-11-22T09:00:00%2B07:00"
    assert_problem(await world.ask(f"/api/v1/{name}?{backwards}"), 400, "to")


async def test_lists_are_filtered_by_all_that_an_officer_knows(world: World):
    """Time, severity, type, journey, seal, and the number on the box, however it is typed."""
    record = JourneyRecord(id="J-box", regime="transit", box="MSKU 123", unit="u1")
    declared = change_of(record, None, PLAN, "declare", at_ms=NOON_MS, now_ms=NOON_MS)
    await world.store.commit(Commit(space=LIVE, journeys=[declared]))
    mine = make_episode(1, journey="J-box", seal="S7", type="SEAL_TAMPER", severity="critical", unit="u1")
    await keep_episodes(world, mine, *[make_episode(n) for n in range(2, 8)])
    noon = "2026-11-22T04:00:00Z"
    for way in (
        "box=msku%20123", "journey=J-box", "box=MSKU%20123&journey=J-box", "seal=S7", "type=SEAL_TAMPER", "severity=critical",
        "unit=u1", "to=2026-11-22T04:00:02Z",
    ):  # fmt: skip
        items = (await world.ask(f"/api/v1/episodes?{way}")).json()["items"]
        assert [item["episode"] for item in items] == [str(mine.episode)], way
    for nowhere in (
        "box=MSKU",
        "box=MSKU%20123&journey=J1",
        "unit=u2",
        f"from={noon}&to=2026-11-22T04:00:00.5Z",
    ):
        assert (await world.ask(f"/api/v1/episodes?{nowhere}")).json()["items"] == [], nowhere


async def test_stats_tell_what_is_stored_and_what_was_discarded(world: World):
    """The store's counts, discards by name, and what the service itself knows."""
    await world.commit([1, 2])
    await world.store.commit(
        Commit(space=LIVE, counts={"duplicates": 4, "clock_implausible": 2, "late": 3, "rejudged_pings": 7})
    )
    assert (await world.ask("/api/v1/stats")).json() == {
        "pings_stored": 0,
        "duplicates": 4,
        "dead_letters": 0,
        "events": 2,
        "outbox_pending": 0,
        "late": 3,
        "rejudged_seals": 0,
        "rejudged_pings": 7,
        "discards": {"clock_implausible": 2},
        "seals_known": 0,
    }


async def test_an_exercise_space_is_made_and_shown_apart(world: World):
    """With a plan of its own; nothing of it is in the live one."""
    files = plan_files() | {"zones.geojson": collection(zone("Z9", 106.2))}
    answer = await world.ask("/api/v1/spaces", method="POST", json={"space": "ex-1", "files": files})
    assert answer.status == 201
    assert {key: answer.json()[key] for key in ("space", "exercise")} == {"space": "ex-1", "exercise": True}
    listed = (await world.ask("/api/v1/spaces", "operator")).json()["items"]
    assert listed == [{"space": LIVE, "exercise": False}, {"space": "ex-1", "exercise": True}]
    await world.store.add_space("ex-1")
    await world.commit([1], space="ex-1")
    assert len((await world.ask("/api/v1/events?space=ex-1")).json()["items"]) == 1
    assert (await world.ask("/api/v1/events")).json()["items"] == []
    assert (await world.ask("/api/v1/zones?space=ex-1")).json()["features"][0]["id"] == "Z9"


async def test_a_space_with_a_faulty_plan_is_refused_with_every_fault(world: World):
    """In the words of ``check``, and nothing is made."""
    unclosed = zone("Z1", 106.0)
    unclosed["geometry"]["coordinates"][0].pop()
    files = plan_files() | {"zones.geojson": collection(unclosed, zone("Z2", 200.0))}
    answer = await world.ask("/api/v1/spaces", method="POST", json={"space": "ex-1", "files": files})
    assert_problem(answer, 422, "files")
    faults = answer.json()["faults"]
    assert {fault["feature"] for fault in faults} >= {"Z1", "Z2"}
    assert set(faults[0]) == {"file", "feature", "where", "what", "why", "remedy", "level"}
    assert len((await world.ask("/api/v1/spaces")).json()["items"]) == 1


async def test_a_space_that_exists_is_not_made_again(world: World):
    """Nor is the live one."""
    body = {"space": "ex-1", "files": plan_files()}
    assert (await world.ask("/api/v1/spaces", method="POST", json=body)).status == 201
    assert_problem(await world.ask("/api/v1/spaces", method="POST", json=body), 409, "space")
    body = {"space": LIVE, "files": plan_files()}
    assert_problem(await world.ask("/api/v1/spaces", method="POST", json=body), 422, "space")


async def test_a_space_that_is_not_there_is_named(world: World):
    """Rather than shown as empty."""
    for name in (
        "zones",
        "routes",
        "units",
        "journeys",
        "seals",
        "events",
        "episodes",
        "stats",
        "stream",
    ):
        assert_problem(await world.ask(f"/api/v1/{name}?space=nowhere"), 404, "space")
