"""What was backed up can be restored elsewhere and goes on; and a database of the previous release comes up to date by itself."""

from __future__ import annotations

import json
import os
import signal
import stat
import tarfile
import time
from pathlib import Path
from typing import Any

from running import PLANS, Running, seal_tracker, serving
from traffic import iso

PREVIOUS = Path(__file__).parents[1] / "data" / "release-0.1"
"""A folder's database and credentials as the release before left them, and the episodes that it told."""

NOW_S = time.time()


def pings_of(count: int = 12) -> list[dict[str, Any]]:
    """A few pings of a seal, the last of which says that the rope was cut."""
    pings: list[dict[str, Any]] = [
        {
            "time": iso(NOW_S - 600 + 30 * i),
            "lon": 106.6 + i / 1e3,
            "lat": 20.9,
            "lock": "closed",
            "mode": "awake",
        }
        for i in range(count)
    ]
    pings[-1] |= {"lock": "cut", "facts": ["rope_cut"]}
    return pings


def drive(service: Running, seal: str, stored: int = 0, count: int = 12) -> None:
    """Send them, and wait until they are told."""
    with service.mqtt("gateway") as gateway:
        gateway.wait_acknowledged([gateway.ping(seal, pings_of(count))])
    service.wait_for(pings_stored=stored + count, events=1)


def test_a_backup_of_a_running_service_is_restored_elsewhere_whole_and_goes_on(session_folder: Path) -> None:
    folder = session_folder / "backed-up"
    folder.mkdir(mode=0o755)
    file = folder / "backup.tar"
    with serving(folder, PLANS / "live") as first:
        drive(first, "SEAL-1")
        (alarm,) = [a for a in first.get("/api/v1/alarms")["items"] if a["type"] == "SEAL_TAMPER"]
        tag = first.ask("GET", f"/api/v1/alarms/{alarm['alarm']}").headers["ETag"]
        acked = first.ask("POST", f"/api/v1/alarms/{alarm['alarm']}/ack", {}, "operator", If_Match=tag)
        assert acked.status == 200, acked.body
        before = first.episodes()
        token = first.account("operator")["token"]
        os.kill(first.ready["pid"], signal.SIGSTOP)  # it runs, and takes nothing
        with first.mqtt("gateway") as gateway:
            gateway.wait_acknowledged([gateway.ping("SEAL-2", [ping]) for ping in pings_of()])
        done = seal_tracker("backup", file, "--embedded", first.data)
        os.kill(first.ready["pid"], signal.SIGCONT)
        assert done.returncode == 0, done.stderr
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with tarfile.open(file) as tar:
        assert tar.getnames()[0] == "manifest.json"
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir(mode=0o755)
    done = seal_tracker("restore", file, "--embedded", elsewhere / "data")
    assert (done.returncode, done.stderr) == (0, "")
    again = seal_tracker("restore", file, "--embedded", elsewhere / "data")
    assert again.returncode == 1
    assert "is not empty" in again.stderr
    with serving(elsewhere, None) as second:
        assert second.account("operator")["token"] == token
        assert second.get(f"/api/v1/alarms/{alarm['alarm']}")["state"] == "acknowledged"
        second.wait_for(pings_stored=24, events=2)  # what the broker had acknowledged, and nobody had taken
        after = second.episodes()
        assert [e for e in after if e["seal"] != "SEAL-2"] == [e for e in before if e["seal"] != "SEAL-2"]
        assert {e["type"] for e in after if e["seal"] == "SEAL-2"} >= {"SEAL_TAMPER"}
        assert alarm["alarm"] in second.retained("alarm")
        verified = seal_tracker("ledger", "verify", "--embedded", second.data, "--json")
        assert json.loads(verified.stdout)["whole"], verified.stdout


def test_what_is_no_backup_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("nothing")
    done = seal_tracker("restore", tmp_path / "x", "--embedded", tmp_path / "new")
    assert done.returncode == 1
    assert "is no backup of this program" in done.stderr
    assert seal_tracker("backup", tmp_path / "y").returncode == 2


def test_a_database_of_the_previous_release_comes_up_to_date_and_goes_on(session_folder: Path) -> None:
    """Its episodes are as they were told, its accounts open, its alarms are handled, its seals are judged on."""
    told = json.loads((PREVIOUS / "episodes.json").read_text())
    folder = session_folder / "upgraded"
    folder.mkdir(mode=0o755)
    done = seal_tracker("restore", previous_as_backup(folder), "--embedded", folder / "data")
    assert done.returncode == 0, done.stderr
    with serving(folder, PLANS / "live") as service:
        assert (
            service.account("operator")["token"]
            == json.loads((PREVIOUS / "credentials.json").read_text())["operator"]["token"]
        )
        assert standing(told) <= standing(service.episodes())
        new = {e["type"] for e in service.episodes()} - {e["type"] for e in told}
        assert new <= {"SIGNAL_LOST"}  # that release did not miss who was never heard
        assert service.stats()["dead_letters"] == 1
        assert {j["id"] for j in service.get("/api/v1/journeys")["items"]} >= {"J-1", "J-2", "J-3"}
        alarms = service.get("/api/v1/alarms")["items"]
        assert {e["episode"] for e in told if e["severity"] != "info"} <= {a["episode"] for a in alarms}
        stored = service.stats()["pings_stored"]
        drive(service, "SEAL-5", stored)
        after = service.episodes()
        assert any(e["seal"] == "SEAL-5" and e["type"] == "SEAL_TAMPER" for e in after)
        assert standing(told) <= standing(after)
        verified = seal_tracker("ledger", "verify", "--embedded", service.data)
        assert verified.returncode == 0, verified.stdout  # what was there before the ledger is no fault


def standing(episodes: list[dict[str, Any]]) -> set[tuple[str, ...]]:
    """What happened, to whom and when; what a release says of it as evidence may be more than another did."""
    return {
        tuple(str(e[name]) for name in ("episode", "type", "severity", "seal", "started_at", "raised_at"))
        for e in episodes
    }


def previous_as_backup(folder: Path) -> Path:
    """The previous release's database and credentials as a backup, which that release could not make itself."""
    manifest = {
        "format": 1,
        "made_at": "",
        "release": "0.1",
        "schema": 4,
        "files": ["database.dump", "credentials.json"],
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with tarfile.open(folder / "old.tar", "w") as tar:
        tar.add(folder / "manifest.json", "manifest.json")
        for name in manifest["files"]:  # type: ignore[attr-defined]
            tar.add(PREVIOUS / name, name)
    return folder / "old.tar"
