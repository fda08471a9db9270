"""An embedded folder keeps its port, accounts and data, its secrets to itself, and says clearly why it cannot start."""

from __future__ import annotations

import asyncio
import json
import os
import pwd
import shutil
import socket
import stat
import subprocess
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from embedded_service import Service, holders, rows, runs, write_row

from seal_tracker.embedded import EmbeddedError, EmbeddedParts, FolderDamaged, FolderInUse, PortTaken


async def test_a_restart_finds_port_accounts_and_data_again(data_folder: Path) -> None:
    """Devices and integrators know the port and their passwords; both stay."""
    async with EmbeddedParts(data_folder) as first:
        await write_row(first)
        before = (first.mqtt, first.credentials)
    async with EmbeddedParts(data_folder) as second:
        assert (second.mqtt, second.credentials) == before
        assert await rows(second) == 1


async def test_a_folder_may_have_any_name(open_folder: Path) -> None:
    """Spaces, quotes and letters beyond ASCII are all in use somewhere."""
    odd = open_folder / 'seal data "Đà Nẵng" $HOME {1}'
    for expected in (None, 1):
        async with EmbeddedParts(odd) as parts:
            if expected is None:
                await write_row(parts)
            assert await rows(parts) == 1
            assert any((odd / "nats" / "jetstream").iterdir())


async def test_a_start_cut_short_leaves_nothing_running(data_folder: Path) -> None:
    """Ctrl-C at any moment of a start: what was launched is ended again."""
    for wait_s in (0.0, 0.05, 0.1, 0.3):
        parts = EmbeddedParts(data_folder)
        starting = asyncio.create_task(parts.start())
        await asyncio.sleep(wait_s)
        starting.cancel()
        with suppress(asyncio.CancelledError):
            await starting
            await parts.stop()  # it was quicker than we
        assert holders(data_folder / "nats" / "lock") == []
        assert holders(data_folder / "postgres" / "lock") == []
    async with EmbeddedParts(data_folder) as parts:
        await write_row(parts)


async def test_stopping_leaves_no_process_and_no_lock(data_folder: Path) -> None:
    """After the end nothing of the folder runs, so it may be copied or deleted."""
    async with EmbeddedParts(data_folder) as parts:
        pids = [pid for pid in parts.pids.values() if pid]
        assert len(pids) == 2
    assert not any(runs(pid) for pid in pids)
    assert not (data_folder / "postgres" / "data" / "postmaster.pid").exists()


async def test_secrets_are_readable_by_their_owner_only(data_folder: Path) -> None:
    """Passwords are in two files, neither readable by others; nothing of the stores is."""
    async with EmbeddedParts(data_folder):
        for name in ("credentials.json", "nats/nats.conf"):
            assert stat.S_IMODE((data_folder / name).stat().st_mode) == 0o600
        for name in ("postgres/data", "nats/jetstream"):
            assert stat.S_IMODE((data_folder / name).stat().st_mode) & 0o006 == 0
        for process in holders(data_folder / "nats/lock") + holders(data_folder / "postgres/lock"):
            secret = json.loads((data_folder / "credentials.json").read_text())["service"]["password"]
            assert secret not in " ".join(process.cmdline())


async def test_a_second_start_on_the_same_folder_is_refused_and_disturbs_nothing(data_folder: Path) -> None:
    """Two services on one store would both believe to be the only writer."""
    async with EmbeddedParts(data_folder) as first:
        with pytest.raises(FolderInUse, match="another service runs on"):
            await EmbeddedParts(data_folder).start()
        await write_row(first)


async def test_a_stranger_on_the_broker_port_is_named_in_a_clear_refusal(data_folder: Path) -> None:
    """Another port would be one that no device knows."""
    async with EmbeddedParts(data_folder) as parts:
        port = parts.mqtt.port
    with socket.socket() as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        stranger.bind(("127.0.0.1", port))
        stranger.listen()
        with pytest.raises(PortTaken, match=f"127.0.0.1:{port}"):
            await EmbeddedParts(data_folder).start()
    async with EmbeddedParts(data_folder) as parts:
        assert parts.mqtt.port == port


async def test_a_stranger_on_the_database_port_only_moves_the_database(data_folder: Path) -> None:
    """Nobody but the service uses that port, so another will do."""
    async with EmbeddedParts(data_folder) as parts:
        await write_row(parts)
        port = json.loads((data_folder / "ports.json").read_text())["postgres"]
    with socket.socket() as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        stranger.bind(("127.0.0.1", port))
        stranger.listen()
        async with EmbeddedParts(data_folder) as parts:
            assert f":{port}/" not in parts.postgres_dsn
            assert await rows(parts) == 1


async def test_a_first_start_that_was_cut_short_is_begun_anew(data_folder: Path) -> None:
    """A cluster takes its place only when it is complete."""
    async with EmbeddedParts(data_folder):
        pass
    whole, unfinished = data_folder / "postgres" / "data", data_folder / "postgres" / "data.unfinished"
    whole.rename(unfinished)
    (unfinished / "PG_VERSION").unlink()
    async with EmbeddedParts(data_folder) as parts:
        await write_row(parts)
    assert not unfinished.exists()


async def test_lost_credentials_beside_data_are_named_instead_of_replaced(data_folder: Path) -> None:
    """New passwords would not open the old database; better to say so."""
    async with EmbeddedParts(data_folder):
        pass
    credentials = data_folder / "credentials.json"
    kept = credentials.read_bytes()
    credentials.unlink()
    with pytest.raises(FolderDamaged, match="put the file back"):
        await EmbeddedParts(data_folder).start()
    credentials.write_bytes(kept[:100])
    with pytest.raises(FolderDamaged, match="cannot be read"):
        await EmbeddedParts(data_folder).start()
    credentials.write_bytes(kept)
    async with EmbeddedParts(data_folder):
        pass


async def test_a_part_that_cannot_start_says_why_and_leaves_nothing_running(
    data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message ends with the program's own last words, and the other part is ended too."""
    async with EmbeddedParts(data_folder):
        pass
    shutil.rmtree(data_folder / "postgres" / "data" / "global")
    monkeypatch.setattr("seal_tracker.embedded.part.RESTART_WAITS_S", (0.0, 0.0))
    with pytest.raises(EmbeddedError, match=r"postgres did not start .* ends with: .*global"):
        await EmbeddedParts(data_folder).start()
    assert holders(data_folder / "nats" / "lock") == []


def test_an_ordinary_user_starts_the_parts_as_themselves(data_folder: Path) -> None:
    """No root, no other user: both programs run as whoever starts them. Root tries it in a user namespace."""
    prefix = ["unshare", "--user", "--map-user=1000", "--map-group=1000"] if os.geteuid() == 0 else []
    if prefix and subprocess.run([*prefix, "true"], check=False, capture_output=True).returncode != 0:
        pytest.skip("running as root where user namespaces are not allowed")
    service = Service(data_folder, prefix=prefix)
    try:
        assert {psutil.Process(pid).uids().real for pid in service.said["pids"].values()} == {os.geteuid()}
    finally:
        assert service.terminate() == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has another user to change to")
async def test_roots_parts_run_as_a_user_who_can_do_nothing_else(data_folder: Path) -> None:
    """PostgreSQL refuses to be root; the broker gains nothing by it."""
    async with EmbeddedParts(data_folder) as parts:
        for pid in parts.pids.values():
            uid = psutil.Process(pid).uids().real
            assert uid != 0
            assert pwd.getpwuid(uid).pw_shell.endswith("nologin")
