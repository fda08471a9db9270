"""What is told on after a commit: events and alarms to MQTT and the stream, positions to the stream, journeys' states.

State: which seals and journeys have news. Everything runs on the event loop; telling never waits.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any
from uuid import UUID

import msgspec
import numpy as np

from seal_tracker.alarms.states import CLOSED
from seal_tracker.downlink.rows import CommandRow
from seal_tracker.downlink.states import UNDER_WAY
from seal_tracker.journey_record import State, record_of, state_of
from seal_tracker.metrics import EVENTS
from seal_tracker.model import LIVE, Episode, iso_ms
from seal_tracker.pipeline import Committed
from seal_tracker.plans.model import Journey
from seal_tracker.positions import derived_state, led, on_the_way, position_rows, progress_pct
from seal_tracker.publishing.cloudevents import JourneyState, state_payload
from seal_tracker.publishing.outbox import OutboxPublisher
from seal_tracker.publishing.topics import journey_topic
from seal_tracker.space import SpaceJudge
from seal_tracker.store import AlarmRow
from seal_tracker.tracking.phases import Phase
from seal_tracker.web.sse import Hub

__all__ = ["JOURNEY_STATE_EVERY_S", "Teller"]

POSITIONS_EVERY_S = 1.0
JOURNEY_STATE_EVERY_S = 60.0
"""Journeys' progress is published at most this often; what changes their status or alarms at once."""

ROUNDS = round(JOURNEY_STATE_EVERY_S / POSITIONS_EVERY_S)
"""Each round tells its share of the journeys, so that thousands never go out at one moment in front of an alert."""

JOURNEYS_A_MINUTE = 30_000
"""Of more journeys than that under way each one's progress is told every second minute, every third, and so on: a state costs service
and broker together a tenth of a millisecond, and telling of progress must not hold up pings, however many seals are armed."""

TOLD_AT_ONCE = 2_000
"""After a start, the states of so many journeys are told in the first round; of more, each in its own."""

EMPTIED_AT_ONCE = 500
"""After a start, so many states a second of journeys that are over are emptied, for the same reason."""


COMMANDS_KEPT = 100
"""Commands that are over, which who begins to watch is told of: what became of those of this shift."""


