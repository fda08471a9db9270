"""Recorded messages: what is written is read again to the byte, mosquitto_sub's too, in the order in which it arrived."""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seal_tracker.commands.errors import CommandError
from seal_tracker.commands.outgoing import of_recording, recorded_in
from seal_tracker.intake import take_in
from seal_tracker.model import LIVE, NO_TIME
from seal_tracker.publishing.topics import parse, replayed_arrival
from seal_tracker.sources.framing import RawMessage
from seal_tracker.sources.recording import LineError, by_arrival, read_line, read_recording, written

FRAMES = Path(__file__).parents[1] / "frames"
TOPIC_TAIL = "raw/jt808/013912345678"
NOW = 1_795_316_400_000
TOPIC = "eseal/v1/demo/raw/jt808/013912345678"
JT808 = bytes.fromhex(
    "7e0200001c01391234567800070000000000000002013e5e30065bd38e000501b30080261122110000497e"
)


def lines(*messages: tuple[str, bytes, int | None]) -> list[bytes]:
    return [
        written(f"eseal/v1/demo/{topic}", payload, at)
        if at
        else json.dumps({"topic": f"eseal/v1/demo/{topic}", "payload": payload.decode()}).encode()
        for topic, payload, at in messages
    ]


@given(st.binary(max_size=60), st.integers(0, 2**42))
def test_what_is_written_is_read_again(payload: bytes, at_ms: int) -> None:
    read = read_line(written(TOPIC, payload, at_ms), 7)
    assert (read.topic, read.payload, read.mid, read.received_ms) == (TOPIC, payload, 7, at_ms)


@pytest.mark.parametrize(
    "line",
    [
        '{"tst":"2026-11-22T03:00:00.645275Z+0000","topic":"%s","qos":0,"retain":0,"payloadlen":7,"payload":"{\\"x\\":1}"}',
        '{"tst":"2026-11-22T10:00:00.645275+0700","topic":"%s","qos":0,"retain":0,"payloadlen":7,"payload":{"x":1}}',
        '{"received":"2026-11-22T03:00:00.645Z","topic":"%s","payload_hex":"7b2278223a317d"}',
    ],
    ids=["%j", "%J", "%x"],
)
def test_what_mosquitto_sub_writes_is_read(line: str) -> None:
    read = read_line((line % TOPIC).encode(), 1)
    assert (read.topic, read.payload, read.received_ms) == (TOPIC, b'{"x":1}', NOW + 645)


def test_a_payload_that_mosquitto_sub_has_cut_is_told() -> None:
    """It ends JSON text at the first byte 0; half a frame must not be taken for one."""
    with pytest.raises(LineError, match=r"2 bytes of 6.*payload_hex.*%x"):
        read_line(
            b'{"tst":"2026-11-22T03:00:00Z","topic":"%s","payloadlen":6,"payload":"ab"}' % TOPIC.encode(), 1
        )


def test_messages_are_in_the_order_of_their_arrival() -> None:
    """One that nobody dated stays behind the one before it, and is due with it."""
    found = read_recording(
        [*lines(("dev/A/ping", b"1", NOW + 5), ("dev/B/ping", b"2", None), ("dev/C/ping", b"3", NOW)), b"{}", b" "], "f"
    )  # fmt: skip
    due = [(at - NOW, message.payload) for at, message in by_arrival(found.messages)]
    assert due == [(0, b"3"), (5, b"1"), (5, b"2")]
    assert [(fault.line, fault.reason[:22]) for fault in found.faults] == [(4, "is no recorded message")]


def test_an_exercise_is_told_when_a_frame_arrived_and_the_live_space_is_not() -> None:
    """Bytes go as they are; in the live space they arrive when they do."""
    recording = read_recording(
        lines(("raw/jt808@gate-2/013912345678", JT808, NOW), ("dev/A/ping", b"[]", NOW)), "f"
    )
    drill = list(of_recording(recording, "demo", "drill", paced=True).messages)
    assert drill == [
        (f"eseal-exercise/v1/demo/drill/raw/jt808:{NOW}@gate-2/013912345678", JT808, NOW),
        (f"eseal-exercise/v1/demo/drill/raw/native:{NOW}/A", b"[]", NOW),
    ]
    live = list(of_recording(recording, "demo", LIVE, paced=True).messages)
    assert [m.topic for m in live] == [TOPIC.replace("jt808", "jt808@gate-2"), "eseal/v1/demo/dev/A/ping"]


