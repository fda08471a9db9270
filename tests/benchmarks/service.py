"""What the benchmarks of the whole service share: the common workload as a plan, a running `serve`, a lean publisher."""

from __future__ import annotations

import csv
import datetime as dt
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from simulators.load.packets import connect

ROOT = Path(__file__).resolve().parents[2]
WORKLOAD = ROOT.parent / "shared" / "bench" / "workload.py"
WINDOW = 1_000
"""Publishes without an acknowledgement."""


def iso(moment: dt.datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def workload(folder: Path, start: dt.datetime, *size: str) -> list[tuple[str, bytes]]:
    """Write the plan into ``folder/plan``; give (seal, payload) of every ping in the order of time."""
    raw, plan = folder / "raw", folder / "plan"
    subprocess.run([sys.executable, str(WORKLOAD), str(raw), *size], check=True, stdout=subprocess.DEVNULL)
    plan.mkdir()
    for name in ("zones.geojson", "routes.geojson"):
        shutil.copy(raw / name, plan)
    with (raw / "journeys.csv").open() as rows, (plan / "journeys.jsonl").open("w") as out:
        for row in csv.DictReader(rows):
            journey = {
                "id": f"J{row['seal']}",
                "seal": row["seal"],
                "route": row["route"],
                "regime": "transit",
            }
            out.write(json.dumps(journey | {"armed_at": iso(start - dt.timedelta(minutes=1))}) + "\n")
    with (raw / "pings.csv").open() as rows:
        return [
            (
                row["seal"],
                json.dumps(
                    {
                        "time": iso(start + dt.timedelta(seconds=float(row["t"]))),
                        "lon": float(row["lon"]),
                        "lat": float(row["lat"]),
                        "speed_kmh": float(row["speed_kmh"]),
                        "lock": "closed",
                    }
                ).encode(),
            )
            for row in csv.DictReader(rows)
        ]


@contextmanager
def open_folder() -> Iterator[Path]:
    """A temporary folder that other users may enter, as the database's may have to."""
    folder = Path(tempfile.mkdtemp(prefix="seal-tracker-bench-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def serving(folder: Path, *options: str) -> Iterator[dict[str, Any]]:
    """A running service on ``folder/data``; gives the content of its ready file."""
    ready = folder / "ready.json"
    ready.unlink(missing_ok=True)
    command = [sys.executable, "-m", "seal_tracker", "serve", "--embedded", str(folder / "data")]
    command += ["--http", "127.0.0.1:0", "--ready-file", str(ready), *options]
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=ROOT, start_new_session=True)
    try:
        while not ready.exists():
            if process.poll() is not None:
                raise SystemExit((folder / "log").read_text()[-2000:])
            time.sleep(0.05)
        yield json.loads(ready.read_text())
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


class LeanPublisher:
    """QoS 1 publishing over one socket, packets made beforehand: costs the machine as little as a publisher can."""

    def __init__(self, host: str, port: int, username: str, password: str, client_id: str) -> None:
        self._socket = socket.create_connection((host, port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(connect(3, client_id, username, password, 0))
        answer = self._socket.recv(4)
        if answer[3:] != b"\0":
            raise SystemExit(f"the broker refuses {username}: {answer!r}")
        self.acknowledged = 0
        self._bytes = 0

    def publish_all(self, packets: Sequence[bytes]) -> None:
        """Send everything, at most ``WINDOW`` unacknowledged; return when all are acknowledged."""
        sent, total = 0, len(packets)
        while self.acknowledged < total:
            room = min(total, self.acknowledged + WINDOW) - sent
            if room > 0:
                self._socket.sendall(b"".join(packets[sent : sent + room]))
                sent += room
            self._bytes += len(self._socket.recv(65_536))
            self.acknowledged = self._bytes // 4  # a PUBACK has four bytes
