"""The ledger as an auditor meets it: checkpoints over MQTT, ``ledger verify``, ``export``, a kill -9, and somebody with the database's keys."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import msgspec
import pytest
from parts import wait_until
from running import PLANS, Running, seal_tracker, serving
from traffic import iso

from seal_tracker.commands.ledger import Found

pytestmark = pytest.mark.slow

TOPIC = "eseal/v1/demo/ledger/checkpoint"


@pytest.fixture(scope="module")
def service(session_folder: Path) -> Iterator[Running]:
    folder = session_folder / "ledger"
    folder.mkdir(mode=0o755)
    with serving(folder, PLANS / "live") as running:
        yield running


def tamper(service: Running, seal: str) -> None:
    """A rope that is cut: an event, told within seconds."""
    with service.mqtt("gateway") as gateway:
        for ago_s, lock in ((60, "closed"), (30, "cut")):
            ping = {"time": iso(int(time.time()) - ago_s), "lon": 106.68, "lat": 20.86, "lock": lock}
            gateway.wait_acknowledged([gateway.ping(seal, ping)])
    wait_until(lambda: told_of(service, seal), what=f"SEAL_TAMPER of {seal}")


def told_of(service: Running, seal: str) -> bool:
    properties = [event["data"]["properties"] for event in service.events()]
    return any(p["event"] == "SEAL_TAMPER" and p["seal"] == seal for p in properties)


def checked(service: Running, *held: Path) -> Found:
    """What ``ledger verify --json`` finds, against the service's own key."""
    words = [word for path in held for word in ("--checkpoint", path)]
    done = seal_tracker("ledger", "verify", "--json", "--embedded", service.data, *words)
    found = msgspec.json.decode(done.stdout, type=Found)
    assert done.returncode == (0 if found.whole else 1), done.stderr
    return found


def kept_elsewhere(service: Running, path: Path) -> Path:
    """What an integrator holds: the checkpoint that comes when evidence is exported, which is signed up to that moment."""
    assert service.answer("/api/v1/ledger/bundles/J-1", "auditor")[0] == 200
    with service.mqtt("integrator") as holder:
        assert holder.subscribe(TOPIC)
        wait_until(lambda: bool(holder.messages), what="the retained checkpoint")
        path.write_bytes(holder.messages[-1].payload + b"\n")
    return path


async def as_superuser(service: Running, statement: str) -> None:
    """What somebody with the cluster's own password can do."""
    port = service.ready["postgres"].rpartition(":")[2].split("/")[0]
    password = json.loads((service.data / "credentials.json").read_text())["postgres"]["password"]
    connection = await asyncpg.connect(f"postgresql://postgres:{password}@127.0.0.1:{port}/seal_tracker")
    try:
        await connection.execute(f"SET session_replication_role = replica; {statement}")
    finally:
        await connection.close()


def test_what_happened_is_signed_told_and_proven_through_a_kill(service: Running, tmp_path: Path) -> None:
    """Whoever listened holds a checkpoint, and the end is signed when the service stops; then nothing need run to check."""
    tamper(service, "SEAL-1")
    service.kill()
    service.start()
    tamper(service, "SEAL-2")
    held = kept_elsewhere(service, tmp_path / "held.txt")
    running = checked(service, held)
    assert running.whole
    assert running.links >= running.signed_to >= running.held_to > 0  # something may have been told meanwhile
    assert len(running.keys) == 1
    tamper(service, "SEAL-3")
    assert service.terminate() == 0
    stopped = checked(service, held)  # starts the database for it, and ends it
    assert (stopped.whole, stopped.unsigned_links, stopped.held_to) == (True, 0, running.held_to)
    assert stopped.links > running.links
    assert not service.part_processes("postgres")
    service.start()


def test_a_journeys_evidence_is_exported_and_proves_itself_elsewhere(
    service: Running, tmp_path: Path
) -> None:
    """By the script in it, on a Python that knows nothing of the service, against the key that was noted before."""
    path = tmp_path / "J-1.zip"
    done = seal_tracker("export", "J-1", "--ready-file", service.ready_file, "-o", path)
    assert done.returncode == 0, done.stderr
    key = tmp_path / "key.pem"
    key.write_text(service.get("/api/v1/ledger", "auditor")["public_key"])
    check = [sys.executable, "-I", path, key]
    proven = subprocess.run(check, check=False, capture_output=True, text=True)
    assert proven.returncode == 0, proven.stderr
    assert "vn.eseal.SEAL_TAMPER.raised  journey/J-1" in proven.stdout
    assert "track.geojson" in proven.stdout
    unknown = seal_tracker("export", "J-nobody", "--embedded", service.data)
    assert unknown.returncode == 1
    assert "tells nothing of journey 'J-nobody'" in unknown.stderr


def test_a_tail_cut_off_by_a_superuser_is_found_by_who_holds_a_checkpoint(
    service: Running, tmp_path: Path
) -> None:
    """And said loudly at the next start of the service itself, as far as its own checkpoints were left."""
    held = kept_elsewhere(service, tmp_path / "held.txt")
    last = checked(service, held).held_to
    assert last > 0
    asyncio.run(as_superuser(service, f"DELETE FROM ledger.links WHERE number >= {last}"))
    service.kill()
    service.start()
    assert "ledger.not_as_signed" in service.log.read_text()
    asyncio.run(as_superuser(service, f"DELETE FROM ledger.checkpoints WHERE number >= {last}"))
    done = seal_tracker("ledger", "verify", "--embedded", service.data, "--checkpoint", held)
    assert done.returncode == 1
    assert f"BROKEN at link {last}: " in done.stdout
