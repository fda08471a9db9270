"""A simulated seal is told what to do over the real broker, by two supervisors over HTTP, and does it; every step is told afterwards."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.cookiejar import CookieJar
from typing import Any

import pytest
from described import assert_message_described
from parts import wait_until
from running import Running

SEAL, JOURNEY, SECOND = "OBEYS-1", "J-OBEYS", "second-supervisor"
PASSWORD = "thuyền trăng sông núi"
MAIN = "from simulators.cli import main; main()"


def in_an_hour() -> str:
    return (datetime.now(UTC) + timedelta(hours=1)).isoformat()


@pytest.fixture(scope="module")
def second(service: Running) -> str:
    """Another supervisor than the service's own, by a token that they have made themselves."""
    wanted = {"username": SECOND, "role": "supervisor", "password": PASSWORD}
    assert service.ask("POST", "/api/v1/accounts", wanted).status == 201
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    csrf = ""

    def send(method: str, path: str, body: Any) -> Any:
        url = service.ready["http"].rstrip("/") + "/api/v1" + path
        headers = {"Content-Type": "application/json", "X-CSRF-Token": csrf}
        request = urllib.request.Request(url, json.dumps(body).encode(), headers, method=method)
        with browser.open(request, timeout=30) as answer:
            return json.loads(answer.read())

    csrf = send("POST", "/session", {"username": SECOND, "password": PASSWORD})["csrf"]
    change = {"current": PASSWORD, "new": PASSWORD + "!"}
    csrf = send("PUT", "/accounts/me/password", change)["csrf"]
    token = {"name": "a test", "scopes": ["read", "command"], "expires_at": in_an_hour()}
    service.ready["accounts"][SECOND] = {"token": send("POST", "/tokens", token)["secret"]}
    return SECOND


@contextmanager
def obeying(service: Running) -> Iterator[subprocess.Popen[str]]:
    """The seal in the port, which reports each second and keeps to that."""
    given = service.ask("POST", f"/api/v1/seals/{SEAL}/account")
    assert given.status == 201, given.body
    words = f"obey --seal {SEAL} --lon 106.68 --lat 20.86 --interval 1 --refuse interval=not_supported --tenant {service.tenant}"
    command = [sys.executable, "-c", MAIN, *words.split(), "--port", str(service.ready["mqtt"]["port"])]
    secret = {"SEAL_SIM_PASSWORD": given.json()["password"]}
    process = subprocess.Popen(command, env=secret, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


def seen(service: Running) -> dict[str, Any]:
    """The seal as it is listed; nothing before it was heard."""
    seals: list[dict[str, Any]] = service.get("/api/v1/seals?limit=1000")["items"]
    return next((seal for seal in seals if seal["seal"] == SEAL), {})


def asked(service: Running, kind: str, **more: Any) -> dict[str, Any]:
    """A command that the service's own supervisor has asked for."""
    body = {"seal": SEAL, "kind": kind, "reason": "arrived at the port", **more}
    reply = service.ask("POST", "/api/v1/commands", body, "supervisor")
    assert reply.status == 201, reply.body
    found: dict[str, Any] = reply.json()
    return found


def approve(service: Running, command: dict[str, Any], by: str) -> tuple[int, dict[str, Any]]:
    path = f"/api/v1/commands/{command['id']}/approve"
    reply = service.ask("POST", path, {}, by, If_Match=f'"{command["version"]}"')
    return reply.status, reply.json()


def ended(service: Running, command: dict[str, Any]) -> dict[str, Any]:
    """The command once the seal has answered."""
    found: dict[str, Any] = {}

    def over() -> bool:
        found.update(service.get(f"/api/v1/commands/{command['id']}", "auditor"))
        return found["ended_at"] is not None

    wait_until(over, what=f"an end of {command}")
    return found


def watched(service: Running) -> dict[str, str]:
    """How commands to the seal stand, by kind, as the stream says it to who begins to watch now."""
    token = service.ready["accounts"]["operator"]["token"]
    request = urllib.request.Request(
        f"{service.ready['http']}/api/v1/stream", headers={"Authorization": f"Bearer {token}"}
    )
    with urllib.request.urlopen(request, timeout=30) as stream:
        while stream.readline() != b"event: command\n":
            pass
        items = json.loads(stream.readline().removeprefix(b"data: "))["items"]
    return {item["kind"]: item["state"] for item in items if item["seal"] == SEAL}


def test_a_seal_does_what_two_supervisors_tell_it(service: Running, second: str) -> None:
    """It tells where it is, refuses what it cannot, and unlocks where it has leave; who did what stands in each command's steps."""
    journey = {"id": JOURNEY, "regime": "transit", "seal": SEAL, "destination_zone": "port"}
    journey |= {"armed_at": datetime.now(UTC).isoformat()}
    assert service.ask("POST", "/api/v1/journeys", journey, "supervisor").status == 201
    with obeying(service) as process:
        wait_until(lambda: seen(service).get("lock") == "closed", what="the seal is heard")
        command = asked(service, "position")
        status, problem = approve(service, command, "supervisor")
        assert (status, "nobody approves their own" in problem["detail"]) == (409, True)
        assert approve(service, command, second)[0] == 200
        done = ended(service, command)
        assert (done["state"], done["approved_by"], done["journey"]) == ("acknowledged", second, JOURNEY)
        assert [(step["step"], step["by"]) for step in reversed(done["history"])] == [
            ("requested", "supervisor"), ("approved", second), ("sent", "system"), ("acknowledged", SEAL),
        ]  # fmt: skip
        command = asked(service, "interval", interval_s=600)
        approve(service, command, second)
        refused = ended(service, command)
        assert (refused["state"], refused["why"]) == ("refused", "not_supported")
        command = asked(service, "unlock")
        status, problem = approve(service, command, second)
        assert (status, "has no leave to unlock" in problem["detail"]) == (409, True), problem
        leave = service.ask(
            "POST", f"/api/v1/journeys/{JOURNEY}/authorise", {"to": in_an_hour()}, "supervisor", If_Match="*"
        )
        assert leave.status == 200, leave.body
        assert approve(service, command, second)[0] == 200
        assert ended(service, command)["state"] == "acknowledged"
        wait_until(lambda: seen(service)["lock"] == "open", what="the seal says that it is open")
    assert watched(service) == {"position": "acknowledged", "interval": "refused", "unlock": "acknowledged"}
    assert process.stdout is not None
    told = [line.removeprefix("told ") for line in process.stdout if line.startswith("told ")]
    assert [json.loads(line)["kind"] for line in told] == ["position", "interval", "unlock"]
    for line in told:
        assert_message_described(f"eseal/v1/{service.tenant}/cmd/{SEAL}", line.encode())
    assert [e["type"] for e in service.episodes() if e["journey"] == JOURNEY] == []
    for verb, body in (("disarm", {}), ("close", {"code": "completed", "note": "a test"})):
        assert (
            service.ask("POST", f"/api/v1/journeys/{JOURNEY}/{verb}", body, "supervisor", If_Match="*").status
            == 200
        )
