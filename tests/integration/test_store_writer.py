"""One writer at a time; a database that dies, freezes or goes away leaves commits whole, and the writer comes back."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio
from store_servers import CutWire, OwnServer
from store_stories import START_MS, pings

from seal_tracker.model import NO_TIME
from seal_tracker.store import Commit, OutboxMessage, Store, StoreUnavailable, WriterBusy, WriterSuperseded

MESSAGE = OutboxMessage("journey/J", "t", b"x")


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnServer]:
    server = OwnServer(tmp_path_factory.mktemp("own"))
    asyncio.run(server.start())
    yield server
    server.stop()


@asynccontextmanager
async def opened(dsn: str, **options: object) -> AsyncIterator[Store]:
    store = await Store.open(dsn, **options)
    try:
        yield store
    finally:
        await store.close()


@pytest_asyncio.fixture
async def wire(postgres_dsn: str) -> AsyncIterator[CutWire]:
    wire = CutWire(postgres_dsn)
    wire.dsn = await wire.open()
    yield wire
    await wire.close()


async def stored_after_retries(store: Store, commit: Commit) -> tuple[list[int], int]:
    """What the pipeline does: the same commit again until it stands. Returns outbox ids and failures."""
    for failures in range(1200):
        try:
            return await store.commit(commit), failures
        except StoreUnavailable:
            await asyncio.sleep(0.05)
    raise AssertionError("never stored")


async def test_a_second_writer_is_refused_by_name_of_the_first(postgres_dsn: str) -> None:
    """Two judging services on one database would tell each event twice."""
    async with opened(postgres_dsn, application_name="first"):
        with pytest.raises(WriterBusy, match=r"backend \d+, application 'first writer") as refused:
            await Store.open(postgres_dsn, application_name="second", lock_wait_s=0)
        async with direct(postgres_dsn) as connection:
            name = await connection.fetchval(
                "SELECT application_name FROM pg_stat_activity WHERE pid = $1", refused.value.pid
            )
        assert name == refused.value.application_name
        assert str(os.getpid()) in name
    async with opened(postgres_dsn, lock_wait_s=0):
        pass


async def test_writers_of_two_databases_do_not_hinder_each_other(
    postgres_dsn: str, own_server: OwnServer
) -> None:
    """The lock belongs to a database, not to a server or a machine."""
    async with opened(postgres_dsn, lock_wait_s=0), opened(own_server.dsn, lock_wait_s=0):
        pass


async def test_a_killed_writer_frees_the_database(postgres_dsn: str) -> None:
    """PostgreSQL itself frees the lock of a process killed with -9, nobody else has to."""
    script = (
        "import asyncio, sys\nfrom seal_tracker.store import Store\n"
        "async def main():\n    store = await Store.open(sys.argv[1])\n    print('open', flush=True)\n    await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    root = Path(__file__).parents[2]
    other = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, postgres_dsn, stdout=subprocess.PIPE, cwd=root
    )
    try:
        assert other.stdout is not None
        assert await other.stdout.readline() == b"open\n"
        with pytest.raises(WriterBusy):
            await Store.open(postgres_dsn, lock_wait_s=0)
        other.kill()
        async with opened(postgres_dsn, lock_wait_s=60):
            pass
    finally:
        if other.returncode is None:
            with suppress(ProcessLookupError):
                other.kill()
        await other.wait()


async def test_a_waiting_writer_takes_over_when_the_first_ends(postgres_dsn: str) -> None:
    """A restart may overlap the end of the service before it."""
    first = await Store.open(postgres_dsn)
    second = asyncio.create_task(Store.open(postgres_dsn, lock_wait_s=60))
    await asyncio.sleep(0.2)
    assert not second.done()
    await first.close()
    await (await second).close()


async def test_a_writer_whose_connection_was_cut_comes_back(postgres_dsn: str) -> None:
    """The call that meets the broken connection fails or reconnects; the next ones work, locked again."""
    async with opened(postgres_dsn) as store:
        await store.commit(Commit(space="live", counts={"a": 1}))
        async with direct(postgres_dsn) as connection:
            await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        await stored_after_retries(store, Commit(space="live", counts={"a": 1}))
        assert await store.counters("live") == {"a": 2}
        with pytest.raises(WriterBusy):
            await Store.open(postgres_dsn, lock_wait_s=0)


async def test_a_commit_lost_on_its_way_is_done_once_when_given_again(wire: CutWire) -> None:
    """The connection broke before COMMIT arrived: nothing stands, and the error says which number to ask for."""
    async with opened(wire.dsn) as store:
        commit = Commit(space="live", counts={"a": 1}, outbox=[MESSAGE])
        wire.lose = "the commit"
        with pytest.raises(StoreUnavailable) as lost:
            await store.commit(commit)
        assert lost.value.commit_number == 1
        assert not await store.commit_outcome(1)
        assert await store.last_commit_number() == 0
        assert await store.commit(commit) == [1]
        assert await store.commit_outcome(1)
        assert await store.counters("live") == {"a": 1}


async def test_a_commit_whose_answer_was_lost_is_not_done_twice(wire: CutWire) -> None:
    """The connection broke after COMMIT was done: the same commit given again returns what the first time would have."""
    async with opened(wire.dsn) as store:
        await store.commit(Commit(space="live", outbox=[MESSAGE] * 3))
        commit = Commit(space="live", counts={"a": 1}, outbox=[MESSAGE] * 2)
        wire.lose = "the answer"
        with pytest.raises(StoreUnavailable) as lost:
            await store.commit(commit)
        assert lost.value.commit_number == 2
        assert await store.commit(commit) == [4, 5]
        assert await store.commit_outcome(2)
        assert await store.last_commit_number() == 2
        assert await store.counters("live") == {"a": 1}
        assert await store.commit(Commit(space="live", outbox=[MESSAGE])) == [6]


async def test_another_commit_may_follow_one_in_doubt(wire: CutWire) -> None:
    """Who asks for the outcome first may go on with something else; numbers go on from what stands."""
    async with opened(wire.dsn) as store:
        wire.lose = "the answer"
        with pytest.raises(StoreUnavailable) as lost:
            await store.commit(Commit(space="live", counts={"a": 1}))
        assert await store.commit_outcome(lost.value.commit_number)
        await store.commit(Commit(space="live", counts={"b": 1}))
        assert await store.last_commit_number() == 2
        assert await store.counters("live") == {"a": 1, "b": 1}


async def test_seals_numbered_in_doubt_keep_one_number(wire: CutWire) -> None:
    """Interning is retried like anything else and gives the numbers that stand."""
    async with opened(wire.dsn) as store:
        wire.lose = "the answer"
        with pytest.raises(StoreUnavailable):
            await store.intern_seals("live", ["S-1"])
        numbers = await store.intern_seals("live", ["S-1"])
        assert {number: name for name, number in numbers.items()} == await store.seal_names("live")


async def test_a_cancelled_commit_is_whole_or_nothing(postgres_dsn: str) -> None:
    """Cancelling at any moment leaves the store usable, and the same commit given again stands once."""
    async with opened(postgres_dsn) as store:
        seals = list((await store.intern_seals("live", [f"S-{n}" for n in range(20)])).values())
        for attempt, delay_s in enumerate([0, 0.001, 0.003, 0.006, 0.01, 0.02, 0.04]):
            batch = pings(seals, 100, start_ms=START_MS + attempt * 10_000_000, seed=attempt)
            commit = Commit(space="live", pings=batch, counts={"a": 1})
            task = asyncio.create_task(store.commit(commit))
            await asyncio.sleep(delay_s)
            task.cancel()
            await asyncio.wait([task])
            await stored_after_retries(store, commit)
            assert await store.counters("live") == {"a": attempt + 1, "pings_stored": 2000 * (attempt + 1)}


async def test_a_writer_that_another_has_overtaken_refuses_to_go_on(postgres_dsn: str) -> None:
    """Its judging state is older than the store: it must not write what it concludes from that."""
    async with opened(postgres_dsn) as store:
        await store.commit(Commit(space="live"))
        async with direct(postgres_dsn) as connection:
            await connection.execute("UPDATE writer SET commit_number = commit_number + 5")
        with pytest.raises(WriterSuperseded):
            await store.commit(Commit(space="live", counts={"a": 1}))
        await terminate_writer(postgres_dsn)
        with pytest.raises(WriterSuperseded, match="at commit 6, this writer left it at 1"):
            await stored_after_retries(store, Commit(space="live"))
        assert await store.counters("live") == {}


async def test_a_database_that_is_not_there_says_so() -> None:
    """Opening fails with the same typed error that a later outage gives."""
    with pytest.raises(StoreUnavailable, match="could not connect"):
        await Store.open("postgresql://nobody:x@127.0.0.1:1/none")


async def test_postgresql_killed_amid_commits_leaves_no_half_and_all_are_stored_once(
    own_server: OwnServer,
) -> None:
    """Kill -9 of the whole server at different moments of large commits: each is stored whole, once, after retries."""
    store = await Store.open(own_server.dsn, timeout_s=30)
    try:
        seals = list((await store.intern_seals("live", [f"S-{n}" for n in range(100)])).values())
        failures = 0
        for attempt, delay_s in enumerate([0.01, 0.08, 0.25]):
            batch = pings(seals, 400, start_ms=START_MS + attempt * 50_000_000, seed=attempt)
            commit = Commit(space="live", pings=batch, counts={"a": 1}, outbox=[MESSAGE] * 2)
            task = asyncio.create_task(stored_after_retries(store, commit))
            await asyncio.sleep(delay_s)
            own_server.kill()
            with pytest.raises(StoreUnavailable):
                await store.stats("live")
            await own_server.start()
            ids, failed = await task
            failures += failed > 0
            assert ids == [2 * attempt + 1, 2 * attempt + 2]
            assert await store.counters("live") == {"a": attempt + 1, "pings_stored": 40_000 * (attempt + 1)}
            assert len(await store.pings_after(seals, [NO_TIME] * 100)) == 40_000 * (attempt + 1)
        assert failures, "no kill met a commit: the batches are too small for this machine"
        assert await store.last_commit_number() == 3
    finally:
        await store.close()


async def test_a_frozen_database_fails_in_time_and_goes_on_when_it_thaws(own_server: OwnServer) -> None:
    """A server that hangs is given up after the limit; what it finds in its socket when it wakes is not done twice."""
    store = await Store.open(own_server.dsn, timeout_s=2)
    try:
        before = (await store.counters("live")).get("frozen", 0)
        commit = Commit(space="live", counts={"frozen": 1})
        own_server.freeze()
        try:
            with pytest.raises(StoreUnavailable):
                await store.commit(commit)
            with pytest.raises(StoreUnavailable):
                await store.counters("live")
        finally:
            own_server.thaw()
        await stored_after_retries(store, commit)
        assert (await store.counters("live"))["frozen"] == before + 1
    finally:
        await store.close()


@asynccontextmanager
async def direct(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """A plain connection beside the store."""
    connection = await asyncpg.connect(dsn)
    try:
        yield connection
    finally:
        await connection.close()


async def terminate_writer(dsn: str) -> None:
    async with direct(dsn) as connection:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE '%writer%' "
            "AND datname = current_database()"
        )
