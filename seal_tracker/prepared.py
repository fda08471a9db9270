"""What a batch, the clock or a fact would change, found and not yet true: handed to the pipeline to be committed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from seal_tracker.changes import Change, difference, naming_diversions
from seal_tracker.journey import Diversion
from seal_tracker.model import Episode, PingBatch
from seal_tracker.store.records import Checkpoint
from seal_tracker.timeline import OF_ROUTE

__all__ = ["Prepared"]


@dataclass
class Prepared:
    """What a batch would change. ``before`` and ``after`` are the episodes it could touch, by id."""

    pings: PingBatch = field(default_factory=PingBatch.empty)
    before: dict[UUID, Episode] = field(default_factory=dict)
    after: dict[UUID, Episode] = field(default_factory=dict)
    revisions: dict[UUID, int] = field(default_factory=dict)
    checkpoints: list[Checkpoint] = field(default_factory=list)
    drop_checkpoints: list[tuple[int, int, int]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    late_before_ms: dict[str, int] = field(default_factory=dict)
    installs: list[Callable[[], None]] = field(default_factory=list)
    seals: set[int] = field(default_factory=set)
    diverted: Mapping[str, Sequence[Diversion]] = field(default_factory=dict)

    def changes(self) -> list[Change]:
        """Transitions, in the order of event time."""
        return naming_diversions(difference(self.before, self.after), self.diverted, OF_ROUTE)

    def install(self) -> None:
        """Make it so in memory; call once, after the commit stands."""
        for one in self.installs:
            one()
