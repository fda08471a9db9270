"""Pings between a ``PingBatch`` and the table: binary COPY both ways, and the questions asked of stored pings.

Writing so costs this process 0.5 to 1.3 µs a row where the driver's own COPY of tuples costs 5, and reading 1.3 to 2.5 µs where
fetching records costs 3 to 4 (``tests/benchmarks/bench_copy.py``), which is why reading is by COPY too.
"Unknown" is NULL in the table and the batch's own value in memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from seal_tracker.model import NO_TIME, PING_DTYPES, PingBatch
from seal_tracker.store.binary_copy import CopyColumn, PgType, decode_copy, encode_copy, to_list
from seal_tracker.store.connections import END_OF_TIME, Connection
from seal_tracker.store.ping_weeks import PingWeeks
from seal_tracker.store.queries import sql
from seal_tracker.store.records import KnownPings, Portion
from seal_tracker.store.together import Together

__all__ = ["FEW_PINGS", "PingReads", "add_pings", "copy_pings", "ping_columns"]

FEW_PINGS: Final = 32
"""Up to so many go with the commit's other parts, in one statement: cheaper than a COPY, which costs less for each."""

READ_COLUMNS: Final[tuple[tuple[str, PgType], ...]] = (
    ("time_ms", "timestamptz"),
    ("digest", "int8"),
    ("received_ms", "timestamptz"),
    ("seq", "int8"),
    ("seal", "int4"),
    ("lon_e7", "int4"),
    ("lat_e7", "int4"),
    ("speed_kmh", "float4"),
    ("course_deg", "float4"),
    ("accuracy_m", "float4"),
    ("battery_pct", "float4"),
    ("facts", "int4"),
    ("interval_s", "int4"),
    ("satellites", "int2"),
    ("rssi_dbm", "int2"),
    ("lock", "int2"),
    ("mode", "int2"),
    ("valid", "bool"),
    ("buffered", "bool"),
    ("clock_ok", "bool"),
    ("has_position", "bool"),
)
"""What ``pings_after`` of ``sql/pings.sql`` selects, in its order."""


def ping_columns(pings: PingBatch) -> list[CopyColumn]:
    """A batch as columns of the table ``pings``; ``lon`` and ``lat`` of a ping without position are not kept."""
    nowhere = ~pings.has_position
    return [
        CopyColumn("time", "timestamptz", pings.time_ms),
        CopyColumn("digest", "int8", pings.digest),
        CopyColumn("received_at", "timestamptz", pings.received_ms, pings.received_ms == NO_TIME),
        CopyColumn("seq", "int8", pings.seq, pings.seq == -1),
        CopyColumn("seal", "int4", pings.seal),
        CopyColumn("lon_e7", "int4", pings.lon_e7, nowhere),
        CopyColumn("lat_e7", "int4", pings.lat_e7, nowhere),
        CopyColumn("speed_kmh", "float4", pings.speed_kmh, np.isnan(pings.speed_kmh)),
        CopyColumn("course_deg", "float4", pings.course_deg, np.isnan(pings.course_deg)),
        CopyColumn("accuracy_m", "float4", pings.accuracy_m, np.isnan(pings.accuracy_m)),
        CopyColumn("battery_pct", "float4", pings.battery_pct, np.isnan(pings.battery_pct)),
        CopyColumn("facts", "int4", pings.facts),
        CopyColumn("interval_s", "int4", pings.interval_s, pings.interval_s == 0),
        CopyColumn("satellites", "int2", pings.satellites, pings.satellites == -1),
        CopyColumn("rssi_dbm", "int2", pings.rssi_dbm, pings.rssi_dbm == 0),
        CopyColumn("lock", "int2", pings.lock),
        CopyColumn("mode", "int2", pings.mode),
        CopyColumn("valid", "bool", pings.valid),
        CopyColumn("buffered", "bool", pings.buffered),
        CopyColumn("clock_ok", "bool", pings.clock_ok),
    ]


async def copy_pings(connection: Connection, pings: PingBatch) -> None:
    """Appends a batch to the table, inside the caller's transaction."""
    columns = ping_columns(pings)
    names = [column.name for column in columns]
    await connection.copy_to_table(
        "pings", source=memoryview(encode_copy(columns)), columns=names, format="binary"
    )


def add_pings(parts: Together, pings: PingBatch) -> None:
    """Adds a few pings to what is sent: a COPY has an answer of its own to wait for."""
    parts.add("add_pings", *map(to_list, ping_columns(pings)))


async def read_pings(connection: Connection, query: str, *args: Any) -> PingBatch:
    """The pings that a statement selects as ``READ_COLUMNS``, sorted by (seal, time, seq, digest)."""
    stream = BytesIO()
    await connection.copy_from_query(query, *args, output=stream, format="binary")
    arrays = decode_copy(stream.getbuffer(), [pg_type for _, pg_type in READ_COLUMNS])
    columns = {name: values for (name, _), values in zip(READ_COLUMNS, arrays, strict=True)}
    order = np.lexsort((columns["digest"], columns["seq"], columns["time_ms"], columns["seal"]))
    return PingBatch(
        **{name: columns[name][order].astype(dtype, copy=False) for name, dtype in PING_DTYPES.items()}
    )


