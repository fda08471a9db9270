"""A running service as its users meet it: started from the command line, spoken to over HTTP and MQTT, killed at the end."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import asyncpg
import paho.mqtt.client as mqtt
import psutil
from described import assert_described, assert_message_described
from embedded_service import holders
from paho.mqtt.enums import CallbackAPIVersion
from parts import wait_until

ROOT = Path(__file__).resolve().parents[2]
PLANS = Path(__file__).parent / "plans"
DATA = ROOT.parent / "shared" / "data"
"""Real data that nobody here made; not everybody has it."""

START_S = 90.0
INSTALLED = Path(sys.executable).with_name("seal-tracker")


def command_line(*words: str | Path) -> list[str]:
    """``seal-tracker`` with these words, installed or not."""
    begin = [str(INSTALLED)] if INSTALLED.exists() else [sys.executable, "-c", MAIN]
    return [*begin, *map(str, words)]


MAIN = "from seal_tracker.cli import main; main()"


def seal_tracker(
    *words: str | Path, limit_s: float = 120, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        command_line(*words),
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=limit_s,
        check=False,
    )


@dataclass(frozen=True)
class Reply:
    """An answer that was read."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Running:
    """``serve --embedded`` in a folder: start, kill, start again; of a fixture's service, ``ready`` says where it is."""

    def __init__(self, folder: Path, plan: Path | None) -> None:
        self.folder, self.data, self.plan = folder, folder / "data", plan
        self.ready_file = folder / "ready.json"
        self.log = folder / "log.txt"
        self.ready: dict[str, Any] = {}
        self.process: subprocess.Popen[bytes] | None = None
        self._groups: list[int] = []

    def start(self, **environment: str) -> Self:
        self.ready_file.unlink(missing_ok=True)
        words: list[str | Path] = ["serve", "--embedded", self.data, "--http", "127.0.0.1:0"]
        words += ["--ready-file", self.ready_file]
        words += ["--plan", self.plan] if self.plan else []
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command_line(*words),
                cwd=ROOT,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=os.environ | environment,
            )
        self._groups.append(self.process.pid)
        wait_until(self._answers, what=f"the service is ready; {self.tail()}", limit_s=START_S)
        return self

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (
            f"ended with {self.process.returncode} before it was ready: {self.tail()}"
        )
        with suppress(OSError, ValueError):
            self.ready = json.loads(self.ready_file.read_text())
            return True
        return False

    def tail(self) -> str:
        return self.log.read_text(errors="replace")[-1500:] if self.log.exists() else ""

    def kill(self) -> None:
        """kill -9 of the service, not of its broker and database."""
        assert self.process is not None
        for pid in {self.ready["pid"], self.process.pid}:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()

    def terminate(self) -> int:
        """The exit status after SIGTERM."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(90)

    def end(self) -> None:
        """Leave nothing running, whatever happened."""
        if self.process is not None and self.process.poll() is None:
            with suppress(subprocess.TimeoutExpired):
                self.terminate()
        for group in self._groups:
            with suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)
        for part in ("nats", "postgres"):
            for process in self.part_processes(part):
                with suppress(psutil.NoSuchProcess):
                    process.kill()

    def part_processes(self, part: str) -> list[psutil.Process]:
        return holders(self.data / part / "lock")

    def part_pid(self, part: str) -> int:
        """The main process of a part: the one whose parent is not of the part."""
        found: list[int] = []

        def only_one() -> bool:
            processes = {p.pid: p for p in self.part_processes(part)}
            found.clear()
            with suppress(psutil.NoSuchProcess):  # a connection's process ended while we looked
                found.extend(p.pid for p in processes.values() if p.ppid() not in processes)
            return len(found) == 1

        wait_until(only_one, what=f"{part} has one main process")
        return found[0]

    def account(self, name: str) -> Mapping[str, str]:
        found: Mapping[str, str] = self.ready["accounts"][name]
        return found

    @property
    def tenant(self) -> str:
        return str(self.ready["tenant"])

    def answer(self, path: str, account: str | None = "administrator") -> tuple[int, bytes]:
        """Status and body of a GET."""
        request = urllib.request.Request(self.ready["http"].rstrip("/") + path)
        if account is not None:
            request.add_header("Authorization", "Bearer " + self.account(account)["token"])
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                status, headers, body = response.status, response.headers, response.read()
        except urllib.error.HTTPError as refusal:
            status, headers, body = refusal.code, refusal.headers, refusal.read()
        assert_described("GET", urlsplit(path).path, status, headers, body)
        return status, body

    def get(self, path: str, account: str | None = "administrator") -> Any:
        status, body = self.answer(path, account)
        assert status == 200, f"GET {path}: {status} {body[:300]!r}; {self.tail()}"
        return json.loads(body)

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        account: str = "administrator",
        **headers: str,
    ) -> Reply:
        """One request by token; ``body`` (not bytes) goes as JSON, headers with ``_`` for ``-``."""
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(self.ready["http"].rstrip("/") + path, content, method=method)
        request.add_header("Authorization", "Bearer " + self.account(account)["token"])
        if content is not None:
            request.add_header("Content-Type", "application/json")
        for name, value in headers.items():
            request.add_header(name.replace("_", "-"), value)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                reply = Reply(response.status, response.headers, response.read())
        except urllib.error.HTTPError as refusal:
            reply = Reply(refusal.code, refusal.headers, refusal.read())
        assert_described(method, urlsplit(path).path, reply.status, reply.headers, reply.body)
        return reply

    def episodes(self, space: str = "live") -> list[dict[str, Any]]:
        """The whole episodes file."""
        _, body = self.answer(f"/api/v1/episodes?format=ndjson&space={space}")
        return [json.loads(line) for line in body.splitlines()]

    def events(self, space: str = "live") -> list[dict[str, Any]]:
        """Every event, paged from the beginning."""
        found: list[dict[str, Any]] = []
        cursor = ""
        while page := (answer := self.get(f"/api/v1/events?space={space}&limit=200{cursor}"))["items"]:
            found += page
            cursor = f"&after={answer['next']}"
        return found

    def stats(self, space: str = "live") -> dict[str, int]:
        found: dict[str, int] = self.get(f"/api/v1/stats?space={space}")
        return found

    def wait_calm(self, quiet_s: float = 11.0, limit_s: float = 90.0) -> None:
        """Until nothing was told for two canaries: what only the clock tells, of seals that are silent now, is told."""
        until, quiet_since, last = time.monotonic() + limit_s, time.monotonic(), -1
        while time.monotonic() - quiet_since < quiet_s:
            assert time.monotonic() < until, f"events still come after {limit_s:.0f} s"
            if (told := self.stats()["events"]) != last:
                last, quiet_since = told, time.monotonic()
            time.sleep(0.5)

    def readyz(self) -> tuple[int, dict[str, tuple[bool, str]]]:
        """The status of ``/readyz``, and each check by name."""
        status, body = self.answer("/readyz", None)
        return status, {c["name"]: (c["ok"], c["detail"]) for c in json.loads(body)["checks"]}

    def metric(self, name: str) -> float:
        """A figure without labels of ``/metrics``."""
        _, body = self.answer("/metrics", None)
        [line] = [x for x in body.decode().splitlines() if x.startswith(name + " ")]
        return float(line.split()[1])

    def wait_for(self, space: str = "live", limit_s: float = 90, **least: int) -> dict[str, int]:
        """Wait until these figures of ``stats`` are reached and all is told; then the stats."""
        found: dict[str, int] = {}

        def reached() -> bool:
            status, body = self.answer(f"/api/v1/stats?space={space}")
            time.sleep(0.05)
            if status == 503:  # the database was killed a moment ago
                return False
            assert status == 200, body
            found.update(json.loads(body))
            return found["outbox_pending"] == 0 and all(found[n] >= least[n] for n in least)

        wait_until(reached, what=f"{least} in stats, which say {found}", limit_s=limit_s)
        return found

    def mqtt(self, account: str, client_id: str = "", *, clean: bool | None = None) -> Talker:
        """A client of an account; durable when it has an id."""
        return Talker(self, account, client_id, clean=not client_id if clean is None else clean)

    def retained(self, kind: str) -> dict[str, dict[str, Any]]:
        """What a newcomer is told of the present, by topic below the kind (alarm, journey, svc)."""
        with self.mqtt("integrator") as newcomer:
            assert newcomer.subscribe(f"eseal/v1/+/{kind}/#")
            assert newcomer.subscribe("eseal/v1/+/svc/main")  # kept as well, so the last of what is kept
            wait_until(
                lambda: any(m.topic.endswith("/svc/main") for m in newcomer.of("svc")), what="svc/main"
            )
            kept = [m for m in newcomer.of(kind) if m.retain]  # beside them comes what is told just now
            return {m.topic.partition(f"/{kind}/")[2]: json.loads(m.payload) for m in kept if m.payload}

    def rows(self, query: str, *arguments: Any) -> list[Any]:
        """What the database says to the service's own role."""
        return asyncio.run(self._rows(query, *arguments))

    async def _rows(self, query: str, *arguments: Any) -> list[Any]:
        connection = await asyncpg.connect(self.ready["postgres"], timeout=60)
        try:
            found: list[Any] = await connection.fetch(query, *arguments)
            return found
        finally:
            await connection.close()


