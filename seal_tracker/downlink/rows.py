"""Commands as rows, and which of them are listed. No behaviour."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

__all__ = ["CommandRow"]


class CommandRow(NamedTuple):
    """A command as it stands; ``body`` is the command as JSON.

    ``due_ms`` is when the clock looks at it next; None: it has come to an end, or nothing more is waited for.
    """

    id: UUID
    version: int
    kind: str
    state: str
    seal: str
    journey: str | None
    unit: str | None
    requested_ms: int
    due_ms: int | None
    body: bytes
