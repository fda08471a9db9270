"""Where a piece of equipment is asked whether it is there: an address of http, https, rtsp or rtsps, and how often. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple
from urllib.parse import urlsplit

__all__ = ["PORTS", "Probe", "Where", "refusal_of", "where_of"]

PORTS: Final = {"http": 80, "https": 443, "rtsp": 554, "rtsps": 322}
"""Schemes that are asked, and their usual ports (RFC 9110, RFC 7826)."""

MOST_CHARS: Final = 500


@dataclass(frozen=True, slots=True)
class Probe:
    """What is asked, every so many seconds, and how long an answer may take. ``insecure``: whoever answers by TLS is believed unverified."""

    url: str
    every_s: float
    timeout_s: float = 5.0
    insecure: bool = False


class Where(NamedTuple):
    """An address in parts; ``target`` is the path with its query, ``shown`` what may be told of it: a query may hold what is secret."""

    scheme: str
    host: str
    port: int
    target: str
    shown: str


def refusal_of(url: str) -> str | None:
    """Why nothing is asked at a URL, None where it is."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        return f"is not a URL: {error}"
    checks = (
        (parts.scheme not in PORTS, f"must begin with {', '.join(f'{s}://' for s in PORTS)}"),
        (not host or port == 0, "names no host"),
        (
            parts.username is not None or parts.password is not None,
            "must not carry a user or a password: they belong into the file of SEAL_TRACKER_PROBE_CREDENTIALS_FILE",
        ),
        (not url.isascii() or any(c <= " " or c == "\x7f" for c in url), "has characters that are no URL's"),
        (len(url) > MOST_CHARS, f"is longer than {MOST_CHARS} characters"),
    )
    return next((why for fault, why in checks if fault), None)


def where_of(url: str) -> Where:
    """The parts of a URL that is not refused."""
    parts = urlsplit(url)
    assert parts.hostname is not None, "it is not refused"
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    shown = f"{parts.scheme}://{parts.netloc}{parts.path}{'?…' if parts.query else ''}"
    return Where(parts.scheme, parts.hostname, parts.port or PORTS[parts.scheme], target, shown)
