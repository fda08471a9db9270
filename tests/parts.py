"""Real brokers and databases for tests, started as production starts them, on loopback and in temporary folders."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import socket
import subprocess
import sysconfig
import threading
import time
from collections.abc import Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, TypeVar

import paho.mqtt.client as mqtt
from compose import Compose
from paho.mqtt.enums import CallbackAPIVersion

from seal_tracker.credentials.callout import new_seed, public_key
from seal_tracker.embedded.ports import choose_port
from seal_tracker.embedded.users import RunAs, allow_passage

COMPOSE = Path(__file__).resolve().parent.parent / "docker-compose.yml"
DEPLOY = COMPOSE.parent / "deploy"

PROGRAMS = os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", os.defpath), "/usr/sbin"])
"""Where programs are looked for: our wheels' first, then the system's, its daemons too."""

ISSUER_SEED = new_seed(bytes(range(32)))
SECRETS = {
    name: f"it's {number} $1 #2"
    for number, name in enumerate(
        ("SEAL_TRACKER_MQTT_PASSWORD", "SEAL_TRACKER_GATEWAY_PASSWORD", "SEAL_TRACKER_INTEGRATOR_PASSWORD")
    )
} | {
    "SEAL_TRACKER_DATABASE_PASSWORD": "owner-of-data",
    "POSTGRES_PASSWORD": "superuser's own",
    "SEAL_TRACKER_NATS_SYSTEM_PASSWORD": "it's 4 $1 #2",
    "SEAL_TRACKER_NATS_ISSUER_SEED": ISSUER_SEED,
    "SEAL_TRACKER_NATS_ISSUER": public_key(ISSUER_SEED),
}
"""What ``.env`` would hold."""

PATIENCE_S = 60.0
"""For whatever comes at once on a machine at rest: it ends a run that hangs, and judges nobody's speed."""

T = TypeVar("T")


