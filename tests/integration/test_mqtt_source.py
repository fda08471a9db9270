"""The MQTT source on real brokers: nothing acknowledged before it is told, nothing lost, nothing decoded twice in work."""

from __future__ import annotations

import asyncio
import secrets
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
from parts import Broker as BrokerInTest
from parts import wait_until
from proxy import CuttableProxy

from seal_tracker.embedded.credentials import load_or_make
from seal_tracker.embedded.nats import ACK_WAIT_S, _binary, render_config
from seal_tracker.embedded.ports import choose_port
from seal_tracker.sources.framing import RawMessage, puback
from seal_tracker.sources.mqtt import Broker, MqttSource

CLOCK_MS = 1_795_316_400_000


def source_of(
    broker: BrokerInTest, client_id: str, topic: str, *, port: int | None = None, **options: int
) -> MqttSource:
    username, password = broker.accounts["service"]
    address = Broker(broker.host, port or broker.port, username, password)
    return MqttSource(address, client_id, [topic], clock_ms=lambda: CLOCK_MS, **options)


async def connected(source: MqttSource, connections: int = 1) -> None:
    await happens(lambda: source.status.ready and source.status.connections >= connections, "subscribed")


async def happens(condition: Callable[[], bool], what: str, limit_s: float = 60.0) -> None:
    deadline = asyncio.get_running_loop().time() + limit_s
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, f"did not happen: {what}"
        await asyncio.sleep(0.01)


async def publish(broker: BrokerInTest, messages: list[tuple[str, bytes]], *, retain: bool = False) -> None:
    def all_of_them() -> None:
        with broker.client("service") as client:
            for topic, payload in messages:
                client.publish(topic, payload, retain=retain)
            wait_until(
                lambda: len(client.acknowledged) == len(messages), what="all acknowledged to the publisher"
            )

    await asyncio.to_thread(all_of_them)


async def take(
    source: MqttSource, count: int, *, acknowledge: bool = True, batch: int = 1000
) -> list[RawMessage]:
    got: list[RawMessage] = []
    async with asyncio.timeout(60):
        async for messages in source.batches(batch):
            got += messages
            if acknowledge:
                source.acknowledge(messages)
            if len(got) >= count:
                return got
    raise AssertionError("the source ended")


@pytest.fixture(scope="module")
def impatient_nats(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerInTest]:
    """NATS that delivers again after 2 s, instead of 30, what a live client has not acknowledged."""
    tmp_path = tmp_path_factory.mktemp("impatient")
    credentials = load_or_make(tmp_path / "credentials.json", has_data=False)
    port = choose_port()
    text = render_config(tmp_path / "store", port, choose_port((port,)), "demo", credentials)
    assert text.count(f'ack_wait: "{ACK_WAIT_S}s"') == 1
    (tmp_path / "nats.conf").write_text(text.replace(f'ack_wait: "{ACK_WAIT_S}s"', 'ack_wait: "2s"'))
    accounts = {
        name: (getattr(credentials, name).username, getattr(credentials, name).password)
        for name in ("service", "gateway")
    }
    broker = BrokerInTest("nats", "127.0.0.1", port, "demo", accounts)
    with (
        (tmp_path / "log").open("wb") as log,
        subprocess.Popen([_binary(), "-c", tmp_path / "nats.conf"], stdout=log, stderr=log) as nats,
    ):
        try:
            wait_until(lambda: b"Server is ready" in (tmp_path / "log").read_bytes(), what="NATS ready")
            yield broker
        finally:
            nats.kill()


@pytest.fixture(params=["impatient_nats", "mosquitto_broker"])
def soon_again(request: pytest.FixtureRequest) -> BrokerInTest:
    """Each of the two brokers in turn; what was not acknowledged, they deliver again soon."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def names() -> tuple[str, str]:
    """A client id and a seal of this test's own, so that sessions of other tests stay away."""
    mark = secrets.token_hex(4)
    return f"source-{mark}", f"VN.{mark}:1"


def topic_of(seal: str) -> str:
    return f"eseal/v1/demo/dev/{seal}/ping"


async def test_messages_arrive_whole_and_stamped(broker: BrokerInTest, names: tuple[str, str]) -> None:
    """Topic, bytes and order are those published, ids with dots and colons included; the stamp is our clock's."""
    client_id, seal = names
    payloads = [b'{"n":1}', b"", b"\x00\xff", b"x" * 200_000, b"last"]
    async with source_of(broker, client_id, topic_of(seal)) as source:
        await connected(source)
        await publish(broker, [(topic_of(seal), payload) for payload in payloads])
        got = await take(source, len(payloads))
    assert [message.payload for message in got] == payloads
    assert {message.topic for message in got} == {topic_of(seal)}
    assert {message.received_ms for message in got} == {CLOCK_MS}
    assert not any(message.retain or message.duplicate for message in got)


