"""Pings, episodes and events made up for the store's tests; deterministic where a seed is given."""

from __future__ import annotations

from dataclasses import fields
from typing import Any
from uuid import UUID, uuid5

import numpy as np

from seal_tracker.model import NAMESPACE, NO_TIME, PING_DTYPES, Episode, Event, PingBatch, event_id

START_MS = 1_790_000_000_000
"""2026-09-21, when these stories begin."""


def pings(
    seals: list[int], each: int, *, seed: int = 1, unknown: float = 0.3, start_ms: int = START_MS
) -> PingBatch:
    """``each`` pings 30 s apart of every seal, columns at random, with a share of unknown values."""
    rng = np.random.default_rng(seed)
    n = len(seals) * each
    seal = np.repeat(np.array(seals, np.int32), each)
    time_ms = start_ms + np.tile(np.arange(each, dtype=np.int64) * 30_000, len(seals))

    def blank(values: Any, value: Any) -> Any:
        return np.where(rng.random(n) < unknown, value, values)

    has_position = rng.random(n) >= unknown
    columns = {
        "seal": seal,
        "time_ms": time_ms,
        "received_ms": blank(time_ms + 1234, NO_TIME),
        "lon_e7": np.where(has_position, rng.integers(-1_800_000_000, 1_800_000_000, n), 0),
        "lat_e7": np.where(has_position, rng.integers(-900_000_000, 900_000_000, n), 0),
        "has_position": has_position,
        "valid": rng.random(n) < 0.9,
        "speed_kmh": blank(rng.random(n) * 90, np.nan),
        "course_deg": blank(rng.random(n) * 360, np.nan),
        "accuracy_m": blank(rng.random(n) * 50, np.nan),
        "battery_pct": blank(rng.random(n) * 100, np.nan),
        "satellites": blank(rng.integers(0, 20, n), -1),
        "rssi_dbm": blank(rng.integers(-110, -40, n), 0),
        "seq": blank(np.arange(n), -1),
        "lock": rng.integers(0, 4, n),
        "mode": rng.integers(0, 3, n),
        "facts": rng.integers(0, 1 << 14, n),
        "interval_s": blank(rng.integers(10, 1800, n), 0),
        "buffered": rng.random(n) < 0.5,
        "clock_ok": rng.random(n) < 0.95,
        "digest": rng.integers(-(2**63), 2**63 - 1, n, dtype=np.int64),
    }
    return PingBatch(**{name: np.asarray(columns[name]).astype(dtype) for name, dtype in PING_DTYPES.items()})


def in_order(batch: PingBatch) -> PingBatch:
    """Sorted as ``pings_after`` promises."""
    return batch.take(np.lexsort((batch.digest, batch.seq, batch.time_ms, batch.seal)))


def assert_same_pings(found: PingBatch, expected: PingBatch) -> None:
    """Every column equal in value and dtype; NaN equals NaN."""
    assert len(found) == len(expected)
    for column in fields(PingBatch):
        left, right = getattr(found, column.name), getattr(expected, column.name)
        assert left.dtype == right.dtype == PING_DTYPES[column.name]
        np.testing.assert_array_equal(left, right, err_msg=column.name)


def episode(number: int, **changes: Any) -> Episode:
    """One episode, its fields told apart by its number."""
    start = START_MS + number * 60_000
    values: dict[str, Any] = {
        "episode": uuid5(NAMESPACE, f"test {number}"),
        "type": "ROUTE_DEVIATION",
        "severity": "high",
        "subject_kind": "journey",
        "subject": f"J-{number % 7}",
        "journey": f"J-{number % 7}",
        "seal": f"S-{number % 7}",
        "object": None,
        "started_at_ms": start,
        "raised_at_ms": start + 30_000,
        "ended_at_ms": None,
        "cleared_at_ms": None,
        "inferred": False,
        "latched": False,
        "evidence": {
            "cross_track_m": 412.3,
            "limit_m": 200,
            "fixes": [[106.68, 20.86], [106.69, 20.87]],
            "a": None,
        },
        "plan_version": 1,
        "regime": "transit",
        "unit": "HP",
        "changed_ms": start + 30_000,
        "settled_ms": None,
    }
    return Episode(**{**values, **changes})


def event(of: Episode, sequence: int, *, revision: int = 1, space: str = "live") -> Event:
    """The event that raised an episode."""
    return Event(
        id=event_id(of.episode, revision),
        sequence=sequence,
        space=space,
        episode=of,
        transition="raised",
        revision=revision,
        time_ms=of.raised_at_ms,
        recorded_ms=of.raised_at_ms + 5,
        late=False,
    )


def number_id(number: int) -> UUID:
    """An id by number."""
    return uuid5(NAMESPACE, f"id {number}")
