"""Accounts and tokens over HTTP: made, changed, ended, and every change in the audit trail."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import msgspec
import pytest
import structlog
from web_support import CREDENTIALS, Answer, World, assert_problem, keeper_on, plan_files, restarted

from seal_tracker.model import LIVE
from seal_tracker.plans import load_files
from seal_tracker.store.accounts import FailureRow
from seal_tracker.web.keeper import AccountKeeper

pytest_plugins = ["web_fixtures"]

GOOD = "thuyền trăng sông núi"
UNITS = """
[head]
name = {vi = "Cục", en = "Department"}
[u1]
name = {vi = "Chi cục 1", en = "Office 1"}
parent = "head"
[u2]
name = {vi = "Chi cục 2", en = "Office 2"}
parent = "head"
"""


@pytest.fixture
async def world(world: World) -> World:
    """With a tree of three units."""
    plan, faults = load_files(plan_files() | {"units.toml": UNITS})
    assert plan is not None, faults
    world.fleet.plans[LIVE] = plan
    return world


def in_days(days: float) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).isoformat()


async def make(world: World, username: str = "an", role: str = "operator", **more: Any) -> Answer:
    body = {"username": username, "role": role, **more}
    return await world.ask("/api/v1/accounts", method="POST", json=body)


async def sign_in(world: World, username: str, password: str) -> Answer:
    """Sign in with the world's client, whose cookie is then this account's."""
    world.client.cookie_jar.clear()
    return await world.raw("/api/v1/session", "POST", json={"username": username, "password": password})


async def token_of(world: World, role: str = "administrator", **members: Any) -> Answer:
    body = {"name": "a program", "scopes": ["read"], "expires_at": in_days(30), **members}
    return await world.ask("/api/v1/tokens", role, "POST", json=body)


async def by(world: World, secret: str, path: str, method: str = "GET", **options: Any) -> Answer:
    return await world.raw(path, method, headers={"Authorization": f"Bearer {secret}"}, **options)


async def actions(dsn: str) -> list[tuple[Any, ...]]:
    connection = await asyncpg.connect(dsn)
    try:
        query = (
            "SELECT actor, role, kind, subject, unit, body FROM actions WHERE actor <> 'service' ORDER BY id"
        )
        return [tuple(row) for row in await connection.fetch(query)]
    finally:
        await connection.close()


async def test_a_new_account_signs_in_with_the_password_told_once_and_must_change_it(world: World):
    """Until then it may do nothing else; afterwards it goes on with a new session, and the old one is over."""
    answer = await make(world)
    assert answer.status == 201
    made = answer.json()
    assert made["account"] | {"created_at": "", "changed_at": ""} == {
        "username": "an", "role": "operator", "unit": None, "disabled": False, "must_change_password": True,
        "kept_by": "api", "version": 1, "created_at": "", "changed_at": "",
    }  # fmt: skip
    session = await sign_in(world, "an", made["password"])
    assert (session.json()["must_change_password"], session.json()["rights"]) == (True, [])
    headers = {"X-CSRF-Token": session.json()["csrf"]}
    refusal = await world.raw("/api/v1/stats")
    assert_problem(refusal, 403)
    assert refusal.json()["type"] == "urn:seal-tracker:problem:must-change-password"
    old_cookie = session.headers["Set-Cookie"].split(";")[0]

    change = {"current": made["password"], "new": GOOD}
    changed = await world.raw("/api/v1/accounts/me/password", "PUT", json=change, headers=headers)
    assert (changed.status, changed.json()["must_change_password"]) == (200, False)
    assert (await world.raw("/api/v1/stats")).status == 200
    world.client.cookie_jar.clear()
    assert_problem(await world.raw("/api/v1/session", headers={"Cookie": old_cookie}), 401)
    assert_problem(await sign_in(world, "an", made["password"]), 401, "password")
    assert (await sign_in(world, "an", GOOD)).status == 200


IMPOSSIBLE_ACCOUNTS: list[tuple[dict[str, Any], int, str]] = [
    ({"role": "king"}, 422, "role"),
    ({"role": "gateway"}, 422, "role"),
    ({"username": "a b"}, 422, "username"),
    ({"username": "a\0"}, 422, "username"),
    ({"username": "me"}, 422, "username"),
    ({"username": "operator"}, 409, "username"),
    ({"unit": "nowhere"}, 422, "unit"),
    ({"password": "Password2026!"}, 422, "password"),
    ({"password": "x"}, 422, "password"),
    ({"extra": 1}, 422, "extra"),
]


async def test_an_account_that_cannot_be_is_refused(world: World):
    """And the member named; nothing is made."""
    before = len(world.accounts.all())
    for body, status, field in IMPOSSIBLE_ACCOUNTS:
        wanted = {"username": "an", "role": "operator", **body}
        assert_problem(await world.ask("/api/v1/accounts", method="POST", json=wanted), status, field)
    assert len(world.accounts.all()) == before


async def test_a_weak_or_unchanged_password_is_not_taken(world: World):
    """Nor is one changed by who does not know the old one, who is locked out after a few tries."""
    await make(world, password=GOOD)
    session = await sign_in(world, "an", GOOD)
    headers = {"X-CSRF-Token": session.json()["csrf"]}

    async def change(current: str, new: str) -> Answer:
        body = {"current": current, "new": new}
        return await world.raw("/api/v1/accounts/me/password", "PUT", json=body, headers=headers)

    assert_problem(await change(GOOD, "123456789012"), 422, "new")
    assert_problem(await change(GOOD, GOOD), 422, "new")
    for _ in range(3):
        assert_problem(await change("wrong", "núi sông trăng thuyền"), 401, "current")
    assert_problem(await change(GOOD, "núi sông trăng thuyền"), 429)


async def test_an_edit_needs_the_version_it_is_of(world: World):
    """Of two administrators at once one wins and the other is told; nothing is overwritten."""
    await make(world)
    path = "/api/v1/accounts/an"
    tag = (await world.ask(path)).headers["ETag"]
    change = {"json": {"role": "supervisor", "unit": "u1"}, "method": "PATCH"}
    assert_problem(await world.ask(path, **change), 428, "If-Match")
    edited = await world.ask(path, headers={"If-Match": tag}, **change)
    assert (edited.json()["role"], edited.json()["unit"], edited.headers["ETag"]) == (
        "supervisor",
        "u1",
        '"2"',
    )
    assert_problem(await world.ask(path, headers={"If-Match": tag}, **change), 412, "If-Match")
    assert_problem(await world.ask(path, method="PATCH", json={}, headers={"If-Match": '"2"'}), 422, "role")


async def test_disabling_an_account_ends_its_sessions_and_tokens(world: World):
    """At once; and enabling it gives the tokens back, but no session."""
    await make(world, password=GOOD)
    session = await sign_in(world, "an", GOOD)
    csrf = {"X-CSRF-Token": session.json()["csrf"]}
    await world.raw(
        "/api/v1/accounts/me/password", "PUT", json={"current": GOOD, "new": GOOD + "!"}, headers=csrf
    )
    csrf = {"X-CSRF-Token": (await world.raw("/api/v1/session")).json()["csrf"]}
    wanted = {"name": "x", "scopes": ["read"], "expires_at": in_days(1)}
    secret = (await world.raw("/api/v1/tokens", "POST", json=wanted, headers=csrf)).json()["secret"]
    assert (await by(world, secret, "/api/v1/stats")).status == 200
    for disabled, expected in ((True, 401), (False, 200)):
        version = (await world.ask("/api/v1/accounts/an")).headers["ETag"]
        body = {"disabled": disabled}
        await world.ask("/api/v1/accounts/an", method="PATCH", json=body, headers={"If-Match": version})
        assert_problem(await world.raw("/api/v1/stats"), 401)
        assert (await by(world, secret, "/api/v1/stats")).status == expected


async def test_the_last_administrator_cannot_be_lost(world: World):
    """Neither disabled nor given another role or unit."""
    for change in ({"disabled": True}, {"role": "auditor"}, {"unit": "u1"}):
        answer = await world.ask(
            "/api/v1/accounts/administrator", method="PATCH", json=change, headers={"If-Match": '"1"'}
        )
        assert_problem(answer, 409)
    await make(world, "second", "administrator")
    answer = await world.ask(
        "/api/v1/accounts/administrator", method="PATCH", json={"unit": "u1"}, headers={"If-Match": '"1"'}
    )
    assert answer.status == 200


async def test_an_administrator_of_a_unit_keeps_the_accounts_of_that_unit(world: World):
    """Others are not there for them, and none can be made or moved beyond."""
    await make(world, "one", "operator", unit="u1")
    await make(world, "two", "operator", unit="u2")
    secret = (await token_of(world, scopes=["read", "manage_accounts"])).json()["secret"]
    await make(world, "second", "administrator")
    body, version = {"unit": "u1"}, {"If-Match": '"1"'}
    await world.ask("/api/v1/accounts/administrator", method="PATCH", json=body, headers=version)
    listed = (await by(world, secret, "/api/v1/accounts")).json()["items"]
    assert [item["username"] for item in listed] == ["administrator", "one"]
    assert_problem(await by(world, secret, "/api/v1/accounts/two"), 404)
    assert_problem(await by(world, secret, "/api/v1/accounts/two/password", "POST", json={}), 404)
    for unit in ("u2", None):
        made = {"username": "three", "role": "operator", "unit": unit}
        assert_problem(await by(world, secret, "/api/v1/accounts", "POST", json=made), 422, "unit")


async def test_a_reset_password_must_be_changed_and_lets_a_locked_account_in(world: World):
    """Told once; the account's sessions end."""
    await make(world, password=GOOD)
    for _ in range(3):
        await sign_in(world, "an", "wrong")
    assert_problem(await sign_in(world, "an", GOOD), 429)
    path = "/api/v1/accounts/an/password"
    assert_problem(await world.ask(path, method="POST", json={}), 428, "If-Match")
    stale = {"If-Match": '"7"'}
    assert_problem(await world.ask(path, method="POST", json={}, headers=stale), 412, "If-Match")
    version = (await world.ask("/api/v1/accounts/an")).headers["ETag"]
    reset = await world.ask(path, method="POST", json={}, headers={"If-Match": version})
    assert reset.json()["account"]["must_change_password"] is True
    session = await sign_in(world, "an", reset.json()["password"])
    assert session.json()["must_change_password"] is True


