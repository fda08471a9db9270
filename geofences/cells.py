"""Which boxes may hold a point: a hash of grid cells at a few sizes, so that the cost does not grow with the boxes.

A box is entered at the finest size at which it covers few cells, in every cell it touches. A point looks up one cell
at each size in use. Built once, then read-only: safe to share between threads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from geofences.projection import HALF_TURN_E7, TURN_E7
from geofences.ragged import expand, group_starts

__all__ = ["Boxes", "CellIndex", "CellTable", "group_cells", "place_cells"]

CELL_SHIFTS = (17, 20, 23, 26, 29)
"""Cell sizes as powers of two of 1e-7 degree: 1.5 km, 12 km, 93 km, 750 km and 6,000 km at the equator."""

MOST_ACROSS = 12
"""Cells a box may cover in one direction before it is entered at the next size."""

SPARE = 1
"""Buckets a key, at least (and up to twice that): a lookup then looks at two keys or less on average."""

MIX = np.uint64(0x9E3779B97F4A7C15)
"""2^64 over the golden ratio (Knuth): spreads neighbouring cells over the whole table."""

ROW_BITS = 32

I8 = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Boxes:
    """Closed boxes in 1e-7 degree, int64; ``west`` may lie below -180° and ``east`` beyond 180°."""

    west: I8
    east: I8
    south: I8
    north: I8


@dataclass(frozen=True, slots=True, eq=False)
class CellTable:
    """Items by cell key. Bucket ``b`` of the hash has cells ``bucket[b] : bucket[b + 1]``, cell ``c`` has items
    ``start[c] : stop[c]``, in order.
    """

    bucket: NDArray[np.int32]
    keys: I8
    start: NDArray[np.int32]
    stop: NDArray[np.int32]
    items: NDArray[np.int32]

    def items_at(self, key: I8) -> tuple[I8, I8]:
        """Rows of ``key`` with an item of their cell; a row once for each item, in order."""
        bucket = _bucket_of(key, len(self.bucket) - 1)
        begin = self.bucket[bucket]
        row, cell = expand(begin, self.bucket[bucket + 1] - begin)
        found = np.flatnonzero(self.keys[cell] == key[row])
        row, cell = row[found], cell[found]
        begin = self.start[cell]
        mine, at = expand(begin, self.stop[cell] - begin)
        return row[mine], self.items[at].astype(np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class CellIndex:
    """Boxes by cell, at the sizes that are in use."""

    tables: tuple[tuple[int, CellTable], ...]

    @classmethod
    def build(cls, boxes: Boxes) -> Self:
        """Enter boxes; box ``i`` is item ``i``."""
        item = np.arange(len(boxes.west))
        span = np.maximum(boxes.east - boxes.west, boxes.north - boxes.south)
        fits = np.stack([(span >> shift) < MOST_ACROSS for shift in CELL_SHIFTS[:-1]])
        level = np.where(fits.any(axis=0), fits.argmax(axis=0), len(CELL_SHIFTS) - 1)
        tables = []
        for number, shift in enumerate(CELL_SHIFTS):
            rows = np.flatnonzero(level == number)
            if len(rows):
                tables.append((shift, place_cells(*group_cells(*_cells_of(boxes, item[rows], shift)))))
        return cls(tuple(tables))

    def at(self, lon_e7: I8, lat_e7: I8) -> tuple[I8, I8]:
        """Candidate (point, item) pairs; longitudes in [-180°, 180°). Unsorted, each pair once."""
        found = [table.items_at(_key(lon_e7, lat_e7, shift)) for shift, table in self.tables]
        return _joined([point for point, _ in found]), _joined([item for _, item in found])

    def touching(self, boxes: Boxes) -> tuple[I8, I8]:
        """Candidate (box, item) pairs for boxes asked about, sorted, each once."""
        pairs = []
        for shift, table in self.tables:
            owner, key = _cells_of(boxes, np.arange(len(boxes.west)), shift)
            cell, item = table.items_at(key)
            pairs.append((owner[cell] << ROW_BITS) | item)
        pair = np.unique(_joined(pairs))
        return pair >> ROW_BITS, pair & ((1 << ROW_BITS) - 1)


def _joined(parts: list[I8]) -> I8:
    return np.concatenate([np.empty(0, np.int64), *parts])


def _key(lon_e7: I8, lat_e7: I8, shift: int) -> I8:
    """Number of the cell that holds a point, never negative."""
    column = (lon_e7 + HALF_TURN_E7) >> shift
    return (column << ROW_BITS) | ((lat_e7 + HALF_TURN_E7) >> shift)


def _bucket_of(key: I8, buckets: int) -> I8:
    """Bucket of each key; ``buckets`` is a power of two."""
    mixed = key.astype(np.uint64) * MIX
    return ((mixed >> np.uint64(32)) & np.uint64(buckets - 1)).astype(np.int64)


def _cells_of(boxes: Boxes, item: I8, shift: int) -> tuple[I8, I8]:
    """Every (item, cell key) a box touches, the short way over the antimeridian too."""
    west, east = boxes.west[item], boxes.east[item]
    south, north = boxes.south[item], boxes.north[item]
    copies = [(item, west, east, south, north)]
    for past, turn in ((east >= HALF_TURN_E7, -TURN_E7), (west < -HALF_TURN_E7, TURN_E7)):
        if past.any():
            copies.append((item[past], west[past] + turn, east[past] + turn, south[past], north[past]))
    item, west, east, south, north = (np.concatenate(column) for column in zip(*copies, strict=True))
    left = (np.maximum(west, -HALF_TURN_E7) + HALF_TURN_E7) >> shift
    right = (np.minimum(east, HALF_TURN_E7 - 1) + HALF_TURN_E7) >> shift
    low, high = (south + HALF_TURN_E7) >> shift, (north + HALF_TURN_E7) >> shift
    columns, lines = np.maximum(right - left + 1, 0), high - low + 1
    owner, number = expand(np.zeros(len(item), np.int64), columns * lines)
    column, line = number // lines[owner], number % lines[owner]
    return item[owner], ((left[owner] + column) << ROW_BITS) | (low[owner] + line)


def place_cells(keys: I8, counts: I8, items: NDArray[np.int32]) -> CellTable:
    """A table of cells (each key once) whose items follow each other, ``counts[c]`` for cell ``c``."""
    buckets = 1 << max((len(keys) * SPARE).bit_length(), 1)
    home = _bucket_of(keys, buckets)
    order = np.argsort(home, kind="stable")
    bucket = np.zeros(buckets + 1, np.int32)
    np.cumsum(np.bincount(home, minlength=buckets), out=bucket[1:])
    stop = np.cumsum(counts).astype(np.int32)
    return CellTable(bucket, keys[order], (stop - counts)[order].astype(np.int32), stop[order], items)


def group_cells(item: I8, key: I8) -> tuple[I8, I8, NDArray[np.int32]]:
    """Keys, counts and items of (item, cell) pairs, each pair once; sorted by key, then item."""
    order = np.lexsort((item, key))
    item, key = item[order], key[order]
    fresh = np.ones(len(key), np.bool_)
    fresh[1:] = (key[1:] != key[:-1]) | (item[1:] != item[:-1])
    item, key = item[fresh], key[fresh]
    starts = group_starts(key)
    return key[starts], np.diff(np.append(starts, len(key))), item.astype(np.int32)
