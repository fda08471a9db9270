"""``seal-tracker record``: what devices send, as the broker delivers it, to a file that ``replay --raw`` reads."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

import aiomqtt
import click
import msgspec
import uvloop
from tqdm import tqdm

from seal_tracker.clock import clock_ms
from seal_tracker.commands.client import service_at
from seal_tracker.commands.errors import CommandError
from seal_tracker.commands.serve import stop_event
from seal_tracker.config import ConfigError, load_settings
from seal_tracker.embedded.credentials import Credentials
from seal_tracker.publishing.topics import root
from seal_tracker.sources.link import Broker
from seal_tracker.sources.recording import written
from seal_tracker.tls import broker_context

__all__ = ["record"]

TAILS: Final = ("raw/+/+", "dev/+/ping", "equip/+/status")
"""What devices send that is judged."""

SUFFIXES: Final = (".ndjson", ".jsonl")
CONNECT_S: Final = 10.0


def record(file: Path, *, embedded: Path | None, for_s: float | None, count: int | None) -> int:
    """Record until told to end; 0."""
    if not file.name.endswith(SUFFIXES):
        raise CommandError(f"{file}: give it a name that ends in .ndjson or .jsonl, by which replay knows it")
    broker, tenant = _broker(embedded)
    try:
        out = file.open("xb")
    except FileExistsError as fault:
        raise CommandError(f"{file}: is there already; choose another name, or remove it") from fault
    with out:
        recorder = _Recorder(out, count)
        try:
            uvloop.run(_record(broker, tenant, recorder, for_s))
        except (aiomqtt.MqttError, OSError) as fault:
            raise CommandError(
                f"MQTT {broker.host}:{broker.port} as {broker.username!r}: {fault}; the {recorder.written:,} messages until then are in {file}"
            ) from fault
    click.echo(f"{file}: {recorder.written:,} messages")
    return 0


@dataclass(slots=True)
class _Recorder:
    """Writes each message when it comes, a whole line at a time; what the broker had kept is of before, and left out."""

    out: IO[bytes]
    count: int | None
    written: int = 0

    async def run(self, client: aiomqtt.Client) -> None:
        """Until ``count`` are written."""
        with tqdm(unit=" messages", disable=None, leave=False) as bar:
            async for message in client.messages:
                if message.retain:
                    continue
                assert isinstance(message.payload, bytes)
                self.out.write(written(str(message.topic), message.payload, clock_ms()))
                self.out.flush()
                self.written += 1
                bar.update()
                if self.written == self.count:
                    return


async def _record(broker: Broker, tenant: str, recorder: _Recorder, for_s: float | None) -> None:
    stop = stop_event()
    async with aiomqtt.Client(
        broker.host,
        broker.port,
        username=broker.username,
        password=broker.password,
        tls_context=broker.tls,
        timeout=CONNECT_S,
        max_queued_incoming_messages=0,
    ) as client:
        await client.subscribe([(f"{root(tenant)}/{tail}", 1) for tail in TAILS])
        click.echo("recording", err=True)
        writing = asyncio.create_task(recorder.run(client))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({writing, stopping}, timeout=for_s, return_when=asyncio.FIRST_COMPLETED)
        for task in (writing, stopping):
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await writing


def _broker(embedded: Path | None) -> tuple[Broker, str]:
    """The broker of a running service's folder, else that of the settings, as the service itself: it reads what devices send."""
    if embedded is None:
        settings = load_settings()
        if settings.mqtt_host is None:
            raise ConfigError("mqtt_host: not set; set it, or name a running service's folder by --embedded")
        password = settings.mqtt_password.get_secret_value() if settings.mqtt_password else None
        tls = broker_context(settings)
        return Broker(
            settings.mqtt_host, settings.mqtt_port, settings.mqtt_username, password, tls
        ), settings.tenant
    ready, file = service_at(None, embedded), embedded / "credentials.json"
    try:
        account = msgspec.json.decode(file.read_bytes(), type=Credentials).service
    except (OSError, msgspec.MsgspecError) as fault:
        raise CommandError(f"{file}: {fault}; run this as the user whose folder it is") from fault
    return Broker(ready["mqtt"]["host"], ready["mqtt"]["port"], account.username, account.password), ready[
        "tenant"
    ]