class Teller:
    """Tells on what was committed. Call it with each commit, and keep `run` running."""

    def __init__(
        self,
        publisher: OutboxPublisher,
        hub: Hub,
        spaces: Mapping[str, SpaceJudge],
        *,
        tenant: str,
        clock_ms: Callable[[], int],
    ) -> None:
        self._publisher = publisher
        self._hub = hub
        self._spaces = spaces
        self._tenant = tenant
        self._clock_ms = clock_ms
        self._moved: dict[str, set[int]] = defaultdict(set)
        self._progressed: dict[str, list[set[int]]] = defaultdict(lambda: [set() for _ in range(ROUNDS)])
        self._changed: dict[str, set[int]] = defaultdict(set)
        self._told: dict[tuple[str, int], str] = {}
        self._waiting: set[tuple[str, str]] = set()
        self._alarms: dict[UUID, UUID] = {}
        self._commands_over: OrderedDict[str, None] = OrderedDict()

    def __call__(self, done: Committed) -> None:
        """Tell one commit on."""
        self._publisher.put(done.outbox)
        self._moved[done.space] |= done.seals
        self._progress(done.space, done.seals)
        if done.commands:
            self.tell_commands(done.space, done.commands)
        if not (done.events or done.alarms or done.journeys):
            return
        told = [(e.sequence, body) for e, body in zip(done.events, done.bodies, strict=True)]
        told += [(step.sequence, step.body) for step in done.steps]
        if told:
            units: list[tuple[str | None, ...]] = [(e.episode.unit,) for e in done.events]
            units += [(step.unit, step.responsible) for step in done.steps]
            self._hub.publish_events(done.space, told, units)
        for event in done.events:
            EVENTS.labels(done.space, event.episode.type, event.transition).inc()
        self._hub.publish_alarms(
            done.space,
            {
                str(row.id): None if row.state == "closed" else msgspec.Raw(row.body)
                for row in done.alarms.values()
            },
            _units_of(done.alarms.values()),
        )
        self._remember(done.alarms.values())
        judging = self._spaces[done.space]
        self._waiting.difference_update((done.space, name) for name in done.journeys)
        self._waiting.update((done.space, n) for n, state in done.journeys.items() if state == State.DISARMED)
        acted_on = {j.lead for name in done.journeys if (j := judging.journey(name)) is not None}
        seals = acted_on | {e.episode.seal for e in done.events}
        seals |= {row.seal for row in done.alarms.values() if row.seal is not None}
        self._tell_journeys_soon(
            done.space, {judging.numbers[seal] for seal in seals if seal in judging.numbers}
        )

    def _tell_journeys_soon(self, space: str, seals: set[int]) -> None:
        """Tell these seals' journeys' states in the loop's next turn: while the next commit waits for the database, not before it."""
        changed = self._changed[space]
        if not changed:
            asyncio.get_running_loop().call_soon(self._tell_changed, space)
        changed |= seals

    def _tell_changed(self, space: str) -> None:
        seals, self._changed[space] = self._changed[space], set()
        if space in self._spaces:
            self._journeys(self._spaces[space], seals)

    def tell_commands(self, space: str, commands: Collection[CommandRow]) -> None:
        """Tell watchers how commands stand; at a start, those that are under way. Of what is over they keep the newest few."""
        told: dict[str, Any] = {str(row.id): msgspec.Raw(row.body) for row in commands}
        for row in commands:
            if row.state not in UNDER_WAY:
                self._commands_over[str(row.id)] = None
                self._commands_over.move_to_end(str(row.id))
        while len(self._commands_over) > COMMANDS_KEPT:
            told[self._commands_over.popitem(last=False)[0]] = None
        units = {str(row.id): (row.unit,) for row in commands if row.unit is not None}
        self._hub.publish_commands(space, told, units)

    def found_open(self, space: str, alarms: Iterable[AlarmRow]) -> None:
        """At a start: alarms that are open, for who watches and for journeys' states."""
        rows = list(alarms)
        told = {str(row.id): msgspec.Raw(row.body) for row in rows}
        self._hub.publish_alarms(space, told, _units_of(rows))
        self._remember(rows)

    def found_waiting(self, space: str, journeys: Iterable[str]) -> None:
        """At a start: journeys that wait to be closed; their retained states stay."""
        self._waiting.update((space, journey) for journey in journeys)

    def _remember(self, alarms: Iterable[AlarmRow]) -> None:
        """Keep which open alarm stands for each episode: its id may be another episode's, and a person may have closed it."""
        for row in alarms:
            for episode in row.episodes:
                if row.state != CLOSED:
                    self._alarms[episode] = row.id
                elif self._alarms.get(episode) == row.id:
                    del self._alarms[episode]

    async def run(self) -> None:
        """Tell positions every second, and journeys' progress every minute. Ends by cancellation."""
        self._begin()
        left_behind = self._left_behind()
        for number in itertools.count():
            self._round(number)
            self._empty(left_behind[:EMPTIED_AT_ONCE])
            del left_behind[:EMPTIED_AT_ONCE]
            await asyncio.sleep(POSITIONS_EVERY_S)

    def _begin(self) -> None:
        """After a start: what the broker keeps of journeys is of before it, and they are all told anew, many in their rounds."""
        for space, judging in self._spaces.items():
            known = set(judging.states.seals().tolist())
            self._moved[space] = set(known)
            if len(known) <= TOLD_AT_ONCE:
                self._journeys(judging, known)
                continue
            found = on_the_way(judging, known)
            self._told |= {(space, seal): journey.id for seal, _, journey, _ in found if journey is not None}
            self._progress(space, known)

    def _progress(self, space: str, seals: Iterable[int]) -> None:
        """Remember to tell of these seals' journeys, each in the round of its own."""
        rounds = self._progressed[space]
        for seal in seals:
            rounds[seal % ROUNDS].add(seal)

    def _round(self, number: int) -> None:
        """Tell where seals are that have moved since the round before, and how far the journeys of this round's share have come."""
        for space, seals in list(self._moved.items()):
            self._moved[space] = set()
            self._hub.publish_positions(space, position_rows(self._spaces[space], seals))
        minute, second = divmod(number, ROUNDS)
        minutes = 1 + len(self._told) // JOURNEYS_A_MINUTE
        for space, rounds in list(self._progressed.items()):
            judging, waiting = self._spaces[space], rounds[second]
            due = {seal for seal in waiting if seal // ROUNDS % minutes == minute % minutes}
            waiting -= due
            if due:
                self._journeys(judging, due)

    def _journeys(self, judging: SpaceJudge, seals: set[int]) -> None:
        """Publish the states of these seals' journeys."""
        states: dict[str, JourneyState | None] = {}
        units: dict[str, tuple[str, ...]] = {}
        for seal, track, journey, phase in on_the_way(judging, seals):
            before = self._told.pop((judging.space, seal), None)
            if before is not None and (journey is None or journey.id != before):
                states[before] = self._ended(judging, before)
            if journey is not None and phase is not None:
                self._told[judging.space, seal] = journey.id
                watched = {served.device for served in journey.watched}
                of_seals = (judging.states.open.get(judging.numbers[s], {}) for s in watched)
                open_ = [e for of_seal in of_seals for e in of_seal.values() if e.journey == journey.id]
                units[journey.id] = (journey.unit,) if journey.unit else ()
                states[journey.id] = self._state(judging, journey, phase, track, open_)
        ended = [name for name, state in states.items() if state is None or state.state == State.DISARMED]
        for name in led(judging, ended):
            if (state := states[name]) is None or state.state == State.DISARMED:
                del states[name]
        for name, state in states.items():
            topic = journey_topic(self._tenant, name, judging.space)
            self._publisher.publish_state(topic, b"" if state is None else state_payload(state))
        self._hub.publish_journeys(judging.space, states, units)

    def _ended(self, judging: SpaceJudge, name: str) -> JourneyState | None:
        """The state of a journey that its seal has left: that it waits to be closed, where a person has disarmed it."""
        journey = judging.journey(name)
        if journey is None or (judging.space, name) not in self._waiting:
            return None
        return JourneyState(
            journey=name,
            seal=journey.lead,
            state=State.DISARMED,
            status=State.DISARMED,
            route=journey.route,
            progress_pct=None,
            eta=None,
            open_alarms=(),
            updated_at=iso_ms(self._clock_ms()),
            exercise=judging.space != LIVE,
        )

    def _left_behind(self) -> list[tuple[str, str]]:
        """(space, journey) of journeys that no seal is on, though the broker may still keep their states.

        They ended, or left the plan, while we were down or with the plan we began with: nothing else would tell.
        """
        found: list[tuple[str, str]] = []
        for space, judging in self._spaces.items():
            known = {journey.id for version in judging.versions for journey in version.plan.journeys}
            known |= {name for of, name in self._waiting if of == space}
            found += [(space, name) for name in sorted(known - led(judging, known))]
        return found

    def _empty(self, left_behind: list[tuple[str, str]]) -> None:
        """Empty some states, or say that the journey waits to be closed; but of those that a seal has gone on meanwhile."""
        of_space: dict[str, list[str]] = defaultdict(list)
        for space, journey in left_behind:
            of_space[space].append(journey)
        for space, names in of_space.items():
            judging = self._spaces[space]
            going_on = led(judging, names)
            for name in (name for name in names if name not in going_on):
                state = self._ended(judging, name)
                payload = b"" if state is None else state_payload(state)
                self._publisher.publish_state(journey_topic(self._tenant, name, space), payload)

    def _state(
        self, judging: SpaceJudge, journey: Journey, phase: Phase, track: np.void, open_: list[Episode]
    ) -> JourneyState:
        progress = progress_pct(judging, phase.route, float(track["chainage_m"]))
        return JourneyState(
            journey=journey.id,
            seal=journey.lead,
            state=state_of(record_of(journey)),
            status="SUSPENDED"
            if phase.suspended
            else derived_state(judging, journey, judging.numbers[journey.lead], track),
            route=phase.route,
            progress_pct=None if progress is None else round(progress, 2),
            eta=None,
            open_alarms=tuple(
                sorted({str(self._alarms[e.episode]) for e in open_ if e.episode in self._alarms})
            ),
            updated_at=iso_ms(self._clock_ms()),
            exercise=judging.space != LIVE,
        )


def _units_of(alarms: Iterable[AlarmRow]) -> dict[str, tuple[str, ...]]:
    """Whose each alarm is, by its id: the journey's unit, and the unit that answers."""
    return {
        str(row.id): tuple(unit for unit in (row.unit, row.responsible) if unit is not None) for row in alarms
    }
