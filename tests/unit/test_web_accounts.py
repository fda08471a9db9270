"""Who may sign in, and with what."""

from __future__ import annotations

import hashlib

import msgspec
import pytest

from seal_tracker.web import accounts as module
from seal_tracker.web.accounts import RIGHTS, Accounts, AccountsError, Right, Role, hash_accounts

CREDENTIALS = {
    "gateway": {"username": "gateway", "password": "gp", "token": "gt"},
    "operator": {"username": "operator", "password": "op", "token": "ot"},
    "administrator": {"username": "chief", "password": "ap", "token": "at"},
}
EMBEDDED = {
    **CREDENTIALS,
    "service": {"username": "s", "password": "sp", "token": "st"},
    "postgres": {"username": "p", "password": "pp"},
}


@pytest.fixture(params=["embedded", "production"])
def accounts(request, tmp_path):
    path = tmp_path / "accounts.json"
    path.write_bytes(
        msgspec.json.encode(EMBEDDED) if request.param == "embedded" else hash_accounts(CREDENTIALS)
    )
    loaded = Accounts.load(path)
    yield loaded
    loaded.close()


async def test_the_right_password_signs_in(accounts):
    """Both kinds of file give the same accounts."""
    account = await accounts.verify("operator", "op")
    assert account is not None
    assert (account.username, account.role) == ("operator", Role.OPERATOR)


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("operator", "ap"),
        ("operator", ""),
        ("nobody", "op"),
        ("", ""),
        ("\ud800", "\udfff"),
        ("operator", "op\0"),
    ],
)
async def test_anything_else_does_not(accounts, username, password):
    """Wrong, empty, unknown, not even text."""
    assert await accounts.verify(username, password) is None


async def test_a_token_finds_its_account_and_nothing_else_does(accounts):
    """By the token alone."""
    assert accounts.by_token("at").username == "chief"
    for wrong in ("", "a", "att", "ap", hashlib.sha256(b"at").hexdigest(), "\ud800"):
        assert accounts.by_token(wrong) is None


async def test_the_services_own_accounts_are_not_for_signing_in(accounts):
    """Broker and database passwords open nothing over HTTP."""
    assert await accounts.verify("s", "sp") is None
    assert accounts.by_token("st") is None


async def test_an_unknown_name_is_checked_against_a_hash_of_the_same_cost(monkeypatch):
    """What it costs must not tell whether the name exists: the decoy has the parameters of the real hashes."""
    loaded = Accounts.from_hashes(hash_accounts(CREDENTIALS))
    checked = []
    monkeypatch.setattr(module, "password_matches", lambda expected, password: checked.append(expected))
    await loaded.verify("operator", "x")
    await loaded.verify("nobody", "x")
    loaded.close()
    real, decoy = (text.rsplit("$", 2)[0] for text in checked)
    assert real == decoy
    assert real.startswith("$argon2id$v=19$m=19456,t=2,p=1")


def test_the_hashed_file_has_nothing_to_sign_in_with():
    """Only hashes at rest."""
    content = hash_accounts(CREDENTIALS)
    stored = msgspec.json.decode(content)["accounts"]
    assert all(a["password_hash"].startswith("$argon2id$") for a in stored)
    assert stored[1]["token_sha256"] == [hashlib.sha256(b"ot").hexdigest()]
    assert not any(
        f'"{member[key]}"' in content.decode()
        for member in CREDENTIALS.values()
        for key in ("password", "token")
    )


@pytest.mark.parametrize(
    ("account", "named"),
    [
        ({"username": "a", "role": "operator", "password_hash": "secret"}, "password_hash"),
        ({"username": "a", "role": "operator", "password_hash": "$sha256$00"}, "password_hash"),
        ({"username": "a", "role": "king"}, "king"),
        ({"username": "a", "role": "operator", "token_sha256": ["zz"]}, "token_sha256"),
        ({"username": "a", "role": "operator", "token_sha256": ["00"]}, "token_sha256"),
        ({"username": "a", "role": "operator", "password": "p"}, "password"),
        ({"role": "operator"}, "username"),
    ],
)
def test_a_faulty_accounts_file_is_refused_and_names_the_member(account, named):
    """A password in clear, an unknown role, a digest that is none."""
    with pytest.raises(AccountsError, match=named):
        Accounts.from_hashes(msgspec.json.encode({"accounts": [account]}))


def test_one_name_twice_is_refused():
    """Which one would it be?"""
    with pytest.raises(AccountsError, match="'a' is there twice"):
        Accounts.from_hashes(msgspec.json.encode({"accounts": [{"username": "a", "role": "operator"}] * 2}))


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"nonsense", b'{"operator":{"username":"a"}}', b'{"operator":1}']
)
def test_what_is_no_accounts_file_is_refused(tmp_path, content):
    """With the reason, not a traceback of the parser."""
    path = tmp_path / "accounts.json"
    path.write_bytes(content)
    with pytest.raises(AccountsError):
        Accounts.load(path)


def test_every_role_has_its_row_and_a_gateway_may_do_nothing():
    """The table is whole, and only administrators make spaces."""
    assert set(RIGHTS) == set(Role)
    assert RIGHTS[Role.GATEWAY] == frozenset()
    assert [role for role, rights in RIGHTS.items() if Right.MAKE_SPACES in rights] == [Role.ADMINISTRATOR]
