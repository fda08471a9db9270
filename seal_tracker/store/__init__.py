"""Everything the service keeps, in PostgreSQL. ``Store`` is the way in; see its module."""

from seal_tracker.store.errors import (
    CommitRefused,
    SchemaMismatch,
    StoreError,
    StoreUnavailable,
    WriterBusy,
    WriterSuperseded,
)
from seal_tracker.store.records import (
    AlarmRow,
    Checkpoint,
    Commit,
    EpisodePage,
    EpisodeRow,
    KnownPings,
    OutboxMessage,
    PendingMessage,
    PlanVersion,
    Session,
    Space,
    Stats,
    StoredDeadLetter,
    StoredEvent,
)
from seal_tracker.store.store import Store

__all__ = [
    "AlarmRow",
    "Checkpoint",
    "Commit",
    "CommitRefused",
    "EpisodePage",
    "EpisodeRow",
    "KnownPings",
    "OutboxMessage",
    "PendingMessage",
    "PlanVersion",
    "SchemaMismatch",
    "Session",
    "Space",
    "Stats",
    "Store",
    "StoreError",
    "StoreUnavailable",
    "StoredDeadLetter",
    "StoredEvent",
    "WriterBusy",
    "WriterSuperseded",
]
