"""Who may sign in, with what, and what a start makes of the accounts that a file keeps."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import msgspec
import pytest

from seal_tracker.store.records import AccountRow
from seal_tracker.web import passwords
from seal_tracker.web.account_changes import Change
from seal_tracker.web.account_files import (
    EMBEDDED,
    FILE,
    AccountsError,
    KeptAccounts,
    hash_accounts,
    hashed_accounts,
    read_accounts,
    read_credentials,
)
from seal_tracker.web.account_import import Import, first_account, import_accounts, to_hash
from seal_tracker.web.accounts import PEOPLE, RIGHTS, Accounts, Right, Role, rights_of

CREDENTIALS = {
    "gateway": {"username": "gateway", "password": "gp", "token": "gt"},
    "operator": {"username": "operator", "password": "op", "token": "ot"},
    "administrator": {"username": "chief", "password": "ap", "token": "at"},
}
FOLDER = {
    **CREDENTIALS,
    "service": {"username": "s", "password": "sp", "token": "st"},
    "postgres": {"username": "p", "password": "pp"},
}
HASHES = {name: passwords.hash_password(member["password"]) for name, member in CREDENTIALS.items()}
HASHES["chief"] = HASHES["administrator"]


def folder(**changes: dict[str, str]) -> KeptAccounts:
    return KeptAccounts(EMBEDDED, read_credentials(msgspec.json.encode(FOLDER | changes)))


def file(*entries: dict[str, object]) -> KeptAccounts:
    return KeptAccounts(FILE, hashed_accounts(msgspec.json.encode({"accounts": entries})))


def entry(name: str = "an", **members: object) -> dict[str, object]:
    return {"username": name, "role": "operator", "password_hash": HASHES["operator"], **members}


def start(known: Accounts, kept: KeptAccounts, now_ms: int = 1) -> Import:
    """What a start does: decide, then install."""
    found = import_accounts(
        known, kept, {e.username: HASHES[e.username] for e in to_hash(known, kept)}, now_ms
    )
    known.install(found.change.accounts, found.change.tokens)
    return found


@pytest.fixture
def known() -> Iterator[Accounts]:
    accounts = Accounts()
    yield accounts
    accounts.close()


@pytest.fixture(params=["embedded", "production"])
def accounts(request: pytest.FixtureRequest, known: Accounts, tmp_path) -> Accounts:
    """As either kind of file brings them."""
    path = tmp_path / "accounts.json"
    path.write_bytes(
        msgspec.json.encode(FOLDER) if request.param == "embedded" else hash_accounts(CREDENTIALS)
    )
    start(known, read_accounts(path))
    return known


async def test_the_right_password_signs_in(accounts: Accounts):
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
async def test_anything_else_does_not(accounts: Accounts, username: str, password: str):
    """Wrong, empty, unknown, not even text."""
    assert await accounts.verify(username, password) is None


def test_a_token_finds_its_account_and_nothing_else_does(accounts: Accounts):
    """By the token alone."""
    found = accounts.by_token("at", 0)
    assert found is not None
    assert found[0].username == "chief"
    for wrong in ("", "a", "att", "ap", hashlib.sha256(b"at").hexdigest(), "\ud800"):
        assert accounts.by_token(wrong, 0) is None


async def test_the_services_own_accounts_are_not_for_signing_in(accounts: Accounts):
    """Broker and database passwords open nothing over HTTP."""
    assert await accounts.verify("s", "sp") is None
    assert accounts.by_token("st", 0) is None


async def test_who_is_disabled_comes_in_by_neither(accounts: Accounts):
    """Password and token are worth nothing from then on."""
    account = accounts.get("operator")
    assert account is not None
    accounts.install([account._replace(disabled=True)])
    assert await accounts.verify("operator", "op") is None
    assert accounts.by_token("ot", 0) is None


def test_a_token_ends_when_it_expires_or_is_revoked(accounts: Accounts):
    """To the millisecond."""
    (token,) = [token for token in accounts.tokens() if token.username == "operator"]
    accounts.install(tokens=[token._replace(expires_ms=1000)])
    assert accounts.by_token("ot", 999) is not None
    assert accounts.by_token("ot", 1000) is None
    accounts.install(tokens=[token._replace(revoked_ms=5)])
    assert accounts.by_token("ot", 6) is None


def test_a_token_may_do_no_more_than_its_scopes_and_its_account():
    """Neither alone."""
    account = first_account(Accounts(), "$argon2id$", 0).accounts[0]._replace(role=Role.AUDITOR)
    known = Accounts()
    start(known, folder())
    (token,) = [token for token in known.tokens() if token.username == "operator"]
    assert rights_of(account, token) == RIGHTS[Role.AUDITOR]
    assert rights_of(account, token._replace(scopes="read manage_hooks")) == {Right.READ}


async def test_an_unknown_name_is_checked_against_a_hash_of_the_same_cost(
    accounts: Accounts, monkeypatch: pytest.MonkeyPatch
):
    """What it costs must not tell whether the name exists: the decoy has the parameters of the real hashes."""
    checked: list[str] = []
    monkeypatch.setattr(passwords, "matches", lambda expected, _password: bool(checked.append(expected)))
    await accounts.verify("operator", "x")
    await accounts.verify("nobody", "x")
    real, decoy = (text.rsplit("$", 2)[0] for text in checked)
    assert real == decoy
    assert real.startswith("$argon2id$v=19$m=19456,t=2,p=1")


def test_nothing_that_is_kept_signs_anybody_in(accounts: Accounts):
    """Only hashes at rest: argon2id of passwords, SHA-256 of tokens."""
    rows = str([*accounts.all(), *accounts.tokens()])
    assert all((account.password_hash or "").startswith("$argon2id$") for account in accounts.all())
    assert {token.hash for token in accounts.tokens()} == {
        hashlib.sha256(member["token"].encode()).digest() for member in CREDENTIALS.values()
    }
    assert not any(
        f"'{member[key]}'" in rows for member in CREDENTIALS.values() for key in ("password", "token")
    )


@pytest.mark.parametrize(
    ("account", "named"),
    [
        ({"username": "a", "role": "operator", "password_hash": "secret"}, "password_hash"),
        ({"username": "a", "role": "king"}, "king"),
        ({"username": "a", "role": "operator", "token_sha256": ["zz"]}, "token_sha256"),
        ({"username": "a", "role": "operator", "token_sha256": ["00"]}, "token_sha256"),
        ({"username": "a", "role": "operator", "password": "p"}, "password"),
        ({"username": "a b", "role": "operator"}, "username"),
        ({"username": "a", "role": "operator", "unit": "u 1"}, "unit"),
        ({"role": "operator"}, "username"),
        ({"username": "system", "role": "operator"}, "'system'"),
    ],
)
def test_a_faulty_accounts_file_is_refused_and_names_the_member(account: dict[str, object], named: str):
    """A password in clear, an unknown role, a digest that is none."""
    with pytest.raises(AccountsError, match=named):
        hashed_accounts(msgspec.json.encode({"accounts": [account]}))


def test_one_name_twice_is_refused():
    """Which one would it be?"""
    with pytest.raises(AccountsError, match="'a' is there twice"):
        hashed_accounts(msgspec.json.encode({"accounts": [{"username": "a", "role": "operator"}] * 2}))


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"nonsense", b'{"operator":{"username":"a"}}', b'{"operator":1}']
)
def test_what_is_no_accounts_file_is_refused(tmp_path, content: bytes):
    """With the file and the reason, not a traceback of the parser."""
    path = tmp_path / "accounts.json"
    path.write_bytes(content)
    with pytest.raises(AccountsError, match=r"accounts\.json"):
        read_accounts(path)


def test_every_role_has_its_row_and_a_gateway_may_do_nothing():
    """The table is whole, and only administrators make spaces and keep accounts."""
    assert set(RIGHTS) == set(Role)
    assert RIGHTS[Role.GATEWAY] == frozenset()
    assert set(PEOPLE) == set(Role) - {Role.GATEWAY}
    for right in (Right.MAKE_SPACES, Right.MANAGE_ACCOUNTS):
        assert [role for role, rights in RIGHTS.items() if right in rights] == [Role.ADMINISTRATOR]
    reads = {Right.READ, Right.AUDIT, Right.SEE_RISK, Right.SEE_INSPECTIONS, Right.SEE_RESTRICTED}
    assert RIGHTS[Role.AUDITOR] == reads


def test_a_start_on_the_same_file_changes_nothing(accounts: Accounts):
    """Neither a hash nor a version."""
    before = sorted(accounts.all())
    kept = folder() if before[0].origin == EMBEDDED else file(*stored(accounts))
    again = start(accounts, kept, 2)
    if before[0].origin == EMBEDDED:
        assert again == Import(Change())
        assert sorted(accounts.all()) == before


def stored(accounts: Accounts) -> list[dict[str, object]]:
    return [entry(account.username, role=account.role) for account in accounts.all()]


def test_what_was_changed_here_is_not_undone_by_a_file_that_has_not_changed(known: Accounts):
    """A start after an edit leaves the edit alone."""
    start(known, file(entry()))
    edited(known, "an", role="supervisor", origin="api")
    assert start(known, file(entry()), 2) == Import(Change())
    assert role_of(known, "an") == "supervisor"


def test_a_changed_entry_is_followed_unless_the_account_was_changed_here_too(known: Accounts):
    """Then it is left alone, and said."""
    start(known, file(entry(), entry("binh")))
    edited(known, "an", origin="api")
    found = start(known, file(entry(unit="u1"), entry("binh", unit="u1")), 2)
    assert found.conflicts == ("an",)
    assert [(account.username, account.unit, account.version) for account in found.change.accounts] == [
        ("binh", "u1", 2)
    ]


def test_who_is_taken_off_the_file_may_no_longer_sign_in(known: Accounts):
    """Even where the account was changed here; its tokens end too. Made by an administrator again, it stays so."""
    digest = hashlib.sha256(b"t").hexdigest()
    start(known, file(entry(token_sha256=[digest]), entry("binh")))
    edited(known, "an", origin="api")
    found = start(known, file(entry("binh")), 2)
    assert [(account.username, account.disabled) for account in found.change.accounts] == [("an", True)]
    assert [token.revoked_ms for token in found.change.tokens] == [2]
    edited(known, "an", disabled=False)
    assert start(known, file(entry("binh")), 3) == Import(Change())


def test_accounts_made_here_are_no_files_business(known: Accounts):
    """A start with a file that does not name them leaves them alone."""
    known.install(first_account(known, HASHES["chief"], 0).accounts)
    found = start(known, file(entry()))
    assert [account.username for account in found.change.accounts] == ["an"]


def test_a_folders_accounts_are_as_its_file_says_and_keep_the_unit_given_here(known: Accounts):
    """A token that was revoked is given back, a changed password followed."""
    start(known, folder())
    edited(known, "operator", unit="u1")
    (token,) = [token for token in known.tokens() if token.username == "operator"]
    known.install(tokens=[token._replace(revoked_ms=1)])
    found = start(known, folder(operator={"username": "operator", "password": "new", "token": "ot"}), 2)
    assert [(a.username, a.unit, a.version) for a in found.change.accounts] == [("operator", "u1", 3)]
    assert known.by_token("ot", 3) is not None


def test_the_first_account_must_change_its_password():
    """Who reads the first lines of a log must not be administrator for good."""
    (account,) = first_account(Accounts(), HASHES["chief"], 7).accounts
    assert (account.username, account.role, account.must_change) == ("administrator", "administrator", True)


def edited(known: Accounts, username: str, **changes: object) -> AccountRow:
    account = known.get(username)
    assert account is not None
    after = account._replace(version=account.version + 1, **changes)  # type: ignore[arg-type]
    known.install([after])
    return after


def role_of(known: Accounts, username: str) -> str:
    account = known.get(username)
    assert account is not None
    return account.role
