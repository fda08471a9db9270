"""Secrets: passwords and tokens made, judged and checked. No state; what hashes is slow (tens of ms): call it in a thread.

Tokens and generated passwords are long and random, so that a plain digest of a token is enough; a password, which may have been
chosen, is kept as argon2id.
"""

from __future__ import annotations

import functools
import hashlib
import re
import secrets
import unicodedata
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

__all__ = ["MIN_LENGTH", "decoy", "digest", "generated", "hash_password", "matches", "new_token", "weakness"]

HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
"""OWASP's second argon2id setting: 19 MiB a try, so that a few tries at once stay within the service's memory."""

MIN_LENGTH: Final = 12
"""Characters of a chosen password (NIST SP 800-63B asks for 8 at least, 15 where it stands alone)."""

MIN_DIFFERENT: Final = 5
"""Different characters of a chosen password."""

ALPHABET: Final = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Of generated passwords: nothing that is taken for something else when read aloud or from paper."""

COMMON: Final = frozenset(
    "abc abcd abcdefgh admin administrator anhyeuem asdf asdfgh asdfghjkl baclieu changeme congan customs daiduong danang "  # noqa: SIM905 - words, read as such
    "default dragon emyeuanh football guest haiphong haiquan haiquanvietnam hanoi hello hochiminh iloveyou khongbiet khongco letmein "
    "login loveyou matkhau matkhaumoi master monkey newpassword operator pass passw passwd password princess qazwsx qazwsxedc qwer "
    "qwert qwerty qwertyuiop qwertyuiopasdfghjkl root saigon sealtracker secret secretpassword seal sunshine superman test tester "
    "thaydoi tracker trustno user vietnam vietnamvodich welcome welcometo xinchao yeuem zxcv zxcvbn zxcvbnm".split()
)
"""What is left of the passwords that people choose first, here and elsewhere, when digits and signs are taken out."""

PLAIN: Final = str.maketrans("@4031!5$7", "aaoeiisst")
"""Signs that stand for letters."""


def weakness(password: str, username: str) -> str | None:
    """Why a chosen password is refused, in words; None: it is not."""
    if len(password) < MIN_LENGTH:
        return f"it has {len(password)} characters; take {MIN_LENGTH} or more"
    if len(set(password)) < MIN_DIFFERENT:
        return f"it has {len(set(password))} different characters; take more of them"
    folded = password.casefold()
    if len(username) > 2 and username.casefold() in folded:  # noqa: PLR2004 - a name of two letters is in many words
        return "it contains the account's name"
    plain = unicodedata.normalize("NFKD", folded)
    core = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", plain)
    words = ("".join(filter(str.isalpha, text)) for text in (plain, core.translate(PLAIN)))
    if not {once(word) for word in words}.isdisjoint({*COMMON, ""}):
        return "it is one of those that everybody tries first; take some words that do not belong together"
    return None


def once(word: str) -> str:
    """The word that is said again and again in it: ``abcabc`` is ``abc``."""
    return word[: (word + word).find(word, 1)] if word else word


def generated() -> str:
    """A new password: 20 random characters (116 bits) in groups that can be copied by hand."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(5)) for _ in range(4))


def new_token() -> str:
    """A new token of 256 random bits; the prefix lets a search for leaked secrets find it."""
    return f"stk_{secrets.token_urlsafe(32)}"


def hash_password(password: str) -> str:
    """The argon2id hash of a password. Slow."""
    return HASHER.hash(_typed(password))


def matches(expected: str, password: str) -> bool:
    """Whether the password is the one behind the hash. Slow."""
    try:
        return HASHER.verify(expected, _typed(password))
    except (VerificationError, InvalidHashError):
        return False


def _typed(password: str) -> bytes:
    """The bytes of a password, the same from every keyboard: one writes ế as one character, another as three (NIST SP 800-63B)."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


@functools.cache
def decoy() -> str:
    """A hash nobody has the password of: to check an unknown name against takes as long as a known one. Slow the first time."""
    return hash_password(secrets.token_urlsafe(24))


def digest(secret: str) -> bytes:
    """SHA-256 of a secret; any string has one, whatever a client sent."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
