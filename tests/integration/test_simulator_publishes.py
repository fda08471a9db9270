"""``seal-sim demo`` against real brokers: what it says it sent is what arrives, also across a cut connection."""

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


def by_bytes(receiver: object) -> list[tuple[str, bytes]]:
    return [(m.topic, m.payload) for m in receiver.messages]


def json_pings(payload: bytes) -> list[dict]:
    content = json.loads(payload)
    return content if isinstance(content, list) else [content]
