"""Seals' own MQTT accounts on the brokers as compose configures them: each publishes as itself alone, and who is out is out.

The keeper, the call-out and the file are the service's own; what is refused is counted from the broker's log.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
import pytest_asyncio
from paho.mqtt.enums import CallbackAPIVersion
from parts import ISSUER_SEED, SECRETS, Client, ComposeBroker
from web_support import eventually

from seal_tracker.clock import clock_ms
from seal_tracker.credentials.callout import Issuer
from seal_tracker.credentials.keeper import CredentialKeeper
from seal_tracker.credentials.nats_side import NatsAddress, NatsSide
from seal_tracker.credentials.refused import BrokerLog
from seal_tracker.deeds import Deed
from seal_tracker.store import Commit, Store

BY = ("an", "administrator")
TENANT = "demo"


@dataclass
class Side:
    """A broker, the service's keeper of its seals, and what its log told."""

    broker: ComposeBroker
    keeper: CredentialKeeper
    refused: list[str]
    store: Store
    act: Any


KINDS = ("nats", "mosquitto")


@pytest_asyncio.fixture(params=[(kind, False) for kind in KINDS], ids=KINDS)
async def side(request: pytest.FixtureRequest, open_folder: Path, postgres_dsn: str) -> AsyncIterator[Side]:
    """A broker of a kind, as it is where seals are commanded and where they are not."""
    kind, commands = request.param
    if why := ComposeBroker.missing(kind):
        pytest.skip(why)
    broker = ComposeBroker(kind, open_folder / kind, SEAL_TRACKER_COMMANDS=str(commands).lower()).start()
    store = await Store.open(postgres_dsn)

    async def act(space: str, work: Any) -> None:
        _, deed = await work(None)
        assert isinstance(deed, Deed)
        await store.commit(Commit(space=space, actions=deed.actions, credentials=deed.credentials))

    seals = broker.folder / "seals" / "passwords" if kind == "mosquitto" else None
    keeper = CredentialKeeper(store, act, clock_ms, seals)
    await keeper.open()
    refused: list[str] = []
    runs = [BrokerLog(broker.folder / "data" / "log.txt", refused.extend).run()]
    if kind == "nats":
        service = ("service", SECRETS["SEAL_TRACKER_MQTT_PASSWORD"])
        system = ("system", SECRETS["SEAL_TRACKER_NATS_SYSTEM_PASSWORD"])
        address = NatsAddress("127.0.0.1", broker.nats_port, service, system, ISSUER_SEED)
        nats = NatsSide(address, Issuer(ISSUER_SEED, TENANT, keeper.knows, commands=commands), clock_ms)
        keeper.put_out = nats.put_out
        runs.append(nats.run())
    tasks = [asyncio.create_task(run) for run in runs]
    yield Side(broker, keeper, refused, store, act)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await store.close()
    await asyncio.to_thread(broker.stop)


class Seal:
    """A seal that comes in by an account of its own."""

    def __init__(self, broker: ComposeBroker, name: str, password: str) -> None:
        self.name = name
        self.outcomes: list[bool] = []
        self.paho = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=name)
        self.paho.username_pw_set(name, password)
        self.paho.reconnect_delay_set(1, 1)
        self.paho.on_connect = lambda _c, _u, _f, code, _p: self.outcomes.append(not code.is_failure)
        self.paho.connect("127.0.0.1", broker.port, 30)
        self.paho.loop_start()

    def ping(self, of: str) -> None:
        self.paho.publish(f"eseal/v1/{TENANT}/dev/{of}/ping", f"{self.name} says", 1)

    def leave(self) -> None:
        self.paho.disconnect()
        self.paho.loop_stop()


async def come_in(side: Side, name: str, password: str) -> Seal:
    """A seal that is in; Mosquitto takes a new account up within a second or two."""
    for _ in range(20):
        seal = Seal(side.broker, name, password)
        await eventually(lambda: bool(seal.outcomes), "the broker answers")  # noqa: B023 - of this round
        if seal.outcomes[0]:
            return seal
        seal.leave()
        await asyncio.sleep(0.5)
    raise AssertionError(f"{name} is not let in")


