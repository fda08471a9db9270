"""The library of scenarios judged by the service's core in memory, as ``backtest`` judges files."""

from __future__ import annotations

import io
from pathlib import Path

from seal_tracker.backtest import run_backtest
from seal_tracker.plans import load_files
from seal_tracker.plans.folder import errors_of
from seal_tracker.publishing.cloudevents import cloud_event
from seal_tracker.sources.trace import in_arrival_order
from seal_tracker.sources.trace_ndjson import read_ndjson
from simulators.lab.running import Run, run_file
from simulators.lab.scoring import Score, case_of, read_told, score

SEED = 1


def events_of(run: Run) -> list[bytes]:
    """What the service makes of a run's messages, as lines of events."""
    plan, faults = load_files(run.plan)
    assert plan is not None, errors_of(faults)
    trace = in_arrival_order("pings.ndjson", read_ndjson(io.BytesIO(run.pings), "pings.ndjson"))
    assert trace.faults == ()
    outcome = run_backtest(plan, [trace], now_ms=run.now_ms)
    return [cloud_event(event, "lab") for event in outcome.events]


def scored(path: Path, seed: int = SEED) -> tuple[Run, Score]:
    run = run_file(path, seed)
    return run, score(case_of(run.truth), read_told(events_of(run)))
