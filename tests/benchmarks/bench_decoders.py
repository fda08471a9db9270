"""What a frame costs to decode, by format, beside ``json.loads`` of a native ping in the same run.

    python tests/benchmarks/bench_decoders.py [--rounds 30]

The frames are those of ``tests/frames`` (and the real ones, where they are) that give pings and no fault. Each format's are
decoded in turn with the reference, so that a busy machine slows both; the figures are medians of the rounds, in
microseconds a frame and a ping, and as a ratio of the reference. A dead letter's cost is that of the tables' faulty frames.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from fuzz.mutated_frames import decoded, seeds

from seal_tracker.decoders.formats import formats

PING = (
    b'{"time":"2026-11-22T03:00:00Z","lon":106.68123,"lat":20.86456,"valid":true,"speed_kmh":43.5,"course_deg":128,'
    b'"accuracy_m":8,"satellites":11,"battery_pct":82,"seq":1024,"lock":"closed","facts":["rope_cut"]}'
)

PER_ROUND = 2_000
"""Frames of a format in a round: some ten milliseconds."""


def cost_us(work: Callable[[bytes], object], frames: Sequence[bytes]) -> float:
    """Microseconds a call over the frames, again and again up to ``PER_ROUND``."""
    times = max(1, PER_ROUND // len(frames))
    began = time.perf_counter()
    for _ in range(times):
        for frame in frames:
            work(frame)
    return (time.perf_counter() - began) * 1e6 / (times * len(frames))


def main(rounds: int) -> None:
    """Print a line for each format."""
    print(f"{'':12}{'frames':>7}{'us/frame':>10}{'us/ping':>10}{'ratio':>8}{'us/dead letter':>16}")
    references = []
    for name, found in formats().items():
        answers = {frame: decoded(name, frame) for frame in seeds()[name]}
        good = [frame for frame, answer in answers.items() if answer.pings and not answer.faults]
        bad = [frame for frame, answer in answers.items() if answer.faults and not answer.pings]
        pings = sum(len(answers[frame].pings) for frame in good) / len(good)

        def refused(frame: bytes, name: str = name) -> object:
            return decoded(name, frame)

        measured = [
            (
                cost_us(json.loads, [PING]),
                cost_us(lambda f, d=found.decode: d(f, None), good),
                cost_us(refused, bad),
            )
            for _ in range(rounds)
        ]
        reference, frame_us, letter_us = (statistics.median(column) for column in zip(*measured, strict=True))
        references.append(reference)
        print(
            f"{name:12}{len(good):7}{frame_us:10.1f}{frame_us / pings:10.1f}{frame_us / pings / reference:8.1f}{letter_us:16.1f}"
        )
    print(f"json.loads of a native ping: {statistics.median(references):.1f} us")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--rounds", type=int, default=30)
    main(parser.parse_args().rounds)
