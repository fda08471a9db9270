"""Pings go in by binary COPY, or a few with the rest, and come out the same, every column, extremes and unknowns included."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import numpy as np
import pytest
import pytest_asyncio
from store_stories import START_MS, assert_same_pings, in_order, pings

from seal_tracker.model import NO_TIME, PING_DTYPES, PingBatch
from seal_tracker.store import Commit, CommitRefused, Store, committing
from seal_tracker.store.binary_copy import CopyColumn, decode_copy, encode_copy
from seal_tracker.tracking.order import effective_time_ms

LAST_YEAR_MS = START_MS - 52 * 7 * 86_400_000
"""A week that every machine's clock has passed."""


@pytest_asyncio.fixture
async def store(postgres_dsn: str) -> AsyncIterator[Store]:
    store = await Store.open(postgres_dsn)
    yield store
    await store.close()


@pytest.fixture(params=[0, 1_000], ids=["by COPY", "with the rest"])
def either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """How many pings are few enough to go with the commit's other parts."""
    monkeypatch.setattr(committing, "FEW_PINGS", request.param)


async def seals_of(store: Store, count: int, space: str = "live") -> list[int]:
    return list((await store.intern_seals(space, [f"S-{n}" for n in range(count)])).values())


async def test_pings_come_back_as_they_were_committed(store: Store) -> None:
    """Rows with any mixture of unknown columns are stored and read without a change."""
    seals = await seals_of(store, 20)
    batch = pings(seals, 50)
    await store.commit(Commit(space="live", pings=batch))
    assert_same_pings(await store.pings_after(seals, [NO_TIME] * 20), in_order(batch))


@pytest.mark.usefixtures("either_way")
async def test_every_column_keeps_its_extremes(store: Store) -> None:
    """The least and the greatest value of each column's own range survive, and so does each "unknown"."""
    (seal,) = await seals_of(store, 1)
    columns = {}
    for name, dtype in PING_DTYPES.items():
        if dtype.kind == "i":
            limits = np.iinfo(dtype)
            columns[name] = np.array([limits.min, limits.max, 1, limits.min + 1], dtype)
        elif dtype.kind == "f":
            real = np.finfo(dtype)
            columns[name] = np.array([real.min, real.max, np.nan, real.smallest_subnormal], dtype)
        else:
            columns[name] = np.array([False, True, True, True])
    year_1, year_9999 = -62_135_596_800_000, 253_402_300_799_999
    columns["time_ms"] = np.array([year_1, year_9999, -1, 1], np.int64)
    columns["received_ms"] = np.array([NO_TIME, year_9999, year_1, -1], np.int64)
    columns["seal"] = np.full(4, seal, np.int32)
    columns["lon_e7"][0] = columns["lat_e7"][0] = 0  # has no position, so none is kept
    batch = PingBatch(**columns)
    await store.commit(Commit(space="live", pings=batch))
    assert_same_pings(await store.pings_after([seal], [NO_TIME]), in_order(batch))


async def test_unknown_is_null_in_the_table(store: Store, postgres_dsn: str) -> None:
    """Other readers of the database see NULL, not a number that stands for unknown."""
    (seal,) = await seals_of(store, 1)
    await store.commit(Commit(space="live", pings=pings([seal], 3, unknown=1.1)))
    connection = await asyncpg.connect(postgres_dsn)
    nullable = "received_at, seq, lon_e7, lat_e7, speed_kmh, course_deg, accuracy_m, battery_pct, interval_s, satellites"
    rows = await connection.fetch(f"SELECT {nullable}, rssi_dbm FROM pings")
    assert [set(row.values()) for row in rows] == [{None}] * 3
    assert await connection.fetchval("SELECT min(time) = to_timestamp($1) FROM pings", START_MS / 1000)
    await connection.close()


async def test_pings_after_a_time_leave_out_that_time_and_other_seals(store: Store) -> None:
    """Each seal has its own bound, and the bound itself is not after the bound."""
    seals = await seals_of(store, 3)
    batch = pings(seals, 10)
    await store.commit(Commit(space="live", pings=batch))
    found = await store.pings_after(seals[:2], [START_MS + 60_000, START_MS + 300_000])
    after = np.where(batch.seal == seals[0], START_MS + 60_000, START_MS + 300_000)
    expected = batch.take(np.isin(batch.seal, seals[:2]) & (effective_time_ms(batch) > after))
    assert_same_pings(found, in_order(expected))
    assert len(found) >= 7
    assert_same_pings(await store.pings_after([], []), PingBatch.empty())


