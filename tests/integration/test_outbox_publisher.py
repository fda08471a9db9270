"""The outbox publisher on real brokers and a real database: everything arrives, in order for each subject."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from itertools import groupby

import pytest
import pytest_asyncio
from parts import Broker as BrokerInTest
from parts import Client
from proxy import CuttableProxy

from seal_tracker.publishing.outbox import OutboxPublisher
from seal_tracker.sources.link import Broker
from seal_tracker.store import Commit, OutboxMessage, PendingMessage, Store


@pytest_asyncio.fixture
async def store(postgres_dsn: str) -> AsyncIterator[Store]:
    store = await Store.open(postgres_dsn)
    yield store
    await store.close()


@pytest.fixture
def mark() -> str:
    """A piece of every topic of this test, so that retained states of other tests stay away."""
    return secrets.token_hex(4)


def publisher_of(
    broker: BrokerInTest, store: Store, mark: str, *, port: int | None = None, **options: float
) -> OutboxPublisher:
    username, password = broker.accounts["service"]
    return OutboxPublisher(
        Broker(broker.host, port or broker.port, username, password),
        f"publisher-{mark}",
        store,
        tenant="demo",
        instance=f"one-{mark}",
        version="1.2.3",
        clock_ms=lambda: 0,
        **options,  # type: ignore[arg-type]
    )


def events(mark: str, count: int, *, subjects: int = 7, start: int = 0) -> list[OutboxMessage]:
    """Numbered rows of several subjects, interleaved."""
    return [
        OutboxMessage(
            subject=f"journey/J{n % subjects}",
            topic=f"eseal/v1/demo/evt/high/{mark}/journey/J{n % subjects}",
            payload=b"%d" % n,
            retain=False,
            event_sequence=None,
        )
        for n in range(start, start + count)
    ]


async def commit(store: Store, messages: Sequence[OutboxMessage]) -> list[PendingMessage]:
    ids = await store.commit(Commit(space="live", outbox=messages))
    return [PendingMessage(i, "live", *message) for i, message in zip(ids, messages, strict=True)]


async def happens(condition: Callable[[], bool], what: str, limit_s: float = 60.0) -> None:
    deadline = asyncio.get_running_loop().time() + limit_s
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, f"did not happen: {what}"
        await asyncio.sleep(0.01)


def assert_in_order(client: Client, count: int) -> None:
    """Every number arrived, and within a subject none before a smaller one's first arrival."""
    numbers = [(message.topic, int(message.payload)) for message in client.messages]
    assert {number for _, number in numbers} == set(range(count))
    for _, of_subject in groupby(sorted(numbers, key=lambda pair: pair[0]), key=lambda pair: pair[0]):
        firsts = list(dict.fromkeys(number for _, number in of_subject))
        assert firsts == sorted(firsts)


async def test_what_is_put_arrives_in_order_and_leaves_the_table(
    broker: BrokerInTest, store: Store, mark: str
) -> None:
    """Rows of one subject arrive in commit order; the table is empty once the broker has acknowledged."""
    with broker.client("service") as client:
        client.subscribe(f"eseal/v1/demo/evt/+/{mark}/#")
        async with publisher_of(broker, store, mark) as publisher:
            for start in range(0, 700, 70):
                publisher.put(await commit(store, events(mark, 70, start=start)))
            await asyncio.wait_for(publisher.drained(), 60)
        await happens(lambda: len(client.messages) >= 700, "all delivered")
        assert_in_order(client, 700)
    assert len(client.messages) == 700
    assert await store.outbox_pending(0, 10) == []


async def test_rows_left_by_a_former_process_are_published_first(
    broker: BrokerInTest, store: Store, mark: str
) -> None:
    """A start reads what is pending from the table; rows put meanwhile come after it."""
    await commit(store, events(mark, 100, subjects=2))
    with broker.client("service") as client:
        client.subscribe(f"eseal/v1/demo/evt/+/{mark}/#")
        async with publisher_of(broker, store, mark) as publisher:
            publisher.put(await commit(store, events(mark, 100, subjects=2, start=100)))
            await asyncio.wait_for(publisher.drained(), 60)
        await happens(lambda: len(client.messages) >= 200, "all delivered")
        assert_in_order(client, 200)


async def test_more_than_memory_holds_waits_in_the_table(
    broker: BrokerInTest, store: Store, mark: str
) -> None:
    """With room for 50 rows and no broker, 2,000 are put: memory stays bounded, and all arrive in order later."""
    async with CuttableProxy(broker.port) as proxy:
        proxy.closed = True
        async with publisher_of(broker, store, mark, port=proxy.port, max_rows=50) as publisher:
            for start in range(0, 2_000, 20):
                publisher.put(await commit(store, events(mark, 20, start=start)))
                assert publisher.status.waiting <= 50
            proxy.closed = False
            with broker.client("service") as client:
                client.subscribe(f"eseal/v1/demo/evt/+/{mark}/#")
                await asyncio.wait_for(publisher.drained(), 60)
                await happens(lambda: len(client.messages) >= 2_000, "all delivered")
                assert_in_order(client, 2_000)


