"""Signatures of webhooks after the Standard Webhooks specification (1.0): HMAC-SHA-256 over id, time and body. Pure.

A receiver recomputes ``webhook-signature`` from the headers ``webhook-id`` and ``webhook-timestamp`` and the body as it came, and
refuses a timestamp that is minutes off: so nobody can send in our name, nor send again what we once sent.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from typing import Final

__all__ = ["headers_of", "new_secret", "signature"]

PREFIX: Final = "whsec_"
SECRET_BYTES: Final = 32
"""The specification wants 24 to 64."""


def new_secret() -> str:
    """A random secret as both sides keep it: ``whsec_`` and base64."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signature(secret: str, message_id: str, timestamp_s: int, body: bytes) -> str:
    """The value of ``webhook-signature``: version and base64."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = b".".join((message_id.encode(), str(timestamp_s).encode(), body))
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def headers_of(secret: str, message_id: str, timestamp_s: int, body: bytes) -> dict[str, str]:
    """The headers that go with a body: a CloudEvent in structured form."""
    return {
        "Content-Type": "application/cloudevents+json; charset=utf-8",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": signature(secret, message_id, timestamp_s, body),
    }
