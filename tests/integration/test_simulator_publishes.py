"""``seal-sim demo`` and ``seal-sim load`` against real brokers: what they say they sent is what arrives, also across a cut connection."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from parts import Broker, wait_until
from proxy import CuttableProxy

from simulators.demo import Options, load_fleet, run, write_plan
from simulators.errors import BrokerRefusedError
from simulators.load import plan as load_plan
from simulators.load import running
from simulators.load.report import figures, shortfalls
from simulators.publisher import Account, Publisher
from simulators.wire import Message

SEALS = 20
SUMMARY = re.compile(
    r"^([\d,]+) pings in ([\d,]+) messages sent, ([\d,]+) in ([\d,]+) acknowledged$", re.MULTILINE
)


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    write_plan(tmp_path / "plan", now_s=time.time(), seals=SEALS, seed=11)
    return tmp_path / "plan"


def started(broker: Broker, plan: Path, *more: str, password: str | None = None) -> subprocess.Popen[str]:
    username, right = broker.accounts["gateway"]
    command = [sys.executable, "-m", "simulators.cli", "demo", "--plan", str(plan), "--host", broker.host]
    command += ["--port", str(broker.port), "--username", username, "--tenant", broker.tenant, *more]
    environment = os.environ | {"SEAL_SIM_PASSWORD": right if password is None else password}
    return subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def counted(output: str) -> list[int]:
    found = SUMMARY.search(output)
    assert found, output
    return [int(number.replace(",", "")) for number in found.groups()]


def account(broker: Broker, port: int | None = None) -> Account:
    return Account(broker.host, port or broker.port, *broker.accounts["gateway"])


def pings(message: object) -> list[dict]:
    content = json.loads(message.payload)
    return content if isinstance(content, list) else [content]


def test_all_that_seal_sim_says_it_sent_arrives(broker: Broker, plan: Path, tmp_path: Path):
    """Messages and pings counted by a subscriber equal those counted by the sender, all acknowledged, and the truth is beside."""
    with broker.client("service") as receiver:
        assert receiver.subscribe(f"eseal/v1/{broker.tenant}/dev/+/ping")
        child = started(broker, plan, "--truth", str(tmp_path / "truth.jsonl"))
        everybody = {x.seal.id for x in load_fleet(plan)}
        wait_until(lambda: {m.topic.split("/")[4] for m in receiver.messages} == everybody, what="all seals")
        child.send_signal(signal.SIGTERM)
        output, errors = child.communicate(timeout=60)
        assert child.returncode == 0, errors
        sent_pings, sent, acknowledged_pings, acknowledged = counted(output)
        assert (acknowledged_pings, acknowledged) == (sent_pings, sent)
        wait_until(lambda: len(receiver.messages) >= sent, what="all messages")
        assert len(receiver.messages) == sent
        assert sum(len(pings(m)) for m in receiver.messages) == sent_pings
    assert (tmp_path / "truth.jsonl").read_bytes() == (plan / "truth.jsonl").read_bytes()


def test_sigterm_ends_it_cleanly_with_its_counts(nats_broker: Broker, plan: Path):
    """Exit code 0, everything sent is acknowledged, the summary is printed."""
    with nats_broker.client("service") as receiver:
        assert receiver.subscribe(f"eseal/v1/{nats_broker.tenant}/dev/+/ping")
        child = started(nats_broker, plan)
        wait_until(lambda: len(receiver.messages) > 30, what="the first messages")
        child.send_signal(signal.SIGTERM)
        output, errors = child.communicate(timeout=60)
    assert child.returncode == 0, errors
    sent_pings, sent, acknowledged_pings, acknowledged = counted(output)
    assert sent > 30
    assert (acknowledged_pings, acknowledged) == (sent_pings, sent)


def test_a_held_simulator_begins_at_a_line_and_not_before(nats_broker: Broker, plan: Path):
    """So that whoever starts it decides the moment, with the fleet already worked out."""
    with nats_broker.client("service") as receiver:
        assert receiver.subscribe(f"eseal/v1/{nats_broker.tenant}/dev/+/ping")
        child = started(nats_broker, plan, "--hold", "--for", "2")
        assert child.stdout.readline() == f"{SEALS} seals ready\n"
        assert receiver.messages == []
        output, errors = child.communicate("go\n", timeout=60)
        assert child.returncode == 0, errors
        wait_until(lambda: len(receiver.messages) >= counted(output)[1] > 0, what="all messages")


def test_a_held_simulator_ends_with_whoever_held_it(nats_broker: Broker, plan: Path):
    """End of standard input is not the word to begin."""
    child = started(nats_broker, plan, "--hold")
    output, _ = child.communicate("", timeout=60)
    assert child.returncode == 0
    assert output == f"{SEALS} seals ready\n"


def test_a_wrong_password_is_said_at_once(mosquitto_broker: Broker, plan: Path):
    """Waiting would not help: exit code 1 and one line with the account and the remedy."""
    child = started(mosquitto_broker, plan, password="not this")
    output, errors = child.communicate(timeout=60)
    assert child.returncode == 1, output
    assert "refuses the account" in errors
    assert "--username" in errors
    assert "Traceback" not in errors


async def test_a_cut_connection_loses_nothing_and_keeps_each_seals_order(nats_broker: Broker, plan: Path):
    """What was unacknowledged is sent again, oldest first: every ping arrives, some twice, none out of turn."""
    with nats_broker.client("service") as receiver:
        assert receiver.subscribe(f"eseal/v1/{nats_broker.tenant}/dev/+/ping")
        async with CuttableProxy(nats_broker.port) as proxy:
            options, stop = Options(nats_broker.tenant, speed=8.0), asyncio.Event()
            sending = run(load_fleet(plan), account(nats_broker, proxy.port), options, stop=stop)
            playing = asyncio.create_task(sending)
            for cut in range(4):
                await asyncio.to_thread(wait_until, lambda cut=cut: proxy.accepted > cut, what="a connection")
                more = len(receiver.messages) + 15
                await asyncio.to_thread(
                    wait_until, lambda more=more: len(receiver.messages) >= more, what="more messages"
                )
                if cut < 3:
                    proxy.cut()
            stop.set()
            tally = await playing
        assert tally.reconnects >= 1
        assert tally.in_flight == 0
        wait_until(lambda: len(set(by_bytes(receiver))) >= tally.messages, what="all messages")
        assert len(set(by_bytes(receiver))) == tally.messages
    for seal in load_fleet(plan):
        first_seen = list(
            dict.fromkeys(m.payload for m in receiver.messages if f"/{seal.seal.id}/" in m.topic)
        )
        live = [p[0]["seq"] for p in (json_pings(b) for b in first_seen) if not p[0].get("buffered")]
        assert live == sorted(live)


async def test_a_full_window_holds_the_sender_back_and_nothing_is_dropped(nats_broker: Broker):
    """Ten thousand messages through a window of 8: never more than 8 unacknowledged, all acknowledged in the end."""
    async with Publisher(account(nats_broker), window=8) as publisher:
        topic = f"eseal/v1/{nats_broker.tenant}/dev/VN-WINDOW/ping"
        most = 0
        for number in range(3000):
            await publisher.send(Message(topic, b'{"n":%d}' % number, 1))
            most = max(most, publisher.tally.in_flight)
        assert await publisher.drain(10.0)
    assert most == 8
    assert publisher.tally.acknowledged_messages == publisher.tally.messages == 3000


async def test_a_refused_account_is_an_error_of_its_own(mosquitto_broker: Broker):
    """So that a caller can tell it from a broker that is not up yet."""
    with pytest.raises(BrokerRefusedError, match="nobody"):
        async with Publisher(Account(mosquitto_broker.host, mosquitto_broker.port, "nobody", "x")):
            pass


async def loaded(
    broker: Broker, account: Account, *, stops: running.Stops | None = None, **more: object
) -> tuple[running.Done, dict]:
    """What a short load did: 100 seals, 1,000 messages a second for 0.3 s, unless told otherwise."""
    settings = {
        "account": account, "root": f"eseal/v1/{broker.tenant}", "senders": load_plan.own_senders(100), "rate": 1000.0,
        "for_s": 0.3, "connections": 7, "window": 20, "alerts": 0.0, "seed": 1, "wait_s": 20.0,
    } | more  # fmt: skip
    stops = stops or running.Stops(asyncio.Event(), asyncio.Event())
    done = await running.run(running.Load(**settings), stops, lambda *_: None)
    return done, figures(done)


async def test_a_load_counts_what_a_subscriber_counts(broker: Broker):
    """Every message once, all acknowledged, each seal's in its order, over as many connections as were asked for."""
    with broker.client("service") as receiver:
        assert receiver.subscribe(f"eseal/v1/{broker.tenant}/dev/+/ping")
        done, found = await loaded(broker, account(broker))
        assert (found["messages"]["due"], found["messages"]["sent"], found["messages"]["acknowledged"]) == (
            300,
            300,
            300,
        )
        assert (found["connections"]["opened"], shortfalls(found)) == (7, [])
        assert found["mqtt"] == {"nats": "3.1.1", "mosquitto": "5"}[broker.kind]
        assert found["acknowledgement_ms"]["response"]["count"] == 300
        await asyncio.to_thread(wait_until, lambda: len(receiver.messages) >= 300, what="all messages")
    heard = [(m.topic.split("/")[4], json.loads(m.payload)["seq"]) for m in receiver.messages]
    assert sorted(heard) == sorted((name, seq) for name in done.load.senders.names for seq in range(3))
    assert all([q for s, q in heard if s == name] == [0, 1, 2] for name in done.load.senders.names)


