"""TLS of the three doors: HTTPS here, MQTT to the broker, devices at the gateway. What cannot be used stops the start, with the setting and its value."""

from __future__ import annotations

import ssl
from pathlib import Path

from seal_tracker.config import PREFIX, ConfigError, Settings

__all__ = ["broker_context", "gateway_context", "server_context"]


def server_context(settings: Settings) -> ssl.SSLContext | None:
    """What HTTPS is served with; None: HTTP is served.

    Raises
    ------
    ConfigError
        A file is missing, is none of its kind, or does not fit the other.
    """
    certificate, key = settings.https_certificate, settings.https_key
    if certificate is None and key is None:
        return None
    require_both(settings, "https_certificate", "https_key")
    assert certificate is not None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    load_pair(context, certificate, key, "https_certificate", "https_key")
    return context


def broker_context(settings: Settings) -> ssl.SSLContext | None:
    """How the broker is met: its certificate checked against ``mqtt_ca_file``, else the system's authorities; None: without TLS.

    Raises
    ------
    ConfigError
        As ``server_context``; or a file is set and TLS is not.
    """
    if not settings.mqtt_tls:
        for name in ("mqtt_ca_file", "mqtt_certificate", "mqtt_key"):
            if (path := getattr(settings, name)) is not None:
                raise ConfigError(f"{said(name, path)}: set, but {PREFIX}MQTT_TLS is not; set it to true")
        return None
    if settings.mqtt_ca_file is not None:
        readable("mqtt_ca_file", settings.mqtt_ca_file)
    try:
        context = ssl.create_default_context(cafile=settings.mqtt_ca_file)
    except ssl.SSLError as error:
        path = settings.mqtt_ca_file
        raise ConfigError(f"{said('mqtt_ca_file', path)}: not certificates in PEM: {error.reason}") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.mqtt_certificate is not None or settings.mqtt_key is not None:
        require_both(settings, "mqtt_certificate", "mqtt_key")
        assert settings.mqtt_certificate is not None
        load_pair(context, settings.mqtt_certificate, settings.mqtt_key, "mqtt_certificate", "mqtt_key")
    return context


def gateway_context(settings: Settings) -> ssl.SSLContext | None:
    """What devices over TLS are met with; None: nothing is set. With an authority they must show a certificate that it signed.

    Raises
    ------
    ConfigError
        As ``server_context``; or an authority is set without a certificate, or is none.
    """
    certificate, authority = settings.gateway_certificate, settings.gateway_client_ca
    if certificate is None and settings.gateway_key is None and authority is None:
        return None
    require_both(settings, "gateway_certificate", "gateway_key")
    assert certificate is not None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    load_pair(context, certificate, settings.gateway_key, "gateway_certificate", "gateway_key")
    if authority is not None:
        readable("gateway_client_ca", authority)
        try:
            context.load_verify_locations(authority)
        except ssl.SSLError as error:
            said_ca = said("gateway_client_ca", authority)
            raise ConfigError(f"{said_ca}: not certificates in PEM: {error.reason}") from error
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def require_both(settings: Settings, *names: str) -> None:
    """Refuse one without the other, and files that are not there."""
    for name in names:
        path: Path | None = getattr(settings, name)
        if path is None:
            (other,) = (n for n in names if n != name)
            raise ConfigError(
                f"{PREFIX}{name.upper()}: not set, but {said(other, getattr(settings, other))} is"
            )
        readable(name, path)


def load_pair(
    context: ssl.SSLContext, certificate: Path, key: Path | None, certificate_name: str, key_name: str
) -> None:
    """Take a certificate and its key."""
    try:
        context.load_cert_chain(certificate, key, password=no_password)
    except ssl.SSLError as error:
        raise ConfigError(
            f"{said(certificate_name, certificate)} and {said(key_name, key)}: not a certificate chain and its unencrypted "
            f"key in PEM: {error.reason or error}"
        ) from error
    except NotImplementedError as error:
        raise ConfigError(f"{said(key_name, key)}: it is encrypted; give one without a password") from error


def no_password() -> str:
    """Asked for the password of an encrypted key; else OpenSSL would ask on the terminal."""
    raise NotImplementedError


def readable(name: str, path: Path) -> None:
    """Refuse a file that cannot be read."""
    try:
        path.open("rb").close()
    except OSError as error:
        raise ConfigError(f"{said(name, path)}: {error.strerror}") from error


def said(name: str, path: Path | None) -> str:
    """A setting and its value."""
    return f"{PREFIX}{name.upper()}={path}"
