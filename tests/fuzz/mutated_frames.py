"""Frames as no device should send them: real ones and those of the tables, changed at random from a seed.

``python tests/fuzz/mutated_frames.py --frames 1000000 --seed 1`` gives a million of them to the decoders, and says how many
became pings, nothing to store and dead letters, and how long the slowest took. It ends with exit code 1 at the first
exception that escapes, answer that is malformed, or frame that takes longer than a second, and prints the frame.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache, reduce
from operator import xor
from pathlib import Path
from typing import Final

import msgspec

from seal_tracker.decoders.columns import to_batch
from seal_tracker.decoders.errors import FrameError
from seal_tracker.decoders.formats import formats
from seal_tracker.decoders.frame import MAX_FAULTS, Answer
from seal_tracker.gateway.stream import FrameStream

ROOT: Final = Path(__file__).resolve().parents[2]
REAL: Final = ROOT.parent / "shared/data/frames/eseal_frames.jsonl"
NAMES: Final = {"Eseal": "eseal", "Jt600": "jointech", "OwnTracks": "owntracks"}

NOW: Final = dt.datetime(2026, 11, 22, 3, tzinfo=dt.UTC)

SLOW_S: Final = 1.0
"""Of the processor. A frame of a kilobyte takes microseconds; a second is a hang that happens to end."""

BATCH: Final = 2_000
"""Pings taken to columns at once, as the service does."""

ODD: Final = (b"\x00", b"\xff", b"}", b"~", b"}\x02", b"$", b"(", b")", b",", b"=\x15", b"##S,", b"E##", b'"', b"{", b"[", b"\n",
              b"9" * 30, b"-1", b"1e999", b"NaN", b"null", b"\xc3\x28", b"\x7f\xff\xff\xff")  # fmt: skip


@cache
def seeds() -> dict[str, list[bytes]]:
    """Frames to change, by format: the tables', and the real ones where they are."""
    found: dict[str, list[bytes]] = {}
    for table in sorted((ROOT / "tests/frames").glob("*.jsonl")):
        rows = [json.loads(line) for line in table.read_text().splitlines()]
        found[table.stem] = [bytes.fromhex(r["hex"]) if "hex" in r else r["frame"].encode() for r in rows]
    for line in REAL.read_text().splitlines() if REAL.exists() else []:
        row = json.loads(line)
        hexed = re.match("(?:[0-9A-Fa-f]{2})*", row["payload"]) if row["kind"] == "binary" else None
        found[NAMES[row["protocol"]]].append(bytes.fromhex(hexed[0]) if hexed else row["payload"].encode())
    return found


def mutated(name: str, rng: random.Random) -> bytes:
    """A frame of a format, changed from once to eight times; of JT/T 808 often with a checksum that holds again."""
    pool = seeds()[name]
    frame = bytearray(rng.choice(pool))
    for _ in range(rng.choice((1, 1, 1, 2, 3, 5, 8))):
        rng.choice(CHANGES)(frame, rng, pool)
    if name == "jt808" and rng.random() < 0.7:
        frame = bytearray(framed(bytes(frame)))
    return bytes(frame[:65_536])


def _flip(frame: bytearray, rng: random.Random, pool: list[bytes]) -> None:
    if frame:
        frame[rng.randrange(len(frame))] ^= 1 << rng.randrange(8)


def _set(frame: bytearray, rng: random.Random, pool: list[bytes]) -> None:
    if frame:
        frame[rng.randrange(len(frame))] = rng.choice((0, 1, 9, 0x7D, 0x7E, 0x80, 0xFF, rng.randrange(256)))


def _odd(frame: bytearray, rng: random.Random, pool: list[bytes]) -> None:
    at = rng.randrange(len(frame) + 1)
    frame[at : at + rng.choice((0, 0, 1, 3))] = rng.choice(ODD)


def _digit(frame: bytearray, rng: random.Random, pool: list[bytes]) -> None:
    places = [i for i, byte in enumerate(frame) if 0x30 <= byte <= 0x39]
    if places:
        frame[rng.choice(places)] = rng.choice(b"0123456789-.x")


def _cut(frame: bytearray, rng: random.Random, pool: list[bytes]) -> None:
    del frame[rng.randrange(len(frame) + 1) :]


def _remove(frame: bytearray, rng: random.Random, pool: list[bytes]) -> None:
    at = rng.randrange(len(frame) + 1)
    del frame[at : at + rng.randrange(1, 9)]


def _repeat(frame: bytearray, rng: random.Random, pool: list[bytes]) -> None:
    at = rng.randrange(len(frame) + 1)
    piece = frame[at : at + rng.randrange(1, 40)]
    frame[at:at] = piece * rng.choice((1, 2, 2, 50))