async def test_pings_without_a_clock_count_at_their_arrival(store: Store) -> None:
    """A device whose clock is years behind reported just now: judging again from this morning must see it."""
    (seal,) = await seals_of(store, 1)
    batch = pings([seal], 2, unknown=0.0).with_columns(
        time_ms=np.array([START_MS - 10**12, START_MS + 10**11]),
        received_ms=np.array([START_MS + 5, START_MS - 5]),
        clock_ok=np.zeros(2, bool),
    )
    await store.commit(Commit(space="live", pings=batch))
    assert_same_pings(await store.pings_after([seal], [START_MS]), batch.take(slice(0, 1)))


async def test_portions_one_after_the_other_are_all_pings(store: Store) -> None:
    """Up to its time, or to one before it where there are more: nothing is left out or given twice, and no moment is cut."""
    seals = await seals_of(store, 3)
    batch = pings(seals, 40)
    twice = (
        batch.time_ms == START_MS + 150_000
    )  # a moment with two pings, at which a portion of six would end
    variants = batch.take(twice).with_columns(digest=batch.digest[twice] + 1)
    await store.commit(Commit(space="live", pings=PingBatch.concat([batch, variants])))
    until = [START_MS + 600_000, START_MS + 2 * 10**6, START_MS]
    reached, parts = [NO_TIME] * 3, []
    while reached != until:
        found = await store.pings_portion(seals, reached, until, 6)
        again = await store.pings_after(seals, reached)
        last = np.array([dict(zip(seals, found.through_ms, strict=True))[s] for s in again.seal.tolist()])
        assert_same_pings(found.pings, again.take(effective_time_ms(again) <= last))
        assert all(len(found.pings.take(found.pings.seal == s)) <= 2 * 6 for s in seals)
        parts.append(found.pings)
        reached = found.through_ms
    whole = await store.pings_after(seals, [NO_TIME] * 3)
    bound = np.array([dict(zip(seals, until, strict=True))[s] for s in whole.seal.tolist()])
    assert_same_pings(
        in_order(PingBatch.concat(parts)), in_order(whole.take(effective_time_ms(whole) <= bound))
    )
    assert (await store.pings_portion([], [], [], 6)).through_ms == []


async def test_a_moment_with_more_pings_than_a_portion_holds_is_given_whole(store: Store) -> None:
    """Pings of one moment are judged as one."""
    (seal,) = await seals_of(store, 1)
    batch = pings([seal], 9, unknown=0.0)
    same = batch.with_columns(time_ms=np.full(9, START_MS), clock_ok=np.ones(9, bool))
    await store.commit(Commit(space="live", pings=same))
    found = await store.pings_portion([seal], [NO_TIME], [START_MS + 5], 3)
    assert (len(found.pings), found.through_ms) == (9, [START_MS + 5])


async def test_known_pings_are_those_of_equal_seal_and_time(store: Store) -> None:
    """All variants of an asked (seal, time) are given once, however often it is asked."""
    seals = await seals_of(store, 2)
    batch = pings([seals[0]], 4)
    variant = batch.take(slice(1, 2)).with_columns(digest=np.array([7], np.int64))
    both = PingBatch.concat([batch, variant])
    await store.commit(Commit(space="live", pings=both))
    asked = PingBatch.concat([batch.take(slice(1, 3)), batch.take(slice(1, 2))])
    known = await store.known_pings(asked.seal, asked.time_ms)
    assert set(zip(known.seal.tolist(), known.time_ms.tolist(), known.digest.tolist(), strict=True)) == {
        (seals[0], int(batch.time_ms[1]), int(batch.digest[1])),
        (seals[0], int(batch.time_ms[1]), 7),
        (seals[0], int(batch.time_ms[2]), int(batch.digest[2])),
    }
    assert len(known.seal) == 3
    nothing = await store.known_pings(np.array([seals[1]], np.int32), batch.time_ms[:1])
    assert len(nothing.seal) == 0
    assert nothing.time_ms.dtype == np.int64
    assert len((await store.known_pings(batch.seal[:0], batch.time_ms[:0])).seal) == 0