async def test_what_came_while_away_is_delivered(broker: BrokerInTest, names: tuple[str, str]) -> None:
    """The session is durable: the broker keeps what is published between two runs of the service."""
    client_id, seal = names
    async with source_of(broker, client_id, topic_of(seal)) as source:
        await connected(source)
    await publish(broker, [(topic_of(seal), b"%d" % n) for n in range(50)])
    async with source_of(broker, client_id, topic_of(seal)) as source:
        got = await take(source, 50)
    assert [message.payload for message in got] == [b"%d" % n for n in range(50)]


async def test_what_was_acknowledged_does_not_come_again(
    soon_again: BrokerInTest, names: tuple[str, str]
) -> None:
    """After a restart only what was not acknowledged is delivered, and all of that."""
    client_id, seal = names
    async with source_of(soon_again, client_id, topic_of(seal)) as source:
        await connected(source)
        await publish(soon_again, [(topic_of(seal), b"%d" % n) for n in range(100)])
        got = await take(source, 100, acknowledge=False)
        source.acknowledge(got[:60])
        await asyncio.sleep(0.3)
    async with source_of(soon_again, client_id, topic_of(seal)) as source:
        again = await take(source, 40)
        await asyncio.sleep(0.3)
        assert source.queued == 0
    assert {message.payload for message in again} == {b"%d" % n for n in range(60, 100)}


async def test_a_lost_connection_voids_its_acknowledgements(
    soon_again: BrokerInTest, names: tuple[str, str]
) -> None:
    """Packet ids of a former connection acknowledge nothing on the next; the broker sends those messages again."""
    client_id, seal = names
    async with (
        CuttableProxy(soon_again.port) as proxy,
        source_of(soon_again, client_id, topic_of(seal), port=proxy.port) as source,
    ):
        await connected(source)
        await publish(soon_again, [(topic_of(seal), b"%d" % n) for n in range(10)])
        before = await take(source, 10, acknowledge=False)
        proxy.cut()
        await connected(source, connections=2)
        source.acknowledge(before)
        assert source.counts.acknowledged == 0
        assert source.counts.acknowledgements_void == 10
        again = await take(source, 10)
        assert {message.payload for message in again} == {message.payload for message in before}
        assert source.counts.acknowledged == 10


async def test_a_broker_away_is_waited_for(broker: BrokerInTest, names: tuple[str, str]) -> None:
    """Refused connections are tried again without end, and what is wrong can be seen meanwhile."""
    client_id, seal = names
    async with CuttableProxy(broker.port) as proxy:
        proxy.closed = True
        async with source_of(broker, client_id, topic_of(seal), port=proxy.port) as source:
            await happens(lambda: source.status.last_error is not None, "an error shown")
            assert not source.status.connected
            proxy.closed = False
            await connected(source)
            await publish(broker, [(topic_of(seal), b"there")])
            assert [message.payload for message in await take(source, 1)] == [b"there"]


async def test_a_full_queue_stops_reading_and_loses_nothing(
    broker: BrokerInTest, names: tuple[str, str]
) -> None:
    """Nobody takes batches: the queue stops near its bound, the rest waits outside, and all of it comes in order."""
    client_id, seal = names
    payloads = [b"%05d" % n + b"." * 2_000 for n in range(2_000)]
    async with source_of(broker, client_id, topic_of(seal), max_queued=50) as source:
        await connected(source)
        await publish(broker, [(topic_of(seal), payload) for payload in payloads])
        await happens(lambda: source.counts.pauses == 1, "it reads no more")
        await asyncio.sleep(0.5)
        assert source.queued <= 50 + 256 * 1024 // 2_000
        got = await take(source, len(payloads), batch=20)
    assert [message.payload for message in got] == payloads


async def test_finish_hands_out_what_is_queued_and_ends(broker: BrokerInTest, names: tuple[str, str]) -> None:
    """A service that is told to stop works off what it has read, and leaves the rest to the broker."""
    client_id, seal = names
    async with source_of(broker, client_id, topic_of(seal)) as source:
        await connected(source)
        await publish(broker, [(topic_of(seal), b"%d" % n) for n in range(30)])
        await happens(lambda: source.queued == 30, "all queued")
        source.finish()
        batches = [len(batch) async for batch in source.batches(20)]
    assert batches == [20, 10]


