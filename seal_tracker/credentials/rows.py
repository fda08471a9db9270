"""What is kept of a seal's MQTT account. No behaviour; times are epoch milliseconds."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["CredentialRow"]


class CredentialRow(NamedTuple):
    """A seal's account: its name is the seal's id. ``digest`` is SHA-256 of the password, which is kept nowhere.

    ``mosquitto`` is the password as Mosquitto's password file has it. ``revoked_ms`` None: it holds.
    """

    seal: str
    digest: bytes
    mosquitto: str
    version: int
    made_ms: int
    changed_ms: int
    revoked_ms: int | None
