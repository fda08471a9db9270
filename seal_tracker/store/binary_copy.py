"""PostgreSQL's binary COPY format, written from and read into numpy columns without a loop over rows.

A row in the format is: int16 number of fields; for each field int32 length (-1: NULL) and the value, all big-endian.
All rows are laid out in one structured array as if nothing were NULL, filled column by column; where a field is NULL its
length becomes -1 and its value's bytes are masked out, all rows at once. (Grouping rows by their NULLs instead is as
fast for a few groups, and twenty times slower where every device leaves out something else.) Only types of fixed
width are supported.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from seal_tracker.model import NO_TIME

__all__ = ["TIME_MAX_MS", "TIME_MIN_MS", "CopyColumn", "PgType", "decode_copy", "encode_copy", "to_list"]

PgType = Literal["bool", "int2", "int4", "int8", "float4", "float8", "timestamptz"]

WIRE: Final[dict[str, str]] = {
    "bool": "?",
    "int2": ">i2",
    "int4": ">i4",
    "int8": ">i8",
    "float4": ">f4",
    "float8": ">f8",
    "timestamptz": ">i8",
}
"""How each type looks on the wire; timestamptz is microseconds since 2000."""

HEADER: Final = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
"""Signature, no flags, no extension."""

NULL: Final = -1
"""The length of a value that is not there."""

TRAILER: Final = b"\xff\xff"
"""A field count of -1 ends the stream."""

EPOCH_2000_MS: Final = 946_684_800_000
TIME_MIN_MS: Final = -210_866_803_200_000
"""4714-11-24 BC, the first time PostgreSQL takes (its range is wider at the other end than any ping's)."""
TIME_MAX_MS: Final = 9_224_318_016_000_000 + EPOCH_2000_MS
"""294277 AD, the first time PostgreSQL no longer takes."""


@dataclass(frozen=True, slots=True)
class CopyColumn:
    """One column to be written.

    Attributes
    ----------
    name, pg_type
        Of the table's column.
    values
        1-D, ``n`` rows; converted to the wire's type, which must hold every value. Times are epoch milliseconds.
    null
        bool of ``n`` rows, true where the row has NULL; None: never.
    """

    name: str
    pg_type: PgType
    values: NDArray[Any]
    null: NDArray[np.bool_] | None = None


def encode_copy(columns: Sequence[CopyColumn]) -> bytes:
    """The whole COPY stream for these columns, all of equal length (0 rows give an empty stream, still valid).

    Raises
    ------
    ValueError
        Lengths differ, a value does not fit its column's type, or a time is outside PostgreSQL's range.
    """
    count = len(columns[0].values)
    if any(len(c.values) != count or (c.null is not None and len(c.null) != count) for c in columns):
        raise ValueError(f"columns of unequal length: { {c.name: len(c.values) for c in columns} }")
    nulls = [None if c.null is None or not c.null.any() else c.null for c in columns]
    absent = tuple(null is not None and bool(null.all()) for null in nulls)
    block = np.repeat(row_template(tuple(column.pg_type for column in columns), absent), count)
    keep: NDArray[np.bool_] | None = None
    for index, (column, null) in enumerate(zip(columns, nulls, strict=True)):
        if absent[index]:
            continue
        block[f"v{index}"] = to_wire(column)
        if null is not None:
            block[f"l{index}"][null] = NULL
            if keep is None:
                keep = np.ones((count, block.itemsize), np.bool_)
            keep[null, value_bytes(block.dtype, f"v{index}")] = False
    rows = block.tobytes() if keep is None else block.view(np.uint8).reshape(count, -1)[keep].tobytes()
    return b"".join((HEADER, rows, TRAILER))


def decode_copy(stream: bytes | bytearray | memoryview, types: Sequence[PgType]) -> list[NDArray[Any]]:
    """The columns of a COPY stream that has no NULL, in native byte order; a time of -infinity is ``NO_TIME``.

    Raises
    ------
    ValueError
        The stream is not one of such rows: another shape, a NULL, or cut short.
    """
    row = row_template(tuple(types), (False,) * len(types))
    body = len(stream) - len(HEADER) - len(TRAILER)
    whole = body >= 0 and body % row.itemsize == 0
    if not whole or bytes(stream[: len(HEADER)]) != HEADER or bytes(stream[-2:]) != TRAILER:
        raise ValueError(f"not a COPY stream of rows of {row.itemsize} bytes: {len(stream)} bytes")
    block = np.frombuffer(stream, row.dtype, body // row.itemsize, len(HEADER))
    if any((block[f"l{index}"] != row[f"l{index}"][0]).any() for index in range(len(types))):
        raise ValueError("a COPY stream with NULLs, or of other columns than expected")
    return [from_wire(block[f"v{index}"], pg_type) for index, pg_type in enumerate(types)]


def to_list(column: CopyColumn) -> list[Any]:
    """A column's values for a statement's parameter, times as epoch milliseconds, None where NULL; ``ValueError`` as for COPY."""
    to_wire(column)
    values: list[Any] = column.values.tolist()
    if column.null is None:
        return values
    return [None if null else value for value, null in zip(values, column.null.tolist(), strict=True)]


def to_wire(column: CopyColumn) -> NDArray[Any]:
    """A column's values as they travel, in native or big-endian order; whatever is NULL may hold anything."""
    values = column.values
    if column.pg_type != "timestamptz":
        wire = np.dtype(WIRE[column.pg_type])
        if wire.kind == "i" and values.dtype.itemsize > wire.itemsize:
            limit = np.iinfo(wire)
            refuse(column, (values < limit.min) | (values > limit.max))
        return values
    if column.null is not None:
        values = np.where(column.null, EPOCH_2000_MS, values)
    refuse(column, (values < TIME_MIN_MS) | (values >= TIME_MAX_MS))
    return (values - EPOCH_2000_MS) * 1000


def refuse(column: CopyColumn, wrong: NDArray[np.bool_]) -> None:
    """Raises ``ValueError`` naming the first value that is wrong and not NULL."""
    if column.null is not None:
        wrong = wrong & ~column.null
    if wrong.any():
        value = column.values[wrong][0]
        raise ValueError(f"column {column.name!r}: {value!r} does not fit {column.pg_type}")


def from_wire(values: NDArray[Any], pg_type: PgType) -> NDArray[Any]:
    """A column in native byte order, contiguous; times as epoch milliseconds."""
    native = values.astype(values.dtype.newbyteorder("="))
    if pg_type != "timestamptz":
        return native
    return np.where(native == NO_TIME, NO_TIME, native // 1000 + EPOCH_2000_MS)


def value_bytes(row: np.dtype[Any], field: str) -> slice:
    """Where a field's bytes lie in a row."""
    assert row.fields is not None
    dtype, offset, *_ = row.fields[field]
    return slice(offset, offset + dtype.itemsize)


@lru_cache(maxsize=256)
def row_template(types: tuple[PgType, ...], absent: tuple[bool, ...]) -> NDArray[Any]:
    """One row, as an array of one: counts and lengths filled in, values ``v0``, ``v1``… to be; a column that is
    ``absent`` is NULL in every row and has no value.
    """
    fields: list[tuple[str, str]] = [("n", ">i2")]
    for index, (pg_type, null) in enumerate(zip(types, absent, strict=True)):
        fields.append((f"l{index}", ">i4"))
        if not null:
            fields.append((f"v{index}", WIRE[pg_type]))
    row = np.zeros(1, np.dtype(fields))
    row["n"] = len(types)
    for index, (pg_type, null) in enumerate(zip(types, absent, strict=True)):
        row[f"l{index}"] = NULL if null else np.dtype(WIRE[pg_type]).itemsize
    return row