async def test_a_load_names_what_the_broker_refuses(mosquitto_broker: Broker):
    """MQTT 5 says that an account may not publish; nothing refused counts as acknowledged."""
    integrator = Account(
        mosquitto_broker.host, mosquitto_broker.port, *mosquitto_broker.accounts["integrator"]
    )
    _, found = await loaded(mosquitto_broker, integrator, connections=1, for_s=0.003)
    assert found["messages"]["refused"] == {"not authorized": 3}
    assert (found["messages"]["acknowledged"], found["messages"]["in_flight"]) == (0, 0)
    assert found["acknowledgement_ms"]["service"]["count"] == 0
    assert "3 messages were refused: not authorized" in shortfalls(found)


async def test_a_load_sends_again_what_a_cut_connection_had_in_flight(nats_broker: Broker):
    """Every message is acknowledged in the end, and what waited meanwhile counts from when it was due."""
    async with CuttableProxy(nats_broker.port) as proxy:
        stops = running.Stops(asyncio.Event(), asyncio.Event())
        through = account(nats_broker, proxy.port)
        loading = asyncio.create_task(loaded(nats_broker, through, stops=stops, for_s=1.0))
        await asyncio.to_thread(wait_until, lambda: proxy.accepted >= 7, what="connections")
        await asyncio.sleep(0.5)
        proxy.cut()
        _, found = await loading
    assert found["messages"]["acknowledged"] == found["messages"]["sent"] == 1000
    assert sum(found["connections"]["lost"].values()) == 7
    assert found["acknowledgement_ms"]["response"]["max"] >= 140
    assert found["acknowledgement_ms"]["response"]["count"] == 1000


