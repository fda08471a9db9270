"""From events to alarms: one open alarm for each episode that needs a person, under an id that outlives a moved start. Pure.

What a person has made of an alarm stays, whatever becomes of its episode, unless that is taken back: who acknowledged it, to whom it
is assigned, notes, shelf, group, and that it was closed. What late data tells of something already over starts returned, and silent.

*Repeats.* An episode of the same subject, type and object, raised within half an hour of the one before, whose alarm is still open, is
that alarm once more: ``repeats`` rises, and it has to be acknowledged again. While it is shelved or suppressed, every
repeat goes into it and calls nobody: that is what setting aside is for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec

from seal_tracker.alarms.deadlines import ms_of, sooner, with_deadlines
from seal_tracker.alarms.grouping import Beginnings, own_group
from seal_tracker.alarms.of_episodes import (
    alarming,
    as_told,
    changed,
    first_alarm_id,
    new_alarm,
    place_of,
    subject_of,
)
from seal_tracker.alarms.rows import alarm_in, row_of
from seal_tracker.alarms.states import CLOSED, RETURNED, SUPPRESSED, UNACKNOWLEDGED, state_of
from seal_tracker.alarms.surroundings import Surroundings
from seal_tracker.model import Episode, Event, iso_ms
from seal_tracker.publishing.cloudevents import AlarmState
from seal_tracker.store.records import AlarmRow
from seal_tracker.ways import UNKNOWN_WAY

__all__ = ["REPEAT_WITHIN_MS", "Derived", "Passage", "derived"]

UNTOUCHED: Final = (UNACKNOWLEDGED, RETURNED, CLOSED)
"""States that events alone bring about; any other is a person's doing."""

REPEAT_WITHIN_MS: Final = 30 * 60 * 1000
"""What comes back sooner is the same thing going on; later it is news."""

REPEATS_MAX: Final = 1_000
"""After so many an alarm begins anew: one that never rests would else grow for as long as it is suppressed."""

RANKS: Final = ("critical", "high", "medium", "low", "info")


class Passage(NamedTuple):
    """What happened to an alarm without anybody's doing: returned, repeated, reopened, retracted, merged."""

    alarm: UUID
    name: str
    at_ms: int
    detail: dict[str, Any]


@dataclass(slots=True)
class Derived:
    """Alarms as they stand after some events, by id, and what happened to them."""

    rows: dict[UUID, AlarmRow] = field(default_factory=dict)
    passages: list[Passage] = field(default_factory=list)


def derived(
    events: Sequence[Event], existing: Iterable[AlarmRow], around: Surroundings | None = None
) -> Derived:
    """Alarms that some events change; ``existing`` are those of the episodes concerned.

    An episode that takes the place of others takes over an alarm of theirs, that which a person has seen first of all; an
    episode that has one of its own, still open, keeps it. Of two alarms that have become one thing the other closes.
    """
    work = _Work(existing, around or Surroundings())
    for event in events:
        work.take(event)
    return work.done()