@pytest.mark.usefixtures("either_way")
async def test_a_ping_stored_twice_fails_the_whole_commit(store: Store) -> None:
    """The primary key is the safety net under the caller's deduplication: nothing of the commit is kept."""
    seals = await seals_of(store, 1)
    batch = pings(seals, 5)
    await store.commit(Commit(space="live", pings=batch))
    again = PingBatch.concat([pings(seals, 1, start_ms=START_MS + 999), batch.take(slice(2, 3))])
    with pytest.raises(CommitRefused, match="duplicate key"):
        await store.commit(Commit(space="live", pings=again, counts={"duplicates": 3}))
    assert_same_pings(await store.pings_after(seals, [NO_TIME]), in_order(batch))
    assert await store.counters("live") == {"pings_stored": 5}


async def test_a_seal_of_another_space_is_refused(store: Store) -> None:
    """A commit stores pings of its own space's seals only."""
    await store.add_space("drill")
    (other,) = (await store.intern_seals("drill", ["S-0"])).values()
    with pytest.raises(CommitRefused, match=r"not of space 'live'"):
        await store.commit(Commit(space="live", pings=pings([other], 1)))
    with pytest.raises(CommitRefused, match=r"not of space 'live'"):
        await store.commit(Commit(space="live", pings=pings([987_654], 1)))


@pytest.mark.usefixtures("either_way")
async def test_a_time_that_postgresql_cannot_hold_is_refused(store: Store) -> None:
    """It is named, not wrapped round into another time."""
    seals = await seals_of(store, 1)
    batch = pings(seals, 1).with_columns(time_ms=np.array([np.iinfo(np.int64).max], np.int64))
    with pytest.raises(CommitRefused, match=r"column 'time'"):
        await store.commit(Commit(space="live", pings=batch))


async def test_newest_checkpoint_is_the_last_strictly_before(store: Store) -> None:
    """Re-judgement starts before the change; dropped states never come back, a rewritten one is replaced."""
    a, b, c = await seals_of(store, 3)
    states = [(a, START_MS + n, f"a{n}".encode()) for n in range(5)] + [(b, START_MS, b"b")]
    await store.commit(Commit(space="live", checkpoints=states))
    assert await store.newest_checkpoints([a, b, c]) == {a: (START_MS + 4, b"a4"), b: (START_MS, b"b")}
    assert await store.newest_checkpoints([a, b], [START_MS + 2, START_MS]) == {a: (START_MS + 1, b"a1")}
    await store.commit(
        Commit(
            space="live",
            drop_checkpoints=[(a, START_MS + 2, START_MS + 9)],
            checkpoints=[(a, START_MS + 3, b"x"), (b, START_MS, b"B")],
        )
    )
    assert await store.newest_checkpoints([a, b]) == {a: (START_MS + 3, b"x"), b: (START_MS, b"B")}
    assert await store.newest_checkpoints([a], [START_MS + 3]) == {a: (START_MS + 1, b"a1")}


async def test_checkpoints_ahead_are_the_last_of_the_next_few(store: Store) -> None:
    """Judging again compares at the next, then farther and farther on; past the last there is none. A stretch may be dropped."""
    a, b, c = await seals_of(store, 3)
    states = [(a, START_MS + n, f"a{n}".encode()) for n in range(5)] + [(b, START_MS, b"b")]
    await store.commit(Commit(space="live", checkpoints=states))
    seals, after = [a, b, c], [START_MS, START_MS, START_MS]
    assert await store.checkpoints_ahead(seals, after, 1) == {a: (START_MS + 1, b"a1")}
    assert await store.checkpoints_ahead(seals, after, 3) == {a: (START_MS + 3, b"a3")}
    assert await store.checkpoints_ahead(seals, after, 9) == {a: (START_MS + 4, b"a4")}
    await store.commit(Commit(space="live", drop_checkpoints=[(a, START_MS + 1, START_MS + 3)]))
    assert await store.checkpoints_ahead([a], [START_MS], 1) == {a: (START_MS + 3, b"a3")}


