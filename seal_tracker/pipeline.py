"""The asyncio shell around the core: what arrives is judged on a copy, committed, and only then true.

    source.batches ── take_in ── SpaceJudge.prepare ── Composer ── store.commit ──┬── SpaceJudge.committed (install)
      (MQTT)          decode      judge, rejudge       events,     one            ├── publisher.put (outbox → MQTT)
                      dead letters                     alarms      transaction    ├── hub (SSE)
                                                                                  └── source.acknowledge

One task, one batch at a time; while a commit is under way the next batch gathers in the source, which stops the broker
when it is full. The database away: the same commit is tried until it stands, nothing is acknowledged meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeVar
from uuid import UUID

import msgspec
import numpy as np
import structlog

from seal_tracker.alarming import alarms_due
from seal_tracker.alarms.deadlines import DEFAULT_TERMS, Terms
from seal_tracker.composing import Composer, ComposingStore
from seal_tracker.decoders.columns import Discards, to_batch
from seal_tracker.decoders.heartbeat import encode_status
from seal_tracker.deeds import Deed
from seal_tracker.downlink.answers import Answers, Heard, not_taken
from seal_tracker.downlink.messages import SealAnswer
from seal_tracker.downlink.rows import CommandRow
from seal_tracker.fact_actions import by_itself, is_deed
from seal_tracker.facts.model import EquipmentFact
from seal_tracker.facts.settling import Settled
from seal_tracker.intake import SpaceIntake, take_in
from seal_tracker.joining import Joining
from seal_tracker.metrics import BATCH_PINGS, COMMIT_SECONDS, COUNTS, JUDGE_SECONDS
from seal_tracker.model import EQUIPMENT_PREFIX, LIVE, NO_TIME, DeadLetter, Event
from seal_tracker.publishing.topics import device_topic
from seal_tracker.sources.framing import RawMessage
from seal_tracker.space import Prepared, SpaceJudge
from seal_tracker.store import (
    AlarmRow,
    Commit,
    CommitRefused,
    EventRow,
    PendingMessage,
    StoreError,
    StoreUnavailable,
)

__all__ = ["MAX_BATCH", "Committed", "Pipeline"]

T = TypeVar("T")

log = structlog.get_logger(__name__)

NO_DEED = Deed()

MAX_BATCH = 500
"""Messages in one commit. A commit costs 5 ms beside its rows, little for so many; four times as many hold up an alert behind them
for a tenth of a second, and take 15 MB more where each brings an event."""

EPISODES_AT_ONCE = 250
"""Of those that time alone changes, in one commit: a carrier's outage raises them by the thousand at one moment."""

RETRY_FIRST_S, RETRY_MAX_S = 0.2, 5.0
"""Pauses between attempts while the database is away."""


class Source(Protocol):
    """Where messages come from."""

    @property
    def queued(self) -> int: ...
    def batches(self, max_messages: int) -> AsyncIterator[list[RawMessage]]: ...
    def acknowledge(self, batch: Sequence[RawMessage]) -> None: ...


class CommitStore(ComposingStore, Protocol):
    """Where they go."""

    async def commit(self, commit: Commit) -> list[int]: ...
    async def remember_parts(self, digests: Iterable[bytes]) -> None: ...


@dataclass(frozen=True)
class Committed:
    """What one commit of one space changed, for those who tell it on."""

    space: str
    seals: frozenset[int]
    events: Sequence[Event]
    bodies: Sequence[bytes]
    outbox: Sequence[PendingMessage]
    alarms: Mapping[UUID, AlarmRow] = field(default_factory=dict)
    steps: Sequence[EventRow] = ()
    journeys: Mapping[str, str] = field(default_factory=dict)
    """States of journeys that persons have changed, by id."""
    commands: Sequence[CommandRow] = ()
    """Commands to seals that came a step on, as they stand."""