async def test_a_lock_outlives_a_restart(world: World):
    """What was guessed before counts on, whoever has the name, and of the address too; names are not kept as they were typed."""
    for name in ("operator", "nobody"):
        for _ in range(3):
            await sign_in(world, name, "wrong")
    for _ in range(500):  # they are kept while the answer is given
        kept = await world.store.sign_in_failures(0)
        if sorted(row.failures for row in kept) == [3, 3, 3, 3, 6]:
            break
        await asyncio.sleep(0.02)
    server = await restarted(world, keeper=await reopened(world))
    body = CREDENTIALS["operator"]
    wanted = {"username": body["username"], "password": body["password"]}
    for given, status in (
        (wanted, 429),
        (wanted | {"username": "nobody"}, 429),
        (wanted | {"username": "x"}, 401),
    ):
        async with world.client.post(server.url + "/api/v1/session", json=given) as answer:
            assert answer.status == status, given
    await server.close()
    assert "nobody" not in {row.username for row in kept}


async def test_failed_sign_ins_that_are_kept_are_so_many_at_most(world: World):
    """The oldest go; and whatever is too old to count."""
    rows = [FailureRow(f"n{n}", "10.0.0.1", 1, 1_000 * n, 0) for n in range(1, 8)]
    await world.store.sign_in_failed(rows, 2_000, 3)
    assert [row.username for row in await world.store.sign_in_failures(0)] == ["n5", "n6", "n7"]
    await world.store.sign_in_failed([rows[0]._replace(last_ms=9_000)], 6_000, 3)
    assert [row.username for row in await world.store.sign_in_failures(0)] == ["n7", "n1"]


