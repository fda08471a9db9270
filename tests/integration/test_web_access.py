"""Signing in, sessions, tokens, and who may do what."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
import structlog
from described import described_session
from prometheus_client import REGISTRY
from web_support import CREDENTIALS, ROLES, World, assert_problem, plan_files, restarted

from seal_tracker.web.account_changes import Change
from seal_tracker.web.accounts import RIGHTS
from seal_tracker.web.app import ROUTES
from seal_tracker.web.auth import Open

pytest_plugins = ["web_fixtures"]

READERS = [role for role in ROLES if role != "gateway"]


def sign_in_body(role: str, **changes: str) -> dict[str, str]:
    return {"username": role, "password": CREDENTIALS[role]["password"], **changes}


async def signed_in(world: World, role: str = "operator") -> str:
    """Sign in with the world's client; its cookie stays there. The csrf token."""
    answer = await world.raw("/api/v1/session", "POST", json=sign_in_body(role))
    assert answer.status == 200, answer.body
    return answer.json()["csrf"]


async def test_each_role_signs_in_and_reads_with_its_cookie(world: World):
    """Every role but the gateway's."""
    for role in READERS:
        answer = await world.raw("/api/v1/session", "POST", json=sign_in_body(role))
        said = answer.json()
        assert (said["username"], said["role"], said["unit"], said["must_change_password"]) == (
            role,
            role,
            None,
            False,
        )
        assert said["rights"] == sorted(RIGHTS[role])
        assert (await world.raw("/api/v1/session")).json() == answer.json()
        assert (await world.raw("/api/v1/stats")).status == 200


async def test_the_cookie_is_kept_from_scripts_and_from_other_sites(world: World):
    """HttpOnly, SameSite=Strict, and only its hash is stored."""
    answer = await world.raw("/api/v1/session", "POST", json=sign_in_body("operator"))
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "Path=/" in cookie
    assert "Secure" not in cookie
    assert answer.headers["Cache-Control"] == "no-store"


async def test_with_tls_the_cookie_is_secure_and_bound_to_its_host(world: World):
    """The prefix makes browsers hold it to this host."""
    server = await restarted(world, config=replace(world.context.config, tls=True))
    async with world.client.post(server.url + "/api/v1/session", json=sign_in_body("operator")) as answer:
        assert answer.headers["Set-Cookie"].startswith("__Host-seal-tracker=")
        assert "Secure" in answer.headers["Set-Cookie"]
        assert "Strict-Transport-Security" in answer.headers
    await server.close()


@pytest.mark.parametrize(
    "changes",
    [
        {"password": "wrong"},
        {"username": "nobody"},
        {"username": "operator\0"},
        {"password": "operator's password\n"},
    ],
)
async def test_a_wrong_name_or_password_is_refused_in_the_same_words(world: World, changes: dict[str, str]):
    """Whether the name exists is not told; the refusal is logged, the password is not."""
    with structlog.testing.capture_logs() as logs:
        answer = await world.raw("/api/v1/session", "POST", json=sign_in_body("operator", **changes))
    assert_problem(answer, 401, "password")
    assert answer.json()["detail"] == "name or password is wrong"
    assert "Set-Cookie" not in answer.headers
    refusals = [entry for entry in logs if entry["event"] == "sign_in_refused"]
    assert len(refusals) == 1
    assert "password" not in str(refusals[0]).replace("name or password is wrong", "")


async def test_after_too_many_failures_even_the_right_password_waits(world: World):
    """429 with Retry-After."""
    for _ in range(3):
        await world.raw("/api/v1/session", "POST", json=sign_in_body("operator", password="x"))
    answer = await world.raw("/api/v1/session", "POST", json=sign_in_body("operator"))
    assert_problem(answer, 429)
    assert 0 < int(answer.headers["Retry-After"]) <= 60
    assert (await world.raw("/api/v1/session", "POST", json=sign_in_body("auditor"))).status == 200


async def test_behind_a_proxy_each_client_is_counted_for_itself(world: World):
    """One who guesses does not lock out all whom the proxy serves; without a proxy the header is nobody's word."""
    server = await restarted(world, config=replace(world.context.config, proxied=True))
    for address, expected in (("203.0.113.9", 429), ("203.0.113.10", 200)):
        headers = {"X-Forwarded-For": address}
        for _ in range(3 if expected == 429 else 0):
            wrong = sign_in_body("operator", password="x")
            await world.client.post(server.url + "/api/v1/session", json=wrong, headers=headers)
        url, body = server.url + "/api/v1/session", sign_in_body("operator")
        async with world.client.post(url, json=body, headers=headers) as answer:
            assert answer.status == expected
    await server.close()
    for number in range(3):
        headers = {"X-Forwarded-For": f"203.0.113.{number}"}
        body = sign_in_body("auditor", password="x")
        await world.raw("/api/v1/session", "POST", json=body, headers=headers)
    assert_problem(await world.raw("/api/v1/session", "POST", json=sign_in_body("auditor")), 429)


