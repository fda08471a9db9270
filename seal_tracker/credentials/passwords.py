"""Passwords of seals: made here, told once, kept as digests; and as Mosquitto's password file wants them. Pure but for chance."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from typing import Final

from seal_tracker.credentials.rows import CredentialRow

__all__ = ["RESERVED", "digest", "matches", "mosquitto_file", "mosquitto_hash", "new_password"]

PASSWORD_BYTES: Final = 24
"""192 random bits: nothing to guess, so a plain digest of it is enough."""

RESERVED: Final = frozenset({"service", "gateway", "integrator", "system"})
"""Accounts that every broker has; no seal may be called so."""

ITERATIONS: Final = 101
"""Mosquitto's own number; the password is random, so more would only cost the broker time at every connection."""

SALT_BYTES: Final = 12


def new_password() -> str:
    """A random password of letters, digits, ``-`` and ``_``: no colon, which Mosquitto's file could not hold."""
    return secrets.token_urlsafe(PASSWORD_BYTES)


def digest(password: str) -> bytes:
    """SHA-256 of a password; any string has one, whatever a client sent."""
    return hashlib.sha256(password.encode("utf-8", "surrogatepass")).digest()


def matches(row: CredentialRow, password: str) -> bool:
    """Whether the password is the account's, and the account holds."""
    return row.revoked_ms is None and hmac.compare_digest(digest(password), row.digest)


def mosquitto_hash(password: str, salt: bytes | None = None) -> str:
    """A password as ``mosquitto_passwd`` writes it: PBKDF2 with SHA-512."""
    salt = secrets.token_bytes(SALT_BYTES) if salt is None else salt
    key = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS)
    return f"$7${ITERATIONS}${base64.b64encode(salt).decode()}${base64.b64encode(key).decode()}"


def mosquitto_file(rows: Iterable[CredentialRow]) -> str:
    """Lines for Mosquitto's password file, of the accounts that hold, in order of their names."""
    held = sorted(row for row in rows if row.revoked_ms is None)
    return "".join(f"{row.seal}:{row.mosquitto}\n" for row in held)
