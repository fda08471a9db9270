"""One folder that holds a broker and a database, opened by one service at a time.

    DIR/lock               held while a service runs (a flock: it dies with the service)
    DIR/credentials.json   accounts and passwords, 0600
    DIR/ports.json         the ports chosen at first start
    DIR/nats/              configuration, store, lock and log of the broker
    DIR/postgres/          cluster, lock and log of the database

State: ``EmbeddedParts`` is used from one event loop. Order: the database starts with the broker and ends after it.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Self

import msgspec

from .credentials import Credentials, load_or_make
from .errors import FolderDamaged, FolderInUse, PortTaken
from .files import read_text, take_lock, write_atomic
from .nats import NatsPart
from .part import Change, Keeper, Listener, to_the_end
from .ports import LOOPBACK, choose_port, is_free
from .postgres import PostgresPart, dsn
from .programs import find_running
from .users import run_as

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["EmbeddedParts", "MqttAddress", "broker_of", "postgres_dsn_of", "superuser_dsn_of"]


class MqttAddress(msgspec.Struct, frozen=True):
    """Where the broker listens."""

    host: str
    port: int


class Ports(msgspec.Struct, frozen=True):
    """What ``ports.json`` holds."""

    mqtt: int
    postgres: int
    nats: int = 0


class EmbeddedParts:
    """Broker and database of one folder, as ``async with`` or by ``start`` and ``stop``.

    Parameters
    ----------
    folder
        Made when missing.
    tenant
        The tenant whose devices the account ``gateway`` may publish for.
    listener
        Called in the event loop with ("nats" or "postgres", change) when a part was started, adopted, died, was
        restarted, failed to restart or was stopped; it must not block.

    Attributes
    ----------
    mqtt, postgres_dsn, superuser_dsn, credentials
        Known after ``start``, and the same after every start of the same folder (the database's port may differ, if
        a stranger took it).
    """

    mqtt: MqttAddress
    nats_port: int
    postgres_dsn: str
    superuser_dsn: str
    credentials: Credentials

    def __init__(self, folder: Path | str, *, tenant: str = "demo", listener: Listener | None = None) -> None:
        self.folder = Path(folder).resolve()
        self.tenant = tenant
        self._listener = listener or _nobody_listens
        self._lock: int | None = None
        self._broker: Keeper | None = None
        self._database: Keeper | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def pids(self) -> dict[str, int | None]:
        """Main processes of the parts now running."""
        return {
            "nats": self._broker.pid if self._broker else None,
            "postgres": self._database.pid if self._database else None,
        }

    async def start(self) -> None:
        """Start both parts, or adopt what an earlier service left running; returns when both answer.

        Raises
        ------
        FolderInUse
            When another service runs on the folder.
        PortTaken
            When a stranger listens on the broker's port.
        EmbeddedError
            When a part cannot be had; nothing is left running then.
        """
        self.folder.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
        self._lock = take_lock(self.folder / "lock")
        if self._lock is None:
            raise FolderInUse(
                f"another service runs on {self.folder} (it holds {self.folder / 'lock'}): end it, or use another folder"
            )
        try:
            await to_the_end(self._open)
            assert self._broker is not None
            assert self._database is not None
            async with asyncio.TaskGroup() as group:
                group.create_task(self._broker.start())
                group.create_task(self._database.start())
        except BaseExceptionGroup as errors:
            await self.stop()
            raise errors.exceptions[0] from None
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """End the broker, then the database, cleanly, and let the folder go. Harmless when already stopped."""
        try:
            for keeper in (self._broker, self._database):
                if keeper is not None:
                    await keeper.stop()
        finally:
            if self._lock is not None:
                os.close(self._lock)
                self._lock = None

    def _open(self) -> None:
        """Read or make credentials and ports, and describe the parts. Blocking."""
        user = run_as()
        self.credentials = load_or_make(
            self.folder / "credentials.json", has_data=(self.folder / "postgres" / "data").exists()
        )
        ports = self._ports()
        broker = NatsPart(self.folder / "nats", ports.mqtt, ports.nats, self.tenant, self.credentials, user)
        if not is_free(ports.mqtt) and find_running(broker.program) is None:
            raise PortTaken(
                f"another program listens on {LOOPBACK}:{ports.mqtt}, the broker port that this folder's devices know "
                f"(from {self.folder / 'ports.json'}): end that program, or write another port into that file"
            )
        if not is_free(ports.nats) and find_running(broker.program) is None:
            ports = self._with_nats_port(ports)
            broker = NatsPart(
                self.folder / "nats", ports.mqtt, ports.nats, self.tenant, self.credentials, user
            )
        self.nats_port = ports.nats
        database = PostgresPart(self.folder / "postgres", ports.postgres, self.credentials, user)
        if not is_free(ports.postgres) and find_running(database.program) is None:
            ports = self._remember(
                msgspec.structs.replace(ports, postgres=choose_port((ports.mqtt, ports.nats)))
            )
            database = PostgresPart(self.folder / "postgres", ports.postgres, self.credentials, user)
        self.mqtt = MqttAddress(LOOPBACK, ports.mqtt)
        owner = self.credentials.database
        self.postgres_dsn = dsn(ports.postgres, owner, owner.username)
        self.superuser_dsn = dsn(ports.postgres, self.credentials.postgres, "postgres")
        self._broker, self._database = Keeper(broker, self._listener), Keeper(database, self._listener)

    def _ports(self) -> Ports:
        text = read_text(self.folder / "ports.json")
        if text is not None:
            found = msgspec.json.decode(text.encode(), type=Ports)
            return found if found.nats else self._with_nats_port(found)  # an older release had none
        mqtt = choose_port()
        return self._with_nats_port(Ports(mqtt, choose_port((mqtt,))))

    def _with_nats_port(self, ports: Ports) -> Ports:
        return self._remember(msgspec.structs.replace(ports, nats=choose_port((ports.mqtt, ports.postgres))))

    def _remember(self, ports: Ports) -> Ports:
        write_atomic(self.folder / "ports.json", msgspec.json.encode(ports).decode() + "\n", mode=0o644)
        return ports


def postgres_dsn_of(folder: Path) -> str:
    """Address of a folder's database, which may run or not.

    Raises
    ------
    FolderDamaged
        Its credentials or ports cannot be read.
    """
    credentials, ports = _read(folder)
    return dsn(ports.postgres, credentials.database, credentials.database.username)


def superuser_dsn_of(folder: Path) -> str:
    """Address of a folder's database server for its superuser; raises as `postgres_dsn_of`."""
    credentials, ports = _read(folder)
    return dsn(ports.postgres, credentials.postgres, "postgres")


def broker_of(folder: Path) -> tuple[MqttAddress, int, Credentials]:
    """Where a folder's broker listens, for MQTT and for NATS clients, and its accounts; raises as `postgres_dsn_of`."""
    credentials, ports = _read(folder)
    return MqttAddress(LOOPBACK, ports.mqtt), ports.nats, credentials


def _read(folder: Path) -> tuple[Credentials, Ports]:
    folder = folder.resolve()
    credentials = load_or_make(folder / "credentials.json", has_data=True)
    try:
        return credentials, msgspec.json.decode((folder / "ports.json").read_bytes(), type=Ports)
    except (OSError, msgspec.MsgspecError) as error:
        raise FolderDamaged(f"{folder / 'ports.json'} cannot be read: {error}") from error


def _nobody_listens(_part: str, _change: Change) -> None:
    """Stand in for the listener of those who gave none."""