async def reopened(world: World) -> AccountKeeper:
    """The keeper of a service that was started again on the same database."""
    keeper = AccountKeeper(world.store, world.context.keeper._act)
    assert await keeper.open(None) is None
    return keeper


async def test_a_restart_knows_every_account_and_token(world: World):
    """They are in the database, hashed."""
    await make(world, unit="u1")
    secret = (await token_of(world)).json()["secret"]
    server = await restarted(world, keeper=await reopened(world))
    headers = {"Authorization": f"Bearer {secret}"}
    async with world.client.get(server.url + "/api/v1/stats", headers=headers) as answer:
        assert answer.status == 200
    await server.close()
    again = await reopened(world)
    assert sorted(again.accounts.all()) == sorted(world.accounts.all())
    assert not any(secret in str(row) for row in await world.store.tokens())


async def test_a_token_may_do_what_its_scopes_say_until_it_is_revoked(world: World):
    """Its last use is noted; what it lacks is refused as the token's, not the role's."""
    made = (await token_of(world, scopes=["read"])).json()
    secret, path = made["secret"], f"/api/v1/tokens/{made['token']['id']}"
    assert (await by(world, secret, "/api/v1/stats")).status == 200
    refusal = await by(world, secret, "/api/v1/accounts")
    assert_problem(refusal, 403)
    assert "the token does not have the right manage_accounts" in refusal.json()["detail"]
    (item,) = [
        i for i in (await world.ask("/api/v1/tokens")).json()["items"] if i["id"] == made["token"]["id"]
    ]
    assert (item["scopes"], item["name"], item["account"]) == (["read"], "a program", "administrator")
    assert item["last_used_at"] is not None
    assert (await world.ask(path, method="DELETE")).status == 204
    assert (await world.ask(path, method="DELETE")).status == 204
    assert_problem(await by(world, secret, "/api/v1/stats"), 401)
    assert_problem(await world.ask("/api/v1/tokens/none", method="DELETE"), 404)


