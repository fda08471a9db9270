"""Shared fixtures: the embedded parts, a fresh database, brokers, ports. Everything is real, on loopback, temporary."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import asyncpg
import psutil
import pytest
from debian_postgres import production_database
from embedded_service import holders
from hypothesis import HealthCheck, settings
from parts import Broker, ComposeBroker, LoopThread

from seal_tracker.embedded import EmbeddedParts
from seal_tracker.embedded.ports import choose_port
from seal_tracker.embedded.postgres import prepare_ledger
from seal_tracker.store import Store

__all__ = ["production_database"]  # a fixture that another file holds

IN_CI = 2000
"""Examples that CI asks for, always the same ones; a release asks for more, and others."""

MEMORY = Path("/dev/shm")
MEMORY_BYTES = 4_000_000_000
"""Must be free there; a worker's databases and their log take a tenth of it."""

UNSYNCED = (
    "ALTER SYSTEM SET fsync = off",
    "ALTER SYSTEM SET max_wal_size = '256MB'",
    "ALTER SYSTEM SET full_page_writes = off",
    "SELECT pg_reload_conf()",
)

settings.register_profile(
    "seal-tracker",
    deadline=None,  # a slow machine is no fault
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=int(os.environ.get("LAW_EXAMPLES", "0")) <= IN_CI,
)
settings.load_profile("seal-tracker")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With ``-n``: a file's tests stay together, for they share what it started; files begin in the order of collection.

    Parts of a law share nothing, and are long: each goes to whoever is free.
    """
    from xdist.scheduler import LoadFileScheduling  # noqa: PLC0415 - there only where the hook is called

    class ByFileOrPart(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return nodeid if "[part " in nodeid else super()._split_scope(nodeid)

    config.option.loadscopereorder = False
    return ByFileOrPart(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With ``-n``: files that wait for services begin in turn with those that only reckon, so that no core is idle.

    ``property/`` is first of its kind: its laws are what all the others would have to wait for at the end.
    """
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return
    files = list(dict.fromkeys(item.path for item in items))
    waiting = [file for file in files if file.parent.name in ("acceptance", "integration")]
    reckoning = [file for file in files if file not in waiting]
    turns = {file: (n + 0.5) / len(kind) for kind in (waiting, reckoning) for n, file in enumerate(kind)}
    items.sort(key=lambda item: (turns[item.path], str(item.path)))