async def test_sign_ins_and_refusals_are_counted(world: World):
    """By what became of them, for who watches the service."""

    def counted() -> dict[str, float]:
        names = {
            "signed_in": ("seal_tracker_sign_ins_total", {"outcome": "signed_in"}),
            "wrong": ("seal_tracker_sign_ins_total", {"outcome": "not-signed-in"}),
            "locked": ("seal_tracker_sign_ins_total", {"outcome": "too-many-attempts"}),
            "forbidden": ("seal_tracker_refusals_total", {"status": "403"}),
            "unknown": ("seal_tracker_refusals_total", {"status": "401"}),
        }
        return {name: REGISTRY.get_sample_value(*sample) or 0.0 for name, sample in names.items()}

    before = counted()
    await signed_in(world, "auditor")
    for _ in range(4):
        await world.raw("/api/v1/session", "POST", json=sign_in_body("operator", password="x"))
    await world.ask("/api/v1/spaces", "operator", "POST", json={})
    await world.raw("/api/v1/stats", headers={"Authorization": "Bearer none"})
    after = counted()
    assert {name: after[name] - before[name] for name in after} == {
        "signed_in": 1.0,
        "wrong": 3.0,
        "locked": 1.0,
        "forbidden": 1.0,
        "unknown": 1.0,
    }


async def test_a_gateway_may_do_nothing_here(world: World):
    """Its account is for MQTT."""
    assert_problem(await world.raw("/api/v1/session", "POST", json=sign_in_body("gateway")), 403)
    assert_problem(await world.ask("/api/v1/stats", "gateway"), 403)


async def test_another_site_cannot_sign_somebody_in(world: World):
    """What the browser says of the request's origin is heard."""
    headers = {"Sec-Fetch-Site": "cross-site"}
    answer = await world.raw("/api/v1/session", "POST", json=sign_in_body("operator"), headers=headers)
    assert_problem(answer, 403)


async def test_nothing_but_the_open_routes_answers_without_signing_in(world: World):
    """Every route of the table; a 401 says how to sign in."""
    for method, path, right in ((r.method, r.path, r.right) for r in ROUTES):
        if right is Open.TO_ALL:
            continue
        answer = await world.raw(re.sub(r"{[^}]*}", "X", path), method)
        assert_problem(answer, 401)
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


async def test_a_token_that_is_none_is_refused(world: World):
    """And a cookie beside it does not help."""
    for authorization in (
        "Bearer",
        "Bearer ",
        "Bearer x",
        "Basic b3BlcmF0b3I6eA==",
        "token-of-operator",
        "Bearer token-of-operator x",
        "\u00ff",
    ):
        await signed_in(world)
        assert_problem(await world.raw("/api/v1/stats", headers={"Authorization": authorization}), 401)


async def test_a_refusal_is_logged_with_who_and_what(world: World):
    """Every one."""
    with structlog.testing.capture_logs() as logs:
        await world.ask("/api/v1/spaces", "operator", "POST", json={})
    (entry,) = [entry for entry in logs if entry["event"] == "access_refused"]
    assert (entry["status"], entry["path"], entry["method"]) == (403, "/api/v1/spaces", "POST")


async def test_an_unsafe_request_by_cookie_needs_the_csrf_token(world: World):
    """Which another site does not know."""
    csrf = await signed_in(world, "administrator")
    body = {"space": "ex-1", "files": plan_files()}
    for headers in ({}, {"X-CSRF-Token": ""}, {"X-CSRF-Token": "x" * len(csrf)}, {"X-CSRF-Token": "\u00ff"}):
        assert_problem(
            await world.raw("/api/v1/spaces", "POST", json=body, headers=headers), 403, "X-CSRF-Token"
        )
    answer = await world.raw("/api/v1/spaces", "POST", json=body, headers={"X-CSRF-Token": csrf})
    assert answer.status == 201