IMPOSSIBLE_TOKENS: list[tuple[dict[str, Any], int, str]] = [
    ({"scopes": []}, 422, "scopes"),
    ({"scopes": ["everything"]}, 422, "scopes"),
    ({"scopes": ["manage_accounts"]}, 422, "scopes"),
    ({"expires_at": in_days(-1)}, 422, "expires_at"),
    ({"expires_at": in_days(400)}, 422, "expires_at"),
    ({"expires_at": "0001-01-01T00:00:00+23:59"}, 422, "expires_at"),
    ({"expires_at": "2026-11-22T03:00:00"}, 422, "expires_at"),
    ({"expires_at": None}, 422, "expires_at"),
    ({"name": "two\nlines"}, 422, "name"),
    ({"account": "administrator"}, 403, "account"),
]


async def test_a_token_that_cannot_be_is_refused(world: World):
    """More than the account has, for ever, or another's."""
    for members, status, field in IMPOSSIBLE_TOKENS:
        assert_problem(await token_of(world, "operator", **members), status, field)


async def test_a_token_cannot_outgrow_or_outlive_itself(world: World):
    """What is asked by a token is no more than that token."""
    made = (await token_of(world, scopes=["read"], expires_at=in_days(2))).json()
    wanted = {"name": "heir", "scopes": ["read"], "expires_at": in_days(1)}
    assert (await by(world, made["secret"], "/api/v1/tokens", "POST", json=wanted)).status == 201
    more = wanted | {"scopes": ["manage_accounts"]}
    assert_problem(await by(world, made["secret"], "/api/v1/tokens", "POST", json=more), 422, "scopes")
    longer = wanted | {"expires_at": in_days(3)}
    assert_problem(await by(world, made["secret"], "/api/v1/tokens", "POST", json=longer), 422, "expires_at")


async def test_a_token_ends_none_that_may_more_than_itself(world: World):
    """Who has found one of a person cannot take the others away; one that may as little can be exchanged."""
    small = (await token_of(world, scopes=["read"])).json()
    other = (await token_of(world, scopes=["read"])).json()
    great = (await token_of(world, scopes=["read", "manage_accounts"])).json()
    path = "/api/v1/tokens/"
    assert_problem(await by(world, small["secret"], path + great["token"]["id"], "DELETE"), 403)
    assert (await by(world, small["secret"], path + other["token"]["id"], "DELETE")).status == 204
    assert (await by(world, great["secret"], path + small["token"]["id"], "DELETE")).status == 204


async def test_a_password_that_an_administrator_gives_ends_the_accounts_tokens(world: World):
    """Whoever had the account may have made some; who changes their own password keeps theirs, and a file's tokens are the file's."""
    made = (await token_of(world, "operator", scopes=["read"])).json()
    assert (await by(world, made["secret"], "/api/v1/stats")).status == 200
    session = await sign_in(world, "operator", CREDENTIALS["operator"]["password"])
    headers = {"X-CSRF-Token": session.json()["csrf"]}
    body = {"current": CREDENTIALS["operator"]["password"], "new": GOOD}
    changed = await world.raw("/api/v1/accounts/me/password", "PUT", json=body, headers=headers)
    assert changed.status == 200, changed.body
    assert (await by(world, made["secret"], "/api/v1/stats")).status == 200
    version = {"If-Match": (await world.ask("/api/v1/accounts/operator")).headers["ETag"]}
    reset = await world.ask("/api/v1/accounts/operator/password", method="POST", json={}, headers=version)
    assert reset.status == 200
    assert_problem(await by(world, made["secret"], "/api/v1/stats"), 401)
    assert (await world.ask("/api/v1/stats", "operator")).status == 200


async def test_administrators_make_tokens_for_integrators_and_for_nobody_else(world: World):
    """A token acts in its account's name: a person's is that person's to make. They see and end all."""
    await make(world, "camera-wall", "integrator", unit="u1")
    made = (await token_of(world, account="camera-wall", scopes=["read", "manage_hooks"])).json()
    assert made["token"]["account"] == "camera-wall"
    assert (await by(world, made["secret"], "/api/v1/session")).json()["unit"] == "u1"
    assert_problem(await token_of(world, account="operator"), 409, "account")
    assert_problem(await token_of(world, account="nobody"), 404)
    assert_problem(await token_of(world, account="camera-wall", scopes=["order"]), 422, "scopes")
    mine = (await world.ask("/api/v1/tokens", "operator")).json()["items"]
    assert {item["account"] for item in mine} == {"operator"}
    assert_problem(await world.ask(f"/api/v1/tokens/{made['token']['id']}", "operator", "DELETE"), 404)
    listed = (await world.ask("/api/v1/tokens?account=camera-wall")).json()["items"]
    assert [item["id"] for item in listed] == [made["token"]["id"]]