class PingReads(PingWeeks):
    """What is asked of stored pings and states. A seal's number says its space."""

    async def known_pings(self, seal: NDArray[np.int32], time_ms: NDArray[np.int64]) -> KnownPings:
        """Identities of all stored pings that have one of these (seal, time), given as columns; none twice."""
        pairs = np.unique(np.stack([seal.astype(np.int64), time_ms], axis=1), axis=0)
        async with self._reading() as connection:
            times = pairs[:, 1].tolist()
            span = (min(times), max(times)) if times else (0, 0)
            rows = await connection.fetch(sql("known_pings"), pairs[:, 0].tolist(), times, *span)
        table = np.array([tuple(row) for row in rows], np.int64).reshape(-1, 3)
        return KnownPings(table[:, 0].astype(np.int32), table[:, 1], table[:, 2])

    async def pings_after(
        self, seals: Sequence[int] | NDArray[np.int32], after_ms: Sequence[int] | NDArray[np.int64]
    ) -> PingBatch:
        """All pings of these seals that count later than each one's time (``NO_TIME``: all), by (seal, time, seq, digest).

        A ping counts at its own time, or at its arrival where the device's clock cannot be believed.

        ``seals`` must be distinct, else pings come twice. Positions of pings without one are 0.
        """
        if not len(seals):
            return PingBatch.empty()
        async with self._reading() as connection:
            after = ints(after_ms)
            return await read_pings(connection, sql("pings_after"), ints(seals), after, min(after))

    async def pings_portion(
        self, seals: Sequence[int], after_ms: Sequence[int], until_ms: Sequence[int], most: int
    ) -> Portion:
        """Of each seal the next pings later than ``after_ms``, at most about ``most``, none later than ``until_ms``.

        Pings of one moment are never parted, however many they are. ``seals`` must be distinct.
        """
        if not len(seals):
            return Portion(PingBatch.empty(), [])
        stretch = await self._stretch(min(after_ms), max(until_ms))
        async with self._reading() as connection:
            found = await read_pings(
                connection,
                sql("pings_portion"),
                *(ints(seals), ints(after_ms), ints(until_ms), most, *stretch),
            )
        through = complete_through(found, seals, until_ms, most)
        limit = dict(zip(seals, through, strict=True))
        kept = found.take(counts_at(found) <= np.array([limit[s] for s in found.seal.tolist()], np.int64))
        if len(np.unique(kept.seal)) < len(np.unique(found.seal)):  # a moment with more pings than were read
            return await self.pings_portion(seals, after_ms, until_ms, 2 * most)
        return Portion(kept, through)

    async def checkpoints_ahead(
        self, seals: Sequence[int], after_ms: Sequence[int], ahead: int
    ) -> dict[int, tuple[int, bytes]]:
        """Of each seal's next ``ahead`` states later than its time the last: seal → (at_ms, state)."""
        async with self._reading() as connection:
            rows = await connection.fetch(sql("checkpoints_ahead"), ints(seals), ints(after_ms), ahead)
        return {row["seal"]: (row["at"], row["state"]) for row in rows}

    async def newest_checkpoints(
        self,
        seals: Sequence[int] | NDArray[np.int32],
        before_ms: Sequence[int] | NDArray[np.int64] | None = None,
    ) -> dict[int, tuple[int, bytes]]:
        """Each seal's newest state strictly before its time (None: the newest of all): seal → (at_ms, state)."""
        before = [END_OF_TIME] * len(seals) if before_ms is None else ints(before_ms)
        async with self._reading() as connection:
            rows = await connection.fetch(sql("newest_checkpoints"), ints(seals), before)
        return {row["seal"]: (row["at"], row["state"]) for row in rows}


def counts_at(pings: PingBatch) -> NDArray[np.int64]:
    """When each ping counts: at its own time, or at its arrival where the device's clock cannot be believed."""
    return np.where(pings.clock_ok | (pings.received_ms == NO_TIME), pings.time_ms, pings.received_ms)


def complete_through(found: PingBatch, seals: Sequence[int], until_ms: Sequence[int], most: int) -> list[int]:
    """Up to when ``found`` has all pings of each seal: to just before the last ping of a kind that was cut off."""
    through = dict(zip(seals, until_ms, strict=True))
    by_clock, at = found.clock_ok | (found.received_ms == NO_TIME), counts_at(found)
    for kind in (by_clock, ~by_clock):
        numbers, row, n = np.unique(found.seal[kind], return_inverse=True, return_counts=True)
        newest = np.full(len(numbers), NO_TIME)
        np.maximum.at(newest, row, at[kind])
        for seal, last in zip(numbers[n >= most].tolist(), newest[n >= most].tolist(), strict=True):
            through[seal] = min(through[seal], last - 1)
    return list(through.values())


def ints(values: Sequence[int] | NDArray[Any] | Mapping[int, Any]) -> list[int]:
    """Plain ints, as the driver wants them."""
    return values.tolist() if isinstance(values, np.ndarray) else list(values)
