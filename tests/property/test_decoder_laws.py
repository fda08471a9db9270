"""Whatever bytes arrive, a decoder answers: no exception but its own, nothing malformed, and quickly."""

from __future__ import annotations

import random

import pytest
from fuzz.mutated_frames import decoded, mutated, seeds, spoken
from hypothesis import example, given, settings
from hypothesis import strategies as st

from seal_tracker.decoders.columns import to_batch
from seal_tracker.decoders.formats import formats

NAMES = sorted(formats())


FRAMES_AN_EXAMPLE = 10
"""Drawing a seed costs more than decoding a frame."""


@settings(max_examples=2000 // FRAMES_AN_EXAMPLE)
@given(st.integers(0, 2**32), st.sampled_from(NAMES))
def test_a_mutated_frame_has_an_answer(seed: int, name: str) -> None:
    """Frames of the tables and real ones, changed: pings that columns take, faults within the payload, or nothing by name."""
    rng = random.Random(seed)
    pings = []
    for _ in range(FRAMES_AN_EXAMPLE):
        frame = mutated(name, rng)
        pings += decoded(name, frame).pings
        spoken(name, frame)
    to_batch(pings, 1, 1_795_316_400_000)


@settings(max_examples=100)
@given(st.binary(max_size=300), st.sampled_from(NAMES))
@example(b"~", "jt808")
@example(b"~~", "jt808")
@example(bytes.fromhex("7e3d157d02020139123456787d0209137e"), "jt808")
def test_any_bytes_have_an_answer(payload: bytes, name: str) -> None:
    """From the broker, and over TCP."""
    decoded(name, payload)
    spoken(name, payload)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "piece",
    [b"~", b"$", b"(", b"##S,", b"[", b'{"a":', b"~\x02\x00", b"(1,2", b"$\x10\x10\x10\x10\x10"],
    ids=str,
)
def test_a_hundred_thousand_bytes_of_one_kind_take_no_time(name: str, piece: bytes) -> None:
    """Nothing is searched from its beginning again and again; the timeout of a test would be a hang."""
    answer = decoded(name, piece * (100_000 // len(piece)))
    assert answer.faults


FRAMES = {
    "eseal": b"##S,eSeal,1,256,3.0.6,Normal,34,2026-11-22,03:00:00,15,A,20.8N 106.6E,43,128,Close,E##",
    "jointech": b"(8000620011,P45,221126,030000,20.86456,N,106.68123,E,A,36,270,1,1,0008627839,0,0,24,5)",
    "jt808": seeds()["jt808"][0],
}


@pytest.mark.parametrize("name", sorted(FRAMES))
def test_a_long_buffer_is_read_to_its_end(name: str) -> None:
    """Two thousand good frames in one payload, and one that is none among them."""
    answer = decoded(name, FRAMES[name] * 1000 + b"?" + FRAMES[name] * 1000)
    assert (len(answer.pings), len(answer.faults)) == (2000, 1)
