"""Traces as CSV, read by column. Pure: lines in, rows out.

Header out of ``COLUMNS``; ``seal`` and ``time`` are required, an empty field is unknown. A row with neither ``lon`` nor
``lat`` is a ping without a fix, unless it says that it has one. A row that is wrong is a fault with its line, and the others stand.
"""

from __future__ import annotations

import csv
import gzip
import itertools
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from seal_tracker.decoders.columns import FACTS, LOCKS, MODES, SEQ_MAX, UNKNOWN_WORD, RawColumns, fact_bits
from seal_tracker.model import NO_TIME
from seal_tracker.sources.errors import TraceError
from seal_tracker.sources.trace import Rows, TraceFault, is_seal_id
from seal_tracker.sources.trace_times import parse_times

__all__ = ["COLUMNS", "DAMAGE", "read_csv"]

COLUMNS: Final = (
    *(
        "seal",
        "time",
        "lon",
        "lat",
        "valid",
        "speed_kmh",
        "course_deg",
        "accuracy_m",
        "satellites",
        "battery_pct",
    ),
    *("seq", "lock", "facts", "mode", "interval_s", "received"),
)

CHUNK_ROWS: Final = 5_000
"""Rows parsed at once: few enough for their text to stay in the processor's cache, three times as fast as 50,000."""

SHOWN_HEADER: Final = 60
"""Characters of a header that is none, as they are told."""

YES_NO: Final = {"": True, "true": True, "false": False, "1": True, "0": False}
"""Spellings of ``valid``, in lower case; unknown is taken as valid where there is a position, as in a ping."""

DAMAGE: Final = (csv.Error, EOFError, OSError, zlib.error, gzip.BadGzipFile, UnicodeError)
"""What a file that ends early or is damaged raises while it is read."""


