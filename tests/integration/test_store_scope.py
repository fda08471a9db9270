"""What the store gives to a unit: its own events and episodes, all of them, in order, and by an index however few they are."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Collection
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from web_support import NOON_MS, make_episode

from seal_tracker.model import Episode, Event, event_id
from seal_tracker.store import Commit, EpisodeRow, Store
from seal_tracker.store.filters import EpisodeFilter, EventFilter
from seal_tracker.store.migrations import MIGRATIONS
from seal_tracker.store.queries import sql

UNITS = ("u1", "u2", "u3", None)
TYPES = ("ROUTE_DEVIATION", "SEAL_TAMPER", "STOP")
SEVERITIES = ("critical", "low")
HOUR_MS = 3_600_000
SPACE = "scoped"
OTHERS = 4000
"""Events of another space and unit: enough that reading all of them costs more than an index."""


@pytest.fixture
async def store(module_dsn: str) -> AsyncIterator[Store]:
    opened = await Store.open(module_dsn)
    try:
        await opened.add_space(SPACE)
        if not await opened.events_after(SPACE, 0, 1):
            await fill(opened)
        yield opened
    finally:
        await opened.close()


def told() -> list[Episode]:
    """Episodes of each unit in turn, of one unit many more; every third has ended."""
    few = [
        make_episode(
            n, journey=f"J{n}", seal=f"S{n % 5}", ended=n % 3 == 0, unit=UNITS[n % 4], type=TYPES[n % 3],
            severity=SEVERITIES[n % 2], raised_at_ms=NOON_MS + n * 37 % 41 * 5 * HOUR_MS,
        )
        for n in range(1, 41)
    ]  # fmt: skip
    return few + [make_episode(n, journey=f"J{n}", unit="crowd") for n in range(41, 41 + OTHERS)]


async def fill(store: Store) -> None:
    """An event and an episode of each, in one commit."""
    episodes = told()
    events = [
        Event(
            id=event_id(episode.episode, 1), sequence=n, space=SPACE, episode=episode, transition="raised",
            revision=1, time_ms=episode.raised_at_ms, recorded_ms=NOON_MS, late=False,
        )
        for n, episode in enumerate(episodes, 1)
    ]  # fmt: skip
    bodies = [b"{}"] * len(events)
    rows = [EpisodeRow(episode, 1) for episode in episodes]
    await store.commit(Commit(space=SPACE, episodes=rows, events=events, event_bodies=bodies))


def of(units: Collection[str] | None) -> list[int]:
    """Numbers of what those units should be told, by brute force."""
    return [n for n, episode in enumerate(told(), 1) if units is None or episode.unit in units]


def named(units: set[str] | None) -> str:
    """The same name in every process."""
    return "all" if units is None else "+".join(sorted(units)) or "none"


@pytest.mark.parametrize("units", [{"u1"}, {"u1", "u3"}, {"nobody"}, set(), None], ids=named)
async def test_a_unit_reads_its_own_events_page_by_page(store: Store, units: set[str] | None):
    """Forwards and backwards, none twice and none left out."""
    forwards: list[int] = []
    while page := await store.events_after(
        SPACE, forwards[-1] if forwards else 0, 7, EventFilter(units=units)
    ):
        forwards += [event.sequence for event in page]
        if len(forwards) > 100:
            break
    backwards: list[int] = []
    while page := await store.events_before(
        SPACE, backwards[-1] if backwards else None, 7, EventFilter(units=units)
    ):
        backwards += [event.sequence for event in page]
        if len(backwards) > 100:
            break
    expected = of(units)
    assert forwards == expected[: len(forwards)]
    assert backwards == expected[::-1][: len(backwards)]
    assert min(len(forwards), len(backwards)) >= min(len(expected), 100)
    if units is not None:
        assert await store.event_count(SPACE, units) == len(expected)


FILTERS: dict[str, dict[str, Any]] = {
    "journey": {"journeys": ["J7"]},
    "journeys": {"journeys": ["J7", "J30", "J8"]},
    "no journey": {"journeys": []},
    "seal": {"seal": "S3"},
    "seal and type": {"seal": "S3", "type": "STOP"},
    "journey of a seal": {"journeys": ["J8", "J7"], "seal": "S3"},
    "type": {"type": "SEAL_TAMPER"},
    "type of many units": {"type": "STOP", "units": {f"u{n}" for n in range(30)}},
    "many units": {"units": {f"u{n}" for n in range(30)}},
    "severity": {"severity": "critical"},
    "severity of a unit": {"severity": "low", "units": {"u1"}},
    "from": {"from_ms": NOON_MS + 100 * HOUR_MS},
    "to": {"to_ms": NOON_MS},
    "time": {"from_ms": NOON_MS + 20 * HOUR_MS, "to_ms": NOON_MS + 95 * HOUR_MS},
    "time of a unit": {"units": {"u2"}, "from_ms": NOON_MS + 9 * HOUR_MS, "to_ms": NOON_MS + 50 * HOUR_MS},
    "severity in a time": {"severity": "low", "from_ms": NOON_MS + 9 * HOUR_MS, "to_ms": NOON_MS + 90 * HOUR_MS},
    "type in a time": {"type": "STOP", "from_ms": NOON_MS + 9 * HOUR_MS},
    "before all": {"to_ms": NOON_MS - 1000 * HOUR_MS},
    "after all": {"from_ms": NOON_MS + 1000 * HOUR_MS},
    "all at once": {
        "journeys": ["J8", "J14"], "seal": "S4", "type": "STOP", "severity": "critical", "units": {"u3"},
        "from_ms": NOON_MS, "to_ms": NOON_MS + 900 * HOUR_MS,
    },
}  # fmt: skip


def fits(episode: Episode, wanted: dict[str, Any]) -> bool:
    """The filter in words."""
    return (
        ("units" not in wanted or episode.unit in wanted["units"])
        and ("journeys" not in wanted or episode.journey in wanted["journeys"])
        and wanted.get("seal", episode.seal) == episode.seal
        and wanted.get("type", episode.type) == episode.type
        and wanted.get("severity", episode.severity) == episode.severity
        and wanted.get("from_ms", 0) <= episode.raised_at_ms < wanted.get("to_ms", 2**62)
    )


@pytest.mark.parametrize("name", FILTERS)
async def test_a_list_is_what_its_filter_says_page_by_page(store: Store, name: str):
    """Events forwards and backwards, episodes newest first and as a file: none twice, none left out, none that does not fit."""
    wanted, everything = FILTERS[name], told()
    numbers = [n for n, episode in enumerate(everything, 1) if fits(episode, wanted)]
    pages = 40
    forwards: list[int] = []
    while (
        page := await store.events_after(SPACE, max(forwards, default=0), 3, EventFilter(**wanted))
    ) and pages:
        forwards += [event.sequence for event in page]
        pages -= 1
    assert forwards == numbers[: len(forwards)]
    backwards: list[int] = []
    while (
        page := await store.events_before(SPACE, min(backwards, default=None), 3, EventFilter(**wanted))
    ) and pages:
        backwards += [event.sequence for event in page]
        pages -= 1
    assert backwards == numbers[::-1][: len(backwards)]
    assert min(len(forwards), len(backwards)) >= min(len(numbers), 40)
    kept = [everything[n - 1] for n in numbers]
    newest = sorted(kept, key=lambda e: (e.raised_at_ms, e.episode), reverse=True)
    found: list[Episode] = []
    cursor = None
    while len(found) < 60:
        some = await store.episodes(SPACE, EpisodeFilter(**wanted), limit=3, cursor=cursor)
        found += [row.episode for row in some.items]
        if (cursor := some.next) is None:
            break
    assert found == newest[: len(found)]
    assert len(found) >= min(len(newest), 60)
    whole = [episode async for episode in store.stream_episodes(SPACE, EpisodeFilter(**wanted))]
    assert whole == sorted(
        kept, key=lambda e: (e.journey, e.type, e.object or "", e.started_at_ms, e.episode)
    )


@pytest.mark.parametrize("open_only", [False, True], ids=["all", "open"])
@pytest.mark.parametrize("units", [{"u2"}, {"u1", "u2"}, {"nobody"}], ids=named)
async def test_a_unit_reads_its_own_episodes_page_by_page(store: Store, units: set[str], open_only: bool):
    """Newest first; by journey and by seal no more than that either."""
    expected = [
        episode.episode
        for episode in sorted(told(), key=lambda e: -e.raised_at_ms)
        if episode.unit in units and not (open_only and episode.ended_at_ms is not None)
    ]
    found: list[UUID] = []
    cursor = None
    while True:
        page = await store.episodes(
            SPACE, EpisodeFilter(open_only=open_only, units=units), limit=3, cursor=cursor
        )
        found += [row.episode.episode for row in page.items]
        if (cursor := page.next) is None:
            break
    assert found == expected
    for journey in ("J1", "J2", "J4"):
        of_journey = await store.episodes(SPACE, EpisodeFilter(journeys=[journey], units=units))
        assert [row.episode.journey for row in of_journey.items] == [
            e.journey for e in told() if e.journey == journey and e.unit in units
        ]
    of_seal = await store.episodes(SPACE, EpisodeFilter(seal="S1", units=units), limit=100)
    assert {row.episode.unit for row in of_seal.items} <= units


async def test_a_unit_reads_its_own_part_of_the_episodes_file(store: Store):
    """In the order of the whole file."""
    everything = [episode async for episode in store.stream_episodes(SPACE)]
    mine = [episode async for episode in store.stream_episodes(SPACE, EpisodeFilter(units={"u1", "u2"}))]
    assert mine == [episode for episode in everything if episode.unit in {"u1", "u2"}]
    assert len(mine) == len(of({"u1", "u2"}))


ANY = (None, None, None, None, -(2**62), 2**62)
"""No filter besides the units."""


@pytest.mark.parametrize(
    ("query", "arguments", "index"),
    [
        ("events_after_of_units", (0, 100, ["u1"], *ANY), "events_of_unit"),
        ("events_before_of_units", (10**9, 100, ["u1"], *ANY), "events_of_unit"),
        ("events_of_units_count", (["u1"],), "events_of_unit"),
        ("episodes_newest_of_units", (2**62, UUID(int=0), 100, False, ["u1"], *ANY), "episodes_of_unit"),
        ("episodes_open_of_units", (2**62, UUID(int=0), 100, True, ["u1"], *ANY), "episodes_open_of_unit"),
    ],
)
async def test_a_units_list_is_read_by_its_index(
    store: Store, module_dsn: str, query: str, arguments: tuple[Any, ...], index: str
):
    """What a unit has among thousands of others' is found, not sought."""
    connection = await asyncpg.connect(module_dsn)
    try:
        await connection.execute("ANALYZE")
        text = sql(query)
        for number, value in reversed(list(enumerate((SPACE, *arguments), 1))):
            text = text.replace(f"${number}", literal(value))
        plan = "\n".join(row[0] for row in await connection.fetch(f"EXPLAIN {text}"))
    finally:
        await connection.close()
    assert f"using {index} " in plan, plan
    assert "Seq Scan" not in plan, plan


async def test_events_of_an_older_release_get_their_unit(store: Store, module_dsn: str):
    """The step of the migration finds for each event what is stored with it today."""
    (step,) = [migration for migration in MIGRATIONS if migration.version == 9]
    (update,) = re.findall(r"^UPDATE events.*?;", step.text, re.MULTILINE | re.DOTALL)
    connection = await asyncpg.connect(module_dsn)
    query = "SELECT sequence, unit FROM events ORDER BY sequence"
    try:
        before = await connection.fetch(query)
        await connection.execute("UPDATE events SET unit = NULL")
        await connection.execute(update)
        after = await connection.fetch(query)
    finally:
        await connection.close()
    assert after == before
    assert {row["unit"] for row in after} == {*UNITS, "crowd"}


def literal(value: Any) -> str:
    """A value as SQL; times far ahead as infinity."""
    if isinstance(value, list):
        return f"ARRAY{value}"
    if isinstance(value, int) and abs(value) == 2**62:
        return f"'{'-' if value < 0 else ''}infinity'::timestamptz"
    return "NULL" if value is None else f"'{value}'" if isinstance(value, str | UUID) else str(value)