class Pipeline:
    """Works off a source. ``tell`` is called after each commit, between two awaits; it must not block.

    Parameters
    ----------
    spaces
        the judging of each space; exercise spaces may be added while running.
    next_sequence
        the sequence of the next event.
    clock_ms
        our clock, for ``recordedtime`` only.
    terms
        by when alarms must be dealt with.
    answers
        takes in what seals answer to commands.
    parts_read
        parts of devices' messages that were read before the start, by what ``Joined.read`` said of them.
    """

    def __init__(
        self,
        source: Source,
        store: CommitStore,
        spaces: dict[str, SpaceJudge],
        tell: Callable[[Committed], None],
        *,
        tenant: str,
        instance: str,
        next_sequence: int,
        clock_ms: Callable[[], int],
        terms: Terms = DEFAULT_TERMS,
        answers: Answers = not_taken,
        parts_read: Iterable[bytes] = (),
    ) -> None:
        self._source = source
        self._store = store
        self.spaces = spaces
        self._tell = tell
        self._tenant = tenant
        self._instance = instance
        self._clock_ms = clock_ms
        self._terms = terms
        self._answers = answers
        self._turn = asyncio.Lock()
        self._composer = Composer(
            store, tenant=tenant, next_sequence=next_sequence, clock_ms=clock_ms, terms=terms
        )
        self._joining = Joining(parts_read)
        self.stalled: str | None = None

    async def run(self) -> None:
        """Work until the source ends."""
        async for messages in self._source.batches(MAX_BATCH):
            async with self._turn:
                await self._batch(messages)

    async def between(self, work: Callable[[], Awaitable[T]]) -> T:
        """Run something that changes what pings are judged by, between two batches."""
        async with self._turn:
            return await work()

    async def commit_prepared(self, space: str, prepared: Prepared, deed: Deed = NO_DEED) -> None:
        """Commit what was not brought by messages: a load, a re-judgement. Call within `between`."""
        await self._commit(self.spaces[space], SpaceIntake(), prepared, deed)

    async def act(self, space: str, work: Callable[[SpaceJudge], Awaitable[tuple[Prepared, Deed]]]) -> None:
        """Let a person act on a space between two batches: ``work`` looks and decides, what it gives is committed as one.

        What ``work`` raises (a refusal) is the caller's, and nothing is committed. The caller's going away stops neither.
        """
        await asyncio.shield(self.between(lambda: self._act(self.spaces[space], work)))

    async def _act(
        self, judging: SpaceJudge, work: Callable[[SpaceJudge], Awaitable[tuple[Prepared, Deed]]]
    ) -> None:
        prepared, deed = await work(judging)
        await self._commit(judging, SpaceIntake(), prepared, deed)

    async def _batch(self, messages: Sequence[RawMessage]) -> None:
        joined = self._joining.receive(messages)
        taken = take_in(
            joined.ready,
            again=joined.again,
            tenant=self._tenant,
            instance=self._instance,
            known_spaces=tuple(self.spaces),
            equipment={space: judging.equipment for space, judging in self.spaces.items()},
        )
        for space, intake in taken.spaces.items():
            await self._space(self.spaces[space], intake)
        if taken.answers:
            await self._answered(taken.answers)
        if joined.read:
            await self._retried(lambda: self._store.remember_parts(joined.read))
        self._source.acknowledge(joined.settled)
        if taken.canary_ms is not None:
            await self._time(self.spaces[LIVE], taken.canary_ms)
        for space, judging in self.spaces.items():
            if space != LIVE and (taken.canary_ms is not None or not self._source.queued):
                await self._exercise_time(judging)

    async def _answered(self, answers: Sequence[SealAnswer]) -> None:
        """Commit what seals have answered; what cannot be understood for whatever reason is kept as a dead letter."""
        try:
            heard = await self._retried(lambda: self._answers(answers))
        except StoreError:
            raise
        except Exception as fault:
            log.exception("pipeline.answers_not_taken", answers=len(answers))
            heard = Heard()
            for answer in answers:
                heard.refuse(answer, f"not taken: {type(fault).__name__}: {fault}")
        beside = SpaceIntake(dead_letters=heard.dead_letters, counts=heard.counts)
        await self._commit(self.spaces[LIVE], beside, Prepared(), heard.deed)

    async def _space(self, judging: SpaceJudge, intake: SpaceIntake) -> None:
        """One space's part of a batch; a ping that cannot be judged is found by halving and kept as a dead letter.

        It would else end the service, come again unacknowledged, and end it again.
        """
        try:
            await self._judged(judging, intake)
        except StoreError:
            raise
        except Exception as fault:
            log.exception("pipeline.not_judged", space=judging.space, pings=len(intake.pings))
            judging.forget({judging.numbers[s] for s in set(intake.seals) if s in judging.numbers})
            if intake.facts:
                intake = await self._bury_facts(
                    judging, intake, f"judging failed: {type(fault).__name__}: {fault}"
                )
                if not intake.pings:
                    return
                await self._space(judging, intake)
                return
            if not intake.pings:
                raise
            if len(intake.pings) == 1:
                await self._bury(judging, intake, f"judging failed: {type(fault).__name__}: {fault}")
                return
            for half in intake.halves():
                await self._space(judging, half)

    async def _judged(self, judging: SpaceJudge, intake: SpaceIntake) -> None:
        """Judge and commit; on doubt about our state it is loaded anew and tried once more."""
        for attempt in (1, 2):
            with JUDGE_SECONDS.time():
                prepared = await self._retried(lambda: self._prepare(judging, intake))
            try:
                await self._commit(judging, intake, prepared)
            except CommitRefused as refusal:
                log.exception(
                    "pipeline.commit_refused", space=judging.space, attempt=attempt, reason=str(refusal)
                )
                judging.forget(prepared.seals | {judging.numbers[s] for s in set(intake.seals)})
                if attempt == 2:  # noqa: PLR2004 - the second and last
                    rest = await self._bury_facts(judging, intake, f"commit refused: {refusal}")
                    await self._bury(judging, rest, f"commit refused: {refusal}")
            else:
                return

    async def _bury(self, judging: SpaceJudge, intake: SpaceIntake, reason: str) -> None:
        """Keep what cannot be stored as dead letters, ping by ping, so that it does not stop everything behind it."""
        encode = msgspec.json.Encoder().encode
        letters = [
            DeadLetter(
                at,
                device_topic(self._tenant, seal, judging.space),
                encode_status(ping) if seal.startswith(EQUIPMENT_PREFIX) else encode(ping),
                reason[:1000],
                judging.space,
            )
            for ping, seal, at in zip(intake.pings, intake.seals, intake.received_ms, strict=True)
        ]
        buried = SpaceIntake(dead_letters=intake.dead_letters + letters, counts=intake.counts)
        await self._commit(judging, buried, Prepared())

    async def _bury_facts(self, judging: SpaceJudge, intake: SpaceIntake, reason: str) -> SpaceIntake:
        """Keep facts of equipment that cannot be judged as dead letters; give what else arrived."""
        letters = [
            DeadLetter(n.fact.recorded_ms, n.topic, n.fact.body, reason[:1000], judging.space)
            for n in intake.facts
        ]
        if letters:
            await self._commit(judging, SpaceIntake(dead_letters=letters), Prepared())
        return replace(intake, facts=[])

    async def _prepare(self, judging: SpaceJudge, intake: SpaceIntake) -> Prepared:
        if not intake.pings and not intake.facts:
            return Prepared()
        noted = await judging.settle(intake.facts) if intake.facts else Settled()
        prepared = await self._prepare_pings(judging, intake, noted.facts)
        prepared.counts.update(noted.counts)
        prepared.actions = [by_itself(fact, self._clock_ms()) for fact in noted.facts if is_deed(fact)]
        prepared.dead_letters = noted.beaten
        return prepared

    async def _prepare_pings(
        self, judging: SpaceJudge, intake: SpaceIntake, facts: Sequence[EquipmentFact]
    ) -> Prepared:
        await judging.know(set(intake.seals))
        discards = Discards()
        batch = to_batch(
            intake.pings,
            np.array([judging.numbers[s] for s in intake.seals], np.int32),
            np.array(intake.received_ms, np.int64),
            exercise=judging.space != LIVE,
            discards=discards,
        )
        BATCH_PINGS.observe(len(batch))
        prepared = await judging.prepare(batch, facts)
        prepared.counts.update(discards)
        return prepared

    async def _time(self, judging: SpaceJudge, now_ms: int, *, all_seals: bool = False) -> None:
        """Judge what time alone changes; a fault in that is told at each canary, and stops nobody's pings."""
        prepared = Prepared()
        try:
            prepared = await self._retried(lambda: judging.pass_time(now_ms, all_seals=all_seals))
            for part in prepared.parts(EPISODES_AT_ONCE):
                await self._commit(judging, SpaceIntake(), part)
            await self._alarms_due(judging, now_ms)
        except StoreError:
            raise
        except Exception:
            judging.forget(prepared.seals)
            log.exception("pipeline.time_not_judged", space=judging.space)

    async def _alarms_due(self, judging: SpaceJudge, now_ms: int) -> None:
        """Do to alarms what their time has come for, a page a commit."""
        while deed := await self._retried(
            lambda: alarms_due(self._store, judging, now_ms, self._clock_ms(), self._terms)
        ):
            await self._commit(judging, SpaceIntake(), Prepared(), deed)

    async def _exercise_time(self, judging: SpaceJudge) -> None:
        """An exercise's now is its newest event time."""
        if len(judging.states):
            newest = int(judging.states.all_rows()["track"]["last_ms"].max())
            if newest not in {NO_TIME, judging.now_ms}:
                await self._time(judging, newest, all_seals=True)

    async def _commit(
        self, judging: SpaceJudge, intake: SpaceIntake, prepared: Prepared, deed: Deed = NO_DEED
    ) -> None:
        commit = await self._retried(lambda: self._composer.compose(judging, intake, prepared, deed))
        if commit is None:
            prepared.install()
            return
        with COMMIT_SECONDS.time():
            ids = await self._retried(lambda: self._store.commit(commit))
        judging.committed(prepared, commit.episodes)
        self._composer.committed(commit)
        for name, times in commit.counts.items():
            COUNTS.labels(judging.space, name).inc(max(times, 0))  # a counter of Prometheus never falls
        outbox = [
            PendingMessage(i, judging.space, *message) for i, message in zip(ids, commit.outbox, strict=True)
        ]
        self._tell(
            Committed(
                judging.space,
                frozenset(prepared.seals),
                commit.events,
                commit.event_bodies,
                outbox,
                {row.id: row for row in commit.alarms},
                commit.steps,
                {change.row.id: change.row.state for change in commit.journeys},
                commit.commands,
            )
        )

    async def _retried(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do it until the database is there; everything else is the caller's."""
        pause_s = RETRY_FIRST_S
        while True:
            try:
                done = await work()
            except StoreUnavailable as fault:
                if self.stalled is None:
                    log.warning("pipeline.database_away", reason=str(fault))
                self.stalled = str(fault)
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, RETRY_MAX_S)
            else:
                if self.stalled is not None:
                    log.info("pipeline.database_back")
                    self.stalled = None
                return done
