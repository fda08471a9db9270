"""The database stands still for 20 s while pings come in: the service waits, says so, stays small, and loses nothing."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from comparing import backtested, by_id, folded, unclocked
from parts import wait_until
from running import Running, serving
from traffic import Traffic

AWAY_S = 20
WATCHED_S = 11
"""Of these, at least, after all was published: at each canary, every 5 s, the service says anew what is queued."""

PROBE_PATIENCE_S = 30
"""How long whoever asks for readiness waits for an answer, at most, on a slow machine: the check itself may take 2 s."""

SEALS, PINGS_EACH = 100, 120
PADDING = "x" * 6_000
"""A member that nobody knows, as firmware may add one: makes what waits 75 MB."""

BROKER_HOLDS_BACK_AT = 5_900
"""NATS' ``max_ack_pending``: it delivers no more than this unacknowledged, so the service has no more in memory."""

GROWTH_BYTES = 96 * 2**20
"""What the service may grow by: 5,900 messages of 6.2 kB are 37 MB, and as much again and more for what is around them: decoded
pings of one batch, the socket's buffers, an allocator that keeps what it had."""

Readiness = tuple[int, dict[str, tuple[bool, str]]]

pytestmark = pytest.mark.slow


@dataclass
class Standstill:
    """What was seen while the database stood still, and after."""

    service: Running
    traffic: Traffic
    healthz: int
    answered_in_time: bool
    readiness: Readiness
    most_queued: float
    grown_bytes: int
    stats: dict[str, int]
    main_process_before: int
    episodes: list[dict[str, Any]]


@pytest.fixture(scope="module")
def standstill(session_folder: Path) -> Iterator[Standstill]:
    """12,000 pings are published while every process of the database is stopped; then it goes on."""
    folder = session_folder / "away"
    folder.mkdir(mode=0o755)
    traffic = Traffic(begin_s=int(time.time()) - 3 * 3600, seals=SEALS, pings=PINGS_EACH)
    plan = traffic.write_plan(folder / "plan")
    with (
        serving(folder, plan) as service,
        service.mqtt("gateway", "away") as gateway,
        ThreadPoolExecutor() as asking,
    ):
        wait_until(lambda: service.readyz()[0] == 200, what="ready")
        main_process, memory = service.part_pid("postgres"), psutil.Process(service.ready["pid"])
        before_bytes = peak_bytes = memory.memory_info().rss
        most_queued = 0.0
        with standing_still(service):
            began = time.monotonic()
            sent = [gateway.ping(seal, ping | {"padding": PADDING}) for seal, ping in traffic.sent]
            gateway.wait_acknowledged(sent)  # by the broker, which keeps what it acknowledged
            readiness: Future[Readiness] = asking.submit(service.readyz)
            answered = wait([readiness], PROBE_PATIENCE_S).done
            healthz, _ = service.answer("/healthz", None)
            until = max(began + AWAY_S, time.monotonic() + WATCHED_S)
            while time.monotonic() < until or not most_queued:
                peak_bytes = max(peak_bytes, memory.memory_info().rss)
                most_queued = max(most_queued, service.metric("seal_tracker_source_queued"))
                time.sleep(0.2)
        stats = service.wait_for(pings_stored=len(traffic.sent))
        service.wait_calm()
        yield Standstill(
            service,
            traffic,
            healthz,
            bool(answered),
            readiness.result(),
            most_queued,
            peak_bytes - before_bytes,
            stats,
            main_process,
            service.episodes(),
        )


@contextmanager
def standing_still(service: Running) -> Iterator[None]:
    """Every process of the database stopped (SIGSTOP) for the block: connections stay, and nobody answers."""
    processes = service.part_processes("postgres")
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in processes:
            os.kill(process.pid, signal.SIGCONT)


def test_readiness_names_the_database_and_the_process_is_alive(standstill: Standstill) -> None:
    """503, with the database as the only part that does not answer; ``/healthz`` asks nobody to restart the service."""
    status, checks = standstill.readiness
    assert status == 503
    assert not checks["database"][0]
    assert checks["database"][1].startswith("does not answer")
    assert checks["broker_in"][0]
    assert checks["broker_out"][0]
    assert standstill.healthz == 200


def test_readiness_is_answered_while_the_database_stands_still(standstill: Standstill) -> None:
    """An answer that comes when all is well again helps nobody."""
    assert standstill.answered_in_time


def test_memory_is_bounded_by_what_the_broker_delivers_unacknowledged(standstill: Standstill) -> None:
    """Nothing is acknowledged meanwhile, so the broker holds back the rest; 6,100 of 12,000 are never in memory."""
    assert 0 < standstill.most_queued <= BROKER_HOLDS_BACK_AT < len(standstill.traffic.sent)
    assert standstill.grown_bytes < GROWTH_BYTES


def test_nothing_is_lost(standstill: Standstill) -> None:
    """Each ping that the broker acknowledged is stored, once, and none is a dead letter."""
    assert standstill.stats["pings_stored"] == len(standstill.traffic.sent)
    assert standstill.stats["dead_letters"] == 0


def test_standing_still_is_not_being_dead(standstill: Standstill) -> None:
    """Whoever watches over the database lets it be: it is the same process as before, and all is ready again."""
    assert standstill.service.part_pid("postgres") == standstill.main_process_before
    assert "embedded.died" not in standstill.service.log.read_text()
    wait_until(lambda: standstill.service.readyz()[0] == 200, what="ready again")


def test_episodes_are_those_of_an_undisturbed_judgement(standstill: Standstill) -> None:
    """As if nothing had happened; and the events amount to them."""
    service = standstill.service
    assert folded(service.events()) == by_id(standstill.episodes)
    trace = standstill.traffic.write_trace(service.folder / "trace.csv")
    judged = backtested(service.folder / "plan", trace, service.folder / "backtest.ndjson")
    assert unclocked(standstill.episodes) == unclocked(judged)
