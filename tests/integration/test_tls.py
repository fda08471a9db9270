"""TLS at both doors, and the first start of a production set-up, which is where both meet."""

from __future__ import annotations

import re
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest
from certificates import Authority
from described import described_session
from parts import PROGRAMS, answers, container_user, wait_until

from seal_tracker.app import running
from seal_tracker.config import ConfigError, Settings, load_settings
from seal_tracker.embedded.ports import choose_port
from seal_tracker.tls import broker_context, server_context

MOSQUITTO = """
listener {port} 127.0.0.1
cafile {folder}/ca.crt
certfile {folder}/broker.crt
keyfile {folder}/broker.key
require_certificate true
allow_anonymous true
max_inflight_messages 8000
"""

NATS = """
server_name: tls
listen: "127.0.0.1:-1"
jetstream {{ store_dir: "{folder}/store" }}
mqtt {{
  listen: "127.0.0.1:{port}"
  tls {{ ca_file: "{folder}/ca.crt", cert_file: "{folder}/broker.crt", key_file: "{folder}/broker.key", verify: true }}
}}
"""


@pytest.fixture(scope="module")
def authority(session_folder: Path) -> Authority:
    """Its folder may be entered by the user that the brokers run as."""
    folder = session_folder / "tls"
    folder.mkdir()
    made = Authority(folder)
    for name in ("broker", "service", "web"):
        made.sign(name)
    return made


@pytest.fixture(scope="module", params=["mosquitto", "nats"])
def tls_port(request: pytest.FixtureRequest, authority: Authority) -> Iterator[int]:
    """Port of a broker that speaks TLS alone, and lets in who has a certificate of the authority."""
    program = {"mosquitto": "mosquitto", "nats": "nats-server"}[request.param]
    found = shutil.which(program, path=PROGRAMS)
    if found is None:
        pytest.skip(f"{program} is not installed")
    port, folder = choose_port(), authority.folder
    config = folder / f"{request.param}.conf"
    text = {"mosquitto": MOSQUITTO, "nats": NATS}[request.param]
    config.write_text(text.format(port=port, folder=folder))
    with (folder / f"{request.param}.log").open("wb") as log:
        broker = subprocess.Popen(
            [found, "-c", config], stdout=log, stderr=log, cwd="/", **container_user(folder)
        )
    wait_until(lambda: answers(port), what=f"{program}, see {log.name}")
    yield port
    broker.terminate()
    broker.wait(60)


def settings_of(folder: Path, port: int, dsn: str = "postgresql://nobody", **more: object) -> Settings:
    """Of a service that meets everything by TLS."""
    return load_settings(
        database_dsn=dsn,
        mqtt_host="127.0.0.1",
        mqtt_port=port,
        mqtt_tls=True,
        mqtt_ca_file=folder / "ca.crt",
        mqtt_certificate=folder / "service.crt",
        mqtt_key=folder / "service.key",
        http="127.0.0.1:0",
        https_certificate=folder / "web.crt",
        https_key=folder / "web.key",
        ledger_key_file=folder / "ledger.key",
        **more,
    )


async def test_a_first_start_by_tls_alone(
    authority: Authority, tls_port: int, postgres_dsn: str, capsys: pytest.CaptureFixture[str]
):
    """The broker is met by certificates, the page by HTTPS; a new database's administrator is told once, and must change."""
    settings = settings_of(authority.folder, tls_port, postgres_dsn)
    trusting = ssl.create_default_context(cafile=authority.file)
    async with running(settings) as ready:
        assert ready.http.startswith("https://127.0.0.1:")
        told = capsys.readouterr()
        (password,) = re.findall(r"one-time password {3}(\S+)", told.out)
        assert password not in told.err
        async with described_session(cookie_jar=aiohttp.CookieJar(unsafe=True)) as client:
            body = {"username": "administrator", "password": password}
            async with client.post(f"{ready.http}/api/v1/session", json=body, ssl=trusting) as answer:
                assert (answer.status, (await answer.json())["must_change_password"]) == (200, True)
                assert answer.headers["Set-Cookie"].startswith("__Host-seal-tracker=")
                assert "Secure" in answer.headers["Set-Cookie"]
            async with client.get(f"{ready.http}/readyz", ssl=trusting) as answer:
                assert {c["name"]: c["ok"] for c in (await answer.json())["checks"]}["broker_in"]
            with pytest.raises(aiohttp.ClientConnectorCertificateError):
                await client.get(f"{ready.http}/healthz")
            with pytest.raises(aiohttp.ClientError):
                await client.get(ready.http.replace("https", "http"))
    async with running(settings):
        assert "password" not in capsys.readouterr().out


def test_without_settings_there_is_no_tls():
    """Neither at the one door nor at the other."""
    assert server_context(Settings()) is None
    assert broker_context(Settings()) is None
    assert broker_context(Settings(mqtt_tls=True)) is not None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"https_key": None}, "SEAL_TRACKER_HTTPS_KEY: not set, but SEAL_TRACKER_HTTPS_CERTIFICATE={folder}/web.crt is"),
        ({"https_certificate": None}, "SEAL_TRACKER_HTTPS_CERTIFICATE: not set, but SEAL_TRACKER_HTTPS_KEY="),
        ({"https_key": "none.key"}, "SEAL_TRACKER_HTTPS_KEY={folder}/none.key: No such file or directory"),
        ({"https_key": "broker.key"}, "HTTPS_CERTIFICATE={folder}/web.crt and SEAL_TRACKER_HTTPS_KEY={folder}/broker.key"),
        ({"https_certificate": "web.key"}, "SEAL_TRACKER_HTTPS_CERTIFICATE={folder}/web.key"),
        ({"https_certificate": "locked.crt", "https_key": "locked.key"}, "{folder}/locked.key: it is encrypted"),
        ({"mqtt_tls": False}, "SEAL_TRACKER_MQTT_CA_FILE={folder}/ca.crt: set, but SEAL_TRACKER_MQTT_TLS is not"),
        ({"mqtt_ca_file": "web.key"}, "SEAL_TRACKER_MQTT_CA_FILE={folder}/web.key: not certificates in PEM"),
        ({"mqtt_ca_file": "none.crt"}, "SEAL_TRACKER_MQTT_CA_FILE={folder}/none.crt: No such file"),
        ({"mqtt_key": None}, "SEAL_TRACKER_MQTT_KEY: not set, but SEAL_TRACKER_MQTT_CERTIFICATE="),
        ({"mqtt_certificate": "broker.crt"}, "SEAL_TRACKER_MQTT_CERTIFICATE={folder}/broker.crt and"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_named_with_its_setting(
    authority: Authority, changes: dict[str, object], said: str
):
    """And its value; nothing is asked on a terminal."""
    folder = authority.folder
    authority.sign("locked", b"a password")
    given = {name: folder / value if isinstance(value, str) else value for name, value in changes.items()}
    settings = settings_of(folder, 1).model_copy(update=given)
    with pytest.raises(ConfigError, match=re.escape(said.format(folder=folder))):
        _ = server_context(settings), broker_context(settings)
