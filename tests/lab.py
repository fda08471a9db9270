"""The library of scenarios judged by the service's core in memory, as ``backtest`` judges files.

``python tests/lab.py`` writes the baseline anew and says what got worse or better by it; what is not as it should be needs its reason in ``KNOWN``.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from seal_tracker.backtest import Outcome, run_backtest
from seal_tracker.plans import load_files
from seal_tracker.plans.folder import errors_of
from seal_tracker.publishing.cloudevents import cloud_event
from seal_tracker.sources.trace import in_arrival_order
from seal_tracker.sources.trace_ndjson import read_ndjson
from simulators.lab.baseline import Baseline, reached, regressions
from simulators.lab.loading import library
from simulators.lab.running import Run, run_file
from simulators.lab.scoring import Score, case_of, read_told, score, total

BASELINE = Path(__file__).parent / "data" / "scenario_baseline.json"
SEEDS = (1, 2)
"""Two of each scenario: chance differs, and the whole library costs some seconds."""

THROWN = (
    "several fixes in a row are thrown off with a good claimed accuracy and at a believable speed: nothing in them tells them from a truck "
    "that went there"
)
KNOWN = {
    "bridge-stop-before": f"{THROWN}; it seems to stand on the bridge",
    "checkpoint-jump-into": f"{THROWN}; it seems to drive through the checkpoint",
    "checkpoint-spoofed-past": f"{THROWN}; it seems to pass beside the checkpoint",
    "clock-behind": "a clock that is behind by less than a year is believed, as buffered pings are old too: so its pings are missing where they "
    "belong, and are told as silence",
    "convoy-clock": "a clock two minutes ahead is within what is believed, so the escort's track runs ahead of it",
    "deviation-jump-lying": f"{THROWN}; three fixes 400 m off are a deviation by the contract",
    "deviation-spoofed": "the false track is what a truck would do that left its road; only another witness could tell",
    "opened-at-gate-jump": f"{THROWN}; the officer's card is used while it seems to be outside, and that is latched",
    "stop-held-track": "a track that is held still is what a standing truck looks like",
}
"""Scenarios that are not judged as they should be, and why."""


def judged(plan: Mapping[str, str], pings: bytes, now_ms: int) -> Outcome:
    """What the service's core makes of recorded messages."""
    read, faults = load_files(plan)
    assert read is not None, errors_of(faults)
    trace = in_arrival_order("pings.ndjson", read_ndjson(io.BytesIO(pings), "pings.ndjson"))
    assert trace.faults == ()
    return run_backtest(read, [trace], now_ms=now_ms)


def events_of(run: Run) -> list[bytes]:
    """The events of a run, one a line."""
    return [cloud_event(event, "lab") for event in judged(run.plan, run.pings, run.now_ms).events]


def scored(path: Path, seed: int) -> tuple[Run, Score]:
    run = run_file(path, seed)
    return run, score(case_of(run.truth), read_told(events_of(run)))


def of_all_seeds(path: Path) -> Score:
    return total(scored(path, seed)[1] for seed in SEEDS)


def stored() -> Baseline:
    return msgspec.json.decode(BASELINE.read_bytes(), type=Baseline)


def main() -> Iterator[str]:
    """Write the baseline anew; what changed, in lines."""
    scores = {name: of_all_seeds(path) for name, path in library().items()}
    if BASELINE.exists():
        before = stored().scenarios
        for name, one in scores.items():
            yield from regressions(name, before.get(name, {}), one)
    whole = total(scores.values())
    baseline = Baseline(
        seeds=SEEDS,
        known=KNOWN,
        rules=reached(whole.rules),
        faults=reached(whole.faults),
        scenarios={name: reached(one.rules) for name, one in scores.items()},
    )
    BASELINE.write_bytes(msgspec.json.format(msgspec.json.encode(baseline), indent=1) + b"\n")
    for name, one in scores.items():
        if (one.misses or one.false_alarms) and name not in KNOWN:
            yield f"{name}: {len(one.misses)} missed, {len(one.false_alarms)} false alarms, and KNOWN does not say why"


if __name__ == "__main__":
    for line in main():
        print(line)  # noqa: T201  the script's answer
