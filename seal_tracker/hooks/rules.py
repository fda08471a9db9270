"""What a webhook is sent, when it is tried again, when it is given up, and where it may lead. Pure; time is an argument."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from seal_tracker.hooks.rows import HookRow, Progress

__all__ = ["after_failure", "after_success", "is_public", "pause_ms", "refusal_of", "wanted"]

FIRST_PAUSE_MS: Final = 5_000
LONGEST_PAUSE_MS: Final = 3_600_000
"""Tries come 5 s, 10 s, 20 s … apart, an hour at most."""

MOST_FAILURES: Final = 16
"""Tries in a row before it is given up: some 8 hours, a working day of somebody's outage."""

GONE: Final = 410
"""The receiver says that it wants no more, which it is believed at once."""

MOST_ERROR_CHARS: Final = 300


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


def is_public(address: str) -> bool:
    """Whether an IP address is one of the open internet: not private, loopback, link-local, multicast or reserved."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(ip, "ipv4_mapped", None)
    found = mapped or ip
    return found.is_global and not found.is_multicast


def refusal_of(url: str, *, private: bool) -> str | None:
    """Why a webhook may not lead to a URL, or None. Names are looked up, and looked at again, when something is sent."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
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