def test_a_copy_stream_is_read_as_it_was_written() -> None:
    """Without NULLs the two are inverse, for no rows too; a stream of another shape is refused, not misread."""
    numbers = CopyColumn("a", "int8", np.array([-(2**63), 0, 2**63 - 1]))
    times = CopyColumn("t", "timestamptz", np.array([-1, 0, START_MS]))
    stream = encode_copy([numbers, times])
    found = decode_copy(stream, ["int8", "timestamptz"])
    np.testing.assert_array_equal(found[0], numbers.values)
    np.testing.assert_array_equal(found[1], times.values)
    nothing = encode_copy([CopyColumn("a", "int8", np.empty(0, np.int64))])
    assert [column.tolist() for column in decode_copy(nothing, ["int8"])] == [[]]
    big = np.array([1, 70_000])
    with_null = encode_copy(
        [numbers, CopyColumn("t", "timestamptz", times.values, np.array([True, False, False]))]
    )
    assert len(with_null) == len(stream) - 8
    for wrong in (stream[:-1], stream[:-2], b"", b"x" * len(stream), with_null):
        with pytest.raises(ValueError, match="COPY stream"):
            decode_copy(wrong, ["int8", "timestamptz"])
    narrow_then_wide = encode_copy([CopyColumn("a", "int4", big), CopyColumn("b", "int8", big)])
    with pytest.raises(ValueError, match="NULLs, or of other columns"):
        decode_copy(narrow_then_wide, ["int8", "int4"])


def test_a_value_that_its_column_cannot_hold_is_named() -> None:
    """Nothing wraps round; what is NULL may hold anything."""
    big = np.array([1, 70_000])
    with pytest.raises(ValueError, match=r"column 'a': .*70000.* does not fit int2"):
        encode_copy([CopyColumn("a", "int2", big)])
    encode_copy([CopyColumn("a", "int2", big, np.array([False, True]))])
    with pytest.raises(ValueError, match="unequal length"):
        encode_copy([CopyColumn("a", "int2", big), CopyColumn("b", "int2", big[:1])])


async def test_pings_lie_in_weeks_and_those_of_no_believable_time_beside_them(
    store: Store, postgres_dsn: str
) -> None:
    """A clock that is wrong makes no table, nor does an exercise of another decade; all of them are found."""
    (seal,) = await seals_of(store, 1)
    week, year = 7 * 86_400_000, 366 * 86_400_000
    at = LAST_YEAR_MS + np.array([0, week, 2 * week, -20 * year, 90 * year, 91 * year])
    batch = pings([seal], 6, unknown=0.0).with_columns(
        time_ms=at, received_ms=np.full(6, START_MS), clock_ok=np.arange(6) % 3 < 2
    )
    await store.commit(Commit(space="live", pings=batch))
    connection = await asyncpg.connect(postgres_dsn)
    lying = "SELECT tableoid::regclass::text, count(*) FROM pings GROUP BY 1 ORDER BY 1"
    assert [tuple(row) for row in await connection.fetch(lying)] == [
        ("pings_20250922", 1), ("pings_20250929", 1), ("pings_other_weeks", 2), ("pings_unclocked", 2),
    ]  # fmt: skip
    assert [week.name for week in await store.ping_weeks()] == ["pings_20250922", "pings_20250929"]
    assert_same_pings(await store.pings_after([seal], [NO_TIME]), in_order(batch))
    known = await store.known_pings(batch.seal, batch.time_ms)
    assert set(known.digest.tolist()) == set(batch.digest.tolist())
    await connection.close()


async def test_a_lock_on_the_tables_of_pings_stops_no_commit(store: Store, postgres_dsn: str) -> None:
    """While a backup reads, pings of a new week wait among others; they move to its table when that can be made."""
    (seal,) = await seals_of(store, 1)
    batch = pings([seal], 2, unknown=0.0, start_ms=LAST_YEAR_MS).with_columns(clock_ok=np.ones(2, bool))
    backup = await asyncpg.connect(postgres_dsn)
    lying = "SELECT DISTINCT tableoid::regclass::text FROM pings"
    async with backup.transaction():
        await backup.execute("LOCK TABLE pings IN ACCESS SHARE MODE")
        await store.commit(Commit(space="live", pings=batch.take(slice(0, 1))))
        assert await backup.fetchval(lying) == "pings_other_weeks"
    store._try_again_at = 0.0
    await store.commit(Commit(space="live", pings=batch.take(slice(1, 2))))
    assert [row[0] for row in await backup.fetch(lying)] == ["pings_20250922"]
    assert_same_pings(await store.pings_after([seal], [NO_TIME]), in_order(batch))
    await backup.close()
