"""The end of the service: whenever it is told to stop, it does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec

from seal_tracker.embedded.credentials import make
from seal_tracker.web.account_files import hash_accounts

ROOT = Path(__file__).resolve().parents[2]


def test_a_service_that_waits_for_its_broker_ends_when_it_is_told_to(
    postgres_dsn: str, free_port: int, open_folder: Path
) -> None:
    """Before it is ready as well: else an orchestrator has to kill whatever cannot reach its broker."""
    people = {name: msgspec.to_builtins(account) for name, account in make().accounts().items()}
    (open_folder / "accounts.json").write_bytes(hash_accounts(people))
    environment = os.environ | {
        "SEAL_TRACKER_DATABASE_DSN": postgres_dsn,
        "SEAL_TRACKER_MQTT_HOST": "127.0.0.1",
        "SEAL_TRACKER_MQTT_PORT": str(free_port),
        "SEAL_TRACKER_ACCOUNTS_FILE": str(open_folder / "accounts.json"),
        "SEAL_TRACKER_LEDGER_KEY_FILE": str(open_folder / "ledger.key"),
        "SEAL_TRACKER_HTTP": "127.0.0.1:0",
    }
    ready = open_folder / "ready.json"
    command = [sys.executable, "-m", "seal_tracker", "serve", "--ready-file", str(ready)]
    with subprocess.Popen(command, env=environment, cwd=ROOT, stderr=subprocess.PIPE, text=True) as service:
        try:
            assert service.stderr is not None
            assert any("service.waiting_for_broker" in line for line in service.stderr)
            service.send_signal(signal.SIGTERM)
            said = service.communicate(timeout=60)[1]
        finally:
            service.kill()
    assert service.returncode == 0, said
    assert "Traceback" not in said
    assert not ready.exists()
