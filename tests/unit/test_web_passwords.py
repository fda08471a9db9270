"""Which passwords are refused, and what is made here."""

from __future__ import annotations

import unicodedata

import pytest

from seal_tracker.web.passwords import generated, hash_password, matches, new_token, weakness


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("short", "5 characters"),
        ("elevenchars", "11 characters"),
        ("aaaaaaaaaaaa", "different characters"),
        ("123123123123", "different characters"),
        ("passwordpassword", "everybody"),
        ("Password2026!", "everybody"),
        ("P@ssw0rd2026", "everybody"),
        ("Matkhau@123456", "everybody"),
        ("mậtkhẩu123456", "everybody"),
        ("HaiQuan#202612", "everybody"),
        ("qwertyuiop123", "everybody"),
        ("123456789012", "everybody"),
        ("2026-11-22 03:00", "everybody"),
        ("i am nguyen.an!", "account's name"),
        ("correct horse battery", None),
        ("thuyền trăng sông núi", None),
        ("пароль на каждый день", None),
    ],
)
def test_a_password_that_is_easily_guessed_is_refused(password: str, why: str | None):
    """Too short, too plain, the account's own name, or what everybody takes first; whatever the alphabet."""
    found = weakness(password, "nguyen.an")
    assert (found is None) if why is None else (why in (found or "")), found


def test_generated_secrets_are_fit_and_never_the_same():
    """A generated password passes its own test."""
    made = {generated() for _ in range(100)}
    assert len(made) == 100
    assert all(weakness(password, "administrator") is None for password in made)
    assert len({new_token() for _ in range(100)}) == 100


def test_a_hash_is_salted_and_fits_its_password_alone():
    """Two hashes of one password differ."""
    first, second = hash_password("thuyền trăng"), hash_password("thuyền trăng")
    assert first != second
    assert matches(first, "thuyền trăng")
    assert matches(second, "thuyền trăng")
    assert not matches(first, "thuyền trăng ")
    assert not matches("not a hash", "x")


def test_a_password_is_the_same_from_every_keyboard():
    """One writes ề as one character, another as three."""
    one, three = (unicodedata.normalize(form, "thuyền trăng lững lờ") for form in ("NFC", "NFD"))
    assert one != three
    assert matches(hash_password(one), three)