class _Chunk:
    """Fields of many rows by column, and the first fault of each row."""

    def __init__(self, names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        self.count = len(rows)
        by_column: Sequence[Sequence[str]] = list(zip(*rows, strict=True)) if rows else [()] * len(names)
        self._columns = dict(zip(names, by_column, strict=True))
        self.faults: dict[int, str] = {}

    def texts(self, name: str) -> Sequence[str]:
        return self._columns.get(name) or ("",) * self.count

    def refuse(self, row: int, name: str, expected: str) -> None:
        self.faults.setdefault(row, f"{name} {self.texts(name)[row][:60]!r}: {expected}")

    def numbers(self, name: str) -> NDArray[np.float64]:
        """A column of numbers, NaN where empty or refused."""
        if name not in self._columns:
            return np.full(self.count, np.nan)
        values = self._parsed(name, float, "nan", "must be a number")
        given = np.array([text != "" for text in self.texts(name)], np.bool_)
        for row in np.flatnonzero(given & ~np.isfinite(values)).tolist():
            self.refuse(row, name, "must be a number")
        return values

    def whole(self, name: str, largest: int) -> NDArray[np.int64]:
        """A column of whole numbers, -1 where empty, refused or beyond what can be."""
        if name not in self._columns:
            return np.full(self.count, -1, np.int64)
        texts = [text or "-1" for text in self.texts(name)]
        try:
            values = np.array(texts, np.int64)
        except (ValueError, OverflowError):
            values = self._whole_slowly(name, texts, largest)
        return np.where((values < 0) | (values > largest), -1, values)

    def times(self, name: str, *, required: bool) -> NDArray[np.int64]:
        """A column of times, ``NO_TIME`` where empty or refused."""
        if name not in self._columns:
            return np.full(self.count, NO_TIME)
        texts = self.texts(name)
        values = parse_times(texts)
        for row in np.flatnonzero(values == NO_TIME).tolist():
            if texts[row] or required:
                self.refuse(row, name, "must be ISO 8601 with a zone, such as 2026-11-22T03:00:00Z")
        return values

    def words(self, name: str, known: dict[str | None, int]) -> NDArray[np.int8]:
        """A column of words as their numbers; ``UNKNOWN_WORD`` for one that we do not know."""
        table = {"": known[None], **{word: number for word, number in known.items() if word is not None}}
        return np.array([table.get(text, UNKNOWN_WORD) for text in self.texts(name)], np.int8)

    def _parsed(
        self, name: str, parse: Callable[[str], float], empty: str, expected: str
    ) -> NDArray[np.float64]:
        texts = [text or empty for text in self.texts(name)]
        try:
            return np.array(texts, np.float64)
        except ValueError:
            return np.array([self._one(row, name, parse, text, expected) for row, text in enumerate(texts)])

    def _one(self, row: int, name: str, parse: Callable[[str], float], text: str, expected: str) -> float:
        try:
            return parse(text)
        except ValueError:
            self.refuse(row, name, expected)
            return np.nan

    def _whole_slowly(self, name: str, texts: Sequence[str], largest: int) -> NDArray[np.int64]:
        values = np.full(self.count, -1, np.int64)
        for row, text in enumerate(texts):
            try:
                value = int(text)
            except ValueError:
                self.refuse(row, name, "must be a whole number")
            else:
                values[row] = value if 0 <= value <= largest else -1
        return values


def read_csv(lines: Iterable[str], file: str, seal: str | None = None) -> Rows:
    """Read a trace.

    Parameters
    ----------
    lines
        The text, line by line.
    file
        Its name, for faults.
    seal
        Whose trace it is where there is no ``seal`` column.

    Raises
    ------
    TraceError
        Where the header lacks what is required.
    """
    unclosed: list[TraceFault] = []
    reader = csv.reader(_closed(lines, file, unclosed))
    names = _header(reader, file, seal)
    faults = [
        TraceFault(file, 1, f"column {name!r} is unknown and not read: known are {', '.join(COLUMNS)}")
        for name in names
        if name not in COLUMNS
    ]
    index: dict[str, int] = {}
    seals: list[NDArray[np.int32]] = []
    parts: list[RawColumns] = []
    read, damaged = 0, False
    while not damaged:
        first_line = reader.line_num + 1
        rows, damage = _take(reader)
        if damaged := damage is not None:
            faults.append(
                TraceFault(file, reader.line_num, f"the file is damaged here, the rest is not read: {damage}")
            )
        if not rows and not damaged:
            break
        numbers, rows, misfits = _fitting(rows, first_line, len(names))
        read += len(rows) + len(misfits)
        faults += [
            TraceFault(file, line, f"{n} fields where the header has {len(names)}") for line, n in misfits
        ]
        chunk = _Chunk(names, rows)
        chunk_seal, raw = _columns(chunk, index, seal)
        faults += [TraceFault(file, numbers[row], reason) for row, reason in sorted(chunk.faults.items())]
        seals.append(chunk_seal)
        parts.append(raw)
    seal_at = np.concatenate([np.empty(0, np.int32), *seals])
    told = sorted(faults + unclosed, key=lambda fault: fault.line)
    return Rows(tuple(index), seal_at, _joined(parts), told, read + len(unclosed))


def _closed(lines: Iterable[str], file: str, unclosed: list[TraceFault]) -> Iterator[str]:
    """Pass on lines that are rows by themselves: one whose quote does not end would take those after it with it, unread."""
    for number, line in enumerate(lines, 1):
        if '"' in line:
            try:
                list(csv.reader((line,), strict=True))
            except csv.Error as error:
                unclosed.append(TraceFault(file, number, f"is no row by itself: {error}"))
                yield "\n"
                continue
        yield line


def _header(reader: Any, file: str, seal: str | None) -> list[str]:
    try:
        names = [name.strip() for name in next(reader, [])]
    except DAMAGE as error:
        raise TraceError(file, f"cannot be read: {error}") from error
    required = ("time",) if seal is not None else ("seal", "time")
    if not names:
        raise TraceError(
            file, f"begins with an empty line, not with a header of some of {', '.join(COLUMNS)}"
        )
    if missing := [name for name in required if name not in names]:
        shown = ",".join(names)[:SHOWN_HEADER]
        raise TraceError(
            file,
            f"the header {shown!a} has no column {' and no '.join(missing)}: "
            f"expected some of {', '.join(COLUMNS)}, separated by commas",
        )
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise TraceError(file, f"the header has a column twice: {', '.join(twice)}")
    return names


def _take(reader: Any) -> tuple[list[list[str]], Exception | None]:
    """Take rows up to a chunk's size, or to where the file breaks, with what broke."""
    rows: list[list[str]] = []
    try:
        rows.extend(itertools.islice(reader, CHUNK_ROWS))  # keeps what came before an error
    except DAMAGE as error:
        return rows, error
    return rows, None


def _fitting(
    rows: list[list[str]], first_line: int, width: int
) -> tuple[Sequence[int], list[list[str]], list[tuple[int, int]]]:
    """Keep the rows of the right width, with their lines; and (line, width) of others but blank ones."""
    if set(map(len, rows)) <= {width}:
        return range(first_line, first_line + len(rows)), rows, []
    numbered = list(enumerate(rows, first_line))
    fitting = [(line, row) for line, row in numbered if len(row) == width]
    misfits = [(line, len(row)) for line, row in numbered if len(row) not in (0, width)]
    return [line for line, _ in fitting], [row for _, row in fitting], misfits


def _columns(chunk: _Chunk, index: dict[str, int], seal: str | None) -> tuple[NDArray[np.int32], RawColumns]:
    """Turn a chunk into rows without its faulty ones; new seals are added to ``index``."""
    lon, lat, valid = chunk.numbers("lon"), chunk.numbers("lat"), _valid(chunk)
    nowhere = valid & np.isnan(lon) & np.isnan(lat)
    if nowhere.any():  # a ping without a fix need not say so
        valid &= ~(nowhere & np.array([not text for text in chunk.texts("valid")], np.bool_))
    for row in np.flatnonzero(valid & (np.isnan(lon) | np.isnan(lat))).tolist():
        missing = "lon" if np.isnan(lon[row]) else "lat"
        chunk.faults.setdefault(row, f"{missing} is missing: expected lon and lat, or valid false")
    facts, unknown_facts = _facts(chunk.texts("facts"))
    satellites = chunk.whole("satellites", SEQ_MAX)
    raw = RawColumns(
        time_ms=chunk.times("time", required=True),
        received_ms=chunk.times("received", required=False),
        lon_deg=lon,
        lat_deg=lat,
        valid=valid,
        speed_kmh=chunk.numbers("speed_kmh"),
        course_deg=chunk.numbers("course_deg"),
        accuracy_m=chunk.numbers("accuracy_m"),
        satellites=np.where(satellites < 0, np.nan, satellites),
        battery_pct=chunk.numbers("battery_pct"),
        seq=chunk.whole("seq", SEQ_MAX),
        lock=chunk.words("lock", dict(LOCKS)),
        facts=facts,
        mode=chunk.words("mode", dict(MODES)),
        interval_s=chunk.numbers("interval_s"),
        buffered=np.zeros(chunk.count, np.bool_),
        rssi_dbm=np.full(chunk.count, np.nan),
        unknown_facts=unknown_facts,
    )
    numbers = _seals(chunk, index, seal)
    good = np.ones(chunk.count, np.bool_)
    good[list(chunk.faults)] = False
    return numbers[good], _chosen(raw, good)


def _seals(chunk: _Chunk, index: dict[str, int], seal: str | None) -> NDArray[np.int32]:
    """Number the rows' seals; only those of rows that stand are added to ``index``."""
    texts = chunk.texts("seal") if seal is None else (seal,) * chunk.count
    wrong = {name for name in set(texts) if not is_seal_id(name)}
    if wrong:
        for row, name in enumerate(texts):
            if name in wrong:
                chunk.refuse(row, "seal", "must be 1 to 64 of A-Z a-z 0-9 _ . : -")
    faults = chunk.faults
    return np.array(
        [-1 if row in faults else index.setdefault(name, len(index)) for row, name in enumerate(texts)],
        np.int32,
    )


def _valid(chunk: _Chunk) -> NDArray[np.bool_]:
    texts = chunk.texts("valid")
    try:
        return np.array([YES_NO[text] for text in texts], np.bool_)
    except KeyError:
        for row, text in enumerate(texts):
            if text.lower() not in YES_NO:
                chunk.refuse(row, "valid", "must be true or false")
        return np.array([YES_NO.get(text.lower(), False) for text in texts], np.bool_)


def _facts(texts: Sequence[str]) -> tuple[NDArray[np.int32], int]:
    """Bits of each row's facts, and how many words we do not know."""
    bits = np.array([fact_bits(text.split("|")) if text else 0 for text in texts], np.int32)
    return bits, sum(word not in FACTS for text in texts if text for word in text.split("|"))


def _chosen(raw: RawColumns, rows: NDArray[np.bool_]) -> RawColumns:
    return RawColumns(*(_cut(getattr(raw, name), rows) for name in RawColumns.__dataclass_fields__))


def _cut(column: Any, rows: NDArray[np.bool_]) -> Any:
    return column[rows] if isinstance(column, np.ndarray) else column


def _joined(parts: Sequence[RawColumns]) -> RawColumns:
    if len(parts) == 1:
        return parts[0]
    parts = parts or [_columns(_Chunk(["seal", "time"], []), {}, None)[1]]
    arrays = [name for name in RawColumns.__dataclass_fields__ if name != "unknown_facts"]
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in arrays}
    return RawColumns(**columns, unknown_facts=sum(part.unknown_facts for part in parts))
