"""What compose describes is real: its files are valid, and its configurations are started from Debian's and PyPI's packages."""

from __future__ import annotations

import asyncio
import fnmatch
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import msgspec
import pytest
from compose import Compose
from parts import COMPOSE, DEPLOY, SECRETS, Broker

from seal_tracker.app import running
from seal_tracker.config import Settings, load_settings
from seal_tracker.embedded.credentials import make
from seal_tracker.embedded.nats import ACK_WAIT_S, MAX_ACK_PENDING, MAX_PAYLOAD_BYTES
from seal_tracker.web.account_files import hash_accounts
from simulators.demo import write_plan

PROJECT = COMPOSE.parent
MOSQUITTO = DEPLOY / "docker-compose.mosquitto.yml"
SHAPES = {"nats": [COMPOSE], "mosquitto": [COMPOSE, MOSQUITTO]}


@pytest.mark.parametrize("file", [COMPOSE, MOSQUITTO], ids=lambda file: file.name)
def test_compose_file_follows_the_compose_schema(file: Path) -> None:
    """No daemon need be there to find a misspelt key."""
    subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(file)],
        check=True,
    )


@pytest.mark.parametrize("shape", SHAPES)
def test_what_compose_mounts_exists(shape: str) -> None:
    """A mount whose source is missing becomes an empty folder without a word."""
    compose = Compose(SHAPES[shape], SECRETS)
    mounts = [
        mount for name in compose.content["services"] for mount in compose.service(name).get("volumes", [])
    ]
    sources = [mount.split(":")[0] for mount in mounts if isinstance(mount, str)]
    assert len(sources) >= 5
    made_on_the_machine = [mount for mount in mounts if not isinstance(mount, str)]
    assert {mount["source"] for mount in made_on_the_machine} == {
        "./deploy/plan",
        "./deploy/secrets/accounts.json",
    }
    assert not any(mount["bind"]["create_host_path"] for mount in made_on_the_machine)
    for source in sources:
        assert (
            (PROJECT / source).exists() if source.startswith(".") else source in compose.content["volumes"]
        ), source


