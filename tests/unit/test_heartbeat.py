"""What a camera says of itself: words and objects become heartbeats, nonsense says why it is none."""

from __future__ import annotations

import datetime as dt
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from story import Ground, iso, span

from seal_tracker.backtest import run_backtest
from seal_tracker.decoders.errors import DecodeError
from seal_tracker.decoders.heartbeat import decode_status, encode_status
from seal_tracker.intake import Intake, take_in
from seal_tracker.model import LIVE, NO_TIME
from seal_tracker.sources.file import read_trace
from seal_tracker.sources.framing import RawMessage
from seal_tracker.sources.trace import in_arrival_order
from seal_tracker.sources.trace_ndjson import read_ndjson

NOON = dt.datetime(2026, 11, 26, 12, tzinfo=dt.UTC)
NOON_MS = round(NOON.timestamp() * 1000)
TOPIC = "eseal/v1/demo/equip/CAM-1/status"


@pytest.mark.parametrize("payload", [b"online", b'"online"', b" degraded\n", b'{"status":"ok","temp_c":41}'])
def test_any_word_but_offline_is_a_heartbeat_of_when_it_came(payload: bytes) -> None:
    """Plain text or JSON, with members nobody asked for."""
    ping = decode_status(payload, NOON_MS)
    assert (ping.time, ping.facts, ping.valid) == (NOON, None, False)


@pytest.mark.parametrize("payload", [b"offline", b"Offline", b'{"status":"offline"}'])
def test_offline_is_a_fact(payload: bytes) -> None:
    """A broker publishes a last will as it was written, without a time."""
    assert decode_status(payload, NOON_MS).facts == ["offline"]


def test_a_device_with_a_clock_says_when() -> None:
    """With its zone; then nobody need have noted when it came."""
    payload = b'{"time":"2026-11-26T18:59:30+07:00","status":"online"}'
    for received_ms in (NOON_MS, NO_TIME):
        assert decode_status(payload, received_ms).time == NOON - dt.timedelta(seconds=30)


@pytest.mark.parametrize(
    ("payload", "says"),
    [
        (b"", "must be a word"),
        (b"on line", "must be a word"),
        (b"\xff\xfe", "must be a word"),
        (b"{", "status: "),
        (b"{}", "status"),
        (b'{"status":7}', "status"),
        (b'{"status":"online","time":"2026-11-26T12:00:00"}', "must state its zone"),
        (b'{"status":"online","time":"2026-11-26T12:05:01Z"}', "cannot be believed"),
        (b'{"status":"online","time":"1970-01-01T00:00:00Z"}', "cannot be believed"),
        (b"[" * 5000, "must be a word"),
        (b'{"status":' + b"[" * 100_000, "status: "),
    ],
)
def test_what_is_no_status_says_why(payload: bytes, says: str) -> None:
    """A heartbeat of tomorrow would hide that the device has been gone since today."""
    with pytest.raises(DecodeError, match=says):
        decode_status(payload, NOON_MS)


def test_without_any_time_it_is_none() -> None:
    """A recorded message that nobody noted the arrival of."""
    with pytest.raises(DecodeError, match="time is missing"):
        decode_status(b"online", NO_TIME)


@given(st.binary(max_size=80))
def test_nothing_makes_it_fall(payload: bytes) -> None:
    """It answers, or says why not."""
    with suppress(DecodeError):
        assert decode_status(payload, NOON_MS).valid is False


def taken(payload: bytes, topic: str = TOPIC, **more: Any) -> Intake:
    message = RawMessage(topic, payload, 1, NOON_MS, **more)
    return take_in(
        [message], tenant="demo", instance="i", known_spaces=(LIVE, "ex"), equipment={LIVE: {"CAM-1"}}
    )


