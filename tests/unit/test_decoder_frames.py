"""Every format's table of frames in ``tests/frames``: what each frame must become, to the byte of a fault.

A row is a JSON object: ``what`` it is; ``frame`` (text) or ``hex``; the ``topic_device`` where there is one; and what comes
of it: ``pings`` (the members that matter; null is unknown), their ``devices``, ``nothing`` by name, ``faults`` by how their
reasons begin. What a row leaves out must be empty. ``tests/frames`` is where a new format's table goes, named as the format.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from seal_tracker.decoders.errors import FrameError
from seal_tracker.decoders.formats import formats
from seal_tracker.decoders.frame import Answer, FrameFault

TABLES = sorted((Path(__file__).parents[1] / "frames").glob("*.jsonl"))
REAL = Path(__file__).resolve().parents[3] / "shared/data/frames/eseal_frames.jsonl"
LOG_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+$")
NAMES = {"Eseal": "eseal", "Jt600": "jointech", "OwnTracks": "owntracks"}

PING = dict.fromkeys(("lon", "lat", "lock", "facts", "cell", "battery_pct", "speed_kmh", "accuracy_m"))


def rows() -> Iterator[Any]:
    for table in TABLES:
        for number, line in enumerate(table.read_text().splitlines(), 1):
            row = json.loads(line)
            yield pytest.param(
                table.stem, row, id=f"{table.stem}-{number}-{re.sub('[^a-z0-9]+', '_', row['what'])}"
            )


def answer_of(name: str, data: bytes, device: str | None) -> Answer:
    """What a decoder answers; where it raises, its fault is of the whole payload."""
    try:
        return formats()[name].decode(data, device)
    except FrameError as fault:
        return Answer(faults=[FrameFault(fault.byte, fault.why, data)])


@pytest.mark.parametrize(("name", "row"), [*rows()])
def test_a_frame_becomes_what_its_row_says(name: str, row: dict[str, Any]) -> None:
    data = bytes.fromhex(row["hex"]) if "hex" in row else row["frame"].encode()
    answer = answer_of(name, data, row.get("topic_device"))
    reasons = [fault.reason for fault in answer.faults]
    assert len(reasons) == len(row.get("faults", [])), reasons
    for reason, begins in zip(reasons, row.get("faults", []), strict=True):
        assert reason.startswith(begins)
    assert answer.nothing == row.get("nothing", [])
    found = [PING | json.loads(msgspec.json.encode(ping)) for ping in answer.pings]
    for ping, wanted in zip(found, row.get("pings", []), strict=True):
        assert rounded(ping) == rounded(ping | wanted)
    if "devices" in row:
        assert answer.devices == row["devices"]
    assert len(answer.devices) == len(answer.pings)


def rounded(ping: dict[str, Any]) -> dict[str, Any]:
    """Floats as near as they matter, and of the cell what is known."""
    cell = {name: value for name, value in (ping["cell"] or {}).items() if value is not None}
    return {name: round(value, 7) if isinstance(value, float) else value for name, value in ping.items()} | {
        "cell": cell
    }


@pytest.mark.parametrize(("name", "row"), [*rows()])
def test_what_is_refused_is_kept(name: str, row: dict[str, Any]) -> None:
    """A dead letter has the bytes, and its byte lies in the payload or just behind it."""
    data = bytes.fromhex(row["hex"]) if "hex" in row else row["frame"].encode()
    for fault in answer_of(name, data, row.get("topic_device")).faults:
        assert fault.payload
        assert fault.payload in data
        assert 0 <= fault.byte <= len(data)


def test_every_format_has_a_table() -> None:
    assert [table.stem for table in TABLES] == sorted(formats())


def real() -> list[dict[str, str]]:
    return [json.loads(line) for line in REAL.read_text().splitlines()] if REAL.exists() else []


@pytest.mark.skipif(not REAL.exists(), reason=f"{REAL} is not here: real frames are not part of the project")
def test_every_real_frame_is_read() -> None:
    """Positions become pings, what holds none is nothing to store, and none is refused."""
    for row in real():
        text = row["payload"]
        data = bytes.fromhex(LOG_TIME.sub("", text)) if row["kind"] == "binary" else text.encode()
        answer = answer_of(NAMES[row["protocol"]], data, None)
        assert answer.faults == [], text
        if row["verify"] == "verifyNull":
            assert answer.nothing, text
            assert not answer.pings
        else:
            assert answer.pings, text
            assert all(ping.time.year >= 2000 for ping in answer.pings)
