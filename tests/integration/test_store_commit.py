"""A commit stores all its parts in its space, or none; what was stored is read back as it was."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

import pytest
import pytest_asyncio
from store_stories import START_MS, episode, event, number_id, pings

from seal_tracker.alarms.states import OPEN_STATES, STATES
from seal_tracker.model import NO_TIME, DeadLetter
from seal_tracker.store import (
    AlarmRow,
    Commit,
    CommitRefused,
    EpisodeRow,
    OutboxMessage,
    Session,
    Stats,
    Store,
    StoredEvent,
)
from seal_tracker.store.alarm_reads import AlarmFilter, Asked
from seal_tracker.store.filters import EpisodeFilter
from seal_tracker.store.records import NewPlan


@pytest_asyncio.fixture
async def store(postgres_dsn: str) -> AsyncIterator[Store]:
    store = await Store.open(postgres_dsn)
    yield store
    await store.close()


ALL, OPEN = AlarmFilter(states=STATES), AlarmFilter(states=OPEN_STATES)


def alarm(number: int, **changes: object) -> AlarmRow:
    values = AlarmRow(
        id=number_id(number), episode=number_id(1000 + number), state="unacknowledged", severity="high",
        type="ROUTE_DEVIATION", journey="J-1", seal=None, unit="HP", raised_at_ms=START_MS + number,
        updated_at_ms=START_MS + number, repeats=0, body=b'{"b":1,"a":2}', subject="journey/J-1", object="Z",
        episodes=(number_id(1000 + number), number_id(2000 + number)), group=number_id(number), opened_at_ms=START_MS,
    )  # fmt: skip
    return values._replace(**changes)


def committed(first: int, count: int, **more: object) -> Commit:
    """A commit of new episodes, each with its event."""
    episodes = [episode(number) for number in range(first, first + count)]
    events = [event(e, sequence) for sequence, e in enumerate(episodes, first + 1)]
    bodies = [f"body {e.sequence}".encode() for e in events]
    return Commit(
        space="live", episodes=[(e, 1, False) for e in episodes], events=events, event_bodies=bodies, **more
    )


async def ids_streamed(store: Store, space: str = "live") -> list[UUID]:
    return [e.episode async for e in store.stream_episodes(space)]


async def test_an_episode_comes_back_equal_with_its_revision(store: Store) -> None:
    """All fields, unknown ones too, and the evidence with its keys in their order."""
    full = episode(
        1, object="Z-ớ", ended_at_ms=START_MS, cleared_at_ms=START_MS + 1, settled_ms=START_MS, latched=True
    )
    bare = episode(
        2, journey=None, subject_kind="seal", regime=None, unit=None, evidence={"z": 1, "a": [0.1, None]}
    )
    await store.commit(Commit(space="live", episodes=[(full, 3, False), (bare, 1, False)]))
    page = await store.episodes("live")
    assert page.items == [EpisodeRow(bare, 1), EpisodeRow(full, 3)]
    assert page.next is None
    assert list(page.items[0].episode.evidence) == ["z", "a"]
    assert await store.revisions([full.episode, bare.episode, number_id(9)]) == {
        full.episode: 3,
        bare.episode: 1,
    }


async def test_an_episode_changes_and_the_last_of_one_commit_counts(store: Store) -> None:
    """An upsert replaces every field; two of one id in one commit are one change."""
    await store.commit(Commit(space="live", episodes=[(episode(1), 1, False)]))
    ended = episode(1, severity="critical", ended_at_ms=START_MS + 9, settled_ms=START_MS + 10)
    await store.commit(
        Commit(space="live", episodes=[(episode(1, severity="low"), 2, False), (ended, 3, False)])
    )
    assert (await store.episodes("live")).items == [EpisodeRow(ended, 3)]
    await store.commit(Commit(space="live", episodes=[(ended, 4, True)]))
    assert (await store.episodes("live")).items == []
    assert await ids_streamed(store) == []
    assert await store.revisions([ended.episode]) == {ended.episode: 4}


async def test_episodes_are_listed_newest_first_in_pages(store: Store) -> None:
    """Cursors walk the whole list without a gap or a repetition, with any filter."""
    rows = [
        EpisodeRow(episode(n, type="A" if n % 2 else "B", ended_at_ms=None if n % 3 else START_MS), 1)
        for n in range(50)
    ]
    rows.append(EpisodeRow(episode(99, raised_at_ms=rows[10].episode.raised_at_ms), 1))
    await store.commit(Commit(space="live", episodes=rows))
    newest = sorted(rows, key=lambda row: (row.episode.raised_at_ms, row.episode.episode), reverse=True)

    async def walk(**filters: object) -> list[EpisodeRow]:
        found, cursor = [], None
        while True:
            page = await store.episodes("live", EpisodeFilter(**filters), cursor=cursor, limit=7)
            assert len(page.items) <= 7
            found += page.items
            if (cursor := page.next) is None:
                return found

    assert await walk() == newest
    assert await walk(type="A") == [row for row in newest if row.episode.type == "A"]
    assert await walk(open_only=True) == [row for row in newest if row.episode.ended_at_ms is None]
    assert await walk(journeys=["J-3"]) == [row for row in newest if row.episode.journey == "J-3"]
    assert await walk(seal="S-2", open_only=True, type="B") == [
        row
        for row in newest
        if row.episode.seal == "S-2" and row.episode.ended_at_ms is None and row.episode.type == "B"
    ]
    assert await walk(journeys=["J-3"], seal="S-2") == []
    assert await walk(journeys=["J-3"], seal="S-3") == [row for row in newest if row.episode.journey == "J-3"]
    for nonsense in ("nonsense", f"{10**30}.{number_id(1).hex}", "1.2", ""):
        with pytest.raises(ValueError, match="not a cursor"):
            await store.episodes("live", cursor=nonsense)
    with pytest.raises(ValueError, match="cannot hold"):
        await store.episodes("live", EpisodeFilter(journeys=["J\x00"]))
    with pytest.raises(ValueError, match="cannot hold"):
        await store.events_after("live", 1 << 80, 10)


async def test_all_episodes_stream_in_the_published_order(store: Store) -> None:
    """By journey or else seal, type, object, start: in code point order, as Python sorts, over many pages."""
    names = ["Z", "a", "Ä", "é", "z", "A-1", "A.1", "A_1", "A1"]
    episodes = [
        episode(n, journey=names[n % 9] if n % 2 else None, seal=names[n % 7], type=names[n % 5], object=names[n % 3] if n % 4 else None)
        for n in range(4500)
    ]  # fmt: skip
    await store.commit(Commit(space="live", episodes=[(e, 1, n % 50 == 0) for n, e in enumerate(episodes)]))

    def place(e: object) -> tuple[object, ...]:
        return (e.journey or e.seal, e.type, e.object or "", e.started_at_ms, e.episode)

    expected = sorted((e for n, e in enumerate(episodes) if n % 50), key=place)
    assert [e async for e in store.stream_episodes("live")] == expected


async def test_unsettled_episodes_are_those_that_later_facts_can_change(store: Store) -> None:
    """Open ones, and ones settled after the seal's time; of the asked seals' space only, retracted ones left out."""
    await store.add_space("drill")
    numbers = await store.intern_seals("live", ["S-1", "S-2", "S-3"])
    (drill,) = (await store.intern_seals("drill", ["S-1"])).values()
    rows = [
        EpisodeRow(episode(1, seal="S-1", settled_ms=None), 2),
        EpisodeRow(episode(2, seal="S-1", settled_ms=START_MS + 10), 1),
        EpisodeRow(episode(3, seal="S-1", settled_ms=START_MS + 11), 1),
        EpisodeRow(episode(4, seal="S-2", settled_ms=START_MS), 1),
        EpisodeRow(episode(5, seal="S-3", settled_ms=None), 1),
        EpisodeRow(episode(6, seal="S-1", settled_ms=None), 5, retracted=True),
    ]
    await store.commit(Commit(space="live", episodes=rows))
    asked = [numbers["S-1"], numbers["S-2"], drill]
    assert await store.unsettled_episodes(asked, [START_MS + 10, NO_TIME, NO_TIME]) == [
        rows[0],
        rows[2],
        rows[3],
    ]
    assert await store.unsettled_episodes([], []) == []


async def test_events_are_read_in_both_directions(store: Store) -> None:
    """By sequence, within their space, bytes unchanged."""
    assert await store.last_sequence() == 0
    await store.commit(committed(0, 10))
    everything = [StoredEvent(n, f"body {n}".encode()) for n in range(1, 11)]
    assert await store.last_sequence() == 10
    assert await store.events_after("live", 0, 100) == everything
    assert await store.events_after("live", 3, 2) == everything[3:5]
    assert await store.events_before("live", None, 3) == everything[:-4:-1]
    assert await store.events_before("live", 3, 100) == everything[1::-1]
    assert await store.events_after("drill", 0, 100) == []


async def test_an_event_told_twice_is_refused_with_its_whole_commit(store: Store) -> None:
    """The deterministic id is unique; nothing of the commit is kept and the store stays usable."""
    await store.commit(committed(0, 2))
    again = event(episode(0), 7)
    with pytest.raises(CommitRefused, match="duplicate key"):
        await store.commit(
            Commit(
                space="live",
                events=[again],
                event_bodies=[b"x"],
                episodes=[(episode(5), 1, False)],
                counts={"x": 1},
            )
        )
    assert await store.last_sequence() == 2
    assert await store.revisions([episode(5).episode]) == {}
    await store.commit(committed(2, 1))
    assert await store.last_sequence() == 3


async def test_outbox_ids_rise_and_pending_goes_on_after_one(store: Store) -> None:
    """Ids are returned in the order given, are never given twice, and deleted rows stay deleted."""
    messages = [
        OutboxMessage(f"journey/{n}", f"t/{n}", bytes([n]), retain=n == 2, event_sequence=n or None)
        for n in range(5)
    ]
    first = await store.commit(Commit(space="live", outbox=messages[:3]))
    second = await store.commit(Commit(space="live", outbox=messages[3:]))
    assert first + second == [1, 2, 3, 4, 5]
    pending = await store.outbox_pending()
    assert [(m.id, m.space, *m[2:]) for m in pending] == [(n + 1, "live", *messages[n]) for n in range(5)]
    assert [m.id for m in await store.outbox_pending(2, limit=2)] == [3, 4]
    await store.outbox_done(first + second)
    await store.outbox_done(first)
    assert await store.outbox_pending() == []
    assert await store.commit(Commit(space="live", outbox=messages[:1])) == [6]


async def test_stats_count_what_was_stored(store: Store) -> None:
    """Kept in the commits themselves, by space; discards by name."""
    await store.add_space("drill")
    seals = list((await store.intern_seals("live", ["a", "b"])).values())
    letters = [DeadLetter(START_MS, "t", b"x", "no")]
    both = Commit(
        space="live",
        pings=pings(seals, 5),
        dead_letters=letters,
        counts={"duplicates": 4, "outlier": 2, "zero": 0},
    )
    await store.commit(both)
    await store.commit(committed(0, 3, counts={"outlier": 1}, outbox=[OutboxMessage("s", "t", b"")]))
    assert await store.stats("live") == Stats(10, 4, 1, 3, 1, {"outlier": 3})
    assert await store.stats("drill") == Stats(0, 0, 0, 0, 0, {})
    with pytest.raises(CommitRefused, match="counted by the store"):
        await store.commit(Commit(space="live", counts={"events": 1}))


async def test_a_dead_letter_keeps_its_bytes_and_text_that_postgresql_cannot_hold(store: Store) -> None:
    """Raw bytes are untouched; NUL and lone surrogates in topic and reason are spelt out, not fatal."""
    letters = [
        DeadLetter(START_MS, "t/1", b"\x00\xff{", "value '\x00' is no number"),
        DeadLetter(START_MS + 1, "t/\ud800", b"", "ordinary"),
    ]
    await store.commit(Commit(space="live", dead_letters=letters))
    found = await store.dead_letters("live")
    assert [stored.letter for stored in found] == [
        DeadLetter(START_MS + 1, "t/\\ud800", b"", "ordinary"),
        DeadLetter(START_MS, "t/1", b"\x00\xff{", "value '\\x00' is no number"),
    ]
    assert [s.letter.topic for s in await store.dead_letters("live", before_id=found[0].id)] == ["t/1"]
    assert await store.dead_letters("drill") == []


async def test_spaces_do_not_see_each_other(store: Store) -> None:
    """One name is two seals in two spaces; lists of one space hold nothing of the other."""
    await store.add_space("drill")
    await store.add_space("drill")
    assert [s.name for s in await store.spaces()] == ["live", "drill"]
    live = await store.intern_seals("live", ["S-1", "S-2", "S-1"])
    drill = await store.intern_seals("drill", ["S-1"])
    assert live["S-1"] != drill["S-1"]
    assert await store.intern_seals("live", ["S-2"]) == {"S-2": live["S-2"]}
    assert await store.seal_names("drill") == {drill["S-1"]: "S-1"}
    await store.commit(Commit(space="drill", episodes=[(episode(1), 1, False)], alarms=[alarm(1)]))
    assert (await store.episodes("live")).items == []
    assert await ids_streamed(store) == []
    assert await store.alarms("live", ALL) == ([], None)
    with pytest.raises(CommitRefused, match=r"of space 'drill'"):
        await store.commit(Commit(space="live", dead_letters=[DeadLetter(0, "t", b"", "r", space="drill")]))
    with pytest.raises(CommitRefused, match="no space 'moon'"):
        await store.intern_seals("moon", ["S-1"])
    with pytest.raises(CommitRefused, match="foreign key"):
        await store.commit(Commit(space="moon", counts={"x": 1}))


async def test_seals_keep_their_numbers_over_a_restart(postgres_dsn: str) -> None:
    """A number once given is that seal's for ever, and what memory had forgotten is looked up."""
    store = await Store.open(postgres_dsn)
    before = await store.intern_seals("live", ["b", "a"])
    await store.close()
    store = await Store.open(postgres_dsn)
    assert await store.intern_seals("live", ["a", "b", "c"]) == {**before, "c": max(before.values()) + 1}
    await store.close()


