"""Frames out of a stream: however TCP cuts it, the same frames; what is none is told, and nothing grows without end."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from seal_tracker.decoders.formats import formats
from seal_tracker.gateway.stream import Delivery, FrameStream

FRAMES = Path(__file__).parents[1] / "frames"
DEED = b"(8000620011,P45,221126,030000,20.86456,N,106.68123,E,A,36,270,1,98,0008627839,0,0,24,5)"
SPOKEN = [name for name, found in formats().items() if found.link]


def row(name: str, what: str) -> bytes:
    found = [json.loads(line) for line in (FRAMES / f"{name}.jsonl").read_text().splitlines()]
    (match,) = [each for each in found if each["what"] == what]
    return bytes.fromhex(match["hex"]) if "hex" in match else match["frame"].encode()


def good(name: str) -> list[bytes]:
    """Frames of a table that are one whole frame each."""
    rows = [json.loads(line) for line in (FRAMES / f"{name}.jsonl").read_text().splitlines()]
    frames = [
        bytes.fromhex(r["hex"]) if "hex" in r else r["frame"].encode() for r in rows if "faults" not in r
    ]
    return [frame for frame in frames if taken(name, frame) == [Delivery(frame)]]


def taken(name: str, *pieces: bytes) -> list[Delivery]:
    stream = FrameStream(formats()[name])
    return [delivery for piece in pieces for delivery in stream.receive_data(piece)]


@pytest.mark.parametrize("name", SPOKEN)
def test_frames_are_the_same_however_the_stream_is_cut(name: str) -> None:
    """Byte by byte, in one piece, and anyhow between."""
    frames = good(name)
    assert len(frames) > 1
    stream = b"".join(frames)
    rng = random.Random(7)
    cuts = sorted(rng.sample(range(len(stream)), min(40, len(stream) // 2)))
    for pieces in (
        [bytes([b]) for b in stream],
        [stream],
        [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)],
    ):
        assert [d.payload for d in taken(name, *pieces)] == frames


@pytest.mark.parametrize("name", SPOKEN)
def test_every_frame_says_whose_it_is(name: str) -> None:
    for frame in good(name):
        device = formats()[name].link.device(frame)
        assert device
        assert device.isdigit()


def test_line_ends_between_frames_are_nothing() -> None:
    seal = row("eseal", "a report")
    assert [d.payload for d in taken("eseal", seal + b"\r\n" + seal + b"\r\n")] == [seal, seal]


def test_noise_is_delivered_as_what_it_is_and_the_next_frame_found() -> None:
    """It has no frames to answer for."""
    noise, frame = taken("jointech", b"\x00\x01noise" + DEED)
    assert noise == Delivery(b"\x00\x01noise", is_frame=False)
    assert frame == Delivery(DEED)


CUT_SHORT = [
    ("jt808", "a position report of 2013", 30),
    ("jointech", "a JT701D, locked", 20),
    ("jointech", "a card unlocks within a fence", 26),
    ("eseal", "a report", 40),
]


@pytest.mark.parametrize(("name", "what", "there"), CUT_SHORT)
def test_a_frame_cut_short_does_not_take_the_next_with_it(name: str, what: str, there: int) -> None:
    """A modem that restarts sends from the beginning again: what is whole is published and answered, each once."""
    frame = row(name, what)
    for pieces in ((frame[:there] + frame, frame), (frame[:there], frame + frame)):
        got = taken(name, *pieces)
        assert [d.payload for d in got[-2:]] == [frame, frame] or (name, got[-1].payload) == ("eseal", frame)
        whole = [ping for d in got for ping in formats()[name].decode(d.payload, None).pings]
        assert len(whole) == 2


def test_the_flag_behind_a_damaged_frame_may_be_the_next_ones() -> None:
    """Or its own, and then the next brings one itself; it is nothing that is waited for."""
    frame = row("jt808", "a position report of 2013")
    damaged = frame[:20] + b"\x55" + frame[21:]
    stream = FrameStream(formats()["jt808"])
    assert [d.payload for d in stream.receive_data(damaged)] == [damaged]
    assert not stream.incomplete
    assert [d.payload for d in stream.receive_data(frame)] == [frame]
    assert stream.end() == []


def test_another_protocol_is_hopeless() -> None:
    stream = FrameStream(formats()["jointech"])
    for _ in range(3):
        assert not stream.hopeless
        stream.receive_data(b"GET / HTTP/1.1\r\n\r\n")
    assert stream.hopeless


def test_a_frame_without_an_end_is_given_up_at_the_longest() -> None:
    """What waits for its rest never grows beyond it."""
    stream = FrameStream(formats()["eseal"])
    assert stream.receive_data(b"##S,") == []
    (given_up,) = stream.receive_data(b"x" * 2000)[:1]
    assert (len(given_up.payload), given_up.is_frame) == (1024, False)


def test_a_length_beyond_all_frames_is_no_frame() -> None:
    """Sixty-four kilobytes are announced; nobody waits for them."""
    frame = bytes.fromhex("24408111888813ffff") + b"\x09" * 20_000
    deliveries = taken("jointech", frame)
    assert deliveries
    assert not any(delivery.is_frame for delivery in deliveries)


def test_each_part_of_a_message_goes_out_by_itself() -> None:
    """A device that waits for the answer to one before it sends the next gets it; the service joins them."""
    both = row("jt808", "a batch in two parts, in one payload")
    first, second = both[: both.index(b"~~") + 1], both[both.index(b"~~") + 1 :]
    assert taken("jt808", both) == [Delivery(first), Delivery(second)]
    stream = FrameStream(formats()["jt808"])
    assert stream.receive_data(first + b"~\x02") == [Delivery(first)]
    assert stream.end() == [Delivery(b"~\x02", is_frame=False)]


@pytest.mark.parametrize(
    ("name", "what", "answer"),
    [
        ("jointech", "a JT701D, locked", b"(P69,0,86)"),
        ("jointech", "protocol 01 and 16, whose records are shorter", b"(P35)"),
        ("jointech", "a card unlocks within a fence", b"(P69,0,24)"),
        ("jointech", "a sub-lock whose rope is cut", b"(P69,0,115)"),
        ("jointech", "a tracker, miles an hour", b"(S39)"),
        ("jointech", "with a reason", b"(S20)"),
        ("jointech", "a request for the time", b"(P22,221126030000)"),
        ("jointech", "a password is told", b"(P52,2,113271)"),
        ("jointech", "a heartbeat", None),
        ("eseal", "a report", b"##S,eSeal,1000821,256,3.0.6,Normal ACK,34,E##\r\n"),
        ("eseal", "it has taken settings on", None),
        ("jt808", "a position report of 2013", bytes.fromhex("7e800100050139123456780000000702000029" "7e")),
        ("jt808", "a registration", bytes.fromhex("7e8100000f0139123456780000000100303133393132333435363738") ),
        ("jt808", "text in brackets", None),
        ("jt808", "text that asks for the time", b"(794104004140,1,001,BASE,2,20261122030000)"),
    ],
    ids=str,
)  # fmt: skip
def test_a_device_is_answered_as_its_maker_says(name: str, what: str, answer: bytes | None) -> None:
    import datetime as dt  # noqa: PLC0415

    now = dt.datetime(2026, 11, 22, 3, tzinfo=dt.UTC)
    given = formats()[name].link.acknowledgement(row(name, what), now)
    if name == "jt808" and answer and given and given[:1] == b"~":
        assert given[: len(answer) - 2] == answer[:-2]
        assert formats()["jt808"].decode(given, "013912345678").faults == []
    else:
        assert given == answer
