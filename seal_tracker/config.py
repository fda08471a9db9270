"""Settings of the service: environment variables ``SEAL_TRACKER_…`` over a TOML file over defaults. Immutable.

A bad setting stops the start with its name, its value and what was expected.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from seal_tracker.alarms.deadlines import DEFAULT_TERMS, Term, Terms
from seal_tracker.publishing.errors import TopicError
from seal_tracker.publishing.topics import check_id
from seal_tracker.situations.kinds import DEFAULT_KINDS, ORGANISATION, Kind, Kinds

__all__ = ["PREFIX", "ConfigError", "Settings", "load_settings", "split_address"]

PREFIX = "SEAL_TRACKER_"
FILE_VARIABLE = f"{PREFIX}CONFIG"


class ConfigError(ValueError):
    """A setting is missing or wrong; the text names it, its value and what was expected."""


def _an_id(value: str) -> str:
    try:
        return check_id(value)
    except TopicError as fault:
        raise ValueError(str(fault)) from fault


def split_address(value: str) -> tuple[str, int]:
    """HOST and PORT of ``HOST:PORT``; ``[::1]:80`` for IPv6.

    Raises
    ------
    ConfigError
        It is not of that form.
    """
    host, colon, port = value.rpartition(":")
    if not colon or not port.isdigit() or int(port) > 65535:  # noqa: PLR2004 - the greatest port there is
        raise ConfigError(f"{value!r}: expected HOST:PORT with a port of 0 to 65535 (0: any free one)")
    return host.strip("[]") or "127.0.0.1", int(port)


def _an_address(value: str) -> str:
    try:
        split_address(value)
    except ConfigError as fault:
        raise ValueError(str(fault)) from fault
    return value


def _a_url(value: str) -> str:
    if re.fullmatch(r"https?://[^/\s?#]+(/[^\s?#]*)?", value) is None:
        raise ValueError("write https://HOST, without parameters")
    return value.rstrip("/")


def _a_kind(value: str) -> str:
    if re.fullmatch(r"[a-z][a-z0-9_]{0,63}", value) is None:
        raise ValueError("a kind is a-z, then a-z 0-9 _, 64 at most")
    return value


KEPT_DAYS_LEAST: Final = 400
"""A clock is believed up to a year behind: pings that can still come late, and be judged, need those around them."""


class AlarmDeadline(BaseModel):
    """How many minutes an alarm of one severity may wait."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    acknowledge_min: float = Field(gt=0, le=10_080)
    close_min: float = Field(gt=0, le=525_600)


