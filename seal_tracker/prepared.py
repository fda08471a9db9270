"""What a batch, the clock or a fact would change, found and not yet true: handed to the pipeline to be committed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from seal_tracker.changes import Change, difference, naming_diversions
from seal_tracker.facts.balance import Line
from seal_tracker.facts.model import EquipmentFact
from seal_tracker.journey import Diversion
from seal_tracker.model import DeadLetter, Episode, PingBatch
from seal_tracker.store.records import Action, Checkpoint
from seal_tracker.timeline import OF_ROUTE

__all__ = ["Prepared"]


@dataclass
class Prepared:
    """What a batch would change. ``before`` and ``after`` are the episodes it could touch, by id.

    ``facts`` of equipment and ``lines`` of balances are stored with it, ``actions`` say who recorded them; ``dead_letters`` are those that do not stand.
    """

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
    facts: Sequence[EquipmentFact] = ()
    lines: Sequence[Line] = ()
    lines_gone: Sequence[str] = ()
    actions: Sequence[Action] = ()
    dead_letters: Sequence[DeadLetter] = ()

    def changes(self) -> list[Change]:
        """Transitions, in the order of event time."""
        return naming_diversions(difference(self.before, self.after), self.diverted, OF_ROUTE)

    def parts(self, at_once: int) -> list[Prepared]:
        """The same in parts, to be committed in their order: none changes many more than ``at_once`` episodes, the last installs.

        A subject's episodes stay together. An outage that a thousand seals fall into is so told without holding up what
        comes behind it, and without its size in memory. Where one is not committed, the seals must be forgotten.
        """
        groups: list[set[str]] = [set()]
        size = 0
        for subject, n in Counter(change.episode.subject for change in self.changes()).items():
            if size and size + n > at_once:
                groups.append(set())
                size = 0
            groups[-1].add(subject)
            size += n
        first = [
            Prepared(
                before={key: e for key, e in self.before.items() if e.subject in subjects},
                after={key: e for key, e in self.after.items() if e.subject in subjects},
                revisions=self.revisions,
                late_before_ms=self.late_before_ms,
                diverted=self.diverted,
            )
            for subjects in groups[:-1]
        ]
        told = set[str]().union(*groups[:-1])
        rest = (
            {key: e for key, e in episodes.items() if e.subject not in told}
            for episodes in (self.before, self.after)
        )
        return [*first, replace(self, before=next(rest), after=next(rest))] if first else [self]

    def install(self) -> None:
        """Make it so in memory; call once, after the commit stands."""
        for one in self.installs:
            one()
