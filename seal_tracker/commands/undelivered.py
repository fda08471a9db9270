"""What the embedded broker holds: messages that the service has not taken yet, and what is retained. Read for a backup, and put back.

Read *before* the database is dumped: a message that the service takes in between is in the dump as well, and has no effect the second
time; read after it, one could be in neither. Put back, pings wait in the service's session until it comes, as they did.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiomqtt
import msgspec
import nats

from seal_tracker.clock import clock_ms
from seal_tracker.commands.errors import CommandError
from seal_tracker.embedded.credentials import Account, Credentials
from seal_tracker.publishing.topics import ingest_filters
from seal_tracker.sources.mqtt import Broker, MqttSource

__all__ = ["EmbeddedBroker", "Held", "put_back", "read_held"]

STREAM: Final = "$MQTT_msgs"
"""Where NATS keeps messages of MQTT at QoS 1 until every durable session that wants them has acknowledged them."""

SUBJECT: Final = "$MQTT.msgs."
ROOTS: Final = ("eseal.v1.{tenant}", "eseal-exercise.v1.{tenant}.*")
FROM_DEVICES: Final = ("dev.>", "equip.>", "raw.>")
RETAINED: Final = ("alarm/+", "journey/+/state", "ledger/checkpoint", "dev/+/status", "equip/+/status")

NOT_FOUND: Final = 404
"""No such stream, or no such message after that."""

ASK_S: Final = 10.0
READY_S: Final = 60.0
QUIET_S: Final = 1.0
"""A broker sends what is retained at once; after so long there is no more."""

AT_ONCE: Final = 100
"""Messages published before the first of them is acknowledged."""


class Held(msgspec.Struct, frozen=True, omit_defaults=True):
    """A message of the broker, a line each: as recorded messages are, which ``replay`` reads too. ``received`` is the broker's time."""

    topic: str
    payload_hex: str
    received: str | None = None
    retain: bool = False


@dataclass(frozen=True, slots=True)
class EmbeddedBroker:
    """Where it is, on loopback, and whose it is: ``client_id`` is that of the service's session."""

    host: str
    port: int
    nats_port: int
    credentials: Credentials
    tenant: str
    client_id: str

    @asynccontextmanager
    async def mqtt(self, account: Account) -> AsyncIterator[aiomqtt.Client]:
        """A connection by an account, in a session of its own that ends with it."""
        try:
            async with aiomqtt.Client(
                self.host, self.port, username=account.username, password=account.password, timeout=ASK_S
            ) as client:
                client.pending_calls_threshold = (
                    AT_ONCE  # it warns above, a line each: pages are the bound here
                )
                yield client
        except aiomqtt.MqttError as error:
            raise CommandError(f"the broker at {self.host}:{self.port} does not answer: {error}") from error


async def read_held(broker: EmbeddedBroker, file: Path) -> int:
    """Write what the broker holds to a file; how many messages that are."""
    count, encode = 0, msgspec.json.Encoder().encode
    with file.open("wb") as out:
        async for held in _all_held(broker):
            out.write(encode(held) + b"\n")
            count += 1
    return count


async def put_back(broker: EmbeddedBroker, file: Path) -> int:
    """Publish what such a file holds, pings into the service's session, which is made for it; how many messages that are."""
    source = MqttSource(
        Broker(broker.host, broker.port, broker.credentials.service.username, broker.credentials.service.password),
        broker.client_id,
        ingest_filters(broker.tenant),
        clock_ms=clock_ms,
    )  # fmt: skip
    async with source:
        async with asyncio.timeout(READY_S):
            while not source.status.ready:  # noqa: ASYNC110 - once, for some milliseconds
                await asyncio.sleep(0.05)
        source.finish()
    count = 0
    accounts = broker.credentials.gateway, broker.credentials.service
    async with broker.mqtt(accounts[0]) as gateway, broker.mqtt(accounts[1]) as service:
        for some in _pages(file):
            await asyncio.gather(
                *((service if held.retain else gateway).publish(
                    held.topic, bytes.fromhex(held.payload_hex), qos=1, retain=held.retain
                ) for held in some)
            )  # fmt: skip
            count += len(some)
    return count


async def _all_held(broker: EmbeddedBroker) -> AsyncIterator[Held]:
    account = broker.credentials.service
    client = await nats.connect(
        f"nats://{broker.host}:{broker.nats_port}", user=account.username, password=account.password, connect_timeout=5
    )  # fmt: skip
    try:
        tenant = broker.tenant.replace(".", "//")
        for root in ROOTS:
            for kind in FROM_DEVICES:
                async for held in _undelivered(client, f"{SUBJECT}{root.format(tenant=tenant)}.{kind}"):
                    yield held
    finally:
        await client.close()
    async for held in _retained(broker):
        yield held


async def _undelivered(client: Any, subject: str) -> AsyncIterator[Held]:
    """Messages of the stream whose subject fits, oldest first; reading takes nothing away."""
    sequence = 1
    while True:
        question = msgspec.json.encode({"seq": sequence, "next_by_subj": subject})
        answer = await client.request(f"$JS.API.STREAM.MSG.GET.{STREAM}", question, timeout=ASK_S)
        said = msgspec.json.decode(answer.data)
        if error := said.get("error"):
            if error.get("code") == NOT_FOUND:
                return
            raise CommandError(f"the broker does not tell what it holds: {error.get('description')}")
        message = said["message"]
        sequence = message["seq"] + 1
        payload = base64.b64decode(message.get("data", ""))
        yield Held(topic_of(message["subject"]), payload.hex(), message["time"])


async def _retained(broker: EmbeddedBroker) -> AsyncIterator[Held]:
    """What the broker has retained, of alarms, journeys, devices and the ledger; the service's own presence it says anew."""
    async with broker.mqtt(broker.credentials.service) as client:
        for base in (f"eseal/v1/{broker.tenant}", f"eseal-exercise/v1/{broker.tenant}/+"):
            await client.subscribe([(f"{base}/{tail}", 1) for tail in RETAINED])
        messages = aiter(client.messages)
        while True:
            try:
                async with asyncio.timeout(QUIET_S):
                    message = await anext(messages)
            except (TimeoutError, StopAsyncIteration):
                return
            if message.retain:
                assert isinstance(message.payload, bytes)
                yield Held(str(message.topic), message.payload.hex(), retain=True)


def topic_of(subject: str) -> str:
    """The MQTT topic of a subject of the stream: levels are divided by dots, and a dot within one is ``//``."""
    levels = subject.removeprefix(SUBJECT).replace("//", "\0")
    return levels.replace(".", "/").replace("\0", ".")


def _pages(file: Path) -> Iterator[list[Held]]:
    decode = msgspec.json.Decoder(Held).decode
    page: list[Held] = []
    with file.open("rb") as lines:
        for line in lines:
            page.append(decode(line))
            if len(page) == AT_ONCE:
                yield page
                page = []
    if page:
        yield page