class _Work:
    """Alarms while events are gone through."""

    def __init__(self, existing: Iterable[AlarmRow], around: Surroundings) -> None:
        self._around = around
        self._out = Derived()
        self._new: set[UUID] = set()
        # Of several alarms of an episode the open one comes last, and so is the one found.
        rows = sorted(existing, key=lambda row: (row.state != CLOSED, _closed_by_person(row)))
        self._rows = {row.id: row for row in (*around.alike, *rows)}
        self._owner = {episode: row.id for row in rows for episode in _episodes(row)}
        self._beginnings = Beginnings(map(alarm_in, around.beginnings))
        self._alike: dict[tuple[str, str, str | None], list[UUID]] = defaultdict(list)
        for row in self._rows.values():
            self._alike[row.subject, row.type, row.object].append(row.id)

    def take(self, event: Event) -> None:
        """Go through one event."""
        if event.transition == "retracted":
            self._retract(event)
            return
        heirlooms = self._heirlooms(event)
        own = self._own(event.episode)
        old = own
        if own is None or own.state == CLOSED:
            open_ = [row for row in heirlooms if row.state != CLOSED]
            handled = [row for row in (own, *heirlooms) if row is not None and _closed_by_person(row)]
            old = next(iter((*open_, *handled)), own)
        for row in heirlooms:
            if old is None or row.id != old.id:
                self._leave(row, event)
        if old is None and not alarming(event.episode):
            return
        old = old or self._repeated(event)
        self._keep(*(self._opened(event) if old is None else self._gone_on(old, event)))

    def done(self) -> Derived:
        """Give the alarms that have changed; of the new ones, those that were over before anyone knew are silent."""
        for alarm in self._new:
            row = self._out.rows[alarm]
            state = alarm_in(row)
            if state.late and state.state == RETURNED:
                silent = msgspec.structs.replace(state, silent=True)
                opened_ms = ms_of(state.opened_at)
                self._out.rows[alarm] = row_of(
                    with_deadlines(silent, opened_ms, self._around.terms), row.episodes
                )
        return self._out

    def _own(self, episode: Episode) -> AlarmRow | None:
        """The alarm that stands for an episode, or has the id that it would get."""
        return self._rows.get(self._owner.get(episode.episode, first_alarm_id(episode.episode)))

    def _heirlooms(self, event: Event) -> list[AlarmRow]:
        """Alarms of the episodes that the event's has taken the place of, that which a person has seen first."""
        ids = dict.fromkeys(self._owner[old] for old in event.references if old in self._owner)
        for old in event.references:
            self._owner.pop(old, None)
        own = self._owner.get(event.episode.episode)
        return sorted((self._rows[i] for i in ids if i != own), key=_precedence)

    def _leave(self, row: AlarmRow, event: Event) -> None:
        """An alarm loses the episodes that the event's has taken the place of; with the last one it closes."""
        left = tuple(e for e in _episodes(row) if e not in event.references)
        if row.state == CLOSED:
            return
        alarm, at = alarm_in(row), iso_ms(event.recorded_ms)
        if left:
            self._keep(changed(alarm, at, repeats=len(left), episode=left[-1]), left)
            return
        closed = changed(alarm, at, state=CLOSED, code="merged", closed_at=at, escalates_at=None)
        self._keep(closed, _episodes(row))
        self._pass(closed, "merged", event, {"into": str(event.episode.episode)})

    def _retract(self, event: Event) -> None:
        """An episode is taken back; an alarm that stands for no other closes."""
        episode = event.episode.episode
        row = self._rows.get(self._owner.get(episode, UUID(int=0)))
        if row is None or row.state == CLOSED:
            return
        alarm, at = alarm_in(row), iso_ms(event.recorded_ms)
        left = tuple(e for e in row.episodes if e != episode)
        if not left:
            closed = changed(alarm, at, state=CLOSED, code="retracted", closed_at=at, escalates_at=None)
            self._keep(closed, row.episodes)
            self._pass(closed, "retracted", event, {"why": "late data show that it was not so"})
            return
        del self._owner[episode]
        changes: dict[str, Any] = {"repeats": len(left)}
        if alarm.episode == episode:
            # The one before was over when this began.
            over_at = alarm.ended_at or iso_ms(event.episode.raised_at_ms)
            changes |= {"episode": left[-1], "ended_at": over_at}
        after = changed(alarm, at, **changes)
        self._keep(msgspec.structs.replace(after, state=state_of(after)), left)

    def _repeated(self, event: Event) -> AlarmRow | None:
        """The open alarm of which the event raises a repeat."""
        if event.transition != "raised":
            return None
        episode = event.episode
        for alarm_id in self._alike.get((subject_of(episode), episode.type, episode.object), ()):
            row = self._rows[alarm_id]
            if row.state != CLOSED and len(row.episodes) < REPEATS_MAX:
                alarm = alarm_in(row)
                near = abs(episode.raised_at_ms - ms_of(alarm.raised_at)) <= REPEAT_WITHIN_MS
                if near or alarm.shelf is not None or alarm.suppression is not None:
                    return row
        return None

    def _opened(self, event: Event) -> tuple[AlarmState, tuple[UUID, ...]]:
        """A new alarm."""
        episode, around = event.episode, self._around
        opened_ms = event.recorded_ms if around.now_ms is None else max(around.now_ms, episode.raised_at_ms)
        state = new_alarm(
            event,
            opened_ms,
            responsible=around.responsible(place_of(episode), episode.unit),
            declaration=around.declaration(episode.journey),
            way=around.ways.get(episode.seal, UNKNOWN_WAY),
        )
        state = msgspec.structs.replace(state, group=self._beginnings.group_of(state))
        if state.group == own_group(state.alarm):
            self._beginnings.add(state)
        alarm = UUID(state.alarm)
        self._alike[state.subject, state.type, state.object].append(alarm)
        self._new.add(alarm)
        if not (state.late and state.state == RETURNED):
            state = self._suppressed(state, event, opened_ms)
        return with_deadlines(state, opened_ms, around.terms), (episode.episode,)

    def _gone_on(self, row: AlarmRow, event: Event) -> tuple[AlarmState, tuple[UUID, ...]]:
        """An alarm after an event of an episode that it stands for, or does from now on."""
        episode, alarm, at = event.episode, alarm_in(row), iso_ms(event.recorded_ms)
        taken_back = alarm.state == CLOSED and alarm.closed_by is None
        before = () if taken_back else _episodes(row)
        kept = tuple(e for e in before if e not in event.references and e != episode.episode)
        is_repeat = bool(kept) and episode.episode not in before and not event.references
        is_current = alarm.episode == episode.episode or alarm.episode in event.references
        episodes = (*kept, episode.episode)
        if is_repeat and ms_of(alarm.raised_at) <= episode.raised_at_ms:
            return self._once_more(alarm, event), episodes
        if not is_current and kept:  # of an earlier one, or a repeat told late
            stand = tuple(e for e in before if e not in event.references)
            order = stand if episode.episode in stand else (episode.episode, *kept)
            return changed(alarm, at, repeats=len(order)), order
        after = changed(alarm, at, **as_told(episode), repeats=len(episodes))
        if self._comes_back(alarm, event):
            after = self._asking_again(after, event)
            self._pass(after, "reopened", event, {"severity": episode.severity})
        elif alarm.state != CLOSED and _rank(episode.severity) < _rank(alarm.severity):
            after = sooner(after, self._now_ms(event), self._around.terms)
        after = msgspec.structs.replace(after, state=state_of(after))
        if alarm.ended_at is None and after.ended_at is not None and after.state != CLOSED:
            self._pass(after, "returned", event, {"ended_at": after.ended_at})
        return after, episodes

    def _once_more(self, alarm: AlarmState, event: Event) -> AlarmState:
        """The same again: it calls again, unless it is set aside, or over and told late."""
        episode, at = event.episode, iso_ms(event.recorded_ms)
        after = changed(alarm, at, **as_told(episode), repeats=alarm.repeats + 1)
        self._pass(after, "repeated", event, {"repeats": after.repeats, "episode": str(episode.episode)})
        if after.shelf is None and after.suppression is None and alarm.acked_at is not None:
            return self._asking_again(after, event)
        return msgspec.structs.replace(after, state=state_of(after))

    def _asking_again(self, alarm: AlarmState, event: Event) -> AlarmState:
        """An alarm that has to be acknowledged anew; who is at it, and what was noted, stays."""
        cleared: dict[str, Any] = dict.fromkeys(("acked_by", "acked_at", "code", "closing_note", "closed_by"))
        asking = msgspec.structs.replace(alarm, **cleared, closed_at=None, silent=False)
        asking = msgspec.structs.replace(asking, state=state_of(asking))
        asking = self._suppressed(asking, event, self._now_ms(event))
        return with_deadlines(asking, self._now_ms(event), self._around.terms)

    def _suppressed(self, alarm: AlarmState, event: Event, now_ms: int) -> AlarmState:
        """An alarm that would call somebody, suppressed where an order says so."""
        aside = self._around.orders.covering(alarm, now_ms)
        if aside is None:
            return alarm
        self._pass(alarm, SUPPRESSED, event, msgspec.structs.asdict(aside))
        after = msgspec.structs.replace(alarm, suppression=aside, shelf=None)
        return msgspec.structs.replace(after, state=state_of(after))

    @staticmethod
    def _comes_back(alarm: AlarmState, event: Event) -> bool:
        """Whether a closed alarm has to be looked at again.

        One that late data took back, when they bring it again; one that a person closed, when what it stands for is still going on
        and has become worse than it was then.
        """
        if alarm.state != CLOSED:
            return False
        if alarm.closed_by is None:
            return event.transition == "raised" or bool(event.references)
        worse = _rank(event.episode.severity) < _rank(alarm.severity)
        return worse and event.episode.cleared_at_ms is None

    def _now_ms(self, event: Event) -> int:
        return event.recorded_ms if self._around.now_ms is None else self._around.now_ms

    def _keep(self, alarm: AlarmState, episodes: tuple[UUID, ...]) -> None:
        row = row_of(alarm, episodes)
        self._rows[row.id] = self._out.rows[row.id] = row
        self._owner |= dict.fromkeys(episodes, row.id)

    def _pass(self, alarm: AlarmState, name: str, event: Event, detail: dict[str, Any]) -> None:
        self._out.passages.append(Passage(UUID(alarm.alarm), name, event.recorded_ms, detail))


def _episodes(row: AlarmRow) -> tuple[UUID, ...]:
    """What an alarm stands for; of a row of an earlier release the one it names."""
    return row.episodes or (() if row.episode is None else (row.episode,))


def _closed_by_person(row: AlarmRow) -> bool:
    return row.state == CLOSED and alarm_in(row).closed_by is not None


def _precedence(row: AlarmRow) -> tuple[bool, int, str]:
    return row.state in UNTOUCHED, row.raised_at_ms, str(row.id)


def _rank(severity: str) -> int:
    return RANKS.index(severity)
