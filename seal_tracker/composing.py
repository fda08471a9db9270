"""From what was judged, or done by a person, to the commit that stores it: events, alarms, messages, what is counted.

    prepared ─ events (numbered) ─ alarms after them ─ steps as events ─┐
    intake ─── dead letters, ways ──────────────────────────────────────┼─ Commit
    deed ──────────────────────────────────────────────────────────────┘

State: the sequence of the next event, and the ways that are stored.
"""

from __future__ import annotations

from collections import ChainMap, Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol
from uuid import UUID

from seal_tracker.alarming import AlarmStore, alarms_after
from seal_tracker.alarms.deadlines import Terms
from seal_tracker.changes import moved_among, number
from seal_tracker.deeds import Deed, Step
from seal_tracker.intake import SpaceIntake
from seal_tracker.model import Episode, Event
from seal_tracker.prepared import Prepared
from seal_tracker.publishing.cloudevents import cloud_event
from seal_tracker.publishing.messages import alarm_messages, event_messages
from seal_tracker.publishing.steps import step_of, step_row
from seal_tracker.space import SpaceJudge
from seal_tracker.store import Commit, EpisodeRow, EventRow
from seal_tracker.ways import Way, Ways

__all__ = ["Composer", "ComposingStore"]


class ComposingStore(AlarmStore, Protocol):
    """What a commit is composed from, beside the state."""

    async def episodes_of_ids(self, episodes: Iterable[UUID]) -> dict[UUID, EpisodeRow]: ...  # noqa: D102
    async def ways(self, space: str) -> dict[str, Way]: ...  # noqa: D102


class Composer:
    """Composes commits, one after the other has been committed.

    Parameters
    ----------
    next_sequence
        the sequence of the next event.
    clock_ms
        our clock, for ``recordedtime`` only.
    terms
        by when alarms must be dealt with.
    """

    def __init__(
        self,
        store: ComposingStore,
        *,
        tenant: str,
        next_sequence: int,
        clock_ms: Callable[[], int],
        terms: Terms,
    ) -> None:
        self._store = store
        self._tenant = tenant
        self._next_sequence = next_sequence
        self._clock_ms = clock_ms
        self._terms = terms
        self._ways = Ways()

    async def compose(
        self, judging: SpaceJudge, intake: SpaceIntake, prepared: Prepared, deed: Deed
    ) -> Commit | None:
        """Everything one commit holds; None where there is nothing to store."""
        numbered = number(
            prepared.changes(),
            prepared.before,
            prepared.after,
            prepared.revisions,
            space=judging.space,
            next_sequence=self._next_sequence,
            recorded_ms=self._clock_ms(),
            late_before_ms=prepared.late_before_ms,
        )
        told = {
            event.episode.episode for event in numbered.events
        }  # with its revision, though it may be as before
        changed = [
            row
            for row in numbered.episodes
            if row[2] or row[0].episode in told or prepared.before.get(row[0].episode) != row[0]
        ]
        if judging.space not in self._ways:
            self._ways.load(judging.space, await self._store.ways(judging.space))
        ways = self._ways.news(judging.space, intake.pings, intake.seals)
        alarms = await alarms_after(
            self._store,
            judging,
            numbered.events,
            {row.id: row for row in deed.alarms},
            self._terms,
            ChainMap(ways, self._ways.of(judging.space)),
        )
        steps = await self._steps([*deed.steps, *alarms.steps], changed, judging.space, len(numbered.events))
        bodies = [cloud_event(event, self._tenant) for event in numbered.events]
        counts = Counter(prepared.counts)
        counts.update(intake.counts)  # unlike +, keeps what a late ping has taken back
        counts = Counter({name: n for name, n in counts.items() if n})
        commit = Commit(
            space=judging.space,
            pings=prepared.pings if len(prepared.pings) else None,
            dead_letters=[*intake.dead_letters, *prepared.dead_letters],
            episodes=changed,
            moved=moved_among(changed, prepared.before),
            events=numbered.events,
            event_bodies=bodies,
            outbox=[
                *event_messages(zip(numbered.events, bodies, strict=True), self._tenant),
                *alarm_messages(alarms.rows.values(), self._tenant, judging.space),
                *event_messages(((event, row.body) for event, row in steps), self._tenant),
                *deed.outbox,
            ],
            checkpoints=prepared.checkpoints,
            drop_checkpoints=prepared.drop_checkpoints,
            counts=counts,
            alarms=list(alarms.rows.values()),
            steps=[row for _, row in steps],
            actions=[*prepared.actions, *deed.actions, *alarms.actions],
            facts=prepared.facts,
            lines=prepared.lines,
            lines_gone=prepared.lines_gone,
            ways=ways,
            **deed.brought(),
        )
        parts = (
            deed,
            commit.dead_letters,
            changed,
            commit.events,
            counts,
            commit.checkpoints,
            commit.drop_checkpoints,
            commit.facts,
            commit.lines,
            commit.lines_gone,
        )
        return None if commit.pings is None and not any(parts) else commit

    def committed(self, commit: Commit) -> None:
        """A commit stands: the next one's events go on from its."""
        self._next_sequence += len(commit.events) + len(commit.steps)
        self._ways.remember(commit.space, commit.ways)

    async def _steps(
        self,
        steps: Sequence[Step],
        changed: Iterable[tuple[Episode, int, bool]],
        space: str,
        after: int,
    ) -> list[tuple[Event, EventRow]]:
        """Steps of alarms as events, which come after so many others of the same commit."""
        if not steps:
            return []
        known = {row[0].episode: EpisodeRow(*row) for row in changed}
        known |= await self._store.episodes_of_ids(
            {s.alarm.episode for s in steps if s.alarm.episode} - known.keys()
        )
        events = [
            step_of(step, known[step.alarm.episode], sequence, space=space, recorded_ms=self._clock_ms())
            for sequence, step in enumerate(steps, start=self._next_sequence + after)
            if step.alarm.episode is not None
        ]
        return [
            (event, step_row(step, event, self._tenant)) for event, step in zip(events, steps, strict=True)
        ]
