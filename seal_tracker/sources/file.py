"""Recorded traces from files: ``.csv``, ``.gpx`` and ``.ndjson``, each also as ``.gz``.

All become the same columns, in arrival order: a back-test judges them (``Trace.batch``), a replay sends them as native
pings (``Trace.messages``), and both give equal rows. What cannot be read is a fault with its file and line; the rest
of the trace stands.
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final, cast

from seal_tracker.sources.errors import TraceError
from seal_tracker.sources.trace import Rows, Trace, TraceFault, TraceMessage, in_arrival_order, is_seal_id
from seal_tracker.sources.trace_csv import DAMAGE, read_csv
from seal_tracker.sources.trace_gpx import read_gpx
from seal_tracker.sources.trace_ndjson import read_ndjson

__all__ = ["SUFFIXES", "Trace", "TraceFault", "TraceMessage", "open_trace", "read_trace"]

SUFFIXES: Final = (".csv", ".gpx", ".ndjson", ".jsonl")
"""Kinds of traces, each also with ``.gz`` behind."""

READ_BYTES: Final = 1 << 20


def read_trace(path: Path | str, *, seal: str | None = None) -> Trace:
    """Read a whole trace into columns, in arrival order.

    Parameters
    ----------
    path
        The file; its name says the kind.
    seal
        Whose it is: for GPX, where otherwise the file's name without suffixes is the seal's, and for CSV without a
        ``seal`` column.

    Returns
    -------
    Trace
        Rows and faults; a trace of nothing but faults has no rows.

    Raises
    ------
    TraceError
        Where there is no such file, or as a whole it is no trace.
    """
    path = Path(path)
    kind = path.with_suffix("").suffix.lower() if path.suffix.lower() == ".gz" else path.suffix.lower()
    if kind not in SUFFIXES:
        raise TraceError(
            str(path),
            f"unknown kind of trace: expected a name that ends in {', '.join(SUFFIXES)}, or that and .gz",
        )
    if seal is not None and not is_seal_id(seal):
        raise TraceError(str(path), f"seal {seal!r}: must be 1 to 64 of A-Z a-z 0-9 _ . : -")
    try:
        with open_trace(path) as stream:
            return in_arrival_order(str(path), _rows(stream, path, kind, seal))
    except OSError as error:
        raise TraceError(str(path), f"cannot be read: {error.strerror or error}") from error


def open_trace(path: Path) -> IO[bytes]:
    """The bytes of a file, of one that ends in ``.gz`` those packed in it; raises OSError."""
    return cast("IO[bytes]", gzip.open(path)) if path.suffix.lower() == ".gz" else path.open("rb")


def _rows(stream: IO[bytes], path: Path, kind: str, seal: str | None) -> Rows:
    if kind == ".csv":
        return read_csv(io.TextIOWrapper(stream, "utf-8-sig", "replace", newline=""), str(path), seal)
    if kind == ".gpx":
        return read_gpx(_chunks(stream, path), str(path), seal or _seal_of(path))
    return read_ndjson(stream, str(path))


def _chunks(stream: IO[bytes], path: Path) -> Iterator[bytes]:
    """Give the file piece by piece; what is damaged ends it, and the parser then says where."""
    try:
        while chunk := stream.read(READ_BYTES):
            yield chunk
    except DAMAGE as error:
        if isinstance(error, gzip.BadGzipFile):
            raise TraceError(str(path), f"cannot be read: {error}") from error


def _seal_of(path: Path) -> str:
    name = path.name.removesuffix(".gz").rpartition(".")[0]
    if not is_seal_id(name):
        raise TraceError(str(path), f"the file's name, {name!r}, can be no seal's: say whose trace it is")
    return name
