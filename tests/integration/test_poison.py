"""What a batch may hold besides good pings: one that the judging cannot bear, and parts that wait for others."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, cast

import pytest
import structlog
from story import T0_MS, Ground, ping

import seal_tracker.space
from seal_tracker.decoders.native import decode
from seal_tracker.intake import SpaceIntake
from seal_tracker.joining import MAX_DONE, WAIT_MS
from seal_tracker.judge import Verdict, judge
from seal_tracker.model import LIVE, NO_TIME, PingBatch
from seal_tracker.pipeline import Pipeline
from seal_tracker.sources.framing import RawMessage
from seal_tracker.space import SpaceJudge
from seal_tracker.store import Store
from seal_tracker.tracking.epochs import Facts
from seal_tracker.tracking.state import SealStates

POISON_SEQ = 666


@pytest.fixture
async def store(postgres_dsn: str) -> AsyncIterator[Store]:
    opened = await Store.open(postgres_dsn)
    yield opened
    await opened.close()


def faulty(states: SealStates, pings: PingBatch, facts: Facts) -> Verdict:
    """The judging, with a fault that one ping brings out."""
    if (pings.seq == POISON_SEQ).any():
        raise ZeroDivisionError("a rule divides by nothing")
    return judge(states, pings, facts)


def intake(seals: int, poisoned: int) -> SpaceIntake:
    """One ping of each seal; that of the seal ``poisoned`` is the bad one."""
    out = SpaceIntake()
    for i in range(seals):
        body = ping(60.0, 10.0 * i, seq=POISON_SEQ if i == poisoned else i)
        out.pings += decode(json.dumps(body).encode()).pings
        out.seals.append(f"S{i}")
        out.received_ms.append(T0_MS + 60_000)
    return out


class Arriving:
    """A source of batches that are there already; ``acknowledged`` are the packet ids, in order."""

    def __init__(self, *batches: list[RawMessage]) -> None:
        self._batches = batches
        self.acknowledged: list[int] = []
        self.queued = 0

    async def batches(self, max_messages: int) -> AsyncIterator[list[RawMessage]]:
        for batch in self._batches:
            yield batch

    def acknowledge(self, batch: Sequence[RawMessage]) -> None:
        self.acknowledged += [message.mid for message in batch]


async def test_parts_are_acknowledged_with_the_pings_of_their_message(store: Store) -> None:
    """The part before is not while it waits; nothing else waits for it. What ends before its last part leaves none behind.

    One that comes again after a restart, its message read and its others acknowledged, is known, and no dead letter.
    """
    rows = (Path(__file__).parents[1] / "frames/jt808.jsonl").read_text().splitlines()
    whole = next(r for r in map(json.loads, rows) if r["what"] == "a batch in two parts, in one payload")
    payload, topic = bytes.fromhex(whole["hex"]), "eseal/v1/demo/raw/jt808/013912345678"
    at = payload.index(b"~~") + 1
    first, second = (
        RawMessage(topic, piece, 7 + n, T0_MS) for n, piece in enumerate((payload[:at], payload[at:]))
    )
    other = RawMessage("eseal/v1/demo/dev/S1/ping", json.dumps(ping(60.0, 10.0, seq=1)).encode(), 9, T0_MS)
    much_later = RawMessage(
        "eseal/v1/demo/dev/S1/ping", json.dumps(ping(90.0, 10.0, seq=2)).encode(), 9, T0_MS + 2 * WAIT_MS
    )
    for batches, acknowledged, stored in (
        ([[first, other]], [9], 1),
        ([[first], [other], [second]], [9, 7, 8], 3),
        ([[second], [much_later]], [8, 9], 4),
    ):
        source, judging = Arriving(*batches), SpaceJudge(LIVE, store)
        pipeline = Pipeline(
            source, store, {LIVE: judging}, lambda _done: None,
            tenant="demo", instance="test", next_sequence=1, clock_ms=lambda: T0_MS,
            parts_read=await store.parts_known(MAX_DONE),
        )  # fmt: skip
        await pipeline.commit_prepared(LIVE, await judging.open([(NO_TIME, Ground().journey("S1").plan())]))
        await pipeline.run()
        assert source.acknowledged == acknowledged
        stats = await store.stats(LIVE)
        assert (stats.pings_stored, stats.dead_letters) == (stored, 0)


async def test_one_ping_that_cannot_be_judged_is_buried_and_the_rest_stand(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unhandled, it would end the service, come again unacknowledged, and end it again for ever."""
    monkeypatch.setattr(seal_tracker.space, "judge", faulty)
    judging = SpaceJudge(LIVE, store)
    pipeline = Pipeline(
        cast("Any", None), store, {LIVE: judging}, lambda _done: None,
        tenant="demo", instance="test", next_sequence=1, clock_ms=lambda: T0_MS,
    )  # fmt: skip
    await pipeline.commit_prepared(LIVE, await judging.open([(NO_TIME, Ground().journey("S1").plan())]))
    with structlog.testing.capture_logs() as logs:  # each traceback with its arrays takes a second to draw
        await pipeline._space(judging, intake(9, poisoned=5))
    assert {entry["pings"] for entry in logs if entry["event"] == "pipeline.not_judged"} >= {1, 9}
    stats = await store.stats(LIVE)
    assert (stats.pings_stored, stats.dead_letters) == (8, 1)
    (letter,) = await store.dead_letters(LIVE)
    assert letter.letter.topic == "eseal/v1/demo/dev/S5/ping"
    assert letter.letter.reason == "judging failed: ZeroDivisionError: a rule divides by nothing"
    assert json.loads(letter.letter.payload)["seq"] == POISON_SEQ
    monkeypatch.setattr(seal_tracker.space, "judge", judge)
    await pipeline._space(judging, intake(9, poisoned=5))
    stats = await store.stats(LIVE)
    assert (stats.pings_stored, stats.duplicates) == (9, 8), "mended, the same ping is judged like any other"