def test_parts_of_a_message_are_put_together_by_the_clock_of_the_time() -> None:
    """As a back-test does; what came after a minute and more is no part of it, however fast it is replayed. Live they go as they are."""
    batch = next(
        bytes.fromhex(row["hex"])
        for row in map(json.loads, (FRAMES / "jt808.jsonl").read_text().splitlines())
        if row["what"] == "a batch in two parts, in one payload"
    )
    cut = batch.index(b"\x7e\x7e") + 1
    for gap_ms, whole in ((5_000, [batch]), (90_000, [batch[:cut], batch[cut:]])):
        between = ("dev/A/ping", b"[]", NOW + gap_ms - 1)
        sent = [(TOPIC_TAIL, batch[:cut], NOW), between, (TOPIC_TAIL, batch[cut:], NOW + gap_ms)]
        recording = read_recording(lines(*sent), "f")
        of_space = {
            space: [m.payload for m in of_recording(recording, "demo", space, paced=False).messages]
            for space in ("drill", LIVE)
        }
        assert [p for p in of_space["drill"] if p != b"[]"] == whole
        assert of_space[LIVE] == [payload for _, payload, _ in sent]


def test_a_replayed_frame_is_dated_to_its_arrival_in_an_exercise_only() -> None:
    """Live, a topic that says when it arrived is no protocol's."""
    drill, live = (
        take_in(
            [RawMessage(f"{root}/raw/jt808:{NOW}/013912345678", JT808, 1, NOW + 99)],
            tenant="demo", instance="main", known_spaces=("live", "drill"),
        ).spaces.popitem()[1]
        for root in ("eseal-exercise/v1/demo/drill", "eseal/v1/demo")
    )  # fmt: skip
    assert [p.received.timestamp() * 1000 for p in drill.pings if p.received] == [NOW]
    assert [letter.reason.split(":")[0] for letter in live.dead_letters] == ["protocol 'jt808"]
    assert replayed_arrival(parse("eseal-exercise/v1/demo/drill/raw/jt808/1", "demo")) == ("jt808", None)


def test_a_heartbeat_is_given_the_time_at_which_it_was_heard() -> None:
    recording = read_recording(lines(("equip/cam-1/status", b"offline", NOW)), "f")
    (message,) = of_recording(recording, "demo", "drill", paced=True).messages
    assert json.loads(message.payload) == {"status": "offline", "time": "2026-11-22T03:00:00Z"}


def test_a_heartbeat_that_nobody_can_date_is_left_out_of_an_exercise_and_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Else it would be of when it is replayed; so is one whose clock could not be believed when it came. Live both go as they are."""
    tomorrow = b'{"status":"online","time":"2026-11-23T03:00:00Z"}'
    some = lines(("equip/cam-1/status", b"online", None), ("equip/cam-1/status", tomorrow, NOW))
    recording = read_recording(some, "f")
    assert of_recording(recording, "demo", "drill", paced=False).total == 0
    told = capsys.readouterr().err
    assert "line 1: left out: time is missing" in told
    assert "line 2: left out: time 2026-11-23T03:00:00+00:00: cannot be believed" in told
    assert of_recording(recording, "demo", LIVE, paced=False).total == 2


def test_what_will_be_accounted_for_is_pings_and_dead_letters() -> None:
    """Of what holds neither, such as a keep-alive, the service stores nothing, and nobody waits for it."""
    some = lines(
        ("dev/A/ping", b"[]", NOW), ("dev/A/ping", b"x", NOW), ("raw/jt808/013912345678", JT808, NOW)
    )
    outgoing = of_recording(read_recording(some, "f"), "demo", "drill", paced=False)
    assert (outgoing.total, outgoing.accounted) == (3, 2)


def test_without_arrivals_there_are_no_gaps_to_keep() -> None:
    recording = read_recording(lines(("dev/A/ping", b"[]", None)), "f")
    assert by_arrival(recording.messages)[0][0] == NO_TIME
    with pytest.raises(CommandError, match="leave out --speed"):
        of_recording(recording, "demo", "drill", paced=True)


def test_a_line_that_is_no_text_leaves_those_behind_it_standing() -> None:
    """A mark of byte order, as some editors write it, is no part of the first line."""
    good, *_ = lines(("dev/A/ping", b"[]", 1))
    recording = read_recording([BOM_UTF8 + good, good.replace(b"[]", b"\xe9"), good], "f")
    assert [message.mid for message in recording.messages] == [1, 3]
    (fault,) = recording.faults
    assert (fault.line, fault.reason[:18]) == (2, "payload is no text")


@pytest.mark.parametrize(
    ("name", "text", "why"), [("a.csv", "seal,time", "ends in"), ("a.jsonl", "{}\n", "no message")]
)
def test_a_file_that_is_no_recording_is_refused(tmp_path: Path, name: str, text: str, why: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(CommandError, match=why):
        recorded_in(tmp_path / name)