async def test_cut_connections_reorder_nothing(broker: BrokerInTest, store: Store, mark: str) -> None:
    """The connection is cut again and again in the middle: duplicates may come, gaps and swaps may not."""
    async with CuttableProxy(broker.port) as proxy:
        with broker.client("service") as client:
            client.subscribe(f"eseal/v1/demo/evt/+/{mark}/#")
            async with publisher_of(broker, store, mark, port=proxy.port) as publisher:
                for start in range(0, 3_000, 600):
                    publisher.put(await commit(store, events(mark, 600, subjects=20, start=start)))
                    await happens(lambda start=start: publisher.status.published > start + 30, "on the way")
                    proxy.cut()
                await asyncio.wait_for(publisher.drained(), 60)
            assert proxy.accepted >= 5
            await happens(lambda: len({m.payload for m in client.messages}) == 3_000, "all delivered")
            assert_in_order(client, 3_000)
    assert await store.outbox_pending(0, 10) == []


async def test_a_row_that_cannot_be_sent_holds_its_subject_only(
    broker: BrokerInTest, store: Store, mark: str
) -> None:
    """Too large for the broker, which would end the connection: held, told, kept in the table; others go on."""
    rows = events(mark, 6, subjects=2)
    rows[2] = rows[2]._replace(payload=b"x" * 950_000)
    with broker.client("service") as client:
        client.subscribe(f"eseal/v1/demo/evt/+/{mark}/#")
        async with publisher_of(broker, store, mark) as publisher:
            publisher.put(await commit(store, rows))
            await asyncio.wait_for(publisher.drained(), 60)
            await happens(lambda: len(client.messages) >= 4, "the others delivered")
            assert publisher.status.held == {
                "journey/J0": "payload of 950000 bytes: at most 900000 can be published"
            }
    assert sorted(message.payload for message in client.messages) == [b"0", b"1", b"3", b"5"]
    assert [row.subject for row in await store.outbox_pending(0, 10)] == ["journey/J0", "journey/J0"]


async def test_the_newest_state_is_retained_and_an_empty_one_removes_it(
    broker: BrokerInTest, store: Store, mark: str
) -> None:
    """Whoever subscribes later gets the state as it is now, and nothing once it is closed."""
    async with publisher_of(broker, store, mark) as publisher:
        for n in range(20):
            publisher.publish_state(f"eseal/v1/demo/journey/{mark}/state", b"%d" % n)
            publisher.publish_state(f"eseal/v1/demo/alarm/{mark}", b"%d" % n)
        publisher.publish_state(f"eseal/v1/demo/alarm/{mark}", b"")
        await asyncio.wait_for(publisher.drained(), 60)
        with broker.client("service") as client:
            client.subscribe(f"eseal/v1/demo/+/{mark}/#")
            await happens(lambda: len(client.messages) >= 1, "the state delivered")
            await asyncio.sleep(0.2)
            assert [(message.topic, message.payload) for message in client.messages] == [
                (f"eseal/v1/demo/journey/{mark}/state", b"19")
            ]


async def test_the_service_says_that_it_is_there_and_that_it_left(
    broker: BrokerInTest, store: Store, mark: str
) -> None:
    """``svc/{instance}`` is retained: online with the version, offline after an orderly end, and after a fall."""
    topic = f"eseal/v1/demo/svc/one-{mark}"
    with broker.client("service") as client:
        client.subscribe(topic)

        def last() -> str | None:
            return json.loads(client.messages[-1].payload)["state"] if client.messages else None

        async with publisher_of(broker, store, mark):
            await happens(lambda: last() == "online", "online")
            assert json.loads(client.messages[-1].payload) == {"state": "online", "version": "1.2.3"}
        await happens(lambda: last() == "offline", "offline after an orderly end")
        async with (
            CuttableProxy(broker.port) as proxy,
            publisher_of(broker, store, mark, port=proxy.port),
        ):
            await happens(lambda: last() == "online", "online again")
            proxy.closed = True
            proxy.cut()
            await happens(lambda: last() == "offline", "the last will")


async def test_a_canary_is_published_now_or_not_at_all(broker: BrokerInTest, store: Store, mark: str) -> None:
    """It says that the way through the broker is open at this moment; one that waited would lie."""
    topic = f"eseal/v1/demo/svc/one-{mark}/ping"
    async with (
        CuttableProxy(broker.port) as proxy,
        publisher_of(broker, store, mark, port=proxy.port) as publisher,
    ):
        await happens(lambda: publisher.status.link.connected, "connected")
        with broker.client("service") as client:
            client.subscribe(topic)
            assert publisher.publish_transient(topic, b"1")
            await happens(lambda: client.topics() == [topic], "delivered")
            proxy.closed = True
            proxy.cut()
            await happens(lambda: not publisher.status.link.connected, "the loss noticed")
            assert not publisher.publish_transient(topic, b"2")
            proxy.closed = False
            await happens(lambda: publisher.status.link.connected, "connected again")
            assert publisher.publish_transient(topic, b"3")
            await happens(lambda: len(client.messages) == 2, "delivered")
            assert [message.payload for message in client.messages] == [b"1", b"3"]
