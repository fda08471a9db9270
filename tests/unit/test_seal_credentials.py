"""Seals' accounts: what the broker is answered, what its files say, and what its log tells."""

import base64
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import nkeys
import pytest

from seal_tracker.credentials.callout import Issuer, new_seed, public_key
from seal_tracker.credentials.passwords import digest, matches, mosquitto_file, mosquitto_hash, new_password
from seal_tracker.credentials.refused import BrokerLog, refused_in
from seal_tracker.credentials.rows import CredentialRow

SEED = new_seed(bytes(range(32)))
NATS_LINE = b'[1] 2026/11/26 08:13:17 [ERR] 127.0.0.1:5 - mid:27 - "S-1" - Publish Violation - Subject "eseal.v1.t.dev.B.ping"\n'
MOSQUITTO_LINE = b"1795: Denied PUBLISH from S-2 (d0, q1, r0, m1, 'eseal/v1/t/dev/B/ping', ... (6 bytes))\n"


def row(seal: str, password: str, revoked_ms: int | None = None) -> CredentialRow:
    return CredentialRow(seal, digest(password), mosquitto_hash(password), 1, 0, 0, revoked_ms)


def question(user: str, password: str) -> bytes:
    claims = {
        "user_nkey": "UABC",
        "server_id": {"id": "NSERVER"},
        "connect_opts": {"user": user, "pass": password},
    }
    body = base64.urlsafe_b64encode(json.dumps({"nats": claims}).encode()).rstrip(b"=")
    return b"head." + body + b".signature"


def claims_of(token: str) -> dict[str, Any]:
    head, body, signature = (part + "=" * (-len(part) % 4) for part in token.split("."))
    assert json.loads(base64.urlsafe_b64decode(head))["alg"] == "ed25519-nkey"
    signed = token.rpartition(".")[0].encode()
    nkeys.from_seed(SEED.encode()).verify(signed, base64.urlsafe_b64decode(signature))
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body))
    return claims


def answer(user: str, password: str, *, commands: bool = False) -> dict[str, Any]:
    issuer = Issuer(SEED, "demo", lambda name, word: (name, word) == ("S.1", "good"), commands=commands)
    return claims_of(issuer.answer(question(user, password), 1_800_000_000)[0].decode())


def test_a_seal_may_publish_under_its_own_id_alone() -> None:
    """Live and in exercises, and read nothing; both tokens are signed by the key that the broker knows."""
    told = answer("S.1", "good")
    assert (told["aud"], told["sub"], told["iss"]) == ("NSERVER", "UABC", public_key(SEED))
    user = claims_of(told["nats"]["jwt"])
    assert (user["aud"], user["sub"], user["name"]) == ("$G", "UABC", "S.1")
    assert user["nats"]["pub"]["allow"] == ["eseal.v1.demo.dev.S//1.>", "eseal-exercise.v1.demo.*.dev.S//1.>"]
    assert user["nats"]["sub"] == {"deny": [">"]}


def test_where_there_are_commands_a_seal_reads_its_own_and_nothing_else() -> None:
    """Live alone: behind an exercise's names stand real seals."""
    user = claims_of(answer("S.1", "good", commands=True)["nats"]["jwt"])
    assert user["nats"]["sub"] == {"allow": ["eseal.v1.demo.cmd.S//1"]}


@pytest.mark.parametrize(("user", "password"), [("S.1", "bad"), ("S-2", "good"), ("", ""), ("S.1", "")])
def test_others_are_told_no_more_than_that_they_may_not(user: str, password: str) -> None:
    said = answer(user, password)["nats"]
    assert "jwt" not in said
    assert said["error"] == "unknown account, or a wrong password"


@pytest.mark.parametrize("garbage", [b"", b"a.b.c", b"a", b"a.e30.c", b"a.eyJuYXRzIjp7fX0.c"])
def test_what_no_broker_asks_is_refused(garbage: bytes) -> None:
    with pytest.raises(ValueError, match="not a"):
        Issuer(SEED, "demo", lambda _name, _word: True).answer(garbage, 0)


def test_a_password_taken_back_no_longer_matches() -> None:
    password = new_password()
    assert matches(row("S-1", password), password)
    assert not matches(row("S-1", password), password + "x")
    assert not matches(row("S-1", password, revoked_ms=5), password)


def test_mosquittos_file_has_those_that_hold_in_order() -> None:
    text = mosquitto_file([row("S-2", "b"), row("S-1", "a"), row("S-3", "c", revoked_ms=1)])
    assert [line.partition(":")[0] for line in text.splitlines()] == ["S-1", "S-2"]


@pytest.mark.skipif(shutil.which("mosquitto_passwd") is None, reason="mosquitto_passwd is not installed")
def test_our_hash_is_what_mosquitto_itself_writes(tmp_path: Path) -> None:
    """Its own file's salt gives its own hash."""
    path = tmp_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-c", "-b", path, "S-1", "secret"], check=True, capture_output=True)
    line = path.read_text().strip().partition(":")[2]
    assert mosquitto_hash("secret", base64.b64decode(line.split("$")[3])) == line


def test_refusals_are_found_in_the_logs_of_both_brokers() -> None:
    assert refused_in(NATS_LINE + b"something else\n" + MOSQUITTO_LINE) == ["S-1", "S-2"]


def test_a_log_is_read_on_line_by_line_and_anew_when_it_was_cut(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(NATS_LINE)
    log = BrokerLog(path, lambda _: None)
    assert log.more() == b""  # what was there before we came is not ours to count
    with path.open("ab") as file:
        file.write(NATS_LINE + MOSQUITTO_LINE[:10])
    assert log.more() == NATS_LINE
    with path.open("ab") as file:
        file.write(MOSQUITTO_LINE[10:])
    assert log.more() == MOSQUITTO_LINE
    path.write_bytes(NATS_LINE)
    assert log.more() == NATS_LINE
    path.unlink()
    assert log.more() == b""
