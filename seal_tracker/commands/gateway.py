"""``seal-tracker gateway``: takes devices over TCP, and publishes what they send to the broker."""

from __future__ import annotations

import asyncio
import resource
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import structlog
import uvloop

from seal_tracker.clock import clock_ms
from seal_tracker.commands.client import service_at
from seal_tracker.commands.serve import stop_event
from seal_tracker.config import ConfigError, Settings, load_settings, split_address
from seal_tracker.decoders.formats import formats
from seal_tracker.decoders.frame import Format
from seal_tracker.gateway.server import Gateway, Limits
from seal_tracker.gateway.uplink import Uplink
from seal_tracker.logs import set_up_logs
from seal_tracker.publishing.topics import frame_topic
from seal_tracker.sources.link import Broker
from seal_tracker.tls import broker_context

__all__ = ["gateway"]

log: Any = structlog.get_logger(__name__)

FILES_BESIDE: Final = 100
"""Files that are no connections of devices: the broker, the listening sockets, logs."""

TOLD_EVERY_S: Final = 60.0
"""How often the counts are logged, where they have changed."""


def gateway(listen: Sequence[str], *, ready_file: Path | None, embedded: Path | None, limits: Limits) -> int:
    """Run until SIGTERM; 0 after a clean end."""
    settings = load_settings()
    set_up_logs(settings.log_format, settings.log_level)
    places = [_place(given) for given in listen]
    broker, tenant = _broker(settings, ready_file, embedded)
    _make_room(limits.connections + FILES_BESIDE)
    uvloop.run(_run(broker, tenant, places, limits))
    return 0


def _make_room(files: int) -> None:
    """Raise our limit of open files, each connection being one; tell where the system's is lower."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = files if hard == resource.RLIM_INFINITY else min(files, hard)
    if soft != resource.RLIM_INFINITY and soft < highest:
        resource.setrlimit(resource.RLIMIT_NOFILE, (highest, hard))
    if highest < files:
        log.warning(
            "gateway.too_few_files",
            needed=files,
            allowed=highest,
            remedy="raise ulimit -n, or lower --connections",
        )


async def _run(
    broker: Broker, tenant: str, places: Sequence[tuple[Format, str, int]], limits: Limits
) -> None:
    stop = stop_event()
    client_id = f"gateway-{secrets.token_hex(4)}"
    async with (
        Uplink(broker, client_id, clock_ms=clock_ms) as uplink,
        Gateway(
            uplink,
            lambda protocol, device: frame_topic(tenant, protocol, device),
            now=lambda: datetime.now(UTC),
            limits=limits,
        ) as taking,
    ):
        for found, host, port in places:
            bound = await taking.listen(found, host, port)
            log.info("gateway.listening", format=found.name, host=host, port=bound)
        told: Mapping[str, int] = {}
        while not stop.is_set():
            try:
                async with asyncio.timeout(TOLD_EVERY_S):
                    await stop.wait()
            except TimeoutError:
                told = _tell(taking, uplink, told)
    _tell(taking, uplink, told)
    log.info("gateway.stopped")


def _tell(taking: Gateway, uplink: Uplink, before: Mapping[str, int]) -> Mapping[str, int]:
    now = {**taking.counts, "in_flight": uplink.in_flight, "published_again": uplink.published_again}
    if now != before:
        log.info("gateway.counts", broker=uplink.status.connected, **now)
    return now


def _place(given: str) -> tuple[Format, str, int]:
    """A format and where to listen for it, of ``FORMAT=HOST:PORT``."""
    name, _, address = given.partition("=")
    known = {name: found for name, found in formats().items() if found.link}
    if name not in known:
        raise ConfigError(f"--listen {given!r}: expected FORMAT=HOST:PORT with one of {', '.join(known)}")
    return known[name], *split_address(address)


def _broker(settings: Settings, ready_file: Path | None, embedded: Path | None) -> tuple[Broker, str]:
    """The broker that a running service's file names, else that of the settings."""
    if ready_file or embedded:
        ready = service_at(ready_file, embedded)
        account = ready["accounts"]["gateway"]
        return Broker(
            ready["mqtt"]["host"], ready["mqtt"]["port"], account["username"], account["password"]
        ), ready["tenant"]
    if settings.mqtt_host is None:
        raise ConfigError(
            "mqtt_host: not set; set it, or name a running service by --ready-file or --embedded"
        )
    password = settings.mqtt_password.get_secret_value() if settings.mqtt_password else None
    tls = broker_context(settings)
    return Broker(
        settings.mqtt_host, settings.mqtt_port, settings.mqtt_username, password, tls
    ), settings.tenant