class SituationKind(BaseModel):
    """The names of a kind of special situations, and whether few alone see them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    vi: str = Field(min_length=1, max_length=100)
    en: str = Field(min_length=1, max_length=100)
    restricted: bool = False


class Settings(BaseSettings):
    """Everything that can be set. Names are ``SEAL_TRACKER_`` and the field in capitals, or the field in the file."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    tenant: Annotated[str, AfterValidator(_an_id)] = Field(
        "demo", description="whose seals these are; part of every topic"
    )
    instance: Annotated[str, AfterValidator(_an_id)] = Field(
        "main", description="this service's name on svc/…"
    )
    database_dsn: SecretStr | None = Field(None, description="postgresql://… of the service's own role")
    mqtt_host: str | None = Field(None, description="the MQTT broker")
    mqtt_port: int = Field(1883, ge=1, le=65535)
    mqtt_username: str | None = None
    mqtt_password: SecretStr | None = None
    mqtt_tls: bool = Field(
        default=False, description="TLS to the broker, checked against the system's authorities"
    )
    mqtt_ca_file: Path | None = Field(
        None, description="authorities in PEM that the broker is checked against instead"
    )
    mqtt_certificate: Path | None = Field(
        None, description="our certificate in PEM, for a broker that asks for one"
    )
    mqtt_key: Path | None = Field(None, description="its key in PEM, without a password")
    nats_host: str | None = Field(
        None, description="where NATS asks who seals are (authorization call-out); unset: it does not"
    )
    nats_port: int = Field(4222, ge=1, le=65535)
    nats_system_username: str = "system"
    nats_system_password: SecretStr | None = None
    nats_issuer_seed: SecretStr | None = Field(
        None, description="key of the call-out; seal-tracker nats-key makes one"
    )
    mosquitto_seals_file: Path | None = Field(
        None, description="where Mosquitto's start script finds seals' own accounts; unset: it does not look"
    )
    broker_log: Path | None = Field(
        None, description="the broker's log, from which refused messages are counted"
    )
    http: Annotated[str, AfterValidator(_an_address)] = Field(
        "127.0.0.1:8080", description="HOST:PORT to serve on"
    )
    https_certificate: Path | None = Field(
        None, description="certificate chain in PEM: HTTPS is served, not HTTP"
    )
    https_key: Path | None = Field(None, description="its key in PEM, without a password")
    gateway_certificate: Path | None = Field(
        None, description="certificate chain in PEM that `seal-tracker gateway --listen-tls` shows to devices"
    )
    gateway_key: Path | None = Field(None, description="its key in PEM, without a password")
    gateway_client_ca: Path | None = Field(
        None, description="authorities in PEM: a device must show a certificate that one of them signed"
    )
    https_in_front: bool = Field(
        default=False,
        description="a proxy serves us by https: cookies are then Secure, and its X-Forwarded-For is heard",
    )
    plan: Path | None = Field(None, description="plan folder imported at the start when it has changed")
    ledger_key_file: Path | None = Field(
        None,
        description="Ed25519 key in PEM that signs the ledger; made at the first start where it is not there",
    )
    accounts_file: Path | None = Field(
        None, description="accounts with hashed passwords and tokens, imported at the start"
    )
    keep_pings_days: int | None = Field(
        None,
        ge=KEPT_DAYS_LEAST,
        description="days after which whole weeks of pings are dropped; unset: none ever is",
    )
    tile_url: str | None = Field(
        None, description="raster tiles https://…/{z}/{x}/{y}.png; unset: the offline basemap"
    )
    basemap: Path | None = Field(
        None, description="names and boundary lines of the basemap; unset: Viet Nam's"
    )
    commands: bool = Field(
        default=False,
        description="seals are commanded: supervisors ask and approve, seals with accounts of their own obey; off: no seal may read anything",
    )
    commands_position_alone: bool = Field(
        default=False, description="a position is asked for without a second supervisor; all else never is"
    )
    organisation: dict[str, str] = Field(
        default_factory=lambda: dict(ORGANISATION),
        min_length=1,
        description="the organisation's name on reports, by language",
    )
    seals_registered_only: bool = Field(
        default=False, description="of seals those alone are armed that are registered (/api/v1/seal-assets)"
    )
    situation_kinds: dict[Annotated[str, AfterValidator(_a_kind)], SituationKind] = Field(
        default_factory=lambda: {
            name: SituationKind(vi=kind.vi, en=kind.en, restricted=kind.restricted)
            for name, kind in DEFAULT_KINDS.items()
        },
        description="kinds of special situations: id, names in Vietnamese and English, whether few alone see them; given, it is the whole list",
    )
    tickets_by_themselves: bool = Field(
        default=True,
        description="equipment that is down for long gets a ticket by itself; off: by hand alone",
    )
    ticket_after_min: float = Field(
        15, ge=0, le=10_080, description="minutes that it must be down before it does"
    )
    probe_networks: str = Field(
        "",
        description="networks whose equipment is asked by HTTP or RTSP, as 10.20.0.0/16, fd00::/8; empty: none is",
    )
    probe_credentials_file: Path | None = Field(
        None, description="TOML with username and password by the id of equipment, and for default"
    )
    webhook_private: bool = Field(
        default=False, description="webhooks may lead to private addresses, and go by http"
    )
    webhooks_per_account: int = Field(
        20, ge=0, le=1000, description="webhooks that one account may have at once; each is sent by itself"
    )
    public_url: Annotated[str, AfterValidator(_a_url)] | None = Field(
        None,
        description="https://… by which people reach the service, for links in mail; unset: none is whole",
    )
    smtp_host: str | None = Field(
        None, description="whom mail (escalations, reports) is given to; unset: no mail"
    )
    smtp_port: int = Field(587, ge=1, le=65535)
    smtp_sender: str = Field("seal-tracker@localhost", description="the address mail comes from")
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    alarm_deadlines: dict[Literal["critical", "high", "medium", "low"], AlarmDeadline] = Field(
        default_factory=lambda: {
            severity: AlarmDeadline(acknowledge_min=term.acknowledge_s / 60, close_min=term.close_s / 60)
            for severity, term in DEFAULT_TERMS.items()
        },
        validate_default=True,
        description="by when alarms must be acknowledged and closed, in minutes; severities left out keep their defaults",
    )
    log_format: Literal["text", "json"] = "json"
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @property
    def alarm_terms(self) -> Terms:
        """By when alarms must be dealt with, by severity."""
        set_: dict[str, Term] = {
            s: Term(d.acknowledge_min * 60, d.close_min * 60) for s, d in self.alarm_deadlines.items()
        }
        return {**DEFAULT_TERMS, **set_}

    @property
    def kinds(self) -> Kinds:
        """Kinds of special situations."""
        return {name: Kind(kind.vi, kind.en, kind.restricted) for name, kind in self.situation_kinds.items()}

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Command line, then environment, then the TOML file."""
        del dotenv_settings, file_secret_settings
        file = os.environ.get(FILE_VARIABLE)
        sources: tuple[PydanticBaseSettingsSource, ...] = (init_settings, env_settings)
        return (*sources, TomlConfigSettingsSource(settings_cls, file)) if file else sources


def load_settings(**given: Any) -> Settings:
    """Settings of this process; ``given`` (not None) win over all.

    Raises
    ------
    ConfigError
        One or more settings are wrong, or one is not known; each is named with its value.
    """
    file = os.environ.get(FILE_VARIABLE)
    if file and not Path(file).is_file():
        raise ConfigError(f"{FILE_VARIABLE}={file}: no such file")
    known = {PREFIX + name.upper() for name in Settings.model_fields} | {FILE_VARIABLE}
    unknown = sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known)
    if unknown:
        raise ConfigError(f"{unknown[0]}: no such setting; known: {', '.join(sorted(known))}")
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as fault:
        raise ConfigError("; ".join(_described(error) for error in fault.errors())) from fault
    except ValueError as fault:
        raise ConfigError(f"{file}: {fault}") from fault


def _described(error: Any) -> str:
    name = ".".join(str(part) for part in error["loc"])
    value = "(hidden)" if "password" in name or "dsn" in name else repr(error.get("input"))
    return f"{PREFIX}{name.upper()}={value}: {error['msg']}"