class LoopThread:
    """An event loop in a thread of its own, so that what a session fixture starts is watched during every test."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, name="embedded-parts", daemon=True)
        self.thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(90)

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.loop.close()


@dataclass(frozen=True)
class Broker:
    """Where a broker listens, and (username, password) of its accounts ``service``, ``gateway`` and ``integrator``."""

    kind: str
    host: str
    port: int
    tenant: str
    accounts: dict[str, tuple[str, str]]

    def client(self, account: str, client_id: str = "", *, clean: bool | None = None) -> Client:
        """A connected paho client with a network thread; durable when it has an id."""
        return Client(self, account, client_id, clean=not client_id if clean is None else clean)


@dataclass
class Client:
    """A paho client that remembers what it received and what was acknowledged to it."""

    broker: Broker
    account: str
    client_id: str
    clean: bool
    messages: list[mqtt.MQTTMessage] = field(default_factory=list)
    acknowledged: set[int] = field(default_factory=set)
    granted: dict[int, list[Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.paho = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=self.client_id, clean_session=self.clean
        )
        self.paho.username_pw_set(*self.broker.accounts[self.account])
        self.paho.max_inflight_messages_set(500)
        self.paho.max_queued_messages_set(0)
        self.paho.reconnect_delay_set(1, 1)
        self.paho.on_message = lambda _c, _u, message: self.messages.append(message)
        self.paho.on_publish = lambda _c, _u, mid, _r, _p: self.acknowledged.add(mid)
        self.paho.on_subscribe = lambda _c, _u, mid, codes, _p: self.granted.__setitem__(mid, list(codes))

    def __enter__(self) -> Self:
        self.paho.connect(self.broker.host, self.broker.port, 30)
        self.paho.loop_start()
        wait_until(self.paho.is_connected, what=f"{self.account} connected to {self.broker.kind}")
        return self

    def __exit__(self, *_exc: object) -> None:
        self.paho.disconnect()
        self.paho.loop_stop()

    def subscribe(self, topic: str, qos: int = 1) -> bool:
        """Whether the broker granted it."""
        _, mid = self.paho.subscribe(topic, qos)
        assert mid is not None
        wait_until(lambda: mid in self.granted, what=f"answer to subscribing {topic}")
        return not any(code.is_failure for code in self.granted[mid])

    def publish(self, topic: str, payload: str | bytes = "x", *, qos: int = 1, retain: bool = False) -> int:
        """Packet id; it is in ``acknowledged`` once the broker said so."""
        return self.paho.publish(topic, payload, qos, retain).mid

    def topics(self) -> list[str]:
        return [message.topic for message in self.messages]


class ComposeBroker:
    """The broker as compose starts it: its command, environment and configuration folder, with a program from packages.

    What differs from the container is the address it listens on.
    """

    def __init__(self, kind: str, folder: Path, **settings: str) -> None:
        self.kind, self.folder, self.port = kind, folder, choose_port()
        self.nats_port = choose_port((self.port,))
        self.process: subprocess.Popen[bytes] | None = None
        folder.mkdir(exist_ok=True)
        files = [COMPOSE, DEPLOY / "docker-compose.mosquitto.yml"] if kind == "mosquitto" else [COMPOSE]
        self.service = Compose(files, SECRETS | settings).service("broker")
        for mount in self.service["volumes"]:
            source, target, *_ = mount.split(":")
            if source.startswith("."):
                shutil.copytree(COMPOSE.parent / source, folder / Path(target).name)
            else:
                (folder / Path(target).name).mkdir()
        for mount in self.service.get("tmpfs", []):
            (folder / Path(mount.partition(":")[0]).name).mkdir()
        if kind == "mosquitto":
            config = folder / "config" / "mosquitto.conf"
            text = config.read_text()
            assert text.count("\nlistener 1883\n") == 1
            config.write_text(text.replace("\nlistener 1883\n", f"\nlistener {self.port} 127.0.0.1\n"))

    @staticmethod
    def missing(kind: str) -> str | None:
        """Why it cannot run here, or None."""
        names = ("mosquitto", "mosquitto_passwd") if kind == "mosquitto" else ("nats-server",)
        if all(shutil.which(name, path=PROGRAMS) for name in names):
            return None
        return "Mosquitto is not installed (apt-get install mosquitto mosquitto-clients)"

    @property
    def broker(self) -> Broker:
        passwords = {
            "service": SECRETS["SEAL_TRACKER_MQTT_PASSWORD"],
            "gateway": SECRETS["SEAL_TRACKER_GATEWAY_PASSWORD"],
            "integrator": SECRETS["SEAL_TRACKER_INTEGRATOR_PASSWORD"],
        }
        accounts = {name: (name, password) for name, password in passwords.items()}
        return Broker(self.kind, "127.0.0.1", self.port, "demo", accounts)

    def start(self) -> Self:
        environment = {name: str(value) for name, value in self.service["environment"].items()}
        environment["SEAL_TRACKER_BROKER_LISTEN"] = f"127.0.0.1:{self.port}"
        environment["SEAL_TRACKER_BROKER_HEALTH"] = "127.0.0.1:-1"
        environment["SEAL_TRACKER_BROKER_NATS"] = f"127.0.0.1:{self.nats_port}"
        command = [*self.service["entrypoint"], *self.service["command"]]
        with (self.folder / "log.txt").open("ab") as log:
            self.process = subprocess.Popen(
                [shutil.which(command[0], path=PROGRAMS) or command[0], *command[1:]],
                env={"PATH": PROGRAMS, **environment},
                cwd=self.folder,
                stdout=log,
                stderr=log,
                **container_user(self.folder),
            )
        wait_until(lambda: answers(self.port), what=f"{self.kind}, see {self.folder / 'log.txt'}")
        return self

    def kill(self) -> None:
        """Like a kill -9."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        assert self.process is not None
        self.process.terminate()
        self.process.wait(60)


def container_user(folder: Path, name: str = "nobody") -> dict[str, Any]:
    """Popen arguments that make root become an ordinary user who owns the folder, as in the container; else none."""
    if os.geteuid() != 0:
        return {}
    user = pwd.getpwnam(name)
    for path in (folder, *folder.rglob("*")):
        os.chown(path, user.pw_uid, user.pw_gid)
    allow_passage(folder, RunAs(name, user.pw_uid, user.pw_gid))
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def answers(port: int) -> bool:
    """Whether somebody listens on a loopback port."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_until(condition: Any, *, what: str, limit_s: float = PATIENCE_S) -> None:
    """Wait for a condition; fails with ``what`` when it does not come."""
    deadline = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"did not happen within {limit_s} s: {what}")
        time.sleep(0.01)
