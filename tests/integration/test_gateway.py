"""The TCP gateway on a real broker: a device is answered only once the broker has its frame, and nobody can sit on it."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import os
import re
import secrets
import signal
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from certificates import Authority
from parts import Broker as BrokerInTest
from parts import ComposeBroker, wait_until

from seal_tracker.commands.errors import CommandError
from seal_tracker.commands.gateway import gateway as run_gateway
from seal_tracker.config import ConfigError, Settings
from seal_tracker.decoders.formats import formats
from seal_tracker.embedded.credentials import load_or_make
from seal_tracker.embedded.nats import ACK_WAIT_S, _binary, render_config
from seal_tracker.embedded.ports import choose_port
from seal_tracker.gateway.admission import devices_in
from seal_tracker.gateway.connection import Limits
from seal_tracker.gateway.server import Gateway
from seal_tracker.gateway.uplink import Uplink
from seal_tracker.joining import Joining
from seal_tracker.publishing.topics import frame_topic
from seal_tracker.sources.mqtt import Broker, MqttSource
from seal_tracker.tls import gateway_context

CLOCK_MS = 1_795_316_400_000
NOW = dt.datetime(2026, 11, 22, 3, tzinfo=dt.UTC)
LIMITS = Limits(connections=8, per_address=8, idle_s=30, frame_s=30, answer_s=30, linger_s=30)
HASTY = replace(LIMITS, idle_s=0.6, frame_s=0.3)


def deed(serial: int, device: str = "8000620011") -> bytes:
    """A frame that is answered by its serial."""
    return b"(%b,P45,221126,030000,20.86456,N,106.68123,E,A,36,270,1,98,0008627839,0,0,%d,5)" % (
        device.encode(),
        serial,
    )


class RestartableNats:
    """The broker that comes with the service, on a port and store of its own; ``kill`` is ``kill -9``."""

    def __init__(self, folder: Path) -> None:
        credentials = load_or_make(folder / "credentials.json", has_data=False)
        self._folder = folder
        self.port = choose_port()
        text = render_config(folder / "store", self.port, choose_port((self.port,)), "demo", credentials)
        (folder / "nats.conf").write_text(text.replace(f'ack_wait: "{ACK_WAIT_S}s"', 'ack_wait: "1s"'))
        accounts = {
            n: (getattr(credentials, n).username, getattr(credentials, n).password)
            for n in ("service", "gateway")
        }
        self.broker = BrokerInTest("nats", "127.0.0.1", self.port, "demo", accounts)

    def start(self) -> None:
        log = self._folder / "log"
        with log.open("wb") as file:
            self._process = subprocess.Popen(
                [_binary(), "-c", self._folder / "nats.conf"], stdout=file, stderr=file
            )
        wait_until(lambda: b"Server is ready" in log.read_bytes(), what="NATS ready")

    def stall(self) -> None:
        """It takes what it is sent, and says nothing more."""
        self._process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self._process.pid, os.WSTOPPED | os.WNOWAIT)

    def go_on(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def of(self, account: str) -> Broker:
        return Broker("127.0.0.1", self.port, *self.broker.accounts[account])


class RestartableMosquitto:
    """Mosquitto as compose starts it; ``kill`` is SIGTERM, for a crash loses what it has not written yet (docs/durability.md)."""

    def __init__(self, folder: Path) -> None:
        self._parts = ComposeBroker("mosquitto", folder)
        self.broker = self._parts.broker

    def start(self) -> None:
        self._parts.start()

    def stall(self) -> None:
        assert self._parts.process
        self._parts.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self._parts.process.pid, os.WSTOPPED | os.WNOWAIT)

    def kill(self) -> None:
        assert self._parts.process
        self._parts.process.send_signal(signal.SIGCONT)
        self._parts.stop()

    def of(self, account: str) -> Broker:
        return Broker("127.0.0.1", self._parts.port, *self.broker.accounts[account])


@pytest.fixture(scope="module")
def mosquitto(session_folder: Path) -> Iterator[RestartableMosquitto]:
    """In a folder that the user whom brokers run as may enter."""
    if lacking := ComposeBroker.missing("mosquitto"):
        pytest.skip(lacking)
    mosquitto = RestartableMosquitto(session_folder / f"gateway-{secrets.token_hex(4)}")
    mosquitto.start()
    yield mosquitto
    mosquitto.kill()


@pytest.fixture(params=["nats", "mosquitto"])
def either(request: pytest.FixtureRequest) -> RestartableNats | RestartableMosquitto:
    """Each of the two brokers in turn: what uses this must hold on both."""
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def nats(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RestartableNats]:
    nats = RestartableNats(tmp_path_factory.mktemp("gateway"))
    nats.start()
    yield nats
    nats.kill()


@asynccontextmanager
async def listening(nats: RestartableNats | RestartableMosquitto, limits: Limits) -> AsyncIterator[Gateway]:
    """A gateway of the broker that says its name; ``ports`` are where it listens."""
    client_id = f"gateway-{secrets.token_hex(4)}"
    async with (
        Uplink(nats.of("gateway"), client_id, clock_ms=lambda: CLOCK_MS) as uplink,
        Gateway(
            uplink, lambda p, d: frame_topic("demo", p, d, gateway="gw-1"), now=lambda: NOW, limits=limits
        ) as gateway,
    ):
        gateway.ports = {n: await gateway.listen(f, "127.0.0.1", 0) for n, f in formats().items() if f.link}
        gateway.uplink = uplink
        yield gateway


@pytest.fixture
async def gateway(nats: RestartableNats) -> AsyncIterator[Gateway]:
    """With few connections."""
    async with listening(nats, LIMITS) as gateway:
        yield gateway


async def connected(gateway: Gateway, name: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", gateway.ports[name])


async def happens(condition: Callable[[], bool], what: str, limit_s: float = 20.0) -> None:
    deadline = asyncio.get_running_loop().time() + limit_s
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, f"did not happen: {what}"
        await asyncio.sleep(0.01)


async def answer(reader: asyncio.StreamReader, end: bytes = b")") -> bytes:
    async with asyncio.timeout(20):
        return await reader.readuntil(end)


async def ended(reader: asyncio.StreamReader) -> bool:
    """Whether the gateway ends the connection."""
    async with asyncio.timeout(10):
        try:
            while await reader.read(1000):
                pass
        except ConnectionError:
            pass
        return True


async def test_frames_arrive_as_received_and_are_answered(
    either: RestartableNats | RestartableMosquitto,
) -> None:
    """On the topic of protocol and device, in the maker's answer; noise goes to nobody's topic and is not answered."""
    source = MqttSource(
        either.of("service"),
        f"s-{secrets.token_hex(4)}",
        ["eseal/v1/demo/raw/+/+"],
        clock_ms=lambda: CLOCK_MS,
    )
    seal = b"##S,eSeal,1000821,256,3.0.6,Normal,34,2026-11-22,03:00:00,15,A,20.8N 106.6E,43,128,Close,E##"
    async with source, listening(either, LIMITS) as gateway:
        await happens(lambda: source.status.ready, "subscribed")
        reader, writer = await connected(gateway, "jointech")
        lock = deed(24)
        for piece in (lock[:10], lock[10:] + b"noise" + deed(25)[:30], deed(25)[30:]):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.02)
        assert [await answer(reader), await answer(reader)] == [b"(P69,0,24)", b"(P69,0,25)"]
        second, other = await connected(gateway, "eseal")
        other.write(seal + b"\r\n")
        assert await answer(second, b"\n") == b"##S,eSeal,1000821,256,3.0.6,Normal ACK,34,E##\r\n"
        got: list[tuple[str, bytes]] = []
        async with asyncio.timeout(20):
            async for batch in source.batches(10):
                got += [(m.topic.removeprefix("eseal/v1/demo/raw/"), m.payload) for m in batch]
                source.acknowledge(batch)
                if len(got) == 4:
                    break
        writer.close()
        other.close()
    assert sorted(got) == [
        ("eseal@gw-1/1000821", seal),
        ("jointech@gw-1/8000620011", lock),
        ("jointech@gw-1/8000620011", deed(25)),
        ("jointech@gw-1/unidentified", b"noise"),
    ]


async def test_a_broker_that_ends_in_the_middle_loses_nothing_that_was_answered(
    either: RestartableNats | RestartableMosquitto,
) -> None:
    """While it is away nobody is answered; when it is back, everybody; and it has every frame that was."""
    name = f"s-{secrets.token_hex(4)}"
    source = MqttSource(
        either.of("service"), name, ["eseal/v1/demo/raw/jointech@gw-1/+"], clock_ms=lambda: CLOCK_MS
    )
    devices = {f"80006200{n}": [] for n in range(10, 14)}
    count, half = 60, asyncio.Event()

    async def device(own: str, answered: list[bytes]) -> None:
        reader, writer = await connected(gateway, "jointech")
        for serial in range(count):
            writer.write(deed(serial, own))
            if serial % 10 == 9:
                answered += [await answer(reader) for _ in range(10)]
            if serial == count // 2:
                half.set()
        writer.close()

    async with source, listening(either, LIMITS) as gateway:
        await happens(lambda: source.status.ready, "subscribed")
        async with asyncio.TaskGroup() as group:
            for own, answered in devices.items():
                group.create_task(device(own, answered))
            await half.wait()
            either.stall()
            await asyncio.sleep(0.1)  # what it had acknowledged by then arrives
            await happens(lambda: gateway.uplink.in_flight >= 10, "frames without an acknowledgement")
            before = gateway.counts["answered"]
            await asyncio.sleep(0.1)
            assert gateway.counts["answered"] == before
            await asyncio.to_thread(either.kill)
            await asyncio.to_thread(either.start)
        got: set[bytes] = set()
        async with asyncio.timeout(30):
            async for batch in source.batches(1000):
                got |= {m.payload for m in batch}
                source.acknowledge(batch)
                if len(got) == count * len(devices):
                    break
    assert got == {deed(serial, own) for own in devices for serial in range(count)}
    for answered in devices.values():
        assert answered == [b"(P69,0,%d)" % serial for serial in range(count)]
    assert gateway.uplink.published_again > 0


async def test_parts_of_a_message_outlast_the_gateway_and_the_service(
    either: RestartableNats | RestartableMosquitto,
) -> None:
    """A part that waits is not acknowledged: who comes after us gets it again, and joins it with the rest."""
    rows = (Path(__file__).parents[1] / "frames/jt808.jsonl").read_text().splitlines()
    whole = next(r for r in map(json.loads, rows) if r["what"] == "a batch in two parts, in one payload")
    payload = bytes.fromhex(whole["hex"])
    pieces = [payload[: payload.index(b"~~") + 1], payload[payload.index(b"~~") + 1 :]]
    name, filters = f"s-{secrets.token_hex(4)}", ["eseal/v1/demo/raw/jt808@gw-1/+"]
    for piece, ready in zip(pieces, ([], [payload]), strict=True):
        source = MqttSource(either.of("service"), name, filters, clock_ms=lambda: CLOCK_MS)
        joining, got = Joining(), []
        async with source, listening(either, LIMITS) as gateway:
            await happens(lambda source=source: source.status.ready, "subscribed")
            reader, writer = await connected(gateway, "jt808")
            writer.write(piece)
            assert await answer(reader, b"~")
            expected = 1 + bool(ready)
            async with asyncio.timeout(20):
                async for batch in source.batches(10):
                    joined = joining.receive(batch)
                    got += [message.payload for message in joined.ready]
                    source.acknowledge(joined.settled)
                    if got or joining.held == expected:
                        break
            writer.close()
        assert got == ready
    assert source.counts.acknowledged == 2


async def test_who_is_not_on_the_list_is_refused(nats: RestartableNats) -> None:
    """Nothing of it is published, what is no frame neither; of a connection with a device that may come it is one frame."""
    async with listening(nats, LIMITS) as gateway:
        gateway.door.allow(devices_in("jointech 8000620011", formats()))
        await happens(lambda: gateway.uplink.status.ready, "connected to the broker")
        stranger, writer = await connected(gateway, "jointech")
        writer.write(b"noise" + deed(1, "8000620012"))
        assert await stranger.read() == b""
        reader, writer = await connected(gateway, "jointech")
        writer.write(deed(2) + deed(3, "8000620012") + deed(4))
        assert [await answer(reader), await answer(reader)] == [b"(P69,0,2)", b"(P69,0,4)"]
        counts = {name: gateway.counts[name] for name in ("refused_device", "refused_no_frame", "published")}
        assert counts == {"refused_device": 2, "refused_no_frame": 1, "published": 2}


async def test_the_newest_connection_of_a_device_is_the_one(nats: RestartableNats) -> None:
    """The older one is ended; one that speaks for others too loses that device alone."""
    async with listening(nats, LIMITS) as gateway:
        await happens(lambda: gateway.uplink.status.ready, "connected to the broker")
        older, writer = await connected(gateway, "jointech")
        writer.write(deed(1))
        assert await answer(older) == b"(P69,0,1)"
        relay, two = await connected(gateway, "jointech")
        two.write(deed(2) + deed(3, "8000620012"))
        assert [await answer(relay), await answer(relay)] == [b"(P69,0,2)", b"(P69,0,3)"]
        assert await ended(older)
        newest, writer = await connected(gateway, "jointech")
        writer.write(deed(4))
        assert await answer(newest) == b"(P69,0,4)"
        two.write(deed(5, "8000620012"))
        assert await answer(relay) == b"(P69,0,5)"
        assert (gateway.counts["moved_devices"], gateway.counts["dropped_for_newer"]) == (2, 1)


async def test_devices_that_can_do_so_speak_tls(nats: RestartableNats, tmp_path: Path) -> None:
    """With an authority of theirs, who shows no certificate of it is not heard, nor who shows another than the list names."""
    authority = Authority(tmp_path)
    certificate, key = authority.sign("gateway")
    context = gateway_context(
        Settings(gateway_certificate=certificate, gateway_key=key, gateway_client_ca=authority.file)
    )
    client = ssl.create_default_context(cafile=authority.file)
    async with listening(nats, LIMITS) as gateway:
        port = await gateway.listen(formats()["jointech"], "127.0.0.1", 0, context)
        refused, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client)
        writer.write(deed(1))
        assert await ended(refused)
        client.load_cert_chain(*authority.sign("lock"))
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client)
        writer.write(deed(2))
        assert await answer(reader) == b"(P69,0,2)"
        assert gateway.counts["published"] == 1
        for name, answered in (("lock", b"(P69,0,3)"), ("another-lock", b"")):
            gateway.door.allow(devices_in(f"8000620011 cert={name}", formats()))
            reader, another = await asyncio.open_connection("127.0.0.1", port, ssl=client)
            another.write(deed(3))
            assert await answer(reader) == answered if answered else await ended(reader)
            another.close()
        assert (gateway.counts["published"], gateway.counts["refused_certificate"]) == (2, 1)
        writer.close()


async def test_who_drips_a_frame_is_dropped(nats: RestartableNats) -> None:
    """A byte now and then keeps a connection alive for no longer than a frame may take."""
    async with listening(nats, HASTY) as gateway:
        reader, writer = await connected(gateway, "jointech")
        dripping = asyncio.create_task(drip(writer, [bytes([byte]) for byte in deed(1) * 10], 0.05))
        assert await ended(reader)
        dripping.cancel()
        assert gateway.counts["dropped_slow"] == 1


async def drip(writer: asyncio.StreamWriter, pieces: list[bytes], pause_s: float) -> None:
    for piece in pieces:
        writer.write(piece)
        await asyncio.sleep(pause_s)


async def test_who_says_nothing_is_dropped(nats: RestartableNats) -> None:
    """From the beginning, and after a frame that was answered."""
    async with listening(nats, HASTY) as gateway:
        await happens(lambda: gateway.uplink.status.ready, "connected to the broker")
        silent, _ = await connected(gateway, "jt808")
        reader, writer = await connected(gateway, "jointech")
        writer.write(deed(7))
        assert await answer(reader) == b"(P69,0,7)"
        assert await ended(silent)
        assert await ended(reader)
        assert gateway.counts["dropped_slow"] + gateway.counts["dropped_idle"] == 2


async def test_another_protocol_is_dropped(gateway: Gateway) -> None:
    reader, writer = await connected(gateway, "eseal")
    asking = asyncio.create_task(drip(writer, [b"GET / HTTP/1.1\r\n\r\n"] * 20, 0.02))
    assert await ended(reader)
    asking.cancel()
    assert gateway.counts["dropped_other_protocol"] == 1
    await happens(lambda: gateway.counts["published_no_frame"] == 3, "what it sent is kept")


async def test_connections_beyond_count_are_refused_and_others_stand(gateway: Gateway) -> None:
    """Those that are there are served; when one leaves, another may come."""
    there = [await connected(gateway, "jointech") for _ in range(8)]
    refused, _ = await connected(gateway, "jointech")
    assert await ended(refused)
    assert gateway.counts["refused_connections"] == 1
    there[0][1].close()
    await happens(lambda: gateway.counts["connections"] == 7, "one left")
    reader, writer = await connected(gateway, "jointech")
    writer.write(deed(1))
    assert await answer(reader) == b"(P69,0,1)"
    for _, writer in there:
        writer.close()


async def test_what_a_device_sent_before_it_went_is_published(
    nats: RestartableNats, gateway: Gateway
) -> None:
    """A lock that goes to sleep does not wait."""
    before = gateway.counts["published"]
    _, writer = await connected(gateway, "jointech")
    writer.write(b"".join(deed(n) for n in range(50)))
    writer.close()
    await happens(lambda: gateway.counts["published"] == before + 50, "all of them published")


async def test_one_address_may_not_take_all_connections(nats: RestartableNats) -> None:
    async with listening(nats, replace(LIMITS, per_address=1)) as gateway:
        reader, writer = await connected(gateway, "jointech")
        refused, _ = await connected(gateway, "jointech")
        assert await ended(refused)
        assert gateway.counts["refused_per_address"] == 1
        writer.write(deed(1))
        assert await answer(reader) == b"(P69,0,1)"
        writer.close()


async def test_what_a_device_sent_is_answered_before_the_gateway_ends(nats: RestartableNats) -> None:
    """It reads no more, but what it has read it sees through."""
    async with listening(nats, LIMITS) as gateway:
        reader, writer = await connected(gateway, "jointech")
        writer.write(b"".join(deed(n) for n in range(20)))
        await happens(lambda: gateway.counts["published"] > 0, "it has begun")
    assert (await reader.read()).count(b"(P69,0,") == gateway.counts["published"] > 0
    writer.close()


async def test_what_the_broker_does_not_take_in_time_is_given_up_unanswered(nats: RestartableNats) -> None:
    """A device that is gone does not keep its frames in memory for as long as the broker is away."""
    async with listening(nats, replace(LIMITS, linger_s=0.2)) as gateway:
        await happens(lambda: gateway.uplink.status.ready, "connected to the broker")
        nats.stall()
        reader, writer = await connected(gateway, "jointech")
        writer.write(b"".join(deed(n) for n in range(5)))
        writer.write_eof()
        assert await reader.read() == b""
        nats.go_on()
        assert (gateway.counts["not_published"], gateway.counts["answered"]) == (5, 0)
        writer.close()


@pytest.mark.parametrize(
    ("listen", "options", "said"),
    [
        ("morse=127.0.0.1:0", {}, "expected FORMAT=HOST:PORT with one of eseal, jointech, jt808"),
        ("jointech=here", {}, "expected HOST:PORT"),
        ("jointech=127.0.0.1:0", {}, "mqtt_host: not set"),
        ("jointech=127.0.0.1:0", {"ready_file": Path("gone.json")}, "is the service running?"),
        ("jointech=0.0.0.0:0", {}, "give --devices FILE with the ids that may come, or --any-device"),
        ("jointech=127.0.0.1:0", {"devices": Path("gone")}, "--devices gone: No such file"),
        ("jointech=127.0.0.1:0", {"devices": Path(__file__)}, "expected ID, FORMAT ID or"),
        ("jointech=127.0.0.1:0", {"listen_tls": ["eseal=:0"]}, "SEAL_TRACKER_GATEWAY_CERTIFICATE is not set"),
        ("jointech=127.0.0.1:0", {"name": "gate/1"}, "--name 'gate/1': must be"),
    ],
    ids=["format", "address", "broker", "service", "anybody", "list", "no-list", "certificate", "name"],
)
def test_the_command_says_what_it_lacks(listen: str, options: dict[str, Any], said: str) -> None:
    """Before it listens."""
    given = {"ready_file": None, "embedded": None, "limits": LIMITS} | options
    with pytest.raises((ConfigError, CommandError), match=re.escape(said)):
        run_gateway([listen], **given)
