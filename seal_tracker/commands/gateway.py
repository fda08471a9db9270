"""``seal-tracker gateway``: takes devices over TCP, and publishes what they send to the broker.

Nobody's identity is proven by what devices speak. So a gateway that can be reached from elsewhere must be told who may come
(``--devices``), or that everybody may (``--any-device``); on the loopback address everybody may unless told otherwise.
"""

from __future__ import annotations

import asyncio
import resource
import secrets
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final

import structlog
import uvloop

from seal_tracker.clock import clock_ms
from seal_tracker.commands.client import service_at
from seal_tracker.commands.serve import stop_event
from seal_tracker.config import PREFIX, ConfigError, Settings, load_settings, split_address
from seal_tracker.decoders.formats import formats
from seal_tracker.decoders.frame import Format
from seal_tracker.gateway.admission import DeviceListError, Devices, devices_in
from seal_tracker.gateway.connection import Limits
from seal_tracker.gateway.server import Gateway
from seal_tracker.gateway.uplink import Uplink
from seal_tracker.logs import set_up_logs
from seal_tracker.publishing.errors import TopicError
from seal_tracker.publishing.topics import check_id, frame_topic
from seal_tracker.sources.link import Broker
from seal_tracker.tls import broker_context, gateway_context

__all__ = ["gateway"]

log: Any = structlog.get_logger(__name__)

FILES_BESIDE: Final = 100
"""Files that are no connections of devices: the broker, the listening sockets, logs."""

LOOK_EVERY_S: Final = 5.0
"""How often the list of devices is looked at: who adds a device wants it in."""

TOLD_EVERY_S: Final = 60.0
"""How often the counts are logged, where they have changed."""


@dataclass(frozen=True)
class Place:
    """Where devices of a format are taken, and with what TLS."""

    format: Format
    host: str
    port: int
    tls: ssl.SSLContext | None = None

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine reaches it."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


