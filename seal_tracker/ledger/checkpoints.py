"""Checkpoints: the chain's end at a moment, signed, so that somebody else may hold it. Pure.

A checkpoint is a JWS (RFC 7515, compact) signed by Ed25519 (RFC 8037), one line of text; its header brings the public key, its payload
is ``{"ledger", "number", "hash", "time"}``. Whoever keeps one can prove later that all links up to its number are as they were. The same
form signs the contents of an evidence bundle.
"""

from __future__ import annotations

import base64
import binascii
from hashlib import sha256
from typing import Any, Final, NamedTuple

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from seal_tracker.ledger.chain import Head
from seal_tracker.model import iso_ms

__all__ = [
    "Checkpoint",
    "CheckpointError",
    "StoredCheckpoint",
    "fingerprint",
    "public_bytes",
    "read_checkpoint",
    "sign",
    "sign_checkpoint",
]

CHECKPOINT: Final = "seal-tracker.ledger.checkpoint+jws"
"""The type in a checkpoint's header: nothing else that this key signs can pass for one."""

PARTS: Final = 3
HASH_BYTES: Final = 32

_encode: Final = msgspec.json.Encoder().encode


class CheckpointError(ValueError):
    """A checkpoint that is none, or whose signature does not hold."""


class StoredCheckpoint(NamedTuple):
    """A checkpoint as it is stored: the number of its link, when it was signed, the JWS."""

    number: int
    signed_ms: int
    jws: str


class Checkpoint(NamedTuple):
    """What a checkpoint says, its signature found to hold: ``key`` is the raw public key that made it."""

    ledger: str
    number: int
    hash: bytes
    time: str
    key: bytes


class _Key(msgspec.Struct):
    """A public key (RFC 8037)."""

    x: str


class _Header(msgspec.Struct):
    typ: str
    jwk: _Key


class _Payload(msgspec.Struct):
    ledger: str
    number: int
    hash: str
    time: str


def sign(key: Ed25519PrivateKey, typ: str, payload: dict[str, Any]) -> str:
    """The JWS of a payload; its header brings the type and the public key."""
    jwk = {"crv": "Ed25519", "kty": "OKP", "x": _base64(public_bytes(key))}
    header = _encode({"alg": "EdDSA", "jwk": jwk, "typ": typ})
    signed = f"{_base64(header)}.{_base64(_encode(payload))}"
    return f"{signed}.{_base64(key.sign(signed.encode()))}"


def sign_checkpoint(key: Ed25519PrivateKey, ledger: str, head: Head, now_ms: int) -> StoredCheckpoint:
    """The checkpoint of a chain that ends at ``head``; ``ledger`` names it, as events' ``source`` does."""
    said = {"ledger": ledger, "number": head.number, "hash": head.hash.hex(), "time": iso_ms(now_ms)}
    return StoredCheckpoint(head.number, now_ms, sign(key, CHECKPOINT, said))


def read_checkpoint(jws: str) -> Checkpoint:
    """What a checkpoint says.

    Raises
    ------
    CheckpointError
        It is none, or its signature is not its key's. Whose key that is, is the caller's to ask.
    """
    parts = jws.strip().split(".")
    if len(parts) != PARTS:
        raise CheckpointError(f"{jws[:40]!r}: a checkpoint is three words with dots between")
    try:
        header = msgspec.json.decode(_bytes(parts[0]), type=_Header)
        payload = msgspec.json.decode(_bytes(parts[1]), type=_Payload)
        key, digest = _bytes(header.jwk.x), bytes.fromhex(payload.hash)
        if header.typ != CHECKPOINT or len(digest) != HASH_BYTES:
            raise CheckpointError(f"{jws[:40]!r}: signed for something else than a checkpoint")
        Ed25519PublicKey.from_public_bytes(key).verify(
            _bytes(parts[2]), f"{parts[0]}.{parts[1]}".encode("ascii")
        )
    except InvalidSignature as error:
        raise CheckpointError(f"{jws[:40]!r}: the signature does not hold") from error
    except (msgspec.MsgspecError, binascii.Error, ValueError) as error:
        if isinstance(error, CheckpointError):
            raise
        raise CheckpointError(f"{jws[:40]!r}: not a checkpoint: {error}") from error
    return Checkpoint(payload.ledger, payload.number, digest, payload.time, key)


def public_bytes(key: Ed25519PrivateKey) -> bytes:
    """The 32 bytes of the public key."""
    return key.public_key().public_bytes_raw()


def fingerprint(key: bytes) -> str:
    """What people compare of a raw public key: its SHA-256 in hex."""
    return sha256(key).hexdigest()


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