async def test_a_seal_publishes_as_itself_and_not_as_another_and_that_is_counted(side: Side) -> None:
    _, password = await side.keeper.give("S-1", BY)
    with Client(side.broker.broker, "service", "", True) as service:
        assert service.subscribe("eseal/v1/+/dev/+/ping")
        seal = await come_in(side, "S-1", password)
        seal.ping("S-1")
        await eventually(lambda: len(service.messages) == 1, "its own ping comes")
        seal.ping("S-2")
        await eventually(lambda: len(side.refused) == 1, "the other is refused, and counted")
        seal.ping("S-1")
        await eventually(lambda: len(service.messages) == 2, "and it may go on as itself")
        assert service.topics() == [f"eseal/v1/{TENANT}/dev/S-1/ping"] * 2
    assert side.refused == ["S-1"]
    seal.leave()


async def test_a_seal_reads_nothing(side: Side) -> None:
    _, password = await side.keeper.give("S-1", BY)
    seal = await come_in(side, "S-1", password)
    heard: list[str] = []
    seal.paho.on_message = lambda _c, _u, message: heard.append(message.topic)
    seal.paho.subscribe(f"eseal/v1/{TENANT}/#", 1)
    with Client(side.broker.broker, "gateway", "", True) as gateway:
        mid = gateway.publish(f"eseal/v1/{TENANT}/dev/S-2/ping")
        await eventually(lambda: mid in gateway.acknowledged, "the gateway's ping is taken")
    await asyncio.sleep(0.2)
    assert heard == []
    seal.leave()


@pytest.mark.parametrize("side", [(kind, True) for kind in KINDS], ids=KINDS, indirect=True)
async def test_where_seals_are_commanded_each_reads_its_own_and_nothing_else(side: Side) -> None:
    """Neither another's nor all, and it commands nobody; what it answers, it answers as itself."""
    _, password = await side.keeper.give("S-1", BY)
    seal = await come_in(side, "S-1", password)
    heard: list[str] = []
    seal.paho.on_message = lambda _c, _u, message: heard.append(message.topic)
    granted: list[bool] = []
    seal.paho.on_subscribe = lambda _c, _u, _m, codes, _p: granted.append(not codes[0].is_failure)
    own = f"eseal/v1/{TENANT}/cmd/S-1"
    for topic in (f"eseal/v1/{TENANT}/cmd/S-2", f"eseal/v1/{TENANT}/cmd/+", f"eseal/v1/{TENANT}/evt/#", own):
        seal.paho.subscribe(topic, 1)
    await eventually(lambda: len(granted) == 4, "the broker has answered")
    with Client(side.broker.broker, "service", "", True) as service:
        assert service.subscribe("eseal/v1/+/dev/+/answer")
        assert service.subscribe("eseal/v1/+/cmd/+")
        for topic in (f"eseal/v1/{TENANT}/cmd/S-2", f"eseal/v1/{TENANT}/evt/high/X/seal/S-1", own):
            service.publish(topic)
        await eventually(lambda: own in heard, "it is told")
        for topic in (
            f"eseal/v1/{TENANT}/cmd/S-2",
            f"eseal/v1/{TENANT}/dev/S-2/answer",
            f"eseal/v1/{TENANT}/dev/S-1/answer",
        ):
            seal.paho.publish(topic, "from S-1", 1)
        await eventually(lambda: f"eseal/v1/{TENANT}/dev/S-1/answer" in service.topics(), "it answers")
        assert [m.topic for m in service.messages if m.payload == b"from S-1"] == [
            f"eseal/v1/{TENANT}/dev/S-1/answer"
        ]
    assert heard == [own]
    seal.leave()


async def test_a_password_that_was_changed_or_taken_back_lets_nobody_in_and_puts_out_who_is(
    side: Side,
) -> None:
    _, first = await side.keeper.give("S-1", BY)
    seal = await come_in(side, "S-1", first)
    _, second = await side.keeper.give("S-1", BY)
    await eventually(
        lambda: False in seal.outcomes, "who is in with the old one is put out, and not let in again"
    )
    seal.leave()
    again = await come_in(side, "S-1", second)
    await side.keeper.take_back("S-1", BY)
    await eventually(lambda: False in again.outcomes, "who was taken back is put out, and not let in again")
    again.leave()
    assert side.keeper.get("S-1") is not None
    assert not side.keeper.knows("S-1", second)


@pytest.mark.parametrize("side", [("nats", False)], ids=["nats"], indirect=True)
async def test_accounts_are_found_again_by_who_opens_the_database_next(side: Side) -> None:
    _, password = await side.keeper.give("S-1", BY)
    await side.keeper.give("S-2", BY)
    await side.keeper.take_back("S-2", BY)
    found = CredentialKeeper(side.store, side.act, clock_ms)
    await found.open()
    assert found.knows("S-1", password)
    assert found.get("S-2") == side.keeper.get("S-2")
    assert found.get("S-3") is None