def _splice(frame: bytearray, rng: random.Random, pool: list[bytes]) -> None:
    other = rng.choice(pool)
    frame[rng.randrange(len(frame) + 1) :] = other[rng.randrange(len(other) + 1) :]


def _join(frame: bytearray, rng: random.Random, pool: list[bytes]) -> None:
    frame += rng.choice(pool)


CHANGES: Final[tuple[Callable[[bytearray, random.Random, list[bytes]], None], ...]] = (
    _flip, _flip, _set, _set, _odd, _digit, _cut, _remove, _repeat, _splice, _join,
)  # fmt: skip


def framed(frame: bytes) -> bytes:
    """Between flags again, with length and checksum that hold, so that what is wrong lies deeper."""
    data = bytearray(frame.strip(b"~").replace(b"}\x02", b"~").replace(b"}\x01", b"}")[:-1])
    if len(data) > 12:
        parts = 4 if data[2] & 0x20 else 0
        body = len(data) - (17 if data[2] & 0x40 else 12) - parts
        data[2:4] = ((data[2] & 0xFC) << 8 | max(0, body) & 0x3FF).to_bytes(2, "big")
    data.append(reduce(xor, data, 0))
    return b"~" + bytes(data).replace(b"}", b"}\x01").replace(b"~", b"}\x02") + b"~"


def decoded(name: str, payload: bytes, device: str | None = None) -> Answer:
    """What a decoder answers; ``FrameError`` is an answer too. An answer that is malformed raises AssertionError."""
    try:
        answer = formats()[name].decode(payload, device)
    except FrameError as fault:
        answer = Answer()
        answer.fault(fault, payload)
    assert not answer.empty or not payload.translate(None, b"[] /\t\r\n"), "no answer at all"
    assert len(answer.pings) == len(answer.devices)
    assert len(answer.faults) <= MAX_FAULTS + 2, "more faults told than are"
    for fault in answer.faults:
        assert 0 <= fault.byte <= len(payload), fault.reason
        assert len(fault.reason) < 1000
    return answer


def spoken(name: str, payload: bytes) -> None:
    """What gateway and service do with the same bytes: ask for the part, cut, ask whose they are, answer. Nothing may be lost."""
    found = formats()[name]
    if found.part is not None:
        found.part(payload)
    if found.link is None:
        return
    stream = FrameStream(found)
    deliveries = [*stream.receive_data(payload), *stream.end()]
    shared = max(0, len(deliveries) - 1)  # the last byte of a damaged frame may be the first of the next
    assert sum(len(each.payload) for each in deliveries) <= len(payload) + shared, "more bytes than came"
    assert not stream.incomplete
    for frame in (each.payload for each in deliveries if each.is_frame):
        found.link.device(frame)
        found.link.acknowledgement(frame, NOW)


def frames(count: int, seed: int, only: list[str]) -> Iterator[tuple[str, bytes]]:
    """So many mutated frames, the formats in turn."""
    rng = random.Random(seed)
    for index in range(count):
        name = only[index % len(only)]
        yield name, mutated(name, rng)


def run(count: int, seed: int, only: list[str]) -> int:
    """Decode them all and print figures; 1 at the first that a decoder cannot stand."""
    tally: Counter[str] = Counter()
    slowest, began, pings = (0.0, "", b""), time.perf_counter(), []
    for name, payload in frames(count, seed, only):
        start = time.process_time()
        try:
            answer = decoded(name, payload)
            spoken(name, payload)
            took = time.process_time() - start
            pings += answer.pings
            if len(pings) >= BATCH:
                msgspec.json.encode(pings)
                to_batch(pings, 1, 1_795_316_400_000)
                pings.clear()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what this looks for
            print(f"{name}: {type(error).__name__}: {error}\n{payload.hex()}", file=sys.stderr)
            return 1
        if took > slowest[0]:
            slowest = (took, name, payload)
        if took > SLOW_S:
            print(f"{name}: took {took:.1f} s\n{payload.hex()}", file=sys.stderr)
            return 1
        tally["pings"] += len(answer.pings)
        tally["nothing"] += len(answer.nothing)
        tally["dead letters"] += len(answer.faults)
    took = time.perf_counter() - began
    print(
        f"{count:,} frames of seed {seed} ({', '.join(only)}) in {took:.0f} s: "
        + ", ".join(f"{n:,} {what}" for what, n in tally.items())
    )
    print(
        f"no exception, no hang; the slowest took {slowest[0] * 1000:.1f} ms ({slowest[1]}, {len(slowest[2]):,} bytes)"
    )
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--frames", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--format", action="append", choices=sorted(formats()), help="only this one; may be repeated"
    )
    given = parser.parse_args()
    sys.exit(run(given.frames, given.seed, given.format or sorted(formats())))
