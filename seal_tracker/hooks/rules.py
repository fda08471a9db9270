"""What a webhook is sent, when it is tried again, when it is given up, and where it may lead. Pure; time is an argument."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from yarl import URL

from seal_tracker.hooks.rows import HookRow, Progress

__all__ = ["after_failure", "after_success", "is_public", "narrowed", "pause_ms", "refusal_of", "wanted"]

FIRST_PAUSE_MS: Final = 5_000
LONGEST_PAUSE_MS: Final = 3_600_000
"""Tries come 5 s, 10 s, 20 s … apart, an hour at most."""

MOST_FAILURES: Final = 16
"""Tries in a row before it is given up: some 8 hours, a working day of somebody's outage."""

GONE: Final = 410
"""The receiver says that it wants no more, which it is believed at once."""

MOST_ERROR_CHARS: Final = 300

GLOBAL_UNICAST: Final = ipaddress.IPv6Network("2000::/3")
"""All that IANA has given out for hosts; what is outside is site-local, unique local, mapped, translated or not given out at all."""

NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
SPECIAL: Final = tuple(map(ipaddress.ip_network, ("192.0.0.0/24", "3fff::/20")))
"""Kept for protocols and for documentation (IANA's registries of special addresses), which older versions of Python do not know of:
at 192.0.0.192 a cloud tells a machine its own secrets."""


def wanted(hook: HookRow, event: Mapping[str, Any]) -> bool:
    """Whether a CloudEvent passes the hook's filters. ``types`` are rules (``SEAL_TAMPER``) or ``ALARM``."""
    properties = event["data"]["properties"]
    return (
        (not hook.types or properties.get("event") in hook.types)
        and (not hook.severities or event.get("severitytext") in hook.severities)
        and (
            hook.units is None
            or any(properties.get(whose) in hook.units for whose in ("unit", "responsible"))
        )
    )


def after_success(progress: Progress, sequence: int, now_ms: int) -> Progress:
    """The progress once an event was taken."""
    return progress._replace(
        sequence=sequence, delivered=progress.delivered + 1, failures=0, due_ms=now_ms, gave_up_ms=None,
        last_success_ms=now_ms, last_error=None,
    )  # fmt: skip


def after_failure(progress: Progress, status: int | None, why: str, now_ms: int) -> Progress:
    """The progress once an event was not taken; ``status`` None: there was no answer."""
    failures = progress.failures + 1
    given_up = failures >= MOST_FAILURES or status == GONE
    return progress._replace(
        failures=failures, due_ms=now_ms + pause_ms(failures, FIRST_PAUSE_MS, LONGEST_PAUSE_MS), gave_up_ms=now_ms if given_up else None,
        last_failure_ms=now_ms, last_error=why[:MOST_ERROR_CHARS],
    )  # fmt: skip


def pause_ms(failures: int, first_ms: int, longest_ms: int) -> int:
    """How long to wait after so many failures in a row: twice as long each time, up to the longest."""
    return min(first_ms << min(failures - 1, 20), longest_ms)


def narrowed(units: Collection[str] | None, seen: Collection[str] | None) -> tuple[str, ...] | None:
    """Units whose events are sent: those asked for when the webhook was made, as far as its owner sees them now; None: all."""
    if seen is None:
        return None if units is None else tuple(units)
    return tuple(sorted(seen if units is None else set(units) & set(seen)))


def is_public(address: str) -> bool:
    """Whether an IP address is one of the open internet: not private, loopback, link-local, multicast or reserved.

    An IPv6 address that a gateway turns into an IPv4 one is judged by that.
    """
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        inner = _ipv4_in(ip)
        if inner is None:
            return ip in GLOBAL_UNICAST and ip.is_global and not any(ip in net for net in SPECIAL)
        ip = inner
    return ip.is_global and not ip.is_multicast and not any(ip in net for net in SPECIAL)


def _ipv4_in(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that packets to an IPv6 one go to: mapped, 6to4, or by the well-known prefix of NAT64."""
    if ip in NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour


def refusal_of(url: str, *, private: bool) -> str | None:
    """Why a webhook may not lead to a URL, or None. Names are looked up, and looked at again, when something is sent."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
        URL(url)  # as the client reads it, which must be able to
    except ValueError as error:
        return f"is not a URL: {error}"
    literal = (host or "").strip("[]")
    is_address = literal.replace(".", "").isdigit() or ":" in literal
    local = (
        literal == "localhost" or literal.endswith(".localhost") or (is_address and not is_public(literal))
    )
    checks = (
        (parts.scheme != "https" and not (private and parts.scheme == "http"), "must begin with https://"),
        (not host or port == 0, "names no host"),
        (
            parts.username or parts.password,
            "must not carry a user or a password: requests are signed instead",
        ),
        (local and not private, "leads to a private address; SEAL_TRACKER_WEBHOOK_PRIVATE=true allows that"),
    )
    return next((why for fault, why in checks if fault), None)
