"""A recorded trace in memory: columns in arrival order, and what could not be read. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from seal_tracker.decoders.columns import LOCKS, MODES, Discards, RawColumns, assemble, fact_words
from seal_tracker.decoders.heartbeat import encode_status
from seal_tracker.decoders.native import NativePing
from seal_tracker.model import EPOCH, EQUIPMENT_PREFIX, ID_PATTERN, NO_TIME, PingBatch

__all__ = ["Rows", "Trace", "TraceFault", "TraceMessage", "in_arrival_order", "is_seal_id"]

SLICE_ROWS: Final = 10_000
"""Rows turned into messages at once: enough to be quick, few enough to begin at once and stay small."""

_LOCK_WORDS: Final = {number: word for word, number in LOCKS.items() if word is not None and number}
_MODE_WORDS: Final = {number: word for word, number in MODES.items() if word is not None and number}


class TraceFault(NamedTuple):
    """A line of a trace that gave no ping, or less than it says."""

    file: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.reason}"


class TraceMessage(NamedTuple):
    """One ping as its device would send it: native JSON, with ``received`` where the trace knows it, or a status."""

    seal: str
    arrival_ms: int
    payload: bytes


class TraceFact(NamedTuple):
    """What a piece of equipment recorded, as it was sent on a leaf of its topic; ``arrival_ms`` ``NO_TIME`` where nobody noted it."""

    equipment: str
    leaf: str
    payload: bytes
    arrival_ms: int
    line: int


class Rows(NamedTuple):
    """What a format's reader gives: names, int32[n] index into them, columns in file order, faults, rows looked at, equipment's facts."""

    seals: tuple[str, ...]
    seal: NDArray[np.int32]
    raw: RawColumns
    faults: list[TraceFault]
    read: int
    facts: list[TraceFact] = []  # noqa: RUF012 - a default that nobody changes


@dataclass(frozen=True, slots=True)
class Trace:
    """Pings of one file in arrival order, n rows.

    Attributes
    ----------
    seals
        Names, in the order of their first row in the file.
    seal
        int32[n], index into ``seals``.
    raw
        Columns before rounding; ``received_ms`` is ``NO_TIME`` where the trace has none.
    faults
        Lines that gave no ping, or less than they say.
    read
        Rows looked at, faulty ones included.
    facts
        What equipment recorded, in the order of the file: no rows.
    """

    file: str
    seals: tuple[str, ...]
    seal: NDArray[np.int32]
    raw: RawColumns
    faults: tuple[TraceFault, ...]
    read: int
    facts: tuple[TraceFact, ...] = ()

    def __len__(self) -> int:
        return len(self.seal)

    def batch(self, numbers: Sequence[int] | None = None, *, discards: Discards | None = None) -> PingBatch:
        """All rows as a batch, rounded as if they had come over MQTT into an exercise space.

        Parameters
        ----------
        numbers
            The space's number of each of ``seals``; None: their index.
        discards
            Where values taken as unknown are counted.
        """
        seal = self.seal if numbers is None else np.asarray(numbers, np.int32)[self.seal]
        return assemble(self.raw, seal, discards=discards)

    @property
    def arrival_ms(self) -> NDArray[np.int64]:
        """int64[n], when each row arrived: ``received`` where known, else its own time."""
        received = self.raw.received_ms
        return np.where(received == NO_TIME, self.raw.time_ms, received)

    def messages(self, start: int = 0, stop: int | None = None) -> Iterator[TraceMessage]:
        """Rows ``start`` to ``stop`` as messages. Decoded again, they give the rows of ``batch``."""
        end = len(self) if stop is None else min(stop, len(self))
        for begin in range(start, end, SLICE_ROWS):
            yield from self._messages(slice(begin, min(begin + SLICE_ROWS, end)))

    def _messages(self, rows: slice) -> Iterator[TraceMessage]:
        columns = {column.name: getattr(self.raw, column.name)[rows].tolist() for column in _ARRAYS}
        encode = msgspec.json.Encoder().encode
        arrivals = self.arrival_ms[rows].tolist()
        for i, (seal, arrival_ms) in enumerate(zip(self.seal[rows].tolist(), arrivals, strict=True)):
            ping, name = _native({name: values[i] for name, values in columns.items()}), self.seals[seal]
            payload = encode_status(ping) if name.startswith(EQUIPMENT_PREFIX) else encode(ping)
            yield TraceMessage(name, arrival_ms, payload)


_ARRAYS: Final = [column for column in fields(RawColumns) if column.name != "unknown_facts"]


def is_seal_id(name: str) -> bool:
    """Whether a name can be a seal's."""
    return ID_PATTERN.fullmatch(name) is not None


def in_arrival_order(file: str, rows: Rows) -> Trace:
    """Order rows by arrival: by ``received`` where the trace has it, a row without following the row before it."""
    received = rows.raw.received_ms
    seal, raw = rows.seal, rows.raw
    if (received != NO_TIME).any():
        last_known = np.maximum.accumulate(np.where(received == NO_TIME, -1, np.arange(len(received))))
        key = np.where(last_known < 0, NO_TIME, received[last_known])
        order = np.argsort(key, kind="stable")
        seal = seal[order]
        columns = {column.name: getattr(raw, column.name)[order] for column in _ARRAYS}
        raw = RawColumns(**columns, unknown_facts=raw.unknown_facts)
    return Trace(file, rows.seals, seal, raw, tuple(rows.faults), rows.read, tuple(rows.facts))


def _native(row: dict[str, Any]) -> NativePing:
    """Build the ping that decodes to this row; NaN, -1 and ``NO_TIME`` are left out."""

    def known(name: str) -> float | None:
        value: float = row[name]
        return value if value == value else None  # noqa: PLR0124  NaN is what differs from itself

    satellites = known("satellites")
    return NativePing(
        time=_moment(row["time_ms"]),
        lon=known("lon_deg"),
        lat=known("lat_deg"),
        valid=None if row["valid"] else False,
        speed_kmh=known("speed_kmh"),
        course_deg=known("course_deg"),
        accuracy_m=known("accuracy_m"),
        satellites=None if satellites is None else int(satellites),
        battery_pct=known("battery_pct"),
        seq=row["seq"] if row["seq"] >= 0 else None,
        lock=_LOCK_WORDS.get(row["lock"]),
        facts=fact_words(row["facts"]) or None,
        mode=_MODE_WORDS.get(row["mode"]),
        interval_s=known("interval_s"),
        buffered=True if row["buffered"] else None,
        received=None if row["received_ms"] == NO_TIME else _moment(row["received_ms"]),
    )


def _moment(time_ms: int) -> dt.datetime:
    return EPOCH + dt.timedelta(milliseconds=time_ms)
