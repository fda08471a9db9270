"""The key that signs the ledger: a PEM file that only its owner reads. ``openssl genpkey -algorithm ed25519`` makes such a one too."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

__all__ = ["KeyFileError", "load_or_make_key", "public_pem", "read_public_key"]


class KeyFileError(ValueError):
    """A key file that cannot be used; the message names it and what was expected."""


def load_or_make_key(path: Path) -> Ed25519PrivateKey:
    """The signing key of a file, made at the first start. Its folder must be there.

    Raises
    ------
    KeyFileError
        The file holds no Ed25519 key, or can be neither read nor made.
    """
    try:
        if not path.exists():
            _make(path)
        key = load_pem_private_key(path.read_bytes(), None)
    except OSError as error:
        raise KeyFileError(
            f"{path}: the ledger's key can be neither read nor made: {error.strerror}"
        ) from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyFileError(f"{path}: expected a private key in PEM, without a password: {error}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFileError(f"{path}: expected an Ed25519 key; `openssl genpkey -algorithm ed25519` makes one")
    return key


def read_public_key(path: Path) -> bytes:
    """The raw public key of a PEM file, which may hold the public or the private one.

    Raises
    ------
    KeyFileError
        It holds neither.
    """
    try:
        content = path.read_bytes()
        key = (
            load_pem_public_key(content)
            if b"PUBLIC KEY" in content
            else load_pem_private_key(content, None).public_key()
        )
    except OSError as error:
        raise KeyFileError(f"{path}: {error.strerror}") from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyFileError(f"{path}: expected an Ed25519 key in PEM: {error}") from error
    if not isinstance(key, Ed25519PublicKey):
        raise KeyFileError(f"{path}: expected an Ed25519 key in PEM")
    return key.public_bytes_raw()


def public_pem(key: bytes) -> str:
    """A raw public key as PEM."""
    made = Ed25519PublicKey.from_public_bytes(key)
    return made.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def _make(path: Path) -> None:
    """Write a new key; a crash leaves the whole file or none."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    made = Ed25519PrivateKey.generate()
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
