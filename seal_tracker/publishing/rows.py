"""What the outbox publisher handles: rows, the store they wait in, the queue of one subject. No behaviour."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

from seal_tracker.sources.link import LinkStatus

__all__ = ["NOT_STORED", "OutboxRow", "OutboxStore", "PublisherStatus", "StateRow", "SubjectQueue"]

NOT_STORED: Final = 0
"""Row id of a retained state, which is not in the outbox."""


class OutboxRow(Protocol):
    """A row of the outbox. Ids ascend in commit order."""

    @property
    def id(self) -> int: ...  # noqa: D102
    @property
    def subject(self) -> str: ...  # noqa: D102
    @property
    def topic(self) -> str: ...  # noqa: D102
    @property
    def payload(self) -> bytes: ...  # noqa: D102
    @property
    def retain(self) -> bool: ...  # noqa: D102


class OutboxStore(Protocol):
    """What the publisher needs of the store."""

    async def outbox_pending(self, after_id: int, limit: int) -> Sequence[OutboxRow]:
        """Rows with greater ids, ascending, at most ``limit``."""

    async def outbox_done(self, ids: Sequence[int]) -> None:
        """Delete rows that the broker has acknowledged."""


@dataclass(frozen=True, slots=True)
class PublisherStatus:
    """What can be seen from outside: the link, rows in memory, publishes in flight, and subjects that are held."""

    link: LinkStatus
    waiting: int
    in_flight: int
    held: dict[str, str]
    published: int


class StateRow(NamedTuple):
    """A retained state, on its own topic's queue."""

    id: int
    subject: str
    topic: str
    payload: bytes
    retain: bool


@dataclass(slots=True)
class SubjectQueue:
    """Rows of one subject in order; the first is in flight while ``mid`` is its packet id."""

    rows: deque[OutboxRow] = field(default_factory=deque)
    mid: int | None = None
    sent_s: float = 0.0