@pytest.fixture(scope="session")
def session_folder() -> Iterator[Path]:
    """A folder for what the whole session uses, which other users may enter.

    PostgreSQL runs as another user when root runs the tests, and pytest's own folders are closed to others, again each
    time a pytest starts on the machine: a server in them would fail whenever another run began.
    """
    yield from _open_folder()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder of one test, which other users may enter; see ``session_folder``."""
    yield from _open_folder()


@pytest.fixture(scope="session")
def memory_folder() -> Iterator[Path]:
    """The same in memory, where there is plenty; else on the disk.

    A database is 1,000 files: where thousands come and go, ext4 spends more on finding them a place than all tests on theirs.
    """
    plenty = MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > MEMORY_BYTES
    yield from _open_folder(MEMORY if plenty else None)


@pytest.fixture(scope="session")
def embedded(memory_folder: Path) -> Iterator[EmbeddedParts]:
    """NATS and PostgreSQL of one temporary folder, watched, for the whole session; the gateway's tenant is ``demo``.

    Nothing kills this PostgreSQL, so it needs no disk; tests of what a kill leaves start their own.
    """
    thread = LoopThread()
    parts = EmbeddedParts(memory_folder / "embedded", tenant="demo")
    thread.run(parts.start())
    for statement in UNSYNCED:
        asyncio.run(_execute(parts.superuser_dsn, statement))
    yield parts
    thread.run(parts.stop())
    thread.close()


@pytest.fixture(scope="session")
def furnished(embedded: EmbeddedParts) -> str:
    """A database to which every migration was applied: its files are copied for each test that needs one, a tenth of the work."""
    _make_empty(embedded, "furnished")
    dsn = embedded.postgres_dsn.rpartition("/")[0] + "/furnished"

    async def migrate() -> None:
        await (await Store.open(dsn)).close()

    asyncio.run(migrate())
    return "furnished"


@pytest.fixture
def postgres_dsn(embedded: EmbeddedParts, furnished: str) -> Iterator[str]:
    """Address of a database of this test's own, migrated, without a row, dropped afterwards.

    Its role owns all but the ledger, and is no superuser.
    """
    yield from _own_database(embedded, furnished)


@pytest.fixture(scope="module")
def module_dsn(embedded: EmbeddedParts, furnished: str) -> Iterator[str]:
    """The same for all tests of a module, which keep apart by their spaces."""
    yield from _own_database(embedded, furnished)


@pytest.fixture
def empty_dsn(embedded: EmbeddedParts) -> Iterator[str]:
    """The same as a first start finds it: nothing in it but the ledger."""
    yield from _own_database(embedded, None)


def _own_database(embedded: EmbeddedParts, template: str | None) -> Iterator[str]:
    name = f"test_{secrets.token_hex(6)}"
    if template is None:
        _make_empty(embedded, name)
    else:
        copied = f"CREATE DATABASE {name} OWNER seal_tracker TEMPLATE {template} STRATEGY FILE_COPY"
        asyncio.run(_execute(embedded.superuser_dsn, copied))
    yield embedded.postgres_dsn.rpartition("/")[0] + f"/{name}"
    asyncio.run(_execute(embedded.superuser_dsn, f"DROP DATABASE {name} WITH (FORCE)"))


def _make_empty(embedded: EmbeddedParts, name: str) -> None:
    asyncio.run(_execute(embedded.superuser_dsn, f"CREATE DATABASE {name} OWNER seal_tracker"))
    asyncio.run(prepare_ledger(embedded.superuser_dsn.rpartition("/")[0] + f"/{name}"))


@pytest.fixture(scope="session")
def nats_broker(embedded: EmbeddedParts) -> Broker:
    """The embedded broker."""
    accounts = {
        name: (account.username, account.password)
        for name in ("service", "gateway", "integrator")
        for account in [getattr(embedded.credentials, name)]
    }
    return Broker("nats", embedded.mqtt.host, embedded.mqtt.port, embedded.tenant, accounts)


@pytest.fixture(scope="session")
def mosquitto_broker(session_folder: Path) -> Iterator[Broker]:
    """Debian's Mosquitto on production's configuration; skipped where it is not installed."""
    yield from _compose_broker("mosquitto", session_folder / "production-mosquitto")


@pytest.fixture(scope="session")
def production_nats_broker(session_folder: Path) -> Iterator[Broker]:
    """NATS on production's configuration, which syncs each message to the disk."""
    yield from _compose_broker("nats", session_folder / "production-nats")


@pytest.fixture(params=["nats", "mosquitto"])
def broker(request: pytest.FixtureRequest) -> Broker:
    """Each of the two brokers in turn: what uses this must hold on both."""
    return request.getfixturevalue(f"{request.param}_broker")


@pytest.fixture
def free_port() -> int:
    """A loopback port on which nobody listens."""
    return choose_port()


@pytest.fixture
def data_folder(open_folder: Path) -> Iterator[Path]:
    """Where a service may keep its data, not made yet; what runs in it is ended after the test, whatever happened."""
    folder = open_folder / "data"
    yield folder
    for part in ("nats", "postgres"):
        for process in holders(folder / part / "lock"):
            with suppress(psutil.NoSuchProcess):
                process.kill()


def _open_folder(parent: Path | None = None) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="seal-tracker-", dir=parent, ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


def _compose_broker(kind: str, folder: Path) -> Iterator[Broker]:
    if reason := ComposeBroker.missing(kind):
        pytest.skip(reason)
    running = ComposeBroker(kind, folder).start()
    yield running.broker
    running.stop()


async def _execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
