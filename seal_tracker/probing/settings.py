"""Which networks may be asked, and with whose credentials, as settings say it. Reads a file; nothing else."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from seal_tracker.config import ConfigError
from seal_tracker.probing.asking import Credentials
from seal_tracker.probing.exchange import Network

__all__ = ["networks_in", "read_credentials"]


def networks_in(text: str) -> list[Network]:
    """Networks written as ``10.20.0.0/16, fd00::/8``; none of an empty text.

    Raises
    ------
    ConfigError
        One of them is none.
    """
    try:
        return [ip_network(part.strip()) for part in text.split(",") if part.strip()]
    except ValueError as error:
        raise ConfigError(
            f"SEAL_TRACKER_PROBE_NETWORKS: {error}; write networks as 10.20.0.0/16, fd00::/8"
        ) from error


def read_credentials(path: Path | None) -> Mapping[str, Credentials]:
    """User and password by the id of equipment, and ``default``, out of a TOML file of such tables.

    Raises
    ------
    ConfigError
        It cannot be read, or is something else; what stands in it is not told.
    """
    if path is None:
        return {}
    try:
        tables: dict[str, Any] = tomllib.loads(path.read_text())
        return {
            name: Credentials(_text(one["username"]), _text(one["password"])) for name, one in tables.items()
        }
    except OSError as error:
        raise ConfigError(f"SEAL_TRACKER_PROBE_CREDENTIALS_FILE={path}: {error.strerror}") from error
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(
            f"SEAL_TRACKER_PROBE_CREDENTIALS_FILE={path}: needs for each piece of equipment, or for default, a table such as "
            '["CAM-1"] with username = "…" and password = "…"'
        ) from error if not isinstance(error, tomllib.TOMLDecodeError) else None


def _text(value: Any) -> str:
    if not isinstance(value, str) or any(c < " " for c in value):
        raise TypeError
    return value