async def test_a_refused_subscription_is_told(nats_broker: BrokerInTest, names: tuple[str, str]) -> None:
    """An account that may not read pings shows itself at once, not by a silence."""
    client_id, seal = names
    username, password = nats_broker.accounts["gateway"]
    address = Broker(nats_broker.host, nats_broker.port, username, password)
    async with MqttSource(address, client_id, [topic_of(seal)], clock_ms=lambda: CLOCK_MS) as source:
        await happens(lambda: "refused the subscription" in (source.status.last_error or ""), "the refusal")
        await asyncio.sleep(0.9)  # pauses that began anew each time would have let it try nine times
        assert source.status.connections <= 5


async def test_redelivered_messages_in_work_are_dropped_and_counted(
    impatient_nats: BrokerInTest, names: tuple[str, str]
) -> None:
    """NATS sends unacknowledged messages again to a live client; while they are in work that is noise."""
    client_id, seal = names
    async with source_of(impatient_nats, client_id, topic_of(seal)) as source:
        await connected(source)
        await publish(impatient_nats, [(topic_of(seal), b"%d" % n) for n in range(5)])
        got = await take(source, 5, acknowledge=False)
        await happens(lambda: source.counts.redelivered_in_flight >= 5, "delivered again")
        assert source.queued == 0
        source.acknowledge(got)
        await publish(impatient_nats, [(topic_of(seal), b"next")])
        assert [message.payload for message in await take(source, 1)] == [b"next"]
        assert source.counts.acknowledgements_void == 0


@pytest.fixture
async def deaf_broker() -> AsyncIterator[tuple[int, list[bytes], asyncio.Queue[bytes]]]:
    """A TCP peer that says what a test tells it to say, for orders of packets that no broker shows on demand."""
    heard: list[bytes] = []
    to_say: asyncio.Queue[bytes] = asyncio.Queue()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def listen() -> None:
            while data := await reader.read(4096):
                heard.append(data)
                if data[0] == 0x10:
                    writer.write(b"\x20\x02\x00\x00")
                if data[0] == 0x82:
                    writer.write(b"\x90\x03" + data[2:4] + b"\x01")
                if data[0] == 0xE0:
                    return

        listening = asyncio.create_task(listen())
        while not listening.done():
            if to_say.empty():
                await asyncio.sleep(0.005)
            else:
                writer.write(to_say.get_nowait())
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1], heard, to_say
    server.close()


def publish_packet(mid: int, payload: bytes, *, duplicate: bool = False) -> bytes:
    body = b"\x00\x01t" + mid.to_bytes(2, "big") + payload
    return bytes([0x3A if duplicate else 0x32, len(body)]) + body


async def test_a_packet_id_given_to_another_message_is_not_acknowledged_for_the_former(
    deaf_broker: tuple[int, list[bytes], asyncio.Queue[bytes]],
) -> None:
    """Acknowledging the former would acknowledge the latter, uncommitted; its own batch acknowledges it."""
    port, heard, to_say = deaf_broker
    async with MqttSource(Broker("127.0.0.1", port), "reuse", ["t"], clock_ms=lambda: CLOCK_MS) as source:
        await connected(source)
        to_say.put_nowait(publish_packet(7, b"old", duplicate=True))
        former = await take(source, 1, acknowledge=False)
        to_say.put_nowait(publish_packet(7, b"new"))
        latter = await take(source, 1, acknowledge=False)
        source.acknowledge(former)
        await asyncio.sleep(0.1)
        assert puback([7]) not in heard
        source.acknowledge(latter)
        await happens(lambda: puback([7]) in heard, "the acknowledgement of the latter")


async def test_acknowledgements_of_a_batch_are_one_write(
    deaf_broker: tuple[int, list[bytes], asyncio.Queue[bytes]],
) -> None:
    """A thousand acknowledgements leave together, each with its packet id."""
    port, heard, to_say = deaf_broker
    async with MqttSource(Broker("127.0.0.1", port), "batch", ["t"], clock_ms=lambda: CLOCK_MS) as source:
        await connected(source)
        to_say.put_nowait(b"".join(publish_packet(mid, b"x") for mid in range(1, 1001)))
        got = await take(source, 1000, acknowledge=False)
        source.acknowledge(got)
        await happens(lambda: puback(list(range(1, 1001))) in heard, "one run of acknowledgements")
