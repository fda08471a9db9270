"""A scenario run: messages in order of arrival, the plan folder, and the truth. Pure but for ``write``; the same seed, the same bytes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import msgspec

from simulators.lab import acts
from simulators.lab.gates import read_s, shown
from simulators.lab.ground import plan_files
from simulators.lab.language import Scenario
from simulators.lab.loading import load_scenario
from simulators.lab.masses import carried_kg
from simulators.lab.staging import Stage, set_stage
from simulators.lab.truth import truth_of
from simulators.lab.truth.record import Line
from simulators.wire import flush, instant, topic_of

__all__ = ["TENANT", "Run", "run_file", "run_scenario", "write_run"]

TENANT = "lab"
PINGS, TRUTH, PLAN = "pings.ndjson", "truth.jsonl", "plan"
"""What a run's folder holds."""


@dataclass(frozen=True, slots=True)
class Run:
    """What a scenario gives: ``pings`` is NDJSON of raw messages in order of arrival, ``plan`` files by name, ``now_ms`` its end."""

    name: str
    pings: bytes
    plan: dict[str, str]
    truth: list[Line]
    now_ms: int


class _Message(NamedTuple):
    at_s: float
    topic: str
    payload: bytes


def run_file(path: Path, seed: int) -> Run:
    """Run the scenario of a file; its name is the file's."""
    return run_scenario(load_scenario(path), path.stem, seed, str(path))


def run_scenario(scenario: Scenario, name: str, seed: int, file: str = "") -> Run:
    """Run a scenario. ``file`` is said in faults."""
    stage = set_stage(scenario, name, seed, file or name)
    messages = sorted(_messages(stage), key=lambda m: (m.at_s, m.topic))
    start_ms = stage.ground.start_ms
    until_s = stage.until_s
    lines = [_line(m, start_ms) for m in messages if m.at_s <= until_s]
    return Run(
        name,
        b"".join(lines),
        plan_files(scenario, stage.ground),
        truth_of(stage),
        start_ms + round(until_s * 1000),
    )


def write_run(run: Run, out: Path) -> None:
    """Write a run's folder: ``pings.ndjson``, ``plan/``, ``truth.jsonl``; files of these names are replaced."""
    folder = out / PLAN
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in run.plan.items():
        (folder / name).write_text(text, "utf-8")
    (out / PINGS).write_bytes(run.pings)
    (out / TRUTH).write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in run.truth))


def _messages(stage: Stage) -> Iterator[_Message]:
    for id_, heard in stage.heard.items():
        topic = topic_of(TENANT, id_)
        for arrival in heard.arrivals:
            for message in flush(topic, list(arrival.pings)):
                yield _Message(arrival.at_s, topic, message.payload)
    for id_, equipment in stage.equipment.items():
        topic = f"eseal/v1/{TENANT}/equip/{id_}/status"
        for beat in equipment.beats(stage.generator(id_, "beats"), stage.until_s):
            at = instant(stage.ground.start_ms + round(beat.time_s * 1000))
            yield _Message(beat.time_s, topic, json.dumps({"status": beat.status, "time": at}).encode())
    for act in stage.scenario.script:
        if isinstance(act, acts.Weigh):
            yield from _weighings(stage, act)
        elif isinstance(act, acts.Read):
            yield from _readings(stage, act)


def _weighings(stage: Stage, act: acts.Weigh) -> Iterator[_Message]:
    """A weighing as its weighbridge sends it."""
    topic = f"eseal/v1/{TENANT}/equip/{act.who}/weighing"
    said = {
        "id": act.ticket or f"{act.direction}-{act.journey}",
        "time": instant(stage.ground.start_ms + round(act.at_min * 60_000)),
        "direction": act.direction,
        "journey": act.journey,
        "gross_kg": act.tare_kg + carried_kg(stage.scenario, act.journey, act.at_min) + act.error_kg,
        "tare_kg": act.tare_kg,
        "revision": act.revision,
    }
    for i in range(act.times):
        yield _Message((act.at_min + act.late_min) * 60.0 + 2.0 * i, topic, json.dumps(said).encode())


def _readings(stage: Stage, act: acts.Read) -> Iterator[_Message]:
    """A reading as its equipment sends it: what the lorry shows of what it reads, and what it takes that for."""
    at_s = read_s(stage, act)
    plate, box = shown(stage.scenario, act.journey, at_s)
    reads = next(e for e in stage.scenario.equipment if e.id == act.who).reads
    said: dict[str, object] = {
        "id": act.reading or f"{act.who}-{act.journey}",
        "time": instant(stage.ground.start_ms + round(at_s * 1000)),
        "revision": act.revision,
    }
    if "plate" in reads and (plate := act.plate or plate) is not None:
        said["plate"] = plate
    if "container" in reads and (boxes := act.containers if act.containers is not None else [box]) != [None]:
        said["containers"] = boxes
    if act.confidence is not None:
        said["confidence"] = act.confidence
    for i in range(act.times):
        yield _Message(
            at_s + act.late_min * 60.0 + 2.0 * i,
            f"eseal/v1/{TENANT}/equip/{act.who}/reading",
            json.dumps(said).encode(),
        )


def _line(message: _Message, start_ms: int) -> bytes:
    received = instant(start_ms + round(message.at_s * 1000))
    return b'{"topic":"%b","payload":%b,"received":"%b"}\n' % (
        message.topic.encode(),
        message.payload,
        received.encode(),
    )