@pytest.mark.parametrize("shape", SHAPES)
def test_no_container_runs_as_root_with_rights_it_does_not_need(shape: str) -> None:
    """All but the one that hands a new volume to the broker: it has no network and one capability."""
    compose = Compose(SHAPES[shape], SECRETS)
    for name in compose.content["services"]:
        service = compose.service(name)
        assert service["cap_drop"] == ["ALL"], name
        if name == "broker-store-owner":
            assert (service["network_mode"], service["cap_add"]) == ("none", ["CHOWN"])
            continue
        assert service["read_only"] is True, name
        assert service.get("user", "from the image") not in {"root", "0", "0:0"}, name
    assert re.search(r"^USER 1000:1000$", (PROJECT / "Dockerfile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("shape", SHAPES)
def test_whoever_is_waited_for_has_a_health_check(shape: str) -> None:
    """depends_on with service_healthy waits for ever for one that has none."""
    services = Compose(SHAPES[shape], SECRETS).content["services"]
    in_image = "HEALTHCHECK" in (PROJECT / "Dockerfile").read_text()
    for service in services.values():
        for other, how in service.get("depends_on", {}).items():
            if how["condition"] == "service_healthy":
                assert "healthcheck" in services[other] or ("build" in services[other] and in_image), other


@pytest.mark.parametrize("name", sorted(SECRETS))
def test_nothing_starts_without_its_secrets(name: str) -> None:
    """A default password would be everybody's."""
    for files in SHAPES.values():
        compose = Compose(files, {key: value for key, value in SECRETS.items() if key != name})
        with pytest.raises(KeyError, match=name):
            _ = [compose.service(service) for service in compose.content["services"]]


def test_ports_are_published_on_loopback_until_told_otherwise() -> None:
    """Neither the page nor the broker speaks TLS until told to."""
    compose = Compose([COMPOSE], SECRETS)
    published = [
        port for name in compose.content["services"] for port in compose.service(name).get("ports", [])
    ]
    assert sorted(published) == ["127.0.0.1:1883:1883", "127.0.0.1:8080:8080"]


def test_production_nats_differs_from_the_embedded_one_only_where_it_should() -> None:
    """Batches and redelivery must behave alike; syncing must not."""
    config = (DEPLOY / "nats" / "nats.conf").read_text()
    assert f"max_ack_pending: {MAX_ACK_PENDING}\n" in config
    assert f'ack_wait: "{ACK_WAIT_S}s"\n' in config
    assert f"max_payload: {MAX_PAYLOAD_BYTES}\n" in config
    assert "sync_interval: always\n" in config


def test_the_image_is_given_what_pip_needs_and_no_more() -> None:
    """A file the build names must not be kept out by .dockerignore, and no secret may get in."""
    rules = [
        rule
        for rule in (PROJECT / ".dockerignore").read_text().split("\n")
        if rule and not rule.startswith("#")
    ]

    def sent(path: str) -> bool:
        kept = True
        for rule in rules:
            pattern = rule.removeprefix("!")
            if any(fnmatch.fnmatch(part, pattern) for part in (path, path.partition("/")[0])):
                kept = rule.startswith("!")
        return kept

    for path in (
        "pyproject.toml",
        "README.md",
        "LICENSE",
        "hatch_build.py",
        "seal_tracker/model.py",
        "simulators/wire.py",
    ):
        assert sent(path), path
    for path in (
        ".env",
        "deploy/secrets/credentials.json",
        ".git/config",
        ".venv/bin/python",
        "tests/conftest.py",
    ):
        assert not sent(path), path


def test_make_secrets_writes_secrets_that_compose_takes_and_overwrites_none(tmp_path: Path) -> None:
    """Random each time, safe where they stand, in files that only their owner reads; hashes for the service."""
    (tmp_path / "deploy").mkdir()
    tool = shutil.copy(DEPLOY / "make-secrets", tmp_path / "deploy")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(PROJECT), *sys.path])}
    subprocess.run([sys.executable, tool], check=True, env=environment)
    dotenv = tmp_path / ".env"
    values = dict(line.split("=", 1) for line in dotenv.read_text().splitlines() if not line.startswith("#"))
    assert set(SECRETS) <= set(values)
    assert all(re.fullmatch(r"[A-Za-z][A-Za-z0-9]+", value) for value in values.values())
    handed_out = tmp_path / "deploy" / "secrets" / "credentials.json"
    assert {stat.S_IMODE(path.stat().st_mode) for path in (dotenv, handed_out)} == {0o600}
    accounts = (tmp_path / "deploy" / "secrets" / "accounts.json").read_text()
    for account in json.loads(handed_out.read_text()).values():
        assert account["password"] not in accounts
        assert account["token"] not in accounts
    before = dotenv.read_text()
    again = subprocess.run(
        [sys.executable, tool], check=False, env=environment, capture_output=True, text=True
    )
    assert (again.returncode, dotenv.read_text()) == (1, before)
    assert "left alone" in again.stderr


