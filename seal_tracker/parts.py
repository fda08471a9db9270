"""Where broker and database are: embedded ones, started here, or those that settings name."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from seal_tracker.config import ConfigError, Settings
from seal_tracker.credentials.nats_side import NatsAddress
from seal_tracker.embedded import EmbeddedParts
from seal_tracker.ledger.keys import KeyFileError, load_or_make_key
from seal_tracker.sources.mqtt import Broker
from seal_tracker.tls import broker_context
from seal_tracker.web.account_files import KeptAccounts, read_accounts

__all__ = ["Parts", "external_parts", "open_parts"]

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class SealAccounts:
    """How the broker learns of seals' own accounts: NATS asks us, Mosquitto reads a file; and its log, which tells what it refused."""

    nats: NatsAddress | None
    mosquitto: Path | None
    log: Path | None


@dataclass(frozen=True)
class Parts:
    """Where broker and database are, how seals' own accounts reach the broker, what signs the ledger, and the accounts that a file keeps; None: the database alone does."""

    broker: Broker
    dsn: str
    seals: SealAccounts
    ledger_key: Ed25519PrivateKey
    accounts: KeptAccounts | None
    told: Mapping[str, Mapping[str, str]]


async def open_parts(settings: Settings, embedded: Path | None, stack: AsyncExitStack) -> Parts:
    """Start the parts in ``embedded``, to end with ``stack``; without it, those of the settings.

    Raises
    ------
    ConfigError, AccountsError, EmbeddedError
        They cannot be had.
    """
    if embedded is None:
        return external_parts(settings)
    parts = await stack.enter_async_context(
        EmbeddedParts(
            embedded,
            tenant=settings.tenant,
            listener=lambda part, change: log.info("embedded.part", part=part, change=str(change)),
        )
    )
    service = parts.credentials.service
    accounts = read_accounts(parts.folder / "credentials.json")
    told = {
        name: {"username": a.username, "password": a.password, "token": a.token}
        for name, a in parts.credentials.accounts().items()
    }
    broker = Broker(parts.mqtt.host, parts.mqtt.port, service.username, service.password)
    system = parts.credentials.system
    address = NatsAddress(
        parts.mqtt.host, parts.nats_port, (service.username, service.password), (system.username, system.password),
        parts.credentials.issuer_seed,
    )  # fmt: skip
    seals = SealAccounts(address, None, parts.folder / "nats" / "log.txt")
    return Parts(broker, parts.postgres_dsn, seals, ledger_key(parts.folder / "ledger.key"), accounts, told)


def external_parts(settings: Settings) -> Parts:
    """The broker and database that settings name; `ConfigError` says which settings are missing."""
    names = ("database_dsn", "mqtt_host", "ledger_key_file")
    missing = [f"SEAL_TRACKER_{name.upper()}" for name in names if getattr(settings, name) is None]
    if (
        missing
        or settings.database_dsn is None
        or settings.mqtt_host is None
        or settings.ledger_key_file is None
    ):
        raise ConfigError(f"{', '.join(missing)}: not set; set it, or start with --embedded DIR")
    password = settings.mqtt_password.get_secret_value() if settings.mqtt_password else None
    tls = broker_context(settings)
    broker = Broker(settings.mqtt_host, settings.mqtt_port, settings.mqtt_username, password, tls)
    try:
        accounts = read_accounts(settings.accounts_file) if settings.accounts_file else None
    except OSError as error:
        raise ConfigError(f"SEAL_TRACKER_ACCOUNTS_FILE={settings.accounts_file}: {error.strerror}") from error
    key = ledger_key(settings.ledger_key_file, "SEAL_TRACKER_LEDGER_KEY_FILE=")
    return Parts(broker, settings.database_dsn.get_secret_value(), seal_accounts(settings), key, accounts, {})


def seal_accounts(settings: Settings) -> SealAccounts:
    """How settings say that the broker learns of seals' own accounts; `ConfigError` names what is missing."""
    address = None
    if settings.nats_host:
        needed = ("mqtt_username", "mqtt_password", "nats_system_password", "nats_issuer_seed")
        missing = [f"SEAL_TRACKER_{name.upper()}" for name in needed if getattr(settings, name) is None]
        if missing:
            raise ConfigError(
                f"{', '.join(missing)}: not set, but SEAL_TRACKER_NATS_HOST is; set it, or unset that one"
            )
        password, system, seed = (
            secret.get_secret_value()
            for secret in (settings.mqtt_password, settings.nats_system_password, settings.nats_issuer_seed)
            if secret is not None
        )
        service = (settings.mqtt_username or "", password)
        address = NatsAddress(
            settings.nats_host, settings.nats_port, service, (settings.nats_system_username, system), seed
        )
    return SealAccounts(address, settings.mosquitto_seals_file, settings.broker_log)


def ledger_key(path: Path, named_by: str = "") -> Ed25519PrivateKey:
    """The key that signs the ledger; `ConfigError` says why there is none."""
    try:
        return load_or_make_key(path)
    except KeyFileError as error:
        raise ConfigError(f"{named_by}{error}") from error