async def test_accounts_come_in_pages(world: World):
    """Stable under inserts; cursors are the list's own."""
    for number in range(5):
        await make(world, f"n{number}")
    seen: list[str] = []
    after = ""
    while True:
        answer = (await world.ask(f"/api/v1/accounts?limit=3{after}")).json()
        seen += [item["username"] for item in answer["items"]]
        await make(world, f"a{len(seen)}")
        if answer["next"] is None:
            break
        after = f"&after={answer['next']}"
    assert seen == sorted(seen)
    assert {f"n{number}" for number in range(5)} <= set(seen)
    assert_problem(await world.ask("/api/v1/accounts?after=x"), 400, "after")


async def test_every_change_is_an_action_of_who_made_it_and_tells_no_secret(world: World, postgres_dsn: str):
    """In the audit trail, in the order in which it was done."""
    password = (await make(world, "wall", "integrator", unit="u1")).json()["password"]
    await world.ask("/api/v1/accounts/wall", method="PATCH", json={"unit": "u2"}, headers={"If-Match": '"1"'})
    second = {"If-Match": '"2"'}
    await world.ask("/api/v1/accounts/wall/password", method="POST", json={"password": GOOD}, headers=second)
    made = (await token_of(world, account="wall")).json()
    await world.ask(f"/api/v1/tokens/{made['token']['id']}", method="DELETE")
    told = await actions(postgres_dsn)
    assert {(actor, role, subject) for actor, role, _, subject, _, _ in told} == {
        ("administrator", "administrator", "account/wall")
    }
    assert [(kind, unit) for _, _, kind, _, unit, _ in told] == [
        ("account.create", "u1"),
        ("account.edit", "u2"),
        ("account.reset_password", "u2"),
        ("token.create", "u2"),
        ("token.revoke", "u2"),
    ]
    edit = msgspec.json.decode(told[1][5])
    assert (edit["changed"], edit["before"]) == ({"unit": "u2"}, {"unit": "u1"})
    assert not any(secret in str(told) for secret in (password, GOOD, made["secret"], "argon2id"))


async def test_no_password_or_token_is_ever_logged(world: World):
    """Neither made, given nor refused ones."""
    with structlog.testing.capture_logs() as logs:
        password = (await make(world, "an")).json()["password"]
        await sign_in(world, "an", password)
        await sign_in(world, "an", "a wrong password")
        secret = (await token_of(world)).json()["secret"]
        await by(world, secret, "/api/v1/spaces", "POST", json={})
    assert {"account_changed", "signed_in", "sign_in_refused", "access_refused"} <= {e["event"] for e in logs}
    assert not any(text in str(logs) for text in (password, secret, "a wrong password"))


async def test_a_folders_accounts_are_changed_in_the_folder_but_for_their_unit(world: World):
    """What is read from credentials.json at each start must go on working."""
    chief = world.accounts.get("auditor")
    assert chief is not None
    world.accounts.install([chief._replace(origin="embedded")])
    path, version = "/api/v1/accounts/auditor", {"If-Match": '"1"'}
    for change in ({"role": "operator"}, {"disabled": True}):
        assert_problem(await world.ask(path, method="PATCH", json=change, headers=version), 409)
    assert_problem(await world.ask(f"{path}/password", method="POST", json={}, headers=version), 409)
    edited = await world.ask(path, method="PATCH", json={"unit": "u1"}, headers=version)
    assert (edited.json()["unit"], edited.json()["kept_by"]) == ("u1", "embedded")


async def test_a_new_database_gets_one_administrator_and_only_once(store: Any):
    """Its password is told to who started the service, and works until it is changed."""
    empty = await keeper_on(store, {})
    keeper = AccountKeeper(store, empty._act)
    with structlog.testing.capture_logs() as logs:
        password = await keeper.open(None)
    assert password is not None
    assert password not in str(logs)
    assert [entry["account"] for entry in logs if entry["event"] == "first_account_made"] == ["administrator"]
    account = await keeper.accounts.verify("administrator", password)
    assert account is not None
    assert account.must_change
    assert await AccountKeeper(store, empty._act).open(None) is None