async def test_alarms_are_upserted_and_closed_ones_leave_the_open_list(store: Store) -> None:
    """Newest first, in pages; when an alarm was first raised stays."""
    await store.commit(Commit(space="live", alarms=[alarm(n) for n in range(5)]))
    await store.commit(
        Commit(
            space="live",
            alarms=[alarm(1, state="closed", raised_at_ms=0, updated_at_ms=START_MS + 99, repeats=3)],
        )
    )
    page, cursor = await store.alarms("live", OPEN, open_only=True, limit=2)
    assert page == [alarm(4), alarm(3)]
    assert cursor is not None
    assert await store.alarms("live", OPEN, open_only=True, limit=2, cursor=cursor) == (
        [alarm(2), alarm(0)],
        None,
    )
    closed = alarm(1, state="closed", updated_at_ms=START_MS + 99, repeats=3)
    assert (await store.alarms("live", ALL))[0][3] == closed
    assert (await store.alarms_around("live", Asked(episodes=[number_id(2001), number_id(5)]))).concerned == [
        closed
    ]


async def test_plan_versions_are_kept_as_they_were_read(store: Store) -> None:
    """File names in their order, text to the letter; a version is never changed."""
    files = {"zones.geojson": '{"a":1,  "a":2}\r\n', "b": "ế\u0000", "a": ""}
    first = NewPlan(1, None, START_MS, "d1", files, import_digest="d0", imported={"a": "b"})
    second = NewPlan(2, START_MS, START_MS, "d2", {}, "an", "why", b'{"zones":{}}')
    await store.commit(Commit(space="live", plans=[first]))
    await store.commit(Commit(space="live", plans=[second]))
    one, two = await store.plan_versions("live")
    assert (one.version, one.valid_from_ms, one.recorded_ms, one.digest) == (1, None, START_MS, "d1")
    assert list(one.files.items()) == list(files.items())
    assert two.valid_from_ms == START_MS
    with pytest.raises(CommitRefused, match="duplicate key"):
        await store.commit(Commit(space="live", plans=[second]))
    assert await store.plan_versions("drill") == []
    newest, oldest = await store.plan_history("live", None, 10)
    assert (newest.author, newest.note, newest.changes) == ("an", "why", b'{"zones":{}}')
    assert [e.version for e in await store.plan_history("live", 2, 10)] == [oldest.version] == [1]
    assert await store.last_import("live") == ("d0", {"a": "b"})
    assert await store.plan_files("live", 1) == files
    assert await store.plan_files("live", 3) is None


async def test_sessions_end_when_deleted_or_expired(store: Store) -> None:
    """An expired session is none even before it is purged."""
    session = Session(b"\x01" * 32, "an", 1, "token", START_MS, START_MS + 1000)
    await store.session_put(session)
    await store.session_put(session._replace(id_hash=b"\x02" * 32, expires_ms=START_MS + 5000))
    assert await store.session_get(session.id_hash, START_MS + 999) == session
    assert await store.session_get(session.id_hash, START_MS + 1000) is None
    assert await store.session_get(b"?", START_MS) is None
    assert await store.sessions_purge(START_MS + 1000) == 1
    await store.session_delete(b"\x02" * 32)
    assert await store.session_get(b"\x02" * 32, START_MS) is None


async def test_thousands_of_events_fit_one_commit(store: Store) -> None:
    """A re-judgement may change very many episodes at once."""
    await store.commit(committed(0, 5000, outbox=[OutboxMessage("s", "t", b"x" * 500)] * 5000))
    assert len(await ids_streamed(store)) == 5000
    assert (await store.stats("live"))[3:5] == (5000, 5000)
