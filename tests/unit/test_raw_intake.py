"""Frames on ``…/raw/{protocol}/{device}``: pings of the topic's device, dead letters with their bytes, counts."""

from __future__ import annotations

import json
from pathlib import Path

from seal_tracker.intake import SpaceIntake, take_in
from seal_tracker.publishing.topics import frame_topic
from seal_tracker.sources.framing import RawMessage
from seal_tracker.sources.trace_ndjson import read_ndjson
from seal_tracker.ways import Way, Ways

JT808 = {
    row["what"]: bytes.fromhex(row["hex"])
    for row in map(json.loads, (Path(__file__).parents[1] / "frames/jt808.jsonl").read_text().splitlines())
}
NOW = 1_795_316_400_000


def taken(
    payload: bytes, protocol: str = "jt808", device: str = "013912345678", root: str = "eseal/v1/demo"
) -> SpaceIntake:
    message = RawMessage(f"{root}/raw/{protocol}/{device}", payload, 1, NOW)
    (into,) = take_in(
        [message], tenant="demo", instance="main", known_spaces=("live", "drill")
    ).spaces.values()
    return into


def test_pings_are_the_topics_devices() -> None:
    into = taken(JT808["a batch in two parts, in one payload"])
    assert (into.seals, into.received_ms) == (["013912345678"] * 2, [NOW] * 2)
    assert [ping.buffered for ping in into.pings] == [True, True]
    assert not into.dead_letters


def test_what_is_wrong_is_kept_and_its_neighbours_stand() -> None:
    """With the byte, why, and the bytes of the frame."""
    payload = JT808["three reports of a blind area, the second with month 13"]
    into = taken(payload)
    assert len(into.pings) == 2
    (letter,) = into.dead_letters
    assert (letter.payload, letter.topic) == (payload, "eseal/v1/demo/raw/jt808/013912345678")
    assert letter.reason.startswith("byte 70: report 2: time 261322110000")


def test_frames_without_a_ping_are_counted() -> None:
    into = taken(JT808["a heartbeat of 2019"])
    assert (into.pings, into.dead_letters, into.counts) == ([], [], {"frame_holds_no_ping": 1})


def test_another_devices_frame_is_refused() -> None:
    """Whoever publishes under a device's topic may not speak for another."""
    (letter,) = taken(JT808["a position report of 2013"], device="013900000000").dead_letters
    assert letter.reason.startswith("byte 5: device '013912345678': another than the topic's")


def test_a_gateway_that_says_its_name_is_the_way_of_its_seals() -> None:
    """By which alarms are grouped: what it hands on is silent together."""
    into = taken(JT808["a batch of live reports"], "jt808@gw-1")
    assert frame_topic("demo", "jt808", "013912345678", gateway="gw-1").endswith(
        "/raw/jt808@gw-1/013912345678"
    )
    ways = Ways()
    ways.load("live", {})
    assert ways.news("live", into.pings, into.seals) == {"013912345678": Way(None, "gw-1")}
    (letter,) = taken(JT808["a batch of live reports"], "jt808@").dead_letters
    assert letter.reason.startswith("gateway ''")


def test_a_protocol_without_a_decoder_is_named() -> None:
    (letter,) = taken(b"-.-", "morse").dead_letters
    assert letter.reason.startswith("protocol 'morse': no decoder; known are eseal, ")


def test_an_exercise_takes_frames_too() -> None:
    assert len(taken(JT808["a position report of 2013"], root="eseal-exercise/v1/demo/drill").pings) == 1


def test_a_trace_may_hold_frames() -> None:
    """As recorded from the broker, bytes as hex."""
    lines = [
        json.dumps(
            {
                "topic": "eseal/v1/demo/raw/jt808/013912345678",
                "payload_hex": JT808[what].hex(),
                "received": "2026-11-22T03:00:05Z",
            }
        ).encode()
        for what in ("a position report of 2013", "a checksum that is wrong", "a heartbeat of 2019")
    ]
    rows = read_ndjson([*lines, b'{"topic":"eseal/v1/demo/raw/morse/1","payload":"x"}'], "t.ndjson")
    assert rows.seals == ("013912345678",)
    assert [fault.reason.split(":")[0] for fault in rows.faults] == ["byte 41", "protocol 'morse'"]