async def test_a_load_says_what_stayed_in_flight_and_what_never_left(nats_broker: Broker):
    """A network that is gone for good: the report comes all the same, and its percentiles know what did not."""
    async with CuttableProxy(nats_broker.port) as proxy:
        loading = asyncio.create_task(
            loaded(nats_broker, account(nats_broker, proxy.port), for_s=0.5, wait_s=0.3)
        )
        await asyncio.to_thread(wait_until, lambda: proxy.accepted >= 7, what="connections")
        proxy.closed = True
        await asyncio.sleep(0.4)
        proxy.cut()
        _, found = await loading
    messages = found["messages"]
    assert messages["due"] == 500
    assert messages["acknowledged"] + messages["in_flight"] + messages["unsent"] == 500
    assert 0 < messages["acknowledged"] < 500
    assert messages["unsent"] > 0
    assert found["acknowledgement_ms"]["response"]["p99.9"] is None
    assert any("never left" in line for line in shortfalls(found))


async def test_a_load_that_is_stopped_reports_what_was_done(nats_broker: Broker):
    """Sending ends at once, what is in flight is waited for."""
    stops = running.Stops(asyncio.Event(), asyncio.Event())
    loading = asyncio.create_task(loaded(nats_broker, account(nats_broker), stops=stops, for_s=None))
    await asyncio.sleep(0.5)
    stops.sending.set()
    _, found = await loading
    assert found["ended"] == "stopped"
    assert found["messages"]["acknowledged"] == found["messages"]["due"] > 0


async def test_a_load_with_a_wrong_password_does_not_begin(broker: Broker):
    with pytest.raises(BrokerRefusedError, match=r"refuses the account 'gateway' \(.+\): give --username"):
        await loaded(broker, Account(broker.host, broker.port, "gateway", "not this"))


def by_bytes(receiver: object) -> list[tuple[str, bytes]]:
    return [(m.topic, m.payload) for m in receiver.messages]


def json_pings(payload: bytes) -> list[dict]:
    content = json.loads(payload)
    return content if isinstance(content, list) else [content]
