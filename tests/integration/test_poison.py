"""A ping that the judging cannot bear: found, kept as a dead letter, and nobody else's trouble."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
import structlog
from story import T0_MS, Ground, ping

import seal_tracker.space
from seal_tracker.decoders.native import decode
from seal_tracker.intake import SpaceIntake
from seal_tracker.judge import Verdict, judge
from seal_tracker.model import LIVE, NO_TIME, PingBatch
from seal_tracker.pipeline import Pipeline
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
