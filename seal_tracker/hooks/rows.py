"""What is kept of webhooks and mail. No behaviour; times are epoch milliseconds."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

__all__ = ["HookRow", "Mail", "Progress"]


class HookRow(NamedTuple):
    """A webhook as its owner wants it. Empty filters let everything pass; ``units`` None: of all units.

    ``state`` is ``active``, ``paused`` (by a person) or ``removed``.
    """

    id: UUID
    space: str
    url: str
    owner: str
    secret: str
    types: tuple[str, ...]
    severities: tuple[str, ...]
    units: tuple[str, ...] | None
    state: str
    version: int
    created_ms: int
    changed_ms: int


class Progress(NamedTuple):
    """How far a webhook has come: everything up to ``sequence`` is delivered or was not wanted.

    ``failures`` counts tries since the last success; ``gave_up_ms`` is when it was paused for them, None while it is not.
    """

    hook: UUID
    sequence: int
    delivered: int
    failures: int
    due_ms: int
    gave_up_ms: int | None
    last_success_ms: int | None
    last_failure_ms: int | None
    last_error: str | None


class Mail(NamedTuple):
    """A mail about an event, plain text; one an event. ``report`` is a kept report that it brings along, in a language."""

    event: UUID
    recipient: str
    subject: str
    body: str
    created_ms: int
    report: UUID | None = None
    language: str | None = None