@dataclass
class Talker:
    """A paho client of one account; it keeps what it receives, and the ids of what was acknowledged to it."""

    service: Running
    account: str
    client_id: str
    clean: bool
    messages: list[mqtt.MQTTMessage] = field(default_factory=list)
    acknowledged: set[int] = field(default_factory=set)
    granted: dict[int, list[Any]] = field(default_factory=dict)
    connections: int = 0

    def __enter__(self) -> Self:
        self.paho = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=self.client_id, clean_session=self.clean
        )
        account = self.service.account(self.account)
        self.paho.username_pw_set(account["username"], account["password"])
        self.paho.max_inflight_messages_set(500)
        self.paho.max_queued_messages_set(0)
        self.paho.reconnect_delay_set(1, 1)
        self.paho.on_connect = self._connected
        self.paho.on_message = lambda _c, _u, message: self.messages.append(message)
        self.paho.on_publish = lambda _c, _u, mid, _r, _p: self.acknowledged.add(mid)
        self.paho.on_subscribe = lambda _c, _u, mid, codes, _p: self.granted.__setitem__(mid, list(codes))
        self.paho.connect(self.service.ready["mqtt"]["host"], int(self.service.ready["mqtt"]["port"]), 30)
        self.paho.loop_start()
        wait_until(self.paho.is_connected, what=f"MQTT lets the account {self.account} in")
        return self

    def __exit__(self, *_error: object) -> None:
        self.paho.disconnect()
        self.paho.loop_stop()
        for message in self.messages:
            assert_message_described(message.topic, message.payload)

    def _connected(self, *_what: object) -> None:
        self.connections += 1

    def subscribe(self, topic: str) -> bool:
        """Whether the broker granted it."""
        _, mid = self.paho.subscribe(topic, 1)
        assert mid is not None
        wait_until(lambda: mid in self.granted, what=f"answer to subscribing {topic}")
        return not any(code.is_failure for code in self.granted[mid])

    def ping(self, seal: str, ping: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> int:
        """Publish a seal's ping, or pings; the packet id."""
        return self.publish(f"eseal/v1/{self.service.tenant}/dev/{seal}/ping", json.dumps(ping))

    def publish(self, topic: str, payload: str | bytes, *, qos: int = 1) -> int:
        return self.paho.publish(topic, payload, qos).mid

    def wait_acknowledged(self, mids: Iterable[int], limit_s: float = 60) -> None:
        wanted = set(mids)
        wait_until(
            lambda: wanted <= self.acknowledged, what="the broker acknowledges everything", limit_s=limit_s
        )

    def bodies(self, kind: str) -> list[dict[str, Any]]:
        """JSON of the messages on topics of a kind (evt, alarm, …); emptied topics left out."""
        return [json.loads(m.payload) for m in self.of(kind) if m.payload]

    def of(self, kind: str) -> list[mqtt.MQTTMessage]:
        return [m for m in self.messages if f"/{kind}/" in m.topic]


@contextmanager
def serving(folder: Path, plan: Path | None, **environment: str) -> Iterator[Running]:
    """A service for the block, started; nothing of it is left afterwards."""
    service = Running(folder, plan)
    try:
        yield service.start(**environment)
    finally:
        service.end()
