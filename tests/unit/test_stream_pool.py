"""Streams of all seals in one array: against a dictionary of lists."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from seal_tracker.rules.streams import STREAM
from seal_tracker.tracking.pool import NO_STREAM, StreamPool

SEALS = 6

changes = st.lists(
    st.dictionaries(st.integers(0, SEALS - 1), st.lists(st.integers(1, 99), max_size=4), max_size=SEALS),
    max_size=12,
)


def streams_of(chains: list[list[int]]) -> np.ndarray:
    rows = [(row, key) for row, chain in enumerate(chains) for key in chain]
    out = np.zeros(len(rows), STREAM)
    out["row"], out["key"] = [r for r, _ in rows], [k for _, k in rows]
    return out


@settings(max_examples=200, deadline=None)
@given(changes)
def test_every_seal_has_the_streams_it_was_given_last(steps: list[dict[int, list[int]]]) -> None:
    """Whatever was given back and used again in between, and in the order given."""
    pool, heads = StreamPool(), np.full(SEALS, NO_STREAM)
    expected: dict[int, list[int]] = {seal: [] for seal in range(SEALS)}
    for step in steps:
        seals = np.array(sorted(step), np.int64)
        heads[seals] = pool.replace(heads[seals], streams_of([step[s] for s in sorted(step)]))
        expected |= step
    found = pool.take(heads)
    assert found["row"].tolist() == [s for s in range(SEALS) for _ in expected[s]]
    assert found["key"].tolist() == [key for s in range(SEALS) for key in expected[s]]


def test_slots_given_back_are_used_again() -> None:
    """A seal that goes through zones all day takes no more room in the evening."""
    pool, head = StreamPool(), np.array([NO_STREAM])
    for key in range(1, 1000):
        head = pool.replace(head, streams_of([[key, key + 1]]))
    assert len(pool) <= 64
