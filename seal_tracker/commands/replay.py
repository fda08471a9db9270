"""``seal-tracker replay``: a recorded trace sent through the broker of a running service, as seals would send it, or as it was recorded."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiomqtt
import click
import msgspec
import uvloop
from tqdm import tqdm

from seal_tracker.commands.backtest import load_traces
from seal_tracker.commands.client import ServiceClient, service_at
from seal_tracker.commands.errors import CommandError
from seal_tracker.commands.outgoing import Outgoing, of_recording, of_trace, recorded_in
from seal_tracker.model import LIVE, NO_TIME
from seal_tracker.plans.folder import read_folder
from seal_tracker.publishing.errors import TopicError

__all__ = ["replay"]

MAX_IN_FLIGHT = 500
"""Publishes without an acknowledgement; more gain nothing and hide how far the broker is."""

SETTLE_S = 90.0
"""How long to wait, without progress, for the service to have stored everything: a part of a frame waits a minute for its others."""


def replay(
    trace: Path,
    *,
    plan: Path | None,
    space: str | None,
    live: bool,
    speed: float | None,
    seal: str | None,
    raw: bool,
    ready_file: Path | None,
    embedded: Path | None,
    as_json: bool,
) -> int:
    """Replay and wait until the service has judged all of it; 0."""
    if live and (space or plan):
        raise CommandError(
            "--live goes into the live space, by the service's own plan: leave out --space and --plan"
        )
    ready = service_at(ready_file, embedded)
    target = LIVE if live else space or f"replay-{datetime.now(UTC):%Y%m%dT%H%M%S}"
    if raw:
        outgoing = of_recording(recorded_in(trace), ready["tenant"], target, paced=speed is not None)
    else:
        outgoing = _pings_of(trace, seal, ready["tenant"], target)
    result = uvloop.run(_replay(ready, outgoing, target, plan, speed, quiet=as_json))
    if as_json:
        sys.stdout.buffer.write(msgspec.json.encode(result) + b"\n")
    else:
        _print(result)
    return 0


def _pings_of(trace: Path, seal: str | None, tenant: str, space: str) -> Outgoing:
    [recorded] = load_traces([trace], seal)
    if not len(recorded):
        raise CommandError(f"{trace}: no ping in it can be sent")
    return of_trace(recorded, tenant, space)


async def _replay(
    ready: Mapping[str, Any],
    outgoing: Outgoing,
    space: str,
    plan: Path | None,
    speed: float | None,
    *,
    quiet: bool,
) -> dict[str, Any]:
    async with ServiceClient(ready["http"], ready["accounts"]["administrator"]["token"]) as client:
        if space != LIVE:
            await _make_space(client, space, plan)
        before = await client.get(f"/api/v1/stats?space={space}")
        began = time.monotonic()
        with tqdm(total=outgoing.total, unit=" messages", disable=quiet or None, leave=False) as bar:
            await _send(ready, outgoing, speed, bar)
        sent_s = time.monotonic() - began
        after = await _settled(client, space, before, outgoing.accounted)
        kinds = await client.episodes_by_type(space)
    return {
        "space": space,
        "sent": outgoing.total,
        "stored": after["pings_stored"] - before["pings_stored"],
        "duplicates": after["duplicates"] - before["duplicates"],
        "dead_letters": after["dead_letters"] - before["dead_letters"],
        "sent_s": round(sent_s, 2),
        "episodes": kinds,
    }


async def _make_space(client: ServiceClient, space: str, plan: Path | None) -> None:
    if plan is None:
        known = await client.get("/api/v1/spaces")
        if space not in [row["space"] for row in known["items"]]:
            raise CommandError(f"space {space!r} does not exist yet: say by which --plan it is to be judged")
        return
    files = {name: content.decode() for name, content in read_folder(plan).items()}
    await client.post("/api/v1/spaces", {"space": space, "files": files})


async def _send(ready: Mapping[str, Any], outgoing: Outgoing, speed: float | None, bar: Any) -> None:
    """Publish at QoS 1 in arrival order; with ``speed``, keeping the original gaps."""
    gateway, gate = ready["accounts"]["gateway"], asyncio.Semaphore(MAX_IN_FLIGHT)
    began = time.monotonic()
    try:
        async with (
            aiomqtt.Client(
                ready["mqtt"]["host"],
                ready["mqtt"]["port"],
                username=gateway["username"],
                password=gateway["password"],
                max_inflight_messages=MAX_IN_FLIGHT,
                max_queued_outgoing_messages=0,
            ) as client,
            asyncio.TaskGroup() as group,
        ):
            client.pending_calls_threshold = MAX_IN_FLIGHT  # it warns above: the gate is the bound here

            async def publish(topic: str, payload: bytes) -> None:
                try:
                    await client.publish(topic, payload, qos=1, timeout=60)
                    bar.update()
                finally:
                    gate.release()

            for message in outgoing.messages:
                if speed is not None and message.due_ms != NO_TIME:
                    due = began + (message.due_ms - outgoing.first_ms) / 1000 / speed
                    await asyncio.sleep(max(0.0, due - time.monotonic()))
                await gate.acquire()
                group.create_task(publish(message.topic, message.payload))
    except* (aiomqtt.MqttError, TopicError) as faults:
        raise CommandError(f"MQTT: {faults.exceptions[0]}") from faults


async def _settled(
    client: ServiceClient, space: str, before: Mapping[str, int], sent: int
) -> Mapping[str, int]:
    """Wait until everything sent is accounted for and published."""

    def accounted(stats: Mapping[str, int]) -> int:
        return sum(stats[name] - before[name] for name in ("pings_stored", "duplicates", "dead_letters"))

    last, quiet_since = -1, time.monotonic()
    while True:
        stats: Mapping[str, int] = await client.get(f"/api/v1/stats?space={space}")
        done = accounted(stats)
        if done >= sent and not stats["outbox_pending"]:
            return stats
        if done != last:
            last, quiet_since = done, time.monotonic()
        if time.monotonic() - quiet_since > SETTLE_S:
            raise CommandError(
                f"{sent - done:,} of {sent:,} pings and dead letters are not accounted for after {SETTLE_S:.0f} s without progress"
            )
        await asyncio.sleep(0.2)


def _print(result: Mapping[str, Any]) -> None:
    click.echo(
        f"space {result['space']}: {result['sent']:,} sent in {result['sent_s']:.1f} s, {result['stored']:,} stored, "
        f"{result['duplicates']:,} duplicates, {result['dead_letters']:,} dead letters"
    )
    for kind, times in result["episodes"].items():
        click.echo(f"  {times:8,}  {kind}")
