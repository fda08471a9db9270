"""Debian's PostgreSQL, made, configured and furnished as compose has it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from compose import Compose
from parts import COMPOSE, DEPLOY, SECRETS, container_user, wait_until

from seal_tracker.embedded.ports import choose_port

DEBIAN_POSTGRES = max(Path("/usr/lib/postgresql").glob("*/bin/postgres"), default=None)


@pytest.fixture(scope="module")
def production_database(session_folder: Path) -> Iterator[str]:
    """HOST:PORT of Debian's PostgreSQL, made and configured as compose has it."""
    if DEBIAN_POSTGRES is None:
        pytest.skip("Debian's PostgreSQL is not installed (apt-get install postgresql)")
    folder = session_folder / "production-postgres"
    folder.mkdir()
    service = Compose([COMPOSE], SECRETS).service("database")
    shutil.copytree(DEPLOY / "postgres", folder / "config")
    (folder / "password").write_text(service["environment"]["POSTGRES_PASSWORD"])
    user = container_user(folder)
    bin_folder, data, port = DEBIAN_POSTGRES.parent, folder / "data", choose_port()
    arguments = service["environment"]["POSTGRES_INITDB_ARGS"].split()
    subprocess.run(
        [bin_folder / "initdb", "-D", data, "-U", "postgres", f"--pwfile={folder}/password", *arguments],
        check=True,
        capture_output=True,
        cwd="/",
        **user,
    )
    command = [word.replace("/etc/postgresql", str(folder / "config")) for word in service["command"][1:]]
    only_here = [
        "-c",
        f"port={port}",
        "-c",
        "listen_addresses=127.0.0.1",
        "-c",
        f"unix_socket_directories={folder}",
    ]
    with (folder / "log.txt").open("wb") as log:
        server = subprocess.Popen(
            [DEBIAN_POSTGRES, "-D", data, *command, *only_here, "-c", "shared_buffers=64MB"],
            stdout=log,
            stderr=log,
            cwd="/",
            **user,
        )
    try:
        probe = [bin_folder / "pg_isready", *service["healthcheck"]["test"][2:], "-p", str(port)]
        wait_until(lambda: subprocess.run(probe, check=False).returncode == 0, what=f"PostgreSQL in {folder}")
        as_superuser = {"PGHOST": "127.0.0.1", "PGPORT": str(port), "PGUSER": "postgres"}
        as_superuser["PGPASSWORD"] = service["environment"]["POSTGRES_PASSWORD"]
        done = subprocess.run(
            [bin_folder / "psql", "-q", "-v", "ON_ERROR_STOP=1", "-f", folder / "config" / "owner.sql"],
            check=False,
            capture_output=True,
            text=True,
            env={**os.environ, **service["environment"], **as_superuser},
        )
        assert done.returncode == 0, done.stderr
        yield f"127.0.0.1:{port}"
    finally:
        server.send_signal(2)
        server.wait(60)