class DeviceList:
    """The file that says which devices may come, read again when it has changed.

    Raises
    ------
    ConfigError
        It cannot be read, or is no list of devices, at the start; later the last good one stays, and the log tells.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen = self._state()
        self.devices = self._read()

    def changed(self) -> bool:
        """Whether there is another list than before."""
        try:
            if (state := self._state()) == self._seen:
                return False
            self._seen = state
            self.devices = self._read()
        except ConfigError as fault:
            log.warning(
                "gateway.devices_not_read", reason=str(fault), remedy="the list before it stays in force"
            )
            return False
        return True

    def _state(self) -> tuple[int, int]:
        try:
            found = self._path.stat()
        except OSError as error:
            raise ConfigError(f"--devices {self._path}: {error.strerror}") from error
        return found.st_mtime_ns, found.st_size

    def _read(self) -> Devices:
        try:
            return devices_in(self._path.read_text(), formats())
        except (OSError, UnicodeDecodeError, DeviceListError) as error:
            raise ConfigError(f"--devices {self._path}: {error}") from error


def gateway(
    listen: Sequence[str],
    listen_tls: Sequence[str] = (),
    *,
    ready_file: Path | None,
    embedded: Path | None,
    limits: Limits,
    devices: Path | None = None,
    any_device: bool = False,
    name: str | None = None,
) -> int:
    """Run until SIGTERM; 0 after a clean end."""
    settings = load_settings()
    set_up_logs(settings.log_format, settings.log_level)
    places = _places(listen, listen_tls, settings)
    known = _known(places, devices, any_device=any_device)
    name = _named(name)
    broker, tenant = _broker(settings, ready_file, embedded)
    topic = partial(_topic, tenant, name)
    _make_room(limits.connections + FILES_BESIDE)
    uvloop.run(_run(broker, topic, places, known, limits))
    return 0


def _named(name: str | None) -> str | None:
    try:
        return None if name is None else check_id(name, "--name")
    except TopicError as fault:
        raise ConfigError(str(fault)) from fault


def _topic(tenant: str, name: str | None, protocol: str, device: str) -> str:
    return frame_topic(tenant, protocol, device, gateway=name)


def _known(places: Sequence[Place], devices: Path | None, *, any_device: bool) -> DeviceList | None:
    """The list of devices; None: everybody may come, where that was said or nobody but this machine can."""
    if devices is not None:
        if any_device:
            raise ConfigError(f"--devices {devices} and --any-device: expected one of the two")
        return DeviceList(devices)
    open_to_all = [place for place in places if not place.is_loopback]
    if open_to_all and not any_device:
        place = open_to_all[0]
        raise ConfigError(
            f"{place.format.name}={place.host}:{place.port}: can be reached from elsewhere, where whoever connects may claim any "
            "device's id; give --devices FILE with the ids that may come, or --any-device"
        )
    if open_to_all:
        log.warning("gateway.any_device", remedy="give --devices FILE with the ids that may come")
    return None


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
    broker: Broker,
    topic: Callable[[str, str], str],
    places: Sequence[Place],
    known: DeviceList | None,
    limits: Limits,
) -> None:
    stop = stop_event()
    client_id = f"gateway-{secrets.token_hex(4)}"
    async with (
        Uplink(broker, client_id, clock_ms=clock_ms) as uplink,
        Gateway(uplink, topic, now=lambda: datetime.now(UTC), limits=limits) as taking,
    ):
        if known is not None:
            _let_in(taking, known)
        for place in places:
            bound = await taking.listen(place.format, place.host, place.port, place.tls)
            log.info(
                "gateway.listening",
                format=place.format.name,
                host=place.host,
                port=bound,
                tls=bool(place.tls),
            )
        await _until(stop, taking, uplink, known)
    log.info("gateway.stopped")


async def _until(stop: asyncio.Event, taking: Gateway, uplink: Uplink, known: DeviceList | None) -> None:
    """Tell the counts now and then, and look whether the list of devices has changed, until the end."""
    told: Mapping[str, int] = {}
    told_s = time.monotonic()
    while not stop.is_set():
        try:
            async with asyncio.timeout(LOOK_EVERY_S):
                await stop.wait()
        except TimeoutError:
            if known is not None and known.changed():
                _let_in(taking, known)
            if time.monotonic() - told_s >= TOLD_EVERY_S:
                told, told_s = _tell(taking, uplink, told), time.monotonic()
    _tell(taking, uplink, told)


def _let_in(taking: Gateway, known: DeviceList) -> None:
    taking.door.allow(known.devices)
    log.info("gateway.devices", devices=len(known.devices))


def _tell(taking: Gateway, uplink: Uplink, before: Mapping[str, int]) -> Mapping[str, int]:
    now = {**taking.counts, "in_flight": uplink.in_flight, "published_again": uplink.published_again}
    if now != before:
        log.info("gateway.counts", broker=uplink.status.connected, **now)
    return now


def _places(listen: Sequence[str], listen_tls: Sequence[str], settings: Settings) -> list[Place]:
    """Where to listen, without TLS and with it."""
    if not listen and not listen_tls:
        raise ConfigError("--listen, --listen-tls: neither given; expected FORMAT=HOST:PORT")
    tls = gateway_context(settings)
    if listen_tls and tls is None:
        raise ConfigError(
            f"--listen-tls {listen_tls[0]!r}: {PREFIX}GATEWAY_CERTIFICATE is not set; set it and {PREFIX}GATEWAY_KEY"
        )
    plain = [_place(given, "--listen") for given in listen]
    return plain + [replace(_place(given, "--listen-tls"), tls=tls) for given in listen_tls]


def _place(given: str, option: str) -> Place:
    """A format and where to listen for it, of ``FORMAT=HOST:PORT``."""
    name, _, address = given.partition("=")
    known = {name: found for name, found in formats().items() if found.link}
    if name not in known:
        raise ConfigError(f"{option} {given!r}: expected FORMAT=HOST:PORT with one of {', '.join(known)}")
    return Place(known[name], *split_address(address))


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
