"""Convergence on real data in the service: real fixes out of order, judged and committed on PostgreSQL, equal the back-test.

The same in more and smaller batches, which takes many minutes:

    SEAL_TRACKER_BATCHES=10000 python -m pytest tests/integration/test_service_converges.py -k shuffled --timeout 0
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from geolife import beijing, geolife, rows
from numpy.typing import NDArray

from seal_tracker.backtest import run_backtest
from seal_tracker.episodes_file import episode_line, in_file_order
from seal_tracker.model import LIVE, NO_TIME, Episode, PingBatch
from seal_tracker.pipeline import Pipeline
from seal_tracker.sources.file import read_trace
from seal_tracker.space import SpaceJudge
from seal_tracker.store import Store

BATCHES = int(os.environ.get("SEAL_TRACKER_BATCHES", "10"))
"""In how many commits the shuffled fixes come; a long run takes 10,000."""

ONE_BY_ONE = int(os.environ.get("SEAL_TRACKER_ONE_BY_ONE", "200"))
"""Pings that come one by one, each late by up to a quarter of an hour; a long run takes 10,000."""

DELAY_MS = 900_000


@pytest.fixture
async def store(postgres_dsn: str) -> AsyncIterator[Store]:
    opened = await Store.open(postgres_dsn)
    yield opened
    await opened.close()


async def judged(store: Store, batches: Iterable[PingBatch], now_ms: int) -> bytes:
    """The episodes file of a service that batches of pings, numbered as in `geolife`, have come to."""
    judging = SpaceJudge(LIVE, store)
    pipeline = Pipeline(
        cast("Any", None), store, {LIVE: judging}, lambda _done: None,
        tenant="demo", instance="test", next_sequence=1, clock_ms=lambda: now_ms,
    )  # fmt: skip
    await pipeline.commit_prepared(LIVE, await judging.open([(NO_TIME, beijing())]))
    number = np.zeros(1000, np.int32)
    for name, given in judging.numbers.items():
        number[int(name[1:])] = given
    for arrived in batches:
        prepared = await judging.prepare(arrived.with_columns(seal=number[arrived.seal]))
        await pipeline.commit_prepared(LIVE, prepared)
    await pipeline.commit_prepared(LIVE, await judging.pass_time(now_ms, all_seals=True))
    return lines([episode async for episode in store.stream_episodes(LIVE)])


def lines(episodes: Iterable[Episode]) -> bytes:
    return b"".join(episode_line(e) for e in in_file_order(episodes))


def backtested(pings: PingBatch, picked: Iterable[int], folder: Path) -> tuple[bytes, int]:
    """The episodes file of a back-test of the fixes chosen, and its now: the newest event time."""
    path = folder / "trace.csv"
    text = "\n".join(",".join(rows()[i]) for i in picked)
    path.write_text(f"seal,time,lon,lat\n{text}\n")
    outcome = run_backtest(beijing(), [read_trace(path)])
    assert outcome.pings == len(pings)
    assert outcome.now_ms is not None
    return lines(outcome.episodes), outcome.now_ms


def late_order(pings: PingBatch) -> NDArray[np.int64]:
    """The order in which pings come that are up to a quarter of an hour late."""
    delay = np.random.default_rng(5).integers(0, DELAY_MS, len(pings))
    return np.argsort(pings.time_ms + delay, kind="stable")


def cut(pings: PingBatch, order: NDArray[np.int64], n: int) -> Iterator[PingBatch]:
    return (pings.take(part) for part in np.array_split(order, n))


async def test_shuffled_fixes_in_few_or_many_batches_are_what_the_back_test_says(
    store: Store, tmp_path: Path
) -> None:
    """47,217 fixes in no order at all: to the byte."""
    pings = geolife()
    expected, now_ms = backtested(pings, range(len(pings)), tmp_path)
    assert expected.count(b"\n") > 200
    shuffled = np.random.default_rng(7).permutation(len(pings))
    assert await judged(store, cut(pings, shuffled, BATCHES), now_ms) == expected


async def test_late_fixes_one_by_one_are_what_the_back_test_says(store: Store, tmp_path: Path) -> None:
    """Each is a commit of its own, and most are late: to the byte."""
    every = geolife()
    picked = np.flatnonzero(every.seal == every.seal[0])[:ONE_BY_ONE]
    pings = every.take(picked)
    expected, now_ms = backtested(pings, picked.tolist(), tmp_path)
    assert await judged(store, cut(pings, late_order(pings), len(pings)), now_ms) == expected
