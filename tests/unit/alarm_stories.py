"""Episodes, their events and the alarms that they make, for the tests named ``test_alarm*``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from uuid import UUID

import msgspec

from seal_tracker.alarms.deadlines import DEFAULT_TERMS
from seal_tracker.alarms.derive import Derived, derived
from seal_tracker.alarms.life_cycle import Act, taken
from seal_tracker.alarms.of_episodes import first_alarm_id
from seal_tracker.alarms.rows import alarm_in, row_of
from seal_tracker.alarms.states import Verb
from seal_tracker.alarms.surroundings import Surroundings
from seal_tracker.model import Episode, Event, Transition, episode_id, event_id
from seal_tracker.publishing.cloudevents import AlarmState
from seal_tracker.store.records import AlarmRow

T = 1_795_316_400_000
MINUTE = 60_000


def episode(start_s: float = 0, **changes: Any) -> Episode:
    """A silence of ten minutes that goes on, of one journey; others by what is changed."""
    start_ms = T + round(start_s * 1000)
    fields: dict[str, Any] = {
        "type": "SIGNAL_LOST",
        "severity": "high",
        "subject_kind": "journey",
        "subject": "J-1",
        "journey": "J-1",
        "seal": "S-1",
        "object": None,
        "started_at_ms": start_ms,
        "raised_at_ms": start_ms + 10 * MINUTE,
        "ended_at_ms": None,
        "cleared_at_ms": None,
        "inferred": False,
        "latched": False,
        "evidence": {},
        "plan_version": 1,
        "changed_ms": T,
        "settled_ms": None,
    } | changes
    own = episode_id("live", f"journey/{fields['subject']}", fields["type"], fields["object"], start_ms)
    return Episode(**{"episode": own} | fields)


def over(of: Episode, after_s: float = 0) -> Episode:
    """The episode once it has ended, so long after it was raised."""
    end_ms = of.raised_at_ms + round(after_s * 1000)
    return msgspec.structs.replace(of, ended_at_ms=end_ms, cleared_at_ms=end_ms)


def event(
    of: Episode,
    transition: Transition,
    revision: int = 1,
    references: tuple[UUID, ...] = (),
    *,
    late: bool = False,
    recorded_ms: int | None = None,
) -> Event:
    """A transition of an episode, recorded when it was raised unless told otherwise."""
    return Event(
        id=event_id(of.episode, revision), sequence=revision, space="live", episode=of, transition=transition,
        revision=revision, time_ms=of.raised_at_ms, late=late, references=references,
        recorded_ms=of.raised_at_ms if recorded_ms is None else recorded_ms,
    )  # fmt: skip


class Board:
    """Alarms as a service keeps them, its events committed one by one."""

    def __init__(self, around: Surroundings | None = None) -> None:
        self.around = around or Surroundings()
        self.rows: dict[UUID, AlarmRow] = {}
        self.passages: list[str] = []

    def hear(self, *events: Event) -> Board:
        """Commit events one by one."""
        for one in events:
            self.commit([one])
        return self

    def commit(self, events: list[Event]) -> Derived:
        """Commit events together."""
        concerned = {e.episode.episode for e in events} | {r for e in events for r in e.references}
        first = {first_alarm_id(e.episode.episode) for e in events}
        existing = [r for r in self.rows.values() if concerned.intersection(r.episodes) or r.id in first]
        open_ = [row for row in self.rows.values() if row.state != "closed"]
        beginnings = [row for row in self.rows.values() if row.begins]
        found = derived(events, existing, replace(self.around, alike=open_, beginnings=beginnings))
        self.rows |= found.rows
        self.passages += [passage.name for passage in found.passages]
        return found

    def act(self, verb: Verb, row: AlarmRow, at_ms: int = T + 20 * MINUTE, **said: Any) -> AlarmState:
        """Have an officer do something."""
        after = done(alarm_in(row), verb, at_ms, **said)
        self.rows[row.id] = row_of(after, row.episodes)
        return after

    @property
    def all(self) -> list[AlarmState]:
        """Every alarm, in the order in which they were made."""
        return [alarm_in(row) for row in self.rows.values()]

    @property
    def only(self) -> AlarmState:
        """The only alarm there is."""
        (alarm,) = self.all
        return alarm

    def row(self, alarm: AlarmState | None = None) -> AlarmRow:
        return self.rows[UUID((alarm or self.only).alarm)]


def done(
    alarm: AlarmState, verb: Verb, at_ms: int = T + 20 * MINUTE, by: str = "an", **said: Any
) -> AlarmState:
    """The alarm after an officer's act."""
    return taken(alarm, Act(verb=verb, by=by, role="operator", at_ms=at_ms, **said), DEFAULT_TERMS)


def raised(**changes: Any) -> AlarmState:
    """A new alarm."""
    return Board().hear(event(episode(**changes), "raised")).only


def states(board: Iterable[AlarmState]) -> list[str]:
    return [alarm.state for alarm in board]