def test_a_status_of_equipment_is_a_ping_of_its_device() -> None:
    """Under a name that no seal can have."""
    live = taken(b"online").of(LIVE)
    assert (live.seals, live.received_ms, len(live.pings)) == (["equip/CAM-1"], [NOON_MS], 1)


def test_what_the_plan_does_not_know_is_a_dead_letter() -> None:
    """In an exercise too, whose plan may be another; and a status that is none."""
    for topic, payload, space in (
        ("eseal/v1/demo/equip/CAM-2/status", b"online", LIVE),
        ("eseal-exercise/v1/demo/ex/equip/CAM-1/status", b"online", "ex"),
        (TOPIC, b"??", LIVE),
    ):
        into = taken(payload, topic).of(space)
        assert (len(into.pings), [letter.topic for letter in into.dead_letters]) == (0, [topic])


def test_a_status_kept_by_the_broker_is_old_news() -> None:
    """Sent again at a subscription it says nothing of now, unless it is dated."""
    assert taken(b"online", retain=True).of(LIVE).counts == {"status_retained": 1}
    dated = b'{"status":"online","time":"2026-11-26T11:00:00Z"}'
    assert len(taken(dated, retain=True).of(LIVE).pings) == 1


def test_a_seals_own_status_is_not_equipments() -> None:
    """It is counted, and not judged yet."""
    into = taken(b"online", "eseal/v1/demo/dev/S1/status").of(LIVE)
    assert (into.pings, into.counts) == ([], {"status_not_judged": 1})


def test_recorded_statuses_are_read_and_sent_again_as_they_were() -> None:
    """An NDJSON trace holds both kinds; what is replayed from it decodes to the same rows."""
    lines = [
        {"topic": TOPIC, "payload": "online", "received": "2026-11-26T12:00:00Z"},
        {"topic": TOPIC, "payload": {"status": "offline", "time": "2026-11-26T12:01:00Z"}},
        {"topic": TOPIC, "payload": "online"},
        {"topic": "eseal/v1/demo/dev/S1/ping", "payload": {"time": "2026-11-26T12:02:00Z", "valid": False}},
    ]
    rows = read_ndjson([json.dumps(line).encode() for line in lines], "t.ndjson")
    trace = in_arrival_order("t.ndjson", rows)
    assert trace.seals == ("equip/CAM-1", "S1")
    assert [fault.line for fault in trace.faults] == [3]
    batch = trace.batch()
    again = [decode_status(m.payload, m.arrival_ms) for m in trace.messages() if m.seal == "equip/CAM-1"]
    assert [p.facts for p in again] == [None, ["offline"]]
    assert [round(p.time.timestamp() * 1000) for p in again] == batch.time_ms[:2].tolist()
    assert np.count_nonzero(batch.facts) == 1
    assert decode_status(encode_status(again[1]), NO_TIME) == again[1]


def test_a_back_test_judges_recorded_statuses(tmp_path: Path) -> None:
    """Of equipment that its plan knows; the rest is counted by name. No heartbeat is a fix that is missing."""
    said = [
        (0, "CAM-1", "online"),
        (60, "CAM-1", "online"),
        (300, "CAM-1", "online"),
        (310, "CAM-1", "offline"),
    ]
    lines = [
        {"topic": f"eseal/v1/demo/equip/{who}/status", "payload": {"status": word, "time": iso(second)}}
        for second, who, word in [*said, (5, "CAM-2", "online"), (5, "CAM-2", "online")]
    ]
    path = tmp_path / "trace.ndjson"
    path.write_text("\n".join(json.dumps(line) for line in lines))
    outcome = run_backtest(Ground().equipment("CAM-1", 60).plan(), [read_trace(path)])
    assert [(e.subject, span(e)) for e in outcome.episodes] == [
        ("CAM-1", (60, 240, 300, 300)),
        ("CAM-1", (310, 310, None, None)),
    ]
    assert (outcome.pings, outcome.discards) == (6, {"duplicates": 1, "equipment_not_in_plan": 1})