async def test_signing_in_again_ends_the_session_before(world: World):
    """A copy of its cookie opens nothing, nor does a cookie that somebody else has set become a session."""
    await signed_in(world)
    (first,) = [cookie.value for cookie in world.client.cookie_jar if cookie.key == "seal-tracker"]
    await signed_in(world, "auditor")
    (second,) = [cookie.value for cookie in world.client.cookie_jar if cookie.key == "seal-tracker"]
    assert first != second
    world.client.cookie_jar.clear()
    for value, status in ((first, 401), ("chosen", 401), (second, 200)):
        answer = await world.raw("/api/v1/session", headers={"Cookie": f"seal-tracker={value}"})
        assert answer.status == status, value
    await world.raw("/api/v1/session", headers={"Cookie": "seal-tracker=chosen"})
    await signed_in(world)
    assert "chosen" not in [cookie.value for cookie in world.client.cookie_jar]


async def test_signing_out_ends_the_session(world: World):
    """The cookie is worth nothing from then on, even where a copy of it was kept."""
    csrf = await signed_in(world)
    (cookie,) = [cookie for cookie in world.client.cookie_jar if cookie.key == "seal-tracker"]
    assert_problem(await world.raw("/api/v1/session", "DELETE"), 403, "X-CSRF-Token")
    answer = await world.raw("/api/v1/session", "DELETE", headers={"X-CSRF-Token": csrf})
    assert answer.status == 204
    async with described_session() as other:
        headers = {"Cookie": f"seal-tracker={cookie.value}"}
        async with other.get(world.url + "/api/v1/session", headers=headers) as after:
            assert after.status == 401


async def test_a_restart_signs_nobody_out(world: World):
    """Sessions are in the database."""
    csrf = await signed_in(world)
    server = await restarted(world)
    async with world.client.get(server.url + "/api/v1/session") as answer:
        assert (await answer.json())["csrf"] == csrf
    await server.close()


async def test_a_session_ends_by_itself(world: World):
    """After the time it was given."""
    server = await restarted(world, config=replace(world.context.config, session_s=-1))
    async with world.client.post(server.url + "/api/v1/session", json=sign_in_body("operator")) as answer:
        secret = answer.headers["Set-Cookie"].split("=", 1)[1].split(";")[0]
    await server.close()
    assert_problem(await world.raw("/api/v1/session", headers={"Cookie": f"seal-tracker={secret}"}), 401)


@pytest.mark.parametrize(
    "change",
    [
        {"disabled": True},
        {"role": "supervisor"},
        {"unit": "u1"},
        {"password_hash": "$argon2id$v=19$m=19456,t=2,p=1$bm90aGluZw$bm90aGluZw"},
    ],
    ids=lambda change: next(iter(change)),
)
async def test_a_session_ends_when_its_account_changes(world: World, change: dict[str, Any]):
    """Disabled, another role, another unit, another password: who was signed in signs in anew, if they still may."""
    await signed_in(world)
    account = world.accounts.get("operator")
    assert account is not None
    edited = account._replace(**change, version=account.version + 1)
    await world.context.keeper.change(lambda: Change((edited,)))
    assert_problem(await world.raw("/api/v1/session"), 401)


async def test_a_cookie_that_is_none_is_refused(world: World):
    """Whatever it holds."""
    for cookie in (
        "",
        "x",
        "\u00ff",
        "a=b",
        "x" * 4000,
        '"quoted"',
    ):
        assert_problem(await world.raw("/api/v1/stats", headers={"Cookie": f"seal-tracker={cookie}"}), 401)


async def test_where_commands_are_off_every_route_of_theirs_says_so(world: World):
    """As a problem that names the setting, to who may and to who may only read; what is misspelt is told first, as elsewhere."""
    one = "/api/v1/commands/6f1c2a34-9b1d-4c57-8a52-0d4be9a1c001"
    wanted = {"seal": "S-1", "kind": "position", "reason": "a test"}
    asked = [
        ("/api/v1/commands", "GET", None),
        ("/api/v1/commands", "POST", wanted),
        (one, "GET", None),
        (f"{one}/approve", "POST", {}),
        (f"{one}/cancel", "POST", {"reason": "a test"}),
    ]
    for path, method, body in asked:
        answer = await world.ask(path, "supervisor", method, json=body)
        assert_problem(answer, 409)
        assert "SEAL_TRACKER_COMMANDS" in answer.json()["detail"]
    for role in ("operator", "unit_head", "auditor", "administrator"):
        assert_problem(await world.ask(one, role), 409)
        assert_problem(await world.ask("/api/v1/commands", role, "POST", json=wanted), 403)
    assert_problem(
        await world.ask("/api/v1/commands", "supervisor", "POST", json=wanted | {"kind": "fly"}), 422, "kind"
    )