@pytest.mark.parametrize("shape", SHAPES)
async def test_the_service_as_compose_configures_it_stores_a_gateways_ping(
    shape: str,
    production_database: str,
    open_folder: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every setting is one that the service knows; broker, database and service meet, and the health check agrees."""
    fixture = "production_nats_broker" if shape == "nats" else "mosquitto_broker"
    broker: Broker = request.getfixturevalue(fixture)
    settings = settings_of_compose(shape, production_database, broker, open_folder, monkeypatch)
    seal = f"VN.{shape}:1"
    ping = {"time": datetime.now(UTC).isoformat(), "lon": 106.68, "lat": 20.86, "valid": True}
    async with running(settings) as ready:
        healthy = await asyncio.to_thread(subprocess.run, health_check(ready.http), check=False)
        assert healthy.returncode == 0
        assert settings.database_dsn is not None
        connection = await asyncpg.connect(settings.database_dsn.get_secret_value())
        try:
            with broker.client("gateway") as gateway:
                for _ in range(
                    300
                ):  # what is published before the service first subscribed has no one to wait for
                    gateway.publish(f"eseal/v1/{settings.tenant}/dev/{seal}/ping", json.dumps(ping))
                    await asyncio.sleep(0.2)
                    if await connection.fetchval(STORED, seal):
                        break
            assert await connection.fetchval(STORED, seal) == 1
        finally:
            await connection.close()


STORED = "SELECT count(*) FROM pings JOIN seals ON seals.id = pings.seal WHERE seals.name = $1"


def settings_of_compose(
    shape: str, database: str, broker: Broker, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    """The service's settings by the environment that compose gives it; only addresses and folders are this machine's."""
    service = Compose(SHAPES[shape], SECRETS).service("service")
    write_plan(folder / "plan", now_s=time.time(), seals=2, seed=1)
    people = {name: msgspec.to_builtins(account) for name, account in make().accounts().items()}
    (folder / "accounts.json").write_bytes(hash_accounts(people))
    here = {
        "SEAL_TRACKER_DATABASE_DSN": service["environment"]["SEAL_TRACKER_DATABASE_DSN"].replace(
            "database:5432", database
        ),
        "SEAL_TRACKER_MQTT_HOST": broker.host,
        "SEAL_TRACKER_MQTT_PORT": str(broker.port),
        "SEAL_TRACKER_HTTP": "127.0.0.1:0",
        "SEAL_TRACKER_PLAN": str(folder / "plan"),
        "SEAL_TRACKER_ACCOUNTS_FILE": str(folder / "accounts.json"),
        "SEAL_TRACKER_LEDGER_KEY_FILE": str(folder / "ledger.key"),
        "SEAL_TRACKER_BROKER_LOG": str(folder / "broker.log"),
        "SEAL_TRACKER_INSTANCE": f"test-{shape}",
    }
    if shape == "mosquitto":
        here["SEAL_TRACKER_MOSQUITTO_SEALS_FILE"] = str(folder / "seals")
    for name, value in {**service["environment"], **here}.items():
        monkeypatch.setenv(name, value)
    return load_settings()


def health_check(url: str) -> list[str]:
    """The image's health check, asked of a service at another address."""
    text = re.sub(r"\\\n", "", (PROJECT / "Dockerfile").read_text())
    found = re.search(r"^HEALTHCHECK .*CMD (\[.*\])$", text, re.MULTILINE)
    assert found
    _python, *rest = json.loads(found.group(1))
    assert "http://127.0.0.1:8080/" in rest[-1]
    return [sys.executable, *(word.replace("http://127.0.0.1:8080/", url.rstrip("/") + "/") for word in rest)]


async def test_production_database_lets_the_service_in_by_the_address_it_is_given(
    production_database: str,
) -> None:
    """The service's own DSN, its host aside; the role owns its database and is no superuser."""
    dsn = Compose([COMPOSE], SECRETS).service("service")["environment"]["SEAL_TRACKER_DATABASE_DSN"]
    connection = await asyncpg.connect(dsn.replace("database:5432", production_database))
    try:
        assert await connection.fetchval("SELECT current_setting('is_superuser')") == "off"
        await connection.execute("CREATE TABLE proof (n int)")
        settings = dict(
            await connection.fetch("SELECT name, setting FROM pg_settings WHERE setting <> boot_val")
        )
        assert settings["jit"] == "off"
        for name in ("fsync", "synchronous_commit", "full_page_writes", "data_checksums"):
            assert await connection.fetchval("SELECT current_setting($1)", name) == "on", name
    finally:
        await connection.close()


@pytest.mark.parametrize("password", [None, "", "postgres", "wrong"])
async def test_production_database_lets_no_stranger_in(
    production_database: str, password: str | None
) -> None:
    """No trust, not even from the machine itself."""
    host, port = production_database.split(":")
    for username in ("postgres", "seal_tracker"):
        with pytest.raises((asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError)):
            await asyncpg.connect(
                host=host, port=int(port), user=username, password=password, database="postgres"
            )
